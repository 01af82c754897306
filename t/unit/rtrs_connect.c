/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, private data of connections: each byte, each field at its boundaries, each message cut at each length. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/connect.h"

static const uint8_t request_bytes[RTRS_CONNECT_SIZE] = {
	0x00, 0x00, 0xbd, 0x1b, 0x00, 0x02, 0x02, 0x01, 0x04, 0x03, 0x06, 0x05, /* 12: path */
	0xa0, 0xa1, 0xa2, 0xa3, 0xa4, 0xa5, 0xa6, 0xa7, 0xa8, 0xa9, 0xaa, 0xab,
	0xac, 0xad, 0xae, 0xaf, /* 28: session */
	0xb0, 0xb1, 0xb2, 0xb3, 0xb4, 0xb5, 0xb6, 0xb7, 0xb8, 0xb9, 0xba, 0xbb,
	0xbc, 0xbd, 0xbe, 0xbf, /* 44: first */
	0x01,
};
static const uint8_t accept_bytes[RTRS_CONNECT_SIZE] = {
	0xbd, 0x1b, 0x00, 0x02, 0x00, 0x00, 0x00, 0x02, 0x00, 0xf0,
	0x01, 0x00, 0x00, 0x10, 0x00, 0x00, 0x02, 0x00, 0x00, 0x00,
};
static const uint8_t reject_bytes[RTRS_CONNECT_SIZE] = {0xbd, 0x1b, 0x00, 0x02, 0x98, 0xff};

static struct rtrs_connect usual_request(void)
{
	struct rtrs_connect connect = {
		.connection = 0x0102, .connections = 0x0304, .attempt = 0x0506, .first = true};

	for (size_t i = 0; i < RTRS_UUID_SIZE; i++) {
		connect.path[i] = (uint8_t)(0xa0 + i);
		connect.session[i] = (uint8_t)(0xb0 + i);
	}
	return connect;
}

/* In memory of just that size. */
static enum rtrs_fault decode_cut(const uint8_t *bytes, size_t size, bool accept)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct rtrs_connect request = {.attempt = 0x5a5a}, request_before = request;
	struct rtrs_accept answer = {.depth = 0x5a5a}, answer_before = answer;
	enum rtrs_fault fault;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	if (accept)
		fault = rtrsi_accept_decode(copy, size, &answer);
	else
		fault = rtrsi_connect_decode(copy, size, &request);
	free(copy);
	if (fault) {
		assert_memory_equal(&request, &request_before, sizeof(request));
		assert_memory_equal(&answer, &answer_before, sizeof(answer));
	}
	return fault;
}

static enum rtrs_fault decode_changed(const uint8_t *bytes, size_t at, uint16_t value, bool accept)
{
	uint8_t copy[RTRS_CONNECT_SIZE];

	memcpy(copy, bytes, sizeof(copy));
	copy[at] = (uint8_t)value;
	copy[at + 1] = (uint8_t)(value >> 8);
	return decode_cut(copy, sizeof(copy), accept);
}

static void connect_request_has_these_bytes(void **state)
{
	struct rtrs_connect connect = usual_request(), ret;
	uint8_t bytes[RTRS_CONNECT_SIZE];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	rtrsi_connect_encode(&connect, bytes);
	assert_memory_equal(bytes, request_bytes, sizeof(bytes));
	assert_int_equal(rtrsi_connect_decode(bytes, sizeof(bytes), &ret), RTRS_FAULT_NONE);
	assert_int_equal(ret.connection, 0x0102);
	assert_int_equal(ret.connections, 0x0304);
	assert_int_equal(ret.attempt, 0x0506);
	assert_true(ret.first);
	assert_memory_equal(ret.path, connect.path, RTRS_UUID_SIZE);
	assert_memory_equal(ret.session, connect.session, RTRS_UUID_SIZE);

	connect.first = false;
	rtrsi_connect_encode(&connect, bytes);
	assert_int_equal(bytes[44], 0);
	/* Bits and bytes that are reserved say nothing. */
	memset(bytes + 44, 0xfe, 12);
	bytes[0] = bytes[1] = 0xff;
	assert_int_equal(rtrsi_connect_decode(bytes, sizeof(bytes), &ret), RTRS_FAULT_NONE);
	assert_false(ret.first);
}

