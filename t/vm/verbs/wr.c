/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests the ibv_wr_* calls. */
#include <arpa/inet.h>

#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

static const uint64_t RC_OPS = IBV_QP_EX_WITH_RDMA_WRITE | IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM |
			       IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_IMM |
			       IBV_QP_EX_WITH_RDMA_READ | IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP |
			       IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD | IBV_QP_EX_WITH_LOCAL_INV |
			       IBV_QP_EX_WITH_BIND_MW | IBV_QP_EX_WITH_SEND_WITH_INV;

static void complete_wr(struct end *end, const char *what)
{
	int ret = ibv_wr_complete(end->ex);

	CHECK(!ret, "%s: %s", what, strerror(ret));
}

static void send_messages(struct end *from, struct end *to)
{
	struct ibv_sge two[2] = {sge_of(from, 0, 300), sge_of(from, 1000, 200)};
	struct ibv_data_buf bufs[2] = {{from->buffer + 3000, 20}, {from->buffer + 3100, 30}};
	struct ibv_wc wc;

	for (uint64_t i = 1; i <= 4; i++)
		post_recv(to, i, 1000 * i, 1000);
	ibv_wr_start(from->ex);
	from->ex->wr_flags = IBV_SEND_SIGNALED;
	from->ex->wr_id = 81;
	ibv_wr_send(from->ex);
	ibv_wr_set_sge(from->ex, from->mr->lkey, (uintptr_t)from->buffer, 700);
	from->ex->wr_id = 82;
	ibv_wr_send_imm(from->ex, htonl(4));
	ibv_wr_set_sge_list(from->ex, 2, two);
	from->ex->wr_id = 83;
	from->ex->wr_flags = 0;
	ibv_wr_send(from->ex);
	ibv_wr_set_inline_data(from->ex, from->buffer + 2000, 40);
	from->ex->wr_id = 84;
	from->ex->wr_flags = IBV_SEND_SIGNALED;
	ibv_wr_send(from->ex);
	ibv_wr_set_inline_data_list(from->ex, 2, bufs);
	expect_nothing(to->cq);
	complete_wr(from, "messages");
	for (uint64_t i = 1; i <= 4; i++)
		if (expect(to->cq, i, IBV_WC_RECV, &wc) && i == 2)
			CHECK(ntohl(wc.imm_data) == 4 && wc.byte_len == 500, "%u", wc.byte_len);
	CHECK(!memcmp(to->buffer + 1000, from->buffer, 700), "one entry");
	CHECK(!memcmp(to->buffer + 2000, from->buffer, 300) &&
		      !memcmp(to->buffer + 2300, from->buffer + 1000, 200),
	      "two entries");
	CHECK(!memcmp(to->buffer + 3000, from->buffer + 2000, 40), "inline");
	CHECK(!memcmp(to->buffer + 4000, from->buffer + 3000, 20) &&
		      !memcmp(to->buffer + 4020, from->buffer + 3100, 30),
	      "an inline list");
	expect(from->cq, 81, IBV_WC_SEND, &wc);
	expect(from->cq, 82, IBV_WC_SEND, &wc);
	expect(from->cq, 84, IBV_WC_SEND, &wc);
}

static void access_remote(struct end *from, struct end *to)
{
	uint64_t *there = (uint64_t *)(void *)(to->buffer + 512), *back;
	const uint64_t base = (uintptr_t)to->buffer;
	const uint32_t lkey = from->mr->lkey, rkey = to->mr->rkey;
	struct ibv_wc wc;

	back = (uint64_t *)(void *)(from->buffer + 12000);
	*there = 10;
	post_recv(to, 5, 0, 8);
	ibv_wr_start(from->ex);
	from->ex->wr_id = 90;
	ibv_wr_rdma_write(from->ex, rkey, base + 6000);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer, 600);
	from->ex->wr_id = 91;
	ibv_wr_rdma_write_imm(from->ex, rkey, base + 7000, htonl(5));
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer + 600, 400);
	from->ex->wr_id = 92;
	from->ex->wr_flags = IBV_SEND_SIGNALED | IBV_SEND_FENCE;
	ibv_wr_rdma_read(from->ex, rkey, base + 6000);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer + 9000, 1400);
	from->ex->wr_flags = IBV_SEND_SIGNALED;
	from->ex->wr_id = 93;
	ibv_wr_atomic_fetch_add(from->ex, rkey, (uintptr_t)there, 7);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)&back[0], 8);
	from->ex->wr_id = 94;
	ibv_wr_atomic_cmp_swp(from->ex, rkey, (uintptr_t)there, 17, 99);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)&back[1], 8);
	complete_wr(from, "remote memory");
	expect(from->cq, 90, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 91, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 92, IBV_WC_RDMA_READ, &wc);
	expect(from->cq, 93, IBV_WC_FETCH_ADD, &wc);
	expect(from->cq, 94, IBV_WC_COMP_SWAP, &wc);
	if (expect(to->cq, 5, IBV_WC_RECV_RDMA_WITH_IMM, &wc))
		CHECK(ntohl(wc.imm_data) == 5 && wc.byte_len == 400, "%u", wc.byte_len);
	CHECK(!memcmp(to->buffer + 6000, from->buffer, 600), "written");
	CHECK(!memcmp(to->buffer + 7000, from->buffer + 600, 400), "written with a word");
	CHECK(!memcmp(from->buffer + 9000, to->buffer + 6000, 1400), "read");
	CHECK(back[0] == 10 && back[1] == 17 && *there == 99, "%" PRIu64 " %" PRIu64 " %" PRIu64,
	      back[0], back[1], *there);
}

