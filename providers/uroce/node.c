/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps the node, makes what is in it, and takes and cleans slots. */
#include "providers/uroce/segment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>

#include "providers/uroce/uroce.h"

#define HEADER_SIZE UROCE_ARENA_FIRST

static off_t arena_offset(uint32_t slot)
{
	return (off_t)(UROCE_ARENA_FIRST + slot * UROCE_ARENA_SIZE);
}

/* The node must belong to this user alone: never map what others could write. */
static int check_file(struct uroce_context *context, struct stat *st)
{
	const struct ibv_device *device = context->verbs.context.device;

	if (fstat(context->verbs.context.cmd_fd, st))
		return errno;
	if (S_ISREG(st->st_mode) && st->st_uid == geteuid() && !(st->st_mode & S_IWOTH))
		return 0;
	hf_provider_log(device, HF_LOG_ERROR, "uroce: the node of %s is not a file of this user",
			device->name);
	return EACCES;
}

static uint32_t new_number(void)
{
	uint32_t number;

	do
		uroce_random(&number, sizeof(number));
	while (!number);
	return number;
}

/* A new node has no version. One of another layout, or that was overwritten, is not touched. */
static int check_segment(struct uroce_context *context)
{
	struct uroce_header *header = context->segment;
	const struct ibv_device *device = context->verbs.context.device;

	/*
	 * Write the version last: a process that is killed before leaves a node that counts as new.
	 */
	if (!atomic_load(&header->version)) {
		atomic_store(&header->magic, UROCE_MAGIC);
		atomic_store(&header->arena_size_mib, (uint32_t)(UROCE_ARENA_SIZE >> 20));
		atomic_store(&header->next_chunk, 1);
		atomic_store(&header->device, new_number());
		atomic_store(&header->version, UROCE_VERSION);
	}
	if (atomic_load(&header->magic) == UROCE_MAGIC &&
	    atomic_load(&header->version) == UROCE_VERSION &&
	    atomic_load(&header->arena_size_mib) == UROCE_ARENA_SIZE >> 20) {
		context->device = atomic_load(&header->device);
		return 0;
	}
	hf_provider_log(device, HF_LOG_ERROR,
			"uroce: the node of %s is damaged, or of another version", device->name);
	return EINVAL;
}

