/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Commands that a provider builds itself. */
#include <errno.h>
#include <string.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/link.h"
#include "core/uverbs/uverbs.h"

HF_EXPORT unsigned int hf_provider_ioctl_attrs(unsigned int count,
					       const struct ibv_command_buffer *link)
{
	for (; link; link = link->next)
		count += (unsigned int)(link->next_attr - hfi_link_attrs(link));
	return count;
}

/*
 * A provider's buffer points to its driver data, however short. The copy that is sent holds short
 * data inline, as the kernel demands; the buffer is left alone, so that it can be sent again.
 */
static void put_inline(struct ib_uverbs_attr *attr)
{
	const void *from = (const void *)(uintptr_t)attr->data;
	uint64_t value = 0;

	if (!attr->len || attr->len > sizeof(value) || !from)
		return;
	memcpy(&value, from, attr->len);
	attr->data = value;
}

HF_EXPORT int hf_provider_ioctl(struct ibv_context *context, struct ibv_command_buffer *buffer)
{
	const struct hf_driver_data data = {.link = buffer};
	struct ib_uverbs_attr *own = NULL;
	struct hf_command command;
	uint64_t pointer = 0;
	int err;

	hfi_command_start(&command, context, buffer->hdr.object_id, buffer->hdr.method_id);
	hfi_command_driver_data(&command, &data);
	if (command.err)
		return -command.err;
	if (buffer->uhw_in_idx != HF_UHW_NO_INDEX) {
		if (buffer->uhw_in_idx >= buffer->next_attr - hfi_link_attrs(buffer))
			return EINVAL;
		own = hfi_link_attrs(buffer) + buffer->uhw_in_idx;
		pointer = own->data;
		put_inline(&command.attrs[buffer->uhw_in_idx]);
	}
	err = hfi_command_run(&command, context);
	if (own)
		own->data = pointer;
	return -err;
}
