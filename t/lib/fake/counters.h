/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The format of the file in HF_FAKE_COUNTERS, in which the fake provider counts. */
#ifndef T_LIB_FAKE_COUNTERS_H
#define T_LIB_FAKE_COUNTERS_H

#include <stdint.h>

struct fake_counters {
	int64_t devices;  /* alloc_device minus uninit_device */
	int64_t contexts; /* alloc_context minus free_context */
	int64_t loads;
	int64_t unloads;
	int64_t hold; /* set by a test: alloc_device waits while it is not 0 */
	int64_t held; /* number of calls that wait */
};

#endif
