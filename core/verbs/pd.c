/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Protection domains. Thread and parent domains are reached through struct verbs_context. */
#include "shared/attr.h"
#include "core/verbs/context.h"

HF_EXPORT struct ibv_pd *ibv_alloc_pd(struct ibv_context *context)
{
	struct ibv_pd *pd = hfi_private_of(context)->ops.alloc_pd(context);

	if (pd)
		pd->context = context;
	return pd;
}

HF_EXPORT int ibv_dealloc_pd(struct ibv_pd *pd)
{
	return hfi_private_of(pd->context)->ops.dealloc_pd(pd);
}

HF_EXPORT struct ibv_pd *ibv_import_pd(struct ibv_context *context, uint32_t pd_handle)
{
	return hfi_private_of(context)->ops.import_pd(context, pd_handle);
}

HF_EXPORT void ibv_unimport_pd(struct ibv_pd *pd)
{
	hfi_private_of(pd->context)->ops.unimport_pd(pd);
}
