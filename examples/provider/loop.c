/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A device without a kernel driver. A sender copies a message into the ring of its peer, see segment.h, and
 * wakes the peer's process through a UNIX socket; a thread there copies it into the buffers that were posted
 * to receive. The device has SEND of at most 4 KiB between reliable connections and checks no memory keys.
 */
#include "loop.h"
#include "segment.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>

enum { QUEUE_MAX = 4096, LINK_MS = 1000 };

struct loop_cq {
	struct ibv_cq base;
	struct hf_provider_events *events;
	uint32_t head, tail, size;
	bool armed;
	int users;
	struct ibv_wc ring[];
};

struct loop_qp {
	struct ibv_qp base;
	struct hf_provider_events *events;
	struct loop_qp *next;
	struct slot *slot;
	uint32_t peer, head, tail, size;
	bool can_receive, can_send, all_signaled;
	struct {
		uint64_t wr_id;
		struct ibv_sge sge;
	} ring[];
};

struct loop_context {
	struct verbs_context base;
	struct segment *segment;
	struct loop_qp *qps;
	pthread_t thread;
	pid_t pid; /* where the thread is: a forked child has none */
	int socket;
	struct sockaddr_un address;
	bool stop, is_gone, link_is_down;
};

#define TO_CQ(cq) ((struct loop_cq *)(cq))
#define TO_QP(qp) ((struct loop_qp *)(qp))

static struct loop_context *to_loop(struct ibv_context *context)
{
	return (struct loop_context *)((char *)context -
				       offsetof(struct loop_context, base.context));
}

static struct loop_context *lock(struct ibv_context *context)
{
	example_lock_segment(to_loop(context)->segment);
	return to_loop(context);
}

static void unlock(struct loop_context *context)
{
	pthread_mutex_unlock(&context->segment->lock);
}

static void complete_request(struct loop_cq *cq, struct ibv_wc wc)
{
	if (cq->tail - cq->head == cq->size) {
		hf_provider_report_event(cq->events, IBV_EVENT_CQ_ERR);
		return;
	}
	cq->ring[cq->tail++ % cq->size] = wc;
	if (cq->armed)
		hf_provider_report_completion(cq->events);
	cq->armed = false;
}

/* The next receive request completes; `data` is NULL when it is flushed. */
static void receive_message(struct loop_qp *qp, const char *data, uint32_t length)
{
	const struct ibv_sge sge = qp->ring[qp->head % qp->size].sge;
	struct ibv_wc wc = {
		.wr_id = qp->ring[qp->head++ % qp->size].wr_id,
		.opcode = IBV_WC_RECV,
		.qp_num = qp->base.qp_num,
		.byte_len = length,
	};

	if (!data)
		wc.status = IBV_WC_WR_FLUSH_ERR;
	else if (length > sge.length)
		wc.status = IBV_WC_LOC_LEN_ERR;
	else
		memcpy((void *)(uintptr_t)sge.addr, data, length);
	complete_request(TO_CQ(qp->base.recv_cq), wc);
}

static void receive_all(struct loop_qp *qp)
{
	struct slot *slot = qp->slot;

	for (; qp->can_receive && slot->head != slot->tail && qp->head != qp->tail; slot->head++) {
		const uint32_t at = slot->head % RING, length = slot->ring[at].length;

		/* What other processes write may be anything. */
		if (slot->ring[at].source != qp->peer || length > MESSAGE_MAX)
			continue;
		receive_message(qp, slot->ring[at].data, length);
	}
}

static void *run_loop(void *arg)
{
	struct loop_context *context = arg;
	struct pollfd fds[2] = {
		{.fd = context->socket, .events = POLLIN},
		{.fd = hf_provider_removal_fd(&context->base), .events = POLLIN},
	};
	char byte;

	lock(&context->base.context);
	while (!context->stop && !context->is_gone) {
		unlock(context);
		/* The state of the link is polled: nothing notifies of a change. */
		poll(fds, 2, LINK_MS);
		while (recv(context->socket, &byte, 1, MSG_DONTWAIT) >= 0)
			;
		lock(&context->base.context);
		context->is_gone = fds[1].revents != 0;
		if (!context->segment->link_is_down == context->link_is_down) {
			context->link_is_down = !context->link_is_down;
			hf_provider_report_port(&context->base.context, 1,
						context->link_is_down ? IBV_EVENT_PORT_ERR
								      : IBV_EVENT_PORT_ACTIVE);
		}
		for (struct loop_qp *qp = context->qps; qp; qp = qp->next)
			receive_all(qp);
	}
	unlock(context);
	return NULL;
}

