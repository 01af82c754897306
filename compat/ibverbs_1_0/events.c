/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: events. Replaces the present object in an event by the program's. */
#include "compat/ibverbs_1_0/ibverbs_1_0.h"

enum element { ELEMENT_NONE, ELEMENT_CQ, ELEMENT_QP, ELEMENT_SRQ };

static enum element element_of(enum ibv_event_type type)
{
	switch (type) {
	case IBV_EVENT_CQ_ERR:
		return ELEMENT_CQ;
	case IBV_EVENT_QP_FATAL:
	case IBV_EVENT_QP_REQ_ERR:
	case IBV_EVENT_QP_ACCESS_ERR:
	case IBV_EVENT_COMM_EST:
	case IBV_EVENT_SQ_DRAINED:
	case IBV_EVENT_PATH_MIG:
	case IBV_EVENT_PATH_MIG_ERR:
	case IBV_EVENT_QP_LAST_WQE_REACHED:
		return ELEMENT_QP;
	case IBV_EVENT_SRQ_ERR:
	case IBV_EVENT_SRQ_LIMIT_REACHED:
		return ELEMENT_SRQ;
	default:
		return ELEMENT_NONE;
	}
}

HF_IBVERBS_1_0(int, ibv_get_async_event,
	       (struct v1_0_context * context, struct ibv_async_event *event))
{
	struct ibv_async_event real;
	int ret;

	ret = hf_compat_calls.ibv_get_async_event(context->real, &real);
	if (ret)
		return ret;
	/* The present object's context pointer points to the IBVERBS_1.0 object. */
	*event = real;
	switch (element_of(real.event_type)) {
	case ELEMENT_CQ:
		event->element.cq = real.element.cq->cq_context;
		break;
	case ELEMENT_QP:
		event->element.qp = real.element.qp->qp_context;
		break;
	case ELEMENT_SRQ:
		event->element.srq = real.element.srq->srq_context;
		break;
	case ELEMENT_NONE:
		break;
	}
	return 0;
}

HF_IBVERBS_1_0(void, ibv_ack_async_event, (struct ibv_async_event * event))
{
	struct ibv_async_event real = *event;

	switch (element_of(event->event_type)) {
	case ELEMENT_CQ:
		real.element.cq = ((struct v1_0_cq *)(void *)event->element.cq)->real;
		break;
	case ELEMENT_QP:
		real.element.qp = ((struct v1_0_qp *)(void *)event->element.qp)->real;
		break;
	case ELEMENT_SRQ:
		real.element.srq = ((struct v1_0_srq *)(void *)event->element.srq)->real;
		break;
	case ELEMENT_NONE:
		break;
	}
	hf_compat_calls.ibv_ack_async_event(&real);
}

HF_IBVERBS_1_0(int, ibv_get_cq_event,
	       (struct ibv_comp_channel * channel, struct v1_0_cq **ret_cq, void **ret_context))
{
	struct ibv_cq *cq;
	void *object;
	int ret;

	ret = hf_compat_calls.ibv_get_cq_event(channel, &cq, &object);
	if (ret)
		return ret;
	*ret_cq = object;
	*ret_context = (*ret_cq)->cq_context;
	return 0;
}

HF_IBVERBS_1_0(void, ibv_ack_cq_events, (struct v1_0_cq * cq, unsigned int count))
{
	hf_compat_calls.ibv_ack_cq_events(cq->real, count);
}
