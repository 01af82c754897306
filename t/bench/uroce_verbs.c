/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The measures that go through verbs: half a round trip, bandwidth, and a rate of small WRITEs. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <infiniband/verbs.h>

#include "t/bench/uroce_bench.h"
#include "t/bench/uroce_verbs.h"

enum {
	QPS = 64,
	DEPTH = 64,
	MEMORY = 4 << 20,
	ACCESS = IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ,
};

const char *bench_devices[2];

/* The direct path is between processes with one device. */
static const char *device_of(int side, const struct bench_row *row)
{
	return bench_devices[strcmp(row->path, "direct") ? side : 0];
}

/* What one tells the other. */
struct told {
	union ibv_gid gid;
	uint64_t address;
	uint32_t rkey, numbers[QPS];
};
_Static_assert(sizeof(struct told) < sizeof(((struct bench_pair *)0)->told[0]),
	       "it is told at once");

struct end {
	struct bench_pair *pair;
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cq;
	struct ibv_qp *qps[QPS];
	unsigned int count;
	unsigned char *memory;
	struct told other;
	bool sleeps;
};

static void open_bench_device(struct end *end, const char *name)
{
	struct ibv_device **list = ibv_get_device_list(NULL);

	for (int i = 0; list && list[i]; i++) {
		if (!strcmp(ibv_get_device_name(list[i]), name))
			end->context = ibv_open_device(list[i]);
	}
	if (list)
		ibv_free_device_list(list);
	if (!end->context)
		bench_fail(end->pair, "open");
}

static void make_end(struct end *end)
{
	end->channel = ibv_create_comp_channel(end->context);
	end->pd = ibv_alloc_pd(end->context);
	end->memory =
		mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (!end->channel || !end->pd || end->memory == MAP_FAILED)
		bench_fail(end->pair, "objects");
	memset(end->memory, 0, MEMORY);
	end->mr = ibv_reg_mr(end->pd, end->memory, MEMORY, ACCESS);
	end->cq = ibv_create_cq(end->context, 2 * QPS * DEPTH, NULL, end->channel, 0);
	if (!end->mr || !end->cq)
		bench_fail(end->pair, "objects");
	for (unsigned int i = 0; i < end->count; i++) {
		struct ibv_qp_init_attr init = {.send_cq = end->cq,
						.recv_cq = end->cq,
						.cap = {DEPTH, DEPTH, 1, 1, 64},
						.qp_type = IBV_QPT_RC};

		end->qps[i] = ibv_create_qp(end->pd, &init);
		if (!end->qps[i])
			bench_fail(end->pair, "ibv_create_qp");
	}
}

static int bench_to_rtr(struct ibv_qp *qp, const union ibv_gid *gid, uint32_t number)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT, .port_num = 1, .qp_access_flags = ACCESS};
	int err = ibv_modify_qp(
		qp, &attr, IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS);

	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_4096,
		.dest_qp_num = number,
		.max_dest_rd_atomic = 16,
		.min_rnr_timer = 1,
		.ah_attr = {.is_global = 1, .port_num = 1, .grh = {.dgid = *gid, .hop_limit = 64}}};
	return err ? err
		   : ibv_modify_qp(qp, &attr,
				   IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
					   IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
					   IBV_QP_MIN_RNR_TIMER);
}

static int bench_to_rts(struct ibv_qp *qp)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RTS,
				   .timeout = 14,
				   .retry_cnt = 7,
				   .rnr_retry = 7,
				   .max_rd_atomic = 16};

	return ibv_modify_qp(qp, &attr,
			     IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
				     IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC);
}

/* Both ends, each in its process, connected QP by QP. */
static void join_ends(struct end *end, struct bench_pair *pair, int side,
		      const struct bench_row *row)
{
	struct told told = {0};

	*end = (struct end){.pair = pair, .count = row->count};
	open_bench_device(end, device_of(side, row));
	make_end(end);
	if (ibv_query_gid(end->context, 1, 0, &told.gid))
		bench_fail(pair, "ibv_query_gid");
	told.address = (uintptr_t)end->memory;
	told.rkey = end->mr->rkey;
	for (unsigned int i = 0; i < end->count; i++)
		told.numbers[i] = end->qps[i]->qp_num;
	memcpy(pair->told[side], &told, sizeof(told));
	bench_meet(pair, side);
	memcpy(&end->other, pair->told[1 - side], sizeof(end->other));
	for (unsigned int i = 0; i < end->count; i++) {
		if (bench_to_rtr(end->qps[i], &end->other.gid, end->other.numbers[i]) ||
		    bench_to_rts(end->qps[i]))
			bench_fail(pair, "ibv_modify_qp");
	}
	bench_meet(pair, side);
}

static void part_ends(struct end *end, int side)
{
	bench_meet(end->pair, side);
	for (unsigned int i = 0; i < end->count; i++)
		ibv_destroy_qp(end->qps[i]);
	ibv_destroy_cq(end->cq);
	ibv_dereg_mr(end->mr);
	munmap(end->memory, MEMORY);
	ibv_dealloc_pd(end->pd);
	ibv_destroy_comp_channel(end->channel);
	ibv_close_device(end->context);
}

static void offer_buffer(struct end *end)
{
	struct ibv_sge sge = {(uintptr_t)end->memory + MEMORY / 2, 64, end->mr->lkey};
	struct ibv_recv_wr wr = {.sg_list = &sge, .num_sge = 1}, *bad;

	if (ibv_post_recv(end->qps[0], &wr, &bad))
		bench_fail(end->pair, "ibv_post_recv");
}

