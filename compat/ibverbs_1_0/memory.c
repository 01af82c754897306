/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: protection domains and memory regions. */
#include <stdlib.h>

#include "compat/ibverbs_1_0/ibverbs_1_0.h"

HF_IBVERBS_1_0(struct v1_0_pd *, ibv_alloc_pd, (struct v1_0_context * context))
{
	struct v1_0_pd *pd = calloc(1, sizeof(*pd));

	if (!pd)
		return NULL;
	pd->real = hf_compat_calls.ibv_alloc_pd(context->real);
	if (!pd->real) {
		free(pd);
		return NULL;
	}
	pd->context = context;
	pd->handle = pd->real->handle;
	return pd;
}

HF_IBVERBS_1_0(int, ibv_dealloc_pd, (struct v1_0_pd * pd))
{
	int ret = hf_compat_calls.ibv_dealloc_pd(pd->real);

	if (!ret)
		free(pd);
	return ret;
}

HF_IBVERBS_1_0(struct v1_0_mr *, ibv_reg_mr,
	       (struct v1_0_pd * pd, void *addr, size_t length, int access))
{
	struct v1_0_mr *mr = calloc(1, sizeof(*mr));

	if (!mr)
		return NULL;
	mr->real = hf_compat_calls.ibv_reg_mr(pd->real, addr, length, access);
	if (!mr->real) {
		free(mr);
		return NULL;
	}
	mr->context = pd->context;
	mr->pd = pd;
	mr->handle = mr->real->handle;
	mr->lkey = mr->real->lkey;
	mr->rkey = mr->real->rkey;
	return mr;
}

HF_IBVERBS_1_0(int, ibv_dereg_mr, (struct v1_0_mr * mr))
{
	int ret = hf_compat_calls.ibv_dereg_mr(mr->real);

	if (!ret)
		free(mr);
	return ret;
}
