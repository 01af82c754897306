/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A service: makes, serves and ends it; its listeners and its user's events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/lib/control_attach.h"
#include "rtrs/lib/server_internal.h"
#include "shared/clock.h"
#include "shared/text.h"

enum {
	EVENTS_AT_ONCE = 64,
	ROUNDS_AT_ONCE = 64,
	DEPTH_DEFAULT = 512,
	HEADER_SIZE = 4096,
	CHUNK_DEFAULT = 131072,
	PATHS_DEFAULT = 1024,
	LISTEN_AGAIN_MS = 2000,
	NS_PER_MS = 1000000,
	/* The most that the kernel's modules can use with keys that are valid once. */
	DEPTH_WITH_KEYS_MAX = 1024,
};

/* --- calls of the driver ------------------------------------------------------------------------- */

static struct service_event *make_service_event(struct rtrs_service *service,
						enum rtrs_service_event_type type,
						const struct service_session *session)
{
	struct service_event *event;

	if (!service->event || !session || session->is_refused)
		return NULL;
	event = rtrsi_spare_take(&service->spare);
	if (!event)
		return NULL;
	*event = (struct service_event){.next = NULL};
	event->event = (struct rtrs_service_event){
		.size = sizeof(event->event),
		.type = type,
		.session = session->number,
		.name = event->name,
		.address = event->address,
	};
	memcpy(event->name, session->name, sizeof(event->name));
	*service->last_event = event;
	service->last_event = &event->next;
	return event;
}

/* One that is refused is closed before it is told where the chunks are. */
static void session_is_up(void *user, struct rtrs_server_session *known)
{
	struct rtrs_service *service = user;
	struct service_session *session = calloc(1, sizeof(*session));

	if (session) {
		session->service = service;
		session->number = ++service->last_session;
		memcpy(session->name, known->name, sizeof(session->name));
		session->is_refused = service->admit &&
				      service->admit(session->name, service->user);
		known->user = session;
	}
	if (!session || session->is_refused)
		rtrsi_server_driver_close_paths(service->driver, known);
	else
		(void)make_service_event(service, RTRS_SERVICE_SESSION_UP, session);
}

static void session_is_down(void *user, struct rtrs_server_session *known)
{
	struct service_session *session = known->user;

	(void)make_service_event(user, RTRS_SERVICE_SESSION_DOWN, session);
	free(session);
}

static void path_is_connected(void *user, const struct rtrs_server_path *path)
{
	struct service_event *event =
		make_service_event(user, RTRS_SERVICE_PATH_UP, path->session->user);

	if (event)
		rtrsi_address_print(&path->addresses.peer, event->address, sizeof(event->address));
}

static void path_is_closed(void *user, const struct rtrs_server_order *order)
{
	struct service_event *event =
		make_service_event(user, RTRS_SERVICE_PATH_DOWN, order->path->session->user);

	if (!event)
		return;
	rtrsi_address_print(&order->path->addresses.peer, event->address, sizeof(event->address));
	event->event.error = order->error;
	event->event.reason = order->fault ? rtrsi_fault_text(order->fault)
					   : strerrordesc_np(-order->error);
}

static void request_runs(void *user, struct rtrs_server_request *request)
{
	struct rtrs_service *service = user;
	int err = rtrsi_service_add_job(service, request);

	if (err)
		rtrsi_server_driver_done(service->driver, request, err);
}

/* The device of a listener is gone. It listens again when that is back. */
static void listener_is_gone(void *user, struct rtrs_listener *base)
{
	struct rtrs_service *service = user;
	struct service_listener *listener = base->user;

	base->link->ops->unlisten(base);
	listener->base = NULL;
	service->deaf++;
}

static const struct rtrs_server_calls service_calls = {
	.up = session_is_up,
	.down = session_is_down,
	.connected = path_is_connected,
	.run = request_runs,
	.closed = path_is_closed,
	.deaf = listener_is_gone,
};

/* --- what the user is told ----------------------------------------------------------------------- */

static void tell_service_event(struct rtrs_service *service)
{
	struct service_event *event = service->events;

	service->events = event->next;
	if (!service->events)
		service->last_event = &service->events;
	pthread_mutex_unlock(&service->lock);
	service->event(service, &event->event, service->user);
	pthread_mutex_lock(&service->lock);
	rtrsi_spare_give(&service->spare, event);
}

static void give_job(struct rtrs_service *service)
{
	struct service_jobs *jobs = &service->jobs;
	struct rtrs_server_request *request = jobs->ring[jobs->first++ & (jobs->size - 1)];

	pthread_mutex_unlock(&service->lock);
	service->job((struct rtrs_job *)(void *)request, service->user);
	pthread_mutex_lock(&service->lock);
}

