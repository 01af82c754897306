/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reasons why a device or provider cannot be used. */
#ifndef HF_BASE_REASON_H
#define HF_BASE_REASON_H

#include <holdfast/reason.h>

#include "shared/attr.h"

/* Fills *reason; texts that are too long are cut. `wanted` and `found` may be NULL. */
void hfi_reason_set(struct hf_reason *reason, enum hf_reason_code code, const char *wanted,
		    const char *found, const char *format, ...)
	__attribute__((format(printf, 5, 6)));

/* The errno value that opening answers for a code. */
int hfi_reason_error(enum hf_reason_code code) HF_MUST_CHECK;

#endif
