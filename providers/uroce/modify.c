/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_modify_qp(): the states of a QP and the attributes of each change, IBA 10.3.1 and 11.2.5.2. */
#include <errno.h>
#include <string.h>

#include "providers/uroce/qp.h"

enum { MAX_RD_ATOMIC = 128 };

struct change {
	enum ibv_qp_state from, to;
	enum ibv_qp_type type;
	int required, optional;
};

#define UC_RTS_OPTIONS (IBV_QP_CUR_STATE | IBV_QP_ACCESS_FLAGS)
#define RC_RTS_OPTIONS (UC_RTS_OPTIONS | IBV_QP_MIN_RNR_TIMER)
#define UD_RTS_OPTIONS (IBV_QP_CUR_STATE | IBV_QP_QKEY)
#define UC_RTR_NEEDS   (IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN)
#define RC_RTR_NEEDS   (UC_RTR_NEEDS | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)
#define RTR_OPTIONS    (IBV_QP_ACCESS_FLAGS | IBV_QP_PKEY_INDEX)
#define RC_RTS_NEEDS                                                            \
	(IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | \
	 IBV_QP_MAX_QP_RD_ATOMIC)
#define UC_SQD_OPTIONS (IBV_QP_AV | IBV_QP_ACCESS_FLAGS | IBV_QP_PKEY_INDEX)
#define RC_SQD_OPTIONS                                                                         \
	(UC_SQD_OPTIONS | IBV_QP_PORT | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY | \
	 IBV_QP_MAX_QP_RD_ATOMIC | IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER)

static const struct change changes[] = {
	{IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPT_RC,
	 IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS, 0},
	{IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPT_UC,
	 IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS, 0},
	{IBV_QPS_RESET, IBV_QPS_INIT, IBV_QPT_UD, IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY, 0},
	{IBV_QPS_INIT, IBV_QPS_INIT, IBV_QPT_RC, 0,
	 IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS},
	{IBV_QPS_INIT, IBV_QPS_INIT, IBV_QPT_UC, 0,
	 IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS},
	{IBV_QPS_INIT, IBV_QPS_INIT, IBV_QPT_UD, 0, IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_QKEY},
	{IBV_QPS_INIT, IBV_QPS_RTR, IBV_QPT_RC, RC_RTR_NEEDS, RTR_OPTIONS},
	{IBV_QPS_INIT, IBV_QPS_RTR, IBV_QPT_UC, UC_RTR_NEEDS, RTR_OPTIONS},
	{IBV_QPS_INIT, IBV_QPS_RTR, IBV_QPT_UD, 0, IBV_QP_PKEY_INDEX | IBV_QP_QKEY},
	{IBV_QPS_RTR, IBV_QPS_RTS, IBV_QPT_RC, RC_RTS_NEEDS, RC_RTS_OPTIONS},
	{IBV_QPS_RTR, IBV_QPS_RTS, IBV_QPT_UC, IBV_QP_SQ_PSN, UC_RTS_OPTIONS},
	{IBV_QPS_RTR, IBV_QPS_RTS, IBV_QPT_UD, IBV_QP_SQ_PSN, UD_RTS_OPTIONS},
	{IBV_QPS_RTS, IBV_QPS_RTS, IBV_QPT_RC, 0, RC_RTS_OPTIONS},
	{IBV_QPS_RTS, IBV_QPS_RTS, IBV_QPT_UC, 0, UC_RTS_OPTIONS},
	{IBV_QPS_RTS, IBV_QPS_RTS, IBV_QPT_UD, 0, UD_RTS_OPTIONS},
	{IBV_QPS_RTS, IBV_QPS_SQD, IBV_QPT_RC, 0, IBV_QP_EN_SQD_ASYNC_NOTIFY},
	{IBV_QPS_RTS, IBV_QPS_SQD, IBV_QPT_UC, 0, IBV_QP_EN_SQD_ASYNC_NOTIFY},
	{IBV_QPS_RTS, IBV_QPS_SQD, IBV_QPT_UD, 0, IBV_QP_EN_SQD_ASYNC_NOTIFY},
	{IBV_QPS_SQD, IBV_QPS_SQD, IBV_QPT_RC, 0, RC_SQD_OPTIONS},
	{IBV_QPS_SQD, IBV_QPS_SQD, IBV_QPT_UC, 0, UC_SQD_OPTIONS},
	{IBV_QPS_SQD, IBV_QPS_SQD, IBV_QPT_UD, 0, IBV_QP_PKEY_INDEX | IBV_QP_QKEY},
	{IBV_QPS_SQD, IBV_QPS_RTS, IBV_QPT_RC, 0, RC_RTS_OPTIONS},
	{IBV_QPS_SQD, IBV_QPS_RTS, IBV_QPT_UC, 0, UC_RTS_OPTIONS},
	{IBV_QPS_SQD, IBV_QPS_RTS, IBV_QPT_UD, 0, UD_RTS_OPTIONS},
	{IBV_QPS_SQE, IBV_QPS_RTS, IBV_QPT_UC, 0, UC_RTS_OPTIONS},
	{IBV_QPS_SQE, IBV_QPS_RTS, IBV_QPT_UD, 0, UD_RTS_OPTIONS},
};

