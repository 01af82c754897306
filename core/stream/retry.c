/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A wait that grows from 100 ms to 1 s. */
#include "core/stream/retry.h"

enum { RETRY_MAX_MS = 1000 };

#define MS 1000000u /* ns */

void hfi_retry_start(struct hf_retry *retry, uint64_t now)
{
	retry->step = 0;
	retry->at = now + (uint64_t)HF_RETRY_FIRST_MS * MS;
}

void hfi_retry_again(struct hf_retry *retry, uint64_t now)
{
	uint64_t ms = retry->step < 4 ? (uint64_t)HF_RETRY_FIRST_MS << (retry->step + 1)
				      : RETRY_MAX_MS;

	retry->step++;
	retry->at = now + (ms > RETRY_MAX_MS ? RETRY_MAX_MS : ms) * MS;
}

void hfi_retry_stop(struct hf_retry *retry)
{
	retry->step = 0;
	retry->at = 0;
}
