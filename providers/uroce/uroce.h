/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * uroce: an RDMA device without a kernel, for any machine. Its objects, and its functions by file.
 *
 * Locks, in this order: cq->lock, which a program holds while it posts between ibv_start_poll() and
 * ibv_end_poll(), qp->lock, context->lock, the lock of a receive queue, a lock in shared memory. The engine thread holds context->lock while it looks for QPs and only tries qp->lock
 * then. Functions that return int return 0 or a positive errno value.
 */
#ifndef PROVIDERS_UROCE_UROCE_H
#define PROVIDERS_UROCE_UROCE_H

#include <pthread.h>
#include <unistd.h>
#include <holdfast/context.h>
#include <holdfast-provider/provider.h>

#include "providers/common/lock.h"
#include "providers/common/util.h"
#include "providers/uroce/segment.h"
#include "shared/soft_counters.h"

enum { UROCE_WATCHES = 128 };

/* What each QP counts: the last ones of enum hf_soft_counter. */
enum uroce_qp_count {
	UROCE_QP_REQUESTS,
	UROCE_QP_BYTES,
	UROCE_QP_RNR,
	UROCE_QP_DROPPED,
	UROCE_QP_ERRORS,
	UROCE_QP_COUNTS,
};

struct uroce_qp;
struct uroce_robust;
struct uroce_target;
struct uroce_visit;

/* A free range of our heap; see heap.c. */
struct uroce_range {
	struct uroce_range *next;
	uint64_t offset, size;
};

/* A request of another context that the engine thread waits for; see watch.c. */
struct uroce_watch {
	uint32_t slot, access, word;
};

struct uroce_context {
	struct verbs_context verbs;
	pid_t pid; /* of the process that opened it: a forked child owns nothing */
	struct uroce_header *segment;
	struct uroce_arena *arena;
	struct uroce_slot *slot;
	uint32_t slot_index, generation;
	uint32_t device;	     /* of the segment */
	bool wire_only;		     /* see uroce_slot */
	bool is_visit;		     /* see visit.c */
	uint64_t probe;		     /* see uroce_slot.probe_address */
	struct uroce_robust *robust; /* see slot.c */
	uint32_t thread_id;

	/* The engine thread. */
	pthread_t thread;
	bool has_thread;
	int doorbell;		   /* UNIX datagram socket, bound to slot->doorbell */
	_Atomic uint64_t wakes_at; /* when the thread looks at deadlines again, by itself */
	atomic_bool stop, gone;
	bool looks_again; /* a CQ was busy */
	pthread_mutex_t start_lock;
	pthread_cond_t started;
	bool is_started;
	int start_err;

	pthread_mutex_t visits_lock;
	struct uroce_visit *visits; /* to nodes of other devices */

	atomic_uint accesses; /* a bit for each of UROCE_ACCESSES that is in use */
	uint16_t access_numbers[UROCE_ACCESSES];   /* of who has that bit */
	struct uroce_watch watches[UROCE_WATCHES]; /* of the engine thread */
	uint32_t watch_count;

	pthread_mutex_t guards[UROCE_LOCK_KINDS][UROCE_LOCK_GUARDS]; /* see shared_lock.c */
	pthread_mutex_t lock;  /* of all below, except the atomics */
	struct uroce_qp **qps; /* by their index in the arena */
	struct uroce_cq **cqs;
	struct uroce_srq **srqs;
	uint32_t qps_end, cqs_end, srqs_end; /* greater than any index in use */
	uint32_t next_qp, next_cq, next_srq, next_pd;
	uint32_t chunks[UROCE_CONTEXT_CHUNKS], chunk_count;
	struct uroce_range *heap;
	unsigned char *backed; /* a bit for each page of the arena's tables */
	struct uroce_peer *peers[UROCE_SLOTS];
	struct uroce_peer own;
	atomic_uint waiting;  /* QPs with requests that wait for a peer or for time */
	atomic_bool again;    /* a QP with events was in use when the thread came */
	atomic_bool counting; /* something was counted since the files were written */
	atomic_uint mrs;
	pthread_mutex_t ending_lock;
	struct uroce_mr
		*ending; /* regions that have no key any more, while messages for them may wait */
	atomic_uint wire_qps, direct_qps; /* that went to RTR */
	void *wire;			  /* of the wire's own use */

