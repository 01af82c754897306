/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* State, MTU and GIDs of a port, from the network interface that it follows. */
#include <errno.h>
#include <ifaddrs.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <netinet/in.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/parse.h"
#include "core/discovery/port_netdev.h"
#include "core/discovery/port_tables.h"
#include "core/discovery/sysfs.h"

static int read_netdev_state(struct hf_port_netdev *netdev)
{
	struct ifreq request = {.ifr_mtu = 0};
	int fd, err;

	err = hfi_copy(request.ifr_name, sizeof(request.ifr_name), netdev->name);
	if (err)
		return err;
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	/* Without IPv4 in the kernel there is nothing to follow. */
	if (fd < 0)
		return hfi_error_is_shortage(-errno) ? -errno : 0;
	if (ioctl(fd, SIOCGIFINDEX, &request) == 0)
		netdev->index = (uint32_t)request.ifr_ifindex;
	if (netdev->index && ioctl(fd, SIOCGIFFLAGS, &request) == 0)
		netdev->running = (request.ifr_flags & IFF_UP) && (request.ifr_flags & IFF_RUNNING);
	if (netdev->index && ioctl(fd, SIOCGIFMTU, &request) == 0 && request.ifr_mtu > 0)
		netdev->mtu = (uint32_t)request.ifr_mtu;
	hfi_close(&fd);
	return 0;
}

/* The one address that the port has, where it does not have all those of the interface. */
static int read_only_address(int port_dir, struct hf_port_netdev *netdev)
{
	char text[64];
	ssize_t length = hfi_attr_read(port_dir, "follow_address", text, sizeof(text), NULL);

	if (length == -ENOENT)
		return 0;
	if (length < 0)
		return (int)length;
	netdev->has_only = true;
	return hfi_parse_gid(text, &netdev->only) ? -EIO : 0;
}

int hfi_port_netdev_read(int port_dir, const struct hf_entry *entry, struct hf_port_netdev *ret)
{
	struct hf_port_netdev netdev = {.index = 0};
	char text[64];
	ssize_t length;
	int err;

	if (!entry->life.of_tree)
		return 0;
	length = hfi_attr_read(port_dir, "follow_netdev", text, sizeof(text), NULL);
	if (length == -ENOENT)
		return 0;
	if (length < 0)
		return (int)length;
	if (!hfi_is_component(text, IFNAMSIZ - 1))
		return -EIO;
	err = hfi_copy(netdev.name, sizeof(netdev.name), text);
	if (!err)
		err = read_only_address(port_dir, &netdev);
	if (!err)
		err = read_netdev_state(&netdev);
	if (err)
		return err;
	*ret = netdev;
	return 1;
}

/* The GID of an address of that family, if it is one. */
static bool gid_of_address(const struct ifaddrs *address, int family, union ibv_gid *ret)
{
	if (!address->ifa_addr || address->ifa_addr->sa_family != family)
		return false;
	if (family == AF_INET6) {
		struct sockaddr_in6 in6;

		memcpy(&in6, address->ifa_addr, sizeof(in6));
		memcpy(ret->raw, &in6.sin6_addr, sizeof(ret->raw));
	} else {
		static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
		struct sockaddr_in in;

		memcpy(&in, address->ifa_addr, sizeof(in));
		memcpy(ret->raw, mapped, sizeof(mapped));
		memcpy(ret->raw + sizeof(mapped), &in.sin_addr, sizeof(in.sin_addr));
	}
	return true;
}

/* An address with a label is listed under that; it begins with the interface's name. */
static bool is_of_netdev(const struct ifaddrs *address, const struct hf_port_netdev *netdev)
{
	size_t length = strcspn(address->ifa_name, ":");

	return strlen(netdev->name) == length && !memcmp(address->ifa_name, netdev->name, length);
}

/* Of a loopback interface every address of its IPv4 network is the machine's own. */
static bool covers(const struct ifaddrs *address, const union ibv_gid *gid,
		   const union ibv_gid *wanted)
{
	struct sockaddr_in mask;
	uint32_t own, other;

	if (!memcmp(gid, wanted, sizeof(*gid)))
		return true;
	if (!(address->ifa_flags & IFF_LOOPBACK) || address->ifa_addr->sa_family != AF_INET ||
	    !address->ifa_netmask || memcmp(gid, wanted, 12) != 0)
		return false;
	memcpy(&mask, address->ifa_netmask, sizeof(mask));
	memcpy(&own, gid->raw + 12, sizeof(own));
	memcpy(&other, wanted->raw + 12, sizeof(other));
	return !((own ^ other) & mask.sin_addr.s_addr);
}

/* The GID that the port has of this address, if any. */
static bool gid_of_port(const struct hf_port_netdev *netdev, const struct ifaddrs *address,
			int family, union ibv_gid *ret)
{
	union ibv_gid gid;

	if (!is_of_netdev(address, netdev) || !gid_of_address(address, family, &gid))
		return false;
	if (netdev->has_only && !covers(address, &gid, &netdev->only))
		return false;
	*ret = netdev->has_only ? netdev->only : gid;
	return true;
}

int hfi_port_netdev_gids(int port_dir, const struct hf_port_netdev *netdev, struct hf_gid **ret)
{
	static const int families[] = {AF_INET, AF_INET6};
	struct ifaddrs *addresses;
	struct hf_gid *gids;
	uint32_t count = 0, size;
	int err = hfi_read_table_size(port_dir, "gids", &size);

	if (err)
		return err;
	if (netdev->has_only && size > 1)
		size = 1;
	gids = calloc(size ? size : 1, sizeof(*gids));
	if (!gids)
		return -ENOMEM;
	if (getifaddrs(&addresses) < 0) {
		err = -errno;
		free(gids);
		return err;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(families); i++)
		for (const struct ifaddrs *a = addresses; a && count < size; a = a->ifa_next) {
			if (!gid_of_port(netdev, a, families[i], &gids[count].gid))
				continue;
			gids[count].index = count;
			gids[count].type = HF_GID_ROCE_V2;
			memcpy(gids[count].netdev, netdev->name, sizeof(gids[count].netdev));
			count++;
		}
	freeifaddrs(addresses);
	*ret = gids;
	return (int)count;
}
