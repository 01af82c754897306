/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Kernel queries for providers of kernel devices. Results are errno values. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include "shared/attr.h"
#include "core/compat.h"
#include "core/base/log.h"
#include "core/uverbs/command.h"
#include "core/uverbs/device_commands.h"
#include "core/verbs/context.h"
#include "core/verbs/operations.h"
#include "core/verbs/port_files.h"

static struct hf_uhw uhw_of(const struct hf_driver_data *data)
{
	struct hf_uhw uhw = {0};

	if (data)
		uhw = (struct hf_uhw){.in = data->in,
				      .in_size = data->in_size,
				      .out = data->out,
				      .out_size = data->out_size};
	return uhw;
}

/* Before Linux 5.7: the older command, which makes the descriptor for events as well. */
static int get_context_older(struct verbs_context *context, const struct hf_driver_data *data,
			     uint32_t *num_comp_vectors)
{
	const struct ib_uverbs_get_context request = {0};
	struct ib_uverbs_get_context_resp response = {0};
	int err;

	err = hfi_write_command(&context->context, IB_USER_VERBS_CMD_GET_CONTEXT, &request,
				sizeof(request), &response, sizeof(response), data);
	/*
	 * The ioctl does not exist: Linux before 4.14, or a file that replaces the device in a test
	 * tree.
	 */
	if (err == -EPROTONOSUPPORT || err == -ENOTTY)
		hf_provider_log(context->context.device,
				err == -EPROTONOSUPPORT ? HF_LOG_ERROR : HF_LOG_INFO,
				"%s: its node takes no commands of Linux 5.0, which is needed",
				ibv_get_device_name(context->context.device));
	if (err)
		return err == -EPROTONOSUPPORT ? -ENOSYS : err;
	context->context.async_fd = (int)response.async_fd;
	*num_comp_vectors = response.num_comp_vectors;
	return 0;
}

static void take_context(struct verbs_context *context, uint32_t num_comp_vectors,
			 uint64_t core_support)
{
	struct verbs_device *device = (struct verbs_device *)(void *)context->context.device;

	context->context.num_comp_vectors = (int)num_comp_vectors;
	__atomic_store_n(&device->core_support, core_support, __ATOMIC_RELAXED);
	context->priv->calls = &hfi_kernel_calls;
}

HF_EXPORT int hf_provider_get_context(struct verbs_context *context,
				      const struct hf_driver_data *data)
{
	struct hf_uhw uhw = uhw_of(data);
	uint32_t num_comp_vectors = 0;
	uint64_t core_support = 0;
	int err;

	if (data)
		uhw.link = data->link;
	if (context->priv->uverbs.no_kernel)
		return EOPNOTSUPP;
	err = hfi_cmd_get_context(context->context.cmd_fd, context->priv->uverbs.driver_id, &uhw,
				  &num_comp_vectors, &core_support);
	if (err == -EPROTONOSUPPORT || err == -ENOTTY)
		/*
		 * The older command has no field for linked attributes, which would be taken for
		 * something else.
		 */
		err = uhw.link ? -EOPNOTSUPP : get_context_older(context, data, &num_comp_vectors);
	if (!err)
		take_context(context, num_comp_vectors, core_support);
	return -err;
}

HF_EXPORT int hf_provider_query_context(struct ibv_context *context,
					const struct hf_driver_data *data)
{
	uint32_t num_comp_vectors = 0;
	uint64_t core_support = 0;
	struct hf_command command;
	int err;

	hfi_command_start(&command, context, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_CONTEXT);
	hfi_command_out(&command, UVERBS_ATTR_QUERY_CONTEXT_NUM_COMP_VECTORS, &num_comp_vectors,
			sizeof(num_comp_vectors));
	hfi_command_out_optional(&command, UVERBS_ATTR_QUERY_CONTEXT_CORE_SUPPORT, &core_support,
				 sizeof(core_support));
	hfi_command_driver_data(&command, data);
	err = hfi_command_run(&command, context);
	if (!err)
		take_context(hfi_context_of(context), num_comp_vectors, core_support);
	return -err;
}

