/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A client's session: makes, serves and ends it; its user's calls about paths. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rtrs/lib/client_internal.h"
#include "rtrs/lib/control_attach.h"
#include "shared/clock.h"
#include "shared/text.h"

/* Events of the links between two looks at what the user is to be told. */
enum { EVENTS_AT_ONCE = 64, ROUNDS_AT_ONCE = 64, RECONNECT_MS = 30000 };

void rtrsi_session_event(struct rtrs_session *session, enum rtrs_session_event_type type,
			 unsigned int path, int error)
{
	struct session_event *event;

	rtrsi_session_control_event(session, type, path, error);
	if (!session->event)
		return;
	event = rtrsi_spare_take(&session->spare);
	if (!event)
		return;
	*event = (struct session_event){
		.event = {.size = sizeof(event->event), .type = type, .path = path, .error = error},
	};
	*session->last_event = event;
	session->last_event = &event->next;
}

static int client_order(struct rtrs_session *session, const struct rtrs_order *order)
{
	switch (order->type) {
	case RTRS_ORDER_SEND:
		return rtrsi_session_send((struct rtrs_permit *)(void *)order->request,
					  order->path);
	case RTRS_ORDER_DONE:
		rtrsi_session_done(session, (struct rtrs_permit *)(void *)order->request,
				   order->error);
		return 0;
	case RTRS_ORDER_UP:
		rtrsi_session_event(session, RTRS_SESSION_UP, 0, 0);
		return 0;
	case RTRS_ORDER_DOWN:
		rtrsi_session_event(session, RTRS_SESSION_DOWN, 0, 0);
		return 0;
	default:
		session->has_new_deadline = true;
		return rtrsi_session_path_order(session, order);
	}
}

void rtrsi_session_carry_out(struct rtrs_session *session)
{
	struct rtrs_order order;

	while (rtrsi_client_next(&session->engine, &order)) {
		int err = client_order(session, &order);

		if (err)
			rtrsi_client_lost(&session->engine, order.path, err);
	}
}

/* --- what the user is told ----------------------------------------------------------------------- */

/* Without the lock. */
static void tell_event(struct rtrs_session *session)
{
	struct session_event *event = session->events;

	session->events = event->next;
	if (!session->events)
		session->last_event = &session->events;
	pthread_mutex_unlock(&session->lock);
	session->event(session, &event->event, session->user);
	pthread_mutex_lock(&session->lock);
	rtrsi_spare_give(&session->spare, event);
}

static void tell_outcome(struct rtrs_session *session)
{
	struct rtrs_permit *permit = rtrsi_permit_list_take(&session->done);
	struct rtrs_outcome outcome;

	if (!permit->done) {
		rtrsi_permit_list_add(&session->pulled, permit);
		return;
	}
	outcome = rtrsi_session_outcome(session, permit);
	pthread_mutex_unlock(&session->lock);
	outcome.done(outcome.error, outcome.user);
	pthread_mutex_lock(&session->lock);
}

/* What the user posts meanwhile is sent together. Returns whether that has brought events of the links. */
static bool tell_user(struct rtrs_session *session)
{
	if (!session->events && !session->done.first)
		return false;
	rtrsi_links_hold(&session->links);
	while (session->events || session->done.first) {
		if (session->events)
			tell_event(session);
		else
			tell_outcome(session);
	}
	return rtrsi_links_release(&session->links);
}

HF_EXPORT int rtrs_session_completion(struct rtrs_session *session, struct rtrs_completion *ret)
{
	struct rtrs_permit *permit;
	struct rtrs_outcome outcome;

	pthread_mutex_lock(&session->lock);
	permit = rtrsi_permit_list_take(&session->pulled);
	if (permit) {
		outcome = rtrsi_session_outcome(session, permit);
		*ret = (struct rtrs_completion){.error = outcome.error, .user = outcome.user};
	}
	pthread_mutex_unlock(&session->lock);
	return permit ? 1 : 0;
}

/* --- dispatching --------------------------------------------------------------------------------- */

static int take_link_events(struct rtrs_session *session, int64_t now_ns, bool *had_any)
{
	struct rtrs_link_event event;
	int result = 0;

	for (int count = 0; count < EVENTS_AT_ONCE; count++) {
		result = rtrsi_links_next(&session->links, &event);
		if (result <= 0)
			break;
		*had_any = true;
		rtrsi_session_link_event(session, &event, now_ns);
		rtrsi_session_carry_out(session);
	}
	return result;
}

