/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Other contexts of the device: finding who has a QP number, mapping its arena, waking it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>

#include "providers/uroce/qp.h"

/*
 * Proof that a process is the one of the slot, and that its memory can be accessed: not so in another
 * PID namespace, or where Yama or missing privileges are in the way.
 */
static bool trial_access(const struct uroce_slot *slot, pid_t pid)
{
	const uint64_t wanted = atomic_load(&slot->probe_value);
	uint64_t found = 0;
	const struct iovec local = {&found, sizeof(found)};
	const struct iovec remote = {(void *)(uintptr_t)atomic_load(&slot->probe_address),
				     sizeof(found)};

	if (process_vm_readv(pid, &local, 1, &remote, 1, 0) != (ssize_t)sizeof(found) ||
	    found != wanted)
		return false;
	/* Write back the same bytes. */
	return process_vm_writev(pid, &local, 1, &remote, 1, 0) == (ssize_t)sizeof(found);
}

static struct uroce_arena *map_peer(struct uroce_context *context, uint32_t slot)
{
	const off_t offset = (off_t)(UROCE_ARENA_FIRST + slot * UROCE_ARENA_SIZE);
	void *address = mmap(NULL, UROCE_ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED,
			     context->verbs.context.cmd_fd, offset);

	return address == MAP_FAILED ? NULL : address;
}

/*
 * Others read the structure without a lock, so that of the slot's former context stays as it is; the arena
 * is the same place of the file.
 */
static struct uroce_peer *new_peer(struct uroce_context *context, uint32_t index,
				   struct uroce_peer *former)
{
	const struct uroce_slot *slot = &context->segment->slots[index];
	struct uroce_peer *peer = calloc(1, sizeof(*peer));

	if (!peer)
		return NULL;
	peer->slot = index;
	/* Read this first, so that what is read later is of this generation or a later one. */
	peer->generation = atomic_load(&slot->generation);
	peer->former = former;
	peer->pid = (pid_t)atomic_load(&slot->pid);
	peer->doorbell = atomic_load(&slot->doorbell);
	peer->direct = trial_access(slot, peer->pid);
	peer->arena = former ? former->arena : map_peer(context, index);
	/* The trial also fails if the process has ended meanwhile. */
	if (peer->arena && uroce_slot_alive(slot) &&
	    atomic_load(&slot->generation) == peer->generation)
		return peer;
	if (peer->arena && !former)
		munmap(peer->arena, UROCE_ARENA_SIZE);
	free(peer);
	return NULL;
}

static struct uroce_peer *refresh_peer(struct uroce_context *context, uint32_t index)
{
	struct uroce_peer *former, *peer;

	pthread_mutex_lock(&context->lock);
	former = context->peers[index];
	if (former &&
	    former->generation == atomic_load(&context->segment->slots[index].generation)) {
		peer = former;
	} else {
		peer = new_peer(context, index, former);
		if (peer)
			__atomic_store_n(&context->peers[index], peer, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&context->lock);
	return peer;
}

struct uroce_peer *uroce_peer_of_slot(struct uroce_context *context, uint32_t index)
{
	const struct uroce_slot *slot;
	struct uroce_peer *peer;

	if (index == context->slot_index)
		return &context->own;
	if (index >= UROCE_SLOTS)
		return NULL;
	slot = &context->segment->slots[index];
	if (!uroce_slot_alive(slot))
		return NULL;
	peer = __atomic_load_n(&context->peers[index], __ATOMIC_ACQUIRE);
	if (unlikely(!peer || peer->generation != atomic_load(&slot->generation)))
		peer = refresh_peer(context, index);
	return peer;
}

bool uroce_peer_alive(struct uroce_context *context, const struct uroce_peer *peer)
{
	const struct uroce_slot *slot = &context->segment->slots[peer->slot];

	if (peer == &context->own)
		return true;
	return uroce_slot_alive(slot) && atomic_load(&slot->generation) == peer->generation;
}

struct uroce_peer *uroce_peer_of_qpn(struct uroce_context *context, uint32_t qpn,
				     struct uroce_shared_qp **qp)
{
	const uint32_t chunk = qpn / UROCE_CHUNK_QPS;
	struct uroce_peer *peer;
	uint32_t owner;

	if (chunk >= UROCE_CHUNKS)
		return NULL;
	owner = atomic_load_explicit(&context->segment->chunks[chunk], memory_order_acquire);
	if (!(owner & 0xffff) || owner >> 16 >= UROCE_CONTEXT_CHUNKS)
		return NULL;
	peer = uroce_peer_of_slot(context, (owner & 0xffff) - 1);
	if (!peer)
		return NULL;
	*qp = &peer->arena->qps[(owner >> 16) * UROCE_CHUNK_QPS + qpn % UROCE_CHUNK_QPS];
	return atomic_load_explicit(&(*qp)->number, memory_order_acquire) == qpn ? peer : NULL;
}

bool uroce_qpn_has_owner(struct uroce_context *context, uint32_t qpn)
{
	const uint32_t chunk = qpn / UROCE_CHUNK_QPS;
	uint32_t owner;

	if (chunk >= UROCE_CHUNKS)
		return false;
	owner = atomic_load_explicit(&context->segment->chunks[chunk], memory_order_acquire) &
		0xffff;
	return owner && owner <= UROCE_SLOTS &&
	       uroce_slot_alive(&context->segment->slots[owner - 1]);
}

void uroce_peer_ring_for(struct uroce_context *context, const struct uroce_peer *peer, uint32_t why,
			 uint32_t ringer)
{
	struct uroce_slot *slot = &context->segment->slots[peer->slot];
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const uint64_t name = peer->doorbell;
	const uint16_t from = (uint16_t)ringer;

	/* Write each time: the process that set the bit may have been killed before it wrote. */
	atomic_fetch_or(&slot->rung, why);
	memcpy(address.sun_path, &name, UROCE_DOORBELL_NAME);
	/* Once more after the bit is set: the reader may have emptied the doorbell, and looked, before that. */
	for (int i = 0;
	     i < 2 && sendto(context->doorbell, &from, sizeof(from), MSG_DONTWAIT | MSG_NOSIGNAL,
			     (const struct sockaddr *)&address,
			     sizeof(sa_family_t) + UROCE_DOORBELL_NAME) < 0;
	     i++)
		atomic_fetch_or(&slot->rung, UROCE_RING_MANY);
}

void uroce_peer_ring(struct uroce_context *context, const struct uroce_peer *peer, uint32_t why)
{
	uroce_peer_ring_for(context, peer, why, context->slot_index);
}

void uroce_add_waiter(struct uroce_context *context, struct uroce_shared_rq *rq)
{
	uint32_t before = 0;

	if (!atomic_compare_exchange_strong(&rq->waiters, &before, context->slot_index + 1) &&
	    before != context->slot_index + 1)
		atomic_exchange(&rq->waiters, UINT32_MAX);
}

static void wake_slot(struct uroce_context *context, uint32_t slot)
{
	struct uroce_peer *peer = uroce_peer_of_slot(context, slot);

	if (peer)
		uroce_peer_ring(context, peer, UROCE_RING_PROGRESS);
}

void uroce_wake_waiters(struct uroce_context *context, uint32_t waiters)
{
	if (waiters && waiters <= UROCE_SLOTS)
		wake_slot(context, waiters - 1);
	else if (waiters)
		for (uint32_t i = 0; i < UROCE_SLOTS; i++)
			wake_slot(context, i);
}
