/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests RC and UC: messages, remote memory, atomics, windows. */
#include <arpa/inet.h>

#include "t/vm/verbs/cm.h"
#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

/* Posts a list of three requests, with gather and scatter and one inline; two are signalled. */
void test_rc(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_sge two[2] = {sge_of(from, 0, 100), sge_of(from, 5000, 3000)};
	struct ibv_sge one = sge_of(from, 200, 48), none = sge_of(from, 0, 0);
	struct ibv_sge scatter[2] = {sge_of(to, 0, 1000), sge_of(to, 4000, 4000)};
	struct ibv_send_wr third = {.wr_id = 13,
				    .sg_list = &none,
				    .num_sge = 1,
				    .opcode = IBV_WR_SEND_WITH_IMM,
				    .send_flags = IBV_SEND_SIGNALED | IBV_SEND_SOLICITED,
				    .imm_data = htonl(0xdecade)};
	struct ibv_send_wr second = {.wr_id = 12,
				     .next = &third,
				     .sg_list = &one,
				     .num_sge = 1,
				     .opcode = IBV_WR_SEND,
				     .send_flags = IBV_SEND_INLINE};
	struct ibv_send_wr first = {.wr_id = 11,
				    .next = &second,
				    .sg_list = two,
				    .num_sge = 2,
				    .opcode = IBV_WR_SEND,
				    .send_flags = IBV_SEND_SIGNALED};
	struct ibv_recv_wr recv = {.wr_id = 1, .sg_list = scatter, .num_sge = 2}, *bad;
	struct ibv_wc wc;
	uint8_t inline_data[48];

	memcpy(inline_data, from->buffer + 200, sizeof(inline_data));
	CHECK(!ibv_post_recv(to->qp, &recv, &bad), "first receive");
	post_recv(to, 2, 9000, 100);
	post_recv(to, 3, 9100, 100);
	post_send(from, &first);
	memset(from->buffer + 200, 0, 48);
	if (expect(to->cq, 1, IBV_WC_RECV, &wc)) {
		CHECK(wc.byte_len == 3100, "%u", wc.byte_len);
		CHECK(wc.qp_num == to->qp->qp_num, "%u", wc.qp_num);
		CHECK(!(wc.wc_flags & (IBV_WC_WITH_IMM | IBV_WC_WITH_INV)), "%x", wc.wc_flags);
		CHECK(!memcmp(to->buffer, from->buffer, 100), "100 bytes");
		CHECK(!memcmp(to->buffer + 100, from->buffer + 5000, 900), "900 bytes");
		CHECK(!memcmp(to->buffer + 4000, from->buffer + 5900, 2100), "2100 bytes");
	}
	if (expect(to->cq, 2, IBV_WC_RECV, &wc)) {
		CHECK(wc.byte_len == 48, "%u", wc.byte_len);
		CHECK(!memcmp(to->buffer + 9000, inline_data, 48), "what was there when posted");
	}
	if (expect(to->cq, 3, IBV_WC_RECV, &wc)) {
		CHECK(!wc.byte_len, "%u", wc.byte_len);
		CHECK(wc.wc_flags & IBV_WC_WITH_IMM && ntohl(wc.imm_data) == 0xdecade, "%x %x",
		      wc.wc_flags, ntohl(wc.imm_data));
	}
	expect(from->cq, 11, IBV_WC_SEND, &wc);
	expect(from->cq, 13, IBV_WC_SEND, &wc);
	expect_nothing(from->cq);
	expect_nothing(to->cq);
	pair_free(ends);
}

static struct ibv_send_wr remote_wr(enum ibv_wr_opcode opcode, uint64_t id, struct ibv_sge *sge,
				    const struct end *to, size_t offset)
{
	return (struct ibv_send_wr){
		.wr_id = id,
		.sg_list = sge,
		.num_sge = 1,
		.opcode = opcode,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.rdma = {.remote_addr = (uintptr_t)to->buffer + offset, .rkey = to->mr->rkey},
	};
}

