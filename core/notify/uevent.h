/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The kernel's uevents, read through libudev; no udevd is needed. */
#ifndef HF_NOTIFY_UEVENT_H
#define HF_NOTIFY_UEVENT_H

#include <stddef.h>

#include "shared/attr.h"
#include "core/base/log.h"
#include "core/notify/hint.h"

struct hf_uevent;

/* -ELIBACC without libudev, or -errno. */
int hfi_uevent_open(size_t receive_buffer, const struct hf_log *log,
		    struct hf_uevent **ret) HF_MUST_CHECK HF_NONNULL;
/* Closes its descriptor; no other effect. */
void hfi_uevent_close(struct hf_uevent *uevent) HF_NONNULL;
int hfi_uevent_fd(const struct hf_uevent *uevent) HF_NONNULL;

/* Reads what is available and passes the hints to the sink. */
void hfi_uevent_drain(struct hf_uevent *uevent, const struct hf_hint_sink *sink) HF_NONNULL;

#endif
