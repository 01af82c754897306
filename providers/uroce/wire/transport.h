/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The transport of one QP (IBA vol. 1, chapter 9; annex A17): requester and responder. It has no socket, thread or
 * clock: it is fed packets, requests and the time, and calls its owner for frames, memory and completions. Its
 * owner holds one lock around every call.
 */
#ifndef UROCE_WIRE_TRANSPORT_H
#define UROCE_WIRE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <infiniband/verbs.h>

#include "providers/uroce/wire/headers.h"
#include "providers/uroce/wire/window.h"
#include "shared/attr.h"

#define UROCE_WIRE_NEVER UINT64_MAX

enum {
	UROCE_GRH_SIZE = 40,
	UROCE_WIRE_JOBS_MAX = 128,	/* READ and atomic requests that a responder remembers */
	UROCE_NO_POSITION = 0x7fffffff, /* in send(): an answer of the responder */
	UROCE_RETRY_FOREVER = 7,	/* as a number of RNR retries (IBA 9.7.5.2.8) */
};

/* Names of rxe's hw_counters where they mean the same. */
enum uroce_wire_counter {
	UROCE_COUNT_SENT_PACKETS,
	UROCE_COUNT_RECEIVED_PACKETS,
	UROCE_COUNT_DUPLICATE_REQUEST,
	UROCE_COUNT_OUT_OF_SEQUENCE_REQUEST,
	UROCE_COUNT_RECEIVED_RNR,
	UROCE_COUNT_SENT_RNR,
	UROCE_COUNT_RECEIVED_SEQUENCE_NAK,
	UROCE_COUNT_RETRY, /* what was sent is sent again: for a NAK, a gap or a timeout */
	UROCE_COUNT_TIMEOUT,
	UROCE_COUNT_RETRY_EXCEEDED,
	UROCE_COUNT_RNR_RETRY_EXCEEDED,
	UROCE_COUNT_DROP_STALE, /* a response that is old, or to nothing */
	UROCE_COUNT_DROP_STATE, /* the QP does not receive, or not that service */
	UROCE_COUNT_DROP_PKEY,
	UROCE_COUNT_DROP_QKEY,
	UROCE_COUNT_DROP_NO_RECEIVE, /* UC, UD: no receive request, or one too small */
	UROCE_COUNT_DROP_MESSAGE,    /* UC: the rest of a message that lost a packet */
	UROCE_COUNT_DROP_DUPLICATE,  /* a repeated READ or atomic that is not remembered */
	UROCE_COUNT_INVALID_REQUEST,
	UROCE_COUNT_REMOTE_ACCESS,
	UROCE_COUNT_DROP_BUSY, /* an atomic while another process, which is stopped, has the lock */
	UROCE_COUNT_TRANSPORT, /* their number */
};

enum uroce_request_kind {
	UROCE_REQUEST_SEND,
	UROCE_REQUEST_WRITE,
	UROCE_REQUEST_READ,
	UROCE_REQUEST_COMPARE_SWAP,
	UROCE_REQUEST_FETCH_ADD,
	UROCE_REQUEST_LOCAL, /* no packet: its owner does it when its turn comes */
};

/* A request to send. Its data stays with the owner, who knows it by its position. */
struct uroce_request {
	enum uroce_request_kind kind;
	bool fence, is_solicited, has_imm, invalidates;
	uint32_t length;
	uint32_t imm; /* in network order; or the key to invalidate, in host order */
	uint64_t va;
	uint32_t rkey;
	uint64_t swap_add, compare;
	uint32_t dest_qpn, qkey; /* UD */

	/* The requester's own. */
	bool is_started, is_done;  /* is_done: of UROCE_REQUEST_LOCAL */
	enum ibv_wc_status failed; /* before it was sent: told when those before it are done */
	uint32_t first_psn, packets;
};

/* What came of writing into memory. */
enum uroce_place {
	UROCE_PLACED,
	UROCE_PLACE_TOO_LONG, /* the receive request is too small */
	UROCE_PLACE_DENIED,   /* its keys do not allow it, or it is not mapped any more */
};

