/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One side of a connection for tests of the transport. */
#include "t/unit/uroce_bed.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static uint8_t *bed_frame(void *user)
{
	struct bed_side *side = user;

	if (side->frame_count >= side->frame_limit)
		return NULL;
	assert_true(side->frame_count < BED_FRAMES);
	return side->frames[side->frame_count].bytes;
}

static void bed_send(void *user, uint8_t *frame, size_t size, uint32_t position)
{
	struct bed_side *side = user;

	(void)position;
	assert_ptr_equal(frame, side->frames[side->frame_count].bytes);
	assert_true(size + UROCE_ICRC_SIZE <= UROCE_FRAME_MAX);
	assert_int_equal(size % 4, 0);
	side->frames[side->frame_count++].size = size;
}

static bool bed_gather(void *user, uint32_t position, uint32_t offset, void *to, uint32_t size)
{
	struct bed_side *side = user;

	memcpy(to, side->local[position % BED_REQUESTS] + offset, size);
	return !side->is_local_denied;
}

static bool bed_scatter(void *user, uint32_t position, uint32_t offset, const void *from,
			uint32_t size)
{
	struct bed_side *side = user;

	if (!side->is_local_denied)
		memcpy(side->local[position % BED_REQUESTS] + offset, from, size);
	return !side->is_local_denied;
}

static enum ibv_wc_status bed_local(void *user, uint32_t position)
{
	struct bed_side *side = user;

	(void)position;
	side->locals++;
	return IBV_WC_SUCCESS;
}

static void bed_sent_done(void *user, uint32_t position, enum ibv_wc_status status, uint32_t length)
{
	struct bed_side *side = user;

	assert_true(side->done_count < BED_LOG);
	side->done[side->done_count++] = (struct bed_done){position, status, length};
	if (status != IBV_WC_SUCCESS)
		uroce_wire_stop(&side->qp);
}

static int bed_take(void *user)
{
	struct bed_side *side = user;

	if (side->taken == side->posted)
		return ENOENT;
	side->taken++;
	return 0;
}

static enum uroce_place bed_place(void *user, uint32_t offset, const void *from, uint32_t size)
{
	struct bed_side *side = user;
	uint32_t index = (side->taken - 1) % BED_RECEIVES;

	if (size > side->receives[index].size || offset > side->receives[index].size - size)
		return UROCE_PLACE_TOO_LONG;
	if (side->is_local_denied)
		return UROCE_PLACE_DENIED;
	memcpy(side->receives[index].to + offset, from, size);
	return UROCE_PLACED;
}

static void bed_received(void *user, const struct uroce_received *received)
{
	struct bed_side *side = user;

	assert_true(side->received_count < BED_LOG);
	side->received[side->received_count++] = *received;
}

static bool bed_allowed(void *user, uint32_t rkey, uint64_t va, uint32_t length, int access)
{
	const struct bed_side *side = user;

	if (!(side->access & access))
		return false;
	return !length || (rkey == BED_RKEY && va >= BED_VA && length <= BED_MEMORY &&
			   va - BED_VA <= BED_MEMORY - length);
}

static bool bed_write(void *user, uint32_t rkey, uint64_t va, const void *from, uint32_t size)
{
	struct bed_side *side = user;

	if (side->is_unmapped || !bed_allowed(user, rkey, va, size, IBV_ACCESS_REMOTE_WRITE))
		return false;
	memcpy(side->memory + (va - BED_VA), from, size);
	return true;
}

static bool bed_read(void *user, uint32_t rkey, uint64_t va, void *to, uint32_t size)
{
	struct bed_side *side = user;

	if (side->is_unmapped || !bed_allowed(user, rkey, va, size, IBV_ACCESS_REMOTE_READ))
		return false;
	memcpy(to, side->memory + (va - BED_VA), size);
	return true;
}

static enum uroce_atomic_result bed_atomic(void *user, uint32_t rkey, uint64_t va,
					   const struct uroce_packet *packet, uint64_t *original)
{
	struct bed_side *side = user;
	uint64_t value;

	if (side->is_unmapped || !bed_allowed(user, rkey, va, 8, IBV_ACCESS_REMOTE_ATOMIC))
		return UROCE_ATOMIC_DENIED;
	if (side->is_busy)
		return UROCE_ATOMIC_BUSY;
	memcpy(original, side->memory + (va - BED_VA), 8);
	value = *original;
	if (uroce_op(packet->opcode) == UROCE_OP_FETCH_ADD)
		value += packet->swap_add;
	else if (value == packet->compare)
		value = packet->swap_add;
	memcpy(side->memory + (va - BED_VA), &value, 8);
	return UROCE_ATOMIC_DONE;
}

static bool bed_invalidate(void *user, uint32_t rkey)
{
	struct bed_side *side = user;

	side->invalidated = rkey;
	return rkey == BED_RKEY;
}

static void bed_established(void *user)
{
	struct bed_side *side = user;

	side->established++;
}