/* As tell_user() of a session. */
static bool tell_service(struct rtrs_service *service)
{
	if (!service->events && service->jobs.first == service->jobs.end)
		return false;
	rtrsi_links_hold(&service->links);
	for (;;) {
		if (service->events)
			tell_service_event(service);
		else if (service->jobs.first != service->jobs.end)
			give_job(service);
		else
			return rtrsi_links_release(&service->links);
	}
}

/* --- dispatching --------------------------------------------------------------------------------- */

static int take_service_events(struct rtrs_service *service, int64_t now_ns, bool *had_any)
{
	struct rtrs_link_event event;
	int result = 0;

	for (int count = 0; count < EVENTS_AT_ONCE; count++) {
		result = rtrsi_links_next(&service->links, &event);
		if (result <= 0)
			break;
		*had_any = true;
		rtrsi_server_driver_event(service->driver, &event, now_ns);
		if (event.type != RTRS_LINK_SENT && event.type != RTRS_LINK_RECEIVED)
			service->has_new_deadline = true;
	}
	return result;
}

static int begin_to_listen(struct rtrs_service *service, struct service_listener *listener)
{
	struct rtrs_link *link;
	int err = rtrsi_links_get(&service->links, listener->address.link, &service->wait, &link);

	if (err)
		return err;
	return link->ops->listen(link, (const struct sockaddr *)&listener->address.sockaddr,
				 listener, &listener->base);
}

/* What fails now may work later, for example when its device has an address. */
static void listen_again(struct rtrs_service *service, int64_t now_ns)
{
	struct service_listener *at;

	for (at = service->listeners; at && service->deaf; at = at->next) {
		if (!at->base && !begin_to_listen(service, at))
			service->deaf--;
	}
	service->listen_ns = now_ns + (int64_t)LISTEN_AGAIN_MS * NS_PER_MS;
}

static bool is_watching_devices(struct rtrs_service *service)
{
	return service->devices.watch ||
	       !rtrsi_devices_watch(&service->devices, &service->wait, service->deaf);
}

static void look_for_device(struct rtrs_service *service, int64_t now_ns)
{
	int result;

	/* Not every device tells when an address comes, so they are tried again without an event, too. */
	result = is_watching_devices(service) ? rtrsi_devices_next(&service->devices) : 0;
	if (result < 0)
		rtrsi_devices_close(&service->devices);
	if (result || now_ns >= service->listen_ns)
		listen_again(service, now_ns);
	if (!service->deaf)
		rtrsi_devices_close(&service->devices);
}

static int64_t service_deadline_ns(const struct rtrs_service *service)
{
	int64_t deadline_ns = rtrsi_server_driver_deadline_ns(service->driver);

	if (service->deaf && service->listen_ns < deadline_ns)
		deadline_ns = service->listen_ns;
	return deadline_ns;
}

static void take_service_time(struct rtrs_service *service, int64_t now_ns)
{
	if (service->deaf) {
		look_for_device(service, now_ns);
		service->has_new_deadline = true;
	}
	if (now_ns < service->wait.armed_ns)
		return;
	service->has_new_deadline = true;
	rtrsi_server_driver_tick(service->driver, now_ns);
}

HF_EXPORT int rtrs_service_dispatch(struct rtrs_service *service)
{
	bool has_more, had_any = false;
	int result, rounds = 0;

	pthread_mutex_lock(&service->lock);
	rtrsi_wait_clear(&service->wait);
	do {
		int64_t now_ns = hfi_now_ns();

		result = take_service_events(service, now_ns, &had_any);
		take_service_time(service, now_ns);
		if (service->control)
			rtrsi_control_serve(service->control, &service->control_ns, had_any,
					    now_ns);
		has_more = tell_service(service) && !result;
		has_more |= result > 0;
	} while (has_more && ++rounds < ROUNDS_AT_ONCE);
	/*
	 * A peer that sends without pause must not keep the caller here: return, with the
	 * descriptor still readable.
	 */
	if (has_more) {
		rtrsi_wait_wake(&service->wait);
		result = 0;
	}
	if (service->has_new_deadline)
		rtrsi_wait_until(&service->wait, service_deadline_ns(service));
	service->has_new_deadline = false;
	pthread_mutex_unlock(&service->lock);
	return result;
}

static int dispatch_service(void *service)
{
	return rtrs_service_dispatch(service);
}

HF_EXPORT int rtrs_service_run(struct rtrs_service *service)
{
	int err;

	pthread_mutex_lock(&service->lock);
	err = rtrsi_wait_run(&service->wait, dispatch_service, service);
	pthread_mutex_unlock(&service->lock);
	return err;
}

HF_EXPORT int rtrs_service_fd(const struct rtrs_service *service)
{
	return service->wait.epoll;
}

/* --- life ---------------------------------------------------------------------------------------- */

