/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates, queries and destroys QPs. */
#include "providers/uroce/qp.h"
#include "providers/uroce/wire_receive.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* ---- QP numbers ---- */

/* Reserves a free chunk of numbers for the context. With context->lock. */
static int take_chunk(struct uroce_context *context)
{
	struct uroce_header *header = context->segment;
	const uint32_t local = context->chunk_count;
	const uint32_t owner = local << 16 | (context->slot_index + 1);
	const uint32_t first = atomic_fetch_add(&header->next_chunk, 1);

	if (local == UROCE_CONTEXT_CHUNKS)
		return ENOMEM;
	for (uint32_t i = 0; i < UROCE_CHUNKS; i++) {
		const uint32_t chunk = (first + i) % UROCE_CHUNKS;
		uint32_t none = 0;

		/* Numbers 0 and 1 are special. */
		if (!chunk || !atomic_compare_exchange_strong(&header->chunks[chunk], &none, owner))
			continue;
		context->chunks[context->chunk_count++] = chunk;
		return 0;
	}
	return ENOMEM;
}

/* Takes a place in the table of QPs, in turn, so that a number is not used again soon. */
static int take_qp_index(struct uroce_context *context, struct uroce_qp *qp, uint32_t *number)
{
	uint32_t end = context->chunk_count * UROCE_CHUNK_QPS, index;
	uint32_t tries;

	for (tries = 0; tries < end; tries++)
		if (!context->qps[(context->next_qp + tries) % end])
			break;
	if (tries == end) {
		if (take_chunk(context))
			return ENOMEM;
		context->next_qp = end;
		end += UROCE_CHUNK_QPS;
		tries = 0;
	}
	index = (context->next_qp + tries) % end;
	context->next_qp = index + 1;
	qp->index = index;
	qp->shared = &context->arena->qps[index];
	*number = context->chunks[index / UROCE_CHUNK_QPS] * UROCE_CHUNK_QPS +
		  index % UROCE_CHUNK_QPS;
	return uroce_arena_back(context, qp->shared, sizeof(*qp->shared));
}

static void publish(struct uroce_qp *qp, const struct ibv_qp_init_attr_ex *attr, uint32_t number)
{
	struct uroce_shared_qp *shared = qp->shared;

	atomic_store(&shared->state, IBV_QPS_RESET);
	atomic_store(&shared->type, attr->qp_type);
	atomic_store(&shared->fault, UROCE_FAULT_NONE);
	atomic_store(&shared->pd, uroce_pd_of(attr->pd)->number);
	atomic_store(&shared->recv_cq, uroce_cq_of(attr->recv_cq)->index);
	atomic_store(&shared->srq, qp->srq ? qp->srq->index + 1 : 0);
	atomic_store(&shared->number, number);
}

static int take_qp_place(struct uroce_context *context, struct uroce_qp *qp,
			 const struct ibv_qp_init_attr_ex *attr)
{
	uint32_t number = 0;
	int err;

	pthread_mutex_lock(&context->lock);
	err = take_qp_index(context, qp, &number);
	if (!err) {
		memset(qp->shared, 0, sizeof(*qp->shared));
		err = uroce_rq_make(context, &qp->rq, &qp->shared->rq,
				    qp->srq ? 0 : qp->cap.max_recv_wr, qp->cap.max_recv_sge);
	}
	if (!err) {
		publish(qp, attr, number);
		qp->verbs.qp.qp_num = number;
		qp->verbs.qp.handle = qp->index;
		context->qps[qp->index] = qp;
		if (qp->index >= context->qps_end)
			context->qps_end = qp->index + 1;
	}
	pthread_mutex_unlock(&context->lock);
	return err;
}

/* ---- Creating ---- */

static int make_send_queue(struct uroce_sq *sq, const struct ibv_qp_cap *cap)
{
	sq->max_wr = cap->max_send_wr;
	sq->max_sge = cap->max_send_sge;
	sq->max_inline = cap->max_inline_data;
	sq->stride = (sizeof(struct uroce_wqe) + sq->max_sge * sizeof(struct ibv_sge) +
		      sq->max_inline + 63) &
		     ~(size_t)63;
	sq->size = ring_size_for(sq->max_wr);
	sq->ring = calloc(sq->size, sq->stride);
	return sq->ring ? 0 : ENOMEM;
}

