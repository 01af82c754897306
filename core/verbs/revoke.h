/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Revocation, where it is switched on: when a device is removed and the program does not close its
 * context, the core releases the kernel's resources in its place. A thread of the core waits for
 * removals; a forked child has one of its own.
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
	/* Time for the program to close the context itself; an unplug should take less than 1 s. */
	HF_REVOKE_GRACE_MS = 150,
};

enum hf_revoke_state { HF_REVOKE_LIVE, HF_REVOKE_PENDING, HF_REVOKE_DONE };

/* Revocation's data about a context; the context's pointer is NULL where it is switched off. */
struct hf_revocable {
	struct verbs_context *context;
	struct hf_removal *removal;
	struct hf_track *track;
	struct hf_wait *channels; /* utlist */
	struct stat node;	  /* cmd_fd's file; the program may close it and reuse the number */
	enum hf_revoke_state state;
	uint64_t deadline;
	bool watched;
	bool track_held; /* by the thread that forks */
	struct hf_revocable *prev, *next;
};

/* Watches the context. Does nothing and returns 0 where revocation is switched off. */
int hfi_revoke_watch(struct verbs_context *context);
/* Call before the provider frees the context: from now on only the caller touches it. */
void hfi_revoke_forget(struct verbs_context *context);
/* Frees the rest, together with the context. */
void hfi_revoke_free(struct hf_revocable *revocable);

/* Adds or removes the descriptors of a completion channel; remove them before they are closed. */
void hfi_revoke_add_channel(struct verbs_context *context, struct hf_wait *wait);
void hfi_revoke_remove_channel(struct verbs_context *context, struct hf_wait *wait);

#endif
