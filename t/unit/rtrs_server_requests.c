/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, requests at the server's engine: turns in chunks, both key modes, malformed messages. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/le.h"
#include "t/unit/rtrs_server_bed.h"

static void a_request_runs_and_is_answered(void **state)
{
	struct rtrs_server_request *request;
	struct rtrs_server_path *path;
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	path = bed_bring_up(&bed, 1, 1);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_UP], 1);
	bed_write(&bed, path, 3);
	request = bed_running(&bed);
	assert_ptr_equal(request->data, bed.memory[1] + (size_t)3 * CHUNK);
	assert_int_equal(request->message.data_length, 512);
	assert_int_equal(request->connection, 1);
	assert_false(request->message.is_read);
	/* What the peer writes there now says nothing. */
	memset(request->data + OFFSET, 0xff, 24);
	rtrsi_server_done(&bed.server, request, -EIO);
	bed_take_orders(&bed);
	bed_answered(&bed, request, -EIO);
	bed_read(&bed, path, 3, 512);
	request = bed_running(&bed);
	assert_true(request->message.is_read && request->message.inval);
	rtrsi_server_done(&bed.server, request, 0);
	bed_take_orders(&bed);
	bed_answered(&bed, request, 0);
	assert_int_equal(path->reads, 1);
	assert_int_equal(path->read_bytes, OFFSET);
	assert_int_equal(path->writes, 1);
	assert_int_equal(path->written_bytes, OFFSET);
	bed_close_path(&bed, path);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_DOWN], 1);
	rtrsi_server_free(&bed.server);
}

static void a_message_is_looked_at_when_its_key_is_invalid(void **state)
{
	struct rtrs_server_request *request;
	struct rtrs_server_path *path;
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, true);
	path = bed_bring_up(&bed, 1, 1);
	memset(bed.memory[1] + OFFSET, 0xff, 24);
	bed_arrives(&bed, path, 0, OFFSET);
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_INVALIDATE], 1);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_RUN], 0);
	request = bed.last[RTRS_SERVER_ORDER_INVALIDATE].request;
	rtrsi_write_encode(USER, bed.memory[1] + OFFSET);
	rtrsi_server_invalidated(&bed.server, request);
	rtrsi_server_invalidated(&bed.server, request);
	bed_take_orders(&bed);
	assert_ptr_equal(bed_running(&bed), request);
	/* A path that goes while a key becomes invalid. */
	bed_arrives(&bed, path, 1, OFFSET);
	bed_take_orders(&bed);
	rtrsi_server_done(&bed.server, request, 0);
	bed_close_path(&bed, path);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_ANSWER], 0);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
	rtrsi_server_free(&bed.server);
}

static void a_chunk_serves_one_request_at_a_time_across_paths(void **state)
{
	struct rtrs_server_request *first, *second;
	struct rtrs_server_path *a, *b;
	struct rtrs_connect again = bed_request(1, 1, 0);
	struct rtrs_server_connection made;
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	a = bed_bring_up(&bed, 1, 1);
	b = bed_bring_up(&bed, 1, 2);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_UP], 0);
	bed_read(&bed, a, 2, 512);
	first = bed_running(&bed);
	/* The path is lost, the request comes again on the other one. */
	bed_close_path(&bed, a);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 0);
	bed_read(&bed, b, 2, 512);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_RUN], 0);
	/* Another chunk does not wait. */
	bed_write(&bed, b, 1);
	rtrsi_server_done(&bed.server, bed_running(&bed), 0);
	bed_take_orders(&bed);
	/* Until its request has ended the path cannot come back. */
	assert_int_equal(bed_ask(&bed, &again, 1, &made), -ECONNRESET);
	again = bed_request(1, 9, 0);
	assert_int_equal(bed_ask(&bed, &again, 1, &made), -EEXIST);
	/* The memory of the late one is its own. */
	assert_ptr_equal(first->data, bed.memory[1] + (size_t)2 * CHUNK);
	rtrsi_server_done(&bed.server, first, 0);
	bed_take_orders(&bed);
	second = bed_running(&bed);
	assert_ptr_equal(second->data, bed.memory[2] + (size_t)2 * CHUNK);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_ANSWER], 0);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_DOWN], 0);
	/* Now it can. */
	a = bed_bring_up(&bed, 1, 1);
	bed_write(&bed, a, 2);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_RUN], 0);
	/* One that waits for its turn does not run when its path goes. */
	bed_close_path(&bed, a);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
	rtrsi_server_done(&bed.server, second, 0);
	bed_take_orders(&bed);
	bed_answered(&bed, second, 0);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_RUN], 0);
	bed_close_path(&bed, b);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_DOWN], 1);
	rtrsi_server_free(&bed.server);
}

