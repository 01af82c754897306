/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The scan lock and the netlink lock. */
#include <errno.h>
#include <string.h>

#include "shared/file.h"
#include "core/base/process.h"
#include "core/device/hf.h"
#include "core/device/node_names.h"
#include "core/device/scan_lock.h"
#include "core/device/spare_descriptors.h"
#include "core/discovery/netlink.h"
#include "core/notify/change_check.h"

/* Drops sockets that were inherited across a fork or closed by the program. */
HF_REQUIRES(hfi_netlink_kind)
static void renew_sockets(struct hf *hf)
{
	hfi_forget_closed(hf);
	if (hf->fork_count == hfi_fork_count())
		return;
	/* The child shares the sockets: what it read would be missing in the parent. */
	hfi_change_check_free(hf->change_check);
	hf->change_check = NULL;
	hf->nl = hfi_nl_close(hf->nl);
	hf->nl_tried = false;
	hf->table.complete = false;
	hf->fork_count = hfi_fork_count();
}

HF_REQUIRES(hfi_hf_kind)
static bool is_scanner(const struct hf *hf)
{
	return hf->scanning && pthread_equal(hf->scanner, pthread_self());
}

HF_TRY_ACQUIRE(hfi_scan_kind, hfi_netlink_kind)
static bool acquire_scan_lock(struct hf *hf, bool at_once)
{
	bool mine;

	hfi_cancel_block();
	hfi_hf_lock(hf);
	mine = !is_scanner(hf) && !(at_once && hf->scan_released);
	while (mine && (hf->scanning || hf->netlink_locked)) {
		pthread_cond_wait(&hf->scan_done, &hf->lock);
		mine = !(at_once && hf->scan_released);
	}
	if (mine) {
		hf->scanning = true;
		hf->scanner = pthread_self();
		hfi_log_hold();
	}
	hfi_hf_unlock(hf);
	if (mine)
		renew_sockets(hf);
	else
		hfi_cancel_unblock();
	return mine;
}

bool hfi_scan_begin(struct hf *hf)
{
	return acquire_scan_lock(hf, false);
}

bool hfi_scan_try_begin(struct hf *hf)
{
	return acquire_scan_lock(hf, true);
}

/* The locks it releases are not mutexes. */
HF_UNCHECKED_LOCKS
void hfi_scan_end(struct hf *hf)
{
	hfi_hf_lock(hf);
	hf->scanning = false;
	pthread_cond_broadcast(&hf->scan_done);
	hfi_hf_unlock(hf);
	hfi_cancel_unblock();
	hfi_log_release();
}

/*
 * With hf->lock held. Does not wait for a scanner that has released: it does not change the table
 * meanwhile.
 */
HF_REQUIRES(hfi_hf_kind)
static void wait_for_netlink_lock(struct hf *hf)
{
	while (hf->netlink_locked || (hf->scanning && !hf->scan_released && !is_scanner(hf)))
		pthread_cond_wait(&hf->scan_done, &hf->lock);
	hf->netlink_locked = true;
}

bool hfi_netlink_lock(struct hf *hf)
{
	bool mine;

	hfi_cancel_block();
	hfi_hf_lock(hf);
	/* A provider that calls from within a scan gets no netlink. */
	mine = !is_scanner(hf);
	if (mine) {
		wait_for_netlink_lock(hf);
		hfi_log_hold();
	}
	hfi_hf_unlock(hf);
	if (mine)
		renew_sockets(hf);
	else
		hfi_cancel_unblock();
	return mine;
}

/* The locks it releases are not mutexes. */
HF_UNCHECKED_LOCKS
void hfi_netlink_unlock(struct hf *hf)
{
	hfi_hf_lock(hf);
	hf->netlink_locked = false;
	pthread_cond_broadcast(&hf->scan_done);
	hfi_hf_unlock(hf);
	hfi_cancel_unblock();
	hfi_log_release();
}

bool hfi_scan_release(struct hf *hf)
{
	bool released;

	hfi_hf_lock(hf);
	released = is_scanner(hf) && !hf->scan_released;
	if (released) {
		hf->scan_released = true;
		pthread_cond_broadcast(&hf->scan_done);
	}
	hfi_hf_unlock(hf);
	return released;
}

void hfi_scan_reacquire(struct hf *hf, bool released)
{
	if (!released)
		return;
	hfi_hf_lock(hf);
	while (hf->netlink_locked)
		pthread_cond_wait(&hf->scan_done, &hf->lock);
	hf->scan_released = false;
	hfi_hf_unlock(hf);
}

void hfi_scan_lock_before_fork(struct hf *hf)
{
	hfi_hf_lock(hf);
	wait_for_netlink_lock(hf);
	hfi_hf_unlock(hf);
}

void hfi_scan_lock_in_parent(struct hf *hf)
{
	hf->netlink_locked = false;
	pthread_cond_broadcast(&hf->scan_done);
}

void hfi_scan_lock_in_child(struct hf *hf)
{
	hf->netlink_locked = false;
	/* A scan by another thread of the parent never ends in the child. */
	if (hf->scanning && !is_scanner(hf)) {
		hf->scanning = false;
		hf->scan_released = false;
		/* This process's copies of what the other thread had opened and read, and its way of scanning. */
		hfi_close(&hf->look.dir);
		hfi_node_names_free(hf->nodes_there);
		hf->nodes_there = NULL;
		hf->table.nodes_later = false;
	}
	/* Its waiters are threads of the parent. */
	memset(&hf->scan_done, 0, sizeof(hf->scan_done));
	pthread_cond_init(&hf->scan_done, NULL);
}
