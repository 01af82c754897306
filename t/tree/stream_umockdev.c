/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Streams on a kernel's root: umockdev provides /sys, /dev and the uevents, everything else is
 * real. It has no netlink, so GIDs and links are tested in t/vm.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <fcntl.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <cmocka.h>
#include <umockdev.h>

#include "t/tree/stream_bed.h"

struct mock {
	struct bed bed; /* without a generated tree */
	UMockdevTestbed *testbed;
	char *root;
	bool has_node;
};

#define VERBS "/sys/devices/virtual/infiniband_verbs/uverbs0"
#define IBDEV "/sys/devices/virtual/infiniband/"

/* umockdev redirects access() to its /dev, but not this function. */
__attribute__((visibility("default"))) int faccessat(int dirfd, const char *path, int mode,
						     int flags)
{
	if (dirfd == AT_FDCWD)
		return access(path, mode);
	return (int)syscall(SYS_faccessat2, dirfd, path, mode, flags);
}

static void must_add(struct mock *mock, const char *text)
{
	GError *error = NULL;

	if (!umockdev_testbed_add_from_string(mock->testbed, text, &error))
		fail_msg("%s", error->message);
}

static void plug_mock(struct mock *mock, const char *name)
{
	static const char node[] = "N: infiniband/uverbs0\n"
				   "E: DEVNAME=/dev/infiniband/uverbs0\n"
				   "E: MAJOR=231\nE: MINOR=192\n";
	char text[2048];
	char path[256];

	snprintf(text, sizeof(text),
		 "P: /devices/virtual/infiniband/%s\nE: SUBSYSTEM=infiniband\n"
		 "A: node_type=1: CA\\n\nA: node_guid=0200:00ff:fe00:0001\\n\n"
		 "A: sys_image_guid=0200:00ff:fe00:0001\\n\nA: ports/1/state=4: ACTIVE\\n\n"
		 "A: ports/1/phys_state=5: LinkUp\\n\nA: ports/1/link_layer=Ethernet\\n\n"
		 "A: ports/1/rate=2.5 Gb/sec (1X SDR)\\n\n",
		 name);
	must_add(mock, text);
	/* umockdev creates a node once, and cannot create it again after removing it. */
	snprintf(text, sizeof(text),
		 "P: /devices/virtual/infiniband_verbs/uverbs0\n%sE: SUBSYSTEM=infiniband_verbs\n"
		 "A: dev=231:192\\n\nA: ibdev=%s\\n\nA: abi_version=2\\n\n",
		 mock->has_node ? "" : node, name);
	must_add(mock, text);
	mock->has_node = true;
	snprintf(path, sizeof(path), IBDEV "%s", name);
	umockdev_testbed_uevent(mock->testbed, VERBS, "add");
	umockdev_testbed_uevent(mock->testbed, path, "add");
}

static void real(const struct mock *mock, char path[512], const char *below)
{
	snprintf(path, 512, "%s%s", mock->root, below);
}

/* Like device_del() (6.1, 6.12): first the class's link is removed, then the uevent is sent. */
static void take_link(const struct mock *mock, const char *below)
{
	char path[512];

	real(mock, path, below);
	assert_int_equal(unlink(path), 0);
}

static void erase(const struct mock *mock, const char *below)
{
	char path[512], command[600];

	real(mock, path, below);
	snprintf(command, sizeof(command), "rm -r '%s'", path);
	assert_int_equal(system(command), 0);
}

static void unplug_mock(struct mock *mock, const char *name)
{
	char path[256];

	take_link(mock, "/sys/class/infiniband_verbs/uverbs0");
	umockdev_testbed_uevent(mock->testbed, VERBS, "remove");
	erase(mock, VERBS);
	snprintf(path, sizeof(path), "/sys/class/infiniband/%s", name);
	take_link(mock, path);
	snprintf(path, sizeof(path), IBDEV "%s", name);
	umockdev_testbed_uevent(mock->testbed, path, "remove");
	erase(mock, path);
}

/* Like rdma dev set FROM name TO: changes the directory, its link, and uverbs0's attribute. */
static void change_name(struct mock *mock, const char *from, const char *to)
{
	char a[512], b[512], path[256];
	FILE *ibdev;

	snprintf(path, sizeof(path), "/sys/class/infiniband/%s", from);
	take_link(mock, path);
	snprintf(path, sizeof(path), IBDEV "%s", from);
	real(mock, a, path);
	snprintf(path, sizeof(path), IBDEV "%s", to);
	real(mock, b, path);
	assert_int_equal(rename(a, b), 0);
	snprintf(path, sizeof(path), "/sys/class/infiniband/%s", to);
	real(mock, a, path);
	snprintf(path, sizeof(path), "../../devices/virtual/infiniband/%s", to);
	assert_int_equal(symlink(path, a), 0);
	real(mock, a, VERBS "/ibdev");
	ibdev = fopen(a, "r+e");
	assert_non_null(ibdev);
	fprintf(ibdev, "%s\n", to);
	assert_int_equal(ftruncate(fileno(ibdev), (off_t)strlen(to) + 1), 0);
	fclose(ibdev);
	snprintf(path, sizeof(path), IBDEV "%s", to);
	snprintf(b, sizeof(b), "/devices/virtual/infiniband/%s", from);
	umockdev_testbed_set_property(mock->testbed, path, "DEVPATH_OLD", b);
	umockdev_testbed_uevent(mock->testbed, path, "move");
}

