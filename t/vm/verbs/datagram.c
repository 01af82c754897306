/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests UD, with and without multicast. */
#include <arpa/inet.h>

#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

static struct ibv_ah *make_ah(struct rig *rig, const union ibv_gid *gid)
{
	struct ibv_ah_attr attr = {
		.is_global = 1,
		.port_num = 1,
		.grh = {.dgid = *gid, .sgid_index = rig->gid_index, .hop_limit = 64},
	};
	struct ibv_ah *ah = ibv_create_ah(rig->pd, &attr);

	if (!ah)
		vm_die("ibv_create_ah: %s", strerror(errno));
	return ah;
}

void test_ud(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_UD});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_ah *ah = make_ah(rig, &rig->gid), *back;
	struct ibv_sge sge = sge_of(from, 0, 500);
	struct ibv_send_wr wr = {
		.wr_id = 60,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND_WITH_IMM,
		.send_flags = IBV_SEND_SIGNALED,
		.imm_data = htonl(4711),
		.wr.ud = {.ah = ah, .remote_qpn = to->qp->qp_num, .remote_qkey = QKEY},
	};
	struct ibv_wc wc;

	post_recv(to, 8, 0, 1000);
	post_send(from, &wr);
	expect(from->cq, 60, IBV_WC_SEND, &wc);
	if (expect(to->cq, 8, IBV_WC_RECV, &wc)) {
		CHECK(wc.byte_len == 500 + GRH, "%u", wc.byte_len);
		CHECK(wc.wc_flags & IBV_WC_GRH && wc.wc_flags & IBV_WC_WITH_IMM, "%x", wc.wc_flags);
		CHECK(ntohl(wc.imm_data) == 4711, "%u", ntohl(wc.imm_data));
		CHECK(wc.src_qp == from->qp->qp_num, "%u", wc.src_qp);
		CHECK(!memcmp(to->buffer + GRH, from->buffer, 500), "data");
		back = ibv_create_ah_from_wc(rig->pd, &wc, (struct ibv_grh *)(void *)to->buffer, 1);
		CHECK(back, "ibv_create_ah_from_wc: %s", strerror(errno));
		if (back) {
			wr.wr.ud.ah = back;
			wr.wr.ud.remote_qpn = from->qp->qp_num;
			sge = sge_of(to, 2000, 100);
			post_recv(from, 9, 4000, 1000);
			post_send(to, &wr);
			expect(to->cq, 60, IBV_WC_SEND, &wc);
			expect(from->cq, 9, IBV_WC_RECV, &wc);
			CHECK(!memcmp(from->buffer + 4000 + GRH, to->buffer + 2000, 100), "answer");
			CHECK(!ibv_destroy_ah(back), "ibv_destroy_ah");
		}
	}
	CHECK(!ibv_destroy_ah(ah), "ibv_destroy_ah");
	pair_free(ends);
}

void test_multicast(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_UD});
	struct end *from = &ends[0], *to = &ends[1];
	/* 239.1.2.3 as a GID of RoCE v2 */
	const union ibv_gid group = {.raw = {[10] = 0xff, 0xff, 239, 1, 2, 3}};
	struct ibv_ah *ah = make_ah(rig, &group);
	struct ibv_sge sge = sge_of(from, 0, 200);
	struct ibv_send_wr wr = {
		.wr_id = 62,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
		.wr.ud = {.ah = ah, .remote_qpn = 0xffffff, .remote_qkey = QKEY},
	};
	struct ibv_wc wc;
	int ret;

	ret = ibv_attach_mcast(to->qp, &group, 0xc000);
	CHECK(!ret, "ibv_attach_mcast: %s", strerror(ret));
	/* Multicast does not return to the sending device: only the send completion is checked. */
	post_send(from, &wr);
	expect(from->cq, 62, IBV_WC_SEND, &wc);
	ret = ibv_detach_mcast(to->qp, &group, 0xc000);
	CHECK(!ret, "ibv_detach_mcast: %s", strerror(ret));
	CHECK(ibv_detach_mcast(to->qp, &group, 0xc000), "twice");
	CHECK(!ibv_destroy_ah(ah), "ibv_destroy_ah");
	pair_free(ends);
}
