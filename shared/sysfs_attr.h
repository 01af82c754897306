/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attributes below a held directory. What they hold comes from outside: bounded, and whole or not. */
#ifndef HF_SHARED_SYSFS_ATTR_H
#define HF_SHARED_SYSFS_ATTR_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

/* More entries than the kernel puts into a directory of sysfs: 65,535 virtual functions and the rest. */
enum { HF_ATTR_ENTRIES = 1 << 17 };

/* A plain file's text without its last newline. -EBADMSG: it does not fit, or contains a NUL. */
int hfi_attr_text(int dir, const char *path, char *value, size_t size);
/* The last component of where a symbolic link leads. */
int hfi_attr_link(int dir, const char *path, char *name, size_t size);

/* Nothing but digits, no leading zero, at most UINT32_MAX. */
int hfi_decimal(const char *text, uint32_t *ret);

/*
 * Hands each entry's name to `each` until it returns other than 0, and returns that; 0 at the end.
 * -E2BIG: more entries than can be.
 */
int hfi_attr_entries(int dir, int (*each)(void *arg, int dir, const char *name), void *arg);

#endif
