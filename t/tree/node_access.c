/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A device is ready only if this process may open its node: mounts, users, the result of access().
 */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/tree/stream_bed.h"

/* Simulates a device cgroup's answer for a node; 0: no restriction. */
static int cgroup_answer;
static unsigned int nodes_asked;

HF_EXPORT int faccessat(int dir, const char *path, int mode, int flags)
{
	static int (*real)(int dir, const char *path, int mode, int flags);

	if (!real)
		*(void **)&real = dlsym(RTLD_NEXT, "faccessat");
	nodes_asked += strstr(path, "uverbs") != NULL;
	if (cgroup_answer && strstr(path, "uverbs")) {
		errno = cgroup_answer;
		return -1;
	}
	return real(dir, path, mode, flags);
}

static struct hf_device_info info_of(struct bed *bed)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device **list;

	assert_int_equal(hf_device_list(bed->hf, HF_LIST_ALL, &list), 1);
	assert_int_equal(hf_device_get_info(list[0], &info), 0);
	hf_device_list_free(list);
	return info;
}

static void expect_ready(struct bed *bed)
{
	struct hf_device_info info = info_of(bed);

	if (info.state != HF_DEVICE_READY)
		fail_msg("%s", info.reason.text);
}

static void expect_forbidden(struct bed *bed, const char *why)
{
	struct hf_device_info info = info_of(bed);

	assert_int_equal(info.state, HF_DEVICE_UNUSABLE);
	assert_int_equal(info.reason.code, HF_REASON_NODE_PERMISSION);
	assert_int_equal(info.reason.error, EACCES);
	if (!strstr(info.reason.text, why))
		fail_msg("%s", info.reason.text);
}

static void begin_anew(struct bed *bed)
{
	bed_end(bed);
	bed_context(bed, 0);
}

/* Not the whole directory: a test that fails erases its tree, with all that is mounted in it. */
static bool own_null(const char *path)
{
	int fd = open(path, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);

	assert_true(fd >= 0);
	close(fd);
	if (unshare(CLONE_NEWNS) && unshare(CLONE_NEWUSER | CLONE_NEWNS))
		return false;
	return !mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) &&
	       !mount("/dev/null", path, "none", MS_BIND, NULL);
}

/* The stream tries a device that is not ready some more times, and then waits to be told. */
static void wait_for_last_try(struct hf_stream *stream)
{
	struct pollfd pollfd = {.fd = hf_stream_fd(stream), .events = POLLIN};

	while (armed_timers_in(pollfd.fd) > 0) {
		assert_int_equal(poll(&pollfd, 1, HF_TEST_HANG_MS), 1);
		assert_null(bed_take(stream));
	}
}

static void a_mount_with_nodev(void **state)
{
	struct bed *bed = *state;
	char null[600], node[600];

	snprintf(null, sizeof(null), "%s/null", tree_sysfs(bed->tree));
	snprintf(node, sizeof(node), "%s/infiniband/uverbs0", tree_dev(bed->tree));
	if (!own_null(null)) {
		printf("no mounts for this user: %s\n", strerror(errno));
		skip();
	}
	assert_int_equal(tree_add(bed->tree, 0, "rxe0", NULL), 0);
	assert_int_equal(unlink(node), 0);
	assert_int_equal(symlink(null, node), 0);
	expect_ready(bed);
	if (mount("none", null, "none", MS_REMOUNT | MS_BIND | MS_NODEV | MS_NOSUID, NULL)) {
		printf("no mount with nodev for this user: %s\n", strerror(errno));
		umount2(null, MNT_DETACH);
		skip();
	}
	assert_int_equal(open(null, O_RDWR | O_CLOEXEC), -1);
	assert_int_equal(errno, EACCES);
	begin_anew(bed);
	expect_forbidden(bed, "nodev");
	/* A stream does not announce it either. */
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	wait_for_last_try(bed->a);
	/* Until it may be opened, also long after. */
	assert_int_equal(mount("none", null, "none", MS_REMOUNT | MS_BIND, NULL), 0);
	bed_expect(bed->a, HF_EVENT_ADDED, "rxe0", 0);
	assert_int_equal(umount2(null, MNT_DETACH), 0);
}

static void a_device_cgroup(void **state)
{
	struct bed *bed = *state;

	assert_int_equal(tree_add(bed->tree, 0, "rxe0", NULL), 0);
	cgroup_answer = EPERM;
	expect_forbidden(bed, "cgroup");
	/* Each list checks it again until it may be opened. */
	cgroup_answer = 0;
	expect_ready(bed);
}

