/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Queue pairs of the siw provider, and what the kernel finds in their send queues. */
#include "t/unit/siw_kernel.h"

enum { SLOTS = 8, SGES = 4 };

static const uint64_t OPS = IBV_QP_EX_WITH_SEND | IBV_QP_EX_WITH_SEND_WITH_INV |
			    IBV_QP_EX_WITH_RDMA_WRITE | IBV_QP_EX_WITH_RDMA_READ;

static struct {
	struct ibv_pd pd;
	struct ibv_qp *qp;
	struct ibv_qp_ex *ex;
	struct siw_sqe *queue; /* the kernel's position */
	uint32_t next;
} bed;

static struct ibv_qp_init_attr_ex wanted_qp_attr(uint64_t ops)
{
	return (struct ibv_qp_init_attr_ex){
		.cap = {.max_send_wr = SLOTS - 1,
			.max_recv_wr = 3,
			.max_send_sge = SGES,
			.max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.pd = &bed.pd,
		.send_ops_flags = ops,
	};
}

static void make_siw_qp(int sq_sig_all)
{
	struct ibv_qp_init_attr_ex attr = wanted_qp_attr(OPS);

	attr.sq_sig_all = sq_sig_all;
	bed.qp = siw_create_qp_ex(&kernel.context, &attr);
	assert_non_null(bed.qp);
	assert_int_equal(attr.cap.max_send_wr, SLOTS);
	assert_int_equal(attr.cap.max_recv_wr, 4);
	assert_int_equal(attr.cap.max_inline_data, SIW_MAX_INLINE);
	bed.ex = &((struct siw_qp *)(void *)bed.qp)->verbs.qp_ex;
	bed.queue = kernel_queue(1);
	bed.next = 0;
	/* Remains of earlier requests. */
	memset(bed.queue, 0xa5, SLOTS * sizeof(*bed.queue));
	for (int i = 0; i < SLOTS; i++)
		bed.queue[i].flags = 0;
}

static int set_up_siw_send(void **state)
{
	kernel_set_up(state);
	memset(&bed, 0, sizeof(bed));
	bed.pd.context = &kernel.context;
	make_siw_qp(0);
	return 0;
}

static int tear_down_siw_send(void **state)
{
	if (bed.qp)
		assert_int_equal(siw_destroy_qp(bed.qp), 0);
	return kernel_tear_down(state);
}

/* Like the kernel: a copy of the oldest request, whose slot is freed; NULL if there is none. */
static const struct siw_sqe *consume_siw_sqe(void)
{
	struct siw_sqe *sqe = &bed.queue[bed.next % SLOTS];
	static struct siw_sqe copy;

	if (!(__atomic_load_n(&sqe->flags, __ATOMIC_ACQUIRE) & SIW_WQE_VALID)) {
		/* In the error state the driver would not flush a request that has flags. */
		assert_int_equal(sqe->flags, 0);
		return NULL;
	}
	copy = *sqe;
	__atomic_store_n(&sqe->flags, 0, __ATOMIC_RELEASE);
	bed.next++;
	return &copy;
}

static int post_to_siw(struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	return siw_post_send(bed.qp, wr, bad);
}

static void siw_each_opcode(void **state)
{
	struct ibv_sge sges[2] = {{.addr = 1, .length = 2, .lkey = 3},
				  {.addr = 4, .length = 5, .lkey = 6}};
	static const struct {
		enum ibv_wr_opcode opcode;
		uint8_t theirs;
		bool remote, key;
		int num_sge;
	} opcodes[] = {
		{IBV_WR_SEND, SIW_OP_SEND, false, false, 2},
		{IBV_WR_SEND_WITH_INV, SIW_OP_SEND_REMOTE_INV, false, true, 2},
		{IBV_WR_RDMA_WRITE, SIW_OP_WRITE, true, true, 2},
		{IBV_WR_RDMA_READ, SIW_OP_READ, true, true, 1},
	};

	(void)state;
	for (uint32_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		struct ibv_send_wr wr = {.wr_id = 1000 + i,
					 .sg_list = sges,
					 .num_sge = opcodes[i].num_sge,
					 .opcode = opcodes[i].opcode,
					 .send_flags = IBV_SEND_SIGNALED | IBV_SEND_FENCE | 0x8000},
				   *bad = NULL;
		const uint16_t fence = opcodes[i].opcode == IBV_WR_RDMA_READ ? 0
									     : SIW_WQE_READ_FENCE;
		const struct siw_sqe *sqe;

		wr.wr.rdma.remote_addr = 0x5000;
		wr.wr.rdma.rkey = 0x8000;
		if (!opcodes[i].remote)
			wr.invalidate_rkey = 0x8000;
		assert_int_equal(post_to_siw(&wr, &bad), 0);
		assert_int_equal(kernel.rung, i + 1);
		sqe = consume_siw_sqe();
		assert_non_null(sqe);
		assert_int_equal(sqe->id, 1000 + i);
		assert_int_equal(sqe->opcode, opcodes[i].theirs);
		assert_int_equal(sqe->flags, SIW_WQE_VALID | SIW_WQE_SIGNALLED | fence);
		if (opcodes[i].remote)
			assert_int_equal(sqe->raddr, 0x5000);
		if (opcodes[i].key)
			assert_int_equal(sqe->rkey, 0x8000);
		assert_int_equal(sqe->num_sge, opcodes[i].num_sge);
		assert_memory_equal(sqe->sge, sges, (size_t)opcodes[i].num_sge * sizeof(sges[0]));
		assert_null(consume_siw_sqe());
	}
}

static void no_such_opcode(void **state)
{
	static const enum ibv_wr_opcode opcodes[] = {
		IBV_WR_SEND_WITH_IMM,
		IBV_WR_RDMA_WRITE_WITH_IMM,
		IBV_WR_ATOMIC_CMP_AND_SWP,
		IBV_WR_ATOMIC_FETCH_AND_ADD,
		IBV_WR_LOCAL_INV,
		IBV_WR_BIND_MW,
		IBV_WR_TSO,
		IBV_WR_DRIVER1,
		IBV_WR_ATOMIC_WRITE,
		(enum ibv_wr_opcode)99,
	};

	(void)state;
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++) {
		struct ibv_send_wr second = {.opcode = opcodes[i]};
		struct ibv_send_wr first = {.opcode = IBV_WR_SEND, .next = &second}, *bad = NULL;

		assert_int_equal(post_to_siw(&second, &bad), EINVAL);
		assert_ptr_equal(bad, &second);
		assert_null(consume_siw_sqe());
		assert_int_equal(kernel.rung, i);
		/* The requests before the refused one are sent. */
		assert_int_equal(post_to_siw(&first, &bad), EINVAL);
		assert_ptr_equal(bad, &second);
		assert_int_equal(kernel.rung, i + 1);
		assert_non_null(consume_siw_sqe());
		assert_null(consume_siw_sqe());
	}
}

