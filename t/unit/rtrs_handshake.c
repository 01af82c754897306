/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, the client's handshake: the way through, and every event in every state. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/engine/handshake.h"

enum { CONNECTIONS = 3, DEPTH = 4, START_MS = 1000 };

static const struct rtrs_accept usual_accept = {DEPTH, 4096, 4096, true};

static struct rtrs_handshake begun(uint16_t depth_before)
{
	struct rtrs_connect connect = {.connections = CONNECTIONS, .attempt = 1, .first = true};
	struct rtrs_handshake handshake;

	memset(connect.path, 1, sizeof(connect.path));
	memset(connect.session, 2, sizeof(connect.session));
	assert_int_equal(rtrsi_handshake_begin(&handshake, &connect, "s1", depth_before, START_MS),
			 0);
	return handshake;
}

static struct rtrs_step accept_with(struct rtrs_handshake *handshake,
				    const struct rtrs_accept *accept, int64_t now_ms)
{
	uint8_t bytes[RTRS_CONNECT_SIZE];

	rtrsi_accept_encode(accept, bytes);
	return rtrsi_handshake_accepted(handshake, bytes, sizeof(bytes), now_ms);
}

static struct rtrs_step answer_with(struct rtrs_handshake *handshake, uint32_t length)
{
	const struct rtrs_descriptor all = {4096, 7, length};
	struct rtrs_chunk chunks[DEPTH];
	uint8_t bytes[RTRS_INFO_ANSWER_SIZE + RTRS_DESCRIPTOR_SIZE];

	rtrsi_info_answer_encode(&all, 1, bytes);
	return rtrsi_handshake_answered(handshake, bytes, sizeof(bytes), chunks);
}

/* Accepts that many connections, and the answer after the last. */
static struct rtrs_handshake brought_to(unsigned int connections, bool answered)
{
	struct rtrs_handshake handshake = begun(0);

	for (unsigned int i = 0; i < connections; i++)
		(void)accept_with(&handshake, &usual_accept, START_MS);
	if (answered)
		(void)answer_with(&handshake, DEPTH * 8192);
	return handshake;
}

static struct rtrs_handshake failed_one(void)
{
	struct rtrs_handshake handshake = begun(0);

	assert_int_equal(rtrsi_handshake_lost(&handshake, -ECONNRESET).type, RTRS_STEP_FAIL);
	return handshake;
}

static void way_through(void **state)
{
	struct rtrs_handshake handshake = begun(0);
	struct rtrs_connect said;
	struct rtrs_step step;
	char name[RTRS_NAME_SIZE];

	(void)state;
	for (int i = 0; i < CONNECTIONS; i++) {
		assert_int_equal(rtrsi_connect_decode(handshake.private_data, RTRS_CONNECT_SIZE,
						      &said),
				 RTRS_FAULT_NONE);
		assert_int_equal(said.connection, i);
		assert_int_equal(said.connections, CONNECTIONS);
		assert_int_equal(said.attempt, 1);
		assert_true(said.first);
		assert_memory_equal(said.path, handshake.connect.path, RTRS_UUID_SIZE);
		assert_int_equal(handshake.deadline_ms, START_MS + i + RTRS_STEP_MS);
		step = accept_with(&handshake, &usual_accept, START_MS + i + 1);
		if (i + 1 < CONNECTIONS) {
			assert_int_equal(step.type, RTRS_STEP_CONNECT);
			assert_int_equal(step.connection, i + 1);
		}
	}
	assert_int_equal(step.type, RTRS_STEP_INFO);
	assert_int_equal(handshake.geometry.depth, DEPTH);
	assert_true(handshake.new_keys);
	assert_int_equal(rtrsi_info_request_decode(handshake.info, sizeof(handshake.info), name),
			 RTRS_FAULT_NONE);
	assert_string_equal(name, "s1");
	assert_int_equal(answer_with(&handshake, DEPTH * 8192).type, RTRS_STEP_READY);
}

static void what_cannot_begin(void **state)
{
	struct rtrs_connect connect = {.connections = 1};
	struct rtrs_handshake handshake;

	(void)state;
	assert_int_equal(rtrsi_handshake_begin(&handshake, &connect, "s1", 0, 0), -EINVAL);
	connect.connections = RTRS_CONNECTIONS_MAX + 1;
	assert_int_equal(rtrsi_handshake_begin(&handshake, &connect, "s1", 0, 0), -EINVAL);
	connect.connections = RTRS_CONNECTIONS_MAX;
	assert_int_equal(rtrsi_handshake_begin(&handshake, &connect, "a.b", 0, 0), -EINVAL);
	assert_int_equal(rtrsi_handshake_begin(&handshake, &connect, "s1", 0, 0), 0);
}

static void is_failure(struct rtrs_handshake *handshake, struct rtrs_step step, int error,
		       enum rtrs_fault fault)
{
	assert_int_equal(step.type, RTRS_STEP_FAIL);
	assert_int_equal(step.error, error);
	assert_int_equal(step.fault, fault);
	assert_int_equal(handshake->state, RTRS_HANDSHAKE_FAILED);
}

