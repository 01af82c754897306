/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Keys of memory: each domain has a table, so that a key is valid in its own domain only. */
#include <errno.h>
#include <stdlib.h>
#include <sys/random.h>

#include "rtrs/link/stream/private.h"

/* A key is a place in the table and a tag: the place's next key has another tag, and no tag tells of another. */
enum { TAG_BITS = 18, TAG_COUNT = 1 << TAG_BITS, PLACES_MAX = 1 << (32 - TAG_BITS) };

static const uint32_t no_place = UINT32_MAX;

int rtrsi_stream_key_prepare(struct rtrs_stream_keys *keys)
{
	ssize_t size;

	if (keys->random_left)
		return 0;
	do
		size = getrandom(keys->random, sizeof(keys->random), 0);
	while (size < 0 && errno == EINTR);
	if (size < 0)
		return -errno;
	keys->random_left = (uint32_t)((size_t)size / sizeof(keys->random[0]));
	return keys->random_left ? 0 : -EIO;
}

/* Not the former tag, and not 0. */
static uint32_t next_key(struct rtrs_stream_keys *keys, uint32_t place)
{
	uint32_t former = keys->table[place].key % TAG_COUNT;
	uint32_t tag = 1 + keys->random[--keys->random_left] % (TAG_COUNT - 2);

	if (tag >= former && former)
		tag++;
	return place << TAG_BITS | tag;
}

static int grow_table(struct rtrs_stream_keys *keys)
{
	uint32_t count = keys->count ? keys->count * 2 : 64;
	struct rtrs_stream_key *table;

	if (count > PLACES_MAX)
		return -ENOMEM;
	table = reallocarray(keys->table, count, sizeof(*table));
	if (!table)
		return -ENOMEM;
	for (uint32_t i = keys->count; i < count; i++)
		table[i] = (struct rtrs_stream_key){.next_free = i + 1 < count ? i + 1 : no_place};
	keys->first_free = keys->count;
	keys->table = table;
	keys->count = count;
	return 0;
}

int rtrsi_stream_key_add(struct rtrs_stream_keys *keys, enum rtrs_stream_key_type type,
			 void *address, size_t length, uint32_t *ret)
{
	struct rtrs_stream_key *key;
	uint32_t place;
	int err = rtrsi_stream_key_prepare(keys);

	if (err)
		return err;
	if (!keys->count || keys->first_free == no_place) {
		err = grow_table(keys);
		if (err)
			return err;
	}
	place = keys->first_free;
	key = &keys->table[place];
	keys->first_free = key->next_free;
	*key = (struct rtrs_stream_key){.address = address,
					.length = length,
					.key = next_key(keys, place),
					.type = type,
					.is_valid = type != STREAM_KEY_WINDOW};
	*ret = key->key;
	return 0;
}

void rtrsi_stream_key_remove(struct rtrs_stream_keys *keys, uint32_t number)
{
	uint32_t place = number >> TAG_BITS;
	struct rtrs_stream_key *key = &keys->table[place];

	key->is_valid = false;
	key->next_free = keys->first_free;
	keys->first_free = place;
}

uint32_t rtrsi_stream_key_bind(struct rtrs_stream_keys *keys, uint32_t number, void *address,
			       size_t length)
{
	uint32_t place = number >> TAG_BITS;
	struct rtrs_stream_key *key = &keys->table[place];

	key->key = next_key(keys, place);
	key->address = address;
	key->length = length;
	key->is_valid = length > 0;
	return key->key;
}

static struct rtrs_stream_key *find_key(const struct rtrs_stream_keys *keys, uint32_t number,
					bool is_remote)
{
	uint32_t place = number >> TAG_BITS;
	struct rtrs_stream_key *key;

	if (place >= keys->count)
		return NULL;
	key = &keys->table[place];
	if (!key->is_valid || key->key != number || (key->type != STREAM_KEY_LOCAL) != is_remote)
		return NULL;
	return key;
}

char *rtrsi_stream_key_check(const struct rtrs_stream_keys *keys, uint32_t number, bool is_remote,
			     uint64_t address, uint64_t length)
{
	const struct rtrs_stream_key *key = find_key(keys, number, is_remote);
	uint64_t offset;

	if (!key)
		return NULL;
	offset = address - (uintptr_t)key->address;
	if (offset > key->length || length > key->length - offset)
		return NULL;
	return key->address + offset;
}

int rtrsi_stream_key_invalidate(struct rtrs_stream_keys *keys, uint32_t number)
{
	struct rtrs_stream_key *key = find_key(keys, number, true);

	if (!key || key->type != STREAM_KEY_WINDOW)
		return -EACCES;
	key->is_valid = false;
	return 0;
}

void rtrsi_stream_keys_free(struct rtrs_stream_keys *keys)
{
	free(keys->table);
}
