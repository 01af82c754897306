/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, the stream link: greetings, data, keys and bounds, losses, and what a hostile peer can do. */
#include <errno.h>
#include <netinet/in.h>
#include <poll.h>
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

#include "rtrs/link/stream/frame.h"
#include "rtrs/link/stream/stream.h"
#include "t/lib/hang.h"
#include "t/lib/process.h"

enum { DEPTH = 8, MEMORY = 1 << 20, RECEIVE_SIZE = 64, EVENTS_MAX = 64 };

/* One end: its link, its connection, and memory of it. */
struct end {
	struct rtrs_link *link;
	struct rtrs_connection *connection;
	struct rtrs_memory *memory, *window_memory;
	struct rtrs_window *window;
	char *bytes;
	struct rtrs_link_event events[EVENTS_MAX];
	unsigned int count;
	uint8_t private_data[RTRS_FRAME_PRIVATE_MAX];
};

static struct end client, server;
static struct rtrs_listener *listener;
static struct sockaddr_storage address;
static char directory[] = "/tmp/hf-rtrs-stream-XXXXXX";

static const uint8_t hello[56] = {1, 2, 3}, answer[56] = {4, 5, 6};

static const struct rtrs_link_ops *ops_of(const struct end *end)
{
	return end->link->ops;
}

/* What came and was not asked for yet. Private data does not outlive the next call for the link. */
static void collect_events(struct end *end)
{
	struct rtrs_link_event event;
	int count;

	while ((count = ops_of(end)->next(end->link, &event)) > 0) {
		assert_true(end->count < EVENTS_MAX);
		if (event.private_size) {
			memcpy(end->private_data, event.private_data, event.private_size);
			event.private_data = end->private_data;
		}
		end->events[end->count++] = event;
	}
	assert_int_equal(count, 0);
}

static struct rtrs_link_event event_of(struct end *end)
{
	struct pollfd fds[] = {{.fd = ops_of(&client)->fd(client.link), .events = POLLIN},
			       {.fd = ops_of(&server)->fd(server.link), .events = POLLIN}};
	struct rtrs_link_event event;

	collect_events(&client);
	collect_events(&server);
	while (!end->count) {
		assert_true(poll(fds, 2, HF_TEST_HANG_MS) > 0);
		collect_events(&client);
		collect_events(&server);
	}
	event = end->events[0];
	memmove(end->events, end->events + 1, --end->count * sizeof(event));
	return event;
}

static void nothing_at(struct end *end)
{
	collect_events(end);
	assert_int_equal(end->count, 0);
}

static void expect_event(struct end *end, enum rtrs_link_event_type type, int error)
{
	struct rtrs_link_event event = event_of(end);

	assert_int_equal(event.type, type);
	assert_int_equal(event.error, error);
	assert_ptr_equal(event.connection, end->connection);
}

static void begin_connection(void)
{
	const struct rtrs_link_connect how = {.destination = (const struct sockaddr *)&address,
					      .private_data = hello,
					      .private_size = sizeof(hello),
					      .send_depth = DEPTH,
					      .receive_depth = DEPTH,
					      .user = &client};

	assert_int_equal(ops_of(&client)->connect(client.link, &how, &client.connection), 0);
}

static void take_request(void)
{
	const struct rtrs_link_queues queues = {DEPTH, DEPTH, &server};
	struct rtrs_link_event event = event_of(&server);

	assert_int_equal(event.type, RTRS_LINK_REQUESTED);
	assert_ptr_equal(event.listener, listener);
	assert_int_equal(event.private_size, sizeof(hello));
	assert_memory_equal(event.private_data, hello, sizeof(hello));
	server.connection = event.connection;
	assert_int_equal(ops_of(&server)->prepare(server.connection, &queues), 0);
	assert_int_equal(ops_of(&server)->prepare(server.connection, &queues), -ENOTCONN);
}

