/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Writes the files of one device. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>
#include <net/if.h>

#include "shared/soft_counters.h"
#include "shared/text.h"
#include "soft/device.h"
#include "soft/files.h"

static void guid_text(char text[20], uint64_t guid)
{
	snprintf(text, 20, "%04x:%04x:%04x:%04x", (unsigned int)(guid >> 48) & 0xffff,
		 (unsigned int)(guid >> 32) & 0xffff, (unsigned int)(guid >> 16) & 0xffff,
		 (unsigned int)guid & 0xffff);
}

struct soft_attribute {
	const char *path;
	const char *value;
};

static int put_soft_attributes(int dirfd, const struct soft_attribute *attributes, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = hfi_soft_put(dirfd, attributes[i].path, attributes[i].value);
	return err;
}

static void gid_text(char text[40], const struct in6_addr *gid)
{
	for (size_t i = 0; i < sizeof(gid->s6_addr); i += 2)
		snprintf(text + i / 2 * 5, 6, "%02x%02x%s", gid->s6_addr[i], gid->s6_addr[i + 1],
			 i < sizeof(gid->s6_addr) - 2 ? ":" : "");
}

static int fill_gid(int port, unsigned int i, uint64_t guid, const struct hf_soft_device *device)
{
	char path[64], value[64], low[20];
	int err;

	guid_text(low, guid);
	if (i == 0 && device->gid)
		gid_text(value, device->gid);
	else if (i > 1 || device->follow)
		snprintf(value, sizeof(value), "0000:0000:0000:0000:0000:0000:0000:0000");
	else if (i == 0)
		snprintf(value, sizeof(value), "fe80:0000:0000:0000:%s", low);
	else
		snprintf(value, sizeof(value), "0000:0000:0000:0000:0000:ffff:%04x:%04x",
			 device->ipv4 >> 16, device->ipv4 & 0xffff);
	snprintf(path, sizeof(path), "gids/%u", i);
	err = hfi_soft_put(port, path, value);
	/* For an unused entry's type the kernel returns EINVAL, which a file cannot do. */
	if (err || (i > 1 && !device->follow))
		return err;
	snprintf(path, sizeof(path), "gid_attrs/types/%u", i);
	err = hfi_soft_put(port, path, device->gid_type);
	snprintf(path, sizeof(path), "gid_attrs/ndevs/%u", i);
	if (!err && device->netdev[0])
		err = hfi_soft_put(port, path, device->netdev);
	return err;
}

int hfi_soft_follow(int port, const char *netdev)
{
	if (netdev)
		return hfi_is_component(netdev, IFNAMSIZ - 1)
			       ? hfi_soft_put(port, "follow_netdev", netdev)
			       : -EINVAL;
	return unlinkat(port, "follow_netdev", 0) < 0 && errno != ENOENT ? -errno : 0;
}

/* A program that opens the device writes them. */
static int fill_counters(int port)
{
	char path[96];
	int err = hfi_soft_mkdirs(port, "hw_counters");

	for (int i = 0; i < HF_SOFT_COUNTER_COUNT && !err; i++) {
		snprintf(path, sizeof(path), "hw_counters/%s", hfi_soft_counters[i]);
		err = hfi_soft_put(port, path, "0");
	}
	return err;
}

static int fill_port(int dirfd, unsigned int p, const struct hf_soft_device *device)
{
	const struct soft_attribute attributes[] = {
		{"state", "4: ACTIVE"},
		{"phys_state", "5: LinkUp"},
		/* Programs choose between devices by it: a soft one is faster than TCP. */
		{"rate", device->uroce_path ? "100 Gb/sec (4X EDR)" : "10 Gb/sec (4X)"},
		{"link_layer", device->link_layer},
		{"lid", "0x0"},
		{"sm_lid", "0x0"},
		{"lid_mask_count", "0"},
		{"sm_sl", "0"},
		{"cap_mask", "0x00890000"},
		{"pkeys/0", "0xffff"},
	};
	char path[64], text[40];
	int err;
	int port;

	snprintf(path, sizeof(path), "ports/%u/gid_attrs/types", p);
	err = hfi_soft_mkdirs(dirfd, path);
	snprintf(path, sizeof(path), "ports/%u/gid_attrs/ndevs", p);
	if (!err)
		err = hfi_soft_mkdirs(dirfd, path);
	snprintf(path, sizeof(path), "ports/%u", p);
	if (err)
		return err;
	port = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (port < 0)
		return -errno;
	err = hfi_soft_mkdirs(port, "gids");
	if (!err)
		err = hfi_soft_mkdirs(port, "pkeys");
	if (!err && device->uroce_path)
		err = fill_counters(port);
	if (!err)
		err = put_soft_attributes(port, attributes, HF_ARRAY_SIZE(attributes));
	if (!err && device->follow)
		err = hfi_soft_follow(port, device->follow);
	if (!err && device->gid) {
		gid_text(text, device->gid);
		err = hfi_soft_put(port, "follow_address", text);
	}
	if (!err && device->udp_port)
		err = hfi_soft_put(port, "udp_port", device->udp_port);
	for (unsigned int i = 0; i < device->gids && !err; i++)
		err = fill_gid(port, i, device->guid + p - 1, device);
	close(port);
	return err;
}

int hfi_soft_fill_device(int dirfd, const struct hf_soft_device *device)
{
	char text[20];
	const struct soft_attribute attributes[] = {
		{"node_type", device->node_type}, {"node_guid", text},
		{"sys_image_guid", text},	  {"node_desc", device->description},
		{"fw_ver", device->firmware},
	};
	int err;

	guid_text(text, device->guid);
	err = put_soft_attributes(dirfd, attributes, HF_ARRAY_SIZE(attributes));
	if (!err && device->uroce_path)
		err = hfi_soft_put(dirfd, "uroce_path", device->uroce_path);
	for (unsigned int p = 1; p <= device->ports && !err; p++)
		err = fill_port(dirfd, p, device);
	return err;
}

/* 128 random bits, as 32 hexadecimal digits. */
static int put_instance(int dirfd)
{
	unsigned char id[16];
	char text[33];

	if (getrandom(id, sizeof(id), 0) != (ssize_t)sizeof(id))
		return -EIO;
	for (size_t i = 0; i < sizeof(id); i++)
		snprintf(text + 2 * i, 3, "%02x", id[i]);
	return hfi_soft_put(dirfd, "instance", text);
}

int hfi_soft_fill_uverbs(int dirfd, const char *name, const struct hf_soft_device *device)
{
	char number[32], abi[16];
	const struct soft_attribute attributes[] = {
		{"ibdev", name}, {"dev", number}, {"abi_version", abi}};
	int err;

	snprintf(number, sizeof(number), "%u:%u", device->major, device->minor);
	snprintf(abi, sizeof(abi), "%u", device->abi);
	err = put_soft_attributes(dirfd, attributes, HF_ARRAY_SIZE(attributes));
	if (!err)
		err = put_instance(dirfd);
	if (!err && mkfifoat(dirfd, "removal", 0644) < 0)
		err = -errno;
	if (!err && device->modalias) {
		err = hfi_soft_mkdirs(dirfd, "device");
		if (!err)
			err = hfi_soft_put(dirfd, "device/modalias", device->modalias);
	}
	return err;
}
