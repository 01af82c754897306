/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_FAULT_SYSFS_H
#define HF_FAULT_SYSFS_H

/* From now on this process takes the file system at `path` for the kernel's sysfs. */
void sysfs_pretend(const char *path);

#endif