static uint32_t create_flags(const struct ibv_qp_init_attr_ex *attr)
{
	return attr->comp_mask & IBV_QP_INIT_ATTR_CREATE_FLAGS ? attr->create_flags : 0;
}

static int check_qp_attr(const struct ibv_qp_init_attr_ex *attr)
{
	const struct ibv_qp_cap *cap = &attr->cap;
	const uint32_t known = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS |
			       IBV_QP_INIT_ATTR_CREATE_FLAGS;

	if (attr->comp_mask & ~known)
		return EOPNOTSUPP;
	if (create_flags(attr) &
	    ~(attr->qp_type == IBV_QPT_UD ? IBV_QP_CREATE_BLOCK_SELF_MCAST_LB : 0U))
		return EOPNOTSUPP;
	if (attr->qp_type != IBV_QPT_RC && attr->qp_type != IBV_QPT_UC &&
	    attr->qp_type != IBV_QPT_UD)
		return EOPNOTSUPP;
	if (!(attr->comp_mask & IBV_QP_INIT_ATTR_PD) || !attr->pd || !attr->send_cq ||
	    !attr->recv_cq)
		return EINVAL;
	if (cap->max_send_wr > UROCE_MAX_WR || cap->max_recv_wr > UROCE_MAX_WR ||
	    cap->max_send_sge > UROCE_MAX_SGE || cap->max_recv_sge > UROCE_MAX_SGE ||
	    cap->max_inline_data > UROCE_MAX_INLINE)
		return EINVAL;
	if (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS)
		return uroce_check_send_ops(attr->qp_type, attr->send_ops_flags);
	return 0;
}

static void count_users(struct uroce_qp *qp, uint32_t by)
{
	atomic_fetch_add(&uroce_pd_of(qp->verbs.qp.pd)->users, by);
	atomic_fetch_add(&uroce_cq_of(qp->verbs.qp.send_cq)->users, by);
	atomic_fetch_add(&uroce_cq_of(qp->verbs.qp.recv_cq)->users, by);
	if (qp->srq)
		atomic_fetch_add(&qp->srq->users, by);
}

static int fill_qp(struct uroce_qp *qp, const struct ibv_qp_init_attr_ex *attr)
{
	struct ibv_qp_init_attr plain = {
		.qp_context = attr->qp_context,
		.send_cq = attr->send_cq,
		.recv_cq = attr->recv_cq,
		.srq = attr->srq,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
		.sq_sig_all = attr->sq_sig_all,
	};
	int err;

	hf_provider_init_qp(&qp->verbs.qp, &qp->context->verbs.context, &plain, attr->pd);
	qp->srq = attr->srq ? uroce_srq_of(attr->srq) : NULL;
	qp->all_signaled = attr->sq_sig_all;
	qp->blocks_own = create_flags(attr) & IBV_QP_CREATE_BLOCK_SELF_MCAST_LB;
	qp->cap = attr->cap;
	if (qp->srq)
		qp->cap.max_recv_wr = qp->cap.max_recv_sge = 0;
	err = make_send_queue(&qp->sq, &qp->cap);
	if (err)
		return err;
	qp->events = hf_provider_qp_events(&qp->context->verbs.context, &qp->verbs.qp);
	return qp->events ? 0 : errno;
}

static struct uroce_qp *make_qp(struct uroce_context *context, struct ibv_qp_init_attr_ex *attr)
{
	struct uroce_qp *qp;
	int err = check_qp_attr(attr);

	if (!err && atomic_load(&context->gone))
		err = EIO;
	if (err) {
		errno = err;
		return NULL;
	}
	qp = calloc(1, sizeof(*qp));
	if (!qp)
		return NULL;
	qp->context = context;
	qp->deadline = UROCE_NEVER;
	pthread_mutex_init(&qp->lock, NULL);
	err = fill_qp(qp, attr);
	if (!err)
		err = take_qp_place(context, qp, attr);
	if (err)
		goto free_qp;
	count_users(qp, 1);
	if (attr->comp_mask & IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) {
		uroce_set_qp_calls(&qp->verbs.qp_ex);
		qp->verbs.comp_mask |= VERBS_QP_EX;
	}
	attr->cap = qp->cap;
	return qp;

free_qp:
	if (qp->events)
		hf_provider_events_end(qp->events);
	pthread_mutex_destroy(&qp->lock);
	free(qp->sq.ring);
	free(qp);
	errno = err;
	return NULL;
}

