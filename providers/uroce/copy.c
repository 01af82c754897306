/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Copies between processes, and within ours. Always by process_vm_*: memory that was unmapped since
 * it was registered is an error of the call and not a signal.
 */
#include <errno.h>
#include <unistd.h>
#include <sys/uio.h>

#include "providers/uroce/qp.h"

/* After a short copy: whose memory is it that ended at `done`? */
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
		/* Where we store, the page must be writable too: what was read is written back. */
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
	result = uroce_copy_in(target->peer, &in, 1, &remote, 1);
	if (result == UROCE_COPY_OK) {
		after = compare ? (value == compare_add ? swap : value) : value + compare_add;
		result = uroce_copy_out(target->peer, &out, 1, &remote, 1);
		*before = value;
	}
	uroce_shared_unlock(target->context, lock, UROCE_LOCK_ATOMIC);
	return result;
}
