/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast soft add: chooses what a device needs of its own, and makes it. */
#include <errno.h>
#include <fcntl.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "shared/text.h"
#include "shared/udp_port.h"
#include "soft/address.h"
#include "soft/find.h"
#include "soft/tree.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/port-reason.h"
#include "tools/soft.h"

enum { NAME_MAX_LENGTH = 63, ROCE_PORT = 4791, ATTEMPTS = 256, NETDEV_GIDS = 16 };

/* The device to be made, and what others have already. */
struct soft_plan {
	const char *name;
	const char *root;
	const char *path;
	char netdev[IFNAMSIZ];
	bool has_address;
	struct in6_addr address;
	uint64_t guid;

	struct in6_addr *taken; /* addresses of other devices */
	size_t num_taken;
	uint64_t *guids;
	size_t num_guids;
};

__attribute__((format(printf, 2, 3))) static int refuse(enum hf_exit status, const char *format,
							...)
{
	va_list args;
	char *text = NULL;

	va_start(args, format);
	if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	hfi_complain("soft add: %s", text ? text : "out of memory");
	free(text);
	return (int)status;
}

/* Plain names only: they become paths, and words of scripts. */
static int check_name(const char *name)
{
	static const char letters[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	static const char others[] =
		"0123456789_.-abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ";
	size_t length = strlen(name);

	if (!strspn(name, letters))
		return refuse(HF_EXIT_USAGE, "\"%s\": a name begins with a letter", name);
	if (length > NAME_MAX_LENGTH)
		return refuse(HF_EXIT_USAGE,
			      "the name has %zu bytes, and no more than %d are allowed", length,
			      NAME_MAX_LENGTH);
	if (strspn(name, others) != length)
		return refuse(HF_EXIT_USAGE,
			      "\"%s\": a name has letters, digits, \"_\", \".\" and \"-\" only",
			      name);
	return 0;
}

/* Copies the name of an interface, without the label of an address. */
static void copy_netdev(char netdev[IFNAMSIZ], const char *name)
{
	snprintf(netdev, IFNAMSIZ, "%.*s", (int)strcspn(name, ":"), name);
}

static bool address_is_taken(const struct soft_plan *plan, const struct in6_addr *address)
{
	for (size_t i = 0; i < plan->num_taken; i++)
		if (!memcmp(&plan->taken[i], address, sizeof(*address)))
			return true;
	return false;
}

/* The address of an entry of getifaddrs(), an IPv4 one as ::ffff:A.B.C.D. */
static bool entry_address(const struct ifaddrs *entry, struct in6_addr *ret)
{
	struct sockaddr_in in;
	struct sockaddr_in6 in6;

	if (!entry->ifa_addr)
		return false;
	if (entry->ifa_addr->sa_family == AF_INET6) {
		memcpy(&in6, entry->ifa_addr, sizeof(in6));
		*ret = in6.sin6_addr;
		return true;
	}
	if (entry->ifa_addr->sa_family != AF_INET)
		return false;
	memcpy(&in, entry->ifa_addr, sizeof(in));
	*ret = (struct in6_addr){.s6_addr = {[10] = 0xff, [11] = 0xff}};
	memcpy(&ret->s6_addr[12], &in.sin_addr, sizeof(in.sin_addr));
	return true;
}

static int read_addresses(struct ifaddrs **ret)
{
	if (getifaddrs(ret) == 0)
		return 0;
	hfi_complain("soft add: cannot read the addresses of this machine: %s", strerror(errno));
	return HF_EXIT_FAILED;
}

/* Refuses an interface of which another device has an address. */
static int check_netdev_addresses(const struct soft_plan *plan)
{
	char name[IFNAMSIZ], text[INET6_ADDRSTRLEN];
	struct in6_addr address;
	struct ifaddrs *list;
	int status = read_addresses(&list);

	if (status)
		return status;
	for (const struct ifaddrs *a = list; a && !status; a = a->ifa_next) {
		copy_netdev(name, a->ifa_name);
		/* Each interface may have the same link-local address. */
		if (strcmp(name, plan->netdev) != 0 || !entry_address(a, &address) ||
		    IN6_IS_ADDR_LINKLOCAL(&address) || !address_is_taken(plan, &address))
			continue;
		hfi_soft_format(&address, text);
		status = refuse(HF_EXIT_FAILED, "--netdev: another device has the address %s of %s",
				text, name);
	}
	freeifaddrs(list);
	return status;
}

static int plan_netdev(struct soft_plan *plan, const char *netdev)
{
	if (!hfi_is_component(netdev, IFNAMSIZ - 1))
		return refuse(HF_EXIT_USAGE,
			      "--netdev: \"%s\" cannot be the name of a network interface", netdev);
	if (!if_nametoindex(netdev))
		return refuse(
			HF_EXIT_FAILED,
			"--netdev: there is no network interface %s here; \"ip link\" shows those "
			"that exist",
			netdev);
	if (hfi_copy(plan->netdev, sizeof(plan->netdev), netdev))
		return HF_EXIT_FAILED;
	return check_netdev_addresses(plan);
}

static bool netdev_has_address(const struct ifaddrs *entry, const struct in6_addr *address)
{
	struct in6_addr found;

	return entry_address(entry, &found) && !memcmp(&found, address, sizeof(found));
}

static bool is_loopback(const struct in6_addr *address)
{
	return IN6_IS_ADDR_V4MAPPED(address) && address->s6_addr[12] == 127;
}

/* The interface that has the address; all of 127.0.0.0/8 is the loopback interface's. */
static int find_netdev(struct soft_plan *plan)
{
	struct ifaddrs *list;
	int status = read_addresses(&list);

	if (status)
		return status;
	for (const struct ifaddrs *a = list; a && !*plan->netdev; a = a->ifa_next)
		if (netdev_has_address(a, &plan->address) ||
		    (is_loopback(&plan->address) && (a->ifa_flags & IFF_LOOPBACK)))
			copy_netdev(plan->netdev, a->ifa_name);
	freeifaddrs(list);
	return 0;
}

static int plan_address(struct soft_plan *plan, const char *text)
{
	int err = hfi_soft_parse(text, &plan->address);

	if (err == -EINVAL)
		return refuse(HF_EXIT_USAGE, "--address: \"%s\" is no IPv4 or IPv6 address", text);
	if (err == -EADDRNOTAVAIL)
		return refuse(HF_EXIT_USAGE, "--address: no device can have the address %s", text);
	if (err)
		return refuse(
			HF_EXIT_USAGE,
			"--address: %s is a link-local address: name its interface with --netdev",
			text);
	plan->has_address = true;
	err = find_netdev(plan);
	if (!err && !*plan->netdev)
		return refuse(
			HF_EXIT_FAILED,
			"--address: no network interface has the address %s; \"ip address\" shows "
			"those that exist",
			text);
	if (!err && address_is_taken(plan, &plan->address))
		return refuse(HF_EXIT_FAILED, "--address: another device has the address %s", text);
	return err;
}

/* Looks for an address that no device has, and whose port nobody has. The last one is taken all the same. */
static int choose_address(struct soft_plan *plan)
{
	struct hf_soft_identity identity = {
		.uid = geteuid(), .name = plan->name, .root = plan->root};
	struct hf_udp_holder holder;

	for (; identity.attempt < ATTEMPTS; identity.attempt++) {
		plan->address = hfi_soft_loopback(&identity);
		if (address_is_taken(plan, &plan->address))
			continue;
		plan->has_address = true;
		/* Where the kernel's RoCE has the port of every address, no other one is better. */
		if (hfi_udp_port_taken(&plan->address, ROCE_PORT, geteuid(), &holder) != 1 ||
		    holder.wildcard)
			break;
	}
	if (!plan->has_address) {
		hfi_complain("soft add: no free address was found: give one with --address");
		return HF_EXIT_FAILED;
	}
	return find_netdev(plan);
}

/* Differs between machines, and between containers of one. */
static void read_machine(char *machine, size_t size)
{
	struct utsname names;
	char id[64] = "";

	if (!hfi_tool_read("/etc", "machine-id", id, sizeof(id)))
		*id = '\0';
	if (uname(&names))
		memset(&names, 0, sizeof(names));
	snprintf(machine, size, "%s/%s", id, names.nodename);
}

static void choose_guid(struct soft_plan *plan)
{
	char machine[160];
	struct hf_soft_identity identity = {
		.uid = geteuid(), .name = plan->name, .root = plan->root, .machine = machine};
	bool taken = true;

	read_machine(machine, sizeof(machine));
	for (; taken; identity.attempt++) {
		plan->guid = hfi_soft_guid(&identity);
		taken = false;
		for (size_t i = 0; i < plan->num_guids; i++)
			taken = taken || plan->guids[i] == plan->guid;
	}
}

static void note_device(struct soft_plan *plan, struct ibv_device *device,
			const struct hf_device_info *info)
{
	plan->guids = hfi_tool_alloc(plan->guids, plan->num_guids + 1, sizeof(*plan->guids));
	plan->guids[plan->num_guids++] = info->node_guid;
	for (uint32_t port = 1; port <= info->num_ports; port++) {
		struct hf_gid *gids = NULL;
		int count = hf_device_get_gids(device, port, sizeof(*gids), &gids);

		for (int i = 0; i < count; i++) {
			plan->taken = hfi_tool_alloc(plan->taken, plan->num_taken + 1,
						     sizeof(*plan->taken));
			memcpy(&plan->taken[plan->num_taken++], gids[i].gid.raw,
			       sizeof(*plan->taken));
		}
		free(gids);
	}
}

/* What the devices have that programs see together with the new one. */
static int note_devices(const struct hf_tool *tool, struct soft_plan *plan)
{
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	struct ibv_device **list;
	int count, status = HF_EXIT_OK;

	if (!hf)
		return HF_EXIT_FAILED;
	count = hfi_tool_devices(hf, &list);
	for (int i = 0; i < count; i++) {
		struct hf_device_info info;
		char follow[64], path[16];

		if (hfi_tool_info(list[i], &info))
			continue;
		if (!strcmp(info.name, plan->name))
			status = refuse(HF_EXIT_FAILED, "there is a device %s already, in %s",
					plan->name, info.root);
		/* The addresses of the kernel's devices may be used again: theirs is another port. */
		if (!hfi_soft_is_ours(list[i], path, sizeof(path)))
			continue;
		note_device(plan, list[i], &info);
		if (tool->netdev &&
		    hf_device_read_attr(list[i], "ports/1/follow_netdev", follow, sizeof(follow)) >
			    0 &&
		    hf_device_read_attr(list[i], "ports/1/follow_address", path, sizeof(path)) ==
			    -ENOENT &&
		    !strcmp(follow, tool->netdev))
			status = refuse(HF_EXIT_FAILED,
					"--netdev: the device %s has the addresses of %s already",
					info.name, follow);
	}
	if (count >= 0)
		hf_device_list_free(list);
	hf_unref(hf);
	return count < 0 ? HF_EXIT_FAILED : status;
}

/* `taken` is known by now. */
static int make_plan(const struct hf_tool *tool, struct soft_plan *plan)
{
	int status = note_devices(tool, plan);

	if (status)
		return status;
	if (tool->netdev)
		status = plan_netdev(plan, tool->netdev);
	else if (tool->address)
		status = plan_address(plan, tool->address);
	else
		status = choose_address(plan);
	if (!status)
		choose_guid(plan);
	return status;
}

static int plug_device(const struct hf_soft_place *place, const struct soft_plan *plan)
{
	static const char port[] = "4791";
	struct hf_soft_device device = {
		.guid = plan->guid,
		.node_type = "1: CA",
		.description = "Holdfast software device",
		.firmware = hf_version(),
		.link_layer = "Ethernet",
		.modalias = "holdfast:uroce",
		.gid_type = "RoCE v2",
		.netdev = plan->netdev,
		.follow = plan->netdev,
		.gid = plan->has_address ? &plan->address : NULL,
		.udp_port = strcmp(plan->path, "direct") != 0 ? port : NULL,
		.uroce_path = plan->path,
		.ports = 1,
		.gids = plan->has_address ? 1 : NETDEV_GIDS,
		.abi = 1,
	};
	unsigned int n = 0;
	int err = hfi_soft_make_node(place->tree, &n);

	if (err)
		return err;
	err = hfi_soft_plug(place->tree, n, plan->name, &device);
	if (err)
		(void)hfi_soft_erase_node(place->tree, n);
	return err;
}

/* Shows the device, as programs see it now. */
static int show_added(const struct hf_tool *tool, const char *name)
{
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	struct hf_port_info port = {.size = sizeof(port)};
	struct hf_device_info info;
	struct hf_port_reason reason;
	struct ibv_device *device;
	struct hf_json json;
	int status;

	if (!hf)
		return HF_EXIT_FAILED;
	status = hfi_tool_find(tool, hf, name, &device);
	if (status)
		goto out;
	if (hfi_tool_info(device, &info) || hf_device_get_port(device, 1, &port)) {
		status = HF_EXIT_FAILED;
		goto out_device;
	}
	if (tool->json) {
		hfi_json_begin(&json, stdout, false);
		hfi_soft_json(&json, NULL, device, &info);
	}
	if (hfi_port_reason(device, &info, &port, &reason)) {
		hfi_complain("%s: its port is down: %s", name, reason.problem);
		hfi_port_reason_free(&reason);
	}
out_device:
	hf_device_unref(device);
out:
	hf_unref(hf);
	return status;
}

static int add_soft_device(const struct hf_tool *tool, struct hf_soft_place *place,
			   struct soft_plan *plan)
{
	int status, err;

	plan->root = place->sysfs;
	status = make_plan(tool, plan);
	if (status)
		return status;
	err = hfi_soft_sweep(place->tree);
	if (!err)
		err = plug_device(place, plan);
	if (err) {
		hfi_complain("soft add: cannot make the device in %s: %s", place->sysfs,
			     strerror(-err));
		return HF_EXIT_FAILED;
	}
	return show_added(tool, plan->name);
}

int hfi_soft_add(const struct hf_tool *tool, const char *name)
{
	struct soft_plan plan = {.name = name, .path = tool->path ? tool->path : "auto"};
	struct hf_soft_place place;
	int status = check_name(name);

	if (status)
		return status;
	if (tool->netdev && tool->address)
		return refuse(HF_EXIT_USAGE, "--netdev and --address exclude each other");
	if (tool->path && strcmp(tool->path, "direct") != 0 && strcmp(tool->path, "wire") != 0)
		return refuse(HF_EXIT_USAGE, "--path: expected direct or wire, not \"%s\"",
			      tool->path);
	status = hfi_soft_place_open(tool, true, &place);
	if (status)
		return status;
	status = add_soft_device(tool, &place, &plan);
	free(plan.taken);
	free(plan.guids);
	hfi_soft_place_close(&place);
	return status;
}
