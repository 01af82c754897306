/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Software devices: who sends datagrams waits for a full receiver for a second, whoever else is sent to meanwhile. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "providers/uroce/wire/window.h"
#include "providers/uroce/wire_pacer.h"

enum { COST = 4438, SECOND = 1000000000, FULL = UROCE_WINDOW_BUFFER };

static uint32_t used_of_receivers; /* at 127.1.0.0 and on; the others are empty */
static unsigned int asked;

static union uroce_address host_address(uint32_t host)
{
	union uroce_address ret = {.ipv4 = {.sin_family = AF_INET, .sin_port = htons(4791)}};

	ret.ipv4.sin_addr.s_addr = htonl(host);
	return ret;
}

static bool tell_used(int fd, const union uroce_address *from, const union uroce_address *to,
		      uint32_t *used)
{
	(void)fd;
	(void)from;
	asked++;
	*used = ntohl(to->ipv4.sin_addr.s_addr) >> 16 == 0x7f01 ? used_of_receivers : 0;
	return true;
}

static bool pacer_admits(struct uroce_pacer *pacer, uint32_t host, uint64_t now)
{
	const union uroce_address from = host_address(0x7f000001), to = host_address(host);

	return uroce_pacer_allows(pacer, &from, &to, COST, now);
}

static struct uroce_pacer *new_pacer(void)
{
	struct uroce_pacer *pacer = uroce_pacer_new(tell_used);

	assert_non_null(pacer);
	used_of_receivers = FULL;
	asked = 0;
	return pacer;
}

/* More destinations than it can know of are sent to between two tries. */
static void patience_ends_beside_many_others(void **state)
{
	struct uroce_pacer *pacer = new_pacer();
	uint64_t now = SECOND;

	(void)state;
	for (unsigned int try = 0; try < 10; try++, now += SECOND / 10) {
		assert_false(pacer_admits(pacer, 0x7f010001, now));
		for (uint32_t i = 0; i < 2 * UROCE_PACER_MAX; i++)
			assert_true(pacer_admits(pacer, 0x7f020000 + try * 0x10000 + i, now));
	}
	assert_true(pacer_admits(pacer, 0x7f010001, now));
	/* It is not waited for again until it has taken something. */
	for (uint32_t i = 0; i < 2 * UROCE_PACER_MAX; i++)
		assert_true(pacer_admits(pacer, 0x7f100000 + i, now));
	assert_true(pacer_admits(pacer, 0x7f010001, now + 1));
	used_of_receivers = 0;
	assert_true(pacer_admits(pacer, 0x7f010001, now + 2));
	used_of_receivers = FULL;
	while (pacer_admits(pacer, 0x7f010001, now + 3))
		;
	assert_false(pacer_admits(pacer, 0x7f010001, now + SECOND / 2));
	uroce_pacer_free(pacer);
}

/* What cannot be known of is not held back, and those that are waited for are kept. */
static void too_many_that_wait(void **state)
{
	struct uroce_pacer *pacer = new_pacer();

	(void)state;
	for (uint32_t i = 0; i < UROCE_PACER_MAX; i++)
		assert_false(pacer_admits(pacer, 0x7f010000 + i, 1));
	assert_true(pacer_admits(pacer, 0x7f01ffff, 1));
	for (uint32_t i = 0; i < UROCE_PACER_MAX; i++)
		assert_true(pacer_admits(pacer, 0x7f010000 + i, 1 + SECOND));
	uroce_pacer_free(pacer);
}

/* The kernel is asked once for each half of a window, not for each packet. */
static void asks_seldom(void **state)
{
	struct uroce_pacer *pacer = new_pacer();

	(void)state;
	for (unsigned int i = 0; i < UROCE_WINDOW_LIMIT / 2 / COST; i++)
		assert_true(pacer_admits(pacer, 0x7f020001, 1));
	assert_int_equal(asked, 1);
	uroce_pacer_free(pacer);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(patience_ends_beside_many_others),
		cmocka_unit_test(too_many_that_wait),
		cmocka_unit_test(asks_seldom),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
