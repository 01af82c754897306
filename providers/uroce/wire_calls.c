/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the transport of a QP on the wire asks for: frames, memory of this process, and completions. */
#include <string.h>
#include <sys/uio.h>

#include "providers/uroce/wire.h"

enum { CQ_TRIES = 50 }; /* of a few ms, while who is stopped has its lock */

/* --- frames ------------------------------------------------------------------------------------------- */

static uint8_t *take_frame(void *user)
{
	struct uroce_wire_link *link = user;
	struct uroce_frame *frame = uroce_batch_next(&link->wire->batch);

	return frame ? frame->bytes : NULL;
}

static void add_frame(void *user, uint8_t *bytes, size_t size, uint32_t position)
{
	struct uroce_wire_link *link = user;
	struct uroce_batch *batch = &link->wire->batch;
	struct uroce_frame *frame = &batch->frames[batch->count];

	(void)bytes;
	frame->size = size;
	frame->from = link->from;
	frame->to = link->to;
	if (link->transport.service == UROCE_SERVICE_UD) {
		const struct uroce_wqe *wqe = uroce_sq_at(link->qp, position);

		uroce_gid_address(&wqe->address.grh.dgid, &wqe->source_gid, &frame->to);
		if (uroce_wire_socket(link->wire, &wqe->source_gid, &frame->from))
			return; /* as if it were lost */
	}
	batch->count++;
}

/* --- memory of requests to send ------------------------------------------------------------------------ */

/* The part of a scatter list that begins at `offset`. How many entries of `ret`. */
static size_t slice(const struct iovec *iov, size_t count, uint64_t offset, uint64_t size,
		    struct iovec *ret)
{
	size_t used = 0;

	for (size_t i = 0; i < count && size; i++) {
		uint64_t part = iov[i].iov_len;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		part -= offset;
		part = part < size ? part : size;
		ret[used++] = (struct iovec){(char *)iov[i].iov_base + offset, part};
		offset = 0;
		size -= part;
	}
	return size ? 0 : used;
}

static bool gather_request(void *user, uint32_t position, uint32_t offset, void *to, uint32_t size)
{
	struct uroce_wire_link *link = user;
	struct uroce_wqe *wqe = uroce_sq_at(link->qp, position);
	struct iovec all[UROCE_MAX_SGE], part[UROCE_MAX_SGE];
	const struct iovec own = {to, size};
	size_t count;

	if (wqe->is_inline) {
		memcpy(to, (const char *)uroce_wqe_inline(link->qp, wqe) + offset, size);
		return true;
	}
	if (!uroce_gather(link->qp, wqe, 0, all, &count))
		return false;
	count = slice(all, count, offset, size, part);
	return count &&
	       uroce_copy_in(&link->wire->context->own, &own, 1, part, count) == UROCE_COPY_OK;
}

/* The keys were checked: into memory of ours. */
static bool copy_to_own(struct uroce_wire_link *link, const void *from, uint32_t size,
			const struct iovec *to, size_t count)
{
	const struct iovec own = {(void *)(uintptr_t)from, size};

	return count &&
	       uroce_copy_out(&link->wire->context->own, &own, 1, to, count) == UROCE_COPY_OK;
}

static bool scatter_request(void *user, uint32_t position, uint32_t offset, const void *from,
			    uint32_t size)
{
	struct uroce_wire_link *link = user;
	struct uroce_wqe *wqe = uroce_sq_at(link->qp, position);
	struct iovec all[UROCE_MAX_SGE], part[UROCE_MAX_SGE];
	size_t count;

	if (!uroce_gather(link->qp, wqe, IBV_ACCESS_LOCAL_WRITE, all, &count))
		return false;
	return copy_to_own(link, from, size, part, slice(all, count, offset, size, part));
}

static enum ibv_wc_status do_local(void *user, uint32_t position)
{
	struct uroce_wire_link *link = user;
	struct uroce_wqe *wqe = uroce_sq_at(link->qp, position);

	if (link->transport.service == UROCE_SERVICE_UD)
		return (enum ibv_wc_status)uroce_send_datagram(link->qp, wqe);
	return (enum ibv_wc_status)uroce_execute_local(link->qp, wqe);
}

static void wire_request_done(void *user, uint32_t position, enum ibv_wc_status status,
			      uint32_t length)
{
	struct uroce_wire_link *link = user;

	(void)position;
	uroce_send_done(link->qp, status, length);
}

/* --- the receive queue ---------------------------------------------------------------------------------- */

static int take_receive_request(void *user)
{
	struct uroce_wire_link *link = user;
	struct uroce_target target;
	struct uroce_shared_rq *rq;
	int err;

	uroce_target_own(link->qp, &target);
	rq = uroce_recv_lock(&target);
	if (!rq)
		return ENOENT;
	err = uroce_recv_peek(&target, rq, &link->recv);
	if (!err)
		uroce_recv_pop(&target, rq);
	uroce_recv_unlock(&target, rq);
	return err;
}

static enum uroce_place place_received(void *user, uint32_t offset, const void *from, uint32_t size)
{
	struct uroce_wire_link *link = user;
	const struct uroce_recv *recv = &link->recv;
	struct iovec all[UROCE_MAX_SGE], part[UROCE_MAX_SGE];

	if (recv->bad)
		return UROCE_PLACE_DENIED;
	if (offset > recv->length || size > recv->length - offset)
		return UROCE_PLACE_TOO_LONG;
	for (uint32_t i = 0; i < recv->num_sge; i++)
		all[i] = (struct iovec){(void *)(uintptr_t)recv->sge[i].address,
					recv->sge[i].length};
	return copy_to_own(link, from, size, part, slice(all, recv->num_sge, offset, size, part))
		       ? UROCE_PLACED
		       : UROCE_PLACE_DENIED;
}

