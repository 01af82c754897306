/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Accepts control programs, checks who they are, and answers one request of each at a time. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtrs/control/endpoint.h"
#include "shared/clock.h"
#include "shared/file.h"
#include "shared/text.h"

enum {
	EVENTS_AT_ONCE = 8,
	ACCEPTS_AT_ONCE = 16,
	BACKLOG = 8,
	NAMES_TRIED = 16,
	IS_LISTENER = RTRS_CONTROL_CLIENTS,
};

/* --- requests ------------------------------------------------------------------------------------ */

static size_t put_answer(struct rtrs_control *control, int error, struct rtrs_control_cursor next,
			 size_t length)
{
	rtrsi_control_answer_encode(error, next, length, control->answer);
	return sizeof(struct rtrs_control_answer) + length;
}

static size_t list_tree(struct rtrs_control *control, const struct rtrs_control_request *request)
{
	struct rtrs_control_cursor cursor = request->cursor;
	struct rtrs_control_page page = {.bytes = (char *)control->answer +
						  sizeof(struct rtrs_control_answer),
					 .size = RTRS_CONTROL_PAGE};

	control->ops->list(control->user, &cursor, request->type == RTRS_CONTROL_LIST_VALUES,
			   &page);
	return put_answer(control, 0, cursor, page.length);
}

size_t rtrsi_control_take(struct rtrs_control *control, const uint8_t *bytes, size_t size,
			  uint64_t *number)
{
	static const struct rtrs_control_cursor none;
	struct rtrs_control_request request;
	int result = rtrsi_control_decode(bytes, size, &request);

	if (result)
		return put_answer(control, result, none, 0);
	switch (request.type) {
	case RTRS_CONTROL_READ:
		result = control->ops->read(control->user, request.path,
					    (char *)control->answer +
						    sizeof(struct rtrs_control_answer),
					    RTRS_CONTROL_VALUE_MAX);
		if (result > 0)
			return put_answer(control, 0, none, (size_t)result);
		break;
	case RTRS_CONTROL_WRITE:
		result = control->ops->write(control->user, request.path, request.value,
					     request.value_length, number);
		if (result == -EINPROGRESS)
			return 0;
		break;
	default:
		return list_tree(control, &request);
	}
	return put_answer(control, result, none, 0);
}

/* --- clients ------------------------------------------------------------------------------------- */

static void drop_client(struct rtrs_control_client *client)
{
	hfi_close(&client->fd);
	client->is_waiting = false;
}

/* All of it or nothing: the packet fits unless the client has not read the one before. */
static void answer_client(struct rtrs_control_client *client, const uint8_t *answer, size_t length)
{
	if (send(client->fd, answer, length, MSG_DONTWAIT | MSG_NOSIGNAL) != (ssize_t)length)
		drop_client(client);
}

/* While it waits, take no further request from it, but notice when it closes. */
static void listen_to(struct rtrs_control *control, struct rtrs_control_client *client,
		      bool is_waiting)
{
	struct epoll_event event = {.events = is_waiting ? 0 : EPOLLIN,
				    .data.u32 = (uint32_t)(client - control->clients)};

	client->is_waiting = is_waiting;
	if (epoll_ctl(control->epoll, EPOLL_CTL_MOD, client->fd, &event) < 0)
		drop_client(client);
}

static void hear_client(struct rtrs_control *control, struct rtrs_control_client *client)
{
	uint8_t request[RTRS_CONTROL_REQUEST_SIZE];
	ssize_t size = recv(client->fd, request, sizeof(request), MSG_DONTWAIT | MSG_TRUNC);
	size_t length;

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (size <= 0) {
		drop_client(client);
		return;
	}
	client->turn = ++control->turn;
	/* One that is too large is refused like any other that is none. */
	if (size > (ssize_t)sizeof(request))
		size = 0;
	length = rtrsi_control_take(control, request, (size_t)size, &client->number);
	if (length)
		answer_client(client, control->answer, length);
	else
		listen_to(control, client, true);
}

bool rtrsi_control_done(struct rtrs_control *control, uint64_t number, int error)
{
	static const struct rtrs_control_cursor none;
	uint8_t answer[sizeof(struct rtrs_control_answer)];
	bool was_waiting = false;

	rtrsi_control_answer_encode(error, none, 0, answer);
	for (int i = 0; control && i < RTRS_CONTROL_CLIENTS; i++) {
		struct rtrs_control_client *client = &control->clients[i];

		if (client->fd < 0 || !client->is_waiting || client->number != number)
			continue;
		was_waiting = true;
		answer_client(client, answer, sizeof(answer));
		if (client->fd >= 0)
			listen_to(control, client, false);
	}
	return was_waiting;
}

static bool is_peer_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	return !getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) &&
	       (peer.uid == geteuid() || !peer.uid);
}

/*
 * An empty place, or that of the client that was silent for the longest time. NULL: all wait for an
 * answer.
 */
static struct rtrs_control_client *place_for_client(struct rtrs_control *control)
{
	struct rtrs_control_client *oldest = NULL;

