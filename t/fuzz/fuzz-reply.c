/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a kernel answers: numbers, tables, handles, rings and records of events, changed by the input,
 * under a round of verbs. The first byte chooses the provider; the rest is used up piece by piece, and
 * what is left when it is used up is as it should be.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <string.h>
#include <unistd.h>
#include <rdma/ib_user_verbs.h>

#include "core/verbs/context.h"
#include "t/fault/verbs.h"
#include "t/fuzz/fuzz.h"

#undef ibv_reg_mr

const char fuzz_name[] = "reply";

static const uint8_t *input;
static size_t left;

static uint8_t next_input_byte(void)
{
	if (!left)
		return 0;
	left--;
	return *input++;
}

/* A piece: where it begins, how long it is, and what is changed. */
static void change_reply(void *data, size_t size)
{
	uint8_t *bytes = data;
	size_t at = next_input_byte(), length;

	if (!at || !size)
		return;
	at = (at - 1) % size;
	length = next_input_byte();
	for (size_t i = 0; i < length && at + i < size && left; i++)
		bytes[at + i] ^= next_input_byte();
}

/*
 * A made-up answer may count events that never come, or give a GID whose neighbour is to be asked for:
 * nothing here waits for real seconds, or sends to a real network.
 */
int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
				  const struct timespec *until);
int __wrap_ibv_resolve_eth_l2_from_gid(struct ibv_context *context, struct ibv_ah_attr *attr,
				       uint8_t mac[ETHERNET_LL_SIZE], uint16_t *vlan);

int __wrap_pthread_cond_clockwait(pthread_cond_t *cond, pthread_mutex_t *mutex, clockid_t clock,
				  const struct timespec *until)
{
	(void)cond;
	(void)mutex;
	(void)clock;
	(void)until;
	return ETIMEDOUT;
}

int __wrap_ibv_resolve_eth_l2_from_gid(struct ibv_context *context, struct ibv_ah_attr *attr,
				       uint8_t mac[ETHERNET_LL_SIZE], uint16_t *vlan)
{
	union ibv_gid gid;

	if (ibv_query_gid(context, attr->port_num, attr->grh.sgid_index, &gid))
		return -1;
	memset(mac, 0, ETHERNET_LL_SIZE);
	*vlan = 0;
	return 0;
}

static char memory[4096] __attribute__((aligned(4096)));

static void use_tables(struct ibv_context *context)
{
	struct ibv_gid_entry entries[3];
	struct ibv_device_attr attr;
	struct ibv_port_attr port;
	union ibv_gid gid;
	ssize_t count;

	fuzz_fill(&attr, sizeof(attr));
	fuzz_check(!ibv_query_device(context, &attr) || fuzz_untouched(&attr, sizeof(attr)));
	ibv_query_port(context, 1, &port);
	fuzz_fill(&gid, sizeof(gid));
	fuzz_check(!ibv_query_gid(context, 1, 0, &gid) || fuzz_untouched(&gid, sizeof(gid)));
	fuzz_fill(entries, sizeof(entries));
	fuzz_check(!ibv_query_gid_ex(context, 1, 0, entries, 0) ||
		   fuzz_untouched(entries, sizeof(entries)));
	count = ibv_query_gid_table(context, entries, 2, 0);
	fuzz_check(count >= -EPROTO && count <= 2);
	fuzz_check(fuzz_untouched(&entries[2], sizeof(entries[2])));
}

/* The kernel's pointers are the program's own; only of others is nothing known. */
static void use_events(struct ibv_context *context, struct ibv_qp *qp)
{
	struct ib_uverbs_async_event_desc record = {0};
	struct ibv_async_event event;
	bool about_qp = false;
	size_t size;

	change_reply(&record, sizeof(record));
	if (record.event_type <= IBV_EVENT_QP_LAST_WQE_REACHED ||
	    record.event_type == IBV_EVENT_WQ_FATAL) {
		record.event_type = IBV_EVENT_COMM_EST;
		record.element = (uintptr_t)qp;
		about_qp = true;
	}
	size = sizeof(record) - next_input_byte() % sizeof(record);
	if (about_qp && !qp)
		return;
	kernel_write_record(false, &record, size, about_qp && size == sizeof(record));
	if (!ibv_get_async_event(context, &event))
		ibv_ack_async_event(&event);
}

static void use_cq(struct ibv_cq *cq)
{
	struct ibv_wc wc[4];
	int got;

	for (int i = 0; i < 3; i++) {
		got = ibv_poll_cq(cq, 3, wc);
		fuzz_check(got >= -1 && got <= 3);
	}
	ibv_req_notify_cq(cq, 0);
	ibv_resize_cq(cq, 20);
	ibv_poll_cq(cq, 3, wc);
}

