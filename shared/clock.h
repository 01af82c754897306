/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The clock for time limits within this process: monotonic, so that setting the date changes nothing. */
#ifndef HF_SHARED_CLOCK_H
#define HF_SHARED_CLOCK_H

#include <stdint.h>
#include <time.h>

static inline int64_t hfi_now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static inline int64_t hfi_now_ms(void)
{
	return hfi_now_ns() / 1000000;
}

/* So long from now, as pthread_cond_clockwait() and the like take it. */
static inline struct timespec hfi_clock_after_ms(int64_t ms)
{
	const int64_t until = hfi_now_ns() + ms * 1000000;

	return (struct timespec){.tv_sec = until / 1000000000, .tv_nsec = until % 1000000000};
}

#endif
