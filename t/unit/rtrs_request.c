/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, chunks, immediate data and requests: each byte, each field at its boundaries, cut at each length. */
#include <errno.h>
#include <limits.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/request.h"

/* The kernel's defaults: 512 chunks of 128 KiB. */
static struct rtrs_geometry usual_geometry(void)
{
	struct rtrs_geometry geometry;

	assert_int_equal(rtrsi_geometry_init(512, 126976, 4096, &geometry), RTRS_FAULT_NONE);
	return geometry;
}

static void geometries(void **state)
{
	static const struct {
		uint32_t depth, max_io, max_header;
		enum rtrs_fault fault;
		uint32_t offset_bits;
	} cases[] = {
		{512, 126976, 4096, RTRS_FAULT_NONE, 19},
		{0, 126976, 4096, RTRS_FAULT_DEPTH, 0},
		{1, 126976, 4096, RTRS_FAULT_NONE, 28},
		{2, 126976, 4096, RTRS_FAULT_NONE, 27},
		{3, 126976, 4096, RTRS_FAULT_NONE, 26},
		{4, 126976, 4096, RTRS_FAULT_NONE, 26},
		{5, 126976, 4096, RTRS_FAULT_NONE, 25},
		{511, 126976, 4096, RTRS_FAULT_NONE, 19},
		{513, 126976, 4096, RTRS_FAULT_NONE, 18},
		{2048, 126976, 4096, RTRS_FAULT_NONE, 17},
		{2049, 126976, 4096, RTRS_FAULT_CHUNK_SIZE, 0},
		{32768, 4096, 4096, RTRS_FAULT_NONE, 13},
		{32769, 4096, 4096, RTRS_FAULT_CHUNK_SIZE, 0},
		{65535, 4096, 4096, RTRS_FAULT_CHUNK_SIZE, 0},
		{1, (1 << 28) - 4096, 4096, RTRS_FAULT_NONE, 28},
		{1, (1 << 29) - 4096, 4096, RTRS_FAULT_CHUNK_SIZE, 0},
		{2, (1 << 28) - 4096, 4096, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, 0, 131072, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, 131072, 0, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, 126975, 4096, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, 126977, 4096, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, 2048, 2048, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, UINT32_MAX, 1, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, UINT32_MAX, 8193, RTRS_FAULT_CHUNK_SIZE, 0},
		{512, UINT32_MAX, UINT32_MAX, RTRS_FAULT_CHUNK_SIZE, 0},
		/* With pages of 64 KiB. */
		{512, 65536, 65536, RTRS_FAULT_NONE, 19},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct rtrs_geometry geometry = {.depth = 7};

		assert_int_equal(rtrsi_geometry_init((uint16_t)cases[i].depth, cases[i].max_io,
						     cases[i].max_header, &geometry),
				 cases[i].fault);
		if (cases[i].fault) {
			assert_int_equal(geometry.depth, 7);
			continue;
		}
		assert_int_equal(geometry.offset_bits, cases[i].offset_bits);
		assert_int_equal(geometry.chunk_size, cases[i].max_io + cases[i].max_header);
	}
}

static void immediates_have_these_bits(void **state)
{
	struct rtrs_geometry geometry = usual_geometry(), one;

	(void)state;
	assert_int_equal(rtrsi_imm_request(&geometry, 0, 0), 0);
	assert_int_equal(rtrsi_imm_request(&geometry, 1, 4128), 0x00081020);
	assert_int_equal(rtrsi_imm_request(&geometry, 511, 131071), 0x0ff9ffff);
	assert_int_equal(rtrsi_geometry_init(1, 126976, 4096, &one), RTRS_FAULT_NONE);
	assert_int_equal(rtrsi_imm_request(&one, 0, 131071), 0x0001ffff);
	assert_int_equal(rtrsi_imm_answer(0, 0, false), 0x10000000);
	assert_int_equal(rtrsi_imm_answer(511, 0, true), 0x200001ff);
	assert_int_equal(rtrsi_imm_answer(3, -EIO, false), 0x10280003);
	assert_int_equal(rtrsi_imm_answer(3, EIO, false), 0x10280003);
	assert_int_equal(rtrsi_imm_answer(65535, -511, false), 0x1ff8ffff);
	/* Too large for the nine bits: EIO. */
	assert_int_equal(rtrsi_imm_answer(3, -512, false), 0x10280003);
	assert_int_equal(rtrsi_imm_answer(3, INT_MIN, false), 0x10280003);
	assert_int_equal(rtrsi_imm_answer(3, INT_MAX, true), 0x20280003);
	assert_true(rtrsi_imm_heartbeat(false) == 0x80000000);
	assert_true(rtrsi_imm_heartbeat(true) == 0x90000000);
}

