/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads ports below a held directory of a device. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/attrs.h"
#include "core/discovery/entry.h"
#include "core/discovery/indexes.h"
#include "core/discovery/netlink.h"
#include "core/discovery/parse.h"
#include "core/discovery/port_netdev.h"
#include "core/discovery/port_tables.h"
#include "core/discovery/port_udp.h"
#include "core/discovery/sysfs.h"

/* IBV_PORT_PHYS_STATE_* */
enum { PHYS_STATE_DISABLED = 3, PHYS_STATE_LINK_UP = 5 };

int hfi_open_port(int device_dir, uint32_t port)
{
	char path[32];
	int err = hfi_print(path, sizeof(path), "ports/%u", port);

	return err ? err : hfi_open_dir(device_dir, path);
}

/* What cannot be read stays 0, which is unknown: it hides nothing else of the port. */
static int read_state(int port_dir, const char *path, uint32_t *ret)
{
	char text[64];
	ssize_t length = hfi_attr_read(port_dir, path, text, sizeof(text), NULL);

	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length < 0 || hfi_parse_state(text, ret))
		*ret = 0;
	return 0;
}

/* Before Linux 2.6.37 there was no such attribute, and InfiniBand only. */
int hfi_read_link_layer(int port_dir, int32_t *ret)
{
	char text[64];
	ssize_t length = hfi_attr_read(port_dir, "link_layer", text, sizeof(text), NULL);

	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length >= 0 && !strcmp(text, "InfiniBand"))
		*ret = IBV_LINK_LAYER_INFINIBAND;
	else if (length >= 0 && !strcmp(text, "Ethernet"))
		*ret = IBV_LINK_LAYER_ETHERNET;
	else
		*ret = IBV_LINK_LAYER_UNSPECIFIED;
	return 0;
}

/* A port without a module in its cage has a state but no rate: its driver answers EINVAL. */
static int read_rate(int port_dir, char *rate, size_t size)
{
	ssize_t length = hfi_attr_read(port_dir, "rate", rate, size, NULL);

	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length < 0)
		rate[0] = '\0';
	return 0;
}

static uint32_t mtu_of(const char *netdev)
{
	struct ifreq request = {.ifr_mtu = 0};
	uint32_t mtu = 0;
	int fd;

	if (hfi_copy(request.ifr_name, sizeof(request.ifr_name), netdev))
		return 0;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return 0;
	if (ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
		mtu = (uint32_t)request.ifr_mtu;
	hfi_close(&fd);
	return mtu;
}

/* Netlink reports the port's interface. Without netlink, take that of the first GID. */
static void fill_netdev(struct hf_nl *nl, const struct hf_entry *entry, uint32_t port,
			const struct hf_gid *gids, struct hf_port_info *info)
{
	struct hf_nldev_port said;

	if (nl && entry->index >= 0 && !hfi_nl_port(nl, (uint32_t)entry->index, port, &said)) {
		info->netdev_index = said.netdev_index;
		memcpy(info->netdev, said.netdev, sizeof(info->netdev));
		if (said.netdev_index && said.netdev[0])
			info->netdev_mtu = mtu_of(said.netdev);
		return;
	}
	for (uint32_t i = 0; i < info->num_gids && !info->netdev[0]; i++)
		memcpy(info->netdev, gids[i].netdev, sizeof(info->netdev));
}

/* Takes state, MTU and GIDs from the interface that the port follows. 1, 0 if it follows none, or -errno. */
static int take_from_netdev(int port_dir, const struct hf_entry *entry, struct hf_port_info *info,
			    struct hf_gid **gids)
{
	struct hf_port_netdev netdev;
	int count, follows = hfi_port_netdev_read(port_dir, entry, &netdev);

	if (follows <= 0)
		return follows;
	count = hfi_port_netdev_gids(port_dir, &netdev, gids);
	if (count < 0)
		return count;
	info->num_gids = (uint32_t)count;
	if (netdev.has_only && !count)
		netdev.running = false;
	info->state = netdev.running ? IBV_PORT_ACTIVE : IBV_PORT_DOWN;
	info->phys_state = netdev.running ? PHYS_STATE_LINK_UP : PHYS_STATE_DISABLED;
	memcpy(info->netdev, netdev.name, sizeof(info->netdev));
	info->netdev_index = netdev.index;
	info->netdev_mtu = netdev.mtu;
	return 1;
}

static int read_gids_of(int port_dir, const struct hf_entry *entry, struct hf_port_info *info,
			struct hf_gid **gids)
{
	int count, follows = take_from_netdev(port_dir, entry, info, gids);

	if (follows)
		return follows < 0 ? follows : 0;
	count = hfi_read_port_gids(port_dir, info->link_layer, gids);
	info->num_gids = count > 0 ? (uint32_t)count : 0;
	return hfi_error_is_shortage(count) ? count : 0;
}

/* A port without the UDP port that it needs is down. */
static int check_udp_port(int port_dir, const struct hf_entry *entry, const struct hf_gid *gids,
			  struct hf_port_info *info)
{
	int taken = 0;

	if (info->state == IBV_PORT_ACTIVE)
		taken = hfi_port_udp_is_taken(port_dir, entry, gids, info->num_gids);
	if (taken <= 0)
		return taken;
	info->state = IBV_PORT_DOWN;
	info->phys_state = PHYS_STATE_DISABLED;
	return 0;
}

int hfi_read_port(int device_dir, struct hf_nl *nl, const struct hf_entry *entry, uint32_t port,
		  struct hf_port_info *ret, struct hf_gid **ret_gids)
{
	struct hf_port_info info = {.size = ret->size, .port = port};
	struct hf_gid *gids = NULL;
	int err, fd = hfi_open_port(device_dir, port);

	if (fd < 0)
		return fd;
	err = read_state(fd, "state", &info.state);
	if (!err)
		err = read_state(fd, "phys_state", &info.phys_state);
	if (!err)
		err = hfi_read_link_layer(fd, &info.link_layer);
	if (!err)
		err = read_rate(fd, info.rate, sizeof(info.rate));
	if (!err)
		err = read_gids_of(fd, entry, &info, &gids);
	if (!err)
		err = check_udp_port(fd, entry, gids, &info);
	hfi_close(&fd);
	if (err) {
		free(gids);
		return err;
	}
	if (!info.netdev[0])
		fill_netdev(nl, entry, port, gids, &info);
	*ret = info;
	if (ret_gids)
		*ret_gids = gids;
	else
		free(gids);
	return 0;
}

uint32_t hfi_count_ports(int device_dir)
{
	struct hf_indexes ports = {.v = NULL};
	uint32_t last = 0;
	int fd = hfi_open_dir(device_dir, "ports");

	if (fd < 0)
		return 0;
	if (!hfi_indexes_read(fd, HF_PORTS_MAX, &ports) && ports.count)
		last = ports.v[ports.count - 1];
	hfi_indexes_free(&ports);
	hfi_close(&fd);
	return last;
}
