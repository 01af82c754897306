/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The link itself: where it waits, and whose event is next. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <utlist.h>

#include "rtrs/link/stream/private.h"
#include "rtrs/link/stream/stream.h"

/* How many events one connection gives while others wait, and all before the sockets are looked at. */
enum { TURN_EVENTS = 32, CALLS_BETWEEN_WAITS = 256, SOCKETS_AT_ONCE = 32 };

/* So few in one round mean that nobody is in a hurry: the caller waits for more, which costs one call, not two. */
enum { FEW_EVENTS = 4 };

/* What is done without events in one round of the caller's, and how many bytes count as one step of it. */
enum { WORK_OF_ROUND = 1024, BYTES_OF_STEP = 16384 };

static int stream_link_fd(const struct rtrs_link *base)
{
	return hf_container_of(base, struct rtrs_stream, base)->epoll;
}

static void close_stream_link(struct rtrs_link *base)
{
	struct rtrs_stream *link = hf_container_of(base, struct rtrs_stream, base);

	while (link->listeners)
		rtrsi_stream_unlisten(&link->listeners->base);
	while (link->connections)
		rtrsi_stream_free(&link->connections->base);
	close(link->wake);
	close(link->epoll);
	free(link);
}

/* For events that do not come from a socket. */
static void wake_up_link(struct rtrs_stream *link)
{
	const uint64_t one = 1;

	if (!link->is_woken)
		link->is_woken = write(link->wake, &one, sizeof(one)) == sizeof(one);
}

void rtrsi_stream_wake(struct rtrs_stream *link)
{
	if (!link->is_awake)
		wake_up_link(link);
}

static void stay_asleep(struct rtrs_stream *link)
{
	uint64_t count;

	/* The descriptor stays readable, so that the rest is done by the next call. */
	if (link->has_strangers_left || link->first_ready) {
		wake_up_link(link);
		return;
	}
	if (link->is_woken && read(link->wake, &count, sizeof(count)) == sizeof(count))
		link->is_woken = false;
}

bool rtrsi_stream_may_go_on(struct rtrs_stream *link, size_t bytes)
{
	unsigned int steps = 1 + (unsigned int)(bytes / BYTES_OF_STEP);

	link->work = link->work > steps ? link->work - steps : 0;
	return link->work;
}

void rtrsi_stream_ready(struct rtrs_stream_connection *connection)
{
	struct rtrs_stream *link = rtrsi_stream_of(connection);

	rtrsi_stream_wake(link);
	if (connection->is_ready)
		return;
	connection->is_ready = true;
	DL_APPEND2(link->first_ready, connection, prev_ready, next_ready);
}

static void not_ready(struct rtrs_stream *link, struct rtrs_stream_connection *connection)
{
	if (!connection->is_ready)
		return;
	DL_DELETE2(link->first_ready, connection, prev_ready, next_ready);
	connection->is_ready = false;
	link->turn = 0;
}

void rtrsi_stream_forget(struct rtrs_stream_connection *connection)
{
	struct rtrs_stream *link = rtrsi_stream_of(connection);
	struct rtrs_stream_connection **at = &link->first_flush;

	not_ready(link, connection);
	if (!connection->is_to_flush)
		return;
	while (*at != connection)
		at = &(*at)->next_flush;
	*at = connection->next_flush;
}

static void flush_all(struct rtrs_stream *link)
{
	struct rtrs_stream_connection *connection;

	while ((connection = link->first_flush)) {
		link->first_flush = connection->next_flush;
		connection->is_to_flush = false;
		rtrsi_stream_flush(connection);
	}
}

