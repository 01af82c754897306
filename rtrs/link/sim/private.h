/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of this link share. */
#ifndef RTRS_LINK_SIM_PRIVATE_H
#define RTRS_LINK_SIM_PRIVATE_H

#include "rtrs/link/sim/sim.h"

enum { SIM_PRIVATE_MAX = 256 };

enum sim_wire_state { SIM_WIRE_UP, SIM_WIRE_SILENT, SIM_WIRE_CUT, SIM_WIRE_UNPLUGGED };

enum sim_step_type {
	SIM_REQUEST, /* arrives at the listener */
	SIM_ACCEPT,  /* and below at the connection that it names */
	SIM_REJECT,
	SIM_CONFIRM,  /* the client knows that it is accepted */
	SIM_GOODBYE,  /* the peer has disconnected */
	SIM_END,      /* the connection ends with `error`; -ENODEV: its device is gone */
	SIM_TRANSMIT, /* its next post leaves: memory is read */
	SIM_ARRIVE,   /* at its peer */
	SIM_COMPLETE, /* the peer's acknowledgement */
};

/* Something that happens at its time. */
struct sim_step {
	int64_t at_ns;
	uint64_t order; /* of those at the same time */
	enum sim_step_type type;
	struct sim_connection *connection;
	int error;
};

enum sim_key_type { SIM_KEY_LOCAL, SIM_KEY_REMOTE, SIM_KEY_WINDOW };

struct sim_key {
	char *address;
	size_t length;
	const struct sim_link *link;
	const void *domain;
	uint32_t number;
	enum sim_key_type type;
	bool is_used, is_valid;
};

struct sim_memory {
	struct rtrs_memory base;
	struct sim_link *link;
	const void *domain;
	enum rtrs_access access;
};

struct sim_window {
	struct rtrs_window base;
	struct sim_memory *memory;
};

/* A post on its way: first in the sender's queue, then with what it carries. */
struct sim_message {
	struct rtrs_post post;
	bool is_bind;
	uint32_t window_key,
		bound_key; /* of a bind: what it takes the place of, and what becomes valid */
	char *bound;
	size_t bound_length;
	char *data; /* once it has left */
	uint32_t length;
	unsigned int tries;
	uint32_t acknowledged; /* how many of the other direction had arrived when it left */
	int64_t at_ns; /* when it arrives; later, when it is completed: not before those that were first */
};

struct sim_receive {
	uint64_t id;
	char *address;
	uint32_t length, key;
};

enum sim_state {
	SIM_CONNECTING,
	SIM_REQUESTED,
	SIM_PREPARED,
	SIM_ACCEPTED, /* the peer does not know yet */
	SIM_UP,
	SIM_DOWN,
};

struct sim_connection {
	struct rtrs_connection base;
	struct sim_connection
		*next; /* they stay as long as the simulation: what is on its way names them */
	struct rtrs_sim *sim;
	struct sim_connection *peer; /* NULL: none yet */
	bool is_freed;
	bool is_client;
	enum sim_state state;
	unsigned int wire;
	uint32_t address; /* where it was connected to, for both ends */
	uint32_t source;
	const void *domain;
	/* Posts from `done` on wait for their completion, from `sent` on they wait to leave. */
	struct sim_message *sends;
	uint32_t send_size, done, arrived, sent, send_end;
	bool is_transmitting, is_arriving, is_completing; /* a step for the next one is planned */
	struct sim_receive *receives;
	uint32_t receive_size, receive_first, receive_end;
	size_t private_size;
	uint8_t private_data[SIM_PRIVATE_MAX];
};

struct sim_event {
	struct sim_event *next;
	struct rtrs_link_event event;
	const struct sim_connection *connection;
	uint8_t private_data[SIM_PRIVATE_MAX];
};

struct sim_listener {
	struct rtrs_listener base;
	struct sim_listener *next;
	uint32_t address;
};

struct sim_link {
	struct rtrs_link base;
	struct rtrs_sim *sim;
	struct sim_event *events, **last_event;
	struct sim_event *given; /* the last one: its private data is handed out */
};

struct rtrs_sim {
	uint64_t random;
	int64_t now_ns;
	uint64_t order;
	struct sim_step *steps; /* a heap */
	size_t step_count, step_room;
	enum sim_wire_state wires[RTRS_SIM_WIRES];
	struct sim_listener *listeners;
	struct sim_connection *connections;
	struct sim_key *keys;
	uint32_t key_count;
	unsigned long not_ready, objects;
	bool has_stragglers;
};

