/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Flow steering: create and destroy flows. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/flow_specs.h"
#include "core/uverbs/uverbs.h"

/* Appends every specification to the request, whose head holds their total length. */
static int take_specs(struct ib_uverbs_create_flow *request, const struct ibv_flow_attr *attr)
{
	const char *from = (const char *)(attr + 1);
	char *to = (char *)(request + 1);

	for (unsigned int i = 0; i < attr->num_of_specs; i++) {
		struct ibv_flow_spec spec = {0};
		union hf_flow_spec kernel;
		int err;

		/* Programs may pack specifications without alignment. */
		memcpy(&spec, from, sizeof(spec.hdr));
		if (spec.hdr.size < sizeof(spec.hdr) || spec.hdr.size > sizeof(spec))
			return EINVAL;
		memcpy(&spec, from, spec.hdr.size);
		err = hfi_flow_spec(&spec, &kernel);
		if (err)
			return err;
		memcpy(to, &kernel, kernel.hdr.size);
		from += spec.hdr.size;
		to += kernel.hdr.size;
	}
	request->flow_attr.size = (uint16_t)(to - (char *)(request + 1));
	return 0;
}

HF_EXPORT int hf_provider_create_flow(struct ibv_qp *qp, struct ibv_flow *flow,
				      const struct ibv_flow_attr *attr,
				      const struct hf_driver_data *data)
{
	struct ib_uverbs_create_flow_resp response = {0};
	struct ib_uverbs_create_flow *request;
	int err = EINVAL;

	if (attr->comp_mask)
		return err;
	request = calloc(1, sizeof(*request) + attr->num_of_specs * sizeof(union hf_flow_spec));
	if (!request)
		return ENOMEM;
	request->qp_handle = qp->handle;
	request->flow_attr.type = attr->type;
	request->flow_attr.priority = attr->priority;
	request->flow_attr.num_of_specs = attr->num_of_specs;
	request->flow_attr.port = attr->port;
	request->flow_attr.flags = attr->flags;
	err = take_specs(request, attr);
	if (err)
		goto done;
	err = -hfi_write_command(qp->context,
				 IB_USER_VERBS_EX_CMD_CREATE_FLOW | IB_USER_VERBS_CMD_FLAG_EXTENDED,
				 request, sizeof(*request) + request->flow_attr.size, &response,
				 sizeof(response), data);
	if (err)
		goto done;
	flow->context = qp->context;
	flow->handle = response.flow_handle;

done:
	free(request);
	return err;
}

HF_EXPORT int hf_provider_destroy_flow(struct ibv_flow *flow)
{
	return -hfi_destroy_command(flow->context, UVERBS_OBJECT_FLOW, UVERBS_METHOD_FLOW_DESTROY,
				    UVERBS_ATTR_DESTROY_FLOW_HANDLE, flow->handle);
}
