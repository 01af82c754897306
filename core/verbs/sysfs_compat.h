/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Helper functions that old programs import; present headers do not declare them. */
#ifndef HF_VERBS_SYSFS_COMPAT_H
#define HF_VERBS_SYSFS_COMPAT_H

#include <stddef.h>

const char *ibv_get_sysfs_path(void);
/* The length without one trailing newline, or -1 with errno. */
int ibv_read_sysfs_file(const char *dir, const char *file, char *buf, size_t size);

#endif
