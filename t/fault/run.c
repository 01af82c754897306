/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* One run of an operation in a child, with a fault injected, and the checks after it. */
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <link.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/stat.h>

#include "t/fault/counters.h"
#include "t/fault/inject.h"
#include "t/fault/run.h"
#include "t/fault/sysfs.h"
#include "t/lib/hang.h"

#if defined(__SANITIZE_ADDRESS__)
#include <sanitizer/lsan_interface.h>
#define find_leaks() (__lsan_do_recoverable_leak_check() != 0)
#elif defined(__has_feature)
#if __has_feature(address_sanitizer)
#include <sanitizer/lsan_interface.h>
#define find_leaks() (__lsan_do_recoverable_leak_check() != 0)
#endif
#endif
#ifndef find_leaks
#define find_leaks() false
#endif

enum { MAX_FDS = 512, TIME_LIMIT_S = 2 * HF_TEST_HANG_SECONDS, NODE_WAIT_MS = 30 };

const char *const run_kind_names[RUN_KINDS] = {
	[RUN_UNDISTURBED] = "undisturbed",
	[RUN_SWAP] = "swap",
	[RUN_REPLUG] = "replug",
	[RUN_REMOVE] = "remove",
	[RUN_RENAME] = "rename",
	[RUN_DROP_CACHES] = "caches",
	[RUN_FAIL] = "fail",
	[RUN_SHORT] = "short",
	[RUN_ALLOC] = "alloc",
};

const char *const fault_names[FAULTS] = {
	[FAULT_WRONG_DEVICE] = "wrong",
	[FAULT_WRONG_ANSWER] = "false answers",
	[FAULT_UNDOCUMENTED] = "undocumented",
	[FAULT_TOUCHED] = "touched outputs",
	[FAULT_POISONED] = "poisoned",
	[FAULT_LEAK] = "leaks",
	[FAULT_CRASH] = "crashes",
};

void run_fault(struct run *run, enum fault fault, const char *format, ...)
{
	struct run_result *result = run->result;
	va_list args;
	int n = 0;

	result->faults[fault]++;
	if (result->text[0])
		return;
	if (run->again)
		n = snprintf(result->text, RUN_TEXT, "afterwards, undisturbed: ");
	va_start(args, format);
	vsnprintf(result->text + n, RUN_TEXT - (size_t)n, format, args);
	va_end(args);
}

struct hf *run_context(struct run *run)
{
	const struct hf_root root = {.sysfs = run->world->sysfs, .dev = run->world->dev};
	const char *const dirs[] = {run->provider_dir, NULL};
	const struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		/* A generated tree has netlink replies, but no notifications. */
		.flags = HF_NO_ENVIRONMENT | (run->op->netlink ? HF_NO_NOTIFY : 0),
		.node_wait_ms = NODE_WAIT_MS,
	};
	struct hf *hf;
	int ret;

	if (run->op->netlink) {
		setenv("HF_FAKE_RDMA_TREE", run->world->sysfs, 1);
		sysfs_pretend(run->world->sysfs);
	}
	ret = hf_new(&options, &hf);
	if (ret == 0)
		return hf;
	run_fault(run, FAULT_POISONED, "hf_new: %s", strerror(-ret));
	_exit(0);
}

bool run_replaced(const struct run *run)
{
	return run->world->now[WORLD_TARGET] != run->asked;
}

static int remember(struct run *run, uint64_t generation, int instance)
{
	for (size_t i = 0; i < run->num_known; i++)
		if (run->known[i].generation == generation)
			return run->known[i].instance;
	if (run->num_known < RUN_GENERATIONS) {
		run->known[run->num_known].generation = generation;
		run->known[run->num_known++].instance = instance;
	}
	return instance;
}

/*
 * A kernel that reports a missing device does not correct that without a notification. The library
 * may believe it, so a wrong result after such a lie is not counted as poisoned.
 */
bool run_was_lied_to(const struct run *run)
{
	return run->kind == RUN_FAIL &&
	       (run->error == ENOENT || run->error == ENODEV || run->error == ENXIO);
}