static void accept_request(void)
{
	struct rtrs_link_event event;

	assert_int_equal(ops_of(&server)->accept(server.connection, answer, sizeof(answer)), 0);
	expect_event(&server, RTRS_LINK_CONNECTED, 0);
	event = event_of(&client);
	assert_int_equal(event.type, RTRS_LINK_CONNECTED);
	assert_int_equal(event.private_size, sizeof(answer));
	assert_memory_equal(event.private_data, answer, sizeof(answer));
	assert_ptr_equal(event.connection->user, &client);
	assert_ptr_equal(server.connection->user, &server);
}

static void grant_to(struct end *end)
{
	assert_int_equal(ops_of(end)->grant(end->connection, end->bytes, MEMORY, RTRS_ACCESS_WRITE,
					    &end->memory),
			 0);
}

static void connect_ends(void)
{
	begin_connection();
	take_request();
	accept_request();
	grant_to(&client);
	grant_to(&server);
	memset(client.bytes, 0, MEMORY);
	memset(server.bytes, 0, MEMORY);
}

static void free_end(struct end *end)
{
	if (end->memory)
		ops_of(end)->withdraw(end->memory);
	end->memory = NULL;
	if (end->window)
		ops_of(end)->close_window(end->window);
	end->window = NULL;
	if (end->window_memory)
		ops_of(end)->withdraw(end->window_memory);
	end->window_memory = NULL;
	if (end->connection)
		ops_of(end)->free(end->connection);
	end->connection = NULL;
	end->count = 0;
}

static void free_ends(void)
{
	free_end(&client);
	free_end(&server);
	nothing_at(&client);
	nothing_at(&server);
}

static struct rtrs_post write_post(enum rtrs_post_type type, uint32_t from, uint32_t to,
				   uint32_t length)
{
	return (struct rtrs_post){
		.type = type,
		.reported = true,
		.segment_count = 1,
		.segments = {{client.bytes + from, length, client.memory->local_key}},
		.id = 7,
		.address = (uintptr_t)server.bytes + to,
		.key = server.memory->remote_key,
		.imm = 0x12345678,
	};
}

static void post(const struct rtrs_post *what)
{
	assert_int_equal(ops_of(&client)->post(client.connection, what, 1), 0);
}

static void receive_at(struct end *end, uint64_t id, uint32_t offset, uint32_t length)
{
	const struct rtrs_segment segment = {end->bytes + offset, length, end->memory->local_key};

	assert_int_equal(ops_of(end)->receive(end->connection, id, length ? &segment : NULL), 0);
}

static int set_up(void **state)
{
	(void)state;
	assert_int_equal(rtrsi_stream_open(&client.link), 0);
	assert_int_equal(rtrsi_stream_open(&server.link), 0);
	client.bytes = malloc(MEMORY);
	server.bytes = malloc(MEMORY);
	assert_non_null(client.bytes);
	assert_non_null(server.bytes);
	assert_int_equal(ops_of(&server)->listen(server.link, (struct sockaddr *)&address, &server,
						 &listener),
			 0);
	return 0;
}

static int tear_down(void **state)
{
	(void)state;
	free_ends();
	ops_of(&server)->unlisten(listener);
	ops_of(&client)->close(client.link);
	ops_of(&server)->close(server.link);
	free(client.bytes);
	free(server.bytes);
	return 0;
}

static void use_unix_address(void)
{
	struct sockaddr_un unix_address = {.sun_family = AF_UNIX};

	snprintf(unix_address.sun_path, sizeof(unix_address.sun_path), "%s/socket", directory);
	memset(&address, 0, sizeof(address));
	memcpy(&address, &unix_address, sizeof(unix_address));
}

/* --- life -------------------------------------------------------------------------------------- */

static void private_data_goes_both_ways(void **state)
{
	struct sockaddr_storage own, peer;

	(void)state;
	connect_ends();
	ops_of(&server)->addresses(server.connection, &own, &peer);
	assert_int_equal(own.ss_family, AF_UNIX);
	nothing_at(&client);
	nothing_at(&server);
}