static void reads(void **state)
{
	struct ibv_sge sges[2] = {{.addr = 1, .length = 2, .lkey = 3}};
	struct ibv_send_wr wr = {.opcode = IBV_WR_RDMA_READ, .sg_list = sges, .num_sge = 2}, *bad;
	const struct siw_sge none = {0};
	const struct siw_sqe *sqe;

	(void)state;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	wr.num_sge = -1;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	wr.num_sge = 1;
	wr.send_flags = IBV_SEND_INLINE;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	assert_null(consume_siw_sqe());
	wr = (struct ibv_send_wr){.opcode = IBV_WR_RDMA_READ};
	assert_int_equal(post_to_siw(&wr, &bad), 0);
	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_int_equal(sqe->num_sge, 1);
	assert_memory_equal(&sqe->sge[0], &none, sizeof(none));
}

static void lists_and_inline(void **state)
{
	char text[SIW_MAX_INLINE + 1];
	struct ibv_sge sges[SGES + 1] = {{.addr = (uintptr_t)text, .length = 10},
					 {.length = 0},
					 {.addr = (uintptr_t)text + 10, .length = 6}};
	struct ibv_send_wr wr = {.sg_list = sges, .num_sge = 3, .opcode = IBV_WR_SEND}, *bad;
	const struct siw_sqe *sqe;

	(void)state;
	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = (char)i;
	wr.send_flags = IBV_SEND_INLINE;
	assert_int_equal(post_to_siw(&wr, &bad), 0);
	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_int_equal(sqe->flags, SIW_WQE_VALID | SIW_WQE_INLINE);
	assert_int_equal(sqe->num_sge, 1);
	assert_int_equal(sqe->sge[0].length, 16);
	assert_memory_equal(&sqe->sge[1], text, 16);
	sges[2].length = SIW_MAX_INLINE - 10;
	assert_int_equal(post_to_siw(&wr, &bad), 0);
	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_memory_equal(&sqe->sge[1], text, SIW_MAX_INLINE);
	sges[2].length++;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	sges[2].length = UINT32_MAX - 9;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	sges[2].length = 6;
	wr.opcode = IBV_WR_SEND_WITH_INV;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	wr.opcode = IBV_WR_SEND;
	wr.send_flags = 0;
	wr.num_sge = SGES + 1;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	wr.num_sge = -1;
	assert_int_equal(post_to_siw(&wr, &bad), EINVAL);
	assert_null(consume_siw_sqe());
	wr = (struct ibv_send_wr){.opcode = IBV_WR_SEND, .send_flags = IBV_SEND_SOLICITED};
	assert_int_equal(post_to_siw(&wr, &bad), 0);
	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_int_equal(sqe->flags, SIW_WQE_VALID | SIW_WQE_SOLICITED);
	assert_int_equal(sqe->num_sge, 0);
}

