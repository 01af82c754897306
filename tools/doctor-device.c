/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast doctor: checks one device. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <net/if.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "tools/doctor.h"
#include "tools/names.h"
#include "tools/port-reason.h"

static const char udev_rule[] =
	"SUBSYSTEM==\"infiniband_verbs\", KERNEL==\"uverbs*\", MODE=\"0666\"";

/* True if the node cannot be opened whatever its mode, because of the mount or the device cgroup. */
static bool forbidden(const struct hf_device_info *info, const struct stat *st, char **problem,
		      char **remedy)
{
	char *node = hfi_quote(info->node);
	struct statvfs fs;
	bool nodev = S_ISCHR(st->st_mode) && !statvfs(info->node, &fs) && (fs.f_flag & ST_NODEV);
	bool denied = faccessat(AT_FDCWD, info->node, R_OK | W_OK, AT_EACCESS) && errno == EPERM;

	if (nodev) {
		*problem =
			hfi_tool_print("The node %s may not be opened: its file system is mounted "
				       "with nodev.",
				       info->node);
		*remedy =
			hfi_tool_print("Mount it without: findmnt -T %s shows the mount, then "
				       "mount -o remount,dev MOUNT; in a container, start it with "
				       "--device=%s.",
				       node, node);
	} else if (denied) {
		*problem =
			hfi_tool_print("The node %s may not be opened: the device cgroup of this "
				       "process, or a security module, does not permit it.",
				       info->node);
		*remedy = hfi_tool_print("Start the container with --device=%s; a service needs "
					 "DeviceAllow=char-infiniband_verbs rw.",
					 node);
	}
	free(node);
	return nodev || denied;
}

/* Describes the node's owner and mode, and how this user can get access. */
static void permission(const struct hf_device_info *info, char **problem, char **remedy)
{
	struct group *group;
	struct passwd *owner, *self;
	struct stat st;

	if (stat(info->node, &st)) {
		*problem = hfi_tool_print("The node %s cannot be reached: %s.", info->node,
					  strerror(errno));
		*remedy = hfi_tool_print("Let users enter the directories above the node.");
		return;
	}
	if (forbidden(info, &st, problem, remedy))
		return;
	owner = getpwuid(st.st_uid);
	*problem = hfi_tool_print("The node %s may not be opened: owner %s (%u), mode %04o",
				  info->node, owner ? owner->pw_name : "unknown", st.st_uid,
				  st.st_mode & 07777);
	group = getgrgid(st.st_gid);
	{
		char *longer = hfi_tool_print("%s, group %s (%u), and this process is user %u.",
					      *problem, group ? group->gr_name : "unknown",
					      st.st_gid, geteuid());

		free(*problem);
		*problem = longer;
	}
	self = getpwuid(geteuid());
	if (!access(info->node, R_OK | W_OK)) {
		char *node = hfi_quote(info->node);

		*remedy = hfi_tool_print("The mode permits it, but a container's device list or a "
					 "security module does not; start the container with "
					 "--device=%s.",
					 node);
		free(node);
	} else if (st.st_gid && group && (st.st_mode & 0060) == 0060)
		*remedy = hfi_tool_print(
			"Add the user to the group and log in again: usermod -aG %s %s",
			group->gr_name, self ? self->pw_name : "USER");
	else
		*remedy = hfi_tool_print(
			"Put this line into /etc/udev/rules.d/90-rdma-nodes.rules: %s; "
			"then: udevadm control --reload && udevadm trigger "
			"--action=add --subsystem-match=infiniband_verbs",
			udev_rule);
}

static char *missing_node(const struct hf_device_info *info)
{
	char *node = hfi_quote(info->node), *root = hfi_quote(info->root), *text;

	if (!hfi_is_kernel_root(info->root))
		text = hfi_tool_print(
			"Create a file of that name, or give the directory of the nodes: "
			"--root %s:DEV.",
			root);
	else if (hfi_in_container())
		text = hfi_tool_print(
			"Give the node to this container: docker run --device=%s (podman "
			"the same); a device plugged in later needs a new container or a "
			"bind mount of /dev/infiniband.",
			node);
	else
		text = hfi_tool_print(
			"Let udev create it: udevadm trigger --action=add "
			"/sys/class/infiniband_verbs/%s; without udev: mknod -m 666 %s c "
			"%u %u",
			info->uverbs, node, major(info->node_number), minor(info->node_number));
	free(node);
	free(root);
	return text;
}

