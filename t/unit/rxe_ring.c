/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The rings of the rxe provider, with this test as the kernel at the other end. */
#include <errno.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "providers/rxe/rxe.h"

enum { SLOTS = 8, THREAD_ROUNDS = 20000 };

/* ---- rings: at the end of their pages, between inaccessible pages ---- */

struct ring {
	char *base;
	size_t bytes;
	struct rxe_queue_buf *buf;
	size_t size;
};

static void ring_make(struct ring *ring, uint32_t slots, uint32_t shift)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	const size_t size = sizeof(struct rxe_queue_buf) + ((size_t)slots << shift);
	const size_t inner = (size + page - 1) & ~(page - 1);

	ring->bytes = inner + 2 * page;
	ring->base = mmap(NULL, ring->bytes, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_true(ring->base != MAP_FAILED);
	assert_int_equal(mprotect(ring->base + page, inner, PROT_READ | PROT_WRITE), 0);
	ring->buf = (struct rxe_queue_buf *)(void *)(ring->base + page + inner - size);
	ring->size = size;
	ring->buf->log2_elem_size = shift;
	ring->buf->index_mask = slots - 1;
}

static void ring_free(struct ring *ring)
{
	munmap(ring->base, ring->bytes);
}

/* ---- geometry ---- */

static int init_ring(struct ring *ring, size_t size, uint32_t mask, uint32_t shift, size_t element)
{
	struct rxe_queue queue;

	ring->buf->index_mask = mask;
	ring->buf->log2_elem_size = shift;
	return rxe_queue_init(&queue, ring->buf, size, element);
}

static void geometry(void **state)
{
	struct ring ring;

	(void)state;
	ring_make(&ring, SLOTS, 6);
	assert_int_equal(init_ring(&ring, ring.size, SLOTS - 1, 6, 64), 0);
	assert_int_equal(init_ring(&ring, ring.size, 0, 6, 64), 0);
	assert_int_equal(init_ring(&ring, ring.size - 1, SLOTS - 1, 6, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, 2 * SLOTS - 1, 6, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, SLOTS - 2, 6, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, SLOTS - 1, 6, 65), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, SLOTS - 1, 7, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, UINT32_MAX, 6, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, UINT32_MAX, 31, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, 0, 32, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, ring.size, 0, UINT32_MAX, 64), -EPROTO);
	assert_int_equal(init_ring(&ring, sizeof(struct rxe_queue_buf) - 1, 0, 6, 64), -EPROTO);
	ring_free(&ring);
}

/* ---- completions ---- */

static void cq_make(struct rxe_cq *cq, struct ring *ring, uint32_t slots)
{
	ring_make(ring, slots, 6);
	memset(cq, 0, sizeof(*cq));
	assert_int_equal(rxe_queue_init(&cq->queue, ring->buf, ring->size, 48), 0);
	rxe_set_cq_calls(&cq->verbs.cq_ex, IBV_WC_STANDARD_FLAGS);
}

/* Like the kernel: 0 if the ring is full. */
static int produce_ring_cqe(struct ring *ring, uint32_t slots, uint64_t id)
{
	const uint32_t mask = slots - 1;
	const uint32_t at = __atomic_load_n(&ring->buf->producer_index, __ATOMIC_RELAXED);
	const uint32_t other = __atomic_load_n(&ring->buf->consumer_index, __ATOMIC_ACQUIRE);
	struct ib_uverbs_wc wc = {.wr_id = id,
				  .status = id & 1,
				  .opcode = 128,
				  .byte_len = (uint32_t)id * 3,
				  .ex.imm_data = (uint32_t)id + 1,
				  .qp_num = 17,
				  .src_qp = 18,
				  .wc_flags = (uint32_t)id & 7};

	if (((at + 1 - other) & mask) == 0)
		return 0;
	memcpy(ring->buf->data + ((at & mask) << 6), &wc, sizeof(wc));
	__atomic_store_n(&ring->buf->producer_index, (at + 1) & mask, __ATOMIC_RELEASE);
	return 1;
}

static void check_ring_wc(const struct ibv_wc *wc, uint64_t id)
{
	/* The kernel's flag for "invalidated" is bit 2; programs get bit 3. */
	const unsigned int flags = (id & 3) | (id & 4 ? IBV_WC_WITH_INV : 0);

	assert_int_equal(wc->wr_id, id);
	assert_int_equal(wc->status, id & 1);
	assert_int_equal(wc->opcode, IBV_WC_RECV);
	assert_int_equal(wc->byte_len, (uint32_t)id * 3);
	assert_int_equal(wc->imm_data, (uint32_t)id + 1);
	assert_int_equal(wc->qp_num, 17);
	assert_int_equal(wc->src_qp, 18);
	assert_int_equal(wc->wc_flags, flags);
}

