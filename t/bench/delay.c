/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Measures the time from a change in the tree to the stream's event. */
#include <dlfcn.h>
#include <errno.h>
#include <poll.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <holdfast/holdfast.h>

#include "shared/clock.h"
#include "t/bench/delay.h"
#include "t/lib/hang.h"
#include "t/lib/tree.h"

enum { PLUGS = 101, PATIENCE_MS = HF_TEST_HANG_MS };

/* Shared by the process that makes the changes and the one that watches. */
struct change {
	_Atomic uint64_t when_ns; /* set by the first */
	atomic_bool received;	  /* set by the second: the next change may be made */
};

static int (*new_context)(const struct hf_options *, struct hf **);
static int (*new_stream)(struct hf *, const struct hf_stream_options *, struct hf_stream **);
static int (*stream_fd)(const struct hf_stream *);
static int (*stream_next)(struct hf_stream *, struct hf_event **);
static enum hf_event_type (*event_type)(const struct hf_event *);
static struct hf_event *(*event_unref)(struct hf_event *);

static void fail_delay(const char *what, int err) __attribute__((noreturn));
static void fail_delay(const char *what, int err)
{
	fprintf(stderr, "delay: %s: %s\n", what, strerror(err));
	exit(1);
}

static void *delay_symbol(void *library, const char *name)
{
	void *address = dlsym(library, name);

	if (!address)
		fail_delay(name, ENOSYS);
	return address;
}

static void find_symbols(void *library)
{
	new_context = (__typeof__(new_context))delay_symbol(library, "hf_new");
	new_stream = (__typeof__(new_stream))delay_symbol(library, "hf_stream_new");
	stream_fd = (__typeof__(stream_fd))delay_symbol(library, "hf_stream_fd");
	stream_next = (__typeof__(stream_next))delay_symbol(library, "hf_stream_next");
	event_type = (__typeof__(event_type))delay_symbol(library, "hf_event_type");
	event_unref = (__typeof__(event_unref))delay_symbol(library, "hf_event_unref");
}

static void paths(const struct tree *tree, unsigned int n, char in[512], char out[512])
{
	snprintf(in, 512, "%s/class/infiniband_verbs/uverbs%u", tree_sysfs(tree), n);
	snprintf(out, 512, "%s/outside-uverbs%u", tree_sysfs(tree), n);
}

static void rename_path(const char *from, const char *to)
{
	if (rename(from, to) < 0)
		fail_delay(from, errno);
}

/* A rename adds a prepared device, and another one removes it, so that each change has one moment. */
static void plug_all(const struct tree *tree, unsigned int others, struct change *changes)
{
	const struct timespec pause = {.tv_nsec = 3000000};
	char in[512], out[512];

	for (unsigned int i = 0; i < 2 * PLUGS; i++) {
		do
			nanosleep(&pause, NULL);
		while (i && !atomic_load(&changes[i - 1].received));
		paths(tree, others + i / 2, in, out);
		atomic_store(&changes[i].when_ns, (uint64_t)hfi_now_ns());
		if (i % 2)
			rename_path(in, out);
		else
			rename_path(out, in);
	}
}

/* Waits for the next event other than SYNCED. Returns its type. */
static enum hf_event_type wait_event(struct hf_stream *stream)
{
	struct pollfd pollfd = {.fd = stream_fd(stream), .events = POLLIN};
	struct hf_event *event;
	enum hf_event_type type;
	int ret;

	for (;;) {
		ret = stream_next(stream, &event);
		if (ret < 0)
			fail_delay("hf_stream_next", -ret);
		if (ret == 0) {
			if (poll(&pollfd, 1, PATIENCE_MS) == 0)
				fail_delay("an event", ETIMEDOUT);
			continue;
		}
		type = event_type(event);
		event_unref(event);
		if (type != HF_EVENT_SYNCED)
			return type;
	}
}

static int compare_delays(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void print(const char *what, uint64_t *delays)
{
	qsort(delays, PLUGS, sizeof(*delays), compare_delays);
	printf("%s_ns %llu\n%s_max_ns %llu\n", what, (unsigned long long)delays[PLUGS / 2], what,
	       (unsigned long long)delays[PLUGS - 1]);
}

static struct tree *make_tree(unsigned int others)
{
	char name[32], in[512], out[512];
	struct tree *tree;
	int err = tree_new(&tree, "/dev/shm");

	for (unsigned int n = 0; !err && n < others + PLUGS; n++) {
		snprintf(name, sizeof(name), "rxe%u", n);
		err = tree_add(tree, n, name, NULL);
		if (err || n < others)
			continue;
		paths(tree, n, in, out);
		rename_path(in, out);
	}
	if (err)
		fail_delay("made-up tree", -err);
	return tree;
}

void delay_measure(void *library, unsigned int others)
{
	struct change *changes = mmap(NULL, sizeof(*changes) * 2 * PLUGS, PROT_READ | PROT_WRITE,
				      MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	struct tree *tree = make_tree(others);
	struct hf_root root = {.sysfs = tree_sysfs(tree), .dev = tree_dev(tree)};
	struct hf_options options = {.size = sizeof(options), .roots = &root, .num_roots = 1};
	uint64_t delays[2][PLUGS];
	struct hf_stream *stream;
	struct hf *hf;
	int err, status;
	pid_t pid;

	if (changes == MAP_FAILED)
		fail_delay("shared memory", errno);
	find_symbols(library);
	err = new_context(&options, &hf);
	if (err)
		fail_delay("hf_new", -err);
	err = new_stream(hf, NULL, &stream);
	if (err)
		fail_delay("hf_stream_new", -err);
	for (unsigned int i = 0; i < others; i++) {
		if (wait_event(stream) != HF_EVENT_ADDED)
			fail_delay("the first devices", EPROTO);
	}
	pid = fork();
	if (pid < 0)
		fail_delay("fork", errno);
	if (pid == 0) {
		plug_all(tree, others, changes);
		_exit(0);
	}
	for (unsigned int i = 0; i < 2 * PLUGS; i++) {
		enum hf_event_type type = wait_event(stream);

		if (type != (i % 2 ? HF_EVENT_REMOVED : HF_EVENT_ADDED))
			fail_delay("another event than the one expected", EPROTO);
		delays[i % 2][i / 2] = (uint64_t)hfi_now_ns() - atomic_load(&changes[i].when_ns);
		atomic_store(&changes[i].received, true);
	}
	waitpid(pid, &status, 0);
	print("added", delays[0]);
	print("removed", delays[1]);
	tree_free(tree);
}
