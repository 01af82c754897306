/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The requester's receiving side (IBA vol. 1, 9.7.5, 9.9.2): acknowledgements, answers, timeouts and retries. */
#include "providers/uroce/wire/response.h"

static void note_progress(struct uroce_wire_qp *qp, uint64_t now)
{
	struct uroce_requester *req = &qp->req;

	req->retries = 0;
	req->rnr_tries = 0;
	req->rnr_deadline = UROCE_WIRE_NEVER;
	req->went_back = false;
	req->ack_deadline = UROCE_WIRE_NEVER;
	if (req->timeout_ns && req->una != req->end)
		req->ack_deadline = now + uroce_ack_timeout(req);
	while (req->reads_count && uroce_psn_diff(req->una, req->reads[req->reads_first]) >= 0) {
		req->reads_first = (req->reads_first + 1) % UROCE_WIRE_JOBS_MAX;
		req->reads_count--;
	}
}

/* The packets to be sent again have arrived after all: continue after them. */
static void skip_acknowledged(struct uroce_requester *req)
{
	const struct uroce_request *request = uroce_request_at(req, req->next);

	if (uroce_psn_diff(req->psn, req->una) >= 0)
		return;
	req->psn = req->una;
	while (req->next != req->tail && request->is_started &&
	       uroce_psn_diff(req->una, uroce_psn_add(request->first_psn, request->packets)) >= 0)
		request = uroce_request_at(req, ++req->next);
	req->next_packet = 0;
	if (req->next != req->tail && request->is_started)
		req->next_packet = (uint32_t)uroce_psn_diff(req->una, request->first_psn) &
				   UROCE_PSN_MASK;
}

/* Up to `psn`, which is not in it. False: an answer to a READ or atomic is missing before it. */
static bool acknowledge(struct uroce_wire_qp *qp, uint32_t psn, uint64_t now)
{
	struct uroce_requester *req = &qp->req;
	uint32_t before = req->una, at = req->head;

	while (at != req->tail && uroce_psn_diff(psn, req->una) > 0) {
		const struct uroce_request *request = uroce_request_at(req, at);
		uint32_t index = (uint32_t)uroce_psn_diff(req->una, request->first_psn);

		if (!request->is_started)
			break;
		if (request->packets && index < request->packets && uroce_is_read(request))
			break;
		for (; index < request->packets && req->una != psn; index++) {
			uroce_window_give(qp->tx, &req->tx_cost,
					  uroce_packet_cost(qp, request, index));
			req->una = uroce_psn_add(req->una, 1);
		}
		at += index == request->packets;
	}
	if (req->una != before) {
		skip_acknowledged(req);
		note_progress(qp, now);
	}
	return req->una == psn;
}

void uroce_requester_go_back(struct uroce_wire_qp *qp)
{
	struct uroce_requester *req = &qp->req;
	const struct uroce_request *request = uroce_request_at(req, req->head);

	uroce_count(qp, UROCE_COUNT_RETRY);
	uroce_window_give(qp->tx, &req->tx_cost, req->tx_cost);
	uroce_window_give(qp->rx, &req->rx_cost, req->rx_cost);
	req->reads_count = 0;
	req->since_ack = 0;
	req->ack_deadline = UROCE_WIRE_NEVER;
	if (req->una == req->end)
		return;
	req->psn = req->una;
	req->next = req->head;
	while (uroce_psn_diff(req->una, uroce_psn_add(request->first_psn, request->packets)) >= 0)
		request = uroce_request_at(req, ++req->next);
	req->next_packet = (uint32_t)uroce_psn_diff(req->una, request->first_psn);
}

bool uroce_requester_complete(struct uroce_wire_qp *qp)
{
	struct uroce_requester *req = &qp->req;

	while (req->head != req->tail) {
		const struct uroce_request *request = uroce_request_at(req, req->head);
		uint32_t length = request->kind <= UROCE_REQUEST_READ ? request->length : 8;

		if (request->failed) {
			qp->calls->sent(qp->user, req->head, request->failed, 0);
			/* SQE (IBA 10.3.1.6): the owner flushed what remains. */
			if (!qp->is_stopped)
				req->head = req->next = req->tail;
			req->next_packet = 0;
			return false;
		}
		if (req->head == req->next ||
		    uroce_psn_diff(req->una, uroce_psn_add(request->first_psn, request->packets)) <
			    0)
			return true;
		qp->calls->sent(qp->user, req->head++, IBV_WC_SUCCESS, length);
		if (qp->is_stopped)
			return false;
	}
	return true;
}

/* Completes the request that the peer, or a timeout, ended. */
static void fail_oldest(struct uroce_wire_qp *qp, enum ibv_wc_status status)
{
	struct uroce_requester *req = &qp->req;

	if (!uroce_requester_complete(qp) || req->head == req->tail)
		return;
	uroce_request_at(req, req->head)->failed = status;
	uroce_requester_complete(qp);
}

/* IBA 9.9.2.1.1: a gap, a NAK or a timeout; each counts until something arrives. */
static void retry(struct uroce_wire_qp *qp)
{
	struct uroce_requester *req = &qp->req;

	if (req->retries >= req->retry_max) {
		uroce_count(qp, UROCE_COUNT_RETRY_EXCEEDED);
		fail_oldest(qp, IBV_WC_RETRY_EXC_ERR);
		return;
	}
	req->retries++;
	uroce_requester_go_back(qp);
}

/* IBA 9.7.5.1.1: what was acknowledged past a READ says that its answer was lost. Once for each loss. */
static void answer_was_lost(struct uroce_wire_qp *qp)
{
	if (qp->req.went_back) {
		uroce_count(qp, UROCE_COUNT_DROP_STALE);
		return;
	}
	retry(qp);
	if (!qp->is_stopped)
		qp->req.went_back = true;
}