static void bench_send(struct end *end, unsigned int qp, enum ibv_wr_opcode opcode, size_t size,
		       bool is_signaled)
{
	struct ibv_sge sge = {(uintptr_t)end->memory, (uint32_t)size, end->mr->lkey};
	struct ibv_send_wr wr = {
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = opcode,
		.send_flags = (is_signaled ? IBV_SEND_SIGNALED : 0U) |
			      (size <= 64 && opcode != IBV_WR_RDMA_READ ? IBV_SEND_INLINE : 0U),
		.wr.rdma = {end->other.address + MEMORY / 2, end->other.rkey}};
	struct ibv_send_wr *bad;

	wr.wr_id = qp;
	if (ibv_post_send(end->qps[qp], &wr, &bad))
		bench_fail(end->pair, "ibv_post_send");
}

static void next_done(struct end *end, struct ibv_wc *wc)
{
	while (!atomic_load(&end->pair->has_failed)) {
		struct ibv_cq *cq;
		void *context;
		int got = ibv_poll_cq(end->cq, 1, wc);

		if (got < 0 || (got > 0 && wc->status))
			bench_fail(end->pair, "completion");
		if (got > 0)
			return;
		if (!end->sleeps)
			continue;
		ibv_req_notify_cq(end->cq, 0);
		if (ibv_poll_cq(end->cq, 1, wc) > 0)
			return;
		if (ibv_get_cq_event(end->channel, &cq, &context))
			bench_fail(end->pair, "ibv_get_cq_event");
		ibv_ack_cq_events(cq, 1);
	}
	_exit(1);
}

/* Send completions come in between; every eighth request has one. */
static void take_message(struct end *end)
{
	struct ibv_wc wc;

	do {
		next_done(end, &wc);
	} while (!(wc.opcode & IBV_WC_RECV));
	offer_buffer(end);
}

static void see_write(struct end *end, unsigned char wanted)
{
	volatile unsigned char *at = end->memory + MEMORY / 2;
	struct ibv_wc wc;

	/* As a program does: who polls its CQ makes progress. */
	while (*at != wanted) {
		if (ibv_poll_cq(end->cq, 1, &wc) < 0 || atomic_load(&end->pair->has_failed))
			_exit(1);
	}
}

void bench_verbs_trip(struct bench_pair *pair, int side, const struct bench_row *row)
{
	struct end end;
	const bool is_write = row->kind == IBV_WR_RDMA_WRITE;
	uint64_t began;
	unsigned char next = 0;
	bool more = true;

	join_ends(&end, pair, side, row);
	end.sleeps = row->sleeps;
	for (int i = 0; i < DEPTH / 2 && !is_write; i++)
		offer_buffer(&end);
	bench_meet(pair, side);
	began = bench_now();
	while (more) {
		const uint64_t since = bench_now();

		for (int i = 0; i < BENCH_BATCH; i++) {
			next++;
			if (side == 1)
				is_write ? see_write(&end, next) : take_message(&end);
			end.memory[0] = next;
			bench_send(&end, 0, (enum ibv_wr_opcode)row->kind, row->size, i % 8 == 0);
			if (side == 0)
				is_write ? see_write(&end, next) : take_message(&end);
		}
		/* The last answer of a batch says whether there is another. */
		if (side == 0)
			more = bench_goes_on(pair, began, since, 2 * BENCH_BATCH);
		bench_meet(pair, side);
		more = !atomic_load(&pair->is_over);
		bench_meet(pair, side);
	}
	part_ends(&end, side);
}

/* Side 1 of a rate makes the progress that its device needs, until the end. */
static void help_peer(struct end *end)
{
	struct ibv_wc wc;

	while (!atomic_load(&end->pair->is_over) && !atomic_load(&end->pair->has_failed))
		ibv_poll_cq(end->cq, 1, &wc);
}

/* `flying` requests of each QP. */
static void run_batch(struct end *end, const struct bench_row *row, unsigned int batch)
{
	const unsigned int flying = row->size > 4096 ? 16 : DEPTH;
	unsigned int posted = 0, done = 0;
	struct ibv_wc wcs[16];

	while (done < batch) {
		int got;

		while (posted < batch && posted - done < flying * end->count) {
			bench_send(end, posted % end->count, (enum ibv_wr_opcode)row->kind,
				   row->size, true);
			posted++;
		}
		got = ibv_poll_cq(end->cq, 16, wcs);
		for (int i = 0; i < got; i++) {
			if (wcs[i].status)
				bench_fail(end->pair, ibv_wc_status_str(wcs[i].status));
		}
		done += got > 0 ? (unsigned int)got : 0;
	}
}

void bench_verbs_rate(struct bench_pair *pair, int side, const struct bench_row *row)
{
	const unsigned int batch = row->size > 100000 ? 16
				   : row->size > 4096 ? 128
						      : 64 * row->count;
	const double units = row->size > 4096 ? (double)batch * (double)row->size : batch;
	struct end end;

	join_ends(&end, pair, side, row);
	if (side == 1)
		help_peer(&end);
	else
		for (uint64_t began = bench_now(), since = began; true;) {
			run_batch(&end, row, batch);
			if (!bench_goes_on(pair, began, since, units))
				break;
			since = bench_now();
		}
	part_ends(&end, side);
}
