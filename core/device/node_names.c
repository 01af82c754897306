/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Which nodes are there: the names of their directory, read once for all devices of a scan. */
#include <dirent.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "shared/file.h"
#include "shared/text.h"
#include "core/device/node_names.h"

enum { NUMBERS = 1 << 14, WORD_BITS = 64 };

/* A bit for each number. */
struct hf_node_names {
	uint64_t there[NUMBERS / WORD_BITS];
};

/* The number of "uverbs7"; -1 for a name that is written otherwise, or has a greater one. */
static int node_number_of(const char *name)
{
	static const char prefix[] = "uverbs";
	const char *digit = name + sizeof(prefix) - 1;
	int number = 0;

	if (strncmp(name, prefix, sizeof(prefix) - 1) != 0 || !*digit)
		return -1;
	if (*digit == '0' && digit[1])
		return -1;
	for (; *digit; digit++) {
		if (*digit < '0' || *digit > '9')
			return -1;
		number = number * 10 + (*digit - '0');
		if (number >= NUMBERS)
			return -1;
	}
	return number;
}

/* What a link leads to may be missing, and a directory is no node. */
static bool type_of_node(const struct dirent *entry)
{
	return entry->d_type == DT_CHR || entry->d_type == DT_REG;
}

struct hf_node_names *hfi_node_names_read(int dir)
{
	struct hf_node_names *names = calloc(1, sizeof(*names));
	int fd = names ? hfi_open_dir_to_read(dir, ".") : -1;
	DIR *stream = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!stream) {
		hfi_close(&fd);
		free(names);
		return NULL;
	}
	while ((entry = readdir(stream))) {
		int number = type_of_node(entry) ? node_number_of(entry->d_name) : -1;

		if (number >= 0)
			names->there[number / WORD_BITS] |= UINT64_C(1) << (number % WORD_BITS);
	}
	closedir(stream);
	return names;
}

void hfi_node_names_free(struct hf_node_names *names)
{
	free(names);
}

bool hfi_node_names_have(const struct hf_node_names *names, const char *uverbs)
{
	int number = names ? node_number_of(uverbs) : -1;

	return number >= 0 &&
	       names->there[number / WORD_BITS] & (UINT64_C(1) << (number % WORD_BITS));
}
