/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Contexts without a kernel: opening one, and its completion channels and events. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "t/fault/ops.h"

static const int open_errors[] = {ENODEV, EACCES, ENOENT, ENXIO,  ENOSYS,
				  EPROTO, EIO,	  EMFILE, ENFILE, 0};
/* Errors of creating a descriptor and adding it to an epoll set. */
static const int channel_errors[] = {EMFILE, ENFILE, 0};

static void prepare(struct run *run)
{
	setenv("HF_PROBE_NO_KERNEL", "1", 1);
	run->hf = run_context(run);
	run_find_devices(run);
}

static int call_open_no_kernel(struct run *run)
{
	return hf_device_open(run->target, &run->context);
}

static void check_open_no_kernel(struct run *run, int answer)
{
	(void)answer;
	run_check_node(run, run->context->cmd_fd, run->asked);
	if (run->context->async_fd < 0)
		run_fault(run, FAULT_WRONG_ANSWER, "the context has no descriptor for events");
	if (run->again && run_replaced(run))
		run_fault(run, FAULT_WRONG_ANSWER, "a device that is gone was opened");
}

static void drop_open_no_kernel(struct run *run, int answer)
{
	(void)answer;
	if (hf_device_close(run->context))
		run_fault(run, FAULT_WRONG_ANSWER, "closing fails");
}

/* The tested part begins with an open context, and ends before it is closed. */
static void prepare_events(struct run *run)
{
	int ret;

	prepare(run);
	ret = hf_device_open(run->target, &run->kept);
	if (ret == 0)
		ret = fcntl(run->kept->async_fd, F_SETFL, O_NONBLOCK);
	if (ret < 0) {
		run_fault(run, FAULT_POISONED, "opening fails with %s", strerror(-ret));
		_exit(0);
	}
}

/* Reported events can be read whatever else fails, and also once the device is gone. */
static void read_events(struct run *run, struct ibv_comp_channel *channel, struct ibv_cq *cq)
{
	struct ibv_async_event event;
	struct ibv_cq *found = NULL;
	void *cq_context;

	ibv_req_notify_cq(cq, 0);
	if (ibv_get_cq_event(channel, &found, &cq_context))
		run_fault(run, FAULT_WRONG_ANSWER, "no completion event: %s", strerror(errno));
	else if (found != cq || cq_context != run)
		run_fault(run, FAULT_WRONG_ANSWER, "the event is another CQ's");
	else
		ibv_ack_cq_events(cq, 1);
	if (ibv_get_async_event(run->kept, &event))
		run_fault(run, FAULT_WRONG_ANSWER, "no event of the port: %s", strerror(errno));
	else if (event.event_type != IBV_EVENT_PORT_ACTIVE || event.element.port_num != 1)
		run_fault(run, FAULT_WRONG_ANSWER, "an event of type %d", (int)event.event_type);
	else
		ibv_ack_async_event(&event);
}

static void destroy(struct run *run, struct ibv_comp_channel *channel, struct ibv_cq *cq)
{
	int ret;

	if (cq) {
		/* Unread until the CQ is destroyed. */
		ibv_req_notify_cq(cq, 0);
		ret = ibv_destroy_comp_channel(channel);
		if (ret != EBUSY)
			run_fault(run, FAULT_WRONG_ANSWER, "a channel in use: %s", strerror(ret));
		ret = ibv_destroy_cq(cq);
		if (ret)
			run_fault(run, FAULT_WRONG_ANSWER, "ibv_destroy_cq: %s", strerror(ret));
	}
	ret = ibv_destroy_comp_channel(channel);
	if (ret)
		run_fault(run, FAULT_WRONG_ANSWER, "ibv_destroy_comp_channel: %s", strerror(ret));
}

/* Also reads the port event of destroy(), so that the next call finds none. */
static void read_rest(struct run *run)
{
	struct ibv_async_event event;

	if (ibv_get_async_event(run->kept, &event))
		run_fault(run, FAULT_WRONG_ANSWER, "no second event: %s", strerror(errno));
	else
		ibv_ack_async_event(&event);
}

static int call_events(struct run *run)
{
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	int err = 0;

	channel = ibv_create_comp_channel(run->kept);
	if (!channel)
		return -errno;
	fcntl(channel->fd, F_SETFL, O_NONBLOCK);
	cq = ibv_create_cq(run->kept, 1, run, channel, 0);
	if (!cq)
		err = -errno;
	else
		read_events(run, channel, cq);
	destroy(run, channel, cq);
	if (cq)
		read_rest(run);
	return err;
}

/* A program that keeps reading gets the removal, once, and no other event. */
static void finish_events(struct run *run)
{
	struct ibv_async_event event = {.event_type = IBV_EVENT_PORT_ERR};
	const int ret = ibv_get_async_event(run->kept, &event);

	if (run_was_lied_to(run))
		;
	else if (run_replaced(run) && (ret || event.event_type != IBV_EVENT_DEVICE_FATAL))
		run_fault(run, FAULT_WRONG_ANSWER, "the removal is not reported");
	else if (!run_replaced(run) && (!ret || errno != EAGAIN))
		run_fault(run, FAULT_WRONG_ANSWER, "an event that nobody reported");
	if (hf_device_close(run->kept))
		run_fault(run, FAULT_WRONG_ANSWER, "closing fails");
	run->kept = NULL;
}

const struct op ops_events[] = {
	{.name = "open-no-kernel",
	 .prepare = prepare,
	 .call = call_open_no_kernel,
	 .check = check_open_no_kernel,
	 .drop = drop_open_no_kernel,
	 .errors = open_errors,
	 .about_target = true},
	{.name = "events-no-kernel",
	 .prepare = prepare_events,
	 .call = call_events,
	 .finish = finish_events,
	 .errors = channel_errors},
	{.name = NULL},
};
