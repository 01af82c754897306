/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a hostile peer does to a QP on the wire: packets of all kinds in any order, while its owner posts requests
 * and time goes on. First byte: the service. Each step of the input is a byte that says what, and its arguments.
 */
#include <errno.h>

#include "providers/uroce/wire/transport.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "uroce-qp";

enum {
	MEMORY = 4096, /* from MEMORY_VA on, with key MEMORY_KEY */
	MEMORY_KEY = 7,
	DEPTH = 8,
	LENGTH_MAX = 3000,
	MTU = 256,
	PSN = 0xfffff0,
};
#define MEMORY_VA 0x10000u

static struct uroce_wire_qp qp;
static struct uroce_window tx, rx;
static uint64_t counters[UROCE_COUNT_TRANSPORT];
static uint8_t memory[MEMORY], frame[UROCE_FRAME_MAX];
static uint32_t lengths[DEPTH]; /* of requests, by position */
static uint32_t next_done, receives, receive_size, frames;
static bool has_taken, is_denied;
static uint64_t now;
static const uint8_t *input, *input_end;

static uint8_t take_input(void)
{
	return input < input_end ? *input++ : 0;
}

static uint8_t *give_frame(void *user)
{
	(void)user;
	return frames ? frame : NULL;
}

static void send_frame(void *user, uint8_t *bytes, size_t size, uint32_t position)
{
	struct uroce_packet packet;

	(void)user;
	(void)position;
	fuzz_check(frames-- && bytes == frame);
	fuzz_check(uroce_headers_parse(bytes, size, &packet) == UROCE_HEADER_OK);
	fuzz_check(packet.payload_size <= MTU);
	fuzz_check(uroce_service(packet.opcode) == qp.service);
}

static bool gather_fuzzed(void *user, uint32_t position, uint32_t offset, void *to, uint32_t size)
{
	(void)user;
	fuzz_check(offset <= lengths[position % DEPTH] &&
		   size <= lengths[position % DEPTH] - offset);
	memset(to, 0, size);
	return !is_denied;
}

static bool scatter_fuzzed(void *user, uint32_t position, uint32_t offset, const void *from,
			   uint32_t size)
{
	uint8_t copy[MTU];

	(void)user;
	fuzz_check(offset <= lengths[position % DEPTH] &&
		   size <= lengths[position % DEPTH] - offset && size <= MTU);
	memcpy(copy, from, size);
	return !is_denied;
}

static enum ibv_wc_status do_fuzzed(void *user, uint32_t position)
{
	(void)user;
	(void)position;
	return is_denied ? IBV_WC_MW_BIND_ERR : IBV_WC_SUCCESS;
}

/* In order, each once. */
static void done_fuzzed(void *user, uint32_t position, enum ibv_wc_status status, uint32_t length)
{
	(void)user;
	(void)length;
	fuzz_check(position == next_done++);
	if (status != IBV_WC_SUCCESS)
		uroce_wire_stop(&qp);
}

static int take_fuzzed(void *user)
{
	(void)user;
	fuzz_check(!has_taken);
	if (!receives)
		return ENOENT;
	receives--;
	has_taken = true;
	return 0;
}

static enum uroce_place place_fuzzed(void *user, uint32_t offset, const void *from, uint32_t size)
{
	uint8_t copy[MTU];

	(void)user;
	fuzz_check(has_taken && size <= MTU);
	memcpy(copy, from, size);
	if (offset > receive_size || size > receive_size - offset)
		return UROCE_PLACE_TOO_LONG;
	return is_denied ? UROCE_PLACE_DENIED : UROCE_PLACED;
}

static void received_fuzzed(void *user, const struct uroce_received *received)
{
	(void)user;
	fuzz_check(has_taken);
	fuzz_check(received->is_write || received->length <= receive_size);
	has_taken = false;
}

static bool allow_fuzzed(void *user, uint32_t rkey, uint64_t va, uint32_t length, int access)
{
	(void)user;
	(void)access;
	if (is_denied)
		return false;
	return !length || (rkey == MEMORY_KEY && va >= MEMORY_VA && length <= MEMORY &&
			   va - MEMORY_VA <= MEMORY - length);
}

/* Only what was allowed is accessed. */
static bool write_fuzzed(void *user, uint32_t rkey, uint64_t va, const void *from, uint32_t size)
{
	if (is_denied)
		return false;
	fuzz_check(allow_fuzzed(user, rkey, va, size, 0));
	memcpy(memory + (va - MEMORY_VA), from, size);
	return true;
}

static bool read_fuzzed(void *user, uint32_t rkey, uint64_t va, void *to, uint32_t size)
{
	if (is_denied)
		return false;
	fuzz_check(allow_fuzzed(user, rkey, va, size, 0));
	memcpy(to, memory + (va - MEMORY_VA), size);
	return true;
}

static enum uroce_atomic_result atomic_fuzzed(void *user, uint32_t rkey, uint64_t va,
					      const struct uroce_packet *packet, uint64_t *original)
{
	fuzz_check(allow_fuzzed(user, rkey, va, 8, 0) && va % 8 == 0);
	*original = 5;
	return packet->compare % 3 == 1 ? UROCE_ATOMIC_BUSY : UROCE_ATOMIC_DONE;
}

static bool invalidate_fuzzed(void *user, uint32_t rkey)
{
	(void)user;
	return rkey == MEMORY_KEY;
}

static void established_fuzzed(void *user)
{
	(void)user;
}

static void fault_fuzzed(void *user, enum uroce_wire_fault fault)
{
	(void)user;
	(void)fault;
	uroce_wire_stop(&qp);
}

