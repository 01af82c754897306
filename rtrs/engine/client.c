/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Paths of a client's session: connects, loses, closes and reconnects them, and so fails over. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/engine/client_internal.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/request.h"
#include "shared/text.h"

enum { NS_PER_MS = 1000000, SOON_MS = 1000, SOON_ATTEMPTS = 30 };

static void order_path(struct rtrs_client *client, struct rtrs_client_path *path,
		       enum rtrs_order_type type)
{
	if (!path->orders)
		client->path_orders++;
	path->orders |= 1U << type;
}

static void drop_orders(struct rtrs_client *client, struct rtrs_client_path *path)
{
	const uint32_t kept = 1U << RTRS_ORDER_FAILED | 1U << RTRS_ORDER_REMOVED;

	if (path->orders && !(path->orders & kept))
		client->path_orders--;
	path->orders &= kept;
}

int rtrsi_client_init(struct rtrs_client *client, const struct rtrs_client_options *options)
{
	if (!rtrsi_name_is_valid(options->name))
		return -EINVAL;
	memset(client, 0, sizeof(*client));
	client->options = *options;
	client->last = &client->first;
	client->policy = RTRS_MIN_INFLIGHT;
	client->random = options->random | 1;
	client->options.name = client->name;
	for (size_t i = 0; i < RTRS_PATHS_MAX; i++)
		client->paths[i].state = RTRS_CLIENT_DEAD;
	return hfi_copy(client->name, sizeof(client->name), options->name);
}

void rtrsi_client_free(struct rtrs_client *client)
{
	for (size_t i = 0; i < RTRS_PATHS_MAX; i++)
		free(client->paths[i].chunks);
	free(client->requests);
	rtrsi_permits_free(&client->permits);
}

/* xorshift: the jitter only has to differ between clients. */
static uint32_t next_jitter(struct rtrs_client *client)
{
	uint32_t x = client->random;

	x ^= x << 13;
	x ^= x >> 17;
	x ^= x << 5;
	client->random = x;
	return x;
}

static void begin_attempt(struct rtrs_client *client, struct rtrs_client_path *path, int64_t now_ns)
{
	struct rtrs_connect connect = {
		.connections = path->connections,
		.attempt = ++path->count,
		.first = path->was_connected || !client->connected,
	};

	memcpy(connect.path, path->uuid, RTRS_UUID_SIZE);
	memcpy(connect.session, client->options.uuid, RTRS_UUID_SIZE);
	path->attempts++;
	path->is_closed = false;
	path->retries_at_once = false;
	/* This cannot fail: name and number of connections were checked before. */
	if (rtrsi_handshake_begin(&path->handshake, &connect, client->name,
				  (uint16_t)client->permits.depth, now_ns / NS_PER_MS))
		return;
	path->order_connection = 0;
	order_path(client, path, RTRS_ORDER_CONNECT);
}

/* Do not reuse the place of a path for which a permit still rests. */
static int free_path_place(const struct rtrs_client *client)
{
	int second_best = -ENOSPC;

	for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++) {
		if (client->paths[i].exists)
			continue;
		if (!rtrsi_permits_any_left(&client->permits, i))
			return (int)i;
		if (second_best < 0)
			second_best = (int)i;
	}
	return second_best;
}

int rtrsi_client_add_path(struct rtrs_client *client, const uint8_t uuid[RTRS_UUID_SIZE],
			  uint16_t connections, int64_t now_ns)
{
	struct rtrs_client_path *path;
	int place = free_path_place(client);

	if (place < 0)
		return place;
	if (connections < 2 || connections > RTRS_CONNECTIONS_MAX)
		return -EINVAL;
	path = &client->paths[place];
	*path = (struct rtrs_client_path){
		.exists = true,
		.is_wanted = true,
		.state = RTRS_CLIENT_CONNECTING,
		.connections = connections,
	};
	memcpy(path->uuid, uuid, RTRS_UUID_SIZE);
	begin_attempt(client, path, now_ns);
	return place;
}