struct ibv_qp *uroce_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr)
{
	struct uroce_qp *qp = make_qp(uroce_context_of(context), attr);

	return qp ? &qp->verbs.qp : NULL;
}

struct ibv_qp *uroce_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct ibv_qp_init_attr_ex all = {
		.qp_context = attr->qp_context,
		.send_cq = attr->send_cq,
		.recv_cq = attr->recv_cq,
		.srq = attr->srq,
		.cap = attr->cap,
		.qp_type = attr->qp_type,
		.sq_sig_all = attr->sq_sig_all,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = pd,
	};
	struct uroce_qp *qp = make_qp(uroce_context_of(pd->context), &all);

	if (!qp)
		return NULL;
	attr->cap = all.cap;
	return &qp->verbs.qp;
}

/* ---- Querying and destroying ---- */

int uroce_query_qp(struct ibv_qp *ibv, struct ibv_qp_attr *attr, int mask,
		   struct ibv_qp_init_attr *init_attr)
{
	struct uroce_qp *qp = uroce_qp_of(ibv);

	(void)mask;
	pthread_mutex_lock(&qp->lock);
	uroce_qp_check(qp);
	*attr = qp->attr;
	attr->qp_state = qp->state;
	attr->cur_qp_state = qp->state;
	attr->cap = qp->cap;
	attr->sq_draining = qp->state == IBV_QPS_SQD && !qp->drained;
	pthread_mutex_unlock(&qp->lock);
	*init_attr = (struct ibv_qp_init_attr){
		.qp_context = ibv->qp_context,
		.send_cq = ibv->send_cq,
		.recv_cq = ibv->recv_cq,
		.srq = ibv->srq,
		.cap = qp->cap,
		.qp_type = ibv->qp_type,
		.sq_sig_all = qp->all_signaled,
	};
	return 0;
}

/* From then on peers find no QP; wait for a peer that is executing a message. */
static void withdraw_qp(struct uroce_qp *qp)
{
	struct uroce_target target;
	struct uroce_shared_rq *rq;

	uroce_qp_set_state(qp, IBV_QPS_RESET);
	atomic_store(&qp->shared->number, 0);
	uroce_access_wait(qp->context);
	uroce_target_own(qp, &target);
	/* Do not wait for a peer that is stopped with the lock held. */
	rq = uroce_recv_lock(&target);
	if (rq)
		uroce_recv_unlock(&target, rq);
}

int uroce_destroy_qp(struct ibv_qp *ibv)
{
	struct uroce_qp *qp = uroce_qp_of(ibv);
	struct uroce_context *context = qp->context;
	const bool ours = context->pid == getpid();

	/* As the kernel has it. Of an unplugged device all can be destroyed. */
	if (ours && qp->memberships && !atomic_load(&context->gone))
		return EBUSY;
	if (ours) {
		pthread_mutex_lock(&qp->lock);
		if (qp->path)
			qp->path->stop(qp);
		withdraw_qp(qp);
		pthread_mutex_unlock(&qp->lock);
		uroce_cq_drop(uroce_cq_of(ibv->send_cq), ibv->qp_num);
		uroce_cq_drop(uroce_cq_of(ibv->recv_cq), ibv->qp_num);
	}
	uroce_lock_to_end(context);
	uroce_counters_keep(context, qp);
	uroce_leave_groups(qp);
	context->qps[qp->index] = NULL;
	if (ours)
		uroce_rq_free(context, &qp->rq);
	uroce_unlock_to_end(context, ours);
	/* The engine thread may have found the QP before: wait for it. */
	if (ours) {
		uroce_wire_wait(context);
		pthread_mutex_lock(&qp->lock);
		if (qp->waits)
			atomic_fetch_sub(&context->waiting, 1);
		pthread_mutex_unlock(&qp->lock);
	}
	if (qp->path)
		qp->path->destroy(qp);
	count_users(qp, UINT32_MAX);
	hf_provider_events_end(qp->events);
	pthread_mutex_destroy(&qp->lock);
	free(qp->sq.ring);
	free(qp);
	return 0;
}
