/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The set of open contexts. Programs that clean up in the wrong order destroy objects after they
 * closed the context: the object still exists, but points to a context whose memory the provider
 * has freed. So the address is looked up in this set before it is used.
 */
#ifndef HF_VERBS_LIVE_H
#define HF_VERBS_LIVE_H

#include <stdatomic.h>
#include <stdbool.h>

#include "shared/attr.h"

struct ibv_context;

/* False if there is no memory. Any thread may call it, also in a forked child; takes no lock. */
bool hfi_live_add(struct ibv_context *context) HF_MUST_CHECK HF_NONNULL;
void hfi_live_remove(const struct ibv_context *context) HF_NONNULL;
/* Searches only the set; NULL is not in it. */
bool hfi_live_has(const struct ibv_context *context) HF_MUST_CHECK;

/*
 * The context that was opened last, while it is open: most programs have no other. Only the two functions
 * above set it; without one it is an address that no context has, so that NULL needs no check.
 */
extern _Atomic(const struct ibv_context *) hfi_live_latest __attribute__((visibility("hidden")));

/* Is there an open context at this address? Does not read it. */
static inline bool hfi_is_live(const struct ibv_context *context)
{
	return __builtin_expect(context == atomic_load_explicit(&hfi_live_latest,
								memory_order_acquire),
				1) ||
	       hfi_live_has(context);
}

#endif