/* 0, or an error number when the request cannot be taken. */
static int send_one(struct loop_context *context, struct loop_qp *qp, const struct ibv_send_wr *wr)
{
	struct slot *slot = &context->segment->slots[qp->peer % SLOTS];
	const uint32_t at = slot->tail % RING, length = wr->num_sge ? wr->sg_list->length : 0;
	struct ibv_wc wc = {.wr_id = wr->wr_id, .qp_num = qp->base.qp_num, .opcode = IBV_WC_SEND};

	if (context->is_gone)
		return EIO;
	if (!qp->can_send || wr->opcode != IBV_WR_SEND || wr->num_sge > 1 || length > MESSAGE_MAX)
		return EINVAL;
	if (slot->number == qp->peer && slot->tail - slot->head >= RING)
		return ENOMEM;
	if (slot->number == qp->peer) {
		slot->ring[at].source = qp->base.qp_num;
		slot->ring[at].length = length;
		if (length)
			memcpy(slot->ring[at].data, (void *)(uintptr_t)wr->sg_list->addr, length);
		slot->tail++;
		if (!example_wake(context->socket, &slot->address))
			slot->number = 0;
	}
	if (slot->number != qp->peer)
		wc.status = IBV_WC_RETRY_EXC_ERR;
	if (wc.status || qp->all_signaled || wr->send_flags & IBV_SEND_SIGNALED)
		complete_request(TO_CQ(qp->base.send_cq), wc);
	return 0;
}

static int loop_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	struct loop_context *context = lock(qp->context);
	int err = 0;

	for (; wr && !err; wr = wr->next) {
		*bad = wr;
		err = send_one(context, TO_QP(qp), wr);
	}
	unlock(context);
	return err;
}

static int loop_post_recv(struct ibv_qp *base, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	struct loop_context *context = lock(base->context);
	struct loop_qp *qp = TO_QP(base);
	int err = context->is_gone ? EIO : 0;

	for (*bad = wr; wr && !err; *bad = wr = wr->next) {
		if (wr->num_sge != 1 || qp->tail - qp->head == qp->size) {
			err = wr->num_sge != 1 ? EINVAL : ENOMEM;
			break;
		}
		qp->ring[qp->tail % qp->size].wr_id = wr->wr_id;
		qp->ring[qp->tail++ % qp->size].sge = wr->sg_list[0];
	}
	receive_all(qp);
	unlock(context);
	return err;
}

static int loop_poll_cq(struct ibv_cq *base, int count, struct ibv_wc *wc)
{
	struct loop_context *context = lock(base->context);
	struct loop_cq *cq = TO_CQ(base);
	int i;

	for (i = 0; i < count && cq->head != cq->tail; i++)
		wc[i] = cq->ring[cq->head++ % cq->size];
	unlock(context);
	return i;
}

static int loop_req_notify_cq(struct ibv_cq *cq, int solicited_only)
{
	struct loop_context *context = lock(cq->context);

	(void)solicited_only; /* more events than requested are allowed */
	TO_CQ(cq)->armed = true;
	unlock(context);
	return 0;
}

static struct ibv_cq *loop_create_cq(struct ibv_context *context, int cqe,
				     struct ibv_comp_channel *channel, int vector)
{
	struct loop_cq *cq = NULL;

	(void)vector;
	errno = EINVAL;
	if (cqe > 0 && cqe <= QUEUE_MAX)
		cq = calloc(1, sizeof(*cq) + cqe * sizeof(cq->ring[0]));
	if (!cq)
		return NULL;
	cq->size = cq->base.cqe = cqe;
	cq->events = hf_provider_cq_events(context, &cq->base, channel);
	if (cq->events)
		return &cq->base;
	free(cq);
	return NULL;
}

