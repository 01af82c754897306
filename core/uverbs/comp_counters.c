/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's commands for completion counters, and a port's speed. */
#include <errno.h>
#include <string.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/later.h"
#include "core/uverbs/queues.h"

enum { CREATE_HANDLE };
enum { DESTROY_HANDLE };
enum { MODIFY_HANDLE, MODIFY_ENTRY, MODIFY_OP, MODIFY_VALUE };
enum { READ_HANDLE, READ_ENTRY, READ_VALUE };
enum { ATTACH_QP, ATTACH_COUNTER, ATTACH_OP_MASK };
enum { CAPS_MAX_COUNTERS, CAPS_MAX_VALUE, CAPS_OPS };
enum { SPEED_PORT, SPEED_VALUE };

enum { OP_SET, OP_INC };

HF_EXPORT int hf_provider_create_comp_cntr(struct ibv_context *context,
					   struct ibv_comp_cntr *counter,
					   const struct hf_driver_data *data)
{
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, HF_OBJECT_COMP_CNTR, HF_METHOD_COMP_CNTR_CREATE);
	handle = hfi_command_out_handle(&command, CREATE_HANDLE);
	hfi_command_driver_data(&command, data);
	err = hfi_command_run_later(&command, context);
	if (err)
		return err;
	counter->context = context;
	counter->handle = (uint32_t)handle->data;
	return 0;
}

HF_EXPORT int hf_provider_destroy_comp_cntr(struct ibv_comp_cntr *counter)
{
	return -hfi_destroy_command(counter->context, HF_OBJECT_COMP_CNTR,
				    HF_METHOD_COMP_CNTR_DESTROY, DESTROY_HANDLE, counter->handle);
}

static int modify_counter(struct ibv_comp_cntr *counter, bool error, uint64_t op, uint64_t value)
{
	struct hf_command command;

	hfi_command_start(&command, counter->context, HF_OBJECT_COMP_CNTR,
			  HF_METHOD_COMP_CNTR_MODIFY);
	hfi_command_in_handle(&command, MODIFY_HANDLE, counter->handle);
	hfi_command_in_const(&command, MODIFY_ENTRY, error);
	hfi_command_in_const(&command, MODIFY_OP, op);
	hfi_command_in_u64(&command, MODIFY_VALUE, value);
	return hfi_command_run_later(&command, counter->context);
}

HF_EXPORT int hf_provider_set_comp_cntr(struct ibv_comp_cntr *counter, bool error, uint64_t value)
{
	return modify_counter(counter, error, OP_SET, value);
}

HF_EXPORT int hf_provider_inc_comp_cntr(struct ibv_comp_cntr *counter, bool error, uint64_t amount)
{
	return modify_counter(counter, error, OP_INC, amount);
}

HF_EXPORT int hf_provider_read_comp_cntr(struct ibv_comp_cntr *counter, bool error, uint64_t *value)
{
	struct hf_command command;
	uint64_t found = 0;
	int err;

	hfi_command_start(&command, counter->context, HF_OBJECT_COMP_CNTR,
			  HF_METHOD_COMP_CNTR_READ);
	hfi_command_in_handle(&command, READ_HANDLE, counter->handle);
	hfi_command_in_const(&command, READ_ENTRY, error);
	hfi_command_out(&command, READ_VALUE, &found, sizeof(found));
	err = hfi_command_run_later(&command, counter->context);
	if (!err)
		*value = found;
	return err;
}

HF_EXPORT int hf_provider_attach_comp_cntr(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
					   const struct ibv_qp_attach_comp_cntr_attr *attr)
{
	struct hf_command command;

	if (attr->comp_mask)
		return EOPNOTSUPP;
	hfi_command_start(&command, qp->context, UVERBS_OBJECT_QP, HF_METHOD_QP_ATTACH_COMP_CNTR);
	hfi_command_in_handle(&command, ATTACH_QP, qp->handle);
	hfi_command_in_handle(&command, ATTACH_COUNTER, counter->handle);
	hfi_command_in_u32(&command, ATTACH_OP_MASK, attr->op_mask);
	return hfi_command_run_later(&command, qp->context);
}

HF_EXPORT int hf_provider_query_comp_cntr_caps(struct ibv_context *context,
					       struct ibv_comp_cntr_caps *caps, size_t size)
{
	struct ibv_comp_cntr_caps found = {0};
	struct hf_command command;
	int err;

	if (size < sizeof(found))
		return EINVAL;
	hfi_command_start(&command, context, UVERBS_OBJECT_DEVICE, HF_METHOD_QUERY_COMP_CNTR_CAPS);
	hfi_command_out(&command, CAPS_MAX_COUNTERS, &found.max_counters,
			sizeof(found.max_counters));
	hfi_command_out(&command, CAPS_MAX_VALUE, &found.max_value, sizeof(found.max_value));
	hfi_command_out(&command, CAPS_OPS, &found.supported_qp_attach_ops,
			sizeof(found.supported_qp_attach_ops));
	err = hfi_command_run_later(&command, context);
	if (!err)
		*caps = found;
	return err;
}

HF_EXPORT int hf_provider_query_port_speed(struct ibv_context *context, uint32_t port,
					   uint64_t *speed)
{
	struct hf_command command;
	uint64_t found = 0;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_DEVICE, HF_METHOD_QUERY_PORT_SPEED);
	hfi_command_in_const(&command, SPEED_PORT, port);
	hfi_command_out(&command, SPEED_VALUE, &found, sizeof(found));
	err = hfi_command_run_later(&command, context);
	if (!err)
		*speed = found;
	return err;
}
