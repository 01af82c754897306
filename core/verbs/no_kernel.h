/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Contexts without a kernel: the state that hf_provider_no_kernel() creates. */
#ifndef HF_VERBS_NO_KERNEL_H
#define HF_VERBS_NO_KERNEL_H

struct hfi_no_kernel;

/* Frees it; may be NULL. No thread may report events any more. */
void hfi_no_kernel_free(struct hfi_no_kernel *none);

#endif