static char *remedy_for(const struct hf_device_info *info)
{
	const struct hf_reason *reason = &info->reason;
	char *name = hfi_quote(info->name), *file = hfi_quote(info->provider_file);
	char *node = hfi_quote(info->node), *text;

	switch (reason->code) {
	case HF_REASON_GONE:
		text = hfi_tool_print(
			"Plug it in again; \"holdfast list\" shows the devices that exist now.");
		break;
	case HF_REASON_HALF_MADE:
		if (!strcmp(reason->found, strerrordesc_np(EACCES)) ||
		    !strcmp(reason->found, strerrordesc_np(EPERM))) {
			text = hfi_tool_print("Run this as a user who may read it.");
			break;
		}
		text = hfi_tool_print(
			"Try again in a moment: the kernel may still be creating it. If this "
			"persists, see dmesg and load the driver again.");
		break;
	case HF_REASON_NO_NODE:
		text = missing_node(info);
		break;
	case HF_REASON_NODE_MISMATCH:
		text = hfi_tool_print(
			"The node is left over from another device: rm %s && udevadm trigger "
			"--action=add /sys/class/infiniband_verbs/%s",
			node, info->uverbs);
		break;
	case HF_REASON_OTHER_NETNS:
		text = hfi_tool_print(
			"In the namespace that has it, run: rdma dev set %s netns NAMESPACE; "
			"or share all devices: rdma system set netns shared.",
			name);
		break;
	case HF_REASON_FILE_MISSING:
		text = hfi_tool_print(
			"Install the provider's package again: its manifest exists, its "
			"library does not.");
		break;
	case HF_REASON_ABI:
		text = hfi_tool_print(
			"Install a provider that was built for this holdfast; expected: %s; "
			"found: %s.",
			reason->wanted, reason->found);
		break;
	case HF_REASON_UNSAFE:
		text = hfi_tool_print(
			"The provider's library, its manifest and their directories must not be "
			"writable by every user: \"holdfast doctor\" shows the commands.");
		break;
	case HF_REASON_LOAD:
		text = hfi_tool_print(
			"Install the provider again, or see which library is missing: ldd %s",
			*info->provider_file ? file : "FILE");
		break;
	case HF_REASON_KERNEL_ABI:
		text = hfi_tool_print(
			"Install versions of the provider and the kernel that fit together; "
			"expected: %s; found: %s.",
			reason->wanted, reason->found);
		break;
	case HF_REASON_BAD_MANIFEST:
		text = hfi_tool_print(
			"Correct the manifest, or install the provider's package again.");
		break;
	case HF_REASON_PROVIDER_FAILED:
		text = hfi_tool_print("Install another version of the provider, or report this to "
				      "who made it: %s",
				      *info->provider_file ? file : "see \"holdfast providers\"");
		break;
	default:
		text = hfi_tool_print("\"holdfast -vv info %s\" says more.", name);
		break;
	}
	free(name);
	free(file);
	free(node);
	return text;
}

static void examine_reason(struct hf_findings *findings, const struct hf_tool *tool, struct hf *hf,
			   const struct hf_device_info *info)
{
	char reason[HF_REASON_TEXT], *problem, *remedy;

	if (info->reason.code == HF_REASON_NONE)
		return;
	if (info->reason.code == HF_REASON_NODE_PERMISSION) {
		permission(info, &problem, &remedy);
	} else {
		hfi_format_reason(&info->reason, reason);
		problem = hfi_tool_print("%s", reason);
		remedy = info->reason.code == HF_REASON_NO_PROVIDER
				 ? hfi_doctor_no_provider(tool, hf, info)
				 : remedy_for(info);
	}
	hfi_found_in(findings, HF_PROBLEM, hf_reason_name(info->reason.code), info, problem,
		     remedy);
}

