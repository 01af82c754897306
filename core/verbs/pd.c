/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Protection domains. Thread and parent domains are reached through struct verbs_context. */
#include <errno.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

HF_EXPORT struct ibv_pd *ibv_alloc_pd(struct ibv_context *context)
{
	struct ibv_pd *pd;

	if (!hfi_is_live(context)) {
		errno = EBADF;
		return NULL;
	}
	pd = hfi_context_of(context)->priv->ops.alloc_pd(context);
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