int run_check_device(struct run *run, struct ibv_device *device)
{
	const struct world *world = run->world;
	struct hf_device_info info = {.size = sizeof(info)};
	char value[64];
	int instance, before, ret;
	bool unread;

	ret = hf_device_get_info(device, &info);
	if (ret < 0) {
		run_fault(run, FAULT_WRONG_ANSWER, "hf_device_get_info: %s", strerror(-ret));
		return -1;
	}
	instance = world_by_inode(world, info.inode);
	/* Netlink reported it, and it was removed before its inode was read. */
	if (!info.inode && info.index >= 0)
		instance = world_by_index_gone(world, info.index);
	/* A device that cannot be read has no identity; then it must not claim to be usable. */
	if (!info.inode && info.state == HF_DEVICE_UNUSABLE && run->kind == RUN_FAIL)
		return -1;
	if (instance < 0) {
		run_fault(run, FAULT_WRONG_DEVICE, "%s has inode %lu, which no device ever had",
			  info.uverbs, (unsigned long)info.inode);
		return -1;
	}
	/* A GUID that was not read in time is 0; any other must be right. */
	unread = !info.node_guid && (run->kind >= RUN_FAIL ||
				     instance != world->now[world->instances[instance].device]);
	if (info.node_guid != world->instances[instance].guid && !unread) {
		run_fault(run, FAULT_WRONG_DEVICE, "%s has the inode of %lx and the GUID %lx",
			  info.uverbs, (unsigned long)world->instances[instance].guid,
			  (unsigned long)info.node_guid);
		return -1;
	}
	if (info.index >= 0 && info.index != world->instances[instance].index) {
		run_fault(run, FAULT_WRONG_DEVICE, "%s has the inode of index %d and the index %d",
			  info.uverbs, world->instances[instance].index, info.index);
		return -1;
	}
	before = remember(run, info.generation, instance);
	if (before != instance) {
		run_fault(run, FAULT_WRONG_DEVICE, "generation %lu was instance %d and is %d now",
			  (unsigned long)info.generation, before, instance);
		return -1;
	}
	if (hf_device_generation(device) != info.generation)
		run_fault(run, FAULT_WRONG_DEVICE, "two generations in one handle");
	ret = hf_device_read_attr(device, "node_guid", value, sizeof(value));
	if (ret >= 0) {
		unsigned int w[4] = {0};
		uint64_t guid;

		sscanf(value, "%4x:%4x:%4x:%4x", &w[0], &w[1], &w[2], &w[3]);
		guid = (uint64_t)w[0] << 48 | (uint64_t)w[1] << 32 | (uint64_t)w[2] << 16 | w[3];
		if (guid != world->instances[instance].guid)
			run_fault(run, FAULT_WRONG_DEVICE, "reading through %s gives GUID %s",
				  info.uverbs, value);
	}
	return instance;
}

void run_check_node(struct run *run, int fd, int instance)
{
	uint64_t inode = run->world->instances[instance].node_inode;
	struct stat st;

	if (fstat(fd, &st) < 0)
		run_fault(run, FAULT_WRONG_DEVICE, "the context has no node open");
	else if (inode && st.st_ino != inode)
		run_fault(run, FAULT_WRONG_DEVICE, "the node of another instance is open");
}

void run_check_list(struct run *run, struct ibv_device **list, int num)
{
	const struct world *world = run->world;
	bool strict = run->kind <= RUN_DROP_CACHES || (run->again && !run_was_lied_to(run));
	int at[WORLD_DEVICES] = {-1, -1, -1};

	if (list[num]) {
		run_fault(run, FAULT_WRONG_ANSWER, "the list does not end with NULL");
		return;
	}
	for (int i = 0; i < num; i++) {
		int instance = run_check_device(run, list[i]);
		int device;

		if (instance < 0)
			continue;
		device = world->instances[instance].device;
		if (at[device] >= 0)
			run_fault(run, FAULT_WRONG_ANSWER, "uverbs%d is listed twice", device);
		at[device] = instance;
	}
	for (int i = 0; i < WORLD_DEVICES; i++) {
		/*
		 * While the call runs the target may exist, be replaced or be missing for a moment.
		 */
		bool moving = i == WORLD_TARGET && !run->again && run->kind >= RUN_SWAP &&
			      run->kind <= RUN_REMOVE;

		if (world->now[i] < 0 && at[i] >= 0 && !moving)
			run_fault(run, FAULT_WRONG_ANSWER, "uverbs%d is listed and is not there",
				  i);
		else if (strict && world->now[i] >= 0 && at[i] < 0 && !moving)
			run_fault(run, run->again ? FAULT_POISONED : FAULT_WRONG_ANSWER,
				  "uverbs%d is there and not listed", i);
		else if (world->now[i] >= 0 && at[i] < 0)
			run->result->missing = true;
		else if (at[i] >= 0 && at[i] != world->now[i] && !moving)
			run_fault(run, FAULT_WRONG_DEVICE, "uverbs%d is listed as it was", i);
	}
}

