/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What programs do with an open context. An object that could not be created is omitted from then
 * on.
 */
#include <errno.h>
#include <stdint.h>
#include <string.h>

#include "t/fault/verbs.h"

#undef ibv_reg_mr
#undef ibv_reg_mr_iova

static char memory[2][4096] __attribute__((aligned(4096)));

/* Providers with what siw lacks: memory windows, re-registration, resizing. */
static bool is_full(void)
{
	return vbed_provider() != V_SIW;
}

static void opening(struct vrun *v)
{
	int fd = kernel_open();

	kernel_begin(&v->plan);
	if (v->kind == V_ALLOC)
		alloc_begin(v->fail_at, v->onward);
	v->context = MADE(vbed_open(fd));
}

static void regions(struct vrun *v)
{
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context)), *other = MADE(ibv_alloc_pd(v->context));
	struct ibv_mr *mr = NULL;
	struct ibv_mw *mw = NULL;

	if (pd)
		mr = MADE(ibv_reg_mr(pd, memory[0], 4096, IBV_ACCESS_LOCAL_WRITE));
	if (pd && is_full())
		mw = MADE(ibv_alloc_mw(pd, IBV_MW_TYPE_1));
	if (mr && is_full())
		USED(ibv_rereg_mr(mr, IBV_REREG_MR_CHANGE_TRANSLATION, NULL, memory[1], 4096, 0));
	if (mr && other && is_full())
		USED(ibv_rereg_mr(mr, IBV_REREG_MR_CHANGE_PD | IBV_REREG_MR_CHANGE_ACCESS, other,
				  NULL, 0, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_READ));
	if (mw)
		DESTROYED(ibv_dealloc_mw(mw));
	if (mr)
		DESTROYED(ibv_dereg_mr(mr));
	if (pd)
		mr = MADE(ibv_reg_mr_iova2(pd, memory[0], 100, 77, IBV_ACCESS_RELAXED_ORDERING));
	if (pd && mr)
		DESTROYED(ibv_dereg_mr(mr));
	if (other)
		DESTROYED(ibv_dealloc_pd(other));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static void completions(struct vrun *v)
{
	struct ibv_comp_channel *channel = MADE(ibv_create_comp_channel(v->context));
	struct ibv_cq *cq, *told;
	void *arg;
	struct ibv_wc wc[4];

	cq = MADE(ibv_create_cq(v->context, 10, v, channel, 0));
	if (cq) {
		USED(ibv_req_notify_cq(cq, 0));
		/* After revocation the core answers: nothing is outstanding. */
		if (v->kind != V_REVOKED)
			USED(ibv_poll_cq(cq, 4, wc) < 0 ? -1 : 0);
		else if (ibv_poll_cq(cq, 4, wc) != 0)
			v_fault(v, V_WRONG, "completions of nothing");
		if (is_full())
			USED(ibv_resize_cq(cq, 20));
	}
	if (cq && channel && !kernel_is_gone()) {
		kernel_complete((uintptr_t)cq);
		if (!USED(ibv_get_cq_event(channel, &told, &arg))) {
			if (told != cq || arg != v)
				v_fault(v, V_WRONG, "an event of another CQ");
			ibv_ack_cq_events(told, 1);
		}
	}
	if (channel && cq && ibv_destroy_comp_channel(channel) != EBUSY)
		v_fault(v, V_WRONG, "the channel of a CQ could be destroyed");
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (channel)
		DESTROYED(ibv_destroy_comp_channel(channel));
}

static void extended_completions(struct vrun *v)
{
	struct ibv_cq_init_attr_ex attr = {.cqe = 10, .wc_flags = IBV_WC_STANDARD_FLAGS};
	struct ibv_cq_ex *cq = MADE(ibv_create_cq_ex(v->context, &attr));

	if (!cq)
		return;
	if (vbed_provider() == V_FRAMES) {
		struct ibv_modify_cq_attr moderation = {.attr_mask = IBV_CQ_ATTR_MODERATE};

		USED(ibv_modify_cq(ibv_cq_ex_to_cq(cq), &moderation));
	} else {
		struct ibv_poll_cq_attr poll = {0};

		if (ibv_start_poll(cq, &poll) != ENOENT)
			v_fault(v, V_WRONG, "a completion out of nothing");
	}
	DESTROYED(ibv_destroy_cq(ibv_cq_ex_to_cq(cq)));
}

