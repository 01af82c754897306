/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* May devices have come or gone since it was last asked? For the list of devices, which asks each time. */
#ifndef HF_NOTIFY_CHANGE_CHECK_H
#define HF_NOTIFY_CHANGE_CHECK_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/base/log.h"
#include "core/base/root.h"

struct hf_change_check;

/*
 * It opens no inotify instance: closing one takes some 10 ms (Linux 6.18), at the end of the process
 * too, and a user has but 128. It compares stamps of the class directories instead, two system calls
 * per root that is not the kernel's, besides one for all of the kernel's notifications. `rdma`: RDMA
 * netlink may be used. The roots and the log must outlive it. -EMFILE, -ENFILE, -ENOMEM.
 */
int hfi_change_check_new(const struct hf_search_root *roots, unsigned int num_roots, bool rdma,
			 const struct hf_log *log, struct hf_change_check **ret) HF_MUST_CHECK
	HF_NONNULL_OF(4, 5);
void hfi_change_check_free(struct hf_change_check *check); /* NULL is none */

/* 1: look again, 0: nothing changed for certain, -errno: cannot tell, look again. */
int hfi_change_check_ask(struct hf_change_check *check) HF_MUST_CHECK HF_NONNULL;

/* Does it keep any open? */
bool hfi_change_check_has_descriptors(const struct hf_change_check *check) HF_MUST_CHECK HF_NONNULL;

/* False where the program has closed its socket. */
bool hfi_change_check_is_open(const struct hf_change_check *check) HF_NONNULL;

#endif
