/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The requester's sending side (IBA vol. 1, 9.7.3, 9.8.1, 9.9.1): requests become packets, within the window. */
#include "providers/uroce/wire/requester.h"

#include <string.h>

#include "providers/uroce/wire/response.h"

/* Packets between two that ask for an acknowledgement. */
enum { ACK_INTERVAL = 8 };

/* ns. A QP with nothing in flight sends a packet after a while, although others fill the window. */
enum { WINDOW_PATIENCE = 1000000, WINDOW_POLL = 100000 };

static enum uroce_op opcode_of(const struct uroce_request *request, bool is_first, bool is_last)
{
	enum uroce_op first, ops[4];

	if (request->kind == UROCE_REQUEST_COMPARE_SWAP)
		return UROCE_OP_COMPARE_SWAP;
	if (request->kind == UROCE_REQUEST_FETCH_ADD)
		return UROCE_OP_FETCH_ADD;
	if (request->kind == UROCE_REQUEST_READ)
		return UROCE_OP_READ_REQUEST;
	if (is_last && request->invalidates)
		return is_first ? UROCE_OP_SEND_ONLY_INV : UROCE_OP_SEND_LAST_INV;
	first = request->kind == UROCE_REQUEST_SEND ? UROCE_OP_SEND_FIRST : UROCE_OP_WRITE_FIRST;
	/* SEND and WRITE have theirs in the same order. */
	ops[0] = first + 1;
	ops[1] = first + 2;
	ops[2] = first;
	ops[3] = first + 4;
	return (enum uroce_op)(ops[(is_first ? 2 : 0) + (is_last ? 1 : 0)] +
			       (is_last && request->has_imm ? 1 : 0));
}

/* Packets that the next frame of a READ asks for: up to a fixed border, so that a repeated one lies within an old one. */
static uint32_t read_packets(const struct uroce_requester *req, const struct uroce_request *request)
{
	uint32_t rest = request->packets - req->next_packet;
	uint32_t chunk = req->chunk - req->next_packet % req->chunk;

	return rest < chunk ? rest : chunk;
}

/* Let a QP send that has waited too long with nothing in flight because others fill the window; one at a time. */
static bool window_is_open(struct uroce_wire_qp *qp, const struct uroce_window *window,
			   uint32_t cost, uint64_t now)
{
	struct uroce_requester *req = &qp->req;
	const uint32_t mine = window == qp->tx ? req->tx_cost : req->rx_cost;

	if (uroce_window_fits(window, mine, cost)) {
		req->window_since = 0;
		return true;
	}
	if (req->tx_cost || req->rx_cost)
		return false;
	if (!req->window_since)
		req->window_since = now;
	if (now - req->window_since < WINDOW_PATIENCE || window->used > window->limit)
		return false;
	req->window_since = 0;
	return true;
}

/* IBA 10.8.3.3: a fence waits for READs and atomics; 9.7.3.1: those are limited by the peer's resources. */
static bool may_begin(const struct uroce_requester *req, const struct uroce_request *request)
{
	if (!request->is_started && req->is_draining)
		return false;
	if (request->fence && req->reads_count && !req->next_packet)
		return false;
	return !uroce_is_read(request) || req->reads_count < req->reads_max;
}

static void begin_packets(struct uroce_wire_qp *qp, struct uroce_request *request)
{
	if (request->is_started)
		return;
	request->is_started = true;
	request->first_psn = qp->req.psn;
	request->packets = 1;
	if (request->kind == UROCE_REQUEST_LOCAL)
		request->packets = 0;
	else if (request->kind <= UROCE_REQUEST_READ)
		request->packets = uroce_packets_of(request->length, qp->mtu);
}

static void fill_packet(const struct uroce_wire_qp *qp, const struct uroce_request *request,
			uint32_t packets, struct uroce_packet *ret)
{
	const struct uroce_requester *req = &qp->req;
	uint64_t at = (uint64_t)req->next_packet * qp->mtu;
	bool is_first = !req->next_packet, is_last = req->next_packet + packets == request->packets;

	*ret = (struct uroce_packet){
		.opcode = uroce_opcode(qp->service, opcode_of(request, is_first, is_last)),
		.is_solicited = request->is_solicited && is_last &&
				(request->kind == UROCE_REQUEST_SEND || request->has_imm),
		.pkey = qp->pkey,
		.qpn = qp->service == UROCE_SERVICE_UD ? request->dest_qpn : qp->dest_qpn,
		.psn = req->psn,
		.va = request->va,
		.rkey = request->rkey,
		.length = request->length,
		.swap_add = request->swap_add,
		.compare = request->compare,
		.imm = request->imm,
		.invalidate = request->imm,
		.qkey = request->qkey,
		.source_qpn = qp->qpn};
	if (request->kind == UROCE_REQUEST_READ) {
		ret->va += at;
		ret->length -= (uint32_t)at;
		if (!is_last)
			ret->length = packets * qp->mtu;
	} else if (!uroce_is_read(request)) {
		ret->payload_size = uroce_packet_bytes(request->length, qp->mtu, req->next_packet);
	}
	if (qp->service == UROCE_SERVICE_RC) {
		ret->wants_ack = uroce_is_read(request) || req->since_ack + 1 >= ACK_INTERVAL;
	}
}

