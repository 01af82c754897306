/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* IBVERBS_1.0: address handles. */
#include <stdlib.h>

#include "compat/ibverbs_1_0/ibverbs_1_0.h"

HF_IBVERBS_1_0(struct v1_0_ah *, ibv_create_ah, (struct v1_0_pd * pd, struct ibv_ah_attr *attr))
{
	struct v1_0_ah *ah = calloc(1, sizeof(*ah));

	if (!ah)
		return NULL;
	ah->real = hf_compat_calls.ibv_create_ah(pd->real, attr);
	if (!ah->real) {
		free(ah);
		return NULL;
	}
	ah->context = pd->context;
	ah->pd = pd;
	ah->handle = ah->real->handle;
	return ah;
}

HF_IBVERBS_1_0(int, ibv_destroy_ah, (struct v1_0_ah * ah))
{
	int ret = hf_compat_calls.ibv_destroy_ah(ah->real);

	if (!ret)
		free(ah);
	return ret;
}
