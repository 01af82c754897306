/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a client does, told to a server's engine. */
#include <errno.h>
#include <netinet/in.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/imm.h"
#include "t/unit/rtrs_server_bed.h"

void bed_begin(struct server_bed *bed, bool new_keys)
{
	const struct rtrs_server_options options = {.accept = {DEPTH, CHUNK - 4096, 4096, new_keys},
						    .paths_max = PATHS_MAX};

	memset(bed, 0, sizeof(*bed));
	assert_int_equal(rtrsi_server_init(&bed->server, &options), 0);
}

void bed_take_orders(struct server_bed *bed)
{
	struct rtrs_server_order order;

	memset(bed->given, 0, sizeof(bed->given));
	while (rtrsi_server_next(&bed->server, &order)) {
		bed->given[order.type]++;
		bed->last[order.type] = order;
	}
}

/* Address `host` of the client, and so a path of its own. */
struct rtrs_addresses bed_addresses(uint8_t host)
{
	struct rtrs_addresses addresses = {0};
	struct sockaddr_in *own = (void *)&addresses.own, *peer = (void *)&addresses.peer;
	static uint16_t port;

	own->sin_family = peer->sin_family = AF_INET;
	own->sin_addr.s_addr = htonl(0xc6336401);
	own->sin_port = htons(1234);
	peer->sin_addr.s_addr = htonl(0xc6336400 + host);
	peer->sin_port = htons(++port);
	return addresses;
}

struct rtrs_connect bed_request(uint8_t session, uint8_t path, uint16_t number)
{
	return (struct rtrs_connect){.connection = number,
				     .connections = CONNECTIONS,
				     .attempt = 1,
				     .first = true,
				     .path = {path},
				     .session = {session}};
}

int bed_ask(struct server_bed *bed, const struct rtrs_connect *connect, uint8_t host,
	    struct rtrs_server_connection *ret)
{
	struct rtrs_addresses addresses = bed_addresses(host);
	uint8_t bytes[RTRS_CONNECT_SIZE];

	rtrsi_connect_encode(connect, bytes);
	return rtrsi_server_connect(&bed->server, bytes, sizeof(bytes), &addresses, bed->now_ns,
				    ret);
}

struct rtrs_server_path *bed_connect_path(struct server_bed *bed, uint8_t session, uint8_t uuid)
{
	struct rtrs_server_connection made;

	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		struct rtrs_connect connect = bed_request(session, uuid, (uint16_t)i);

		assert_int_equal(bed_ask(bed, &connect, uuid, &made), 0);
		assert_int_equal(made.number, i);
	}
	return made.path;
}

void bed_say_name(struct server_bed *bed, struct rtrs_server_path *path, const char *name)
{
	uint8_t bytes[RTRS_INFO_REQUEST_SIZE];

	assert_int_equal(rtrsi_info_request_encode(name, bytes), 0);
	rtrsi_server_info(&bed->server, path, bytes, sizeof(bytes), bed->now_ns);
}

/* The path's uuid says which memory it has. */
struct rtrs_server_path *bed_bring_up(struct server_bed *bed, uint8_t session, uint8_t uuid)
{
	struct rtrs_server_path *path = bed_connect_path(bed, session, uuid);
	char name[] = {'s', (char)('0' + session), '\0'};

	bed_say_name(bed, path, name);
	bed_take_orders(bed);
	assert_int_equal(bed->given[RTRS_SERVER_ORDER_GRANT], 1);
	rtrsi_server_granted(&bed->server, path, bed->memory[uuid], bed->now_ns);
	bed_take_orders(bed);
	assert_int_equal(bed->given[RTRS_SERVER_ORDER_INFO], 1);
	assert_int_equal(path->state, RTRS_SERVER_CONNECTED);
	return path;
}

void bed_close_path(struct server_bed *bed, struct rtrs_server_path *path)
{
	rtrsi_server_lost(&bed->server, path, -ECONNRESET);
	bed_take_orders(bed);
	assert_int_equal(bed->given[RTRS_SERVER_ORDER_CLOSE], 1);
	rtrsi_server_closed(&bed->server, path);
	bed_take_orders(bed);
}

void bed_arrives(struct server_bed *bed, struct rtrs_server_path *path, uint16_t chunk,
		 uint32_t offset)
{
	rtrsi_server_received(&bed->server, path, 1,
			      rtrsi_imm_request(&bed->server.geometry, chunk, offset), bed->now_ns);
}

void bed_write(struct server_bed *bed, struct rtrs_server_path *path, uint16_t chunk)
{
	rtrsi_write_encode(USER, bed->memory[path->uuid[0]] + (size_t)chunk * CHUNK + OFFSET);
	bed_arrives(bed, path, chunk, OFFSET);
	bed_take_orders(bed);
}

void bed_read(struct server_bed *bed, struct rtrs_server_path *path, uint16_t chunk,
	      uint32_t length)
{
	const struct rtrs_descriptor to = {4096, 77, length};

	rtrsi_read_encode(USER, &to, true,
			  bed->memory[path->uuid[0]] + (size_t)chunk * CHUNK + OFFSET);
	bed_arrives(bed, path, chunk, OFFSET);
	bed_take_orders(bed);
}

struct rtrs_server_request *bed_running(struct server_bed *bed)
{
	assert_int_equal(bed->given[RTRS_SERVER_ORDER_RUN], 1);
	return bed->last[RTRS_SERVER_ORDER_RUN].request;
}

void bed_answered(struct server_bed *bed, struct rtrs_server_request *request, int error)
{
	assert_int_equal(bed->given[RTRS_SERVER_ORDER_ANSWER], 1);
	assert_ptr_equal(bed->last[RTRS_SERVER_ORDER_ANSWER].request, request);
	assert_int_equal(bed->last[RTRS_SERVER_ORDER_ANSWER].error, error);
	rtrsi_server_answered(&bed->server, request);
	assert_int_equal(request->state, RTRS_REQUEST_IDLE);
}