/* The whole queue, more than once around; an aborted list; a kernel that does not consume. */
static void siw_full_and_aborted(void **state)
{
	struct ibv_send_wr wrs[SLOTS + 2] = {{0}}, *bad = NULL;
	uint64_t id = 0, seen = 0;

	(void)state;
	for (int i = 0; i < SLOTS + 2; i++)
		wrs[i] = (struct ibv_send_wr){.opcode = IBV_WR_SEND,
					      .next = i < SLOTS + 1 ? &wrs[i + 1] : NULL};
	for (int round = 0; round < 20; round++) {
		const uint64_t room = SLOTS - (id - seen);

		for (int i = 0; i < SLOTS + 2; i++)
			wrs[i].wr_id = id + (uint64_t)i;
		assert_int_equal(post_to_siw(wrs, &bad), ENOMEM);
		assert_ptr_equal(bad, &wrs[room]);
		id += room;
		for (int i = 0; i < 1 + round % SLOTS; i++) {
			const struct siw_sqe *sqe = consume_siw_sqe();

			assert_non_null(sqe);
			assert_int_equal(sqe->id, seen++);
		}
	}
	while (consume_siw_sqe())
		;
	wrs[0].next = NULL;
	kernel.ring_answer = ENOTCONN;
	assert_int_equal(post_to_siw(wrs, &bad), ENOTCONN);
	assert_ptr_equal(bad, wrs);
}

static void all_signalled(void **state)
{
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND}, *bad;
	const struct siw_sqe *sqe;

	(void)state;
	assert_int_equal(siw_destroy_qp(bed.qp), 0);
	make_siw_qp(1);
	assert_int_equal(post_to_siw(&wr, &bad), 0);
	ibv_wr_start(bed.ex);
	ibv_wr_send(bed.ex);
	assert_int_equal(ibv_wr_complete(bed.ex), 0);
	for (int i = 0; i < 2; i++) {
		sqe = consume_siw_sqe();
		assert_non_null(sqe);
		assert_int_equal(sqe->flags, SIW_WQE_VALID | SIW_WQE_SIGNALLED);
	}
}

