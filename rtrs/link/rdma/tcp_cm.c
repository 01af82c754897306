/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A connection manager over TCP: both ends tell each other their queue pairs, and the socket stays open as long as
 * the connection, so that its end is the connection's. Each device is known by the address of its socket, which is
 * its GID: what a peer says of its own must be the same.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <unistd.h>

#include "rtrs/link/rdma/tcp_internal.h"

enum {
	BACKLOG = 64,
	PSN_MASK = 0xffffff,
	/* 268 ms, and seven tries: a peer in software may be without a processor for long. */
	ACK_TIMEOUT = 16,
	RETRIES = 7,
	RNR_TIMER = 12,
	HOP_LIMIT = 64,
};

struct tcp_id *rtrsi_tcp_find(const struct rtrs_cm *cm, uint32_t id)
{
	struct tcp_id *found;

	HASH_FIND(hh, rtrsi_tcp_cm_of(cm)->ids, &id, sizeof(id), found);
	return found;
}

int rtrsi_tcp_new_id(struct tcp_cm *cm, uint64_t uid, enum tcp_state state, struct tcp_id **ret)
{
	struct tcp_id *id = calloc(1, sizeof(*id));

	if (!id)
		return -ENOMEM;
	do
		id->id = ++cm->last_id;
	while (!id->id || rtrsi_tcp_find(&cm->base, id->id));
	id->uid = uid;
	id->state = state;
	id->fd = -1;
	HASH_ADD(hh, cm->ids, id, sizeof(id->id), id);
	if (id->hh.tbl) {
		*ret = id;
		return 0;
	}
	free(id);
	return -ENOMEM;
}

void rtrsi_tcp_free_id(struct tcp_cm *cm, struct tcp_id *id)
{
	if (id->state == TCP_STRANGER)
		cm->strangers--;
	HASH_DEL(cm->ids, id);
	if (id->fd >= 0) {
		/* A child of this process may have the socket as well: closing it alone ends nothing. */
		epoll_ctl(cm->epoll, EPOLL_CTL_DEL, id->fd, NULL);
		shutdown(id->fd, SHUT_RDWR);
		close(id->fd);
	}
	free(id);
}

int rtrsi_tcp_watch(struct tcp_cm *cm, const struct tcp_id *id, int operation, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = id->id};

	return epoll_ctl(cm->epoll, operation, id->fd, &event) ? -errno : 0;
}

void rtrsi_tcp_down(struct tcp_cm *cm, struct tcp_id *id)
{
	epoll_ctl(cm->epoll, EPOLL_CTL_DEL, id->fd, NULL);
	id->state = TCP_DOWN;
}

static int tcp_create(struct rtrs_cm *base, uint64_t uid, uint32_t *ret)
{
	struct tcp_id *id;
	int err = rtrsi_tcp_new_id(rtrsi_tcp_cm_of(base), uid, TCP_IDLE, &id);

	if (!err)
		*ret = id->id;
	return err;
}

static void tcp_destroy(struct rtrs_cm *base, uint32_t number)
{
	struct tcp_id *id = rtrsi_tcp_find(base, number);

	if (id)
		rtrsi_tcp_free_id(rtrsi_tcp_cm_of(base), id);
}

static int tcp_query_device(struct rtrs_cm *cm, uint32_t number, struct rtrs_cm_device *ret)
{
	const struct tcp_id *id = rtrsi_tcp_find(cm, number);

	if (!id || id->fd < 0)
		return -EINVAL;
	*ret = (struct rtrs_cm_device){.is_by_gid = true};
	return rtrsi_tcp_own_gid(id, ret->gid.raw);
}

/* --- the client's steps -------------------------------------------------------------------------- */