static void take_time(struct rtrs_session *session, int64_t now_ns)
{
	if (now_ns < session->wait.armed_ns)
		return;
	session->has_new_deadline = true;
	rtrsi_client_tick(&session->engine, now_ns);
	rtrsi_session_carry_out(session);
	rtrsi_session_expire(session, now_ns);
}

/* Without a watch what is gone is tried again from time to time. */
static void watch_for_devices(struct rtrs_session *session)
{
	struct rtrs_client *engine = &session->engine;

	if (!rtrsi_devices_watch(&session->devices, &session->wait, engine->waiting))
		return;
	engine->options.device_return = RTRS_DEVICE_TRIED;
	rtrsi_client_device_came(engine, hfi_now_ns());
	session->has_new_deadline = true;
}

static void look_for_devices(struct rtrs_session *session)
{
	int result = rtrsi_devices_next(&session->devices);

	if (!result)
		return;
	if (result < 0) {
		session->engine.options.device_return = RTRS_DEVICE_TRIED;
		rtrsi_devices_close(&session->devices);
	}
	rtrsi_client_device_came(&session->engine, hfi_now_ns());
	rtrsi_client_tick(&session->engine, hfi_now_ns());
	rtrsi_session_carry_out(session);
	session->has_new_deadline = true;
}

static void plan_next_time(struct rtrs_session *session)
{
	int64_t deadline_ns;

	if (!session->has_new_deadline)
		return;
	session->has_new_deadline = false;
	deadline_ns = rtrsi_client_deadline_ns(&session->engine);
	if (session->deadline_ns < deadline_ns)
		deadline_ns = session->deadline_ns;
	rtrsi_wait_until(&session->wait, deadline_ns);
}

HF_EXPORT int rtrs_session_dispatch(struct rtrs_session *session)
{
	bool has_more, had_any = false;
	int result, rounds = 0;

	pthread_mutex_lock(&session->lock);
	rtrsi_wait_clear(&session->wait);
	if (session->devices.watch)
		look_for_devices(session);
	do {
		int64_t now_ns = hfi_now_ns();

		result = take_link_events(session, now_ns, &had_any);
		take_time(session, now_ns);
		if (session->control)
			rtrsi_control_serve(session->control, &session->control_ns, had_any,
					    now_ns);
		has_more = tell_user(session) && !result;
		has_more |= result > 0;
	} while (has_more && ++rounds < ROUNDS_AT_ONCE);
	/*
	 * A peer that sends without pause must not keep the caller here: return, with the
	 * descriptor still readable.
	 */
	if (has_more) {
		rtrsi_wait_wake(&session->wait);
		result = 0;
	}
	if (session->engine.waiting || session->devices.watch)
		watch_for_devices(session);
	plan_next_time(session);
	pthread_mutex_unlock(&session->lock);
	return result;
}

static int dispatch_session(void *session)
{
	return rtrs_session_dispatch(session);
}

HF_EXPORT int rtrs_session_run(struct rtrs_session *session)
{
	int err;

	pthread_mutex_lock(&session->lock);
	err = rtrsi_wait_run(&session->wait, dispatch_session, session);
	pthread_mutex_unlock(&session->lock);
	return err;
}

HF_EXPORT int rtrs_session_fd(const struct rtrs_session *session)
{
	return session->wait.epoll;
}

/* --- life ---------------------------------------------------------------------------------------- */

static int start_engine(struct rtrs_session *session, const struct rtrs_session_options *options)
{
	struct rtrs_client_options of_engine = {
		.name = options->name,
		.reconnect_delay_ms = options->reconnect_delay_ms ? options->reconnect_delay_ms
								  : RECONNECT_MS,
		.jitter_ms = options->reconnect_delay_ms / 4,
		.max_reconnect_attempts =
			options->max_reconnect_attempts ? options->max_reconnect_attempts : -1,
	};

	if (getrandom(of_engine.uuid, sizeof(of_engine.uuid), 0) < 0 ||
	    getrandom(&of_engine.random, sizeof(of_engine.random), 0) < 0)
		return -errno;
	return rtrsi_client_init(&session->engine, &of_engine);
}

