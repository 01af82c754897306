/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The smallest client of one path and one request at a time, to meet the kernel's server. */
#ifndef HF_VM_RTRS_CLIENT_H
#define HF_VM_RTRS_CLIENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "rtrs/engine/handshake.h"
#include "rtrs/link/link.h"

enum {
	CLIENT_CONNECTIONS = 2, /* one for control, one for IO */
	CLIENT_RECEIVES = 64,	/* posted to each */
	CLIENT_DATA_MAX = 1 << 17,
};

/* What the device reads and writes. */
struct client_memory {
	uint8_t data[CLIENT_DATA_MAX];
	uint8_t header[4096]; /* user header and message */
	uint8_t receives[CLIENT_CONNECTIONS][CLIENT_RECEIVES][8];
	uint8_t info[RTRS_INFO_REQUEST_SIZE];
	uint8_t info_answer[RTRS_INFO_ANSWER_SIZE + 16 * RTRS_DEPTH_MAX];
};

struct client {
	struct rtrs_link *link;
	struct rtrs_handshake handshake;
	struct rtrs_connection *connections[CLIENT_CONNECTIONS];
	struct client_memory *memory;
	struct rtrs_memory *granted;
	struct rtrs_chunk *chunks;
	unsigned int heartbeats, new_keys; /* received */
	bool answered;
	int answer;
};

/* Says why on standard error, and ends the process with 1; as the functions below do on any failure. */
__attribute__((format(printf, 1, 2), noreturn)) void client_die(const char *format, ...);

void client_open(struct client *client, const struct sockaddr *address, const char *session);
/* The user header is put into memory->header by the caller. Returns the server's errno. */
int client_request(struct client *client, unsigned int connection, bool is_read,
		   uint16_t header_length, uint32_t data_length);
/* Answers heartbeats until the device of all connections is removed. */
void client_wait_gone(struct client *client);
void client_close(struct client *client);

#endif
