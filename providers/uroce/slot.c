/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Who lives: the engine thread of a context holds its slot as a robust futex, and the lock of the table
 * of slots while it changes that. When the thread ends, by whatever end of its process (a kill, an
 * exec, also while forked children live on), the kernel marks both words.
 *
 * The thread's list of robust futexes is in private memory, because the kernel and the C library
 * follow its pointers: a robust pthread mutex would have them in shared memory. All entries of a list
 * have the same distance to their words, so they are in a shadow of the header.
 */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <time.h>
#include <linux/futex.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "providers/uroce/uroce.h"

enum {
	TABLE_WAIT_NS = 5000000,
	TABLE_SOON = 2,		 /* waits, after which a thread that is not seen counts as none */
	TABLE_SAME_TRIES = 1200, /* for one holder */
	TABLE_VISIT_TRIES = 40,	 /* of a visit, without which there is the wire */
	TABLE_TRIES = 1000000,
};

struct uroce_robust {
	struct robust_list_head head;
	struct robust_list_head
		*former; /* the C library's: nothing on the thread uses robust mutexes */
	size_t former_size;
	char shadow[sizeof(struct uroce_header)];
};

_Static_assert(offsetof(struct uroce_header, table_lock) % 8 == 0, "alignment of entries");
_Static_assert(offsetof(struct uroce_header, slots) % 8 == 0 &&
		       sizeof(struct uroce_slot) % 8 == 0 &&
		       offsetof(struct uroce_slot, life) % 8 == 0,
	       "alignment of entries");

static struct robust_list *shadow_of(struct uroce_context *context, const void *word)
{
	const size_t offset = (size_t)((const char *)word - (char *)context->segment);

	return (struct robust_list *)(void *)(context->robust->shadow + offset);
}

int uroce_robust_begin(struct uroce_context *context)
{
	struct uroce_robust *robust = calloc(1, sizeof(*robust));

	if (!robust)
		return ENOMEM;
	context->robust = robust;
	context->thread_id = (uint32_t)syscall(SYS_gettid) & FUTEX_TID_MASK;
	if (syscall(SYS_get_robust_list, 0, &robust->former, &robust->former_size))
		robust->former = NULL;
	robust->head.list.next = &robust->head.list;
	robust->head.futex_offset = (char *)context->segment - robust->shadow;
	if (!syscall(SYS_set_robust_list, &robust->head, sizeof(robust->head)))
		return 0;
	free(robust);
	context->robust = NULL;
	return ENOSYS;
}

void uroce_robust_end(struct uroce_context *context)
{
	syscall(SYS_set_robust_list, context->robust->former, context->robust->former_size);
	free(context->robust);
	context->robust = NULL;
}

static bool is_held(uint32_t word)
{
	return word && !(word & FUTEX_OWNER_DIED);
}

/* A thread that is not there: the word was overwritten. Threads of other PID namespaces are not seen. */
static bool is_nobody(uint32_t word)
{
	return kill((pid_t)(word & FUTEX_TID_MASK), 0) && errno == ESRCH;
}

static long table_futex(_Atomic uint32_t *lock, int operation, uint32_t value)
{
	static const struct timespec wait = {.tv_nsec = TABLE_WAIT_NS};

	return syscall(SYS_futex, lock, operation, value, &wait, NULL, 0);
}

/* Sleeps until it is given back, or for a moment: the word may have been overwritten. Returns whether it slept that long. */
static bool wait_for_table(_Atomic uint32_t *lock, uint32_t word)
{
	if (!(word & FUTEX_WAITERS) &&
	    !atomic_compare_exchange_strong(lock, &word, word | FUTEX_WAITERS))
		return false;
	return table_futex(lock, FUTEX_WAIT, word | FUTEX_WAITERS) && errno == ETIMEDOUT;
}

/*
 * The table is locked for moments, but by a process that is stopped for longer. ETIMEDOUT: the caller gives
 * up, and who locks the table next cleans up.
 */
int uroce_table_lock(struct uroce_context *context)
{
	_Atomic uint32_t *lock = &context->segment->table_lock;
	const uint32_t most = context->is_visit ? TABLE_VISIT_TRIES : TABLE_SAME_TRIES;
	uint32_t before = 0, same = 0, waited = 0;

	/* The kernel looks at the pending entry too: there is no moment in which a kill leaves the lock held. */
	context->robust->head.list_op_pending = shadow_of(context, lock);
	/* Many may wait for it one after the other: only one holder that does not give it back is too much. */
	for (unsigned int tries = 0; same < most && tries < TABLE_TRIES; tries++) {
		uint32_t word = atomic_load(lock);

		if ((word & FUTEX_TID_MASK) != before)
			same = 0;
		before = word & FUTEX_TID_MASK;
		/* Threads of other PID namespaces look like nobody: they have time to give it back. */
		if (is_held(word) && !(same > TABLE_SOON && is_nobody(word))) {
			same += wait_for_table(lock, word);
			waited = FUTEX_WAITERS;
			continue;
		}
		/* Others may wait as well, and are not counted. */
		if (atomic_compare_exchange_strong(
			    lock, &word, context->thread_id | waited | (word & FUTEX_WAITERS)))
			return 0;
	}
	context->robust->head.list_op_pending = NULL;
	return ETIMEDOUT;
}

void uroce_table_unlock(struct uroce_context *context)
{
	_Atomic uint32_t *lock = &context->segment->table_lock;

	if (atomic_exchange(lock, 0) & FUTEX_WAITERS)
		table_futex(lock, FUTEX_WAKE, 1);
	context->robust->head.list_op_pending = NULL;
}

void uroce_slot_hold(struct uroce_context *context)
{
	struct robust_list *entry = shadow_of(context, &context->slot->life);

	entry->next = &context->robust->head.list;
	context->robust->head.list.next = entry;
	atomic_store(&context->slot->life, context->thread_id);
}

void uroce_slot_release(struct uroce_context *context)
{
	atomic_store(&context->slot->life, 0);
	context->robust->head.list.next = &context->robust->head.list;
}

bool uroce_slot_alive(const struct uroce_slot *slot)
{
	return is_held(atomic_load_explicit(&slot->life, memory_order_acquire));
}
