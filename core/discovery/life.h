/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What proves that two sightings are of one instance (one life of a device). */
#ifndef HF_DISCOVERY_LIFE_H
#define HF_DISCOVERY_LIFE_H

#include <stdbool.h>
#include <stdint.h>
#include <time.h>

#include "shared/attr.h"

/*
 * Of a kernel's device the inode, which is never used again. In a tree that user space writes a file
 * system may use it again at once, so there the other members count as well.
 */
struct hf_life {
	uint64_t inode;	      /* of uverbsN/ibdev; 0: unknown */
	struct timespec born; /* when that file was made, see hfi_life_of_tree(); 0: unknown */
	uint64_t id[2];	      /* what the writer put into uverbsN/instance; 0: nothing */
};

bool hfi_life_same(const struct hf_life *a, const struct hf_life *b) HF_MUST_CHECK HF_NONNULL;

/* For struct hf_root_kind, see core/base/root.h. Errors as those of open() and read(). */
int hfi_life_of_kernel(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
		       struct timespec *stamp) HF_MUST_CHECK;
/*
 * `born` is the time of birth, or that of the last change of the inode where the file system has no
 * time of birth and the writer gave no id. -EINVAL for an id that is none.
 */
int hfi_life_of_tree(int dirfd, const char *uverbs, int ibdev, struct hf_life *ret,
		     struct timespec *stamp) HF_MUST_CHECK;

#endif
