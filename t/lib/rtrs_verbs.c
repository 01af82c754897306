/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The verbs that the link of librtrs calls: each may fail once, their objects are counted, completions may be late. */
#include <dlfcn.h>
#include <errno.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <infiniband/verbs.h>

#include "rtrs/link/rdma/rdma.h"
#include "shared/attr.h"
#include "t/lib/rtrs_fails.h"
#include "t/lib/rtrs_verbs.h"

unsigned int rtrs_verbs_late_size;

static void *count_object(void *object)
{
	rtrs_verbs_objects += object ? 1 : 0;
	return object;
}

/* NOLINTBEGIN(bugprone-reserved-identifier,bugprone-macro-parentheses,cert-*) the linker's names */
#define MAKES(type, name, parameters, arguments)                                              \
	type *__real_##name parameters;                                                       \
	type *__wrap_##name parameters;                                                       \
	type *__wrap_##name parameters                                                        \
	{                                                                                     \
		return rtrs_fails_now(#name, ENOMEM) ? NULL                                   \
						     : count_object(__real_##name arguments); \
	}

/* It has ended, but says that something went wrong. */
#define ENDS(name, type)                                       \
	int __real_##name(type *object);                       \
	int __wrap_##name(type *object);                       \
	int __wrap_##name(type *object)                        \
	{                                                      \
		int err = __real_##name(object);               \
                                                               \
		if (!err)                                      \
			rtrs_verbs_objects--;                  \
		return rtrs_fails_now(#name, EIO) ? EIO : err; \
	}

MAKES(struct ibv_pd, ibv_alloc_pd, (struct ibv_context * context), (context))
MAKES(struct ibv_comp_channel, ibv_create_comp_channel, (struct ibv_context * context), (context))
MAKES(struct ibv_cq, ibv_create_cq,
      (struct ibv_context * context, int size, void *user, struct ibv_comp_channel *channel,
       int vector),
      (context, size, user, channel, vector))
MAKES(struct ibv_mr, ibv_reg_mr_iova2,
      (struct ibv_pd * pd, void *address, size_t size, uint64_t iova, unsigned int access),
      (pd, address, size, iova, access))
ENDS(ibv_dealloc_pd, struct ibv_pd)
ENDS(ibv_destroy_comp_channel, struct ibv_comp_channel)
ENDS(ibv_dereg_mr, struct ibv_mr)
ENDS(ibv_close_device, struct ibv_context)
RTRS_WRAP(struct ibv_device **, ibv_get_device_list, ENOMEM, NULL, (int *count), (count))
RTRS_WRAP(int, ibv_query_device, EIO, EIO,
	  (struct ibv_context * context, struct ibv_device_attr *ret), (context, ret))
RTRS_WRAP(ssize_t, _ibv_query_gid_ex, EIO, EIO,
	  (struct ibv_context * context, uint32_t port, uint32_t index, struct ibv_gid_entry *ret,
	   uint32_t flags, size_t size),
	  (context, port, index, ret, flags, size))
RTRS_WRAP(int, ibv_modify_qp, EINVAL, EINVAL,
	  (struct ibv_qp * qp, struct ibv_qp_attr *attr, int mask), (qp, attr, mask))
RTRS_WRAP(int, ibv_get_cq_event, EIO, -1,
	  (struct ibv_comp_channel * channel, struct ibv_cq **cq, void **user), (channel, cq, user))
RTRS_WRAP(int, ibv_get_async_event, EIO, -1,
	  (struct ibv_context * context, struct ibv_async_event *ret), (context, ret))

/* --- queues -------------------------------------------------------------------------------------- */

enum { QUEUES = 64, QUEUE_POSTS = 2048, NUMBERS = 8, REQUEST_POSTS = 3 };

/* What is posted, and the completions that were kept back: each frees the queue up to a post. */
static struct queue {
	struct ibv_qp *qp;
	struct ibv_cq *cq;
	uint32_t size, posted, completed, idle_polls;
	uint32_t reported[QUEUE_POSTS], first_reported, last_reported;
	struct ibv_wc held[QUEUE_POSTS];
	uint32_t held_up_to[QUEUE_POSTS], first_held, last_held;
} * queues[QUEUES];

static struct {
	char device[IBV_SYSFS_NAME_MAX];
	uint32_t number;
} last_qps[NUMBERS];
static unsigned int last_qp;

static struct queue **queue_of(const struct ibv_qp *qp, const struct ibv_cq *cq)
{
	for (size_t i = 0; i < QUEUES; i++) {
		if (queues[i] && (queues[i]->qp == qp || queues[i]->cq == cq))
			return &queues[i];
	}
	return NULL;
}

static void keep_queue(struct ibv_qp *qp, uint32_t size)
{
	struct queue *queue = calloc(1, sizeof(*queue));

	for (size_t i = 0; queue && i < QUEUES; i++) {
		if (queues[i])
			continue;
		*queue = (struct queue){.qp = qp, .cq = qp->send_cq, .size = size};
		queues[i] = queue;
		return;
	}
	abort();
}

static const char *device_of_qp(const struct ibv_qp *qp)
{
	return ibv_get_device_name(qp->context->device);
}

/* A late packet for an ended connection must find nobody. */
static void check_number(const struct ibv_qp *qp)
{
	for (unsigned int i = 0; i < NUMBERS; i++) {
		if (last_qps[i].number != qp->qp_num ||
		    strcmp(last_qps[i].device, device_of_qp(qp)) != 0)
			continue;
		fprintf(stderr, "QP number %u is used again at once\n", qp->qp_num);
		abort();
	}
}

void rtrs_verbs_forget_numbers(void)
{
	memset(last_qps, 0, sizeof(last_qps));
}

static void note_number(const struct ibv_qp *qp)
{
	last_qps[last_qp % NUMBERS].number = qp->qp_num;
	snprintf(last_qps[last_qp++ % NUMBERS].device, IBV_SYSFS_NAME_MAX, "%s", device_of_qp(qp));
}

struct ibv_qp *__real_ibv_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
struct ibv_qp *__wrap_ibv_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
struct ibv_qp *__wrap_ibv_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	uint32_t size = attr->cap.max_send_wr;
	struct ibv_qp *qp;

	if (rtrs_fails_now("ibv_create_qp", ENOMEM))
		return NULL;
	qp = count_object(__real_ibv_create_qp(pd, attr));
	if (!qp)
		return NULL;
	check_number(qp);
	if (size == rtrs_verbs_late_size)
		keep_queue(qp, size);
	return qp;
}

int __real_ibv_destroy_qp(struct ibv_qp *qp);
int __wrap_ibv_destroy_qp(struct ibv_qp *qp);
int __wrap_ibv_destroy_qp(struct ibv_qp *qp)
{
	struct queue **queue = queue_of(qp, NULL);
	int err;

	note_number(qp);
	if (queue) {
		free(*queue);
		*queue = NULL;
	}
	err = __real_ibv_destroy_qp(qp);
	if (!err)
		rtrs_verbs_objects--;
	return rtrs_fails_now("ibv_destroy_qp", EIO) ? EIO : err;
}

int __real_ibv_destroy_cq(struct ibv_cq *cq);
int __wrap_ibv_destroy_cq(struct ibv_cq *cq);
int __wrap_ibv_destroy_cq(struct ibv_cq *cq)
{
	int err = __real_ibv_destroy_cq(cq);

	if (!err)
		rtrs_verbs_objects--;
	return rtrs_fails_now("ibv_destroy_cq", EIO) ? EIO : err;
}

/* --- the functions of a context ------------------------------------------------------------------ */

static struct ibv_context_ops real;

static void note_posts(struct queue *queue, const struct ibv_send_wr *requests)
{
	queue->idle_polls = 0;
	for (; requests; requests = requests->next) {
		queue->posted++;
		if (requests->send_flags & IBV_SEND_SIGNALED)
			queue->reported[queue->last_reported++ % QUEUE_POSTS] = queue->posted;
	}
}

static int post_send_or_fail(struct ibv_qp *qp, struct ibv_send_wr *requests,
			     struct ibv_send_wr **bad)
{
	struct queue **queue = queue_of(qp, NULL);
	uint32_t count = 0;
	int err;

	*bad = requests;
	if (rtrs_fails_now("ibv_post_send", ENOMEM))
		return ENOMEM;
	for (const struct ibv_send_wr *at = requests; at; at = at->next)
		count++;
	if (queue && (*queue)->posted - (*queue)->completed + count > (*queue)->size)
		return ENOMEM;
	err = real.post_send(qp, requests, bad);
	if (!err && queue)
		note_posts(*queue, requests);
	return err;
}

static int post_recv_or_fail(struct ibv_qp *qp, struct ibv_recv_wr *requests,
			     struct ibv_recv_wr **bad)
{
	*bad = requests;
	return rtrs_fails_now("ibv_post_recv", ENOMEM) ? ENOMEM : real.post_recv(qp, requests, bad);
}

static bool is_queue_full(const struct queue *queue)
{
	return queue->posted - queue->completed + REQUEST_POSTS > queue->size;
}

/* A bind of type 1 is in no list: only requests without windows, and windows of type 2, can be late. */
static int poll_late(struct queue *queue, struct ibv_wc *ret)
{
	int count;

	while ((count = real.poll_cq(queue->cq, 1, ret)) > 0) {
		/* The link marks what it receives. */
		if (ret->status || ret->wr_id & 1)
			return count;
		queue->held[queue->last_held % QUEUE_POSTS] = *ret;
		queue->held_up_to[queue->last_held++ % QUEUE_POSTS] =
			queue->reported[queue->first_reported++ % QUEUE_POSTS];
	}
	if (is_queue_full(queue))
		queue->idle_polls++;
	if (count || queue->first_held == queue->last_held || queue->idle_polls < 2)
		return count;
	*ret = queue->held[queue->first_held % QUEUE_POSTS];
	queue->completed = queue->held_up_to[queue->first_held++ % QUEUE_POSTS];
	return 1;
}

static int poll_or_fail(struct ibv_cq *cq, int count, struct ibv_wc *ret)
{
	struct queue **queue = queue_of(NULL, cq);

	if (rtrs_fails_now("ibv_poll_cq", EIO))
		return -1;
	return queue ? poll_late(*queue, ret) : real.poll_cq(cq, count, ret);
}

static int notify(struct ibv_cq *cq, int solicited)
{
	return rtrs_fails_now("ibv_req_notify_cq", EIO) ? EIO : real.req_notify_cq(cq, solicited);
}

static struct ibv_mw *alloc_window(struct ibv_pd *pd, enum ibv_mw_type type)
{
	return rtrs_fails_now("ibv_alloc_mw", ENOMEM) ? NULL
						      : count_object(real.alloc_mw(pd, type));
}

static int bind_window(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind)
{
	return rtrs_fails_now("ibv_bind_mw", ENOMEM) ? ENOMEM : real.bind_mw(qp, mw, bind);
}

static int free_window(struct ibv_mw *mw)
{
	int err = real.dealloc_mw(mw);

	if (!err)
		rtrs_verbs_objects--;
	return rtrs_fails_now("ibv_dealloc_mw", EIO) ? EIO : err;
}

struct ibv_context *__real_ibv_open_device(struct ibv_device *device);
struct ibv_context *__wrap_ibv_open_device(struct ibv_device *device);
struct ibv_context *__wrap_ibv_open_device(struct ibv_device *device)
{
	struct ibv_context *context;

	if (rtrs_fails_now("ibv_open_device", ENOMEM))
		return NULL;
	context = count_object(__real_ibv_open_device(device));
	if (!context)
		return NULL;
	real = context->ops;
	context->ops.post_send = post_send_or_fail;
	context->ops.post_recv = post_recv_or_fail;
	context->ops.poll_cq = poll_or_fail;
	context->ops.req_notify_cq = notify;
	context->ops.alloc_mw = alloc_window;
	context->ops.bind_mw = bind_window;
	context->ops.dealloc_mw = free_window;
	return context;
}

/* --- the modules of librtrs ---------------------------------------------------------------------- */

void *__real_dlopen(const char *path, int mode);
void *__wrap_dlopen(const char *path, int mode);
void *__real_dlsym(void *library, const char *name);
void *__wrap_dlsym(void *library, const char *name);

/* The link is a part of the program, so that it calls the functions above; the other module is the build's. */
void *__wrap_dlopen(const char *path, int mode)
{
	const char *name = path ? strrchr(path, '/') : NULL;
	char built[4096];

	if (!name || strncmp(name, "/rtrs-", strlen("/rtrs-")) != 0)
		return __real_dlopen(path, mode);
	if (strncmp(name, "/rtrs-rdma", strlen("/rtrs-rdma")) == 0)
		return __real_dlopen(NULL, mode);
	snprintf(built, sizeof(built), "%s/.libs%s", getenv("top_builddir"), name);
	return __real_dlopen(built, mode);
}

void *__wrap_dlsym(void *library, const char *name)
{
	int (*open_soft)(struct rtrs_link * *ret) = rtrsi_rdma_open_over_tcp;
	void *found;

	if (strcmp(name, "rtrsi_soft_module") != 0)
		return __real_dlsym(library, name);
	memcpy(&found, &open_soft, sizeof(found));
	return found;
}
/* NOLINTEND(bugprone-reserved-identifier,bugprone-macro-parentheses,cert-*) */
