/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A netlink socket that joins groups and parses each message. */
#ifndef HF_NOTIFY_NETLINK_H
#define HF_NOTIFY_NETLINK_H

#include <stdbool.h>
#include <stddef.h>
#include <libmnl/libmnl.h>

#include "shared/attr.h"
#include "core/notify/hint.h"

/* See the parsers of rdma_netlink.h and route_netlink.h. */
typedef int (*hf_parse_fn)(const void *message, size_t size, struct hf_hint *ret);

struct hf_netlink_source;

/* `groups` ends with 0. -errno. */
int hfi_netlink_source_open(int bus, const unsigned int *groups, size_t receive_buffer,
			    hf_parse_fn parse,
			    struct hf_netlink_source **ret) HF_MUST_CHECK HF_NONNULL;
/* Closes its descriptor; no other effect. */
void hfi_netlink_source_close(struct hf_netlink_source *source) HF_NONNULL;
/*
 * For one whose descriptor the program closed: does not touch that number or libmnl's socket
 * object.
 */
void hfi_netlink_source_lost(struct hf_netlink_source *source) HF_NONNULL;
int hfi_netlink_source_fd(const struct hf_netlink_source *source) HF_NONNULL;

/* Reads what is available and passes the hints to the sink. */
void hfi_netlink_source_drain(struct hf_netlink_source *source,
			      const struct hf_hint_sink *sink) HF_NONNULL;

/* Sets the size of the receive buffer, beyond the system's limit if permitted. */
void hfi_set_receive_buffer(int fd, size_t size);

/*
 * True if `attr` is complete within its message. mnl_attr_for_each() reads beyond the end of a
 * message whose length is not a multiple of 4.
 */
static inline bool hfi_attr_within(const struct nlattr *attr, const struct nlmsghdr *header)
{
	return mnl_attr_ok(attr,
			   (int)((const char *)header + header->nlmsg_len - (const char *)attr));
}

#endif