static void a_tcp_address_serves_as_well(void **state)
{
	struct sockaddr_in loopback = {.sin_family = AF_INET,
				       .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct rtrs_listener *unix_listener = listener;
	struct sockaddr_storage own, peer;
	struct rtrs_post write;
	socklen_t size = sizeof(own);
	int fd;

	(void)state;
	/* A port that is free. */
	fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	assert_int_equal(bind(fd, (struct sockaddr *)&loopback, sizeof(loopback)), 0);
	assert_int_equal(getsockname(fd, (struct sockaddr *)&own, &size), 0);
	close(fd);
	memcpy(&address, &own, sizeof(own));
	assert_int_equal(ops_of(&server)->listen(server.link, (struct sockaddr *)&address, &server,
						 &listener),
			 0);
	connect_ends();
	ops_of(&server)->addresses(server.connection, &own, &peer);
	assert_int_equal(own.ss_family, AF_INET);
	assert_memory_equal(&own, &address, sizeof(struct sockaddr_in));
	assert_int_equal(peer.ss_family, AF_INET);
	strcpy(client.bytes, "by TCP");
	write = write_post(RTRS_POST_WRITE_IMM, 0, 100, 7);
	receive_at(&server, 1, 0, 0);
	post(&write);
	expect_event(&server, RTRS_LINK_RECEIVED, 0);
	assert_string_equal(server.bytes + 100, "by TCP");
	expect_event(&client, RTRS_LINK_SENT, 0);
	ops_of(&server)->unlisten(listener);
	listener = unix_listener;
	use_unix_address();
}

static void a_rejection_brings_private_data(void **state)
{
	struct rtrs_link_event event;

	(void)state;
	for (int prepared = 0; prepared < 2; prepared++) {
		begin_connection();
		event = event_of(&server);
		assert_int_equal(event.type, RTRS_LINK_REQUESTED);
		if (prepared) {
			const struct rtrs_link_queues queues = {DEPTH, DEPTH, &server};

			assert_int_equal(ops_of(&server)->prepare(event.connection, &queues), 0);
		}
		ops_of(&server)->reject(event.connection, answer, sizeof(answer));
		event = event_of(&client);
		assert_int_equal(event.type, RTRS_LINK_REFUSED);
		assert_int_equal(event.private_size, sizeof(answer));
		assert_memory_equal(event.private_data, answer, sizeof(answer));
		nothing_at(&client);
		free_end(&client);
	}
}

static void nobody_listens(void **state)
{
	const struct rtrs_link_connect how = {.destination = (const struct sockaddr *)&address,
					      .private_data = hello,
					      .private_size = sizeof(hello)};
	struct rtrs_link_connect bad = how;
	uint8_t much[RTRS_FRAME_PRIVATE_MAX + 1] = {0};

	(void)state;
	ops_of(&server)->unlisten(listener);
	assert_int_equal(ops_of(&client)->connect(client.link, &how, &client.connection), -ENOENT);
	/* A socket that nobody listens to any more is no obstacle; one that somebody does is. */
	assert_int_equal(ops_of(&server)->listen(server.link, (struct sockaddr *)&address, &server,
						 &listener),
			 0);
	assert_int_equal(ops_of(&server)->listen(server.link, (struct sockaddr *)&address, &server,
						 &listener),
			 -EADDRINUSE);
	bad.private_data = much;
	bad.private_size = sizeof(much);
	assert_int_equal(ops_of(&client)->connect(client.link, &bad, &client.connection), -EINVAL);
}

static void a_socket_left_behind_is_replaced(void **state)
{
	struct sockaddr_un left = {.sun_family = AF_UNIX};
	struct rtrs_listener *another;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	(void)state;
	snprintf(left.sun_path, sizeof(left.sun_path), "%s/left", directory);
	assert_int_equal(bind(fd, (struct sockaddr *)&left, sizeof(left)), 0);
	close(fd);
	assert_int_equal(access(left.sun_path, F_OK), 0);
	assert_int_equal(
		ops_of(&server)->listen(server.link, (struct sockaddr *)&left, NULL, &another), 0);
	ops_of(&server)->unlisten(another);
	assert_int_equal(access(left.sun_path, F_OK), -1);
}

static void both_ends_hear_of_a_disconnect(void **state)
{
	(void)state;
	connect_ends();
	receive_at(&client, 11, 0, 0);
	receive_at(&server, 12, 0, 0);
	receive_at(&server, 13, 0, 0);
	ops_of(&client)->disconnect(client.connection);
	expect_event(&client, RTRS_LINK_LOST, -ECONNRESET);
	expect_event(&client, RTRS_LINK_RECEIVED, -ECANCELED);
	expect_event(&server, RTRS_LINK_LOST, -ECONNRESET);
	expect_event(&server, RTRS_LINK_RECEIVED, -ECANCELED);
	expect_event(&server, RTRS_LINK_RECEIVED, -ECANCELED);
	assert_int_equal(ops_of(&client)->receive(client.connection, 1, NULL), -ENOTCONN);
}

static void a_free_end_is_a_loss_of_the_other(void **state)
{
	(void)state;
	connect_ends();
	free_end(&server);
	expect_event(&client, RTRS_LINK_LOST, -ECONNRESET);
}

static void an_unplugged_device_is_gone(void **state)
{
	(void)state;
	connect_ends();
	rtrsi_stream_unplug(client.connection);
	expect_event(&client, RTRS_LINK_GONE, -ENODEV);
	expect_event(&server, RTRS_LINK_LOST, -ECONNRESET);
}

/* --- data -------------------------------------------------------------------------------------- */

static void writes_and_messages_arrive_in_order(void **state)
{
	struct rtrs_post write, write_imm, message;
	struct rtrs_link_event event;

	(void)state;
	connect_ends();
	strcpy(client.bytes, "first second third");
	receive_at(&server, 1, 500, 0);
	receive_at(&server, 2, 600, RECEIVE_SIZE);
	receive_at(&server, 3, 700, RECEIVE_SIZE);
	write = write_post(RTRS_POST_WRITE, 0, 10, 6);
	write_imm = write_post(RTRS_POST_WRITE_IMM, 6, 16, 7);
	message = write_post(RTRS_POST_SEND, 13, 0, 6);
	write.reported = false;
	post(&write);
	post(&write_imm);
	post(&message);
	message.type = RTRS_POST_SEND_IMM;
	message.segments[1] = (struct rtrs_segment){client.bytes, 5, client.memory->local_key};
	message.segment_count = 2;
	post(&message);

	event = event_of(&server);
	assert_int_equal(event.id, 1);
	assert_int_equal(event.length, 0);
	assert_true(event.has_imm);
	assert_int_equal(event.imm, 0x12345678);
	assert_string_equal(server.bytes + 10, "first second ");
	event = event_of(&server);
	assert_int_equal(event.id, 2);
	assert_int_equal(event.length, 6);
	assert_false(event.has_imm);
	assert_string_equal(server.bytes + 600, "third");
	event = event_of(&server);
	assert_int_equal(event.id, 3);
	assert_int_equal(event.length, 11);
	assert_true(event.has_imm);
	assert_memory_equal(server.bytes + 700, "third\0first", 11);
	for (int i = 0; i < 3; i++)
		expect_event(&client, RTRS_LINK_SENT, 0);
	nothing_at(&client);
}

/* More than sockets hold: it goes in parts, and the poster hears of it when the last one is sent. */
static void much_data_goes_in_parts(void **state)
{
	struct rtrs_post write;

	(void)state;
	connect_ends();
	for (uint32_t i = 0; i < MEMORY; i++)
		client.bytes[i] = (char)(i * 7 + i / 251);
	write = write_post(RTRS_POST_WRITE, 0, 0, MEMORY);
	write.reported = false;
	for (int i = 0; i < DEPTH - 1; i++)
		post(&write);
	write = write_post(RTRS_POST_WRITE_IMM, 1, 1, MEMORY - 1);
	post(&write);
	/* The queue is full: nothing was reported, so no place is known to be free. */
	write.imm = 5;
	receive_at(&server, 1, 0, 0);
	expect_event(&server, RTRS_LINK_RECEIVED, 0);
	assert_memory_equal(server.bytes, client.bytes, MEMORY);
	expect_event(&client, RTRS_LINK_SENT, 0);
}

static void a_full_queue_takes_no_more(void **state)
{
	struct rtrs_post write;
	int err = 0, count = 0;

	(void)state;
	connect_ends();
	write = write_post(RTRS_POST_WRITE, 0, 0, 1);
	while (!err && count <= DEPTH + 1)
		err = ops_of(&client)->post(client.connection, &write, ++count ? 1 : 0);
	assert_int_equal(err, -ENOMEM);
	assert_in_range(count, DEPTH, DEPTH + 2);
	for (count = 0; count < DEPTH; count++)
		assert_int_equal(ops_of(&server)->receive(server.connection, 0, NULL), 0);
	assert_int_equal(ops_of(&server)->receive(server.connection, 0, NULL), -ENOMEM);
}

static void a_frame_waits_for_a_receive(void **state)
{
	struct rtrs_post message;
	unsigned long before;

	(void)state;
	connect_ends();
	before = rtrsi_stream_not_ready_count(server.link);
	strcpy(client.bytes, "patience");
	message = write_post(RTRS_POST_SEND, 0, 0, 9);
	post(&message);
	expect_event(&client, RTRS_LINK_SENT, 0);
	while (rtrsi_stream_not_ready_count(server.link) == before)
		nothing_at(&server);
	nothing_at(&server);
	receive_at(&server, 4, 100, RECEIVE_SIZE);
	expect_event(&server, RTRS_LINK_RECEIVED, 0);
	assert_string_equal(server.bytes + 100, "patience");
	assert_int_equal(rtrsi_stream_not_ready_count(server.link), before + 1);
}

/* --- keys and bounds --------------------------------------------------------------------------- */

static void kills(const struct rtrs_post *bad, int error)
{
	char before[256];

	memcpy(before, server.bytes, sizeof(before));
	receive_at(&server, 1, MEMORY - 8, 8);
	post(bad);
	expect_event(&client, RTRS_LINK_SENT, 0);
	expect_event(&server, RTRS_LINK_LOST, error);
	expect_event(&server, RTRS_LINK_RECEIVED, -ECANCELED);
	expect_event(&client, RTRS_LINK_LOST, -ECONNRESET);
	assert_memory_equal(before, server.bytes, sizeof(before));
	free_ends();
}

static void a_bad_key_or_bound_kills_the_connection(void **state)
{
	(void)state;
	for (int i = 0; i < 9; i++) {
		struct rtrs_post bad;
		int error = -EACCES;

		connect_ends();
		memset(client.bytes, 0xee, 256);
		bad = write_post(i % 2 ? RTRS_POST_WRITE : RTRS_POST_WRITE_IMM, 0, 0, 16);
		if (i == 0)
			bad.key++;
		else if (i == 1)
			bad.key = 0;
		else if (i == 2)
			bad.key = UINT32_MAX;
		else if (i == 3)
			bad.key = server.memory->local_key;
		else if (i == 4)
			bad.address--;
		else if (i == 5)
			bad.address = (uintptr_t)server.bytes + MEMORY - 15;
		else if (i == 6)
			bad.address = UINT64_MAX - 7;
		else if (i == 7)
			bad.key = client.memory->remote_key + 1;
		if (i == 8) {
			bad = write_post(RTRS_POST_SEND, 0, 0, 9);
			error = -EMSGSIZE;
		}
		kills(&bad, error);
	}
}

static void withdrawn_memory_has_no_key(void **state)
{
	struct rtrs_memory *memory;
	struct rtrs_post bad;

	(void)state;
	connect_ends();
	bad = write_post(RTRS_POST_WRITE, 0, 0, 16);
	memset(client.bytes, 0xee, 16);
	memory = server.memory;
	grant_to(&server);
	assert_int_not_equal(server.memory->remote_key, bad.key);
	ops_of(&server)->withdraw(memory);
	kills(&bad, -EACCES);
}

static void own_keys_are_checked(void **state)
{
	struct rtrs_segment segment;
	struct rtrs_post bad;

	(void)state;
	connect_ends();
	bad = write_post(RTRS_POST_WRITE, 0, 0, 16);
	bad.segments[0].key = client.memory->remote_key;
	assert_int_equal(ops_of(&client)->post(client.connection, &bad, 1), -EACCES);
	bad = write_post(RTRS_POST_WRITE, MEMORY - 8, 0, 16);
	assert_int_equal(ops_of(&client)->post(client.connection, &bad, 1), -EACCES);
	segment = (struct rtrs_segment){client.bytes, MEMORY + 1, client.memory->local_key};
	assert_int_equal(ops_of(&client)->receive(client.connection, 1, &segment), -EACCES);
}

/* The sender's memory goes while a part of it is in the socket: nothing of it is read any more. */
static void memory_withdrawn_while_it_is_sent(void **state)
{
	struct rtrs_post write;

	(void)state;
	connect_ends();
	write = write_post(RTRS_POST_WRITE, 0, 0, MEMORY);
	write.reported = false;
	post(&write);
	post(&write);
	ops_of(&client)->withdraw(client.memory);
	client.memory = NULL;
	free(client.bytes);
	client.bytes = NULL;
	while (event_of(&server).type != RTRS_LINK_LOST)
		;
	client.bytes = malloc(MEMORY);
	assert_non_null(client.bytes);
}

/* The same at the receiver. */
static void memory_withdrawn_while_it_is_written(void **state)
{
	struct rtrs_post write;

	(void)state;
	connect_ends();
	write = write_post(RTRS_POST_WRITE, 0, 0, MEMORY);
	write.reported = false;
	/* More than the sockets hold. */
	for (unsigned int i = 0; i < 8; i++)
		post(&write);
	nothing_at(&server);
	ops_of(&server)->withdraw(server.memory);
	server.memory = NULL;
	free(server.bytes);
	server.bytes = NULL;
	expect_event(&server, RTRS_LINK_LOST, -EACCES);
	server.bytes = malloc(MEMORY);
	assert_non_null(server.bytes);
	assert_int_equal(event_of(&client).type, RTRS_LINK_LOST);
}

static struct rtrs_window *open_window_of(struct end *end)
{
	struct rtrs_window *window;

	assert_int_equal(ops_of(end)->open_window(end->memory, &window), -EINVAL);
	if (!end->window_memory)
		assert_int_equal(ops_of(end)->grant(end->connection, end->bytes, MEMORY,
						    RTRS_ACCESS_WINDOWS, &end->window_memory),
				 0);
	assert_int_equal(ops_of(end)->open_window(end->window_memory, &window), 0);
	end->window = window;
	return window;
}

static void a_window_has_a_new_key_each_time(void **state)
{
	struct rtrs_window *window;
	struct rtrs_post write;
	uint32_t former;

	(void)state;
	connect_ends();
	window = open_window_of(&server);
	assert_int_equal(ops_of(&server)->bind(server.connection, window, server.bytes + 50, MEMORY,
					       false, 1),
			 -EINVAL);
	for (int i = 0; i < 20; i++) {
		former = window->remote_key;
		assert_int_equal(ops_of(&server)->bind(server.connection, window, server.bytes + 50,
						       16, true, 30),
				 0);
		assert_int_not_equal(window->remote_key, former);
		expect_event(&server, RTRS_LINK_SENT, 0);
		write = write_post(RTRS_POST_WRITE_IMM, 0, 50, 16);
		write.key = window->remote_key;
		receive_at(&server, 1, 0, 0);
		post(&write);
		expect_event(&server, RTRS_LINK_RECEIVED, 0);
		expect_event(&client, RTRS_LINK_SENT, 0);
	}
	assert_int_equal(
		ops_of(&server)->bind(server.connection, window, server.bytes, 0, false, 1), 0);
	kills(&write, -EACCES);
}

static void a_window_ends_where_it_is_said(void **state)
{
	struct rtrs_window *window;
	struct rtrs_post write;

	(void)state;
	connect_ends();
	window = open_window_of(&server);
	assert_int_equal(ops_of(&server)->bind(server.connection, window, server.bytes + 50, 15,
					       false, 1),
			 0);
	write = write_post(RTRS_POST_WRITE, 0, 50, 16);
	write.key = window->remote_key;
	kills(&write, -EACCES);
}

static void the_peer_can_invalidate_a_window(void **state)
{
	struct rtrs_window *window;
	struct rtrs_post write, inval = {.type = RTRS_POST_SEND_INVAL, .reported = true};

	(void)state;
	connect_ends();
	window = open_window_of(&server);
	assert_int_equal(
		ops_of(&server)->bind(server.connection, window, server.bytes, 16, false, 1), 0);
	inval.key = window->remote_key;
	receive_at(&server, 1, 0, 0);
	post(&inval);
	expect_event(&server, RTRS_LINK_RECEIVED, 0);
	expect_event(&client, RTRS_LINK_SENT, 0);
	write = write_post(RTRS_POST_WRITE, 0, 0, 16);
	write.key = inval.key;
	kills(&write, -EACCES);
	/* What is no window cannot be invalidated. */
	connect_ends();
	inval.key = server.memory->remote_key;
	kills(&inval, -EACCES);
}

/* --- hostile peers ----------------------------------------------------------------------------- */

static int raw_socket(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof(struct sockaddr_un)), 0);
	return fd;
}

