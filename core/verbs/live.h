/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Which contexts are open. Programs with a wrong order at their end destroy objects after they closed the
 * context: the object is still there, and leads to a context whose memory the provider has freed. So
 * its address is looked up before it is followed.
 */
#ifndef HF_VERBS_LIVE_H
#define HF_VERBS_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shared/attr.h"

struct ibv_context;

/* False without memory. From any thread, also in a forked child; no lock is taken. */
bool hfi_live_add(struct ibv_context *context) HF_MUST_CHECK HF_NONNULL;
void hfi_live_remove(const struct ibv_context *context) HF_NONNULL;
/* Of the set alone; NULL is not in it. */
bool hfi_live_has(const struct ibv_context *context) HF_MUST_CHECK;

/*
 * The context that was opened last, while it is open: most programs have no other. Set by the two above alone; without
 * one it is an address that no context has, so that NULL needs no look of its own.
 */
extern _Atomic(const struct ibv_context *) hfi_live_latest __attribute__((visibility("hidden")));

/* Is a context open at this address? Nothing is read there. */
static inline bool hfi_is_live(const struct ibv_context *context)
{
	return __builtin_expect(context == atomic_load_explicit(&hfi_live_latest,
								memory_order_acquire),
				1) ||
	       hfi_live_has(context);
}

#endif
