/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Route netlink: links and addresses. The kernel does not notify when they change a GID or a port
 * (Linux 6.1 and 6.12), so these messages are used instead.
 */
#include <errno.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>

#include "core/notify/netlink.h"
#include "core/notify/route_netlink.h"

static int parse_link_hint(const struct nlmsghdr *header, struct hf_hint *ret)
{
	const struct ifinfomsg *info = mnl_nlmsg_get_payload(header);
	const struct nlattr *attr;
	uint32_t lower = 0;
	bool elsewhere = false;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*info) || info->ifi_index <= 0)
		return -EINVAL;
	for (attr = mnl_nlmsg_get_payload_offset(header, sizeof(*info));
	     hfi_attr_within(attr, header); attr = mnl_attr_next(attr)) {
		switch (mnl_attr_get_type(attr)) {
		case IFLA_LINK:
			if (mnl_attr_validate(attr, MNL_TYPE_U32) < 0)
				return -EINVAL;
			lower = mnl_attr_get_u32(attr);
			break;
		case IFLA_LINK_NETNSID:
			/* The index is then one of another network namespace. */
			elsewhere = true;
			break;
		default:
			break;
		}
	}
	hfi_hint_set(ret, HF_HINT_NETDEV, HF_ROOT_KERNEL, NULL);
	ret->ifindex = (uint32_t)info->ifi_index;
	ret->lower = elsewhere || lower == ret->ifindex ? 0 : lower;
	return 1;
}

static int parse_address(const struct nlmsghdr *header, struct hf_hint *ret)
{
	const struct ifaddrmsg *info = mnl_nlmsg_get_payload(header);

	if (mnl_nlmsg_get_payload_len(header) < sizeof(*info) || info->ifa_index == 0)
		return -EINVAL;
	hfi_hint_set(ret, HF_HINT_NETDEV, HF_ROOT_KERNEL, NULL);
	ret->ifindex = info->ifa_index;
	return 1;
}

int hfi_route_parse(const void *message, size_t size, struct hf_hint *ret)
{
	const struct nlmsghdr *header = message;

	/* libmnl compares lengths as signed integers: from 2^31 on they would pass. */
	if (size > INT32_MAX || !mnl_nlmsg_ok(header, (int)size) || header->nlmsg_len > size)
		return -EINVAL;
	switch (header->nlmsg_type) {
	case RTM_NEWLINK:
	case RTM_DELLINK:
		return parse_link_hint(header, ret);
	case RTM_NEWADDR:
	case RTM_DELADDR:
		return parse_address(header, ret);
	default:
		return 0;
	}
}

int hfi_route_open(size_t receive_buffer, struct hf_netlink_source **ret)
{
	static const unsigned int groups[] = {RTNLGRP_LINK, RTNLGRP_IPV4_IFADDR,
					      RTNLGRP_IPV6_IFADDR, 0};

	return hfi_netlink_source_open(NETLINK_ROUTE, groups, receive_buffer, hfi_route_parse, ret);
}
