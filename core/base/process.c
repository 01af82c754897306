/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* State of the process: counters, and whether the program uses the libibverbs shim. */
#include <stdatomic.h>

#include "core/base/process.h"

/*
 * Static because the facts are: a generation names an instance to the whole process, fork copies
 * every context at once, and there is one libibverbs.so.1 in a process or none.
 */
static atomic_uint_least64_t generation;
static atomic_uint forks;
static atomic_bool program_uses_shim;

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

bool hfi_program_uses_shim(void)
{
	return atomic_load(&program_uses_shim);
}

void hfi_program_uses_shim_set(bool uses)
{
	atomic_store(&program_uses_shim, uses);
}
