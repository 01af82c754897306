/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads GID tables from the kernel. */
#include <errno.h>

#include "core/uverbs/gid_commands.h"
#include "core/uverbs/uverbs.h"

int hfi_command_gid_entry(struct ibv_context *context, uint32_t port, uint32_t index,
			  uint32_t flags, struct ib_uverbs_gid_entry *ret)
{
	struct ib_uverbs_gid_entry entry = {0};
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_ENTRY);
	hfi_command_in_const(&command, UVERBS_ATTR_QUERY_GID_ENTRY_PORT, port);
	hfi_command_in_const(&command, UVERBS_ATTR_QUERY_GID_ENTRY_GID_INDEX, index);
	hfi_command_in(&command, UVERBS_ATTR_QUERY_GID_ENTRY_FLAGS, &flags, sizeof(flags));
	hfi_command_out(&command, UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY, &entry, sizeof(entry));
	err = hfi_command_run(&command, context);
	if (!err)
		*ret = entry;
	return err;
}

ssize_t hfi_command_gid_table(struct ibv_context *context, void *entries, size_t count, size_t size,
			      uint32_t flags)
{
	struct hf_command command;
	uint64_t found = 0;
	int err;

	if (size > UINT16_MAX)
		return -EINVAL;
	/*
	 * An attribute's length has 16 bits: of a larger array the kernel is given the first part.
	 */
	if (count > UINT16_MAX / size)
		count = UINT16_MAX / size;
	hfi_command_start(&command, context, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_TABLE);
	hfi_command_in_const(&command, UVERBS_ATTR_QUERY_GID_TABLE_ENTRY_SIZE, size);
	hfi_command_in(&command, UVERBS_ATTR_QUERY_GID_TABLE_FLAGS, &flags, sizeof(flags));
	hfi_command_out(&command, UVERBS_ATTR_QUERY_GID_TABLE_RESP_ENTRIES, entries, count * size);
	hfi_command_out(&command, UVERBS_ATTR_QUERY_GID_TABLE_RESP_NUM_ENTRIES, &found,
			sizeof(found));
	err = hfi_command_run(&command, context);
	if (err)
		return err;
	return found > count ? -EIO : (ssize_t)found;
}
