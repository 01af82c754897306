/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A context without a kernel, and objects that report events. Each test includes it once. */
#ifndef HF_TEST_NO_KERNEL_BED_H
#define HF_TEST_NO_KERNEL_BED_H

#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <unistd.h>

#include "core/verbs/comp_channel.h"
#include "core/verbs/no_kernel.h"
#include "t/unit/queues.h"

enum { BED_PORTS = 2 };

struct bed_cq {
	struct ibv_cq cq;
	struct hf_provider_events *events;
};

struct bed_qp {
	struct ibv_qp qp;
	struct hf_provider_events *events;
};

static inline struct ibv_cq *bed_create_cq(struct ibv_context *context, int cqe,
					   struct ibv_comp_channel *channel, int vector)
{
	struct bed_cq *cq = calloc(1, sizeof(*cq));

	(void)cqe;
	(void)vector;
	assert_non_null(cq);
	cq->events = hf_provider_cq_events(context, &cq->cq, channel);
	assert_non_null(cq->events);
	return &cq->cq;
}

static inline int bed_destroy_cq(struct ibv_cq *cq)
{
	hf_provider_events_end(((struct bed_cq *)(void *)cq)->events);
	free(cq);
	return 0;
}

static inline struct hf_provider_events *bed_events(struct ibv_cq *cq)
{
	return ((struct bed_cq *)(void *)cq)->events;
}

static inline struct verbs_context *bed_plain(void)
{
	struct verbs_context *context = hfi_context_of(fake_context());
	static const struct verbs_context_ops ops = {
		.create_cq = bed_create_cq,
		.destroy_cq = bed_destroy_cq,
	};

	context->priv->calls = &hfi_default_calls;
	hf_provider_set_ops(context, &ops);
	return context;
}

static inline struct ibv_context *bed_context(uint32_t flags)
{
	const struct hf_no_kernel attr = {
		.size = sizeof(attr),
		.flags = flags,
		.num_ports = BED_PORTS,
		.num_comp_vectors = 3,
	};
	struct verbs_context *context = bed_plain();

	assert_int_equal(hf_provider_no_kernel(context, &attr), 0);
	return &context->context;
}

static inline void bed_context_end(struct ibv_context *context)
{
	struct verbs_ex_private *private = hfi_context_of(context)->priv;

	assert_int_equal(fake_count(), 0);
	hfi_channels_end(hfi_context_of(context));
	hfi_no_kernel_free(private->none);
	hfi_wait_fini(&private->async);
	fake_context_end();
}

static inline struct bed_qp *bed_create_qp(struct ibv_context *context)
{
	struct bed_qp *qp = calloc(1, sizeof(*qp));

	assert_non_null(qp);
	hf_provider_init_qp(&qp->qp, context, &(struct ibv_qp_init_attr){0}, NULL);
	qp->events = hf_provider_qp_events(context, &qp->qp);
	assert_non_null(qp->events);
	return qp;
}

static inline void bed_destroy_qp(struct bed_qp *qp)
{
	hf_provider_events_end(qp->events);
	free(qp);
}

static inline bool bed_readable(int fd)
{
	struct pollfd pollfd = {.fd = fd, .events = POLLIN};

	return poll(&pollfd, 1, 0) == 1;
}

static inline void bed_nonblocking(int fd)
{
	assert_int_equal(fcntl(fd, F_SETFL, O_NONBLOCK), 0);
}

#endif
