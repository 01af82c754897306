/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#ifndef HF_HOTPLUG_NOTIFIER_H
#define HF_HOTPLUG_NOTIFIER_H

#include "core/device/hf.h"

/*
 * For the list of devices: listens for devices and nothing else. With nothing pending its `changed`
 * makes one system call. Used within scans only.
 */
int hf_notifier_new(struct hf *hf, struct hf_notifier **ret);

#endif
