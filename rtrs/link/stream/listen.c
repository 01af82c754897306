/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Listeners, and connections that ask to be accepted. */
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/un.h>
#include <unistd.h>

#include "rtrs/link/stream/private.h"
#include "rtrs/link/stream/stream.h"

socklen_t rtrsi_stream_address_size(const struct sockaddr *address)
{
	switch (address->sa_family) {
	case AF_UNIX:
		return sizeof(struct sockaddr_un);
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return 0;
	}
}

static int bind_socket(struct rtrs_stream_listener *listener, const struct sockaddr *address)
{
	int on = 1;

	if (address->sa_family == AF_UNIX)
		return rtrsi_stream_bind_file(
			listener->fd, ((const struct sockaddr_un *)(const void *)address)->sun_path,
			&listener->file);
	if (setsockopt(listener->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(listener->fd, address, rtrsi_stream_address_size(address)))
		return -errno;
	return listen(listener->fd, SOMAXCONN) ? -errno : 0;
}

static void remove_socket_file(const struct rtrs_stream_listener *listener)
{
	if (listener->address.ss_family == AF_UNIX)
		rtrsi_stream_remove_file(((const struct sockaddr_un *)&listener->address)->sun_path,
					 &listener->file);
}

static int open_listener(struct rtrs_stream *link, struct rtrs_stream_listener *listener,
			 const struct sockaddr *address)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.ptr = &listener->source};
	int err;

	listener->fd = socket(address->sa_family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (listener->fd < 0)
		return -errno;
	err = bind_socket(listener, address);
	if (err)
		goto not_bound;
	if (epoll_ctl(link->epoll, EPOLL_CTL_ADD, listener->fd, &event)) {
		err = -errno;
		goto not_watched;
	}
	return 0;
not_watched:
	remove_socket_file(listener);
not_bound:
	close(listener->fd);
	return err;
}

int rtrsi_stream_listen(struct rtrs_link *base, const struct sockaddr *address, void *user,
			struct rtrs_listener **ret)
{
	struct rtrs_stream *link = hf_container_of(base, struct rtrs_stream, base);
	struct rtrs_stream_listener *listener;
	int err;

	if (!rtrsi_stream_address_size(address))
		return -EAFNOSUPPORT;
	listener = calloc(1, sizeof(*listener));
	if (!listener)
		return -ENOMEM;
	listener->base = (struct rtrs_listener){.link = base, .user = user};
	listener->source = STREAM_LISTENER;
	memcpy(&listener->address, address, rtrsi_stream_address_size(address));
	err = open_listener(link, listener, address);
	if (err) {
		free(listener);
		return err;
	}
	listener->next = link->listeners;
	link->listeners = listener;
	*ret = &listener->base;
	return 0;
}

/* Drop sockets that have not sent HELLO yet: their listener is gone. */
static void forget_listener(struct rtrs_stream *link, const struct rtrs_stream_listener *listener)
{
	struct rtrs_stream_connection *connection = link->connections, *next;

	for (; connection; connection = next) {
		next = connection->next;
		if (connection->listener != listener)
			continue;
		connection->listener = NULL;
		if (connection->state == STREAM_STRANGER)
			rtrsi_stream_free(&connection->base);
	}
}

void rtrsi_stream_unlisten(struct rtrs_listener *base)
{
	struct rtrs_stream *link = hf_container_of(base->link, struct rtrs_stream, base);
	struct rtrs_stream_listener *listener =
		hf_container_of(base, struct rtrs_stream_listener, base);
	struct rtrs_stream_listener **at = &link->listeners;

	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	forget_listener(link, listener);
	epoll_ctl(link->epoll, EPOLL_CTL_DEL, listener->fd, NULL);
	remove_socket_file(listener);
	(void)shutdown(listener->fd, SHUT_RDWR);
	close(listener->fd);
	free(listener);
}

/* New ones are added at the front: the last stranger is the one that has been silent for the longest time. */
static void drop_oldest_stranger(struct rtrs_stream *link)
{
	struct rtrs_stream_connection *oldest = NULL, *connection = link->connections;

	for (; connection; connection = connection->next) {
		if (connection->state == STREAM_STRANGER)
			oldest = connection;
	}
	if (oldest)
		rtrsi_stream_free(&oldest->base);
}