static void siw_wr_builders(void **state)
{
	struct ibv_qp_ex *qp = bed.ex;
	char text[] = "abcde";
	struct ibv_data_buf bufs[2] = {{text, 3}, {text + 3, 2}};
	const struct ibv_sge sges[2] = {{.addr = 1, .length = 2, .lkey = 3},
					{.addr = 4, .length = 5, .lkey = 6}};
	const struct siw_sge none = {0};
	const struct siw_sqe *sqe;

	(void)state;
	ibv_wr_start(qp);
	qp->wr_id = 1;
	qp->wr_flags = IBV_SEND_SIGNALED | IBV_SEND_INLINE;
	ibv_wr_rdma_write(qp, 2, 3);
	ibv_wr_set_sge(qp, 4, 5, 6);
	qp->wr_id = 2;
	qp->wr_flags = IBV_SEND_FENCE;
	ibv_wr_send(qp);
	ibv_wr_set_inline_data_list(qp, 2, bufs);
	qp->wr_id = 3;
	ibv_wr_rdma_read(qp, 7, 8);
	qp->wr_id = 4;
	ibv_wr_send_inv(qp, 9);
	ibv_wr_set_sge_list(qp, 2, sges);
	assert_null(consume_siw_sqe());
	assert_int_equal(kernel.rung, 0);
	assert_int_equal(ibv_wr_complete(qp), 0);
	assert_int_equal(kernel.rung, 1);

	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_int_equal(sqe->id, 1);
	assert_int_equal(sqe->opcode, SIW_OP_WRITE);
	assert_int_equal(sqe->flags, SIW_WQE_VALID | SIW_WQE_SIGNALLED);
	assert_int_equal(sqe->rkey, 2);
	assert_int_equal(sqe->raddr, 3);
	assert_int_equal(sqe->num_sge, 1);
	assert_int_equal(sqe->sge[0].lkey, 4);
	assert_int_equal(sqe->sge[0].laddr, 5);
	assert_int_equal(sqe->sge[0].length, 6);
	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_int_equal(sqe->id, 2);
	assert_int_equal(sqe->opcode, SIW_OP_SEND);
	assert_int_equal(sqe->flags, SIW_WQE_VALID | SIW_WQE_READ_FENCE | SIW_WQE_INLINE);
	assert_int_equal(sqe->num_sge, 1);
	assert_int_equal(sqe->sge[0].length, 5);
	assert_memory_equal(&sqe->sge[1], "abcde", 5);
	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_int_equal(sqe->id, 3);
	assert_int_equal(sqe->opcode, SIW_OP_READ);
	assert_int_equal(sqe->flags, SIW_WQE_VALID);
	assert_int_equal(sqe->rkey, 7);
	assert_int_equal(sqe->raddr, 8);
	assert_int_equal(sqe->num_sge, 1);
	assert_memory_equal(&sqe->sge[0], &none, sizeof(none));
	sqe = consume_siw_sqe();
	assert_non_null(sqe);
	assert_int_equal(sqe->id, 4);
	assert_int_equal(sqe->opcode, SIW_OP_SEND_REMOTE_INV);
	assert_int_equal(sqe->rkey, 9);
	assert_int_equal(sqe->num_sge, 2);
	assert_memory_equal(sqe->sge, sges, sizeof(sges));
	assert_null(consume_siw_sqe());
}

