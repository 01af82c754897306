/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Device memory of another process, and its dma-buf; the rest is reached through struct verbs_context. */
#include <errno.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

HF_EXPORT struct ibv_dm *ibv_import_dm(struct ibv_context *context, uint32_t dm_handle)
{
	return hfi_private_of(context)->ops.import_dm(context, dm_handle);
}

HF_EXPORT void ibv_unimport_dm(struct ibv_dm *dm)
{
	hfi_private_of(dm->context)->ops.unimport_dm(dm);
}

HF_EXPORT int ibv_dm_export_dmabuf_fd(struct ibv_dm *dm)
{
	const struct hf_later_ops *later = hfi_later_of(dm->context);

	if (later && later->dm_export_dmabuf_fd)
		return later->dm_export_dmabuf_fd(dm);
	if (later)
		errno = EOPNOTSUPP;
	return -1;
}
