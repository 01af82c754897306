/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The memory that all processes with the device open share: the node file, mapped.
 *
 * It begins with a header: slots, one for each open context, and the owners of QP numbers. After it
 * each slot has an arena at a fixed offset, which contains the objects of that context that others
 * use: QPs, CQs, SRQs and memory regions in tables, and a heap for the rings. The file is sparse: an
 * arena takes memory for what is used, and none when its context is closed.
 *
 * Every process of the user can write all of it, so a reader copies a value once, checks the copy
 * and uses the copy only. There are no pointers in it, only offsets into the arena of the object.
 */
#ifndef PROVIDERS_UROCE_SEGMENT_H
#define PROVIDERS_UROCE_SEGMENT_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/uio.h>
#include <infiniband/verbs.h>

#define UROCE_MAGIC   UINT64_C(0x31656372756f7268)
#define UROCE_VERSION 4

enum {
	UROCE_SLOTS = 1024,	   /* contexts that can be open at a time */
	UROCE_CHUNK_QPS = 1024,	   /* QP numbers that a context takes at once */
	UROCE_CHUNKS = 16384,	   /* of all 24-bit QP numbers; chunk 0 is not used */
	UROCE_CONTEXT_CHUNKS = 16, /* of one context */
	UROCE_QPS = UROCE_CHUNK_QPS * UROCE_CONTEXT_CHUNKS,
	UROCE_CQS = 16384,
	UROCE_SRQS = 4096,
	UROCE_MRS = 65536,
	UROCE_DEVICE_COUNTERS = 64,
	UROCE_MEMBERS = 4096,	  /* of all multicast groups */
	UROCE_ATOMIC_LOCKS = 512, /* one for each aligned 8 bytes of a page */
	UROCE_ACCESSES = 16,	  /* requests of a context that access memory at a time */
	UROCE_GIDS = 16,
	UROCE_MAX_SGE = 32,
	UROCE_MAX_INLINE = 1024,
	UROCE_MAX_WR = 65536,
	UROCE_MAX_CQE = 262144,
	UROCE_DOORBELL_NAME =
		6, /* the bytes of an address of a UNIX socket that the kernel chose */
};

/*
 * A lock that a killed process cannot keep: its value is 1 + the slot of the context that holds it,
 * with the slot's generation above, and it is taken from a context that does not live any more. See
 * shared_lock.c.
 */
struct uroce_shared_lock {
	_Atomic uint32_t holder;
};

/* Why the owner of an arena is woken: bits of uroce_slot.rung. */
enum uroce_ring {
	UROCE_RING_CQ = 1 << 0,	      /* a CQ that was armed has completions, or one overflowed */
	UROCE_RING_QP = 1 << 1,	      /* a QP has events, or a peer put it into the error state */
	UROCE_RING_SRQ = 1 << 2,      /* an SRQ has events */
	UROCE_RING_PROGRESS = 1 << 3, /* requests that wait for a peer can be tried again */
	UROCE_RING_STOP = 1 << 4,     /* the context is being closed */
	UROCE_RING_MANY = 1 << 5,     /* more rang than the doorbell could take */
};

/* One open context. */
struct uroce_slot {
	/*
	 * 0: free. Else the thread that holds it, as in a robust futex: the kernel sets
	 * FUTEX_OWNER_DIED when that thread ends, however it does.
	 */
	_Atomic uint32_t life;
	_Atomic uint32_t generation; /* grows with each use of the slot */
	_Atomic uint32_t pid;  /* of the thread that holds it, for access to the process's memory */
	_Atomic uint32_t rung; /* enum uroce_ring */
	/* A value in the process's memory, which proves that memory of `pid` can be accessed. */
	_Atomic uint64_t probe_address, probe_value;
	_Atomic uint64_t doorbell;     /* UROCE_DOORBELL_NAME bytes */
	_Atomic uint32_t wire_address; /* of the wire's own use */
	_Atomic uint32_t wire_relays;  /* packets handed over to it: grows */
	_Atomic uint32_t wire_only;    /* its QPs are on the wire, whoever their peers are */
	uint32_t reserved;
};

/* A QP that is attached to a multicast group. */
struct uroce_shared_member {
	/* 0: free. Else 1 + the slot of its context, and below it (32 bits) that one's generation. */
	_Atomic uint64_t owner;
	_Atomic uint64_t gid[2];
	_Atomic uint32_t qpn; /* 0: being written */
	uint32_t reserved;
};

