/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests CQs and SRQs: extended polling, events, resizing, full queues. */
#include <arpa/inet.h>
#include <poll.h>

#include "t/lib/hang.h"
#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

static void post_srq(struct ibv_srq *srq, struct end *end, uint64_t id, size_t offset)
{
	struct ibv_sge sge = sge_of(end, offset, 256);
	struct ibv_recv_wr wr = {.wr_id = id, .sg_list = &sge, .num_sge = 1}, *bad;
	int ret = ibv_post_srq_recv(srq, &wr, &bad);

	CHECK(!ret, "ibv_post_srq_recv: %s", strerror(ret));
}

void test_srq(struct rig *rig)
{
	struct ibv_srq_init_attr init = {.attr = {.max_wr = 8, .max_sge = 2}};
	struct ibv_srq *srq = ibv_create_srq(rig->pd, &init);
	struct ibv_srq_attr attr = {.srq_limit = 3};
	struct ibv_async_event event;
	struct ibv_wc wc;
	struct end *ends;
	uint32_t number = 0;
	int ret;

	if (!srq)
		vm_die("ibv_create_srq: %s", strerror(errno));
	ret = ibv_get_srq_num(srq, &number);
	CHECK(!ret && number, "ibv_get_srq_num: %d, %u", ret, number);
	ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC, .srq = srq});
	for (uint64_t i = 0; i < 4; i++)
		post_srq(srq, &ends[1], 100 + i, 8192 + i * 256);

	/* Enlarge it while it has requests: they must stay, in order. */
	attr.max_wr = 100;
	ret = ibv_modify_srq(srq, &attr, IBV_SRQ_MAX_WR);
	CHECK(!ret, "resized: %s", strerror(ret));
	attr.max_wr = 2;
	CHECK(ibv_modify_srq(srq, &attr, IBV_SRQ_MAX_WR), "smaller than what is in it");
	ret = ibv_query_srq(srq, &attr);
	CHECK(!ret && attr.max_wr >= 100, "%u requests", attr.max_wr);
	attr.srq_limit = 3;
	ret = ibv_modify_srq(srq, &attr, IBV_SRQ_LIMIT);
	CHECK(!ret, "limit: %s", strerror(ret));
	for (uint64_t i = 4; i < 20; i++)
		post_srq(srq, &ends[1], 100 + i, 8192 + i * 256);
	for (uint64_t i = 0; i < 20; i++) {
		send_simple(&ends[0], i, i * 16, 200);
		expect(ends[0].cq, i, IBV_WC_SEND, &wc);
		if (expect(ends[1].cq, 100 + i, IBV_WC_RECV, &wc))
			CHECK(!memcmp(ends[1].buffer + 8192 + i * 256, ends[0].buffer + i * 16,
				      200),
			      "message %" PRIu64, i);
	}
	ret = ibv_get_async_event(rig->context, &event);
	CHECK(!ret && event.event_type == IBV_EVENT_SRQ_LIMIT_REACHED && event.element.srq == srq,
	      "%d, event %d", ret, event.event_type);
	if (!ret)
		ibv_ack_async_event(&event);
	CHECK(ibv_destroy_srq(srq), "destroyed while QPs use it");
	pair_free(ends);
	ret = ibv_destroy_srq(srq);
	CHECK(!ret, "ibv_destroy_srq: %s", strerror(ret));
}

