/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests iWARP: no immediate data, no atomics; but remote invalidation of keys. */
#include <poll.h>

#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

static struct ibv_send_wr request(enum ibv_wr_opcode opcode, uint64_t id, struct ibv_sge *sges,
				  int num_sge)
{
	return (struct ibv_send_wr){
		.wr_id = id,
		.sg_list = sges,
		.num_sge = num_sge,
		.opcode = opcode,
		.send_flags = IBV_SEND_SIGNALED,
	};
}

static void post_remote(struct end *from, struct ibv_send_wr wr, const struct ibv_mr *mr,
			size_t offset)
{
	wr.wr.rdma.remote_addr = (uintptr_t)mr->addr + offset;
	wr.wr.rdma.rkey = mr->rkey;
	post_send(from, &wr);
}

/* Messages with gather and scatter, inline and empty; RDMA write and read. */
void test_iwarp(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *from = &ends[0], *to = &ends[1];
	struct ibv_sge two[2] = {sge_of(from, 0, 100), sge_of(from, 5000, 3000)};
	struct ibv_sge bits[2] = {sge_of(from, 200, 30), sge_of(from, 300, 34)};
	struct ibv_sge scatter[2] = {sge_of(to, 0, 1000), sge_of(to, 4000, 4000)};
	struct ibv_sge out = sge_of(from, 0, 5000), in = sge_of(from, 6000, 5000);
	struct ibv_send_wr wr = request(IBV_WR_SEND, 1, two, 2);
	struct ibv_recv_wr recv = {.wr_id = 11, .sg_list = scatter, .num_sge = 2}, *bad;
	uint8_t kept[64];
	struct ibv_wc wc;

	CHECK(!ibv_post_recv(to->qp, &recv, &bad), "first receive");
	post_recv(to, 12, 9000, 100);
	post_recv(to, 13, 9100, 100);
	post_send(from, &wr);
	memcpy(kept, from->buffer + 200, 30);
	memcpy(kept + 30, from->buffer + 300, 34);
	wr = request(IBV_WR_SEND, 2, bits, 2);
	wr.send_flags |= IBV_SEND_INLINE | IBV_SEND_SOLICITED;
	post_send(from, &wr);
	memset(from->buffer + 200, 0, 30);
	memset(from->buffer + 300, 0, 34);
	/* Not signalled. */
	wr = request(IBV_WR_SEND, 3, NULL, 0);
	wr.send_flags = 0;
	post_send(from, &wr);
	if (expect(to->cq, 11, IBV_WC_RECV, &wc)) {
		CHECK(wc.byte_len == 3100 && wc.qp_num == to->qp->qp_num, "%u", wc.byte_len);
		CHECK(!memcmp(to->buffer, from->buffer, 100) &&
			      !memcmp(to->buffer + 100, from->buffer + 5000, 900) &&
			      !memcmp(to->buffer + 4000, from->buffer + 5900, 2100),
		      "gathered and scattered");
	}
	if (expect(to->cq, 12, IBV_WC_RECV, &wc))
		CHECK(wc.byte_len == 64 && !memcmp(to->buffer + 9000, kept, 64),
		      "what was there when posted");
	if (expect(to->cq, 13, IBV_WC_RECV, &wc))
		CHECK(!wc.byte_len, "%u", wc.byte_len);
	expect(from->cq, 1, IBV_WC_SEND, &wc);
	expect(from->cq, 2, IBV_WC_SEND, &wc);

	post_remote(from, request(IBV_WR_RDMA_WRITE, 4, &out, 1), to->mr, 1000);
	wr = request(IBV_WR_RDMA_READ, 5, &in, 1);
	wr.send_flags |= IBV_SEND_FENCE;
	post_remote(from, wr, to->mr, 1000);
	expect(from->cq, 4, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 5, IBV_WC_RDMA_READ, &wc);
	CHECK(!memcmp(to->buffer + 1000, from->buffer, 5000), "written");
	CHECK(!memcmp(from->buffer + 6000, from->buffer, 5000), "read back");
	expect_nothing(from->cq);
	expect_nothing(to->cq);

	/* Beyond the region: the connection ends, and pending requests are flushed. */
	post_recv(from, 6, 0, 64);
	post_remote(from, request(IBV_WR_RDMA_READ, 7, &in, 1), to->mr, BUFFER);
	for (int i = 0; i < 2; i++) {
		const uint64_t limit = vm_now_us() + 10000000;
		int ret;

		while (!(ret = ibv_poll_cq(from->cq, 1, &wc)) && vm_now_us() < limit)
			;
		CHECK(ret == 1 && wc.status != IBV_WC_SUCCESS && wc.wr_id >= 6, "%d, status %d",
		      ret, wc.status);
	}
	pair_free(ends);
}