static int loop_destroy_cq(struct ibv_cq *cq)
{
	struct loop_context *context = lock(cq->context);
	const int users = TO_CQ(cq)->users;

	unlock(context);
	if (users)
		return EBUSY;
	/* No queue pair reports to it any more. This waits for the program, so no lock is held. */
	hf_provider_events_end(TO_CQ(cq)->events);
	free(cq);
	return 0;
}

static struct ibv_qp *loop_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	const uint32_t size = attr->cap.max_recv_wr;
	struct loop_context *context;
	struct loop_qp *qp = NULL;

	errno = EINVAL;
	if (attr->qp_type == IBV_QPT_RC && !attr->srq && size > 0 && size <= QUEUE_MAX)
		qp = calloc(1, sizeof(*qp) + size * sizeof(qp->ring[0]));
	if (!qp)
		return NULL;
	hf_provider_init_qp(&qp->base, pd->context, attr, pd);
	qp->size = size;
	qp->all_signaled = attr->sq_sig_all;
	qp->events = hf_provider_qp_events(pd->context, &qp->base);
	context = lock(pd->context);
	qp->slot = qp->events
			   ? example_take_slot(context->segment, context->socket, &context->address)
			   : NULL;
	if (qp->slot) {
		qp->base.qp_num = qp->slot->number;
		TO_CQ(attr->send_cq)->users++;
		TO_CQ(attr->recv_cq)->users++;
		qp->next = context->qps;
		context->qps = qp;
	}
	unlock(context);
	if (qp->slot)
		return &qp->base;
	if (qp->events)
		hf_provider_events_end(qp->events);
	free(qp);
	errno = ENOMEM;
	return NULL;
}

static int loop_destroy_qp(struct ibv_qp *qp)
{
	struct loop_context *context = lock(qp->context);
	struct loop_qp **at = &context->qps;

	while (*at != TO_QP(qp))
		at = &(*at)->next;
	*at = TO_QP(qp)->next;
	TO_CQ(qp->send_cq)->users--;
	TO_CQ(qp->recv_cq)->users--;
	/* A forked child's is the parent's as well. */
	if (TO_QP(qp)->slot->number == qp->qp_num && context->pid == getpid())
		TO_QP(qp)->slot->number = 0;
	unlock(context);
	hf_provider_events_end(TO_QP(qp)->events);
	free(qp);
	return 0;
}

static int loop_modify_qp(struct ibv_qp *base, struct ibv_qp_attr *attr, int mask)
{
	struct loop_context *context = lock(base->context);
	struct loop_qp *qp = TO_QP(base);

	if (mask & IBV_QP_DEST_QPN)
		qp->peer = attr->dest_qp_num;
	if (mask & IBV_QP_STATE) {
		qp->can_send = attr->qp_state == IBV_QPS_RTS;
		qp->can_receive = attr->qp_state == IBV_QPS_RTR || qp->can_send;
		while (attr->qp_state == IBV_QPS_ERR && qp->head != qp->tail)
			receive_message(qp, NULL, 0);
		receive_all(qp);
	}
	unlock(context);
	return 0;
}

static struct ibv_pd *loop_alloc_pd(struct ibv_context *context)
{
	(void)context;
	return calloc(1, sizeof(struct ibv_pd));
}

static int loop_dealloc_pd(struct ibv_pd *pd)
{
	free(pd);
	return 0;
}

static struct ibv_mr *loop_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
				  int access)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));

	(void)pd, (void)addr, (void)length, (void)iova, (void)access;
	return mr ? &mr->ibv_mr : NULL;
}

static int loop_dereg_mr(struct verbs_mr *mr)
{
	free(mr);
	return 0;
}