static void wait_for_end(int fd)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	char byte;

	do
		nothing_at(&server);
	while (!poll(&poll_fd, 1, 0));
	assert_true(read(fd, &byte, 1) <= 0);
	close(fd);
}

static void say_bytes(int fd, const void *bytes, size_t size)
{
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
}

static void strangers_that_say_something_else_are_dropped(void **state)
{
	const struct rtrs_frame frames[] = {
		{RTRS_FRAME_HELLO, 0, RTRS_FRAME_MAGIC + 1, 0, 0},
		{RTRS_FRAME_HELLO, RTRS_FRAME_PRIVATE_MAX + 1, RTRS_FRAME_MAGIC, 0, 0},
		{RTRS_FRAME_ACCEPT, 0, RTRS_FRAME_MAGIC, 0, 0},
		{RTRS_FRAME_REJECT, 0, RTRS_FRAME_MAGIC, 0, 0},
		{RTRS_FRAME_WRITE, UINT32_MAX, 0, 0, 0},
		{RTRS_FRAME_SEND, 16, 0, 0, 0},
		{RTRS_FRAME_TYPES, 0, RTRS_FRAME_MAGIC, 0, 0},
		{0, 0, RTRS_FRAME_MAGIC, 0, 0},
	};
	uint8_t bytes[RTRS_FRAME_SIZE];
	int fd;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(frames); i++) {
		rtrsi_frame_encode(&frames[i], bytes);
		fd = raw_socket();
		say_bytes(fd, bytes, sizeof(bytes));
		wait_for_end(fd);
	}
	fd = raw_socket();
	say_bytes(fd, "GET / HTTP/1.1\r\nHost: x\r\n\r\n", 27);
	wait_for_end(fd);
}

