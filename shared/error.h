/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which errors mean that a resource of the process or the system is exhausted. */
#ifndef HF_SHARED_ERROR_H
#define HF_SHARED_ERROR_H

#include <stdbool.h>

/*
 * The errors (-errno) that say something of this process or machine and nothing of what was looked
 * at: no descriptors, no memory.
 */
bool hfi_error_is_shortage(int err);

#endif
