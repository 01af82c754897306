/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What kernel commands need to know of an open context. */
#ifndef HF_UVERBS_UVERBS_H
#define HF_UVERBS_UVERBS_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <infiniband/verbs.h>

#include "core/uverbs/command.h"

/* First member of struct verbs_ex_private, so that this room need not know the rest. */
struct hf_uverbs {
	uint32_t driver_id;
	size_t qp_mask_offset; /* of verbs_qp.comp_mask in the provider's objects; xrcd is 8 further */
	atomic_bool dead;      /* revoked, or known to be gone: commands fail without being sent */
};

/* The first member of what the core keeps beside the provider's object. */
static inline struct hf_uverbs *hf_uverbs_of(struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)(void *)((char *)context -
						 offsetof(struct verbs_context, context));

	return (struct hf_uverbs *)(void *)verbs->priv;
}

#endif