static void another_user(void **state)
{
	struct bed *bed = *state;
	char node[600];
	int fd;

	if (geteuid()) {
		printf("only root can become another user\n");
		skip();
	}
	assert_int_equal(tree_add(bed->tree, 0, "rxe0", NULL), 0);
	snprintf(node, sizeof(node), "%s/infiniband/uverbs0", tree_dev(bed->tree));
	assert_int_equal(unlink(node), 0);
	fd = open(node, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	assert_true(fd >= 0);
	close(fd);
	assert_int_equal(chmod(tree_sysfs(bed->tree), 0755), 0);
	expect_ready(bed);
	expect_ready(bed);
	assert_int_equal(seteuid(65534), 0);
	expect_forbidden(bed, "mode 0600");
	assert_int_equal(seteuid(0), 0);
	expect_ready(bed);
}

static void use_default_context(struct bed *bed)
{
	char text[1100];

	snprintf(text, sizeof(text), "%s:%s", tree_sysfs(bed->tree), tree_dev(bed->tree));
	setenv("HOLDFAST_ROOTS", text, 1);
	snprintf(text, sizeof(text), "%s/t/providers.d", getenv("top_builddir"));
	setenv("HOLDFAST_PROVIDER_PATH", text, 1);
	setenv("HOLDFAST_DRIVER_CONFIG", "off", 1);
	bed->hf = hf_unref(bed->hf);
	assert_int_equal(hf_default(&bed->hf), 0);
}

static enum hf_reason_code reason_of(struct ibv_device *device)
{
	struct hf_device_info info = {.size = sizeof(info)};

	assert_int_equal(hf_device_get_info(device, &info), 0);
	assert_int_equal(info.state == HF_DEVICE_READY, info.reason.code == HF_REASON_NONE);
	return info.reason.code;
}

/* Its list has every device whose node exists; whether it can be opened is checked when a call needs it. */
static void a_list_of_libibverbs(void **state)
{
	struct ibv_device **list, **ready;
	struct bed *bed = *state;
	char node[600];
	int count;

	for (unsigned int i = 0; i < 5; i++) {
		snprintf(node, sizeof(node), "rxe%u", i);
		assert_int_equal(tree_add(bed->tree, i, node, NULL), 0);
	}
	snprintf(node, sizeof(node), "%s/infiniband/uverbs3", tree_dev(bed->tree));
	assert_int_equal(unlink(node), 0);
	/* A link that leads nowhere is no node. */
	snprintf(node, sizeof(node), "%s/infiniband/uverbs4", tree_dev(bed->tree));
	assert_int_equal(unlink(node), 0);
	assert_int_equal(symlink("/nonexistent/node", node), 0);
	use_default_context(bed);
	nodes_asked = 0;
	cgroup_answer = EPERM;
	list = ibv_get_device_list(&count);
	assert_int_equal(nodes_asked, 0);
	assert_non_null(list);
	assert_int_equal(count, 3);
	assert_int_equal(reason_of(list[0]), HF_REASON_NODE_PERMISSION);
	cgroup_answer = 0;
	assert_int_equal(reason_of(list[0]), HF_REASON_NONE);
	cgroup_answer = EPERM;
	assert_int_equal(hf_device_list(bed->hf, 0, &ready), 0);
	hf_device_list_free(ready);
	ibv_free_device_list(list);
	/* A stream that begins after such a list announces only what can be opened. */
	assert_int_equal(tree_add(bed->tree, 5, "rxe5", NULL), 0);
	list = ibv_get_device_list(&count);
	assert_int_equal(count, 4);
	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	cgroup_answer = 0;
	ibv_free_device_list(list);
	ibv_free_device_list(ibv_get_device_list(&count));
	for (int i = 0; i < 4; i++)
		hf_event_unref(bed_take(bed->a));
	bed_expect_nothing(bed->a);
	assert_int_equal(hf_device_list(bed->hf, 0, &ready), 4);
	hf_device_list_free(ready);
}

int main(void)
{
#define ON_A_BED(test) cmocka_unit_test_setup_teardown(test, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		ON_A_BED(a_device_cgroup),
		ON_A_BED(another_user),
		ON_A_BED(a_list_of_libibverbs),
		ON_A_BED(a_mount_with_nodev),
	};

	return cmocka_run_group_tests_name("access to nodes", tests, NULL, NULL);
}
