/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What other files need of memory.c. */
#ifndef HF_UVERBS_MEMORY_H
#define HF_UVERBS_MEMORY_H

#include <stdint.h>

#include <holdfast-provider/objects.h>

/* The kernel's answer about a new memory region. */
struct hf_memory_answer {
	uint32_t handle;
	uint32_t lkey;
	uint32_t rkey;
	enum ibv_mr_type type;
	int access;
};

/* Sets the members of `mr` that hf_provider_reg_mr() promises to set. */
void hfi_memory_take(struct verbs_mr *mr, struct ibv_pd *pd, const struct hf_memory_answer *answer);

#endif