static void one_less_connected(struct rtrs_client *client)
{
	if (--client->connected)
		return;
	client->session_orders |= 1U << RTRS_ORDER_DOWN;
	client->session_orders &= ~(1U << RTRS_ORDER_UP);
}

/* Moves the path to a state in which its connections are closed. */
static void leave_for(struct rtrs_client *client, struct rtrs_client_path *path,
		      enum rtrs_client_state state)
{
	enum rtrs_client_state before = path->state;

	if (!rtrsi_client_state_change(&path->state, state))
		return;
	if (before == RTRS_CLIENT_CONNECTED)
		one_less_connected(client);
	/* Those of a path that had already failed are being closed. */
	if (path->is_closed ||
	    (before != RTRS_CLIENT_CONNECTED && before != RTRS_CLIENT_CONNECTING))
		return;
	drop_orders(client, path);
	order_path(client, path, RTRS_ORDER_CLOSE);
}

static void wait_for_device(struct rtrs_client *client, struct rtrs_client_path *path, bool waits)
{
	if (path->waits_for_device == waits)
		return;
	path->waits_for_device = waits;
	client->waiting += waits ? 1 : -1U;
}

/*
 * A path that was never connected does not exist for the user yet: adding it fails. One that was
 * connected is tried once more at once, because the return of its device may have been reported
 * before.
 */
static void device_is_gone(struct rtrs_client *client, struct rtrs_client_path *path)
{
	if (path->was_connected && client->options.device_return == RTRS_DEVICE_TRIED)
		return;
	if (path->was_connected && client->options.device_return == RTRS_DEVICE_TOLD &&
	    !path->waits_for_device) {
		wait_for_device(client, path, true);
		path->retries_at_once = true;
	}
	/* Also if a device has come while the path was tried. */
	path->stays_closed = !path->waits_for_device || !path->retries_at_once;
}

static void break_path(struct rtrs_client *client, struct rtrs_client_path *path, int error,
		       enum rtrs_fault fault)
{
	if (path->state != RTRS_CLIENT_CONNECTING && path->state != RTRS_CLIENT_CONNECTED)
		return;
	path->error = error;
	path->fault = fault;
	if (error == -ENODEV)
		device_is_gone(client, path);
	/* Do not retry: the error is permanent. */
	if (client->has_connected && fault == RTRS_FAULT_DEPTH)
		path->stays_closed = true;
	leave_for(client, path,
		  path->state == RTRS_CLIENT_CONNECTED ? RTRS_CLIENT_RECONNECTING
						       : RTRS_CLIENT_CONNECTING_ERR);
}

static void path_connected(struct rtrs_client *client, unsigned int place, int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (!client->has_connected &&
	    rtrsi_client_make_permits(client, path->handshake.geometry.depth)) {
		break_path(client, path, -ENOMEM, RTRS_FAULT_NONE);
		return;
	}
	/* Two paths that began at the same time. */
	if (path->handshake.geometry.depth != client->permits.depth) {
		break_path(client, path, -ECONNRESET, RTRS_FAULT_DEPTH);
		return;
	}
	rtrsi_client_state_change(&path->state, RTRS_CLIENT_CONNECTED);
	if (path->was_connected) {
		rtrsi_permits_reconnected(&client->permits, place);
		path->reconnects++;
	}
	if (!client->connected++ && client->has_connected) {
		client->session_orders |= 1U << RTRS_ORDER_UP;
		client->session_orders &= ~(1U << RTRS_ORDER_DOWN);
	}
	client->has_connected = true;
	path->was_connected = true;
	path->is_wanted = false;
	wait_for_device(client, path, false);
	path->attempts = 0;
	rtrsi_heartbeat_start(&path->heartbeat, now_ns);
	order_path(client, path, RTRS_ORDER_READY);
}