static void bed_fault(void *user, enum uroce_wire_fault fault)
{
	struct bed_side *side = user;

	side->faults++;
	side->fault = fault;
	uroce_wire_stop(&side->qp);
}

static const struct uroce_wire_calls bed_calls = {
	.frame = bed_frame,
	.send = bed_send,
	.gather = bed_gather,
	.scatter = bed_scatter,
	.local = bed_local,
	.sent = bed_sent_done,
	.take = bed_take,
	.place = bed_place,
	.received = bed_received,
	.allowed = bed_allowed,
	.write = bed_write,
	.read = bed_read,
	.atomic = bed_atomic,
	.invalidate = bed_invalidate,
	.established = bed_established,
	.fault = bed_fault,
};

struct bed_side *bed_new(enum uroce_service service, uint32_t qpn, uint32_t dest_qpn, uint32_t psn)
{
	struct bed_side *side = calloc(1, sizeof(*side));
	struct uroce_wire_setup setup = {.calls = &bed_calls,
					 .user = side,
					 .service = service,
					 .qpn = qpn,
					 .send_depth = BED_REQUESTS};
	struct uroce_wire_rtr rtr = {.dest_qpn = dest_qpn,
				     .psn = psn,
				     .mtu = BED_MTU,
				     .qkey = BED_QKEY,
				     .pkey = 0xffff,
				     .rnr_timer = BED_RNR_TIMER,
				     .jobs = 4};
	struct uroce_wire_rts rts = {
		.psn = psn, .reads = 4, .timeout = 14, .retry_count = 7, .rnr_retry = 7};

	assert_non_null(side);
	setup.counters = side->counters;
	setup.tx = &side->tx;
	setup.rx = &side->rx;
	side->tx.limit = side->rx.limit = UROCE_WINDOW_BUFFER - UROCE_WINDOW_RESERVE;
	side->access = IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_ATOMIC;
	side->frames = calloc(BED_FRAMES, sizeof(*side->frames));
	assert_non_null(side->frames);
	side->frame_limit = BED_FRAMES;
	side->now = BED_SECOND;
	assert_int_equal(uroce_wire_init(&side->qp, &setup), 0);
	assert_int_equal(uroce_wire_ready_to_receive(&side->qp, &rtr), 0);
	uroce_wire_ready_to_send(&side->qp, &rts);
	return side;
}

void bed_free(struct bed_side *side)
{
	uroce_wire_free(&side->qp);
	assert_int_equal(side->tx.used, 0);
	assert_int_equal(side->rx.used, 0);
	free(side->frames);
	free(side);
}

void bed_post_receive(struct bed_side *side, void *to, uint32_t size)
{
	uint32_t index = side->posted++ % BED_RECEIVES;

	assert_true(side->posted - side->taken <= BED_RECEIVES);
	side->receives[index].to = to;
	side->receives[index].size = size;
}

struct uroce_request *bed_post(struct bed_side *side, enum uroce_request_kind kind, void *local,
			       uint32_t length)
{
	uint32_t position = side->qp.req.tail;
	struct uroce_request *request = uroce_wire_add(&side->qp);

	assert_non_null(request);
	request->kind = kind;
	request->length = length;
	request->va = BED_VA;
	request->rkey = BED_RKEY;
	side->local[position % BED_REQUESTS] = local;
	return request;
}

uint64_t bed_run(struct bed_side *side)
{
	return uroce_wire_run(&side->qp, side->now);
}

struct uroce_packet bed_sent(const struct bed_side *side, uint32_t index)
{
	struct uroce_packet packet;

	assert_true(index < side->frame_count);
	assert_int_equal(uroce_headers_parse(side->frames[index].bytes, side->frames[index].size,
					     &packet),
			 UROCE_HEADER_OK);
	return packet;
}

void bed_forget(struct bed_side *side)
{
	side->frame_count = 0;
}

void bed_give(struct bed_side *side, const struct uroce_packet *packet)
{
	static const uint8_t grh[UROCE_GRH_SIZE] = {0x60};

	uroce_wire_receive(&side->qp, packet, grh, side->now);
}

struct uroce_packet bed_packet(const struct bed_side *side, enum uroce_op op, uint32_t psn,
			       const void *data, uint32_t size)
{
	return (struct uroce_packet){.opcode = uroce_opcode(side->qp.service, op),
				     .wants_ack = true,
				     .pkey = 0xffff,
				     .qpn = side->qp.qpn,
				     .psn = psn & UROCE_PSN_MASK,
				     .va = BED_VA,
				     .rkey = BED_RKEY,
				     .length = size,
				     .qkey = BED_QKEY,
				     .payload = data,
				     .payload_size = size};
}

struct uroce_packet bed_ack(const struct bed_side *side, uint8_t syndrome, uint32_t psn)
{
	struct uroce_packet packet = bed_packet(side, UROCE_OP_ACK, psn, NULL, 0);

	packet.syndrome = syndrome;
	return packet;
}
