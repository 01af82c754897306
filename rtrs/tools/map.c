/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens devices of servers, keeps them while they are used, and closes them. */
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/blocks/volume.h"
#include "rtrs/tools/map.h"
#include "shared/text.h"
#include "shared/thread.h"

enum { RECONNECT_MS = 1000 };

struct rtrs_mapped {
	struct rtrs_mapped *next;
	struct rtrs_map_words words;
	struct rtrs_volume *volume; /* NULL: it is closed, or not yet open */
	unsigned int users;	    /* who may call the volume now */
	unsigned int references;    /* of the list, and of whoever has got it */
	unsigned int open_files;
	bool is_leaving;
	pthread_mutex_t edges; /* blocks that are written in part are read first */
};

/* Taken after a volume's own lock, never before it. */
static pthread_mutex_t map_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t map_changed = PTHREAD_COND_INITIALIZER;
static struct rtrs_mapped *all_mapped;

/* --- the list. With the lock. */

static void drop_reference(struct rtrs_mapped *mapped)
{
	if (--mapped->references)
		return;
	pthread_mutex_destroy(&mapped->edges);
	free(mapped);
}

static void take_from_list(struct rtrs_mapped *mapped)
{
	struct rtrs_mapped **at = &all_mapped;

	while (*at != mapped)
		at = &(*at)->next;
	*at = mapped->next;
	drop_reference(mapped);
	pthread_cond_broadcast(&map_changed);
}

static void end_use(struct rtrs_mapped *mapped)
{
	pthread_mutex_lock(&map_lock);
	if (!--mapped->users && mapped->is_leaving)
		pthread_cond_broadcast(&map_changed);
	pthread_mutex_unlock(&map_lock);
}

/* --- mapping ------------------------------------------------------------------------------------- */

static void *close_mapped(void *arg)
{
	struct rtrs_mapped *mapped = arg;
	struct rtrs_volume *volume;

	pthread_mutex_lock(&map_lock);
	/* Its socket is there a moment before. */
	while (!mapped->volume)
		pthread_cond_wait(&map_changed, &map_lock);
	volume = mapped->volume;
	pthread_mutex_unlock(&map_lock);
	/* Requests that wait for a server end. */
	rtrsi_volume_give_up(volume);
	pthread_mutex_lock(&map_lock);
	while (mapped->users)
		pthread_cond_wait(&map_changed, &map_lock);
	mapped->volume = NULL;
	pthread_mutex_unlock(&map_lock);
	rtrsi_volume_close(volume);
	pthread_mutex_lock(&map_lock);
	take_from_list(mapped);
	pthread_mutex_unlock(&map_lock);
	return NULL;
}

/* Called by the volume, which another thread has to close. */
static int unmap_for_user(void *user, bool is_forced)
{
	struct rtrs_mapped *mapped = user;
	pthread_t thread;
	int err = 0;

	pthread_mutex_lock(&map_lock);
	if (mapped->is_leaving)
		err = -EALREADY;
	else if (!is_forced && mapped->open_files)
		err = -EBUSY;
	if (!err) {
		err = hfi_thread_start(&thread, close_mapped, mapped);
		mapped->is_leaving = !err;
	}
	if (!err)
		pthread_detach(thread);
	pthread_mutex_unlock(&map_lock);
	return err;
}

static int open_mapped(struct rtrs_mapped *mapped, struct rtrs_volume *beside)
{
	const struct rtrs_map_words *words = &mapped->words;
	const struct rtrs_volume_options options = {
		.session = words->session,
		.path = words->device,
		.access = words->access,
		.addresses = words->paths,
		.address_count = words->path_count,
		.reconnect_delay_ms = RECONNECT_MS,
		.beside = beside,
		.unmap = unmap_for_user,
		.poll_queues = words->poll_queues,
		.user = mapped,
	};
	struct rtrs_volume *volume;
	int err = rtrsi_volume_open(&options, &volume);

	pthread_mutex_lock(&map_lock);
	if (!err)
		mapped->volume = volume;
	else
		take_from_list(mapped);
	pthread_cond_broadcast(&map_changed);
	pthread_mutex_unlock(&map_lock);
	return err;
}

static bool is_known_elsewhere(const struct rtrs_map_words *words,
			       bool (*is_known)(const char *name))
{
	char name[2 * RTRS_MAP_NAME_MAX + 2];

	if (hfi_join(name, sizeof(name), words->device, "@", words->session))
		return false;
	for (char *at = name; (at = strchr(at, '/'));)
		*at = '!';
	return is_known(name);
}

/* With the lock. One of that session; rather one that is open than one that is not yet, or no longer. */
static struct rtrs_mapped *mapped_on_session(const char *session)
{
	struct rtrs_mapped *found = NULL;

	for (struct rtrs_mapped *one = all_mapped; one; one = one->next) {
		if (strcmp(one->words.session, session) != 0)
			continue;
		found = one;
		if (one->volume && !one->is_leaving)
			break;
	}
	return found;
}

