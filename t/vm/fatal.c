/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-fatal DEVICE: creates an object of each kind, prints "ready", waits for the event that the device is
 * gone, and then prints the result of each call. Uses libibverbs only, so it runs on the distribution's
 * library and on Holdfast's.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <infiniband/verbs.h>

#include "t/lib/hang.h"
#include "t/vm/plain.h"

#define LENGTH 4096

static void print_answer(const char *call, int ret)
{
	printf("%s %d\n", call, ret);
}

int main(int argc, char **argv)
{
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.cap = {.max_send_wr = 8, .max_recv_wr = 8, .max_send_sge = 1, .max_recv_sge = 1},
	};
	struct ibv_comp_channel *channel;
	struct ibv_async_event event;
	struct ibv_device_attr attr;
	struct ibv_context *context;
	struct ibv_wc wc;
	struct ibv_qp *qp;
	struct ibv_cq *cq;
	struct ibv_mr *mr;
	struct ibv_pd *pd;
	static char buffer[LENGTH];

	context = argc == 2 ? open_named(argv[1]) : NULL;
	if (!context)
		die("ibv_open_device");
	pd = ibv_alloc_pd(context);
	if (!pd)
		die("ibv_alloc_pd");
	mr = ibv_reg_mr(pd, buffer, sizeof(buffer), IBV_ACCESS_LOCAL_WRITE);
	if (!mr)
		die("ibv_reg_mr");
	channel = ibv_create_comp_channel(context);
	if (!channel)
		die("ibv_create_comp_channel");
	cq = ibv_create_cq(context, 16, NULL, channel, 0);
	if (!cq)
		die("ibv_create_cq");
	init.send_cq = cq;
	init.recv_cq = cq;
	qp = ibv_create_qp(pd, &init);
	if (!qp)
		die("ibv_create_qp");
	printf("ready\n");
	fflush(stdout);

	if (ibv_get_async_event(context, &event))
		die("ibv_get_async_event");
	printf("event %s\n", ibv_event_type_str(event.event_type));
	ibv_ack_async_event(&event);
	/* Holdfast tells of the removal from its first sign, which the kernel's letting go follows. */
	for (int i = 0; i < HF_TEST_HANG_MS / 10 && ibv_query_device(context, &attr) == 0; i++)
		usleep(10000);
	print_answer("poll_cq", ibv_poll_cq(cq, 1, &wc));
	print_answer("query_device", ibv_query_device(context, &attr));
	errno = 0;
	print_answer("alloc_pd", ibv_alloc_pd(context) ? 0 : errno);
	errno = 0;
	print_answer("create_cq", ibv_create_cq(context, 16, NULL, NULL, 0) ? 0 : errno);
	print_answer("destroy_qp", ibv_destroy_qp(qp));
	print_answer("destroy_cq", ibv_destroy_cq(cq));
	print_answer("destroy_comp_channel", ibv_destroy_comp_channel(channel));
	print_answer("dereg_mr", ibv_dereg_mr(mr));
	print_answer("dealloc_pd", ibv_dealloc_pd(pd));
	print_answer("close_device", ibv_close_device(context));
	return 0;
}