	/* See counters.c. */
	uint64_t counted_by_ended[UROCE_QP_COUNTS];	/* QPs; with lock */
	uint64_t told[HF_SOFT_COUNTER_COUNT], write_at; /* the engine thread's */
};

struct uroce_pd {
	struct ibv_pd pd;
	uint32_t number; /* in the shared tables */
	atomic_uint users;
};

struct uroce_mr {
	struct verbs_mr verbs;
	struct uroce_shared_mr *shared;
	atomic_uint uses; /* the windows that are bound to it, and 1 until it is deregistered */
	struct uroce_mr *next_ending;
};

struct uroce_mw {
	struct ibv_mw mw;
	struct uroce_shared_mr *shared;
	struct uroce_mr *region; /* that it is bound to */
};

struct uroce_ah {
	struct ibv_ah ah;
	struct ibv_ah_attr attr;
	union ibv_gid source; /* GID of attr.grh.sgid_index */
	bool is_ours;	      /* the destination is this device */
	bool is_group;	      /* a multicast group: the members of this device */
};

struct uroce_cq {
	struct verbs_cq verbs;
	struct hf_provider_events *events;
	struct lock lock; /* of polling */
	bool single_threaded;
	struct uroce_shared_cq *shared;
	struct uroce_cqe *ring;
	struct uroce_payload *payloads; /* or NULL */
	pthread_mutex_t payload_lock;	/* of taking payloads, and of the rings' places */
	uint32_t index, mask, head;
	uint64_t offset;
	atomic_uint users;
	/* shared->armed of when any completion is an event: somebody was adding one whose kind is not known. */
	_Atomic uint64_t doubted;
	struct uroce_cqe current; /* for the ibv_wc_read_* calls */
};

/* The owner's side of a receive queue: what it reads from shared memory it knows by itself. */
struct uroce_rq {
	struct lock lock; /* of posting */
	struct uroce_shared_rq *shared;
	char *ring;
	uint32_t size, max_sge, max_wr, tail;
	uint32_t head; /* as it was last seen */
	uint64_t offset;
};

struct uroce_srq {
	struct verbs_srq verbs;
	struct hf_provider_events *events;
	struct uroce_rq rq;
	struct uroce_shared_srq *shared;
	uint32_t index;
	atomic_uint users;
};

static inline struct uroce_context *uroce_context_of(const struct ibv_context *context)
{
	return container_of(context, struct uroce_context, verbs.context);
}

static inline struct uroce_cq *uroce_cq_of(const struct ibv_cq *cq)
{
	return container_of(cq, struct uroce_cq, verbs.cq);
}

static inline struct uroce_srq *uroce_srq_of(const struct ibv_srq *srq)
{
	return container_of(srq, struct uroce_srq, verbs.srq);
}

static inline struct uroce_pd *uroce_pd_of(const struct ibv_pd *pd)
{
	return container_of(pd, struct uroce_pd, pd);
}

static inline struct uroce_ah *uroce_ah_of(const struct ibv_ah *ah)
{
	return container_of(ah, struct uroce_ah, ah);
}

/*
 * context->lock for the end of an object. A forked child has none of the threads, so a lock that one of them held
 * is never released there; it is alone, and needs none. False in a child: what is shared is the parent's.
 */
static inline bool uroce_lock_to_end(struct uroce_context *context)
{
	if (context->pid != getpid())
		return false;
	pthread_mutex_lock(&context->lock);
	return true;
}

static inline void uroce_unlock_to_end(struct uroce_context *context, bool ours)
{
	if (ours)
		pthread_mutex_unlock(&context->lock);
}

/* CLOCK_MONOTONIC in ns. */
uint64_t uroce_now(void);
/* Fills with unpredictable bytes. */
void uroce_random(void *bytes, size_t size);

/*
 * Before and after a change for which another context, or ours, is woken. Others are woken before it, since we may be
 * killed at any moment: they watch our request from then on. Our own thread watches no request of ours.
 */
static inline void uroce_ring_before(struct uroce_context *context, const struct uroce_peer *peer,
				     uint32_t why)
{
	if (peer != &context->own)
		uroce_peer_ring(context, peer, why);
}

