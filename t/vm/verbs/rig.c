/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connects two QPs of one device to each other, and checks their data and completions. */
#include <arpa/inet.h>
#include <sched.h>
#include <stdlib.h>
#include <unistd.h>

#include "t/vm/verbs/cm.h"
#include "t/vm/verbs/rig.h"

static const int ACCESS = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE |
			  IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC;

static void find_gid(struct rig *rig)
{
	static const uint8_t mapped[12] = {[10] = 0xff, 0xff};

	for (int i = 0; i < 16; i++) {
		if (ibv_query_gid(rig->context, 1, i, &rig->gid))
			break;
		if (!memcmp(rig->gid.raw, mapped, sizeof(mapped))) {
			rig->gid_index = (uint8_t)i;
			return;
		}
	}
	vm_die("no IPv4 address among the GIDs");
}

static void find_address(struct rig *rig, const char *address)
{
	rig->address.sin_family = AF_INET;
	if (!address || inet_pton(AF_INET, address, &rig->address.sin_addr) != 1)
		vm_die("iWARP connects by address: name the device as NAME@ADDRESS");
}

void rig_open(struct rig *rig, char *name)
{
	char *const at = strchr(name, '@');
	int num_devices;
	struct ibv_device **list = ibv_get_device_list(&num_devices);
	struct ibv_port_attr port;

	if (at)
		*at = '\0';
	for (int i = 0; i < num_devices; i++)
		if (!strcmp(ibv_get_device_name(list[i]), name))
			rig->context = ibv_open_device(list[i]);
	if (!rig->context)
		vm_die("cannot open %s: %s", name, strerror(errno));
	ibv_free_device_list(list);
	if (ibv_query_device_ex(rig->context, NULL, &rig->attr))
		vm_die("ibv_query_device_ex");
	if (ibv_query_port(rig->context, 1, &port) || port.state != IBV_PORT_ACTIVE)
		vm_die("port 1 is not up");
	rig->mtu = port.active_mtu;
	rig->iwarp = rig->context->device->transport_type == IBV_TRANSPORT_IWARP;
	if (rig->iwarp)
		find_address(rig, at ? at + 1 : NULL);
	else
		find_gid(rig);
	rig->pd = ibv_alloc_pd(rig->context);
	if (!rig->pd)
		vm_die("ibv_alloc_pd: %s", strerror(errno));
}

void rig_close(struct rig *rig)
{
	int ret = ibv_dealloc_pd(rig->pd);

	CHECK(!ret, "%s", strerror(ret));
	ret = ibv_close_device(rig->context);
	CHECK(!ret, "%s", strerror(errno));
}

void fill(struct end *end, uint8_t seed)
{
	for (size_t i = 0; i < BUFFER; i++)
		end->buffer[i] = (uint8_t)(seed + i * 7 + (i >> 8));
}

static void make_rig_qp(struct rig *rig, struct end *end, const struct options *options)
{
	struct ibv_qp_init_attr_ex attr = {
		.send_cq = end->cq,
		.recv_cq = end->cq,
		.srq = options->srq,
		.cap = {.max_send_wr = DEPTH,
			.max_recv_wr = options->srq ? 0 : DEPTH,
			.max_send_sge = SGES,
			.max_recv_sge = options->srq ? 0 : SGES,
			.max_inline_data = INLINE},
		.qp_type = options->type,
		.sq_sig_all = options->sig_all,
		.comp_mask = IBV_QP_INIT_ATTR_PD |
			     (options->send_ops ? IBV_QP_INIT_ATTR_SEND_OPS_FLAGS : 0),
		.pd = rig->pd,
		.send_ops_flags = options->send_ops,
	};
	struct ibv_qp_init_attr old = {
		.send_cq = attr.send_cq,
		.recv_cq = attr.recv_cq,
		.srq = attr.srq,
		.cap = attr.cap,
		.qp_type = attr.qp_type,
		.sq_sig_all = attr.sq_sig_all,
	};

	end->qp = options->send_ops ? ibv_create_qp_ex(rig->context, &attr)
				    : ibv_create_qp(rig->pd, &old);
	if (!end->qp)
		vm_die("no QP: %s", strerror(errno));
	if (!options->send_ops)
		attr.cap = old.cap;
	CHECK(attr.cap.max_send_wr >= DEPTH && attr.cap.max_inline_data >= INLINE &&
		      attr.cap.max_send_sge >= SGES,
	      "the sizes that were asked for");
	end->ex = ibv_qp_to_qp_ex(end->qp);
	CHECK(!end->ex == !options->send_ops, "extended only when asked for");
}

