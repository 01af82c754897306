/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The errors that are plausible for each system call. */
#ifndef HF_FAULT_CALLS_H
#define HF_FAULT_CALLS_H

#include <stdbool.h>

/* "openat", or NULL if the table has no row for this call. */
const char *call_name(long nr);

/* The errors it may be made to return, ended by 0; NULL if it is never made to fail. */
const int *call_errors(long nr);

bool call_can_fail_with(long nr, int error);

/* From now on no call that maps memory is made to fail. */
void calls_spare_mappings(void);

#endif
