/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What rdma-ndd writes: the input is a template, a host name and a device's name, each ended by a NUL. */
#include "boot/ndd/text.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "ndd";

enum { STRINGS = 3 };

static int is_continuation_byte(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* Nothing that would break a line of a tool, and never more than the attribute takes. */
static void check_text(const char *text, size_t length)
{
	fuzz_check(length <= NDD_SIZE && strlen(text) == length);
	for (size_t i = 0; i < length; i++)
		fuzz_check((unsigned char)text[i] >= 0x20 && text[i] != 0x7f);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const char *at = (const char *)data;
	char *strings[STRINGS];
	char text[NDD_SIZE + 1], other[NDD_SIZE + 1];
	size_t length;

	for (int i = 0; i < STRINGS; i++) {
		size_t part = strnlen(at, size);

		strings[i] = strndup(at, part);
		if (!strings[i])
			abort();
		if (part < size)
			part++;
		at += part;
		size -= part;
	}
	fuzz_fill(text, sizeof(text));
	length = ndd_text(strings[0], strings[1], strings[2], text);
	check_text(text, length);
	/* The host's name is asked for by those templates only that say so. */
	if (!ndd_text_names_host(strings[0])) {
		fuzz_check(ndd_text(strings[0], "another", strings[2], other) == length);
		fuzz_check(!memcmp(text, other, length));
	}
	/* A character that is whole in the name alone is whole in what was cut. */
	length = ndd_text("%d", "", strings[2], text);
	if (length < NDD_SIZE && strlen(strings[2]) > length)
		fuzz_check(!is_continuation_byte(strings[2][length]) &&
			   is_continuation_byte(strings[2][NDD_SIZE]));
	for (int i = 0; i < STRINGS; i++)
		free(strings[i]);
	return 0;
}
