/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>
#include <rdma/ib_user_verbs.h>

#include "core/base/attr.h"
#include "core/device/hf.h"
#include "core/verbs/context.h"

static int read_event(int fd, struct ib_uverbs_async_event_desc *ret)
{
	ssize_t got;

	got = read(fd, ret, sizeof(*ret));
	if (got == (ssize_t)sizeof(*ret))
		return 0;
	if (got >= 0)
		errno = EIO;
	return -1;
}

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

/* Does the device of the context still exist? Looks, unless another thread of this scan does. */
static bool device_is_gone(struct hf_device *device)
{
	struct hf *hf = device->hf;

	if (hf_scan_begin(hf)) {
		if (!atomic_load(&device->gone))
			hf_table_scan_one(hf, device->key.root, device->key.uverbs);
		hf_scan_end(hf);
	}
	return atomic_load(&device->gone);
}

static struct hf_notifier *notifier_end(struct hf_notifier *notifier)
{
	int saved = errno;

	if (notifier)
		notifier->free(notifier);
	errno = saved;
	return NULL;
}

/*
 * Waits for an event of the kernel's or for the device's removal: 1 for the event, 0 when the device
 * is gone. A plain read would never return where the kernel driver says nothing, and would keep the
 * removal from ending, since it pins the file (rdma_rxe, Linux 6.1 and 6.12).
 */
static int wait_for_event(struct verbs_context *context)
{
	enum { LOOK_AGAIN_MS = 1000 };
	struct hf_device *device = context->priv->device;
	struct hf *hf = device->hf;
	struct hf_notifier *notifier = NULL;
	struct pollfd fds[2] = {{.fd = context->context.async_fd, .events = POLLIN},
				{.fd = -1, .events = POLLIN}};
	int ready = 0;

	if (hf->notifier_new && hf->notifier_new(hf, &hf->roots[device->key.root], &notifier) == 0)
		fds[1].fd = notifier->fd;
	/* Listening began before this look, so that a removal is in the one or in the other. */
	while (ready == 0 && !device_is_gone(device)) {
		int count = poll(fds, notifier ? 2 : 1, notifier ? -1 : LOOK_AGAIN_MS);

		if (count < 0)
			ready = -1;
		else if (fds[0].revents)
			ready = 1;
		else if (notifier && fds[1].revents && notifier->changed(notifier) < 0)
			/* It hears no more, and its descriptor may stay readable: go by the clock. */
			notifier = notifier_end(notifier);
	}
	notifier_end(notifier);
	return ready;
}

static int next_event(struct verbs_context *context, struct ib_uverbs_async_event_desc *ret)
{
	int flags = fcntl(context->context.async_fd, F_GETFL);

	/* Who polls the descriptor himself must not be made to wait. */
	if (flags >= 0 && !(flags & O_NONBLOCK)) {
		int ready = wait_for_event(context);

		if (ready < 0)
			return -1;
		if (ready == 0 && atomic_exchange(&context->priv->told_fatal, true)) {
			errno = EIO;
			return -1;
		}
		if (ready == 0) {
			*ret = (struct ib_uverbs_async_event_desc){
				.event_type = IBV_EVENT_DEVICE_FATAL,
			};
			return 0;
		}
	}
	return read_event(context->context.async_fd, ret);
}

HF_EXPORT int ibv_get_async_event(struct ibv_context *context, struct ibv_async_event *event)
{
	struct verbs_context *verbs = hf_context_of(context);
	struct ib_uverbs_async_event_desc desc;

	if (context->async_fd < 0) {
		errno = EOPNOTSUPP;
		return -1;
	}
	if (next_event(verbs, &desc) < 0)
		return -1;
	event->event_type = (enum ibv_event_type)desc.event_type;
	set_element(event, desc.element);
	if (event->event_type == IBV_EVENT_DEVICE_FATAL)
		atomic_store(&verbs->priv->told_fatal, true);
	verbs->priv->ops.async_event(context, event);
	return 0;
}

static void count_event(pthread_mutex_t *mutex, pthread_cond_t *cond, uint32_t *completed)
{
	pthread_mutex_lock(mutex);
	++*completed;
	pthread_cond_signal(cond);
	pthread_mutex_unlock(mutex);
}

/* Whoever destroys the object waits until every event about it was acknowledged. */
HF_EXPORT void ibv_ack_async_event(struct ibv_async_event *event)
{
	struct ibv_cq *cq = event->element.cq;
	struct ibv_qp *qp = event->element.qp;
	struct ibv_srq *srq = event->element.srq;
	struct ibv_wq *wq = event->element.wq;

	switch (event->event_type) {
	case IBV_EVENT_CQ_ERR:
		count_event(&cq->mutex, &cq->cond, &cq->async_events_completed);
		break;
	case IBV_EVENT_QP_FATAL:
	case IBV_EVENT_QP_REQ_ERR:
	case IBV_EVENT_QP_ACCESS_ERR:
	case IBV_EVENT_COMM_EST:
	case IBV_EVENT_SQ_DRAINED:
	case IBV_EVENT_PATH_MIG:
	case IBV_EVENT_PATH_MIG_ERR:
	case IBV_EVENT_QP_LAST_WQE_REACHED:
		count_event(&qp->mutex, &qp->cond, &qp->events_completed);
		break;
	case IBV_EVENT_SRQ_ERR:
	case IBV_EVENT_SRQ_LIMIT_REACHED:
		count_event(&srq->mutex, &srq->cond, &srq->events_completed);
		break;
	case IBV_EVENT_WQ_FATAL:
		count_event(&wq->mutex, &wq->cond, &wq->events_completed);
		break;
	default:
		break;
	}
}
