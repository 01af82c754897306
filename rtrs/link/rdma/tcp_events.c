/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What peers say over TCP, and the events that come of it. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "rtrs/link/rdma/tcp_internal.h"
#include "shared/clock.h"

enum { STEPS_AT_ONCE = 64, NS_PER_SECOND = 1000000000 };

/* Without a descriptor for them they are sent away, or the listener would be readable for ever. */
static void refuse_stranger(struct tcp_cm *cm, const struct tcp_id *listener)
{
	int fd;

	/* Another thread may have taken the last descriptor before this one was opened again. */
	if (cm->spare < 0)
		cm->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (cm->spare < 0)
		return;
	close(cm->spare);
	fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (fd >= 0)
		close(fd);
	cm->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static struct tcp_id *oldest_stranger(const struct tcp_cm *cm)
{
	struct tcp_id *id = cm->strangers ? cm->ids : NULL;

	while (id && id->state != TCP_STRANGER)
		id = id->hh.next;
	return id;
}

/* Never, where there is none. */
static void set_stranger_timer(const struct tcp_cm *cm)
{
	const struct tcp_id *id = oldest_stranger(cm);
	struct itimerspec when = {0};

	if (id)
		when.it_value = (struct timespec){.tv_sec = id->deadline_ns / NS_PER_SECOND,
						  .tv_nsec = id->deadline_ns % NS_PER_SECOND};
	(void)timerfd_settime(cm->timer, TFD_TIMER_ABSTIME, &when, NULL);
}

/* Setting the timer also takes back that it was readable. */
static void drop_slow_strangers(struct tcp_cm *cm)
{
	int64_t now_ns = hfi_now_ns();
	struct tcp_id *id;

	while ((id = oldest_stranger(cm)) && id->deadline_ns <= now_ns)
		rtrsi_tcp_free_id(cm, id);
	set_stranger_timer(cm);
}

static void take_stranger(struct tcp_cm *cm, const struct tcp_id *listener)
{
	int fd = accept4(listener->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK), on = 1;
	struct tcp_id *id;

	if (fd < 0) {
		if (errno == EMFILE || errno == ENFILE)
			refuse_stranger(cm, listener);
		return;
	}
	if (cm->strangers >= TCP_STRANGERS_MAX)
		rtrsi_tcp_free_id(cm, oldest_stranger(cm));
	if (rtrsi_tcp_new_id(cm, 0, TCP_STRANGER, &id)) {
		close(fd);
		return;
	}
	cm->strangers++;
	id->fd = fd;
	id->listener = listener->id;
	id->deadline_ns = hfi_now_ns() + (int64_t)TCP_STRANGER_S * NS_PER_SECOND;
	(void)setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	if (rtrsi_tcp_watch(cm, id, EPOLL_CTL_ADD, EPOLLIN))
		rtrsi_tcp_free_id(cm, id);
	else if (cm->strangers == 1)
		set_stranger_timer(cm);
}

static int read_up_to(struct tcp_id *id, size_t wanted)
{
	ssize_t got = recv(id->fd, id->in + id->got, wanted - id->got, 0);

	if (got < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -errno;
	if (!got)
		return -ECONNRESET;
	id->got += (size_t)got;
	return id->got == wanted;
}

/* Not a byte more than it has: 1: it is there; 0: it is not yet; -errno. */
static int read_message(struct tcp_id *id, struct rtrs_tcp_message *ret)
{
	int result = id->got < RTRS_TCP_HEADER ? read_up_to(id, RTRS_TCP_HEADER) : 1;
	size_t size;
	int err;

	if (result <= 0)
		return result;
	err = rtrsi_tcp_decode(id->in, ret);
	if (err)
		return err;
	size = RTRS_TCP_HEADER + ret->private_size;
	if (id->got < size)
		result = read_up_to(id, size);
	if (result > 0)
		id->got = 0;
	return result;
}

static int take_queue_pair(struct tcp_id *id, const struct rtrs_tcp_message *message)
{
	uint8_t gid[RTRS_TCP_GID];
	int err = rtrsi_tcp_peer_gid(id, gid);

	if (err)
		return err;
	if (memcmp(gid, message->gid, sizeof(gid)))
		return -EPROTO;
	id->peer = *message;
	return 0;
}

static int tcp_event(const struct tcp_id *id, enum rtrs_cm_event_type type, int status,
		     struct rtrs_cm_event *ret)
{
	ret->uid = id->uid;
	ret->id = id->id;
	ret->type = type;
	ret->status = status;
	ret->private_size = 0;
	return 1;
}

static int tcp_event_of_message(const struct tcp_id *id, enum rtrs_cm_event_type type,
				const struct rtrs_tcp_message *message, struct rtrs_cm_event *ret)
{
	tcp_event(id, type, 0, ret);
	ret->private_size = message->private_size;
	memcpy(ret->private_data, id->in + RTRS_TCP_HEADER, message->private_size);
	return 1;
}

static int id_fails(struct tcp_cm *cm, struct tcp_id *id, int err, struct rtrs_cm_event *ret)
{
	bool was_up = id->state == TCP_UP;

	rtrsi_tcp_down(cm, id);
	return tcp_event(id, was_up ? RTRS_CM_DISCONNECTED : RTRS_CM_CONNECT_ERROR, err, ret);
}

static int socket_connected(struct tcp_cm *cm, struct tcp_id *id, struct rtrs_cm_event *ret)
{
	int error = 0;
	socklen_t size = sizeof(error);

	if (getsockopt(id->fd, SOL_SOCKET, SO_ERROR, &error, &size))
		error = errno;
	if (!error)
		error = -rtrsi_tcp_watch(cm, id, EPOLL_CTL_MOD, 0);
	if (error)
		return id_fails(cm, id, -error, ret);
	id->state = TCP_RESOLVED;
	return tcp_event(id, RTRS_CM_ADDRESS_RESOLVED, 0, ret);
}

static int route_is_known(struct tcp_cm *cm, struct tcp_id *id, struct rtrs_cm_event *ret)
{
	int err = rtrsi_tcp_watch(cm, id, EPOLL_CTL_MOD, EPOLLIN);

	if (err)
		return id_fails(cm, id, err, ret);
	id->state = TCP_ROUTED;
	return tcp_event(id, RTRS_CM_ROUTE_RESOLVED, 0, ret);
}

static int take_accept(struct tcp_cm *cm, struct tcp_id *id, struct rtrs_cm_event *ret)
{
	struct rtrs_tcp_message message;
	int result = read_message(id, &message);

	if (!result)
		return 0;
	if (result > 0 && message.type == RTRS_TCP_REJECT) {
		rtrsi_tcp_down(cm, id);
		return tcp_event_of_message(id, RTRS_CM_REJECTED, &message, ret);
	}
	if (result > 0)
		result = message.type == RTRS_TCP_ACCEPT ? take_queue_pair(id, &message) : -EPROTO;
	if (result < 0)
		return id_fails(cm, id, result, ret);
	id->state = TCP_ANSWERED;
	return tcp_event_of_message(id, RTRS_CM_CONNECT_RESPONSE, &message, ret);
}

/* Whoever says something else was no client. One of another version is told which one this is. */
static int send_stranger_away(struct tcp_cm *cm, struct tcp_id *id, int err)
{
	const struct rtrs_tcp_message reject = {.type = RTRS_TCP_REJECT};

	if (err == -EPROTONOSUPPORT)
		(void)!rtrsi_tcp_send(id, &reject, NULL);
	rtrsi_tcp_free_id(cm, id);
	return 0;
}

static int take_hello(struct tcp_cm *cm, struct tcp_id *id, struct rtrs_cm_event *ret)
{
	const struct tcp_id *listener = rtrsi_tcp_find(&cm->base, id->listener);
	struct rtrs_tcp_message message;
	int result = read_message(id, &message);

	if (!result)
		return 0;
	if (result > 0)
		result = message.type == RTRS_TCP_HELLO ? take_queue_pair(id, &message) : -EPROTO;
	if (!result)
		result = rtrsi_tcp_choose_psn(id);
	if (!result && !listener)
		result = -ECONNREFUSED;
	if (result)
		return send_stranger_away(cm, id, result);
	id->state = TCP_REQUESTED;
	cm->strangers--;
	tcp_event_of_message(id, RTRS_CM_CONNECT_REQUEST, &message, ret);
	ret->uid = listener->uid;
	return 1;
}

static int take_ready(struct tcp_cm *cm, struct tcp_id *id, struct rtrs_cm_event *ret)
{
	struct rtrs_tcp_message message;
	int result = read_message(id, &message);

	if (!result)
		return 0;
	if (result > 0 && message.type != RTRS_TCP_READY)
		result = -EPROTO;
	if (result < 0)
		return id_fails(cm, id, result, ret);
	id->state = TCP_UP;
	return tcp_event(id, RTRS_CM_ESTABLISHED, 0, ret);
}

/* Nothing is to come any more but the end. */
static int expect_end(struct tcp_cm *cm, struct tcp_id *id, struct rtrs_cm_event *ret)
{
	char byte;
	ssize_t got = recv(id->fd, &byte, sizeof(byte), 0);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return 0;
	return id_fails(cm, id, got < 0 ? -errno : got ? -EPROTO : -ECONNRESET, ret);
}

static int step_id(struct tcp_cm *cm, struct tcp_id *id, struct rtrs_cm_event *ret)
{
	switch (id->state) {
	case TCP_CONNECTING:
		return socket_connected(cm, id, ret);
	case TCP_ROUTE:
		return route_is_known(cm, id, ret);
	case TCP_WAITING:
		return take_accept(cm, id, ret);
	case TCP_LISTENING:
		take_stranger(cm, id);
		return 0;
	case TCP_STRANGER:
		return take_hello(cm, id, ret);
	case TCP_ACCEPTED:
		return take_ready(cm, id, ret);
	case TCP_REQUESTED:
		/* Whoever asked has gone, or cannot wait: accepting fails. */
		rtrsi_tcp_down(cm, id);
		return 0;
	default:
		return expect_end(cm, id, ret);
	}
}

/* One at a time: a step may end others. */
int rtrsi_tcp_next(struct rtrs_cm *base, struct rtrs_cm_event *ret)
{
	struct tcp_cm *cm = rtrsi_tcp_cm_of(base);
	struct epoll_event event;

	for (int steps = 0; steps < STEPS_AT_ONCE; steps++) {
		struct tcp_id *id;
		int count = epoll_wait(cm->epoll, &event, 1, 0);

		if (count < 0)
			return errno == EINTR ? -EAGAIN : -errno;
		if (!count)
			return -EAGAIN;
		id = rtrsi_tcp_find(base, event.data.u32);
		if (!event.data.u32)
			drop_slow_strangers(cm);
		else if (id && step_id(cm, id, ret))
			return 0;
	}
	return -EAGAIN;
}
