/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes a directory look like the kernel's sysfs, for the fault tier. */
#ifndef HF_FAULT_SYSFS_H
#define HF_FAULT_SYSFS_H

/* From now on this process treats the file system at `path` as the kernel's sysfs. */
void sysfs_pretend(const char *path);

#endif