static void take_base(struct ibv_device_attr *to, const struct ib_uverbs_query_device_resp *from)
{
	to->node_guid = from->node_guid;
	to->sys_image_guid = from->sys_image_guid;
	to->max_mr_size = from->max_mr_size;
	to->page_size_cap = from->page_size_cap;
	to->vendor_id = from->vendor_id;
	to->vendor_part_id = from->vendor_part_id;
	to->hw_ver = from->hw_ver;
	to->max_qp = (int)from->max_qp;
	to->max_qp_wr = (int)from->max_qp_wr;
	to->device_cap_flags = from->device_cap_flags;
	to->max_sge = (int)from->max_sge;
	to->max_sge_rd = (int)from->max_sge_rd;
	to->max_cq = (int)from->max_cq;
	to->max_cqe = (int)from->max_cqe;
	to->max_mr = (int)from->max_mr;
	to->max_pd = (int)from->max_pd;
	to->max_qp_rd_atom = (int)from->max_qp_rd_atom;
	to->max_ee_rd_atom = (int)from->max_ee_rd_atom;
	to->max_res_rd_atom = (int)from->max_res_rd_atom;
	to->max_qp_init_rd_atom = (int)from->max_qp_init_rd_atom;
	to->max_ee_init_rd_atom = (int)from->max_ee_init_rd_atom;
	to->atomic_cap = (enum ibv_atomic_cap)from->atomic_cap;
	to->max_ee = (int)from->max_ee;
	to->max_rdd = (int)from->max_rdd;
	to->max_mw = (int)from->max_mw;
	to->max_raw_ipv6_qp = (int)from->max_raw_ipv6_qp;
	to->max_raw_ethy_qp = (int)from->max_raw_ethy_qp;
	to->max_mcast_grp = (int)from->max_mcast_grp;
	to->max_mcast_qp_attach = (int)from->max_mcast_qp_attach;
	to->max_total_mcast_qp_attach = (int)from->max_total_mcast_qp_attach;
	to->max_ah = (int)from->max_ah;
	to->max_fmr = (int)from->max_fmr;
	to->max_map_per_fmr = (int)from->max_map_per_fmr;
	to->max_srq = (int)from->max_srq;
	to->max_srq_wr = (int)from->max_srq_wr;
	to->max_srq_sge = (int)from->max_srq_sge;
	to->max_pkeys = from->max_pkeys;
	to->local_ca_ack_delay = from->local_ca_ack_delay;
	to->phys_port_cnt = from->phys_port_cnt;
}

static void take_extended(struct ibv_device_attr_ex *to,
			  const struct ib_uverbs_ex_query_device_resp *from)
{
	to->odp_caps.general_caps = from->odp_caps.general_caps;
	to->odp_caps.per_transport_caps.rc_odp_caps = from->odp_caps.per_transport_caps.rc_odp_caps;
	to->odp_caps.per_transport_caps.uc_odp_caps = from->odp_caps.per_transport_caps.uc_odp_caps;
	to->odp_caps.per_transport_caps.ud_odp_caps = from->odp_caps.per_transport_caps.ud_odp_caps;
	to->completion_timestamp_mask = from->timestamp_mask;
	to->hca_core_clock = from->hca_core_clock;
	to->device_cap_flags_ex = from->device_cap_flags_ex;
	to->rss_caps.supported_qpts = from->rss_caps.supported_qpts;
	to->rss_caps.max_rwq_indirection_tables = from->rss_caps.max_rwq_indirection_tables;
	to->rss_caps.max_rwq_indirection_table_size = from->rss_caps.max_rwq_indirection_table_size;
	to->max_wq_type_rq = from->max_wq_type_rq;
	to->raw_packet_caps = from->raw_packet_caps;
	to->tm_caps.max_rndv_hdr_size = from->tm_caps.max_rndv_hdr_size;
	to->tm_caps.max_num_tags = from->tm_caps.max_num_tags;
	to->tm_caps.flags = from->tm_caps.flags;
	to->tm_caps.max_ops = from->tm_caps.max_ops;
	to->tm_caps.max_sge = from->tm_caps.max_sge;
	to->cq_mod_caps.max_cq_count = from->cq_moderation_caps.max_cq_moderation_count;
	to->cq_mod_caps.max_cq_period = from->cq_moderation_caps.max_cq_moderation_period;
	to->max_dm_size = from->max_dm_size;
	to->xrc_odp_caps = from->xrc_odp_caps;
}

/*
 * These commands are also sent before there is a context, so they do not check one. A revoked
 * context's descriptor is a file that knows no commands. 0 or a positive errno value.
 */
static int command_refusal(struct verbs_context *context)
{
	return -hfi_command_refusal(&context->priv->uverbs);
}

