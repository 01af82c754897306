/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completions and receive requests of the siw provider, with this test as the kernel. */
#include "t/unit/siw_kernel.h"

#include <pthread.h>
#include <sched.h>

enum { SLOTS = 8, THREAD_ROUNDS = 20000, SGES = 2 };

static struct {
	struct ibv_cq *cq;
	struct ibv_cq_ex *ex;
	struct siw_cqe *queue; /* the kernel's position */
	uint32_t next;
} bed;

static void make_siw_cq(uint64_t wc_flags)
{
	struct ibv_cq_init_attr_ex attr = {.cqe = SLOTS - 1, .wc_flags = wc_flags};

	memset(&bed, 0, sizeof(bed));
	bed.ex = siw_create_cq_ex(&kernel.context, &attr);
	assert_non_null(bed.ex);
	bed.cq = ibv_cq_ex_to_cq(bed.ex);
	bed.queue = kernel_queue(0);
}

static int set_up_siw_queues(void **state)
{
	kernel_set_up(state);
	make_siw_cq(IBV_WC_STANDARD_FLAGS);
	return 0;
}

static int tear_down_siw_queues(void **state)
{
	if (bed.cq)
		assert_int_equal(siw_destroy_cq(bed.cq), 0);
	return kernel_tear_down(state);
}

/* Like the kernel: false if there is no room. */
static bool produce_siw_cqe(uint64_t id)
{
	struct siw_cqe *cqe = &bed.queue[bed.next % SLOTS];

	if (__atomic_load_n(&cqe->flags, __ATOMIC_ACQUIRE))
		return false;
	cqe->id = id;
	cqe->opcode = id & 1 ? SIW_OP_RECEIVE : SIW_OP_READ;
	cqe->status = id % 5 ? SIW_WC_SUCCESS : SIW_WC_WR_FLUSH_ERR;
	cqe->bytes = (uint32_t)id * 3;
	cqe->qp_id = 17;
	__atomic_store_n(&cqe->flags, SIW_WQE_VALID, __ATOMIC_RELEASE);
	bed.next++;
	return true;
}

static void check_siw_wc(const struct ibv_wc *wc, uint64_t id)
{
	assert_int_equal(wc->wr_id, id);
	assert_int_equal(wc->opcode, id & 1 ? IBV_WC_RECV : IBV_WC_RDMA_READ);
	assert_int_equal(wc->status, id % 5 ? IBV_WC_SUCCESS : IBV_WC_WR_FLUSH_ERR);
	assert_int_equal(wc->byte_len, (uint32_t)id * 3);
	assert_int_equal(wc->qp_num, 17);
	assert_int_equal(wc->wc_flags, 0);
}

static void siw_polled(void **state)
{
	struct ibv_wc wc[2 * SLOTS];
	uint64_t made = 0, seen = 0;

	(void)state;
	assert_int_equal(siw_poll_cq(bed.cq, 1, wc), 0);
	for (int round = 0; round < 100; round++) {
		const int asked = round % (SLOTS + 3);
		int got;

		while (produce_siw_cqe(made))
			made++;
		assert_int_equal(made - seen, SLOTS);
		assert_int_equal(siw_poll_cq(bed.cq, 0, wc), 0);
		assert_int_equal(siw_poll_cq(bed.cq, -1, wc), 0);
		got = siw_poll_cq(bed.cq, asked, wc);
		assert_int_equal(got, asked < SLOTS ? asked : SLOTS);
		for (int i = 0; i < got; i++)
			check_siw_wc(&wc[i], seen++);
	}
}

static void polled_one_by_one(void **state)
{
	struct ibv_poll_cq_attr attr = {0}, unknown = {.comp_mask = 1};
	uint64_t made = 0, seen = 0;

	(void)state;
	assert_int_equal(ibv_start_poll(bed.ex, &attr), ENOENT);
	assert_int_equal(ibv_start_poll(bed.ex, &unknown), EINVAL);
	for (int round = 0; round < 50; round++) {
		while (produce_siw_cqe(made))
			made++;
		assert_int_equal(ibv_start_poll(bed.ex, &attr), 0);
		for (int i = 0;; i++) {
			struct ibv_wc wc = {.wr_id = bed.ex->wr_id,
					    .status = bed.ex->status,
					    .opcode = ibv_wc_read_opcode(bed.ex),
					    .byte_len = ibv_wc_read_byte_len(bed.ex),
					    .qp_num = ibv_wc_read_qp_num(bed.ex),
					    .wc_flags = ibv_wc_read_wc_flags(bed.ex)};

			check_siw_wc(&wc, seen++);
			assert_int_equal(ibv_wc_read_imm_data(bed.ex), 0);
			assert_int_equal(ibv_wc_read_vendor_err(bed.ex), 0);
			if (i == round % SLOTS)
				break;
			if (ibv_next_poll(bed.ex)) {
				assert_int_equal(seen, made);
				break;
			}
		}
		ibv_end_poll(bed.ex);
	}
}

