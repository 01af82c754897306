/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the GID and P_Key tables of a port below a held directory of a device. */
#include <errno.h>
#include <net/if.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/attrs.h"
#include "core/discovery/indexes.h"
#include "core/discovery/parse.h"
#include "core/discovery/port_netdev.h"
#include "core/discovery/port_tables.h"
#include "core/discovery/sysfs.h"

/* An index has 16 bits (InfiniBand Architecture, P_Key_ix and SGID index). */
enum { INDEX_MAX = UINT16_MAX };

struct gid_table {
	int port;
	int gids; /* its directory of that name */
	int32_t link_layer;
	struct hf_gid *v;
	size_t count;
	size_t size;
	int error; /* of the first entry that could not be read */
};

static int read_gid_attr(int gids, uint32_t index, union ibv_gid *ret)
{
	char path[16], text[64];
	ssize_t length;
	int err = hfi_print(path, sizeof(path), "%u", index);

	if (err)
		return err;
	length = hfi_attr_read(gids, path, text, sizeof(text), NULL);
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

static enum hf_gid_type first_type(int32_t link_layer)
{
	return link_layer == IBV_LINK_LAYER_ETHERNET ? HF_GID_ROCE_V1 : HF_GID_IB;
}

/* Before Linux 4.5 there were no types: every GID was of the first one. */
static bool has_types(int port)
{
	struct stat st;

	return fstatat(port, "gid_attrs/types", &st, 0) == 0 || errno != ENOENT;
}

/* Without a link layer the first type is not known: it is one of two. */
static uint32_t known_first_type(const struct gid_table *table)
{
	return table->link_layer == IBV_LINK_LAYER_UNSPECIFIED
		       ? (uint32_t)HF_GID_TYPE_UNKNOWN
		       : (uint32_t)first_type(table->link_layer);
}

/* 0: *gid has its type, which may be unknown; 1: the entry has become unused. */
static int read_gid_type(const struct gid_table *table, struct hf_gid *gid)
{
	char path[64], text[64];
	union ibv_gid now;
	ssize_t length;
	int err = hfi_print(path, sizeof(path), "gid_attrs/types/%u", gid->index);

	if (err)
		return err;
	gid->type = HF_GID_TYPE_UNKNOWN;
	length = hfi_attr_read(table->port, path, text, sizeof(text), NULL);
	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length >= 0 && !strcmp(text, "RoCE v2"))
		gid->type = HF_GID_ROCE_V2;
	else if (length >= 0 && !strcmp(text, "IB/RoCE v1"))
		gid->type = first_type(table->link_layer);
	else if (length == -ENOENT && !has_types(table->port))
		gid->type = known_first_type(table);
	if (length != -EINVAL)
		return 0;
	/* Unused by now; or still in use, on an InfiniBand port of a kernel that has no type there. */
	err = read_gid_attr(table->gids, gid->index, &now);
	if (hfi_error_is_shortage(err))
		return err;
	if (err || !is_used(&now))
		return 1;
	gid->gid = now;
	if (table->link_layer == IBV_LINK_LAYER_INFINIBAND)
		gid->type = HF_GID_IB;
	return 0;
}

/* The interface stays empty where there is none, it is of another namespace, or cannot be read. */
static int read_gid_netdev(const struct gid_table *table, struct hf_gid *gid)
{
	char path[64], text[64];
	ssize_t length;
	int err = hfi_print(path, sizeof(path), "gid_attrs/ndevs/%u", gid->index);

	if (err)
		return err;
	length = hfi_attr_read(table->port, path, text, sizeof(text), NULL);
	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length > 0 && hfi_is_component(text, IFNAMSIZ - 1))
		strcpy(gid->netdev, text);
	return 0;
}

static int add_gid(struct gid_table *table, const struct hf_gid *gid)
{
	if (table->count == table->size) {
		size_t size = table->size ? table->size * 2 : 8;
		struct hf_gid *v = reallocarray(table->v, size, sizeof(*v));

		if (!v)
			return -ENOMEM;
		table->v = v;
		table->size = size;
	}
	table->v[table->count++] = *gid;
	return 0;
}

/* Adds an entry if it is in use. After any error but a shortage the others are read all the same. */
static int read_entry(struct gid_table *table, uint32_t index)
{
	struct hf_gid gid = {.index = index};
	int err = read_gid_attr(table->gids, index, &gid.gid);

	if (hfi_error_is_shortage(err))
		return err;
	/* Some kernels answer EINVAL for an entry that is not in use. */
	if (err && err != -EINVAL && !table->error)
		table->error = err;
	if (err || !is_used(&gid.gid))
		return 0;
	err = read_gid_type(table, &gid);
	if (!err)
		err = read_gid_netdev(table, &gid);
	if (err)
		return err > 0 ? 0 : err;
	return add_gid(table, &gid);
}

int hfi_read_port_gids(int port_dir, int32_t link_layer, struct hf_gid **ret)
{
	struct gid_table table = {.port = port_dir, .link_layer = link_layer};
	struct hf_indexes indexes = {.v = NULL};
	int err;

	table.gids = hfi_open_dir(port_dir, "gids");
	/* A port without a table has an empty one. */
	if (table.gids < 0)
		return table.gids == -ENOENT ? 0 : table.gids;
	err = hfi_indexes_read(table.gids, INDEX_MAX, &indexes);
	if (err && !hfi_error_is_shortage(err) && err != -ENODEV)
		err = -EIO;
	for (size_t i = 0; i < indexes.count && !err; i++)
		err = read_entry(&table, indexes.v[i]);
	if (!err && !table.count)
		err = table.error;
	hfi_indexes_free(&indexes);
	hfi_close(&table.gids);
	if (err) {
		free(table.v);
		return err;
	}
	*ret = table.v;
	return (int)table.count;
}