/* A message that invalidates the key of a region at the other side. */
void test_invalidate(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct end *from = &ends[0], *to = &ends[1];
	static uint8_t memory[4096];
	struct ibv_mr *mr = ibv_reg_mr(rig->pd, memory, sizeof(memory),
				       IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	struct ibv_sge sge = sge_of(from, 0, 100);
	struct ibv_send_wr wr = request(IBV_WR_SEND_WITH_INV, 2, &sge, 1), *bad;
	struct ibv_wc wc;
	int ret;

	if (!mr)
		vm_die("no MR: %s", strerror(errno));
	post_remote(from, request(IBV_WR_RDMA_WRITE, 1, &sge, 1), mr, 0);
	expect(from->cq, 1, IBV_WC_RDMA_WRITE, &wc);
	post_recv(to, 11, 0, 200);
	post_recv(to, 12, 0, 200);
	wr.invalidate_rkey = mr->rkey;
	post_send(from, &wr);
	expect(from->cq, 2, IBV_WC_SEND, &wc);
	if (expect(to->cq, 11, IBV_WC_RECV, &wc))
		CHECK(wc.byte_len == 100 && !memcmp(memory, from->buffer, 100), "%u", wc.byte_len);
	/* Refused, because the kernel would end the connection. */
	wr.send_flags |= IBV_SEND_INLINE;
	ret = ibv_post_send(from->qp, &wr, &bad);
	CHECK(ret == EINVAL && bad == &wr, "inline: %d", ret);

	/* A write with the invalid key: the other side ends the connection and flushes its receive. */
	post_remote(from, request(IBV_WR_RDMA_WRITE, 3, &sge, 1), mr, 200);
	expect_status(to->cq, 12, IBV_WC_WR_FLUSH_ERR);
	CHECK(memory[200] == 0 && memory[201] == 0, "written to with a key that was taken back");
	pair_free(ends);
	ret = ibv_dereg_mr(mr);
	CHECK(!ret, "ibv_dereg_mr: %s", strerror(ret));
}

void test_iwarp_srq(struct rig *rig)
{
	struct ibv_srq_init_attr init = {.attr = {.max_wr = 8, .max_sge = 2}};
	struct ibv_srq *srq = ibv_create_srq(rig->pd, &init);
	struct ibv_srq_attr attr = {.srq_limit = 3};
	struct pollfd poll_fd = {.fd = rig->context->async_fd, .events = POLLIN};
	struct ibv_async_event event;
	struct ibv_recv_wr wr = {.num_sge = 1}, *bad = NULL;
	struct ibv_sge sge;
	struct ibv_wc wc;
	struct end *ends;
	unsigned int room = 0;
	int ret;

	if (!srq)
		vm_die("ibv_create_srq: %s", strerror(errno));
	ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC, .srq = srq});
	wr.sg_list = &sge;
	while (room < 1000) {
		sge = sge_of(&ends[1], 8192 + (room % 8) * 256, 256);
		wr.wr_id = 100 + room;
		ret = ibv_post_srq_recv(srq, &wr, &bad);
		if (ret)
			break;
		room++;
	}
	CHECK(ret == ENOMEM && bad == &wr && room >= 8 && room == init.attr.max_wr,
	      "%d after %u of %u", ret, room, init.attr.max_wr);
	ret = ibv_post_recv(ends[1].qp, &wr, &bad);
	CHECK(ret == EINVAL, "to the QP's own queue: %d", ret);
	ret = ibv_modify_srq(srq, &attr, IBV_SRQ_LIMIT);
	CHECK(!ret, "limit: %s", strerror(ret));
	ret = ibv_query_srq(srq, &attr);
	CHECK(!ret && attr.max_wr == init.attr.max_wr && attr.srq_limit == 3, "%d: %u, %u", ret,
	      attr.max_wr, attr.srq_limit);
	/* Twice around the ring: each freed element is posted again at once. */
	for (uint64_t i = 0; i < 16; i++) {
		send_simple(&ends[0], i, i * 16, 200);
		expect(ends[0].cq, i, IBV_WC_SEND, &wc);
		if (!expect(ends[1].cq, 100 + i, IBV_WC_RECV, &wc))
			break;
		CHECK(wc.qp_num == ends[1].qp->qp_num, "%u", wc.qp_num);
		CHECK(!memcmp(ends[1].buffer + 8192 + (i % 8) * 256, ends[0].buffer + i * 16, 200),
		      "message %" PRIu64, i);
		sge = sge_of(&ends[1], 8192 + (i % 8) * 256, 256);
		wr.wr_id = 100 + room + i;
		ret = i < 8 ? ibv_post_srq_recv(srq, &wr, &bad) : 0;
		CHECK(!ret, "ibv_post_srq_recv: %s", strerror(ret));
	}
	CHECK(poll(&poll_fd, 1, 10000) == 1, "no event of the limit");
	if (poll_fd.revents & POLLIN && !ibv_get_async_event(rig->context, &event)) {
		CHECK(event.event_type == IBV_EVENT_SRQ_LIMIT_REACHED && event.element.srq == srq,
		      "event %d", event.event_type);
		ibv_ack_async_event(&event);
	}
	pair_free(ends);
	ret = ibv_destroy_srq(srq);
	CHECK(!ret, "ibv_destroy_srq: %s", strerror(ret));
}
