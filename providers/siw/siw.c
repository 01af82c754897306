/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The provider for soft-iWARP, the kernel driver siw: its descriptor and operations. */
#include <rdma/ib_user_ioctl_verbs.h>

#include "providers/siw/siw.h"

/* The program chooses the low byte of a key: a new value each time, so that stale keys do not match. */
static struct ibv_mr *siw_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t hca_va,
				 int access)
{
	struct siw_context *siw = container_of(pd->context, struct siw_context, verbs.context);
	const struct siw_ureq_reg_mr request = {.stag_key = atomic_fetch_add(&siw->next_key, 1)};
	struct siw_uresp_reg_mr response;
	const struct hf_driver_data data = {
		.in = &request,
		.in_size = sizeof(request),
		.out = &response,
		.out_size = sizeof(response),
	};

	return default_reg_mr_with(pd, addr, length, hca_va, access, &data);
}

static const struct verbs_context_ops siw_operations = {
	.query_device_ex = default_query_device,
	.query_port = hf_provider_query_port,
	.alloc_pd = default_alloc_pd,
	.dealloc_pd = default_dealloc_pd,
	.reg_mr = siw_reg_mr,
	.dereg_mr = default_dereg_mr,
	.create_cq = siw_create_cq,
	.create_cq_ex = siw_create_cq_ex,
	.poll_cq = siw_poll_cq,
	.req_notify_cq = siw_req_notify_cq,
	.destroy_cq = siw_destroy_cq,
	.create_srq = siw_create_srq,
	.modify_srq = siw_modify_srq,
	.query_srq = default_query_srq,
	.post_srq_recv = siw_post_srq_recv,
	.destroy_srq = siw_destroy_srq,
	.create_qp = siw_create_qp,
	.create_qp_ex = siw_create_qp_ex,
	.query_qp = default_query_qp,
	.modify_qp = default_modify_qp,
	.post_send = siw_post_send,
	.post_recv = siw_post_recv,
	.destroy_qp = siw_destroy_qp,
	.free_context = default_free_context,
};

static struct verbs_context *siw_alloc_context(struct ibv_device *device, int cmd_fd,
					       void *private_data)
{
	/* The kernel creates a context only if the caller has room for this response. */
	struct siw_uresp_alloc_ctx response;
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};

	(void)private_data;
	return default_alloc_context(device, cmd_fd, sizeof(struct siw_context), RDMA_DRIVER_SIW,
				     &data, &siw_operations);
}

static const struct verbs_match_ent siw_matches[] = {
	{.u.driver_id = RDMA_DRIVER_SIW, .kind = HF_MATCH_DRIVER_ID},
	{.u.modalias = "rdma_device:Nsiw*", .kind = HF_MATCH_MODALIAS},
	{0},
};

static const struct verbs_device_ops siw_device_ops = {
	.name = "siw",
	.match_min_abi_version = SIW_ABI_VERSION,
	.match_max_abi_version = SIW_ABI_VERSION,
	.match_table = siw_matches,
	.alloc_device = default_alloc_device,
	.uninit_device = default_uninit_device,
	.alloc_context = siw_alloc_context,
};

__attribute__((visibility("default"))) const struct hf_provider_descriptor *
hf_provider_describe(void)
{
	static const struct hf_provider_descriptor descriptor = {
		.size = sizeof(descriptor),
		.abi = HF_PROVIDER_ABI,
		.name = "siw",
		.version = PROVIDER_VERSION,
		.ops = &siw_device_ops,
		.qp_ex_size = sizeof(struct ibv_qp_ex),
	};

	return &descriptor;
}
