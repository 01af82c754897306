/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory that is granted to peers, and windows on it. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/link/stream/private.h"

int rtrsi_stream_grant(struct rtrs_connection *base, void *address, size_t length,
		       enum rtrs_access access, struct rtrs_memory **ret)
{
	struct rtrs_stream *link = hf_container_of(base->link, struct rtrs_stream, base);
	struct rtrs_stream_memory *memory = calloc(1, sizeof(*memory));
	int err;

	if (!memory)
		return -ENOMEM;
	memory->link = link;
	memory->access = access;
	memory->base.address = address;
	memory->base.length = length;
	err = rtrsi_stream_key_add(&link->keys, STREAM_KEY_LOCAL, address, length,
				   &memory->base.local_key);
	if (err)
		goto no_local;
	if (access == RTRS_ACCESS_WRITE)
		err = rtrsi_stream_key_add(&link->keys, STREAM_KEY_REMOTE, address, length,
					   &memory->base.remote_key);
	if (err)
		goto no_remote;
	*ret = &memory->base;
	return 0;
no_remote:
	rtrsi_stream_key_remove(&link->keys, memory->base.local_key);
no_local:
	free(memory);
	return err;
}

/* A frame that is on its way there finds the key invalid. */
void rtrsi_stream_withdraw(struct rtrs_memory *base)
{
	struct rtrs_stream_memory *memory = hf_container_of(base, struct rtrs_stream_memory, base);

	if (memory->access == RTRS_ACCESS_WRITE)
		rtrsi_stream_key_remove(&memory->link->keys, base->remote_key);
	rtrsi_stream_key_remove(&memory->link->keys, base->local_key);
	free(memory);
}

int rtrsi_stream_open_window(struct rtrs_memory *base, struct rtrs_window **ret)
{
	struct rtrs_stream_memory *memory = hf_container_of(base, struct rtrs_stream_memory, base);
	struct rtrs_stream_window *window;
	int err;

	if (memory->access != RTRS_ACCESS_WINDOWS)
		return -EINVAL;
	window = calloc(1, sizeof(*window));
	if (!window)
		return -ENOMEM;
	window->base.link = &memory->link->base;
	window->memory = memory;
	err = rtrsi_stream_key_add(&memory->link->keys, STREAM_KEY_WINDOW, NULL, 0,
				   &window->base.remote_key);
	if (err) {
		free(window);
		return err;
	}
	*ret = &window->base;
	return 0;
}

/*
 * It takes effect at once and not when its turn comes: the peer hears of the new key by what is posted later, and
 * the former one is not used by what was posted before.
 */
int rtrsi_stream_bind(struct rtrs_connection *base, struct rtrs_window *to, void *address,
		      size_t length, bool reported, uint64_t id)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);
	struct rtrs_stream_window *window = hf_container_of(to, struct rtrs_stream_window, base);
	const struct rtrs_memory *memory = &window->memory->base;
	struct rtrs_stream_keys *keys = &window->memory->link->keys;
	int err;

	if (length &&
	    !rtrsi_stream_key_check(keys, memory->local_key, false, (uintptr_t)address, length))
		return -EINVAL;
	err = rtrsi_stream_post_nothing(connection, reported, id);
	if (!err)
		to->remote_key = rtrsi_stream_key_bind(keys, to->remote_key, address, length);
	return err;
}

void rtrsi_stream_close_window(struct rtrs_window *base)
{
	struct rtrs_stream_window *window = hf_container_of(base, struct rtrs_stream_window, base);

	rtrsi_stream_key_remove(&window->memory->link->keys, base->remote_key);
	free(window);
}
