/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The responder's answers (IBA vol. 1, 9.7.5.1): data of READs, results of atomics, ACKs and NAKs, in order. */
#include "providers/uroce/wire/answer.h"

#include <string.h>

enum { FRAMES_OF_RUN = 64 };

void uroce_answer(struct uroce_wire_qp *qp, uint8_t syndrome, uint32_t psn)
{
	struct uroce_responder *resp = &qp->resp;

	/* IBA 9.7.5.1.2: one for all up to that PSN. Nothing follows a NAK that ends the connection. */
	if (resp->is_answer_fatal)
		return;
	resp->is_answer_due = true;
	resp->syndrome = syndrome;
	resp->answer_psn = psn;
}

void uroce_answer_fatal(struct uroce_wire_qp *qp, uint8_t syndrome, enum uroce_wire_fault fault)
{
	struct uroce_responder *resp = &qp->resp;

	if (resp->is_answer_fatal)
		return;
	uroce_count(qp, syndrome == UROCE_NAK_REMOTE_ACCESS ? UROCE_COUNT_REMOTE_ACCESS
							    : UROCE_COUNT_INVALID_REQUEST);
	uroce_answer(qp, syndrome, resp->psn);
	resp->is_answer_fatal = true;
	resp->fault = fault;
}

/* --- what is remembered ---------------------------------------------------------------------------- */

/*
 * False: the peer waits for the first answer of what has this place, and asked for more than was agreed on. It may be
 * due once more, for a repeated request, when the peer had the first answer by then: nobody waits for it.
 */
static bool free_slot(struct uroce_responder *resp, uint32_t slot)
{
	uint32_t at = 0;

	while (at < resp->todo_count && resp->todo[at] != slot)
		at++;
	if (at == resp->todo_count)
		return true;
	if (!resp->jobs[slot].was_answered)
		return false;
	resp->todo_count--;
	memmove(resp->todo + at, resp->todo + at + 1, resp->todo_count - at);
	return true;
}

struct uroce_job *uroce_job_new(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
				uint32_t packets)
{
	struct uroce_responder *resp = &qp->resp;
	uint32_t slot = resp->next_job;
	struct uroce_job *job = &resp->jobs[slot];

	if (!resp->jobs_max || !free_slot(resp, slot))
		return NULL;
	*job = (struct uroce_job){.is_used = true,
				  .first_psn = packet->psn,
				  .packets = packets,
				  .va = packet->va,
				  .rkey = packet->rkey,
				  .length = packet->length};
	resp->next_job = (slot + 1) % resp->jobs_max;
	resp->todo[resp->todo_count++] = (uint8_t)slot;
	return job;
}

static struct uroce_job *job_with(struct uroce_responder *resp, uint32_t psn)
{
	for (uint32_t i = 0; i < resp->jobs_max; i++) {
		struct uroce_job *job = &resp->jobs[i];
		int32_t index = uroce_psn_diff(psn, job->first_psn);

		if (job->is_used && index >= 0 && (uint32_t)index < job->packets)
			return job;
	}
	return NULL;
}

/*
 * IBA 9.7.5.1.5, 9.7.5.2.5: a READ may be repeated from any of its packets on; it is executed anew. The range is
 * the one that was allowed before, or a part of it. The result of an atomic is the one that was given before.
 */
static bool is_repeated(const struct uroce_wire_qp *qp, const struct uroce_job *job,
			const struct uroce_packet *packet, uint32_t index)
{
	uint64_t skipped = (uint64_t)index * qp->mtu;

	if (job->is_atomic)
		return uroce_op(packet->opcode) != UROCE_OP_READ_REQUEST && index == 0;
	return uroce_op(packet->opcode) == UROCE_OP_READ_REQUEST && packet->rkey == job->rkey &&
	       packet->va == job->va + skipped && packet->length <= job->length - skipped &&
	       uroce_packets_of(packet->length, qp->mtu) <= job->packets - index;
}

void uroce_job_again(struct uroce_wire_qp *qp, const struct uroce_packet *packet)
{
	struct uroce_responder *resp = &qp->resp;
	struct uroce_job *job = job_with(resp, packet->psn);
	uint32_t index, count = 0;

	if (!job) {
		uroce_count(qp, UROCE_COUNT_DROP_DUPLICATE);
		return;
	}
	index = (uint32_t)uroce_psn_diff(packet->psn, job->first_psn);
	if (!is_repeated(qp, job, packet, index)) {
		uroce_count(qp, UROCE_COUNT_DROP_DUPLICATE);
		return;
	}
	/* The peer went back: it asks for all that follows once more. */
	while (count < resp->todo_count &&
	       uroce_psn_diff(resp->jobs[resp->todo[count]].first_psn, job->first_psn) < 0)
		count++;
	resp->todo[count++] = (uint8_t)(job - resp->jobs);
	resp->todo_count = count;
	job->from = job->next = index;
}

