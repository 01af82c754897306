/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a context is made from: the program's options, and the environment. */
#ifndef HF_SETTINGS_H
#define HF_SETTINGS_H

#include <holdfast/context.h>

#include "shared/attr.h"
#include "core/device/hf.h"

/*
 * Each fills its part of a context that nobody else knows yet. A variable whose value makes no sense is
 * ignored, which is said once in a process. The log first: the others speak through it.
 */
void hfi_settings_log(struct hf *hf, const struct hf_options *options) HF_NONNULL;
/* -EINVAL, -ENOMEM. */
int hfi_settings_roots(struct hf *hf, const struct hf_options *options) HF_MUST_CHECK HF_NONNULL;
/* -ENOMEM. */
int hfi_settings_registry(struct hf *hf, const struct hf_options *options) HF_MUST_CHECK HF_NONNULL;
void hfi_settings_revoke(struct hf *hf, const struct hf_options *options) HF_NONNULL;

#endif
