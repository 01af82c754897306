/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_NOTIFY_CHANGE_CHECK_H
#define HF_NOTIFY_CHANGE_CHECK_H

#include "core/device/hf.h"

/*
 * Listens for devices that come and go and for nothing else. With a root: for waiting, and then only
 * for devices of that root. Without: for the list of devices, which asks each time. That one opens
 * no inotify instance: closing one takes some 10 ms (Linux 6.18), at the end of the process too, and
 * a user has but 128. It compares stamps of the class directories instead, two system calls per root
 * that is not the kernel's, besides one for all of the kernel's notifications.
 */
int hfi_notifier_new(struct hf *hf, const struct hf_search_root *root, struct hf_notifier **ret);

#endif