/* --- sending --------------------------------------------------------------------------------------- */

static enum uroce_op read_opcode(const struct uroce_job *job)
{
	bool is_first = job->next == job->from, is_last = job->next + 1 == job->packets;

	if (is_first)
		return is_last ? UROCE_OP_READ_ONLY : UROCE_OP_READ_FIRST;
	return is_last ? UROCE_OP_READ_LAST : UROCE_OP_READ_MIDDLE;
}

static void begin_answer(const struct uroce_wire_qp *qp, enum uroce_op op, uint32_t psn,
			 struct uroce_packet *ret)
{
	*ret = (struct uroce_packet){.opcode = uroce_opcode(UROCE_SERVICE_RC, op),
				     .pkey = qp->pkey,
				     .qpn = qp->dest_qpn,
				     .psn = psn,
				     .syndrome = UROCE_ACK_NO_CREDITS,
				     .msn = qp->resp.msn};
}

static void send_built(struct uroce_wire_qp *qp, uint8_t *frame, size_t size)
{
	qp->calls->send(qp->user, frame, size, UROCE_NO_POSITION);
	uroce_count(qp, UROCE_COUNT_SENT_PACKETS);
}

/* False: no frame. */
static bool answer_read(struct uroce_wire_qp *qp, struct uroce_job *job)
{
	uint32_t bytes = uroce_packet_bytes(job->length, qp->mtu, job->next);
	uint64_t at = job->va + (uint64_t)job->next * qp->mtu;
	uint8_t *frame = qp->calls->frame(qp->user);
	struct uroce_packet packet;
	size_t size;

	if (!frame)
		return false;
	begin_answer(qp, read_opcode(job), uroce_psn_add(job->first_psn, job->next), &packet);
	packet.payload_size = bytes;
	size = uroce_headers_build(&packet, frame);
	if (bytes && !qp->calls->read(qp->user, job->rkey, at, frame + size, bytes)) {
		/* It was allowed, and is no more (IBA 9.7.5.2.4). */
		qp->resp.todo_count = 0;
		uroce_answer_fatal(qp, UROCE_NAK_REMOTE_ACCESS, UROCE_WIRE_FAULT_ACCESS);
		qp->resp.answer_psn = packet.psn;
		return true;
	}
	memset(frame + size + bytes, 0, uroce_pad(bytes));
	send_built(qp, frame, size + bytes + uroce_pad(bytes));
	job->next++;
	return true;
}

static bool answer_atomic(struct uroce_wire_qp *qp, struct uroce_job *job)
{
	uint8_t *frame = qp->calls->frame(qp->user);
	struct uroce_packet packet;

	if (!frame)
		return false;
	begin_answer(qp, UROCE_OP_ATOMIC_ACK, job->first_psn, &packet);
	packet.original = job->original;
	send_built(qp, frame, uroce_headers_build(&packet, frame));
	job->next = job->packets;
	return true;
}

/* One request may ask for 2 GiB: others have their turn between. False: there is more to send. */
static bool answer_jobs(struct uroce_wire_qp *qp)
{
	struct uroce_responder *resp = &qp->resp;

	for (unsigned int frames = 0; resp->todo_count; frames++) {
		struct uroce_job *job = &resp->jobs[resp->todo[0]];

		if (frames == FRAMES_OF_RUN)
			return false;
		if (!(job->is_atomic ? answer_atomic(qp, job) : answer_read(qp, job)))
			return false;
		if (resp->todo_count && job->next == job->packets) {
			job->was_answered = true;
			memmove(resp->todo, resp->todo + 1, --resp->todo_count);
		}
	}
	return true;
}

bool uroce_responder_run(struct uroce_wire_qp *qp)
{
	struct uroce_responder *resp = &qp->resp;
	struct uroce_packet packet;
	uint8_t *frame;

	if (!answer_jobs(qp))
		return false;
	if (!resp->is_answer_due)
		return true;
	frame = qp->calls->frame(qp->user);
	if (!frame)
		return false;
	begin_answer(qp, UROCE_OP_ACK, resp->answer_psn, &packet);
	packet.syndrome = resp->syndrome;
	send_built(qp, frame, uroce_headers_build(&packet, frame));
	resp->is_answer_due = false;
	if (resp->is_answer_fatal) {
		resp->is_ready = false;
		qp->calls->fault(qp->user, resp->fault);
	}
	return true;
}