static inline void uroce_ring_after(struct uroce_context *context, const struct uroce_peer *peer,
				    uint32_t why)
{
	if (peer == &context->own)
		uroce_peer_ring(context, peer, why);
}

/* uroce.c: the locks that a membership needs. */
void uroce_locks_init(struct uroce_context *context);
void uroce_locks_destroy(struct uroce_context *context);

/* engine.c */
/* Starts the thread that holds the slot, and returns what its uroce_thread_begin() did. */
int uroce_thread_start(struct uroce_context *context, void *(*run)(void *));
/* By that thread, first: uroce_membership_begin(). */
int uroce_thread_begin(struct uroce_context *context);
int uroce_engine_start(struct uroce_context *context);
void uroce_engine_stop(struct uroce_context *context);

/* counters.c */
/* Something is counted, for the first time since the files were written. */
void uroce_counters_begin(struct uroce_context *context);
/* When the files are to be written. */
uint64_t uroce_counters_deadline(struct uroce_context *context, uint64_t now);
void uroce_counters_write(struct uroce_context *context);
/* What a QP has counted that ends; with context->lock. */
void uroce_counters_keep(struct uroce_context *context, const struct uroce_qp *qp);

/* query.c */
int uroce_query_device(struct ibv_context *context, const struct ibv_query_device_ex_input *input,
		       struct ibv_device_attr_ex *attr, size_t size);
int uroce_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr);
int uroce_query_values(struct ibv_context *context, struct ibv_values_ex *values);
/* The GID of the device with that index; EINVAL if it has none. */
int uroce_gid(struct uroce_context *context, unsigned int index, union ibv_gid *gid);

/* pd.c */
struct ibv_pd *uroce_alloc_pd(struct ibv_context *context);
int uroce_dealloc_pd(struct ibv_pd *pd);
struct ibv_ah *uroce_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr);
int uroce_destroy_ah(struct ibv_ah *ah);

/* mr.c */
struct ibv_mr *uroce_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
			    int access);
int uroce_rereg_mr(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr, size_t length,
		   int access);
int uroce_dereg_mr(struct verbs_mr *mr);
/* One use less; the last one frees it. */
void uroce_mr_put(struct uroce_mr *mr);
struct ibv_mw *uroce_alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type);
int uroce_dealloc_mw(struct ibv_mw *mw);
/*
 * Binds a window; a length of 0 unbinds one of type 1. `qpn` is that of the QP. False: the region does
 * not allow it.
 */
bool uroce_mw_bind(struct uroce_context *context, struct uroce_mw *mw, struct uroce_mr *region,
		   const struct ibv_mw_bind_info *info, uint32_t key, uint32_t qpn);

/* key.c: the tables of keys, ours or a peer's. */
struct uroce_key {
	uint32_t pd;	 /* of the QP or SRQ that uses it */
	uint32_t qpn;	 /* of the QP; 0: not a remote access */
	uint32_t access; /* IBV_ACCESS_* that are needed, all of them */
};
/* A free key; its entry has memory. NULL with errno. */
struct uroce_shared_mr *uroce_key_new(struct uroce_context *context, uint32_t *key);
void uroce_key_free(struct uroce_context *context, struct uroce_shared_mr *mr);
/* Checks a key and a range; *address gets the address in the owner's process. False: no access. */
bool uroce_key_check(struct uroce_arena *arena, uint32_t key, uint64_t at, uint64_t length,
		     const struct uroce_key *use, uint64_t *address);
/* The same for an address of the owner's process. */
bool uroce_key_covers(struct uroce_arena *arena, uint32_t key, uint64_t address, uint64_t length,
		      const struct uroce_key *use);
/* Invalidates a window (SEND with invalidate, local invalidate). False: it cannot be. */
bool uroce_key_can_be_invalidated(struct uroce_arena *arena, uint32_t key, uint32_t pd,
				  uint32_t qpn);
bool uroce_key_invalidate(struct uroce_arena *arena, uint32_t key, uint32_t pd, uint32_t qpn);

/* cq.c */
struct ibv_cq *uroce_create_cq(struct ibv_context *context, int cqe,
			       struct ibv_comp_channel *channel, int vector);
