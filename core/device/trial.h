/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A device that does not exist, to try a library on. */
#ifndef HF_DEVICE_TRIAL_H
#define HF_DEVICE_TRIAL_H

#include <holdfast-provider/objects.h>

/*
 * Has the library make a device object, as for a device that its first entry matches, and give it back.
 * A library that was damaged may load and yet not work: to be called where a crash harms nobody.
 */
void hfi_trial_run(const struct verbs_device_ops *ops);

#endif
