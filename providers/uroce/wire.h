/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The wire of a context: its sockets and who runs its QPs. Locks, before those of uroce.h: receive_lock, then
 * qp->lock, then wire->lock, which is held around everything of the transport.
 */
#ifndef PROVIDERS_UROCE_WIRE_H
#define PROVIDERS_UROCE_WIRE_H

#include <poll.h>

#include "providers/uroce/qp.h"
#include "providers/uroce/wire/socket.h"
#include "providers/uroce/wire/transport.h"
#include "providers/uroce/wire_inbox.h"
#include "providers/uroce/wire_pacer.h"

enum { UROCE_WIRE_WINDOWS = 16 };

enum { UROCE_WIRE_FDS = UROCE_GIDS + 1 };

/*
 * Data of a message that was read before its packets are built, by one call, to where they will have it: valid until
 * the transport of that QP returns.
 */
struct uroce_ahead {
	const void *user;
	const uint8_t *to[UROCE_BATCH];
	uint64_t at, end; /* positions in the message, or addresses, of what is there */
	uint64_t key;
	unsigned int next, count;
};

struct uroce_wire {
	struct uroce_context *context;
	struct uroce_wire *next; /* of the process */
	pthread_mutex_t receive_lock;
	pthread_mutex_t lock;
	struct uroce_socket sockets[UROCE_GIDS];
	atomic_uint socket_count;  /* they are added, and stay */
	struct uroce_socket relay; /* where other contexts hand packets over */
	struct uroce_icrc icrc;	   /* with receive_lock */
	struct uroce_inbox *inbox; /* with receive_lock; its copies with lock */
	uint32_t relays_seen;	   /* with receive_lock */
	unsigned int empty_looks;  /* of the program; with receive_lock */

	/* With lock. */
	/* By the address of the peer: what its socket's buffer takes. Different ones may have one window. */
	struct uroce_window tx[UROCE_WIRE_WINDOWS], rx;
	struct uroce_pacer *pacer; /* made when it is needed */
	uint64_t counters[UROCE_COUNT_TRANSPORT];
	struct uroce_batch batch;
	struct uroce_ahead ahead;
	unsigned int urgent; /* frames in the batch that are not held back */
	bool has_answers;    /* they wait until all packets are taken; with receive_lock too */

	/* Packets dropped before a QP had them; with receive_lock. */
	uint64_t bad_size, bad_icrc, bad_header, no_qp, bad_address, relayed;

	atomic_bool holds;     /* frames are held back until the program polls again */
	atomic_bool is_active; /* something was sent since the engine thread looked */
	uint64_t active_until; /* the engine thread's */
	atomic_uint spins;     /* polls, since the program asked for an event or stopped polling */
	unsigned int spins_seen; /* by the engine thread */
	atomic_bool
		is_left_alone; /* the engine thread does not wait for packets: the program polls */
};

/* A QP on the wire: its path_data. */
struct uroce_wire_link {
	struct uroce_qp *qp;
	struct uroce_wire *wire;
	struct uroce_wire_qp transport;
	const struct uroce_socket *from; /* RC, UC */
	union uroce_address to;
	union ibv_gid peer; /* who may send: RC, UC */
	bool is_sending;    /* RTS was reached */
	bool is_wire_forced;
	bool may_hold; /* what it is answered with now */
	bool is_delivered_to; /* now: what is sent goes with that of other QPs, after the packets are taken */
	bool is_from_ipv6;	/* UD: the datagram that is received */
	struct uroce_recv recv; /* that was taken */
};

/* wire_calls.c */
extern const struct uroce_wire_calls uroce_wire_calls;

/* wire_context.c */
/* The context's wire, made when it is needed first. 0, or an errno value with a log line. */
int uroce_wire_get(struct uroce_context *context, struct uroce_wire **ret);
/* The socket of a GID of ours, opened when it is needed first. Not when the device is gone. */
int uroce_wire_socket(struct uroce_wire *wire, const union ibv_gid *gid,
		      const struct uroce_socket **ret);
/* By the engine thread when the device is gone: a new one with the address has the packets that come from now on. */
void uroce_wire_removed(struct uroce_context *context);
/* By the engine thread at its end, while the slot is ours; then the rest. */
void uroce_wire_end(struct uroce_context *context);
void uroce_wire_close(struct uroce_context *context);
/*
 * Descriptors to wait for, at most UROCE_WIRE_FDS. None while the program polls by itself, which is looked at
 * again before *deadline.
 */
unsigned int uroce_wire_fds(struct uroce_context *context, struct pollfd *fds, uint64_t *deadline);
/* The engine thread is to look at the sockets again: the program waits for an event. */
void uroce_wire_armed(struct uroce_context *context);

#endif
