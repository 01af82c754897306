/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A connection's life: socket, greeting, end. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <unistd.h>

#include "rtrs/link/stream/private.h"

int rtrsi_stream_make_queues(struct rtrs_stream_connection *connection,
			     const struct rtrs_link_queues *queues)
{
	int err = rtrsi_stream_sends_init(&connection->sends, queues->send_depth);

	if (err)
		return err;
	err = rtrsi_stream_receives_init(&connection->receives, queues->receive_depth);
	if (err)
		goto no_receives;
	err = rtrsi_stream_domain_get(rtrsi_stream_of(connection), queues->domain,
				      &connection->domain);
	if (err)
		goto no_domain;
	connection->base.user = queues->user;
	return 0;
no_domain:
	free(connection->receives.places);
	connection->receives.places = NULL;
no_receives:
	free(connection->sends.places);
	connection->sends.places = NULL;
	return err;
}

int rtrsi_stream_set_private(struct rtrs_stream_connection *connection, const uint8_t *data,
			     size_t size)
{
	if (size > sizeof(connection->private_data))
		return -EINVAL;
	if (size)
		memcpy(connection->private_data, data, size);
	connection->private_size = size;
	return 0;
}

/* Edge-triggered: the state is remembered, so no call is needed to change what is waited for. */
static int watch_socket(struct rtrs_stream *link, struct rtrs_stream_connection *connection)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLOUT | EPOLLRDHUP | EPOLLET,
				    .data.ptr = &connection->source};

	return epoll_ctl(link->epoll, EPOLL_CTL_ADD, connection->fd, &event) ? -errno : 0;
}

/* On a Unix socket the usual room is that of one large request; TCP finds out by itself what it needs. */
static void widen_unix_socket(int fd)
{
	const int size = STREAM_SOCKET_ROOM;
	int domain = 0;
	socklen_t length = sizeof(domain);

	if (!getsockopt(fd, SOL_SOCKET, SO_DOMAIN, &domain, &length) && domain == AF_UNIX)
		(void)setsockopt(fd, SOL_SOCKET, SO_SNDBUF, &size, sizeof(size));
}

int rtrsi_stream_new_connection(struct rtrs_stream *link, int fd, enum rtrs_stream_state state,
				struct rtrs_stream_connection **ret)
{
	struct rtrs_stream_connection *connection = calloc(1, sizeof(*connection));
	int err = -ENOMEM;

	if (!connection)
		goto no_connection;
	connection->base.link = &link->base;
	connection->source = STREAM_CONNECTION;
	connection->fd = fd;
	connection->state = state;
	widen_unix_socket(fd);
	connection->buffer = malloc(STREAM_BUFFER_SIZE);
	if (!connection->buffer)
		goto no_buffer;
	err = watch_socket(link, connection);
	if (err)
		goto no_watch;
	connection->next = link->connections;
	connection->at = &link->connections;
	if (connection->next)
		connection->next->at = &connection->next;
	link->connections = connection;
	*ret = connection;
	return 0;
no_watch:
	free(connection->buffer);
no_buffer:
	free(connection);
no_connection:
	close(fd);
	return err;
}

