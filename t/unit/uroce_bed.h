/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One side of a connection for tests of the transport: a QP with memory, queues and a log, and no socket. */
#ifndef T_UNIT_UROCE_BED_H
#define T_UNIT_UROCE_BED_H

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/uroce/wire/transport.h"

enum {
	BED_MEMORY = 1 << 18, /* that peers can access, from address BED_VA on, with key BED_RKEY */
	BED_REQUESTS = 64,
	BED_RECEIVES = 512,
	BED_FRAMES = 2048,
	BED_LOG = 4096,
	BED_RKEY = 0x1234,
	BED_QKEY = 0x11111111,
	BED_MTU = 256,
	BED_RNR_TIMER = 1, /* 10 us */
};
#define BED_VA	   UINT64_C(0x7000000000)
#define BED_SECOND UINT64_C(1000000000)

struct bed_frame {
	size_t size;
	uint8_t bytes[UROCE_FRAME_MAX];
};

struct bed_done {
	uint32_t position;
	enum ibv_wc_status status;
	uint32_t length;
};

struct bed_side {
	struct uroce_wire_qp qp;
	uint64_t counters[UROCE_COUNT_TRANSPORT];
	struct uroce_window tx, rx;
	uint64_t now;

	uint8_t memory[BED_MEMORY];
	int access; /* of the region and the QP */
	bool is_unmapped;
	bool is_busy;	      /* another process has the lock of atomics */
	uint32_t invalidated; /* the last key */

	uint8_t *local[BED_REQUESTS]; /* of requests, by position */
	bool is_local_denied;
	uint32_t locals; /* local operations done */
	struct bed_done done[BED_LOG];
	uint32_t done_count;

	struct {
		uint8_t *to;
		uint32_t size;
	} receives[BED_RECEIVES];
	uint32_t posted, taken; /* grow without end */
	struct uroce_received received[BED_LOG];
	uint32_t received_count;

	struct bed_frame *frames; /* that were sent; BED_FRAMES of them */
	uint32_t frame_count, frame_limit;
	uint8_t spare[UROCE_FRAME_MAX];
	uint32_t established, faults;
	enum uroce_wire_fault fault;
};

/* Connected to QP 2 with PSN `psn` on both sides; a side is QP `qpn`. */
struct bed_side *bed_new(enum uroce_service service, uint32_t qpn, uint32_t dest_qpn, uint32_t psn);
void bed_free(struct bed_side *side);

void bed_post_receive(struct bed_side *side, void *to, uint32_t size);
/* The request, added; `local` is its memory. */
struct uroce_request *bed_post(struct bed_side *side, enum uroce_request_kind kind, void *local,
			       uint32_t length);
uint64_t bed_run(struct bed_side *side);

/* A frame that was sent, parsed; fails the test where there is none. */
struct uroce_packet bed_sent(const struct bed_side *side, uint32_t index);
/* Forgets what was sent. */
void bed_forget(struct bed_side *side);
/* A packet from the peer, without running. */
void bed_give(struct bed_side *side, const struct uroce_packet *packet);
/* An RC packet to the side, with `size` bytes of data. */
struct uroce_packet bed_packet(const struct bed_side *side, enum uroce_op op, uint32_t psn,
			       const void *data, uint32_t size);
struct uroce_packet bed_ack(const struct bed_side *side, uint8_t syndrome, uint32_t psn);

#endif
