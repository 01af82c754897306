/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RNBD's messages: each byte, each field at its boundaries, each message cut at each length. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/rnbd/message.h"

/* One output for all decoders, to see that it is untouched when they fail. */
union decoded {
	uint8_t version;
	uint32_t device;
	struct rtrs_rnbd_open open;
	struct rtrs_rnbd_device opened;
	struct rtrs_rnbd_io io;
	uint8_t bytes[512];
};

static int decode_as(enum rtrs_rnbd_type type, const uint8_t *bytes, size_t size,
		     union decoded *ret)
{
	uint8_t *copy = malloc(size ? size : 1);
	union decoded before;
	int err;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	memset(ret, 0x5a, sizeof(*ret));
	before = *ret;
	switch (type) {
	case RNBD_SESSION_INFO:
		err = rtrsi_rnbd_session_info_decode(copy, size, &ret->version);
		break;
	case RNBD_SESSION_INFO_ANSWER:
		err = rtrsi_rnbd_session_answer_decode(copy, size, &ret->version);
		break;
	case RNBD_OPEN:
		err = rtrsi_rnbd_open_decode(copy, size, &ret->open);
		break;
	case RNBD_OPEN_ANSWER:
		err = rtrsi_rnbd_open_answer_decode(copy, size, &ret->opened);
		break;
	case RNBD_IO:
		err = rtrsi_rnbd_io_decode(copy, size, &ret->io);
		break;
	default:
		err = rtrsi_rnbd_close_decode(copy, size, &ret->device);
		break;
	}
	free(copy);
	if (err)
		assert_memory_equal(ret->bytes, before.bytes, sizeof(before.bytes));
	return err;
}

static const struct rtrs_rnbd_device usual_device = {
	.id = 0x01020304,
	.sectors = UINT64_C(0x1112131415161718),
	.max_hw_sectors = 0x21222324,
	.max_write_zeroes_sectors = 0x31323334,
	.max_discard_sectors = 0x41424344,
	.discard_granularity = 0x51525354,
	.discard_alignment = 0x61626364,
	.physical_block_size = 0x1000,
	.logical_block_size = 0x0200,
	.max_segments = 0x7172,
	.secure_discard = 0x8182,
	.cache_policy = RNBD_CACHE_FUA | RNBD_CACHE_WRITEBACK,
};
static const struct rtrs_rnbd_io usual_io = {
	.device = 0x01020304,
	.sector = UINT64_C(0x1112131415161718),
	.op = RNBD_OP_WRITE,
	.flags = RNBD_FUA,
	.size = 0x21222324,
	.priority = 0x3132,
};

/* A message of each type, in bytes[264]; returns its size. */
static size_t usual_message(enum rtrs_rnbd_type type, uint8_t *bytes)
{
	memset(bytes, 0xff, RNBD_OPEN_SIZE);
	switch (type) {
	case RNBD_SESSION_INFO:
		rtrsi_rnbd_session_info_encode(2, bytes);
		return RNBD_SESSION_INFO_SIZE;
	case RNBD_SESSION_INFO_ANSWER:
		rtrsi_rnbd_session_answer_encode(2, bytes);
		return RNBD_SESSION_INFO_SIZE;
	case RNBD_OPEN:
		assert_int_equal(rtrsi_rnbd_open_encode(RNBD_READ_WRITE, "/dev/ram0", bytes), 0);
		return RNBD_OPEN_SIZE;
	case RNBD_OPEN_ANSWER:
		rtrsi_rnbd_open_answer_encode(&usual_device, bytes);
		return RNBD_OPEN_ANSWER_SIZE;
	case RNBD_IO:
		rtrsi_rnbd_io_encode(&usual_io, bytes);
		return RNBD_IO_SIZE;
	default:
		rtrsi_rnbd_close_encode(0x01020304, bytes);
		return RNBD_CLOSE_SIZE;
	}
}