static void immediates_at_the_server(void **state)
{
	struct rtrs_geometry geometry;
	struct rtrs_imm imm = {.offset = 7};

	(void)state;
	/* 5 chunks: numbers of three bits, so that some are too high. */
	assert_int_equal(rtrsi_geometry_init(5, 126976, 4096, &geometry), RTRS_FAULT_NONE);
	for (uint32_t chunk = 0; chunk < 8; chunk++) {
		uint32_t bits = chunk << 25;

		if (chunk >= 5) {
			assert_int_equal(rtrsi_imm_at_server(&geometry, bits, &imm),
					 RTRS_FAULT_CHUNK);
			continue;
		}
		assert_int_equal(rtrsi_imm_at_server(&geometry, bits | 131072, &imm),
				 RTRS_FAULT_OFFSET);
		assert_int_equal(rtrsi_imm_at_server(&geometry, bits | 0x1ffffff, &imm),
				 RTRS_FAULT_OFFSET);
		assert_int_equal(rtrsi_imm_at_server(&geometry, bits | 131071, &imm),
				 RTRS_FAULT_NONE);
		assert_int_equal(imm.type, RTRS_IMM_REQUEST);
		assert_int_equal(imm.chunk, chunk);
		assert_int_equal(imm.offset, 131071);
		assert_int_equal(rtrsi_imm_request(&geometry, imm.chunk, imm.offset),
				 bits | 131071);
	}
	for (uint32_t type = 1; type < 16; type++) {
		bool beat = type == 8 || type == 9;

		assert_int_equal(rtrsi_imm_at_server(&geometry, type << 28 | 0x0fffffff, &imm),
				 beat ? RTRS_FAULT_NONE : RTRS_FAULT_IMM_TYPE);
		assert_true(!beat || imm.type == type);
	}
}

static void immediates_at_the_client(void **state)
{
	struct rtrs_geometry geometry = usual_geometry();
	struct rtrs_imm imm;

	(void)state;
	for (uint32_t type = 0; type < 16; type++) {
		bool answer = type == 1 || type == 2, beat = type == 8 || type == 9;

		assert_int_equal(rtrsi_imm_at_client(&geometry, type << 28 | 511, &imm),
				 answer || beat ? RTRS_FAULT_NONE : RTRS_FAULT_IMM_TYPE);
		if (!answer)
			continue;
		assert_int_equal(imm.type, type);
		assert_int_equal(imm.chunk, 511);
		assert_int_equal(rtrsi_imm_at_client(&geometry, type << 28 | 512, &imm),
				 RTRS_FAULT_CHUNK);
		assert_int_equal(rtrsi_imm_at_client(&geometry, type << 28 | 0x7ffff, &imm),
				 RTRS_FAULT_CHUNK);
	}
	for (int error = 0; error <= 511; error++) {
		assert_int_equal(rtrsi_imm_at_client(&geometry, rtrsi_imm_answer(17, -error, true),
						     &imm),
				 RTRS_FAULT_NONE);
		assert_int_equal(imm.type, RTRS_IMM_ANSWER_INVAL);
		assert_int_equal(imm.error, -error);
		assert_int_equal(imm.chunk, 17);
	}
}

