/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opening with a node that is late, missing, closed to us, or another device's. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include <holdfast/holdfast.h>

#include "shared/clock.h"
#include "t/fault/counters.h"
#include "t/fault/world.h"

enum { NOBODY = 65534 };

struct scenario {
	const char *what;
	enum world_change first; /* before the devices are listed; WORLD_RESET: nothing */
	enum world_change then;	 /* `after_ms` into the opening; WORLD_RESET: nothing */
	unsigned int after_ms;
	unsigned int wait_ms; /* given to the context */
	int answer;
	enum hf_reason_code reason; /* of the device while it is listed */
	long min_ms, max_ms;
	bool as_nobody;
};

/* The upper bounds are wide: what counts is that waiting ends, and that it ends early or late. */
static const struct scenario scenarios[] = {
	{.what = "the node is there", .wait_ms = 3000, .max_ms = 1500},
	{.what = "the node never comes",
	 .first = WORLD_NO_NODE,
	 .wait_ms = 300,
	 .answer = -ENOENT,
	 .reason = HF_REASON_NO_NODE,
	 .min_ms = 290,
	 .max_ms = 2000},
	{.what = "the node comes after 200 ms",
	 .first = WORLD_NO_NODE,
	 .then = WORLD_NODE,
	 .after_ms = 200,
	 .wait_ms = 8000,
	 .reason = HF_REASON_NO_NODE,
	 .min_ms = 150,
	 .max_ms = 4000},
	{.what = "the device goes while its node is waited for",
	 .first = WORLD_NO_NODE,
	 .then = WORLD_REMOVE,
	 .after_ms = 100,
	 .wait_ms = 8000,
	 .answer = -ENODEV,
	 .reason = HF_REASON_NO_NODE,
	 .min_ms = 50,
	 .max_ms = 4000},
	{.what = "another device comes, with a node, while it is waited for",
	 .first = WORLD_NO_NODE,
	 .then = WORLD_SWAP,
	 .after_ms = 100,
	 .wait_ms = 8000,
	 .answer = -ENODEV,
	 .reason = HF_REASON_NO_NODE,
	 .min_ms = 50,
	 .max_ms = 4000},
	{.what = "the node belongs to another device number",
	 .first = WORLD_OTHER_NODE,
	 .wait_ms = 8000,
	 .answer = -ENXIO,
	 .reason = HF_REASON_NODE_MISMATCH,
	 .max_ms = 4000},
	{.what = "the wrong node is put right before opening",
	 .first = WORLD_OTHER_NODE,
	 .then = WORLD_NODE,
	 .wait_ms = 8000,
	 .reason = HF_REASON_NODE_MISMATCH,
	 .max_ms = 4000},
	{.what = "the node may not be opened by this user",
	 .first = WORLD_CLOSED_NODE,
	 .wait_ms = 8000,
	 .answer = -EACCES,
	 .reason = HF_REASON_NODE_PERMISSION,
	 .max_ms = 4000,
	 .as_nobody = true},
};

static struct outcome {
	int answer;
	enum hf_reason_code reason;
	long ms;
	bool listed; /* among those that can be opened */
	bool finished;
	char text[160];
} * outcome;

static struct world *world;
static char provider_dir[320];

static struct ibv_device *find(struct hf *hf, uint32_t flags)
{
	struct ibv_device **list, *found = NULL;
	int num = hf_device_list(hf, flags, &list);

	if (num < 0)
		return NULL;
	for (int i = 0; i < num; i++)
		if (!strcmp(list[i]->dev_name, "uverbs1"))
			found = hf_device_ref(list[i]);
	hf_device_list_free(list);
	return found;
}

static pid_t change_later(const struct scenario *scenario)
{
	pid_t pid;

	if (scenario->then == WORLD_RESET)
		return 0;
	if (scenario->after_ms == 0) {
		world_change(world, scenario->then);
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		usleep(scenario->after_ms * 1000);
		world_change(world, scenario->then);
		_exit(0);
	}
	return pid;
}

static void play(const struct scenario *scenario)
{
	const struct hf_root root = {world->sysfs, world->dev};
	const char *const dirs[] = {provider_dir, NULL};
	const struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
		.flags = HF_NO_ENVIRONMENT,
		.node_wait_ms = scenario->wait_ms,
	};
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_context *context = NULL;
	struct ibv_device *device, *ready;
	struct hf *hf;
	pid_t helper;
	long begin;

	alarm(30);
	if (scenario->as_nobody && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		return;
	if (hf_new(&options, &hf) < 0)
		return;
	ready = find(hf, 0);
	outcome->listed = ready != NULL;
	device = find(hf, HF_LIST_ALL);
	if (!device || hf_device_get_info(device, &info) < 0)
		return;
	outcome->reason = info.reason.code;
	snprintf(outcome->text, sizeof(outcome->text), "%.150s", info.reason.text);
	helper = change_later(scenario);
	begin = hfi_now_ms();
	outcome->answer = hf_device_open(device, &context);
	outcome->ms = hfi_now_ms() - begin;
	if (context)
		hf_device_close(context);
	if (helper > 0)
		waitpid(helper, NULL, 0);
	hf_device_unref(ready);
	hf_device_unref(device);
	hf_unref(hf);
	outcome->finished = true;
}

static bool is_right(const struct scenario *scenario)
{
	return outcome->finished && outcome->answer == scenario->answer &&
	       outcome->reason == scenario->reason &&
	       outcome->listed == (scenario->reason == HF_REASON_NONE) &&
	       outcome->ms >= scenario->min_ms && outcome->ms <= scenario->max_ms;
}

static int try_scenario(const struct scenario *scenario)
{
	struct counters before, after;
	pid_t pid;

	if (scenario->as_nobody && geteuid() != 0) {
		printf("skipped: %s: only root can become somebody else\n", scenario->what);
		return 0;
	}
	world_change(world, WORLD_RESET);
	if (scenario->first != WORLD_RESET)
		world_change(world, scenario->first);
	memset(outcome, 0, sizeof(*outcome));
	before = counters_read();
	pid = fork();
	if (pid == 0) {
		play(scenario);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	after = counters_read();
	printf("%s: %s after %ld ms, reason %s (%s)%s\n", scenario->what,
	       outcome->finished ? strerrorname_np(-outcome->answer) : "did not end", outcome->ms,
	       hf_reason_name(outcome->reason), outcome->text, is_right(scenario) ? "" : ": WRONG");
	if (after.opened - before.opened != after.closed - before.closed ||
	    after.made - before.made != after.forgotten - before.forgotten) {
		printf("    the provider's objects were not given back: WRONG\n");
		return 1;
	}
	return !is_right(scenario);
}

int main(void)
{
	const char *builddir = getenv("top_builddir");
	char library[512];
	int bad = 0;

	outcome = mmap(NULL, sizeof(*outcome), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS,
		       -1, 0);
	if (outcome == MAP_FAILED || counters_init() < 0 || world_new(&world) < 0)
		return 99;
	snprintf(provider_dir, sizeof(provider_dir), "%s/providers", world->sysfs);
	snprintf(library, sizeof(library), "%s/t/fault/.libs/probe-hf1.so",
		 builddir ? builddir : ".");
	if (provider_install(provider_dir, library) < 0) {
		fprintf(stderr, "cannot install %s\n", library);
		return 99;
	}
	for (size_t i = 0; i < sizeof(scenarios) / sizeof(scenarios[0]); i++)
		bad |= try_scenario(&scenarios[i]);
	world_free(world);
	return bad;
}
