/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-left DEVICE: a program that closes the device without destroying its objects. It has the device open
 * twice, and uses the second context after it closed the first. Prints "closed", then waits until its
 * input ends. Uses libibverbs only.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

#include <infiniband/verbs.h>

#include "t/vm/plain.h"

enum { REQUESTS = 3 };

struct side {
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	struct ibv_cq *cq;
	struct ibv_srq *srq;
	struct ibv_qp *qp;
};

static void make_left_side(struct side *side, const char *name)
{
	struct ibv_srq_init_attr srq = {.attr = {.max_wr = 4, .max_sge = 1}};
	struct ibv_qp_init_attr qp = {
		.qp_type = IBV_QPT_RC,
		.cap = {.max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1},
	};
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT, .port_num = 1};
	struct ibv_pd *pd;

	side->context = open_named(name);
	if (!side->context)
		die("ibv_open_device");
	pd = ibv_alloc_pd(side->context);
	if (!pd)
		die("ibv_alloc_pd");
	side->channel = ibv_create_comp_channel(side->context);
	if (!side->channel)
		die("ibv_create_comp_channel");
	side->cq = ibv_create_cq(side->context, 8, NULL, side->channel, 0);
	if (!side->cq)
		die("ibv_create_cq");
	side->srq = ibv_create_srq(pd, &srq);
	if (!side->srq)
		die("ibv_create_srq");
	qp.send_cq = side->cq;
	qp.recv_cq = side->cq;
	side->qp = ibv_create_qp(pd, &qp);
	if (!side->qp)
		die("ibv_create_qp");
	if (ibv_modify_qp(side->qp, &attr,
			  IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS))
		die("ibv_modify_qp");
}

/* Makes the kernel read requests from a mapped queue and write completions to another. */
static int work_on_side(const struct side *side)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};
	struct ibv_recv_wr recv = {.wr_id = 7}, *bad;
	struct ibv_wc wc;
	int flushed = 0;

	for (int i = 0; i < REQUESTS; i++)
		if (ibv_post_recv(side->qp, &recv, &bad))
			die("ibv_post_recv");
	if (ibv_modify_qp(side->qp, &attr, IBV_QP_STATE))
		die("ibv_modify_qp");
	while (flushed < REQUESTS) {
		int got = ibv_poll_cq(side->cq, 1, &wc);

		if (got < 0)
			die("ibv_poll_cq");
		flushed += got && wc.status == IBV_WC_WR_FLUSH_ERR;
	}
	return flushed;
}

int main(int argc, char **argv)
{
	struct side sides[2];

	if (argc != 2)
		return 2;
	for (int i = 0; i < 2; i++)
		make_left_side(&sides[i], argv[1]);
	for (int i = 0; i < 2; i++) {
		printf("context %d: %d flushed\n", i, work_on_side(&sides[i]));
		if (ibv_close_device(sides[i].context))
			die("ibv_close_device");
	}
	puts("closed");
	fflush(stdout);
	while (getchar() != EOF)
		;
	return 0;
}
