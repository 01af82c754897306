/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counters of the process: generations of devices, and forks. */
#include <stdatomic.h>

#include "core/base/process.h"

/*
 * Static because the facts are: a generation names an instance to the whole process, and fork copies
 * every context at once.
 */
static atomic_uint_least64_t generation;
static atomic_uint forks;

uint64_t hfi_next_generation(void)
{
	return atomic_fetch_add(&generation, 1) + 1;
}

unsigned int hfi_fork_count(void)
{
	return atomic_load(&forks);
}

void hfi_fork_count_up(void)
{
	atomic_fetch_add(&forks, 1);
}
