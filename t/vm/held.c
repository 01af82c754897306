/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-held DEVICE: a program that ignores removals. It has a thread blocked in each kind of wait (for a
 * completion event and an asynchronous event, in the library and in poll() on the descriptors), and a
 * child that inherited everything. Prints "ready", then which threads woke up, and then does nothing
 * until it reads a line. Then it posts, with ibv_wr_* if the provider supports it, polls, destroys and
 * closes. Uses libibverbs only.
 */
#include <errno.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include <infiniband/verbs.h>

#include "t/vm/plain.h"

#define LENGTH 4096

/* One side for threads that call the library, one for threads that poll: each event wakes one thread only. */
struct side {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
};

static char buffer[LENGTH];
static struct side sides[2];

static struct ibv_qp *make_held_qp(struct side *side, struct ibv_qp_init_attr *init)
{
	struct ibv_qp_init_attr_ex attr = {
		.qp_type = init->qp_type,
		.cap = init->cap,
		.send_cq = init->send_cq,
		.recv_cq = init->recv_cq,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.pd = side->pd,
		.send_ops_flags = IBV_QP_EX_WITH_SEND,
	};
	struct ibv_qp *qp = ibv_create_qp_ex(side->context, &attr);

	return qp || errno != EOPNOTSUPP ? qp : ibv_create_qp(side->pd, init);
}

static int post_held_send(struct side *side, struct ibv_sge *sge)
{
	struct ibv_send_wr send = {.sg_list = sge, .num_sge = 1, .opcode = IBV_WR_SEND}, *bad;
	struct ibv_qp_ex *ex = ibv_qp_to_qp_ex(side->qp);

	if (!ex)
		return ibv_post_send(side->qp, &send, &bad);
	ibv_wr_start(ex);
	ibv_wr_send(ex);
	ibv_wr_set_sge(ex, sge->lkey, sge->addr, sge->length);
	return ibv_wr_complete(ex);
}

static void make_held_side(struct side *side, const char *name)
{
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.cap = {.max_send_wr = 8, .max_recv_wr = 8, .max_send_sge = 1, .max_recv_sge = 1},
	};
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT, .port_num = 1};
	struct ibv_sge sge = {.length = LENGTH, .addr = (uintptr_t)buffer};
	struct ibv_recv_wr recv = {.wr_id = 7, .sg_list = &sge, .num_sge = 1}, *bad;

	side->context = open_named(name);
	if (!side->context)
		die("ibv_open_device");
	side->pd = ibv_alloc_pd(side->context);
	if (!side->pd)
		die("ibv_alloc_pd");
	side->mr = ibv_reg_mr(side->pd, buffer, sizeof(buffer), IBV_ACCESS_LOCAL_WRITE);
	if (!side->mr)
		die("ibv_reg_mr");
	side->channel = ibv_create_comp_channel(side->context);
	if (!side->channel)
		die("ibv_create_comp_channel");
	side->cq = ibv_create_cq(side->context, 16, NULL, side->channel, 0);
	if (!side->cq || ibv_req_notify_cq(side->cq, 0))
		die("ibv_create_cq");
	init.send_cq = side->cq;
	init.recv_cq = side->cq;
	side->qp = make_held_qp(side, &init);
	if (!side->qp)
		die("ibv_create_qp");
	if (ibv_modify_qp(side->qp, &attr,
			  IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS))
		die("ibv_modify_qp");
	sge.lkey = side->mr->lkey;
	if (ibv_post_recv(side->qp, &recv, &bad))
		die("ibv_post_recv");
}

static void *in_cq_event(void *arg)
{
	struct ibv_cq *cq;
	void *context;
	int ret;

	(void)arg;
	errno = 0;
	ret = ibv_get_cq_event(sides[0].channel, &cq, &context);
	printf("get_cq_event %d %s\n", ret, strerrorname_np(errno));
	return NULL;
}

static void *in_async_event(void *arg)
{
	struct ibv_async_event event;
	int ret;

	(void)arg;
	ret = ibv_get_async_event(sides[0].context, &event);
	printf("get_async_event %d %s\n", ret, ret ? "" : ibv_event_type_str(event.event_type));
	if (!ret)
		ibv_ack_async_event(&event);
	return NULL;
}

static void print_polled(const char *name, int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};
	int ret = poll(&pollfd, 1, -1);

	printf("poll %s %d %s\n", name, ret, pollfd.revents & POLLIN ? "readable" : "?");
}

static void *in_poll_of_channel(void *arg)
{
	(void)arg;
	print_polled("channel", sides[1].channel->fd);
	return NULL;
}

static void *in_poll_of_async(void *arg)
{
	(void)arg;
	print_polled("async_fd", sides[1].context->async_fd);
	return NULL;
}

static void leave(struct side *side)
{
	struct ibv_sge sge = {.length = 8, .addr = (uintptr_t)buffer, .lkey = side->mr->lkey};
	struct ibv_recv_wr recv = {.sg_list = &sge, .num_sge = 1}, *bad;
	struct ibv_wc wc[4] = {0};
	int got, failed;

	printf("post_recv %s\n", strerrorname_np(ibv_post_recv(side->qp, &recv, &bad)));
	printf("post_send %s%s\n", strerrorname_np(post_held_send(side, &sge)),
	       ibv_qp_to_qp_ex(side->qp) ? " (wr)" : "");
	got = ibv_poll_cq(side->cq, 4, wc);
	printf("poll_cq %d wr_id %d %s\n", got, (int)wc[0].wr_id,
	       wc[0].status == IBV_WC_WR_FLUSH_ERR ? "flushed" : "?");
	failed = ibv_destroy_qp(side->qp);
	failed |= ibv_destroy_cq(side->cq);
	failed |= ibv_destroy_comp_channel(side->channel);
	failed |= ibv_dereg_mr(side->mr);
	failed |= ibv_dealloc_pd(side->pd);
	failed |= ibv_close_device(side->context);
	printf("left %d\n", failed);
}

int main(int argc, char **argv)
{
	void *(*const waits[])(void *) = {in_cq_event, in_async_event, in_poll_of_channel,
					  in_poll_of_async};
	pthread_t threads[4];
	pid_t child;
	int i;

	setvbuf(stdout, NULL, _IOLBF, 0);
	if (argc != 2)
		return 2;
	make_held_side(&sides[0], argv[1]);
	make_held_side(&sides[1], argv[1]);
	for (i = 0; i < 4; i++)
		if (pthread_create(&threads[i], NULL, waits[i], NULL))
			die("pthread_create");
	child = fork();
	if (child < 0)
		die("fork");
	if (!child)
		for (;;)
			pause();
	usleep(300000);
	printf("ready %d\n", (int)child);
	for (i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
	printf("woken\n");
	(void)!getchar();
	leave(&sides[0]);
	leave(&sides[1]);
	kill(child, SIGTERM);
	waitpid(child, &i, 0);
	printf("child %s\n", WIFSIGNALED(i) && WTERMSIG(i) == SIGTERM ? "was alive" : "was not");
	return 0;
}
