/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text from outside, printed so that it does nothing to a terminal. */
#include <string.h>
#include <wchar.h>
#include <wctype.h>

#include "shared/printed.h"

/* The length of the next character, if it can be printed as it is; 0: it cannot. */
static size_t printable_length(const char *text, mbstate_t *state)
{
	wchar_t wide;
	size_t used = mbrtowc(&wide, text, strlen(text), state);

	/* A backslash that looks like what hfi_put_safe() prints for a byte is replaced, too. */
	if (used != (size_t)-1 && used != (size_t)-2 && used && iswprint((wint_t)wide) &&
	    strncmp(text, "\\x", 2) != 0)
		return used;
	memset(state, 0, sizeof(*state));
	return 0;
}

bool hfi_is_printed_whole(const char *text)
{
	mbstate_t state = {0};
	size_t used = 1;

	for (; *text && used; text += used)
		used = printable_length(text, &state);
	return used;
}

void hfi_put_safe(FILE *file, const char *text)
{
	mbstate_t state = {0};

	while (*text) {
		size_t used = printable_length(text, &state);

		if (used) {
			fwrite(text, 1, used, file);
			text += used;
		} else {
			fprintf(file, "\\x%02x", (unsigned char)*text++);
		}
	}
}
