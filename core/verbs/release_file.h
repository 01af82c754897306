/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Releases every descriptor and mapping of a file. */
#ifndef HF_VERBS_RELEASE_FILE_H
#define HF_VERBS_RELEASE_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* True when both are of one file. */
bool hfi_release_is_same(const struct stat *a, const struct stat *b);

/*
 * Releases every reference of this process to a file, as stat() described it: descriptors become
 * duplicates of `dead`, mappings become anonymous memory in place. The contents of a mapping are kept,
 * so that a thread that uses it sees no change; device registers, which cannot be copied, read as
 * zero. Returns the number of references released, or -errno if some were not.
 */
int hfi_release_file(const struct stat *file, int dead);

/*
 * Turns mappings of a file that was closed into anonymous memory as well. -EBUSY, and nothing is done,
 * if the process has the file open again: the mappings may belong to that descriptor.
 */
int hfi_release_leftovers(const struct stat *file);

#endif
