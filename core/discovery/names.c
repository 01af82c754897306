/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists the uverbs names of a root. */
#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/names.h"

static int append_name(struct hf_names *names, const struct dirent *entry)
{
	names->links |= entry->d_type != DT_DIR;
	if (names->count == names->size) {
		size_t size = names->size ? names->size * 2 : 16;
		void *v = realloc(names->v, size * sizeof(*names->v));

		if (!v)
			return -ENOMEM;
		names->v = v;
		names->size = size;
	}
	return hfi_copy(names->v[names->count++], sizeof(*names->v), entry->d_name);
}

int hfi_names_read(int verbs, struct hf_names *ret)
{
	struct dirent *entry;
	int fd = hfi_open_dir_to_read(verbs, ".");
	int err = 0;
	DIR *dir;

	if (fd < 0)
		return fd;
	dir = fdopendir(fd);
	if (!dir) {
		err = -errno;
		hfi_close(&fd);
		return err;
	}
	do {
		errno = 0;
		entry = readdir(dir);
		if (!entry)
			err = -errno;
		else if (hfi_is_uverbs_name(entry->d_name))
			err = append_name(ret, entry);
	} while (entry && !err);
	closedir(dir);
	return err;
}

/* A name with its number, which decides nearly all comparisons. */
struct numbered {
	uint64_t number;
	char *name;
};

static int compare_numbered(const void *a, const void *b)
{
	const struct numbered *one = a, *other = b;
	int order;

	if (one->number != other->number)
		return one->number < other->number ? -1 : 1;
	order = strcmp(one->name, other->name);
	return order ? order : (one->name > other->name) - (one->name < other->name);
}

uint64_t hfi_uverbs_number(const char *uverbs)
{
	uint64_t number = 0;

	for (const char *c = uverbs + strlen("uverbs"); *c >= '0' && *c <= '9'; c++)
		number = number * 10 + (uint64_t)(*c - '0');
	return number;
}

int hfi_names_drop_doubles(struct hf_names *names)
{
	struct numbered *sorted;
	size_t count = 0;

	for (size_t i = 0; i < names->count; i++)
		count += names->v[i][0] != '\0';
	if (count < 2)
		return 0;
	sorted = malloc(count * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	count = 0;
	for (size_t i = 0; i < names->count; i++)
		if (names->v[i][0])
			sorted[count++] =
				(struct numbered){hfi_uverbs_number(names->v[i]), names->v[i]};
	qsort(sorted, count, sizeof(*sorted), compare_numbered);
	/* From the end; equal names keep their order, so that the first one keeps its text. */
	for (size_t i = count - 1; i > 0; i--)
		if (!strcmp(sorted[i].name, sorted[i - 1].name))
			sorted[i].name[0] = '\0';
	free(sorted);
	return 0;
}
