/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attributes that a later private ABI passes as parameters: linked to a command like those of a provider. */
#ifndef HF_COMPAT_PRIVATE57_LINK_H
#define HF_COMPAT_PRIVATE57_LINK_H

#include <string.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include "compat/private34/private34.h"

enum { HF_LINKED_MAX = 5 };

struct hf_linked {
	struct ibv_command_buffer buffer;
	struct ib_uverbs_attr attrs[HF_LINKED_MAX];
};

/* `next`: what the provider linked itself, or NULL. */
static inline void hf_linked_begin(struct hf_linked *linked, struct ibv_command_buffer *next)
{
	linked->buffer = (struct ibv_command_buffer){
		.next = next,
		.next_attr = linked->attrs,
		.last_attr = linked->attrs + HF_LINKED_MAX,
		.uhw_in_idx = HF_UHW_NO_INDEX,
		.uhw_out_idx = HF_UHW_NO_INDEX,
	};
}

/* A descriptor, or the handle of an object. */
static inline void hf_linked_add(struct hf_linked *linked, uint16_t id, size_t size, uint64_t data)
{
	if (size > UINT16_MAX || linked->buffer.next_attr == linked->buffer.last_attr) {
		linked->buffer.buffer_error = 1;
		return;
	}
	*linked->buffer.next_attr++ = (struct ib_uverbs_attr){
		.attr_id = id,
		.len = (uint16_t)size,
		.flags = UVERBS_ATTR_F_MANDATORY,
		.data = data,
	};
}

/* Up to 8 bytes stand in the attribute itself, as the kernel demands. */
static inline void hf_linked_in(struct hf_linked *linked, uint16_t id, const void *data,
				size_t size)
{
	uint64_t value = 0;

	if (size > sizeof(value))
		value = (uintptr_t)data;
	else if (size)
		memcpy(&value, data, size);
	hf_linked_add(linked, id, size, value);
}

#endif
