/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Class directories and attributes of sysfs-shaped trees. */
#ifndef HF_DISCOVERY_SYSFS_H
#define HF_DISCOVERY_SYSFS_H

#include <stdbool.h>
#include <sys/stat.h>
#include <sys/types.h>

#include "shared/attr.h"
#include "core/base/root.h"

/* The two class directories of a root; -1: missing. */
struct hf_classes {
	const struct hf_root_kind *kind;
	int verbs;
	int ib;
	int error; /* why one is missing */
};

/* A root without the classes is no error: both are then -1. */
int hfi_classes_open(const struct hf_search_root *root,
		     struct hf_classes *ret) HF_MUST_CHECK HF_NONNULL;
void hfi_classes_close(struct hf_classes *classes) HF_NONNULL;

/* True for errors that mean that the file or device does not exist. */
bool hfi_error_is_gone(int err) HF_MUST_CHECK;

/*
 * Like hfi_read_file() with fewer system calls: a text that ends in a newline counts as complete,
 * as every attribute of the kernel does. Stores the open descriptor in *keep unless that is NULL.
 */
ssize_t hfi_attr_read(int dirfd, const char *path, char *value, size_t size,
		      int *keep) HF_MUST_CHECK HF_NONNULL_OF(2, 3);
/* Reads the attribute again, from its start, through the open descriptor. */
ssize_t hfi_attr_again(int fd, char *value, size_t size) HF_MUST_CHECK HF_NONNULL;

/*
 * The same for the name of an RDMA device, which may be any text of up to HF_NAME_SIZE - 1 bytes, even
 * one that is no component of a path. -EINVAL: empty, or with a NUL; -ERANGE: too long.
 */
int hfi_attr_read_name(int dirfd, const char *path, char name[HF_NAME_SIZE],
		       int *keep) HF_MUST_CHECK HF_NONNULL_OF(2, 4);
int hfi_attr_name_again(int fd, char name[HF_NAME_SIZE]) HF_MUST_CHECK;

/*
 * Opens the directory of a device in class/infiniband. -ENOENT also where the name is no component of a
 * path: Linux 6.1 lets users rename a device to "a/b", which no path leads to.
 */
int hfi_open_ib_dir(const struct hf_classes *classes, const char *name) HF_MUST_CHECK HF_NONNULL;

#endif
