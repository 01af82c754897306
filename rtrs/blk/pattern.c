/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes the pattern that a measurement writes, and checks what it reads. */
#include <inttypes.h>
#include <stdbool.h>
#include <string.h>

#include "rtrs/blk/pattern.h"
#include "shared/text.h"

enum { SECTOR = 512, OLDER_MAX = 1000 };

static uint64_t mixed(uint64_t x)
{
	x = (x ^ x >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	x = (x ^ x >> 27) * UINT64_C(0x94d049bb133111eb);
	return x ^ x >> 31;
}

void rtrsi_pattern_fill(uint64_t seed, uint64_t block, uint32_t generation, void *to, uint32_t size)
{
	uint64_t x = mixed(mixed(mixed(seed) + block) + generation);
	uint64_t *words = to;

	for (uint32_t i = 0; i < size / sizeof(x); i++) {
		x += UINT64_C(0x9e3779b97f4a7c15);
		words[i] = (x ^ x >> 29) * UINT64_C(0xbf58476d1ce4e5b9);
	}
}

static bool is_all_zero(const uint8_t *data, uint32_t size)
{
	return !data[0] && !memcmp(data, data + 1, size - 1);
}

static uint32_t first_difference(const uint8_t *a, const uint8_t *b, uint32_t size)
{
	uint32_t i = 0;

	while (i < size && a[i] == b[i])
		i++;
	return i;
}

/* Each sector for itself: a discard may reach some of them. */
static bool is_partly_zero(const uint8_t *data, const uint8_t *expected, uint32_t size)
{
	for (uint32_t at = 0; at < size; at += SECTOR) {
		if (memcmp(data + at, expected + at, SECTOR) != 0 &&
		    !is_all_zero(data + at, SECTOR))
			return false;
	}
	return true;
}

/* An older generation, or 0. */
static uint32_t older_generation(uint64_t seed, uint64_t block, uint32_t generation,
				 const void *data, uint32_t size, void *scratch)
{
	for (uint32_t i = 1; i < generation && i < OLDER_MAX; i++) {
		rtrsi_pattern_fill(seed, block, generation - i, scratch, size);
		if (!memcmp(data, scratch, size))
			return generation - i;
	}
	return 0;
}

int rtrsi_pattern_check(uint64_t seed, uint64_t block, const struct pattern_state *state,
			const void *data, uint32_t size, void *scratch, char why[PATTERN_WHY])
{
	const uint8_t *bytes = data;
	uint8_t *expected = scratch;
	uint32_t older, at;

	if (state->is_zero)
		memset(scratch, 0, size);
	else if (state->generation)
		rtrsi_pattern_fill(seed, block, state->generation, scratch, size);
	else
		return 1;
	if (!memcmp(data, scratch, size) ||
	    (state->may_be_zero && is_partly_zero(bytes, expected, size)))
		return 1;
	at = first_difference(bytes, expected, size);
	(void)hfi_print(why, PATTERN_WHY, "byte %" PRIu32 " is 0x%02x and not 0x%02x", at,
			bytes[at], expected[at]);
	older = older_generation(seed, block, state->generation + state->is_zero, data, size,
				 scratch);
	if (older)
		(void)hfi_print(why, PATTERN_WHY,
				"it holds write %" PRIu32 " of %" PRIu32 ": stale data", older,
				state->generation);
	return 0;
}
