/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Time stamps of files and directories, and how far they can be trusted. */
#ifndef HF_SHARED_STAMP_H
#define HF_SHARED_STAMP_H

#include <stdbool.h>
#include <time.h>

bool hfi_stamp_same(const struct timespec *a, const struct timespec *b);

/*
 * Is it sure that a change from now on gives another stamp? Stamps come from a clock that stands
 * still for up to 10 ms, and some file systems count seconds only: a second change within that time
 * leaves no trace.
 */
bool hfi_stamp_is_settled(const struct timespec *stamp);

#endif