static int check_mask(enum ibv_qp_type type, enum ibv_qp_state from, enum ibv_qp_state to, int mask)
{
	const int given = mask & ~IBV_QP_STATE;

	/* From every state, without attributes. */
	if (to == IBV_QPS_RESET || to == IBV_QPS_ERR)
		return given ? EINVAL : 0;
	for (size_t i = 0; i < sizeof(changes) / sizeof(changes[0]); i++) {
		const struct change *change = &changes[i];

		if (change->from != from || change->to != to || change->type != type)
			continue;
		if ((given & change->required) != change->required ||
		    given & ~(change->required | change->optional))
			return EINVAL;
		return 0;
	}
	return EINVAL;
}

static int check_address(struct uroce_qp *qp, const struct ibv_ah_attr *ah, union ibv_gid *source)
{
	int err;

	/* On RoCE an address is a GID (annex A17.4.1), and ours must exist. */
	if (!ah->is_global || ah->port_num != 1)
		return EINVAL;
	err = uroce_gid(qp->context, ah->grh.sgid_index, source);
	/* The table may have changed since the context was opened. */
	if (!err)
		uroce_publish_gid(qp->context, ah->grh.sgid_index, source);
	return err;
}

/* A longer packet would fit no frame of the interface, on whichever path the QP will be. */
static int check_path_mtu(struct uroce_qp *qp, enum ibv_mtu mtu)
{
	struct ibv_port_attr port;
	const int err = uroce_query_port(&qp->context->verbs.context, 1, &port);

	if (err)
		return err;
	return mtu > port.active_mtu ? EINVAL : 0;
}

static int check_values(struct uroce_qp *qp, const struct ibv_qp_attr *attr, int mask)
{
	const bool bad =
		(mask & IBV_QP_PORT && attr->port_num != 1) ||
		(mask & IBV_QP_PKEY_INDEX && attr->pkey_index) ||
		(mask & IBV_QP_PATH_MTU &&
		 (attr->path_mtu < IBV_MTU_256 || attr->path_mtu > IBV_MTU_4096)) ||
		(mask & IBV_QP_DEST_QPN && attr->dest_qp_num > 0xffffff) ||
		(mask & IBV_QP_TIMEOUT && attr->timeout > 31) ||
		(mask & IBV_QP_RETRY_CNT && attr->retry_cnt > 7) ||
		(mask & IBV_QP_RNR_RETRY && attr->rnr_retry > 7) ||
		(mask & IBV_QP_MIN_RNR_TIMER && attr->min_rnr_timer > 31) ||
		(mask & IBV_QP_MAX_QP_RD_ATOMIC && attr->max_rd_atomic > MAX_RD_ATOMIC) ||
		(mask & IBV_QP_MAX_DEST_RD_ATOMIC && attr->max_dest_rd_atomic > MAX_RD_ATOMIC);

	if (bad)
		return EINVAL;
	return mask & IBV_QP_PATH_MTU ? check_path_mtu(qp, attr->path_mtu) : 0;
}

static void copy_values(struct uroce_qp *qp, const struct ibv_qp_attr *attr, int mask)
{
	struct ibv_qp_attr *own = &qp->attr;
	struct uroce_shared_qp *shared = qp->shared;

	if (mask & IBV_QP_PORT)
		own->port_num = attr->port_num;
	if (mask & IBV_QP_PKEY_INDEX)
		own->pkey_index = attr->pkey_index;
	if (mask & IBV_QP_ACCESS_FLAGS)
		own->qp_access_flags = attr->qp_access_flags;
	if (mask & IBV_QP_QKEY)
		own->qkey = attr->qkey;
	if (mask & IBV_QP_AV)
		own->ah_attr = attr->ah_attr;
	if (mask & IBV_QP_PATH_MTU)
		own->path_mtu = attr->path_mtu;
	if (mask & IBV_QP_TIMEOUT)
		own->timeout = attr->timeout;
	if (mask & IBV_QP_RETRY_CNT)
		own->retry_cnt = attr->retry_cnt;
	if (mask & IBV_QP_RNR_RETRY)
		own->rnr_retry = attr->rnr_retry;
	if (mask & IBV_QP_RQ_PSN)
		own->rq_psn = attr->rq_psn & 0xffffff;
	if (mask & IBV_QP_SQ_PSN)
		own->sq_psn = attr->sq_psn & 0xffffff;
	if (mask & IBV_QP_DEST_QPN)
		own->dest_qp_num = attr->dest_qp_num;
	if (mask & IBV_QP_MAX_QP_RD_ATOMIC)
		own->max_rd_atomic = attr->max_rd_atomic;
	if (mask & IBV_QP_MAX_DEST_RD_ATOMIC)
		own->max_dest_rd_atomic = attr->max_dest_rd_atomic;
	if (mask & IBV_QP_MIN_RNR_TIMER)
		own->min_rnr_timer = attr->min_rnr_timer;
	atomic_store(&shared->dest, own->dest_qp_num);
	atomic_store(&shared->qkey, own->qkey);
	atomic_store(&shared->access, own->qp_access_flags);
	atomic_store(&shared->min_rnr_timer, own->min_rnr_timer);
	atomic_store(&shared->max_dest_rd_atomic, own->max_dest_rd_atomic);
	atomic_store(&shared->path_mtu, own->path_mtu ? 128U << own->path_mtu : 0);
}

