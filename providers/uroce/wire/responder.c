/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The responder (IBA vol. 1, 9.6, 9.7.4, 9.8.2, 9.9.3): requests are checked before anything is touched. */
#include "providers/uroce/wire/responder.h"

#include <errno.h>

#include "providers/uroce/wire/answer.h"

/* What is wrong with a request; the reaction depends on the service. */
enum verdict {
	VERDICT_OK,
	VERDICT_INVALID,   /* NAK: invalid request */
	VERDICT_ACCESS,	   /* NAK: remote access */
	VERDICT_OPERATION, /* NAK: remote operational error; the receive request says why */
	VERDICT_NOT_READY, /* RNR NAK */
	VERDICT_TOO_LONG,  /* the receive request is too small */
	VERDICT_BUSY,	   /* as if the packet were lost: the peer tries again */
};

static bool has_receive(struct uroce_wire_qp *qp)
{
	struct uroce_responder *resp = &qp->resp;

	if (!resp->has_receive)
		resp->has_receive = qp->calls->take(qp->user) == 0;
	return resp->has_receive;
}

static void complete_receive(struct uroce_wire_qp *qp, enum ibv_wc_status status,
			     const struct uroce_packet *packet, uint32_t length)
{
	unsigned int flags = uroce_op_flags(packet->opcode);
	struct uroce_received received = {.status = status,
					  .is_write = flags & UROCE_IS_WRITE,
					  .has_imm = flags & UROCE_HAS_IMM,
					  .invalidated = flags & UROCE_HAS_IETH,
					  .is_solicited = packet->is_solicited,
					  .imm = flags & UROCE_HAS_IETH ? packet->invalidate
									: packet->imm,
					  .length = length,
					  .source_qpn = packet->source_qpn};

	qp->resp.has_receive = false;
	qp->calls->received(qp->user, &received);
}

/* --- what a packet must be like ------------------------------------------------------------------ */

/* IBA 9.7.4.1.2 and table 41: which opcode may follow which. */
static bool is_in_order(const struct uroce_responder *resp, unsigned int flags)
{
	if (flags & UROCE_IS_FIRST)
		return resp->message == UROCE_MESSAGE_NONE;
	return resp->message == (flags & UROCE_IS_SEND ? UROCE_MESSAGE_SEND : UROCE_MESSAGE_WRITE);
}

/* IBA 9.7.4.1.6: FIRST and MIDDLE are full, LAST is not empty, none is more than full. */
static bool has_right_size(const struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			   unsigned int flags)
{
	if (!(flags & UROCE_IS_LAST))
		return packet->payload_size == qp->mtu;
	return packet->payload_size <= qp->mtu && (packet->payload_size || flags & UROCE_IS_FIRST);
}

/* --- SEND and WRITE ------------------------------------------------------------------------------- */

static enum verdict take_send(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			      unsigned int flags)
{
	struct uroce_responder *resp = &qp->resp;

	if (flags & UROCE_IS_FIRST) {
		if (!has_receive(qp))
			return VERDICT_NOT_READY;
		resp->offset = 0;
	}
	if (packet->payload_size) {
		switch (qp->calls->place(qp->user, resp->offset, packet->payload,
					 packet->payload_size)) {
		case UROCE_PLACED:
			break;
		case UROCE_PLACE_TOO_LONG:
			return VERDICT_TOO_LONG;
		default:
			return VERDICT_OPERATION;
		}
	}
	if (flags & UROCE_IS_LAST && !uroce_is_settled(qp, false))
		return VERDICT_OPERATION;
	resp->offset += packet->payload_size;
	/* IBA 9.4.1.1.3: the key goes before the completion tells. */
	if (flags & UROCE_HAS_IETH && !qp->calls->invalidate(qp->user, packet->invalidate))
		return VERDICT_ACCESS;
	return VERDICT_OK;
}

/* IBA 9.7.4.1.5, 9.4.3: the whole range at once, with the first packet. */
static enum verdict begin_write(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
				unsigned int flags)
{
	struct uroce_responder *resp = &qp->resp;

	if (packet->length > INT32_MAX + 1u)
		return VERDICT_INVALID;
	if (flags & UROCE_IS_LAST ? packet->payload_size != packet->length
				  : packet->length <= qp->mtu)
		return VERDICT_INVALID;
	if (!qp->calls->allowed(qp->user, packet->rkey, packet->va, packet->length,
				IBV_ACCESS_REMOTE_WRITE))
		return VERDICT_ACCESS;
	resp->va = packet->va;
	resp->rkey = packet->rkey;
	resp->length = packet->length;
	resp->offset = 0;
	return VERDICT_OK;
}

