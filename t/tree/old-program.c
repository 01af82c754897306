/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A program of symbol node IBVERBS_1.0, like one linked in 2006: every call is bound to that
 * version, and it knows only the structs of that time. Run by t/tree/old-verbs.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include "compat/ibverbs_1_0/ibverbs_1_0.h"
#include "t/lib/fake/objects.h"
#include "t/lib/fake_kernel.h"

#define BIND(ret, name, parameters)       \
	extern ret old_##name parameters; \
	__asm__(".symver old_" #name "," #name "@IBVERBS_1.0")

BIND(struct v1_0_device **, ibv_get_device_list, (int *));
BIND(void, ibv_free_device_list, (struct v1_0_device **));
BIND(const char *, ibv_get_device_name, (struct v1_0_device *));
BIND(__be64, ibv_get_device_guid, (struct v1_0_device *));
BIND(struct v1_0_context *, ibv_open_device, (struct v1_0_device *));
BIND(int, ibv_close_device, (struct v1_0_context *));
BIND(int, ibv_get_async_event, (struct v1_0_context *, struct ibv_async_event *));
BIND(void, ibv_ack_async_event, (struct ibv_async_event *));
BIND(int, ibv_query_device, (struct v1_0_context *, struct ibv_device_attr *));
BIND(int, ibv_query_port, (struct v1_0_context *, uint8_t, void *));
BIND(int, ibv_query_gid, (struct v1_0_context *, uint8_t, int, union ibv_gid *));
BIND(int, ibv_query_pkey, (struct v1_0_context *, uint8_t, int, __be16 *));
BIND(struct v1_0_pd *, ibv_alloc_pd, (struct v1_0_context *));
BIND(int, ibv_dealloc_pd, (struct v1_0_pd *));
BIND(struct v1_0_mr *, ibv_reg_mr, (struct v1_0_pd *, void *, size_t, int));
BIND(int, ibv_dereg_mr, (struct v1_0_mr *));
BIND(struct v1_0_cq *, ibv_create_cq,
     (struct v1_0_context *, int, void *, struct ibv_comp_channel *, int));
BIND(int, ibv_resize_cq, (struct v1_0_cq *, int));
BIND(int, ibv_destroy_cq, (struct v1_0_cq *));
BIND(int, ibv_get_cq_event, (struct ibv_comp_channel *, struct v1_0_cq **, void **));
BIND(void, ibv_ack_cq_events, (struct v1_0_cq *, unsigned int));
BIND(struct v1_0_srq *, ibv_create_srq, (struct v1_0_pd *, struct ibv_srq_init_attr *));
BIND(int, ibv_modify_srq, (struct v1_0_srq *, struct ibv_srq_attr *, int));
BIND(int, ibv_query_srq, (struct v1_0_srq *, struct ibv_srq_attr *));
BIND(int, ibv_destroy_srq, (struct v1_0_srq *));
BIND(struct v1_0_qp *, ibv_create_qp, (struct v1_0_pd *, struct v1_0_qp_init_attr *));
BIND(int, ibv_modify_qp, (struct v1_0_qp *, struct ibv_qp_attr *, int));
BIND(int, ibv_query_qp, (struct v1_0_qp *, struct ibv_qp_attr *, int, struct v1_0_qp_init_attr *));
BIND(int, ibv_destroy_qp, (struct v1_0_qp *));
BIND(struct v1_0_ah *, ibv_create_ah, (struct v1_0_pd *, struct ibv_ah_attr *));
BIND(int, ibv_destroy_ah, (struct v1_0_ah *));
BIND(int, ibv_attach_mcast, (struct v1_0_qp *, const union ibv_gid *, uint16_t));
BIND(int, ibv_detach_mcast, (struct v1_0_qp *, const union ibv_gid *, uint16_t));

static unsigned int checks;
static int events; /* only the members that the kernel's answer contains */

#define CHECK(condition)                                                                      \
	do {                                                                                  \
		checks++;                                                                     \
		if (!(condition)) {                                                           \
			fprintf(stderr, "FAIL: %s:%d: %s\n", __FILE__, __LINE__, #condition); \
			exit(1);                                                              \
		}                                                                             \
	} while (0)

/*
 * The kernel's side of the only command that these tests send: the new channel is the descriptor
 * `wakeups`.
 */
static int wakeups = -1, asked_fd = -1;

static int answer_old_program(int fd, struct ib_uverbs_ioctl_hdr *command)
{
	const struct ib_uverbs_attr *number, *out;

	if (!fake_kernel_is(command, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE))
		return ENOTTY;
	number = fake_kernel_attr(command, UVERBS_ATTR_WRITE_CMD);
	out = fake_kernel_attr(command, UVERBS_ATTR_CORE_OUT);
	if (!number || number->data != IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL || !out || wakeups < 0)
		return ENOTTY;
	asked_fd = fd;
	*(uint32_t *)(uintptr_t)out->data = (uint32_t)wakeups;
	return 0;
}

static void test_context(struct v1_0_context *context)
{
	unsigned char port[sizeof(struct ibv_port_attr)];
	struct ibv_device_attr attr;
	union ibv_gid gid;
	__be16 pkey;

	CHECK(context->cmd_fd == context->real->cmd_fd && context->cmd_fd > 2);
	CHECK(context->async_fd == context->real->async_fd && context->async_fd > 2);
	CHECK(context->num_comp_vectors == 3);
	CHECK(!old_ibv_query_device(context, &attr) && attr.max_qp == 7);
	memset(port, 0xa5, sizeof(port));
	CHECK(!old_ibv_query_port(context, 1, port));
	CHECK(((struct ibv_port_attr *)(void *)port)->state == IBV_PORT_ACTIVE);
	/* Nothing may be written beyond the old struct. */
	for (size_t i = offsetof(struct ibv_port_attr, port_cap_flags2); i < sizeof(port); i++)
		CHECK(port[i] == 0xa5);
	CHECK(!old_ibv_query_gid(context, 1, 0, &gid) && gid.raw[0] == 0xfe);
	CHECK(!old_ibv_query_pkey(context, 1, 0, &pkey) && pkey == 0xffff);
	CHECK(old_ibv_query_gid(context, 1, 999, &gid));
}

static void test_memory(struct v1_0_context *context)
{
	struct v1_0_pd *pd = old_ibv_alloc_pd(context);
	char buffer[64];
	struct v1_0_mr *mr;

	CHECK(pd && pd->context == context && pd->handle == pd->real->handle);
	mr = old_ibv_reg_mr(pd, buffer, sizeof(buffer), IBV_ACCESS_LOCAL_WRITE);
	CHECK(mr && mr->context == context && mr->pd == pd);
	CHECK(mr->lkey == mr->real->lkey && mr->rkey == mr->lkey + 1000);
	CHECK(mr->real->addr == buffer && mr->real->length == sizeof(buffer));
	CHECK(!old_ibv_dereg_mr(mr));
	CHECK(!old_ibv_dealloc_pd(pd));
}

static void post_old_requests(struct v1_0_qp *qp, struct v1_0_cq *cq, struct v1_0_ah *ah)
{
	enum { MANY = 40 };
	struct v1_0_send_wr list[MANY], *bad = NULL;
	struct v1_0_recv_wr receives[MANY], *bad_receive = NULL;
	struct ibv_sge sge = {0};
	struct ibv_wc wc[MANY];

	memset(list, 0, sizeof(list));
	memset(receives, 0, sizeof(receives));
	for (unsigned int i = 0; i < MANY; i++) {
		list[i].next = i + 1 < MANY ? &list[i + 1] : NULL;
		list[i].wr_id = 1000 + i;
		list[i].sg_list = &sge;
		list[i].num_sge = 1;
		list[i].imm_data = 5;
		receives[i].next = i + 1 < MANY ? &receives[i + 1] : NULL;
		receives[i].wr_id = 2000 + i;
		receives[i].num_sge = 2;
		if (ah) {
			list[i].opcode = IBV_WR_SEND_WITH_IMM;
			list[i].wr.ud.ah = ah;
			list[i].wr.ud.remote_qpn = i;
		} else if (i % 2) {
			list[i].opcode = IBV_WR_RDMA_WRITE;
			list[i].wr.rdma.rkey = 100 + i;
		} else {
			list[i].opcode = IBV_WR_ATOMIC_CMP_AND_SWP;
			list[i].wr.atomic.rkey = 200 + i;
			list[i].wr.atomic.swap = 300 + i;
		}
	}
	CHECK(!qp->context->ops.post_send(qp, list, &bad) && !bad);
	CHECK(cq->context->ops.poll_cq(cq, MANY, wc) == MANY);
	for (unsigned int i = 0; i < MANY; i++) {
		CHECK(wc[i].wr_id == 1000 + i && wc[i].qp_num == qp->qp_num);
		CHECK(wc[i].byte_len == 1 && wc[i].imm_data == 5);
		if (ah)
			CHECK(wc[i].slid == ah->handle && wc[i].src_qp == i);
		else if (i % 2)
			CHECK(wc[i].vendor_err == 100 + i);
		else
			CHECK(wc[i].vendor_err == 200 + i && wc[i].src_qp == 300 + i);
	}
	/* The bad request is reported at every position in a list; those before it are posted. */
	for (unsigned int at = 0; at < MANY; at += 13) {
		list[at].wr_id = receives[at].wr_id = OBJECTS_BAD;
		CHECK(qp->context->ops.post_send(qp, list, &bad) == ENOMEM && bad == &list[at]);
		CHECK(cq->context->ops.poll_cq(cq, MANY, wc) == (int)at);
		CHECK(qp->context->ops.post_recv(qp, receives, &bad_receive) == ENOMEM);
		CHECK(bad_receive == &receives[at]);
		CHECK(cq->context->ops.poll_cq(cq, MANY, wc) == (int)at);
		list[at].wr_id = receives[at].wr_id = 1000 + at;
	}
	CHECK(!qp->context->ops.post_recv(qp, receives, &bad_receive));
	CHECK(cq->context->ops.poll_cq(cq, MANY, wc) == MANY && wc[MANY - 1].sl == 1);
	CHECK(!qp->context->ops.post_send(qp, NULL, &bad));
	CHECK(!cq->context->ops.req_notify_cq(cq, 0));
	if (qp->srq) {
		receives[20].wr_id = OBJECTS_BAD;
		CHECK(qp->context->ops.post_srq_recv(qp->srq, receives, &bad_receive) == ENOMEM);
		CHECK(bad_receive == &receives[20]);
	}
}

/* An event in the kernel's format contains the pointer to the real object. */
static void test_events(struct v1_0_context *context, struct v1_0_cq *cq, struct v1_0_qp *qp,
			struct v1_0_srq *srq)
{
	const struct {
		enum ibv_event_type type;
		void *real, *old;
	} cases[] = {{IBV_EVENT_QP_FATAL, qp->real, qp},
		     {IBV_EVENT_CQ_ERR, cq->real, cq},
		     {IBV_EVENT_SRQ_LIMIT_REACHED, srq->real, srq},
		     {IBV_EVENT_QP_LAST_WQE_REACHED, qp->real, qp},
		     {IBV_EVENT_PORT_ACTIVE, (void *)1, (void *)1}};
	struct ib_uverbs_comp_event_desc completion = {.cq_handle = (uintptr_t)cq->real};
	struct ibv_comp_channel *channel;
	int fds[2];
	struct ibv_async_event event;
	struct v1_0_cq *got;
	void *cookie;

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct ib_uverbs_async_event_desc desc = {.element = (uintptr_t)cases[i].real,
							  .event_type = cases[i].type};

		CHECK(write(events, &desc, sizeof(desc)) == sizeof(desc));
		CHECK(!old_ibv_get_async_event(context, &event));
		CHECK(event.event_type == cases[i].type);
		if (cases[i].type == IBV_EVENT_PORT_ACTIVE)
			CHECK(event.element.port_num == 1);
		else
			CHECK((void *)event.element.qp == cases[i].old);
		old_ibv_ack_async_event(&event);
	}
	/* One function for both kinds of context: it must reach the real one. */
	fake_kernel_answer(FAKE_KERNEL_EVERY_FD, answer_old_program);
	CHECK(!pipe(fds));
	wakeups = fds[0];
	channel = ibv_create_comp_channel((struct ibv_context *)(void *)context);
	CHECK(channel && channel->context == context->real && asked_fd == context->cmd_fd);
	CHECK(write(fds[1], &completion, sizeof(completion)) == sizeof(completion));
	CHECK(!old_ibv_get_cq_event(channel, &got, &cookie));
	CHECK(got == cq && cookie == &checks);
	old_ibv_ack_cq_events(cq, 1);
	CHECK(!ibv_destroy_comp_channel(channel));
	close(fds[1]);
}

static void test_queues(struct v1_0_context *context, bool with_srq)
{
	const enum ibv_qp_type type = with_srq ? IBV_QPT_RC : IBV_QPT_UD;
	struct ibv_srq_init_attr srq_attr = {.srq_context = &srq_attr};
	struct v1_0_qp_init_attr attr = {.qp_context = &attr, .qp_type = type}, asked;
	struct v1_0_pd *pd = old_ibv_alloc_pd(context);
	unsigned char bytes[sizeof(struct ibv_qp_attr)];
	struct ibv_qp_attr *qp_attr = (struct ibv_qp_attr *)(void *)bytes;
	struct ibv_ah_attr ah_attr = {.port_num = 1};
	struct ibv_srq_attr limit = {0};
	union ibv_gid gid = {{0}};
	struct v1_0_srq *srq;
	struct v1_0_ah *ah;
	struct v1_0_cq *cq;
	struct v1_0_qp *qp;

	cq = old_ibv_create_cq(context, 10, &checks, NULL, 0);
	CHECK(cq && cq->context == context && cq->cq_context == &checks);
	CHECK(cq->cqe == 11 && cq->handle == cq->real->handle);
	CHECK(!old_ibv_resize_cq(cq, 20) && cq->cqe == 21);
	srq = old_ibv_create_srq(pd, &srq_attr);
	CHECK(srq && srq->srq_context == &srq_attr && srq_attr.srq_context == &srq_attr);
	CHECK(srq_attr.attr.max_wr == OBJECTS_SRQ_WR && srq->pd == pd);
	CHECK(!old_ibv_query_srq(srq, &limit) && limit.max_wr == OBJECTS_SRQ_WR);
	CHECK(old_ibv_modify_srq(srq, &limit, IBV_SRQ_LIMIT));
	ah = old_ibv_create_ah(pd, &ah_attr);
	CHECK(ah && ah->context == context && ah->pd == pd && ah->handle == ah->real->handle);

	attr.send_cq = attr.recv_cq = cq;
	attr.srq = with_srq ? srq : NULL;
	qp = old_ibv_create_qp(pd, &attr);
	CHECK(qp && qp->context == context && qp->qp_context == &attr && qp->pd == pd);
	CHECK(qp->send_cq == cq && qp->srq == attr.srq && qp->qp_type == type);
	CHECK(qp->qp_num == qp->real->qp_num && qp->state == IBV_QPS_RESET);
	CHECK(attr.cap.max_inline_data == OBJECTS_INLINE && attr.qp_context == &attr);
	memset(bytes, 0, sizeof(bytes));
	qp_attr->qp_state = IBV_QPS_INIT;
	CHECK(!old_ibv_modify_qp(qp, qp_attr, IBV_QP_STATE) && qp->state == IBV_QPS_INIT);
	memset(bytes, 0xa5, sizeof(bytes));
	CHECK(!old_ibv_query_qp(qp, qp_attr, IBV_QP_STATE, &asked));
	CHECK(qp_attr->qp_state == IBV_QPS_INIT && asked.qp_context == &attr);
	CHECK(asked.send_cq == cq && asked.recv_cq == cq && asked.srq == attr.srq);
	CHECK(asked.sq_sig_all == 1 && asked.qp_type == type);
	CHECK(qp_attr->rate_limit == 0xa5a5a5a5);
	CHECK(old_ibv_attach_mcast(qp, &gid, 1) && old_ibv_detach_mcast(qp, &gid, 1));
	post_old_requests(qp, cq, with_srq ? NULL : ah);
	if (with_srq)
		test_events(context, cq, qp, srq);
	CHECK(!old_ibv_destroy_qp(qp));
	CHECK(!old_ibv_destroy_ah(ah));
	CHECK(!old_ibv_destroy_srq(srq));
	CHECK(!old_ibv_destroy_cq(cq));
	CHECK(!old_ibv_dealloc_pd(pd));
}

int main(void)
{
	struct v1_0_device **list;
	struct v1_0_context *context;
	int count = -1, fds[2];
	char number[16];

	CHECK(!pipe(fds));
	events = fds[1];
	snprintf(number, sizeof(number), "%d", fds[0]);
	setenv("OBJECTS_ASYNC_FD", number, 1);
	list = old_ibv_get_device_list(&count);
	CHECK(list && count == 2 && list[0] && list[1] && !list[2]);
	CHECK(!strcmp(old_ibv_get_device_name(list[0]), "old0") ||
	      !strcmp(old_ibv_get_device_name(list[1]), "old0"));
	CHECK(old_ibv_get_device_guid(list[0]) != old_ibv_get_device_guid(list[1]));
	context = old_ibv_open_device(list[0]);
	CHECK(context && context->device == list[0]);
	old_ibv_free_device_list(list);
	/* The device of an open context outlives the list. */
	CHECK(!strncmp(old_ibv_get_device_name(context->device), "old", 3));
	test_context(context);
	test_memory(context);
	test_queues(context, true);
	test_queues(context, false);
	CHECK(!old_ibv_close_device(context));
	printf("%u checks of the 33 calls and 5 slots of IBVERBS_1.0 passed\n", checks);
	return 0;
}