static int loop_query_device(struct ibv_context *context,
			     const struct ibv_query_device_ex_input *input,
			     struct ibv_device_attr_ex *attr, size_t size)
{
	(void)input;
	memset(attr, 0, size);
	attr->orig_attr = (struct ibv_device_attr){
		.node_guid = ((struct verbs_device *)context->device)->sysfs->node_guid,
		.max_qp = SLOTS,
		.max_qp_wr = QUEUE_MAX,
		.max_cqe = QUEUE_MAX,
		.phys_port_cnt = 1,
	};
	return 0;
}

static int loop_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	if (port != 1)
		return EINVAL;
	*attr = (struct ibv_port_attr){
		.state = to_loop(context)->segment->link_is_down ? IBV_PORT_DOWN : IBV_PORT_ACTIVE,
		.max_mtu = IBV_MTU_4096,
		.active_mtu = IBV_MTU_4096,
		.gid_tbl_len = 1, /* as many files as the tree has in gids/ */
		.pkey_tbl_len = 1,
		.max_msg_sz = MESSAGE_MAX,
		.link_layer = IBV_LINK_LAYER_ETHERNET,
	};
	return 0;
}

static void loop_free_context(struct ibv_context *ibv_context)
{
	struct loop_context *context = to_loop(ibv_context);

	/* The thread reports events: it ends before what the core has of the context. */
	if (context->pid == getpid()) {
		lock(ibv_context)->stop = true;
		unlock(context);
		example_wake(context->socket, &context->address);
		pthread_join(context->thread, NULL);
	}
	if (context->segment != MAP_FAILED)
		munmap(context->segment, sizeof(*context->segment));
	if (context->socket >= 0)
		close(context->socket);
	hf_provider_context_uninit(&context->base);
	free(context);
}

static const struct verbs_context_ops operations = {
	.alloc_pd = loop_alloc_pd,
	.create_cq = loop_create_cq,
	.create_qp = loop_create_qp,
	.dealloc_pd = loop_dealloc_pd,
	.dereg_mr = loop_dereg_mr,
	.destroy_cq = loop_destroy_cq,
	.destroy_qp = loop_destroy_qp,
	.free_context = loop_free_context,
	.modify_qp = loop_modify_qp,
	.poll_cq = loop_poll_cq,
	.post_recv = loop_post_recv,
	.post_send = loop_post_send,
	.reg_mr = loop_reg_mr,
	.query_device_ex = loop_query_device,
	.query_port = loop_query_port,
	.req_notify_cq = loop_req_notify_cq,
};

/* 0, or -1 with errno. loop_free_context() frees what was created. */
static int start_loop(struct loop_context *context)
{
	socklen_t length = sizeof(context->address);
	sigset_t all, before;

	context->segment = example_map_segment(context->base.context.cmd_fd);
	if (context->segment == MAP_FAILED)
		return -1;
	context->link_is_down = context->segment->link_is_down;
	context->socket = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	context->address.sun_family = AF_UNIX;
	if (context->socket < 0 ||
	    bind(context->socket, (struct sockaddr *)&context->address, sizeof(sa_family_t)) < 0 ||
	    getsockname(context->socket, (struct sockaddr *)&context->address, &length) < 0)
		return -1;
	/* Signals are for the program's threads. */
	sigfillset(&all);
	pthread_sigmask(SIG_BLOCK, &all, &before);
	errno = pthread_create(&context->thread, NULL, run_loop, context);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	if (!errno)
		context->pid = getpid();
	return errno ? -1 : 0;
}

struct verbs_context *example_open_loop(struct ibv_device *device, int cmd_fd)
{
	const struct hf_no_kernel attr = {sizeof(attr), .num_ports = 1, .num_comp_vectors = 1};
	struct loop_context *context;
	int err;

	context = hf_provider_context_alloc(device, cmd_fd, sizeof(*context),
					    offsetof(struct loop_context, base), 0);
	if (!context)
		return NULL;
	context->socket = -1;
	context->segment = MAP_FAILED;
	hf_provider_set_ops(&context->base, &operations);
	err = hf_provider_no_kernel(&context->base, &attr);
	if (!err && start_loop(context) < 0)
		err = errno;
	if (!err)
		return &context->base;
	loop_free_context(&context->base.context);
	errno = err;
	return NULL;
}
