/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The attributes that a provider links to a command. */
#ifndef HF_UVERBS_LINK_H
#define HF_UVERBS_LINK_H

#include <rdma/rdma_user_ioctl_cmds.h>

#include <holdfast-provider/objects.h>

/* The attributes of one buffer, behind its header. */
struct ib_uverbs_attr *hfi_link_attrs(const struct ibv_command_buffer *buffer);
/* How many attributes the linked buffers hold, or -EINVAL when one of them did not fit. */
int hfi_link_count(const struct ibv_command_buffer *link);
/* Copies them to `attrs`, which has room for all of them, and copies their results back. */
void hfi_link_gather(const struct ibv_command_buffer *link, struct ib_uverbs_attr *attrs);
void hfi_link_scatter(struct ibv_command_buffer *link, const struct ib_uverbs_attr *attrs);

#endif
