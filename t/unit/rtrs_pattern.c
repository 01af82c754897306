/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a measurement verifies: each wrong byte is found, each older write, and another block's content. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>

#include "rtrs/blk/pattern.h"

enum { SIZE = 4096, SEED = 7, BLOCK = 11 };

static uint8_t data[SIZE], scratch[SIZE];
static char why[PATTERN_WHY];

static int check_data(const struct pattern_state *block)
{
	return rtrsi_pattern_check(SEED, BLOCK, block, data, SIZE, scratch, why);
}

static void every_byte_counts(void **state)
{
	const struct pattern_state block = {.generation = 3};

	(void)state;
	rtrsi_pattern_fill(SEED, BLOCK, 3, data, SIZE);
	assert_int_equal(check_data(&block), 1);
	for (unsigned int i = 0; i < SIZE; i++) {
		data[i] ^= 1;
		assert_int_equal(check_data(&block), 0);
		assert_non_null(strstr(why, "byte"));
		data[i] ^= 1;
	}
	rtrsi_pattern_fill(SEED, BLOCK + 1, 3, data, SIZE);
	assert_int_equal(check_data(&block), 0);
	rtrsi_pattern_fill(SEED + 1, BLOCK, 3, data, SIZE);
	assert_int_equal(check_data(&block), 0);
	memset(data, 0, SIZE);
	assert_int_equal(check_data(&block), 0);
}

static void older_writes_are_found(void **state)
{
	const struct pattern_state block = {.generation = 5};

	(void)state;
	for (uint32_t i = 1; i < 5; i++) {
		rtrsi_pattern_fill(SEED, BLOCK, i, data, SIZE);
		assert_int_equal(check_data(&block), 0);
		assert_non_null(strstr(why, "stale"));
	}
	rtrsi_pattern_fill(SEED, BLOCK, 6, data, SIZE);
	assert_int_equal(check_data(&block), 0);
}

static void what_is_unknown_is_not_checked(void **state)
{
	const struct pattern_state block = {0};

	(void)state;
	memset(data, 0x5a, SIZE);
	assert_int_equal(check_data(&block), 1);
}

static void discarded_sectors_are_zero_or_old(void **state)
{
	const struct pattern_state block = {.generation = 2, .may_be_zero = 1};

	(void)state;
	rtrsi_pattern_fill(SEED, BLOCK, 2, data, SIZE);
	assert_int_equal(check_data(&block), 1);
	memset(data + 512, 0, 1024);
	assert_int_equal(check_data(&block), 1);
	data[600] = 1;
	assert_int_equal(check_data(&block), 0);
	memset(data, 0, SIZE);
	assert_int_equal(check_data(&block), 1);
	rtrsi_pattern_fill(SEED, BLOCK, 1, data, SIZE);
	assert_int_equal(check_data(&block), 0);
}

static void zeroes_are_zero(void **state)
{
	const struct pattern_state block = {.generation = 2, .is_zero = 1};

	(void)state;
	memset(data, 0, SIZE);
	assert_int_equal(check_data(&block), 1);
	data[SIZE - 1] = 1;
	assert_int_equal(check_data(&block), 0);
	rtrsi_pattern_fill(SEED, BLOCK, 2, data, SIZE);
	assert_int_equal(check_data(&block), 0);
	assert_non_null(strstr(why, "stale"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_byte_counts),
		cmocka_unit_test(older_writes_are_found),
		cmocka_unit_test(what_is_unknown_is_not_checked),
		cmocka_unit_test(discarded_sectors_are_zero_or_old),
		cmocka_unit_test(zeroes_are_zero),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
