/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rdma-ndd on generated trees: what it writes, when, and what it does on errors. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/tree/ndd_bed.h"

static const char *const usual[] = {"--systemd", NULL};
static const char *const debug[] = {"-f", "-d", "-t", "0", NULL};

static void a_device_is_described_all_its_life(void **state)
{
	struct ndd_bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	ndd_start(bed, usual);
	/* Once it is ready, all existing devices are described. */
	assert_string_equal(ndd_described(bed, 0), "first fake0");
	tree_add(bed->tree, 1, "fake1", NULL);
	ndd_expect(bed, 1, "first fake1");
	tree_rename(bed->tree, 1, "ib9");
	ndd_expect(bed, 1, "first ib9");
	ndd_host("second");
	ndd_expect(bed, 0, "second fake0");
	ndd_expect(bed, 1, "second ib9");
	tree_swap(bed->tree, 0);
	ndd_expect(bed, 0, "second fake0");
	tree_remove(bed->tree, 0);
	tree_add(bed->tree, 0, "fake0", NULL);
	ndd_expect(bed, 0, "second fake0");
	/* Without a host name nothing is written, and existing descriptions stay. */
	ndd_host("(none)");
	tree_add(bed->tree, 2, "fake2", NULL);
	ndd_settle(bed);
	assert_string_not_equal(ndd_described(bed, 2), "(none) fake2");
	assert_string_equal(ndd_described(bed, 0), "second fake0");
	ndd_host("third.example");
	ndd_expect(bed, 2, "third fake2");
	ndd_expect(bed, 0, "third fake0");
	ndd_end(bed, SIGTERM);
	assert_int_equal(ndd_says(bed, ""), 0);
}

/* A device without a node, which cannot be opened. */
static void it_describes_unusable_devices(void **state)
{
	const struct tree_options no_node = {.node = TREE_NODE_NONE};
	const struct tree_options half = {.no_device = true};
	struct ndd_bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", &no_node);
	ndd_start(bed, usual);
	assert_string_equal(ndd_described(bed, 0), "first fake0");
	tree_add(bed->tree, 1, "fake1", &half);
	/* It has seen the incomplete device. */
	asleep_wait_process(bed->daemon, ASLEEP_POLL);
	tree_complete(bed->tree, 1);
	ndd_expect(bed, 1, "first fake1");
	ndd_end(bed, SIGINT);
	assert_int_equal(ndd_says(bed, ""), 0);
}

static void the_template_can_be_changed(void **state)
{
	const char *const option[] = {"--once", "-T", "%H|%d|%%|%x|\t|%", NULL};
	const char *const once[] = {"--once", NULL};
	const char *const long_one[] = {
		"-o", "-T",
		"123456789.123456789.123456789.123456789.123456789.123456789.12\xc3\xa4%d", NULL};
	const char *const too_long[] = {
		"-o", "-T",
		"123456789.123456789.123456789.123456789.123456789.123456789.123\xc3\xa4", NULL};
	struct ndd_bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	assert_int_equal(ndd_run(bed, option), 0);
	assert_string_equal(ndd_described(bed, 0), "first.example.org|fake0|%|%x|_|%");
	bed->environment = "RDMA_NDD_ND_FORMAT=%d of %h";
	assert_int_equal(ndd_run(bed, once), 0);
	assert_string_equal(ndd_described(bed, 0), "fake0 of first");
	assert_int_equal(ndd_run(bed, long_one), 0);
	assert_string_equal(ndd_described(bed, 0), "123456789.123456789.123456789.123456789."
						   "123456789.123456789.12\xc3\xa4");
	assert_int_equal(ndd_run(bed, too_long), 0);
	assert_string_equal(ndd_described(bed, 0),
			    "123456789.123456789.123456789.123456789.123456789.123456789.123");
	bed->environment = "RDMA_NDD_ND_FORMAT=";
	assert_int_equal(ndd_run(bed, once), 0);
	assert_string_equal(ndd_described(bed, 0), "first fake0");
}

