/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Device memory of another process; one's own is reached through struct verbs_context. */
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