static void ring_polled(void **state)
{
	struct ibv_wc wc[2 * SLOTS];
	uint64_t made = 0, seen = 0;
	struct rxe_cq cq;
	struct ring ring;

	(void)state;
	cq_make(&cq, &ring, SLOTS);
	assert_int_equal(rxe_poll_cq(&cq.verbs.cq, 1, wc), 0);
	for (int round = 0; round < 100; round++) {
		const int wanted = round % (SLOTS + 3);
		int got;

		while (produce_ring_cqe(&ring, SLOTS, made))
			made++;
		assert_int_equal(made - seen, SLOTS - 1);
		assert_int_equal(rxe_poll_cq(&cq.verbs.cq, 0, wc), 0);
		assert_int_equal(rxe_poll_cq(&cq.verbs.cq, -1, wc), 0);
		got = rxe_poll_cq(&cq.verbs.cq, wanted, wc);
		assert_int_equal(got, wanted < SLOTS ? wanted : SLOTS - 1);
		for (int i = 0; i < got; i++)
			check_ring_wc(&wc[i], seen++);
	}
	ring_free(&ring);
}

static void polled_in_place(void **state)
{
	struct ibv_poll_cq_attr attr = {0};
	struct ibv_cq_ex *ex;
	uint64_t made = 0, seen = 0;
	struct rxe_cq cq;
	struct ring ring;

	(void)state;
	cq_make(&cq, &ring, SLOTS);
	ex = &cq.verbs.cq_ex;
	assert_int_equal(ibv_start_poll(ex, &attr), ENOENT);
	for (int round = 0; round < 50; round++) {
		while (produce_ring_cqe(&ring, SLOTS, made))
			made++;
		assert_int_equal(ibv_start_poll(ex, &attr), 0);
		for (int i = 0;; i++) {
			struct ibv_wc wc = {.wr_id = ex->wr_id,
					    .status = ex->status,
					    .opcode = ibv_wc_read_opcode(ex),
					    .byte_len = ibv_wc_read_byte_len(ex),
					    .imm_data = ibv_wc_read_imm_data(ex),
					    .qp_num = ibv_wc_read_qp_num(ex),
					    .src_qp = ibv_wc_read_src_qp(ex),
					    .wc_flags = ibv_wc_read_wc_flags(ex)};

			/* An entry that is being read keeps its slot. */
			if (!i)
				assert_int_equal(produce_ring_cqe(&ring, SLOTS, made), 0);
			check_ring_wc(&wc, seen++);
			if (i == round % SLOTS)
				break;
			if (ibv_next_poll(ex)) {
				assert_int_equal(seen, made);
				assert_int_equal(ibv_next_poll(ex), ENOENT);
				break;
			}
		}
		ibv_end_poll(ex);
	}
	ring_free(&ring);
}

/*
 * Whatever the header contains, no access may be outside (the pages around it would end this test).
 */
static void ring_polled_garbage(void **state)
{
	static const uint32_t garbage[] = {SLOTS, 0x7fffffff, 0x80000000, 0xffffffff, 0xdeadbeef};
	struct ibv_wc wc[2 * SLOTS];
	struct rxe_cq cq;
	struct ring ring;

	(void)state;
	cq_make(&cq, &ring, SLOTS);
	ring.buf->index_mask = UINT32_MAX;
	ring.buf->log2_elem_size = 31;
	for (size_t i = 0; i < sizeof(garbage) / sizeof(garbage[0]); i++)
		for (size_t j = 0; j < sizeof(garbage) / sizeof(garbage[0]); j++) {
			int got;

			ring.buf->producer_index = garbage[i];
			ring.buf->consumer_index = garbage[j];
			got = rxe_poll_cq(&cq.verbs.cq, 2 * SLOTS, wc);
			assert_in_range(got, 0, SLOTS - 1);
			assert_int_equal(rxe_poll_cq(&cq.verbs.cq, 2 * SLOTS, wc), 0);
			assert_in_range(ring.buf->consumer_index, 0, UINT32_MAX);
		}
	/* A mapping that was replaced is empty. */
	memset(ring.buf, 0, ring.size);
	assert_int_equal(rxe_poll_cq(&cq.verbs.cq, 2 * SLOTS, wc), 0);
	ring_free(&ring);
}

static void *produce_all_ring_cqes(void *arg)
{
	struct ring *ring = arg;

	for (uint64_t id = 0; id < THREAD_ROUNDS;)
		if (produce_ring_cqe(ring, SLOTS, id))
			id++;
		else
			sched_yield();
	return NULL;
}

static void ring_polled_while_produced(void **state)
{
	struct ibv_wc wc[3];
	pthread_t thread;
	uint64_t seen = 0;
	struct rxe_cq cq;
	struct ring ring;

	(void)state;
	cq_make(&cq, &ring, SLOTS);
	assert_int_equal(pthread_create(&thread, NULL, produce_all_ring_cqes, &ring), 0);
	while (seen < THREAD_ROUNDS) {
		const int got = rxe_poll_cq(&cq.verbs.cq, 3, wc);

		for (int i = 0; i < got; i++)
			check_ring_wc(&wc[i], seen++);
		if (!got)
			sched_yield();
	}
	pthread_join(thread, NULL);
	print_message("%d completions from another thread\n", THREAD_ROUNDS);
	ring_free(&ring);
}