enum uroce_atomic_result {
	UROCE_ATOMIC_DONE,
	UROCE_ATOMIC_DENIED,
	UROCE_ATOMIC_BUSY, /* not now: the peer sends it again */
};

/* A receive request that is complete. */
struct uroce_received {
	enum ibv_wc_status status;
	bool is_write; /* WRITE with immediate; else a SEND */
	bool has_imm, invalidated, is_solicited;
	uint32_t imm; /* or the invalidated key, in host order */
	uint32_t length;
	uint32_t source_qpn; /* UD */
};

/* A peer's request put the QP into the error state. */
enum uroce_wire_fault {
	UROCE_WIRE_FAULT_REQUEST, /* IBV_EVENT_QP_REQ_ERR */
	UROCE_WIRE_FAULT_ACCESS,  /* IBV_EVENT_QP_ACCESS_ERR */
	UROCE_WIRE_FAULT_LOCAL,	  /* the completion of a receive request says it */
};

/* Those marked * may end in uroce_wire_stop(). */
struct uroce_wire_calls {
	/*
	 * Memory for a frame of UROCE_FRAME_MAX bytes, valid until the next call; NULL: not now. What is sent
	 * is complete but for its ICRC. `position` is that of the request; UD takes its address from there.
	 */
	uint8_t *(*frame)(void *user);
	void (*send)(void *user, uint8_t *frame, size_t size, uint32_t position);
	/* Whether a packet of UC or UD that costs so much can be sent now. NULL: at any time. */
	bool (*has_room)(void *user, uint32_t position, uint32_t cost, uint64_t now);

	/* The memory of a request to send; false: it cannot be accessed. */
	bool (*gather)(void *user, uint32_t position, uint32_t offset, void *to, uint32_t size);
	bool (*scatter)(void *user, uint32_t position, uint32_t offset, const void *from,
			uint32_t size);
	/*
	 * What scatter() (is_answer), place() and write() took may not be in memory yet; false: some of it cannot be.
	 * Called before a message is complete. NULL: it is at once.
	 */
	bool (*settle)(void *user, bool is_answer);
	enum ibv_wc_status (*local)(void *user, uint32_t position);
	/* * The oldest request is complete. After another status than success no request remains. */
	void (*sent)(void *user, uint32_t position, enum ibv_wc_status status, uint32_t length);

	/* The receive queue. One request is taken at a time; 0, or ENOENT. */
	int (*take)(void *user);
	enum uroce_place (*place)(void *user, uint32_t offset, const void *from, uint32_t size);
	void (*received)(void *user, const struct uroce_received *received); /* * */

	/*
	 * Memory behind keys that the peer names; false: no access. `access` is an IBV_ACCESS_REMOTE_ flag, which
	 * the QP must allow as well; with a length of 0 only the QP (IBA 9.7.4.1.5).
	 */
	bool (*allowed)(void *user, uint32_t rkey, uint64_t va, uint32_t length, int access);
	bool (*write)(void *user, uint32_t rkey, uint64_t va, const void *from, uint32_t size);
	bool (*read)(void *user, uint32_t rkey, uint64_t va, void *to, uint32_t size);
	enum uroce_atomic_result (*atomic)(void *user, uint32_t rkey, uint64_t va,
					   const struct uroce_packet *packet, uint64_t *original);
	bool (*invalidate)(void *user, uint32_t rkey);

	void (*established)(void *user);			/* a message arrived */
	void (*fault)(void *user, enum uroce_wire_fault fault); /* * */
};

struct uroce_requester {
	struct uroce_request *ring;
	uint32_t size; /* a power of two */
	/* Positions grow without end: head (oldest not complete) <= next (being sent) <= tail. */
	uint32_t head, next, tail;
	uint32_t next_packet;	   /* of the request at `next` */
	uint32_t una;		   /* oldest PSN that is not acknowledged */
	uint32_t psn;		   /* of the next packet */
	uint32_t end;		   /* past the highest PSN ever sent */
	uint32_t tx_cost, rx_cost; /* in the windows */
	uint32_t since_ack;	   /* packets since one asked for an ACK */
	/* Ends of the READ and atomic requests in flight, as PSNs. */
	uint32_t reads[UROCE_WIRE_JOBS_MAX];
	uint32_t reads_first, reads_count, reads_max;
	uint32_t chunk; /* packets of a READ that one request asks for */
	uint32_t retry_max, retries, rnr_max, rnr_tries;
	uint64_t timeout_ns; /* 0: none */
	uint64_t ack_deadline, rnr_deadline, window_since;
	bool is_ready;	  /* RTS */
	bool is_draining; /* SQD: no further request is begun */
	bool went_back;	  /* for responses that were lost; until something arrives */
};