struct uroce_header {
	_Atomic uint64_t magic;
	_Atomic uint32_t version;
	_Atomic uint32_t arena_size_mib; /* a different layout has different sizes */
	_Atomic uint32_t next_slot, next_chunk;
	/* Of the slots, and of what ended contexts left. Like uroce_slot.life; 8 bytes for each such word. */
	_Atomic uint32_t table_lock;
	_Atomic uint32_t device; /* tells it from other devices of the user; not 0 */
	uint32_t reserved[8];
	struct uroce_slot slots[UROCE_SLOTS];
	/* 0, or 1 + the slot, and above it (<< 16) the number of the chunk in its context. */
	_Atomic uint32_t chunks[UROCE_CHUNKS];
	struct uroce_shared_lock atomic_locks[UROCE_ATOMIC_LOCKS];
	_Atomic uint64_t counters[UROCE_DEVICE_COUNTERS]; /* enum hf_soft_counter */
	/*
	 * Whose memory and queues the requests of a context access now; see access.c. 0: nobody's, else 1 + that
	 * slot, and above it (<< 16) a number that changes with each request.
	 */
	_Atomic uint32_t accesses[UROCE_SLOTS][UROCE_ACCESSES];
	_Atomic uint32_t members_end; /* greater than the index of any that was used */
	uint32_t reserved_end;
	struct uroce_shared_member members[UROCE_MEMBERS];
	/* Those that contexts have used: other devices of the user find this one by them. */
	_Atomic uint64_t gids[UROCE_GIDS][2];
};

/* A receive request in a ring; the ring's elements have `max_sge` entries each. */
struct uroce_rwqe {
	uint64_t wr_id;
	uint32_t num_sge;
	uint32_t reserved;
	struct ibv_sge sge[];
};

/*
 * The ring of an RQ or SRQ. The owner alone adds requests; whoever executes a message takes them,
 * with `lock`. Positions grow without end; the index is position & (size - 1). What the owner writes for each request
 * is in another cache line than what others write.
 */
struct uroce_shared_rq {
	struct uroce_shared_lock lock;
	_Atomic uint32_t head; /* next to take */
	_Atomic uint32_t size; /* a power of two; 0: there is none */
	_Atomic uint32_t max_sge;
	_Atomic uint64_t offset; /* of the first element in the arena */
	_Atomic uint32_t limit; /* of an SRQ: an event is due when fewer requests remain; 0: none */
	uint32_t reserved[9];
	_Atomic uint32_t tail;	  /* next to add */
	_Atomic uint32_t waiters; /* who is woken when there are requests: 1 + a slot, or all */
	uint32_t reserved_too[14];
};

/* A completion in a ring. */
struct uroce_cqe {
	uint64_t wr_id;
	uint64_t timestamp; /* ns, CLOCK_MONOTONIC */
	uint32_t status, opcode, vendor_err, byte_len;
	uint32_t imm; /* immediate data (big-endian), or the invalidated rkey */
	uint32_t qp_num, src_qp, wc_flags;
	uint16_t is_void; /* the QP was reset or destroyed */
	uint16_t
		has_payload; /* enum uroce_has_payload: the data is in the payload of the same index */
	uint32_t pkey_index;
	uint32_t solicited;
	uint32_t sl; /* enum uroce_packet_kind, of a datagram */
};

/*
 * RoCE has no service levels: the field says of what kind a datagram's packet was (annex A17.4.5.1), in the bits
 * that mlx5 has for that. UCX looks there to find the address in the routing header.
 */
enum uroce_packet_kind { UROCE_PACKET_IPV6 = 9, UROCE_PACKET_IPV4 = 10 };

/*
 * The data of a short message, which waits with its completion for the owner to put it into its memory: that is cheaper
 * than an access to another process's memory. See payload.c.
 */
struct uroce_payload {
	uint64_t address; /* in the owner's process */
	uint32_t lkey, pd;
	uint32_t length, reserved;
	char data[232];
};

#define UROCE_PAYLOAD_END ((uint64_t)1 << 32)

enum uroce_has_payload {
	UROCE_PAYLOAD_NONE, /* or its data is in memory */
	UROCE_PAYLOAD_WAITS,
	UROCE_PAYLOAD_MOVES, /* the owner puts it there now */
};

enum {
	UROCE_MAX_PAYLOAD = sizeof(((struct uroce_payload *)0)->data),
	UROCE_PAYLOAD_CQE = 16384, /* greater CQs have none */
};

