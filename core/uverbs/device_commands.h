/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel commands about a device as a whole; each answers 0 or -errno. */
#ifndef HF_UVERBS_DEVICE_COMMANDS_H
#define HF_UVERBS_DEVICE_COMMANDS_H

#include <stddef.h>
#include <stdint.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <rdma/ib_user_verbs.h>

/* Driver data sent with the command; size 0 for none. */
struct ibv_command_buffer;

struct hf_uhw {
	const void *in;
	size_t in_size;
	void *out;
	size_t out_size;
	struct ibv_command_buffer *link; /* of GET_CONTEXT alone, or NULL */
};

int hfi_cmd_get_context(int cmd_fd, uint32_t driver_id, const struct hf_uhw *uhw,
			uint32_t *num_comp_vectors, uint64_t *core_support);
int hfi_cmd_query_device(int cmd_fd, uint32_t driver_id, const struct hf_uhw *uhw,
			 struct ib_uverbs_ex_query_device_resp *ret);
int hfi_cmd_query_port(int cmd_fd, uint32_t driver_id, uint8_t port,
		       struct ib_uverbs_query_port_resp_ex *ret);
/* Returns the descriptor on which the kernel reports asynchronous events. */
int hfi_cmd_async_fd(int cmd_fd, uint32_t driver_id);

#endif