int uroce_segment_map(struct uroce_context *context)
{
	const int fd = context->verbs.context.cmd_fd;
	struct stat st;
	void *address;
	int err = check_file(context, &st);

	if (err)
		return err;
	/* Never make it shorter: others may have mapped it meanwhile. */
	if ((uint64_t)st.st_size < HEADER_SIZE && posix_fallocate(fd, 0, (off_t)HEADER_SIZE))
		return ENOSPC;
	address = mmap(NULL, HEADER_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (address == MAP_FAILED)
		return errno;
	context->segment = address;
	return 0;
}

/* Frees what a context had: QP numbers and the memory of its arena. With the table locked. */
static void clean_slot(struct uroce_context *context, uint32_t slot)
{
	struct uroce_header *header = context->segment;

	for (uint32_t i = 1; i < UROCE_CHUNKS; i++)
		if ((atomic_load(&header->chunks[i]) & 0xffff) == slot + 1)
			atomic_store(&header->chunks[i], 0);
	fallocate(context->verbs.context.cmd_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
		  arena_offset(slot), (off_t)UROCE_ARENA_SIZE);
	atomic_store(&header->slots[slot].probe_address, 0);
	/* Nobody sends it the token of the next context: the port may be another program's by now. */
	atomic_store(&header->slots[slot].wire_address, 0);
	atomic_store(&header->slots[slot].pid, 0);
	atomic_store(&header->slots[slot].life, 0);
}

static bool slot_is_dead(const struct uroce_slot *slot)
{
	return atomic_load(&slot->life) && !uroce_slot_alive(slot);
}

/*
 * Who was about to look at a peer's arena when that was cleaned gave it pages again. They are taken away when nobody is
 * left who could look.
 */
static void clean_all(struct uroce_context *context)
{
	struct stat st;

	if (!fstat(context->verbs.context.cmd_fd, &st) && st.st_size > (off_t)UROCE_ARENA_FIRST)
		fallocate(context->verbs.context.cmd_fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE,
			  (off_t)UROCE_ARENA_FIRST, st.st_size - (off_t)UROCE_ARENA_FIRST);
}

static void clean_dead(struct uroce_context *context)
{
	bool is_used = false;

	for (uint32_t i = 0; i < UROCE_SLOTS; i++) {
		if (i != context->slot_index && slot_is_dead(&context->segment->slots[i]))
			clean_slot(context, i);
		is_used |= atomic_load(&context->segment->slots[i].life) != 0;
	}
	if (!is_used)
		clean_all(context);
}

/* Take slots in turn, so that a slot is not used again soon after its context ended. */
static int take_slot(struct uroce_context *context)
{
	struct uroce_header *header = context->segment;
	const uint32_t first = atomic_fetch_add(&header->next_slot, 1);

	for (uint32_t i = 0; i < UROCE_SLOTS; i++) {
		const uint32_t slot = (first + i) % UROCE_SLOTS;

		if (atomic_load(&header->slots[slot].life))
			continue;
		clean_slot(context, slot);
		uroce_access_clear(context, slot);
		context->slot_index = slot;
		context->slot = &header->slots[slot];
		context->generation = atomic_fetch_add(&context->slot->generation, 1) + 1;
		return 0;
	}
	return EMFILE;
}

static int map_arena(struct uroce_context *context)
{
	const int fd = context->verbs.context.cmd_fd;
	const off_t offset = arena_offset(context->slot_index);
	const off_t end = offset + (off_t)UROCE_ARENA_SIZE;
	struct stat st;
	void *address;

	if (fstat(fd, &st) || (st.st_size < end && ftruncate(fd, end)))
		return errno;
	address = mmap(NULL, UROCE_ARENA_SIZE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, offset);
	if (address == MAP_FAILED)
		return errno;
	context->arena = address;
	return 0;
}

/* Do not read our own data back from shared memory: others can write there. */
static void describe(struct uroce_context *context)
{
	struct uroce_slot *slot = context->slot;

	context->own.slot = context->slot_index;
	context->own.generation = context->generation;
	/*
	 * The thread's number: by it the process is found as long as the slot is held, even if its
	 * first thread has ended.
	 */
	context->own.pid = (pid_t)context->thread_id;
	context->own.arena = context->arena;
	context->own.direct = true;
	atomic_store(&slot->rung, 0);
	atomic_store(&slot->pid, context->thread_id);
	atomic_store(&slot->wire_only, context->wire_only);
	atomic_store(&slot->doorbell, context->own.doorbell);
	atomic_store(&slot->probe_value, context->probe);
	atomic_store(&slot->probe_address, (uintptr_t)&context->probe);
}

int uroce_segment_begin(struct uroce_context *context)
{
	int err = uroce_table_lock(context);

	if (err)
		return err;
	context->slot_index = UROCE_SLOTS;
	err = check_segment(context);
	if (!err) {
		clean_dead(context);
		err = take_slot(context);
	}
	if (!err)
		err = map_arena(context);
	if (!err)
		err = uroce_arena_back(context, context->arena->accesses,
				       sizeof(context->arena->accesses));
	if (!err) {
		describe(context);
		uroce_slot_hold(context);
	}
	uroce_table_unlock(context);
	return err;
}

/* The file keeps its length: one that gets shorter ends processes that have it mapped. */
void uroce_segment_end(struct uroce_context *context)
{
	if (uroce_table_lock(context)) {
		uroce_slot_release(context);
		return;
	}
	uroce_slot_release(context);
	clean_slot(context, context->slot_index);
	clean_dead(context);
	uroce_table_unlock(context);
}

int uroce_membership_begin(struct uroce_context *context)
{
	int err = uroce_robust_begin(context);

	if (err)
		return err;
	err = uroce_segment_begin(context);
	if (err)
		uroce_robust_end(context);
	return err;
}

void uroce_membership_end(struct uroce_context *context)
{
	uroce_segment_end(context);
	uroce_robust_end(context);
}

void uroce_publish_gid(struct uroce_context *context, unsigned int index, const union ibv_gid *gid)
{
	_Atomic uint64_t *shared;
	uint64_t parts[2];

	if (index >= UROCE_GIDS)
		return;
	shared = context->segment->gids[index];
	memcpy(parts, gid, sizeof(parts));
	if (atomic_load(&shared[0]) != parts[0])
		atomic_store(&shared[0], parts[0]);
	if (atomic_load(&shared[1]) != parts[1])
		atomic_store(&shared[1], parts[1]);
}

void uroce_segment_unmap(struct uroce_context *context)
{
	for (uint32_t i = 0; i < UROCE_SLOTS; i++) {
		struct uroce_peer *peer = context->peers[i];

		if (peer)
			munmap(peer->arena, UROCE_ARENA_SIZE);
		while (peer) {
			struct uroce_peer *former = peer->former;

			free(peer);
			peer = former;
		}
	}
	if (context->arena)
		munmap(context->arena, UROCE_ARENA_SIZE);
	if (context->segment)
		munmap(context->segment, HEADER_SIZE);
	while (context->heap) {
		struct uroce_range *range = context->heap;

		context->heap = range->next;
		free(range);
	}
	free(context->backed);
	free(context->robust);
}
