/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What providers of devices without a kernel call: the declaration, and reports of events. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <rdma/ib_user_ioctl_verbs.h>

#include "shared/attr.h"
#include "shared/file.h"
#include "core/uverbs/queues.h"
#include "core/verbs/comp_channel.h"
#include "core/verbs/context.h"
#include "core/verbs/no_kernel.h"

enum { PORTS_MAX = 255, SIZE_MAX_GIVEN = 65536 };

#define TYPE(type)   ((uint32_t)1 << (type))
#define DEVICE_TYPES (TYPE(IBV_EVENT_DEVICE_FATAL) | TYPE(IBV_EVENT_DEVICE_SPEED_CHANGE))
#define CQ_TYPES     TYPE(IBV_EVENT_CQ_ERR)
#define SRQ_TYPES    (TYPE(IBV_EVENT_SRQ_ERR) | TYPE(IBV_EVENT_SRQ_LIMIT_REACHED))
#define WQ_TYPES     TYPE(IBV_EVENT_WQ_FATAL)
#define QP_TYPES                                                                                 \
	(TYPE(IBV_EVENT_QP_FATAL) | TYPE(IBV_EVENT_QP_REQ_ERR) | TYPE(IBV_EVENT_QP_ACCESS_ERR) | \
	 TYPE(IBV_EVENT_COMM_EST) | TYPE(IBV_EVENT_SQ_DRAINED) | TYPE(IBV_EVENT_PATH_MIG) |      \
	 TYPE(IBV_EVENT_PATH_MIG_ERR) | TYPE(IBV_EVENT_QP_LAST_WQE_REACHED))
#define PORT_TYPES                                                                              \
	(TYPE(IBV_EVENT_PORT_ACTIVE) | TYPE(IBV_EVENT_PORT_ERR) | TYPE(IBV_EVENT_LID_CHANGE) |  \
	 TYPE(IBV_EVENT_PKEY_CHANGE) | TYPE(IBV_EVENT_SM_CHANGE) | TYPE(IBV_EVENT_GID_CHANGE) | \
	 TYPE(IBV_EVENT_CLIENT_REREGISTER))

/* Of a context that was declared to be without a kernel. */
struct hfi_no_kernel {
	struct hfi_event_queue async;
	uint32_t num_ports;
	struct hfi_event_record device;
	struct hfi_event_record ports[]; /* of port 1 and so on */
};

struct hf_provider_events {
	struct ibv_context *context;
	uint32_t types; /* that the object has */
	struct hfi_event_record async, completion;
	struct hfi_event_queue *channel; /* NULL: not a CQ, or one without a channel */
	pthread_mutex_t *mutex;
	pthread_cond_t *cond;
	const uint32_t *async_acknowledged, *completion_acknowledged;
};

/* Size first: an older caller's structure is shorter, a newer one's unknown tail must be zero. */
static int copy_declaration(const struct hf_no_kernel *given, struct hf_no_kernel *ret)
{
	const unsigned char *tail = (const unsigned char *)given;

	if (given->size < sizeof(size_t) || given->size > SIZE_MAX_GIVEN)
		return EINVAL;
	for (size_t i = sizeof(*ret); i < given->size; i++)
		if (tail[i])
			return EINVAL;
	memset(ret, 0, sizeof(*ret));
	memcpy(ret, given, given->size < sizeof(*ret) ? given->size : sizeof(*ret));
	if (ret->flags & ~(uint32_t)HF_NO_KERNEL_OPTIONAL_ACCESS || ret->reserved)
		return EINVAL;
	if (!ret->num_ports || ret->num_ports > PORTS_MAX || ret->num_comp_vectors < 1)
		return EINVAL;
	return 0;
}

static int make_async(struct verbs_context *context, struct hfi_no_kernel *none)
{
	struct verbs_ex_private *private = context->priv;
	int err, fd;

	err = hfi_event_queue_init(&none->async);
	if (err)
		return -err;
	fd = none->async.fd.fd;
	err = hfi_context_take_async(context, fd);
	if (err) {
		hfi_event_queue_close(&none->async);
		hfi_event_queue_fini(&none->async);
		hfi_close(&fd);
		return -err;
	}
	hfi_wait_use_queue(&private->async, &none->async);
	return 0;
}

HF_EXPORT int hf_provider_no_kernel(struct verbs_context *context, const struct hf_no_kernel *given)
{
	struct verbs_device *device = (struct verbs_device *)(void *)context->context.device;
	struct verbs_ex_private *private = context->priv;
	struct hfi_no_kernel *none;
	struct hf_no_kernel attr;
	int err = copy_declaration(given, &attr);

	if (!err && (private->calls != &hfi_default_calls || context->context.async_fd >= 0))
		err = EINVAL;
	if (err)
		return err;
	none = calloc(1, sizeof(*none) + attr.num_ports * sizeof(none->ports[0]));
	if (!none)
		return ENOMEM;
	none->num_ports = attr.num_ports;
	for (uint32_t i = 0; i < attr.num_ports; i++)
		none->ports[i].element = i + 1;
	err = make_async(context, none);
	if (err) {
		free(none);
		return err;
	}
	private->none = none;
	private->calls = &hfi_no_kernel_calls;
	private->uverbs.no_kernel = true;
	atomic_store(&private->uverbs.dead, true);
	context->context.num_comp_vectors = attr.num_comp_vectors;
	if (attr.flags & HF_NO_KERNEL_OPTIONAL_ACCESS)
		__atomic_fetch_or(&device->core_support, IB_UVERBS_CORE_SUPPORT_OPTIONAL_MR_ACCESS,
				  __ATOMIC_RELAXED);
	return 0;
}

