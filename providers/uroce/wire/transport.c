/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A QP's transport: makes it, passes packets and requests to it, runs and stops it. */
#include "providers/uroce/wire/transport.h"

#include <errno.h>
#include <stdlib.h>

#include "providers/common/util.h"
#include "providers/uroce/wire/answer.h"
#include "providers/uroce/wire/requester.h"
#include "providers/uroce/wire/responder.h"
#include "providers/uroce/wire/response.h"

/* In units of 10 us. */
static const uint32_t rnr_times[32] = {65536, 1,    2,	  3,	 4,	6,     8,     12,
				       16,    24,   32,	  48,	 64,	96,    128,   192,
				       256,   384,  512,  768,	 1024,	1536,  2048,  3072,
				       4096,  6144, 8192, 12288, 16384, 24576, 32768, 49152};

uint64_t uroce_rnr_ns(uint8_t code)
{
	return rnr_times[code & UROCE_SYNDROME_VALUE] * UINT64_C(10000);
}

int uroce_wire_init(struct uroce_wire_qp *qp, const struct uroce_wire_setup *setup)
{
	*qp = (struct uroce_wire_qp){.calls = setup->calls,
				     .user = setup->user,
				     .counters = setup->counters,
				     .tx = setup->tx,
				     .rx = setup->rx,
				     .service = setup->service,
				     .qpn = setup->qpn,
				     .is_stopped = true};
	qp->req.size = ring_size_for(setup->send_depth);
	qp->req.ring = calloc(qp->req.size, sizeof(*qp->req.ring));
	return qp->req.ring ? 0 : -ENOMEM;
}

int uroce_wire_ready_to_receive(struct uroce_wire_qp *qp, const struct uroce_wire_rtr *rtr)
{
	uint32_t jobs_max = rtr->jobs < UROCE_WIRE_JOBS_MAX ? rtr->jobs : UROCE_WIRE_JOBS_MAX;
	struct uroce_job *jobs = NULL;

	if (jobs_max && qp->service == UROCE_SERVICE_RC) {
		jobs = calloc(jobs_max, sizeof(*jobs));
		if (!jobs)
			return -ENOMEM;
	}
	free(qp->resp.jobs);
	qp->resp = (struct uroce_responder){.psn = rtr->psn & UROCE_PSN_MASK,
					    .rnr_timer = rtr->rnr_timer & UROCE_SYNDROME_VALUE,
					    .jobs = jobs,
					    .jobs_max = jobs ? jobs_max : 0,
					    .is_ready = true};
	qp->dest_qpn = rtr->dest_qpn;
	qp->qkey = rtr->qkey;
	qp->pkey = rtr->pkey;
	qp->mtu = rtr->mtu;
	qp->is_stopped = false;
	return 0;
}

void uroce_wire_ready_to_send(struct uroce_wire_qp *qp, const struct uroce_wire_rts *rts)
{
	struct uroce_requester *req = &qp->req;

	req->una = req->psn = req->end = rts->psn & UROCE_PSN_MASK;
	req->chunk = UROCE_WINDOW_LIMIT / 3 / uroce_window_cost(qp->mtu);
	req->ack_deadline = req->rnr_deadline = UROCE_WIRE_NEVER;
	uroce_wire_change(qp, rts);
	req->is_ready = true;
}

void uroce_wire_change(struct uroce_wire_qp *qp, const struct uroce_wire_rts *rts)
{
	struct uroce_requester *req = &qp->req;

	req->reads_max = rts->reads < UROCE_WIRE_JOBS_MAX ? rts->reads : UROCE_WIRE_JOBS_MAX;
	req->retry_max = rts->retry_count;
	req->rnr_max = rts->rnr_retry;
	/* IBA 9.7.6.1.3: 4.096 us * 2^t; 0 is for ever. */
	req->timeout_ns = rts->timeout ? UINT64_C(4096) << (rts->timeout & 31) : 0;
}

void uroce_wire_stop(struct uroce_wire_qp *qp)
{
	struct uroce_requester *req = &qp->req;

	uroce_window_give(qp->tx, &req->tx_cost, req->tx_cost);
	uroce_window_give(qp->rx, &req->rx_cost, req->rx_cost);
	qp->req = (struct uroce_requester){.ring = req->ring, .size = req->size};
	qp->resp = (struct uroce_responder){.jobs = qp->resp.jobs};
	qp->is_stopped = true;
}

void uroce_wire_free(struct uroce_wire_qp *qp)
{
	uroce_wire_stop(qp);
	free(qp->req.ring);
	free(qp->resp.jobs);
	qp->req.ring = NULL;
	qp->resp.jobs = NULL;
}

struct uroce_request *uroce_wire_add(struct uroce_wire_qp *qp)
{
	struct uroce_requester *req = &qp->req;
	struct uroce_request *request;

	if (req->tail - req->head >= req->size)
		return NULL;
	request = uroce_request_at(req, req->tail++);
	*request = (struct uroce_request){0};
	return request;
}

/* IBA 10.9.3: the lower 15 bits are equal, and one of the two is a full member. */
static bool pkeys_match(uint16_t mine, uint16_t theirs)
{
	return ((mine ^ theirs) & 0x7fff) == 0 && ((mine | theirs) & 0x8000);
}

void uroce_wire_receive(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			const uint8_t *grh, uint64_t now)
{
	unsigned int flags = uroce_op_flags(packet->opcode);

	uroce_count(qp, UROCE_COUNT_RECEIVED_PACKETS);
	/* IBA 9.6.1.1.3, 9.6.1.2: what is not of this QP's service is dropped in silence. */
	if (qp->is_stopped || !qp->resp.is_ready || !flags ||
	    uroce_service(packet->opcode) != qp->service || packet->qpn != qp->qpn) {
		uroce_count(qp, UROCE_COUNT_DROP_STATE);
	} else if (!pkeys_match(qp->pkey, packet->pkey)) {
		uroce_count(qp, UROCE_COUNT_DROP_PKEY);
	} else if (qp->service == UROCE_SERVICE_UD) {
		uroce_responder_datagram(qp, packet, grh);
	} else if (flags & UROCE_IS_RESPONSE) {
		uroce_requester_response(qp, packet, now);
	} else {
		uroce_responder_request(qp, packet);
	}
}

void uroce_wire_settle(struct uroce_wire_qp *qp)
{
	if (!uroce_is_settled(qp, false) && !qp->is_stopped)
		uroce_responder_unsettled(qp);
	if (!uroce_is_settled(qp, true) && !qp->is_stopped)
		uroce_requester_unsettled(qp);
}

uint64_t uroce_wire_run(struct uroce_wire_qp *qp, uint64_t now)
{
	uint64_t deadline;
	bool all_answered;

	if (qp->is_stopped)
		return UROCE_WIRE_NEVER;
	all_answered = uroce_responder_run(qp);
	if (!qp->is_stopped && qp->req.is_ready)
		uroce_requester_timers(qp, now);
	if (qp->is_stopped || !qp->req.is_ready)
		return qp->is_stopped || all_answered ? UROCE_WIRE_NEVER : now;
	deadline = uroce_requester_run(qp, now);
	return all_answered || qp->is_stopped ? deadline : now;
}
