/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RTRS, wrong peers of both ends of the library over sockets: each field of each message at its boundaries, each
 * message cut at each length, messages in wrong orders. Nothing but the path itself is touched: a good session goes
 * on, and nothing is left.
 */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "rtrs/link/stream/stream.h"
#include "rtrs/protocol/connect.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/info.h"
#include "rtrs/protocol/request.h"
#include "t/lib/process.h"
#include "t/unit/rtrs_disk.h"

enum {
	DEPTH = 8,
	CHUNK = 16384,
	HEADER = 4096,
	CONNECTIONS = 2,
	MEMORY = 4 * CHUNK,
	ROUNDS = 6,
	INFO_MAX = RTRS_INFO_ANSWER_SIZE + DEPTH * RTRS_DESCRIPTOR_SIZE,
	REPEATS = 300,
};

static char directory[] = "/tmp/hf-rtrs-torture-XXXXXX";
static char address[96], hostile_address[96];
static struct disk disk;
static struct disk_client client;
static uint64_t chance;

/* The wrong peer, of either kind. */
static struct {
	struct rtrs_link *link;
	struct rtrs_listener *listener;
	struct rtrs_connection *connections[CONNECTIONS];
	struct rtrs_memory *memory;
	uint8_t *bytes;
	unsigned int connected, requested;
	bool has_info;
	struct rtrs_chunk chunks[DEPTH];
} peer;

static const uint8_t values[] = {0x00, 0x01, 0x02, 0x7f, 0x80, 0xff};

static uint32_t any_below(uint32_t below)
{
	chance = chance * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
	return (uint32_t)((chance >> 33) % below);
}

/* --- the wrong peer ------------------------------------------------------------------------------ */

static uint8_t accept_bytes[RTRS_CONNECT_SIZE];
static size_t accept_size;

static void accept_wrongly(struct rtrs_connection *connection)
{
	const struct rtrs_link_queues queues = {64, 64, NULL, &peer};

	if (peer.requested >= CONNECTIONS) {
		peer.link->ops->reject(connection, NULL, 0);
		return;
	}
	assert_int_equal(peer.link->ops->prepare(connection, &queues), 0);
	peer.connections[peer.requested++] = connection;
	assert_int_equal(peer.link->ops->accept(connection, accept_bytes, accept_size), 0);
}

static void peer_event(const struct rtrs_link_event *event)
{
	switch (event->type) {
	case RTRS_LINK_CONNECTED:
		peer.connected++;
		break;
	case RTRS_LINK_REQUESTED:
		accept_wrongly(event->connection);
		break;
	case RTRS_LINK_RECEIVED:
		peer.has_info |= !event->error && event->length >= RTRS_INFO_ANSWER_SIZE;
		break;
	default:
		break;
	}
}

/* What there is to do is done at all ends. */
static void pump(void)
{
	struct rtrs_link_event event;

	for (int round = 0; round < ROUNDS; round++) {
		while (peer.link->ops->next(peer.link, &event) > 0)
			peer_event(&event);
		assert_int_equal(rtrs_service_dispatch(disk.service), 0);
		assert_int_equal(rtrs_session_dispatch(client.session), 0);
	}
}

static void make_memory(void)
{
	if (!peer.memory && peer.connections[0])
		(void)!peer.link->ops->grant(peer.connections[0], peer.bytes, MEMORY,
					     RTRS_ACCESS_WRITE, &peer.memory);
}

static void drop_peer(void)
{
	if (peer.memory)
		peer.link->ops->withdraw(peer.memory);
	peer.memory = NULL;
	for (unsigned int i = 0; i < CONNECTIONS; i++) {
		if (peer.connections[i])
			peer.link->ops->free(peer.connections[i]);
		peer.connections[i] = NULL;
	}
	peer.connected = peer.requested = 0;
	peer.has_info = false;
	pump();
}

/* Everybody else is as before. */
static void others_are_well(void)
{
	drop_peer();
	disk_client_work(&client, &disk, 2);
	disk_client_settle(&client, &disk);
}