static void window(struct rig *rig, struct end *from, struct end *to)
{
	struct ibv_mw *mw = ibv_alloc_mw(rig->pd, IBV_MW_TYPE_2);
	const struct ibv_mw_bind_info info = {.mr = to->mr,
					      .addr = (uintptr_t)to->buffer + 2048,
					      .length = 64,
					      .mw_access_flags = IBV_ACCESS_REMOTE_WRITE};
	struct ibv_wc wc;
	uint32_t rkey;

	if (!mw)
		vm_die("ibv_alloc_mw: %s", strerror(errno));
	rkey = ibv_inc_rkey(mw->rkey);
	ibv_wr_start(to->ex);
	to->ex->wr_flags = IBV_SEND_SIGNALED;
	to->ex->wr_id = 95;
	ibv_wr_bind_mw(to->ex, mw, rkey, &info);
	complete_wr(to, "bound");
	expect(to->cq, 95, IBV_WC_BIND_MW, &wc);
	post_recv(to, 6, 0, 8);
	ibv_wr_start(from->ex);
	from->ex->wr_id = 96;
	ibv_wr_rdma_write(from->ex, rkey, info.addr);
	ibv_wr_set_sge(from->ex, from->mr->lkey, (uintptr_t)from->buffer, 64);
	from->ex->wr_id = 97;
	ibv_wr_send_inv(from->ex, rkey);
	complete_wr(from, "through the window");
	expect(from->cq, 96, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 97, IBV_WC_SEND, &wc);
	CHECK(!memcmp(to->buffer + 2048, from->buffer, 64), "written");
	if (expect(to->cq, 6, IBV_WC_RECV, &wc))
		CHECK(wc.wc_flags & IBV_WC_WITH_INV && wc.invalidated_rkey == rkey, "%x",
		      wc.wc_flags);
	CHECK(!ibv_dealloc_mw(mw), "ibv_dealloc_mw");
}

static void datagrams(struct rig *rig)
{
	struct end *ends =
		pair_make(rig, &(struct options){.type = IBV_QPT_UD,
						 .send_ops = IBV_QP_EX_WITH_SEND |
							     IBV_QP_EX_WITH_SEND_WITH_IMM});
	struct ibv_ah_attr attr = {
		.is_global = 1,
		.port_num = 1,
		.grh = {.dgid = rig->gid, .sgid_index = rig->gid_index, .hop_limit = 64},
	};
	struct ibv_ah *ah = ibv_create_ah(rig->pd, &attr);
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_wc wc;

	if (!ah)
		vm_die("ibv_create_ah: %s", strerror(errno));
	post_recv(to, 7, 0, 1000);
	ibv_wr_start(from->ex);
	from->ex->wr_flags = IBV_SEND_SIGNALED;
	from->ex->wr_id = 98;
	ibv_wr_send_imm(from->ex, htonl(6));
	ibv_wr_set_ud_addr(from->ex, ah, to->qp->qp_num, QKEY);
	ibv_wr_set_sge(from->ex, from->mr->lkey, (uintptr_t)from->buffer, 300);
	complete_wr(from, "datagram");
	expect(from->cq, 98, IBV_WC_SEND, &wc);
	if (expect(to->cq, 7, IBV_WC_RECV, &wc))
		CHECK(wc.byte_len == 300 + GRH && ntohl(wc.imm_data) == 6 &&
			      !memcmp(to->buffer + GRH, from->buffer, 300),
		      "%u", wc.byte_len);
	CHECK(!ibv_destroy_ah(ah), "ibv_destroy_ah");
	pair_free(ends);
}

void test_wr(struct rig *rig)
{
	struct end *ends =
		pair_make(rig, &(struct options){.type = IBV_QPT_RC, .send_ops = RC_OPS});

	send_messages(&ends[0], &ends[1]);
	access_remote(&ends[0], &ends[1]);
	window(rig, &ends[0], &ends[1]);
	pair_free(ends);
	datagrams(rig);
}

