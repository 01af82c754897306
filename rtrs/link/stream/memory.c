/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Memory that is granted to peers, and windows on it; and among whom it is shared. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/link/stream/private.h"

int rtrsi_stream_domain_get(struct rtrs_stream *link, const void *user,
			    struct rtrs_stream_domain **ret)
{
	struct rtrs_stream_domain *domain = link->domains;

	while (domain && domain->user != user)
		domain = domain->next;
	if (!domain) {
		domain = calloc(1, sizeof(*domain));
		if (!domain)
			return -ENOMEM;
		domain->link = link;
		domain->user = user;
		domain->next = link->domains;
		link->domains = domain;
	}
	domain->users++;
	*ret = domain;
	return 0;
}

void rtrsi_stream_domain_put(struct rtrs_stream_domain *domain)
{
	struct rtrs_stream_domain **at = &domain->link->domains;

	if (--domain->users)
		return;
	while (*at != domain)
		at = &(*at)->next;
	*at = domain->next;
	rtrsi_stream_keys_free(&domain->keys);
	free(domain);
}

int rtrsi_stream_grant(struct rtrs_connection *base, void *address, size_t length,
		       enum rtrs_access access, struct rtrs_memory **ret)
{
	struct rtrs_stream_domain *domain =
		hf_container_of(base, struct rtrs_stream_connection, base)->domain;
	struct rtrs_stream_memory *memory;
	int err;

	if (!domain)
		return -ENOTCONN;
	/* It would cost each read two frames more. */
	if (access == RTRS_ACCESS_INVALIDATED)
		return -EOPNOTSUPP;
	memory = calloc(1, sizeof(*memory));
	if (!memory)
		return -ENOMEM;
	memory->domain = domain;
	memory->access = access;
	memory->base.address = address;
	memory->base.length = length;
	err = rtrsi_stream_key_add(&domain->keys, STREAM_KEY_LOCAL, address, length,
				   &memory->base.local_key);
	if (err)
		goto no_local;
	if (access == RTRS_ACCESS_WRITE)
		err = rtrsi_stream_key_add(&domain->keys, STREAM_KEY_REMOTE, address, length,
					   &memory->base.remote_key);
	if (err)
		goto no_remote;
	domain->users++;
	*ret = &memory->base;
	return 0;
no_remote:
	rtrsi_stream_key_remove(&domain->keys, memory->base.local_key);
no_local:
	free(memory);
	return err;
}

/* A frame that is on its way there finds the key invalid. */
void rtrsi_stream_withdraw(struct rtrs_memory *base)
{
	struct rtrs_stream_memory *memory = hf_container_of(base, struct rtrs_stream_memory, base);

	if (memory->access == RTRS_ACCESS_WRITE)
		rtrsi_stream_key_remove(&memory->domain->keys, base->remote_key);
	rtrsi_stream_key_remove(&memory->domain->keys, base->local_key);
	rtrsi_stream_domain_put(memory->domain);
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
	window->base.link = &memory->domain->link->base;
	window->memory = memory;
	err = rtrsi_stream_key_add(&memory->domain->keys, STREAM_KEY_WINDOW, NULL, 0,
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
	struct rtrs_stream_keys *keys = &window->memory->domain->keys;
	int err;

	if (length &&
	    !rtrsi_stream_key_check(keys, memory->local_key, false, (uintptr_t)address, length))
		return -EINVAL;
	err = rtrsi_stream_key_prepare(keys);
	if (err)
		return err;
	err = rtrsi_stream_post_nothing(connection, reported, id);
	if (!err)
		to->remote_key = rtrsi_stream_key_bind(keys, to->remote_key, address, length);
	return err;
}

void rtrsi_stream_close_window(struct rtrs_window *base)
{
	struct rtrs_stream_window *window = hf_container_of(base, struct rtrs_stream_window, base);

	rtrsi_stream_key_remove(&window->memory->domain->keys, base->remote_key);
	free(window);
}