static void to_init(const struct rig *rig, struct end *end)
{
	const bool ud = end->qp->qp_type == IBV_QPT_UD;
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = (unsigned int)ACCESS,
		.qkey = QKEY,
	};
	int mask = IBV_QP_STATE | (ud ? IBV_QP_QKEY : IBV_QP_ACCESS_FLAGS), ret;

	if (!rig->iwarp)
		mask |= IBV_QP_PKEY_INDEX | IBV_QP_PORT;
	ret = ibv_modify_qp(end->qp, &attr, mask);
	CHECK(!ret, "to INIT: %s", strerror(ret));
}

static void to_rtr(struct rig *rig, struct end *end, const struct end *other)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = rig->mtu,
		.dest_qp_num = other->qp->qp_num,
		.max_dest_rd_atomic = 4,
		.min_rnr_timer = 12,
		.ah_attr = {.is_global = 1,
			    .port_num = 1,
			    .grh = {.dgid = rig->gid,
				    .sgid_index = rig->gid_index,
				    .hop_limit = 64}},
	};
	int mask = IBV_QP_STATE, ret;

	if (end->qp->qp_type != IBV_QPT_UD)
		mask |= IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN;
	if (end->qp->qp_type == IBV_QPT_RC)
		mask |= IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER;
	ret = ibv_modify_qp(end->qp, &attr, mask);
	CHECK(!ret, "to RTR: %s", strerror(ret));
}

static void to_rts(struct end *end)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTS,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.max_rd_atomic = 4,
	};
	int mask = IBV_QP_STATE | IBV_QP_SQ_PSN, ret;

	if (end->qp->qp_type == IBV_QPT_RC)
		mask |= IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
			IBV_QP_MAX_QP_RD_ATOMIC;
	ret = ibv_modify_qp(end->qp, &attr, mask);
	CHECK(!ret, "to RTS: %s", strerror(ret));
}

void pair_connect(struct rig *rig, struct end *ends)
{
	for (int i = 0; i < 2; i++)
		to_init(rig, &ends[i]);
	if (rig->iwarp) {
		ends->connection = cm_connect(&rig->address, ends);
		return;
	}
	for (int i = 0; i < 2; i++)
		to_rtr(rig, &ends[i], &ends[!i]);
	for (int i = 0; i < 2; i++)
		to_rts(&ends[i]);
}

struct end *pair_make(struct rig *rig, const struct options *options)
{
	struct end *ends = calloc(2, sizeof(*ends));

	if (!ends)
		vm_die("no memory");
	ends->connection = -1;
	for (int i = 0; i < 2; i++) {
		struct end *end = &ends[i];

		end->own_cq = !options->cq;
		end->cq = options->cq ? options->cq
				      : ibv_create_cq(rig->context, 4 * DEPTH, end, NULL, 0);
		if (!end->cq)
			vm_die("no CQ: %s", strerror(errno));
		end->mr = ibv_reg_mr(rig->pd, end->buffer, BUFFER, ACCESS | IBV_ACCESS_MW_BIND);
		if (!end->mr)
			vm_die("no MR: %s", strerror(errno));
		make_rig_qp(rig, end, options);
		fill(end, (uint8_t)(100 * i + 1));
	}
	if (!options->unconnected)
		pair_connect(rig, ends);
	return ends;
}