/* Opens the device once: only that shows that a program can. */
static void try_open(struct hf_findings *findings, const struct hf_tool *tool, struct hf *hf,
		     struct ibv_device *device, const struct hf_device_info *info)
{
	struct ibv_context *context;
	struct hf_device_info now = {.size = sizeof(now)};
	int err = hf_device_open(device, &context);

	if (!err) {
		hf_device_close(context);
		return;
	}
	if (err == -ENOTTY && !hfi_is_kernel_root(info->root)) {
		hfi_found_in(findings, HF_NOTE, "made-up", info,
			     hfi_tool_print(
				     "The node is not an RDMA device: the device can be listed "
				     "but not opened."),
			     hfi_tool_print("Nothing: this is normal for a test tree."));
		return;
	}
	/* Errors of a provider may show only now. */
	if (hf_device_get_info(device, &now) == 0 && now.reason.code == HF_REASON_PROVIDER_FAILED) {
		examine_reason(findings, tool, hf, &now);
		return;
	}
	hfi_found_in(
		findings, HF_PROBLEM, "open-failed", info,
		hfi_tool_print("The device seems ready, but opening it fails: %s.", strerror(-err)),
		err == -EPERM || err == -EACCES
			? hfi_tool_print("A container's device list or a security module does not "
					 "permit it; start the container with --device=%s.",
					 info->node)
		: err == -ENODEV
			? hfi_tool_print("It was unplugged just now: \"holdfast monitor\" shows "
					 "the events.")
			: hfi_tool_print("\"holdfast -vv doctor\" and dmesg say more."));
}

/* Reports a port that is down because of its network interface. */
static void ethernet_down(struct hf_findings *findings, const struct hf_device_info *info,
			  const struct hf_port_info *port)
{
	char *dir, *netdev, *remedy, state[32] = "", flags[32] = "";
	bool up;

	if (!*port->netdev) {
		hfi_found_in(
			findings, HF_WARNING, "no-netdev", info,
			hfi_tool_print("Port %" PRIu32 " is %s and has no network interface here.",
				       port->port, hfi_port_state_name(port->state)),
			hfi_tool_print(
				"Its interface was removed or is in another network namespace: "
				"see \"rdma link show\" and \"ip -all netns exec ip link\"."));
		return;
	}
	dir = hfi_tool_print("%s/class/net/%s", info->root, port->netdev);
	netdev = hfi_quote(port->netdev);
	hfi_tool_read(dir, "operstate", state, sizeof(state));
	up = hfi_tool_read(dir, "flags", flags, sizeof(flags)) && strtoul(flags, NULL, 16) & IFF_UP;
	if (*flags && up)
		remedy = hfi_tool_print("The interface is up but has no link: check the cable, the "
					"switch or the peer of %s.",
					netdev);
	else if (!*port->rate)
		remedy = hfi_tool_print("Set the interface up: ip link set %s up; and check the "
					"cable and the module: the port has no rate.",
					netdev);
	else
		remedy = hfi_tool_print("Set the interface up: ip link set %s up", netdev);
	hfi_found_in(findings, HF_WARNING, "port-down", info,
		     hfi_tool_print("Port %" PRIu32 " is %s; its interface %s is %s.", port->port,
				    hfi_port_state_name(port->state), port->netdev,
				    *state ? state : "in an unknown state"),
		     remedy);
	free(netdev);
	free(dir);
}

bool hfi_has_fabric(const struct hf_device_info *info)
{
	return info->node_type != IBV_NODE_UNSPECIFIED && info->node_type != IBV_NODE_USNIC &&
	       info->node_type != IBV_NODE_USNIC_UDP && info->driver_id != RDMA_DRIVER_EFA;
}

/* How to bring an InfiniBand or Omni-Path port up. */
static char *manager_remedy(const struct hf_device_info *info)
{
	return info->protocol == HF_PROTOCOL_OPA
		       ? hfi_tool_print(
				 "Start the fabric manager (opafm) on some host, or check the "
				 "switch's.")
		       : hfi_tool_print(
				 "Start a subnet manager (opensm) on some host, or check the "
				 "switch's.");
}