static void find_devices(struct run *run, bool check)
{
	struct ibv_device **list;
	int num = hf_device_list(run->hf, 0, &list);

	for (int i = 0; i < num; i++) {
		if (check && run_check_device(run, list[i]) < 0)
			continue;
		if (!strcmp(list[i]->dev_name, "uverbs1"))
			run->target = hf_device_ref(list[i]);
		else if (!strcmp(list[i]->dev_name, "uverbs0"))
			run->bystander = hf_device_ref(list[i]);
	}
	if (num > 0)
		hf_device_list_free(list);
	if (!run->target || !run->bystander) {
		run_fault(run, FAULT_POISONED, "the devices are not listed to begin with (%d)",
			  num);
		_exit(0);
	}
	run->target_generation = hf_device_generation(run->target);
	run->asked = run->world->now[WORLD_TARGET];
}

void run_find_devices(struct run *run)
{
	find_devices(run, true);
}

void run_find_briefly(struct run *run)
{
	find_devices(run, false);
}

void run_settle_stamps(void)
{
	usleep(45000);
}

void run_stir(struct run *run)
{
	world_change(run->world, WORLD_ADD);
	world_change(run->world, WORLD_REMOVE_ADDED);
}

static bool documented(const struct op *op, int error)
{
	for (const int *e = op->errors; e && *e; e++)
		if (*e == error)
			return true;
	return error == ENOMEM;
}

/* Errors that mean "this device is gone" must have a cause that can mean that. */
static bool may_mean_gone(int error)
{
	return error == ENODEV || error == ENOENT || error == ENXIO || error == ELOOP ||
	       error == EIO;
}

/* A name that no device has, or has for a moment only, or that the kernel said nobody has. */
static bool name_is_away(const struct run *run)
{
	return run->op->by_name &&
	       (run->kind == RUN_RENAME || run->kind == RUN_REMOVE ||
		(run->kind <= RUN_REPLUG && !run->again) || run_was_lied_to(run));
}

static void judge_failed_run(struct run *run, int answer)
{
	const struct op *op = run->op;
	bool untouched = run->new_hf == UNTOUCHED && run->list == UNTOUCHED &&
			 run->device == UNTOUCHED && run->context == UNTOUCHED &&
			 run->second == UNTOUCHED && run->stream == UNTOUCHED &&
			 run->gids == UNTOUCHED && run->providers == UNTOUCHED;

	if (!untouched || run->value[0] != 0x5a || run->port.port != 0x5a5a5a5a)
		run_fault(run, FAULT_TOUCHED, "it failed with %s and wrote an output",
			  strerror(-answer));
	if (!documented(op, -answer))
		run_fault(run, FAULT_UNDOCUMENTED, "it failed with %s, which is not documented",
			  strerror(-answer));
	if (answer == -ENODEV && name_is_away(run))
		return;
	if (run->again) {
		if (!(op->about_target && run_replaced(run) && answer == -ENODEV))
			run_fault(run, FAULT_POISONED, "it fails with %s", strerror(-answer));
		return;
	}
	switch (run->kind) {
	case RUN_SWAP:
	case RUN_REPLUG:
	case RUN_REMOVE:
		if (!op->about_target || answer != -ENODEV)
			run_fault(run, FAULT_WRONG_ANSWER, "it failed with %s", strerror(-answer));
		break;
	case RUN_FAIL:
		if (op->about_target && answer == -ENODEV && !may_mean_gone(run->error))
			run_fault(run, FAULT_WRONG_ANSWER, "%s was answered with %s",
				  strerrorname_np(run->error), strerror(ENODEV));
		break;
	case RUN_ALLOC:
		if (op->about_target && answer == -ENODEV)
			run_fault(run, FAULT_WRONG_ANSWER, "ENOMEM was answered with %s",
				  strerror(ENODEV));
		break;
	case RUN_SHORT:
		break;
	default:
		run_fault(run, FAULT_WRONG_ANSWER, "it failed with %s", strerror(-answer));
	}
}

