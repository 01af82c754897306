/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Descriptors that are kept, and the proof that a number still means what it meant. A program may close
 * every descriptor (closefrom(3)) and open its own: nothing of those may be read, written or closed. So
 * each descriptor that is kept is marked when it is made, and the mark is looked at before each use of the
 * number that the program did not ask for.
 *
 * The mark is the signal of F_SETSIG, which the kernel keeps with the open file and which says nothing as
 * long as O_ASYNC is not set: another file under the number does not have it. That the number was not given
 * to another descriptor of the library's meanwhile is known from a table of the process's.
 */
#ifndef HF_SHARED_FD_MARK_H
#define HF_SHARED_FD_MARK_H

#include <stdbool.h>
#include <stdint.h>

#include "shared/attr.h"

struct hf_fd_mark {
	int fd;		/* -1: none */
	bool signal;	/* the open file is marked; else nothing but the claim is known */
	uint64_t claim; /* of the number, in this process; 0: not known */
};

#define HF_FD_NONE ((struct hf_fd_mark){.fd = -1})

/* `fd` is kept from now on; -1 is none. Keeps errno. */
void hfi_fd_mark(struct hf_fd_mark *mark, int fd) HF_NONNULL;
/* The same for a descriptor that the program sees, and may set a signal of: only the number is claimed. */
void hfi_fd_claim(struct hf_fd_mark *mark, int fd) HF_NONNULL;

/* True for none as well. Keeps errno; one system call. */
bool hfi_fd_is_still(const struct hf_fd_mark *mark) HF_MUST_CHECK HF_NONNULL;
/* What is known without asking the kernel. */
bool hfi_fd_is_claimed(const struct hf_fd_mark *mark) HF_MUST_CHECK HF_NONNULL;

/* Closes it if it is still ours; then it is none. Keeps errno. */
void hfi_fd_close(struct hf_fd_mark *mark) HF_NONNULL;
/* Somebody else closes it, or the program did: it is none. */
void hfi_fd_forget(struct hf_fd_mark *mark) HF_NONNULL;

#endif
