/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counters, and the actions of flows. */
#include <errno.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/uverbs.h"

HF_EXPORT int hf_provider_create_counters(struct ibv_context *context,
					  const struct ibv_counters_init_attr *attr,
					  struct verbs_counters *counters,
					  const struct hf_driver_data *data)
{
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	if (attr->comp_mask)
		return EOPNOTSUPP;
	hfi_command_start(&command, context, UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_CREATE);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_CREATE_COUNTERS_HANDLE);
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	if (err)
		return -err;
	counters->counters.context = context;
	counters->handle = (uint32_t)handle->data;
	return 0;
}

HF_EXPORT int hf_provider_destroy_counters(struct verbs_counters *counters)
{
	return -hfi_destroy_command(counters->counters.context, UVERBS_OBJECT_COUNTERS,
				    UVERBS_METHOD_COUNTERS_DESTROY,
				    UVERBS_ATTR_DESTROY_COUNTERS_HANDLE, counters->handle);
}

HF_EXPORT int hf_provider_read_counters(struct verbs_counters *counters, uint64_t *values,
					uint32_t count, uint32_t flags,
					const struct hf_driver_data *data)
{
	struct ibv_context *context = counters->counters.context;
	struct hf_command command;

	hfi_command_start(&command, context, UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_READ);
	hfi_command_in_handle(&command, UVERBS_ATTR_READ_COUNTERS_HANDLE, counters->handle);
	hfi_command_out(&command, UVERBS_ATTR_READ_COUNTERS_BUFF, values, sizeof(*values) * count);
	hfi_command_in(&command, UVERBS_ATTR_READ_COUNTERS_FLAGS, &flags, sizeof(flags));
	hfi_command_driver_data(&command, data);
	return -hfi_command_run(&command, context);
}

/* The parts of an ESP action, of which a modification may leave out any. */
static int add_esp(struct hf_command *command, const struct ibv_flow_action_esp_attr *attr)
{
	if (attr->comp_mask & ~(uint32_t)IBV_FLOW_ACTION_ESP_MASK_ESN)
		return EOPNOTSUPP;
	if (attr->esp_attr)
		hfi_command_in(command, UVERBS_ATTR_FLOW_ACTION_ESP_ATTRS, attr->esp_attr,
			       sizeof(*attr->esp_attr));
	if (attr->comp_mask & IBV_FLOW_ACTION_ESP_MASK_ESN)
		hfi_command_in(command, UVERBS_ATTR_FLOW_ACTION_ESP_ESN, &attr->esn,
			       sizeof(attr->esn));
	if (attr->keymat_ptr)
		hfi_command_in_enum(command, UVERBS_ATTR_FLOW_ACTION_ESP_KEYMAT,
				    (uint8_t)attr->keymat_proto, attr->keymat_ptr,
				    attr->keymat_len);
	if (attr->replay_ptr)
		hfi_command_in_enum(command, UVERBS_ATTR_FLOW_ACTION_ESP_REPLAY,
				    (uint8_t)attr->replay_proto, attr->replay_ptr,
				    attr->replay_len);
	if (attr->esp_encap)
		hfi_command_in(command, UVERBS_ATTR_FLOW_ACTION_ESP_ENCAP, attr->esp_encap,
			       sizeof(*attr->esp_encap));
	return 0;
}

HF_EXPORT int hf_provider_create_flow_action_esp(struct ibv_context *context,
						 const struct ibv_flow_action_esp_attr *attr,
						 struct verbs_flow_action *action,
						 const struct hf_driver_data *data)
{
	struct ib_uverbs_attr *handle;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_FLOW_ACTION,
			  UVERBS_METHOD_FLOW_ACTION_ESP_CREATE);
	handle = hfi_command_out_handle(&command, UVERBS_ATTR_CREATE_FLOW_ACTION_ESP_HANDLE);
	err = add_esp(&command, attr);
	if (err)
		return err;
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	if (err)
		return -err;
	action->action.context = context;
	action->type = IBV_FLOW_ACTION_ESP;
	action->handle = (uint32_t)handle->data;
	return 0;
}

HF_EXPORT int hf_provider_modify_flow_action_esp(struct verbs_flow_action *action,
						 const struct ibv_flow_action_esp_attr *attr,
						 const struct hf_driver_data *data)
{
	struct ibv_context *context = action->action.context;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_FLOW_ACTION,
			  UVERBS_METHOD_FLOW_ACTION_ESP_MODIFY);
	hfi_command_in_handle(&command, UVERBS_ATTR_MODIFY_FLOW_ACTION_ESP_HANDLE, action->handle);
	err = add_esp(&command, attr);
	if (err)
		return err;
	hfi_command_driver_data(&command, data);
	return -hfi_command_run(&command, context);
}

HF_EXPORT int hf_provider_destroy_flow_action(struct verbs_flow_action *action)
{
	return -hfi_destroy_command(action->action.context, UVERBS_OBJECT_FLOW_ACTION,
				    UVERBS_METHOD_FLOW_ACTION_DESTROY,
				    UVERBS_ATTR_DESTROY_FLOW_ACTION_HANDLE, action->handle);
}
