/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A QP, its send queue, and what the paths do with it. */
#ifndef PROVIDERS_UROCE_QP_H
#define PROVIDERS_UROCE_QP_H

#include "providers/uroce/path.h"
#include "providers/uroce/uroce.h"

/* A request to send. */
struct uroce_wqe {
	uint64_t wr_id;
	uint8_t opcode; /* enum ibv_wr_opcode */
	bool signaled, solicited, fence;
	bool is_inline;	  /* the data is at uroce_wqe_inline() */
	bool invalidated; /* SEND with invalidate: done, but its completion is tried again */
	uint32_t num_sge;
	uint32_t length; /* of all entries or of the inline data */
	uint32_t imm;	 /* immediate data (big-endian), or the rkey to invalidate */
	uint32_t rkey;
	uint64_t remote_addr;
	uint64_t compare_add, swap;
	/* UD */
	const struct uroce_ah *ah; /* only compare it: its program may have destroyed it */
	struct ibv_ah_attr address;
	union ibv_gid source_gid;
	bool is_ours; /* the destination is this device */
	bool is_group;
	uint32_t dest_qpn, qkey;
	/* Binding of a window */
	struct uroce_mw *mw;
	struct uroce_mr *mr;
	uint64_t bind_addr, bind_length;
	uint32_t bind_access, bind_rkey;

	struct ibv_sge sge[]; /* sq.max_sge of them, then the inline data */
};

/*
 * The send queue, private to the process. Positions grow without end:
 * head (oldest that is not completed) <= next (first that the path has not begun) <= tail.
 */
struct uroce_sq {
	char *ring;
	size_t stride;
	uint32_t size; /* a power of two */
	uint32_t max_wr, max_sge, max_inline;
	uint32_t head, next, tail;
};

/* A QP of ours or of a peer, as the responder of a message. */
struct uroce_target {
	struct uroce_context *context; /* ours, or our visit to its node */
	struct uroce_peer *peer;       /* who has the QP: &context->own for ours */
	struct uroce_shared_qp *qp;
	uint32_t number, pd, access; /* copies */
	uint32_t at;		     /* of uroce_access_begin(), or UROCE_ACCESSES */
};

struct uroce_qp {
	struct verbs_qp verbs;
	struct uroce_context *context;
	struct hf_provider_events *events;
	struct uroce_shared_qp *shared;
	uint32_t index; /* in the arena's table */
	struct uroce_rq rq;
	struct uroce_srq *srq;
	struct ibv_qp_cap cap;
	bool all_signaled;
	bool blocks_own;		      /* it does not receive what it sends to a group */
	struct uroce_membership *memberships; /* with context->lock; see multicast.c */

	pthread_mutex_t lock; /* of all below */
	enum ibv_qp_state state;
	struct ibv_qp_attr attr; /* as set by ibv_modify_qp() */
	union ibv_gid source_gid;
	struct uroce_sq sq;
	const struct uroce_path_ops *path; /* NULL before RTR */
	void *path_data;
	bool drained;	  /* SQD: no request is being executed, the event was reported */
	bool drain_event; /* the program asked for that event */

	/* Direct path. */
	struct uroce_context *through; /* the context, or its visit to the peer's node */
	uint64_t fail_at; /* when the request at sq.head fails; 0: it was not tried yet */
	bool waits_rnr;	  /* what fail_at is about: no receive request, or no answer */
	/* The request at sq.head was executed, but its completion could not be added yet. */
	bool has_result;
	enum ibv_wc_status result;
	uint32_t result_length;
	bool flushes_recv; /* ERR: receive requests are left to be flushed */

	bool waits; /* counted in context->waiting */

	/* When progress() is due; UROCE_NEVER: nothing waits. Read without the lock. */
	_Atomic uint64_t deadline;
	atomic_bool waits_for_time; /* and for nothing else */

	/* Written with the lock, read without. */
	_Atomic uint64_t counts[UROCE_QP_COUNTS];

	/* Between ibv_wr_start() and ibv_wr_complete(). */
	struct uroce_wqe *wr;
	uint32_t wr_tail;
	int wr_err;
};

static inline struct uroce_qp *uroce_qp_of(const struct ibv_qp *qp)
{
	return container_of(qp, struct uroce_qp, verbs.qp);
}

/* With qp->lock: no other thread adds to it. */
static inline void uroce_qp_count(struct uroce_qp *qp, enum uroce_qp_count what, uint64_t by)
{
	atomic_store_explicit(&qp->counts[what],
			      atomic_load_explicit(&qp->counts[what], memory_order_relaxed) + by,
			      memory_order_relaxed);
}

