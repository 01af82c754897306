/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parses numbers and names from outside, and copies strings into buffers of fixed size. */
#include <ctype.h>
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/text.h"

/* Most numbers by far: strtoull() takes ten times as long. */
static int parse_decimal(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned int digit = (unsigned int)*text - '0';

		if (digit > 9 || value > (UINT64_MAX - digit) / 10)
			return -EINVAL;
		value = value * 10 + digit;
	}
	if (value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

/* Digits alone. */
static int parse_hexadecimal(const char *text, uint64_t max, uint64_t *ret)
{
	uint64_t value = 0;

	if (!*text)
		return -EINVAL;
	for (; *text; text++) {
		unsigned int digit = (unsigned char)*text, letter = (digit | 0x20) - 'a';

		digit = letter < 6 ? letter + 10 : digit - '0';
		if (digit > 15 || (letter >= 6 && digit > 9) || value >> 60)
			return -EINVAL;
		value = value << 4 | digit;
	}
	if (value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

int hfi_parse_number(const char *text, int base, uint64_t max, uint64_t *ret)
{
	unsigned long long value;
	char *end;
	int saved = errno;
	int parse_error;

	if (base == 10)
		return parse_decimal(text, max, ret);
	if (base == 16 && text[0] && (text[1] | 0x20) != 'x')
		return parse_hexadecimal(text, max, ret);

	/* strtoull takes blanks and a sign; a number from the kernel has neither. */
	if (!isalnum((unsigned char)text[0]))
		return -EINVAL;
	errno = 0;
	value = strtoull(text, &end, base);
	parse_error = errno;
	errno = saved;
	if (parse_error || end == text || *end || value > max)
		return -EINVAL;
	*ret = value;
	return 0;
}

int hfi_copy(char *to, size_t size, const char *from)
{
	size_t length = strnlen(from, size);

	if (length >= size)
		return -ENAMETOOLONG;
	memcpy(to, from, length + 1);
	return 0;
}

/* Joins strings, such as paths: -EINVAL if `format` contains another conversion. */
static int join_strings(char *to, size_t size, const char *format, va_list args)
{
	size_t length = 0;

	while (*format) {
		const char *part = format;
		size_t more = (size_t)(strchrnul(format, '%') - format);

		format += more;
		if (!more) {
			if (format[1] != 's')
				return -EINVAL;
			format += 2;
			part = va_arg(args, const char *);
			more = strlen(part);
		}
		if (more >= size - length)
			return -ENAMETOOLONG;
		memcpy(to + length, part, more);
		length += more;
	}
	to[length] = '\0';
	return (int)length;
}

int hfi_print(char *to, size_t size, const char *format, ...)
{
	va_list args;
	int length;

	/* vsnprintf() of paths was a third of all instructions of a list. */
	va_start(args, format);
	length = size ? join_strings(to, size, format, args) : -EINVAL;
	va_end(args);
	if (length == -EINVAL) {
		va_start(args, format);
		length = vsnprintf(to, size, format, args);
		va_end(args);
	}
	if (length < 0 || (size_t)length >= size) {
		to[0] = '\0';
		return -ENAMETOOLONG;
	}
	return 0;
}

int hfi_join(char *to, size_t size, const char *first, const char *second, const char *third)
{
	const size_t lengths[] = {strlen(first), strlen(second), strlen(third)};

	to[0] = '\0';
	if (lengths[0] + lengths[1] + lengths[2] >= size)
		return -ENAMETOOLONG;
	memcpy(to, first, lengths[0]);
	memcpy(to + lengths[0], second, lengths[1]);
	memcpy(to + lengths[0] + lengths[1], third, lengths[2] + 1);
	return 0;
}

bool hfi_is_name(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	if (length == 0 || length > max || !strcmp(text, ".") || !strcmp(text, ".."))
		return false;
	for (size_t i = 0; i < length; i++)
		if (text[i] == '/' || text[i] <= ' ' || text[i] > '~')
			return false;
	return true;
}

bool hfi_is_component(const char *text, size_t max)
{
	size_t length = strnlen(text, max + 1);

	return length > 0 && length <= max && !memchr(text, '/', length) && strcmp(text, ".") &&
	       strcmp(text, "..");
}

bool hfi_is_uverbs_name(const char *text)
{
	static const char prefix[] = "uverbs";
	const char *digits = text + sizeof(prefix) - 1;

	size_t count = 0;

	if (strncmp(text, prefix, sizeof(prefix) - 1) != 0)
		return false;
	/* By hand: strspn() makes a table first, and a list asks this of each device. */
	while (digits[count] >= '0' && digits[count] <= '9' && count <= 10)
		count++;
	return count > 0 && count <= 10 && !digits[count];
}

const char *hfi_last_component(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}
