/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parsers of route netlink's answers about one destination. */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "core/neighbour/neighbour_parse.h"

size_t hfi_ip_size(const struct hf_ip *ip)
{
	switch (ip->family) {
	case AF_INET:
		return 4;
	case AF_INET6:
		return 16;
	default:
		return 0;
	}
}

/* Returns the fixed part of a message of the given type, which its attributes follow; else NULL. */
static const void *fixed_part(const void *message, size_t size, uint16_t type, size_t fixed)
{
	const struct nlmsghdr *header = message;

	/* libmnl compares lengths as signed numbers, so a length from 2^31 on seems to fit. */
	if (size > INT32_MAX || !mnl_nlmsg_ok(header, (int)size) || header->nlmsg_len > size)
		return NULL;
	if (header->nlmsg_type != type || mnl_nlmsg_get_payload_len(header) < fixed)
		return NULL;
	return mnl_nlmsg_get_payload(header);
}

/* The attribute at `at` if it lies within `length` bytes from `start`, else NULL. */
static const struct nlattr *attr_at(const void *start, size_t length, const void *at)
{
	size_t before = (size_t)((const char *)at - (const char *)start);
	const struct nlattr *attr = at;

	if (before > length || length - before < sizeof(*attr))
		return NULL;
	if (attr->nla_len < sizeof(*attr) || attr->nla_len > length - before)
		return NULL;
	return attr;
}

static const struct nlattr *find_in(const void *start, size_t length, uint16_t type)
{
	const struct nlattr *attr = attr_at(start, length, start);

	while (attr && mnl_attr_get_type(attr) != type)
		attr = attr_at(start, length, mnl_attr_next(attr));
	return attr;
}

static const struct nlattr *find_attribute_after(const void *message, size_t fixed, uint16_t type)
{
	const struct nlmsghdr *header = message;
	size_t skip = MNL_ALIGN(fixed);
	size_t length = mnl_nlmsg_get_payload_len(header);

	if (length < skip)
		return NULL;
	return find_in((const char *)mnl_nlmsg_get_payload(header) + skip, length - skip, type);
}

static const struct nlattr *find_nested(const struct nlattr *outer, uint16_t type)
{
	if (!outer)
		return NULL;
	return find_in(mnl_attr_get_payload(outer), mnl_attr_get_payload_len(outer), type);
}

/* Copies the attribute's bytes if there are exactly `size`. */
static bool copy_attribute(const struct nlattr *attr, void *to, size_t size)
{
	if (!attr || mnl_attr_get_payload_len(attr) != size)
		return false;
	memcpy(to, mnl_attr_get_payload(attr), size);
	return true;
}

static bool take_ip(const struct nlattr *attr, int family, struct hf_ip *ret)
{
	struct hf_ip ip = {.family = family};

	if (!hfi_ip_size(&ip) || !copy_attribute(attr, ip.bytes, hfi_ip_size(&ip)))
		return false;
	*ret = ip;
	return true;
}

/* A gateway of another family than the route's, such as an IPv6 router for IPv4. */
static bool take_via(const struct nlattr *attr, struct hf_ip *ret)
{
	struct hf_ip ip = {0};
	const char *data;
	uint16_t family;

	if (!attr || mnl_attr_get_payload_len(attr) < sizeof(family))
		return false;
	data = mnl_attr_get_payload(attr);
	memcpy(&family, data, sizeof(family));
	ip.family = family;
	if (!hfi_ip_size(&ip) ||
	    mnl_attr_get_payload_len(attr) != sizeof(family) + hfi_ip_size(&ip))
		return false;
	memcpy(ip.bytes, data + sizeof(family), hfi_ip_size(&ip));
	*ret = ip;
	return true;
}

int hfi_parse_path(const void *message, size_t size, struct hf_path *ret)
{
	const struct rtmsg *route = fixed_part(message, size, RTM_NEWROUTE, sizeof(*route));
	struct hf_path path = {0};
	const struct nlattr *attr;

	if (!route)
		return -EINVAL;
	path.type = route->rtm_type;
	if (!copy_attribute(find_attribute_after(message, sizeof(*route), RTA_OIF), &path.interface,
			    sizeof(path.interface)))
		return -EINVAL;
	attr = find_attribute_after(message, sizeof(*route), RTA_GATEWAY);
	if (attr && !take_ip(attr, route->rtm_family, &path.via))
		return -EINVAL;
	attr = find_attribute_after(message, sizeof(*route), RTA_VIA);
	if (attr && !take_via(attr, &path.via))
		return -EINVAL;
	*ret = path;
	return 0;
}

int hfi_parse_neighbour(const void *message, size_t size, struct hf_neighbour *ret)
{
	const struct ndmsg *entry = fixed_part(message, size, RTM_NEWNEIGH, sizeof(*entry));
	struct hf_neighbour neighbour = {0};
	const struct nlattr *attr;

	if (!entry)
		return -EINVAL;
	neighbour.state = entry->ndm_state;
	attr = find_attribute_after(message, sizeof(*entry), NDA_LLADDR);
	neighbour.has_mac = copy_attribute(attr, neighbour.mac, sizeof(neighbour.mac));
	/* A link-layer address that is not an Ethernet one. */
	if (attr && !neighbour.has_mac)
		return -EINVAL;
	*ret = neighbour;
	return 0;
}

int hfi_parse_link(const void *message, size_t size, struct hf_link *ret)
{
	const struct ifinfomsg *info = fixed_part(message, size, RTM_NEWLINK, sizeof(*info));
	struct hf_link link = {.vlan = HF_NO_VLAN};
	const struct nlattr *about, *kind;
	uint16_t vlan;

	if (!info)
		return -EINVAL;
	link.flags = info->ifi_flags;
	link.has_mac = copy_attribute(find_attribute_after(message, sizeof(*info), IFLA_ADDRESS),
				      link.mac, sizeof(link.mac));
	about = find_attribute_after(message, sizeof(*info), IFLA_LINKINFO);
	kind = find_nested(about, IFLA_INFO_KIND);
	if (kind && mnl_attr_get_payload_len(kind) >= sizeof("vlan") - 1 &&
	    !strncmp(mnl_attr_get_payload(kind), "vlan", mnl_attr_get_payload_len(kind))) {
		if (!copy_attribute(find_nested(find_nested(about, IFLA_INFO_DATA), IFLA_VLAN_ID),
				    &vlan, sizeof(vlan)))
			return -EINVAL;
		link.vlan = vlan;
	}
	*ret = link;
	return 0;
}

int hfi_parse_owner(const void *message, size_t size, const struct hf_ip *ip, uint32_t *ret)
{
	const struct ifaddrmsg *info = fixed_part(message, size, RTM_NEWADDR, sizeof(*info));
	const struct nlattr *attr;
	struct hf_ip found;

	if (!info || !info->ifa_index)
		return -EINVAL;
	/* On a point-to-point link IFA_ADDRESS is the peer's. */
	attr = find_attribute_after(message, sizeof(*info), IFA_LOCAL);
	if (!attr)
		attr = find_attribute_after(message, sizeof(*info), IFA_ADDRESS);
	if (info->ifa_family != ip->family || !take_ip(attr, ip->family, &found) ||
	    memcmp(found.bytes, ip->bytes, hfi_ip_size(ip)) != 0)
		return -ENOENT;
	*ret = info->ifa_index;
	return 0;
}
