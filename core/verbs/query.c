/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_query_*: their manual pages' conventions, 0, -1 with errno, or an errno value. */
#include <endian.h>
#include <errno.h>
#include <string.h>

#include "shared/attr.h"
#include "core/device/attributes.h"
#include "core/device/hf.h"
#include "core/discovery/port_tables.h"
#include "core/verbs/context.h"
#include "core/verbs/operations.h"

HF_EXPORT int ibv_query_device(struct ibv_context *context, struct ibv_device_attr *device_attr)
{
	struct ibv_device_attr_ex extended;
	int err;

	/* A provider may fill only the short form, so request no more than that. */
	err = hfi_private_of(context)->ops.query_device_ex(context, NULL, &extended,
							   sizeof(extended.orig_attr));
	if (!err)
		*device_attr = extended.orig_attr;
	return err;
}

#undef ibv_query_port
/*
 * This symbol serves binaries that know only the members before port_cap_flags2; newer ones call
 * verbs_context.query_port, which gets the size.
 */
HF_EXPORT int ibv_query_port(struct ibv_context *context, uint8_t port,
			     struct _compat_ibv_port_attr *attr)
{
	union hf_port_attr full;
	int err;

	err = hfi_query_port(context, port, &full);
	if (!err)
		memcpy(attr, &full, offsetof(struct ibv_port_attr, port_cap_flags2));
	return err;
}

struct table_read {
	uint32_t port;
	uint32_t index;
	union ibv_gid gid;
	uint16_t pkey;
};

static int read_gid_for_query(int dir, const struct hf_entry *entry, void *arg)
{
	struct table_read *table = arg;

	return hfi_read_gid(dir, entry, table->port, table->index, &table->gid);
}

static int read_pkey(int dir, const struct hf_entry *entry, void *arg)
{
	struct table_read *table = arg;

	(void)entry;
	return hfi_read_pkey(dir, table->port, table->index, &table->pkey);
}

/* 0 and the entry; an entry that is not in use is all zero, as the kernel's file would say. */
static int ask_context(struct verbs_context *context, uint32_t port, uint32_t index,
		       union ibv_gid *gid)
{
	struct ibv_gid_entry entry;
	int err;

	err = context->priv->calls->gid_entry(&context->context, port, index, 0, &entry);
	if (err == -ENODATA) {
		memset(gid, 0, sizeof(*gid));
		return 0;
	}
	if (!err)
		*gid = entry.gid;
	return err;
}

HF_EXPORT int ibv_query_gid(struct ibv_context *context, uint8_t port, int index,
			    union ibv_gid *gid)
{
	struct verbs_context *verbs = hfi_context_of(context);
	struct table_read table = {.port = port, .index = (uint32_t)index};
	int err;

	if (index < 0 || !hfi_is_live(context)) {
		errno = index < 0 ? EINVAL : EBADF;
		return -1;
	}
	/* The context's own descriptor cannot lead to another device; older kernels lack the method. */
	err = ask_context(verbs, port, (uint32_t)index, &table.gid);
	if (hfi_must_read_files(err))
		err = hfi_with_dir(verbs->priv->device, read_gid_for_query, &table);
	if (err < 0) {
		errno = -err;
		return -1;
	}
	*gid = table.gid;
	return 0;
}

HF_EXPORT int ibv_query_pkey(struct ibv_context *context, uint8_t port, int index, __be16 *pkey)
{
	struct table_read table = {.port = port, .index = (uint32_t)index};
	int err = hfi_is_live(context) ? -EINVAL : -EBADF;

	if (index >= 0 && err != -EBADF)
		err = hfi_with_dir(hfi_context_of(context)->priv->device, read_pkey, &table);
	if (err < 0) {
		errno = -err;
		return -1;
	}
	*pkey = htobe16(table.pkey);
	return 0;
}
