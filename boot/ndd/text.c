/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes a node description from a template. */
#include <string.h>

#include "boot/ndd/text.h"

/* One byte longer than a description, to see whether cutting it would split a character. */
struct text {
	char v[NDD_SIZE + 1];
	size_t length;
};

static void append_printable(struct text *text, const char *bytes, size_t length)
{
	for (size_t i = 0; i < length && text->length < sizeof(text->v); i++) {
		unsigned char byte = (unsigned char)bytes[i];

		text->v[text->length++] = byte < 0x20 || byte == 0x7f ? '_' : (char)byte;
	}
}

static void add_host(struct text *text, const char *host)
{
	size_t length = strcspn(host, ".");

	append_printable(text, host, length ? length : strlen(host));
}

static bool is_continuation(char byte)
{
	return ((unsigned char)byte & 0xc0) == 0x80;
}

/* The length to cut at. A UTF-8 character has at most three continuation bytes; cut invalid text anywhere. */
static size_t cut_at_character(const struct text *text)
{
	size_t length = NDD_SIZE;

	if (text->length <= NDD_SIZE)
		return text->length;
	while (length > NDD_SIZE - 3 && is_continuation(text->v[length]))
		length--;
	return is_continuation(text->v[length]) ? NDD_SIZE : length;
}

size_t ndd_text(const char *template, const char *host, const char *device, char ret[NDD_SIZE + 1])
{
	struct text text = {.length = 0};
	size_t length;

	for (const char *at = template; *at && text.length < sizeof(text.v); at++) {
		char kind = at[0] == '%' ? at[1] : '\0';

		if (kind == 'h')
			add_host(&text, host);
		else if (kind == 'H')
			append_printable(&text, host, strlen(host));
		else if (kind == 'd')
			append_printable(&text, device, strlen(device));
		else
			append_printable(&text, at, 1);
		at += kind == 'h' || kind == 'H' || kind == 'd' || kind == '%';
	}
	length = cut_at_character(&text);
	memcpy(ret, text.v, length);
	ret[length] = '\0';
	return length;
}

bool ndd_text_names_host(const char *template)
{
	for (const char *at = strchr(template, '%'); at; at = strchr(at, '%')) {
		if (at[1] == 'h' || at[1] == 'H')
			return true;
		at += at[1] ? 2 : 1;
	}
	return false;
}