static inline struct uroce_wqe *uroce_sq_at(const struct uroce_qp *qp, uint32_t position)
{
	return (struct uroce_wqe *)(void *)(qp->sq.ring +
					    (position & (qp->sq.size - 1)) * qp->sq.stride);
}

static inline void *uroce_wqe_inline(const struct uroce_qp *qp, struct uroce_wqe *wqe)
{
	return &wqe->sge[qp->sq.max_sge];
}

/* ---- What paths call; all with qp->lock ---- */

/*
 * Completes the request at sq.head: the completion goes to the send CQ if it is signalled or if
 * `status` is an error. After an error the QP goes to ERR (RC) or SQE (UC, UD) and all further
 * requests are flushed, so a path must return then. `length` is what a READ or atomic returned.
 */
void uroce_send_done(struct uroce_qp *qp, enum ibv_wc_status status, uint32_t length);

/* flush.c: to ERR, with all requests flushed; `event` is reported, if it is not -1. */
void uroce_qp_error(struct uroce_qp *qp, int event);
/* Takes note of what a peer did to the QP (shared->fault), and reports due events. */
void uroce_qp_check(struct uroce_qp *qp);
/* The state that the owner's calls and peers see. */
void uroce_qp_set_state(struct uroce_qp *qp, enum ibv_qp_state state);
/* Flushes the receive queue; the QP is in the error state. */
void uroce_flush_recv(struct uroce_qp *qp);
/* Flushes the send queue, in the states ERR and SQE. */
void uroce_flush_send(struct uroce_qp *qp);
/* Calls progress() of the path and notes when it is due again. */
void uroce_qp_progress(struct uroce_qp *qp);
/* The same for all QPs that wait, or that have something to report; without qp->lock. */
void uroce_progress_all(struct uroce_context *context, bool all_events);
uint64_t uroce_next_deadline(struct uroce_context *context);

struct iovec;
/* What a copy came to. */
enum uroce_copy {
	UROCE_COPY_OK,
	UROCE_COPY_LOCAL,
	UROCE_COPY_REMOTE,
	UROCE_COPY_BUSY, /* of a target: to be tried again */
};

/* ---- The responder's part: a QP of ours or of a peer; target.c ---- */

/* A receive request that was taken, with its addresses in the owner's process. */
struct uroce_recv {
	uint64_t wr_id;
	uint32_t num_sge;
	uint64_t length;
	uint32_t lkey, pd; /* of the first entry */
	bool bad;	   /* an entry's key does not allow it: IBV_WC_LOC_PROT_ERR */
	struct {
		uint64_t address;
		uint32_t length;
	} sge[UROCE_MAX_SGE];
};

/* For a QP of ours: the wire's responder. */
void uroce_target_own(struct uroce_qp *qp, struct uroce_target *target);

/* The lock of the receive queue (that of the SRQ, if it has one). NULL: it cannot be had now. */
struct uroce_shared_rq *uroce_recv_lock(struct uroce_target *target);
void uroce_recv_unlock(struct uroce_target *target, struct uroce_shared_rq *rq);
/* The first receive request, checked; with the lock. ENOENT: there is none (RNR); EIO: corrupt. */
int uroce_recv_peek(struct uroce_target *target, struct uroce_shared_rq *rq,
		    struct uroce_recv *recv);
/* Where the first `length` bytes go, which it has; returns the number of ranges. */
size_t uroce_recv_scatter(const struct uroce_recv *recv, uint64_t length,
			  struct iovec iov[UROCE_MAX_SGE]);
/* Puts the data of a message there, after messages that came before; with the lock of the queue. */
enum uroce_copy uroce_recv_write(const struct uroce_target *target, const struct uroce_recv *recv,
				 uint64_t length, const struct iovec *local, size_t locals);
/* Takes it out of the queue; with the lock. SRQ limit events are handled here. */
void uroce_recv_pop(struct uroce_target *target, struct uroce_shared_rq *rq);
/*
 * Completes a receive request. With `rq`, whose lock is held, it leaves the queue in the same step. A CQ that is
 * full puts the target into the error state. UROCE_CQ_BUSY: nothing was done.
 */
enum uroce_added uroce_recv_done(struct uroce_target *target, struct uroce_shared_rq *rq,
				 struct uroce_cqe *cqe);
/* Of our own QP, whose request was taken before; who waits for an event has it at once. */
enum uroce_added uroce_recv_done_own(struct uroce_qp *qp, struct uroce_cqe *cqe);
/* The same with data for the owner to put there; UROCE_CQ_BUSY as well if its CQ takes none. */
enum uroce_added uroce_recv_done_with(struct uroce_target *target, struct uroce_shared_rq *rq,
				      struct uroce_cqe *cqe, const struct uroce_recv *recv,
				      const void *payload);