static enum verdict take_write(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			       unsigned int flags)
{
	struct uroce_responder *resp = &qp->resp;
	enum verdict verdict = VERDICT_OK;

	if (flags & UROCE_IS_FIRST)
		verdict = begin_write(qp, packet, flags);
	if (verdict != VERDICT_OK)
		return verdict;
	if (packet->payload_size > resp->length - resp->offset)
		return VERDICT_INVALID;
	if (flags & UROCE_IS_LAST && packet->payload_size != resp->length - resp->offset)
		return VERDICT_INVALID;
	if (flags & UROCE_HAS_IMM && !has_receive(qp))
		return VERDICT_NOT_READY;
	/* The key is looked up each time: it may be gone since. */
	if (packet->payload_size && !qp->calls->write(qp->user, resp->rkey, resp->va + resp->offset,
						      packet->payload, packet->payload_size))
		return VERDICT_ACCESS;
	if (flags & UROCE_IS_LAST && !uroce_is_settled(qp, false))
		return VERDICT_ACCESS;
	resp->offset += packet->payload_size;
	return VERDICT_OK;
}

/* Executes a packet of a message, and completes the message with its last one. */
static void message_advances(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			     unsigned int flags)
{
	struct uroce_responder *resp = &qp->resp;

	resp->psn = uroce_psn_add(resp->psn, 1);
	if (!(flags & UROCE_IS_LAST)) {
		resp->message = flags & UROCE_IS_SEND ? UROCE_MESSAGE_SEND : UROCE_MESSAGE_WRITE;
		return;
	}
	resp->message = UROCE_MESSAGE_NONE;
	resp->msn = uroce_psn_add(resp->msn, 1);
	if (flags & (UROCE_IS_SEND | UROCE_HAS_IMM))
		complete_receive(qp, IBV_WC_SUCCESS, packet, resp->offset);
}

/* --- READ and atomics ------------------------------------------------------------------------------ */

static enum verdict take_read(struct uroce_wire_qp *qp, const struct uroce_packet *packet)
{
	struct uroce_responder *resp = &qp->resp;
	uint32_t packets = uroce_packets_of(packet->length, qp->mtu);

	if (packet->length > INT32_MAX + 1u)
		return VERDICT_INVALID;
	if (!qp->calls->allowed(qp->user, packet->rkey, packet->va, packet->length,
				IBV_ACCESS_REMOTE_READ))
		return VERDICT_ACCESS;
	if (!uroce_job_new(qp, packet, packets))
		return VERDICT_INVALID;
	resp->psn = uroce_psn_add(resp->psn, packets);
	resp->msn = uroce_psn_add(resp->msn, 1);
	return VERDICT_OK;
}

static enum verdict take_atomic(struct uroce_wire_qp *qp, const struct uroce_packet *packet)
{
	struct uroce_responder *resp = &qp->resp;
	enum uroce_atomic_result done;
	struct uroce_job *job;

	/* IBA 9.4.5: naturally aligned. */
	if (packet->va % 8)
		return VERDICT_INVALID;
	if (!qp->calls->allowed(qp->user, packet->rkey, packet->va, 8, IBV_ACCESS_REMOTE_ATOMIC))
		return VERDICT_ACCESS;
	job = uroce_job_new(qp, packet, 1);
	if (!job)
		return VERDICT_INVALID;
	job->is_atomic = true;
	done = qp->calls->atomic(qp->user, packet->rkey, packet->va, packet, &job->original);
	if (done != UROCE_ATOMIC_DONE) {
		/* Its place is the next one's again. */
		job->is_used = false;
		resp->todo_count--;
		resp->next_job = (uint32_t)(job - resp->jobs);
		return done == UROCE_ATOMIC_BUSY ? VERDICT_BUSY : VERDICT_ACCESS;
	}
	resp->psn = uroce_psn_add(resp->psn, 1);
	resp->msn = uroce_psn_add(resp->msn, 1);
	return VERDICT_OK;
}

/* --- by service ------------------------------------------------------------------------------------ */

static void mark_established(struct uroce_wire_qp *qp)
{
	if (!qp->resp.was_established)
		qp->calls->established(qp->user);
	qp->resp.was_established = true;
}

