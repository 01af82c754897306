/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A made-up soft device of the provider uroce, and connected QPs on it, for tests. */
#include "t/tree/uroce_bed.h"

#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <cmocka.h>

#include "t/lib/hang.h"
#include "t/lib/one_device.h"

enum {
	ALL_ACCESS = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ |
		     IBV_ACCESS_REMOTE_ATOMIC,
};

const struct uroce_options bed_options = {
	.type = IBV_QPT_RC,
	.timeout = 10,
	.retry_cnt = 2,
	.rnr_retry = 7,
	.min_rnr_timer = 1,
	.access = ALL_ACCESS,
	.cqe = 4 * BED_DEPTH,
	.all_signaled = true,
};

const struct tree_options bed_device = {
	.modalias = "holdfast:uroce",
	.uroce_path = "auto",
	.node = TREE_NODE_FILE,
	.abi = 1,
};

int uroce_bed_setup(void **state)
{
	struct uroce_bed *bed = calloc(1, sizeof(*bed));
	struct one_device device;

	assert_non_null(bed);
	alarm(HF_TEST_HANG_SECONDS);
	one_device_make(&device, "providers.d", "uroce0", &bed_device);
	bed->tree = device.tree;
	bed->hf = device.hf;
	snprintf(bed->node, sizeof(bed->node), "%s/infiniband/uverbs0", tree_dev(bed->tree));
	*state = bed;
	return 0;
}

int uroce_bed_setup_direct(void **state)
{
	uroce_bed_setup(state);
	assert_int_equal(setenv("HOLDFAST_UROCE_PATH", "direct", 1), 0);
	return 0;
}

int uroce_bed_setup_wire(void **state)
{
	const int pid = getpid(), host = pid % 65536;
	char gid[64];

	/* An address of its own, since the port is one for each address. */
	snprintf(gid, sizeof(gid), "0000:0000:0000:0000:0000:ffff:7f%02x:%04x",
		 (unsigned int)(1 + pid / 65536 % 200), (unsigned int)host);
	uroce_bed_setup(state);
	assert_int_equal(tree_set(((struct uroce_bed *)*state)->tree, 0, "ports/1/gids/0", gid), 0);
	assert_int_equal(setenv("HOLDFAST_UROCE_PATH", "wire", 1), 0);
	return 0;
}

int uroce_bed_teardown(void **state)
{
	struct uroce_bed *bed = *state;

	unsetenv("HOLDFAST_UROCE_PATH");
	hf_unref(bed->hf);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

void uroce_bed_open(const struct uroce_bed *bed, struct uroce_end *end)
{
	uroce_bed_open_device(bed, "uroce0", end);
}

void uroce_bed_open_device(const struct uroce_bed *bed, const char *name, struct uroce_end *end)
{
	struct ibv_device *device;

	memset(end, 0, sizeof(*end));
	assert_int_equal(hf_device_by_name(bed->hf, name, &device), 0);
	assert_int_equal(hf_device_open(device, &end->context), 0);
	hf_device_unref(device);
	end->channel = ibv_create_comp_channel(end->context);
	assert_non_null(end->channel);
	end->pd = ibv_alloc_pd(end->context);
	assert_non_null(end->pd);
	end->memory =
		mmap(NULL, BED_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(end->memory, MAP_FAILED);
	end->mapped = BED_SIZE;
	end->mr = ibv_reg_mr(end->pd, end->memory, BED_SIZE, ALL_ACCESS | IBV_ACCESS_MW_BIND);
	assert_non_null(end->mr);
}

void uroce_bed_qp(struct uroce_end *end, const struct uroce_options *options)
{
	struct ibv_qp_init_attr_ex init = {
		.cap = {BED_DEPTH, BED_DEPTH, 4, 4, 64},
		.qp_type = options->type,
		.sq_sig_all = options->all_signaled,
		.srq = end->srq,
		.pd = end->pd,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.send_ops_flags = IBV_QP_EX_WITH_SEND,
	};

	if (!end->cq)
		end->cq = ibv_create_cq(end->context, options->cqe, end, end->channel, 0);
	assert_non_null(end->cq);
	init.send_cq = init.recv_cq = end->cq;
	end->qp = ibv_create_qp_ex(end->context, &init);
	assert_non_null(end->qp);
}

int uroce_bed_init(struct uroce_end *end, const struct uroce_options *options)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qkey = BED_QKEY,
		.qp_access_flags = options->access,
	};

	return ibv_modify_qp(end->qp, &attr,
			     IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
				     (options->type == IBV_QPT_UD ? IBV_QP_QKEY
								  : IBV_QP_ACCESS_FLAGS));
}

static int rtr_towards(struct uroce_end *end, struct ibv_context *peer, uint32_t number,
		       const struct uroce_options *options)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = number,
		.rq_psn = 7,
		.max_dest_rd_atomic = 4,
		.min_rnr_timer = options->min_rnr_timer,
		.ah_attr = {.is_global = 1, .port_num = 1, .grh = {.hop_limit = 1}},
	};
	int mask = IBV_QP_STATE;

	assert_int_equal(ibv_query_gid(peer, 1, 0, &attr.ah_attr.grh.dgid), 0);
	if (options->type != IBV_QPT_UD)
		mask |= IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN;
	if (options->type == IBV_QPT_RC)
		mask |= IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
	return ibv_modify_qp(end->qp, &attr, mask);
}

int uroce_bed_rtr(struct uroce_end *end, uint32_t number, const struct uroce_options *options)
{
	return rtr_towards(end, end->context, number, options);
}