static int open_tcp_socket(struct tcp_id *id, int family)
{
	int on = 1;

	id->fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (id->fd < 0)
		return -errno;
	(void)setsockopt(id->fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	return 0;
}

static int tcp_resolve_address(struct rtrs_cm *cm, uint32_t number, const struct sockaddr *source,
			       const struct sockaddr *destination)
{
	struct tcp_id *id = rtrsi_tcp_find(cm, number);
	socklen_t size = rtrsi_tcp_address_size(destination);
	int err;

	if (!id || id->state != TCP_IDLE)
		return -EINVAL;
	if (!size || (source && source->sa_family != destination->sa_family))
		return -EAFNOSUPPORT;
	err = open_tcp_socket(id, destination->sa_family);
	if (!err)
		err = rtrsi_tcp_bind_source(id, source, destination);
	if (!err && connect(id->fd, destination, size) && errno != EINPROGRESS)
		err = -errno;
	if (!err)
		err = rtrsi_tcp_watch(rtrsi_tcp_cm_of(cm), id, EPOLL_CTL_ADD, EPOLLOUT);
	if (!err)
		id->state = TCP_CONNECTING;
	return err;
}

/* The event comes as soon as it is asked for: the socket can be written to. */
static int tcp_resolve_route(struct rtrs_cm *cm, uint32_t number)
{
	struct tcp_id *id = rtrsi_tcp_find(cm, number);

	if (!id || id->state != TCP_RESOLVED)
		return -EINVAL;
	id->state = TCP_ROUTE;
	return rtrsi_tcp_watch(rtrsi_tcp_cm_of(cm), id, EPOLL_CTL_MOD, EPOLLOUT);
}

int rtrsi_tcp_send(const struct tcp_id *id, const struct rtrs_tcp_message *message,
		   const uint8_t *private_data)
{
	uint8_t bytes[RTRS_TCP_MESSAGE_MAX];
	size_t size = RTRS_TCP_HEADER + message->private_size;
	ssize_t sent;

	rtrsi_tcp_encode(message, bytes);
	if (message->private_size)
		memcpy(bytes + RTRS_TCP_HEADER, private_data, message->private_size);
	sent = send(id->fd, bytes, size, MSG_NOSIGNAL);
	if (sent < 0)
		return -errno;
	return (size_t)sent == size ? 0 : -EIO;
}

static int send_queue_pair(const struct tcp_id *id, enum rtrs_tcp_type type,
			   const struct rtrs_cm_end *end, const uint8_t *private_data,
			   size_t private_size)
{
	struct rtrs_tcp_message own;
	int err;

	if (private_size > RTRS_TCP_PRIVATE_MAX)
		return -EINVAL;
	own = (struct rtrs_tcp_message){.type = type,
					.qp_number = end->qp_number,
					.psn = id->psn,
					.mtu = (uint8_t)end->mtu,
					.private_size = (uint16_t)private_size};
	err = rtrsi_tcp_own_gid(id, own.gid);
	return err ? err : rtrsi_tcp_send(id, &own, private_data);
}

int rtrsi_tcp_choose_psn(struct tcp_id *id)
{
	if (getrandom(&id->psn, sizeof(id->psn), 0) != sizeof(id->psn))
		return -errno;
	id->psn &= PSN_MASK;
	return 0;
}

static int tcp_connect(struct rtrs_cm *cm, uint32_t number, const struct rtrs_cm_end *end,
		       const uint8_t *private_data, size_t private_size)
{
	struct tcp_id *id = rtrsi_tcp_find(cm, number);
	int err;

	if (!id || id->state != TCP_ROUTED)
		return -EINVAL;
	err = rtrsi_tcp_choose_psn(id);
	if (!err)
		err = send_queue_pair(id, RTRS_TCP_HELLO, end, private_data, private_size);
	if (!err)
		id->state = TCP_WAITING;
	return err;
}

static int tcp_confirm(struct rtrs_cm *cm, uint32_t number)
{
	const struct rtrs_tcp_message ready = {.type = RTRS_TCP_READY};
	struct tcp_id *id = rtrsi_tcp_find(cm, number);
	int err;

	if (!id || id->state != TCP_ANSWERED)
		return -ENOTCONN;
	err = rtrsi_tcp_send(id, &ready, NULL);
	if (!err)
		id->state = TCP_UP;
	return err;
}

/* --- the server's -------------------------------------------------------------------------------- */

static int tcp_listen(struct rtrs_cm *cm, uint32_t number, const struct sockaddr *address)
{
	struct tcp_id *id = rtrsi_tcp_find(cm, number);
	int on = 1, err;

	if (!id || id->state != TCP_IDLE)
		return -EINVAL;
	if (!rtrsi_tcp_address_size(address))
		return -EAFNOSUPPORT;
	err = open_tcp_socket(id, address->sa_family);
	if (err)
		return err;
	if (setsockopt(id->fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on)) ||
	    bind(id->fd, address, rtrsi_tcp_address_size(address)) || listen(id->fd, BACKLOG))
		return -errno;
	id->state = TCP_LISTENING;
	return rtrsi_tcp_watch(rtrsi_tcp_cm_of(cm), id, EPOLL_CTL_ADD, EPOLLIN);
}

static int tcp_accept(struct rtrs_cm *cm, uint32_t number, uint64_t uid,
		      const struct rtrs_cm_end *end, const uint8_t *private_data,
		      size_t private_size)
{
	struct tcp_id *id = rtrsi_tcp_find(cm, number);
	int err;

	if (!id || id->state != TCP_REQUESTED)
		return -ENOTCONN;
	err = send_queue_pair(id, RTRS_TCP_ACCEPT, end, private_data, private_size);
	if (err)
		return err;
	id->uid = uid;
	id->state = TCP_ACCEPTED;
	return 0;
}

