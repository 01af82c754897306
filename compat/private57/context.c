/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 57: a context with descriptors that the provider has already. */
#include "compat/private57/context.h"
#include "compat/private57/link.h"

/* Linux 6.15: UVERBS_ATTR_GET_CONTEXT_FD_ARR. */
enum { ATTR_FD_ARR = 2 };

int hfi_get_context_fds(struct verbs_context *context, struct ibv_get_context *cmd, size_t cmd_size,
			struct hf_fd_arr *fds, struct ib_uverbs_get_context_resp *resp,
			size_t resp_size)
{
	struct hf_linked linked;

	if (!fds || !fds->count)
		return hfi_get_context(context, cmd, cmd_size, NULL, resp, resp_size);
	if (fds->count > UINT16_MAX)
		return hf_answer(EINVAL);
	hf_linked_begin(&linked, NULL);
	hf_linked_in(&linked, ATTR_FD_ARR, fds->arr, fds->count * sizeof(*fds->arr));
	return hfi_get_context(context, cmd, cmd_size, &linked.buffer, resp, resp_size);
}

HF_IN_57(ibv_cmd_get_context_57, ibv_cmd_get_context)
int ibv_cmd_get_context_57(struct verbs_context *context, struct ibv_get_context *cmd,
			   size_t cmd_size, struct hf_fd_arr *fds,
			   struct ib_uverbs_get_context_resp *resp, size_t resp_size)
{
	return hfi_get_context_fds(context, cmd, cmd_size, fds, resp, resp_size);
}
