/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tables of all functions that the libibverbs.so.1 shim calls in this library. */
#include "shared/attr.h"
#include "core/compat_calls.h"

HF_EXPORT const struct hf_compat_calls hf_compat_calls = {
#define HF_CALL(name) .name = (name),
	HF_CALLS_VERBS(HF_CALL) HF_CALLS_PROVIDER(HF_CALL) HF_CALLS_COMPAT(HF_CALL)
#undef HF_CALL
};

HF_EXPORT const struct hf_compat_later hf_compat_later = {
#define HF_CALL(name) .name = (name),
	HF_CALLS_LATER(HF_CALL)
#undef HF_CALL
};
