/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The path to peers by UDP: requests become those of the transport, and the transport is run. */
#include "providers/uroce/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "providers/uroce/wire.h"

enum {
	MESSAGE_MAX = 1 << 30,
	BUSY_NS = 100000,	       /* when the kernel took no more frames */
	IN_FLIGHT = 4,		       /* packets: then more can wait until the program polls */
	MUCH = UROCE_WINDOW_LIMIT / 4, /* of all QPs: the same */
};

#define OWN_QKEY_BIT 0x80000000u /* the program asks for the Q_Key of its own QP */

static enum uroce_service service_of(const struct uroce_qp *qp)
{
	switch (qp->verbs.qp.qp_type) {
	case IBV_QPT_RC:
		return UROCE_SERVICE_RC;
	case IBV_QPT_UC:
		return UROCE_SERVICE_UC;
	default:
		return UROCE_SERVICE_UD;
	}
}

/* A UD QP hears what comes to any address of the device. */
static int open_all_sockets(struct uroce_wire *wire)
{
	const struct uroce_socket *socket;
	union ibv_gid gid;
	int first = EADDRNOTAVAIL;

	for (unsigned int i = 0; i < UROCE_GIDS; i++) {
		int err;

		if (uroce_gid(wire->context, i, &gid))
			continue;
		err = uroce_wire_socket(wire, &gid, &socket);
		if (!err || first == EADDRNOTAVAIL)
			first = err;
		if (err == EADDRINUSE)
			return err;
	}
	return first;
}

static int find_addresses(struct uroce_wire_link *link)
{
	const struct uroce_qp *qp = link->qp;

	if (link->transport.service == UROCE_SERVICE_UD)
		return open_all_sockets(link->wire);
	link->peer = qp->attr.ah_attr.grh.dgid;
	uroce_gid_address(&link->peer, &qp->source_gid, &link->to);
	return uroce_wire_socket(link->wire, &qp->source_gid, &link->from);
}

static struct uroce_window *window_of(struct uroce_wire *wire, const union ibv_gid *peer)
{
	unsigned int sum = 0;

	for (size_t i = 0; i < sizeof(peer->raw); i++)
		sum = sum * 31 + peer->raw[i];
	return &wire->tx[sum % UROCE_WIRE_WINDOWS];
}

static int start_transport(struct uroce_wire_link *link)
{
	struct uroce_qp *qp = link->qp;
	struct uroce_wire *wire = link->wire;
	const struct uroce_wire_setup setup = {.calls = &uroce_wire_calls,
					       .user = link,
					       .counters = wire->counters,
					       .tx = window_of(wire, &qp->attr.ah_attr.grh.dgid),
					       .rx = &wire->rx,
					       .service = service_of(qp),
					       .qpn = qp->verbs.qp.qp_num,
					       .send_depth = qp->sq.size};
	const struct uroce_wire_rtr rtr = {.dest_qpn = qp->attr.dest_qp_num,
					   .psn = qp->attr.rq_psn,
					   .mtu = qp->attr.path_mtu ? 128U << qp->attr.path_mtu
								    : UROCE_MTU_MAX,
					   .qkey = qp->attr.qkey,
					   .pkey = 0xffff,
					   .rnr_timer = qp->attr.min_rnr_timer,
					   .jobs = qp->attr.max_dest_rd_atomic};
	int err = uroce_wire_init(&link->transport, &setup);

	return err ? err : uroce_wire_ready_to_receive(&link->transport, &rtr);
}

static int wire_start(struct uroce_qp *qp)
{
	char forced[16] = "";
	struct uroce_wire_link *link = calloc(1, sizeof(*link));
	int err = link ? 0 : ENOMEM;

	if (!err)
		err = uroce_forced_path(qp->context, forced);
	if (!err)
		err = uroce_wire_get(qp->context, &link->wire);
	if (err) {
		free(link);
		return err;
	}
	link->qp = qp;
	link->is_wire_forced = *forced != '\0';
	err = -start_transport(link);
	if (!err)
		err = find_addresses(link);
	if (!err) {
		qp->path_data = link;
		return 0;
	}
	hf_provider_log(qp->context->verbs.context.device, HF_LOG_ERROR,
			"uroce: QP 0x%x: UDP port 4791 of the device's address: %s",
			qp->verbs.qp.qp_num, strerror(err));
	uroce_wire_free(&link->transport);
	free(link);
	if (service_of(qp) != UROCE_SERVICE_UD || *forced)
		return err;
	/* Datagrams of this device's processes to each other need no socket. */
	qp->path = &uroce_direct_path;
	return qp->path->start(qp);
}