static int open_client_socket(const struct rtrs_link_connect *how)
{
	socklen_t size = rtrsi_stream_address_size(how->destination);
	int fd, err, on = 1;

	if (!size || (how->source && !rtrsi_stream_address_size(how->source)))
		return -EAFNOSUPPORT;
	fd = socket(how->destination->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (how->destination->sa_family != AF_UNIX)
		(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (how->source && bind(fd, how->source, rtrsi_stream_address_size(how->source)))
		goto fails;
	if (connect(fd, how->destination, size) && errno != EINPROGRESS)
		goto fails;
	return fd;
fails:
	err = -errno;
	close(fd);
	return err;
}

int rtrsi_stream_connect(struct rtrs_link *base, const struct rtrs_link_connect *how,
			 struct rtrs_connection **ret)
{
	struct rtrs_stream *link = hf_container_of(base, struct rtrs_stream, base);
	const struct rtrs_link_queues queues = {how->send_depth, how->receive_depth, how->user,
						how->domain};
	struct rtrs_stream_connection *connection;
	int fd = open_client_socket(how), err;

	if (fd < 0)
		return fd;
	err = rtrsi_stream_new_connection(link, fd, STREAM_CONNECTING, &connection);
	if (err)
		return err;
	err = rtrsi_stream_set_private(connection, how->private_data, how->private_size);
	if (!err)
		err = rtrsi_stream_make_queues(connection, &queues);
	if (err) {
		rtrsi_stream_free(&connection->base);
		return err;
	}
	*ret = &connection->base;
	return 0;
}

void rtrsi_stream_break(struct rtrs_stream_connection *connection, enum rtrs_link_event_type type,
			int error)
{
	enum rtrs_stream_state before = connection->state;

	if (before == STREAM_DOWN)
		return;
	connection->state = STREAM_DOWN;
	connection->is_stalled = false;
	(void)shutdown(connection->fd, SHUT_RDWR);
	if (before == STREAM_STRANGER)
		rtrsi_stream_of(connection)->strangers--;
	if (type == RTRS_LINK_LOST && (before == STREAM_CONNECTING || before == STREAM_GREETING))
		type = RTRS_LINK_REFUSED;
	connection->has_end = true;
	connection->end_type = type;
	connection->end_error = error;
	rtrsi_stream_ready(connection);
}

void rtrsi_stream_disconnect(struct rtrs_connection *base)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);

	if (connection->state == STREAM_UP)
		rtrsi_stream_break(connection, RTRS_LINK_LOST, -ECONNRESET);
}

void rtrsi_stream_free(struct rtrs_connection *base)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);
	struct rtrs_stream *link = rtrsi_stream_of(connection);

	if (connection->state == STREAM_STRANGER)
		link->strangers--;
	*connection->at = connection->next;
	if (connection->next)
		connection->next->at = connection->at;
	rtrsi_stream_forget(connection);
	/* A process that was forked may have the socket as well: closing ends neither watch nor connection then. */
	epoll_ctl(link->epoll, EPOLL_CTL_DEL, connection->fd, NULL);
	if (connection->state != STREAM_DOWN)
		(void)shutdown(connection->fd, SHUT_RDWR);
	close(connection->fd);
	free(connection->sends.places);
	free(connection->receives.places);
	if (connection->domain)
		rtrsi_stream_domain_put(connection->domain);
	free(connection->buffer);
	free(connection);
	rtrsi_stream_descriptor_is_free(link);
}

static void socket_is_connected(struct rtrs_stream_connection *connection)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(connection->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	if (error) {
		rtrsi_stream_break(connection, RTRS_LINK_REFUSED, -error);
		return;
	}
	connection->state = STREAM_GREETING;
	rtrsi_stream_greet(connection, RTRS_FRAME_HELLO);
}

static int end_of_connection(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	if (!connection->has_end)
		return 0;
	connection->has_end = false;
	*ret = (struct rtrs_link_event){.type = connection->end_type,
					.connection = &connection->base,
					.error = connection->end_error};
	return 1;
}

static int accepted_connection(struct rtrs_stream_connection *connection,
			       struct rtrs_link_event *ret)
{
	if (!connection->is_accepted)
		return 0;
	connection->is_accepted = false;
	*ret = (struct rtrs_link_event){.type = RTRS_LINK_CONNECTED,
					.connection = &connection->base};
	return 1;
}

/* Of one that is down: first that it is. */
static int last_events(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	if (end_of_connection(connection, ret) || rtrsi_stream_sent(connection, ret))
		return 1;
	return rtrsi_stream_unreceived(connection, ret);
}

int rtrsi_stream_connection_event(struct rtrs_stream_connection *connection,
				  struct rtrs_link_event *ret)
{
	int result;

	if (connection->state == STREAM_CONNECTING && connection->is_writable)
		socket_is_connected(connection);
	if (accepted_connection(connection, ret))
		return 1;
	if (connection->is_writable)
		rtrsi_stream_flush(connection);
	if (connection->state == STREAM_DOWN)
		return last_events(connection, ret);
	if (rtrsi_stream_sent(connection, ret))
		return 1;
	result = rtrsi_stream_received(connection, ret);
	if (result >= 0)
		return result;
	if (connection->state == STREAM_STRANGER) {
		rtrsi_stream_free(&connection->base);
		return 0;
	}
	rtrsi_stream_break(connection, RTRS_LINK_LOST, result);
	return last_events(connection, ret);
}
