/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opening with a node that is late, missing, inaccessible, or another device's. */
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
#include "t/lib/asleep.h"
#include "t/lib/hang.h"

enum { NOBODY = 65534 };

/* Longer than any test runs: a wait that long is killed before. */
enum { FOR_EVER_MS = 2 * HF_TEST_HANG_MS, SHORT_MS = 300 };

struct scenario {
	const char *what;
	enum world_change first; /* before the devices are listed; WORLD_RESET: nothing */
	enum world_change then;	 /* WORLD_RESET: nothing */
	unsigned int
		wait_ms; /* option of the context; FOR_EVER_MS: opening ends without the limit */
	int answer;
	enum hf_reason_code reason; /* of the device while it is listed */
	bool while_it_waits; /* `then` happens during the wait for the node, otherwise before opening */
	bool as_nobody;
};

static const struct scenario scenarios[] = {
	{.what = "the node is there", .wait_ms = FOR_EVER_MS},
	{.what = "the node never comes",
	 .first = WORLD_NO_NODE,
	 .wait_ms = SHORT_MS,
	 .answer = -ENOENT,
	 .reason = HF_REASON_NO_NODE},
	{.what = "the node comes while it is waited for",
	 .first = WORLD_NO_NODE,
	 .then = WORLD_NODE,
	 .while_it_waits = true,
	 .wait_ms = FOR_EVER_MS,
	 .reason = HF_REASON_NO_NODE},
	{.what = "the device goes while its node is waited for",
	 .first = WORLD_NO_NODE,
	 .then = WORLD_REMOVE,
	 .while_it_waits = true,
	 .wait_ms = FOR_EVER_MS,
	 .answer = -ENODEV,
	 .reason = HF_REASON_NO_NODE},
	{.what = "another device comes, with a node, while it is waited for",
	 .first = WORLD_NO_NODE,
	 .then = WORLD_SWAP,
	 .while_it_waits = true,
	 .wait_ms = FOR_EVER_MS,
	 .answer = -ENODEV,
	 .reason = HF_REASON_NO_NODE},
	{.what = "the node belongs to another device number",
	 .first = WORLD_OTHER_NODE,
	 .wait_ms = FOR_EVER_MS,
	 .answer = -ENXIO,
	 .reason = HF_REASON_NODE_MISMATCH},
	{.what = "the wrong node is put right before opening",
	 .first = WORLD_OTHER_NODE,
	 .then = WORLD_NODE,
	 .wait_ms = FOR_EVER_MS,
	 .reason = HF_REASON_NODE_MISMATCH},
	{.what = "the node may not be opened by this user",
	 .first = WORLD_CLOSED_NODE,
	 .wait_ms = FOR_EVER_MS,
	 .answer = -EACCES,
	 .reason = HF_REASON_NODE_PERMISSION,
	 .as_nobody = true},
};

static struct outcome {
	int answer;
	enum hf_reason_code reason;
	long ms;
	bool listed; /* in the list of devices that can be opened */
	bool finished;
	char text[160];
} * outcome;

static struct world *world;
static char provider_dir[320];

static struct ibv_device *find_first_device(struct hf *hf, uint32_t flags)
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
	if (!scenario->while_it_waits) {
		world_change(world, scenario->then);
		return 0;
	}
	pid = fork();
	if (pid == 0) {
		asleep_wait_process(getppid(), ASLEEP_POLL);
		world_change(world, scenario->then);
		_exit(0);
	}
	return pid;
}

static void play(const struct scenario *scenario)
{
	const struct hf_root root = {.sysfs = world->sysfs, .dev = world->dev};
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

	alarm(HF_TEST_HANG_SECONDS);
	if (scenario->as_nobody && (setgid(NOBODY) < 0 || setuid(NOBODY) < 0))
		return;
	if (hf_new(&options, &hf) < 0)
		return;
	ready = find_first_device(hf, 0);
	outcome->listed = ready != NULL;
	device = find_first_device(hf, HF_LIST_ALL);
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
	       /* Only a lower limit: a slow machine takes longer. */
	       (scenario->wait_ms != SHORT_MS || outcome->ms >= SHORT_MS - 10);
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