void test_cq_ex(struct rig *rig)
{
	struct ibv_cq_init_attr_ex attr = {
		.cqe = 64, .wc_flags = IBV_WC_STANDARD_FLAGS, .cq_context = rig};
	struct ibv_poll_cq_attr poll_attr = {0}, bad_attr = {.comp_mask = 1};
	struct ibv_cq_ex *cq = ibv_create_cq_ex(rig->context, &attr);
	unsigned int sent = 0, received = 0;
	struct end *ends;
	int ret;

	if (!cq)
		vm_die("ibv_create_cq_ex: %s", strerror(errno));
	ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC, .cq = ibv_cq_ex_to_cq(cq)});
	CHECK(ibv_start_poll(cq, &poll_attr) == ENOENT, "empty");
	CHECK(ibv_start_poll(cq, &bad_attr) == EINVAL, "unknown attributes");
	for (uint64_t i = 0; i < 4; i++)
		post_recv(&ends[1], 100 + i, i * 256, 256);
	for (uint64_t i = 0; i < 4; i++) {
		struct ibv_sge sge = sge_of(&ends[0], 0, (uint32_t)(10 * i));
		struct ibv_send_wr wr = {.wr_id = i,
					 .sg_list = &sge,
					 .num_sge = 1,
					 .opcode = rig->iwarp ? IBV_WR_SEND : IBV_WR_SEND_WITH_IMM,
					 .send_flags = IBV_SEND_SIGNALED,
					 .imm_data = htonl((uint32_t)i)};

		post_send(&ends[0], &wr);
	}
	for (const uint64_t limit = vm_now_us() + 10000000;
	     sent + received < 8 && vm_now_us() < limit;) {
		ret = ibv_start_poll(cq, &poll_attr);
		if (ret == ENOENT)
			continue;
		CHECK(!ret, "ibv_start_poll: %s", strerror(ret));
		do {
			CHECK(cq->status == IBV_WC_SUCCESS, "%d", cq->status);
			if (ibv_wc_read_opcode(cq) == IBV_WC_SEND) {
				CHECK(cq->wr_id == sent, "%" PRIu64, cq->wr_id);
				CHECK(ibv_wc_read_qp_num(cq) == ends[0].qp->qp_num, "sender");
				sent++;
				continue;
			}
			CHECK(ibv_wc_read_opcode(cq) == IBV_WC_RECV, "opcode");
			CHECK(cq->wr_id == 100 + received, "%" PRIu64, cq->wr_id);
			CHECK(ibv_wc_read_byte_len(cq) == 10 * received, "length");
			CHECK(rig->iwarp || ntohl(ibv_wc_read_imm_data(cq)) == received, "word");
			CHECK(rig->iwarp || ibv_wc_read_wc_flags(cq) & IBV_WC_WITH_IMM, "flags");
			CHECK(ibv_wc_read_qp_num(cq) == ends[1].qp->qp_num, "receiver");
			CHECK(!ibv_wc_read_vendor_err(cq) && !ibv_wc_read_slid(cq) &&
				      !ibv_wc_read_sl(cq) && !ibv_wc_read_dlid_path_bits(cq) &&
				      !ibv_wc_read_src_qp(cq),
			      "nothing else");
			received++;
		} while (!ibv_next_poll(cq));
		ibv_end_poll(cq);
	}
	CHECK(sent == 4 && received == 4, "%u sent, %u received", sent, received);
	CHECK(ibv_start_poll(cq, &poll_attr) == ENOENT, "empty again");
	/* ibv_poll_cq() works on it as well. */
	post_recv(&ends[1], 1, 0, 64);
	send_simple(&ends[0], 2, 0, 64);
	for (int i = 0; i < 2; i++) {
		struct ibv_wc wc;
		const uint64_t limit = vm_now_us() + 10000000;

		while (!(ret = ibv_poll_cq(ibv_cq_ex_to_cq(cq), 1, &wc)) && vm_now_us() < limit)
			;
		CHECK(ret == 1 && wc.status == IBV_WC_SUCCESS, "%d", ret);
	}
	pair_free(ends);
	ret = ibv_destroy_cq(ibv_cq_ex_to_cq(cq));
	CHECK(!ret, "ibv_destroy_cq: %s", strerror(ret));
	attr.wc_flags = IBV_WC_EX_WITH_COMPLETION_TIMESTAMP;
	CHECK(!ibv_create_cq_ex(rig->context, &attr) && errno == EOPNOTSUPP, "no timestamps");
}

static bool is_fd_readable(int fd, int timeout)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	return poll(&poll_fd, 1, timeout) == 1;
}

