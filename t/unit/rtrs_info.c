/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, the exchange of name and chunks: each byte, each field at its boundaries, cut at each length. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/info.h"

static enum rtrs_fault name_from(const uint8_t *bytes, size_t size, char name[RTRS_NAME_SIZE])
{
	uint8_t *copy = malloc(size ? size : 1);
	enum rtrs_fault fault;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	memset(name, 'x', RTRS_NAME_SIZE);
	fault = rtrsi_info_request_decode(copy, size, name);
	free(copy);
	if (fault) {
		for (size_t i = 0; i < RTRS_NAME_SIZE; i++)
			assert_int_equal(name[i], 'x');
	}
	return fault;
}

static void info_request_has_these_bytes(void **state)
{
	uint8_t bytes[RTRS_INFO_REQUEST_SIZE], expected[RTRS_INFO_REQUEST_SIZE] = {0, 0, 's', '1'};
	char name[RTRS_NAME_SIZE];

	(void)state;
	memset(bytes, 0xff, sizeof(bytes));
	assert_int_equal(rtrsi_info_request_encode("s1", bytes), 0);
	assert_memory_equal(bytes, expected, sizeof(bytes));
	assert_int_equal(name_from(bytes, sizeof(bytes), name), RTRS_FAULT_NONE);
	assert_string_equal(name, "s1");
	for (size_t size = 0; size < sizeof(bytes); size++)
		assert_int_equal(name_from(bytes, size, name), RTRS_FAULT_SHORT);
	for (uint32_t type = 1; type <= UINT16_MAX; type++) {
		bytes[0] = (uint8_t)type;
		bytes[1] = (uint8_t)(type >> 8);
		assert_int_equal(name_from(bytes, sizeof(bytes), name), RTRS_FAULT_TYPE);
	}
}

