/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads ports, GIDs and P_Keys below a held directory of a device. */
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/attrs.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/parse.h"
#include "core/discovery/sysfs.h"

/* The search ends after this many unused entries in a row; see hf_device_get_gids(). */
enum { GID_HOLE = 64 };

static int open_port(int device_dir, uint32_t port)
{
	char path[32];
	int err = hfi_print(path, sizeof(path), "ports/%u", port);

	return err ? err : hfi_open_dir(device_dir, path);
}

static int read_gid_attr(int port_dir, uint32_t index, union ibv_gid *ret)
{
	char path[32], text[64];
	ssize_t length;
	int err = hfi_print(path, sizeof(path), "gids/%u", index);

	if (err)
		return err;
	length = hfi_attr_read(port_dir, path, text, sizeof(text), NULL);
	if (length < 0)
		return (int)length;
	return hfi_parse_gid(text, ret) ? -EIO : 0;
}

/* An unused entry reads as zeros or as the prefix alone. */
static bool is_used(const union ibv_gid *gid)
{
	static const uint8_t zeros[16], link_local[8] = {0xfe, 0x80};

	if (memcmp(gid->raw + 8, zeros, 8) != 0)
		return true;
	return memcmp(gid->raw, zeros, 8) != 0 && memcmp(gid->raw, link_local, 8) != 0;
}

static int read_state(int port_dir, const char *path, uint32_t *ret)
{
	char text[64];
	ssize_t length = hfi_attr_read(port_dir, path, text, sizeof(text), NULL);

	if (length < 0)
		return (int)length;
	return hfi_parse_state(text, ret) ? -EIO : 0;
}

/* Before Linux 2.6.37 there was no such attribute, and InfiniBand only. */
static int read_link_layer(int port_dir, int32_t *ret)
{
	char text[64];
	ssize_t length = hfi_attr_read(port_dir, "link_layer", text, sizeof(text), NULL);

	if (length < 0 && length != -ENOENT)
		return (int)length;
	if (length < 0)
		*ret = IBV_LINK_LAYER_UNSPECIFIED;
	else if (!strcmp(text, "InfiniBand"))
		*ret = IBV_LINK_LAYER_INFINIBAND;
	else if (!strcmp(text, "Ethernet"))
		*ret = IBV_LINK_LAYER_ETHERNET;
	else
		*ret = IBV_LINK_LAYER_UNSPECIFIED;
	return 0;
}

/* 0: *ret is the type; 1: the entry has become unused. */
static int read_gid_type(int port_dir, uint32_t index, int32_t link_layer, uint32_t *ret)
{
	char path[64], text[64];
	enum hf_gid_type first = link_layer == IBV_LINK_LAYER_ETHERNET ? HF_GID_ROCE_V1 : HF_GID_IB;
	ssize_t length;
	int err = hfi_print(path, sizeof(path), "gid_attrs/types/%u", index);

	if (err)
		return err;
	length = hfi_attr_read(port_dir, path, text, sizeof(text), NULL);
	if (length == -EINVAL)
		return 1;
	/* Before Linux 4.5 there were no types: every GID was of the first one. */
	if (length < 0 && length != -ENOENT)
		return (int)length;
	*ret = length >= 0 && !strcmp(text, "RoCE v2") ? HF_GID_ROCE_V2 : first;
	return 0;
}

static int read_netdev(int port_dir, uint32_t index, char netdev[IFNAMSIZ])
{
	char path[64], text[64];
	ssize_t length;
	int err = hfi_print(path, sizeof(path), "gid_attrs/ndevs/%u", index);

	netdev[0] = '\0';
	if (err)
		return err;
	length = hfi_attr_read(port_dir, path, text, sizeof(text), NULL);
	/* EINVAL: no network interface, or one in another network namespace. */
	if (length == -ENOENT || length == -EINVAL)
		return 0;
	if (length < 0)
		return (int)length;
	return hfi_is_name(text, IFNAMSIZ - 1) ? hfi_copy(netdev, IFNAMSIZ, text) : 0;
}

struct gids {
	struct hf_gid *v;
	size_t count;
	size_t size;
};

