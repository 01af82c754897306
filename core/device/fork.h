/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fork: every context goes into the child in one piece. */
#ifndef HF_DEVICE_FORK_H
#define HF_DEVICE_FORK_H

#include <pthread.h>

#include "shared/attr.h"

struct hf;

/* Between these two, a fork of the process takes the context along in one piece. */
void hfi_process_add(struct hf *hf) HF_NONNULL;
void hfi_process_remove(struct hf *hf) HF_NONNULL;

/* Held while the default context is made; around fork it is taken before every other lock. */
extern pthread_mutex_t hfi_default_lock;

#endif