static int setup_mock(void **state)
{
	struct mock *mock = calloc(1, sizeof(*mock));
	char dir[512];
	const char *dirs[] = {dir, NULL};
	struct hf_root root = {.sysfs = "/sys", .dev = "/dev"};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		/* This machine's RDMA netlink does not know the mocked devices. */
		.flags = HF_NO_NETLINK | HF_NO_ENVIRONMENT,
	};

	assert_non_null(mock);
	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	mock->testbed = umockdev_testbed_new();
	mock->root = umockdev_testbed_get_root_dir(mock->testbed);
	assert_int_equal(hf_new(&options, &mock->bed.hf), 0);
	*state = mock;
	return 0;
}

static int teardown_mock(void **state)
{
	struct mock *mock = *state;

	bed_end(&mock->bed);
	g_free(mock->root);
	g_object_unref(mock->testbed);
	free(mock);
	return 0;
}

static void uevents_lead_to_events(void **state)
{
	struct mock *mock = *state;
	struct bed *bed = &mock->bed;
	uint64_t first, second;

	plug_mock(mock, "fake0");
	bed_stream(bed, &bed->a);
	bed_stream(bed, &bed->b);
	first = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	bed_expect_nothing(bed->a);
	change_name(mock, "fake0", "fake7");
	assert_int_equal(bed_expect(bed->a, HF_EVENT_CHANGED, "fake7", HF_CHANGED_NAME), first);
	bed_expect_nothing(bed->a);
	unplug_mock(mock, "fake7");
	assert_int_equal(bed_expect(bed->a, HF_EVENT_REMOVED, "fake7", 0), first);
	bed_expect_nothing(bed->a);
	plug_mock(mock, "fake0");
	second = bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	assert_true(second > first);
	bed_expect_nothing(bed->a);
	/* The other stream was notified of all of it, although it was not asked. */
	bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->b, HF_EVENT_SYNCED, "", 0);
	bed_expect(bed->b, HF_EVENT_CHANGED, "fake7", HF_CHANGED_NAME);
	bed_expect(bed->b, HF_EVENT_REMOVED, "fake7", 0);
	assert_int_equal(bed_expect(bed->b, HF_EVENT_ADDED, "fake0", 0), second);
	bed_expect_nothing(bed->b);
	unplug_mock(mock, "fake0");
	bed_expect(bed->b, HF_EVENT_REMOVED, "fake0", 0);
}

/* Uevents of other subsystems leave nothing behind. */
static void other_subsystems_are_passed_over(void **state)
{
	struct mock *mock = *state;

	must_add(mock, "P: /devices/virtual/block/ram0\nE: SUBSYSTEM=block\n");
	bed_stream(&mock->bed, &mock->bed.a);
	bed_expect(mock->bed.a, HF_EVENT_SYNCED, "", 0);
	/* A few at a time: its socket buffer is small, and umockdev fails when it is full. */
	for (int i = 0; i < 30; i++) {
		for (int k = 0; k < 4; k++)
			umockdev_testbed_uevent(mock->testbed, "/sys/devices/virtual/block/ram0",
						"change");
		assert_null(bed_take(mock->bed.a));
	}
	bed_expect_nothing(mock->bed.a);
}

/* The list's own watch receives uevents too. */
static void the_list_follows(void **state)
{
	struct mock *mock = *state;
	struct ibv_device **list;

	for (int i = 0; i < 3; i++) {
		assert_int_equal(hf_device_list(mock->bed.hf, 0, &list), 0);
		hf_device_list_free(list);
		plug_mock(mock, "fake0");
		assert_int_equal(hf_device_list(mock->bed.hf, 0, &list), 1);
		hf_device_list_free(list);
		unplug_mock(mock, "fake0");
	}
}

#if defined(__has_feature)
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
#define SANITIZED 1
#else
#define SANITIZED 0
#endif

static int under_umockdev(char **argv)
{
	char wrapper[] = "umockdev-wrapper";
	char *args[] = {wrapper, argv[0], NULL};

	if (SANITIZED) {
		printf("skipped: a sanitiser and umockdev both want to be preloaded first\n");
		return 77;
	}
	if (setenv("HF_TEST_WRAPPED", "1", 1) == 0)
		execvp(args[0], args);
	printf("skipped: umockdev-wrapper: %s\n", strerror(errno));
	return 77;
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(uevents_lead_to_events, setup_mock, teardown_mock),
		cmocka_unit_test_setup_teardown(other_subsystems_are_passed_over, setup_mock,
						teardown_mock),
		cmocka_unit_test_setup_teardown(the_list_follows, setup_mock, teardown_mock),
	};

	(void)argc;
	if (!getenv("HF_TEST_WRAPPED"))
		return under_umockdev(argv);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
