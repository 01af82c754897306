/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The GID table with all that an entry has, and P_Keys by value. */
#include <endian.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <net/if.h>

#include "shared/attr.h"
#include "core/device/attributes.h"
#include "core/device/open.h"
#include "core/discovery/port_tables.h"
#include "core/verbs/context.h"

struct port_gids {
	struct hf_device *device;
	uint32_t port;
	struct hf_gid *v;
};

/* The table of a device that is being removed looks as if it were empty. */
static int read_verified_gids(int dir, const struct hf_entry *entry, struct port_gids *gids)
{
	int count = hfi_read_gids(dir, entry, gids->port, &gids->v);
	int err = count < 0 ? 0 : hfi_verify(gids->device, entry);

	if (!err)
		return count;
	free(gids->v);
	gids->v = NULL;
	return err;
}

static int read_context_gids(int dir, const struct hf_entry *entry, void *arg)
{
	struct port_gids *gids = arg;

	return read_verified_gids(dir, entry, gids);
}

static struct ibv_gid_entry gid_entry_of(uint32_t port, const struct hf_gid *gid)
{
	return (struct ibv_gid_entry){
		.gid = gid->gid,
		.gid_index = gid->index,
		.port_num = port,
		.gid_type = (uint32_t)gid->type,
		.ndev_ifindex = gid->netdev[0] ? if_nametoindex(gid->netdev) : 0,
	};
}

struct one_gid {
	struct hf_device *device;
	uint32_t port;
	uint32_t index;
	bool unused;
	struct ibv_gid_entry entry;
};

static int read_one_gid(int dir, const struct hf_entry *device, void *arg)
{
	struct one_gid *one = arg;
	struct port_gids gids = {.device = one->device, .port = one->port};
	union ibv_gid any;
	int count, err = 0;

	one->unused = true;
	count = read_verified_gids(dir, device, &gids);
	for (int i = 0; i < count; i++) {
		if (gids.v[i].index != one->index)
			continue;
		/* No program could use it: libibverbs has no such value. */
		if (gids.v[i].type == HF_GID_TYPE_UNKNOWN)
			err = -EIO;
		one->entry = gid_entry_of(one->port, &gids.v[i]);
		one->unused = false;
	}
	free(gids.v);
	if (count < 0 && count != -ENODEV &&
	    hfi_read_gid(dir, device, one->port, one->index, &any) == 0)
		count = 0; /* others could not be read */
	if (count < 0)
		err = count;
	else if (one->unused)
		err = hfi_read_gid(dir, device, one->port, one->index, &any);
	/* No such port, or an index beyond the table. */
	return err == -ENOENT ? -EINVAL : err;
}

static int entry_from_files(struct verbs_context *context, uint32_t port, uint32_t index,
			    struct ibv_gid_entry *ret)
{
	struct one_gid one = {.device = context->priv->device, .port = port, .index = index};
	int err = hfi_with_dir(context->priv->device, read_one_gid, &one);

	if (!err && one.unused)
		return -ENODATA;
	if (!err)
		*ret = one.entry;
	return err;
}

static int query_entry(struct verbs_context *context, uint32_t port, uint32_t index, uint32_t flags,
		       struct ibv_gid_entry *ret)
{
	int err = context->priv->calls->gid_entry(&context->context, port, index, flags, ret);

	if (hfi_must_read_files(err))
		err = flags ? -EINVAL : entry_from_files(context, port, index, ret);
	return err;
}

HF_EXPORT int _ibv_query_gid_ex(struct ibv_context *context, uint32_t port_num, uint32_t gid_index,
				struct ibv_gid_entry *entry, uint32_t flags, size_t entry_size)
{
	struct ibv_gid_entry full = {0};
	int err = hfi_is_live(context) ? -EINVAL : -EBADF;

	if (entry_size && err != -EBADF)
		err = query_entry(hfi_context_of(context), port_num, gid_index, flags, &full);
	if (err)
		return -err;
	memset(entry, 0, entry_size);
	memcpy(entry, &full, entry_size < sizeof(full) ? entry_size : sizeof(full));
	return 0;
}

/* The program's array: entries of `size` bytes, which may be another size than ours. */
struct places {
	char *at;
	size_t count, used, size;
};

static int put_gids(struct places *places, uint32_t port, const struct hf_gid *gids, int count)
{
	for (int i = 0; i < count; i++) {
		struct ibv_gid_entry entry = gid_entry_of(port, &gids[i]);
		char *place = places->at + places->used * places->size;

		if (gids[i].type == HF_GID_TYPE_UNKNOWN)
			continue;
		if (places->used == places->count)
			return -EINVAL;
		memset(place, 0, places->size);
		memcpy(place, &entry, places->size < sizeof(entry) ? places->size : sizeof(entry));
		places->used++;
	}
	return 0;
}

static ssize_t table_from_files(struct verbs_context *context, struct places *places)
{
	struct ibv_device_attr_ex attr = {0};
	int err = context->priv->ops.query_device_ex(&context->context, NULL, &attr,
						     sizeof(attr.orig_attr));

	if (err)
		return -err;
	for (uint32_t port = 1; !err && port <= attr.orig_attr.phys_port_cnt; port++) {
		struct port_gids gids = {.device = context->priv->device, .port = port};
		int count = hfi_with_dir(context->priv->device, read_context_gids, &gids);

		err = count < 0 ? count : put_gids(places, port, gids.v, count);
		free(gids.v);
	}
	return err ? err : (ssize_t)places->used;
}

HF_EXPORT ssize_t _ibv_query_gid_table(struct ibv_context *context, struct ibv_gid_entry *entries,
				       size_t max_entries, uint32_t flags, size_t entry_size)
{
	struct verbs_context *verbs = hfi_context_of(context);
	struct places places = {(char *)entries, max_entries, 0, entry_size};
	ssize_t count;

	if (!hfi_is_live(context))
		return -EBADF;
	if (!max_entries || !entry_size)
		return -EINVAL;
	count = verbs->priv->calls->gid_table(context, entries, max_entries, entry_size, flags);
	if (hfi_must_read_files(count))
		count = flags ? -EINVAL : table_from_files(verbs, &places);
	return count;
}

HF_EXPORT int hf_provider_query_gid_type(struct ibv_context *context, uint8_t port,
					 unsigned int index, enum ibv_gid_type_sysfs *type)
{
	struct ibv_gid_entry entry = {0};
	int err = query_entry(hfi_context_of(context), port, index, 0, &entry);

	/* An unused entry has the first type, as its file would say. */
	if (err && err != -ENODATA)
		return -err;
	*type = !err && entry.gid_type == IBV_GID_TYPE_ROCE_V2 ? IBV_GID_TYPE_SYSFS_ROCE_V2
							       : IBV_GID_TYPE_SYSFS_IB_ROCE_V1;
	return 0;
}

struct pkey_search {
	uint32_t port;
	uint16_t pkey;
};

static int find_pkey(int dir, const struct hf_entry *entry, void *arg)
{
	const struct pkey_search *search = arg;

	(void)entry;
	return hfi_find_pkey(dir, search->port, search->pkey);
}

HF_EXPORT int ibv_get_pkey_index(struct ibv_context *context, uint8_t port_num, __be16 pkey)
{
	struct pkey_search search = {.port = port_num, .pkey = be16toh(pkey)};
	int index = -EBADF;

	if (hfi_is_live(context))
		index = hfi_with_dir(hfi_context_of(context)->priv->device, find_pkey, &search);
	if (index >= 0)
		return index;
	errno = -index;
	return -1;
}
