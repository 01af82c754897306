/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Compares time stamps of files, and tells whether one can still repeat. */
#include <stdint.h>

#include "shared/stamp.h"

bool hfi_stamp_same(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec == b->tv_sec && a->tv_nsec == b->tv_nsec;
}

bool hfi_stamp_is_settled(const struct timespec *stamp)
{
	enum { TICKS_NS = 30000000, NS = 1000000000 };
	struct timespec now;
	int64_t age;

	clock_gettime(CLOCK_REALTIME, &now); /* wall clock: as in stamps of files */
	age = ((int64_t)now.tv_sec - stamp->tv_sec) * NS + now.tv_nsec - stamp->tv_nsec;
	/* Without a fraction it may be a file system that has none. */
	return age > (stamp->tv_nsec ? TICKS_NS : 2 * (int64_t)NS + TICKS_NS);
}
