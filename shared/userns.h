/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a user namespace changes: which uevents are heard, what the number of an owner means. */
#ifndef HF_SHARED_USERNS_H
#define HF_SHARED_USERNS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * Are the kernel's uevents heard here? Not in a user namespace other than the first: kernels from
 * 4.18 on send there only what belongs to network namespaces. What cannot be read is no.
 */
bool hfi_uevents_are_heard(void);

/*
 * Does this number stand for owners that have none here? So it is in a user namespace that maps some users
 * only, for the number of /proc/sys/kernel/overflowuid, unless a user of the namespace has that number too:
 * then it cannot be told. What cannot be read is no.
 */
bool hfi_uid_is_unmapped(uid_t uid);
/* The same for the texts of the two files. */
bool hfi_uid_is_unmapped_in(uid_t uid, const char *overflow, const char *map);

#endif
