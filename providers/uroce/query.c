/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the device can do, its port, and its GIDs. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "providers/uroce/uroce.h"

int uroce_query_device(struct ibv_context *context, const struct ibv_query_device_ex_input *input,
		       struct ibv_device_attr_ex *attr, size_t size)
{
	const struct verbs_device *device =
		container_of(context->device, struct verbs_device, device);
	struct ibv_device_attr_ex all = {0};
	struct ibv_device_attr *orig = &all.orig_attr;

	if (input && input->comp_mask)
		return EINVAL;
	snprintf(orig->fw_ver, sizeof(orig->fw_ver), "%s", PROVIDER_VERSION);
	orig->node_guid = device->sysfs->node_guid;
	orig->sys_image_guid = device->sysfs->node_guid;
	orig->max_mr_size = UINT64_MAX;
	orig->page_size_cap = 0xfffff000;
	orig->max_qp = UROCE_QPS;
	orig->max_qp_wr = UROCE_MAX_WR;
	orig->device_cap_flags = IBV_DEVICE_RC_RNR_NAK_GEN | IBV_DEVICE_SRQ_RESIZE |
				 IBV_DEVICE_MEM_WINDOW | IBV_DEVICE_MEM_WINDOW_TYPE_2B |
				 IBV_DEVICE_MEM_MGT_EXTENSIONS | IBV_DEVICE_CURR_QP_STATE_MOD |
				 IBV_DEVICE_BAD_PKEY_CNTR | IBV_DEVICE_BAD_QKEY_CNTR |
				 IBV_DEVICE_SYS_IMAGE_GUID;
	orig->device_cap_flags &= ~(unsigned int)IBV_DEVICE_SRQ_RESIZE;
	orig->max_sge = UROCE_MAX_SGE;
	orig->max_sge_rd = UROCE_MAX_SGE;
	orig->max_cq = UROCE_CQS;
	orig->max_cqe = UROCE_MAX_CQE;
	orig->max_mr = UROCE_MRS - 1;
	orig->max_pd = 1 << 20;
	orig->max_qp_rd_atom = 128;
	orig->max_res_rd_atom = 128 * UROCE_QPS;
	orig->max_qp_init_rd_atom = 128;
	orig->atomic_cap = IBV_ATOMIC_HCA;
	orig->max_mw = UROCE_MRS - 1;
	orig->max_ah = 1 << 20;
	orig->max_mcast_grp = orig->max_mcast_qp_attach = UROCE_MEMBERS;
	orig->max_total_mcast_qp_attach = UROCE_MEMBERS;
	orig->max_srq = UROCE_SRQS;
	orig->max_srq_wr = UROCE_MAX_WR;
	orig->max_srq_sge = UROCE_MAX_SGE;
	orig->max_pkeys = 1;
	orig->local_ca_ack_delay = 15;
	/* Of nobody: as the kernel's soft-RoCE says, since programs expect one that is not 0. */
	orig->vendor_id = 0xffffff;
	orig->phys_port_cnt = 1;
	all.phys_port_cnt_ex = 1;
	all.completion_timestamp_mask = UINT64_MAX;
	all.hca_core_clock = 1000000; /* kHz: completions are stamped in ns */
	all.max_dm_size = 0;
	memcpy(attr, &all, size < sizeof(all) ? size : sizeof(all));
	return 0;
}

int uroce_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	const int err = hf_provider_query_port(context, port, attr);

	if (err)
		return err;
	attr->max_msg_sz = (uint32_t)1 << 30;
	attr->max_mtu = IBV_MTU_4096;
	attr->port_cap_flags |= IBV_PORT_IP_BASED_GIDS;
	return 0;
}

int uroce_query_values(struct ibv_context *context, struct ibv_values_ex *values)
{
	(void)context;
	if (values->comp_mask & IBV_VALUES_MASK_RAW_CLOCK)
		clock_gettime(CLOCK_MONOTONIC, &values->raw_clock);
	values->comp_mask &= IBV_VALUES_MASK_RAW_CLOCK;
	return 0;
}

int uroce_gid(struct uroce_context *context, unsigned int index, union ibv_gid *gid)
{
	static const union ibv_gid none;

	if (index > 255 || ibv_query_gid(&context->verbs.context, 1, (int)index, gid) ||
	    !memcmp(gid, &none, sizeof(none)))
		return EINVAL;
	return 0;
}
