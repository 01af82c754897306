/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Time stamps of files and directories, and how far they can be trusted. */
#ifndef HF_SHARED_STAMP_H
#define HF_SHARED_STAMP_H

#include <stdbool.h>
#include <time.h>

bool hfi_stamp_same(const struct timespec *a, const struct timespec *b);

/*
 * True if a change from now on certainly yields another time stamp. Time stamps are from a clock
 * that stands still for up to 10 ms, and some file systems store only seconds: a second change
 * within that time cannot be seen.
 */
bool hfi_stamp_is_settled(const struct timespec *stamp);

#endif
