/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA netlink as discovery uses it: devices, their char devices and ports. */
#ifndef HF_DISCOVERY_NETLINK_H
#define HF_DISCOVERY_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include <holdfast/device.h>

#include "shared/attr.h"
#include "shared/nldev.h"
#include "shared/nldev_parse.h"
#include "core/base/root.h"

struct hf_nl;
struct hf_nl_guesses;

struct hf_nl_device {
	uint32_t index;
	char name[HF_NAME_SIZE];
	uint64_t node_guid; /* network byte order */
	uint32_t num_ports;
	int32_t node_type;	   /* enum ibv_node_type */
	enum hf_protocol protocol; /* UNKNOWN on kernels that do not report it */
};

/* What the kernel answers about an index. */
struct hf_nl_seen {
	struct hf_nl_device device;
	struct hf_nldev_chardev chardev;
	uint64_t number; /* N of "uverbsN" */
	/*
	 * 0; -ENODEV: no device has this index here; -EINVAL: there is a device, but a kernel older than 5.1 does
	 * not know the request for its char device; others: it has none, or none yet.
	 */
	int err;
};

/* The devices of a dump, sorted by name. */
struct hf_nl_table {
	struct hf_nl_device *v;
	size_t count;
	size_t size;
	bool waited; /* for a char device, in vain */
};

/* -EPROTONOSUPPORT: no RDMA netlink here. Only one thread at a time may use it. */
int hfi_nl_open(struct hf_nl **ret) HF_MUST_CHECK HF_NONNULL;
struct hf_nl *hfi_nl_close(struct hf_nl *nl); /* returns NULL; `nl` may be NULL */
int hfi_nl_fd(const struct hf_nl *nl) HF_MUST_CHECK HF_NONNULL;

/* Calls `each` for every device until it returns other than 0, and returns that. */
int hfi_nl_dump(struct hf_nl *nl, int (*each)(void *arg, const struct hf_nl_device *device),
		void *arg) HF_MUST_CHECK HF_NONNULL_OF(1, 2);
int hfi_nl_device_get(struct hf_nl *nl, uint32_t index,
		      struct hf_nl_device *ret) HF_MUST_CHECK HF_NONNULL;
/* The uverbs char device of an index; -ENODEV, -EINVAL (kernel older than 5.1). */
int hfi_nl_chardev(struct hf_nl *nl, uint32_t index,
		   struct hf_nldev_chardev *ret) HF_MUST_CHECK HF_NONNULL;
/*
 * Both for several indices at once; ret[i] is of indices[i]. An error is one of the socket or of memory, or
 * -EBADMSG.
 */
enum { HF_NL_SEEN_MAX = HF_NLDEV_BATCH / 2 };
int hfi_nl_see(struct hf_nl *nl, const uint32_t *indices, unsigned int count,
	       struct hf_nl_seen *ret) HF_MUST_CHECK HF_NONNULL;
/* The lowest index of a device; -ENODEV: none. */
int hfi_nl_lowest(uint32_t *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_nl_port(struct hf_nl *nl, uint32_t index, uint32_t port,
		struct hf_nldev_port *ret) HF_MUST_CHECK HF_NONNULL;
/*
 * 1: a device belongs to one network namespace; 0: all namespaces share them; -EINVAL before 5.2.
 */
int hfi_nl_exclusive(struct hf_nl *nl) HF_MUST_CHECK HF_NONNULL;

/* A reply that describes a device, whose name may be no component of a path. -EBADMSG: malformed. */
int hfi_nl_parse_device(const void *message, size_t size,
			struct hf_nl_device *ret) HF_MUST_CHECK HF_NONNULL;

/* The indices learnt through this socket. */
struct hf_nl_guesses *hfi_nl_guesses(struct hf_nl *nl) HF_MUST_CHECK HF_NONNULL;

int hfi_nl_table_fill(struct hf_nl *nl, struct hf_nl_table *table) HF_MUST_CHECK HF_NONNULL;
const struct hf_nl_device *hfi_nl_table_find(const struct hf_nl_table *table,
					     const char *name) HF_MUST_CHECK HF_NONNULL;
void hfi_nl_table_free(struct hf_nl_table *table) HF_NONNULL;

#endif
