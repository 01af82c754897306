/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Tells whether devices may have come or gone since the previous call. Each list of devices calls
 * it.
 */
#ifndef HF_NOTIFY_CHANGE_CHECK_H
#define HF_NOTIFY_CHANGE_CHECK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/base/log.h"
#include "core/base/root.h"

struct hf_change_check;

/*
 * Opens no inotify instance: closing one takes some 10 ms (Linux 6.18), at process exit too, and a
 * user has only 128. Instead it compares time stamps of the class directories: two system calls for
 * each root that is not the kernel's, and one for all of the kernel's notifications. `rdma`: RDMA
 * netlink may be used. The roots and the log must outlive it. -EMFILE, -ENFILE, -ENOMEM.
 */
int hfi_change_check_new(const struct hf_search_root *roots, unsigned int num_roots, bool rdma,
			 const struct hf_log *log, struct hf_change_check **ret) HF_MUST_CHECK
	HF_NONNULL_OF(4, 5);
void hfi_change_check_free(struct hf_change_check *check); /* may be NULL */

/* 1: scan, 0: certainly nothing changed, -errno: unknown, so scan. */
int hfi_change_check_ask(struct hf_change_check *check) HF_MUST_CHECK HF_NONNULL;

/* True if it keeps descriptors open. */
bool hfi_change_check_has_descriptors(const struct hf_change_check *check) HF_MUST_CHECK HF_NONNULL;

/* False if the program has closed its socket. */
bool hfi_change_check_is_open(const struct hf_change_check *check) HF_NONNULL;

#endif
