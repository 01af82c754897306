/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Uevents as libudev hands them on. The first byte of the input says which strings are there; they
 * follow, each ended by a NUL: action, subsystem, devpath, old devpath, sysname.
 */
#include "core/notify/hint.h"
#include "t/fuzz/fuzz.h"
#include "t/fuzz/hint.h"

const char fuzz_name[] = "uevent";

enum { STRINGS = 5 };

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *strings[STRINGS] = {NULL};
	char *copies[STRINGS] = {NULL};
	struct hf_hint hint;
	const char *at;
	uint8_t mask;
	int ret;

	if (!size)
		return 0;
	mask = data[0];
	at = (const char *)data + 1;
	size--;
	for (int i = 0; i < STRINGS; i++) {
		size_t length = strnlen(at, size);

		copies[i] = strndup(at, length);
		if (!copies[i])
			abort();
		strings[i] = mask & 1u << i ? copies[i] : NULL;
		if (length < size)
			length++;
		at += length;
		size -= length;
	}
	fuzz_fill(&hint, sizeof(hint));
	ret = hfi_uevent_classify(strings[0], strings[1], strings[2], strings[3], strings[4],
				  &hint);
	fuzz_hint(ret, &hint);
	for (int i = 0; i < STRINGS; i++)
		free(copies[i]);
	return 0;
}
