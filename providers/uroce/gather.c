/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Translates the data of a send request into addresses of this process. */
#include <sys/uio.h>

#include "providers/uroce/qp.h"

bool uroce_gather(struct uroce_qp *qp, struct uroce_wqe *wqe, uint32_t access, struct iovec *iov,
		  size_t *count)
{
	const struct uroce_key use = {
		.pd = uroce_pd_of(qp->verbs.qp.pd)->number,
		.access = access,
	};

	*count = 0;
	if (wqe->is_inline) {
		iov[0] = (struct iovec){uroce_wqe_inline(qp, wqe), wqe->length};
		*count = 1;
		return true;
	}
	for (uint32_t i = 0; i < wqe->num_sge; i++) {
		const struct ibv_sge *sge = &wqe->sge[i];
		uint64_t address;

		if (!sge->length)
			continue;
		if (!uroce_key_check(qp->context->arena, sge->lkey, sge->addr, sge->length, &use,
				     &address))
			return false;
		iov[(*count)++] = (struct iovec){(void *)(uintptr_t)address, sge->length};
	}
	return true;
}