void hfi_no_kernel_free(struct hfi_no_kernel *none)
{
	if (!none)
		return;
	hfi_event_queue_close(&none->async);
	hfi_event_queue_fini(&none->async);
	free(none);
}

HF_EXPORT int hf_provider_removal_fd(const struct verbs_context *context)
{
	const struct verbs_ex_private *private = context->priv;

	return private->none && private->async.removal ? hfi_removal_fd(private->async.removal)
						       : -1;
}

/* NULL with errno. The caller fills the union of object types. */
static struct hf_provider_events *events_new(struct ibv_context *context, const void *object,
					     uint32_t types)
{
	struct hf_provider_events *events;

	if (!hfi_context_of(context)->priv->none) {
		errno = EINVAL;
		return NULL;
	}
	events = calloc(1, sizeof(*events));
	if (!events) {
		errno = ENOMEM;
		return NULL;
	}
	events->context = context;
	events->types = types;
	events->async.element = (uintptr_t)object;
	events->completion.element = (uintptr_t)object;
	return events;
}

HF_EXPORT struct hf_provider_events *hf_provider_cq_events(struct ibv_context *context,
							   struct ibv_cq *cq,
							   struct ibv_comp_channel *channel)
{
	struct hf_provider_events *events;

	if (channel && channel->context != context) {
		errno = EINVAL;
		return NULL;
	}
	events = events_new(context, cq, CQ_TYPES);
	if (!events)
		return NULL;
	events->channel = channel ? hfi_channel_queue(channel) : NULL;
	events->mutex = &cq->mutex;
	events->cond = &cq->cond;
	events->async_acknowledged = &cq->async_events_completed;
	events->completion_acknowledged = &cq->comp_events_completed;
	return events;
}

HF_EXPORT struct hf_provider_events *hf_provider_srq_events(struct ibv_context *context,
							    struct ibv_srq *srq)
{
	struct hf_provider_events *events = events_new(context, srq, SRQ_TYPES);

	if (!events)
		return NULL;
	events->mutex = &srq->mutex;
	events->cond = &srq->cond;
	events->async_acknowledged = &srq->events_completed;
	return events;
}

HF_EXPORT struct hf_provider_events *hf_provider_qp_events(struct ibv_context *context,
							   struct ibv_qp *qp)
{
	struct hf_provider_events *events = events_new(context, qp, QP_TYPES);

	if (!events)
		return NULL;
	events->mutex = &qp->mutex;
	events->cond = &qp->cond;
	events->async_acknowledged = &qp->events_completed;
	return events;
}

HF_EXPORT struct hf_provider_events *hf_provider_wq_events(struct ibv_context *context,
							   struct ibv_wq *wq)
{
	struct hf_provider_events *events = events_new(context, wq, WQ_TYPES);

	if (!events)
		return NULL;
	events->mutex = &wq->mutex;
	events->cond = &wq->cond;
	events->async_acknowledged = &wq->events_completed;
	return events;
}

HF_EXPORT void hf_provider_report_completion(struct hf_provider_events *events)
{
	if (events->channel)
		hfi_event_queue_report(events->channel, &events->completion, 0);
}

static bool has_type(uint32_t types, enum ibv_event_type type)
{
	return (unsigned int)type < 32 && types & TYPE(type);
}

HF_EXPORT int hf_provider_report_event(struct hf_provider_events *events, enum ibv_event_type type)
{
	struct hfi_no_kernel *none = hfi_context_of(events->context)->priv->none;

	if (!has_type(events->types, type))
		return EINVAL;
	hfi_event_queue_report(&none->async, &events->async, type);
	return 0;
}

HF_EXPORT int hf_provider_report_port(struct ibv_context *context, uint32_t port,
				      enum ibv_event_type type)
{
	struct hfi_no_kernel *none = hfi_context_of(context)->priv->none;

	if (!none || !port || port > none->num_ports || !has_type(PORT_TYPES, type))
		return EINVAL;
	hfi_event_queue_report(&none->async, &none->ports[port - 1], type);
	return 0;
}

HF_EXPORT int hf_provider_report_device(struct ibv_context *context, enum ibv_event_type type)
{
	struct hfi_no_kernel *none = hfi_context_of(context)->priv->none;

	if (!none || !has_type(DEVICE_TYPES, type))
		return EINVAL;
	hfi_event_queue_report(&none->async, &none->device, type);
	return 0;
}

HF_EXPORT void hf_provider_events_end(struct hf_provider_events *events)
{
	struct hfi_no_kernel *none = hfi_context_of(events->context)->priv->none;
	struct hf_events counts[2] = {
		{.completed = events->async_acknowledged},
		{.completed = events->completion_acknowledged},
	};
	size_t count = 1;

	counts[0].reported = hfi_event_queue_end(&none->async, &events->async);
	if (events->channel) {
		counts[1].reported = hfi_event_queue_end(events->channel, &events->completion);
		count = 2;
	}
	(void)hfi_events_finish(events->context, 0, events->mutex, events->cond, counts, count);
	free(events);
}
