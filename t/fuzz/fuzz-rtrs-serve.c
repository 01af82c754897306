/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What clients do to an RTRS server, in any order: connections, names, requests in chunks, requests of RNBD in
 * these, and ends of all kinds. Each step of the input is a byte that says what, and its arguments.
 */
#include <errno.h>
#include <netinet/in.h>

#include "rtrs/engine/server.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/rnbd/server.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "rtrs-serve";

enum { DEPTH = 4, CHUNK = 8192, PATHS = 4, RUNS = DEPTH * PATHS, MESSAGE_MAX = 32 };

struct run {
	struct rtrs_server_request *request; /* NULL: none */
	struct rtrs_rnbd_job job;
};

static struct rtrs_server server;
static struct rtrs_rnbd_server rnbd;
static struct rtrs_server_path *paths[PATHS];
static uint8_t memory[PATHS][DEPTH * CHUNK];
static struct run runs[RUNS];
static int64_t now_ns;
static const uint8_t *input, *input_end;

static uint8_t take_byte(void)
{
	return input < input_end ? *input++ : 0;
}

static void take_bytes(uint8_t *to, size_t size)
{
	for (size_t i = 0; i < size; i++)
		to[i] = take_byte();
}

static int open_any(void *user, const char *path, struct rtrs_rnbd_export *ret)
{
	(void)user;
	/* However it was spelled, it leads down. */
	fuzz_check(*path != '/' && !strstr(path, "//") && strcmp(path, "..") != 0 &&
		   strncmp(path, "../", 3) != 0 && !strstr(path, "/../"));
	ret->about = (struct rtrs_rnbd_device){
		.sectors = 64, .logical_block_size = 512, .physical_block_size = 512};
	ret->is_read_only = *path == 'r';
	return *path == 'x' ? -ENOENT : 0;
}

/* It is resized again and again. */
static void measure_any(void *user, struct rtrs_rnbd_export *exported)
{
	(void)user;
	exported->about.sectors ^= 32;
}

static void close_any(void *user, struct rtrs_rnbd_export *exported)
{
	(void)user;
	fuzz_check(!exported->users && !exported->writers);
}

static unsigned int place_of_path(const struct rtrs_server_path *path)
{
	unsigned int i = 0;

	while (i < PATHS && paths[i] != path)
		i++;
	fuzz_check(i < PATHS);
	return i;
}

static void check_run(const struct rtrs_server_request *request)
{
	const uint8_t *chunks = memory[place_of_path(request->path)];
	const struct rtrs_request *message = &request->message;

	fuzz_check(request->data == chunks + (size_t)request->chunk * CHUNK);
	fuzz_check(message->data_length + (uint64_t)message->user_length < CHUNK);
	for (unsigned int i = 0; i < RUNS; i++) {
		const struct rtrs_server_request *other = runs[i].request;

		/* One at a time in a chunk of the session. */
		fuzz_check(!other || other->chunk != request->chunk ||
			   other->path->session != request->path->session);
	}
}

static void begin_serving(struct rtrs_server_request *request)
{
	const struct rtrs_request *message = &request->message;
	uint8_t *header = fuzz_copy(request->data + message->data_length, message->user_length);
	const struct rtrs_rnbd_request asked = {header, message->user_length, message->is_read,
						request->data, message->data_length};
	struct run *run = runs;

	check_run(request);
	while (run->request)
		run++;
	run->request = request;
	run->job = rtrsi_rnbd_serve(&rnbd, request->path->session->user, &asked);
	fuzz_check(run->job.is_answered || run->job.exported);
	free(header);
}

static void end_serving(struct run *run, int error)
{
	struct rtrs_server_request *request = run->request;

	if (!request)
		return;
	if (!run->job.is_answered)
		rtrsi_rnbd_io_done(&rnbd, &run->job);
	*run = (struct run){0};
	rtrsi_server_done(&server, request, error);
}

static void carry_out_fuzzed(const struct rtrs_server_order *order)
{
	struct rtrs_server_session *session = order->path->session;

	switch (order->type) {
	case RTRS_SERVER_ORDER_GRANT:
		rtrsi_server_granted(&server, order->path, memory[place_of_path(order->path)],
				     now_ns);
		break;
	case RTRS_SERVER_ORDER_UP:
		fuzz_check(!session->user);
		session->user = calloc(1, sizeof(struct rtrs_rnbd_session));
		fuzz_check(session->user != NULL);
		break;
	case RTRS_SERVER_ORDER_GONE:
		fuzz_check(!order->path->runs);
		paths[place_of_path(order->path)] = NULL;
		break;
	case RTRS_SERVER_ORDER_DOWN:
		rtrsi_rnbd_session_ends(&rnbd, session->user);
		free(session->user);
		break;
	case RTRS_SERVER_ORDER_RUN:
		begin_serving(order->request);
		break;
	case RTRS_SERVER_ORDER_ANSWER:
		fuzz_check(order->path->state == RTRS_SERVER_CONNECTED);
		rtrsi_server_answered(&server, order->request);
		break;
	default:
		break;
	}
}

static void take_fuzzed_orders(void)
{
	struct rtrs_server_order order;

	while (rtrsi_server_next(&server, &order))
		carry_out_fuzzed(&order);
}

/* --- steps --------------------------------------------------------------------------------------- */