static int add_gid(struct gids *gids, const struct hf_gid *gid)
{
	if (gids->count == gids->size) {
		size_t size = gids->size ? gids->size * 2 : 8;
		struct hf_gid *v = realloc(gids->v, size * sizeof(*v));

		if (!v)
			return -ENOMEM;
		gids->v = v;
		gids->size = size;
	}
	gids->v[gids->count++] = *gid;
	return 0;
}

static int walk_gids(int port_dir, int32_t link_layer, struct gids *gids)
{
	uint32_t unused = 0;

	for (uint32_t i = 0; unused < GID_HOLE; i++) {
		struct hf_gid gid = {.index = i};
		int err = read_gid_attr(port_dir, i, &gid.gid);

		if (err == -ENOENT)
			return 0;
		if (err && err != -EINVAL)
			return err;
		unused++;
		if (err || !is_used(&gid.gid))
			continue;
		err = read_gid_type(port_dir, i, link_layer, &gid.type);
		if (err < 0)
			return err;
		if (err)
			continue;
		err = read_netdev(port_dir, i, gid.netdev);
		if (!err)
			err = add_gid(gids, &gid);
		if (err)
			return err;
		unused = 0;
	}
	return 0;
}

int hfi_read_gids(int device_dir, uint32_t port, struct hf_gid **ret)
{
	struct gids gids = {.v = NULL};
	int32_t link_layer;
	int err;
	int fd = open_port(device_dir, port);

	if (fd < 0)
		return fd;
	err = read_link_layer(fd, &link_layer);
	if (!err)
		err = walk_gids(fd, link_layer, &gids);
	hfi_close(&fd);
	if (err) {
		free(gids.v);
		return err;
	}
	*ret = gids.v;
	return (int)gids.count;
}

int hfi_read_gid(int device_dir, uint32_t port, uint32_t index, union ibv_gid *ret)
{
	int err;
	int fd = open_port(device_dir, port);

	if (fd < 0)
		return fd;
	err = read_gid_attr(fd, index, ret);
	hfi_close(&fd);
	return err;
}

int hfi_read_pkey(int device_dir, uint32_t port, uint32_t index, uint16_t *ret)
{
	char path[64], text[32];
	uint64_t value;
	ssize_t length;
	int err = hfi_print(path, sizeof(path), "ports/%u/pkeys/%u", port, index);

	if (err)
		return err;
	length = hfi_attr_read(device_dir, path, text, sizeof(text), NULL);
	if (length < 0)
		return (int)length;
	if (hfi_parse_number(text, 16, UINT16_MAX, &value))
		return -EIO;
	*ret = (uint16_t)value;
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
			const struct gids *gids, struct hf_port_info *info)
{
	struct hf_nldev_port said;

	if (nl && entry->index >= 0 && !hfi_nl_port(nl, (uint32_t)entry->index, port, &said)) {
		info->netdev_index = said.netdev_index;
		memcpy(info->netdev, said.netdev, sizeof(info->netdev));
		if (said.netdev_index && said.netdev[0])
			info->netdev_mtu = mtu_of(said.netdev);
		return;
	}
	for (size_t i = 0; i < gids->count && !info->netdev[0]; i++)
		memcpy(info->netdev, gids->v[i].netdev, sizeof(info->netdev));
}

int hfi_read_port(int device_dir, struct hf_nl *nl, const struct hf_entry *entry, uint32_t port,
		  struct hf_port_info *ret)
{
	struct hf_port_info info = {.size = ret->size, .port = port};
	struct gids gids = {.v = NULL};
	int err;
	int fd = open_port(device_dir, port);

	if (fd < 0)
		return fd;
	err = read_state(fd, "state", &info.state);
	if (!err)
		err = read_state(fd, "phys_state", &info.phys_state);
	if (!err)
		err = read_link_layer(fd, &info.link_layer);
	if (!err) {
		ssize_t length = hfi_attr_read(fd, "rate", info.rate, sizeof(info.rate), NULL);
		err = length < 0 ? (int)length : 0;
	}
	if (!err)
		err = walk_gids(fd, info.link_layer, &gids);
	if (!err) {
		info.num_gids = (uint32_t)gids.count;
		fill_netdev(nl, entry, port, &gids, &info);
		*ret = info;
	}
	free(gids.v);
	hfi_close(&fd);
	return err;
}
