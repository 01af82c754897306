/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A device as it was read: plain data about one instance. */
#ifndef HF_DISCOVERY_ENTRY_H
#define HF_DISCOVERY_ENTRY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <sys/types.h>

#include <holdfast/device.h>
#include <holdfast/reason.h>

#include "shared/attr.h"
#include "core/base/root.h"
#include "core/discovery/life.h"

struct hf_nl; /* an RDMA netlink socket, see netlink.h */

enum { HF_MODALIAS_SIZE = 512 };

/*
 * Why an entry cannot be used. Small, because thousands of entries store one;
 * hfi_entry_format_reason() makes the text.
 */
struct hf_entry_reason {
	enum hf_reason_code code;
	int error;	       /* positive errno value, 0 for none */
	const char *attribute; /* static: what could not be read, "" for everything, or NULL */
	bool of_uverbs;	       /* of uverbsN, not of the RDMA device */
};

/* A device as it was read; plain data. */
struct hf_entry {
	unsigned int root;	   /* index of its root */
	char uverbs[HF_NAME_SIZE]; /* "uverbs0" */
	char name[HF_NAME_SIZE];   /* "rxe0" */
	int32_t index;		   /* RDMA netlink index, -1 unknown */
	struct hf_life life;	   /* its inode is 0 as long as only netlink was asked */
	uint64_t device_inode;	   /* inode of class/infiniband/NAME, 0 unknown */
	struct timespec stamp;	   /* mtime of uverbsN/ibdev */
	dev_t node_number;	   /* of the char device, 0 unknown */
	uint64_t node_guid;	   /* network byte order */
	uint32_t driver_id;
	uint32_t kernel_abi; /* of the driver */
	uint32_t num_ports;  /* 0 unknown */
	int32_t node_type;   /* enum ibv_node_type */
	enum hf_protocol protocol;
	struct hf_entry_reason reason; /* why it cannot be used; NONE: usable */
	/* Not read yet: device_inode, and life, node_number and node_guid where they are 0. */
	bool brief;
};

struct hf_entries {
	struct hf_entry *v;
	size_t count;
	size_t size;
	bool links; /* a device's class entry was no directory */
};

void hfi_entries_free(struct hf_entries *entries) HF_NONNULL;

/*
 * Identity, contract 1: 1 if both entries describe the same instance, else 0. A field that either
 * side does not know is ignored. Two entries without a common inode or index compare by stamp and
 * node number.
 */
int hfi_entry_same(const struct hf_entry *a, const struct hf_entry *b) HF_MUST_CHECK HF_NONNULL;

/*
 * The same of what is known and what was just read: 0, -ENODEV: another instance; other errors: cannot be decided.
 * Reads what the comparison needs.
 */
int hfi_entry_check(const struct hf_search_root *root, const struct hf_entry *known,
		    const struct hf_entry *now) HF_MUST_CHECK HF_NONNULL;

enum { HF_UVERBS_PATH_SIZE = HF_PATH_SIZE + 2 * HF_NAME_SIZE };

/* The path of the entry's class/infiniband_verbs/uverbsN. -ENAMETOOLONG. */
int hfi_entry_uverbs_path(const struct hf_search_root *root, const struct hf_entry *entry,
			  char ret[HF_UVERBS_PATH_SIZE]) HF_MUST_CHECK HF_NONNULL;

/*
 * Reads the inode of a brief entry that has none, between two proofs that its index has its uverbs name: so the
 * index had it all the time, and the inode under that name is this instance's. Errors as below.
 */
int hfi_entry_bind(const struct hf_search_root *root, struct hf_nl *nl,
		   struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL_OF(1, 3);

/*
 * Reads what a brief entry lacks; it stays brief while the node GUID cannot be read. -ENODEV: the
 * instance is gone or replaced; other errors as hfi_discover_one(). The entry is unchanged on failure. `nl` is
 * needed for one that has no inode yet.
 */
int hfi_entry_complete(const struct hf_search_root *root, struct hf_nl *nl,
		       struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL_OF(1, 3);

/*
 * The modalias of the device's parent, from uverbsN/device or else from NAME/device; empty if there is
 * none, as for rxe. Errors as
 * hfi_entry_open_uverbs(); *ret is then unchanged.
 */
int hfi_entry_read_modalias(const struct hf_search_root *root, const struct hf_entry *entry,
			    char ret[HF_MODALIAS_SIZE]) HF_NONNULL;

void hfi_entry_format_reason(const struct hf_entry *entry, struct hf_reason *ret) HF_NONNULL;

/*
 * 0: the root still shows `entry` under its uverbs name (after a rename, too); -ENODEV: it is gone,
 * or another instance has the name; other errors: cannot be decided.
 */
int hfi_entry_verify(const struct hf_search_root *root, struct hf_nl *nl,
		     const struct hf_entry *entry) HF_MUST_CHECK HF_NONNULL_OF(1, 3);

/* The path of the node: ROOT.dev/infiniband/UVERBS; -ENAMETOOLONG. */
int hfi_entry_node_path(const struct hf_search_root *root, const struct hf_entry *entry,
			char path[HF_PATH_SIZE]) HF_NONNULL;

#endif
