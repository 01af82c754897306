/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the transport of a QP on the wire asks for: frames, memory of this process, and completions. */
#include <string.h>
#include <sys/uio.h>

#include "providers/uroce/wire.h"

enum {
	CQ_TRIES = 50,	/* of a few ms, while who is stopped has its lock */
	ACK_BYTES = 24, /* at most, of a frame that only acknowledges */
	AHEAD_MAX = 16, /* packets whose data is read by one call */
	RELAY_SHARE = 3,
};

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
	if (position != UROCE_NO_POSITION || size > ACK_BYTES)
		link->wire->urgent++;
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

/*
 * The kernel gives packets between two processes of the device to either. Then the sender's hands them over, and
 * that socket's buffer may be the one that is full. False: the destination is another device.
 */
static bool find_relay(const struct uroce_wire_link *link, const struct uroce_socket *from,
		       const union uroce_address *to, uint32_t qpn, union uroce_address *relay)
{
	struct uroce_context *context = link->wire->context;
	struct uroce_shared_qp *shared;
	struct uroce_peer *peer;
	union ibv_gid gid;
	uint32_t port;

	uroce_address_gid(to, &gid);
	if (memcmp(&gid, &from->gid, sizeof(gid)))
		return false;
	peer = uroce_peer_of_qpn(context, qpn, &shared);
	if (!peer || peer->slot == context->slot_index)
		return false;
	port = atomic_load(&context->segment->slots[peer->slot].wire_address);
	*relay = link->wire->relay.address;
	relay->ipv4.sin_port = htons((uint16_t)port);
	return port;
}

static bool pacer_has_room(struct uroce_wire *wire, const union uroce_address *from,
			   const union uroce_address *to, uint32_t cost, uint64_t now)
{
	if (uroce_pacer_asks(wire->pacer, to, cost) && !uroce_batch_flush(&wire->batch))
		return false;
	return uroce_pacer_allows(wire->pacer, from, to, cost, now);
}

static bool wire_has_room(void *user, uint32_t position, uint32_t cost, uint64_t now)
{
	struct uroce_wire_link *link = user;
	struct uroce_wire *wire = link->wire;
	const struct uroce_socket *from = link->from;
	union uroce_address to = link->to, relay;
	uint32_t qpn = link->transport.dest_qpn;

	if (!wire->pacer)
		wire->pacer = uroce_pacer_new(uroce_pacer_ask_kernel);
	if (!wire->pacer)
		return true;
	if (link->transport.service == UROCE_SERVICE_UD) {
		const struct uroce_wqe *wqe = uroce_sq_at(link->qp, position);

		qpn = wqe->dest_qpn;
		uroce_gid_address(&wqe->address.grh.dgid, &wqe->source_gid, &to);
		if (uroce_wire_socket(wire, &wqe->source_gid, &from))
			return true;
	}
	/* A relay also takes what the sender's socket still has: only a share of its buffer is for new packets. */
	if (find_relay(link, from, &to, qpn, &relay) &&
	    !pacer_has_room(wire, &wire->relay.address, &relay, RELAY_SHARE * cost, now))
		return false;
	return pacer_has_room(wire, &from->address, &to, cost, now);
}

/* --- memory of requests to send ------------------------------------------------------------------------ */

/* --- reading ahead: the data of several packets of one message, by one call */

/* Where a middle or last packet's data will lie, `index` frames after the next. */
static uint8_t *payload_place(struct uroce_wire *wire, unsigned int index, uint32_t more_header)
{
	return wire->batch.frames[wire->batch.count + index].bytes + UROCE_BTH_SIZE + more_header;
}

static bool was_read_ahead(struct uroce_wire_link *link, uint64_t key, uint64_t at, const void *to,
			   uint32_t size)
{
	struct uroce_ahead *ahead = &link->wire->ahead;

	if (ahead->next >= ahead->count || ahead->user != link || ahead->key != key ||
	    ahead->at != at || ahead->to[ahead->next] != to || ahead->end - at < size) {
		ahead->count = 0;
		return false;
	}
	ahead->next++;
	ahead->at += size;
	return true;
}