static int start_server(struct rtrs_service *service, const struct rtrs_service_options *options)
{
	uint32_t depth = options->queue_depth ? options->queue_depth : DEPTH_DEFAULT;
	const struct rtrs_server_options of_engine = {
		.accept = {.depth = (uint16_t)depth,
			   .max_io = options->max_io ? options->max_io
						     : CHUNK_DEFAULT - HEADER_SIZE,
			   .max_header = HEADER_SIZE,
			   .new_keys = options->invalidate},
		.paths_max = options->paths_max ? options->paths_max : PATHS_DEFAULT,
	};

	if (options->size != sizeof(*options) || !options->job || depth > RTRS_DEPTH_MAX ||
	    (options->invalidate && depth > DEPTH_WITH_KEYS_MAX))
		return -EINVAL;
	return rtrsi_server_driver_new(&of_engine, &service_calls, service, &service->driver);
}

HF_EXPORT int rtrs_service_open(const struct rtrs_service_options *options,
				struct rtrs_service **ret)
{
	struct rtrs_service *service = calloc(1, sizeof(*service));
	int err;

	if (!service)
		return -ENOMEM;
	err = start_server(service, options);
	if (err)
		goto no_engine;
	service->job = options->job;
	service->event = options->event;
	service->admit = options->admit;
	service->user = options->user;
	service->last_event = &service->events;
	err = -pthread_mutex_init(&service->lock, NULL);
	if (err)
		goto no_lock;
	err = rtrsi_spare_init(&service->spare, sizeof(struct service_event));
	if (err)
		goto no_spare;
	err = rtrsi_wait_init(&service->wait);
	if (err)
		goto no_wait;
	service->control = rtrsi_control_attach(&rtrsi_service_control, service, &service->wait);
	*ret = service;
	return 0;
no_wait:
	rtrsi_spare_free(&service->spare);
no_spare:
	pthread_mutex_destroy(&service->lock);
no_lock:
	rtrsi_server_driver_free(service->driver);
no_engine:
	free(service);
	return err;
}

static void stop_listening(struct rtrs_service *service)
{
	struct service_listener *listener;

	while ((listener = service->listeners)) {
		service->listeners = listener->next;
		if (listener->base)
			listener->base->link->ops->unlisten(listener->base);
		free(listener);
	}
}

HF_EXPORT void rtrs_service_close(struct rtrs_service *service)
{
	if (!service)
		return;
	rtrsi_wait_stop(&service->wait);
	pthread_mutex_lock(&service->lock);
	rtrsi_control_close(service->control);
	service->control = NULL;
	stop_listening(service);
	rtrsi_server_driver_close_paths(service->driver, NULL);
	(void)tell_service(service);
	rtrsi_server_driver_free(service->driver);
	(void)tell_service(service);
	pthread_mutex_unlock(&service->lock);
	rtrsi_links_close(&service->links);
	rtrsi_devices_close(&service->devices);
	free(service->jobs.ring);
	rtrsi_spare_free(&service->spare);
	rtrsi_wait_free(&service->wait);
	pthread_mutex_destroy(&service->lock);
	free(service);
}

static int add_listener(struct rtrs_service *service, const struct rtrs_address *address)
{
	struct service_listener *listener = calloc(1, sizeof(*listener));
	int err;

	if (!listener)
		return -ENOMEM;
	listener->address = *address;
	err = begin_to_listen(service, listener);
	if (!err && rtrsi_link_has_devices(address->link))
		/*
		 * Load the library now, while memory and descriptors are there. Without it
		 * listeners are tried again from time to time.
		 */
		(void)!rtrsi_devices_load(&service->devices);
	if (err) {
		free(listener);
		return err;
	}
	listener->next = service->listeners;
	service->listeners = listener;
	return 0;
}

HF_EXPORT int rtrs_service_listen(struct rtrs_service *service, const char *address)
{
	struct rtrs_address parsed;
	int err = rtrsi_address_parse(address, &parsed);

	if (err)
		return err;
	pthread_mutex_lock(&service->lock);
	err = add_listener(service, &parsed);
	pthread_mutex_unlock(&service->lock);
	return err;
}

static struct rtrs_server_session *session_by_number(struct rtrs_service *service, uint64_t number)
{
	struct rtrs_server_session *known = rtrsi_server_driver_engine(service->driver)->sessions;

	for (; known; known = known->next) {
		const struct service_session *session = known->user;

		if (session && session->number == number)
			break;
	}
	return known;
}

HF_EXPORT int rtrs_service_disconnect(struct rtrs_service *service, uint64_t session)
{
	struct rtrs_server_session *known;

	pthread_mutex_lock(&service->lock);
	known = session_by_number(service, session);
	if (known) {
		rtrsi_server_driver_close_paths(service->driver, known);
		rtrsi_wait_wake(&service->wait);
	}
	pthread_mutex_unlock(&service->lock);
	return known ? 0 : -ENOENT;
}