void test_rdma(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_sge out = sge_of(from, 0, 5000), in = sge_of(from, 6000, 5000);
	struct ibv_send_wr write = remote_wr(IBV_WR_RDMA_WRITE, 21, &out, to, 1000);
	struct ibv_send_wr imm = remote_wr(IBV_WR_RDMA_WRITE_WITH_IMM, 22, &out, to, 8000);
	struct ibv_send_wr read = remote_wr(IBV_WR_RDMA_READ, 23, &in, to, 1000);
	struct ibv_wc wc;

	imm.imm_data = htonl(77);
	write.next = &imm;
	imm.next = &read;
	read.send_flags |= IBV_SEND_FENCE;
	post_recv(to, 5, 15000, 10);
	post_send(from, &write);
	expect(from->cq, 21, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 22, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 23, IBV_WC_RDMA_READ, &wc);
	CHECK(!memcmp(to->buffer + 1000, from->buffer, 5000), "written");
	CHECK(!memcmp(to->buffer + 8000, from->buffer, 5000), "written with a word");
	CHECK(!memcmp(from->buffer + 6000, from->buffer, 5000), "read back");
	if (expect(to->cq, 5, IBV_WC_RECV_RDMA_WITH_IMM, &wc)) {
		CHECK(wc.byte_len == 5000, "%u", wc.byte_len);
		CHECK(wc.wc_flags & IBV_WC_WITH_IMM && ntohl(wc.imm_data) == 77, "%x", wc.wc_flags);
	}

	/* Beyond the region: an error, after which the QP is in the error state. */
	read.wr.rdma.remote_addr = (uintptr_t)to->buffer + BUFFER;
	post_send(from, &read);
	expect_status(from->cq, 23, IBV_WC_REM_ACCESS_ERR);
	pair_free(ends);
}

void test_atomic(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC, .sig_all = 1});
	struct end *from = &ends[0], *to = &ends[1];
	uint64_t *there = (uint64_t *)(void *)(to->buffer + 512);
	uint64_t *back = (uint64_t *)(void *)from->buffer;
	struct ibv_sge sges[3] = {sge_of(from, 0, 8), sge_of(from, 8, 8), sge_of(from, 16, 8)};
	struct ibv_send_wr wrs[3];
	struct ibv_wc wc;

	*there = 1000;
	for (int i = 0; i < 3; i++)
		wrs[i] = (struct ibv_send_wr){
			.wr_id = 30 + (uint64_t)i,
			.next = i < 2 ? &wrs[i + 1] : NULL,
			.sg_list = &sges[i],
			.num_sge = 1,
			.opcode = i ? IBV_WR_ATOMIC_CMP_AND_SWP : IBV_WR_ATOMIC_FETCH_AND_ADD,
			.wr.atomic = {.remote_addr = (uintptr_t)there,
				      .compare_add = i == 1 ? 1234 : 234,
				      .swap = 5555,
				      .rkey = to->mr->rkey},
		};
	post_send(from, wrs);
	expect(from->cq, 30, IBV_WC_FETCH_ADD, &wc);
	expect(from->cq, 31, IBV_WC_COMP_SWAP, &wc);
	expect(from->cq, 32, IBV_WC_COMP_SWAP, &wc);
	CHECK(back[0] == 1000 && back[1] == 1234 && back[2] == 5555,
	      "%" PRIu64 " %" PRIu64 " %" PRIu64, back[0], back[1], back[2]);
	CHECK(*there == 5555, "%" PRIu64, *there);
	pair_free(ends);
}

static bool write_through(struct end *from, struct end *to, uint32_t rkey, uint64_t id)
{
	struct ibv_sge sge = sge_of(from, 0, 64);
	struct ibv_send_wr wr = remote_wr(IBV_WR_RDMA_WRITE, id, &sge, to, 2048);
	struct ibv_wc wc;

	memset(to->buffer + 2048, 0, 64);
	wr.wr.rdma.rkey = rkey;
	post_send(from, &wr);
	return expect(from->cq, id, IBV_WC_RDMA_WRITE, &wc) &&
	       !memcmp(to->buffer + 2048, from->buffer, 64);
}

static void window_type_1(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_mw *mw = ibv_alloc_mw(rig->pd, IBV_MW_TYPE_1);
	struct ibv_mw_bind bind = {
		.wr_id = 40,
		.send_flags = IBV_SEND_SIGNALED,
		.bind_info = {.mr = to->mr,
			      .addr = (uintptr_t)to->buffer + 2048,
			      .length = 64,
			      .mw_access_flags = IBV_ACCESS_REMOTE_WRITE},
	};
	struct ibv_wc wc;
	uint32_t old;
	int ret;

	if (!mw)
		vm_die("ibv_alloc_mw: %s", strerror(errno));
	old = mw->rkey;
	for (int i = 0; i < 2; i++) {
		ret = ibv_bind_mw(to->qp, mw, &bind);
		CHECK(!ret, "ibv_bind_mw: %s", strerror(ret));
		expect(to->cq, 40, IBV_WC_BIND_MW, &wc);
		CHECK(mw->rkey != old && mw->rkey >> 8 == old >> 8, "%x after %x", mw->rkey, old);
		CHECK(write_through(from, to, mw->rkey, 41), "through the window");
		old = mw->rkey;
	}
	ret = ibv_dealloc_mw(mw);
	CHECK(!ret, "ibv_dealloc_mw: %s", strerror(ret));
	{
		struct ibv_sge sge = sge_of(from, 0, 64);
		struct ibv_send_wr wr = remote_wr(IBV_WR_RDMA_WRITE, 42, &sge, to, 2048);

		wr.wr.rdma.rkey = old;
		post_send(from, &wr);
		expect_status(from->cq, 42, IBV_WC_REM_ACCESS_ERR);
	}
	pair_free(ends);
}

