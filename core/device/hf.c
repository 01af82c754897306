/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reference count of a context. */
#include <holdfast/context.h>

#include "shared/attr.h"
#include "core/device/hf.h"

HF_EXPORT struct hf *hf_ref(struct hf *hf)
{
	atomic_fetch_add_explicit(&hf->refs, 1, memory_order_relaxed);
	return hf;
}

HF_EXPORT struct hf *hf_unref(struct hf *hf)
{
	if (hf && atomic_fetch_sub_explicit(&hf->refs, 1, memory_order_acq_rel) == 1)
		hf->destroy(hf);
	return NULL;
}
