/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-cost DEVICE GID-INDEX: prints the time of each verb as lines "verb median", in nanoseconds of the
 * guest's clock. With QEMU's -icount that clock counts instructions. Uses libibverbs only, so it runs on
 * the distribution's library and on Holdfast's.
 */
#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <infiniband/verbs.h>

#include "shared/clock.h"

#define ROUNDS	61
#define WARM_UP 5
#define BURST	100
#define LENGTH	4096

enum verb {
	ALLOC_PD,
	DEALLOC_PD,
	REG_MR,
	DEREG_MR,
	CREATE_CQ,
	DESTROY_CQ,
	CREATE_QP,
	DESTROY_QP,
	SEND_AND_POLL,
	POST_RECV,
	POLL_EMPTY,
	VERBS,
};

static const char *const names[VERBS] = {
	"alloc_pd",  "dealloc_pd", "reg_mr",	 "dereg_mr",	    "create_cq",     "destroy_cq",
	"create_qp", "destroy_qp", "write+poll", "post_recv x 100", "poll_cq x 100",
};

static uint64_t took[VERBS][ROUNDS];
static char buffer[LENGTH] __attribute__((aligned(4096)));

static void check_cost(const char *what, bool good)
{
	if (good)
		return;
	printf("failed: %s: %s\n", what, strerror(errno));
	exit(1);
}

#define TIMED(verb, round, expression)                               \
	do {                                                         \
		uint64_t start_ = (uint64_t)hfi_now_ns();            \
		expression;                                          \
		took[verb][round] = (uint64_t)hfi_now_ns() - start_; \
	} while (0)

static struct ibv_qp *create_cost_qp(struct ibv_pd *pd, struct ibv_cq *cq)
{
	struct ibv_qp_init_attr init = {
		.qp_type = IBV_QPT_RC,
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {.max_send_wr = 16,
			.max_recv_wr = 2 * BURST,
			.max_send_sge = 1,
			.max_recv_sge = 1},
	};

	return ibv_create_qp(pd, &init);
}

static void control(struct ibv_context *context, int round)
{
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
	int ret;

	TIMED(ALLOC_PD, round, pd = ibv_alloc_pd(context));
	check_cost("ibv_alloc_pd", pd);
	TIMED(REG_MR, round, mr = ibv_reg_mr(pd, buffer, sizeof(buffer), IBV_ACCESS_LOCAL_WRITE));
	check_cost("ibv_reg_mr", mr);
	TIMED(CREATE_CQ, round, cq = ibv_create_cq(context, 64, NULL, NULL, 0));
	check_cost("ibv_create_cq", cq);
	TIMED(CREATE_QP, round, qp = create_cost_qp(pd, cq));
	check_cost("ibv_create_qp", qp);
	TIMED(DESTROY_QP, round, ret = ibv_destroy_qp(qp));
	check_cost("ibv_destroy_qp", !ret);
	TIMED(DESTROY_CQ, round, ret = ibv_destroy_cq(cq));
	check_cost("ibv_destroy_cq", !ret);
	TIMED(DEREG_MR, round, ret = ibv_dereg_mr(mr));
	check_cost("ibv_dereg_mr", !ret);
	TIMED(DEALLOC_PD, round, ret = ibv_dealloc_pd(pd));
	check_cost("ibv_dealloc_pd", !ret);
}

/* Connects the QP to itself. */
static void connect_qp(struct ibv_qp *qp, uint8_t gid_index)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = IBV_ACCESS_REMOTE_WRITE,
	};
	union ibv_gid gid;

	check_cost("init", !ibv_modify_qp(qp, &attr,
					  IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
						  IBV_QP_ACCESS_FLAGS));
	check_cost("ibv_query_gid", !ibv_query_gid(qp->context, 1, gid_index, &gid));
	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = qp->qp_num,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
		.ah_attr = {.is_global = 1,
			    .port_num = 1,
			    .grh = {.dgid = gid, .sgid_index = gid_index, .hop_limit = 1}},
	};
	check_cost("rtr", !ibv_modify_qp(qp, &attr,
					 IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
						 IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
						 IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER));
	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTS,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};
	check_cost("rts", !ibv_modify_qp(qp, &attr,
					 IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
						 IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
						 IBV_QP_MAX_QP_RD_ATOMIC));
}

