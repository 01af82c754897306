/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Permits as sets of bits. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/engine/permits.h"

static void set_bit(uint64_t *bits, uint32_t number)
{
	bits[number / 64] |= UINT64_C(1) << number % 64;
}

static void clear_bit(uint64_t *bits, uint32_t number)
{
	bits[number / 64] &= ~(UINT64_C(1) << number % 64);
}

static bool has_bit(const uint64_t *bits, uint32_t number)
{
	return bits[number / 64] >> number % 64 & 1;
}

static int lowest_bit(const uint64_t *bits, uint32_t words)
{
	for (uint32_t word = 0; word < words; word++) {
		if (bits[word])
			return (int)(word * 64) + __builtin_ctzll(bits[word]);
	}
	return -EAGAIN;
}

int rtrsi_permits_init(struct rtrs_permits *permits, uint16_t depth)
{
	uint32_t words = (depth + 63U) / 64;

	*permits = (struct rtrs_permits){.depth = depth, .words = words};
	permits->free_bits = calloc((size_t)3 * words, sizeof(*permits->free_bits));
	permits->left = calloc(depth, sizeof(*permits->left));
	if (!permits->free_bits || !permits->left) {
		rtrsi_permits_free(permits);
		return -ENOMEM;
	}
	permits->rest_bits = permits->free_bits + words;
	permits->used_bits = permits->rest_bits + words;
	for (uint32_t i = 0; i < depth; i++)
		set_bit(permits->free_bits, i);
	return 0;
}

void rtrsi_permits_free(struct rtrs_permits *permits)
{
	free(permits->free_bits);
	free(permits->left);
	*permits = (struct rtrs_permits){0};
}

int rtrsi_permits_take(struct rtrs_permits *permits, bool *rested)
{
	uint64_t *from = permits->free_bits;
	int permit = lowest_bit(from, permits->words);

	if (permit < 0) {
		from = permits->rest_bits;
		permit = lowest_bit(from, permits->words);
	}
	if (permit < 0)
		return permit;
	clear_bit(from, (uint32_t)permit);
	set_bit(permits->used_bits, (uint32_t)permit);
	permits->in_use++;
	*rested = from == permits->rest_bits;
	return permit;
}

static bool was_left(const struct rtrs_permits *permits, uint32_t permit)
{
	const struct rtrs_path_set *left = &permits->left[permit];

	return left->bits[0] || left->bits[1];
}

void rtrsi_permits_give(struct rtrs_permits *permits, uint16_t permit)
{
	if (permit >= permits->depth || !has_bit(permits->used_bits, permit))
		return;
	clear_bit(permits->used_bits, permit);
	permits->in_use--;
	set_bit(was_left(permits, permit) ? permits->rest_bits : permits->free_bits, permit);
}

void rtrsi_permits_left(struct rtrs_permits *permits, uint16_t permit, unsigned int path)
{
	if (permit < permits->depth && path < RTRS_PATHS_MAX)
		set_bit(permits->left[permit].bits, path);
}

bool rtrsi_permits_any_left(const struct rtrs_permits *permits, unsigned int path)
{
	for (uint32_t i = 0; i < permits->depth; i++) {
		if (has_bit(permits->left[i].bits, path))
			return true;
	}
	return false;
}

void rtrsi_permits_reconnected(struct rtrs_permits *permits, unsigned int path)
{
	if (path >= RTRS_PATHS_MAX)
		return;
	for (uint32_t i = 0; i < permits->depth; i++) {
		clear_bit(permits->left[i].bits, path);
		if (!has_bit(permits->rest_bits, i) || was_left(permits, i))
			continue;
		clear_bit(permits->rest_bits, i);
		set_bit(permits->free_bits, i);
	}
}
