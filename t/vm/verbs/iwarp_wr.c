/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests the ibv_wr_* calls that iWARP supports. */
#include "t/vm/verbs/rig.h"
#include "t/vm/verbs/tests.h"

static const uint64_t ALL_OPS = IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_INV |
				IBV_QP_EX_WITH_RDMA_WRITE | IBV_QP_EX_WITH_RDMA_READ;

static void begin_iwarp_wr(struct end *end, uint64_t id, unsigned int flags)
{
	end->ex->wr_id = id;
	end->ex->wr_flags = flags;
}

static void complete_iwarp_wr(struct end *end, const char *what)
{
	int ret = ibv_wr_complete(end->ex);

	CHECK(!ret, "%s: %s", what, strerror(ret));
}

static void send_iwarp_messages(struct end *from, struct end *to)
{
	struct ibv_sge two[2] = {sge_of(from, 0, 300), sge_of(from, 1000, 200)};
	struct ibv_data_buf bufs[2] = {{from->buffer + 3000, 20}, {from->buffer + 3100, 30}};
	uint8_t kept[40];
	struct ibv_wc wc;

	for (uint64_t i = 1; i <= 5; i++)
		post_recv(to, i, 1000 * i, 1000);
	memcpy(kept, from->buffer + 2000, sizeof(kept));
	ibv_wr_start(from->ex);
	begin_iwarp_wr(from, 81, IBV_SEND_SIGNALED);
	ibv_wr_send(from->ex);
	ibv_wr_set_sge(from->ex, from->mr->lkey, (uintptr_t)from->buffer, 700);
	begin_iwarp_wr(from, 82, IBV_SEND_SIGNALED | IBV_SEND_SOLICITED);
	ibv_wr_send(from->ex);
	ibv_wr_set_sge_list(from->ex, 2, two);
	/* Not signalled. */
	begin_iwarp_wr(from, 83, 0);
	ibv_wr_send(from->ex);
	ibv_wr_set_inline_data(from->ex, from->buffer + 2000, sizeof(kept));
	/* IBV_SEND_INLINE has no effect here: the setter makes a request inline. */
	begin_iwarp_wr(from, 84, IBV_SEND_SIGNALED | IBV_SEND_INLINE);
	ibv_wr_send(from->ex);
	ibv_wr_set_inline_data_list(from->ex, 2, bufs);
	begin_iwarp_wr(from, 85, IBV_SEND_SIGNALED | IBV_SEND_INLINE);
	ibv_wr_send(from->ex);
	expect_nothing(to->cq);
	memset(from->buffer + 2000, 0, sizeof(kept));
	complete_iwarp_wr(from, "messages");
	for (uint64_t i = 1; i <= 5; i++) {
		static const uint32_t lengths[] = {700, 500, 40, 50, 0};

		if (expect(to->cq, i, IBV_WC_RECV, &wc))
			CHECK(wc.byte_len == lengths[i - 1], "%u", wc.byte_len);
	}
	CHECK(!memcmp(to->buffer + 1000, from->buffer, 700), "one entry");
	CHECK(!memcmp(to->buffer + 2000, from->buffer, 300) &&
		      !memcmp(to->buffer + 2300, from->buffer + 1000, 200),
	      "two entries");
	CHECK(!memcmp(to->buffer + 3000, kept, sizeof(kept)), "inline");
	CHECK(!memcmp(to->buffer + 4000, from->buffer + 3000, 20) &&
		      !memcmp(to->buffer + 4020, from->buffer + 3100, 30),
	      "an inline list");
	expect(from->cq, 81, IBV_WC_SEND, &wc);
	expect(from->cq, 82, IBV_WC_SEND, &wc);
	expect(from->cq, 84, IBV_WC_SEND, &wc);
	expect(from->cq, 85, IBV_WC_SEND, &wc);
}