static void a_greeting_is_cut_at_each_length(void **state)
{
	uint8_t bytes[RTRS_FRAME_SIZE + sizeof(hello)];
	const struct rtrs_frame frame = {RTRS_FRAME_HELLO, sizeof(hello), RTRS_FRAME_MAGIC, 0, 0};
	struct rtrs_link_event event;

	(void)state;
	rtrsi_frame_encode(&frame, bytes);
	memcpy(bytes + RTRS_FRAME_SIZE, hello, sizeof(hello));
	for (size_t size = 0; size < sizeof(bytes); size++) {
		int fd = raw_socket(), whole = raw_socket();

		say_bytes(fd, bytes, size);
		/* In two parts it is as good as in one. */
		say_bytes(whole, bytes, size);
		nothing_at(&server);
		nothing_at(&server);
		close(fd);
		nothing_at(&server);
		say_bytes(whole, bytes + size, sizeof(bytes) - size);
		event = event_of(&server);
		assert_int_equal(event.type, RTRS_LINK_REQUESTED);
		assert_memory_equal(event.private_data, hello, sizeof(hello));
		ops_of(&server)->reject(event.connection, NULL, 0);
		close(whole);
	}
}

static void silent_strangers_are_bounded(void **state)
{
	enum { STRANGERS = 400 };
	int fds[STRANGERS], before = count_open_fds(), open_now;

	(void)state;
	for (int i = 0; i < STRANGERS; i++) {
		fds[i] = raw_socket();
		nothing_at(&server);
	}
	open_now = count_open_fds() - before - STRANGERS;
	assert_in_range(open_now, 1, 300);
	connect_ends();
	for (int i = 0; i < STRANGERS; i++)
		close(fds[i]);
	free_ends();
	assert_int_equal(count_open_fds(), before);
}