static void ndd_options_are_checked(void **state)
{
	static const char *const wrong[][4] = {
		{"-T", "", NULL}, {"-t", "x", NULL}, {"-r", "-1", NULL},      {"--nothing", NULL},
		{"word", NULL},	  {"-t", NULL},	     {"-r", "1000001", NULL},
	};
	const char *const help[] = {"--help", NULL};
	const char *const version[] = {"--version", NULL};
	struct ndd_bed *bed = *state;

	for (size_t i = 0; i < sizeof(wrong) / sizeof(wrong[0]); i++)
		assert_int_equal(ndd_run(bed, wrong[i]), 2);
	assert_int_equal(ndd_run(bed, help), 0);
	assert_int_equal(ndd_says(bed, "usage: rdma-ndd"), 1);
	assert_int_equal(ndd_run(bed, version), 0);
	assert_int_equal(ndd_says(bed, "rdma-ndd (Holdfast) "), 1);
	bed->environment = "HOLDFAST_ROOTS=/nowhere/../relative:,";
	assert_int_equal(ndd_run(bed, usual), 1);
	ndd_expect_says(bed, "devices cannot be watched");
}

/* A description that another program writes is left alone until a hang-up signal. */
static void a_hang_up_rewrites_everything(void **state)
{
	struct ndd_bed *bed = *state;

	tree_add(bed->tree, 0, "fake0", NULL);
	tree_add(bed->tree, 1, "fake1", NULL);
	ndd_start(bed, debug);
	tree_set(bed->tree, 0, "node_desc", "somebody else's");
	kill(bed->daemon, SIGHUP);
	ndd_expect(bed, 0, "first fake0");
	ndd_expect_says(bed, "writing all descriptions");
	/* Twice for each: a hang-up also writes descriptions that are already correct. */
	ndd_expect_says_times(bed, "fake1: described as", 2);
	assert_int_equal(ndd_says(bed, "fake1: described as"), 2);
	/* Another domain gives the same description, so nothing is written. */
	ndd_host("first.example.com");
	ndd_expect_says(bed, "host name: first.example.com");
	assert_int_equal(ndd_says(bed, "fake1: described as"), 2);
	/* A host name cannot break a log line. */
	ndd_host("a\n<0>b\033[31m.c");
	ndd_expect(bed, 0, "a_<0>b_[31m fake0");
	ndd_expect_says(bed, "host name: a?<0>b?[31m.c");
	ndd_end(bed, SIGTERM);
}

static void attribute(struct ndd_bed *bed, unsigned int n, char *path, size_t size)
{
	snprintf(path, size, "%s/class/infiniband/%s/node_desc", tree_sysfs(bed->tree),
		 tree_name(bed->tree, n));
}

/*
 * Takes a lease as a reader: opening the file to write without blocking then fails with EAGAIN,
 * which stands for a passing EIO here.
 */
static int hold(const char *path)
{
	const int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	signal(SIGIO, SIG_IGN); /* another process tried to open it */
	assert_int_equal(fcntl(fd, F_SETLEASE, F_RDLCK), 0);
	return fd;
}

static void a_failed_write_is_repeated(void **state)
{
	const char *const few[] = {"-f", "-t", "1", "-r", "1", NULL};
	struct ndd_bed *bed = *state;
	char path[512];
	int held;

	for (unsigned int n = 0; n < 3; n++) {
		char name[16];

		snprintf(name, sizeof(name), "fake%u", n);
		tree_add(bed->tree, n, name, NULL);
	}
	attribute(bed, 1, path, sizeof(path));
	held = hold(path);
	ndd_start(bed, few);
	assert_string_equal(ndd_described(bed, 0), "first fake0");
	assert_string_equal(ndd_described(bed, 2), "first fake2");
	assert_int_equal(ndd_says(bed, ""), 0);
	/* One warning, after the last try; another host name starts new tries. */
	ndd_expect_says(bed, "fake1: the node description cannot be set: Input/output error");
	assert_int_equal(ndd_says(bed, ""), 1);
	ndd_host("second");
	ndd_expect(bed, 2, "second fake2");
	close(held);
	ndd_expect(bed, 1, "second fake1");
	assert_int_equal(ndd_says(bed, ""), 1);
	ndd_end(bed, SIGTERM);
}

/* A failed description that is no longer wanted is not tried again. */
static void a_write_that_is_not_wanted_any_more_is_dropped(void **state)
{
	const char *const fast[] = {"-f", "-t", "0", "-r", "1000000", NULL};
	struct ndd_bed *bed = *state;
	char path[512];
	int held;

	tree_add(bed->tree, 0, "fake0", NULL);
	tree_add(bed->tree, 1, "fake1", NULL);
	ndd_start(bed, fast);
	assert_string_equal(ndd_described(bed, 0), "first fake0");
	/*
	 * The host name disappears, and while another program restores it the description is
	 * already correct.
	 */
	attribute(bed, 0, path, sizeof(path));
	held = hold(path);
	ndd_host("second");
	ndd_expect(bed, 1, "second fake1");
	ndd_host("(none)");
	ndd_settle(bed);
	ndd_host("first");
	ndd_expect(bed, 1, "first fake1");
	close(held);
	ndd_settle(bed);
	assert_string_equal(ndd_described(bed, 0), "first fake0");
	assert_int_equal(ndd_says(bed, ""), 0);
	ndd_end(bed, SIGTERM);
}