static char *down_remedy(const struct hf_device_info *info, const struct hf_port_info *port)
{
	if (!hfi_has_fabric(info))
		return hfi_tool_print("See what its driver %s logs: dmesg",
				      info->driver_id ? hfi_driver_name(info->driver_id) : "");
	if (port->state == IBV_PORT_INIT || port->state == IBV_PORT_ARMED)
		return manager_remedy(info);
	return hfi_tool_print("Check the cable and the switch's port.");
}

static void port_down(struct hf_findings *findings, const struct hf_device_info *info,
		      const struct hf_port_info *port)
{
	/* If the link layer is unknown, an interface shows that it is Ethernet. */
	if (port->link_layer == IBV_LINK_LAYER_ETHERNET ||
	    (port->link_layer == IBV_LINK_LAYER_UNSPECIFIED && *port->netdev)) {
		ethernet_down(findings, info, port);
		return;
	}
	hfi_found_in(findings, HF_WARNING, "port-down", info,
		     hfi_tool_print("Port %" PRIu32 " is %s (link: %s).", port->port,
				    hfi_port_state_name(port->state),
				    hfi_phys_state_name(port->phys_state)),
		     down_remedy(info, port));
}

static void no_gids(struct hf_findings *findings, const struct hf_device_info *info,
		    const struct hf_port_info *port)
{
	char *netdev = hfi_quote(*port->netdev ? port->netdev : "INTERFACE");

	hfi_found_in(
		findings, HF_WARNING, "no-gids", info,
		hfi_tool_print("The GID table of port %" PRIu32
			       " is empty: nothing can be addressed.",
			       port->port),
		!hfi_has_fabric(info) ? down_remedy(info, port)
		: port->link_layer == IBV_LINK_LAYER_ETHERNET
			? hfi_tool_print(
				  "Give the interface an address: ip link set %s up && ip address "
				  "add ADDRESS/LENGTH dev %s",
				  netdev, netdev)
			: manager_remedy(info));
	free(netdev);
}

static void port_unreadable(struct hf_findings *findings, const struct hf_device_info *info,
			    uint32_t number, const char *what, int err)
{
	hfi_found_in(findings, HF_WARNING, "port-unreadable", info,
		     hfi_tool_print("%s %" PRIu32 " cannot be read%s%s.", what, number,
				    err ? ": " : "", err ? strerror(err) : ""),
		     hfi_tool_print("See dmesg; \"holdfast -vv info\" says more."));
}

/* An empty table and one that cannot be read have different causes. */
static void examine_gids(struct hf_findings *findings, struct ibv_device *device,
			 const struct hf_device_info *info, const struct hf_port_info *port)
{
	struct hf_gid *gids;
	int count = hf_device_get_gids(device, port->port, sizeof(*gids), &gids);

	if (count >= 0)
		free(gids);
	if (count < 0 && count != -ENODEV)
		port_unreadable(findings, info, port->port, "The GID table of port", -count);
	else if (!count)
		no_gids(findings, info, port);
}

/* If the state is unknown, use the physical state. */
static bool seems_up(const struct hf_port_info *port)
{
	enum { LINK_UP = 5 };

	return port->state ? port->state == IBV_PORT_ACTIVE
			   : !port->phys_state || port->phys_state == LINK_UP;
}

/* The files of a soft device tell more than its state. True if they tell why it is down. */
static bool soft_port_down(struct hf_findings *findings, struct ibv_device *device,
			   const struct hf_device_info *info, const struct hf_port_info *port)
{
	struct hf_port_reason reason;

	if (!hfi_port_reason(device, info, port, &reason))
		return false;
	hfi_found_in(findings, HF_WARNING, reason.code, info,
		     hfi_tool_print("Port %" PRIu32 " is down: %s.", port->port, reason.problem),
		     hfi_tool_print("%s", reason.remedy));
	hfi_port_reason_free(&reason);
	return true;
}