static void take_comp_event(struct ibv_comp_channel *channel, struct ibv_cq *cq, void *context)
{
	struct ibv_cq *event_cq = NULL;
	void *event_context = NULL;
	int ret;

	if (!is_fd_readable(channel->fd, HF_TEST_HANG_MS)) {
		vm_error("no event");
		return;
	}
	ret = ibv_get_cq_event(channel, &event_cq, &event_context);
	CHECK(!ret && event_cq == cq && event_context == context, "%d", ret);
	if (!ret)
		ibv_ack_cq_events(cq, 1);
}

void test_events(struct rig *rig)
{
	struct ibv_comp_channel *channel = ibv_create_comp_channel(rig->context);
	struct ibv_send_wr solicited;
	struct ibv_sge sge;
	struct ibv_cq *cq;
	struct end *ends;
	struct ibv_wc wc;
	int ret;

	if (!channel)
		vm_die("ibv_create_comp_channel: %s", strerror(errno));
	cq = ibv_create_cq(rig->context, 64, rig, channel, 0);
	if (!cq)
		vm_die("ibv_create_cq: %s", strerror(errno));
	ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC, .cq = cq});
	for (uint64_t i = 0; i < 3; i++)
		post_recv(&ends[1], 100 + i, 0, 64);

	CHECK(!ibv_req_notify_cq(cq, 0), "armed");
	send_simple(&ends[0], 1, 0, 64);
	take_comp_event(channel, cq, rig);
	for (int i = 0; i < 2; i++) {
		const uint64_t limit = vm_now_us() + 10000000;

		while (!(ret = ibv_poll_cq(cq, 1, &wc)) && vm_now_us() < limit)
			;
		CHECK(ret == 1 && wc.status == IBV_WC_SUCCESS, "%d", ret);
	}

	/* Armed for solicited completions: the first message makes no event, the second does. */
	CHECK(!ibv_req_notify_cq(cq, 1), "armed");
	send_simple(&ends[0], 2, 0, 64);
	CHECK(!is_fd_readable(channel->fd, 300), "an event for one that is not solicited");
	sge = sge_of(&ends[0], 0, 64);
	solicited = (struct ibv_send_wr){.wr_id = 3,
					 .sg_list = &sge,
					 .num_sge = 1,
					 .opcode = IBV_WR_SEND,
					 .send_flags = IBV_SEND_SIGNALED | IBV_SEND_SOLICITED};
	post_send(&ends[0], &solicited);
	take_comp_event(channel, cq, rig);
	CHECK(!is_fd_readable(channel->fd, 100), "one event only");
	pair_free(ends);
	ret = ibv_destroy_cq(cq);
	CHECK(!ret, "ibv_destroy_cq: %s", strerror(ret));
	ret = ibv_destroy_comp_channel(channel);
	CHECK(!ret, "ibv_destroy_comp_channel: %s", strerror(ret));
}

/* Resizes a CQ with completions in it many times. */
void test_resize(struct rig *rig)
{
	struct end *ends = pair_make(rig, &(struct options){.type = IBV_QPT_RC});
	struct ibv_cq *cq = ends[0].cq;
	uint64_t id = 0, polled = 0;
	struct ibv_wc wc;
	int ret;

	for (int round = 0; round < 10; round++) {
		for (int i = 0; i < 8; i++, id++) {
			post_recv(&ends[1], id, 0, 64);
			send_simple(&ends[0], id, 0, 64);
			expect(ends[1].cq, id, IBV_WC_RECV, &wc);
		}
		ret = ibv_resize_cq(cq, round % 2 ? 40 : 300);
		CHECK(!ret, "ibv_resize_cq: %s", strerror(ret));
		CHECK(cq->cqe >= (round % 2 ? 40 : 300), "%d", cq->cqe);
		for (int i = 0; i < 6; i++)
			expect(cq, polled++, IBV_WC_SEND, &wc);
	}
	for (; polled < id; polled++)
		expect(cq, polled, IBV_WC_SEND, &wc);
	expect_nothing(cq);
	CHECK(ibv_resize_cq(cq, 0), "to nothing");
	pair_free(ends);
}
