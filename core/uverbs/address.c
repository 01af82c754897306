/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Address handles and multicast groups. */
#include <string.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/uverbs.h"

HF_EXPORT int hf_provider_create_ah(struct ibv_pd *pd, struct ibv_ah *ah,
				    const struct ibv_ah_attr *attr,
				    const struct hf_driver_data *data)
{
	struct ib_uverbs_create_ah request = {
		.user_handle = (uintptr_t)ah,
		.pd_handle = pd->handle,
		.attr =
			{
				.grh.flow_label = attr->grh.flow_label,
				.grh.sgid_index = attr->grh.sgid_index,
				.grh.hop_limit = attr->grh.hop_limit,
				.grh.traffic_class = attr->grh.traffic_class,
				.dlid = attr->dlid,
				.sl = attr->sl,
				.src_path_bits = attr->src_path_bits,
				.static_rate = attr->static_rate,
				.is_global = attr->is_global,
				.port_num = attr->port_num,
			},
	};
	struct ib_uverbs_create_ah_resp response = {0};
	int err;

	memcpy(request.attr.grh.dgid, attr->grh.dgid.raw, sizeof(request.attr.grh.dgid));
	err = hfi_write_command(pd->context, IB_USER_VERBS_CMD_CREATE_AH, &request, sizeof(request),
				&response, sizeof(response), data);
	if (err)
		return -err;
	ah->context = pd->context;
	ah->pd = pd;
	ah->handle = response.ah_handle;
	return 0;
}

HF_EXPORT int hf_provider_destroy_ah(struct ibv_ah *ah)
{
	return -hfi_destroy_command(ah->context, UVERBS_OBJECT_AH, UVERBS_METHOD_AH_DESTROY,
				    UVERBS_ATTR_DESTROY_AH_HANDLE, ah->handle);
}

HF_EXPORT int hf_provider_attach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	struct ib_uverbs_attach_mcast request = {.qp_handle = qp->handle, .mlid = lid};

	memcpy(request.gid, gid->raw, sizeof(request.gid));
	return -hfi_write_command(qp->context, IB_USER_VERBS_CMD_ATTACH_MCAST, &request,
				  sizeof(request), NULL, 0, NULL);
}

HF_EXPORT int hf_provider_detach_mcast(struct ibv_qp *qp, const union ibv_gid *gid, uint16_t lid)
{
	struct ib_uverbs_detach_mcast request = {.qp_handle = qp->handle, .mlid = lid};
	int err;

	memcpy(request.gid, gid->raw, sizeof(request.gid));
	err = hfi_write_command(qp->context, IB_USER_VERBS_CMD_DETACH_MCAST, &request,
				sizeof(request), NULL, 0, NULL);
	return hfi_answer_is_gone(qp->context, err) ? 0 : -err;
}