static void layouts(void **state)
{
	struct rtrs_geometry geometry = usual_geometry();
	struct rtrs_layout layout;

	(void)state;
	assert_int_equal(rtrsi_layout_write(&geometry, 4096, 32, &layout), 0);
	assert_int_equal(layout.write_offset, 0);
	assert_int_equal(layout.write_length, 4132);
	assert_int_equal(layout.user_offset, 4096);
	assert_int_equal(layout.message_offset, 4128);
	assert_int_equal(layout.message_length, 4);
	assert_int_equal(rtrsi_layout_read(&geometry, 4096, 32, &layout), 0);
	assert_int_equal(layout.write_offset, 4096);
	assert_int_equal(layout.write_length, 56);
	assert_int_equal(layout.message_offset, 4128);
	assert_int_equal(layout.message_length, 24);
	assert_int_equal(rtrsi_layout_read(&geometry, 0, 32, &layout), 0);
	assert_int_equal(layout.write_length, 40);
	assert_int_equal(layout.message_length, 8);
	assert_int_equal(rtrsi_layout_write(&geometry, 0, 0, &layout), 0);
	assert_int_equal(layout.write_length, 4);
	/* The largest of each kind ends with the chunk. */
	assert_int_equal(rtrsi_layout_write(&geometry, 126976, 4092, &layout), 0);
	assert_int_equal(layout.write_length, 131072);
	assert_int_equal(rtrsi_layout_read(&geometry, 126976, 4072, &layout), 0);
	assert_int_equal(layout.message_offset + layout.message_length, 131072);
	assert_int_equal(rtrsi_layout_read(&geometry, 0, 4088, &layout), 0);
	assert_int_equal(rtrsi_layout_write(&geometry, 126977, 0, &layout), -EMSGSIZE);
	assert_int_equal(rtrsi_layout_read(&geometry, 126977, 0, &layout), -EMSGSIZE);
	assert_int_equal(rtrsi_layout_write(&geometry, 0, 4093, &layout), -EMSGSIZE);
	assert_int_equal(rtrsi_layout_read(&geometry, 1, 4073, &layout), -EMSGSIZE);
	assert_int_equal(rtrsi_layout_read(&geometry, 0, 4089, &layout), -EMSGSIZE);
	assert_int_equal(rtrsi_layout_write(&geometry, UINT32_MAX, 0, &layout), -EMSGSIZE);
	assert_int_equal(rtrsi_layout_write(&geometry, 0, UINT32_MAX, &layout), -EMSGSIZE);
	assert_int_equal(rtrsi_layout_read(&geometry, 0, UINT32_MAX - 3, &layout), -EMSGSIZE);
	/* A header area so large that the length field would not hold it. */
	assert_int_equal(rtrsi_geometry_init(1, 131072, 131072, &geometry), RTRS_FAULT_NONE);
	assert_int_equal(rtrsi_layout_write(&geometry, 0, UINT16_MAX, &layout), 0);
	assert_int_equal(rtrsi_layout_write(&geometry, 0, UINT16_MAX + 1, &layout), -EMSGSIZE);
}

static enum rtrs_fault request_from(uint32_t offset, const uint8_t *bytes, size_t size,
				    struct rtrs_request *ret)
{
	uint8_t *copy = malloc(size ? size : 1);
	struct rtrs_request before;
	enum rtrs_fault fault;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	memset(ret, 0x5a, sizeof(*ret));
	memcpy(&before, ret, sizeof(before));
	fault = rtrsi_request_decode(offset, copy, size, ret);
	free(copy);
	if (fault)
		assert_memory_equal(ret, &before, sizeof(before));
	return fault;
}

static const uint8_t read_bytes[RTRS_REQUEST_MAX] = {
	0x03, 0x00, 0x20, 0x00, 0x01, 0x00, 0x01, 0x00, /* 8 */
	0x08, 0x07, 0x06, 0x05, 0x04, 0x03, 0x02, 0x01,
	0x14, 0x13, 0x12, 0x11, 0x00, 0x10, 0x00, 0x00,
};

static void requests_have_these_bytes(void **state)
{
	const struct rtrs_descriptor to = {UINT64_C(0x0102030405060708), 0x11121314, 4096};
	static const uint8_t write[] = {0x02, 0x00, 0xdc, 0x0f};
	static const uint8_t flush[] = {0x03, 0x00, 0x20, 0x00, 0x00, 0x00, 0x00, 0x00};
	uint8_t bytes[RTRS_REQUEST_MAX];
	struct rtrs_request request;

	(void)state;
	rtrsi_write_encode(0x0fdc, bytes);
	assert_memory_equal(bytes, write, sizeof(write));
	assert_int_equal(request_from(4096 + 0x0fdc, bytes, 4, &request), RTRS_FAULT_NONE);
	assert_true(!request.is_read && !request.has_to && !request.inval);
	assert_int_equal(request.data_length, 4096);
	assert_int_equal(request.user_length, 0x0fdc);

	assert_int_equal(rtrsi_read_encode(32, &to, true, bytes), 24);
	assert_memory_equal(bytes, read_bytes, sizeof(read_bytes));
	assert_int_equal(request_from(4128, bytes, 24, &request), RTRS_FAULT_NONE);
	assert_true(request.is_read && request.has_to && request.inval);
	assert_int_equal(request.data_length, 4096);
	assert_true(request.to.address == to.address && request.to.key == to.key &&
		    request.to.length == to.length);
	assert_int_equal(rtrsi_read_encode(32, &to, false, bytes), 24);
	assert_int_equal(bytes[4], 0);

	assert_int_equal(rtrsi_read_encode(32, NULL, true, bytes), 8);
	assert_memory_equal(bytes, flush, sizeof(flush));
	assert_int_equal(request_from(32, bytes, 8, &request), RTRS_FAULT_NONE);
	assert_true(request.is_read && !request.has_to && !request.inval);
	assert_int_equal(request.data_length, 0);
}

