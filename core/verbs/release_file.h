/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_VERBS_RELEASE_FILE_H
#define HF_VERBS_RELEASE_FILE_H

#include <stdbool.h>
#include <sys/stat.h>

/* Are both of one file? */
bool hfi_detach_is_same(const struct stat *a, const struct stat *b);

/*
 * Lets go of every reference that this process has to a file, as it was stat()ed: descriptors become
 * duplicates of `dead`, mappings become memory of the process's own, in place. What could be read of a
 * mapping is kept, so that a thread which works on it sees nothing change; registers of a device,
 * which cannot be copied, read as zero. Returns how many were let go, or -errno if some were not.
 */
int hfi_detach_file(const struct stat *file, int dead);

/*
 * Mappings of a file that was closed become memory of the process's own likewise: -EBUSY, and nothing
 * is done, where the process has the file open once more, since they may be that one's.
 */
int hfi_detach_leftovers(const struct stat *file);

#endif
