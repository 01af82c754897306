/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The parsers of RDMA netlink's messages: what the kernel says of devices, char devices and ports. */
#ifndef HF_SHARED_NLDEV_PARSE_H
#define HF_SHARED_NLDEV_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/attr.h"

enum { HF_NLDEV_NAME = 64, HF_NLDEV_PROTOCOL = 16 };

struct hf_nldev {
	uint32_t index;
	char name[HF_NLDEV_NAME]; /* as the kernel has it: Linux 6.1 accepts "a/b" */
	uint64_t node_guid;	  /* host byte order; 0: not reported */
	uint32_t num_ports;
	uint8_t node_type; /* enum rdma_node_type of the kernel; 0: not reported */
	/* "ib", "roce", "iw", "opa", "usnic" of the first port; empty: not reported. */
	char protocol[HF_NLDEV_PROTOCOL];
	bool tells_protocol; /* a kernel that reports the protocol of each device that has one */
	uint8_t name_assign; /* since Linux 6.11: 1, a user gave the name; 0: not reported */
};

struct hf_nldev_chardev {
	char name[HF_NLDEV_NAME]; /* "uverbs0" */
	dev_t number;
	uint32_t abi;
	uint32_t driver_id; /* 0: not reported */
};

struct hf_nldev_port {
	uint32_t state;
	uint32_t phys_state;
	uint32_t netdev_index; /* 0: none, or in another network namespace */
	char netdev[16];
};

/*
 * `message` points to a message of at most `size` bytes, aligned or not. A message that is malformed or
 * incomplete is -EBADMSG, and then *ret is unchanged.
 */
int hfi_nldev_parse(const void *message, size_t size,
		    struct hf_nldev *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_nldev_parse_chardev(const void *message, size_t size,
			    struct hf_nldev_chardev *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_nldev_parse_port(const void *message, size_t size,
			 struct hf_nldev_port *ret) HF_MUST_CHECK HF_NONNULL;
/* 1: a device belongs to one network namespace; 0: all namespaces share them. */
int hfi_nldev_parse_exclusive(const void *message, size_t size) HF_MUST_CHECK HF_NONNULL;
/* 1: fork copies pages that hardware uses. */
int hfi_nldev_parse_copy_on_fork(const void *message, size_t size) HF_MUST_CHECK HF_NONNULL;

#endif
