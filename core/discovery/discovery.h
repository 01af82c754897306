/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is there now: sysfs-shaped roots on held directories, and RDMA netlink, merged. */
#ifndef HF_DISCOVERY_H
#define HF_DISCOVERY_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>
#include <sys/types.h>

#include <holdfast/device.h>
#include <holdfast/reason.h>

#include "core/base/root.h"

struct hf_nl; /* an RDMA netlink socket, see netlink.h */

enum { HF_MODALIAS_SIZE = 512 };

/*
 * Why an entry cannot be used, small because thousands of entries have room for one;
 * hfi_entry_tell_reason() makes the words.
 */
struct hf_entry_reason {
	enum hf_reason_code code;
	int error;	       /* positive errno value, 0 for none */
	const char *attribute; /* static; what could not be read, "" for all, or NULL */
	bool of_uverbs;	       /* of uverbsN, not of the RDMA device */
};

/* One instance as it was sighted; plain data. */
struct hf_entry {
	unsigned int root;	   /* index of its root */
	char uverbs[HF_NAME_SIZE]; /* "uverbs0" */
	char name[HF_NAME_SIZE];   /* "rxe0" */
	int32_t index;		   /* RDMA netlink index, -1 unknown */
	uint64_t inode;		   /* inode of uverbsN/ibdev, 0 unknown (netlink only) */
	uint64_t device_inode;	   /* inode of class/infiniband/NAME, 0 unknown */
	struct timespec stamp;	   /* mtime of uverbsN/ibdev */
	dev_t node_number;	   /* of the char device, 0 unknown */
	uint64_t node_guid;	   /* network byte order */
	uint32_t driver_id;
	uint32_t kernel_abi; /* of the driver */
	uint32_t num_ports;  /* 0 unknown */
	int32_t node_type;   /* enum ibv_node_type */
	enum hf_protocol protocol;
	struct hf_entry_reason reason; /* why it cannot be used, NONE if it may be */
	bool brief; /* device_inode was not read yet, nor node_number and node_guid where they are 0 */
};

struct hf_entries {
	struct hf_entry *v;
	size_t count;
	size_t size;
};

void hfi_entries_free(struct hf_entries *entries);

/*
 * With HF_BRIEFLY, devices that netlink says nothing of are read only as far as a list needs; see
 * hfi_entry_complete().
 */
enum hf_sources { HF_SOURCE_SYSFS = 1, HF_SOURCE_NETLINK = 2, HF_BRIEFLY = 4 };

/*
 * Identity, contract 1: 1 when both sightings are of the same instance, else 0. A part that one of
 * them does not know does not speak. Two sightings with no inode and no index in common compare by
 * stamp and node number.
 */
int hfi_entry_same(const struct hf_entry *a, const struct hf_entry *b);

/*
 * Appends every device of a root, in the order in which libibverbs would find them: ascending
 * netlink index where netlink answers, else readdir order. An entry that cannot be read stands
 * there with its reason (HALF_MADE, OTHER_NETNS); one that vanishes meanwhile does not. A root that
 * does not exist holds no devices. `nl` may be NULL. Entries of a device without a uverbs node are
 * not listed. Errors: -EIO, -EMFILE, -ENFILE, -ENOMEM, -EACCES; entries are then unchanged.
 */
int hfi_discover(const struct hf_search_root *root, unsigned int root_index, unsigned int sources,
		 struct hf_nl *nl, struct hf_entries *entries);

/* The same for the one device that has this uverbs name now; -ENODEV when there is none. */
int hfi_discover_one(const struct hf_search_root *root, unsigned int root_index,
		     unsigned int sources, struct hf_nl *nl, const char *uverbs,
		     struct hf_entry *ret);

/*
 * Reads what was left out of a brief entry. -ENODEV when the instance is gone or replaced; other
 * errors as hfi_discover_one(). Nothing is changed then.
 */
int hfi_entry_complete(const struct hf_search_root *root, struct hf_entry *entry);

/* The same for the device number alone, which is cheaper. */
int hfi_entry_read_number(const struct hf_search_root *root, struct hf_entry *entry);

/*
 * The modalias of the device's parent; empty where it has none, as rxe. Errors as
 * hfi_entry_open_uverbs(), and *ret is then unchanged.
 */
int hfi_entry_read_modalias(const struct hf_search_root *root, const struct hf_entry *entry,
			    char ret[HF_MODALIAS_SIZE]);

void hfi_entry_tell_reason(const struct hf_entry *entry, struct hf_reason *ret);

/*
 * 0 while `entry` is still what its root shows under its uverbs name (a rename is no difference),
 * -ENODEV when it is gone or another instance is there, other errors when it cannot be told.
 */
int hfi_entry_verify(const struct hf_search_root *root, struct hf_nl *nl,
		     const struct hf_entry *entry);

/*
 * Opens class/infiniband/NAME of the instance under whatever name it has now, and proves that the
 * directory belongs to it. Returns the descriptor, which the caller closes; what is read below it is
 * the instance's. -ENODEV as above, -EOPNOTSUPP when only netlink knows the device.
 * The current name goes to `name` unless NULL.
 */
int hfi_entry_open_dir(const struct hf_search_root *root, const struct hf_entry *entry,
		       char name[HF_NAME_SIZE]);

/* Opens class/infiniband_verbs/uverbsN of the instance; the same promises. */
int hfi_entry_open_uverbs(const struct hf_search_root *root, const struct hf_entry *entry);

/* Ports and GIDs below a descriptor from hfi_entry_open_dir(). `nl` may be NULL. */
int hfi_read_port(int device_dir, struct hf_nl *nl, const struct hf_entry *entry, uint32_t port,
		  struct hf_port_info *ret);
int hfi_read_gids(int device_dir, uint32_t port, struct hf_gid **ret);
/* One GID or P_Key, also an unused one (all zero GID); -ENOENT beyond the table. */
int hfi_read_gid(int device_dir, uint32_t port, uint32_t index, union ibv_gid *ret);
int hfi_read_pkey(int device_dir, uint32_t port, uint32_t index, uint16_t *ret); /* host order */

/* Where the node is expected: ROOT.dev/infiniband/UVERBS; -ENAMETOOLONG. */
int hfi_entry_node_path(const struct hf_search_root *root, const struct hf_entry *entry,
			char path[HF_PATH_SIZE]);

/* Fills in `kernel` from the file system's type ("/sys" itself always counts as a kernel's). */
int hfi_search_root_init(struct hf_search_root *root, const char *sysfs, const char *dev);

#endif
