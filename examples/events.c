/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * hf-events DEVICE: prints the asynchronous events of a device until it is unplugged, and closes
 * it. A plain libibverbs program: it builds with -libverbs as well, and then runs on Holdfast with
 * `holdfast run hf-events DEVICE`. Only with Holdfast it is notified of an unplug that the kernel
 * driver does not report (soft-RoCE). Without any reaction of the program, `holdfast run --revoke`
 * would release the device.
 */
#include <infiniband/verbs.h>

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static struct ibv_context *open_by_name(const char *name)
{
	struct ibv_context *context = NULL;
	struct ibv_device **list;
	int i, count;

	list = ibv_get_device_list(&count);
	if (!list)
		return NULL;
	for (i = 0; i < count && strcmp(ibv_get_device_name(list[i]), name) != 0; i++)
		;
	if (i < count)
		context = ibv_open_device(list[i]);
	else
		errno = ENODEV;
	/* An open device stays; what it opened from may go. */
	ibv_free_device_list(list);
	return context;
}

/* The descriptor must not block: a program that has more to do polls it beside its others. */
static int make_async_fd_nonblocking(const struct ibv_context *context)
{
	int flags = fcntl(context->async_fd, F_GETFL);

	if (flags < 0)
		return -1;
	return fcntl(context->async_fd, F_SETFL, flags | O_NONBLOCK);
}

/* 1 when the device is gone, 0 when there is nothing more for now, -1 with errno. */
static int take_events(struct ibv_context *context)
{
	struct ibv_async_event event;
	int gone = 0;

	while (ibv_get_async_event(context, &event) == 0) {
		printf("%s\n", ibv_event_type_str(event.event_type));
		fflush(stdout);
		gone |= event.event_type == IBV_EVENT_DEVICE_FATAL;
		/* Every event is acknowledged: destroying waits for that. */
		ibv_ack_async_event(&event);
	}
	if (gone)
		return 1;
	return errno == EAGAIN || errno == EINTR ? 0 : -1;
}

static int watch_events(struct ibv_context *context)
{
	struct pollfd item = {.fd = context->async_fd, .events = POLLIN};
	int ret = make_async_fd_nonblocking(context);

	while (ret == 0) {
		ret = take_events(context);
		if (ret == 0 && poll(&item, 1, -1) < 0 && errno != EINTR)
			ret = -1;
	}
	return ret;
}

int main(int argc, char **argv)
{
	struct ibv_context *context;
	int ret;

	if (argc != 2) {
		fprintf(stderr, "usage: hf-events DEVICE\n");
		return 2;
	}
	context = open_by_name(argv[1]);
	if (!context) {
		fprintf(stderr, "hf-events: cannot open %s: %s\n", argv[1], strerror(errno));
		return EXIT_FAILURE;
	}
	printf("watching %s\n", argv[1]);
	fflush(stdout);
	ret = watch_events(context);
	if (ret < 0)
		fprintf(stderr, "hf-events: %s: %s\n", argv[1], strerror(errno));
	/* Close at once: the unplug may be waiting for this. */
	ibv_close_device(context);
	if (ret < 0)
		return EXIT_FAILURE;
	printf("closed %s\n", argv[1]);
	return EXIT_SUCCESS;
}
