/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The watch on this machine's kernel, in a network namespace of its own: real uevents, real route
 * messages, real socket overflows. Needs root.
 */
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
#include <net/if.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "shared/userns.h"
#include "core/device/root_kind.h"
#include "core/stream/lower_netdevs.h"
#include "core/notify/watch.h"
#include "t/lib/hang.h"

#define UEVENT "/sys/devices/virtual/mem/null/uevent"

static const struct hf_log silent;
static struct hf_search_root kernel_root = {"/sys", "/dev", &hfi_root_kernel};

static struct hf_watch *watch_kernel_root(uint32_t flags, size_t receive_buffer)
{
	struct hf_watch_options options = {
		.roots = &kernel_root,
		.num_roots = 1,
		.flags = flags,
		.receive_buffer = receive_buffer,
		.log = &silent,
	};
	struct hf_watch *ret = NULL;

	assert_int_equal(hfi_watch_new(&options, &ret), 0);
	return ret;
}

/* Takes all hints; counts those of a kind, and of an interface unless that is 0. */
static unsigned int count_kernel_hints(struct hf_watch *w, enum hf_hint_kind kind, uint32_t ifindex)
{
	struct hf_hint hint;
	unsigned int count = 0;
	int got;

	while ((got = hfi_watch_next(w, &hint)) > 0)
		count += hint.kind == kind && (!ifindex || hint.ifindex == ifindex);
	assert_int_equal(got, 0);
	return count;
}

static void make_uevents(unsigned int count)
{
	int fd = open(UEVENT, O_WRONLY | O_CLOEXEC);

	if (fd < 0) {
		printf("cannot write %s: %s\n", UEVENT, strerror(errno));
		skip();
	}
	while (count--)
		assert_int_equal(write(fd, "change", 6), 6);
	close(fd);
}

/* A uevent of another subsystem wakes, but leaves no hint and no readable descriptor. */
static void other_uevents_are_passed_over(void **state)
{
	struct hf_watch *w = watch_kernel_root(0, 0);
	struct pollfd fd = {.fd = hfi_watch_fd(w), .events = POLLIN};

	(void)state;
	assert_false(hfi_watch_blind(w));
	make_uevents(3);
	assert_int_equal(poll(&fd, 1, HF_TEST_HANG_MS), 1);
	assert_int_equal(count_kernel_hints(w, HF_HINT_NONE, 0), 0);
	assert_int_equal(hfi_watch_pending(w), false);
	assert_int_equal(poll(&fd, 1, 0), 0);
	hfi_watch_free(w);
}

static void a_full_uevent_socket_is_reported(void **state)
{
	struct hf_watch *w = watch_kernel_root(0, 4096);
	struct pollfd fd = {.fd = hfi_watch_fd(w), .events = POLLIN};

	(void)state;
	make_uevents(200);
	assert_int_equal(count_kernel_hints(w, HF_HINT_LOST, 0), 1);
	assert_int_equal(poll(&fd, 1, 0), 0);
	/* The watch keeps working. */
	make_uevents(1);
	assert_int_equal(poll(&fd, 1, HF_TEST_HANG_MS), 1);
	assert_int_equal(count_kernel_hints(w, HF_HINT_LOST, 0), 0);
	hfi_watch_free(w);
}

