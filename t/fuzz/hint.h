/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What must be true of a hint, whatever it was made from. */
#ifndef HF_FUZZ_HINT_H
#define HF_FUZZ_HINT_H

#include <errno.h>

#include "shared/text.h"
#include "core/notify/hint.h"
#include "t/fuzz/fuzz.h"

static inline void fuzz_hint_name(const char name[HF_NAME_SIZE])
{
	size_t length = strnlen(name, HF_NAME_SIZE);

	fuzz_check(length < HF_NAME_SIZE);
	/* Hints are compared as bytes. */
	for (size_t i = length; i < HF_NAME_SIZE; i++)
		fuzz_check(!name[i]);
}

static inline void fuzz_hint(int ret, const struct hf_hint *hint)
{
	fuzz_check(ret == 0 || ret == 1 || ret == -EINVAL);
	if (ret != 1) {
		fuzz_check(fuzz_untouched(hint, sizeof(*hint)));
		return;
	}
	fuzz_check(hint->kind > HF_HINT_NONE && hint->kind <= HF_HINT_TIMER);
	fuzz_check(hint->root == (uint32_t)HF_ROOT_KERNEL);
	fuzz_hint_name(hint->name);
	fuzz_hint_name(hint->to);
	if (hint->kind == HF_HINT_DEVICE || hint->kind == HF_HINT_IBDEV)
		fuzz_check(hint->name[0]);
	if (hint->kind == HF_HINT_NETDEV)
		fuzz_check(hint->ifindex);
}

#endif