static void many_connections_leave_nothing(void **state)
{
	int before = count_open_fds();

	(void)state;
	for (int i = 0; i < 500; i++) {
		connect_ends();
		if (i % 3)
			ops_of(&client)->disconnect(client.connection);
		free_ends();
	}
	assert_int_equal(count_open_fds(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(private_data_goes_both_ways),
		cmocka_unit_test(a_tcp_address_serves_as_well),
		cmocka_unit_test(a_rejection_brings_private_data),
		cmocka_unit_test(nobody_listens),
		cmocka_unit_test(a_socket_left_behind_is_replaced),
		cmocka_unit_test(both_ends_hear_of_a_disconnect),
		cmocka_unit_test(a_free_end_is_a_loss_of_the_other),
		cmocka_unit_test(an_unplugged_device_is_gone),
		cmocka_unit_test(writes_and_messages_arrive_in_order),
		cmocka_unit_test(much_data_goes_in_parts),
		cmocka_unit_test(a_full_queue_takes_no_more),
		cmocka_unit_test(a_frame_waits_for_a_receive),
		cmocka_unit_test(a_bad_key_or_bound_kills_the_connection),
		cmocka_unit_test(withdrawn_memory_has_no_key),
		cmocka_unit_test(own_keys_are_checked),
		cmocka_unit_test(memory_withdrawn_while_it_is_sent),
		cmocka_unit_test(memory_withdrawn_while_it_is_written),
		cmocka_unit_test(a_window_has_a_new_key_each_time),
		cmocka_unit_test(a_window_ends_where_it_is_said),
		cmocka_unit_test(the_peer_can_invalidate_a_window),
		cmocka_unit_test(strangers_that_say_something_else_are_dropped),
		cmocka_unit_test(a_greeting_is_cut_at_each_length),
		cmocka_unit_test(silent_strangers_are_bounded),
		cmocka_unit_test(many_connections_leave_nothing),
	};
	struct CMUnitTest each[HF_ARRAY_SIZE(tests)];
	int failures;

	for (size_t i = 0; i < HF_ARRAY_SIZE(tests); i++) {
		each[i] = tests[i];
		each[i].setup_func = set_up;
		each[i].teardown_func = tear_down;
	}
	if (!mkdtemp(directory))
		return 1;
	use_unix_address();
	failures = cmocka_run_group_tests(each, NULL, NULL);
	rmdir(directory);
	return failures;
}
