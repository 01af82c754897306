/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Brings the operations of a provider of any private ABI into the order of struct verbs_context_ops. */
#include <string.h>

#include "core/foreign/family.h"
#include "core/foreign/operations.h"

typedef void (*any_fn)(void);

enum { IN_ALL = 0, NOWHERE = UINT8_MAX, SLOT = sizeof(any_fn) };

static const struct {
	uint8_t since; /* release of rdma-core */
	uint8_t ours;  /* slot in struct verbs_context_ops */
} operations[] = {
#define OLD(name)	 {IN_ALL, offsetof(struct verbs_context_ops, name) / SLOT},
#define NEW(name, since) {since, NOWHERE},
	HF_OPERATIONS(OLD, NEW)
#undef OLD
#undef NEW
};

size_t hfi_operations_count(const struct hf_profile *profile)
{
	size_t count = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++)
		count += operations[i].since <= profile->first;
	return count;
}

void hfi_operations_take(const struct hf_profile *profile, const void *theirs,
			 struct verbs_context_ops *ret)
{
	const char *at = theirs;

	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++) {
		if (operations[i].since > profile->first)
			continue;
		if (operations[i].ours != NOWHERE)
			memcpy((char *)ret + (size_t)operations[i].ours * SLOT, at, SLOT);
		at += SLOT;
	}
}