static int tcp_reject(struct rtrs_cm *cm, uint32_t number, const uint8_t *private_data,
		      size_t private_size)
{
	const struct rtrs_tcp_message reject = {.type = RTRS_TCP_REJECT,
						.private_size = (uint16_t)private_size};
	struct tcp_id *id = rtrsi_tcp_find(cm, number);
	int err;

	if (!id || id->state != TCP_REQUESTED)
		return -ENOTCONN;
	if (private_size > RTRS_TCP_PRIVATE_MAX)
		return -EINVAL;
	err = rtrsi_tcp_send(id, &reject, private_data);
	rtrsi_tcp_down(rtrsi_tcp_cm_of(cm), id);
	return err;
}

/* The event of its end comes. */
static int tcp_disconnect(struct rtrs_cm *cm, uint32_t number)
{
	const struct tcp_id *id = rtrsi_tcp_find(cm, number);

	if (!id || id->fd < 0)
		return -EINVAL;
	return shutdown(id->fd, SHUT_RDWR) ? -errno : 0;
}

/* --- the queue pair ------------------------------------------------------------------------------ */

static void attr_to_rtr(const struct tcp_id *id, struct ibv_qp_attr *to, int *mask)
{
	to->path_mtu = id->peer.mtu;
	to->dest_qp_num = id->peer.qp_number;
	to->rq_psn = id->peer.psn;
	to->min_rnr_timer = RNR_TIMER;
	to->ah_attr.is_global = 1;
	to->ah_attr.grh.hop_limit = HOP_LIMIT;
	memcpy(to->ah_attr.grh.dgid.raw, id->peer.gid, sizeof(id->peer.gid));
	*mask |= IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
		 IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
}

static int tcp_qp_attr(struct rtrs_cm *cm, uint32_t number, enum ibv_qp_state state,
		       struct ibv_qp_attr *ret, int *mask)
{
	const struct tcp_id *id = rtrsi_tcp_find(cm, number);

	if (!id)
		return -EINVAL;
	*ret = (struct ibv_qp_attr){.qp_state = state};
	*mask = IBV_QP_STATE;
	if (state == IBV_QPS_INIT) {
		ret->qp_access_flags = IBV_ACCESS_REMOTE_WRITE;
		*mask |= IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS;
	} else if (state == IBV_QPS_RTR) {
		attr_to_rtr(id, ret, mask);
	} else {
		ret->sq_psn = id->psn;
		ret->timeout = ACK_TIMEOUT;
		ret->retry_cnt = ret->rnr_retry = RETRIES;
		*mask |= IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
			 IBV_QP_MAX_QP_RD_ATOMIC;
	}
	return 0;
}

/* --- life ---------------------------------------------------------------------------------------- */

static int tcp_fd(const struct rtrs_cm *cm)
{
	return rtrsi_tcp_cm_of(cm)->epoll;
}

static void tcp_close(struct rtrs_cm *base)
{
	struct tcp_cm *cm = rtrsi_tcp_cm_of(base);
	struct tcp_id *id, *next;

	HASH_ITER (hh, cm->ids, id, next)
		rtrsi_tcp_free_id(cm, id);
	if (cm->spare >= 0)
		close(cm->spare);
	close(cm->timer);
	close(cm->epoll);
	free(cm);
}

static const struct rtrs_cm_ops tcp_ops = {
	.close = tcp_close,
	.fd = tcp_fd,
	.create = tcp_create,
	.destroy = tcp_destroy,
	.resolve_address = tcp_resolve_address,
	.resolve_route = tcp_resolve_route,
	.query_device = tcp_query_device,
	.connect = tcp_connect,
	.listen = tcp_listen,
	.accept = tcp_accept,
	.reject = tcp_reject,
	.addresses = rtrsi_tcp_addresses,
	.confirm = tcp_confirm,
	.disconnect = tcp_disconnect,
	.qp_attr = tcp_qp_attr,
	.next = rtrsi_tcp_next,
};

/* No socket has the number 0. */
static int watch_tcp_timer(const struct tcp_cm *cm)
{
	struct epoll_event event = {.events = EPOLLIN};

	return epoll_ctl(cm->epoll, EPOLL_CTL_ADD, cm->timer, &event) ? -errno : 0;
}

int rtrsi_tcp_cm_open(struct rtrs_cm **ret)
{
	struct tcp_cm *cm = calloc(1, sizeof(*cm));
	int err;

	if (!cm)
		return -ENOMEM;
	cm->base.ops = &tcp_ops;
	cm->epoll = epoll_create1(EPOLL_CLOEXEC);
	if (cm->epoll < 0) {
		err = -errno;
		goto no_epoll;
	}
	cm->timer = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	if (cm->timer < 0) {
		err = -errno;
		goto no_timer;
	}
	err = watch_tcp_timer(cm);
	if (err)
		goto no_spare;
	cm->spare = open("/dev/null", O_RDONLY | O_CLOEXEC);
	if (cm->spare < 0) {
		err = -errno;
		goto no_spare;
	}
	*ret = &cm->base;
	return 0;
no_spare:
	close(cm->timer);
no_timer:
	close(cm->epoll);
no_epoll:
	free(cm);
	return err;
}