static bool are_session_options_valid(const struct rtrs_session_options *options)
{
	return options->size == sizeof(*options) && options->name &&
	       options->connections <= SESSION_CONNECTIONS_MAX &&
	       options->permits <= RTRS_DEPTH_MAX && options->max_reconnect_attempts >= -1;
}

HF_EXPORT int rtrs_session_open(const struct rtrs_session_options *options,
				struct rtrs_session **ret)
{
	struct rtrs_session *session;
	int err;

	if (!are_session_options_valid(options))
		return -EINVAL;
	session = calloc(1, sizeof(*session));
	if (!session)
		return -ENOMEM;
	session->event = options->event;
	session->user = options->user;
	session->connections = (uint16_t)(1 + (options->connections ? options->connections : 1));
	session->permits_wanted = options->permits ? options->permits : SESSION_PERMITS_DEFAULT;
	session->max_io_wanted = options->max_io;
	session->last_event = &session->events;
	session->free.last = &session->free.first;
	session->done.last = &session->done.first;
	session->pulled.last = &session->pulled.first;
	session->deadline_ns = INT64_MAX;
	err = start_engine(session, options);
	if (err)
		goto no_engine;
	err = -pthread_mutex_init(&session->lock, NULL);
	if (err)
		goto no_lock;
	err = rtrsi_spare_init(&session->spare, sizeof(struct session_event));
	if (err)
		goto no_spare;
	err = rtrsi_wait_init(&session->wait);
	if (err)
		goto no_wait;
	session->control = rtrsi_control_attach(&rtrsi_session_control, session, &session->wait);
	*ret = session;
	return 0;
no_wait:
	rtrsi_spare_free(&session->spare);
no_spare:
	pthread_mutex_destroy(&session->lock);
no_lock:
	rtrsi_client_free(&session->engine);
no_engine:
	free(session);
	return err;
}

static void remove_all_paths(struct rtrs_session *session)
{
	for (unsigned int i = 0; i < RTRS_PATHS_MAX; i++) {
		if (session->paths[i])
			rtrsi_client_remove_path(&session->engine, i);
	}
	rtrsi_session_carry_out(session);
}

HF_EXPORT void rtrs_session_close(struct rtrs_session *session)
{
	if (!session)
		return;
	rtrsi_wait_stop(&session->wait);
	pthread_mutex_lock(&session->lock);
	session->is_closing = true;
	rtrsi_control_close(session->control);
	session->control = NULL;
	remove_all_paths(session);
	(void)tell_user(session);
	pthread_mutex_unlock(&session->lock);
	rtrsi_links_close(&session->links);
	rtrsi_devices_close(&session->devices);
	rtrsi_client_free(&session->engine);
	rtrsi_session_free_permits(session);
	rtrsi_spare_free(&session->spare);
	rtrsi_wait_free(&session->wait);
	pthread_mutex_destroy(&session->lock);
	free(session);
}

/* --- paths --------------------------------------------------------------------------------------- */

/* Load the library now, while memory and descriptors are there. */
static void know_devices(struct rtrs_session *session)
{
	if (session->engine.options.device_return != RTRS_DEVICE_ASKED_FOR)
		return;
	session->engine.options.device_return =
		rtrsi_devices_load(&session->devices) ? RTRS_DEVICE_TRIED : RTRS_DEVICE_TOLD;
}

static int make_session_path(struct rtrs_session *session, const char *text,
			     struct session_path **ret)
{
	struct session_path *path = calloc(1, sizeof(*path));
	int err;

	if (!path)
		return -ENOMEM;
	path->session = session;
	path->connections = calloc(session->connections, sizeof(*path->connections));
	err = path->connections ? hfi_copy(path->text, sizeof(path->text), text) : -ENOMEM;
	if (!err)
		err = rtrsi_address_parse_pair(text, &path->address);
	if (!err)
		err = rtrsi_links_get(&session->links, path->address.destination.link,
				      &session->wait, &path->link);
	if (!err) {
		if (rtrsi_link_has_devices(path->address.destination.link))
			know_devices(session);
		*ret = path;
		return 0;
	}
	free(path->connections);
	free(path);
	return err == -ENAMETOOLONG ? -EINVAL : err;
}

