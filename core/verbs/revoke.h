/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Revocation, where it is switched on: letting go of a device that was removed on behalf of a program
 * that does not. A thread of the core waits for removals, in a forked child another one.
 */
#ifndef HF_VERBS_REVOKE_H
#define HF_VERBS_REVOKE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/stat.h>

#include "core/verbs/event_fd.h"

struct hf;
struct verbs_context;

enum {
	/* What a program gets to close the context by itself; an unplug is to take less than 1 s. */
	HF_REVOKE_GRACE_MS = 150,
};

enum hf_revoke_state { HF_REVOKE_LIVE, HF_REVOKE_PENDING, HF_REVOKE_DONE };

/* What revocation knows of a context; NULL in the context where it is switched off. */
struct hf_revocable {
	struct verbs_context *context;
	struct hf_removal *removal;
	struct hf_track *track;
	struct hf_wait *channels; /* utlist */
	struct stat node; /* what cmd_fd was; the program may close it, and use the number anew */
	enum hf_revoke_state state;
	uint64_t deadline;
	bool watched;
	bool track_held; /* by who forks */
	struct hf_revocable *prev, *next;
};

/* Has the context watched; 0 and nothing else where it is switched off. */
int hfi_revoke_watch(struct verbs_context *context);
/* Before the provider frees the context: from now on nobody but the caller touches it. */
void hfi_revoke_forget(struct verbs_context *context);
/* What is left to be freed, with the context. */
void hfi_revoke_free(struct hf_revocable *revocable);

/* The descriptors of a completion channel, from when it is there until before it is not. */
void hfi_revoke_add_channel(struct verbs_context *context, struct hf_wait *wait);
void hfi_revoke_remove_channel(struct verbs_context *context, struct hf_wait *wait);

#endif
