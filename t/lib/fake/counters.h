/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The file that HF_FAKE_COUNTERS names, as the fake provider keeps it. */
#ifndef T_LIB_FAKE_COUNTERS_H
#define T_LIB_FAKE_COUNTERS_H

#include <stdint.h>

struct fake_counters {
	int64_t devices;  /* alloc_device less uninit_device */
	int64_t contexts; /* alloc_context less free_context */
	int64_t loads;
	int64_t unloads;
	int64_t hold; /* written by a test: alloc_device does not return while it is set */
	int64_t held; /* how many are waiting there */
};

#endif
