/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sizes with units. */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "rtrs/blk/blk.h"
#include "shared/text.h"

static const char units[] = "KMGTPE";

int rtrsi_blk_parse_size(const char *text, uint64_t *ret)
{
	size_t digits = strspn(text, "0123456789");
	unsigned int shift = 0;
	const char *unit;
	char number[24];
	uint64_t value;

	if (!digits || digits >= sizeof(number))
		return -EINVAL;
	memcpy(number, text, digits);
	number[digits] = '\0';
	text += digits;
	if (*text) {
		unit = strchr(units, *text >= 'a' ? *text - 'a' + 'A' : *text);
		if (!unit || (text[1] && strcmp(text + 1, "iB") != 0))
			return -EINVAL;
		shift = 10 * (unsigned int)(unit - units + 1);
	}
	if (hfi_parse_number(number, 10, UINT64_MAX >> shift, &value))
		return -EINVAL;
	*ret = value << shift;
	return 0;
}

void rtrsi_blk_print_size(double bytes, char to[BLK_SIZE_TEXT])
{
	char unit[] = "  iB";
	size_t power = 0;

	while (bytes >= 1024 && power < sizeof(units) - 1) {
		bytes /= 1024;
		power++;
	}
	if (!power) {
		(void)hfi_print(to, BLK_SIZE_TEXT, "%.0f B", bytes);
		return;
	}
	unit[1] = units[power - 1];
	(void)hfi_print(to, BLK_SIZE_TEXT, bytes < 10 ? "%.2f%s" : "%.1f%s", bytes, unit);
}