struct ibv_cq_ex *uroce_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr);
int uroce_req_notify_cq(struct ibv_cq *cq, int solicited_only);
int uroce_resize_cq(struct ibv_cq *cq, int cqe);
int uroce_destroy_cq(struct ibv_cq *cq);
/* Reports the events that are due. The CQ must not be destroyed meanwhile. True: it is to be looked at again. */
bool uroce_cq_report(struct uroce_cq *cq);
/* Removes the completions of a QP. */
void uroce_cq_drop(struct uroce_cq *cq, uint32_t qpn);

/* poll.c */
int uroce_poll_cq(struct ibv_cq *cq, int count, struct ibv_wc *wc);
void uroce_set_cq_calls(struct ibv_cq_ex *cq, uint64_t wc_flags);

/*
 * payload.c. uroce_payload_take() puts the data of a short message into our memory, with cq->payload_lock: 0, or the
 * status that the completion gets. uroce_payloads_settle() does so for all that wait for a region which is about to end;
 * between uroce_region_ends() and uroce_region_ended() who polls can take them although the key is gone.
 */
void uroce_region_ends(struct uroce_context *context, struct uroce_mr *region);
void uroce_region_ended(struct uroce_context *context, struct uroce_mr *region);
enum ibv_wc_status uroce_payload_take(struct uroce_cq *cq, uint32_t index);
/* Of one CQ, and with NULL for all regions; with cq->payload_lock. */
void uroce_payloads_settle_cq(struct uroce_cq *cq, const struct uroce_mr *region);
void uroce_payloads_settle(struct uroce_context *context, const struct uroce_mr *region);

/*
 * complete.c: adds a completion to a CQ of ours or of a peer, and wakes who waits for it. `own` is the
 * CQ if it is ours and cannot be destroyed meanwhile, or NULL. With `pops` the first request of that receive
 * queue, whose lock is held, leaves it in the same step.
 */
struct uroce_pop {
	struct uroce_target *target;
	struct uroce_shared_rq *rq;
	/* NULL, or the data of a short message that the owner is to put there; then cqe->has_payload is set. */
	const void *payload;
	uint64_t address;
	uint32_t lkey, pd;
};
/* NULL: the CQ was resized meanwhile, or is damaged. */
struct uroce_payload *uroce_payloads_of(const struct uroce_peer *peer,
					const struct uroce_shared_cq *shared, uint32_t size);
enum uroce_added {
	UROCE_ADDED,
	UROCE_CQ_FULL, /* or there is none */
	UROCE_CQ_BUSY, /* somebody holds its lock who is stopped: to be tried again */
};
enum uroce_added uroce_complete(struct uroce_context *context, struct uroce_peer *peer, uint32_t cq,
				const struct uroce_cqe *cqe, struct uroce_cq *own,
				const struct uroce_pop *pops);

/* rq.c */
int uroce_rq_make(struct uroce_context *context, struct uroce_rq *rq,
		  struct uroce_shared_rq *shared, uint32_t max_wr, uint32_t max_sge);
void uroce_rq_free(struct uroce_context *context, struct uroce_rq *rq);
/* *seen is *state after the requests were added, with rq->lock; state may be NULL. */
int uroce_rq_post(struct uroce_context *context, struct uroce_rq *rq, struct ibv_recv_wr *wr,
		  struct ibv_recv_wr **bad, const _Atomic uint32_t *state, uint32_t *seen);
struct ibv_srq *uroce_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr);
struct ibv_srq *uroce_create_srq_ex(struct ibv_context *context, struct ibv_srq_init_attr_ex *attr);
int uroce_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask);
int uroce_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr);
int uroce_get_srq_num(struct ibv_srq *srq, uint32_t *number);
int uroce_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int uroce_destroy_srq(struct ibv_srq *srq);
void uroce_srq_report(struct uroce_srq *srq);

/* create.c */
struct ibv_qp *uroce_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
struct ibv_qp *uroce_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr);
int uroce_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
		   struct ibv_qp_init_attr *init_attr);
int uroce_destroy_qp(struct ibv_qp *qp);

/* multicast.c */
int uroce_attach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid);
int uroce_detach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid);

/* modify.c */
int uroce_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask);

/* send.c */
int uroce_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int uroce_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int uroce_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind);

/* wr.c */
void uroce_set_qp_calls(struct ibv_qp_ex *qp);

#endif
