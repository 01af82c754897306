/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_qp_to_qp_ex(). */
#include <stddef.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

HF_EXPORT struct ibv_qp_ex *ibv_qp_to_qp_ex(struct ibv_qp *qp)
{
	/* Where the mask is depends on the release that the provider was built for. */
	const size_t offset = hfi_private_of(qp->context)->uverbs.qp_mask_offset;
	const uint32_t *mask = (const uint32_t *)(void *)((char *)qp + offset);

	return *mask & VERBS_QP_EX ? (struct ibv_qp_ex *)(void *)qp : NULL;
}
