/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The provider for soft-RoCE, the kernel driver rdma_rxe: its descriptor and operations. */
#include <rdma/ib_user_ioctl_verbs.h>

#include "providers/rxe/rxe.h"

static const struct verbs_context_ops rxe_operations = {
	.query_device_ex = default_query_device,
	.query_port = hf_provider_query_port,
	.alloc_pd = default_alloc_pd,
	.dealloc_pd = default_dealloc_pd,
	.reg_mr = default_reg_mr,
	.rereg_mr = default_rereg_mr,
	.dereg_mr = default_dereg_mr,
	.alloc_mw = default_alloc_mw,
	.dealloc_mw = default_dealloc_mw,
	.bind_mw = rxe_bind_mw,
	.create_cq = rxe_create_cq,
	.create_cq_ex = rxe_create_cq_ex,
	.resize_cq = rxe_resize_cq,
	.poll_cq = rxe_poll_cq,
	.req_notify_cq = hf_provider_req_notify_cq,
	.destroy_cq = rxe_destroy_cq,
	.create_srq = rxe_create_srq,
	.create_srq_ex = rxe_create_srq_ex,
	.get_srq_num = rxe_get_srq_num,
	.modify_srq = rxe_modify_srq,
	.query_srq = default_query_srq,
	.post_srq_recv = rxe_post_srq_recv,
	.destroy_srq = rxe_destroy_srq,
	.create_qp = rxe_create_qp,
	.create_qp_ex = rxe_create_qp_ex,
	.query_qp = default_query_qp,
	.modify_qp = rxe_modify_qp,
	.post_send = rxe_post_send,
	.post_recv = rxe_post_recv,
	.destroy_qp = rxe_destroy_qp,
	.create_ah = rxe_create_ah,
	.destroy_ah = rxe_destroy_ah,
	.attach_mcast = hf_provider_attach_mcast,
	.detach_mcast = hf_provider_detach_mcast,
	.free_context = default_free_context,
};

static struct verbs_context *rxe_alloc_context(struct ibv_device *device, int cmd_fd,
					       void *private_data)
{
	(void)private_data;
	return default_alloc_context(device, cmd_fd, sizeof(struct verbs_context), RDMA_DRIVER_RXE,
				     NULL, &rxe_operations);
}

static const struct verbs_match_ent rxe_matches[] = {
	{.u.driver_id = RDMA_DRIVER_RXE, .kind = HF_MATCH_DRIVER_ID},
	{.u.modalias = "rdma_device:Nrxe*", .kind = HF_MATCH_MODALIAS},
	{0},
};

static const struct verbs_device_ops rxe_device_ops = {
	.name = "rxe",
	.match_min_abi_version = 1,
	.match_max_abi_version = 2,
	.match_table = rxe_matches,
	.alloc_device = default_alloc_device,
	.uninit_device = default_uninit_device,
	.alloc_context = rxe_alloc_context,
};

__attribute__((visibility("default"))) const struct hf_provider_descriptor *
hf_provider_describe(void)
{
	static const struct hf_provider_descriptor descriptor = {
		.size = sizeof(descriptor),
		.abi = HF_PROVIDER_ABI,
		.name = "rxe",
		.version = PROVIDER_VERSION,
		.ops = &rxe_device_ops,
		.qp_ex_size = sizeof(struct ibv_qp_ex),
	};

	return &descriptor;
}