static bool run_ip_command(const char *command)
{
	int status = system(command);

	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

static void must(const char *command)
{
	if (!run_ip_command(command)) {
		printf("this machine cannot do: %s\n", command);
		skip();
	}
}

static void links_and_addresses(void **state)
{
	struct hf_watch *w = watch_kernel_root(HF_WATCH_ATTRIBUTES, 0);
	struct hf_watch *without = watch_kernel_root(0, 0);
	uint32_t lo = if_nametoindex("lo");

	(void)state;
	must("ip link set lo up");
	assert_int_equal(count_kernel_hints(w, HF_HINT_NETDEV, lo),
			 1); /* several messages, one hint */
	must("ip addr add 10.9.8.7/32 dev lo");
	assert_int_equal(count_kernel_hints(w, HF_HINT_NETDEV, lo), 1);
	must("ip addr del 10.9.8.7/32 dev lo");
	assert_int_equal(count_kernel_hints(w, HF_HINT_NETDEV, lo), 1);
	must("ip link set lo mtu 9000");
	assert_int_equal(count_kernel_hints(w, HF_HINT_NETDEV, lo), 1);
	assert_int_equal(count_kernel_hints(without, HF_HINT_NETDEV, 0), 0);
	hfi_watch_free(w);
	hfi_watch_free(without);
}

static void a_full_route_socket_is_reported(void **state)
{
	struct hf_watch *w = watch_kernel_root(HF_WATCH_ATTRIBUTES, 4096);

	(void)state;
	must("ip link set lo up; for i in 1 2 3 4 5 6 7 8 9; do "
	     "ip addr add 10.9.8.$i/32 dev lo && ip addr del 10.9.8.$i/32 dev lo; done");
	assert_int_equal(count_kernel_hints(w, HF_HINT_LOST, 0), 1);
	must("ip link set lo mtu 9001");
	assert_int_equal(count_kernel_hints(w, HF_HINT_NETDEV, 0), 1);
	hfi_watch_free(w);
}

static bool in_set(const uint32_t *set, unsigned int count, const char *name)
{
	uint32_t ifindex = if_nametoindex(name);

	for (unsigned int i = 0; i < count; i++)
		if (set[i] == ifindex)
			return ifindex != 0;
	return false;
}

static void upper_interfaces_lead_to_lower_ones(void **state)
{
	char dir[] = "/tmp/hf-sysfs-XXXXXX";
	uint32_t set[HF_LOWER_MAX];
	unsigned int count;

	(void)state;
	must("ip link add hfbr0 type bridge && ip link add hfv0 type veth peer name hfv1 && "
	     "ip link set hfv0 master hfbr0");
	assert_non_null(mkdtemp(dir));
	assert_int_equal(mount("none", dir, "sysfs", 0, NULL), 0);
	count = hfi_lower_interfaces(dir, if_nametoindex("hfbr0"), 0, set);
	assert_true(in_set(set, count, "hfbr0"));
	assert_true(in_set(set, count, "hfv0"));
	assert_false(in_set(set, count, "lo"));
	count = hfi_lower_interfaces(dir, if_nametoindex("lo"), 0, set);
	assert_int_equal(count, 1);
	/* An interface that is gone, with the lower interface that its last message named. */
	count = hfi_lower_interfaces(dir, 4000000, if_nametoindex("hfbr0"), set);
	assert_true(in_set(set, count, "hfv0"));
	assert_int_equal(umount(dir), 0);
	assert_int_equal(rmdir(dir), 0);
	must("ip link del hfv0 && ip link del hfbr0");
}

static void write_or_exit(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		_exit(3);
	close(fd);
}

/* In another user namespace uevents are not trusted: the watch polls. */
static void another_user_namespace(void **state)
{
	int status;
	pid_t pid;

	(void)state;
	assert_true(hfi_uevents_are_heard());
	pid = fork();
	if (pid == 0) {
		struct hf_watch *w;
		struct hf_hint hint;
		struct pollfd fd;

		if (unshare(CLONE_NEWUSER) < 0)
			_exit(77);
		write_or_exit("/proc/self/uid_map", "0 0 1");
		if (hfi_uevents_are_heard())
			_exit(4);
		w = watch_kernel_root(0, 0);
		fd = (struct pollfd){.fd = hfi_watch_fd(w), .events = POLLIN};
		if (!hfi_watch_blind(w) || poll(&fd, 1, HF_TEST_HANG_MS) != 1)
			_exit(5);
		_exit(hfi_watch_next(w, &hint) == 1 && hint.kind == HF_HINT_ALL ? 0 : 6);
	}
	assert_true(pid > 0);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 77) {
		printf("no user namespaces here\n");
		skip();
	}
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(other_uevents_are_passed_over),
		cmocka_unit_test(a_full_uevent_socket_is_reported),
		cmocka_unit_test(links_and_addresses),
		cmocka_unit_test(a_full_route_socket_is_reported),
		cmocka_unit_test(upper_interfaces_lead_to_lower_ones),
		cmocka_unit_test(another_user_namespace),
	};

	if (unshare(CLONE_NEWNET | CLONE_NEWNS) < 0) {
		printf("skipped: a namespace of its own needs root: %s\n", strerror(errno));
		return 77;
	}
	if (mount("none", "/", "none", MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("skipped: mounts cannot be made private: %s\n", strerror(errno));
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