/* Each in the middle of others: none of the batch is posted, and the whole queue is free again. */
static void refused_batches(void **state)
{
	struct ibv_qp_ex *qp = bed.ex;
	struct ibv_sge sges[SGES + 1] = {{0}};
	static char text[SIW_MAX_INLINE + 1];

	(void)state;
	for (int what = 0; what < 8; what++) {
		int err;

		ibv_wr_start(qp);
		ibv_wr_send(qp);
		ibv_wr_send(qp);
		switch (what) {
		case 0:
			ibv_wr_set_inline_data(qp, text, sizeof(text));
			break;
		case 1:
			ibv_wr_set_sge_list(qp, SGES + 1, sges);
			break;
		case 2:
			ibv_wr_rdma_read(qp, 1, 2);
			ibv_wr_set_sge_list(qp, 2, sges);
			break;
		case 3:
			ibv_wr_rdma_read(qp, 1, 2);
			ibv_wr_set_inline_data(qp, text, 1);
			break;
		case 4:
			ibv_wr_send_inv(qp, 1);
			ibv_wr_set_inline_data(qp, text, 1);
			break;
		case 5:
			ibv_wr_set_sge_list(qp, SIZE_MAX, sges);
			break;
		default:
			for (int i = 0; i < 3 * SLOTS; i++)
				ibv_wr_rdma_write(qp, 1, 2);
		}
		ibv_wr_send(qp);
		ibv_wr_set_sge(qp, 4, 5, 6);
		err = what == 7 ? 0 : ibv_wr_complete(qp);
		if (what == 7)
			ibv_wr_abort(qp);
		assert_int_equal(err, what == 7 ? 0 : what == 6 ? ENOMEM : EINVAL);
		assert_null(consume_siw_sqe());
		for (int i = 0; i < SLOTS; i++)
			assert_int_equal(bed.queue[i].flags, 0);
		assert_int_equal(kernel.rung, what);

		/* Advance to the next slot. */
		ibv_wr_start(qp);
		ibv_wr_send(qp);
		assert_int_equal(ibv_wr_complete(qp), 0);
		assert_non_null(consume_siw_sqe());
		assert_null(consume_siw_sqe());
	}
	ibv_wr_start(qp);
	assert_int_equal(ibv_wr_complete(qp), 0);
	assert_int_equal(kernel.rung, 8);
	kernel.ring_answer = EIO;
	ibv_wr_start(qp);
	ibv_wr_send(qp);
	assert_int_equal(ibv_wr_complete(qp), EIO);
}

/*
 * Batches of every size behind what is still queued, refused where they do not fit, with lists in
 * between.
 */
static void batches_around(void **state)
{
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND}, *bad;
	uint64_t id = 0, seen = 0;

	(void)state;
	for (unsigned int round = 0; round < 500; round++) {
		const uint64_t size = round * 7 % (SLOTS + 2);
		const bool fits = size <= SLOTS - (id - seen);
		int err;

		ibv_wr_start(bed.ex);
		for (uint64_t i = 0; i < size; i++) {
			bed.ex->wr_id = id + i;
			ibv_wr_send(bed.ex);
		}
		err = ibv_wr_complete(bed.ex);
		assert_int_equal(err, fits ? 0 : ENOMEM);
		id += fits ? size : 0;
		wr.wr_id = id;
		err = post_to_siw(&wr, &bad);
		assert_int_equal(err, id - seen < SLOTS ? 0 : ENOMEM);
		id += !err;
		for (unsigned int i = 0; i < round * 5 % SLOTS; i++) {
			const struct siw_sqe *sqe = consume_siw_sqe();

			if (!sqe)
				break;
			assert_int_equal(sqe->num_sge, 0);
			assert_int_equal(sqe->id, seen++);
		}
	}
	while (consume_siw_sqe())
		seen++;
	assert_int_equal(seen, id);
	print_message("%d requests\n", (int)id);
}

static struct ibv_qp *create_refused_qp(const struct ibv_qp_init_attr_ex *attr)
{
	struct ibv_qp_init_attr_ex copy = *attr;
	struct ibv_qp *qp;

	errno = 0;
	qp = siw_create_qp_ex(&kernel.context, &copy);
	assert_memory_equal(&copy, attr, sizeof(copy));
	assert_int_equal(kernel.objects, 1);
	return qp;
}