static void examine_port(struct hf_findings *findings, struct ibv_device *device,
			 const struct hf_device_info *info, uint32_t number)
{
	struct hf_port_info port = {.size = sizeof(port)};
	int err = hf_device_get_port(device, number, &port);

	if (err < 0) {
		/*
		 * A device that only netlink reports has no sysfs directory to read a port from; and
		 * the numbers may have a gap.
		 */
		if (err != -EOPNOTSUPP && err != -ENODEV && err != -ENOENT)
			port_unreadable(findings, info, number, "Port", -err);
		return;
	}
	if (!port.state)
		port_unreadable(findings, info, number, "The state of port", 0);
	if (hfi_doctor_netns(findings, device, info, &port))
		return;
	if (soft_port_down(findings, device, info, &port))
		return;
	if (!seems_up(&port))
		port_down(findings, info, &port);
	/* iWARP addresses by IP. Its only GID is its MAC address, which no program needs. */
	if (!port.num_gids && info->protocol != HF_PROTOCOL_IWARP &&
	    info->transport != IBV_TRANSPORT_IWARP)
		examine_gids(findings, device, info, &port);
}

static char *guid_remedy(const struct hf_device_info *info)
{
	char *dir = hfi_tool_print("class/infiniband/%s/device/physfn", info->name), *text;
	struct hf_port_info port = {.size = sizeof(port)};

	if (!hfi_exists(info->root, dir))
		text = hfi_tool_print("Its driver or firmware sets it: see dmesg, and update the "
				      "firmware.");
	else if (info->protocol == HF_PROTOCOL_IB || info->protocol == HF_PROTOCOL_OPA)
		text = hfi_tool_print(
			"It is a virtual function. On the host: ip link set INTERFACE "
			"vf N node_guid GUID, then bind its driver again.");
	else
		text = hfi_tool_print(
			"It is a virtual function. On the host: ip link set INTERFACE "
			"vf N mac ADDRESS, then bind its driver again.");
	free(dir);
	return text;
}

/* EFA and usNIC have no node GUID: zero is right there. */
static void examine_guid(struct hf_findings *findings, struct ibv_device *device,
			 const struct hf_device_info *info)
{
	char value[64];
	int err;

	if (info->node_guid || info->reason.code == HF_REASON_HALF_MADE || !hfi_has_fabric(info))
		return;
	err = hf_device_read_attr(device, "node_guid", value, sizeof(value));
	if (err == -ENODEV)
		return;
	if (err < 0 && err != -EOPNOTSUPP)
		hfi_found_in(findings, HF_WARNING, "guid-unreadable", info,
			     hfi_tool_print("The node GUID cannot be read: %s.", strerror(-err)),
			     hfi_tool_print("See dmesg; \"holdfast -vv info\" says more."));
	else
		hfi_found_in(findings, HF_WARNING, "no-guid", info,
			     hfi_tool_print("The node GUID is zero: many programs refuse such a "
					    "device."),
			     guid_remedy(info));
}

void hfi_doctor_device(struct hf_findings *findings, const struct hf_tool *tool, struct hf *hf,
		       struct ibv_device *device)
{
	struct hf_device_info info;
	int err = hfi_tool_info(device, &info);

	if (err < 0) {
		hfi_found(findings, HF_PROBLEM, "no-info", NULL,
			  hfi_tool_print("A device cannot be read: %s.", strerror(-err)),
			  hfi_tool_print("\"holdfast -vv list\" says more."));
		return;
	}
	examine_reason(findings, tool, hf, &info);
	if (info.state == HF_DEVICE_READY)
		try_open(findings, tool, hf, device, &info);
	if (info.state == HF_DEVICE_GONE || info.reason.code == HF_REASON_OTHER_NETNS)
		return;
	for (uint32_t number = 1; number <= info.num_ports; number++)
		examine_port(findings, device, &info, number);
	examine_guid(findings, device, &info);
	/* These drivers lack disassociate_ucontext: rxe tested on 6.1 and 6.12, siw by its source. */
	if (info.driver_id == RDMA_DRIVER_RXE || info.driver_id == RDMA_DRIVER_SIW) {
		char *name = hfi_quote(info.name);

		hfi_found_in(
			findings, HF_NOTE, "no-disassociate", &info,
			hfi_tool_print(
				"On unplug its driver %s waits until every program has closed "
				"the device.",
				hfi_driver_name(info.driver_id)),
			hfi_tool_print("If an unplug hangs, see which process holds the device: "
				       "holdfast holders %s",
				       name));
		free(name);
	}
}
