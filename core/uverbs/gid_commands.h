/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's GID tables (Linux 5.10); -EPROTONOSUPPORT from an older one. */
#ifndef HF_UVERBS_GID_COMMANDS_H
#define HF_UVERBS_GID_COMMANDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <rdma/ib_user_ioctl_verbs.h>
#include <infiniband/verbs.h>

/* 0, or -ENODATA for an entry that is not in use, or -errno. */
int hfi_command_gid_entry(struct ibv_context *context, uint32_t port, uint32_t index,
			  uint32_t flags, struct ib_uverbs_gid_entry *ret);

/*
 * Writes every used entry of every port to an array of `count` entries of `size` bytes. The number
 * of entries, or -errno; -EINVAL when the array is too small.
 */
ssize_t hfi_command_gid_table(struct ibv_context *context, void *entries, size_t count, size_t size,
			      uint32_t flags);

#endif