static void begin_sending(struct uroce_wire_link *link)
{
	const struct ibv_qp_attr *attr = &link->qp->attr;
	const struct uroce_wire_rts rts = {.psn = attr->sq_psn,
					   .reads = attr->max_rd_atomic,
					   .timeout = attr->timeout,
					   .retry_count = attr->retry_cnt,
					   .rnr_retry = attr->rnr_retry};

	if (link->is_sending)
		uroce_wire_change(&link->transport, &rts);
	else
		uroce_wire_ready_to_send(&link->transport, &rts);
	link->is_sending = true;
}

static void wire_modified(struct uroce_qp *qp, int mask)
{
	struct uroce_wire_link *link = qp->path_data;

	(void)mask;
	pthread_mutex_lock(&link->wire->lock);
	link->transport.qkey = qp->attr.qkey;
	link->transport.resp.rnr_timer = qp->attr.min_rnr_timer;
	if (qp->state == IBV_QPS_RTS)
		begin_sending(link);
	link->transport.req.is_draining = qp->state == IBV_QPS_SQD;
	pthread_mutex_unlock(&link->wire->lock);
}

/* What is wrong with a request before any packet is sent. */
static enum ibv_wc_status check_request(const struct uroce_qp *qp, const struct uroce_wqe *wqe)
{
	const bool is_atomic = wqe->opcode == IBV_WR_ATOMIC_CMP_AND_SWP ||
			       wqe->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD;

	if (wqe->length > MESSAGE_MAX || (is_atomic && wqe->length != 8))
		return IBV_WC_LOC_LEN_ERR;
	if (qp->verbs.qp.qp_type == IBV_QPT_UD && wqe->length > UROCE_MTU_MAX)
		return IBV_WC_LOC_LEN_ERR;
	if ((is_atomic || wqe->opcode == IBV_WR_RDMA_READ) && !qp->attr.max_rd_atomic)
		return IBV_WC_LOC_QP_OP_ERR;
	return IBV_WC_SUCCESS;
}

static enum uroce_request_kind request_kind(const struct uroce_wire_link *link,
					    const struct uroce_wqe *wqe)
{
	switch (wqe->opcode) {
	case IBV_WR_RDMA_WRITE:
	case IBV_WR_RDMA_WRITE_WITH_IMM:
		return UROCE_REQUEST_WRITE;
	case IBV_WR_RDMA_READ:
		return UROCE_REQUEST_READ;
	case IBV_WR_ATOMIC_CMP_AND_SWP:
		return UROCE_REQUEST_COMPARE_SWAP;
	case IBV_WR_ATOMIC_FETCH_AND_ADD:
		return UROCE_REQUEST_FETCH_ADD;
	case IBV_WR_LOCAL_INV:
	case IBV_WR_BIND_MW:
		return UROCE_REQUEST_LOCAL;
	default:
		/* A datagram to this device goes to its receiver directly. */
		return link->transport.service == UROCE_SERVICE_UD && wqe->is_ours &&
				       (wqe->is_group || !link->is_wire_forced)
			       ? UROCE_REQUEST_LOCAL
			       : UROCE_REQUEST_SEND;
	}
}

static void fill_from_wqe(const struct uroce_wire_link *link, const struct uroce_wqe *wqe,
			  struct uroce_request *request)
{
	const bool is_add = wqe->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD;

	request->kind = request_kind(link, wqe);
	request->fence = wqe->fence;
	request->is_solicited = wqe->solicited;
	request->has_imm = wqe->opcode == IBV_WR_SEND_WITH_IMM ||
			   wqe->opcode == IBV_WR_RDMA_WRITE_WITH_IMM;
	request->invalidates = wqe->opcode == IBV_WR_SEND_WITH_INV;
	request->imm = wqe->imm;
	request->length = wqe->length;
	request->va = wqe->remote_addr;
	request->rkey = wqe->rkey;
	request->swap_add = is_add ? wqe->compare_add : wqe->swap;
	request->compare = wqe->compare_add;
	request->dest_qpn = wqe->dest_qpn;
	request->qkey = wqe->qkey & OWN_QKEY_BIT ? link->qp->attr.qkey : wqe->qkey;
	request->failed = check_request(link->qp, wqe);
}

