/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Fork handlers: the child gets every context in a consistent state. */
#include <utlist.h>

#include "shared/cancel.h"
#include "core/base/process.h"
#include "core/device/hf.h"
#include "core/device/fork.h"
#include "core/device/scan_lock.h"
#include "core/registry/registry.h"

/* Static, because one fork copies every context. */
static struct {
	pthread_once_t once;
	pthread_mutex_t lock; /* guards `contexts` */
	struct hf *contexts;
} process = {
	.once = PTHREAD_ONCE_INIT,
	.lock = PTHREAD_MUTEX_INITIALIZER,
};

pthread_mutex_t hfi_default_lock = PTHREAD_MUTEX_INITIALIZER;

/* Takes all locks of every context and waits for scans: the child gets consistent tables. */
HF_UNCHECKED_LOCKS
static void before_fork(void)
{
	struct hf *hf;

	hfi_cancel_block();
	pthread_mutex_lock(&hfi_default_lock);
	pthread_mutex_lock(&process.lock);
	DL_FOREACH (process.contexts, hf) {
		/*
		 * A scan may call a provider, which may open a device, which takes the locks below:
		 * so take the scan lock before all of them.
		 */
		hfi_scan_lock_before_fork(hf);
		hfi_revoke_lock(hf);
		if (hf->revoker_ops)
			hf->revoker_ops->before_fork(hf);
		hfi_hf_lock(hf);
		hfi_registry_before_fork(&hf->registry);
	}
}

/* Releases the locks of every context. */
HF_UNCHECKED_LOCKS
static void after_fork_in_parent(void)
{
	struct hf *hf;

	DL_FOREACH (process.contexts, hf) {
		hfi_registry_after_fork(&hf->registry);
		hfi_scan_lock_in_parent(hf);
		hfi_hf_unlock(hf);
		if (hf->revoker_ops)
			hf->revoker_ops->after_fork_in_parent(hf);
		hfi_revoke_unlock(hf);
	}
	pthread_mutex_unlock(&process.lock);
	pthread_mutex_unlock(&hfi_default_lock);
	hfi_cancel_unblock();
}

/* Releases the locks of every context. */
HF_UNCHECKED_LOCKS
static void after_fork_in_child(void)
{
	struct hf *hf;

	hfi_fork_count_up();
	hfi_registry_forked();
	DL_FOREACH (process.contexts, hf) {
		hfi_registry_after_fork(&hf->registry);
		hfi_scan_lock_in_child(hf);
		hfi_hf_unlock(hf);
	}
	pthread_mutex_unlock(&process.lock);
	pthread_mutex_unlock(&hfi_default_lock);
	/* No other thread exists in the child. The handlers may write to the program's log. */
	DL_FOREACH (process.contexts, hf) {
		hfi_log_hold();
		if (hf->revoker_ops)
			hf->revoker_ops->after_fork_in_child(hf);
		hfi_revoke_unlock(hf);
		hfi_log_release();
	}
	hfi_cancel_unblock();
}

static void register_fork_handlers(void)
{
	pthread_atfork(before_fork, after_fork_in_parent, after_fork_in_child);
}

void hfi_process_add(struct hf *hf)
{
	pthread_once(&process.once, register_fork_handlers);
	pthread_mutex_lock(&process.lock);
	DL_APPEND(process.contexts, hf);
	pthread_mutex_unlock(&process.lock);
}

void hfi_process_remove(struct hf *hf)
{
	pthread_mutex_lock(&process.lock);
	DL_DELETE(process.contexts, hf);
	pthread_mutex_unlock(&process.lock);
}