static void clear_outputs(struct run *run)
{
	run->new_hf = UNTOUCHED;
	run->list = UNTOUCHED;
	run->device = UNTOUCHED;
	run->context = UNTOUCHED;
	run->second = UNTOUCHED;
	run->stream = UNTOUCHED;
	run->gids = UNTOUCHED;
	run->providers = UNTOUCHED;
	memset(&run->port, 0x5a, sizeof(run->port));
	run->port.size = sizeof(run->port);
	memset(run->value, 0x5a, sizeof(run->value));
}

static int call(struct run *run, bool disturbed)
{
	int answer;

	clear_outputs(run);
	if (disturbed && run->kind == RUN_ALLOC)
		alloc_begin(run->fail_at, run->onward);
	if (disturbed)
		inject_begin();
	answer = run->op->call(run);
	if (disturbed) {
		inject_end();
		if (run->kind == RUN_ALLOC) {
			run->result->failed_site = alloc_failed_site();
			run->result->allocations = alloc_end();
		}
		run->result->answer = answer;
	}
	return answer;
}

/* The target's handle must tell what happened to the device, and the bystander's that it exists. */
static void judge_gone(struct run *run)
{
	if (hf_device_is_gone(run->target) != run_replaced(run))
		run_fault(run, FAULT_POISONED, "the handle of the %s says that it is %s",
			  run_replaced(run) ? "gone device" : "living device",
			  run_replaced(run) ? "not gone" : "gone");
	if (hf_device_is_gone(run->bystander))
		run_fault(run, FAULT_POISONED, "the other device is said to be gone");
}

static void judge_handles(struct run *run)
{
	struct ibv_device **list;
	int num;

	if (!run->hf || !run->target)
		return;
	num = hf_device_list(run->hf, 0, &list);
	if (num < 0) {
		run_fault(run, FAULT_POISONED, "listing fails with %s", strerror(-num));
		return;
	}
	run_check_list(run, list, num);
	if (!run_replaced(run) && !run_was_lied_to(run))
		for (int i = 0; i < num; i++)
			if (!strcmp(list[i]->dev_name, "uverbs1") &&
			    hf_device_generation(list[i]) != run->target_generation)
				run_fault(run, FAULT_POISONED,
					  "the same instance has generation %lu instead of %lu",
					  (unsigned long)hf_device_generation(list[i]),
					  (unsigned long)run->target_generation);
	hf_device_list_free(list);
	if (!run_was_lied_to(run))
		judge_gone(run);
	run_check_device(run, run->target);
	run_check_device(run, run->bystander);
}

static int count_run_fds(void)
{
	int n = 0;

	for (int fd = 0; fd < MAX_FDS; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

static int count_library(struct dl_phdr_info *info, size_t size, void *arg)
{
	(void)info, (void)size;
	++*(int *)arg;
	return 0;
}

void run_child(void *arg)
{
	struct run *run = arg;
	const struct op *op = run->op;
	struct run_result *result = run->result;
	struct counters before = counters_read(), after;
	int answer;

	alarm(TIME_LIMIT_S);
	alloc_mark();
	run->asked = run->world->now[WORLD_TARGET];
	if (op->prepare)
		op->prepare(run);
	for (int i = 0; i < 2; i++) {
		run->again = i == 1;
		answer = call(run, i == 0);
		if (answer < 0) {
			judge_failed_run(run, answer);
			continue;
		}
		if (op->check)
			op->check(run, answer);
		if (op->drop)
			op->drop(run, answer);
	}
	if (op->finish)
		op->finish(run);
	judge_handles(run);
	run->target = hf_device_unref(run->target);
	run->bystander = hf_device_unref(run->bystander);
	run->hf = hf_unref(run->hf);
	result->fds = count_run_fds();
	dl_iterate_phdr(count_library, &result->libraries);
	/* The loader keeps the text of its last error until dlerror() is called twice. */
	dlerror();
	dlerror();
	alloc_look(&result->left);
	after = counters_read();
	result->made = after.made - before.made;
	result->forgotten = after.forgotten - before.forgotten;
	result->opened = after.opened - before.opened;
	result->closed = after.closed - before.closed;
	if (find_leaks())
		run_fault(run, FAULT_LEAK, "the leak checker found something");
	result->finished = true;
}