static void access_iwarp_remote(struct end *from, struct end *to)
{
	const uint64_t base = (uintptr_t)to->buffer;
	const uint32_t lkey = from->mr->lkey, rkey = to->mr->rkey;
	struct ibv_sge two[2] = {sge_of(from, 600, 100), sge_of(from, 5000, 300)};
	struct ibv_wc wc;

	post_recv(to, 6, 15000, 64);
	ibv_wr_start(from->ex);
	begin_iwarp_wr(from, 90, IBV_SEND_SIGNALED);
	ibv_wr_rdma_write(from->ex, rkey, base + 6000);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer, 600);
	begin_iwarp_wr(from, 91, 0);
	ibv_wr_rdma_write(from->ex, rkey, base + 6600);
	ibv_wr_set_sge_list(from->ex, 2, two);
	begin_iwarp_wr(from, 92, IBV_SEND_SIGNALED);
	ibv_wr_rdma_write(from->ex, rkey, base + 7000);
	ibv_wr_set_inline_data(from->ex, from->buffer + 700, 80);
	/* A fence has no effect on a read, only on the requests after it. */
	begin_iwarp_wr(from, 93, IBV_SEND_SIGNALED | IBV_SEND_FENCE);
	ibv_wr_rdma_read(from->ex, rkey, base + 6000);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer + 9000, 1080);
	begin_iwarp_wr(from, 94, IBV_SEND_SIGNALED);
	ibv_wr_rdma_read(from->ex, rkey, base + 6600);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer + 11000, 400);
	begin_iwarp_wr(from, 95, IBV_SEND_SIGNALED | IBV_SEND_FENCE);
	ibv_wr_send(from->ex);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer + 11000, 8);
	complete_iwarp_wr(from, "remote memory");
	expect(from->cq, 90, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 92, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 93, IBV_WC_RDMA_READ, &wc);
	expect(from->cq, 94, IBV_WC_RDMA_READ, &wc);
	expect(from->cq, 95, IBV_WC_SEND, &wc);
	expect(to->cq, 6, IBV_WC_RECV, &wc);
	CHECK(!memcmp(to->buffer + 6000, from->buffer, 700), "written");
	CHECK(!memcmp(to->buffer + 6700, from->buffer + 5000, 300), "written of two");
	CHECK(!memcmp(to->buffer + 7000, from->buffer + 700, 80), "written inline");
	CHECK(!memcmp(from->buffer + 9000, to->buffer + 6000, 1080), "read");
	CHECK(!memcmp(from->buffer + 11000, to->buffer + 6600, 400), "read too");
	CHECK(!memcmp(to->buffer + 15000, to->buffer + 6600, 8), "sent after it was read");
	/* Alone: after another read the kernel driver of 6.1 sends that one's data again. */
	ibv_wr_start(from->ex);
	begin_iwarp_wr(from, 96, IBV_SEND_SIGNALED);
	ibv_wr_rdma_read(from->ex, rkey, base);
	ibv_wr_set_sge(from->ex, lkey, (uintptr_t)from->buffer, 0);
	complete_iwarp_wr(from, "a read of nothing");
	if (expect(from->cq, 96, IBV_WC_RDMA_READ, &wc))
		CHECK(!wc.byte_len, "%u", wc.byte_len);
	expect_nothing(from->cq);
	expect_nothing(to->cq);
}

/* Many times around the ring: requests of both kinds, in batches of every size. */
static void batches(struct end *from, struct end *to)
{
	uint64_t sent = 0;
	struct ibv_wc wc;

	for (size_t size = 1; size <= DEPTH; size++) {
		for (size_t i = 0; i < size; i++)
			post_recv(to, i, 4096 + 16 * i, 16);
		ibv_wr_start(from->ex);
		for (size_t i = 0; i < size; i++) {
			const uint64_t value = sent + i;

			begin_iwarp_wr(from, value, IBV_SEND_SIGNALED);
			ibv_wr_send(from->ex);
			ibv_wr_set_inline_data(from->ex, (void *)(uintptr_t)&value, sizeof(value));
		}
		complete_iwarp_wr(from, "a batch");
		for (size_t i = 0; i < size; i++, sent++) {
			expect(from->cq, sent, IBV_WC_SEND, &wc);
			if (expect(to->cq, i, IBV_WC_RECV, &wc))
				CHECK(!memcmp(to->buffer + 4096 + 16 * i, &sent, sizeof(sent)),
				      "message %" PRIu64, sent);
		}
		post_recv(to, 99, 0, 64);
		send_simple(from, 98, 0, 8);
		expect(from->cq, 98, IBV_WC_SEND, &wc);
		expect(to->cq, 99, IBV_WC_RECV, &wc);
	}
}