/* As new: no requests and no path; the caller drops the completions. */
static void reset(struct uroce_qp *qp)
{
	struct uroce_target target;
	struct uroce_shared_rq *rq;

	if (qp->path) {
		qp->path->stop(qp);
		qp->path->destroy(qp);
	}
	qp->path = NULL;
	qp->path_data = NULL;
	uroce_qp_set_state(qp, IBV_QPS_RESET);
	uroce_access_wait(qp->context);
	qp->sq.head = qp->sq.next = qp->sq.tail;
	qp->fail_at = 0;
	qp->has_result = qp->flushes_recv = false;
	uroce_target_own(qp, &target);
	if (!qp->srq) {
		rq = uroce_recv_lock(&target);
		atomic_store(&qp->shared->rq.head, qp->rq.tail);
		if (rq)
			uroce_recv_unlock(&target, rq);
	}
	atomic_store(&qp->shared->fault, UROCE_FAULT_NONE);
	atomic_store(&qp->shared->established, 0);
	memset(&qp->attr, 0, sizeof(qp->attr));
	copy_values(qp, &qp->attr, 0);
	atomic_store(&qp->shared->dest_device, 0);
}

static void count_path(struct uroce_qp *qp)
{
	struct uroce_context *context = qp->context;

	atomic_fetch_add(qp->path->receives ? &context->wire_qps : &context->direct_qps, 1);
}

/* The path is chosen with the new attributes; after a failure the former ones are back. */
static int change_to_rtr(struct uroce_qp *qp, const struct ibv_qp_attr *attr, int mask)
{
	const struct ibv_qp_attr before = qp->attr;
	int err;

	copy_values(qp, attr, mask);
	err = uroce_choose_path(qp);
	if (!err) {
		err = qp->path->start(qp);
		if (err)
			qp->path = NULL;
		else
			count_path(qp);
	}
	if (!err)
		atomic_store(&qp->shared->dest_device, uroce_dest_device(qp));
	if (err) {
		qp->attr = before;
		copy_values(qp, &before, 0);
	}
	return err;
}

static int change_state(struct uroce_qp *qp, const struct ibv_qp_attr *attr, int mask,
			enum ibv_qp_state to)
{
	const enum ibv_qp_state from = qp->state;
	union ibv_gid source;
	int err = check_values(qp, attr, mask);

	if (!err && mask & IBV_QP_AV)
		err = check_address(qp, &attr->ah_attr, &source);
	if (err)
		return err;
	if (to == IBV_QPS_RESET) {
		reset(qp);
		return 0;
	}
	if (to == IBV_QPS_ERR) {
		uroce_qp_error(qp, -1);
		if (qp->state == IBV_QPS_RESET)
			uroce_qp_set_state(qp, IBV_QPS_ERR);
		return 0;
	}
	if (mask & IBV_QP_AV)
		qp->source_gid = source;
	if (from == IBV_QPS_INIT && to == IBV_QPS_RTR)
		err = change_to_rtr(qp, attr, mask);
	else
		copy_values(qp, attr, mask);
	if (err)
		return err;
	if (to == IBV_QPS_SQD && from != IBV_QPS_SQD) {
		qp->drained = false;
		qp->drain_event = mask & IBV_QP_EN_SQD_ASYNC_NOTIFY && attr->en_sqd_async_notify;
	}
	uroce_qp_set_state(qp, to);
	if (qp->path)
		qp->path->modified(qp, mask);
	return 0;
}

int uroce_modify_qp(struct ibv_qp *ibv, struct ibv_qp_attr *attr, int mask)
{
	struct uroce_qp *qp = uroce_qp_of(ibv);
	enum ibv_qp_state from, to;
	int err;

	pthread_mutex_lock(&qp->lock);
	uroce_qp_check(qp);
	from = qp->state;
	to = mask & IBV_QP_STATE ? attr->qp_state : from;
	err = check_mask(ibv->qp_type, from, to, mask);
	if (!err && mask & IBV_QP_CUR_STATE && attr->cur_qp_state != from)
		err = EINVAL;
	if (!err && atomic_load(&qp->context->gone) && to != IBV_QPS_ERR && to != IBV_QPS_RESET)
		err = EIO;
	if (!err)
		err = change_state(qp, attr, mask, to);
	if (!err)
		uroce_qp_progress(qp);
	pthread_mutex_unlock(&qp->lock);
	/* Without the lock: a program may post between ibv_start_poll() and ibv_end_poll(). */
	if (!err && to == IBV_QPS_RESET) {
		uroce_cq_drop(uroce_cq_of(ibv->send_cq), ibv->qp_num);
		uroce_cq_drop(uroce_cq_of(ibv->recv_cq), ibv->qp_num);
	}
	return err;
}
