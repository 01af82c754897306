/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by hfplug and hfboard: a port with one state, one GID and one P_Key. */
#ifndef HF_MODULE_COMMON_H
#define HF_MODULE_COMMON_H

#include <rdma/ib_verbs.h>

static int common_query_port(struct ib_device *ib, u32 port, struct ib_port_attr *attr)
{
	attr->state = IB_PORT_ACTIVE;
	attr->phys_state = IB_PORT_PHYS_STATE_LINK_UP;
	attr->max_mtu = IB_MTU_4096;
	attr->active_mtu = IB_MTU_4096;
	attr->lid = 1;
	attr->gid_tbl_len = 1;
	attr->pkey_tbl_len = 1;
	attr->max_msg_sz = 1 << 20;
	attr->active_width = IB_WIDTH_1X;
	attr->active_speed = IB_SPEED_SDR;
	return 0;
}

static int common_query_gid(struct ib_device *ib, u32 port, int index, union ib_gid *gid)
{
	gid->global.subnet_prefix = cpu_to_be64(0xfe80000000000000ULL);
	gid->global.interface_id = ib->node_guid;
	return 0;
}

static int common_query_pkey(struct ib_device *ib, u32 port, u16 index, u16 *pkey)
{
	*pkey = 0xffff;
	return 0;
}

/* Stores the node description, as real drivers do before they pass it to the hardware. */
static int common_modify_device(struct ib_device *ib, int mask, struct ib_device_modify *modify)
{
	if (mask & ~IB_DEVICE_MODIFY_NODE_DESC)
		return -EOPNOTSUPP;
	memcpy(ib->node_desc, modify->node_desc, sizeof(ib->node_desc));
	return 0;
}

static int common_alloc_ucontext(struct ib_ucontext *ib, struct ib_udata *udata)
{
	return 0;
}

/* Also used as disassociate_ucontext: a driver with that operation can be unplugged while it is open. */
static void common_dealloc_ucontext(struct ib_ucontext *ib)
{
}

static int common_alloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

static int common_dealloc_pd(struct ib_pd *pd, struct ib_udata *udata)
{
	return 0;
}

#endif
