/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast doctor: is a port's network interface in the network namespace of this process? */
#include <errno.h>
#include <ifaddrs.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <netinet/in.h>
#include <netpacket/packet.h>

#include "tools/doctor.h"
#include "tools/names.h"

/* The GID that the kernel makes of an interface's address, or of its MAC address. */
static bool gid_of_sockaddr(const struct sockaddr *address, union ibv_gid *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (address->sa_family == AF_INET6) {
		memcpy(ret->raw, &((const struct sockaddr_in6 *)address)->sin6_addr, 16);
		return true;
	}
	if (address->sa_family == AF_INET) {
		memset(ret->raw + 10, 0xff, 2);
		memcpy(ret->raw + 12, &((const struct sockaddr_in *)address)->sin_addr, 4);
		return true;
	}
	if (address->sa_family == AF_PACKET) {
		const struct sockaddr_ll *link = (const struct sockaddr_ll *)address;

		/* fe80::/64 and the modified EUI-64 of RFC 4291, appendix A. */
		ret->raw[0] = 0xfe;
		ret->raw[1] = 0x80;
		memcpy(ret->raw + 8, link->sll_addr, 3);
		ret->raw[8] ^= 2;
		ret->raw[11] = 0xff;
		ret->raw[12] = 0xfe;
		memcpy(ret->raw + 13, link->sll_addr + 3, 3);
		return link->sll_halen == 6;
	}
	return false;
}

/*
 * Whether the interface of the GID is one of this namespace. The name alone proves nothing: sysfs shows
 * it to every namespace, and most namespaces have an eth0.
 */
static bool is_gid_here(const struct ifaddrs *addresses, const struct hf_gid *gid)
{
	union ibv_gid own;

	for (; addresses; addresses = addresses->ifa_next) {
		/* An address with a label has the label as its name: "eth0:1". */
		size_t length = strcspn(addresses->ifa_name, ":");

		if (strlen(gid->netdev) == length &&
		    !strncmp(gid->netdev, addresses->ifa_name, length) && addresses->ifa_addr &&
		    gid_of_sockaddr(addresses->ifa_addr, &own) &&
		    !memcmp(own.raw, gid->gid.raw, sizeof(own.raw)))
			return true;
	}
	return false;
}

/* A tree with interfaces has them in class/net. */
static bool is_in_tree(const struct hf_device_info *info, const char *netdev)
{
	char *path = hfi_tool_print("class/net/%s", netdev);
	bool in_tree = !hfi_absent(info->root, path);

	free(path);
	return in_tree;
}

/* Finds the interface of the port's GIDs if none of them is here. */
static bool find_elsewhere(const struct hf_device_info *info, const struct hf_port_info *port,
			   const struct hf_gid *gids, int count, char netdev[16])
{
	bool kernel = hfi_is_kernel_root(info->root), here = false;
	struct ifaddrs *addresses = NULL;

	memcpy(netdev, kernel ? "" : port->netdev, kernel ? 1 : sizeof(port->netdev));
	if (!kernel && hfi_absent(info->root, "class/net"))
		return false;
	if (kernel && getifaddrs(&addresses))
		return false;
	if (!kernel && *netdev)
		here = is_in_tree(info, netdev);
	for (int i = 0; i < count && !here; i++) {
		if (!*gids[i].netdev)
			continue;
		if (!*netdev)
			memcpy(netdev, gids[i].netdev, sizeof(gids[i].netdev));
		here = kernel ? is_gid_here(addresses, &gids[i]) : is_in_tree(info, gids[i].netdev);
	}
	freeifaddrs(addresses);
	return *netdev && !here;
}

/*
 * iWARP devices have no interface in their GID table. RDMA netlink reports it only in its own
 * namespace.
 */
static bool is_iwarp_elsewhere(const struct hf_device_info *info, const struct hf_port_info *port)
{
	return info->protocol == HF_PROTOCOL_IWARP && info->index >= 0 && !*port->netdev &&
	       hfi_is_kernel_root(info->root);
}

/* Whether the port of a tree follows an interface by name, see holdfast-roots(7). */
static bool follows_netdev(struct ibv_device *device, const struct hf_device_info *info,
			   const struct hf_port_info *port)
{
	char path[48], name[64];

	snprintf(path, sizeof(path), "ports/%" PRIu32 "/follow_netdev", port->port);
	return !hfi_is_kernel_root(info->root) &&
	       hf_device_read_attr(device, path, name, sizeof(name)) > 0;
}

bool hfi_doctor_netns(struct hf_findings *findings, struct ibv_device *device,
		      const struct hf_device_info *info, const struct hf_port_info *port)
{
	bool iwarp = info->protocol == HF_PROTOCOL_IWARP || info->transport == IBV_TRANSPORT_IWARP;
	char netdev[16], *quoted, *named;
	struct hf_gid *gids;
	bool elsewhere;
	int count;

	if (port->link_layer != IBV_LINK_LAYER_ETHERNET && !iwarp)
		return false;
	count = hf_device_get_gids(device, port->port, sizeof(*gids), &gids);
	if (count < 0)
		return false;
	memcpy(netdev, port->netdev, sizeof(netdev));
	if (follows_netdev(device, info, port))
		elsewhere = !port->netdev_index;
	else
		elsewhere = find_elsewhere(info, port, gids, count, netdev) ||
			    is_iwarp_elsewhere(info, port);
	free(gids);
	if (!elsewhere)
		return false;
	quoted = hfi_quote(*netdev ? netdev : "INTERFACE");
	named = *netdev ? hfi_tool_print(" %s", netdev) : hfi_tool_print("%s", "");
	hfi_found_in(findings, HF_WARNING, "netdev-other-netns", info,
		     hfi_tool_print("Port %" PRIu32 " is %s, but its network interface%s is not in "
				    "this network namespace: connecting by address (librdmacm) "
				    "fails.",
				    port->port, hfi_port_state_name(port->state), named),
		     hfi_tool_print("Run programs in the namespace that has it (a container: with "
				    "the host's network), or move it here from there: ip link set "
				    "%s netns NAMESPACE",
				    quoted));
	free(named);
	free(quoted);
	return true;
}
