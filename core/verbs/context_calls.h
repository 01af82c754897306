/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What depends on whether a context has a kernel: one table of functions per kind of context. A context
 * begins with hfi_default_calls; hf_provider_get_context() and hf_provider_no_kernel() set another one.
 */
#ifndef HF_VERBS_CONTEXT_CALLS_H
#define HF_VERBS_CONTEXT_CALLS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>
#include <infiniband/verbs.h>

struct hfi_event_queue;

/* Each returns 0 or -errno unless its comment says otherwise. */
struct hfi_context_calls {
	/* Opens the descriptor for asynchronous events; NULL if only the provider may set it. */
	int (*open_async)(struct ibv_context *context);
	/*
	 * Opens the descriptor of a new completion channel. If events are not read from the descriptor
	 * itself, *queue is where they are read from.
	 */
	int (*open_channel)(struct ibv_context *context, struct hfi_event_queue **queue);
	/* -EOPNOTSUPP, -EPROTONOSUPPORT or -ENOTTY: read the device's files. */
	int (*gid_entry)(struct ibv_context *context, uint32_t port, uint32_t index, uint32_t flags,
			 struct ibv_gid_entry *ret);
	ssize_t (*gid_table)(struct ibv_context *context, struct ibv_gid_entry *ret, size_t count,
			     size_t size, uint32_t flags);
	/* After removal the context keeps the kernel module in use, so it can be revoked. */
	bool revocable;
};

/* The kernel made a context for cmd_fd. */
extern const struct hfi_context_calls hfi_kernel_calls;
/* The provider reports events; nothing is sent to cmd_fd. */
extern const struct hfi_context_calls hfi_no_kernel_calls;
/* Not declared: commands are sent, and their result shows whether there is a kernel. */
extern const struct hfi_context_calls hfi_default_calls;

/* The program closed the context: -EBADF. */
extern const struct hfi_context_calls hfi_closed_calls;

/* True if this result of gid_entry or gid_table means that the files must be read. */
bool hfi_must_read_files(ssize_t answer);

#endif