/* A READ or atomic request that was executed, or is being answered (IBA 9.4.4, 9.7.5.1.5). */
struct uroce_job {
	bool is_used, is_atomic;
	bool was_answered; /* all of it, at least once */
	uint32_t first_psn, packets;
	uint32_t next; /* the packet to send next, of `packets` */
	uint32_t from; /* where the request that is being answered began */
	uint64_t va;
	uint32_t rkey, length;
	uint64_t original;
};

enum uroce_message {
	UROCE_MESSAGE_NONE,
	UROCE_MESSAGE_SEND,
	UROCE_MESSAGE_WRITE,
};

struct uroce_responder {
	uint32_t psn; /* expected */
	uint32_t msn;
	bool is_ready;		    /* RTR */
	enum uroce_message message; /* that has begun */
	bool has_receive;	    /* a receive request is taken */
	bool was_established;
	bool is_silent;	  /* after a NAK, until the expected PSN arrives (IBA 9.7.5.2.8) */
	bool is_skipping; /* UC: until the next message begins */
	uint32_t offset;  /* in the message */
	uint64_t va;	  /* of a WRITE */
	uint32_t rkey, length;
	uint8_t rnr_timer;
	/* The answer that is due, after those of the jobs. */
	bool is_answer_due, is_answer_fatal;
	uint8_t syndrome;
	uint32_t answer_psn;
	enum uroce_wire_fault fault;
	struct uroce_job *jobs;
	uint32_t jobs_max, next_job;
	uint8_t todo[UROCE_WIRE_JOBS_MAX]; /* jobs to answer, in order */
	uint32_t todo_count;
};

struct uroce_wire_qp {
	const struct uroce_wire_calls *calls;
	void *user;
	uint64_t *counters; /* UROCE_COUNT_TRANSPORT of them */
	enum uroce_service service;
	uint32_t qpn, dest_qpn, qkey;
	uint16_t pkey;
	uint32_t mtu;
	bool is_stopped;
	struct uroce_window *tx, *rx;
	struct uroce_requester req;
	struct uroce_responder resp;
};

struct uroce_wire_setup {
	const struct uroce_wire_calls *calls;
	void *user;
	uint64_t *counters;
	struct uroce_window *tx, *rx; /* what this process has in flight, and what it awaits */
	enum uroce_service service;
	uint32_t qpn;
	uint32_t send_depth;
};

/* What each state of the QP adds (IBA 10.3; the attributes of ibv_modify_qp()). */
struct uroce_wire_rtr {
	uint32_t dest_qpn, psn, mtu, qkey;
	uint16_t pkey;
	uint8_t rnr_timer;
	uint32_t jobs; /* max_dest_rd_atomic */
};

struct uroce_wire_rts {
	uint32_t psn, reads; /* max_rd_atomic */
	uint8_t timeout, retry_count, rnr_retry;
};

/* 0 or -ENOMEM. */
int uroce_wire_init(struct uroce_wire_qp *qp,
		    const struct uroce_wire_setup *setup) HF_MUST_CHECK HF_NONNULL;
int uroce_wire_ready_to_receive(struct uroce_wire_qp *qp,
				const struct uroce_wire_rtr *rtr) HF_MUST_CHECK HF_NONNULL;
void uroce_wire_ready_to_send(struct uroce_wire_qp *qp,
			      const struct uroce_wire_rts *rts) HF_NONNULL;
/* Its attributes change, except the PSN. */
void uroce_wire_change(struct uroce_wire_qp *qp, const struct uroce_wire_rts *rts) HF_NONNULL;
/*
 * Goes to the error state or to reset: afterwards it calls nothing, except within the owner's next
 * calls.
 */
