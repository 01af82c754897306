/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is counted per process: instances of devices, and forks. */
#ifndef HF_BASE_PROCESS_H
#define HF_BASE_PROCESS_H

#include <stdint.h>

/* The next generation, unique in the process. */
uint64_t hfi_next_generation(void);

/* Grows by one in the child of each fork. */
unsigned int hfi_fork_count(void);
/* Only from the fork handler in the child. */
void hfi_fork_count_up(void);

#endif
