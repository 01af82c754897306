/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fork handlers: the child gets every context in a consistent state. */
#ifndef HF_DEVICE_FORK_H
#define HF_DEVICE_FORK_H

#include <pthread.h>

#include "shared/attr.h"

struct hf;

/* Registers a context for the fork handlers, and removes it. */
void hfi_process_add(struct hf *hf) HF_NONNULL;
void hfi_process_remove(struct hf *hf) HF_NONNULL;

/* Held while the default context is created; fork takes it before every other lock. */
extern pthread_mutex_t hfi_default_lock;

#endif
