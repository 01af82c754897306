/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABIs from 59 on: a completion queue in memory of the provider. */
#include "compat/private57/link.h"
#include "compat/private59/cq.h"

/* Bits of cmd_flags, and attributes of CQ_CREATE in Linux 6.17. */
enum { WITH_ADDRESS = 2, WITH_DMABUF = 4 };
enum { ATTR_BUFFER_VA = 8, ATTR_BUFFER_LENGTH, ATTR_BUFFER_FD, ATTR_BUFFER_OFFSET };

static void link_memory(struct hf_linked *linked, const struct verbs_create_cq_prov_attr *memory,
			uint32_t flags)
{
	if (flags & WITH_ADDRESS)
		hf_linked_add(linked, ATTR_BUFFER_VA, sizeof(uint64_t),
			      (uintptr_t)memory->memory.ptr);
	if (flags & WITH_DMABUF) {
		hf_linked_add(linked, ATTR_BUFFER_FD, 0,
			      (uint64_t)(int64_t)memory->memory.dmabuf.fd);
		hf_linked_add(linked, ATTR_BUFFER_OFFSET, sizeof(uint64_t),
			      memory->memory.dmabuf.offset);
	}
	hf_linked_add(linked, ATTR_BUFFER_LENGTH, sizeof(uint64_t), memory->length);
}

static int create_cq_in_memory(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			       const struct verbs_create_cq_prov_attr *memory, struct verbs_cq *cq,
			       const struct hf_frame *frame, uint32_t cmd_flags,
			       struct ibv_command_buffer *link)
{
	const uint32_t with = cmd_flags & (WITH_ADDRESS | WITH_DMABUF);
	struct hf_linked linked;

	if (!with)
		return hfi_create_cq_ex_command(context, attr, cq, frame, cmd_flags, link);
	if (!memory || with == (WITH_ADDRESS | WITH_DMABUF))
		return hf_answer(EINVAL);
	hf_linked_begin(&linked, link);
	link_memory(&linked, memory, with);
	return hfi_create_cq_ex_command(context, attr, cq, frame, cmd_flags & ~with,
					&linked.buffer);
}

HF_SINCE_59(ibv_cmd_create_cq_ex_59, ibv_cmd_create_cq_ex)
int ibv_cmd_create_cq_ex_59(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			    struct verbs_create_cq_prov_attr *memory, struct verbs_cq *cq,
			    void *cmd, size_t cmd_size, struct ib_uverbs_ex_create_cq_resp *resp,
			    size_t resp_size, uint32_t cmd_flags)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME_EX(struct ib_uverbs_ex_create_cq),
				       resp, resp_size, sizeof(*resp)};

	return create_cq_in_memory(context, attr, memory, cq, &frame, cmd_flags, NULL);
}

HF_SINCE_59(ibv_cmd_create_cq_ex2_59, ibv_cmd_create_cq_ex2)
int ibv_cmd_create_cq_ex2_59(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			     struct verbs_create_cq_prov_attr *memory, struct verbs_cq *cq,
			     void *cmd, size_t cmd_size, struct ib_uverbs_ex_create_cq_resp *resp,
			     size_t resp_size, uint32_t cmd_flags, struct ibv_command_buffer *link)
{
	const struct hf_frame frame = {cmd,  cmd_size,	HF_FRAME_EX(struct ib_uverbs_ex_create_cq),
				       resp, resp_size, sizeof(*resp)};

	return create_cq_in_memory(context, attr, memory, cq, &frame, cmd_flags, link);
}
