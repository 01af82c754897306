/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 59 on: where a struct verbs_context comes from a provider. */
#include "compat/private59/context.h"

/* The core knows the order of the provider's release. */
HF_SINCE_59(verbs_set_ops_59, verbs_set_ops)
void verbs_set_ops_59(struct hf_context_59 *context, const struct hf_operations_59 *ops)
{
	hf_compat_calls.hf_provider_set_ops(context->ours, (const void *)ops);
}

HF_SINCE_59(verbs_uninit_context_59, verbs_uninit_context)
void verbs_uninit_context_59(struct hf_context_59 *context)
{
	hf_compat_calls.hf_provider_context_uninit(context->ours);
}

HF_SINCE_59(ibv_cmd_get_context_59, ibv_cmd_get_context)
int ibv_cmd_get_context_59(struct hf_context_59 *context, struct ibv_get_context *cmd,
			   size_t cmd_size, struct hf_fd_arr *fds,
			   struct ib_uverbs_get_context_resp *resp, size_t resp_size)
{
	return hfi_get_context_fds(context->ours, cmd, cmd_size, fds, resp, resp_size);
}