static int adopt_socket(struct rtrs_stream *link, struct rtrs_stream_listener *listener, int fd)
{
	struct rtrs_stream_connection *connection;
	int on = 1, err;

	if (link->strangers >= STREAM_STRANGERS_MAX)
		drop_oldest_stranger(link);
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	err = rtrsi_stream_new_connection(link, fd, STREAM_STRANGER, &connection);
	if (err)
		return err;
	connection->listener = listener;
	connection->number = ++link->accepted;
	link->strangers++;
	return 0;
}

int rtrsi_stream_adopt(struct rtrs_link *base, int fd)
{
	return adopt_socket(hf_container_of(base, struct rtrs_stream, base), NULL, fd);
}

enum { ACCEPTS_AT_ONCE = 64 };

static void take_strangers(struct rtrs_stream_listener *listener)
{
	struct rtrs_stream *link = hf_container_of(listener->base.link, struct rtrs_stream, base);

	/* Without descriptors it stays readable, and is asked again when one is free. */
	for (int count = 0; listener->is_readable; count++) {
		int fd;

		/*
		 * Limit the number at a time, so that peers which connect without pause do not
		 * delay the others.
		 */
		if (count == ACCEPTS_AT_ONCE) {
			link->has_strangers_left = true;
			return;
		}
		fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

		if (fd >= 0)
			(void)adopt_socket(link, listener, fd);
		else if (errno == EAGAIN)
			listener->is_readable = false;
		else if (errno != EINTR && errno != ECONNABORTED)
			return;
	}
}

void rtrsi_stream_listen_again(struct rtrs_stream *link)
{
	link->has_strangers_left = false;
	for (struct rtrs_stream_listener *at = link->listeners; at; at = at->next)
		take_strangers(at);
}

void rtrsi_stream_descriptor_is_free(struct rtrs_stream *link)
{
	for (struct rtrs_stream_listener *at = link->listeners; at; at = at->next) {
		if (at->is_readable)
			rtrsi_stream_wake(link);
	}
}

int rtrsi_stream_prepare(struct rtrs_connection *base, const struct rtrs_link_queues *queues)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);
	int err;

	if (connection->state != STREAM_REQUESTED)
		return -ENOTCONN;
	err = rtrsi_stream_make_queues(connection, queues);
	if (err)
		return err;
	connection->state = STREAM_PREPARED;
	return 0;
}

/* The greeting goes before what was posted already. */
int rtrsi_stream_accept(struct rtrs_connection *base, const uint8_t *private_data,
			size_t private_size)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);
	int err;

	if (connection->state != STREAM_PREPARED)
		return -ENOTCONN;
	err = rtrsi_stream_set_private(connection, private_data, private_size);
	if (err)
		return err;
	connection->state = STREAM_UP;
	connection->is_accepted = true;
	rtrsi_stream_greet(connection, RTRS_FRAME_ACCEPT);
	rtrsi_stream_ready(connection);
	return 0;
}

/* The socket is new: it takes the few bytes. */
void rtrsi_stream_reject(struct rtrs_connection *base, const uint8_t *private_data,
			 size_t private_size)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);
	const struct rtrs_link_queues no_queues = {0};
	bool has_queues = connection->state == STREAM_PREPARED;

	if ((connection->state == STREAM_REQUESTED || has_queues) &&
	    !rtrsi_stream_set_private(connection, private_data, private_size) &&
	    (has_queues || !rtrsi_stream_make_queues(connection, &no_queues)))
		rtrsi_stream_greet(connection, RTRS_FRAME_REJECT);
	rtrsi_stream_free(base);
}

void rtrsi_stream_addresses(const struct rtrs_connection *base, struct sockaddr_storage *own,
			    struct sockaddr_storage *peer)
{
	const struct rtrs_stream_connection *connection =
		hf_container_of(base, const struct rtrs_stream_connection, base);
	socklen_t size = sizeof(*own);

	memset(own, 0, sizeof(*own));
	memset(peer, 0, sizeof(*peer));
	(void)getsockname(connection->fd, (struct sockaddr *)own, &size);
	size = sizeof(*peer);
	(void)getpeername(connection->fd, (struct sockaddr *)peer, &size);
	/* A client's Unix socket has no name; but each path is from somewhere else. */
	if (peer->ss_family == AF_UNIX)
		snprintf(((struct sockaddr_un *)peer)->sun_path,
			 sizeof(((struct sockaddr_un *)peer)->sun_path), "#%lu",
			 connection->number);
}