static void socket_event(void *source, uint32_t events)
{
	struct rtrs_stream_listener *listener;
	struct rtrs_stream_connection *connection;

	switch (*(enum rtrs_stream_source *)source) {
	case STREAM_WAKE:
		break;
	case STREAM_LISTENER:
		listener = hf_container_of(source, struct rtrs_stream_listener, source);
		listener->is_readable = true;
		break;
	case STREAM_CONNECTION:
		connection = hf_container_of(source, struct rtrs_stream_connection, source);
		if (events & (EPOLLIN | EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			connection->is_readable = true;
		if (events & (EPOLLRDHUP | EPOLLHUP | EPOLLERR))
			connection->is_ended = true;
		if (events & (EPOLLOUT | EPOLLHUP | EPOLLERR))
			connection->is_writable = true;
		rtrsi_stream_ready(connection);
		break;
	}
}

/* Nothing of a batch may be freed before all of it is looked at: strangers come and go after that. */
static int look_at_sockets(struct rtrs_stream *link)
{
	struct epoll_event ready[SOCKETS_AT_ONCE];
	int count = epoll_wait(link->epoll, ready, SOCKETS_AT_ONCE, 0);

	link->calls = 0;
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	for (int i = 0; i < count; i++)
		socket_event(ready[i].data.ptr, ready[i].events);
	rtrsi_stream_listen_again(link);
	return count;
}

static void turn_is_over(struct rtrs_stream *link, struct rtrs_stream_connection *connection)
{
	not_ready(link, connection);
	rtrsi_stream_ready(connection);
}

static int next_of_ready(struct rtrs_stream *link, struct rtrs_link_event *ret)
{
	struct rtrs_stream_connection *connection;

	while (link->work && (connection = link->first_ready)) {
		/* Out of the list first: it may be freed. Whatever makes it ready again is seen by its next turn. */
		if (link->turn >= TURN_EVENTS) {
			turn_is_over(link, connection);
			continue;
		}
		if (rtrsi_stream_connection_event(connection, ret)) {
			link->turn++;
			return 1;
		}
		if (!rtrsi_stream_may_go_on(link, 0) && link->first_ready == connection)
			turn_is_over(link, connection);
		else if (link->first_ready == connection)
			not_ready(link, connection);
	}
	return 0;
}

static int next_stream_event(struct rtrs_link *base, struct rtrs_link_event *ret)
{
	struct rtrs_stream *link = hf_container_of(base, struct rtrs_stream, base);
	int count;

	/* Those with work left do not keep others from being seen. */
	if (!link->work)
		link->calls = CALLS_BETWEEN_WAITS;
	if (!link->is_awake) {
		link->work = WORK_OF_ROUND;
		link->given = 0;
		link->has_looked = false;
	}
	link->is_awake = true;
	if (link->calls++ >= CALLS_BETWEEN_WAITS) {
		count = look_at_sockets(link);
		if (count < 0)
			return count;
	}
	for (;;) {
		if (next_of_ready(link, ret)) {
			link->given++;
			return 1;
		}
		flush_all(link);
		if (!link->work)
			break;
		if (link->first_ready)
			continue;
		if (link->has_looked && link->given && link->given < FEW_EVENTS)
			break;
		link->has_looked = true;
		count = look_at_sockets(link);
		if (count < 0)
			return count;
		if (!count || !link->first_ready)
			break;
	}
	stay_asleep(link);
	link->is_awake = false;
	return 0;
}

static void hold_stream(struct rtrs_link *base)
{
	struct rtrs_stream *link = hf_container_of(base, struct rtrs_stream, base);

	link->is_awake = link->is_held = true;
	link->holder = pthread_self();
}

static bool release_stream(struct rtrs_link *base)
{
	struct rtrs_stream *link = hf_container_of(base, struct rtrs_stream, base);

	link->is_held = false;
	flush_all(link);
	/* What was sent is reported next, for which the sockets need not be looked at. */
	link->is_awake = link->first_ready;
	link->has_looked = true;
	return link->is_awake;
}

static const struct rtrs_link_ops stream_ops = {
	.close = close_stream_link,
	.fd = stream_link_fd,
	.next = next_stream_event,
	.hold = hold_stream,
	.release = release_stream,
	.connect = rtrsi_stream_connect,
	.listen = rtrsi_stream_listen,
	.unlisten = rtrsi_stream_unlisten,
	.prepare = rtrsi_stream_prepare,
	.accept = rtrsi_stream_accept,
	.reject = rtrsi_stream_reject,
	.addresses = rtrsi_stream_addresses,
	.disconnect = rtrsi_stream_disconnect,
	.free = rtrsi_stream_free,
	.post = rtrsi_stream_post,
	.receive = rtrsi_stream_receive,
	.grant = rtrsi_stream_grant,
	.withdraw = rtrsi_stream_withdraw,
	.open_window = rtrsi_stream_open_window,
	.bind = rtrsi_stream_bind,
	.close_window = rtrsi_stream_close_window,
};

static int open_descriptors(struct rtrs_stream *link)
{
	struct epoll_event event = {.events = EPOLLIN, .data.ptr = &link->wake_source};
	int err;

	link->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (link->epoll < 0)
		return -errno;
	link->wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (link->wake < 0) {
		err = -errno;
		goto no_wake;
	}
	if (epoll_ctl(link->epoll, EPOLL_CTL_ADD, link->wake, &event)) {
		err = -errno;
		goto no_watch;
	}
	return 0;
no_watch:
	close(link->wake);
no_wake:
	close(link->epoll);
	return err;
}

int rtrsi_stream_open(struct rtrs_link **ret)
{
	struct rtrs_stream *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return -ENOMEM;
	link->base.ops = &stream_ops;
	link->wake_source = STREAM_WAKE;
	err = open_descriptors(link);
	if (err) {
		free(link);
		return err;
	}
	*ret = &link->base;
	return 0;
}

void rtrsi_stream_unplug(struct rtrs_connection *base)
{
	rtrsi_stream_break(hf_container_of(base, struct rtrs_stream_connection, base),
			   RTRS_LINK_GONE, -ENODEV);
}

unsigned long rtrsi_stream_not_ready_count(const struct rtrs_link *base)
{
	return hf_container_of(base, struct rtrs_stream, base)->not_ready;
}
