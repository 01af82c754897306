/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The parsers of RDMA netlink's replies. */
#ifndef HF_DISCOVERY_NETLINK_PARSE_H
#define HF_DISCOVERY_NETLINK_PARSE_H

#include <stddef.h>

#include "shared/attr.h"
#include "core/discovery/netlink.h"

/* The parsers of replies: `message` is one nlmsghdr's bytes. */
/* -EILSEQ for a device whose name cannot be one, -EBADMSG for what is no device at all. */
int hfi_nl_parse_device(const void *message, size_t size,
			struct hf_nl_device *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_nl_parse_chardev(const void *message, size_t size,
			 struct hf_nl_chardev *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_nl_parse_port(const void *message, size_t size,
		      struct hf_nl_port *ret) HF_MUST_CHECK HF_NONNULL;
int hfi_nl_parse_exclusive(const void *message, size_t size) HF_MUST_CHECK HF_NONNULL;
int hfi_nl_parse_copy_on_fork(const void *message, size_t size) HF_MUST_CHECK HF_NONNULL;

#endif
