/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes JSON. libsmartcols can neither nest objects nor repair text that is not UTF-8. */
#ifndef HF_SHARED_JSON_H
#define HF_SHARED_JSON_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

enum { HF_JSON_DEPTH = 16 };

struct hf_json {
	FILE *file;
	bool lines; /* one value per line, for streams; otherwise indented */
	unsigned int depth;
	char closing[HF_JSON_DEPTH];
	bool filled[HF_JSON_DEPTH];
};

/* `key` is the member's name inside an object, and NULL inside an array and at the top. */
void hfi_json_begin(struct hf_json *json, FILE *file, bool lines);
void hfi_json_object(struct hf_json *json, const char *key);
void hfi_json_array(struct hf_json *json, const char *key);
void hfi_json_close(struct hf_json *json); /* closes the innermost object or array */
void hfi_json_string(struct hf_json *json, const char *key, const char *value);
/* Like hfi_json_string(), but writes null for an empty string. */
void hfi_json_optional(struct hf_json *json, const char *key, const char *value);
void hfi_json_uint(struct hf_json *json, const char *key, uint64_t value);
void hfi_json_int(struct hf_json *json, const char *key, int64_t value);
void hfi_json_bool(struct hf_json *json, const char *key, bool value);
void hfi_json_null(struct hf_json *json, const char *key);

#endif
