/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists the numbered entries of a directory. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "shared/sysfs_attr.h"
#include "core/discovery/indexes.h"

struct listing {
	struct hf_indexes *indexes;
	uint32_t max;
};

static int append_index(void *arg, int dir, const char *name)
{
	const struct listing *listing = arg;
	struct hf_indexes *indexes = listing->indexes;
	uint32_t index;

	(void)dir;
	if (hfi_decimal(name, &index) || index > listing->max)
		return 0;
	if (indexes->count == indexes->size) {
		size_t size = indexes->size ? indexes->size * 2 : 64;
		uint32_t *v = reallocarray(indexes->v, size, sizeof(*v));

		if (!v)
			return -ENOMEM;
		indexes->v = v;
		indexes->size = size;
	}
	indexes->v[indexes->count++] = index;
	return 0;
}

static int ascending(const void *a, const void *b)
{
	uint32_t one = *(const uint32_t *)a, other = *(const uint32_t *)b;

	return (one > other) - (one < other);
}

/* readdir() may return a name twice while the directory changes. */
static void drop_repeated(struct hf_indexes *indexes)
{
	size_t kept = 1;

	for (size_t i = 1; i < indexes->count; i++)
		if (indexes->v[i] != indexes->v[kept - 1])
			indexes->v[kept++] = indexes->v[i];
	indexes->count = kept;
}

int hfi_indexes_read(int dir, uint32_t max, struct hf_indexes *ret)
{
	struct listing listing = {ret, max};
	int err;

	memset(ret, 0, sizeof(*ret));
	err = hfi_attr_entries(dir, append_index, &listing);
	if (err || !ret->count)
		return err;
	qsort(ret->v, ret->count, sizeof(*ret->v), ascending);
	drop_repeated(ret);
	return 0;
}

void hfi_indexes_free(struct hf_indexes *indexes)
{
	free(indexes->v);
	memset(indexes, 0, sizeof(*indexes));
}
