/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The open context: the core's data next to the provider's object. */
#ifndef HF_VERBS_CONTEXT_H
#define HF_VERBS_CONTEXT_H

#include <errno.h>
#include <stdatomic.h>
#include <stdbool.h>

#include <holdfast-provider/provider.h>

#include "core/device/device.h"
#include "core/uverbs/uverbs.h"
#include "core/verbs/context_calls.h"
#include "core/verbs/event_fd.h"
#include "core/verbs/live.h"
#include "core/verbs/operations.h"

struct hf_channel;
struct hf_revocable;
struct hfi_no_kernel;

enum hf_fatal { HF_FATAL_NOT_REPORTED, HF_FATAL_BY_CORE, HF_FATAL_BY_KERNEL };

/* Providers see this type by name only. */
struct verbs_ex_private {
	struct hf_uverbs uverbs; /* first: see core/uverbs/uverbs.h */
	struct verbs_context_ops ops;
	struct hf_later_ops later; /* those that are NULL are the core's to serve or refuse */
	struct hf_device *device;  /* holds a reference */
	const struct hfi_context_calls *calls;
	struct hfi_no_kernel *none;	/* see core/verbs/no_kernel.c; NULL in other contexts */
	struct hf_fd_mark node;		/* context.cmd_fd */
	struct hf_wait async;		/* its `fd` is the program's context.async_fd */
	struct hf_channel *channels;	/* utlist; guarded by the context's mutex */
	struct hf_revocable *revocable; /* see core/verbs/revoke.h */
	void *object;			/* the provider's, which the context is in */
	bool opened;			/* it was given to a program */
	uint64_t serial;		/* its own: no other context of the process has it */
	bool *uninited;	  /* set by hf_provider_context_uninit() while the context is closed */
	atomic_int fatal; /* enum hf_fatal: who reported the removal to the program */
};

static inline struct verbs_context *hfi_context_of(struct ibv_context *context)
{
	return (struct verbs_context *)(void *)((char *)context -
						offsetof(struct verbs_context, context));
}

/* What the core keeps of a context which the program may have closed. */
static inline struct verbs_ex_private *hfi_private_of(struct ibv_context *context)
{
	return hfi_is_live(context) ? hfi_context_of(context)->priv : hfi_closed_private();
}

/* The operations since libibverbs 1.15; NULL with errno EBADF of a context that is closed. */
static inline const struct hf_later_ops *hfi_later_of(struct ibv_context *context)
{
	if (hfi_is_live(context))
		return &hfi_context_of(context)->priv->later;
	errno = EBADF;
	return NULL;
}

/* See struct hf_open_steps. */
const char *hfi_context_fault(struct verbs_context *context,
			      const struct hf_device *device) HF_MUST_CHECK HF_NONNULL;

/*
 * Makes the kernel report asynchronous events, unless the provider did or there is no kernel; gives
 * the program a descriptor that also reports the device's removal; and registers the context for
 * revocation if that is enabled.
 */
int hfi_context_prepare(struct verbs_context *context);

/*
 * Takes over the descriptor that reports asynchronous events, and gives the program another one in its
 * place. 0 or -errno, and then `fd` is still the caller's.
 */
int hfi_context_take_async(struct verbs_context *context, int fd);

/*
 * Lets the provider free its object. Then releases what the program did not destroy in the context, and what the
 * provider did not release of it.
 */
void hfi_context_free(struct verbs_context *context);

#endif