static void post_bytes(unsigned int connection, struct rtrs_post post, const void *bytes,
		       size_t size)
{
	make_memory();
	if (!peer.connections[connection] || !peer.memory)
		return;
	if (size) {
		memcpy(peer.bytes + CHUNK, bytes, size);
		post.segment_count = 1;
		post.segments[0] = (struct rtrs_segment){peer.bytes + CHUNK, (uint32_t)size,
							 peer.memory->local_key};
	}
	(void)!peer.link->ops->post(peer.connections[connection], &post, 1);
	pump();
}

static void send_bytes(unsigned int connection, const void *bytes, size_t size)
{
	post_bytes(connection, (struct rtrs_post){.type = RTRS_POST_SEND}, bytes, size);
}

static void send_imm(unsigned int connection, uint32_t imm, const void *bytes, size_t size)
{
	post_bytes(connection,
		   (struct rtrs_post){.type = size ? RTRS_POST_SEND_IMM : RTRS_POST_WRITE_IMM,
				      .imm = imm},
		   bytes, size);
}

/* --- a wrong client ------------------------------------------------------------------------------ */

static struct rtrs_connect wish(uint16_t connection)
{
	static uint8_t serial;

	if (!connection)
		serial++;
	return (struct rtrs_connect){.connection = connection,
				     .connections = CONNECTIONS,
				     .attempt = 1,
				     .first = true,
				     .path = {serial, 1},
				     .session = {serial, 2}};
}

static void ask_for(unsigned int number, const uint8_t *bytes, size_t size)
{
	struct sockaddr_un to = {.sun_family = AF_UNIX};
	const struct rtrs_link_connect how = {.destination = (const struct sockaddr *)&to,
					      .private_data = bytes,
					      .private_size = size,
					      .send_depth = 64,
					      .receive_depth = 64,
					      .domain = &peer};

	snprintf(to.sun_path, sizeof(to.sun_path), "%s", address + strlen("unix:"));
	assert_int_equal(peer.link->ops->connect(peer.link, &how, &peer.connections[number]), 0);
	pump();
}

static void ask_for_good(unsigned int number)
{
	const struct rtrs_connect connect = wish((uint16_t)number);
	uint8_t bytes[RTRS_CONNECT_SIZE];

	rtrsi_connect_encode(&connect, bytes);
	ask_for(number, bytes, sizeof(bytes));
}

static void receive_info_answer(void)
{
	struct rtrs_segment segment;

	make_memory();
	if (!peer.memory || !peer.connections[0])
		return;
	segment = (struct rtrs_segment){peer.bytes, INFO_MAX, peer.memory->local_key};
	(void)!peer.link->ops->receive(peer.connections[0], 1, &segment);
	for (unsigned int i = 0; i < 20; i++) {
		segment = (struct rtrs_segment){peer.bytes + 2UL * CHUNK + i * 64UL, 64,
						peer.memory->local_key};
		if (peer.connections[i & 1])
			(void)!peer.link->ops->receive(peer.connections[i & 1], 1, &segment);
	}
}

static void connect_well(void)
{
	struct rtrs_geometry geometry;
	uint8_t info[RTRS_INFO_REQUEST_SIZE];

	ask_for_good(0);
	ask_for_good(1);
	assert_int_equal(peer.connected, 2);
	receive_info_answer();
	assert_int_equal(rtrsi_info_request_encode("wrong", info), 0);
	send_bytes(0, info, sizeof(info));
	assert_true(peer.has_info);
	assert_int_equal(rtrsi_geometry_init(DEPTH, CHUNK - HEADER, HEADER, &geometry), 0);
	assert_int_equal(rtrsi_info_answer_decode(&geometry, peer.bytes, INFO_MAX, peer.chunks), 0);
}

