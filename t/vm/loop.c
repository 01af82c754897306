/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connects two queue pairs of one device to each other, for programs that use libibverbs only. */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "t/vm/loop.h"

enum { PORT = 1, GID_INDEX = 1, DEPTH = 16 };

static void check_error(int err, const char *what)
{
	if (!err)
		return;
	if (err > 0)
		errno = err;
	die(what);
}

static void connect_to(struct loop *loop, int end, const union ibv_gid *gid)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = PORT,
	};

	check_error(ibv_modify_qp(loop->qp[end], &attr,
				  IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
					  IBV_QP_ACCESS_FLAGS),
		    "to INIT");
	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = loop->qp[!end]->qp_num,
		.max_dest_rd_atomic = 1,
		.min_rnr_timer = 12,
		.ah_attr = {.is_global = 1, .port_num = PORT, .grh = {.dgid = *gid}},
	};
	attr.ah_attr.grh.sgid_index = GID_INDEX;
	attr.ah_attr.grh.hop_limit = 1;
	check_error(ibv_modify_qp(loop->qp[end], &attr,
				  IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
					  IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
					  IBV_QP_MIN_RNR_TIMER),
		    "to RTR");
	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTS,
		/* A second: the guest may stand still for a while. */
		.timeout = 18,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 1,
	};
	check_error(ibv_modify_qp(loop->qp[end], &attr,
				  IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
					  IBV_QP_RNR_RETRY | IBV_QP_SQ_PSN |
					  IBV_QP_MAX_QP_RD_ATOMIC),
		    "to RTS");
}

void loop_open(struct loop *loop, const char *device)
{
	union ibv_gid gid;

	memset(loop, 0, sizeof(*loop));
	loop->context = open_named(device);
	if (!loop->context)
		die("ibv_open_device");
	loop->pd = ibv_alloc_pd(loop->context);
	if (!loop->pd)
		die("ibv_alloc_pd");
	loop->mr = ibv_reg_mr(loop->pd, loop->buffer, sizeof(loop->buffer), IBV_ACCESS_LOCAL_WRITE);
	if (!loop->mr)
		die("ibv_reg_mr");
	loop->channel = ibv_create_comp_channel(loop->context);
	if (!loop->channel)
		die("ibv_create_comp_channel");
	loop->cq = ibv_create_cq(loop->context, 2 * DEPTH, NULL, loop->channel, 0);
	if (!loop->cq)
		die("ibv_create_cq");
	check_error(ibv_query_gid(loop->context, PORT, GID_INDEX, &gid), "ibv_query_gid");
	for (int end = 0; end < 2; end++) {
		struct ibv_qp_init_attr attr = {
			.send_cq = loop->cq,
			.recv_cq = loop->cq,
			.cap = {DEPTH, DEPTH, 1, 1, 0},
			.qp_type = IBV_QPT_RC,
		};

		loop->qp[end] = ibv_create_qp(loop->pd, &attr);
		if (!loop->qp[end])
			die("ibv_create_qp");
	}
	for (int end = 0; end < 2; end++)
		connect_to(loop, end, &gid);
}

static int take_completions(struct loop *loop)
{
	struct ibv_wc wc;
	int got, taken = 0;

	while ((got = ibv_poll_cq(loop->cq, 1, &wc)) > 0) {
		check_error(wc.status ? EIO : 0, ibv_wc_status_str(wc.status));
		taken++;
	}
	check_error(got, "ibv_poll_cq");
	return taken;
}

void loop_post(struct loop *loop)
{
	struct ibv_sge source = {(uintptr_t)loop->buffer[0], sizeof(loop->buffer[0]),
				 loop->mr->lkey};
	struct ibv_sge target = {(uintptr_t)loop->buffer[1], sizeof(loop->buffer[1]),
				 loop->mr->lkey};
	struct ibv_recv_wr recv = {.sg_list = &target, .num_sge = 1}, *bad_recv;
	struct ibv_send_wr send = {.sg_list = &source, .num_sge = 1}, *bad_send;

	send.opcode = IBV_WR_SEND;
	send.send_flags = IBV_SEND_SIGNALED;
	memset(loop->buffer[0], loop->buffer[0][0] + 1, sizeof(loop->buffer[0]));
	check_error(ibv_post_recv(loop->qp[1], &recv, &bad_recv), "ibv_post_recv");
	check_error(ibv_req_notify_cq(loop->cq, 0), "ibv_req_notify_cq");
	check_error(ibv_post_send(loop->qp[0], &send, &bad_send), "ibv_post_send");
}

void loop_once(struct loop *loop)
{
	int taken = 0;

	loop_post(loop);
	while (taken < 2) {
		struct ibv_cq *cq;
		void *context;

		check_error(ibv_get_cq_event(loop->channel, &cq, &context), "ibv_get_cq_event");
		ibv_ack_cq_events(cq, 1);
		check_error(ibv_req_notify_cq(cq, 0), "ibv_req_notify_cq");
		taken += take_completions(loop);
	}
	if (memcmp(loop->buffer[0], loop->buffer[1], sizeof(loop->buffer[0])) != 0) {
		errno = EILSEQ;
		die("what arrived");
	}
}

void loop_close(struct loop *loop)
{
	for (int end = 0; end < 2; end++)
		check_error(ibv_destroy_qp(loop->qp[end]), "ibv_destroy_qp");
	check_error(ibv_destroy_cq(loop->cq), "ibv_destroy_cq");
	check_error(ibv_destroy_comp_channel(loop->channel), "ibv_destroy_comp_channel");
	check_error(ibv_dereg_mr(loop->mr), "ibv_dereg_mr");
	check_error(ibv_dealloc_pd(loop->pd), "ibv_dealloc_pd");
	check_error(ibv_close_device(loop->context), "ibv_close_device");
}
