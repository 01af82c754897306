/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_qp_to_qp_ex(). */
#include <stddef.h>

#include "shared/attr.h"
#include "core/verbs/context.h"
#include "core/verbs/operations.h"
#include "core/verbs/revoke.h"
#include "core/verbs/track.h"

static bool has_qp_ex(const struct verbs_ex_private *private)
{
	return hfi_operations_have_qp_ex(
		private->revocable ? hfi_track_real(private->revocable->track) : &private->ops);
}

HF_EXPORT struct ibv_qp_ex *ibv_qp_to_qp_ex(struct ibv_qp *qp)
{
	const struct verbs_ex_private *private = hfi_private_of(qp->context);
	const uint32_t *mask;

	/* The provider's object may end with struct ibv_qp: siw's does, and the mask would be behind it. */
	if (!has_qp_ex(private))
		return NULL;
	/* The offset of the mask depends on the release that the provider was built for. */
	mask = (const uint32_t *)(void *)((char *)qp + private->uverbs.qp_mask_offset);
	return *mask & VERBS_QP_EX ? (struct ibv_qp_ex *)(void *)qp : NULL;
}
