/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Determines which kinds of RDMA a device supports. */
#ifndef HF_BOOT_DESCRIBE_H
#define HF_BOOT_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/nldev.h"

/* Bits, since a card may have an InfiniBand port and an Ethernet port. */
enum hf_kind {
	HF_KIND_INFINIBAND = 1 << 0,
	HF_KIND_IWARP = 1 << 1,
	HF_KIND_OPA = 1 << 2,
	HF_KIND_ROCE = 1 << 3,
};

enum { HF_DRIVERS = 8, HF_DRIVER_NAME = 64 };

/* Facts from the device's sysfs directory. Each may be missing. */
struct hf_tree_facts {
	int node_type;	       /* the number in "1: CA"; 0: unknown */
	bool infiniband_ports; /* a port has link layer InfiniBand */
	bool ethernet_ports;
	bool has_parent; /* has the attribute "parent", as only rxe has */
	/* Drivers of the device and of its ancestors, the nearest first. */
	char drivers[HF_DRIVERS][HF_DRIVER_NAME];
	size_t num_drivers;
};

struct hf_description {
	unsigned int kinds;		  /* bits of enum hf_kind; may be 0 */
	char protocol[HF_NLDEV_PROTOCOL]; /* from the kernel; empty: not reported */
	const char *source;		  /* "netlink", "driver" or "sysfs" */
};

/* Reads the facts from a device's directory and those above it. */
void hfi_tree_read(int dir, struct hf_tree_facts *ret);

/*
 * Decides the kinds. `nl` is NULL if RDMA netlink does not answer. Returns 0, or -ENODATA if no fact
 * tells the kind.
 */
int hfi_describe(const struct hf_tree_facts *tree, const struct hf_nldev *nl,
		 struct hf_description *ret);

/* Row `i` of the table of drivers: name and kinds. NULL after the last. */
const char *hfi_driver_table(size_t i, unsigned int *kinds);

#endif