static void requests_are_cut_at_each_length(void **state)
{
	static const uint8_t write[] = {0x02, 0x00, 0x00, 0x00};
	uint8_t flush[8] = {3};
	struct rtrs_request request;

	(void)state;
	for (size_t size = 0; size < sizeof(read_bytes); size++)
		assert_int_equal(request_from(4128, read_bytes, size, &request), RTRS_FAULT_CUT);
	for (size_t size = 0; size < sizeof(write); size++)
		assert_int_equal(request_from(4128, write, size, &request), RTRS_FAULT_CUT);
	for (size_t size = 0; size < sizeof(flush); size++)
		assert_int_equal(request_from(4128, flush, size, &request), RTRS_FAULT_CUT);
	assert_int_equal(request_from(4128, flush, sizeof(flush), &request), RTRS_FAULT_NONE);
}

/* The copy ends with the chunk, so a message at its end is cut and not read beyond. */
static void message_at_the_end_of_the_chunk(void **state)
{
	struct rtrs_geometry geometry = usual_geometry();

	(void)state;
	assert_int_equal(rtrsi_request_size(&geometry, 0), 24);
	for (uint32_t rest = 1; rest <= 32; rest++) {
		struct rtrs_request request;
		uint32_t offset = 131072 - rest;
		size_t size = rtrsi_request_size(&geometry, offset);

		assert_int_equal(size, rest < 24 ? rest : 24);
		assert_int_equal(request_from(offset, read_bytes, size, &request),
				 rest < 24 ? RTRS_FAULT_CUT : RTRS_FAULT_NONE);
	}
}

static void message_types(void **state)
{
	uint8_t bytes[RTRS_REQUEST_MAX];
	struct rtrs_request request;

	(void)state;
	memcpy(bytes, read_bytes, sizeof(bytes));
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		bool known = type == 2 || type == 3;

		bytes[0] = (uint8_t)type;
		bytes[1] = (uint8_t)(type >> 8);
		assert_int_equal(request_from(4128, bytes, sizeof(bytes), &request),
				 known ? RTRS_FAULT_NONE : RTRS_FAULT_TYPE);
	}
}

/* Every length of the user header against every class of offset. */
static void user_header_lies_before_the_message(void **state)
{
	static const uint32_t offsets[] = {0,	 1,    4,     31,    32,    4096,
					   4128, 8191, 65534, 65535, 65536, 131048};
	uint8_t bytes[RTRS_REQUEST_MAX];

	(void)state;
	memcpy(bytes, read_bytes, sizeof(bytes));
	for (size_t i = 0; i < HF_ARRAY_SIZE(offsets); i++) {
		for (uint32_t length = 0; length <= UINT16_MAX; length++) {
			struct rtrs_request request;
			enum rtrs_fault fault;

			bytes[0] = length & 1 ? 2 : 3;
			bytes[2] = (uint8_t)length;
			bytes[3] = (uint8_t)(length >> 8);
			fault = rtrsi_request_decode(offsets[i], bytes, sizeof(bytes), &request);
			if (length > offsets[i]) {
				assert_int_equal(fault, RTRS_FAULT_USER_HEADER);
				continue;
			}
			assert_int_equal(fault, RTRS_FAULT_NONE);
			assert_int_equal(request.user_length, length);
			assert_int_equal(request.data_length, offsets[i] - length);
		}
	}
}

