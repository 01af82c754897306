/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Strings and numbers from outside: nothing is accepted in part. */
#ifndef HF_SHARED_TEXT_H
#define HF_SHARED_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* -EINVAL unless `text` is nothing but a number in `base` (0: by prefix) of at most `max`. */
int hfi_parse_number(const char *text, int base, uint64_t max, uint64_t *ret);

/* Copies with the NUL; -ENAMETOOLONG when it does not fit, and then nothing is written. */
int hfi_copy(char *to, size_t size, const char *from);

/* Writes three texts as one; errors as hfi_print(), which takes three times as long. */
int hfi_join(char *to, size_t size, const char *first, const char *second, const char *third);

/* Prints; -ENAMETOOLONG when it does not fit, and then `to` holds the empty string. */
int hfi_print(char *to, size_t size, const char *format, ...) __attribute__((format(printf, 3, 4)));

/*
 * True for a name that can be one component of a path: not empty, no '/', not "." or "..", at most
 * `max` bytes, printable ASCII.
 */
bool hfi_is_name(const char *text, size_t max);

/*
 * A component of a path like hfi_is_name(), but of any bytes: the kernel lets users put blanks, control
 * characters and UTF-8 into the names of devices and interfaces.
 */
bool hfi_is_component(const char *text, size_t max);

/* The part after the last '/' of a path. */
const char *hfi_last_component(const char *path);

/* "uverbsN" with a plain decimal N. */
bool hfi_is_uverbs_name(const char *text);

#endif