static enum verdict judge_request(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
				  unsigned int flags)
{
	enum verdict verdict;

	if (!is_in_order(&qp->resp, flags) || !has_right_size(qp, packet, flags))
		return VERDICT_INVALID;
	if (flags & UROCE_IS_READ)
		return take_read(qp, packet);
	if (flags & UROCE_IS_ATOMIC)
		return take_atomic(qp, packet);
	verdict = flags & UROCE_IS_SEND ? take_send(qp, packet, flags)
					: take_write(qp, packet, flags);
	if (verdict == VERDICT_OK)
		message_advances(qp, packet, flags);
	return verdict;
}

/* IBA 9.9.3.1, table 57: what an RC responder says, and what becomes of its QP. */
static void answer_verdict(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			   enum verdict verdict)
{
	struct uroce_responder *resp = &qp->resp;

	switch (verdict) {
	case VERDICT_OK:
		resp->is_silent = false;
		/* READs and atomics are their own acknowledgement. */
		if (packet->wants_ack &&
		    !(uroce_op_flags(packet->opcode) & (UROCE_IS_READ | UROCE_IS_ATOMIC)))
			uroce_answer(qp, UROCE_ACK_NO_CREDITS,
				     uroce_psn_add(resp->psn, UROCE_PSN_MASK));
		break;
	case VERDICT_NOT_READY:
		uroce_count(qp, UROCE_COUNT_SENT_RNR);
		uroce_answer(qp, UROCE_RNR_NAK | resp->rnr_timer, resp->psn);
		resp->is_silent = true;
		break;
	case VERDICT_BUSY:
		uroce_count(qp, UROCE_COUNT_DROP_BUSY);
		break;
	case VERDICT_INVALID:
		uroce_answer_fatal(qp, UROCE_NAK_INVALID_REQUEST, UROCE_WIRE_FAULT_REQUEST);
		break;
	case VERDICT_ACCESS:
		uroce_answer_fatal(qp, UROCE_NAK_REMOTE_ACCESS, UROCE_WIRE_FAULT_ACCESS);
		break;
	case VERDICT_TOO_LONG:
		uroce_answer_fatal(qp, UROCE_NAK_INVALID_REQUEST, UROCE_WIRE_FAULT_LOCAL);
		complete_receive(qp, IBV_WC_LOC_LEN_ERR, packet, 0);
		break;
	case VERDICT_OPERATION:
		uroce_answer_fatal(qp, UROCE_NAK_REMOTE_OPERATION, UROCE_WIRE_FAULT_LOCAL);
		complete_receive(qp, IBV_WC_LOC_PROT_ERR, packet, 0);
		break;
	}
}

/* IBA 9.7.4.1.1, 9.7.5.1.4: before the expected PSN lies what was executed, behind it a gap. */
static void take_rc(struct uroce_wire_qp *qp, const struct uroce_packet *packet)
{
	struct uroce_responder *resp = &qp->resp;
	unsigned int flags = uroce_op_flags(packet->opcode);
	int32_t ahead = uroce_psn_diff(packet->psn, resp->psn);

	if (resp->is_answer_fatal) {
		uroce_count(qp, UROCE_COUNT_DROP_STATE);
	} else if (ahead > 0) {
		uroce_count(qp, UROCE_COUNT_OUT_OF_SEQUENCE_REQUEST);
		if (!resp->is_silent)
			uroce_answer(qp, UROCE_NAK_SEQUENCE, resp->psn);
		resp->is_silent = true;
	} else if (ahead < 0) {
		uroce_count(qp, UROCE_COUNT_DUPLICATE_REQUEST);
		if (flags & (UROCE_IS_READ | UROCE_IS_ATOMIC))
			uroce_job_again(qp, packet);
		else if (!resp->is_answer_due || !(resp->syndrome & UROCE_SYNDROME_KIND))
			uroce_answer(qp, UROCE_ACK_NO_CREDITS,
				     uroce_psn_add(resp->psn, UROCE_PSN_MASK));
	} else {
		mark_established(qp);
		answer_verdict(qp, packet, judge_request(qp, packet, flags));
	}
}

