/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attributes that a provider builds itself and links to a command. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include <holdfast-provider/steering.h>

#include "core/uverbs/link.h"

/* More than any provider links; bounds a chain that has a loop. */
enum { BUFFERS_MAX = 64 };

static_assert(sizeof(((struct ibv_command_buffer *)NULL)->hdr) ==
		      sizeof(struct ib_uverbs_ioctl_hdr),
	      "the attributes follow the header");

struct ib_uverbs_attr *hfi_link_attrs(const struct ibv_command_buffer *buffer)
{
	return (struct ib_uverbs_attr *)(void *)(buffer + 1);
}

static size_t in_use(const struct ibv_command_buffer *buffer)
{
	return (size_t)(buffer->next_attr - hfi_link_attrs(buffer));
}

int hfi_link_count(const struct ibv_command_buffer *link)
{
	size_t count = 0;
	int buffers = 0;

	for (; link; link = link->next) {
		if (link->buffer_error || link->next_attr < hfi_link_attrs(link) ||
		    link->next_attr > link->last_attr || ++buffers > BUFFERS_MAX)
			return -EINVAL;
		count += in_use(link);
	}
	return count > UINT8_MAX ? -EINVAL : (int)count;
}

void hfi_link_gather(const struct ibv_command_buffer *link, struct ib_uverbs_attr *attrs)
{
	for (; link; link = link->next) {
		memcpy(attrs, hfi_link_attrs(link), in_use(link) * sizeof(*attrs));
		attrs += in_use(link);
	}
}

void hfi_link_scatter(struct ibv_command_buffer *link, const struct ib_uverbs_attr *attrs)
{
	for (; link; link = link->next) {
		memcpy(hfi_link_attrs(link), attrs, in_use(link) * sizeof(*attrs));
		attrs += in_use(link);
	}
}
