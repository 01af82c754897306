/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Work that ends in time, whatever a provider does in it. It is done in a child process: a provider, or
 * the kernel below it, may stay in a call that no thread of the same process could leave.
 */
#ifndef HF_TOOLS_BOUNDED_H
#define HF_TOOLS_BOUNDED_H

#include <stdatomic.h>
#include <stdint.h>

/* What the child says of itself, in memory that both share. */
struct hf_progress {
	_Atomic int64_t since_ms; /* when it went into the library; 0: it is not there */
	atomic_int status;	  /* what it ends with; -1: not known yet */
	char device[64];	  /* that it opens; empty: it looks for devices */
};

enum hf_bounded { HF_BOUNDED_CHILD, HF_BOUNDED_ENDED, HF_BOUNDED_GIVEN_UP };

/*
 * Returns twice, as fork() does: HF_BOUNDED_CHILD in the child, which does the work and ends. In the
 * parent when the child has ended, with its exit status, or when it was given up at `end_ms` of the
 * monotonic clock; *ret is what both share. -errno when there is no child.
 */
int hfi_bounded(int64_t end_ms, struct hf_progress **ret, int *status);

void hfi_progress_enter(struct hf_progress *progress, const char *device);
void hfi_progress_leave(struct hf_progress *progress);
/* The result stands, and was written: a provider that stays in its clean-up cannot change it. */
void hfi_progress_result(struct hf_progress *progress, int status);

#endif