/* IBA 9.8.2: what cannot be executed is dropped with the rest of its message. */
static void refuse_unreliable(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			      enum verdict verdict)
{
	switch (verdict) {
	case VERDICT_NOT_READY:
	case VERDICT_TOO_LONG:
		uroce_count(qp, UROCE_COUNT_DROP_NO_RECEIVE);
		break;
	case VERDICT_OPERATION:
		/* IBA table 57: a local error of the receive request. */
		complete_receive(qp, IBV_WC_LOC_PROT_ERR, packet, 0);
		if (!qp->is_stopped)
			qp->calls->fault(qp->user, UROCE_WIRE_FAULT_LOCAL);
		return;
	default:
		uroce_count(qp, UROCE_COUNT_INVALID_REQUEST);
		break;
	}
	qp->resp.message = UROCE_MESSAGE_NONE;
	qp->resp.is_skipping = true;
}

static void take_uc(struct uroce_wire_qp *qp, const struct uroce_packet *packet)
{
	struct uroce_responder *resp = &qp->resp;
	enum verdict verdict;
	unsigned int flags = uroce_op_flags(packet->opcode);

	if (packet->psn != resp->psn || flags & UROCE_IS_FIRST) {
		/* A new message begins; if the one before it is not complete, it is lost. */
		if (resp->message != UROCE_MESSAGE_NONE)
			uroce_count(qp, UROCE_COUNT_DROP_MESSAGE);
		resp->message = UROCE_MESSAGE_NONE;
		resp->is_skipping = !(flags & UROCE_IS_FIRST);
	}
	resp->psn = packet->psn;
	if (resp->is_skipping) {
		uroce_count(qp, UROCE_COUNT_OUT_OF_SEQUENCE_REQUEST);
		resp->psn = uroce_psn_add(resp->psn, 1);
		return;
	}
	mark_established(qp);
	verdict = judge_request(qp, packet, flags);
	if (verdict == VERDICT_OK)
		return;
	refuse_unreliable(qp, packet, verdict);
	if (!qp->is_stopped)
		resp->psn = uroce_psn_add(packet->psn, 1);
}

/* Data of the message that has begun, whose last packet did not come yet. */
void uroce_responder_unsettled(struct uroce_wire_qp *qp)
{
	const struct uroce_packet none = {.opcode =
						  uroce_opcode(qp->service, UROCE_OP_SEND_MIDDLE)};
	struct uroce_responder *resp = &qp->resp;
	const enum verdict verdict = resp->message == UROCE_MESSAGE_SEND ? VERDICT_OPERATION
									 : VERDICT_ACCESS;

	if (qp->service == UROCE_SERVICE_RC && !resp->is_answer_fatal)
		answer_verdict(qp, &none, verdict);
	else if (qp->service == UROCE_SERVICE_UC)
		refuse_unreliable(qp, &none, verdict);
}

void uroce_responder_request(struct uroce_wire_qp *qp, const struct uroce_packet *packet)
{
	if (qp->service == UROCE_SERVICE_RC)
		take_rc(qp, packet);
	else
		take_uc(qp, packet);
}

/* IBA 9.6.1.4.1 (Q_Key), 9.8.3, 11.4.1.2: 40 bytes of routing header lie before the data. */
void uroce_responder_datagram(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			      const uint8_t *grh)
{
	enum uroce_place place = UROCE_PLACED;

	if (packet->qkey != qp->qkey) {
		uroce_count(qp, UROCE_COUNT_DROP_QKEY);
		return;
	}
	if (packet->payload_size > qp->mtu || !grh) {
		uroce_count(qp, UROCE_COUNT_INVALID_REQUEST);
		return;
	}
	if (!has_receive(qp)) {
		uroce_count(qp, UROCE_COUNT_DROP_NO_RECEIVE);
		return;
	}
	/* The data first: what does not fit leaves the request as it was. */
	if (packet->payload_size)
		place = qp->calls->place(qp->user, UROCE_GRH_SIZE, packet->payload,
					 packet->payload_size);
	if (place == UROCE_PLACED)
		place = qp->calls->place(qp->user, 0, grh, UROCE_GRH_SIZE);
	if (!uroce_is_settled(qp, false) && place == UROCE_PLACED)
		place = UROCE_PLACE_DENIED;
	if (place == UROCE_PLACED) {
		complete_receive(qp, IBV_WC_SUCCESS, packet, packet->payload_size + UROCE_GRH_SIZE);
	} else if (place == UROCE_PLACE_TOO_LONG) {
		uroce_count(qp, UROCE_COUNT_DROP_NO_RECEIVE);
	} else {
		complete_receive(qp, IBV_WC_LOC_PROT_ERR, packet, 0);
		if (!qp->is_stopped)
			qp->calls->fault(qp->user, UROCE_WIRE_FAULT_LOCAL);
	}
}