static void siw_qp_creation(void **state)
{
	struct ibv_qp_init_attr_ex attr = wanted_qp_attr(OPS);
	struct ibv_qp_init_attr old = {.cap = attr.cap, .qp_type = IBV_QPT_RC};
	struct ibv_recv_wr recv = {0}, *bad;
	struct ibv_srq srq = {0};
	struct ibv_qp *qp;

	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		attr = wanted_qp_attr(UINT64_C(1) << bit);
		if (attr.send_ops_flags & OPS)
			continue;
		assert_null(create_refused_qp(&attr));
		assert_int_equal(errno, EOPNOTSUPP);
	}
	for (unsigned int bit = 0; bit < 32; bit++) {
		attr = wanted_qp_attr(OPS);
		attr.comp_mask |= UINT32_C(1) << bit;
		if (UINT32_C(1) << bit & (IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_CREATE_FLAGS |
					  IBV_QP_INIT_ATTR_SEND_OPS_FLAGS))
			continue;
		assert_null(create_refused_qp(&attr));
		assert_int_equal(errno, EOPNOTSUPP);
	}
	attr = wanted_qp_attr(OPS);
	attr.comp_mask |= IBV_QP_INIT_ATTR_CREATE_FLAGS;
	attr.create_flags = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB;
	assert_null(create_refused_qp(&attr));
	assert_int_equal(errno, EOPNOTSUPP);
	/* Answers that no kernel gives. */
	attr = wanted_qp_attr(OPS);
	kernel.odd = 1;
	assert_null(create_refused_qp(&attr));
	assert_int_equal(errno, EPROTO);
	kernel.odd = 0;

	/* Without operations of its own, and with an SRQ: it cannot post receive requests. */
	attr.comp_mask = IBV_QP_INIT_ATTR_PD;
	attr.srq = &srq;
	qp = siw_create_qp_ex(&kernel.context, &attr);
	assert_non_null(qp);
	assert_int_equal(((struct siw_qp *)(void *)qp)->verbs.comp_mask & VERBS_QP_EX, 0);
	assert_int_equal(siw_post_recv(qp, &recv, &bad), EINVAL);
	assert_ptr_equal(bad, &recv);
	assert_int_equal(siw_destroy_qp(qp), 0);
	qp = siw_create_qp(&bed.pd, &old);
	assert_non_null(qp);
	assert_int_equal(((struct siw_qp *)(void *)qp)->verbs.comp_mask & VERBS_QP_EX, 0);
	assert_int_equal(old.cap.max_send_wr, SLOTS);
	assert_int_equal(siw_post_recv(qp, &recv, &bad), 0);
	assert_int_equal(siw_destroy_qp(qp), 0);
	assert_int_equal(((struct siw_qp *)(void *)bed.qp)->verbs.comp_mask & VERBS_QP_EX,
			 VERBS_QP_EX);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(siw_each_opcode, set_up_siw_send,
						tear_down_siw_send),
		cmocka_unit_test_setup_teardown(no_such_opcode, set_up_siw_send,
						tear_down_siw_send),
		cmocka_unit_test_setup_teardown(reads, set_up_siw_send, tear_down_siw_send),
		cmocka_unit_test_setup_teardown(lists_and_inline, set_up_siw_send,
						tear_down_siw_send),
		cmocka_unit_test_setup_teardown(siw_full_and_aborted, set_up_siw_send,
						tear_down_siw_send),
		cmocka_unit_test_setup_teardown(all_signalled, set_up_siw_send, tear_down_siw_send),
		cmocka_unit_test_setup_teardown(siw_wr_builders, set_up_siw_send,
						tear_down_siw_send),
		cmocka_unit_test_setup_teardown(refused_batches, set_up_siw_send,
						tear_down_siw_send),
		cmocka_unit_test_setup_teardown(batches_around, set_up_siw_send,
						tear_down_siw_send),
		cmocka_unit_test_setup_teardown(siw_qp_creation, set_up_siw_send,
						tear_down_siw_send),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
