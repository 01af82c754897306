/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a context asks the kernel for, or does by itself: one table per kind of context. A context begins
 * with hfi_plain_calls; hf_provider_get_context() and hf_provider_no_kernel() give it one of the others.
 */
#ifndef HF_VERBS_CONTEXT_CALLS_H
#define HF_VERBS_CONTEXT_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <infiniband/verbs.h>

struct hfi_event_queue;

/* Each answers 0 or -errno, where nothing else is said. */
struct hfi_context_calls {
	/* The descriptor that reports asynchronous events; NULL where the provider gives it, or nobody. */
	int (*open_async)(struct ibv_context *context);
	/*
	 * The descriptor that reports the events of a new completion channel. Where these do not come
	 * from the descriptor itself *queue gets what they are read from.
	 */
	int (*open_channel)(struct ibv_context *context, struct hfi_event_queue **queue);
	/* -EOPNOTSUPP, -EPROTONOSUPPORT or -ENOTTY: read the device's files. */
	int (*gid_entry)(struct ibv_context *context, uint32_t port, uint32_t index, uint32_t flags,
			 struct ibv_gid_entry *ret);
	ssize_t (*gid_table)(struct ibv_context *context, struct ibv_gid_entry *ret, size_t count,
			     size_t size, uint32_t flags);
	/* What the context holds of a removed device keeps the kernel's module, and can be revoked. */
	bool revocable;
};

/* The kernel made a context for cmd_fd. */
extern const struct hfi_context_calls hfi_kernel_calls;
/* The provider reports events; nothing is sent to cmd_fd. */
extern const struct hfi_context_calls hfi_no_kernel_calls;
/* The provider said neither: commands are sent, and their answer says whether there is a kernel. */
extern const struct hfi_context_calls hfi_plain_calls;

/* The program closed the context: -EBADF. */
extern const struct hfi_context_calls hfi_closed_calls;

/* Does the answer of gid_entry or gid_table mean that the files are to be read? */
bool hfi_must_read_files(ssize_t answer);

#endif