static void add_requests(struct uroce_wire_link *link)
{
	struct uroce_qp *qp = link->qp;
	struct uroce_requester *req = &link->transport.req;

	if (req->head == req->tail)
		req->head = req->next = req->tail = qp->sq.head;
	while (req->tail != qp->sq.tail) {
		const struct uroce_wqe *wqe = uroce_sq_at(qp, req->tail);
		struct uroce_request *request = uroce_wire_add(&link->transport);

		if (!request)
			return;
		fill_from_wqe(link, wqe, request);
	}
}

/*
 * Frames wait, for more of them to be sent by one call, until the program polls again or fills the batch: answers to a
 * few packets, and requests that follow others which are still under way. The engine thread looks after them.
 */
static bool may_hold(const struct uroce_wire_link *link)
{
	const struct uroce_wire *wire = link->wire;
	const struct uroce_requester *req = &link->transport.req;

	if (link->may_hold)
		return !wire->urgent;
	return !link->transport.is_stopped && req->next == req->tail &&
	       (uroce_psn_diff(req->psn, req->una) >= IN_FLIGHT ||
		link->transport.tx->used >= MUCH) &&
	       atomic_load_explicit(&wire->is_left_alone, memory_order_relaxed);
}

/* False: the kernel took no more. */
static bool send_frames(struct uroce_wire_link *link)
{
	struct uroce_wire *wire = link->wire;

	if (!wire->batch.count)
		return true;
	if (may_hold(link)) {
		if (!wire->urgent)
			wire->batch.held = wire->batch.count;
		/* An exchange with the engine thread, which no longer looks after them when it waits for packets. */
		atomic_store(&wire->holds, true);
		if (atomic_load(&wire->is_left_alone))
			return true;
	}
	if (link->is_delivered_to) {
		wire->has_answers = true;
		return true;
	}
	wire->urgent = 0;
	atomic_store_explicit(&wire->holds, false, memory_order_relaxed);
	return uroce_batch_flush(&wire->batch);
}

static uint64_t wire_progress(struct uroce_qp *qp, uint64_t now)
{
	struct uroce_wire_link *link = qp->path_data;
	struct uroce_wire_qp *transport = &link->transport;
	uint64_t deadline;

	if (qp->sq.head != qp->sq.tail)
		atomic_store_explicit(&link->wire->is_active, true, memory_order_relaxed);
	pthread_mutex_lock(&link->wire->lock);
	if (transport->req.is_ready && qp->state == IBV_QPS_RTS)
		add_requests(link);
	deadline = uroce_wire_run(transport, now);
	link->wire->ahead.count = 0;
	if (!transport->is_stopped && transport->req.head != transport->req.tail)
		qp->sq.next = transport->req.next + (transport->req.next_packet != 0);
	/* Also where there is more to send at once. */
	if (!send_frames(link))
		deadline = now + BUSY_NS;
	pthread_mutex_unlock(&link->wire->lock);
	return deadline;
}

/* A receive request that has begun is flushed as those that still wait. */
static void flush_taken(struct uroce_wire_link *link)
{
	const struct uroce_received flushed = {.status = IBV_WC_WR_FLUSH_ERR};

	if (!link->transport.resp.has_receive)
		return;
	link->transport.resp.has_receive = false;
	uroce_wire_calls.received(link, &flushed);
}

static void wire_stop(struct uroce_qp *qp)
{
	struct uroce_wire_link *link = qp->path_data;

	pthread_mutex_lock(&link->wire->lock);
	uroce_inbox_finish(link->wire->inbox);
	flush_taken(link);
	uroce_wire_stop(&link->transport);
	link->is_sending = false;
	pthread_mutex_unlock(&link->wire->lock);
}

static void wire_destroy(struct uroce_qp *qp)
{
	struct uroce_wire_link *link = qp->path_data;

	if (!link)
		return;
	/* A forked child is alone with what it has, and its parent's threads may have had the lock. */
	if (qp->context->pid == getpid())
		pthread_mutex_lock(&link->wire->lock);
	uroce_wire_free(&link->transport);
	if (qp->context->pid == getpid())
		pthread_mutex_unlock(&link->wire->lock);
	free(link);
	qp->path_data = NULL;
}

static const struct uroce_path_ops wire_path_ops = {
	.name = "wire",
	.receives = true,
	.start = wire_start,
	.modified = wire_modified,
	.progress = wire_progress,
	.stop = wire_stop,
	.destroy = wire_destroy,
};

const struct uroce_path_ops *const uroce_wire_path = &wire_path_ops;
