/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The descriptors that are kept open between lists: the netlink socket, and what tells of changes. */
#ifndef HF_DEVICE_SPARE_DESCRIPTORS_H
#define HF_DEVICE_SPARE_DESCRIPTORS_H

#include <stdbool.h>

#include "shared/attr.h"
#include "core/base/thread_safety.h"

struct hf;

/*
 * After a failure with `err` that changed nothing: if descriptors are short, closes those that are
 * kept open to make later lists fast. True if it is worth trying again.
 */
bool hfi_give_up_spare(struct hf *hf, int err) HF_MUST_CHECK;

/*
 * With the netlink lock, or while a context is destroyed: forgets sockets that the program closed.
 */
void hfi_forget_closed(struct hf *hf) HF_NONNULL HF_REQUIRES(hfi_netlink_kind);

#endif