int uroce_bed_rtr_to(struct uroce_end *end, const struct uroce_end *peer,
		     const struct uroce_options *options)
{
	return rtr_towards(end, peer->context, peer->qp->qp_num, options);
}

static bool is_on_wire(void)
{
	const char *path = getenv("HOLDFAST_UROCE_PATH");

	return path && !strcmp(path, "wire");
}

int uroce_bed_rts(struct uroce_end *end, const struct uroce_options *options)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.sq_psn = 7,
		.timeout = options->timeout,
		.retry_cnt = options->retry_cnt,
		.rnr_retry = options->rnr_retry,
		.max_rd_atomic = 4,
	};
	int mask = IBV_QP_STATE | IBV_QP_SQ_PSN;

	/* Packets wait for a processor; a test that waits for the end of retries is on the direct path. */
	if (is_on_wire() && attr.retry_cnt <= 7) {
		attr.timeout = 18;
		attr.retry_cnt = 7;
	}

	if (options->type == IBV_QPT_RC)
		mask |= IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
			IBV_QP_MAX_QP_RD_ATOMIC;
	return ibv_modify_qp(end->qp, &attr, mask);
}

void uroce_bed_connect(struct uroce_end *end, uint32_t number, const struct uroce_options *options)
{
	assert_int_equal(uroce_bed_init(end, options), 0);
	assert_int_equal(uroce_bed_rtr(end, number, options), 0);
	assert_int_equal(uroce_bed_rts(end, options), 0);
}

void uroce_bed_pair(const struct uroce_bed *bed, struct uroce_end ends[2],
		    const struct uroce_options *options)
{
	for (int i = 0; i < 2; i++) {
		uroce_bed_open(bed, &ends[i]);
		uroce_bed_qp(&ends[i], options);
	}
	for (int i = 0; i < 2; i++)
		uroce_bed_connect(&ends[i], ends[1 - i].qp->qp_num, options);
}

int uroce_bed_close(struct uroce_end *end)
{
	int failed = 0;

	failed += end->qp && ibv_destroy_qp(end->qp) != 0;
	failed += end->srq && ibv_destroy_srq(end->srq) != 0;
	failed += end->cq && ibv_destroy_cq(end->cq) != 0;
	failed += end->mr && ibv_dereg_mr(end->mr) != 0;
	failed += ibv_dealloc_pd(end->pd) != 0;
	failed += ibv_destroy_comp_channel(end->channel) != 0;
	failed += ibv_close_device(end->context) != 0;
	munmap(end->memory, end->mapped);
	return failed;
}

void uroce_bed_leave(void)
{
	execlp("true", "true", NULL);
	_exit(1);
}

void uroce_bed_recv(struct uroce_end *end, uint64_t id, size_t offset, uint32_t length)
{
	struct ibv_sge sge = {(uintptr_t)end->memory + offset, length, end->mr->lkey};
	struct ibv_recv_wr wr = {.wr_id = id, .sg_list = &sge, .num_sge = 1}, *bad;

	if (end->srq)
		assert_int_equal(ibv_post_srq_recv(end->srq, &wr, &bad), 0);
	else
		assert_int_equal(ibv_post_recv(end->qp, &wr, &bad), 0);
}

int uroce_bed_post(struct uroce_end *end, const struct ibv_send_wr *wr, size_t offset,
		   uint32_t length)
{
	struct ibv_sge sge = {(uintptr_t)end->memory + offset, length, end->mr->lkey};
	struct ibv_send_wr one = *wr, *bad;

	one.sg_list = &sge;
	one.num_sge = 1;
	return ibv_post_send(end->qp, &one, &bad);
}

int uroce_bed_send(struct uroce_end *end, enum ibv_wr_opcode opcode, size_t offset, uint32_t length,
		   uint64_t remote, uint32_t rkey)
{
	const struct ibv_send_wr wr = {
		.wr_id = 100 + (uint64_t)opcode,
		.opcode = opcode,
		.imm_data = 0x01020304,
		.wr.rdma = {.remote_addr = remote, .rkey = rkey},
	};

	return uroce_bed_post(end, &wr, offset, length);
}

struct ibv_wc uroce_bed_wait(struct uroce_end *end)
{
	struct ibv_wc wc;
	int got;

	while (!(got = ibv_poll_cq(end->cq, 1, &wc)))
		sched_yield();
	assert_int_equal(got, 1);
	return wc;
}

struct ibv_wc uroce_bed_sleep(struct uroce_end *end)
{
	struct ibv_cq *cq;
	struct ibv_wc wc;
	void *cq_context;

	for (;;) {
		assert_int_equal(ibv_req_notify_cq(end->cq, 0), 0);
		if (ibv_poll_cq(end->cq, 1, &wc) == 1)
			return wc;
		assert_int_equal(ibv_get_cq_event(end->channel, &cq, &cq_context), 0);
		assert_ptr_equal(cq, end->cq);
		ibv_ack_cq_events(cq, 1);
	}
}

enum ibv_event_type uroce_bed_event(struct uroce_end *end)
{
	struct ibv_async_event event;

	assert_int_equal(ibv_get_async_event(end->context, &event), 0);
	ibv_ack_async_event(&event);
	return event.event_type;
}

enum ibv_qp_state uroce_bed_state(struct uroce_end *end)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	assert_int_equal(ibv_query_qp(end->qp, &attr, IBV_QP_STATE, &init), 0);
	return attr.qp_state;
}