/* With the lock. */
static bool is_device_mapped(const struct rtrs_map_words *words)
{
	const struct rtrs_mapped *one = all_mapped;

	while (one && (one->is_leaving || strcmp(one->words.session, words->session) != 0 ||
		       strcmp(one->words.device, words->device) != 0))
		one = one->next;
	return one;
}

/* A session that is polled has one device, as the kernel's. */
static int check_sharing(const struct rtrs_map_words *words, const struct rtrs_mapped *beside)
{
	if (!beside)
		return words->path_count ? 0 : -ENXIO;
	return words->poll_queues || beside->words.poll_queues ? -EINVAL : 0;
}

/*
 * Nobody finds it while it is being opened, but the next one who wants the same, or the same session. `beside` is
 * used if there is one: its session is the new one's as well.
 */
static int put_into_list(struct rtrs_mapped *mapped, struct rtrs_mapped **beside)
{
	struct rtrs_mapped *other;
	int err;

	pthread_mutex_lock(&map_lock);
	for (;;) {
		err = is_device_mapped(&mapped->words) ? -EEXIST : 0;
		other = mapped_on_session(mapped->words.session);
		if (err || !other || (other->volume && !other->is_leaving))
			break;
		pthread_cond_wait(&map_changed, &map_lock);
	}
	if (!err)
		err = check_sharing(&mapped->words, other);
	if (!err) {
		mapped->next = all_mapped;
		all_mapped = mapped;
	}
	if (!err && other)
		other->users++;
	pthread_mutex_unlock(&map_lock);
	*beside = other;
	return err;
}

static int map_words(struct rtrs_mapped *mapped)
{
	struct rtrs_mapped *beside;
	int err = put_into_list(mapped, &beside);

	if (err) {
		drop_reference(mapped);
		return err;
	}
	err = open_mapped(mapped, beside ? beside->volume : NULL);
	if (beside)
		end_use(beside);
	return err;
}

int rtrsi_map(const char *value, size_t length, bool (*is_known)(const char *name))
{
	struct rtrs_mapped *mapped = calloc(1, sizeof(*mapped));
	int err;

	if (!mapped)
		return -ENOMEM;
	pthread_mutex_init(&mapped->edges, NULL);
	mapped->references = 1;
	err = rtrsi_map_parse(value, length, &mapped->words);
	if (!err && is_known_elsewhere(&mapped->words, is_known))
		err = -EEXIST;
	if (!err)
		return map_words(mapped);
	drop_reference(mapped);
	return err;
}

static bool is_any_leaving(void)
{
	for (const struct rtrs_mapped *one = all_mapped; one; one = one->next) {
		if (one->is_leaving)
			return true;
	}
	return false;
}

void rtrsi_map_wait_for_unmapped(void)
{
	pthread_mutex_lock(&map_lock);
	while (is_any_leaving())
		pthread_cond_wait(&map_changed, &map_lock);
	pthread_mutex_unlock(&map_lock);
}

void rtrsi_map_end(void)
{
	struct rtrs_mapped *one;

	do {
		pthread_mutex_lock(&map_lock);
		one = all_mapped;
		while (one && one->is_leaving)
			one = one->next;
		pthread_mutex_unlock(&map_lock);
	} while (one && !unmap_for_user(one, true));
	rtrsi_map_wait_for_unmapped();
}

/* --- use ----------------------------------------------------------------------------------------- */

int rtrsi_mapped_get(const char *socket, struct rtrs_mapped **ret)
{
	struct rtrs_mapped *one;

	pthread_mutex_lock(&map_lock);
	one = all_mapped;
	while (one && (!one->volume || one->is_leaving ||
		       strcmp(rtrsi_volume_control_name(one->volume), socket) != 0))
		one = one->next;
	if (one)
		one->references++;
	pthread_mutex_unlock(&map_lock);
	*ret = one;
	return one ? 0 : -ENODEV;
}

bool rtrsi_is_mapped(const char *socket, bool *is_read_only)
{
	struct rtrs_mapped *mapped;

	if (rtrsi_mapped_get(socket, &mapped))
		return false;
	*is_read_only = rtrsi_mapped_is_read_only(mapped);
	rtrsi_mapped_put(mapped);
	return true;
}

void rtrsi_mapped_put(struct rtrs_mapped *mapped)
{
	pthread_mutex_lock(&map_lock);
	drop_reference(mapped);
	pthread_mutex_unlock(&map_lock);
}

void rtrsi_mapped_opened(struct rtrs_mapped *mapped, bool is_open)
{
	pthread_mutex_lock(&map_lock);
	mapped->open_files += is_open ? 1 : -1U;
	pthread_mutex_unlock(&map_lock);
}

bool rtrsi_mapped_is_read_only(const struct rtrs_mapped *mapped)
{
	return mapped->words.access == RNBD_READ_ONLY;
}

static struct rtrs_volume *begin_use(struct rtrs_mapped *mapped)
{
	struct rtrs_volume *volume;

	pthread_mutex_lock(&map_lock);
	volume = mapped->is_leaving ? NULL : mapped->volume;
	mapped->users += volume ? 1 : 0;
	pthread_mutex_unlock(&map_lock);
	return volume;
}

