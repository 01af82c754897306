/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tries a library on a device that does not exist. */
#ifndef HF_DEVICE_TRIAL_H
#define HF_DEVICE_TRIAL_H

#include <holdfast-provider/objects.h>

/*
 * Lets the library create a device object for its first match entry and free it. A damaged library
 * may load and still not work: call this where a crash harms nobody.
 */
void hfi_trial_run(const struct verbs_device_ops *ops);

#endif