static void use_channel(struct ibv_comp_channel *channel, struct ibv_cq *cq)
{
	struct ib_uverbs_comp_event_desc record = {.cq_handle = (uintptr_t)cq};
	const size_t size = sizeof(record) - next_input_byte() % sizeof(record);
	struct ibv_cq *told;
	void *arg;

	kernel_write_record(true, &record, size, size == sizeof(record));
	if (!ibv_get_cq_event(channel, &told, &arg)) {
		fuzz_check(told == cq);
		ibv_ack_cq_events(told, 1);
	}
}

static void fuzz_use_qp(struct ibv_qp *qp, struct ibv_ah *ah)
{
	struct ibv_sge sge[3] = {{(uintptr_t)memory, 64, 1}};
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RTS};
	struct ibv_recv_wr recv = {.sg_list = sge, .num_sge = 3}, *bad_recv;
	struct ibv_send_wr send = {.sg_list = sge, .num_sge = 3, .opcode = IBV_WR_SEND}, *bad;
	struct ibv_qp_init_attr init;

	send.wr.ud.ah = ah;
	ibv_modify_qp(qp, &attr, IBV_QP_STATE);
	for (int i = 0; i < 3; i++) {
		ibv_post_recv(qp, &recv, &bad_recv);
		ibv_post_send(qp, &send, &bad);
	}
	send.send_flags = IBV_SEND_INLINE;
	ibv_post_send(qp, &send, &bad);
	fuzz_fill(&attr, sizeof(attr));
	fuzz_check(!ibv_query_qp(qp, &attr, IBV_QP_CAP, &init) ||
		   fuzz_untouched(&attr, sizeof(attr)));
}

static void use_srq(struct ibv_srq *srq)
{
	struct ibv_sge sge[3] = {{(uintptr_t)memory, 64, 1}};
	struct ibv_recv_wr wr = {.sg_list = sge, .num_sge = 3}, *bad;
	struct ibv_srq_attr attr;

	ibv_query_srq(srq, &attr);
	for (int i = 0; i < 3; i++)
		ibv_post_srq_recv(srq, &wr, &bad);
	attr = (struct ibv_srq_attr){.max_wr = 64};
	ibv_modify_srq(srq, &attr, IBV_SRQ_MAX_WR);
	ibv_post_srq_recv(srq, &wr, &bad);
}

static void use(struct ibv_context *context)
{
	struct ibv_qp_init_attr qp_attr = {
		.cap = {4, 4, 3, 3, 64},
		.qp_type = IBV_QPT_UD,
	};
	struct ibv_srq_init_attr srq_attr = {.attr = {8, 3, 0}};
	struct ibv_ah_attr ah_attr = {.is_global = 1, .port_num = 1};
	struct ibv_comp_channel *channel = ibv_create_comp_channel(context);
	struct ibv_cq *cq = ibv_create_cq(context, 10, NULL, channel, 0);
	struct ibv_pd *pd = ibv_alloc_pd(context);
	struct ibv_mr *mr = pd ? ibv_reg_mr(pd, memory, sizeof(memory), 0) : NULL;
	struct ibv_ah *ah = pd ? ibv_create_ah(pd, &ah_attr) : NULL;
	struct ibv_srq *srq = pd ? ibv_create_srq(pd, &srq_attr) : NULL;
	struct ibv_qp *qp = NULL;

	use_tables(context);
	qp_attr.send_cq = qp_attr.recv_cq = cq;
	if (pd && cq)
		qp = ibv_create_qp(pd, &qp_attr);
	if (qp && (ah || vbed_provider() == V_SIW))
		fuzz_use_qp(qp, ah);
	if (srq)
		use_srq(srq);
	if (cq)
		use_cq(cq);
	if (cq && channel)
		use_channel(channel, cq);
	use_events(context, qp);
	fuzz_check(!qp || !ibv_destroy_qp(qp));
	fuzz_check(!srq || !ibv_destroy_srq(srq));
	fuzz_check(!ah || !ibv_destroy_ah(ah));
	fuzz_check(!mr || !ibv_dereg_mr(mr));
	fuzz_check(!pd || !ibv_dealloc_pd(pd));
	fuzz_check(!cq || !ibv_destroy_cq(cq));
	fuzz_check(!channel || !ibv_destroy_comp_channel(channel));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const struct kernel_plan recent = {.lenient = true};
	static const struct kernel_plan old = {.lenient = true, .old = true};
	static int ready;
	struct ibv_context *context;
	uint8_t choice;
	int fd;

	if (!ready)
		fuzz_check(vdrive_init(0) == 0);
	ready = 1;
	input = data;
	left = size;
	choice = next_input_byte();
	vbed_choose(choice & 4 ? V_SIW : choice & 1 ? V_RXE : V_FRAMES);
	fd = kernel_open();
	kernel_begin(choice & 2 ? &old : &recent);
	kernel_noise = change_reply;
	context = vbed_open(fd);
	if (context) {
		use(context);
		hfi_context_free(hfi_context_of(context));
	}
	kernel_noise = NULL;
	fuzz_check(kernel_mappings() == 0);
	kernel_end();
	return 0;
}