static void messages_are_cut_at_each_length(void **state)
{
	uint8_t longer[RTRS_CONNECT_SIZE + 140] = {0};

	(void)state;
	for (size_t size = 0; size < RTRS_CONNECT_SIZE; size++) {
		assert_int_equal(decode_cut(request_bytes, size, false), RTRS_FAULT_SHORT);
		assert_int_equal(decode_cut(accept_bytes, size, true), RTRS_FAULT_SHORT);
		assert_int_equal(rtrsi_reject_decode(size ? reject_bytes : NULL, size),
				 -ECONNRESET);
	}
	/* librdmacm hands out all the room that there is. */
	memcpy(longer, accept_bytes, RTRS_CONNECT_SIZE);
	assert_int_equal(decode_cut(longer, sizeof(longer), true), RTRS_FAULT_NONE);
	memcpy(longer, request_bytes, RTRS_CONNECT_SIZE);
	assert_int_equal(decode_cut(longer, sizeof(longer), false), RTRS_FAULT_NONE);
}

static void magic_and_version_are_compared(void **state)
{
	(void)state;
	for (uint32_t value = 0; value <= UINT16_MAX; value++) {
		enum rtrs_fault magic = value == 0x1bbd ? RTRS_FAULT_NONE : RTRS_FAULT_MAGIC;
		enum rtrs_fault version = value >> 8 == 2 ? RTRS_FAULT_NONE : RTRS_FAULT_VERSION;
		uint8_t reject[RTRS_CONNECT_SIZE];

		assert_int_equal(decode_changed(request_bytes, 2, (uint16_t)value, false), magic);
		assert_int_equal(decode_changed(accept_bytes, 0, (uint16_t)value, true), magic);
		assert_int_equal(decode_changed(request_bytes, 4, (uint16_t)value, false), version);
		assert_int_equal(decode_changed(accept_bytes, 2, (uint16_t)value, true), version);
		rtrsi_reject_encode(-EEXIST, reject);
		reject[0] = (uint8_t)value;
		reject[1] = (uint8_t)(value >> 8);
		assert_int_equal(rtrsi_reject_decode(reject, sizeof(reject)),
				 magic ? -ECONNRESET : -EEXIST);
	}
}

static void connection_numbers_are_bounded(void **state)
{
	static const struct {
		uint16_t connection, connections;
		enum rtrs_fault fault;
	} cases[] = {
		{0, 0, RTRS_FAULT_CONNECTION},	       {0, 1, RTRS_FAULT_NONE},
		{1, 1, RTRS_FAULT_CONNECTION},	       {1, 2, RTRS_FAULT_NONE},
		{4095, 4096, RTRS_FAULT_NONE},	       {4096, 4096, RTRS_FAULT_CONNECTION},
		{0, 4097, RTRS_FAULT_CONNECTION},      {0, 65535, RTRS_FAULT_CONNECTION},
		{65535, 65535, RTRS_FAULT_CONNECTION}, {65535, 4096, RTRS_FAULT_CONNECTION},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct rtrs_connect connect = usual_request();
		uint8_t bytes[RTRS_CONNECT_SIZE];

		connect.connection = cases[i].connection;
		connect.connections = cases[i].connections;
		rtrsi_connect_encode(&connect, bytes);
		assert_int_equal(decode_cut(bytes, sizeof(bytes), false), cases[i].fault);
	}
}

