/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A server's engine, with its orders counted and memory for the chunks of three paths, for tests. */
#ifndef HF_TEST_RTRS_SERVER_BED_H
#define HF_TEST_RTRS_SERVER_BED_H

#include <stdint.h>

#include "rtrs/engine/server.h"

enum { DEPTH = 4, CHUNK = 8192, CONNECTIONS = 2, PATHS_MAX = 4, TYPES = 12 };

struct server_bed {
	struct rtrs_server server;
	int64_t now_ns;
	/* How often each order was given since the last look, and the last one of each. */
	unsigned int given[TYPES];
	struct rtrs_server_order last[TYPES];
	uint8_t memory[3][DEPTH * CHUNK];
};

/* Where tests put the message, behind data and a user header. */
enum { USER = 8, OFFSET = 512 + USER };

void bed_begin(struct server_bed *bed, bool new_keys);
void bed_take_orders(struct server_bed *bed);
struct rtrs_addresses bed_addresses(uint8_t host);
struct rtrs_connect bed_request(uint8_t session, uint8_t path, uint16_t number);
int bed_ask(struct server_bed *bed, const struct rtrs_connect *connect, uint8_t host,
	    struct rtrs_server_connection *ret);
struct rtrs_server_path *bed_connect_path(struct server_bed *bed, uint8_t session, uint8_t uuid);
void bed_say_name(struct server_bed *bed, struct rtrs_server_path *path, const char *name);
struct rtrs_server_path *bed_bring_up(struct server_bed *bed, uint8_t session, uint8_t uuid);
void bed_close_path(struct server_bed *bed, struct rtrs_server_path *path);
void bed_arrives(struct server_bed *bed, struct rtrs_server_path *path, uint16_t chunk,
		 uint32_t offset);
void bed_write(struct server_bed *bed, struct rtrs_server_path *path, uint16_t chunk);
void bed_read(struct server_bed *bed, struct rtrs_server_path *path, uint16_t chunk,
	      uint32_t length);
struct rtrs_server_request *bed_running(struct server_bed *bed);
void bed_answered(struct server_bed *bed, struct rtrs_server_request *request, int error);

#endif
