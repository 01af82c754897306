/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes JSON: objects, arrays and values, indented or one object per line. */
#include <assert.h>
#include <inttypes.h>
#include <string.h>

#include "shared/json.h"

/* The length of the UTF-8 sequence at `text`, or 0 if it is not valid (RFC 3629, section 4). */
static size_t utf8_length(const unsigned char *text)
{
	unsigned char low = 0x80, high = 0xbf;
	size_t length;

	if (text[0] < 0x80)
		return 1;
	if (text[0] >= 0xc2 && text[0] <= 0xdf)
		length = 2;
	else if ((text[0] & 0xf0) == 0xe0)
		length = 3;
	else if (text[0] >= 0xf0 && text[0] <= 0xf4)
		length = 4;
	else
		return 0;
	if (text[0] == 0xe0)
		low = 0xa0;
	else if (text[0] == 0xed)
		high = 0x9f;
	else if (text[0] == 0xf0)
		low = 0x90;
	else if (text[0] == 0xf4)
		high = 0x8f;
	if (text[1] < low || text[1] > high)
		return 0;
	for (size_t i = 2; i < length; i++)
		if ((text[i] & 0xc0) != 0x80)
			return 0;
	return length;
}

static void put_json_string(FILE *file, const char *value)
{
	const unsigned char *at = (const unsigned char *)value;

	putc('"', file);
	while (*at) {
		size_t length = utf8_length(at);

		if (!length) {
			fputs("\\ufffd", file);
			length = 1;
		} else if (*at == '"' || *at == '\\') {
			fprintf(file, "\\%c", *at);
		} else if (*at < 0x20 || *at == 0x7f) {
			fprintf(file, "\\u%04x", *at);
		} else {
			fwrite(at, 1, length, file);
		}
		at += length;
	}
	putc('"', file);
}

static void put_break(struct hf_json *json, unsigned int depth)
{
	if (json->lines)
		return;
	putc('\n', json->file);
	for (unsigned int i = 0; i < depth; i++)
		fputs("  ", json->file);
}

static void begin_value(struct hf_json *json, const char *key)
{
	if (json->depth) {
		if (json->filled[json->depth - 1])
			putc(',', json->file);
		put_break(json, json->depth);
		json->filled[json->depth - 1] = true;
	}
	if (key) {
		put_json_string(json->file, key);
		fputs(json->lines ? ":" : ": ", json->file);
	}
}

static void end_value(struct hf_json *json)
{
	if (!json->depth)
		putc('\n', json->file);
}

static void open_value(struct hf_json *json, const char *key, char opening, char closing)
{
	begin_value(json, key);
	putc(opening, json->file);
	assert(json->depth < HF_JSON_DEPTH);
	json->closing[json->depth] = closing;
	json->filled[json->depth] = false;
	json->depth++;
}

void hfi_json_begin(struct hf_json *json, FILE *file, bool lines)
{
	memset(json, 0, sizeof(*json));
	json->file = file;
	json->lines = lines;
}

void hfi_json_object(struct hf_json *json, const char *key)
{
	open_value(json, key, '{', '}');
}

void hfi_json_array(struct hf_json *json, const char *key)
{
	open_value(json, key, '[', ']');
}

void hfi_json_close(struct hf_json *json)
{
	assert(json->depth > 0);
	json->depth--;
	if (json->filled[json->depth])
		put_break(json, json->depth);
	putc(json->closing[json->depth], json->file);
	end_value(json);
}

void hfi_json_string(struct hf_json *json, const char *key, const char *value)
{
	begin_value(json, key);
	put_json_string(json->file, value);
	end_value(json);
}

void hfi_json_optional(struct hf_json *json, const char *key, const char *value)
{
	if (*value)
		hfi_json_string(json, key, value);
	else
		hfi_json_null(json, key);
}

void hfi_json_uint(struct hf_json *json, const char *key, uint64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRIu64, value);
	end_value(json);
}

void hfi_json_int(struct hf_json *json, const char *key, int64_t value)
{
	begin_value(json, key);
	fprintf(json->file, "%" PRId64, value);
	end_value(json);
}

void hfi_json_bool(struct hf_json *json, const char *key, bool value)
{
	begin_value(json, key);
	fputs(value ? "true" : "false", json->file);
	end_value(json);
}

void hfi_json_null(struct hf_json *json, const char *key)
{
	begin_value(json, key);
	fputs("null", json->file);
	end_value(json);
}