/* Whether the first entry can take so much data with the completion. */
bool uroce_recv_takes_payload(const struct uroce_target *target, const struct uroce_recv *recv,
			      uint32_t length);
/* The target goes to the error state, by its owner. */
void uroce_target_fault(struct uroce_target *target, enum uroce_fault fault);
/* A message arrived: IBV_EVENT_COMM_EST in RTR. */
void uroce_target_established(struct uroce_target *target);

/*
 * Copies between this process (`local`, already checked) and the target's, by process_vm_*: memory
 * that is not mapped gives UROCE_COPY_LOCAL or UROCE_COPY_REMOTE, never a signal.
 */
/* The part of a scatter list that begins at `offset`. How many entries of `ret`; 0: it has not so much. */
size_t uroce_slice(const struct iovec *iov, size_t count, uint64_t offset, uint64_t size,
		   struct iovec *ret);
enum uroce_copy uroce_copy_out(const struct uroce_peer *peer, const struct iovec *local,
			       size_t locals, const struct iovec *remote, size_t remotes);
enum uroce_copy uroce_copy_in(const struct uroce_peer *peer, const struct iovec *local,
			      size_t locals, const struct iovec *remote, size_t remotes);
/* The same with a target's memory, for as long as uroce_access_wait() there lets it. *done gets the bytes. */
enum uroce_copy uroce_target_write_some(const struct uroce_target *target,
					const struct iovec *local, size_t locals,
					const struct iovec *remote, size_t remotes, size_t *done);
enum uroce_copy uroce_target_write(const struct uroce_target *target, const struct iovec *local,
				   size_t locals, const struct iovec *remote, size_t remotes);
enum uroce_copy uroce_target_read(const struct uroce_target *target, const struct iovec *local,
				  size_t locals, const struct iovec *remote, size_t remotes);
/* payload.c: a message that goes into memory of the target, and one of its CQs where messages may wait. */
struct uroce_delivery {
	const struct iovec *local, *remote;
	size_t locals, remotes;
};
enum uroce_copy uroce_payloads_overlay(const struct uroce_target *target, uint32_t cq,
				       const struct uroce_delivery *message);
/* An atomic operation on 8 aligned bytes of the target; atomic against all others of the device. */
enum uroce_copy uroce_atomic(struct uroce_target *target, uint64_t address, bool compare,
			     uint64_t compare_add, uint64_t swap, uint64_t *before);

/*
 * Entries of a request to send as addresses of ours, with their keys checked for `access`. False:
 * IBV_WC_LOC_PROT_ERR. `iov` has UROCE_MAX_SGE elements, *count gets their number.
 */
bool uroce_gather(struct uroce_qp *qp, struct uroce_wqe *wqe, uint32_t access, struct iovec *iov,
		  size_t *count);

/* multicast.c */
bool uroce_gid_is_group(const union ibv_gid *gid);
/* The numbers of the QPs in a group, one after the other; 0: no more. *at begins with 0. */
uint32_t uroce_next_member(struct uroce_context *context, const union ibv_gid *gid, uint32_t *at);
/* Of all groups; with context->lock. */
void uroce_leave_groups(struct uroce_qp *qp);

/* datagram.c: a request of a UD QP; 0 or an error status. */
int uroce_send_datagram(struct uroce_qp *qp, struct uroce_wqe *wqe);
/* direct.c: binds a window or invalidates a key. 0, or an enum ibv_wc_status. */
int uroce_execute_local(struct uroce_qp *qp, struct uroce_wqe *wqe);
/* The 40 bytes that a UD receiver finds before the data. */
void uroce_make_grh(unsigned char grh[40], const struct uroce_wqe *wqe);

/* send.c: shared by post_send and ibv_wr_*. */
bool uroce_opcode_fits(enum ibv_qp_type type, enum ibv_wr_opcode opcode);
/* wr.c: EOPNOTSUPP for operations that the type of QP does not have. */
int uroce_check_send_ops(enum ibv_qp_type type, uint64_t ops);
/* Can requests be posted at all? 0 or a positive errno value. */
int uroce_can_post(const struct uroce_qp *qp);
void uroce_wqe_address(struct uroce_wqe *wqe, const struct ibv_ah *ah, uint32_t qpn, uint32_t qkey);
/* Executes what was posted. With qp->lock. */
void uroce_posted(struct uroce_qp *qp);

#endif