static void a_permanent_error_is_logged_once(void **state)
{
	struct ndd_bed *bed = *state;
	char path[512], kept[512];

	for (unsigned int n = 0; n < 5; n++) {
		char name[16];

		snprintf(name, sizeof(name), "fake%u", n);
		tree_add(bed->tree, n, name, NULL);
	}
	/* Read-only, a symbolic link, missing, and a device that is removed. */
	attribute(bed, 0, path, sizeof(path));
	assert_int_equal(chmod(path, 0444), 0);
	attribute(bed, 1, path, sizeof(path));
	snprintf(kept, sizeof(kept), "%s/other", tree_sysfs(bed->tree));
	assert_int_equal(rename(path, kept), 0);
	assert_int_equal(symlink(kept, path), 0);
	assert_int_equal(tree_set(bed->tree, 2, "node_desc", NULL), 0);
	bed->unprivileged = true;
	ndd_start(bed, usual);
	assert_string_equal(ndd_described(bed, 4), "first fake4");
	for (unsigned int i = 0; i < 10; i++) {
		char name[16];

		snprintf(name, sizeof(name), "host%u", i);
		ndd_host(i % 2 ? "first" : name);
		tree_remove(bed->tree, 3);
		tree_add(bed->tree, 3, "fake3", NULL);
	}
	ndd_expect(bed, 3, "first fake3");
	ndd_expect(bed, 4, "first fake4");
	assert_true(ndd_says(bed, "fake0: the node description cannot be set: Permission denied") >=
		    1);
	assert_true(ndd_says(bed, "fake1: the node description cannot be set: Invalid argument") >=
		    1);
	assert_int_equal(ndd_says(bed, ""), ndd_says(bed, "fake0:") + ndd_says(bed, "fake1:"));
	assert_string_not_equal(ndd_described(bed, 1), "first fake1");
	ndd_end(bed, SIGTERM);
}

static void into_the_background(void **state)
{
	const char *const none[] = {NULL};
	struct ndd_bed *bed = *state;
	char command[512];

	tree_add(bed->tree, 0, "fake0", NULL);
	/* With --once it ends once the devices are described. */
	assert_int_equal(ndd_run(bed, none), 0);
	assert_string_equal(ndd_described(bed, 0), "first fake0");
	ndd_host("second");
	ndd_expect(bed, 0, "second fake0");
	snprintf(command, sizeof(command),
		 "for p in /proc/[0-9]*; do tr '\\0' '\\n' 2>/dev/null <$p/environ | "
		 "grep -qxF 'HOLDFAST_ROOTS=%s:%s' && kill ${p#/proc/}; done; :",
		 tree_sysfs(bed->tree), tree_dev(bed->tree));
	assert_int_equal(system(command), 0);
}

static void the_watchdog_is_answered(void **state)
{
	struct ndd_bed *bed = *state;
	struct pollfd fd = {.fd = bed->notify, .events = POLLIN};
	int count = 0;
	char message[256];
	ssize_t got;

	bed->environment = "WATCHDOG_USEC=100000";
	ndd_start(bed, usual);
	while (count < 3) {
		assert_int_equal(poll(&fd, 1, HF_TEST_HANG_MS), 1);
		got = recv(bed->notify, message, sizeof(message) - 1, MSG_DONTWAIT);
		assert_true(got >= 0);
		message[got] = '\0';
		count += strstr(message, "WATCHDOG=1") != NULL;
	}
	ndd_end(bed, SIGTERM);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, ndd_setup, ndd_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(a_device_is_described_all_its_life),
		ON_A_BED(it_describes_unusable_devices),
		ON_A_BED(the_template_can_be_changed),
		ON_A_BED(ndd_options_are_checked),
		ON_A_BED(a_hang_up_rewrites_everything),
		ON_A_BED(a_failed_write_is_repeated),
		ON_A_BED(a_write_that_is_not_wanted_any_more_is_dropped),
		ON_A_BED(a_permanent_error_is_logged_once),
		ON_A_BED(into_the_background),
		ON_A_BED(the_watchdog_is_answered),
	};

	return ndd_namespace() ? 77 : cmocka_run_group_tests(tests, NULL, NULL);
}
