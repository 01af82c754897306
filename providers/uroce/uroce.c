/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The provider's descriptor and operations; opens and closes contexts. */
#include "providers/uroce/uroce.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "providers/common/default_ops.h"
#include "providers/uroce/path.h"
#include "providers/uroce/wire.h"

void uroce_locks_init(struct uroce_context *context)
{
	pthread_mutex_init(&context->lock, NULL);
	for (int kind = 0; kind < UROCE_LOCK_KINDS; kind++)
		for (int i = 0; i < UROCE_LOCK_GUARDS; i++)
			pthread_mutex_init(&context->guards[kind][i], NULL);
	pthread_mutex_init(&context->start_lock, NULL);
	pthread_cond_init(&context->started, NULL);
}

void uroce_locks_destroy(struct uroce_context *context)
{
	pthread_mutex_destroy(&context->lock);
	for (int kind = 0; kind < UROCE_LOCK_KINDS; kind++)
		for (int i = 0; i < UROCE_LOCK_GUARDS; i++)
			pthread_mutex_destroy(&context->guards[kind][i]);
	pthread_mutex_destroy(&context->start_lock);
	pthread_cond_destroy(&context->started);
}

static void uroce_free_context(struct ibv_context *ibv)
{
	struct uroce_context *context = uroce_context_of(ibv);

	/* The thread reports events: it ends before what the core has of the context. */
	uroce_engine_stop(context);
	uroce_wire_close(context);
	uroce_visits_close(context);
	uroce_segment_unmap(context);
	pthread_mutex_destroy(&context->visits_lock);
	pthread_mutex_destroy(&context->ending_lock);
	uroce_locks_destroy(context);
	hf_provider_context_uninit(&context->verbs);
	free(context->qps);
	free(context->cqs);
	free(context->srqs);
	free(context);
}

static const struct verbs_context_ops uroce_operations = {
	.alloc_mw = uroce_alloc_mw,
	.alloc_pd = uroce_alloc_pd,
	.attach_mcast = uroce_attach_mcast,
	.bind_mw = uroce_bind_mw,
	.create_ah = uroce_create_ah,
	.create_cq = uroce_create_cq,
	.create_cq_ex = uroce_create_cq_ex,
	.create_qp = uroce_create_qp,
	.create_qp_ex = uroce_create_qp_ex,
	.create_srq = uroce_create_srq,
	.create_srq_ex = uroce_create_srq_ex,
	.dealloc_mw = uroce_dealloc_mw,
	.dealloc_pd = uroce_dealloc_pd,
	.dereg_mr = uroce_dereg_mr,
	.destroy_ah = uroce_destroy_ah,
	.detach_mcast = uroce_detach_mcast,
	.destroy_cq = uroce_destroy_cq,
	.destroy_qp = uroce_destroy_qp,
	.destroy_srq = uroce_destroy_srq,
	.free_context = uroce_free_context,
	.get_srq_num = uroce_get_srq_num,
	.modify_qp = uroce_modify_qp,
	.modify_srq = uroce_modify_srq,
	.poll_cq = uroce_poll_cq,
	.post_recv = uroce_post_recv,
	.post_send = uroce_post_send,
	.post_srq_recv = uroce_post_srq_recv,
	.query_device_ex = uroce_query_device,
	.query_port = uroce_query_port,
	.query_qp = uroce_query_qp,
	.query_rt_values = uroce_query_values,
	.query_srq = uroce_query_srq,
	.reg_mr = uroce_reg_mr,
	.req_notify_cq = uroce_req_notify_cq,
	.rereg_mr = uroce_rereg_mr,
	.resize_cq = uroce_resize_cq,
};

static void publish_gids(struct uroce_context *context)
{
	for (unsigned int i = 0; i < UROCE_GIDS; i++) {
		union ibv_gid gid;

		if (uroce_gid(context, i, &gid))
			memset(&gid, 0, sizeof(gid));
		uroce_publish_gid(context, i, &gid);
	}
}

static int start_context(struct uroce_context *context)
{
	const struct hf_no_kernel none = {
		.size = sizeof(none),
		.flags = HF_NO_KERNEL_OPTIONAL_ACCESS,
		.num_ports = 1,
		.num_comp_vectors = 1,
	};
	int err = hf_provider_no_kernel(&context->verbs, &none);

	context->qps = calloc(UROCE_QPS, sizeof(struct uroce_qp *));
	context->cqs = calloc(UROCE_CQS, sizeof(struct uroce_cq *));
	context->srqs = calloc(UROCE_SRQS, sizeof(struct uroce_srq *));
	if (!err && (!context->qps || !context->cqs || !context->srqs))
		err = ENOMEM;
	if (err)
		return err;
	context->wire_only = uroce_wants_wire(context);
	err = uroce_segment_map(context);
	if (!err)
		err = uroce_engine_start(context);
	if (!err)
		publish_gids(context);
	return err;
}

static struct verbs_context *uroce_alloc_context(struct ibv_device *device, int cmd_fd,
						 void *private_data)
{
	struct uroce_context *context;
	int err;

	(void)private_data;
	context = hf_provider_context_alloc(device, cmd_fd, sizeof(*context),
					    offsetof(struct uroce_context, verbs), 0);
	if (!context)
		return NULL;
	context->pid = getpid();
	context->doorbell = -1;
	context->write_at = UINT64_MAX;
	pthread_mutex_init(&context->visits_lock, NULL);
	pthread_mutex_init(&context->ending_lock, NULL);
	uroce_locks_init(context);
	hf_provider_set_ops(&context->verbs, &uroce_operations);
	err = start_context(context);
	if (!err)
		return &context->verbs;
	uroce_free_context(&context->verbs.context);
	errno = err;
	return NULL;
}

static const struct verbs_match_ent uroce_matches[] = {
	{.u.modalias = "holdfast:uroce", .kind = HF_MATCH_MODALIAS},
	{0},
};

static const struct verbs_device_ops uroce_device_ops = {
	.name = "uroce",
	.match_min_abi_version = 1,
	.match_max_abi_version = 1,
	.match_table = uroce_matches,
	.alloc_device = default_alloc_device,
	.uninit_device = default_uninit_device,
	.alloc_context = uroce_alloc_context,
};

__attribute__((visibility("default"))) const struct hf_provider_descriptor *
hf_provider_describe(void)
{
	static const struct hf_provider_descriptor descriptor = {
		.size = sizeof(descriptor),
		.abi = HF_PROVIDER_ABI,
		.name = "uroce",
		.version = PROVIDER_VERSION,
		.ops = &uroce_device_ops,
		.qp_ex_size = sizeof(struct ibv_qp_ex),
	};

	return &descriptor;
}
