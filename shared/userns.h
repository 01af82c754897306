/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Effects of user namespaces: whether uevents are received, and what an owner's number means. */
#ifndef HF_SHARED_USERNS_H
#define HF_SHARED_USERNS_H

#include <stdbool.h>
#include <sys/types.h>

/*
 * True if this process can receive the kernel's uevents. Not in a user namespace other than the
 * first: since 4.18 the kernel sends there only uevents of objects that belong to network
 * namespaces. False if that cannot be determined.
 */
bool hfi_uevents_are_heard(void);

/*
 * True if this number stands for owners without a number here: in a user namespace that maps only
 * some users it is the number of /proc/sys/kernel/overflowuid, unless a user of the namespace has
 * that number too, which makes it ambiguous. False if that cannot be determined.
 */
bool hfi_uid_is_unmapped(uid_t uid);
/* The same for the texts of the two files. */
bool hfi_uid_is_unmapped_in(uid_t uid, const char *overflow, const char *map);

#endif