/* NULL: no frame, or `request->failed`. */
static uint8_t *send_packet(struct uroce_wire_qp *qp, struct uroce_request *request,
			    const struct uroce_packet *packet)
{
	struct uroce_requester *req = &qp->req;
	uint32_t offset = req->next_packet * qp->mtu, pad = uroce_pad(packet->payload_size);
	uint8_t *frame = qp->calls->frame(qp->user);
	size_t size;

	if (!frame)
		return NULL;
	size = uroce_headers_build(packet, frame);
	if (packet->payload_size &&
	    !qp->calls->gather(qp->user, req->next, offset, frame + size, packet->payload_size)) {
		request->failed = IBV_WC_LOC_PROT_ERR;
		return NULL;
	}
	size += packet->payload_size;
	memset(frame + size, 0, pad);
	qp->calls->send(qp->user, frame, size + pad, req->next);
	uroce_count(qp, UROCE_COUNT_SENT_PACKETS);
	return frame;
}

static void note_sent(struct uroce_wire_qp *qp, const struct uroce_request *request,
		      uint32_t packets, bool wants_ack)
{
	struct uroce_requester *req = &qp->req;

	req->psn = uroce_psn_add(req->psn, packets);
	if (uroce_psn_diff(req->psn, req->end) > 0)
		req->end = req->psn;
	req->next_packet += packets;
	req->since_ack = wants_ack ? 0 : req->since_ack + 1;
	if (uroce_is_read(request)) {
		uint32_t last = (req->reads_first + req->reads_count++) % UROCE_WIRE_JOBS_MAX;

		req->reads[last] = req->psn;
	}
	if (req->next_packet == request->packets) {
		req->next++;
		req->next_packet = 0;
	}
}

/* UC and UD have no acknowledgements: whether the receiver's buffer is full is looked at where it can be. */
static bool peer_has_room(struct uroce_wire_qp *qp, uint32_t payload, uint64_t now)
{
	struct uroce_requester *req = &qp->req;
	const bool may = !qp->calls->has_room ||
			 qp->calls->has_room(qp->user, req->next, uroce_window_cost(payload), now);

	req->window_since = may ? 0 : now;
	return may;
}

/* False: nothing more can be sent now. `*frame` is the last one. */
static bool send_a_packet(struct uroce_wire_qp *qp, uint64_t now, uint8_t **frame)
{
	struct uroce_requester *req = &qp->req;
	struct uroce_request *request = uroce_request_at(req, req->next);
	struct uroce_window *window = uroce_is_read(request) ? qp->rx : qp->tx;
	uint32_t packets = 1, cost = 0;
	struct uroce_packet packet;

	if (!may_begin(req, request))
		return false;
	begin_packets(qp, request);
	if (request->kind == UROCE_REQUEST_LOCAL) {
		/* Execute it once, even if the requests before it are sent again. */
		if (!request->is_done)
			request->failed = qp->calls->local(qp->user, req->next);
		request->is_done = true;
		if (!request->failed)
			req->next++;
		return !request->failed;
	}
	if (request->kind == UROCE_REQUEST_READ)
		packets = read_packets(req, request);
	fill_packet(qp, request, packets, &packet);
	if (qp->service == UROCE_SERVICE_RC) {
		cost = packets * uroce_packet_cost(qp, request, req->next_packet);
		if (!window_is_open(qp, window, cost, now))
			return false;
	} else if (!peer_has_room(qp, packet.payload_size, now)) {
		return false;
	}
	*frame = send_packet(qp, request, &packet);
	if (!*frame)
		return false;
	uroce_window_take(window, uroce_is_read(request) ? &req->rx_cost : &req->tx_cost, cost);
	note_sent(qp, request, packets, packet.wants_ack);
	return true;
}

static uint64_t earliest(uint64_t a, uint64_t b)
{
	return a < b ? a : b;
}

uint64_t uroce_requester_run(struct uroce_wire_qp *qp, uint64_t now)
{
	struct uroce_requester *req = &qp->req;
	uint8_t *last = NULL;
	uint64_t deadline;

	while (req->next != req->tail && req->rnr_deadline == UROCE_WIRE_NEVER &&
	       !uroce_request_at(req, req->next)->failed) {
		uint8_t *frame = NULL;
		bool more = send_a_packet(qp, now, &frame);

		last = frame ? frame : last;
		if (!more)
			break;
		/* UC and UD are complete once they are sent (IBA 9.8.1, 9.9.1). */
		if (qp->service != UROCE_SERVICE_RC && !req->next_packet) {
			req->una = req->psn;
			if (!uroce_requester_complete(qp))
				return UROCE_WIRE_NEVER;
		}
	}
	/* The last packet of a burst asks, so that an answer comes before the timeout. */
	if (last && req->since_ack && qp->service == UROCE_SERVICE_RC) {
		last[8] |= 0x80;
		req->since_ack = 0;
	}
	if (!uroce_requester_complete(qp))
		return UROCE_WIRE_NEVER;
	if (req->una == req->psn)
		req->ack_deadline = UROCE_WIRE_NEVER;
	else if (req->ack_deadline == UROCE_WIRE_NEVER && req->timeout_ns)
		req->ack_deadline = now + uroce_ack_timeout(req);
	deadline = earliest(req->ack_deadline, req->rnr_deadline);
	if (req->next != req->tail && req->window_since)
		deadline = earliest(deadline, now + WINDOW_POLL);
	return deadline;
}