int hfi_compat_query_device(struct ibv_context *context,
			    const struct ibv_query_device_ex_input *input,
			    struct ibv_device_attr_ex *attr, size_t attr_size,
			    struct ib_uverbs_ex_query_device_resp *ret,
			    const struct hf_driver_data *data)
{
	const struct hf_uhw uhw = uhw_of(data);
	struct ib_uverbs_ex_query_device_resp response;
	struct ibv_device_attr_ex full = {0};
	struct verbs_context *verbs = hfi_context_of(context);
	int err;

	if (input && input->comp_mask)
		return EINVAL;
	if (attr_size < sizeof(attr->orig_attr))
		return EOPNOTSUPP;
	err = command_refusal(verbs);
	if (err)
		return err;
	err = hfi_cmd_query_device(context->cmd_fd, verbs->priv->uverbs.driver_id, &uhw, &response);
	if (err)
		return -err;
	take_base(&full.orig_attr, &response.base);
	take_extended(&full, &response);
	full.phys_port_cnt_ex = response.base.phys_port_cnt;
	memset(attr, 0, attr_size);
	memcpy(attr, &full, attr_size < sizeof(full) ? attr_size : sizeof(full));
	*ret = response;
	return 0;
}

HF_EXPORT int hf_provider_query_device(struct ibv_context *context,
				       const struct ibv_query_device_ex_input *input,
				       struct ibv_device_attr_ex *attr, size_t attr_size,
				       uint64_t *fw_ver, const struct hf_driver_data *data)
{
	struct ib_uverbs_ex_query_device_resp response = {0};
	int err;

	err = hfi_compat_query_device(context, input, attr, attr_size, &response, data);
	if (!err)
		*fw_ver = response.base.fw_ver;
	return err;
}

static struct ibv_port_attr port_attr_from(const struct ib_uverbs_query_port_resp_ex *response)
{
	const struct ib_uverbs_query_port_resp *from = &response->legacy_resp;

	return (struct ibv_port_attr){
		.state = (enum ibv_port_state)from->state,
		.max_mtu = (enum ibv_mtu)from->max_mtu,
		.active_mtu = (enum ibv_mtu)from->active_mtu,
		.gid_tbl_len = (int)from->gid_tbl_len,
		.port_cap_flags = from->port_cap_flags,
		.max_msg_sz = from->max_msg_sz,
		.bad_pkey_cntr = from->bad_pkey_cntr,
		.qkey_viol_cntr = from->qkey_viol_cntr,
		.pkey_tbl_len = from->pkey_tbl_len,
		.lid = from->lid,
		.sm_lid = from->sm_lid,
		.lmc = from->lmc,
		.max_vl_num = from->max_vl_num,
		.sm_sl = from->sm_sl,
		.subnet_timeout = from->subnet_timeout,
		.init_type_reply = from->init_type_reply,
		.active_width = from->active_width,
		.active_speed = from->active_speed,
		.phys_state = from->phys_state,
		.link_layer = from->link_layer,
		.flags = from->flags,
		.port_cap_flags2 = response->port_cap_flags2,
	};
}

/* Linux 6.10 states it in what were the last four reserved bytes; before, they are zero. */
static uint32_t active_speed_ex_from(const struct ib_uverbs_query_port_resp_ex *response)
{
	uint32_t speed;

	static_assert(sizeof(*response) >= 44 + sizeof(speed), "the response has the member");
	memcpy(&speed, (const char *)response + 44, sizeof(speed));
	return speed;
}

HF_EXPORT int hf_provider_query_port(struct ibv_context *context, uint8_t port,
				     struct ibv_port_attr *attr)
{
	struct ib_uverbs_query_port_resp_ex response;
	struct verbs_context *verbs = hfi_context_of(context);
	struct ibv_port_attr found;
	int err;

	if (verbs->priv->calls == &hfi_no_kernel_calls) {
		err = hfi_query_port_files(verbs, port, &found);
		if (!err)
			memcpy(attr, &found, sizeof(((union hf_port_attr *)NULL)->older));
		return -err;
	}
	err = command_refusal(verbs);
	if (err)
		return err;
	err = hfi_cmd_query_port(context->cmd_fd, verbs->priv->uverbs.driver_id, port, &response);
	if (err)
		return -err;
	found = port_attr_from(&response);
	/* Only what every provider's struct has, whatever headers this was built with. */
	memcpy(attr, &found, sizeof(((union hf_port_attr *)NULL)->older));
	hfi_take_active_speed_ex(attr, active_speed_ex_from(&response));
	return 0;
}