static inline struct sim_connection *rtrsi_sim_of(struct rtrs_connection *base)
{
	return hf_container_of(base, struct sim_connection, base);
}

static inline struct sim_link *rtrsi_sim_link_of(const struct sim_connection *connection)
{
	return hf_container_of(connection->base.link, struct sim_link, base);
}

/* --- time.c */
uint32_t rtrsi_sim_random(struct rtrs_sim *sim, uint32_t below) HF_NONNULL;
/* How long a packet takes by a wire: mostly little, sometimes much. */
int64_t rtrsi_sim_delay(struct rtrs_sim *sim) HF_NONNULL;
/* Ends the program where memory runs out: a schedule would go on without it. */
void rtrsi_sim_step_at(struct sim_connection *connection, enum sim_step_type type, int64_t at_ns,
		       int error) HF_NONNULL;
void rtrsi_sim_step_in(struct sim_connection *connection, enum sim_step_type type,
		       int64_t delay_ns) HF_NONNULL;

/* --- link.c */
void rtrsi_sim_event(struct sim_connection *connection,
		     const struct rtrs_link_event *event) HF_NONNULL;
/* -ENOMEM. */
int rtrsi_sim_new_connection(struct sim_link *link,
			     struct sim_connection **ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_sim_make_queues(struct sim_connection *connection,
			  const struct rtrs_link_queues *queues) HF_MUST_CHECK HF_NONNULL;

/* --- connect.c */
void rtrsi_sim_handshake(struct sim_connection *connection, const struct sim_step *step) HF_NONNULL;
int rtrsi_sim_connect(struct rtrs_link *link, const struct rtrs_link_connect *how,
		      struct rtrs_connection **ret);
int rtrsi_sim_listen(struct rtrs_link *link, const struct sockaddr *address, void *user,
		     struct rtrs_listener **ret);
void rtrsi_sim_unlisten(struct rtrs_listener *listener);
int rtrsi_sim_prepare(struct rtrs_connection *connection, const struct rtrs_link_queues *queues);
int rtrsi_sim_accept(struct rtrs_connection *connection, const uint8_t *private_data, size_t size);
void rtrsi_sim_reject(struct rtrs_connection *connection, const uint8_t *private_data, size_t size);
void rtrsi_sim_addresses(const struct rtrs_connection *connection, struct sockaddr_storage *own,
			 struct sockaddr_storage *peer);
void rtrsi_sim_disconnect(struct rtrs_connection *connection);
void rtrsi_sim_free_connection(struct rtrs_connection *connection);
/* Ends the connection and flushes what was posted. The caller gives the event. */
void rtrsi_sim_break(struct sim_connection *connection, uint32_t failed, int error) HF_NONNULL;

/* --- messages.c */
int rtrsi_sim_post(struct rtrs_connection *connection, const struct rtrs_post *posts, size_t count);
int rtrsi_sim_receive(struct rtrs_connection *connection, uint64_t id,
		      const struct rtrs_segment *segment);
int rtrsi_sim_bind(struct rtrs_connection *connection, struct rtrs_window *window, void *address,
		   size_t length, bool reported, uint64_t id);
void rtrsi_sim_transmit(struct sim_connection *connection) HF_NONNULL;
void rtrsi_sim_arrive(struct sim_connection *connection) HF_NONNULL;
void rtrsi_sim_complete(struct sim_connection *connection) HF_NONNULL;

/* --- keys.c */
int rtrsi_sim_grant(struct rtrs_connection *connection, void *address, size_t length,
		    enum rtrs_access access, struct rtrs_memory **ret);
void rtrsi_sim_withdraw(struct rtrs_memory *memory);
int rtrsi_sim_open_window(struct rtrs_memory *memory, struct rtrs_window **ret);
void rtrsi_sim_close_window(struct rtrs_window *window);
/* The memory, or NULL. */
char *rtrsi_sim_check_key(const struct sim_connection *connection, uint32_t number, bool is_remote,
			  uint64_t address, uint64_t length) HF_MUST_CHECK HF_NONNULL;
/* Another number for a window; the former one stays valid until the bind is carried out. */
uint32_t rtrsi_sim_next_key(struct rtrs_sim *sim, uint32_t former) HF_MUST_CHECK HF_NONNULL;
void rtrsi_sim_bind_key(struct rtrs_sim *sim, uint32_t number, char *address, size_t length)
	HF_NONNULL_OF(1);
/* False: it is no valid key of a window. */
bool rtrsi_sim_invalidate_key(const struct sim_connection *connection,
			      uint32_t number) HF_MUST_CHECK HF_NONNULL;

#endif