static void connect_requests(void **state)
{
	const struct rtrs_connect connect = wish(0);
	uint8_t good[RTRS_CONNECT_SIZE], bytes[RTRS_CONNECT_SIZE];

	(void)state;
	rtrsi_connect_encode(&connect, good);
	for (size_t size = 0; size < sizeof(good); size++) {
		ask_for(0, good, size);
		assert_int_equal(peer.connected, 0);
		others_are_well();
	}
	for (size_t at = 0; at < sizeof(good); at++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(values); i++) {
			memcpy(bytes, good, sizeof(bytes));
			bytes[at] = values[i];
			ask_for(0, bytes, sizeof(bytes));
			ask_for(1, bytes, sizeof(bytes));
			drop_peer();
		}
		others_are_well();
	}
}

static void info_requests(void **state)
{
	uint8_t good[RTRS_INFO_REQUEST_SIZE + 8] = {0}, bytes[sizeof(good)];

	(void)state;
	assert_int_equal(rtrsi_info_request_encode("wrong", good), 0);
	for (size_t size = 0; size <= sizeof(good); size++) {
		ask_for_good(0);
		ask_for_good(1);
		receive_info_answer();
		send_bytes(0, good, size);
		assert_int_equal(peer.has_info, size == RTRS_INFO_REQUEST_SIZE);
		others_are_well();
	}
	for (size_t at = 0; at < RTRS_INFO_REQUEST_SIZE; at += at < 8 ? 1 : 31) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(values); i++) {
			memcpy(bytes, good, sizeof(bytes));
			bytes[at] = values[i];
			ask_for_good(0);
			ask_for_good(1);
			receive_info_answer();
			send_bytes(0, bytes, RTRS_INFO_REQUEST_SIZE);
			others_are_well();
		}
	}
}

static void write_wrongly(unsigned int connection, const uint8_t *message, size_t size,
			  uint32_t offset, uint32_t imm)
{
	post_bytes(connection,
		   (struct rtrs_post){.type = RTRS_POST_WRITE_IMM,
				      .address = peer.chunks[1].address + offset,
				      .key = peer.chunks[1].key,
				      .imm = imm},
		   message, size);
}

/* Of a request with `offset` in front of its message. */
static uint32_t imm_of(uint32_t offset)
{
	struct rtrs_geometry geometry;

	assert_int_equal(rtrsi_geometry_init(DEPTH, CHUNK - HEADER, HEADER, &geometry), 0);
	return rtrsi_imm_request(&geometry, 1, offset);
}

static void try_request(const uint8_t *message, size_t size, uint32_t offset)
{
	connect_well();
	write_wrongly(1, message, size, offset, imm_of(offset));
	others_are_well();
}

static void requests(void **state)
{
	const struct rtrs_descriptor to = {0x1000, 7, 512};
	uint8_t read[RTRS_REQUEST_MAX], message[RTRS_REQUEST_MAX];

	(void)state;
	rtrsi_read_encode(4, &to, true, read);
	for (size_t at = 0; at < sizeof(read); at++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(values); i++) {
			memcpy(message, read, sizeof(message));
			message[at] = values[i];
			try_request(message, sizeof(message), 4);
		}
	}
	/* At the end of the chunk, and cut there. */
	for (size_t size = 1; size <= sizeof(read); size++)
		try_request(read, size, CHUNK - (uint32_t)size);
	rtrsi_write_encode(4, message);
	for (size_t size = 1; size <= RTRS_WRITE_SIZE; size++)
		try_request(message, size, CHUNK - (uint32_t)size);
	for (uint32_t user = 0; user < 8; user++) {
		rtrsi_write_encode((uint16_t)user, message);
		try_request(message, RTRS_WRITE_SIZE, 4);
	}
}

static void wrong_immediates_at_the_server(void **state)
{
	static const uint32_t payloads[] = {0,	       1,	  0x7ffff,  0x80000,
					    0x1ffffff, 0x2000000, 0xfffffff};

	(void)state;
	for (uint32_t type = 0; type < 16; type++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(payloads); i++) {
			for (unsigned int connection = 0; connection < 2; connection++) {
				connect_well();
				send_imm(connection, type << 28 | payloads[i], NULL, 0);
				send_imm(connection, type << 28 | payloads[i], "12345678", 8);
				drop_peer();
			}
		}
		others_are_well();
	}
}