static void shared_receive(struct vrun *v)
{
	struct ibv_srq_init_attr init = {.attr = {.max_wr = 8, .max_sge = 1}};
	struct ibv_sge sge = {.addr = (uintptr_t)memory[0], .length = 64};
	struct ibv_recv_wr wr = {.sg_list = &sge, .num_sge = 0}, *bad = NULL;
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_srq *srq = NULL;
	struct ibv_srq_attr attr;

	if (pd)
		srq = MADE(ibv_create_srq(pd, &init));
	if (srq) {
		v_output(v, &attr, sizeof(attr));
		USED(ibv_query_srq(srq, &attr));
		if (USED(ibv_post_srq_recv(srq, &wr, &bad)) && bad != &wr)
			v_fault(v, V_WRONG, "no word about which request failed");
		attr = (struct ibv_srq_attr){.srq_limit = 3, .max_wr = 16};
		USED(ibv_modify_srq(srq, &attr, IBV_SRQ_LIMIT));
		if (is_full())
			USED(ibv_modify_srq(srq, &attr, IBV_SRQ_MAX_WR));
		DESTROYED(ibv_destroy_srq(srq));
	}
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static struct ibv_qp_init_attr qp_attr(struct ibv_cq *cq, enum ibv_qp_type type)
{
	return (struct ibv_qp_init_attr){
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {.max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = type,
	};
}

static void seq_use_qp(struct vrun *v, struct ibv_qp *qp)
{
	struct ibv_sge sge = {.addr = (uintptr_t)memory[0], .length = 64};
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT, .port_num = 1};
	struct ibv_recv_wr recv = {.sg_list = &sge}, *bad_recv = NULL;
	struct ibv_send_wr send = {.sg_list = &sge, .opcode = IBV_WR_SEND}, *bad = NULL;
	struct ibv_qp_init_attr init;

	if (USED(ibv_modify_qp(qp, &attr, IBV_QP_STATE | IBV_QP_PORT)))
		return;
	v_output(v, &attr, sizeof(attr));
	USED(ibv_query_qp(qp, &attr, IBV_QP_CAP, &init));
	if (USED(ibv_post_recv(qp, &recv, &bad_recv)) && bad_recv != &recv)
		v_fault(v, V_WRONG, "no word about which request failed");
	attr = (struct ibv_qp_attr){.qp_state = IBV_QPS_RTS};
	if (!USED(ibv_modify_qp(qp, &attr, IBV_QP_STATE)) && USED(ibv_post_send(qp, &send, &bad)) &&
	    bad != &send)
		v_fault(v, V_WRONG, "no word about which request failed");
}

static void queue_pairs(struct vrun *v)
{
	struct ibv_cq *cq = MADE(ibv_create_cq(v->context, 10, NULL, NULL, 0));
	struct ibv_qp_init_attr init = qp_attr(cq, IBV_QPT_RC);
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_srq_init_attr srq_init = {.attr = {.max_wr = 8, .max_sge = 1}};
	struct ibv_srq *srq = NULL;
	struct ibv_qp *qp = NULL;

	if (pd && cq) {
		qp = MADE(ibv_create_qp(pd, &init));
		if (qp)
			seq_use_qp(v, qp);
		if (qp)
			DESTROYED(ibv_destroy_qp(qp));
		srq = MADE(ibv_create_srq(pd, &srq_init));
	}
	if (srq) {
		init = qp_attr(cq, IBV_QPT_RC);
		init.srq = srq;
		qp = MADE(ibv_create_qp(pd, &init));
		if (qp)
			DESTROYED(ibv_destroy_qp(qp));
		DESTROYED(ibv_destroy_srq(srq));
	}
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static void use_extended_qp(struct vrun *v, struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RTS};
	struct ibv_qp_ex *ex = ibv_qp_to_qp_ex(qp);

	if (USED(ibv_modify_qp(qp, &attr, IBV_QP_STATE)))
		return;
	for (int i = 0; i < 2; i++) {
		ibv_wr_start(ex);
		ibv_wr_send(ex);
		ibv_wr_send(ex);
		USED(ibv_wr_complete(ex));
	}
	ibv_wr_start(ex);
	ibv_wr_send(ex);
	ibv_wr_abort(ex);
}

static void extended_queue_pairs(struct vrun *v)
{
	struct ibv_cq *cq = MADE(ibv_create_cq(v->context, 10, NULL, NULL, 0));
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_qp_init_attr_ex init = {
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {.max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = pd,
	};
	struct ibv_qp *qp = NULL;

	if (vbed_provider() != V_FRAMES) {
		init.comp_mask |= IBV_QP_INIT_ATTR_SEND_OPS_FLAGS;
		init.send_ops_flags = IBV_QP_EX_WITH_SEND;
	} else {
		init.comp_mask |= IBV_QP_INIT_ATTR_CREATE_FLAGS;
		init.create_flags = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB;
	}
	if (pd && cq)
		qp = MADE(ibv_create_qp_ex(v->context, &init));
	if (qp && init.send_ops_flags)
		use_extended_qp(v, qp);
	if (qp)
		DESTROYED(ibv_destroy_qp(qp));
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static void seq_addresses(struct vrun *v)
{
	const union ibv_gid group = {.raw = {0xff, 0x0e, [15] = 1}};
	struct ibv_ah_attr ah_attr = {.is_global = 1, .port_num = 1};
	struct ibv_cq *cq = MADE(ibv_create_cq(v->context, 10, NULL, NULL, 0));
	struct ibv_qp_init_attr init = qp_attr(cq, IBV_QPT_UD);
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_ah *ah = NULL;
	struct ibv_qp *qp = NULL;

	if (pd)
		ah = MADE(ibv_create_ah(pd, &ah_attr));
	if (pd && cq)
		qp = MADE(ibv_create_qp(pd, &init));
	if (qp && !USED(ibv_attach_mcast(qp, &group, 0)))
		DESTROYED(ibv_detach_mcast(qp, &group, 0));
	if (ah)
		DESTROYED(ibv_destroy_ah(ah));
	if (qp)
		DESTROYED(ibv_destroy_qp(qp));
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

/* An event of a QP, whose destroy waits for unacknowledged events. */
static void qp_event(struct vrun *v, bool acknowledges)
{
	struct ibv_cq *cq = MADE(ibv_create_cq(v->context, 10, NULL, NULL, 0));
	struct ibv_qp_init_attr init = qp_attr(cq, IBV_QPT_RC);
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_async_event event = {0};
	struct ibv_qp *qp = NULL;

	if (pd && cq)
		qp = MADE(ibv_create_qp(pd, &init));
	if (qp && !kernel_is_gone()) {
		kernel_report(IBV_EVENT_COMM_EST, (uintptr_t)qp);
		if (!USED(ibv_get_async_event(v->context, &event))) {
			if (event.element.qp != qp)
				v_fault(v, V_WRONG, "an event of another QP");
			if (acknowledges || !v_is_going())
				ibv_ack_async_event(&event);
		}
	}
	if (qp)
		DESTROYED(ibv_destroy_qp(qp));
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static void seq_events(struct vrun *v)
{
	qp_event(v, true);
}

/* A program that acknowledges late or never delays a destroy, but not for ever. */
static void unacknowledged(struct vrun *v)
{
	qp_event(v, false);
}

static void queries(struct vrun *v)
{
	struct ibv_device_attr_ex extended;
	struct ibv_device_attr attr;
	struct ibv_port_attr port;
	struct ibv_gid_entry entry;
	union ibv_gid gid;

	v_output(v, &attr, sizeof(attr));
	USED(ibv_query_device(v->context, &attr));
	v_output(v, &extended, sizeof(extended));
	USED(ibv_query_device_ex(v->context, NULL, &extended));
	v_output(v, &port, sizeof(port));
	/* Call the function: the macro of that name clears its output first. */
	USED((ibv_query_port)(v->context, 1, (struct _compat_ibv_port_attr *)(void *)&port));
	v_output(v, &entry, sizeof(entry));
	USED(ibv_query_gid_ex(v->context, 1, 0, &entry, 0));
	v_output(v, &gid, sizeof(gid));
	USED(ibv_query_gid(v->context, 1, 0, &gid));
	USED(ibv_query_gid_table(v->context, &entry, 1, 0) < 0 ? -1 : 0);
}

static void xrc(struct vrun *v)
{
	struct ibv_xrcd_init_attr domain_attr = {
		.comp_mask = IBV_XRCD_INIT_ATTR_FD | IBV_XRCD_INIT_ATTR_OFLAGS, .fd = -1};
	struct ibv_xrcd *xrcd = MADE(ibv_open_xrcd(v->context, &domain_attr));
	struct ibv_cq *cq = MADE(ibv_create_cq(v->context, 10, NULL, NULL, 0));
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_srq_init_attr_ex srq_attr = {
		.attr = {.max_wr = 8, .max_sge = 1},
		.comp_mask = IBV_SRQ_INIT_ATTR_TYPE | IBV_SRQ_INIT_ATTR_PD |
			     IBV_SRQ_INIT_ATTR_XRCD | IBV_SRQ_INIT_ATTR_CQ,
		.srq_type = IBV_SRQT_XRC,
		.pd = pd,
		.xrcd = xrcd,
		.cq = cq,
	};
	struct ibv_qp_init_attr_ex qp_init = {
		.qp_type = IBV_QPT_XRC_RECV, .comp_mask = IBV_QP_INIT_ATTR_XRCD, .xrcd = xrcd};
	struct ibv_qp_open_attr open_attr = {
		.comp_mask = IBV_QP_OPEN_ATTR_NUM | IBV_QP_OPEN_ATTR_XRCD | IBV_QP_OPEN_ATTR_TYPE,
		.xrcd = xrcd,
		.qp_type = IBV_QPT_XRC_RECV,
	};
	struct ibv_srq *srq = NULL;
	struct ibv_qp *qp = NULL, *again = NULL;

	if (xrcd && cq && pd)
		srq = MADE(ibv_create_srq_ex(v->context, &srq_attr));
	if (xrcd)
		qp = MADE(ibv_create_qp_ex(v->context, &qp_init));
	if (xrcd)
		again = MADE(ibv_open_qp(v->context, &open_attr));
	if (again)
		DESTROYED(ibv_destroy_qp(again));
	if (qp)
		DESTROYED(ibv_destroy_qp(qp));
	if (srq)
		DESTROYED(ibv_destroy_srq(srq));
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
	if (xrcd)
		DESTROYED(ibv_close_xrcd(xrcd));
}

static void steering(struct vrun *v)
{
	struct {
		struct ibv_flow_attr attr;
		struct ibv_flow_spec_eth ethernet;
	} flow_attr = {
		.attr = {.type = IBV_FLOW_ATTR_NORMAL, .num_of_specs = 1, .port = 1},
		.ethernet = {.type = IBV_FLOW_SPEC_ETH, .size = sizeof(flow_attr.ethernet)},
	};
	struct ibv_flow_action_esp_attr esp = {0};
	struct ibv_counters_init_attr counters_attr = {0};
	struct ibv_cq *cq = MADE(ibv_create_cq(v->context, 10, NULL, NULL, 0));
	struct ibv_qp_init_attr init = qp_attr(cq, IBV_QPT_RAW_PACKET);
	struct ibv_counters *counters = MADE(ibv_create_counters(v->context, &counters_attr));
	struct ibv_flow_action *action = MADE(ibv_create_flow_action_esp(v->context, &esp));
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_flow *flow = NULL;
	struct ibv_qp *qp = NULL;
	uint64_t values[2];

	flow_attr.attr.size = sizeof(flow_attr);
	if (pd && cq)
		qp = MADE(ibv_create_qp(pd, &init));
	if (qp)
		flow = MADE(ibv_create_flow(qp, &flow_attr.attr));
	if (action)
		USED(ibv_modify_flow_action_esp(action, &esp));
	v_output(v, values, sizeof(values));
	if (counters)
		USED(ibv_read_counters(counters, values, 2, 0));
	if (flow)
		DESTROYED(ibv_destroy_flow(flow));
	if (qp)
		DESTROYED(ibv_destroy_qp(qp));
	if (action)
		DESTROYED(ibv_destroy_flow_action(action));
	if (counters)
		DESTROYED(ibv_destroy_counters(counters));
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static void seq_work_queues(struct vrun *v)
{
	struct ibv_cq *cq = MADE(ibv_create_cq(v->context, 10, NULL, NULL, 0));
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_wq_init_attr init = {
		.wq_type = IBV_WQT_RQ, .max_wr = 8, .max_sge = 1, .pd = pd, .cq = cq};
	struct ibv_wq_attr attr = {.attr_mask = IBV_WQ_ATTR_STATE, .wq_state = IBV_WQS_RDY};
	struct ibv_wq *wq = NULL;
	struct ibv_rwq_ind_table_init_attr table_init = {.ind_tbl = &wq};
	struct ibv_rwq_ind_table *table = NULL;

	if (pd && cq)
		wq = MADE(ibv_create_wq(v->context, &init));
	if (wq) {
		USED(ibv_modify_wq(wq, &attr));
		table = MADE(ibv_create_rwq_ind_table(v->context, &table_init));
	}
	if (table)
		DESTROYED(ibv_destroy_rwq_ind_table(table));
	if (wq)
		DESTROYED(ibv_destroy_wq(wq));
	if (cq)
		DESTROYED(ibv_destroy_cq(cq));
	if (pd)
		DESTROYED(ibv_dealloc_pd(pd));
}

static void other_memory(struct vrun *v)
{
	struct ibv_sge sge = {.addr = (uintptr_t)memory[0], .length = 64};
	struct ibv_alloc_dm_attr dm_attr = {.length = 64};
	struct ibv_pd *pd = MADE(ibv_alloc_pd(v->context));
	struct ibv_dm *dm = MADE(ibv_alloc_dm(v->context, &dm_attr));
	struct ibv_mr *mr = NULL;

	if (pd && dm)
		mr = MADE(ibv_reg_dm_mr(pd, dm, 0, 64, IBV_ACCESS_ZERO_BASED));
	if (mr)
		DESTROYED(ibv_dereg_mr(mr));
	if (dm)
		DESTROYED(ibv_free_dm(dm));
	if (pd) {
		USED(ibv_advise_mr(pd, IB_UVERBS_ADVISE_MR_ADVICE_PREFETCH, 0, &sge, 1));
		mr = MADE(ibv_reg_dmabuf_mr(pd, 0, 64, 0, 5, IBV_ACCESS_LOCAL_WRITE));
		if (mr)
			DESTROYED(ibv_dereg_mr(mr));
		mr = MADE(ibv_import_mr(pd, 9));
		if (mr)
			ibv_unimport_mr(mr);
		DESTROYED(ibv_dealloc_pd(pd));
	}
}

const struct vseq vseqs[] = {
	{.name = "opening", .run = opening, .opens = true},
	{.name = "regions", .run = regions},
	{.name = "completions", .run = completions},
	{.name = "extended-completions", .run = extended_completions},
	{.name = "shared-receive", .run = shared_receive},
	{.name = "queue-pairs", .run = queue_pairs},
	{.name = "extended-queue-pairs", .run = extended_queue_pairs},
	{.name = "addresses", .run = seq_addresses, .without = 1 << V_SIW},
	{.name = "events", .run = seq_events},
	{.name = "unacknowledged", .run = unacknowledged},
	{.name = "queries", .run = queries},
	{.name = "xrc", .run = xrc, .without = 1 << V_RXE | 1 << V_SIW},
	{.name = "steering", .run = steering, .without = 1 << V_RXE | 1 << V_SIW},
	{.name = "work-queues", .run = seq_work_queues, .without = 1 << V_RXE | 1 << V_SIW},
	{.name = "other-memory", .run = other_memory, .without = 1 << V_RXE | 1 << V_SIW},
	{0},
};
