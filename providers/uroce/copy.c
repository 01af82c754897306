/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Copies between processes, and within ours. Always by process_vm_*: memory that was unmapped since
 * it was registered is an error of the call and not a signal.
 */
#include <errno.h>
#include <string.h>
#include <unistd.h>
#include <sys/uio.h>

#include "providers/uroce/qp.h"

/* After a short copy: finds out whose memory ended at `done`. */
static enum uroce_copy blame(const struct iovec *local, size_t locals, size_t done, bool reads)
{
	for (size_t i = 0; i < locals; done -= local[i++].iov_len) {
		struct iovec at;
		char byte;
		const struct iovec own = {&byte, 1};
		ssize_t got;

		if (done >= local[i].iov_len)
			continue;
		at = (struct iovec){(char *)local[i].iov_base + done, 1};
		got = process_vm_readv(gettid(), &own, 1, &at, 1, 0);
		/* To prove that our own page is writable as well, write back what was read. */
		if (got == 1 && !reads)
			got = process_vm_writev(gettid(), &own, 1, &at, 1, 0);
		return got == 1 ? UROCE_COPY_REMOTE : UROCE_COPY_LOCAL;
	}
	return UROCE_COPY_REMOTE;
}

static size_t length_of(const struct iovec *iov, size_t count)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += iov[i].iov_len;
	return length;
}

size_t uroce_slice(const struct iovec *iov, size_t count, uint64_t offset, uint64_t size,
		   struct iovec *ret)
{
	size_t used = 0;

	for (size_t i = 0; i < count && size; i++) {
		uint64_t part = iov[i].iov_len;

		if (offset >= part) {
			offset -= part;
			continue;
		}
		part -= offset;
		part = part < size ? part : size;
		ret[used++] = (struct iovec){(char *)iov[i].iov_base + offset, part};
		offset = 0;
		size -= part;
	}
	return size ? 0 : used;
}

enum uroce_copy uroce_copy_out(const struct uroce_peer *peer, const struct iovec *local,
			       size_t locals, const struct iovec *remote, size_t remotes)
{
	const size_t length = length_of(remote, remotes);
	ssize_t done;

	if (!length)
		return UROCE_COPY_OK;
	done = process_vm_writev(peer->pid, local, locals, remote, remotes, 0);
	if (likely(done == (ssize_t)length))
		return UROCE_COPY_OK;
	return blame(local, locals, done < 0 ? 0 : (size_t)done, true);
}

enum uroce_copy uroce_copy_in(const struct uroce_peer *peer, const struct iovec *local,
			      size_t locals, const struct iovec *remote, size_t remotes)
{
	const size_t length = length_of(remote, remotes);
	ssize_t done;

	if (!length)
		return UROCE_COPY_OK;
	done = process_vm_readv(peer->pid, local, locals, remote, remotes, 0);
	if (likely(done == (ssize_t)length))
		return UROCE_COPY_OK;
	return blame(local, locals, done < 0 ? 0 : (size_t)done, false);
}

/*
 * The addresses are written where uroce_access_wait() of the target can take them away. It sets `revoked` first, so
 * either that is seen here or the kernel finds no addresses there.
 */
static const struct iovec *lay_out_remote(const struct uroce_target *target,
					  const struct iovec *remote, size_t remotes)
{
	struct uroce_access *access;

	if (target->at >= UROCE_ACCESSES)
		return remote;
	access = &target->context->arena->accesses[target->at];
	memcpy(access->remote, remote, remotes * sizeof(*remote));
	return atomic_fetch_or(&access->revoked, 0) ? NULL : access->remote;
}

/*
 * Whoever was slow to take an address away may have meant the request before this one, and `revoked` was cleared
 * since then.
 */
static bool is_revoked(const struct uroce_target *target, const struct iovec *remote,
		       size_t remotes)
{
	const struct uroce_access *access = &target->context->arena->accesses[target->at];

	return target->at < UROCE_ACCESSES &&
	       (atomic_load(&access->revoked) ||
		memcmp(access->remote, remote, remotes * sizeof(*remote)) != 0);
}

enum uroce_copy uroce_target_write_some(const struct uroce_target *target,
					const struct iovec *local, size_t locals,
					const struct iovec *remote, size_t remotes, size_t *done)
{
	const size_t length = length_of(remote, remotes);
	const struct iovec *at = lay_out_remote(target, remote, remotes);
	ssize_t written = 0;

	if (at && length)
		written = process_vm_writev(target->peer->pid, local, locals, at, remotes, 0);
	*done = written < 0 ? 0 : (size_t)written;
	if (likely(*done == length))
		return UROCE_COPY_OK;
	return is_revoked(target, remote, remotes) ? UROCE_COPY_BUSY
						   : blame(local, locals, *done, true);
}

enum uroce_copy uroce_target_write(const struct uroce_target *target, const struct iovec *local,
				   size_t locals, const struct iovec *remote, size_t remotes)
{
	size_t done;

	return uroce_target_write_some(target, local, locals, remote, remotes, &done);
}

enum uroce_copy uroce_target_read(const struct uroce_target *target, const struct iovec *local,
				  size_t locals, const struct iovec *remote, size_t remotes)
{
	const size_t length = length_of(remote, remotes);
	const struct iovec *at = lay_out_remote(target, remote, remotes);
	ssize_t done;

	if (!length)
		return UROCE_COPY_OK;
	done = at ? process_vm_readv(target->peer->pid, local, locals, at, remotes, 0) : 0;
	if (likely(done == (ssize_t)length))
		return UROCE_COPY_OK;
	return is_revoked(target, remote, remotes)
		       ? UROCE_COPY_BUSY
		       : blame(local, locals, done < 0 ? 0 : (size_t)done, false);
}

/*
 * There are no atomic operations on another process's memory, so all atomics of the device exclude each
 * other. The same memory may be mapped at several addresses, whose lowest bits agree.
 */
enum uroce_copy uroce_atomic(struct uroce_target *target, uint64_t address, bool compare,
			     uint64_t compare_add, uint64_t swap, uint64_t *before)
{
	struct uroce_shared_lock *lock =
		&target->context->segment->atomic_locks[address / 8 % UROCE_ATOMIC_LOCKS];
	const struct iovec remote = {(void *)(uintptr_t)address, sizeof(*before)};
	uint64_t value, after;
	const struct iovec in = {&value, sizeof(value)}, out = {&after, sizeof(after)};
	enum uroce_copy result;

	if (!uroce_shared_lock(target->context, lock, UROCE_LOCK_ATOMIC))
		return UROCE_COPY_BUSY;
	result = uroce_target_read(target, &in, 1, &remote, 1);
	if (result == UROCE_COPY_OK) {
		after = compare ? (value == compare_add ? swap : value) : value + compare_add;
		result = uroce_target_write(target, &out, 1, &remote, 1);
		*before = value;
	}
	uroce_shared_unlock(target->context, lock, UROCE_LOCK_ATOMIC);
	return result;
}
