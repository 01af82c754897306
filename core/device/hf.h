/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The context: owns roots, sockets, the registry and the device table. */
#ifndef HF_DEVICE_HF_H
#define HF_DEVICE_HF_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "shared/cancel.h"
#include "shared/fd_mark.h"
#include "core/base/log.h"
#include "core/base/root.h"
#include "core/base/thread_safety.h"
#include "core/device/node.h"
#include "core/device/table.h"
#include "core/registry/registry.h"

struct hf_change_check;
struct hf_revoker;

/*
 * Calls into the revoker, which is in a higher room. Around fork revoke_lock is held, and in the
 * parent's process also the scan lock.
 */
struct hf_revoker_ops {
	void (*before_fork)(struct hf *hf);
	void (*after_fork_in_parent)(struct hf *hf);
	void (*after_fork_in_child)(struct hf *hf);
	void (*free)(struct hf *hf);
};

struct hf {
	atomic_int refs;
	void (*destroy)(struct hf *hf); /* called with the last reference */
	struct hf_log log;
	uint32_t flags; /* enum hf_option_flags */
	uint32_t node_wait_ms;
	struct hf_node_look look;	   /* of the scans */
	struct hf_node_names *nodes_there; /* only while nodes are checked later */
	struct hf_search_root *roots;
	unsigned int num_roots;
	struct hf_nl *nl HF_GUARDED_BY(hfi_netlink_kind);
	struct hf_fd_mark nl_socket HF_GUARDED_BY(hfi_netlink_kind);
	bool nl_tried HF_GUARDED_BY(hfi_netlink_kind);
	atomic_int uevents; /* do uevents arrive here? 1: yes, -1: no, 0: not known yet */

	/* Guards the table, the observers and the registry's lists; held for memory only. */
	pthread_mutex_t lock;
	/*
	 * The scan lock covers reading a root and updating the table: otherwise older values could
	 * replace newer ones. It is `scanning`, not a mutex. The scanner releases the netlink lock
	 * (`netlink_locked`) to other threads around a provider's code, which may take any time.
	 */
	pthread_cond_t scan_done;
	bool scanning HF_GUARDED_BY(hfi_hf_kind);
	bool scan_released HF_GUARDED_BY(hfi_hf_kind);
	bool netlink_locked HF_GUARDED_BY(hfi_hf_kind); /* not by a scan */
	pthread_t scanner HF_GUARDED_BY(hfi_hf_kind);

	struct hf_table table;
	struct hf_registry registry;
	struct hf_change_check *
		change_check HF_GUARDED_BY(hfi_netlink_kind); /* made by the first or second list */
	struct hf_observer *observers HF_GUARDED_BY(hfi_hf_kind);
	/* Freeing these would close descriptors that the program has closed and may have reused. */
	struct hf_nl *lost_nl;
	struct hf_change_check *lost_change_check;

	/* Descriptors ran out once: from then on none is kept open only for speed. */
	atomic_bool few_descriptors;

	bool revoke_wanted; /* revoke the contexts of removed devices */
	/* Both NULL until a device is opened whose removal is to revoke its contexts. */
	struct hf_revoker *revoker HF_GUARDED_BY(hfi_revoke_kind);
	const struct hf_revoker_ops *revoker_ops HF_GUARDED_BY(hfi_revoke_kind);
	pthread_mutex_t revoke_lock; /* guards the two above; taken before `lock` */

	struct hf *prev, *next; /* all contexts, for fork */
	unsigned int fork_count
		HF_GUARDED_BY(hfi_netlink_kind); /* the process that opened the sockets */
};

HF_ACQUIRE(hfi_hf_kind) HF_UNCHECKED_LOCKS static inline void hfi_hf_lock(struct hf *hf)
{
	pthread_mutex_lock(&hf->lock);
}

HF_RELEASE(hfi_hf_kind) HF_UNCHECKED_LOCKS static inline void hfi_hf_unlock(struct hf *hf)
{
	pthread_mutex_unlock(&hf->lock);
}

HF_ACQUIRE(hfi_revoke_kind) HF_UNCHECKED_LOCKS static inline void hfi_revoke_lock(struct hf *hf)
{
	hfi_cancel_block();
	pthread_mutex_lock(&hf->revoke_lock);
}

HF_RELEASE(hfi_revoke_kind) HF_UNCHECKED_LOCKS static inline void hfi_revoke_unlock(struct hf *hf)
{
	pthread_mutex_unlock(&hf->revoke_lock);
	hfi_cancel_unblock();
}

#endif