enum uroce_armed { UROCE_ARMED_ALL = 1, UROCE_ARMED_SOLICITED = 2, UROCE_ARMED = 3 };

/*
 * Anyone adds completions, with `lock`; the owner alone polls. It reads `tail` all the time, so that is in another
 * cache line than the lock.
 */
struct uroce_shared_cq {
	struct uroce_shared_lock lock;
	_Atomic uint32_t head;
	_Atomic uint32_t size;	/* a power of two of elements; 0: there is none */
	_Atomic uint32_t limit; /* completions that may wait: what the program asked for or more */
	_Atomic uint32_t stamped; /* completions get timestamps */
	_Atomic uint32_t overflow;
	/* enum uroce_armed, then (<< 2) a number that grows when it is armed, then (<< 32) the tail at that time */
	_Atomic uint64_t armed;
	_Atomic uint64_t
		awaited; /* `armed` of when a completion was about to come that is waited for */
	_Atomic uint64_t offset;   /* of the first element in the arena */
	_Atomic uint64_t payloads; /* the same of struct uroce_payload; 0: it has none */
	/* 0, or UROCE_PAYLOAD_END and the position after the last completion that came with a payload. */
	_Atomic uint64_t payload_end;
	_Atomic uint32_t tail;
	uint32_t reserved_too[15];
};

struct uroce_shared_srq {
	struct uroce_shared_rq rq;
	_Atomic uint32_t pd;
	_Atomic uint32_t due; /* the limit was reached: an event is due */
	uint32_t reserved[14];
};

enum uroce_fault { /* what a peer's request did to a QP: uroce_shared_qp.fault */
		   UROCE_FAULT_NONE = 0,
		   UROCE_FAULT_ACCESS = 1,  /* remote access error: IBV_EVENT_QP_ACCESS_ERR */
		   UROCE_FAULT_REQUEST = 2, /* invalid request: IBV_EVENT_QP_REQ_ERR */
		   UROCE_FAULT_LOCAL = 3,   /* a receive request failed; its completion says how */
		   UROCE_FAULT_CQ = 4,	    /* a CQ of the QP overflowed: IBV_EVENT_QP_FATAL */
};

/* What peers need to know of a QP. The owner writes it, except `fault`, `rq` and the lock. */
struct uroce_shared_qp {
	_Atomic uint32_t number; /* QP number; 0: there is none */
	_Atomic uint32_t state;	 /* enum ibv_qp_state */
	_Atomic uint32_t type;
	_Atomic uint32_t fault;
	_Atomic uint32_t pd;
	_Atomic uint32_t dest; /* QP number of the peer */
	_Atomic uint32_t qkey;
	_Atomic uint32_t access;  /* qp_access_flags */
	_Atomic uint32_t recv_cq; /* in the CQ table of the same arena */
	_Atomic uint32_t srq;	  /* 1 + in the SRQ table; 0: none */
	_Atomic uint32_t min_rnr_timer;
	_Atomic uint32_t max_dest_rd_atomic;
	_Atomic uint32_t path_mtu;    /* in bytes */
	_Atomic uint32_t established; /* a message arrived in RTR: IBV_EVENT_COMM_EST was due */
	_Atomic uint32_t due;	      /* that event is due */
	_Atomic uint32_t
		dest_device; /* uroce_header.device of the peer; 0: of a device that is not known */
	struct uroce_shared_rq rq;
};

/* A memory region, or a window that is bound. Its index is the upper 16 bits of its key. */
struct uroce_shared_mr {
	_Atomic uint32_t key; /* 0: free */
	_Atomic uint32_t pd;
	_Atomic uint32_t access;
	_Atomic uint32_t flags; /* enum uroce_mr_flags */
	_Atomic uint64_t iova, length;
	_Atomic uint64_t address;
	_Atomic uint32_t qp;	 /* of a window of type 2: its QP number */
	_Atomic uint32_t parent; /* of a window: the key of its region */
	uint64_t reserved[2];
};

enum uroce_mr_flags {
	UROCE_MR_VALID = 1 << 0, /* not set: invalidated, or a window that is not bound */
	UROCE_MR_WINDOW = 1 << 1,
	UROCE_MR_WINDOW_2 = 1 << 2, /* type 2 */
	UROCE_MR_TAKEN = 1 << 3,    /* in use; 0 in a free entry */
};

/*
 * The addresses that a request accesses in the memory of the context that header.accesses names. The kernel reads
 * them here, so whose memory it is can take them away from a request that was stopped before it used them. It takes the
 * addresses and leaves the lengths: what a call copies ends there, and nothing goes to the next range instead.
 */
