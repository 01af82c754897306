/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A thousand devices, added and removed while the host's name changes, and the resources that this
 * takes.
 */
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "shared/stamp.h"
#include "t/tree/ndd_bed.h"

enum { ROUNDS = 4, GROWTH_LIMIT = 32768, CALLS_TO_START = 400, CALLS_EACH = 40 };

static const char *const usual[] = {"--systemd", NULL};
static const char *const debug[] = {"--systemd", "--debug", NULL};
static unsigned int hosts;

static unsigned int number_of_devices(void)
{
	if (getenv("HF_VALGRIND"))
		return 64;
	return ndd_is_plain() ? 1000 : 200;
}

static void add_nth_fake(struct ndd_bed *bed, unsigned int n)
{
	char name[16];

	snprintf(name, sizeof(name), "fake%u", n);
	assert_int_equal(tree_add(bed->tree, n, name, NULL), 0);
}

static void next_host(char name[16])
{
	snprintf(name, 16, "host%u", ++hosts);
	ndd_host(name);
}

/* Half of the changes of a device follow a change of the host name immediately. */
static void churn_fakes(struct ndd_bed *bed, unsigned int count, char host[16])
{
	char name[16];

	for (unsigned int n = 0; n < count; n++) {
		if (n % (count / 8) == 0)
			next_host(host);
		switch (n % 4) {
		case 0:
			assert_int_equal(tree_remove(bed->tree, n), 0);
			add_nth_fake(bed, n);
			break;
		case 1:
			assert_int_equal(tree_swap(bed->tree, n), 0);
			break;
		case 2:
			snprintf(name, sizeof(name), "name%u", n + hosts * 1000);
			assert_int_equal(tree_rename(bed->tree, n, name), 0);
			break;
		default:
			break;
		}
	}
}

/*
 * A thousand devices are added, some change, all are removed; the descriptions are correct whenever
 * it is idle.
 */
static void play_round(struct ndd_bed *bed, unsigned int count)
{
	char host[16] = "", text[64];

	for (unsigned int n = 0; n < count; n++) {
		if (n % (count / 8) == 0)
			next_host(host);
		add_nth_fake(bed, n);
	}
	churn_fakes(bed, count, host);
	ndd_expect_all(bed, 0, count, host);
	for (unsigned int n = 0; n < count; n++) {
		if (n % (count / 8) == 0)
			next_host(host);
		assert_int_equal(tree_remove(bed->tree, n), 0);
	}
	/* Adds one more, so that all changes before it have been handled. */
	add_nth_fake(bed, count);
	snprintf(text, sizeof(text), "%s fake%u", host, count);
	ndd_expect(bed, count, text);
	assert_int_equal(tree_remove(bed->tree, count), 0);
	ndd_settle(bed);
}

static void every_final_description_is_right(void **state)
{
	struct ndd_bed *bed = *state;
	unsigned int fds = 0, count = number_of_devices();
	unsigned long first = 0, bytes;

	/* Otherwise memory in glibc's per-thread caches counts as in use. */
	bed->environment = "GLIBC_TUNABLES=glibc.malloc.tcache_count=0";
	ndd_start(bed, debug);
	for (int round = 0; round < ROUNDS; round++) {
		uint64_t cpu = ndd_cpu(bed);

		play_round(bed, count);
		bytes = ndd_allocated(bed);
		printf("round %d, %u devices: %lu bytes in use, %u KiB private, %u descriptors, "
		       "%" PRIu64 " ms of CPU\n",
		       round, count, bytes, ndd_memory(bed), ndd_fds(bed),
		       (ndd_cpu(bed) - cpu) / 1000);
		if (round == 0) {
			first = bytes;
			fds = ndd_fds(bed);
		}
		/* The library creates one more timer when it may first have missed a change. */
		assert_true(ndd_fds(bed) <= fds + 1);
		/*
		 * Usually equal to the byte, but a queue keeps its largest size. Must be less than
		 * the smallest allocation per device and round.
		 */
		if (ndd_is_plain())
			assert_true(bytes <= first + GROWTH_LIMIT);
	}
	assert_int_equal(ndd_says(bed, "cannot"), 0);
	ndd_end(bed, SIGTERM);
}