static void remember_path(struct rtrs_server_path *path)
{
	unsigned int empty = PATHS;

	for (unsigned int i = 0; i < PATHS; i++) {
		if (paths[i] == path)
			return;
		if (!paths[i])
			empty = i;
	}
	fuzz_check(empty < PATHS);
	paths[empty] = path;
}

/* The byte `what` says path, session and whether it is the first; or there are bytes of a message. */
static void connect_step(void)
{
	uint8_t what = take_byte(), host = take_byte(), bytes[RTRS_CONNECT_SIZE];
	struct rtrs_connect connect = {.connection = take_byte() & 3,
				       .connections = 1 + (take_byte() & 3),
				       .first = what & 1,
				       .path = {what >> 1 & 3},
				       .session = {what >> 3 & 1}};
	struct rtrs_addresses addresses = {0};
	struct sockaddr_in *peer = (void *)&addresses.peer;
	struct rtrs_server_connection made;

	peer->sin_family = AF_INET;
	peer->sin_addr.s_addr = host & 7;
	if (what >> 7)
		take_bytes(bytes, sizeof(bytes));
	else
		rtrsi_connect_encode(&connect, bytes);
	if (!rtrsi_server_connect(&server, bytes, sizeof(bytes) - (what >> 6 & 1), &addresses,
				  now_ns, &made)) {
		fuzz_check(made.number < made.path->connections);
		remember_path(made.path);
	}
}

static void info_step(struct rtrs_server_path *path)
{
	uint8_t what = take_byte(), bytes[RTRS_INFO_REQUEST_SIZE] = {0};
	uint8_t *copy;

	if (what & 1)
		take_bytes(bytes, sizeof(bytes));
	else
		fuzz_check(!rtrsi_info_request_encode(what & 2 ? "a" : "b", bytes));
	copy = fuzz_copy(bytes, sizeof(bytes) - (what >> 7));
	rtrsi_server_info(&server, path, copy, sizeof(bytes) - (what >> 7), now_ns);
	free(copy);
}

/* Some bytes somewhere in the path's chunks, or at the end of one. */
static void write_step(const struct rtrs_server_path *path)
{
	size_t offset = (size_t)take_byte() << 8, size = take_byte() % (MESSAGE_MAX + 1);

	offset = (offset | take_byte()) % (sizeof(memory[0]) - MESSAGE_MAX);
	take_bytes(memory[place_of_path(path)] + offset, size);
}

/* Chunk and offset, or any immediate. */
static void received_step(struct rtrs_server_path *path)
{
	uint8_t what = take_byte();
	uint32_t imm = (uint32_t)take_byte() << 8;

	imm |= take_byte();
	if (what >> 7)
		imm |= (uint32_t)take_byte() << 24 | (uint32_t)take_byte() << 16;
	else
		imm = rtrsi_imm_request(&server.geometry, what & 3, imm % CHUNK);
	rtrsi_server_received(&server, path, what >> 2 & 3, imm, now_ns);
}

static void take_fuzzed_step(void)
{
	uint8_t what = take_byte();
	struct rtrs_server_path *path = paths[what >> 4 & 3];

	if ((what & 15) == 0) {
		connect_step();
	} else if ((what & 15) == 1) {
		end_serving(&runs[what >> 4], take_byte() & 1 ? -EIO : 0);
	} else if ((what & 15) == 2) {
		now_ns += (int64_t)take_byte() * 1000000000;
		rtrsi_server_tick(&server, now_ns);
	} else if (path) {
		switch (what & 15) {
		case 3:
			info_step(path);
			break;
		case 4:
			rtrsi_server_lost(&server, path, -ECONNRESET);
			break;
		case 5:
			rtrsi_server_closed(&server, path);
			break;
		case 6:
			if (path->requests)
				rtrsi_server_invalidated(&server,
							 &path->requests[take_byte() % DEPTH]);
			break;
		case 7:
			received_step(path);
			break;
		default:
			write_step(path);
			break;
		}
	}
	take_fuzzed_orders();
}

static void end_all(void)
{
	for (unsigned int i = 0; i < PATHS; i++) {
		if (paths[i])
			rtrsi_server_lost(&server, paths[i], -ECONNRESET);
	}
	take_fuzzed_orders();
	for (unsigned int i = 0; i < PATHS; i++) {
		if (paths[i])
			rtrsi_server_closed(&server, paths[i]);
	}
	for (unsigned int i = 0; i < RUNS; i++)
		end_serving(&runs[i], 0);
	take_fuzzed_orders();
	fuzz_check(!server.sessions && !server.path_count && !rnbd.exports);
	for (unsigned int i = 0; i < PATHS; i++)
		fuzz_check(!paths[i]);
	rtrsi_server_free(&server);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rtrs_server_options options = {.accept = {DEPTH, CHUNK - 4096, 4096, false},
					      .paths_max = PATHS};

	input = data;
	input_end = data + size;
	now_ns = 0;
	memset(memory, 0, sizeof(memory));
	options.accept.new_keys = take_byte() & 1;
	rnbd = (struct rtrs_rnbd_server){
		.open = open_any, .close = close_any, .measure = measure_any};
	fuzz_check(!rtrsi_server_init(&server, &options));
	while (input < input_end)
		take_fuzzed_step();
	end_all();
	return 0;
}