/* What a client may do, in any order. */
static void random_step(void)
{
	uint8_t bytes[RTRS_INFO_REQUEST_SIZE] = {0};
	uint32_t which = any_below(2);

	switch (any_below(8)) {
	case 0:
	case 1:
		if (!peer.connections[which])
			ask_for_good(which);
		break;
	case 2:
	case 3:
		(void)!rtrsi_info_request_encode("wrong", bytes);
		send_bytes(which, bytes, sizeof(bytes));
		break;
	case 4:
		rtrsi_write_encode(0, bytes);
		write_wrongly(which, bytes, RTRS_WRITE_SIZE, 0, imm_of(0));
		break;
	case 5:
		send_imm(which, rtrsi_imm_heartbeat(any_below(2)), NULL, 0);
		break;
	case 6:
		receive_info_answer();
		break;
	default:
		if (peer.connections[which])
			peer.link->ops->disconnect(peer.connections[which]);
		pump();
		break;
	}
}

static void wrong_orders_at_the_server(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < REPEATS; i++) {
		chance = i;
		for (unsigned int steps = 0; steps < 12; steps++)
			random_step();
		others_are_well();
	}
}

/* --- a wrong server ------------------------------------------------------------------------------ */

static const struct rtrs_accept good_accept = {DEPTH, CHUNK - HEADER, HEADER, true};

static void answer_well(void)
{
	rtrsi_accept_encode(&good_accept, accept_bytes);
	accept_size = sizeof(accept_bytes);
}

/* Our client asks, once; afterwards the path is removed. */
static unsigned int begin_wrong_path(void)
{
	int path = rtrs_session_add_path(client.session, hostile_address);

	assert_true(path >= 0);
	for (int i = 0; i < 4; i++)
		pump();
	return (unsigned int)path;
}

static void end_wrong_path(unsigned int path)
{
	unsigned int removed = client.removed;

	(void)!rtrs_session_remove_path(client.session, path);
	while (client.removed == removed)
		pump();
	others_are_well();
}

static void accepts(void **state)
{
	uint8_t good[RTRS_CONNECT_SIZE];

	(void)state;
	answer_well();
	memcpy(good, accept_bytes, sizeof(good));
	for (accept_size = 0; accept_size < sizeof(good); accept_size++)
		end_wrong_path(begin_wrong_path());
	accept_size = sizeof(good);
	for (size_t at = 0; at < 20; at++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(values); i++) {
			memcpy(accept_bytes, good, sizeof(good));
			accept_bytes[at] = values[i];
			end_wrong_path(begin_wrong_path());
		}
	}
}

static void put_good_info(uint8_t bytes[INFO_MAX])
{
	struct rtrs_descriptor descriptors[DEPTH];

	for (unsigned int i = 0; i < DEPTH; i++)
		descriptors[i] = (struct rtrs_descriptor){i * (uint64_t)CHUNK, 5, CHUNK};
	rtrsi_info_answer_encode(descriptors, DEPTH, bytes);
}

static void try_info(const uint8_t *bytes, size_t size)
{
	unsigned int path = begin_wrong_path();

	send_bytes(0, bytes, size);
	end_wrong_path(path);
}

static void info_answers(void **state)
{
	uint8_t good[INFO_MAX], bytes[INFO_MAX];

	(void)state;
	answer_well();
	put_good_info(good);
	for (size_t size = 0; size < sizeof(good); size++)
		try_info(good, size);
	for (size_t at = 0; at < 24; at++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(values); i++) {
			memcpy(bytes, good, sizeof(bytes));
			bytes[at] = values[i];
			try_info(bytes, sizeof(bytes));
		}
	}
}

static unsigned int bring_up_wrong_path(void)
{
	unsigned int path = begin_wrong_path(), ups = client.path_ups;
	uint8_t bytes[INFO_MAX];

	put_good_info(bytes);
	send_bytes(0, bytes, sizeof(bytes));
	assert_int_equal(client.path_ups, ups + 1);
	return path;
}