/* ---- receive requests ---- */

/* Like the kernel: the id of the oldest request, or UINT64_MAX. */
static uint64_t consume_ring_recv(struct ring *ring, uint32_t shift)
{
	const uint32_t at = __atomic_load_n(&ring->buf->consumer_index, __ATOMIC_RELAXED);
	const uint32_t other = __atomic_load_n(&ring->buf->producer_index, __ATOMIC_ACQUIRE);
	struct rxe_recv_wqe wqe;
	struct rxe_sge sge;

	if (at == other)
		return UINT64_MAX;
	memcpy(&wqe, ring->buf->data + (at << shift), sizeof(wqe));
	memcpy(&sge, ring->buf->data + (at << shift) + sizeof(wqe), sizeof(sge));
	assert_int_equal(wqe.dma.num_sge, 2);
	assert_int_equal(wqe.dma.length, 30);
	assert_int_equal(wqe.dma.resid, 30);
	assert_int_equal(wqe.dma.cur_sge, 0);
	assert_int_equal(wqe.dma.sge_offset, 0);
	assert_int_equal(sge.addr, wqe.wr_id);
	assert_int_equal(sge.length, 10);
	__atomic_store_n(&ring->buf->consumer_index, (at + 1) & (SLOTS - 1), __ATOMIC_RELEASE);
	return wqe.wr_id;
}

static void rq_make(struct rxe_rq *rq, struct ring *ring)
{
	ring_make(ring, SLOTS, 7);
	memset(rq, 0, sizeof(*rq));
	rq->max_sge = 2;
	assert_int_equal(rxe_queue_init(&rq->queue, ring->buf, ring->size,
					rxe_rq_element_size(rq->max_sge)),
			 0);
}

static int post_ring_recv(struct rxe_rq *rq, uint64_t id, struct ibv_recv_wr **bad, int num_sge)
{
	struct ibv_sge sges[3] = {{.addr = id, .length = 10}, {.length = 20}, {.length = 30}};
	struct ibv_recv_wr wr = {.wr_id = id, .sg_list = sges, .num_sge = num_sge};
	int err = rxe_rq_post(rq, &wr, bad);

	if (err)
		assert_ptr_equal(*bad, &wr);
	return err;
}

static void ring_received(void **state)
{
	uint64_t posted = 0, seen = 0;
	struct ibv_recv_wr *bad;
	struct rxe_rq rq;
	struct ring ring;

	(void)state;
	rq_make(&rq, &ring);
	assert_int_equal(post_ring_recv(&rq, 0, &bad, 3), EINVAL);
	assert_int_equal(post_ring_recv(&rq, 0, &bad, -1), EINVAL);
	for (int round = 0; round < 50; round++) {
		int err;

		while (!(err = post_ring_recv(&rq, posted, &bad, 2)))
			posted++;
		assert_int_equal(err, ENOMEM);
		assert_int_equal(posted - seen, SLOTS - 1);
		for (int i = 0; i <= round % (SLOTS - 1); i++)
			assert_int_equal(consume_ring_recv(&ring, 7), seen++);
	}
	for (uint32_t garbage = 0; garbage < 1000; garbage++) {
		ring.buf->consumer_index = garbage * 0x9e3779b9;
		ring.buf->producer_index = garbage * 0x7f4a7c15;
		for (int i = 0; i < 2 * SLOTS; i++)
			post_ring_recv(&rq, 1, &bad, 2);
	}
	ring_free(&ring);
}

static void *post_all_to_ring(void *arg)
{
	struct rxe_rq *rq = arg;
	struct ibv_recv_wr *bad;

	for (uint64_t id = 0; id < THREAD_ROUNDS;)
		if (!post_ring_recv(rq, id, &bad, 2))
			id++;
		else
			sched_yield();
	return NULL;
}

static void ring_received_by_others(void **state)
{
	pthread_t threads[2];
	uint64_t seen = 0, sum = 0;
	struct rxe_rq rq;
	struct ring ring;

	(void)state;
	rq_make(&rq, &ring);
	for (int i = 0; i < 2; i++)
		assert_int_equal(pthread_create(&threads[i], NULL, post_all_to_ring, &rq), 0);
	while (seen < 2ul * THREAD_ROUNDS) {
		const uint64_t id = consume_ring_recv(&ring, 7);

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
	assert_int_equal(consume_ring_recv(&ring, 7), UINT64_MAX);
	print_message("%d requests of two threads\n", 2 * THREAD_ROUNDS);
	ring_free(&ring);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(geometry),
		cmocka_unit_test(ring_polled),
		cmocka_unit_test(polled_in_place),
		cmocka_unit_test(ring_polled_garbage),
		cmocka_unit_test(ring_polled_while_produced),
		cmocka_unit_test(ring_received),
		cmocka_unit_test(ring_received_by_others),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
