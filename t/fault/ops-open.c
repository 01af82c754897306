/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opening and closing. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t/fault/ops.h"

/* The errors in the header, and those of the core's helpers that a provider may pass on. */
static const int open_errors[] = {ENODEV, EACCES, ENOENT, ENXIO,  ENOSYS,
				  EPROTO, EIO,	  EMFILE, ENFILE, 0};

static void prepare_open(struct run *run)
{
	run->hf = run_context(run);
	run_find_devices(run);
}

static void prepare_brief_open(struct run *run)
{
	run->hf = run_context(run);
	run_find_briefly(run);
}

static void prepare_second(struct run *run)
{
	int ret;

	prepare_open(run);
	ret = hf_device_open(run->target, &run->second);
	if (ret < 0) {
		run_fault(run, FAULT_POISONED, "the first open fails with %s", strerror(-ret));
		return;
	}
	hf_device_close(run->second);
}

static int call_open(struct run *run)
{
	return hf_device_open(run->target, &run->context);
}

static int call_verbs_open(struct run *run)
{
	struct ibv_context *context;

	errno = 0;
	context = ibv_open_device(run->target);
	if (!context)
		return errno ? -errno : -EPROTO;
	run->context = context;
	return 0;
}

static void check_open(struct run *run, int answer)
{
	(void)answer;
	if (run->context->device != run->target)
		run_fault(run, FAULT_WRONG_DEVICE, "the context is another device's");
	run_check_node(run, run->context->cmd_fd, run->asked);
	if (run->again && run_replaced(run))
		run_fault(run, FAULT_WRONG_ANSWER, "a device that is gone was opened");
}

static void drop_open(struct run *run, int answer)
{
	int ret = hf_device_close(run->context);

	(void)answer;
	if (ret)
		run_fault(run, FAULT_WRONG_ANSWER, "closing answers %d", ret);
}

static void drop_verbs_open(struct run *run, int answer)
{
	int ret = ibv_close_device(run->context);

	(void)answer;
	if (ret)
		run_fault(run, FAULT_WRONG_ANSWER, "closing answers %d", ret);
}

/* The node is missing and does not appear: the wait for it is disturbed. */
static void prepare_no_node(struct run *run)
{
	prepare_open(run);
	world_change(run->world, WORLD_NO_NODE);
}

static int call_no_node(struct run *run)
{
	struct ibv_context *context = UNTOUCHED;
	int ret = hf_device_open(run->target, &context);

	if (ret == 0) {
		run_fault(run, FAULT_WRONG_ANSWER, "a device without a node was opened");
		hf_device_close(context);
	} else if (context != UNTOUCHED) {
		run->context = context;
	}
	/* That is the expected result. */
	return ret == -ENOENT ? 0 : ret;
}

static void finish_no_node(struct run *run)
{
	world_change(run->world, WORLD_NODE);
}

/* Opens before the markers each time, so that only closing is disturbed. */
static void prepare_close(struct run *run)
{
	int ret;

	prepare_open(run);
	ret = hf_device_open(run->target, &run->kept);
	if (ret < 0) {
		run_fault(run, FAULT_POISONED, "opening fails with %s", strerror(-ret));
		run->kept = NULL;
	}
}

static int call_close(struct run *run)
{
	struct ibv_context *context = run->kept;

	run->kept = NULL;
	/* Without a context there is nothing to close, which is fine. */
	return context ? hf_device_close(context) : 0;
}

const struct op ops_open[] = {
	{.name = "open",
	 .prepare = prepare_open,
	 .call = call_open,
	 .check = check_open,
	 .drop = drop_open,
	 .errors = open_errors,
	 .about_target = true},
	{.name = "open-unread",
	 .prepare = prepare_brief_open,
	 .call = call_open,
	 .check = check_open,
	 .drop = drop_open,
	 .errors = open_errors,
	 .about_target = true},
	{.name = "netlink-open",
	 .prepare = prepare_open,
	 .call = call_open,
	 .check = check_open,
	 .drop = drop_open,
	 .errors = open_errors,
	 .about_target = true,
	 .netlink = true},
	{.name = "open-again",
	 .prepare = prepare_second,
	 .call = call_open,
	 .check = check_open,
	 .drop = drop_open,
	 .errors = open_errors,
	 .about_target = true},
	{.name = "verbs-open",
	 .prepare = prepare_open,
	 .call = call_verbs_open,
	 .check = check_open,
	 .drop = drop_verbs_open,
	 .errors = open_errors,
	 .about_target = true},
	{.name = "open-no-node",
	 .prepare = prepare_no_node,
	 .call = call_no_node,
	 .finish = finish_no_node,
	 .errors = open_errors,
	 .about_target = true},
	{.name = "close", .prepare = prepare_close, .call = call_close, .errors = (const int[]){0}},
	{.name = NULL},
};
