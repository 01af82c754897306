/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The cache of what foreign libraries match: parses, searches and prints its text. */
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "shared/attr.h"
#include "core/foreign/cache.h"
#include "core/foreign/tables.h"

static const char first_line[] = "holdfast-cache 1 " PACKAGE_VERSION "\n";

struct hf_file_identity hfi_file_identity(const struct stat *st)
{
	return (struct hf_file_identity){
		.dev = st->st_dev,
		.ino = st->st_ino,
		.size = (uint64_t)st->st_size,
		.mtime = st->st_mtim.tv_sec,
		.mtime_ns = st->st_mtim.tv_nsec,
		.ctime = st->st_ctim.tv_sec,
		.ctime_ns = st->st_ctim.tv_nsec,
	};
}

static uint64_t cache_checksum(const char *text, size_t size)
{
	uint64_t sum = 0xcbf29ce484222325u;

	for (size_t i = 0; i < size; i++)
		sum = (sum ^ (unsigned char)text[i]) * 0x100000001b3u;
	return sum;
}

void hfi_cache_clear(struct hf_cache *cache)
{
	for (size_t i = 0; i < cache->count; i++)
		hfi_tables_clear(&cache->v[i].tables);
	free(cache->v);
	cache->v = NULL;
	cache->count = 0;
}

static int append_cached(struct hf_cache *cache, const struct hf_cached *cached)
{
	struct hf_cached *grown;

	if (cache->count == HF_CACHE_ENTRIES_MAX)
		return -E2BIG;
	grown = reallocarray(cache->v, cache->count + 1, sizeof(*grown));
	if (!grown)
		return -ENOMEM;
	cache->v = grown;
	grown[cache->count++] = *cached;
	return 0;
}

int hfi_cache_add(struct hf_cache *cache, const struct hf_file_identity *identity,
		  const struct hf_tables *tables)
{
	struct hf_cached cached = {.identity = *identity, .tables = *tables};
	int err = 0;

	cached.tables.num_rules = 0;
	cached.tables.rules = calloc(tables->num_rules + 1, sizeof(*tables->rules));
	if (!cached.tables.rules)
		return -ENOMEM;
	for (size_t i = 0; i < tables->num_rules && !err; i++) {
		struct hf_rule rule = tables->rules[i];

		if (rule.pattern && !(rule.pattern = strdup(rule.pattern)))
			err = -ENOMEM;
		else
			cached.tables.rules[cached.tables.num_rules++] = rule;
	}
	if (!err)
		err = append_cached(cache, &cached);
	if (err)
		hfi_tables_clear(&cached.tables);
	return err;
}

const struct hf_tables *hfi_cache_find(const struct hf_cache *cache,
				       const struct hf_file_identity *identity)
{
	for (size_t i = 0; i < cache->count; i++)
		if (!memcmp(&cache->v[i].identity, identity, sizeof(*identity)))
			return &cache->v[i].tables;
	return NULL;
}

/* A number with a blank before it. One that is too large becomes the limit, which matches no file. */
static int parse_next(const char **text, uint64_t *ret)
{
	const char *at = *text;
	bool negative = at[0] == ' ' && at[1] == '-';
	uint64_t value = 0;
	size_t digits = 0;

	if (*at++ != ' ')
		return -EINVAL;
	for (at += negative; *at >= '0' && *at <= '9'; at++, digits++) {
		uint64_t digit = (uint64_t)(*at - '0');

		value = value > (UINT64_MAX - digit) / 10 ? UINT64_MAX : value * 10 + digit;
	}
	if (!digits || digits > 20)
		return -EINVAL;
	*text = at;
	*ret = negative ? -value : value;
	return 0;
}

static int parse_identity(const char **text, struct hf_file_identity *id)
{
	static const char word[] = "library";
	const char *at = *text + sizeof(word) - 1;
	uint64_t numbers[7];

	if (strncmp(*text, word, sizeof(word) - 1) != 0)
		return -EINVAL;
	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++)
		if (parse_next(&at, &numbers[i]))
			return -EINVAL;
	if (*at != '\n')
		return -EINVAL;
	*id = (struct hf_file_identity){
		.dev = numbers[0],
		.ino = numbers[1],
		.size = numbers[2],
		.mtime = (int64_t)numbers[3],
		.mtime_ns = (int64_t)numbers[4],
		.ctime = (int64_t)numbers[5],
		.ctime_ns = (int64_t)numbers[6],
	};
	*text = at + 1;
	return 0;
}

int hfi_cache_parse(const char *text, struct hf_cache *ret)
{
	struct hf_cache cache = {0};
	const char *at = text + strlen(first_line);
	uint64_t sum;
	int err = 0, length = 0;

	if (strncmp(text, first_line, strlen(first_line)) != 0)
		return -EINVAL;
	while (!err && strncmp(at, "sum ", 4) != 0) {
		struct hf_cached cached = {0};

		err = parse_identity(&at, &cached.identity);
		if (!err)
			err = hfi_tables_parse(&at, &cached.tables);
		if (!err) {
			err = append_cached(&cache, &cached);
			if (err)
				hfi_tables_clear(&cached.tables);
		}
	}
	if (!err &&
	    (sscanf(at, "sum %16" SCNx64 "%n", &sum, &length) != 1 ||
	     strcmp(at + length, "\n") != 0 || sum != cache_checksum(text, (size_t)(at - text))))
		err = -EINVAL;
	if (err)
		hfi_cache_clear(&cache);
	else
		*ret = cache;
	return err == -E2BIG ? -EINVAL : err;
}

int hfi_cache_print(const struct hf_cache *cache, char **ret, size_t *ret_size)
{
	char *text = NULL;
	size_t size = 0;
	FILE *file = open_memstream(&text, &size);

	if (!file)
		return -ENOMEM;
	fputs(first_line, file);
	for (size_t i = 0; i < cache->count; i++) {
		const struct hf_file_identity *id = &cache->v[i].identity;

		fprintf(file,
			"library %" PRIu64 " %" PRIu64 " %" PRIu64 " %" PRId64 " %" PRId64
			" %" PRId64 " %" PRId64 "\n",
			id->dev, id->ino, id->size, id->mtime, id->mtime_ns, id->ctime,
			id->ctime_ns);
		hfi_tables_print(&cache->v[i].tables, file);
	}
	if (fflush(file) == 0)
		fprintf(file, "sum %" PRIx64 "\n", cache_checksum(text, size));
	if (ferror(file) || fclose(file) != 0) {
		free(text);
		return -ENOMEM;
	}
	*ret = text;
	*ret_size = size;
	return 0;
}