/*
 * `rest` bytes of the message follow from `at` on, of which the first packet has its data at `to`. How many bytes
 * `parts` takes, with *count packets.
 */
static uint64_t plan_ahead(struct uroce_wire_link *link, uint64_t at, void *to, uint64_t rest,
			   uint32_t last_header, struct iovec *parts, size_t *count)
{
	struct uroce_wire *wire = link->wire;
	struct uroce_ahead *ahead = &wire->ahead;
	const uint32_t mtu = link->transport.mtu;
	uint64_t bytes = 0;
	size_t used = 0;

	while (bytes < rest && used < AHEAD_MAX && wire->batch.count + used < UROCE_BATCH) {
		const uint64_t part = rest - bytes < mtu ? rest - bytes : mtu;
		const uint32_t header = bytes + part == rest ? last_header : 0;

		ahead->to[used] = used ? payload_place(wire, (unsigned int)used, header) : to;
		parts[used] = (struct iovec){(void *)(uintptr_t)ahead->to[used], part};
		used++;
		bytes += part;
	}
	ahead->user = link;
	ahead->next = 1;
	ahead->end = at + bytes;
	*count = used;
	return bytes;
}

/* As many bytes of the message as the window takes now, with the packet that is built. */
static uint64_t bytes_that_fit(const struct uroce_wire_qp *transport, uint64_t rest)
{
	const struct uroce_window *window = transport->tx;
	const uint64_t room = window->used < window->limit ? window->limit - window->used : 0;
	const uint64_t fit = room / uroce_window_cost(transport->mtu) * transport->mtu;

	return fit < transport->mtu ? transport->mtu : fit < rest ? fit : rest;
}

static bool gather_request(void *user, uint32_t position, uint32_t offset, void *to, uint32_t size)
{
	struct uroce_wire_link *link = user;
	struct uroce_wqe *wqe = uroce_sq_at(link->qp, position);
	struct iovec all[UROCE_MAX_SGE], part[UROCE_MAX_SGE], own[AHEAD_MAX] = {{to, size}};
	struct uroce_ahead *ahead = &link->wire->ahead;
	size_t entries, count, packets = 1;
	uint64_t rest = wqe->length - offset, bytes = size;

	if (wqe->is_inline) {
		memcpy(to, (const char *)uroce_wqe_inline(link->qp, wqe) + offset, size);
		return true;
	}
	if (was_read_ahead(link, position, offset, to, size))
		return true;
	if (!uroce_gather(link->qp, wqe, 0, all, &entries))
		return false;
	if (rest > size) {
		const bool has_more = wqe->opcode != IBV_WR_SEND &&
				      wqe->opcode != IBV_WR_RDMA_WRITE;
		const uint64_t fit = bytes_that_fit(&link->transport, rest);

		/* Where not all fits no packet of these is the last. */
		bytes = plan_ahead(link, offset, to, fit, has_more && fit == rest ? 4 : 0, own,
				   &packets);
		ahead->key = position;
		ahead->at = offset + size;
	}
	count = uroce_slice(all, entries, offset, bytes, part);
	if (count &&
	    uroce_copy_in(&link->wire->context->own, own, packets, part, count) == UROCE_COPY_OK) {
		ahead->count = (unsigned int)packets;
		return true;
	}
	/* A later part may be what cannot be accessed. */
	ahead->count = 0;
	count = uroce_slice(all, entries, offset, size, part);
	own[0].iov_len = size;
	return packets > 1 && count &&
	       uroce_copy_in(&link->wire->context->own, own, 1, part, count) == UROCE_COPY_OK;
}