int64_t rtrsi_mapped_size(struct rtrs_mapped *mapped)
{
	struct rtrs_volume *volume = begin_use(mapped);
	struct rtrs_volume_info info;

	if (!volume)
		return -ENODEV;
	rtrsi_volume_info(volume, &info);
	end_use(mapped);
	return (int64_t)info.size;
}

static int do_on_volume(struct rtrs_volume *volume, enum rtrs_rnbd_op op, uint64_t offset,
			uint32_t length, void *data)
{
	const struct rtrs_volume_request request = {
		.op = op, .offset = offset, .length = length, .data = data};

	return rtrsi_volume_do(volume, &request);
}

/* What was asked for, and the whole blocks that it is in. */
struct mapped_range {
	uint64_t offset, first;
	uint32_t size, length;
};

/* False: it begins behind the end. */
static bool set_mapped_range(const struct rtrs_volume_info *info, uint64_t offset, size_t size,
			     struct mapped_range *ret)
{
	const uint32_t block = info->device.logical_block_size;
	uint64_t end;

	if (offset >= info->size)
		return false;
	end = size < info->size - offset ? offset + size : info->size;
	ret->offset = offset;
	ret->size = (uint32_t)(end - offset);
	ret->first = offset - offset % block;
	end = (end + block - 1) / block * block;
	ret->length = (uint32_t)(end - ret->first);
	return true;
}

static int read_range(struct rtrs_volume *volume, const struct mapped_range *range, void *to)
{
	char *blocks;
	int err;

	if (range->length == range->size)
		return do_on_volume(volume, RNBD_OP_READ, range->offset, range->size, to);
	blocks = malloc(range->length);
	if (!blocks)
		return -ENOMEM;
	err = do_on_volume(volume, RNBD_OP_READ, range->first, range->length, blocks);
	if (!err)
		memcpy(to, blocks + (range->offset - range->first), range->size);
	free(blocks);
	return err;
}

static int write_range(struct rtrs_volume *volume, const struct mapped_range *range,
		       const void *from)
{
	char *blocks;
	int err;

	if (range->length == range->size)
		return do_on_volume(volume, RNBD_OP_WRITE, range->offset, range->size,
				    (void *)from);
	blocks = malloc(range->length);
	if (!blocks)
		return -ENOMEM;
	err = do_on_volume(volume, RNBD_OP_READ, range->first, range->length, blocks);
	if (!err) {
		memcpy(blocks + (range->offset - range->first), from, range->size);
		err = do_on_volume(volume, RNBD_OP_WRITE, range->first, range->length, blocks);
	}
	free(blocks);
	return err;
}

int rtrsi_mapped_read(struct rtrs_mapped *mapped, void *to, size_t size, uint64_t offset)
{
	struct rtrs_volume *volume = begin_use(mapped);
	struct rtrs_volume_info info;
	struct mapped_range range;
	int result = 0;

	if (!volume)
		return -ENODEV;
	rtrsi_volume_info(volume, &info);
	if (size && set_mapped_range(&info, offset, size, &range))
		result = read_range(volume, &range, to) ?: (int)range.size;
	end_use(mapped);
	return result;
}

int rtrsi_mapped_write(struct rtrs_mapped *mapped, const void *from, size_t size, uint64_t offset)
{
	struct rtrs_volume *volume = begin_use(mapped);
	struct rtrs_volume_info info;
	struct mapped_range range;
	int result = -ENOSPC;

	if (!volume)
		return -ENODEV;
	rtrsi_volume_info(volume, &info);
	if (set_mapped_range(&info, offset, size, &range) && range.size == size) {
		pthread_mutex_lock(&mapped->edges);
		result = write_range(volume, &range, from) ?: (int)size;
		pthread_mutex_unlock(&mapped->edges);
	}
	end_use(mapped);
	return result;
}

int rtrsi_mapped_flush(struct rtrs_mapped *mapped)
{
	struct rtrs_volume *volume = begin_use(mapped);
	int err;

	if (!volume)
		return -ENODEV;
	err = do_on_volume(volume, RNBD_OP_FLUSH, 0, 0, NULL);
	end_use(mapped);
	return err;
}

int rtrsi_mapped_punch(struct rtrs_mapped *mapped, uint64_t offset, uint64_t length)
{
	struct rtrs_volume *volume = begin_use(mapped);
	struct rtrs_volume_info info;
	int err = 0;

	if (!volume)
		return -ENODEV;
	rtrsi_volume_info(volume, &info);
	if (offset % info.device.logical_block_size || length % info.device.logical_block_size ||
	    offset > info.size || length > info.size - offset)
		err = -EINVAL;
	while (!err && length) {
		const uint32_t most = 1U << 30;
		uint32_t part = length < most ? (uint32_t)length : most;

		err = do_on_volume(volume, RNBD_OP_WRITE_ZEROES, offset, part, NULL);
		offset += part;
		length -= part;
	}
	end_use(mapped);
	return err;
}