static const struct uroce_wire_calls fuzz_calls = {
	.frame = give_frame,
	.send = send_frame,
	.gather = gather_fuzzed,
	.scatter = scatter_fuzzed,
	.local = do_fuzzed,
	.sent = done_fuzzed,
	.take = take_fuzzed,
	.place = place_fuzzed,
	.received = received_fuzzed,
	.allowed = allow_fuzzed,
	.write = write_fuzzed,
	.read = read_fuzzed,
	.atomic = atomic_fuzzed,
	.invalidate = invalidate_fuzzed,
	.established = established_fuzzed,
	.fault = fault_fuzzed,
};

/* --- steps ------------------------------------------------------------------------------------------ */

/* Near what the QP expects, so that most are looked into. */
static uint32_t fuzzed_psn(uint8_t what)
{
	uint32_t base = what & 0x80 ? qp.req.una : qp.resp.psn;

	return uroce_psn_add(base, (what & 0x7f) - 8u);
}

static void packet_step(void)
{
	uint8_t what = take_input(), *data = fuzz_copy(memory, MTU + 4), grh[UROCE_GRH_SIZE] = {0};
	struct uroce_packet packet = {
		.opcode = uroce_opcode(what & 0x20 ? UROCE_SERVICE_UD : qp.service, what & 0x1f),
		.wants_ack = what & 0x40,
		.pkey = 0xffff,
		.qpn = 2,
		.psn = fuzzed_psn(take_input()),
		.rkey = MEMORY_KEY,
		.qkey = 1,
		.payload = data};
	unsigned int flags = uroce_op_flags(packet.opcode);
	uint8_t size = take_input(), other = take_input();

	packet.va = MEMORY_VA + (uint64_t)other * 16;
	packet.length = (uint32_t)size << (other & 7);
	if (flags & UROCE_HAS_PAYLOAD)
		packet.payload_size = size < 200 ? (size & 1 ? MTU : size)
						 : MTU + size - 200u - 40u;
	if (packet.payload_size > MTU + 4)
		packet.payload_size = MTU + 4;
	packet.syndrome = flags & UROCE_HAS_AETH ? other : 0;
	packet.invalidate = other & 1 ? MEMORY_KEY : 0;
	if (!(other & 0xf0))
		packet.pkey = other;
	uroce_wire_receive(&qp, &packet, grh, now);
	free(data);
}

static void post_step(void)
{
	uint8_t what = take_input();
	uint32_t position = qp.req.tail, length = (uint32_t)take_input() * 12;
	struct uroce_request *request = qp.is_stopped ? NULL : uroce_wire_add(&qp);

	if (!request)
		return;
	request->kind = what % 6;
	if (qp.service == UROCE_SERVICE_UD || (qp.service == UROCE_SERVICE_UC && what % 6 > 1))
		request->kind = UROCE_REQUEST_SEND;
	if (request->kind == UROCE_REQUEST_COMPARE_SWAP || request->kind == UROCE_REQUEST_FETCH_ADD)
		length = 8;
	if (qp.service == UROCE_SERVICE_UD && length > MTU)
		length = MTU;
	request->length = length;
	request->fence = what & 0x10;
	request->has_imm = what & 0x20 && request->kind < UROCE_REQUEST_READ;
	request->invalidates = what & 0x40 && !request->has_imm &&
			       request->kind == UROCE_REQUEST_SEND &&
			       qp.service == UROCE_SERVICE_RC;
	lengths[position % DEPTH] = length;
}

static void fuzzed_step(void)
{
	uint8_t what = take_input();

	switch (what & 7) {
	case 0:
		post_step();
		break;
	case 1:
		receives += receives < 16;
		break;
	case 2:
		now += (uint64_t)(what >> 3) * 10000000;
		break;
	case 3:
		is_denied = what >> 3 == 1;
		qp.req.is_draining = what >> 3 == 2;
		break;
	case 4:
		frames = what >> 3;
		break;
	default:
		packet_step();
		break;
	}
	frames = what & 0x80 ? 64 : frames;
	if (uroce_wire_run(&qp, now) <= now)
		frames = 64;
	fuzz_check(tx.used == qp.req.tx_cost && rx.used == qp.req.rx_cost);
	fuzz_check(qp.req.tail - qp.req.head <= DEPTH);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum uroce_service services[] = {UROCE_SERVICE_RC, UROCE_SERVICE_UC,
						      UROCE_SERVICE_UD, UROCE_SERVICE_RC};
	const struct uroce_wire_rtr rtr = {.dest_qpn = 1,
					   .psn = PSN,
					   .mtu = MTU,
					   .qkey = 1,
					   .pkey = 0xffff,
					   .rnr_timer = 1,
					   .jobs = 2};
	const struct uroce_wire_rts rts = {
		.psn = PSN, .reads = 2, .timeout = 12, .retry_count = 3, .rnr_retry = 2};
	struct uroce_wire_setup setup = {.calls = &fuzz_calls,
					 .counters = counters,
					 .tx = &tx,
					 .rx = &rx,
					 .qpn = 2,
					 .send_depth = DEPTH};

	input = data;
	input_end = data + size;
	setup.user = &qp;
	setup.service = services[take_input() & 3];
	tx = rx = (struct uroce_window){.limit = 8 * uroce_window_cost(MTU)};
	now = next_done = receives = 0;
	has_taken = is_denied = false;
	receive_size = LENGTH_MAX;
	frames = 64;
	fuzz_check(!uroce_wire_init(&qp, &setup));
	fuzz_check(!uroce_wire_ready_to_receive(&qp, &rtr));
	uroce_wire_ready_to_send(&qp, &rts);
	while (input < input_end)
		fuzzed_step();
	uroce_wire_free(&qp);
	fuzz_check(!tx.used && !rx.used);
	return 0;
}