void pair_free(struct end *ends)
{
	if (ends->connection >= 0)
		close(ends->connection);
	for (int i = 0; i < 2; i++) {
		int ret = ibv_destroy_qp(ends[i].qp);

		CHECK(!ret, "ibv_destroy_qp: %s", strerror(ret));
		ret = ends[i].own_cq ? ibv_destroy_cq(ends[i].cq) : 0;
		CHECK(!ret, "ibv_destroy_cq: %s", strerror(ret));
		ret = ibv_dereg_mr(ends[i].mr);
		CHECK(!ret, "ibv_dereg_mr: %s", strerror(ret));
	}
	free(ends);
}

struct ibv_sge sge_of(const struct end *end, size_t offset, uint32_t length)
{
	return (struct ibv_sge){
		.addr = (uintptr_t)end->buffer + offset, .length = length, .lkey = end->mr->lkey};
}

void post_recv(struct end *end, uint64_t id, size_t offset, uint32_t length)
{
	struct ibv_sge sge = sge_of(end, offset, length);
	struct ibv_recv_wr wr = {.wr_id = id, .sg_list = &sge, .num_sge = 1}, *bad;
	int ret = ibv_post_recv(end->qp, &wr, &bad);

	CHECK(!ret, "ibv_post_recv: %s", strerror(ret));
}

void post_send(struct end *end, struct ibv_send_wr *wr)
{
	struct ibv_send_wr *bad = wr; /* not every provider names it */
	int ret = ibv_post_send(end->qp, wr, &bad);

	CHECK(!ret, "ibv_post_send of %" PRIu64 ": %s", bad->wr_id, strerror(ret));
}

void send_simple(struct end *end, uint64_t id, size_t offset, uint32_t length)
{
	struct ibv_sge sge = sge_of(end, offset, length);
	struct ibv_send_wr wr = {.wr_id = id,
				 .sg_list = &sge,
				 .num_sge = 1,
				 .opcode = IBV_WR_SEND,
				 .send_flags = IBV_SEND_SIGNALED};

	post_send(end, &wr);
}

static bool poll_next(struct ibv_cq *cq, struct ibv_wc *wc)
{
	const uint64_t limit = vm_now_us() + 10000000;
	int ret;

	do {
		ret = ibv_poll_cq(cq, 1, wc);
		if (!ret)
			sched_yield();
	} while (!ret && vm_now_us() < limit);
	if (ret < 0)
		vm_error("ibv_poll_cq: %d", ret);
	return ret == 1;
}

bool expect(struct ibv_cq *cq, uint64_t id, enum ibv_wc_opcode opcode, struct ibv_wc *wc)
{
	if (!poll_next(cq, wc)) {
		vm_error("no completion %" PRIu64, id);
		return false;
	}
	if (wc->wr_id == id && wc->status == IBV_WC_SUCCESS && wc->opcode == opcode)
		return true;
	vm_error("completion of %" PRIu64 ", status %d, opcode %d; expected %" PRIu64 ", %d",
		 wc->wr_id, wc->status, wc->opcode, id, opcode);
	return false;
}

bool expect_status(struct ibv_cq *cq, uint64_t id, enum ibv_wc_status status)
{
	struct ibv_wc wc;

	if (!poll_next(cq, &wc)) {
		vm_error("no completion %" PRIu64, id);
		return false;
	}
	if (wc.wr_id == id && wc.status == status)
		return true;
	vm_error("completion of %" PRIu64 ", status %d; expected %" PRIu64 ", %d", wc.wr_id,
		 wc.status, id, status);
	return false;
}

void expect_nothing(struct ibv_cq *cq)
{
	struct ibv_wc wc;
	int ret = ibv_poll_cq(cq, 1, &wc);

	CHECK(!ret, "%d: an unexpected completion of %" PRIu64, ret, wc.wr_id);
}