static void described_once(struct ndd_bed *bed)
{
	const char *const once[] = {"--once", NULL};

	assert_int_equal(ndd_run(bed, once), 0);
}

/* A list makes more calls while its directories' time stamps are too recent to be reliable. */
static void wait_until_stamps_are_settled(const struct ndd_bed *bed)
{
	static const char *const classes[] = {"infiniband_verbs", "infiniband"};

	for (size_t i = 0; i < HF_ARRAY_SIZE(classes); i++) {
		char path[512];
		struct stat st;

		snprintf(path, sizeof(path), "%s/class/%s", tree_sysfs(bed->tree), classes[i]);
		do {
			usleep(1000);
			assert_int_equal(stat(path, &st), 0);
		} while (!hfi_stamp_is_settled(&st.st_mtim));
	}
}

/* Counts system calls, since the time depends on the machine. */
static void it_starts_cheaply(void **state)
{
	enum { SIZES = 3 };
	const unsigned int counts[SIZES] = {1, number_of_devices() / 2, number_of_devices()};
	struct ndd_bed *bed = *state;
	unsigned long calls[SIZES] = {0};
	double low, high;

	for (unsigned int n = 0, i = 0; i < SIZES; i++) {
		for (; n < counts[i]; n++)
			add_nth_fake(bed, n);
		if (!ndd_is_plain())
			continue;
		wait_until_stamps_are_settled(bed);
		if (ndd_count_calls(bed, &calls[i]) == -EPERM) {
			print_message("skipped: tracing is not permitted here\n");
			skip();
		}
	}
	if (!ndd_is_plain())
		described_once(bed);
	ndd_expect_all(bed, 0, counts[SIZES - 1], "first");
	if (!ndd_is_plain())
		return;
	low = (double)(calls[1] - calls[0]) / (counts[1] - counts[0]);
	high = (double)(calls[2] - calls[1]) / (counts[2] - counts[1]);
	printf("calls for each device more: %.2f up to %u, %.2f up to %u\n", low, counts[1], high,
	       counts[2]);
	assert_true(calls[0] <= CALLS_TO_START);
	assert_true(low <= CALLS_EACH);
	/* With quadratic growth, high would be twice low or more. */
	assert_true(high <= low * 1.25);
}

struct plugging {
	struct ndd_bed *bed;
	unsigned int from, to;
};

static void *plug_fakes(void *arg)
{
	const struct plugging *plugging = arg;

	for (unsigned int n = plugging->from; n < plugging->to; n++)
		add_nth_fake(plugging->bed, n);
	return NULL;
}

/*
 * Devices that appear while it starts: none is missed between the first scan and the notifications.
 */
static void no_device_is_missed_at_the_start(void **state)
{
	struct ndd_bed *bed = *state;
	unsigned int count = number_of_devices() / 5;

	for (unsigned int n = 0; n < 5 * count; n += count) {
		struct plugging plugging = {bed, n, n + count};
		pthread_t thread;

		assert_int_equal(pthread_create(&thread, NULL, plug_fakes, &plugging), 0);
		ndd_start(bed, usual);
		assert_int_equal(pthread_join(thread, NULL), 0);
		ndd_expect_all(bed, 0, n + count, "first");
		ndd_end(bed, SIGTERM);
	}
	printf("%u devices plugged during 5 starts, none missed\n", 5 * count);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, ndd_setup, ndd_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(it_starts_cheaply),
		ON_A_BED(no_device_is_missed_at_the_start),
		ON_A_BED(every_final_description_is_right),
	};

	return ndd_namespace() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