	for (int i = 0; i < RTRS_CONTROL_CLIENTS; i++) {
		struct rtrs_control_client *client = &control->clients[i];

		if (client->fd < 0)
			return client;
		if (!client->is_waiting && (!oldest || client->turn < oldest->turn))
			oldest = client;
	}
	if (oldest)
		drop_client(oldest);
	return oldest;
}

static void accept_clients(struct rtrs_control *control)
{
	for (int i = 0; i < ACCEPTS_AT_ONCE; i++) {
		int fd = accept4(control->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
		struct epoll_event event = {.events = EPOLLIN};
		struct rtrs_control_client *client;

		if (fd < 0)
			return;
		client = is_peer_allowed(fd) ? place_for_client(control) : NULL;
		if (!client) {
			close(fd);
			continue;
		}
		event.data.u32 = (uint32_t)(client - control->clients);
		client->fd = fd;
		client->turn = ++control->turn;
		if (epoll_ctl(control->epoll, EPOLL_CTL_ADD, fd, &event) < 0)
			drop_client(client);
	}
}

void rtrsi_control_dispatch(struct rtrs_control *control)
{
	struct epoll_event events[EVENTS_AT_ONCE];
	int count = epoll_wait(control->epoll, events, EVENTS_AT_ONCE, 0);

	if (count <= 0)
		return;
	/* Not kept: most programs are asked hardly ever. */
	control->answer = malloc(sizeof(struct rtrs_control_answer) + RTRS_CONTROL_PAGE);
	for (int i = 0; i < count; i++) {
		struct rtrs_control_client *client;

		if (events[i].data.u32 == IS_LISTENER) {
			accept_clients(control);
			continue;
		}
		client = &control->clients[events[i].data.u32];
		/* Another event of the same round may have closed it. */
		if (client->fd < 0)
			continue;
		if (control->answer && events[i].events & EPOLLIN)
			hear_client(control, client);
		else
			drop_client(client);
	}
	free(control->answer);
	control->answer = NULL;
}

/* --- life ---------------------------------------------------------------------------------------- */

/*
 * Bind it under a name that nobody looks at until it listens: before that it looks like a dead
 * process's socket.
 */
static int bind_under(struct rtrs_control *control, const char *hidden)
{
	struct sockaddr_un address;
	int err = rtrsi_control_address(control->place, hidden, &address);

	if (err)
		return err;
	if (bind(control->listener, (const struct sockaddr *)&address, sizeof(address)) < 0)
		return -errno;
	if (fchmodat(control->place, hidden, S_IRUSR | S_IWUSR, 0) < 0 ||
	    listen(control->listener, BACKLOG) < 0 ||
	    linkat(control->place, hidden, control->place, hidden + 1, 0) < 0)
		err = -errno;
	unlinkat(control->place, hidden, 0);
	return err ? err : hfi_copy(control->name, sizeof(control->name), hidden + 1);
}

/* The time tells apart the sockets of one process; another one of its number may have left some. */
static int bind_control_socket(struct rtrs_control *control)
{
	char hidden[RTRS_CONTROL_NAME_SIZE + 1];
	uint32_t number = (uint32_t)hfi_now_ns();
	int err = -EADDRINUSE;

	for (int i = 0; i < NAMES_TRIED && err == -EADDRINUSE; i++) {
		(void)hfi_print(hidden, sizeof(hidden), ".%d.%08x", getpid(), number++);
		err = bind_under(control, hidden);
	}
	return err;
}

/* Edge-triggered: where there are no descriptors the listener must not stay readable. */
static int start_listening(struct rtrs_control *control)
{
	struct epoll_event event = {.events = EPOLLIN | EPOLLET, .data.u32 = IS_LISTENER};

	control->place = rtrsi_control_place(true);
	if (control->place < 0)
		return control->place;
	control->listener = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (control->listener < 0)
		return -errno;
	control->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (control->epoll < 0 ||
	    epoll_ctl(control->epoll, EPOLL_CTL_ADD, control->listener, &event) < 0)
		return -errno;
	return bind_control_socket(control);
}

struct rtrs_control *rtrsi_control_open(const struct rtrs_control_ops *ops, void *user)
{
	struct rtrs_control *control = calloc(1, sizeof(*control));

	if (!control)
		return NULL;
	control->ops = ops;
	control->user = user;
	control->epoll = control->listener = control->place = -1;
	for (int i = 0; i < RTRS_CONTROL_CLIENTS; i++)
		control->clients[i].fd = -1;
	if (!start_listening(control))
		return control;
	rtrsi_control_close(control);
	return NULL;
}

void rtrsi_control_close(struct rtrs_control *control)
{
	if (!control)
		return;
	for (int i = 0; i < RTRS_CONTROL_CLIENTS; i++)
		drop_client(&control->clients[i]);
	if (control->name[0])
		unlinkat(control->place, control->name, 0);
	hfi_close(&control->listener);
	hfi_close(&control->epoll);
	hfi_close(&control->place);
	free(control);
}
