/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 57: ibv_cmd_get_context() takes descriptors. */
#ifndef HF_COMPAT_PRIVATE57_CONTEXT_H
#define HF_COMPAT_PRIVATE57_CONTEXT_H

#include "compat/private34/context.h"

struct hf_fd_arr {
	int *arr;
	uint32_t count;
};

HF_SIZE(hf_fd_arr, 16);
HF_LAYOUT(hf_fd_arr, count, 8);

/* Under all nodes since 57. */
int hfi_get_context_fds(struct verbs_context *context, struct ibv_get_context *cmd, size_t cmd_size,
			struct hf_fd_arr *fds, struct ib_uverbs_get_context_resp *resp,
			size_t resp_size);
int ibv_cmd_get_context_57(struct verbs_context *context, struct ibv_get_context *cmd,
			   size_t cmd_size, struct hf_fd_arr *fds,
			   struct ib_uverbs_get_context_resp *resp, size_t resp_size);

#endif