static void complete_received(void *user, const struct uroce_received *received)
{
	struct uroce_wire_link *link = user;
	struct uroce_target target;
	struct uroce_cqe cqe = {
		.wr_id = link->recv.wr_id,
		.status = received->status,
		.opcode = received->is_write ? IBV_WC_RECV_RDMA_WITH_IMM : IBV_WC_RECV,
		.byte_len = received->length,
		.src_qp = received->source_qpn,
		.solicited = received->is_solicited,
	};

	if (received->has_imm || received->invalidated)
		cqe.imm = received->imm;
	cqe.wc_flags = (received->has_imm ? IBV_WC_WITH_IMM : 0U) |
		       (received->invalidated ? IBV_WC_WITH_INV : 0U);
	if (link->transport.service == UROCE_SERVICE_UD) {
		cqe.wc_flags |= IBV_WC_GRH;
		cqe.sl = link->is_from_ipv6 ? UROCE_PACKET_IPV6 : UROCE_PACKET_IPV4;
	} else {
		cqe.src_qp = link->transport.dest_qpn;
	}
	uroce_target_own(link->qp, &target);
	for (int i = 0; i < CQ_TRIES; i++)
		if (uroce_recv_done(&target, NULL, &cqe) != UROCE_CQ_BUSY)
			return;
	/* The completion is lost, and the program is told. */
	uroce_target_fault(&target, UROCE_FAULT_CQ);
}

/* --- what the peer may access ---------------------------------------------------------------------------- */

static bool find_memory(struct uroce_wire_link *link, uint32_t rkey, uint64_t va, uint32_t length,
			int access, uint64_t *address)
{
	struct uroce_target target;
	struct uroce_key use = {.access = (uint32_t)access};

	uroce_target_own(link->qp, &target);
	use.pd = target.pd;
	use.qpn = target.number;
	return (target.access & use.access) == use.access &&
	       uroce_key_check(link->wire->context->arena, rkey, va, length, &use, address);
}

static bool is_allowed(void *user, uint32_t rkey, uint64_t va, uint32_t length, int access)
{
	uint64_t address;

	return find_memory(user, rkey, va, length, access, &address);
}

static bool write_memory(void *user, uint32_t rkey, uint64_t va, const void *from, uint32_t size)
{
	struct iovec to = {.iov_len = size};
	uint64_t address;

	if (!find_memory(user, rkey, va, size, IBV_ACCESS_REMOTE_WRITE, &address))
		return false;
	to.iov_base = (void *)(uintptr_t)address;
	return copy_to_own(user, from, size, &to, 1);
}

static bool read_for_peer(void *user, uint32_t rkey, uint64_t va, void *to, uint32_t size)
{
	struct uroce_wire_link *link = user;
	struct iovec from = {.iov_len = size}, own = {to, size};
	uint64_t address;

	if (!find_memory(link, rkey, va, size, IBV_ACCESS_REMOTE_READ, &address))
		return false;
	from.iov_base = (void *)(uintptr_t)address;
	return uroce_copy_in(&link->wire->context->own, &own, 1, &from, 1) == UROCE_COPY_OK;
}

static bool do_remote_atomic(void *user, uint32_t rkey, uint64_t va,
			     const struct uroce_packet *packet, uint64_t *original)
{
	struct uroce_wire_link *link = user;
	bool is_add = uroce_op(packet->opcode) == UROCE_OP_FETCH_ADD;
	struct uroce_target target;
	uint64_t address;

	if (!find_memory(link, rkey, va, 8, IBV_ACCESS_REMOTE_ATOMIC, &address))
		return false;
	uroce_target_own(link->qp, &target);
	return uroce_atomic(&target, address, !is_add, is_add ? packet->swap_add : packet->compare,
			    packet->swap_add, original) == UROCE_COPY_OK;
}

static bool invalidate_for_peer(void *user, uint32_t rkey)
{
	struct uroce_wire_link *link = user;
	struct uroce_target target;

	uroce_target_own(link->qp, &target);
	return uroce_key_invalidate(link->wire->context->arena, rkey, target.pd, target.number);
}

static void note_established(void *user)
{
	struct uroce_wire_link *link = user;
	struct uroce_target target;

	uroce_target_own(link->qp, &target);
	uroce_target_established(&target);
}

static void take_fault(void *user, enum uroce_wire_fault fault)
{
	static const enum uroce_fault faults[] = {
		[UROCE_WIRE_FAULT_REQUEST] = UROCE_FAULT_REQUEST,
		[UROCE_WIRE_FAULT_ACCESS] = UROCE_FAULT_ACCESS,
		[UROCE_WIRE_FAULT_LOCAL] = UROCE_FAULT_LOCAL,
	};
	struct uroce_wire_link *link = user;
	struct uroce_target target;

	uroce_target_own(link->qp, &target);
	uroce_target_fault(&target, faults[fault]);
	uroce_qp_check(link->qp);
}

const struct uroce_wire_calls uroce_wire_calls = {
	.frame = take_frame,
	.send = add_frame,
	.gather = gather_request,
	.scatter = scatter_request,
	.local = do_local,
	.sent = wire_request_done,
	.take = take_receive_request,
	.place = place_received,
	.received = complete_received,
	.allowed = is_allowed,
	.write = write_memory,
	.read = read_for_peer,
	.atomic = do_remote_atomic,
	.invalidate = invalidate_for_peer,
	.established = note_established,
	.fault = take_fault,
};