int rtrsi_session_add_path(struct rtrs_session *session, const char *address, bool is_from_control)
{
	struct session_path *path;
	uint8_t uuid[RTRS_UUID_SIZE];
	int err, number;

	if (getrandom(uuid, sizeof(uuid), 0) < 0)
		return -errno;
	err = make_session_path(session, address, &path);
	if (err)
		return err;
	number = rtrsi_client_add_path(&session->engine, uuid, session->connections, hfi_now_ns());
	if (number < 0) {
		free(path->connections);
		free(path);
		return number;
	}
	path->number = (unsigned int)number;
	path->is_from_control = is_from_control;
	rtrsi_path_ends(&path->ends, path->address.destination.link, NULL,
			path->address.has_source ? &path->address.source.sockaddr : NULL,
			&path->address.destination.sockaddr, path->number);
	session->paths[number] = path;
	rtrsi_session_carry_out(session);
	rtrsi_wait_wake(&session->wait);
	return number;
}

HF_EXPORT int rtrs_session_add_path(struct rtrs_session *session, const char *address)
{
	int number = -ECONNABORTED;

	pthread_mutex_lock(&session->lock);
	if (!session->is_closing)
		number = rtrsi_session_add_path(session, address, false);
	pthread_mutex_unlock(&session->lock);
	return number;
}

static bool has_path(const struct rtrs_session *session, unsigned int number)
{
	return number < RTRS_PATHS_MAX && session->paths[number];
}

enum path_request { DISCONNECT_PATH, RECONNECT_PATH, REMOVE_PATH };

static int ask_session_path(struct rtrs_session *session, unsigned int number,
			    enum path_request what)
{
	int err = 0;

	pthread_mutex_lock(&session->lock);
	if (!has_path(session, number))
		err = -ENOENT;
	else if (what == DISCONNECT_PATH)
		rtrsi_client_disconnect_path(&session->engine, number);
	else if (what == REMOVE_PATH)
		rtrsi_client_remove_path(&session->engine, number);
	else
		err = rtrsi_client_reconnect_path(&session->engine, number, hfi_now_ns());
	if (!err) {
		session->has_new_deadline = true;
		rtrsi_session_carry_out(session);
		rtrsi_wait_wake(&session->wait);
	}
	pthread_mutex_unlock(&session->lock);
	return err;
}

HF_EXPORT int rtrs_session_disconnect_path(struct rtrs_session *session, unsigned int path)
{
	return ask_session_path(session, path, DISCONNECT_PATH);
}

HF_EXPORT int rtrs_session_reconnect_path(struct rtrs_session *session, unsigned int path)
{
	return ask_session_path(session, path, RECONNECT_PATH);
}

HF_EXPORT int rtrs_session_remove_path(struct rtrs_session *session, unsigned int path)
{
	return ask_session_path(session, path, REMOVE_PATH);
}

HF_EXPORT int rtrs_session_set_policy(struct rtrs_session *session, const char *policy)
{
	enum rtrs_policy parsed;
	int err = rtrsi_policy_parse(policy, &parsed);

	if (err)
		return err;
	pthread_mutex_lock(&session->lock);
	session->engine.policy = parsed;
	pthread_mutex_unlock(&session->lock);
	return 0;
}

HF_EXPORT int rtrs_session_path_info(struct rtrs_session *session, unsigned int path,
				     struct rtrs_path_info *ret)
{
	const struct rtrs_client_path *known;
	int err = -ENOENT;

	if (ret->size != sizeof(*ret))
		return -EINVAL;
	pthread_mutex_lock(&session->lock);
	if (has_path(session, path)) {
		known = &session->engine.paths[path];
		ret->is_connected = known->state == RTRS_CLIENT_CONNECTED;
		ret->inflight = known->inflight;
		ret->failovers = known->failovers;
		ret->reconnects = known->reconnects;
		ret->failures = known->failures;
		ret->latency_ns = known->heartbeat.latency_ns;
		err = hfi_copy(ret->address, sizeof(ret->address), session->paths[path]->text);
	}
	pthread_mutex_unlock(&session->lock);
	return err;
}

HF_EXPORT int rtrs_session_limits(struct rtrs_session *session, struct rtrs_limits *ret)
{
	int err = 0;

	if (ret->size != sizeof(*ret))
		return -EINVAL;
	pthread_mutex_lock(&session->lock);
	if (session->engine.has_connected) {
		ret->permits = session->permit_count;
		ret->max_io = session->max_io;
		ret->max_header = session->max_header;
	} else {
		err = -ENOTCONN;
	}
	pthread_mutex_unlock(&session->lock);
	return err;
}
