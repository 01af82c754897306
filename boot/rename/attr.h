/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Attributes below a held directory. What they hold comes from outside: bounded, and whole or not. */
#ifndef HF_RENAME_ATTR_H
#define HF_RENAME_ATTR_H

#include <dirent.h>

#include "boot/rename/naming.h"

/* More entries than the kernel puts into a directory of sysfs: 65,535 virtual functions and the rest. */
enum { HF_ATTR_ENTRIES = 1 << 17 };

/* A directory, for openat() below it. */
int hf_attr_dir(int dir, const char *path);
/* Reads up to `size` bytes of a plain file; the number of bytes, or -errno. */
ssize_t hf_attr_bytes(int dir, const char *path, void *value, size_t size);
/* A line of text without its newline; -EBADMSG when it is longer, or has a NUL. */
int hf_attr_text(int dir, const char *path, char *value, size_t size);
/* A plain decimal number; without the file ret->there is false, and 0 is returned. */
int hf_attr_number(int dir, const char *path, struct hf_name_number *ret);
/* The last component of where a symbolic link leads. */
int hf_attr_link(int dir, const char *path, char *name, size_t size);

/* Nothing but digits, no leading zero, at most UINT32_MAX. */
int hf_decimal(const char *text, uint32_t *ret);

/*
 * Hands each entry's name to `each` until it returns other than 0, and returns that; 0 at the end.
 * -E2BIG: more entries than can be.
 */
int hf_attr_entries(int dir, int (*each)(void *arg, int dir, const char *name), void *arg);

/* "0000:c1:00.0", whole. */
int hf_pci_parse(const char *text, struct hf_pci_address *ret);
bool hf_pci_same(const struct hf_pci_address *a, const struct hf_pci_address *b);
/* Which function's directory this is: by its own entry in the directory above. -ENOENT: of none. */
int hf_pci_self(int dir, struct hf_pci_address *ret);

/* Reads what a name needs of a PCI function. */
void hf_pci_look(int sysfs, int function, struct hf_name_hardware *hardware);

#endif