static void invalidated(struct rig *rig, struct end *from, struct end *to)
{
	static uint8_t memory[4096];
	struct ibv_mr *mr = ibv_reg_mr(rig->pd, memory, sizeof(memory),
				       IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	struct ibv_wc wc;

	if (!mr)
		vm_die("no MR: %s", strerror(errno));
	post_recv(to, 7, 0, 200);
	post_recv(to, 8, 0, 200);
	ibv_wr_start(from->ex);
	begin_iwarp_wr(from, 100, IBV_SEND_SIGNALED);
	ibv_wr_rdma_write(from->ex, mr->rkey, (uintptr_t)memory);
	ibv_wr_set_sge(from->ex, from->mr->lkey, (uintptr_t)from->buffer, 100);
	begin_iwarp_wr(from, 101, IBV_SEND_SIGNALED);
	ibv_wr_send_inv(from->ex, mr->rkey);
	ibv_wr_set_sge(from->ex, from->mr->lkey, (uintptr_t)from->buffer, 20);
	complete_iwarp_wr(from, "with a key to take back");
	expect(from->cq, 100, IBV_WC_RDMA_WRITE, &wc);
	expect(from->cq, 101, IBV_WC_SEND, &wc);
	if (expect(to->cq, 7, IBV_WC_RECV, &wc))
		CHECK(wc.byte_len == 20 && !memcmp(memory, from->buffer, 100), "%u", wc.byte_len);

	/* The key is invalid now: the other side ends the connection. */
	ibv_wr_start(from->ex);
	begin_iwarp_wr(from, 102, IBV_SEND_SIGNALED);
	ibv_wr_rdma_write(from->ex, mr->rkey, (uintptr_t)memory + 200);
	ibv_wr_set_sge(from->ex, from->mr->lkey, (uintptr_t)from->buffer, 100);
	complete_iwarp_wr(from, "with a key that was taken back");
	expect_status(to->cq, 8, IBV_WC_WR_FLUSH_ERR);
	CHECK(!memory[200] && !memory[299], "written all the same");
	CHECK(!ibv_dereg_mr(mr), "ibv_dereg_mr");
}

void test_iwarp_wr(struct rig *rig)
{
	struct end *ends =
		pair_make(rig, &(struct options){.type = IBV_QPT_RC, .send_ops = ALL_OPS});

	send_iwarp_messages(&ends[0], &ends[1]);
	access_iwarp_remote(&ends[0], &ends[1]);
	batches(&ends[0], &ends[1]);
	batches(&ends[1], &ends[0]);
	invalidated(rig, &ends[0], &ends[1]);
	pair_free(ends);
}

static int refusal(struct end *end)
{
	int ret = ibv_wr_complete(end->ex);

	expect_nothing(end->cq);
	return ret;
}

static void not_made(struct rig *rig, struct ibv_cq *cq)
{
	static const uint64_t others[] = {
		IBV_QP_EX_WITH_RDMA_WRITE_WITH_IMM,
		IBV_QP_EX_WITH_SEND_WITH_IMM,
		IBV_QP_EX_WITH_ATOMIC_CMP_AND_SWP,
		IBV_QP_EX_WITH_ATOMIC_FETCH_AND_ADD,
		IBV_QP_EX_WITH_LOCAL_INV,
		IBV_QP_EX_WITH_BIND_MW,
		IBV_QP_EX_WITH_TSO,
		IBV_QP_EX_WITH_ATOMIC_WRITE,
		UINT64_C(1) << 40,
	};
	const struct ibv_qp_init_attr_ex wanted = {
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {.max_send_wr = 1, .max_recv_wr = 1, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.pd = rig->pd,
		.send_ops_flags = IBV_QP_EX_WITH_SEND,
	};
	struct ibv_qp_init_attr_ex attr;

	for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
		attr = wanted;
		attr.send_ops_flags |= others[i];
		CHECK(!ibv_create_qp_ex(rig->context, &attr) && errno == EOPNOTSUPP,
		      "%#" PRIx64 ": %d", others[i], errno);
	}
	attr = wanted;
	attr.comp_mask |= IBV_QP_INIT_ATTR_MAX_TSO_HEADER;
	CHECK(!ibv_create_qp_ex(rig->context, &attr) && errno == EOPNOTSUPP, "%d", errno);
	attr = wanted;
	attr.comp_mask |= IBV_QP_INIT_ATTR_CREATE_FLAGS;
	attr.create_flags = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB;
	CHECK(!ibv_create_qp_ex(rig->context, &attr) && errno == EOPNOTSUPP, "%d", errno);
	attr = wanted;
	attr.qp_type = IBV_QPT_UD;
	CHECK(!ibv_create_qp_ex(rig->context, &attr) && errno == EOPNOTSUPP, "%d", errno);
}

/* After an error none of the requests since ibv_wr_start() is sent. */
void test_iwarp_wr_refused(struct rig *rig)
{
	struct end *ends =
		pair_make(rig, &(struct options){.type = IBV_QPT_RC, .send_ops = ALL_OPS});
	struct end *end = &ends[0];
	struct ibv_sge sges[8] = {{0}};
	struct ibv_wc wc;
	int ret;

	not_made(rig, end->cq);
	post_recv(&ends[1], 1, 0, 64);
	ibv_wr_start(end->ex);
	begin_iwarp_wr(end, 1, IBV_SEND_SIGNALED);
	ibv_wr_send(end->ex);
	ibv_wr_set_inline_data(end->ex, end->buffer, 8);
	ibv_wr_send(end->ex);
	ibv_wr_set_inline_data(end->ex, end->buffer, BUFFER);
	ret = refusal(end);
	CHECK(ret == EINVAL, "too much inline: %d", ret);
	ibv_wr_start(end->ex);
	ibv_wr_send(end->ex);
	ibv_wr_set_sge_list(end->ex, 8, sges);
	ret = refusal(end);
	CHECK(ret == EINVAL, "too many entries: %d", ret);
	ibv_wr_start(end->ex);
	ibv_wr_rdma_read(end->ex, ends[1].mr->rkey, (uintptr_t)ends[1].buffer);
	ibv_wr_set_sge_list(end->ex, 2, sges);
	ret = refusal(end);
	CHECK(ret == EINVAL, "read into two places: %d", ret);
	ibv_wr_start(end->ex);
	ibv_wr_send_inv(end->ex, 1);
	ibv_wr_set_inline_data(end->ex, end->buffer, 8);
	ret = refusal(end);
	CHECK(ret == EINVAL, "inline, with a key: %d", ret);
	ibv_wr_start(end->ex);
	for (int i = 0; i < 1000; i++) {
		ibv_wr_send(end->ex);
		ibv_wr_set_inline_data(end->ex, end->buffer, 8);
	}
	ret = refusal(end);
	CHECK(ret == ENOMEM, "too many requests: %d", ret);
	ibv_wr_start(end->ex);
	ibv_wr_send(end->ex);
	ibv_wr_send(end->ex);
	ibv_wr_abort(end->ex);
	ibv_wr_start(end->ex);
	CHECK(!ibv_wr_complete(end->ex), "nothing at all");

	/* None of it was sent. */
	ibv_wr_start(end->ex);
	begin_iwarp_wr(end, 2, IBV_SEND_SIGNALED);
	ibv_wr_send(end->ex);
	ibv_wr_set_inline_data(end->ex, end->buffer, 9);
	complete_iwarp_wr(end, "after errors");
	expect(end->cq, 2, IBV_WC_SEND, &wc);
	if (expect(ends[1].cq, 1, IBV_WC_RECV, &wc))
		CHECK(wc.byte_len == 9, "%u", wc.byte_len);
	expect_nothing(end->cq);
	pair_free(ends);
}
