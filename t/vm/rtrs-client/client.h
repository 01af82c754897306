/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A client that drives the engine over the link of verbs, to meet the kernel's server. */
#ifndef HF_VM_RTRS_CLIENT_H
#define HF_VM_RTRS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "rtrs/engine/client.h"
#include "rtrs/link/link.h"

enum {
	CLIENT_PATHS = 4,
	CLIENT_CONNECTIONS = 2, /* one for control, one for IO */
	CLIENT_RECEIVES = 64,	/* posted to each */
	CLIENT_SLOTS = 8,	/* requests at a time */
	CLIENT_DATA = 4096,
};

/* A request with its memory. The device reads and writes this. */
struct client_slot {
	struct rtrs_client_request request; /* first: the engine hands out its address */
	bool is_busy, is_read;
	uint8_t connection;
	uint16_t header_length;
	uint32_t data_length;
	unsigned long number; /* the user's */
	uint8_t data[CLIENT_DATA];
	uint8_t header[512]; /* user header and message */
};

struct client_receives {
	uint8_t bytes[CLIENT_CONNECTIONS][CLIENT_RECEIVES][8];
	uint8_t info[RTRS_INFO_REQUEST_SIZE];
	uint8_t info_answer[RTRS_INFO_ANSWER_SIZE + 16 * RTRS_DEPTH_MAX];
};

struct client_path {
	const struct sockaddr *address;
	struct rtrs_connection *connections[CLIENT_CONNECTIONS];
	struct client_receives *receives;
	struct rtrs_memory *receive_memory, *slot_memory;
};

struct client {
	struct rtrs_client engine;
	struct rtrs_link *link;
	struct client_path paths[CLIENT_PATHS];
	unsigned int path_count, gone;
	struct client_slot *slots;
	void (*done)(struct client *client, struct client_slot *slot, int error);
};

/* Says why on standard error, and ends the process with 1; as the functions below do on any failure. */
__attribute__((format(printf, 1, 2), noreturn)) void client_die(const char *format, ...);

void client_begin(struct client *client, const char *session);
/* Returns when the path is connected. */
void client_add_path(struct client *client, const struct sockaddr *address);
/* One that is not busy, or NULL. */
struct client_slot *client_slot(struct client *client);
/* The user header and, for a write, the data are in the slot. client->done() is called with the outcome. */
void client_submit(struct client *client, struct client_slot *slot);
/* Waits for something to happen, and does what follows from it. */
void client_wait(struct client *client);
void client_end(struct client *client);

#endif