static void messages_have_these_bytes(void **state)
{
	static const uint8_t device[RNBD_OPEN_ANSWER_SIZE] = {
		0x03, 0x00, 0x00, 0x00, 0x04, 0x03, 0x02, 0x01, 0x18, 0x17, 0x16, 0x15,
		0x14, 0x13, 0x12, 0x11, 0x24, 0x23, 0x22, 0x21, 0x34, 0x33, 0x32, 0x31,
		0x44, 0x43, 0x42, 0x41, 0x54, 0x53, 0x52, 0x51, 0x64, 0x63, 0x62, 0x61,
		0x00, 0x10, 0x00, 0x02, 0x72, 0x71, 0x82, 0x81, 0x00, 0x03};
	static const uint8_t io[RNBD_IO_SIZE] = {0x04, 0x00, 0x00, 0x00, 0x04, 0x03, 0x02,
						 0x01, 0x18, 0x17, 0x16, 0x15, 0x14, 0x13,
						 0x12, 0x11, 0x01, 0x02, 0x00, 0x00, 0x24,
						 0x23, 0x22, 0x21, 0x32, 0x31};
	static const uint8_t close[] = {5, 0, 0, 0, 4, 3, 2, 1};
	uint8_t bytes[RNBD_OPEN_SIZE], open[RNBD_OPEN_SIZE] = {2, 0, 0, 0, 1, 0},
				       info[RNBD_SESSION_INFO_SIZE] = {0, 0, 0, 0, 2};

	(void)state;
	usual_message(RNBD_SESSION_INFO, bytes);
	assert_memory_equal(bytes, info, sizeof(info));
	usual_message(RNBD_SESSION_INFO_ANSWER, bytes);
	info[0] = 1;
	assert_memory_equal(bytes, info, sizeof(info));
	usual_message(RNBD_OPEN, bytes);
	memcpy(open + 6, "/dev/ram0", 10);
	assert_memory_equal(bytes, open, sizeof(open));
	usual_message(RNBD_OPEN_ANSWER, bytes);
	assert_memory_equal(bytes, device, sizeof(device));
	usual_message(RNBD_IO, bytes);
	assert_memory_equal(bytes, io, sizeof(io));
	usual_message(RNBD_CLOSE, bytes);
	assert_memory_equal(bytes, close, sizeof(close));
}

static void fields_come_back(void **state)
{
	uint8_t bytes[RNBD_OPEN_SIZE] = {0};
	union decoded ret;

	(void)state;
	assert_int_equal(decode_as(RNBD_SESSION_INFO, bytes,
				   usual_message(RNBD_SESSION_INFO, bytes), &ret),
			 0);
	assert_int_equal(ret.version, 2);
	assert_int_equal(decode_as(RNBD_OPEN, bytes, usual_message(RNBD_OPEN, bytes), &ret), 0);
	assert_int_equal(ret.open.access, RNBD_READ_WRITE);
	assert_string_equal(ret.open.path, "/dev/ram0");
	assert_int_equal(decode_as(RNBD_OPEN_ANSWER, bytes, usual_message(RNBD_OPEN_ANSWER, bytes),
				   &ret),
			 0);
	assert_int_equal(ret.opened.id, usual_device.id);
	assert_true(ret.opened.sectors == usual_device.sectors);
	assert_int_equal(ret.opened.max_hw_sectors, usual_device.max_hw_sectors);
	assert_int_equal(ret.opened.max_write_zeroes_sectors,
			 usual_device.max_write_zeroes_sectors);
	assert_int_equal(ret.opened.max_discard_sectors, usual_device.max_discard_sectors);
	assert_int_equal(ret.opened.discard_granularity, usual_device.discard_granularity);
	assert_int_equal(ret.opened.discard_alignment, usual_device.discard_alignment);
	assert_int_equal(ret.opened.physical_block_size, 4096);
	assert_int_equal(ret.opened.logical_block_size, 512);
	assert_int_equal(ret.opened.max_segments, usual_device.max_segments);
	assert_int_equal(ret.opened.secure_discard, usual_device.secure_discard);
	assert_int_equal(ret.opened.cache_policy, usual_device.cache_policy);
	assert_int_equal(decode_as(RNBD_IO, bytes, usual_message(RNBD_IO, bytes), &ret), 0);
	assert_int_equal(ret.io.device, usual_io.device);
	assert_true(ret.io.sector == usual_io.sector && ret.io.op == usual_io.op);
	assert_int_equal(ret.io.flags, usual_io.flags);
	assert_int_equal(ret.io.size, usual_io.size);
	assert_int_equal(ret.io.priority, usual_io.priority);
	assert_int_equal(decode_as(RNBD_CLOSE, bytes, usual_message(RNBD_CLOSE, bytes), &ret), 0);
	assert_int_equal(ret.device, 0x01020304);
}

static void every_type_cut_at_each_length(void **state)
{
	uint8_t bytes[RNBD_OPEN_SIZE] = {0};
	enum rtrs_rnbd_type type;
	union decoded ret;

	(void)state;
	for (type = RNBD_SESSION_INFO; type <= RNBD_CLOSE; type++) {
		size_t whole = usual_message(type, bytes);
		size_t least = type == RNBD_IO ? RNBD_IO_SIZE_MIN : whole;

		for (size_t size = 0; size <= whole; size++)
			assert_int_equal(decode_as(type, bytes, size, &ret),
					 size < least ? -EINVAL : 0);
		for (enum rtrs_rnbd_type other = RNBD_SESSION_INFO; other <= RNBD_CLOSE; other++) {
			if (other != type)
				assert_int_equal(decode_as(other, bytes, sizeof(bytes), &ret),
						 -EINVAL);
		}
	}
	/* The priority is whole, or none. */
	usual_message(RNBD_IO, bytes);
	assert_int_equal(decode_as(RNBD_IO, bytes, 25, &ret), 0);
	assert_int_equal(ret.io.priority, 0);
	assert_int_equal(decode_as(RNBD_IO, bytes, 26, &ret), 0);
	assert_int_equal(ret.io.priority, usual_io.priority);
}

