/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A thread is cancelled inside of a call, in turn at each system call of the library that is a cancellation
 * point: the locks are free afterwards, so that the next thread's call and a fork do not hang.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>
#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "t/lib/hang.h"
#include "t/lib/tree.h"

/* --- Cancellation points ------------------------------------------------------------------------ */

/* How many more of this thread's end before it is cancelled; 0: it is left alone. */
static _Thread_local unsigned int points_left;

static void pass_point(void)
{
	if (points_left && --points_left == 0)
		pthread_cancel(pthread_self());
}

static void *libc_function(const char *name)
{
	void *found = dlsym(RTLD_NEXT, name);

	if (!found)
		abort();
	return found;
}

/* In place of libc's, for the library as well. None of its opens makes a file here. */
#define POINT(type, name, parameters, arguments)                \
	HF_EXPORT type name parameters                          \
	{                                                       \
		static __typeof__(&(name)) real;                \
                                                                \
		if (!real)                                      \
			*(void **)&real = libc_function(#name); \
		pass_point();                                   \
		return real arguments;                          \
	}

POINT(int, close, (int fd), (fd))
POINT(ssize_t, read, (int fd, void *to, size_t size), (fd, to, size))
POINT(ssize_t, write, (int fd, const void *from, size_t size), (fd, from, size))
POINT(int, poll, (struct pollfd * fds, nfds_t count, int timeout), (fds, count, timeout))
POINT(ssize_t, recvfrom,
      (int fd, void *restrict to, size_t size, int flags, struct sockaddr *restrict from,
       socklen_t *restrict length),
      (fd, to, size, flags, from, length))
POINT(FILE *, fopen, (const char *restrict path, const char *restrict mode), (path, mode))
POINT(int, open, (const char *path, int flags, ...), (path, flags))
POINT(int, openat, (int dir, const char *path, int flags, ...), (dir, path, flags))

HF_EXPORT int fprintf(FILE *restrict file, const char *restrict format, ...)
{
	va_list args;
	int count;

	pass_point();
	va_start(args, format);
	count = vfprintf(file, format, args);
	va_end(args);
	pthread_testcancel();
	return count;
}

/* A library's destructor may do anything. */
HF_EXPORT int dlclose(void *library)
{
	static int (*real)(void *library);

	if (!real)
		*(void **)&real = libc_function("dlclose");
	pass_point();
	pthread_testcancel();
	return real(library);
}

/* --- What is cancelled -------------------------------------------------------------------------- */

static struct {
	struct tree *tree;
	struct hf *hf;
	struct hf_stream *stream;
	struct ibv_device *device;
	void *memory;
} bed;

static void expect_condition(bool right, const char *what)
{
	if (right)
		return;
	fprintf(stderr, "not so: %s\n", what);
	_exit(2);
}

#define CHECK(condition) expect_condition(condition, #condition)

static void make_context(void)
{
	char dir[512];
	const char *dirs[] = {dir, NULL};
	const struct hf_root root = {tree_sysfs(bed.tree), tree_dev(bed.tree)};
	const struct hf_options options = {
		.size = sizeof(options), .roots = &root, .num_roots = 1, .provider_dirs = dirs};

	snprintf(dir, sizeof(dir), "%s/t/providers.d", getenv("top_builddir"));
	CHECK(!hf_new(&options, &bed.hf));
}

static void find_device(void)
{
	make_context();
	CHECK(!hf_device_by_name(bed.hf, "fake1", &bed.device));
}

static void list_devices(void)
{
	struct ibv_device **list;

	if (hf_device_list(bed.hf, 0, &list) >= 0)
		hf_device_list_free(list);
}

static void look_up_name(void)
{
	struct ibv_device *device;

	if (hf_device_by_name(bed.hf, "fake0", &device) == 0)
		hf_device_unref(device);
}

static void open_device(void)
{
	struct ibv_context *context;

	if (hf_device_open(bed.device, &context) == 0)
		hf_device_close(context);
}

/* Its provider is unloaded with it. */
static void unplug_last(void)
{
	find_device();
	tree_remove(bed.tree, 0);
	tree_remove(bed.tree, 1);
	list_devices();
}

static void forget_last(void)
{
	hf_device_unref(bed.device);
}

static void read_device(void)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct hf_port_info port = {.size = sizeof(port)};

	(void)!hf_device_get_info(bed.device, &info);
	(void)!hf_device_get_port(bed.device, 1, &port);
}

static void list_providers(void)
{
	struct hf_provider_info *list;

	if (hf_provider_list(bed.hf, sizeof(*list), &list) >= 0)
		free(list);
}