static void window_type_2(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_mw *mw = ibv_alloc_mw(rig->pd, IBV_MW_TYPE_2);
	struct ibv_sge sge = sge_of(from, 0, 8);
	struct ibv_send_wr bind = {
		.wr_id = 45,
		.opcode = IBV_WR_BIND_MW,
		.send_flags = IBV_SEND_SIGNALED,
		.bind_mw = {.mw = mw,
			    .bind_info = {.mr = to->mr,
					  .addr = (uintptr_t)to->buffer + 2048,
					  .length = 64,
					  .mw_access_flags = IBV_ACCESS_REMOTE_WRITE}},
	};
	struct ibv_send_wr invalidate = {
		.wr_id = 46, .opcode = IBV_WR_LOCAL_INV, .send_flags = IBV_SEND_SIGNALED};
	struct ibv_send_wr send_inv = {.wr_id = 47,
				       .sg_list = &sge,
				       .num_sge = 1,
				       .opcode = IBV_WR_SEND_WITH_INV,
				       .send_flags = IBV_SEND_SIGNALED};
	struct ibv_wc wc;

	if (!mw)
		vm_die("ibv_alloc_mw: %s", strerror(errno));
	bind.bind_mw.rkey = ibv_inc_rkey(mw->rkey);
	post_send(to, &bind);
	expect(to->cq, 45, IBV_WC_BIND_MW, &wc);
	mw->rkey = bind.bind_mw.rkey;
	CHECK(write_through(from, to, mw->rkey, 48), "through the window");
	invalidate.invalidate_rkey = mw->rkey;
	post_send(to, &invalidate);
	expect(to->cq, 46, IBV_WC_LOCAL_INV, &wc);

	bind.bind_mw.rkey = ibv_inc_rkey(mw->rkey);
	post_send(to, &bind);
	expect(to->cq, 45, IBV_WC_BIND_MW, &wc);
	mw->rkey = bind.bind_mw.rkey;
	post_recv(to, 4, 0, 64);
	send_inv.invalidate_rkey = mw->rkey;
	post_send(from, &send_inv);
	if (expect(to->cq, 4, IBV_WC_RECV, &wc)) {
		CHECK(wc.wc_flags & IBV_WC_WITH_INV, "%x", wc.wc_flags);
		CHECK(!(wc.wc_flags & IBV_WC_IP_CSUM_OK), "%x", wc.wc_flags);
		CHECK(wc.invalidated_rkey == mw->rkey, "%x", wc.invalidated_rkey);
	}
	expect(from->cq, 47, IBV_WC_SEND, &wc);
	CHECK(!ibv_dealloc_mw(mw), "ibv_dealloc_mw");
	pair_free(ends);
}

void test_window(struct rig *rig)
{
	window_type_1(rig);
	window_type_2(rig);
}

void test_uc(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_UC});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_sge sge = sge_of(from, 0, 4000);
	struct ibv_send_wr write = remote_wr(IBV_WR_RDMA_WRITE, 51, &sge, to, 4096);
	struct ibv_send_wr imm = remote_wr(IBV_WR_RDMA_WRITE_WITH_IMM, 52, &sge, to, 8192);
	struct ibv_send_wr read = remote_wr(IBV_WR_RDMA_READ, 53, &sge, to, 0), *bad = NULL;
	struct ibv_wc wc;

	post_recv(to, 6, 0, 4096);
	post_recv(to, 7, 15000, 8);
	send_simple(from, 50, 0, 4000);
	expect(from->cq, 50, IBV_WC_SEND, &wc);
	if (expect(to->cq, 6, IBV_WC_RECV, &wc))
		CHECK(wc.byte_len == 4000 && !memcmp(to->buffer, from->buffer, 4000), "sent");
	write.next = &imm;
	imm.imm_data = htonl(99);
	post_send(from, &write);
	expect(from->cq, 51, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 52, IBV_WC_RDMA_WRITE, &wc);
	if (expect(to->cq, 7, IBV_WC_RECV_RDMA_WITH_IMM, &wc))
		CHECK(ntohl(wc.imm_data) == 99, "%u", ntohl(wc.imm_data));
	CHECK(!memcmp(to->buffer + 4096, from->buffer, 4000), "written");
	CHECK(!memcmp(to->buffer + 8192, from->buffer, 4000), "written with a word");
	CHECK(ibv_post_send(from->qp, &read, &bad) == EINVAL && bad == &read, "UC does not read");
	pair_free(ends);
}
