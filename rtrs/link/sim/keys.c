/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Keys of memory, each good for the connections of one link and domain. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/link/sim/private.h"

enum { TAG_BITS = 12, TAG_COUNT = 1 << TAG_BITS };

static struct sim_key *free_key(struct rtrs_sim *sim)
{
	struct sim_key *keys;

	for (uint32_t i = 0; i < sim->key_count; i++) {
		if (!sim->keys[i].is_used)
			return &sim->keys[i];
	}
	keys = reallocarray(sim->keys, sim->key_count + 1, sizeof(*keys));
	if (!keys)
		return NULL;
	sim->keys = keys;
	keys[sim->key_count] = (struct sim_key){.number = sim->key_count << TAG_BITS};
	return &keys[sim->key_count++];
}

uint32_t rtrsi_sim_next_key(struct rtrs_sim *sim, uint32_t former)
{
	uint32_t tag = (former + 1 + rtrsi_sim_random(sim, TAG_COUNT - 1)) % TAG_COUNT;

	return former / TAG_COUNT * TAG_COUNT + tag;
}

static int add_key(struct sim_memory *memory, enum sim_key_type type, uint32_t *ret)
{
	struct rtrs_sim *sim = memory->link->sim;
	struct sim_key *key = free_key(sim);

	if (!key)
		return -ENOMEM;
	*key = (struct sim_key){.address = memory->base.address,
				.length = memory->base.length,
				.link = memory->link,
				.domain = memory->domain,
				.number = rtrsi_sim_next_key(sim, key->number),
				.type = type,
				.is_used = true,
				.is_valid = type != SIM_KEY_WINDOW};
	*ret = key->number;
	return 0;
}

static void remove_key(struct rtrs_sim *sim, uint32_t number)
{
	struct sim_key *key = &sim->keys[number / TAG_COUNT];

	key->is_used = key->is_valid = false;
}

static struct sim_key *known_key(const struct sim_connection *connection, uint32_t number)
{
	const struct rtrs_sim *sim = connection->sim;
	struct sim_key *key;

	if (number / TAG_COUNT >= sim->key_count)
		return NULL;
	key = &sim->keys[number / TAG_COUNT];
	return key->is_valid && key->number == number &&
			       key->link == rtrsi_sim_link_of(connection) &&
			       key->domain == connection->domain
		       ? key
		       : NULL;
}

char *rtrsi_sim_check_key(const struct sim_connection *connection, uint32_t number, bool is_remote,
			  uint64_t address, uint64_t length)
{
	const struct sim_key *key = known_key(connection, number);
	uint64_t offset;

	if (!key || (key->type != SIM_KEY_LOCAL) != is_remote)
		return NULL;
	offset = address - (uintptr_t)key->address;
	if (offset > key->length || length > key->length - offset)
		return NULL;
	return key->address + offset;
}

void rtrsi_sim_bind_key(struct rtrs_sim *sim, uint32_t number, char *address, size_t length)
{
	struct sim_key *key = &sim->keys[number / TAG_COUNT];

	key->number = number;
	key->address = address;
	key->length = length;
	key->is_valid = length > 0;
}

bool rtrsi_sim_invalidate_key(const struct sim_connection *connection, uint32_t number)
{
	struct sim_key *key = known_key(connection, number);

	if (!key || key->type != SIM_KEY_WINDOW)
		return false;
	key->is_valid = false;
	return true;
}

int rtrsi_sim_grant(struct rtrs_connection *base, void *address, size_t length,
		    enum rtrs_access access, struct rtrs_memory **ret)
{
	const struct sim_connection *connection = rtrsi_sim_of(base);
	struct sim_memory *memory = calloc(1, sizeof(*memory));
	int err;

	if (!memory)
		return -ENOMEM;
	memory->base = (struct rtrs_memory){.address = address, .length = length};
	memory->link = rtrsi_sim_link_of(connection);
	memory->domain = connection->domain;
	memory->access = access;
	err = add_key(memory, SIM_KEY_LOCAL, &memory->base.local_key);
	if (!err && access == RTRS_ACCESS_WRITE)
		err = add_key(memory, SIM_KEY_REMOTE, &memory->base.remote_key);
	if (err) {
		free(memory);
		return err;
	}
	connection->sim->objects++;
	*ret = &memory->base;
	return 0;
}

void rtrsi_sim_withdraw(struct rtrs_memory *base)
{
	struct sim_memory *memory = hf_container_of(base, struct sim_memory, base);

	remove_key(memory->link->sim, base->local_key);
	if (memory->access == RTRS_ACCESS_WRITE)
		remove_key(memory->link->sim, base->remote_key);
	memory->link->sim->objects--;
	free(memory);
}

int rtrsi_sim_open_window(struct rtrs_memory *base, struct rtrs_window **ret)
{
	struct sim_memory *memory = hf_container_of(base, struct sim_memory, base);
	struct sim_window *window;
	int err;

	if (memory->access != RTRS_ACCESS_WINDOWS && memory->access != RTRS_ACCESS_INVALIDATED)
		return -EINVAL;
	window = calloc(1, sizeof(*window));
	if (!window)
		return -ENOMEM;
	window->base.link = &memory->link->base;
	window->memory = memory;
	err = add_key(memory, SIM_KEY_WINDOW, &window->base.remote_key);
	if (err) {
		free(window);
		return err;
	}
	memory->link->sim->objects++;
	*ret = &window->base;
	return 0;
}

void rtrsi_sim_close_window(struct rtrs_window *base)
{
	struct sim_window *window = hf_container_of(base, struct sim_window, base);

	remove_key(window->memory->link->sim, base->remote_key);
	window->memory->link->sim->objects--;
	free(window);
}
