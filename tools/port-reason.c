/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds out why a port of a soft device is down: its UDP port, its address or its network interface. */
#include <errno.h>
#include <inttypes.h>
#include <net/if.h>
#include <pwd.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/text.h"
#include "shared/udp_port.h"
#include "soft/address.h"
#include "tools/doctor.h"
#include "tools/port-reason.h"

/* Reads an attribute of the port's directory. False when it has none. */
static bool read_port_attr(struct ibv_device *device, uint32_t port, const char *name, char *value,
			   size_t size)
{
	char path[64];

	return !hfi_print(path, sizeof(path), "ports/%" PRIu32 "/%s", port, name) &&
	       hf_device_read_attr(device, path, value, size) > 0;
}

/* The user whose device it is. */
static bool owner_of(const struct hf_device_info *info, uid_t *ret)
{
	char *dir = hfi_tool_print("%s/class/infiniband/%s", info->root, info->name);
	struct stat st;
	bool known = hfi_is_component(info->name, sizeof(info->name)) && !stat(dir, &st);

	if (known)
		*ret = st.st_uid;
	free(dir);
	return known;
}

static bool udp_port_taken(struct ibv_device *device, const struct hf_device_info *info,
			   const struct hf_port_info *port, struct hf_port_reason *ret)
{
	char text[16], address[INET6_ADDRSTRLEN];
	struct hf_udp_holder holder;
	struct in6_addr in6;
	struct hf_gid *gids;
	uint64_t number;
	uid_t owner;
	char *name;
	int count;

	if (!read_port_attr(device, port->port, "udp_port", text, sizeof(text)) ||
	    hfi_parse_number(text, 10, UINT16_MAX, &number) || !owner_of(info, &owner))
		return false;
	count = hf_device_get_gids(device, port->port, sizeof(*gids), &gids);
	if (count <= 0 || gids[0].index != 0) {
		if (count >= 0)
			free(gids);
		return false;
	}
	memcpy(&in6, gids[0].gid.raw, sizeof(in6));
	free(gids);
	if (hfi_udp_port_taken(&in6, (uint16_t)number, owner, &holder) <= 0)
		return false;
	hfi_soft_format(&in6, address);
	ret->code = "udp-port-taken";
	if (holder.wildcard) {
		ret->problem = hfi_tool_print("UDP port %s of every address is taken, so that of "
					      "%s too",
					      text, address);
		ret->remedy = hfi_tool_print(
			"The kernel's rdma_rxe takes it when it is loaded: use its devices, or "
			"modprobe "
			"-r rdma_rxe, or a network namespace of your own. If it is a program: "
			"ss -ulnp sport = :%s",
			text);
	} else {
		struct passwd *user = getpwuid(holder.uid);

		ret->problem = hfi_tool_print("UDP port %s of %s is taken by user %u (%s)", text,
					      address, holder.uid,
					      user ? user->pw_name : "unknown");
		name = hfi_quote(info->name);
		ret->remedy = hfi_tool_print(
			"Give the device another address: holdfast soft del %s, then holdfast soft "
			"add %s --address ADDR",
			name, name);
		free(name);
	}
	return true;
}

/* The interface that the port follows: there is none, it lacks the address, or it is down. */
static bool netdev_unfit(struct ibv_device *device, const struct hf_port_info *port,
			 struct hf_port_reason *ret)
{
	char netdev[64], address[64], *quoted;

	if (!read_port_attr(device, port->port, "follow_netdev", netdev, sizeof(netdev)))
		return false;
	quoted = hfi_quote(netdev);
	if (!if_nametoindex(netdev)) {
		ret->code = "netdev-missing";
		ret->problem = hfi_tool_print("there is no network interface %s", netdev);
		ret->remedy =
			hfi_tool_print("Make it, or add the device again on another interface.");
	} else if (!port->num_gids &&
		   read_port_attr(device, port->port, "follow_address", address, sizeof(address))) {
		ret->code = "address-missing";
		ret->problem = hfi_tool_print("the network interface %s does not have the address "
					      "of the device",
					      netdev);
		ret->remedy = hfi_tool_print("See \"ip address show dev %s\": give it the address, "
					     "and bring it up.",
					     quoted);
	} else {
		ret->code = "port-down";
		ret->problem = hfi_tool_print("the network interface %s is down", netdev);
		ret->remedy = hfi_tool_print("ip link set %s up", quoted);
	}
	free(quoted);
	return true;
}

bool hfi_port_reason(struct ibv_device *device, const struct hf_device_info *info,
		     const struct hf_port_info *port, struct hf_port_reason *ret)
{
	if (port->state != IBV_PORT_DOWN || hfi_is_kernel_root(info->root))
		return false;
	return udp_port_taken(device, info, port, ret) || netdev_unfit(device, port, ret);
}

void hfi_port_reason_free(struct hf_port_reason *reason)
{
	free(reason->problem);
	free(reason->remedy);
}

void hfi_json_why_down(struct hf_json *json, struct ibv_device *device,
		       const struct hf_device_info *info, const struct hf_port_info *port)
{
	struct hf_port_reason reason;

	if (!hfi_port_reason(device, info, port, &reason)) {
		hfi_json_null(json, "why_down");
		return;
	}
	hfi_json_string(json, "why_down", reason.problem);
	hfi_port_reason_free(&reason);
}