struct uroce_access {
	_Atomic uint32_t revoked;
	_Atomic uint32_t thread; /* that executes the request */
	struct iovec remote[UROCE_MAX_SGE];
};

struct uroce_arena {
	struct uroce_shared_mr mrs[UROCE_MRS];
	struct uroce_shared_qp qps[UROCE_QPS];
	struct uroce_shared_cq cqs[UROCE_CQS];
	struct uroce_shared_srq srqs[UROCE_SRQS];
	struct uroce_access accesses[UROCE_ACCESSES]; /* of requests of the arena's owner */
	char heap[];				      /* to the end of the arena */
};

#define UROCE_ARENA_SIZE  ((uint64_t)128 << 20)
#define UROCE_ARENA_FIRST ((uint64_t)1 << 20) /* offset of the first arena in the file */
#define UROCE_HEAP_SIZE	  (UROCE_ARENA_SIZE - sizeof(struct uroce_arena))

_Static_assert(sizeof(struct uroce_header) <= UROCE_ARENA_FIRST, "the header");
_Static_assert(sizeof(struct uroce_shared_cq) == 128 &&
		       offsetof(struct uroce_shared_cq, tail) == 64,
	       "cache lines");
_Static_assert(sizeof(struct uroce_shared_qp) == 192 && sizeof(struct uroce_shared_srq) == 192 &&
		       sizeof(struct uroce_shared_mr) == 64 &&
		       offsetof(struct uroce_shared_rq, tail) == 64,
	       "cache lines");
_Static_assert(sizeof(struct uroce_arena) < UROCE_ARENA_SIZE / 2, "the tables");

struct uroce_context;

/* Another context, or ours. Private to this context, and never changed; see peer.c. */
struct uroce_peer {
	uint32_t slot, generation;
	pid_t pid;
	struct uroce_arena *arena;
	bool direct; /* the trial access to its memory succeeded */
	uint64_t doorbell;
	struct uroce_peer *former; /* of the same slot: others may still use it */
};

/*
 * node.c. uroce_segment_map() maps the header. Then the engine thread, which lives as long as the
 * context, takes a slot with an arena in uroce_segment_begin(), and gives them back with all that is in them
 * in uroce_segment_end(). uroce_segment_unmap() frees what is private, also in a forked child.
 */
int uroce_segment_map(struct uroce_context *context);
int uroce_segment_begin(struct uroce_context *context);
void uroce_segment_end(struct uroce_context *context);
void uroce_segment_unmap(struct uroce_context *context);

/* Of a thread that holds the slot: uroce_robust_begin() and uroce_segment_begin(), and their ends. */
int uroce_membership_begin(struct uroce_context *context);
void uroce_membership_end(struct uroce_context *context);
/* Tells other devices of the user that the device has this GID. */
void uroce_publish_gid(struct uroce_context *context, unsigned int index, const union ibv_gid *gid);

/* slot.c; all but the last by the thread that holds the slot. */
int uroce_robust_begin(struct uroce_context *context);
void uroce_robust_end(struct uroce_context *context);
int uroce_table_lock(struct uroce_context *context);
void uroce_table_unlock(struct uroce_context *context);
void uroce_slot_hold(struct uroce_context *context);
void uroce_slot_release(struct uroce_context *context);
bool uroce_slot_alive(const struct uroce_slot *slot);

/* peer.c. The peer's structure is valid until the context is closed; NULL if there is none. */
struct uroce_peer *uroce_peer_of_slot(struct uroce_context *context, uint32_t slot);
/* The owner of a QP number and its shared part; NULL if there is none, or its process ended. */
struct uroce_peer *uroce_peer_of_qpn(struct uroce_context *context, uint32_t qpn,
				     struct uroce_shared_qp **qp);
/* Whether a living context has the number, if only reserved. */
bool uroce_qpn_has_owner(struct uroce_context *context, uint32_t qpn);
bool uroce_peer_alive(struct uroce_context *context, const struct uroce_peer *peer);
/* Wakes the engine thread of a context; `why` is enum uroce_ring. */
void uroce_peer_ring(struct uroce_context *context, const struct uroce_peer *peer, uint32_t why);
/* The same as uroce_peer_ring(), for what the context in slot `ringer` is about to do. */
void uroce_peer_ring_for(struct uroce_context *context, const struct uroce_peer *peer, uint32_t why,
			 uint32_t ringer);

