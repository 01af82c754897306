/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One command to the kernel: attributes put together, sent with RDMA_VERBS_IOCTL. */
#ifndef HF_UVERBS_COMMAND_H
#define HF_UVERBS_COMMAND_H

#include <stddef.h>
#include <stdint.h>
#include <rdma/rdma_user_ioctl_cmds.h>

enum { HF_COMMAND_ATTRS_MAX = 16 };

struct hf_command {
	struct ib_uverbs_ioctl_hdr header; /* its attrs[] are the next member */
	struct ib_uverbs_attr attrs[HF_COMMAND_ATTRS_MAX];
};

void hf_command_begin(struct hf_command *command, uint16_t object, uint16_t method,
		      uint32_t driver_id);

/* What goes in: up to 8 bytes travel in the attribute itself, as the kernel demands. */
void hf_command_in(struct hf_command *command, uint16_t attr, const void *data, size_t size);
void hf_command_in_const(struct hf_command *command, uint16_t attr, uint64_t value);

/* What comes out, into `data`. Optional ones are passed over by kernels that do not know them. */
void hf_command_out(struct hf_command *command, uint16_t attr, void *data, size_t size);
void hf_command_out_optional(struct hf_command *command, uint16_t attr, void *data, size_t size);

/* A descriptor the kernel makes; returns the attribute that will hold it in data_s64. */
struct ib_uverbs_attr *hf_command_out_fd(struct hf_command *command, uint16_t attr);

/* 0 or -errno. */
int hf_command_send(struct hf_command *command, int cmd_fd);

#endif
