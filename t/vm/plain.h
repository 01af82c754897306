/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* For programs of libibverbs and nothing else. */
#ifndef HF_VM_PLAIN_H
#define HF_VM_PLAIN_H

#include <infiniband/verbs.h>

/* Says why, by errno, and ends the program. */
void die(const char *what);

/* NULL where there is no such device, or it cannot be opened. */
struct ibv_context *open_named(const char *name);

#endif
