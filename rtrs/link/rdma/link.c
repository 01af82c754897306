/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The link itself: where it waits, and whose event is next. */
#include <errno.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <unistd.h>
#include <utlist.h>

#include "rtrs/link/rdma/private.h"
#include "rtrs/link/rdma/rdma.h"

/* How many completions one connection gives while others wait, and all before the descriptors are looked at. */
enum { TURN_COMPLETIONS = 16, CALLS_BETWEEN_WAITS = 256 };

static int link_fd(const struct rtrs_link *base)
{
	return hf_container_of(base, struct rtrs_rdma, base)->epoll;
}

static void close_link(struct rtrs_link *base)
{
	struct rtrs_rdma *link = hf_container_of(base, struct rtrs_rdma, base);

	link->cm->ops->close(link->cm);
	close(link->epoll);
	free(link);
}

void rtrsi_rdma_ready(struct rtrs_rdma_connection *connection)
{
	struct rtrs_rdma *link = hf_container_of(connection->base.link, struct rtrs_rdma, base);

	if (connection->is_ready)
		return;
	connection->is_ready = true;
	DL_APPEND2(link->first_ready, connection, prev_ready, next_ready);
}

void rtrsi_rdma_not_ready(struct rtrs_rdma_connection *connection)
{
	struct rtrs_rdma *link = hf_container_of(connection->base.link, struct rtrs_rdma, base);

	if (!connection->is_ready)
		return;
	DL_DELETE2(link->first_ready, connection, prev_ready, next_ready);
	connection->is_ready = false;
	link->turn = 0;
}

static void take_cq_events(struct rtrs_rdma_device *device)
{
	struct rtrs_rdma_connection *connection;
	struct ibv_cq *cq;
	void *context;

	while (!ibv_get_cq_event(device->channel, &cq, &context)) {
		connection = context;
		connection->cq_events++;
		rtrsi_rdma_ready(connection);
	}
}

static int next_completion(struct rtrs_rdma *link, struct rtrs_link_event *ret)
{
	struct rtrs_rdma_connection *connection;

	while ((connection = link->first_ready)) {
		int count = rtrsi_rdma_completion(connection, ret);

		if (count > 0 && ++link->turn < TURN_COMPLETIONS)
			return 1;
		rtrsi_rdma_not_ready(connection);
		if (count > 0) {
			rtrsi_rdma_ready(connection);
			return 1;
		}
	}
	return 0;
}

static int give_cm_event(struct rtrs_rdma *link, struct rtrs_link_event *ret)
{
	uintptr_t uid = (uintptr_t)link->event.uid;

	if (!uid)
		return 0;
	if (uid & RDMA_IS_LISTENER)
		return rtrsi_rdma_listener_event((void *)(uid - RDMA_IS_LISTENER), &link->event,
						 ret);
	return rtrsi_rdma_cm_event((void *)uid, &link->event, ret);
}

static int next_cm_event(struct rtrs_rdma *link, struct rtrs_link_event *ret)
{
	int err;

	while (!(err = link->cm->ops->next(link->cm, &link->event))) {
		if (give_cm_event(link, ret))
			return 1;
	}
	return err == -EAGAIN ? 0 : err;
}

/* Each event may free connections of the device, so all are looked at anew. */
static int next_gone(struct rtrs_rdma *link, struct rtrs_link_event *ret)
{
	struct rtrs_rdma_connection *at;

	for (at = link->connections; at; at = at->next) {
		if (at->device && at->device->is_gone && !at->is_told_gone)
			return rtrsi_rdma_gone(at, ret);
	}
	link->has_gone = false;
	return 0;
}

/* Says whether the connection manager has something. */
static bool take_readable(const struct epoll_event *ready, int count)
{
	bool has_cm_event = false;

	for (int i = 0; i < count; i++) {
		uintptr_t device = (uintptr_t)ready[i].data.u64;

		if (!device)
			has_cm_event = true;
		else if (device & RDMA_IS_ASYNC)
			rtrsi_rdma_look_for_removal((void *)(device - RDMA_IS_ASYNC));
		else
			take_cq_events((void *)device);
	}
	return has_cm_event;
}

/*
 * Completions before events of the connection manager: what a peer sent before it disconnected has arrived. But
 * connections that are always busy do not keep those of other connections waiting.
 */
static int next_link_event(struct rtrs_link *base, struct rtrs_link_event *ret)
{
	struct rtrs_rdma *link = hf_container_of(base, struct rtrs_rdma, base);
	struct epoll_event ready[8];
	bool cm_first = link->calls++ >= CALLS_BETWEEN_WAITS, has_cm_event;
	int count;

	if (link->has_gone && next_gone(link, ret))
		return 1;
	if (!cm_first && next_completion(link, ret))
		return 1;
	link->calls = 0;
	count = epoll_wait(link->epoll, ready, HF_ARRAY_SIZE(ready), 0);
	if (count < 0)
		return errno == EINTR ? 0 : -errno;
	has_cm_event = take_readable(ready, count);
	if (link->has_gone && next_gone(link, ret))
		return 1;
	count = cm_first && has_cm_event ? next_cm_event(link, ret) : 0;
	if (!count)
		count = next_completion(link, ret);
	if (!count && !cm_first && has_cm_event)
		count = next_cm_event(link, ret);
	return count;
}

static const struct rtrs_link_ops rdma_ops = {
	.close = close_link,
	.fd = link_fd,
	.next = next_link_event,
	.connect = rtrsi_rdma_connect,
	.listen = rtrsi_rdma_listen,
	.unlisten = rtrsi_rdma_unlisten,
	.prepare = rtrsi_rdma_prepare,
	.accept = rtrsi_rdma_accept,
	.reject = rtrsi_rdma_reject,
	.addresses = rtrsi_rdma_addresses,
	.device = rtrsi_rdma_device,
	.disconnect = rtrsi_rdma_disconnect,
	.free = rtrsi_rdma_free,
	.post = rtrsi_rdma_post,
	.receive = rtrsi_rdma_receive,
	.grant = rtrsi_rdma_grant,
	.withdraw = rtrsi_rdma_withdraw,
	.open_window = rtrsi_rdma_open_window,
	.bind = rtrsi_rdma_bind,
	.close_window = rtrsi_rdma_close_window,
};

static int watch_cm(struct rtrs_rdma *link)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(link->epoll, EPOLL_CTL_ADD, link->cm->ops->fd(link->cm), &event) ? -errno
											  : 0;
}

static int open_link(int (*open_cm)(struct rtrs_cm **ret), struct rtrs_link **ret)
{
	struct rtrs_rdma *link = calloc(1, sizeof(*link));
	int err;

	if (!link)
		return -ENOMEM;
	link->base.ops = &rdma_ops;
	link->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (link->epoll < 0) {
		err = -errno;
		goto no_epoll;
	}
	err = open_cm(&link->cm);
	if (err)
		goto no_cm;
	err = watch_cm(link);
	if (err)
		goto no_watch;
	*ret = &link->base;
	return 0;
no_watch:
	link->cm->ops->close(link->cm);
no_cm:
	close(link->epoll);
no_epoll:
	free(link);
	return err;
}

int rtrsi_rdma_open(struct rtrs_link **ret)
{
	return open_link(rtrsi_kernel_cm_open, ret);
}

int rtrsi_rdma_open_over_tcp(struct rtrs_link **ret)
{
	return open_link(rtrsi_tcp_cm_open, ret);
}