/* What may come in each state, and must not come too early: connections 0 to 2, the answer, afterwards. */
static void every_event_in_every_state(void **state)
{
	static const struct {
		unsigned int connections;
		bool answered, failed;
	} states[] = {{0}, {1}, {2}, {3}, {3, true}, {0, false, true}};
	uint8_t reject[RTRS_CONNECT_SIZE];

	(void)state;
	rtrsi_reject_encode(-EEXIST, reject);
	for (size_t i = 0; i < HF_ARRAY_SIZE(states); i++) {
		bool over = states[i].answered || states[i].failed;
		bool connecting = !over && states[i].connections < CONNECTIONS;

		for (int event = 0; event < 7; event++) {
			struct rtrs_handshake handshake =
				states[i].failed
					? failed_one()
					: brought_to(states[i].connections, states[i].answered);
			enum rtrs_fault fault = RTRS_FAULT_NONE;
			struct rtrs_step step;
			int error = 0;

			switch (event) {
			case 0:
				step = accept_with(&handshake, &usual_accept, START_MS);
				error = connecting ? 0 : -ECONNRESET;
				fault = connecting ? RTRS_FAULT_NONE : RTRS_FAULT_CONNECTION;
				break;
			case 1:
				step = answer_with(&handshake, DEPTH * 8192);
				error = connecting ? -ECONNRESET : 0;
				fault = connecting ? RTRS_FAULT_TYPE : RTRS_FAULT_NONE;
				break;
			case 2:
				step = rtrsi_handshake_refused(&handshake, reject, sizeof(reject),
							       -ECONNREFUSED);
				error = -EEXIST;
				break;
			case 3:
				step = rtrsi_handshake_refused(&handshake, NULL, 0, -ETIMEDOUT);
				error = -ETIMEDOUT;
				break;
			case 4:
				step = rtrsi_handshake_lost(&handshake, -ENODEV);
				error = -ENODEV;
				break;
			case 5:
				step = rtrsi_handshake_tick(&handshake, START_MS + RTRS_STEP_MS);
				error = -ETIMEDOUT;
				break;
			default:
				step = rtrsi_handshake_tick(&handshake,
							    START_MS + RTRS_STEP_MS - 1);
				assert_int_equal(step.type, RTRS_STEP_WAIT);
				break;
			}
			if (over)
				assert_int_equal(step.type, RTRS_STEP_WAIT);
			else if (error)
				is_failure(&handshake, step, error, fault);
			else
				assert_int_not_equal(step.type, RTRS_STEP_FAIL);
		}
	}
}

static void peer_is_wrong(void **state)
{
	const struct rtrs_accept none = {0, 4096, 4096, false}, odd = {DEPTH, 4096, 8192, false};
	const struct rtrs_accept no_room = {DEPTH, 8191, 1, false};
	struct rtrs_handshake handshake = begun(0);
	uint8_t reject[RTRS_CONNECT_SIZE];

	(void)state;
	is_failure(&handshake, accept_with(&handshake, &none, START_MS), -ECONNRESET,
		   RTRS_FAULT_DEPTH);
	handshake = begun(0);
	is_failure(&handshake, accept_with(&handshake, &odd, START_MS), -ECONNRESET,
		   RTRS_FAULT_CHUNK_SIZE);
	handshake = begun(0);
	is_failure(&handshake, accept_with(&handshake, &no_room, START_MS), -ECONNRESET,
		   RTRS_FAULT_CHUNK_SIZE);
	/* Only the control connection's answer counts. */
	handshake = brought_to(1, false);
	assert_int_equal(accept_with(&handshake, &none, START_MS).type, RTRS_STEP_CONNECT);
	assert_int_equal(handshake.geometry.depth, DEPTH);
	handshake = brought_to(1, false);
	rtrsi_reject_encode(-EIO, reject);
	is_failure(&handshake,
		   rtrsi_handshake_accepted(&handshake, reject, sizeof(reject), START_MS),
		   -ECONNRESET, RTRS_FAULT_ERROR);
	handshake = brought_to(3, false);
	is_failure(&handshake, answer_with(&handshake, (DEPTH - 1) * 8192), -ECONNRESET,
		   RTRS_FAULT_DESCRIPTOR);
	/* The session's chunks are as many as they were. */
	handshake = begun(DEPTH + 1);
	is_failure(&handshake, accept_with(&handshake, &usual_accept, START_MS), -ECONNRESET,
		   RTRS_FAULT_DEPTH);
	handshake = begun(DEPTH);
	assert_int_equal(accept_with(&handshake, &usual_accept, START_MS).type, RTRS_STEP_CONNECT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(way_through),
		cmocka_unit_test(what_cannot_begin),
		cmocka_unit_test(every_event_in_every_state),
		cmocka_unit_test(peer_is_wrong),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