static int write_and_wait(struct ibv_qp *qp, struct ibv_mr *mr)
{
	struct ibv_sge sge = {(uintptr_t)buffer, 8, mr->lkey};
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_RDMA_WRITE,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = {.remote_addr = (uintptr_t)buffer + 64, .rkey = mr->rkey},
	};
	struct ibv_send_wr *bad;
	struct ibv_wc wc;
	int num;

	if (ibv_post_send(qp, &wr, &bad))
		return -1;
	while (!(num = ibv_poll_cq(qp->send_cq, 1, &wc)))
		;
	return num == 1 && wc.status == IBV_WC_SUCCESS ? 0 : -1;
}

static void data(struct ibv_context *context, uint8_t gid_index)
{
	struct ibv_pd *pd = ibv_alloc_pd(context);
	struct ibv_cq *cq = ibv_create_cq(context, 256, NULL, NULL, 0);
	struct ibv_mr *mr = ibv_reg_mr(pd, buffer, sizeof(buffer),
				       IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	struct ibv_qp *qp = create_cost_qp(pd, cq);
	struct ibv_sge sge = {(uintptr_t)buffer, 8, mr->lkey};
	struct ibv_recv_wr recv = {.sg_list = &sge, .num_sge = 1};
	struct ibv_recv_wr *bad_recv;
	int round, i, ret = 0;
	struct ibv_wc wc;

	check_cost("objects", qp);
	connect_qp(qp, gid_index);
	for (round = 0; round < ROUNDS; round++) {
		TIMED(SEND_AND_POLL, round, ret = write_and_wait(qp, mr));
		check_cost("write", !ret);
		TIMED(POLL_EMPTY, round,
		      for (i = 0; i < BURST; i++) ret |= ibv_poll_cq(cq, 1, &wc));
		check_cost("poll", !ret);
	}
	check_cost("ibv_destroy_qp", !ibv_destroy_qp(qp));
	/* A new queue for each round: nothing consumes the posted requests. */
	for (round = 0; round < ROUNDS; round++) {
		qp = create_cost_qp(pd, cq);
		check_cost("ibv_create_qp", qp);
		connect_qp(qp, gid_index);
		TIMED(POST_RECV, round,
		      for (i = 0; i < BURST; i++) ret |= ibv_post_recv(qp, &recv, &bad_recv));
		check_cost("ibv_post_recv", !ret);
		check_cost("ibv_destroy_qp", !ibv_destroy_qp(qp));
	}
	ibv_dereg_mr(mr);
	ibv_destroy_cq(cq);
	ibv_dealloc_pd(pd);
}

static int compare_costs(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

int main(int argc, char **argv)
{
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = NULL;
	int i;

	check_cost("usage", argc == 3);
	for (i = 0; list && list[i]; i++) {
		if (!strcmp(ibv_get_device_name(list[i]), argv[1]))
			context = ibv_open_device(list[i]);
	}
	ibv_free_device_list(list);
	check_cost("ibv_open_device", context);
	for (i = 0; i < WARM_UP; i++)
		control(context, i);
	for (i = 0; i < ROUNDS; i++)
		control(context, i);
	data(context, (uint8_t)atoi(argv[2]));
	check_cost("ibv_close_device", !ibv_close_device(context));
	for (i = 0; i < VERBS; i++) {
		qsort(took[i], ROUNDS, sizeof(took[i][0]), compare_costs);
		printf("%s\t%llu\n", names[i], (unsigned long long)took[i][ROUNDS / 2]);
	}
	return 0;
}