static void types(void **state)
{
	uint8_t bytes[4] = {0};

	(void)state;
	for (uint32_t number = 0; number <= UINT16_MAX; number++) {
		enum rtrs_rnbd_type type;

		bytes[0] = (uint8_t)number;
		bytes[1] = (uint8_t)(number >> 8);
		assert_int_equal(rtrsi_rnbd_type(bytes, sizeof(bytes), &type),
				 number > RNBD_CLOSE ? -EINVAL : 0);
		assert_true(number > RNBD_CLOSE || type == number);
		assert_int_equal(rtrsi_rnbd_type(bytes, 3, &type), -EINVAL);
	}
}

static void paths_and_access_modes(void **state)
{
	char longest[RNBD_PATH_SIZE], longer[RNBD_PATH_SIZE + 1];
	uint8_t bytes[RNBD_OPEN_SIZE] = {0};
	union decoded ret;

	(void)state;
	memset(longest, 'p', sizeof(longest));
	longest[sizeof(longest) - 1] = '\0';
	memset(longer, 'p', sizeof(longer));
	longer[sizeof(longer) - 1] = '\0';
	assert_int_equal(rtrsi_rnbd_open_encode(RNBD_READ_ONLY, "", bytes), -EINVAL);
	assert_int_equal(rtrsi_rnbd_open_encode(RNBD_READ_ONLY, longer, bytes), -ENAMETOOLONG);
	assert_int_equal(rtrsi_rnbd_open_encode(RNBD_READ_ONLY, longest, bytes), 0);
	assert_int_equal(decode_as(RNBD_OPEN, bytes, sizeof(bytes), &ret), 0);
	assert_string_equal(ret.open.path, longest);
	bytes[6 + RNBD_PATH_SIZE - 1] = 'p';
	assert_int_equal(decode_as(RNBD_OPEN, bytes, sizeof(bytes), &ret), -EINVAL);
	for (unsigned int access = 0; access <= UINT8_MAX; access++) {
		usual_message(RNBD_OPEN, bytes);
		bytes[4] = (uint8_t)access;
		assert_int_equal(decode_as(RNBD_OPEN, bytes, sizeof(bytes), &ret),
				 access > RNBD_MIGRATION ? -EINVAL : 0);
	}
	/* Old memory behind the NUL. */
	usual_message(RNBD_OPEN, bytes);
	memset(bytes + 6 + 10, 0xee, sizeof(bytes) - 6 - 10);
	assert_int_equal(decode_as(RNBD_OPEN, bytes, sizeof(bytes), &ret), 0);
	for (size_t i = 9; i < sizeof(ret.open.path); i++)
		assert_int_equal(ret.open.path[i], 0);
	usual_message(RNBD_OPEN, bytes);
	bytes[6] = '\0';
	assert_int_equal(decode_as(RNBD_OPEN, bytes, sizeof(bytes), &ret), -EINVAL);
}

static void operations_and_block_sizes(void **state)
{
	uint8_t bytes[RNBD_OPEN_SIZE] = {0};
	union decoded ret;

	(void)state;
	for (unsigned int op = 0; op <= UINT8_MAX; op++) {
		usual_message(RNBD_IO, bytes);
		bytes[16] = (uint8_t)op;
		bytes[19] = 0x80;
		assert_int_equal(decode_as(RNBD_IO, bytes, RNBD_IO_SIZE, &ret),
				 op > RNBD_OP_WRITE_ZEROES ? -EINVAL : 0);
		assert_true(op > RNBD_OP_WRITE_ZEROES ||
			    (ret.io.op == op && ret.io.flags == (0x80000000 | RNBD_FUA)));
	}
	for (uint32_t size = 0; size <= UINT16_MAX; size++) {
		bool valid = size >= 512 && !(size & (size - 1));

		for (size_t at = 36; at <= 38; at += 2) {
			usual_message(RNBD_OPEN_ANSWER, bytes);
			bytes[at] = (uint8_t)size;
			bytes[at + 1] = (uint8_t)(size >> 8);
			assert_int_equal(decode_as(RNBD_OPEN_ANSWER, bytes, RNBD_OPEN_ANSWER_SIZE,
						   &ret),
					 valid ? 0 : -EINVAL);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_have_these_bytes),
		cmocka_unit_test(fields_come_back),
		cmocka_unit_test(every_type_cut_at_each_length),
		cmocka_unit_test(types),
		cmocka_unit_test(paths_and_access_modes),
		cmocka_unit_test(operations_and_block_sizes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
