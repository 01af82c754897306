/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Private ABIs from 59 on: their struct verbs_context has further members in front of ours. How many differs
 * between releases of ABI 59, so their first one holds the address of ours, see hf_provider_context_alloc().
 */
#ifndef HF_COMPAT_PRIVATE59_CONTEXT_H
#define HF_COMPAT_PRIVATE59_CONTEXT_H

#include "compat/private57/context.h"

/* What a provider of such an ABI takes for a struct verbs_context. */
struct hf_context_59 {
	struct verbs_context *ours;
};

/* A table of operations in that ABI's order. */
struct hf_operations_59;

void verbs_set_ops_59(struct hf_context_59 *context, const struct hf_operations_59 *ops);
void verbs_uninit_context_59(struct hf_context_59 *context);
int ibv_cmd_get_context_59(struct hf_context_59 *context, struct ibv_get_context *cmd,
			   size_t cmd_size, struct hf_fd_arr *fds,
			   struct ib_uverbs_get_context_resp *resp, size_t resp_size);

#endif