int hfi_read_gids(int device_dir, const struct hf_entry *entry, uint32_t port, struct hf_gid **ret)
{
	struct hf_port_netdev netdev;
	struct hf_gid *gids = NULL;
	int32_t link_layer = IBV_LINK_LAYER_UNSPECIFIED;
	int fd = hfi_open_port(device_dir, port);
	int count;

	if (fd < 0)
		return fd;
	count = hfi_port_netdev_read(fd, entry, &netdev);
	if (count > 0) {
		count = hfi_port_netdev_gids(fd, &netdev, &gids);
		goto out;
	}
	if (!count)
		count = hfi_read_link_layer(fd, &link_layer);
	if (!count)
		count = hfi_read_port_gids(fd, link_layer, &gids);
out:
	hfi_close(&fd);
	if (count >= 0)
		*ret = gids;
	return count;
}

/* Replaces what the file says by the address of the interface that the port follows, if it does. */
static int follow_gid(int port_dir, const struct hf_entry *entry, uint32_t index,
		      union ibv_gid *gid)
{
	struct hf_port_netdev netdev;
	struct hf_gid *gids;
	int count, follows = hfi_port_netdev_read(port_dir, entry, &netdev);

	if (follows <= 0)
		return follows;
	count = hfi_port_netdev_gids(port_dir, &netdev, &gids);
	if (count < 0)
		return count;
	memset(gid, 0, sizeof(*gid));
	if (index < (uint32_t)count)
		*gid = gids[index].gid;
	free(gids);
	return 0;
}

int hfi_read_gid(int device_dir, const struct hf_entry *entry, uint32_t port, uint32_t index,
		 union ibv_gid *ret)
{
	char path[32];
	int err = hfi_print(path, sizeof(path), "ports/%u/gids", port);
	int fd = err ? err : hfi_open_dir(device_dir, path);
	int port_dir;

	if (fd < 0)
		return fd;
	err = read_gid_attr(fd, index, ret);
	hfi_close(&fd);
	if (err || !entry->life.of_tree)
		return err;
	/* The file shows that the table has this place, and the interface what is in it. */
	port_dir = hfi_open_port(device_dir, port);
	if (port_dir < 0)
		return port_dir;
	err = follow_gid(port_dir, entry, index, ret);
	hfi_close(&port_dir);
	return err;
}

int hfi_read_table_size(int port_dir, const char *table, uint32_t *ret)
{
	struct hf_indexes indexes = {.v = NULL};
	int fd = hfi_open_dir(port_dir, table);
	int err;

	*ret = 0;
	if (fd < 0)
		return fd == -ENOENT ? 0 : fd;
	err = hfi_indexes_read(fd, INDEX_MAX, &indexes);
	if (!err && indexes.count)
		*ret = indexes.v[indexes.count - 1] + 1;
	hfi_indexes_free(&indexes);
	hfi_close(&fd);
	return err;
}

int hfi_read_table_sizes(int device_dir, uint32_t port, uint32_t *gids, uint32_t *pkeys)
{
	int fd = hfi_open_port(device_dir, port);
	int err;

	if (fd < 0)
		return fd;
	err = hfi_read_table_size(fd, "gids", gids);
	if (!err)
		err = hfi_read_table_size(fd, "pkeys", pkeys);
	hfi_close(&fd);
	return err;
}

static int read_pkey_attr(int dir, const char *path, uint16_t *ret)
{
	char text[32];
	uint64_t value;
	ssize_t length = hfi_attr_read(dir, path, text, sizeof(text), NULL);

	if (length < 0)
		return (int)length;
	if (hfi_parse_number(text, 16, UINT16_MAX, &value))
		return -EIO;
	*ret = (uint16_t)value;
	return 0;
}

int hfi_read_pkey(int device_dir, uint32_t port, uint32_t index, uint16_t *ret)
{
	char path[64];
	int err = hfi_print(path, sizeof(path), "ports/%u/pkeys/%u", port, index);

	return err ? err : read_pkey_attr(device_dir, path, ret);
}

int hfi_find_pkey(int device_dir, uint32_t port, uint16_t pkey)
{
	struct hf_indexes indexes = {.v = NULL};
	char path[32];
	int err = hfi_print(path, sizeof(path), "ports/%u/pkeys", port);
	int fd = err ? err : hfi_open_dir(device_dir, path);
	int ret = -ENOENT;

	if (fd < 0)
		return fd;
	err = hfi_indexes_read(fd, INDEX_MAX, &indexes);
	if (err)
		ret = err;
	for (size_t i = 0; i < indexes.count && !err && ret < 0; i++) {
		uint16_t found = 0;
		int one = hfi_print(path, sizeof(path), "%u", indexes.v[i]);

		if (!one)
			one = read_pkey_attr(fd, path, &found);
		if (!one && found == pkey)
			ret = (int)indexes.v[i];
		else if (one && ret == -ENOENT)
			ret = one;
	}
	hfi_indexes_free(&indexes);
	hfi_close(&fd);
	return ret;
}