static void names_are_checked_on_both_sides(void **state)
{
	char longest[RTRS_NAME_SIZE], longer[RTRS_NAME_SIZE + 1];
	const char *refused[] = {"", "a/b", "/", "a.b", ".", "..", longer};
	uint8_t bytes[RTRS_INFO_REQUEST_SIZE] = {0};
	char name[RTRS_NAME_SIZE];

	(void)state;
	memset(longest, 'n', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'n', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	for (size_t i = 0; i < HF_ARRAY_SIZE(refused); i++) {
		assert_int_equal(rtrsi_info_request_encode(refused[i], bytes), -EINVAL);
		memset(bytes, 0, sizeof(bytes));
		memcpy(bytes + 2, refused[i], strlen(refused[i]));
		assert_int_equal(name_from(bytes, sizeof(bytes), name), RTRS_FAULT_NAME);
	}
	assert_int_equal(rtrsi_info_request_encode(longest, bytes), 0);
	assert_int_equal(name_from(bytes, sizeof(bytes), name), RTRS_FAULT_NONE);
	assert_string_equal(name, longest);
	/* What stands behind the NUL, and in the reserved bytes, is no part of it and is not shown. */
	memset(bytes + 2, 0xee, sizeof(bytes) - 2);
	memcpy(bytes + 2, "s1", 3);
	assert_int_equal(name_from(bytes, sizeof(bytes), name), RTRS_FAULT_NONE);
	for (size_t i = 2; i < sizeof(name); i++)
		assert_int_equal(name[i], 0);
}

static void answer_has_these_bytes(void **state)
{
	static const uint8_t expected[] = {
		0x01, 0x00, 0x02, 0x00, 0x00, 0x00, 0x00, 0x00, /* 8 */
		0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
		0x14, 0x13, 0x12, 0x11, 0x00, 0x40, 0x00, 0x00, /* 24 */
		0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x00, 0x80,
		0x24, 0x23, 0x22, 0x21, 0x00, 0x40, 0x00, 0x00,
	};
	const struct rtrs_descriptor descriptors[] = {
		{UINT64_C(0x0102030405060708), 0x11121314, 2 * 8192},
		{UINT64_C(0x8000000000000000), 0x21222324, 2 * 8192},
	};
	struct rtrs_geometry geometry;
	struct rtrs_chunk chunks[4];
	uint8_t bytes[sizeof(expected)];

	(void)state;
	assert_int_equal(rtrsi_info_answer_size(2), sizeof(expected));
	memset(bytes, 0xff, sizeof(bytes));
	rtrsi_info_answer_encode(descriptors, 2, bytes);
	assert_memory_equal(bytes, expected, sizeof(bytes));
	assert_int_equal(rtrsi_geometry_init(4, 4096, 4096, &geometry), RTRS_FAULT_NONE);
	assert_int_equal(rtrsi_info_answer_decode(&geometry, bytes, sizeof(bytes), chunks),
			 RTRS_FAULT_NONE);
	for (size_t i = 0; i < 4; i++) {
		assert_true(chunks[i].address == descriptors[i / 2].address + i % 2 * 8192);
		assert_int_equal(chunks[i].key, descriptors[i / 2].key);
	}
}

/* An answer of `count` descriptors with these lengths, for 4 chunks of 8192 bytes. */
static enum rtrs_fault decode_lengths(uint16_t count, const uint32_t *lengths, size_t size,
				      uint64_t address)
{
	struct rtrs_descriptor descriptors[8] = {0};
	struct rtrs_geometry geometry;
	struct rtrs_chunk *chunks = calloc(4, sizeof(*chunks));
	uint8_t bytes[8 + 16 * 8], *copy = malloc(size ? size : 1);
	enum rtrs_fault fault;

	assert_non_null(chunks);
	assert_non_null(copy);
	assert_true(count <= HF_ARRAY_SIZE(descriptors) && size <= sizeof(bytes));
	for (uint16_t i = 0; i < count; i++) {
		descriptors[i].address = address;
		descriptors[i].length = lengths[i];
	}
	memset(bytes, 0, sizeof(bytes));
	rtrsi_info_answer_encode(descriptors, count, bytes);
	memcpy(copy, bytes, size);
	assert_int_equal(rtrsi_geometry_init(4, 4096, 4096, &geometry), RTRS_FAULT_NONE);
	fault = rtrsi_info_answer_decode(&geometry, copy, size, chunks);
	free(copy);
	free(chunks);
	return fault;
}

static void answers_are_cut_at_each_length(void **state)
{
	const uint32_t lengths[] = {8192, 8192, 8192, 8192};

	(void)state;
	for (size_t size = 0; size < 8 + 16 * 4; size++)
		assert_int_equal(decode_lengths(4, lengths, size, 0), RTRS_FAULT_SHORT);
	for (size_t size = 8 + 16 * 4; size <= 8 + 16 * 8; size++)
		assert_int_equal(decode_lengths(4, lengths, size, 0), RTRS_FAULT_NONE);
}

static void descriptors_cover_the_chunks(void **state)
{
	static const struct {
		uint16_t count;
		enum rtrs_fault fault;
		uint32_t lengths[8];
	} cases[] = {
		{0, RTRS_FAULT_DESCRIPTOR_COUNT, {0}},
		{1, RTRS_FAULT_NONE, {32768}},
		{2, RTRS_FAULT_NONE, {16384, 16384}},
		{2, RTRS_FAULT_NONE, {8192, 24576}},
		{3, RTRS_FAULT_DESCRIPTOR_COUNT, {8192, 8192, 16384}},
		{4, RTRS_FAULT_NONE, {8192, 8192, 8192, 8192}},
		{5, RTRS_FAULT_DESCRIPTOR_COUNT, {8192, 8192, 8192, 8192, 8192}},
		{8, RTRS_FAULT_DESCRIPTOR_COUNT, {8192, 8192, 8192, 8192}},
		{1, RTRS_FAULT_DESCRIPTOR, {0}},
		{1, RTRS_FAULT_DESCRIPTOR, {8192}},
		{1, RTRS_FAULT_DESCRIPTOR, {32767}},
		{1, RTRS_FAULT_DESCRIPTOR, {32769}},
		{1, RTRS_FAULT_DESCRIPTOR, {40960}},
		{1, RTRS_FAULT_DESCRIPTOR, {UINT32_MAX}},
		{1, RTRS_FAULT_DESCRIPTOR, {0xffffe000}},
		{2, RTRS_FAULT_DESCRIPTOR, {32768, 0}},
		{2, RTRS_FAULT_DESCRIPTOR, {0, 32768}},
		{2, RTRS_FAULT_DESCRIPTOR, {32768, 8192}},
		{2, RTRS_FAULT_DESCRIPTOR, {16384, 8192}},
		{2, RTRS_FAULT_DESCRIPTOR, {16384, 0xffffe000}},
		{4, RTRS_FAULT_DESCRIPTOR, {8192, 8192, 8192, 4096}},
		{4, RTRS_FAULT_DESCRIPTOR, {16384, 8192, 8192, 8192}},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		assert_int_equal(decode_lengths(cases[i].count, cases[i].lengths, 8 + 16 * 8, 4096),
				 cases[i].fault);
	/* Memory that ends beyond the last address. */
	assert_int_equal(decode_lengths(1, cases[1].lengths, 24, UINT64_MAX - 32768),
			 RTRS_FAULT_NONE);
	assert_int_equal(decode_lengths(1, cases[1].lengths, 24, UINT64_MAX - 32767),
			 RTRS_FAULT_DESCRIPTOR);
}

static void answer_has_its_type(void **state)
{
	uint8_t bytes[8 + 16] = {0};
	struct rtrs_descriptor descriptor = {4096, 1, 32768};
	struct rtrs_geometry geometry;
	struct rtrs_chunk chunks[4];

	(void)state;
	assert_int_equal(rtrsi_geometry_init(4, 4096, 4096, &geometry), RTRS_FAULT_NONE);
	rtrsi_info_answer_encode(&descriptor, 1, bytes);
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		bytes[0] = (uint8_t)type;
		bytes[1] = (uint8_t)(type >> 8);
		assert_int_equal(rtrsi_info_answer_decode(&geometry, bytes, sizeof(bytes), chunks),
				 type == 1 ? RTRS_FAULT_NONE : RTRS_FAULT_TYPE);
	}
}

/* As many descriptors as chunks, and as many chunks as there can be. */
static void largest_answer(void **state)
{
	struct rtrs_descriptor *descriptors = calloc(8192, sizeof(*descriptors));
	struct rtrs_chunk *chunks = calloc(8192, sizeof(*chunks));
	uint8_t *bytes = malloc(rtrsi_info_answer_size(8192));
	struct rtrs_geometry geometry;

	(void)state;
	assert_true(descriptors && chunks && bytes);
	assert_int_equal(rtrsi_geometry_init(8192, 28672, 4096, &geometry), RTRS_FAULT_NONE);
	for (uint32_t i = 0; i < 8192; i++)
		descriptors[i] = (struct rtrs_descriptor){(uint64_t)i << 16, ~i, 32768};
	rtrsi_info_answer_encode(descriptors, 8192, bytes);
	assert_int_equal(rtrsi_info_answer_decode(&geometry, bytes, rtrsi_info_answer_size(8192),
						  chunks),
			 RTRS_FAULT_NONE);
	for (uint32_t i = 0; i < 8192; i++)
		assert_true(chunks[i].address == (uint64_t)i << 16 && chunks[i].key == ~i);
	free(bytes);
	free(chunks);
	free(descriptors);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(info_request_has_these_bytes),
		cmocka_unit_test(names_are_checked_on_both_sides),
		cmocka_unit_test(answer_has_these_bytes),
		cmocka_unit_test(answers_are_cut_at_each_length),
		cmocka_unit_test(descriptors_cover_the_chunks),
		cmocka_unit_test(answer_has_its_type),
		cmocka_unit_test(largest_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