void uroce_wire_stop(struct uroce_wire_qp *qp) HF_NONNULL;
void uroce_wire_free(struct uroce_wire_qp *qp) HF_NONNULL;

/* A request at the tail, to be filled; NULL: the queue is full. Its position is the tail before. */
struct uroce_request *uroce_wire_add(struct uroce_wire_qp *qp) HF_NONNULL;

/*
 * A packet for this QP, whose ICRC, addresses and size are right. `grh` is what a UD receiver sees before its
 * data; other services may give NULL. What it leads to is sent by uroce_wire_run().
 */
void uroce_wire_receive(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			const uint8_t *grh, uint64_t now) HF_NONNULL_OF(1, 2);

/* Data of the packets so far is to be in memory now; see uroce_wire_calls.settle. */
void uroce_wire_settle(struct uroce_wire_qp *qp) HF_NONNULL;

/* Sends what there is to send. Returns when to call again at the latest; UROCE_WIRE_NEVER: when something happens. */
uint64_t uroce_wire_run(struct uroce_wire_qp *qp, uint64_t now) HF_NONNULL;

/* Nothing that was begun is incomplete: SQD is drained (IBA 10.3.1.5). */
static inline bool uroce_wire_drained(const struct uroce_wire_qp *qp)
{
	return qp->req.head == qp->req.next && !qp->req.next_packet;
}

/* a - b of 24-bit numbers, in the window of 2^23 (IBA 9.7.1). */
static inline int32_t uroce_psn_diff(uint32_t a, uint32_t b)
{
	return (int32_t)((a - b) << 8) >> 8;
}

static inline uint32_t uroce_psn_add(uint32_t psn, uint32_t count)
{
	return (psn + count) & UROCE_PSN_MASK;
}

/* ns of an RNR NAK's timer code (IBA 9.7.5.2.8, table 45). */
uint64_t uroce_rnr_ns(uint8_t code);

/* ---- Between the files of the transport ---- */

static inline void uroce_count(struct uroce_wire_qp *qp, enum uroce_wire_counter counter)
{
	qp->counters[counter]++;
}

static inline struct uroce_request *uroce_request_at(const struct uroce_requester *req,
						     uint32_t position)
{
	return &req->ring[position & (req->size - 1)];
}

static inline bool uroce_is_settled(struct uroce_wire_qp *qp, bool is_answer)
{
	return !qp->calls->settle || qp->calls->settle(qp->user, is_answer);
}

/* Packets of a message, or of the answer to a READ. */
static inline uint32_t uroce_packets_of(uint32_t length, uint32_t mtu)
{
	return length ? (length - 1) / mtu + 1 : 1;
}

/* Bytes of the packet with that index. */
static inline uint32_t uroce_packet_bytes(uint32_t length, uint32_t mtu, uint32_t index)
{
	uint64_t at = (uint64_t)index * mtu;

	return length - at < mtu ? (uint32_t)(length - at) : mtu;
}

/*
 * IBA 9.7.6.1.3 lets it be up to four times of what the program asked for. Later ones are: a peer in software
 * may just not have a processor.
 */
static inline uint64_t uroce_ack_timeout(const struct uroce_requester *req)
{
	return req->timeout_ns << (req->retries < 2 ? req->retries : 2);
}

static inline bool uroce_is_read(const struct uroce_request *request)
{
	return request->kind == UROCE_REQUEST_READ || request->kind == UROCE_REQUEST_COMPARE_SWAP ||
	       request->kind == UROCE_REQUEST_FETCH_ADD;
}

/* What a packet of the request costs, or of the answer to it, in the window. */
static inline uint32_t uroce_packet_cost(const struct uroce_wire_qp *qp,
					 const struct uroce_request *request, uint32_t index)
{
	uint32_t length = request->length;

	if (!uroce_is_read(request))
		return uroce_window_cost(uroce_packet_bytes(length, qp->mtu, index));
	if (request->packets > 1)
		return uroce_window_cost(qp->mtu);
	return uroce_window_cost(request->kind == UROCE_REQUEST_READ ? length : 8);
}

#endif
