/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* DMA handles: PCIe hints that a registration can refer to. */
#include <errno.h>

#include "shared/attr.h"
#include "core/verbs/context.h"

HF_EXPORT struct ibv_dmah *ibv_alloc_dmah(struct ibv_context *context,
					  struct ibv_dmah_init_attr *attr)
{
	const struct hf_later_ops *later = hfi_later_of(context);
	struct ibv_dmah *dmah;

	if (!later)
		return NULL;
	if (!later->alloc_dmah) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	dmah = later->alloc_dmah(context, attr);
	if (dmah)
		dmah->context = context;
	return dmah;
}

HF_EXPORT int ibv_dealloc_dmah(struct ibv_dmah *dmah)
{
	const struct hf_later_ops *later = hfi_later_of(dmah->context);

	if (!later)
		return EBADF;
	return later->dealloc_dmah ? later->dealloc_dmah(dmah) : EOPNOTSUPP;
}