static void take_step(struct rtrs_client *client, unsigned int place, struct rtrs_step step,
		      int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];

	switch (step.type) {
	case RTRS_STEP_WAIT:
		break;
	case RTRS_STEP_CONNECT:
		path->order_connection = step.connection;
		order_path(client, path, RTRS_ORDER_CONNECT);
		break;
	case RTRS_STEP_INFO:
		path->chunks = calloc(path->handshake.geometry.depth, sizeof(*path->chunks));
		if (!path->chunks)
			break_path(client, path, -ENOMEM, RTRS_FAULT_NONE);
		else
			order_path(client, path, RTRS_ORDER_INFO);
		break;
	case RTRS_STEP_READY:
		path_connected(client, place, now_ns);
		break;
	case RTRS_STEP_FAIL:
		break_path(client, path, step.error, step.fault);
		break;
	}
}

void rtrsi_client_accepted(struct rtrs_client *client, unsigned int place, const void *private_data,
			   size_t size, int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (path->state == RTRS_CLIENT_CONNECTING)
		take_step(client, place,
			  rtrsi_handshake_accepted(&path->handshake, private_data, size,
						   now_ns / NS_PER_MS),
			  now_ns);
}

void rtrsi_client_refused(struct rtrs_client *client, unsigned int place, const void *private_data,
			  size_t size, int error)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (path->state == RTRS_CLIENT_CONNECTING)
		take_step(client, place,
			  rtrsi_handshake_refused(&path->handshake, private_data, size, error), 0);
}

void rtrsi_client_info(struct rtrs_client *client, unsigned int place, const void *bytes,
		       size_t size, int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (path->state != RTRS_CLIENT_CONNECTING)
		return;
	if (!path->chunks)
		break_path(client, path, -ECONNRESET, RTRS_FAULT_TYPE);
	else
		take_step(client, place,
			  rtrsi_handshake_answered(&path->handshake, bytes, size, path->chunks),
			  now_ns);
}

static enum rtrs_fault take_io_answer(struct rtrs_client *client, unsigned int place,
				      const struct rtrs_imm *imm, const void *bytes, size_t size)
{
	struct rtrs_client_path *path = &client->paths[place];
	enum rtrs_fault fault;

	if (path->handshake.new_keys) {
		if (!bytes)
			return RTRS_FAULT_SHORT;
		fault = rtrsi_new_key_decode(&path->handshake.geometry, imm->chunk, bytes, size,
					     &path->chunks[imm->chunk].key);
		if (fault)
			return fault;
	}
	rtrsi_client_answer(client, place, imm->chunk, imm->error);
	return RTRS_FAULT_NONE;
}

void rtrsi_client_received(struct rtrs_client *client, unsigned int place, uint32_t bits,
			   const void *bytes, size_t size, int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];
	enum rtrs_fault fault;
	struct rtrs_imm imm;

	if (path->state != RTRS_CLIENT_CONNECTED)
		return;
	rtrsi_heartbeat_heard(&path->heartbeat);
	fault = rtrsi_imm_at_client(&path->handshake.geometry, bits, &imm);
	if (!fault && imm.type == RTRS_IMM_HEARTBEAT)
		order_path(client, path, RTRS_ORDER_ACK);
	else if (!fault && imm.type == RTRS_IMM_HEARTBEAT_ACK)
		rtrsi_heartbeat_acknowledged(&path->heartbeat, now_ns);
	else if (!fault)
		fault = take_io_answer(client, place, &imm, bytes, size);
	if (rtrsi_fault_reaction(fault) == RTRS_REACT_CLOSE)
		break_path(client, path, -ECONNRESET, fault);
}

void rtrsi_client_lost(struct rtrs_client *client, unsigned int place, int error)
{
	break_path(client, &client->paths[place], error, RTRS_FAULT_NONE);
}

static void report_failure(struct rtrs_client *client, struct rtrs_client_path *path, int error)
{
	if (!path->is_wanted)
		return;
	path->is_wanted = false;
	path->error = error;
	order_path(client, path, RTRS_ORDER_FAILED);
}

