/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A world for the client's engine: a clock, a network that delays and breaks, and a server that takes its time:
 * the server's engine, or one like the kernel's, which runs what arrives at once. Everything follows from a seed. It checks at each step what must hold, and ends the test where it does not.
 */
#ifndef HF_TEST_RTRS_WORLD_H
#define HF_TEST_RTRS_WORLD_H

#include "rtrs/engine/client.h"
#include "rtrs/engine/server.h"

enum {
	WORLD_PATHS = 4, /* slots that the network knows */
	WORLD_DEPTH = 6,
	WORLD_CONNECTIONS = 3,
	WORLD_REQUESTS = 48,
	WORLD_EVENTS = 1024,
	WORLD_RUNS = 256,
	WORLD_CHUNK = 8192,
	WORLD_MAX_HEADER = 4096,
};

enum world_event_type {
	WORLD_ACCEPT,
	WORLD_REFUSE,
	WORLD_INFO,
	WORLD_IMM,     /* an answer or heartbeat for the client */
	WORLD_LOST,    /* the client hears of it */
	WORLD_CLOSED,  /* the client's connections are gone */
	WORLD_CONNECT, /* and below: at the server */
	WORLD_INFO_REQUEST,
	WORLD_REQUEST,
	WORLD_BEAT,
	WORLD_DOWN,
	WORLD_RUN_ENDS,
	WORLD_SERVER_CLOSED, /* the server's connections are gone */
	WORLD_INVALIDATED,
};

struct world_event {
	int64_t at_ns;
	uint64_t order;
	enum world_event_type type;
	unsigned int path, life;
	uint32_t value;	 /* an immediate, a connection's number, a run */
	uint32_t key;	 /* new for the client, or what it wrote with */
	uint32_t serial; /* of a request */
};

/* One execution of a request at the server. */
struct world_run {
	struct rtrs_server_request *request; /* of the server's engine */
	bool in_use;
	unsigned int path, life;
	uint16_t chunk;
	uint32_t serial;
};

struct world_request {
	struct rtrs_client_request request; /* first: the engine hands out its address */
	bool is_submitted, is_done, is_executed;
	int error;
};

/* The server's side of a path, and the network between. */
struct world_path {
	unsigned int life;	  /* of the client's connections */
	unsigned int server_life; /* that the server has; 0: none */
	bool is_up;		  /* at the server */
	bool is_broken;		  /* nothing gets through */
	unsigned int runs;
	uint32_t keys[WORLD_DEPTH]; /* 0: invalid */
	uint32_t last_key;
	uint8_t asked[WORLD_CONNECTIONS][RTRS_CONNECT_SIZE];
	struct rtrs_server_path *server; /* of the server's engine */
	uint8_t *memory;		 /* its chunks */
};

struct world {
	struct rtrs_client client;
	uint64_t random;
	int64_t now_ns;
	uint64_t order;
	bool is_kernel; /* a server without turns */
	struct rtrs_server server;
	bool session_is_up;
	unsigned int chunk_runs[WORLD_DEPTH];
	bool new_keys;
	struct world_event events[WORLD_EVENTS];
	unsigned int event_count;
	struct world_path paths[WORLD_PATHS];
	struct world_run runs[WORLD_RUNS];
	uint32_t chunk_serial[WORLD_DEPTH]; /* whose data is in it */
	struct world_request requests[WORLD_REQUESTS];
	unsigned int path_count;
	unsigned int submitted, done;
	unsigned long executions, fail_overs, answers_with_error;
};

void world_begin(struct world *world, uint64_t seed, bool is_kernel, bool new_keys);
void world_end(struct world *world);
uint32_t world_random(struct world *world, uint32_t below);
/* The next event or time-out; false: nothing will happen any more. */
bool world_step(struct world *world);
/* -errno of the engine. */
int world_submit(struct world *world);
void world_add_path(struct world *world);
/* Nothing gets through, and the server hears of it; the client as well, unless it has to find out. */
void world_break(struct world *world, unsigned int path, bool is_silent, int error);
/* The server closes it, if it has it. */
void world_cut(struct world *world, unsigned int path);
void world_mend(struct world *world, unsigned int path);

#endif
