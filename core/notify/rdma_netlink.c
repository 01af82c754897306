/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA netlink's notifications: devices and their network interfaces. */
#include <errno.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>

#include "shared/text.h"
#include "core/notify/netlink.h"
#include "core/notify/rdma_netlink.h"

/*
 * From Linux 6.12, include/uapi/rdma/rdma_netlink.h; older headers lack them. The kernel sends them
 * from rdma_nl_notify_event() in drivers/infiniband/core/nldev.c. The group can be joined on any
 * kernel, also on one that never sends anything to it.
 */
enum {
	GROUP_NOTIFY = 4,
	CMD_MONITOR = 28,
	ATTR_EVENT_TYPE = 102,

	EVENT_UNREGISTER = 1,
	EVENT_NETDEV_ATTACH = 2,
	EVENT_NETDEV_DETACH = 3,
};

static const char *device_name(const struct nlattr *attr)
{
	const char *name;

	if (mnl_attr_validate(attr, MNL_TYPE_NUL_STRING) < 0)
		return NULL;
	name = mnl_attr_get_str(attr);
	return *name && strlen(name) < HF_NAME_SIZE ? name : NULL;
}

int hfi_rdma_notify_parse(const void *message, size_t size, struct hf_hint *ret)
{
	const struct nlmsghdr *header = message;
	const struct nlattr *attr;
	const char *name = NULL;
	int type = -1;

	/* libmnl compares lengths as signed integers: from 2^31 on they would pass. */
	if (size > INT32_MAX || !mnl_nlmsg_ok(header, (int)size) || header->nlmsg_len > size)
		return -EINVAL;
	if (header->nlmsg_type != RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, CMD_MONITOR))
		return 0;
	for (attr = mnl_nlmsg_get_payload_offset(header, 0); hfi_attr_within(attr, header);
	     attr = mnl_attr_next(attr)) {
		switch (mnl_attr_get_type(attr)) {
		case ATTR_EVENT_TYPE:
			if (mnl_attr_validate(attr, MNL_TYPE_U8) < 0)
				return -EINVAL;
			type = mnl_attr_get_u8(attr);
			break;
		case RDMA_NLDEV_ATTR_DEV_NAME:
			name = device_name(attr);
			if (!name)
				return -EINVAL;
			break;
		default:
			break;
		}
	}
	if (type < 0)
		return -EINVAL;
	if (!name)
		hfi_hint_set(ret, HF_HINT_ALL, HF_ROOT_KERNEL, NULL);
	else if (type == EVENT_NETDEV_ATTACH || type == EVENT_NETDEV_DETACH)
		hfi_hint_set(ret, HF_HINT_ATTRIBUTES, HF_ROOT_KERNEL, name);
	else
		hfi_hint_set(ret, type == EVENT_UNREGISTER ? HF_HINT_IBDEV_WENT : HF_HINT_IBDEV,
			     HF_ROOT_KERNEL, name);
	return 1;
}

int hfi_rdma_notify_open(size_t receive_buffer, struct hf_netlink_source **ret)
{
	static const unsigned int groups[] = {GROUP_NOTIFY, 0};

	return hfi_netlink_source_open(NETLINK_RDMA, groups, receive_buffer, hfi_rdma_notify_parse,
				       ret);
}