static void a_session_is_down_after_its_last_request(void **state)
{
	struct rtrs_server_request *request;
	struct rtrs_server_path *path;
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	path = bed_bring_up(&bed, 1, 1);
	bed_write(&bed, path, 0);
	request = bed_running(&bed);
	bed_close_path(&bed, path);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_DOWN], 0);
	rtrsi_server_done(&bed.server, request, 0);
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_DOWN], 1);
	assert_null(bed.server.sessions);
	rtrsi_server_free(&bed.server);
}

/* What a peer can put into a chunk and its immediate, and what comes of it. */
static void malformed_requests(void **state)
{
	enum { RUNS, CLOSES, DROPS, IGNORED };
	static const struct {
		uint32_t offset;
		uint16_t type, user, descriptors;
		unsigned char what;
		enum rtrs_fault fault;
	} cases[] = {
		{OFFSET, 2, USER, 0, RUNS, 0},
		{OFFSET, 2, OFFSET, 0, RUNS, 0},
		{0, 2, 0, 0, RUNS, 0},
		{OFFSET, 2, OFFSET + 1, 0, DROPS, 0},
		{OFFSET, 3, UINT16_MAX, 1, DROPS, 0},
		{OFFSET, 3, USER, 0, RUNS, 0},
		{OFFSET, 3, USER, 2, DROPS, 0},
		{OFFSET, 3, USER, UINT16_MAX, DROPS, 0},
		{OFFSET, 0, USER, 0, CLOSES, RTRS_FAULT_TYPE},
		{OFFSET, 4, USER, 0, CLOSES, RTRS_FAULT_TYPE},
		{CHUNK - 1, 2, 0, 0, CLOSES, RTRS_FAULT_CUT},
		{CHUNK - 2, 2, 0, 0, CLOSES, RTRS_FAULT_CUT},
		{CHUNK - 4, 2, 0, 0, RUNS, 0},
		{CHUNK - 7, 3, 0, 0, CLOSES, RTRS_FAULT_CUT},
		{CHUNK - 8, 3, 0, 0, RUNS, 0},
		{CHUNK - 8, 3, 0, 1, CLOSES, RTRS_FAULT_CUT},
		{CHUNK - 24, 3, 0, 1, RUNS, 0},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct rtrs_server_path *path, *other;
		uint8_t message[RTRS_REQUEST_MAX] = {0};
		size_t room = CHUNK - cases[i].offset;
		struct server_bed bed;

		bed_begin(&bed, false);
		path = bed_bring_up(&bed, 1, 1);
		other = bed_bring_up(&bed, 2, 2);
		rtrsi_put_le16(message, cases[i].type);
		rtrsi_put_le16(message + 2, cases[i].user);
		rtrsi_put_le16(message + 6, cases[i].descriptors);
		memcpy(bed.memory[1] + CHUNK + cases[i].offset, message,
		       room < sizeof(message) ? room : sizeof(message));
		bed_arrives(&bed, path, 1, cases[i].offset);
		bed_take_orders(&bed);
		assert_int_equal(bed.given[RTRS_SERVER_ORDER_RUN], cases[i].what == RUNS);
		assert_int_equal(bed.given[RTRS_SERVER_ORDER_CLOSE], cases[i].what == CLOSES);
		assert_int_equal(bed.given[RTRS_SERVER_ORDER_ANSWER], 0);
		if (cases[i].what == CLOSES)
			assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, cases[i].fault);
		if (cases[i].what == RUNS)
			rtrsi_server_done(&bed.server, bed_running(&bed), -EIO);
		/* The chunk is not taken by what was dropped. */
		if (cases[i].what == DROPS) {
			bed_write(&bed, path, 1);
			rtrsi_server_done(&bed.server, bed_running(&bed), 0);
		}
		bed_write(&bed, other, 1);
		rtrsi_server_done(&bed.server, bed_running(&bed), 0);
		bed_take_orders(&bed);
		if (cases[i].what == CLOSES)
			rtrsi_server_closed(&bed.server, path);
		else
			bed_close_path(&bed, path);
		bed_close_path(&bed, other);
		rtrsi_server_free(&bed.server);
	}
}