static int too_many(struct end *end)
{
	ibv_wr_start(end->ex);
	for (int i = 0; i < 1000; i++) {
		ibv_wr_send(end->ex);
		ibv_wr_set_inline_data(end->ex, end->buffer, 8);
	}
	return ibv_wr_complete(end->ex);
}

/* After an error none of the requests since ibv_wr_start() is sent. */
void test_wr_refused(struct rig *rig)
{
	struct end *ends =
		pair_make(rig, &(struct options){.type = IBV_QPT_RC, .send_ops = RC_OPS});
	struct end *end = &ends[0];
	struct ibv_sge sges[64] = {{0}};
	struct ibv_qp_init_attr_ex attr = {
		.send_cq = end->cq,
		.recv_cq = end->cq,
		.cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = IBV_QPT_UC,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.pd = rig->pd,
		.send_ops_flags = IBV_QP_EX_WITH_RDMA_READ,
	};
	struct ibv_wc wc;
	int ret;

	end->ex->wr_flags = IBV_SEND_SIGNALED;
	post_recv(&ends[1], 1, 0, 64);
	ibv_wr_start(end->ex);
	end->ex->wr_id = 1;
	ibv_wr_send(end->ex);
	ibv_wr_set_inline_data(end->ex, end->buffer, 8);
	ibv_wr_send(end->ex);
	ibv_wr_set_inline_data(end->ex, end->buffer, BUFFER);
	ret = ibv_wr_complete(end->ex);
	CHECK(ret == EINVAL, "too much inline: %d", ret);
	ibv_wr_start(end->ex);
	ibv_wr_send(end->ex);
	ibv_wr_set_sge_list(end->ex, 64, sges);
	ret = ibv_wr_complete(end->ex);
	CHECK(ret == EINVAL, "too many entries: %d", ret);
	ret = too_many(end);
	CHECK(ret == ENOMEM, "too many requests: %d", ret);
	ibv_wr_start(end->ex);
	ibv_wr_send(end->ex);
	ibv_wr_abort(end->ex);
	ibv_wr_start(end->ex);
	CHECK(!ibv_wr_complete(end->ex), "nothing at all");

	/* None of it was sent. */
	ibv_wr_start(end->ex);
	end->ex->wr_id = 2;
	ibv_wr_send(end->ex);
	ibv_wr_set_inline_data(end->ex, end->buffer, 9);
	complete_wr(end, "after errors");
	expect(end->cq, 2, IBV_WC_SEND, &wc);
	if (expect(ends[1].cq, 1, IBV_WC_RECV, &wc))
		CHECK(wc.byte_len == 9, "%u", wc.byte_len);
	expect_nothing(end->cq);
	CHECK(!ibv_create_qp_ex(rig->context, &attr) && errno == EOPNOTSUPP, "UC does not read");
	attr.send_ops_flags = IBV_QP_EX_WITH_SEND;
	attr.comp_mask |= IBV_QP_INIT_ATTR_CREATE_FLAGS;
	attr.create_flags = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB;
	CHECK(!ibv_create_qp_ex(rig->context, &attr) && errno == EOPNOTSUPP, "flags: %d", errno);
	pair_free(ends);
}

/* Since Linux 6.3. Before, creating the QP is refused. */
void test_atomic_write(struct rig *rig)
{
	const bool there = rig->attr.device_cap_flags_ex & UINT64_C(1) << 40;
	struct options options = {.type = IBV_QPT_RC, .send_ops = IBV_QP_EX_WITH_ATOMIC_WRITE};
	struct ibv_qp_init_attr_ex attr = {
		.cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.pd = rig->pd,
		.send_ops_flags = IBV_QP_EX_WITH_ATOMIC_WRITE,
	};
	uint64_t value = UINT64_C(0x0123456789abcdef);
	struct end *ends;
	struct ibv_wc wc;

	printf("atomic write: %s\n", there ? "yes" : "not with this kernel");
	if (!there) {
		CHECK(!ibv_create_qp_ex(rig->context, &attr) && errno == EOPNOTSUPP, "%d", errno);
		return;
	}
	ends = pair_make(rig, &options);
	ibv_wr_start(ends[0].ex);
	ends[0].ex->wr_flags = IBV_SEND_SIGNALED;
	ends[0].ex->wr_id = 99;
	ibv_wr_atomic_write(ends[0].ex, ends[1].mr->rkey, (uintptr_t)ends[1].buffer + 64, &value);
	complete_wr(&ends[0], "atomic write");
	expect(ends[0].cq, 99, IBV_WC_ATOMIC_WRITE, &wc);
	CHECK(!memcmp(ends[1].buffer + 64, &value, sizeof(value)), "written");
	pair_free(ends);
}
