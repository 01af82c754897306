/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What identifies an instance (one life of a device). */
#ifndef HF_DISCOVERY_LIFE_H
#define HF_DISCOVERY_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shared/attr.h"

/*
 * For a device of the kernel: the inode, which is never reused. In a tree that user space writes,
 * the file system may reuse an inode at once, so the other members are compared as well.
 */
struct hf_life {
	uint64_t inode;	      /* of uverbsN/ibdev; 0: unknown */
	struct timespec born; /* when that file was made, see hfi_life_of_tree(); 0: unknown */
	/*
	 * Written to uverbsN/instance by the tree's writer; 0: nothing, or not read. An inode whose birth is
	 * past says who it is: no later one can have the same number and the same time of birth. The id is
	 * read while the file system's clock may still stand where it stood then.
	 */
	uint64_t id[2];
	bool of_tree; /* in a tree that user space writes */
};

/* What is known was seen at its birth, and what was read now was not: the id has to be read for the comparison. */
bool hfi_life_needs_id(const struct hf_life *known,
		       const struct hf_life *now) HF_MUST_CHECK HF_NONNULL;
/* An id that only one of them has decides nothing; see hfi_life_check(). */
bool hfi_life_same(const struct hf_life *a, const struct hf_life *b) HF_MUST_CHECK HF_NONNULL;

/*
 * 0: what was read of a device in `dirfd`, or in the directory `uverbs` below it, is the same instance as what
 * is known; -ENODEV: another; -EAGAIN: it is not there any more; other errors: cannot be decided. Reads the id where it is needed.
 */
int hfi_life_check(int dirfd, const char *uverbs, const struct hf_life *known,
		   const struct hf_life *now) HF_MUST_CHECK HF_NONNULL_OF(3, 4);

/*
 * Functions for struct hf_root_kind, see core/base/root.h. Errors are those of open() and read().
 */
int hfi_life_of_kernel(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
		       struct timespec *stamp) HF_MUST_CHECK;
/*
 * `born` is the time of birth or, if the file system has none and the writer gave no id, the time
 * of the inode's last change. -EINVAL: the id is malformed.
 */
int hfi_life_of_tree(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
		     struct timespec *stamp) HF_MUST_CHECK;

#endif