static void malformed_immediates(void **state)
{
	static const struct {
		uint32_t imm;
		enum rtrs_fault fault; /* none: ignored */
	} cases[] = {
		{0x10000000, 0},
		{0x20000000, 0},
		{0x70000000, 0},
		{0xf0000000, 0},
	};
	struct rtrs_server_path *path;
	struct server_bed bed;

	(void)state;
	bed_begin(&bed, false);
	path = bed_bring_up(&bed, 1, 1);
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		rtrsi_server_received(&bed.server, path, 0, cases[i].imm, 0);
		bed_take_orders(&bed);
		assert_int_equal(path->state, RTRS_SERVER_CONNECTED);
	}
	/* Beyond the chunk: its bits allow more than its size. */
	bed_arrives(&bed, path, 0, CHUNK);
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, RTRS_FAULT_OFFSET);
	rtrsi_server_closed(&bed.server, path);
	bed_take_orders(&bed);
	path = bed_bring_up(&bed, 1, 1);
	bed_write(&bed, path, 1);
	/* No client writes to a chunk before it has its answer. */
	bed_arrives(&bed, path, 1, OFFSET);
	bed_take_orders(&bed);
	assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, RTRS_FAULT_BUSY);
	rtrsi_server_closed(&bed.server, path);
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 0);
	rtrsi_server_done(&bed.server, bed.last[RTRS_SERVER_ORDER_RUN].request, 0);
	bed_take_orders(&bed);
	assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
	rtrsi_server_free(&bed.server);
}

static void a_read_that_cannot_be_answered_closes_the_path(void **state)
{
	static const uint32_t lengths[] = {0, CHUNK + 1, UINT32_MAX};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(lengths); i++) {
		struct rtrs_server_path *path;
		struct server_bed bed;

		bed_begin(&bed, false);
		path = bed_bring_up(&bed, 1, 1);
		bed_read(&bed, path, 0, lengths[i]);
		/* A failed one is answered whatever its descriptor says. */
		rtrsi_server_done(&bed.server, bed_running(&bed), -EIO);
		bed_take_orders(&bed);
		bed_answered(&bed, bed.last[RTRS_SERVER_ORDER_ANSWER].request, -EIO);
		bed_read(&bed, path, 0, lengths[i]);
		rtrsi_server_done(&bed.server, bed_running(&bed), 0);
		bed_take_orders(&bed);
		assert_int_equal(bed.given[RTRS_SERVER_ORDER_ANSWER], 0);
		assert_int_equal(bed.last[RTRS_SERVER_ORDER_CLOSE].fault, RTRS_FAULT_READ_LENGTH);
		rtrsi_server_closed(&bed.server, path);
		bed_take_orders(&bed);
		assert_int_equal(bed.given[RTRS_SERVER_ORDER_GONE], 1);
		rtrsi_server_free(&bed.server);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_request_runs_and_is_answered),
		cmocka_unit_test(a_message_is_looked_at_when_its_key_is_invalid),
		cmocka_unit_test(a_chunk_serves_one_request_at_a_time_across_paths),
		cmocka_unit_test(a_session_is_down_after_its_last_request),
		cmocka_unit_test(malformed_requests),
		cmocka_unit_test(malformed_immediates),
		cmocka_unit_test(a_read_that_cannot_be_answered_closes_the_path),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
