/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Multicast: ibv_attach_mcast() and ibv_detach_mcast(). */
#include "shared/attr.h"
#include "core/verbs/context.h"

HF_EXPORT int ibv_attach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	return hfi_private_of(qp->context)->ops.attach_mcast(qp, gid, lid);
}

HF_EXPORT int ibv_detach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	return hfi_private_of(qp->context)->ops.detach_mcast(qp, gid, lid);
}