static bool settle_copies(void *user, bool is_answer)
{
	struct uroce_wire_link *link = user;

	return uroce_inbox_settle(link->wire->inbox, is_answer);
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
	return uroce_inbox_copy(link->wire->inbox, true, from, size, part,
				uroce_slice(all, count, offset, size, part));
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
	if (status)
		uroce_inbox_finish(link->wire->inbox);
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
	return uroce_inbox_copy(link->wire->inbox, false, from, size, part,
				uroce_slice(all, recv->num_sge, offset, size, part))
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
	/* After an error the memory is the program's. */
	if (received->status)
		uroce_inbox_finish(link->wire->inbox);
	for (int i = 0; i < CQ_TRIES; i++)
		if (uroce_recv_done_own(link->qp, &cqe) != UROCE_CQ_BUSY)
			return;
	/* The completion is lost, and the program is told. */
	uroce_target_own(link->qp, &target);
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
	struct uroce_wire_link *link = user;
	struct iovec to = {.iov_len = size};
	uint64_t address;

	if (!find_memory(link, rkey, va, size, IBV_ACCESS_REMOTE_WRITE, &address))
		return false;
	to.iov_base = (void *)(uintptr_t)address;
	return uroce_inbox_copy(link->wire->inbox, false, from, size, &to, 1);
}

static bool read_for_peer(void *user, uint32_t rkey, uint64_t va, void *to, uint32_t size)
{
	struct uroce_wire_link *link = user;
	struct iovec from = {.iov_len = size}, own[AHEAD_MAX] = {{to, size}};
	const struct uroce_responder *resp = &link->transport.resp;
	const struct uroce_job *job = &resp->jobs[resp->todo[0]];
	struct uroce_ahead *ahead = &link->wire->ahead;
	size_t packets = 1;
	uint64_t address, rest = job->va + job->length - va;

	if (was_read_ahead(link, (uint64_t)rkey << 32, va, to, size))
		return true;
	if (!find_memory(link, rkey, va, size, IBV_ACCESS_REMOTE_READ, &address))
		return false;
	from.iov_base = (void *)(uintptr_t)address;
	if (rest > size &&
	    find_memory(link, rkey, va, (uint32_t)rest, IBV_ACCESS_REMOTE_READ, &address)) {
		from.iov_len = plan_ahead(link, va, to, rest, 4, own, &packets);
		ahead->key = (uint64_t)rkey << 32;
		ahead->at = va + size;
	}
	if (uroce_copy_in(&link->wire->context->own, own, packets, &from, 1) == UROCE_COPY_OK) {
		ahead->count = (unsigned int)packets;
		return true;
	}
	ahead->count = 0;
	own[0].iov_len = from.iov_len = size;
	return packets > 1 &&
	       uroce_copy_in(&link->wire->context->own, own, 1, &from, 1) == UROCE_COPY_OK;
}

static enum uroce_atomic_result do_remote_atomic(void *user, uint32_t rkey, uint64_t va,
						 const struct uroce_packet *packet,
						 uint64_t *original)
{
	struct uroce_wire_link *link = user;
	bool is_add = uroce_op(packet->opcode) == UROCE_OP_FETCH_ADD;
	struct uroce_target target;
	uint64_t address;

	if (!find_memory(link, rkey, va, 8, IBV_ACCESS_REMOTE_ATOMIC, &address))
		return UROCE_ATOMIC_DENIED;
	uroce_target_own(link->qp, &target);
	switch (uroce_atomic(&target, address, !is_add, is_add ? packet->swap_add : packet->compare,
			     packet->swap_add, original)) {
	case UROCE_COPY_OK:
		return UROCE_ATOMIC_DONE;
	case UROCE_COPY_BUSY:
		return UROCE_ATOMIC_BUSY;
	default:
		return UROCE_ATOMIC_DENIED;
	}
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
	.has_room = wire_has_room,
	.gather = gather_request,
	.scatter = scatter_request,
	.settle = settle_copies,
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
