/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asynchronous events: ibv_get_async_event() and ibv_ack_async_event(). */
#include <errno.h>
#include <rdma/ib_user_verbs.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

/* The kernel gives back the pointer that the object was created with. */
static void set_element(struct ibv_async_event *event, uint64_t element)
{
	switch (event->event_type) {
	case IBV_EVENT_CQ_ERR:
		event->element.cq = (struct ibv_cq *)(uintptr_t)element;
		break;
	case IBV_EVENT_QP_FATAL:
	case IBV_EVENT_QP_REQ_ERR:
	case IBV_EVENT_QP_ACCESS_ERR:
	case IBV_EVENT_COMM_EST:
	case IBV_EVENT_SQ_DRAINED:
	case IBV_EVENT_PATH_MIG:
	case IBV_EVENT_PATH_MIG_ERR:
	case IBV_EVENT_QP_LAST_WQE_REACHED:
		event->element.qp = (struct ibv_qp *)(uintptr_t)element;
		break;
	case IBV_EVENT_SRQ_ERR:
	case IBV_EVENT_SRQ_LIMIT_REACHED:
		event->element.srq = (struct ibv_srq *)(uintptr_t)element;
		break;
	case IBV_EVENT_WQ_FATAL:
		event->element.wq = (struct ibv_wq *)(uintptr_t)element;
		break;
	default:
		event->element.port_num = (int)element;
		break;
	}
}

/* What is waited on for the events about an object. */
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

	switch (event->event_type) {
	case IBV_EVENT_CQ_ERR:
		*ret = (struct counter){&cq->mutex, &cq->cond, &cq->async_events_completed};
		return true;
	case IBV_EVENT_QP_FATAL:
	case IBV_EVENT_QP_REQ_ERR:
	case IBV_EVENT_QP_ACCESS_ERR:
	case IBV_EVENT_COMM_EST:
	case IBV_EVENT_SQ_DRAINED:
	case IBV_EVENT_PATH_MIG:
	case IBV_EVENT_PATH_MIG_ERR:
	case IBV_EVENT_QP_LAST_WQE_REACHED:
		*ret = (struct counter){&qp->mutex, &qp->cond, &qp->events_completed};
		return true;
	case IBV_EVENT_SRQ_ERR:
	case IBV_EVENT_SRQ_LIMIT_REACHED:
		*ret = (struct counter){&srq->mutex, &srq->cond, &srq->events_completed};
		return true;
	case IBV_EVENT_WQ_FATAL:
		*ret = (struct counter){&wq->mutex, &wq->cond, &wq->events_completed};
		return true;
	default:
		return false;
	}
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
 * The kernel driver may say that the device is gone, before or after the core found out, or never do
 * so (rdma_rxe, siw): the program hears it once.
 */
static int next_event(struct verbs_ex_private *private, struct ib_uverbs_async_event_desc *ret)
{
	for (;;) {
		int untold = HF_FATAL_NOT_TOLD;
		const struct hf_wait_account account = {&private->uverbs.delivered,
							async_event_counter};
		int got = hfi_wait_read(&private->async, ret, sizeof(*ret), &account);

		if (got < 0)
			return got;
		if (got == 0) {
			hfi_wait_reported(&private->async);
			if (!atomic_compare_exchange_strong(&private->fatal, &untold,
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

/* Whoever destroys the object waits until every event about it was acknowledged. */
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
