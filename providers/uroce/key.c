/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tables of keys. A key is random in all 32 bits: its upper half is a free index that was chosen
 * at random, so a guess from outside is right for as many keys of 2^32 as there are. The low 8 bits
 * of the key of a window of type 2 are the program's (ibv_inc_rkey).
 */
#include <errno.h>

#include "providers/uroce/uroce.h"

static struct uroce_shared_mr *free_entry(struct uroce_context *context, uint32_t index)
{
	struct uroce_shared_mr *mr = &context->arena->mrs[index];

	/* The page of an entry must be there before the entry is read. */
	if (uroce_arena_back(context, mr, sizeof(*mr)))
		return NULL;
	return mr;
}

struct uroce_shared_mr *uroce_key_new(struct uroce_context *context, uint32_t *key)
{
	struct uroce_shared_mr *mr = NULL;
	uint32_t random, index;

	pthread_mutex_lock(&context->lock);
	errno = ENOMEM;
	if (atomic_load(&context->mrs) >= UROCE_MRS - 1)
		goto out;
	uroce_random(&random, sizeof(random));
	index = random >> 16;
	for (uint32_t i = 0; i < UROCE_MRS; i++, index = (index + 1) % UROCE_MRS) {
		mr = free_entry(context, index);
		if (!mr || !atomic_load(&mr->flags))
			break;
	}
	if (!mr)
		goto out;
	*key = index << 16 | (random & 0xffff);
	if (!*key)
		*key = 1;
	/* The entry is taken, but not valid: key is still 0. */
	atomic_store(&mr->flags, UROCE_MR_TAKEN);
	atomic_fetch_add(&context->mrs, 1);
out:
	pthread_mutex_unlock(&context->lock);
	return mr;
}

void uroce_key_free(struct uroce_context *context, struct uroce_shared_mr *mr)
{
	atomic_store(&mr->key, 0);
	atomic_store(&mr->flags, 0);
	atomic_fetch_sub(&context->mrs, 1);
}

/* Whether a copy of an entry allows the access. IBA 9.4.1.1 and 10.6.3. */
static bool allows(uint32_t flags, uint32_t pd, uint32_t qpn, uint32_t access,
		   const struct uroce_key *use)
{
	if (!(flags & UROCE_MR_VALID))
		return false;
	/* A window of type 2 belongs to a QP, everything else to a domain; windows are for remote access. */
	if (flags & UROCE_MR_WINDOW_2 ? qpn != use->qpn : pd != use->pd)
		return false;
	if (flags & UROCE_MR_WINDOW && !use->qpn)
		return false;
	return (access & use->access) == use->access;
}

bool uroce_key_check(struct uroce_arena *arena, uint32_t key, uint64_t at, uint64_t length,
		     const struct uroce_key *use, uint64_t *address)
{
	struct uroce_shared_mr *mr = &arena->mrs[key >> 16];
	uint64_t first, size;

	/* Nothing is accessed: IBA 9.7.4.1.3 does not ask for a valid key then. */
	if (!length) {
		*address = 0;
		return true;
	}
	if (!key || atomic_load_explicit(&mr->key, memory_order_acquire) != key)
		return false;
	first = atomic_load_explicit(&mr->iova, memory_order_acquire);
	size = atomic_load_explicit(&mr->length, memory_order_acquire);
	if (!allows(atomic_load_explicit(&mr->flags, memory_order_acquire),
		    atomic_load_explicit(&mr->pd, memory_order_acquire),
		    atomic_load_explicit(&mr->qp, memory_order_acquire),
		    atomic_load_explicit(&mr->access, memory_order_acquire), use))
		return false;
	if (at < first || at - first > size || length > size - (at - first))
		return false;
	*address = atomic_load_explicit(&mr->address, memory_order_acquire) + (at - first);
	/* Make sure that it was not replaced while it was read. */
	return atomic_load_explicit(&mr->key, memory_order_relaxed) == key;
}

bool uroce_key_covers(struct uroce_arena *arena, uint32_t key, uint64_t address, uint64_t length,
		      const struct uroce_key *use)
{
	struct uroce_shared_mr *mr = &arena->mrs[key >> 16];
	const uint64_t iova = atomic_load_explicit(&mr->iova, memory_order_relaxed);
	const uint64_t first = atomic_load_explicit(&mr->address, memory_order_relaxed);
	uint64_t found;

	return uroce_key_check(arena, key, iova + (address - first), length, use, &found) &&
	       found == address;
}

bool uroce_key_can_be_invalidated(struct uroce_arena *arena, uint32_t key, uint32_t pd,
				  uint32_t qpn)
{
	struct uroce_shared_mr *mr = &arena->mrs[key >> 16];
	uint32_t flags;

	if (!key || atomic_load(&mr->key) != key || atomic_load(&mr->pd) != pd)
		return false;
	flags = atomic_load(&mr->flags);
	/* IBA 10.6.7.2.5: windows of type 2 that are bound to this QP; regions are never fast registered here. */
	return flags & UROCE_MR_WINDOW_2 && flags & UROCE_MR_VALID && atomic_load(&mr->qp) == qpn;
}

bool uroce_key_invalidate(struct uroce_arena *arena, uint32_t key, uint32_t pd, uint32_t qpn)
{
	struct uroce_shared_mr *mr = &arena->mrs[key >> 16];

	if (!uroce_key_can_be_invalidated(arena, key, pd, qpn))
		return false;
	atomic_fetch_and(&mr->flags, ~(uint32_t)UROCE_MR_VALID);
	return true;
}
