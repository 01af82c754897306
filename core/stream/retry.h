/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A wait that grows from 100 ms to 1 s. */
#ifndef HF_STREAM_RETRY_H
#define HF_STREAM_RETRY_H

#include <stdint.h>

#include "shared/attr.h"

enum { HF_RETRY_FIRST_MS = 100 };

struct hf_retry {
	uint64_t at; /* ns of the monotonic clock; 0: not waiting */
	unsigned int step;
};

void hfi_retry_start(struct hf_retry *retry, uint64_t now) HF_NONNULL;
/* Waits once more, twice as long as before. */
void hfi_retry_again(struct hf_retry *retry, uint64_t now) HF_NONNULL;
void hfi_retry_stop(struct hf_retry *retry) HF_NONNULL;

#endif
