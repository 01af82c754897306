/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Route netlink's notifications: network interfaces and their addresses. */
#ifndef HF_NOTIFY_ROUTE_NETLINK_H
#define HF_NOTIFY_ROUTE_NETLINK_H

#include <stddef.h>

#include "shared/attr.h"
#include "core/notify/hint.h"

struct hf_netlink_source;

/* As hfi_netlink_source_open(). */
int hfi_route_open(size_t receive_buffer, struct hf_netlink_source **ret) HF_MUST_CHECK HF_NONNULL;

/*
 * 1 and a hint, 0 if the message is irrelevant, -EINVAL if it is malformed. `message` is the bytes
 * of one nlmsghdr.
 */
int hfi_route_parse(const void *message, size_t size, struct hf_hint *ret) HF_MUST_CHECK HF_NONNULL;

#endif
