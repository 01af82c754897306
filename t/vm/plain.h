/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by test programs that use libibverbs only. */
#ifndef HF_VM_PLAIN_H
#define HF_VM_PLAIN_H

#include <infiniband/verbs.h>

/* Prints the reason from errno, and ends the program. */
void die(const char *what);

/* NULL if the device does not exist or cannot be opened. */
struct ibv_context *open_named(const char *name);

#endif