/* Only requested fields can be read; fields that no iWARP device has cannot be requested. */
static void asked_for(void **state)
{
	struct ibv_cq_init_attr_ex attr = {.cqe = SLOTS};

	(void)state;
	for (unsigned int bit = 0; bit < 64; bit++) {
		if (UINT64_C(1) << bit & IBV_WC_STANDARD_FLAGS)
			continue;
		attr.wc_flags = UINT64_C(1) << bit;
		errno = 0;
		assert_null(siw_create_cq_ex(&kernel.context, &attr));
		assert_int_equal(errno, EOPNOTSUPP);
	}
	attr.wc_flags = 0;
	for (unsigned int bit = 0; bit < 32; bit++) {
		attr.comp_mask = UINT32_C(1) << bit;
		if (attr.comp_mask == IBV_CQ_INIT_ATTR_MASK_FLAGS)
			continue;
		errno = 0;
		assert_null(siw_create_cq_ex(&kernel.context, &attr));
		assert_int_equal(errno, EOPNOTSUPP);
	}
	attr.comp_mask = 0;
	kernel.odd = 1;
	assert_null(siw_create_cq_ex(&kernel.context, &attr));
	assert_int_equal(errno, EPROTO);
	assert_null(siw_create_cq(&kernel.context, SLOTS, NULL, 0));
	assert_int_equal(errno, EPROTO);
	kernel.odd = 0;
	assert_int_equal(kernel.objects, 1);
	assert_int_equal(siw_destroy_cq(bed.cq), 0);
	make_siw_cq(IBV_WC_EX_WITH_BYTE_LEN);
	assert_non_null(bed.ex->read_opcode);
	assert_non_null(bed.ex->read_byte_len);
	assert_null(bed.ex->read_qp_num);
	assert_null(bed.ex->read_imm_data);
}

/* Whatever the kernel writes, the program gets valid values. */
static void siw_polled_garbage(void **state)
{
	struct ibv_wc wc;

	(void)state;
	for (uint32_t i = 0; i < 0x10000; i++) {
		struct siw_cqe *cqe = &bed.queue[i % SLOTS];

		cqe->opcode = (uint8_t)i;
		cqe->status = (uint16_t)i;
		cqe->flags = 0xff;
		assert_int_equal(siw_poll_cq(bed.cq, 1, &wc), 1);
		assert_in_range(wc.status, IBV_WC_SUCCESS, IBV_WC_GENERAL_ERR);
		if (i >= SIW_NUM_WC_STATUS)
			assert_int_equal(wc.status, IBV_WC_GENERAL_ERR);
		assert_int_equal(cqe->flags, 0);
		cqe->flags = (uint8_t)~SIW_WQE_VALID;
		assert_int_equal(siw_poll_cq(bed.cq, 1, &wc), 0);
		cqe->flags = 0;
	}
}

static void armed(void **state)
{
	const struct siw_cq_ctrl *control = (const void *)&bed.queue[SLOTS];

	(void)state;
	assert_int_equal(control->flags, SIW_NOTIFY_NOT);
	assert_int_equal(siw_req_notify_cq(bed.cq, 1), 0);
	assert_int_equal(control->flags, SIW_NOTIFY_SOLICITED);
	assert_int_equal(siw_req_notify_cq(bed.cq, 0), 0);
	assert_int_equal(control->flags, SIW_NOTIFY_ALL);
	assert_int_equal(siw_req_notify_cq(bed.cq, 1), 0);
	assert_int_equal(control->flags, SIW_NOTIFY_ALL);
}

static void *produce_all_siw_cqes(void *arg)
{
	for (uint64_t id = 0; id < THREAD_ROUNDS;)
		if (produce_siw_cqe(id))
			id++;
		else
			sched_yield();
	return arg;
}

static void siw_polled_while_produced(void **state)
{
	struct ibv_wc wc[3];
	pthread_t thread;
	uint64_t seen = 0;

	(void)state;
	assert_int_equal(pthread_create(&thread, NULL, produce_all_siw_cqes, NULL), 0);
	while (seen < THREAD_ROUNDS) {
		const int got = siw_poll_cq(bed.cq, 3, wc);

		for (int i = 0; i < got; i++)
			check_siw_wc(&wc[i], seen++);
		if (!got)
			sched_yield();
	}
	pthread_join(thread, NULL);
	print_message("%d completions from another thread\n", THREAD_ROUNDS);
}

/* ---- receive requests ---- */

static int post_siw_recv(struct ibv_srq *srq, uint64_t id, int num_sge)
{
	struct ibv_sge sges[SGES + 1] = {{.addr = id, .length = 10, .lkey = 3}, {.length = 20}};
	struct ibv_recv_wr wr = {.wr_id = id, .sg_list = num_sge ? sges : NULL, .num_sge = num_sge};
	struct ibv_recv_wr *bad = NULL;
	int err = siw_post_srq_recv(srq, &wr, &bad);

	assert_ptr_equal(bad, err ? &wr : NULL);
	return err;
}

