/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which kinds of RDMA a device is, from what the kernel shows of it. */
#ifndef HF_BOOT_DESCRIBE_H
#define HF_BOOT_DESCRIBE_H

#include <stdbool.h>
#include <stddef.h>

#include "shared/nldev.h"

/* Bits of a set: a card may have an InfiniBand port and an Ethernet one. */
enum hf_kind {
	HF_KIND_INFINIBAND = 1 << 0,
	HF_KIND_IWARP = 1 << 1,
	HF_KIND_OPA = 1 << 2,
	HF_KIND_ROCE = 1 << 3,
};

enum { HF_DRIVERS = 8, HF_DRIVER_NAME = 64 };

/* What a device's directory holds. Everything may be missing. */
struct hf_tree_facts {
	int node_type;	       /* as in node_type, "1: CA"; 0 where unknown */
	bool infiniband_ports; /* a port whose link layer is InfiniBand */
	bool ethernet_ports;
	bool has_parent; /* an attribute that rxe alone has: its network interface */
	/* Drivers of the device and of those above it, the nearest first. */
	char drivers[HF_DRIVERS][HF_DRIVER_NAME];
	size_t num_drivers;
};

struct hf_description {
	unsigned int kinds;		  /* enum hf_kind; none is an answer, too */
	char protocol[HF_NLDEV_PROTOCOL]; /* the kernel's word; empty where it has none */
	const char *source;		  /* "netlink", "driver" or "sysfs" */
};

/* Reads what is in and above a device's directory. */
void hfi_tree_read(int dir, struct hf_tree_facts *ret);

/*
 * Decides. `nl` is NULL where RDMA netlink does not answer. 0, or -ENODATA: there is nothing to tell
 * the device's kind by.
 */
int hfi_describe(const struct hf_tree_facts *tree, const struct hf_nldev *nl,
		 struct hf_description *ret);

/* The table of drivers, in order: name and kinds; NULL after the last. */
const char *hfi_driver_table(size_t i, unsigned int *kinds);

#endif