/* Noted in rq->waiters: we are woken when requests are posted. The caller looks once more after it. */
void uroce_add_waiter(struct uroce_context *context, struct uroce_shared_rq *rq);
void uroce_wake_waiters(struct uroce_context *context, uint32_t waiters);

/*
 * access.c. A request on the direct path says whose memory it is about to access, before it looks at keys and
 * states there. uroce_access_wait() returns when no request that began before it can access our memory any
 * more. The caller has withdrawn the key or the state, and holds no lock that a request could wait for.
 */
uint32_t uroce_access_begin(struct uroce_context *context, uint32_t slot);
void uroce_access_end(struct uroce_context *context, uint32_t access);
void uroce_access_wait(struct uroce_context *context);
/* For our own requests alone, which have their data in our memory. */
void uroce_access_wait_own(struct uroce_context *context);
void uroce_access_clear(struct uroce_context *context, uint32_t slot);

/*
 * visit.c. The membership of a context in the node of another device of this user that has the GID, for one QP more: its
 * requests to QPs there are executed "through" it. NULL: there is none. `through` may be the context itself.
 */
struct uroce_context *uroce_visit_begin(struct uroce_context *context, const union ibv_gid *gid);
void uroce_visit_end(struct uroce_context *context, struct uroce_context *through);
/* uroce_access_wait_own() for all visits. */
void uroce_visits_wait(struct uroce_context *context);
/* When no QP is left. */
void uroce_visits_close(struct uroce_context *context);

/*
 * watch.c, of the engine thread. Who rings does so before it changes anything, and may be killed or stopped at any
 * moment after it. So the requests of who rang are watched, and when they have ended all is looked at again.
 */
void uroce_watch_slot(struct uroce_context *context, uint32_t slot);
void uroce_watch_all(struct uroce_context *context);
bool uroce_watch_ended(struct uroce_context *context); /* some have; they are forgotten */
bool uroce_watches(const struct uroce_context *context);

/*
 * shared_lock.c. uroce_shared_lock() is false if the lock cannot be had: for some ms another context held it that lives, but is
 * stopped, or the lock is damaged. A thread holds one lock of each kind at most, in the order below.
 */
enum uroce_lock_kind { UROCE_LOCK_RECV, UROCE_LOCK_CQ, UROCE_LOCK_ATOMIC, UROCE_LOCK_KINDS };
enum { UROCE_LOCK_GUARDS = 64 };
bool uroce_shared_lock_taken(const struct uroce_context *context,
			     const struct uroce_shared_lock *lock);
bool uroce_shared_lock_held(const struct uroce_context *context,
			    const struct uroce_shared_lock *lock, uint32_t *slot);
/* Where another thread of this context has the lock: returns after it has given it back. */
void uroce_shared_lock_wait_own(struct uroce_context *context, struct uroce_shared_lock *lock,
				enum uroce_lock_kind kind);
bool uroce_shared_lock(struct uroce_context *context, struct uroce_shared_lock *lock,
		       enum uroce_lock_kind kind);
void uroce_shared_unlock(struct uroce_context *context, struct uroce_shared_lock *lock,
			 enum uroce_lock_kind kind);

/* heap.c. Offsets in our arena, with memory behind them that cannot run out; 0: none left. */
uint64_t uroce_heap_take(struct uroce_context *context, size_t size);
void uroce_heap_give(struct uroce_context *context, uint64_t offset, size_t size);
/* Ensures memory behind `size` bytes of our arena's tables. 0 or ENOMEM. */
int uroce_arena_back(struct uroce_context *context, const void *address, size_t size);

/*
 * `count` elements of `stride` bytes at `offset` of an arena: NULL unless all of them are in the heap.
 * The arguments come from shared memory.
 */
static inline void *uroce_arena_ring(struct uroce_arena *arena, uint64_t offset, uint64_t count,
				     uint64_t stride)
{
	if (!count || count & (count - 1) || count > UROCE_MAX_CQE || stride > 4096 || offset % 8)
		return NULL;
	if (offset < sizeof(struct uroce_arena) || offset >= UROCE_ARENA_SIZE ||
	    count * stride > UROCE_ARENA_SIZE - offset)
		return NULL;
	return (char *)arena + offset;
}

static inline uint64_t uroce_rwqe_size(uint32_t max_sge)
{
	return sizeof(struct uroce_rwqe) + (uint64_t)max_sge * sizeof(struct ibv_sge);
}

#endif
