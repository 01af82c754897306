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

static int read_verbs_names(int verbs, struct hf_names *names)
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
			err = append_name(names, entry);
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

static int drop_doubles(struct hf_names *names)
{
	struct numbered *sorted;

	if (names->count < 2)
		return 0;
	sorted = malloc(names->count * sizeof(*sorted));
	if (!sorted)
		return -ENOMEM;
	for (size_t i = 0; i < names->count; i++) {
		sorted[i].name = names->v[i];
		sorted[i].number = strtoull(names->v[i] + strlen("uverbs"), NULL, 10);
	}
	qsort(sorted, names->count, sizeof(*sorted), compare_numbered);
	/* From the end; equal names keep their order, so that the first one keeps its text. */
	for (size_t i = names->count - 1; i > 0; i--)
		if (!strcmp(sorted[i].name, sorted[i - 1].name))
			sorted[i].name[0] = '\0';
	free(sorted);
	return 0;
}

int hfi_names_read(int verbs, struct hf_names *ret)
{
	int err = read_verbs_names(verbs, ret);

	return err ? err : drop_doubles(ret);
}