/* Its connections are gone, and it must not get new ones. */
static void stay_closed(struct rtrs_client *client, struct rtrs_client_path *path)
{
	rtrsi_client_state_change(&path->state, RTRS_CLIENT_CLOSING);
	rtrsi_client_state_change(&path->state, RTRS_CLIENT_CLOSED);
	report_failure(client, path, -ECANCELED);
	if (path->is_removed && rtrsi_client_state_change(&path->state, RTRS_CLIENT_DEAD))
		order_path(client, path, RTRS_ORDER_REMOVED);
}

static void plan_retry(struct rtrs_client *client, struct rtrs_client_path *path, int64_t now_ns)
{
	int64_t delay_ms = client->options.reconnect_delay_ms;

	/* The client's device came; the server's may come later. */
	if (path->waits_for_device && path->attempts <= SOON_ATTEMPTS && delay_ms > SOON_MS)
		delay_ms = SOON_MS;
	if (client->options.jitter_ms)
		delay_ms += next_jitter(client) % (client->options.jitter_ms + 1);
	path->retry_ns = path->retries_at_once ? now_ns : now_ns + delay_ms * NS_PER_MS;
}

void rtrsi_client_closed(struct rtrs_client *client, unsigned int place, int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];
	int max = client->options.max_reconnect_attempts;

	if (path->is_closed || path->state == RTRS_CLIENT_CONNECTED ||
	    path->state == RTRS_CLIENT_CONNECTING)
		return;
	path->is_closed = true;
	free(path->chunks);
	path->chunks = NULL;
	rtrsi_client_fail_over(client, place);
	if (path->state == RTRS_CLIENT_CONNECTING_ERR) {
		path->failures++;
		if (!path->retries_at_once)
			report_failure(client, path, path->error);
		/* A path counts as added once it has connected. */
		if (!path->was_connected && !path->retries_at_once)
			path->stays_closed = true;
	}
	if (path->state == RTRS_CLIENT_CLOSING || path->stays_closed ||
	    (max >= 0 && path->attempts >= (unsigned int)max)) {
		stay_closed(client, path);
		return;
	}
	if (path->state == RTRS_CLIENT_CONNECTING_ERR)
		rtrsi_client_state_change(&path->state, RTRS_CLIENT_RECONNECTING);
	plan_retry(client, path, now_ns);
}

static void close_for_good(struct rtrs_client *client, struct rtrs_client_path *path)
{
	path->stays_closed = true;
	path->retries_at_once = false;
	wait_for_device(client, path, false);
	path->error = -ECANCELED;
	leave_for(client, path, RTRS_CLIENT_CLOSING);
	if (path->is_closed)
		stay_closed(client, path);
}

/* Where it was being connected again by itself the user learns that this has ended. */
void rtrsi_client_disconnect_path(struct rtrs_client *client, unsigned int place)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (path->state == RTRS_CLIENT_RECONNECTING || path->state == RTRS_CLIENT_CONNECTING_ERR)
		path->is_wanted = true;
	close_for_good(client, path);
}

void rtrsi_client_remove_path(struct rtrs_client *client, unsigned int place)
{
	client->paths[place].is_removed = true;
	close_for_good(client, &client->paths[place]);
}

int rtrsi_client_reconnect_path(struct rtrs_client *client, unsigned int place, int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (path->is_removed || path->state == RTRS_CLIENT_CONNECTING ||
	    path->state == RTRS_CLIENT_CLOSING || path->state == RTRS_CLIENT_DEAD)
		return -EBUSY;
	wait_for_device(client, path, false);
	path->is_wanted = true;
	path->stays_closed = false;
	path->retries_at_once = true;
	path->attempts = 0;
	path->retry_ns = now_ns;
	if (path->state == RTRS_CLIENT_CONNECTED)
		leave_for(client, path, RTRS_CLIENT_RECONNECTING);
	else if (path->state == RTRS_CLIENT_CLOSED)
		rtrsi_client_state_change(&path->state, RTRS_CLIENT_RECONNECTING);
	return 0;
}

