/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* State of the process: counters, and whether the program uses the libibverbs shim. */
#ifndef HF_BASE_PROCESS_H
#define HF_BASE_PROCESS_H

#include <stdbool.h>
#include <stdint.h>

/* The next generation, unique in the process. */
uint64_t hfi_next_generation(void);

/* Grows by one in the child of each fork. */
unsigned int hfi_fork_count(void);
/* Only from the fork handler in the child. */
void hfi_fork_count_up(void);

/* Whether the program uses the libibverbs shim; then it expects libibverbs' messages. */
bool hfi_program_uses_shim(void);
void hfi_program_uses_shim_set(bool uses);

#endif
