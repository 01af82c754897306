/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Runs work with a time limit, whatever a provider does. The work is done in a child process: a
 * provider, or the kernel, may not return from a call, and no thread of the same process could end
 * that.
 */
#ifndef HF_TOOLS_BOUNDED_H
#define HF_TOOLS_BOUNDED_H

#include <stdatomic.h>
#include <stdint.h>

/* The child's progress, in memory that both processes share. */
struct hf_progress {
	_Atomic int64_t since_ms; /* when it entered the library; 0: it is not inside */
	atomic_int status;	  /* its exit status; -1: not known yet */
	char device[64];	  /* that it is opening; empty: it lists devices */
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
/* The result is final and was written: a provider that hangs in its clean-up cannot change it. */
void hfi_progress_result(struct hf_progress *progress, int status);

#endif
