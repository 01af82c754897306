/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asynchronous events: ibv_get_async_event() and ibv_ack_async_event(). */
#include <errno.h>
#include <rdma/ib_user_verbs.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

enum event_object { OBJECT_NONE, OBJECT_CQ, OBJECT_QP, OBJECT_SRQ, OBJECT_WQ };

static enum event_object object_of(enum ibv_event_type type)
{
	switch (type) {
	case IBV_EVENT_CQ_ERR:
		return OBJECT_CQ;
	case IBV_EVENT_QP_FATAL:
	case IBV_EVENT_QP_REQ_ERR:
	case IBV_EVENT_QP_ACCESS_ERR:
	case IBV_EVENT_COMM_EST:
	case IBV_EVENT_SQ_DRAINED:
	case IBV_EVENT_PATH_MIG:
	case IBV_EVENT_PATH_MIG_ERR:
	case IBV_EVENT_QP_LAST_WQE_REACHED:
		return OBJECT_QP;
	case IBV_EVENT_SRQ_ERR:
	case IBV_EVENT_SRQ_LIMIT_REACHED:
		return OBJECT_SRQ;
	case IBV_EVENT_WQ_FATAL:
		return OBJECT_WQ;
	default:
		return OBJECT_NONE;
	}
}

/* The kernel returns the pointer that the object was created with, or a port number. */
static void set_element(struct ibv_async_event *event, uint64_t element)
{
	switch (object_of(event->event_type)) {
	case OBJECT_CQ:
		event->element.cq = (struct ibv_cq *)(uintptr_t)element;
		break;
	case OBJECT_QP:
		event->element.qp = (struct ibv_qp *)(uintptr_t)element;
		break;
	case OBJECT_SRQ:
		event->element.srq = (struct ibv_srq *)(uintptr_t)element;
		break;
	case OBJECT_WQ:
		event->element.wq = (struct ibv_wq *)(uintptr_t)element;
		break;
	case OBJECT_NONE:
		event->element.port_num = (int)element;
		break;
	}
}

/* The counter of acknowledged events of an object, and what its destroy waits on. */
struct counter {
	pthread_mutex_t *mutex;
	pthread_cond_t *cond;
	uint32_t *completed;
};

/* False for an event that is not about an object. */
static bool counter_of(const struct ibv_async_event *event, struct counter *ret)
{
	struct ibv_cq *cq = event->element.cq;
	struct ibv_qp *qp = event->element.qp;
	struct ibv_srq *srq = event->element.srq;
	struct ibv_wq *wq = event->element.wq;

	switch (object_of(event->event_type)) {
	case OBJECT_CQ:
		*ret = (struct counter){&cq->mutex, &cq->cond, &cq->async_events_completed};
		return true;
	case OBJECT_QP:
		*ret = (struct counter){&qp->mutex, &qp->cond, &qp->events_completed};
		return true;
	case OBJECT_SRQ:
		*ret = (struct counter){&srq->mutex, &srq->cond, &srq->events_completed};
		return true;
	case OBJECT_WQ:
		*ret = (struct counter){&wq->mutex, &wq->cond, &wq->events_completed};
		return true;
	case OBJECT_NONE:
		break;
	}
	return false;
}

static const uint32_t *async_event_counter(const void *buffer)
{
	const struct ib_uverbs_async_event_desc *desc = buffer;
	struct ibv_async_event event = {.event_type = (enum ibv_event_type)desc->event_type};
	struct counter counter;

	set_element(&event, desc->element);
	return counter_of(&event, &counter) ? counter.completed : NULL;
}

/*
 * The kernel driver may report that the device is gone, before or after the core found out, or never
 * (rdma_rxe, siw): the program gets the event once.
 */
static int next_event(struct verbs_ex_private *private, struct ib_uverbs_async_event_desc *ret)
{
	for (;;) {
		int not_reported = HF_FATAL_NOT_REPORTED;
		const struct hf_wait_account account = {&private->uverbs.delivered,
							async_event_counter};
		int got = hfi_wait_read(&private->async, ret, sizeof(*ret), &account);

		if (got < 0)
			return got;
		if (got == 0) {
			hfi_wait_reported(&private->async);
			if (!atomic_compare_exchange_strong(&private->fatal, &not_reported,
							    HF_FATAL_BY_CORE))
				return -EIO;
			*ret = (struct ib_uverbs_async_event_desc){
				.event_type = IBV_EVENT_DEVICE_FATAL,
			};
			return 0;
		}
		if (ret->event_type != IBV_EVENT_DEVICE_FATAL ||
		    atomic_exchange(&private->fatal, HF_FATAL_BY_KERNEL) != HF_FATAL_BY_CORE)
			return 0;
	}
}

HF_EXPORT int ibv_get_async_event(struct ibv_context *context, struct ibv_async_event *event)
{
	struct verbs_context *verbs = hfi_context_of(context);
	struct ib_uverbs_async_event_desc desc;
	int err = hfi_is_live(context) ? -EOPNOTSUPP : -EBADF;

	if (err != -EBADF && context->async_fd >= 0 && !hfi_wait_owns(&verbs->priv->async))
		err = -EBADF;
	if (err != -EBADF && context->async_fd >= 0)
		err = next_event(verbs->priv, &desc);
	if (err) {
		errno = -err;
		return -1;
	}
	event->event_type = (enum ibv_event_type)desc.event_type;
	set_element(event, desc.element);
	verbs->priv->ops.async_event(context, event);
	return 0;
}

/* A destroy waits until every event about its object was acknowledged. */
HF_EXPORT void ibv_ack_async_event(struct ibv_async_event *event)
{
	struct counter counter;

	if (!counter_of(event, &counter))
		return;
	pthread_mutex_lock(counter.mutex);
	++*counter.completed;
	pthread_cond_signal(counter.cond);
	pthread_mutex_unlock(counter.mutex);
}