static void start_stream(void)
{
	struct hf_stream *stream;

	if (hf_stream_new(bed.hf, NULL, &stream) == 0)
		hf_stream_unref(stream);
}

static void change_streamed(void)
{
	make_context();
	CHECK(!hf_stream_new(bed.hf, NULL, &bed.stream));
	CHECK(!tree_remove(bed.tree, 0));
	CHECK(!tree_add(bed.tree, 2, "fake2", NULL));
}

static void take_every_event(void)
{
	struct hf_event *event;

	while (hf_stream_next(bed.stream, &event) == 1)
		hf_event_unref(event);
}

/* A list has something to report to the stream of another thread. */
static void list_with_stream(void)
{
	list_devices();
}

static void take_default(void)
{
	struct hf *hf;

	if (hf_default(&hf) == 0)
		hf_unref(hf);
}

static void protect_memory(void)
{
	setenv("RDMAV_HUGEPAGES_SAFE", "1", 1);
	bed.memory = mmap(NULL, 8192, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(bed.memory != MAP_FAILED && !ibv_fork_init());
}

static void protect_range(void)
{
	ibv_dontfork_range(bed.memory, 4096);
	ibv_dofork_range(bed.memory, 4096);
}

static void fork_once(void)
{
	const pid_t child = fork();

	if (child == 0)
		_exit(0);
	CHECK(child > 0 && waitpid(child, NULL, 0) == child);
}

/* Of which a line is said. */
static void have_wrong_setting(void)
{
	setenv("HOLDFAST_LOG", "debugg", 1);
}

static const struct cancelled_case {
	const char *name;
	void (*prepare)(void);
	void (*run)(void);
} cases[] = {
	{"list", make_context, list_devices},
	{"by name", make_context, look_up_name},
	{"open and close", find_device, open_device},
	{"the last reference", unplug_last, forget_last},
	{"what a device is", find_device, read_device},
	{"providers", make_context, list_providers},
	{"a new stream", make_context, start_stream},
	{"events", change_streamed, take_every_event},
	{"a list that a stream hears of", change_streamed, list_with_stream},
	{"the default context", have_wrong_setting, take_default},
	{"a range of memory", protect_memory, protect_range},
};

/* --- The trials --------------------------------------------------------------------------------- */

struct trial {
	void (*run)(void);
	unsigned int point;
};

static void *run_trial(void *arg)
{
	const struct trial *trial = arg;
	int state;

	points_left = trial->point;
	trial->run();
	/* What was asked for while a lock was held takes effect now, and the thread is as it was. */
	if (points_left == 0)
		pthread_testcancel();
	points_left = 0;
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, &state);
	CHECK(state == PTHREAD_CANCEL_ENABLE);
	return NULL;
}

/* The answer: is there such a point? */
static void try_point(const struct cancelled_case *tried, unsigned int point)
{
	struct trial trial = {tried->run, point};
	pthread_t thread;
	void *result;

	alarm(HF_TEST_HANG_SECONDS);
	setenv("HF_FAKE_ASYNC_FD", "3", 1);
	CHECK(dup2(eventfd(0, 0), 3) == 3);
	CHECK(!tree_new(&bed.tree, NULL));
	CHECK(!tree_add(bed.tree, 0, "fake0", NULL));
	CHECK(!tree_add(bed.tree, 1, "fake1", NULL));
	tried->prepare();
	CHECK(!pthread_create(&thread, NULL, run_trial, &trial));
	CHECK(!pthread_join(thread, &result));
	if (bed.hf)
		list_devices();
	if (tried->run != forget_last)
		tried->run();
	fork_once();
	tree_free(bed.tree);
	_exit(result == PTHREAD_CANCELED ? 1 : 0);
}

/* A sanitizer has functions of its own in place of libc's; what a cancelled thread loses is a leak to valgrind. */
static bool sanitizer_or_valgrind(void)
{
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
	return true;
#else
	return getenv("HF_VALGRIND");
#endif
}

static void no_lock_stays(void **state)
{
	(void)state;
	if (sanitizer_or_valgrind()) {
		puts("skipped: under a sanitizer or valgrind, which see leaks where a thread is "
		     "cancelled");
		skip();
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		unsigned int point = 0;
		int status;
		pid_t child;

		do {
			point++;
			child = fork();
			if (child == 0)
				try_point(&cases[i], point);
			assert_int_equal(waitpid(child, &status, 0), child);
			if (!WIFEXITED(status) || WEXITSTATUS(status) > 1)
				fail_msg("%s, point %u: status %x", cases[i].name, point, status);
		} while (WEXITSTATUS(status) == 1);
		printf("%s: %u points\n", cases[i].name, point - 1);
		assert_true(point > 1);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_lock_stays),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
