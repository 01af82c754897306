/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Marks requests that access the memory of another context, and waits for their end, so that nobody
 * writes there after ibv_dereg_mr() or ibv_destroy_qp(). A request that began ends soon, or its
 * process dies. A process that is stopped is not waited for: the addresses that it would pass to
 * the kernel are cleared.
 */
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "providers/uroce/uroce.h"

enum {
	YIELDS = 100,
	PAUSE_NS = 100000,
	REVOKE_AFTER = 200,    /* of the tries: some 10 ms */
	GIVE_UP_AFTER = 40000, /* some seconds: the word is damaged */
	DYING_NS = 5000000,
};

/* Cached from the thread's last request; a forked child has to look again. */
static uint32_t own_thread(const struct uroce_context *context)
{
	static __thread pid_t process, thread;

	if (unlikely(process != context->pid)) {
		thread = gettid();
		process = context->pid;
	}
	return (uint32_t)thread;
}

uint32_t uroce_access_begin(struct uroce_context *context, uint32_t slot)
{
	unsigned int used = atomic_load_explicit(&context->accesses, memory_order_relaxed);
	struct uroce_access *at;
	uint32_t access, word;

	for (;;) {
		const unsigned int free = ~used & ((1U << UROCE_ACCESSES) - 1);

		if (unlikely(!free)) {
			sched_yield();
			used = atomic_load(&context->accesses);
			continue;
		}
		if (atomic_compare_exchange_weak(&context->accesses, &used,
						 used | (free & -free))) {
			access = (uint32_t)__builtin_ctz(free);
			break;
		}
	}
	at = &context->arena->accesses[access];
	atomic_store_explicit(&at->revoked, 0, memory_order_relaxed);
	atomic_store_explicit(&at->thread, own_thread(context), memory_order_relaxed);
	word = (uint32_t)++context->access_numbers[access] << 16 | (slot + 1);
	/* Pairs with uroce_access_wait(): either it sees our word, or we see what was withdrawn. */
	atomic_exchange(&context->segment->accesses[context->slot_index][access], word);
	return access;
}

void uroce_access_end(struct uroce_context *context, uint32_t access)
{
	atomic_store_explicit(&context->segment->accesses[context->slot_index][access], 0,
			      memory_order_release);
	atomic_fetch_and_explicit(&context->accesses, ~(1U << access), memory_order_release);
}

/* A thread that is stopped, or about to begin a system call under a tracer, is not in one that copies. */
static bool thread_is_stopped(pid_t process, uint32_t thread)
{
	char path[64], text[512];
	const char *state = NULL;
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%d/task/%u/stat", process, thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (got > 0) {
		text[got] = '\0';
		state = strrchr(text, ')');
	}
	return state && state[1] && (state[2] == 'T' || state[2] == 't');
}

/*
 * Clear the addresses first. A thread that is stopped afterwards uses none when it runs again: it
 * checks `revoked` after it has written them, and the kernel reads them when the call begins.
 */
static bool revoke_access(struct uroce_context *context, uint32_t slot, uint32_t access)
{
	struct uroce_peer *peer = uroce_peer_of_slot(context, slot);
	struct uroce_access *at;

	if (!peer)
		return false;
	at = &peer->arena->accesses[access];
	atomic_exchange(&at->revoked, 1);
	for (int i = 0; i < UROCE_MAX_SGE; i++)
		__atomic_store_n(&at->remote[i].iov_base, NULL, __ATOMIC_SEQ_CST);
	return thread_is_stopped(peer->pid, atomic_load(&at->thread));
}

/* Threads of a killed process end one after the other, and one may still be in a system call. */
static void wait_for_dying(_Atomic uint32_t *at, uint32_t word)
{
	static const struct timespec pause = {.tv_nsec = DYING_NS};

	nanosleep(&pause, NULL);
	atomic_compare_exchange_strong(at, &word, 0);
}

static void wait_for_peer(struct uroce_context *context, uint32_t slot, uint32_t access)
{
	static const struct timespec pause = {.tv_nsec = PAUSE_NS};
	_Atomic uint32_t *at = &context->segment->accesses[slot][access];
	uint32_t word = atomic_load(at);

	if (likely((word & 0xffff) != context->slot_index + 1))
		return;
	for (unsigned int tries = 0; tries < GIVE_UP_AFTER && atomic_load(at) == word; tries++) {
		if (!uroce_slot_alive(&context->segment->slots[slot])) {
			wait_for_dying(at, word);
			return;
		}
		if (tries < YIELDS)
			sched_yield();
		else
			nanosleep(&pause, NULL);
		if (tries >= REVOKE_AFTER && tries % 32 == 0 &&
		    revoke_access(context, slot, access))
			return;
	}
	atomic_compare_exchange_strong(at, &word, 0);
}

void uroce_access_wait_own(struct uroce_context *context)
{
	const _Atomic uint32_t *words = context->segment->accesses[context->slot_index];
	const unsigned int used = atomic_load(&context->accesses);

	for (uint32_t i = 0; i < UROCE_ACCESSES; i++) {
		const uint32_t word = atomic_load(&words[i]);

		while (word && used & 1U << i && atomic_load(&context->accesses) & 1U << i &&
		       atomic_load(&words[i]) == word)
			sched_yield();
	}
}

void uroce_access_wait(struct uroce_context *context)
{
	for (uint32_t slot = 0; slot < UROCE_SLOTS; slot++)
		if (slot != context->slot_index)
			for (uint32_t i = 0; i < UROCE_ACCESSES; i++)
				wait_for_peer(context, slot, i);
	uroce_access_wait_own(context);
	uroce_visits_wait(context);
}

/* The slot is free, or has just been taken. */
void uroce_access_clear(struct uroce_context *context, uint32_t slot)
{
	for (uint32_t i = 0; i < UROCE_ACCESSES; i++)
		atomic_store(&context->segment->accesses[slot][i], 0);
}
