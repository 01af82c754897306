/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is plausible for each system call. */
#ifndef HF_FAULT_CALLS_H
#define HF_FAULT_CALLS_H

#include <stdbool.h>

/* "openat", or NULL when the table has no row for this call. */
const char *call_name(long nr);

/* The errors it may be made to fail with, ended by 0; NULL when it is never failed. */
const int *call_errors(long nr);

bool call_can_fail_with(long nr, int error);

/* From now on nothing that maps memory fails. */
void calls_spare_mappings(void);

#endif