static void descriptors_of_a_read(void **state)
{
	static const struct {
		uint32_t length;
		enum rtrs_fault fault;
	} lengths[] = {
		{0, RTRS_FAULT_READ_LENGTH},	  {1, RTRS_FAULT_NONE},
		{4096, RTRS_FAULT_NONE},	  {131072, RTRS_FAULT_NONE},
		{131073, RTRS_FAULT_READ_LENGTH}, {UINT32_MAX, RTRS_FAULT_READ_LENGTH},
	};
	struct rtrs_geometry geometry = usual_geometry();
	struct rtrs_request request;
	uint8_t bytes[RTRS_REQUEST_MAX];

	(void)state;
	memcpy(bytes, read_bytes, sizeof(bytes));
	for (uint32_t count = 0; count <= UINT16_MAX; count++) {
		bytes[6] = (uint8_t)count;
		bytes[7] = (uint8_t)(count >> 8);
		assert_int_equal(request_from(4128, bytes, sizeof(bytes), &request),
				 count > 1 ? RTRS_FAULT_READ_DESCRIPTORS : RTRS_FAULT_NONE);
		assert_true(count > 1 || request.has_to == (count == 1));
	}
	/* Of the flags only the first bit is known. */
	memcpy(bytes, read_bytes, sizeof(bytes));
	for (uint32_t flags = 0; flags <= UINT16_MAX; flags++) {
		bytes[4] = (uint8_t)flags;
		bytes[5] = (uint8_t)(flags >> 8);
		assert_int_equal(request_from(4128, bytes, sizeof(bytes), &request),
				 RTRS_FAULT_NONE);
		assert_int_equal(request.inval, flags & 1);
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(lengths); i++) {
		request.to.length = lengths[i].length;
		request.has_to = true;
		assert_int_equal(rtrsi_read_data_fault(&geometry, &request), lengths[i].fault);
		request.has_to = false;
		assert_int_equal(rtrsi_read_data_fault(&geometry, &request), RTRS_FAULT_NONE);
	}
}

static void new_keys(void **state)
{
	static const uint8_t expected[] = {0x04, 0x00, 0xff, 0x01, 0x68, 0x04, 0x00, 0x80};
	struct rtrs_geometry geometry = usual_geometry();
	uint8_t bytes[RTRS_NEW_KEY_SIZE];
	uint32_t key = 7;

	(void)state;
	rtrsi_new_key_encode(511, 0x80000468, bytes);
	assert_memory_equal(bytes, expected, sizeof(expected));
	for (size_t size = 0; size < sizeof(expected); size++) {
		uint8_t *copy = malloc(size ? size : 1);

		assert_non_null(copy);
		memcpy(copy, expected, size);
		assert_int_equal(rtrsi_new_key_decode(&geometry, 511, copy, size, &key),
				 RTRS_FAULT_SHORT);
		free(copy);
	}
	assert_int_equal(key, 7);
	assert_int_equal(rtrsi_new_key_decode(&geometry, 511, bytes, sizeof(bytes), &key),
			 RTRS_FAULT_NONE);
	assert_true(key == 0x80000468);
	assert_int_equal(rtrsi_new_key_decode(&geometry, 510, bytes, sizeof(bytes), &key),
			 RTRS_FAULT_KEY_CHUNK);
	rtrsi_new_key_encode(512, 1, bytes);
	assert_int_equal(rtrsi_new_key_decode(&geometry, 512, bytes, sizeof(bytes), &key),
			 RTRS_FAULT_CHUNK);
	for (uint32_t type = 0; type <= UINT16_MAX; type++) {
		rtrsi_new_key_encode(511, 1, bytes);
		bytes[0] = (uint8_t)type;
		bytes[1] = (uint8_t)(type >> 8);
		assert_int_equal(rtrsi_new_key_decode(&geometry, 511, bytes, sizeof(bytes), &key),
				 type == 4 ? RTRS_FAULT_NONE : RTRS_FAULT_TYPE);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(geometries),
		cmocka_unit_test(immediates_have_these_bits),
		cmocka_unit_test(immediates_at_the_server),
		cmocka_unit_test(immediates_at_the_client),
		cmocka_unit_test(layouts),
		cmocka_unit_test(requests_have_these_bytes),
		cmocka_unit_test(requests_are_cut_at_each_length),
		cmocka_unit_test(message_at_the_end_of_the_chunk),
		cmocka_unit_test(message_types),
		cmocka_unit_test(user_header_lies_before_the_message),
		cmocka_unit_test(descriptors_of_a_read),
		cmocka_unit_test(new_keys),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