void rtrsi_client_device_came(struct rtrs_client *client, int64_t now_ns)
{
	for (unsigned int i = 0; i < RTRS_PATHS_MAX && client->waiting; i++) {
		struct rtrs_client_path *path = &client->paths[i];

		if (!path->waits_for_device)
			continue;
		/* An attempt that is running may have begun too early. */
		path->retries_at_once = true;
		path->stays_closed = false;
		path->attempts = 0;
		path->retry_ns = now_ns;
		if (path->state == RTRS_CLIENT_CLOSED)
			rtrsi_client_state_change(&path->state, RTRS_CLIENT_RECONNECTING);
	}
}

static void beat(struct rtrs_client *client, struct rtrs_client_path *path, int64_t now_ns)
{
	switch (rtrsi_heartbeat_tick(&path->heartbeat, now_ns)) {
	case RTRS_HEARTBEAT_SEND:
		order_path(client, path, RTRS_ORDER_HEARTBEAT);
		break;
	case RTRS_HEARTBEAT_DEAD:
		break_path(client, path, -ETIMEDOUT, RTRS_FAULT_NONE);
		break;
	case RTRS_HEARTBEAT_WAIT:
		break;
	}
}

static void tick_path(struct rtrs_client *client, unsigned int place, int64_t now_ns)
{
	struct rtrs_client_path *path = &client->paths[place];

	if (path->state == RTRS_CLIENT_CONNECTED)
		beat(client, path, now_ns);
	else if (path->state == RTRS_CLIENT_CONNECTING)
		take_step(client, place, rtrsi_handshake_tick(&path->handshake, now_ns / NS_PER_MS),
			  now_ns);
	else if (path->state == RTRS_CLIENT_RECONNECTING && path->is_closed &&
		 now_ns >= path->retry_ns &&
		 rtrsi_client_state_change(&path->state, RTRS_CLIENT_CONNECTING))
		begin_attempt(client, path, now_ns);
}

void rtrsi_client_tick(struct rtrs_client *client, int64_t now_ns)
{
	for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++) {
		if (client->paths[i].exists)
			tick_path(client, i, now_ns);
	}
}

static int64_t path_deadline(const struct rtrs_client_path *path)
{
	if (!path->exists)
		return INT64_MAX;
	if (path->state == RTRS_CLIENT_CONNECTED)
		return path->heartbeat.next_ns;
	if (path->state == RTRS_CLIENT_CONNECTING)
		return path->handshake.deadline_ms * NS_PER_MS;
	if (path->state == RTRS_CLIENT_RECONNECTING && path->is_closed)
		return path->retry_ns;
	return INT64_MAX;
}

int64_t rtrsi_client_deadline_ns(const struct rtrs_client *client)
{
	int64_t deadline = INT64_MAX;

	for (size_t i = 0; i < RTRS_PATHS_MAX; i++) {
		int64_t of_path = path_deadline(&client->paths[i]);

		if (of_path < deadline)
			deadline = of_path;
	}
	return deadline;
}

static enum rtrs_order_type lowest_order(uint32_t *orders)
{
	enum rtrs_order_type type = __builtin_ctz(*orders);

	*orders &= *orders - 1;
	return type;
}

static bool session_order(struct rtrs_client *client, struct rtrs_order *ret)
{
	if (!client->session_orders)
		return false;
	*ret = (struct rtrs_order){.type = lowest_order(&client->session_orders)};
	return true;
}

bool rtrsi_client_path_order(struct rtrs_client *client, struct rtrs_order *ret)
{
	struct rtrs_client_path *path = client->paths;

	if (!client->path_orders)
		return session_order(client, ret);
	while (!path->orders)
		path++;
	*ret = (struct rtrs_order){
		.type = lowest_order(&path->orders),
		.path = (unsigned int)(path - client->paths),
		.connection = path->order_connection,
		.error = path->error,
		.fault = path->fault,
	};
	if (!path->orders)
		client->path_orders--;
	if (ret->type == RTRS_ORDER_REMOVED)
		*path = (struct rtrs_client_path){.state = RTRS_CLIENT_DEAD};
	return true;
}
