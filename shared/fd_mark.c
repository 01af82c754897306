/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Descriptors that are kept, and the proof that a number still means what it meant. */
#include <errno.h>
#include <fcntl.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>

#include "shared/fd_mark.h"
#include "shared/file.h"

/* MARK: the last of the real-time signals, whatever libc has kept for itself. */
enum { MARK = 64, CHUNK = 16384, CHUNKS = 64 };

/*
 * The owner of each number, in chunks of which all but the first are allocated when needed. Static
 * because descriptor numbers belong to the process; without a lock because fork copies it at any
 * time.
 */
static _Atomic uint64_t first_claims[CHUNK];
static _Atomic(_Atomic uint64_t *) claims[CHUNKS] = {first_claims};
static _Atomic uint64_t last_claim;

/* NULL: nothing is known of this number. */
static _Atomic uint64_t *claim_of(int fd, bool make)
{
	_Atomic(_Atomic uint64_t *) *chunk;
	_Atomic uint64_t *there, *made;

	if (fd < 0 || fd >= CHUNK * CHUNKS)
		return NULL;
	chunk = &claims[fd / CHUNK];
	there = atomic_load(chunk);
	if (!there && make) {
		made = calloc(CHUNK, sizeof(*made));
		if (!made)
			return NULL;
		if (atomic_compare_exchange_strong(chunk, &there, made))
			there = made;
		else
			free(made);
	}
	return there ? &there[fd % CHUNK] : NULL;
}

void hfi_fd_claim(struct hf_fd_mark *mark, int fd)
{
	const int saved = errno;
	_Atomic uint64_t *claim = claim_of(fd, true);

	*mark = (struct hf_fd_mark){.fd = fd};
	if (claim) {
		mark->claim = atomic_fetch_add(&last_claim, 1) + 1;
		atomic_store(claim, mark->claim);
	}
	errno = saved;
}

void hfi_fd_mark(struct hf_fd_mark *mark, int fd)
{
	const int saved = errno;

	hfi_fd_claim(mark, fd);
	mark->signal = fd >= 0 && fcntl(fd, F_SETSIG, MARK) == 0;
	errno = saved;
}

bool hfi_fd_is_claimed(const struct hf_fd_mark *mark)
{
	_Atomic uint64_t *claim = mark->claim ? claim_of(mark->fd, false) : NULL;

	return !claim || atomic_load(claim) == mark->claim;
}

bool hfi_fd_is_still(const struct hf_fd_mark *mark)
{
	const int saved = errno;
	bool still;
	int signal;

	if (mark->fd < 0)
		return true;
	if (!hfi_fd_is_claimed(mark))
		return false;
	if (mark->signal) {
		signal = fcntl(mark->fd, F_GETSIG);
		/* A filter of system calls may refuse the question. */
		still = signal == MARK || (signal < 0 && errno != EBADF);
	} else {
		still = fcntl(mark->fd, F_GETFD) >= 0;
	}
	errno = saved;
	return still;
}

void hfi_fd_forget(struct hf_fd_mark *mark)
{
	_Atomic uint64_t *claim = mark->claim ? claim_of(mark->fd, false) : NULL;
	uint64_t mine = mark->claim;

	/* Not what another descriptor was given meanwhile. */
	if (claim)
		atomic_compare_exchange_strong(claim, &mine, 0);
	*mark = HF_FD_NONE;
}

void hfi_fd_close(struct hf_fd_mark *mark)
{
	int fd = hfi_fd_is_still(mark) ? mark->fd : -1;

	/* Before the number is free for another thread. */
	hfi_fd_forget(mark);
	hfi_close(&fd);
}