static void accept_has_these_bytes(void **state)
{
	struct rtrs_accept accept = {512, 126976, 4096, true}, ret;
	uint8_t bytes[RTRS_CONNECT_SIZE];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	rtrsi_accept_encode(&accept, bytes);
	assert_memory_equal(bytes, accept_bytes, sizeof(bytes));
	assert_int_equal(rtrsi_accept_decode(bytes, sizeof(bytes), &ret), RTRS_FAULT_NONE);
	assert_int_equal(ret.depth, 512);
	assert_int_equal(ret.max_io, 126976);
	assert_int_equal(ret.max_header, 4096);
	assert_true(ret.new_keys);
	/* Of the flags only the second bit is known. */
	for (unsigned int bit = 0; bit < 32; bit++) {
		memset(bytes + 16, 0, 4);
		bytes[16 + bit / 8] = (uint8_t)(1 << bit % 8);
		assert_int_equal(rtrsi_accept_decode(bytes, sizeof(bytes), &ret), RTRS_FAULT_NONE);
		assert_int_equal(ret.new_keys, bit == 1);
	}
	accept = (struct rtrs_accept){UINT16_MAX, UINT32_MAX, UINT32_MAX, false};
	rtrsi_accept_encode(&accept, bytes);
	assert_int_equal(rtrsi_accept_decode(bytes, sizeof(bytes), &ret), RTRS_FAULT_NONE);
	assert_int_equal(ret.depth, UINT16_MAX);
	assert_true(ret.max_io == UINT32_MAX && ret.max_header == UINT32_MAX && !ret.new_keys);
}

static void accept_with_an_error_is_none(void **state)
{
	(void)state;
	for (uint32_t error = 1; error <= UINT16_MAX; error++)
		assert_int_equal(decode_changed(accept_bytes, 4, (uint16_t)error, true),
				 RTRS_FAULT_ERROR);
}

static void reject_carries_the_error(void **state)
{
	uint8_t bytes[RTRS_CONNECT_SIZE];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	rtrsi_reject_encode(-ECONNRESET, bytes);
	assert_memory_equal(bytes, reject_bytes, sizeof(bytes));
	rtrsi_reject_encode(ECONNRESET, bytes);
	assert_memory_equal(bytes, reject_bytes, sizeof(bytes));
	for (int error = INT16_MIN; error <= INT16_MAX; error++) {
		bool is_errno = error < 0 && error >= -4095;

		bytes[4] = (uint8_t)error;
		bytes[5] = (uint8_t)((unsigned int)error >> 8);
		assert_int_equal(rtrsi_reject_decode(bytes, sizeof(bytes)),
				 is_errno ? error : -ECONNRESET);
	}
}

static void faults_have_texts_and_reactions(void **state)
{
	(void)state;
	for (int i = 0; i < RTRS_FAULT_END; i++) {
		assert_non_null(rtrsi_fault_text(i));
		assert_string_not_equal(rtrsi_fault_text(i), "unknown fault");
		assert_int_equal(rtrsi_fault_reaction(i) == RTRS_REACT_NONE, i == RTRS_FAULT_NONE);
	}
	assert_string_equal(rtrsi_fault_text(RTRS_FAULT_END), "unknown fault");
	assert_int_equal(rtrsi_fault_reaction(RTRS_FAULT_END), RTRS_REACT_CLOSE);
	assert_int_equal(rtrsi_fault_reaction(RTRS_FAULT_IMM_TYPE), RTRS_REACT_IGNORE);
	assert_int_equal(rtrsi_fault_reaction(RTRS_FAULT_READ_DESCRIPTORS), RTRS_REACT_DROP);
	assert_int_equal(rtrsi_fault_reaction(RTRS_FAULT_USER_HEADER), RTRS_REACT_DROP);
	assert_int_equal(rtrsi_fault_reaction(RTRS_FAULT_CHUNK), RTRS_REACT_CLOSE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(connect_request_has_these_bytes),
		cmocka_unit_test(messages_are_cut_at_each_length),
		cmocka_unit_test(magic_and_version_are_compared),
		cmocka_unit_test(connection_numbers_are_bounded),
		cmocka_unit_test(accept_has_these_bytes),
		cmocka_unit_test(accept_with_an_error_is_none),
		cmocka_unit_test(reject_carries_the_error),
		cmocka_unit_test(faults_have_texts_and_reactions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