static void answers(void **state)
{
	static const uint32_t payloads[] = {0, 1, DEPTH, 0x7ffff, 0x80000, 0xfffffff};
	uint8_t key[RTRS_NEW_KEY_SIZE];
	unsigned int path;

	(void)state;
	answer_well();
	for (uint32_t type = 0; type < 16; type++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(payloads); i++) {
			path = bring_up_wrong_path();
			rtrsi_new_key_encode(0, 9, key);
			send_imm(1, type << 28 | payloads[i], key, i % 2 ? sizeof(key) : 0);
			send_imm(0, type << 28 | payloads[i], key, i % 2 ? 0 : sizeof(key));
			end_wrong_path(path);
		}
	}
	for (size_t size = 0; size < sizeof(key); size++) {
		path = bring_up_wrong_path();
		send_imm(1, rtrsi_imm_answer(0, 0, false), key, size);
		end_wrong_path(path);
	}
	for (size_t at = 0; at < sizeof(key); at++) {
		for (size_t i = 0; i < HF_ARRAY_SIZE(values); i++) {
			rtrsi_new_key_encode(0, 9, key);
			key[at] = values[i];
			path = bring_up_wrong_path();
			send_imm(1, rtrsi_imm_answer(0, 0, false), key, sizeof(key));
			end_wrong_path(path);
		}
	}
}

static void wrong_orders_at_the_client(void **state)
{
	uint8_t bytes[INFO_MAX];

	(void)state;
	answer_well();
	put_good_info(bytes);
	for (unsigned int i = 0; i < REPEATS; i++) {
		unsigned int path = begin_wrong_path();

		chance = i;
		for (unsigned int steps = 0; steps < 8; steps++) {
			uint32_t which = any_below(2);

			if (!any_below(3))
				send_bytes(which, bytes, sizeof(bytes));
			else if (any_below(2))
				send_imm(which, rtrsi_imm_heartbeat(any_below(2)), NULL, 0);
			else
				send_imm(which,
					 rtrsi_imm_answer((uint16_t)any_below(DEPTH), 0, false),
					 bytes, RTRS_NEW_KEY_SIZE);
		}
		end_wrong_path(path);
	}
}

static int begin_torture(void **state)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};

	(void)state;
	disk_open(&disk, address, DEPTH, true);
	disk_client_open(&client, "good", DEPTH, 1);
	disk_client_add_path(&client, &disk, address);
	peer.bytes = calloc(1, MEMORY);
	assert_non_null(peer.bytes);
	assert_int_equal(rtrsi_stream_open(&peer.link), 0);
	snprintf(at.sun_path, sizeof(at.sun_path), "%s", hostile_address + strlen("unix:"));
	assert_int_equal(peer.link->ops->listen(peer.link, (const struct sockaddr *)&at, NULL,
						&peer.listener),
			 0);
	return 0;
}

static int end_torture(void **state)
{
	(void)state;
	disk_client_verify(&client, &disk);
	disk_client_close(&client);
	while (disk.downs < disk.ups)
		assert_int_equal(rtrs_service_dispatch(disk.service), 0);
	disk_close(&disk);
	peer.link->ops->close(peer.link);
	free(peer.bytes);
	return 0;
}

#define TORTURE(name) cmocka_unit_test_setup_teardown(name, begin_torture, end_torture)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TORTURE(connect_requests),
		TORTURE(info_requests),
		TORTURE(requests),
		TORTURE(wrong_immediates_at_the_server),
		TORTURE(wrong_orders_at_the_server),
		TORTURE(accepts),
		TORTURE(info_answers),
		TORTURE(answers),
		TORTURE(wrong_orders_at_the_client),
	};
	int before = count_open_fds(), failures;

	setenv("HOLDFAST_RTRS_CONTROL", "off", 1);
	if (!mkdtemp(directory))
		return 1;
	snprintf(address, sizeof(address), "unix:%s/s", directory);
	snprintf(hostile_address, sizeof(hostile_address), "unix:%s/h", directory);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	if (rmdir(directory) || count_open_fds() != before)
		failures++;
	return failures;
}
