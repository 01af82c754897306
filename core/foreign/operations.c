/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Brings the operations of a provider of any private ABI into the order of struct verbs_context_ops. */
#include <string.h>

#include "core/foreign/family.h"
#include "core/foreign/operations.h"

typedef void (*any_fn)(void);

enum { IN_ALL = 0, SLOT = sizeof(any_fn) };

static const struct {
	uint8_t since; /* release of rdma-core */
	uint8_t ours; /* slot in struct verbs_context_ops, or struct hf_later_ops if it is not in all */
} operations[] = {
#define OLD(name)	 {IN_ALL, offsetof(struct verbs_context_ops, name) / SLOT},
#define NEW(name, since) {since, offsetof(struct hf_later_ops, name) / SLOT},
	HF_OPERATIONS(OLD, NEW)
#undef OLD
#undef NEW
};

size_t hfi_foreign_ops_count(const struct hf_profile *profile)
{
	size_t count = 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++)
		count += operations[i].since <= profile->first;
	return count;
}

void hfi_foreign_ops_take(const struct hf_profile *profile, const void *theirs,
			  struct verbs_context_ops *ret, struct hf_later_ops *later)
{
	const char *at = theirs;

	memset(later, 0, sizeof(*later));
	for (size_t i = 0; i < HF_ARRAY_SIZE(operations); i++) {
		char *to = operations[i].since == IN_ALL ? (char *)ret : (char *)later;

		if (operations[i].since > profile->first)
			continue;
		memcpy(to + (size_t)operations[i].ours * SLOT, at, SLOT);
		at += SLOT;
	}
}