static uint64_t consume_siw_recv(struct siw_rqe *queue, uint32_t at)
{
	struct siw_rqe *rqe = &queue[at % SLOTS];
	uint64_t id = rqe->id;

	if (!(__atomic_load_n(&rqe->flags, __ATOMIC_ACQUIRE) & SIW_WQE_VALID))
		return UINT64_MAX;
	id = rqe->id;
	assert_int_equal(rqe->num_sge, SGES);
	assert_int_equal(rqe->sge[0].laddr, id);
	assert_int_equal(rqe->sge[0].length, 10);
	assert_int_equal(rqe->sge[0].lkey, 3);
	assert_int_equal(rqe->sge[1].length, 20);
	__atomic_store_n(&rqe->flags, 0, __ATOMIC_RELEASE);
	return id;
}

static struct ibv_srq *make_srq(struct siw_rqe **queue)
{
	static struct ibv_pd pd;
	struct ibv_srq_init_attr attr = {.attr = {.max_wr = SLOTS - 1, .max_sge = SGES}};
	struct ibv_srq *srq;

	pd.context = &kernel.context;
	kernel.odd = 1;
	assert_null(siw_create_srq(&pd, &attr));
	assert_int_equal(errno, EPROTO);
	kernel.odd = 0;
	srq = siw_create_srq(&pd, &attr);
	assert_non_null(srq);
	assert_int_equal(attr.attr.max_wr, SLOTS);
	*queue = kernel_queue(0);
	return srq;
}

static void siw_received(void **state)
{
	uint64_t posted = 0, seen = 0;
	struct siw_rqe *queue;
	struct ibv_srq *srq = make_srq(&queue);

	(void)state;
	assert_int_equal(post_siw_recv(srq, 0, SGES + 1), EINVAL);
	assert_int_equal(post_siw_recv(srq, 0, -1), EINVAL);
	for (int round = 0; round < 50; round++) {
		int err;

		while (!(err = post_siw_recv(srq, posted, SGES)))
			posted++;
		assert_int_equal(err, ENOMEM);
		assert_int_equal(posted - seen, SLOTS);
		for (int i = 0; i <= round % SLOTS; i++, seen++)
			assert_int_equal(consume_siw_recv(queue, (uint32_t)seen), seen);
	}
	while (consume_siw_recv(queue, (uint32_t)seen) != UINT64_MAX)
		seen++;
	assert_int_equal(post_siw_recv(srq, 1, 0), 0);
	assert_int_equal(queue[seen % SLOTS].num_sge, 0);
	assert_int_equal(siw_destroy_srq(srq), 0);
}

static void *post_all_to_siw(void *srq)
{
	for (uint64_t id = 0; id < THREAD_ROUNDS;)
		if (!post_siw_recv(srq, id, SGES))
			id++;
		else
			sched_yield();
	return NULL;
}

static void siw_received_by_others(void **state)
{
	struct siw_rqe *queue;
	struct ibv_srq *srq = make_srq(&queue);
	uint64_t seen = 0, sum = 0;
	pthread_t threads[2];

	(void)state;
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_all_to_siw, srq), 0);
	while (seen < 2ul * THREAD_ROUNDS) {
		const uint64_t id = consume_siw_recv(queue, (uint32_t)seen);

		if (id == UINT64_MAX) {
			sched_yield();
			continue;
		}
		seen++;
		sum += id;
	}
	for (int i = 0; i < 2; i++)
		pthread_join(threads[i], NULL);
	assert_int_equal(sum, (uint64_t)THREAD_ROUNDS * (THREAD_ROUNDS - 1));
	print_message("%d requests of two threads\n", 2 * THREAD_ROUNDS);
	assert_int_equal(siw_destroy_srq(srq), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(siw_polled, set_up_siw_queues,
						tear_down_siw_queues),
		cmocka_unit_test_setup_teardown(polled_one_by_one, set_up_siw_queues,
						tear_down_siw_queues),
		cmocka_unit_test_setup_teardown(asked_for, set_up_siw_queues, tear_down_siw_queues),
		cmocka_unit_test_setup_teardown(siw_polled_garbage, set_up_siw_queues,
						tear_down_siw_queues),
		cmocka_unit_test_setup_teardown(armed, set_up_siw_queues, tear_down_siw_queues),
		cmocka_unit_test_setup_teardown(siw_polled_while_produced, set_up_siw_queues,
						tear_down_siw_queues),
		cmocka_unit_test_setup_teardown(siw_received, set_up_siw_queues,
						tear_down_siw_queues),
		cmocka_unit_test_setup_teardown(siw_received_by_others, set_up_siw_queues,
						tear_down_siw_queues),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