/* IBA 9.7.5.2.8: the peer had no receive request. */
static void wait_for_receiver(struct uroce_wire_qp *qp, uint8_t code, uint64_t now)
{
	struct uroce_requester *req = &qp->req;

	uroce_count(qp, UROCE_COUNT_RECEIVED_RNR);
	if (req->rnr_deadline != UROCE_WIRE_NEVER)
		return; /* a second copy of the NAK that it waits for */
	if (req->rnr_max != UROCE_RETRY_FOREVER && req->rnr_tries >= req->rnr_max) {
		uroce_count(qp, UROCE_COUNT_RNR_RETRY_EXCEEDED);
		fail_oldest(qp, IBV_WC_RNR_RETRY_EXC_ERR);
		return;
	}
	req->rnr_tries++;
	uroce_requester_go_back(qp);
	req->rnr_deadline = now + uroce_rnr_ns(code);
}

static enum ibv_wc_status status_of_nak(uint8_t syndrome)
{
	switch (syndrome) {
	case UROCE_NAK_INVALID_REQUEST:
		return IBV_WC_REM_INV_REQ_ERR;
	case UROCE_NAK_REMOTE_ACCESS:
		return IBV_WC_REM_ACCESS_ERR;
	case UROCE_NAK_REMOTE_OPERATION:
		return IBV_WC_REM_OP_ERR;
	default:
		return IBV_WC_BAD_RESP_ERR;
	}
}

/* IBA 9.7.5.2: a NAK acknowledges what is before it. */
static void take_nak(struct uroce_wire_qp *qp, const struct uroce_packet *packet, uint64_t now)
{
	if (!acknowledge(qp, packet->psn, now))
		answer_was_lost(qp);
	else if ((packet->syndrome & UROCE_SYNDROME_KIND) == UROCE_RNR_NAK)
		wait_for_receiver(qp, packet->syndrome, now);
	else if (packet->syndrome == UROCE_NAK_SEQUENCE) {
		uroce_count(qp, UROCE_COUNT_RECEIVED_SEQUENCE_NAK);
		retry(qp);
	} else {
		fail_oldest(qp, status_of_nak(packet->syndrome));
	}
}

/* The oldest request is a READ or atomic, and this answers its next packet. */
static void take_read_answer(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			     uint64_t now)
{
	struct uroce_requester *req = &qp->req;
	const struct uroce_request *request = uroce_request_at(req, req->head);
	uint32_t index = (uint32_t)uroce_psn_diff(packet->psn, request->first_psn), size;
	const void *data = packet->payload;
	bool is_atomic = uroce_op(packet->opcode) == UROCE_OP_ATOMIC_ACK;

	if (!request->is_started || !uroce_is_read(request) || index >= request->packets ||
	    is_atomic != (request->kind != UROCE_REQUEST_READ)) {
		uroce_count(qp, UROCE_COUNT_DROP_STALE);
		return;
	}
	size = is_atomic ? 8 : uroce_packet_bytes(request->length, qp->mtu, index);
	if (is_atomic) {
		data = &packet->original;
	} else if (packet->payload_size != size) {
		fail_oldest(qp, IBV_WC_BAD_RESP_ERR);
		return;
	}
	if ((size && !qp->calls->scatter(qp->user, req->head, index * qp->mtu, data, size)) ||
	    (index + 1 == request->packets && !uroce_is_settled(qp, true))) {
		fail_oldest(qp, IBV_WC_LOC_PROT_ERR);
		return;
	}
	uroce_window_give(qp->rx, &req->rx_cost, uroce_packet_cost(qp, request, index));
	req->una = uroce_psn_add(req->una, 1);
	skip_acknowledged(req);
	note_progress(qp, now);
}

void uroce_requester_response(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			      uint64_t now)
{
	struct uroce_requester *req = &qp->req;

	/* IBA 9.7.5.1.1, 9.7.5.1.3: old ones, and those to what was never sent. */
	if (qp->service != UROCE_SERVICE_RC || !req->is_ready ||
	    uroce_psn_diff(packet->psn, req->una) < 0 ||
	    uroce_psn_diff(packet->psn, req->end) >= 0) {
		uroce_count(qp, UROCE_COUNT_DROP_STALE);
		return;
	}
	if (uroce_op(packet->opcode) != UROCE_OP_ACK) {
		if (!acknowledge(qp, packet->psn, now))
			answer_was_lost(qp);
		else if (uroce_requester_complete(qp))
			take_read_answer(qp, packet, now);
	} else if ((packet->syndrome & UROCE_SYNDROME_KIND) == 0) {
		if (!acknowledge(qp, uroce_psn_add(packet->psn, 1), now))
			answer_was_lost(qp);
	} else {
		take_nak(qp, packet, now);
	}
	if (!qp->is_stopped)
		uroce_requester_complete(qp);
}

/* The oldest request is the READ whose data it was. */
void uroce_requester_unsettled(struct uroce_wire_qp *qp)
{
	fail_oldest(qp, IBV_WC_LOC_PROT_ERR);
}

void uroce_requester_timers(struct uroce_wire_qp *qp, uint64_t now)
{
	struct uroce_requester *req = &qp->req;

	if (req->rnr_deadline <= now)
		req->rnr_deadline = UROCE_WIRE_NEVER;
	if (req->ack_deadline > now)
		return;
	req->ack_deadline = UROCE_WIRE_NEVER;
	if (req->una == req->end)
		return;
	uroce_count(qp, UROCE_COUNT_TIMEOUT);
	req->went_back = false;
	retry(qp);
}
