/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where notifications come from: inside the watch only. */
#ifndef HF_NOTIFY_SOURCE_H
#define HF_NOTIFY_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <libmnl/libmnl.h>

#include "core/notify/hint.h"
#include "core/notify/watch.h"

/* One drain reads no more than this from a source: a flood must not keep a caller for ever. */
enum { HF_DRAIN_MAX = 4096 };

/* Takes a hint; never fails, since running out of room turns into HF_HINT_LOST. */
void hfi_watch_push(struct hf_watch *watch, const struct hf_hint *hint);

/* Each opens to NULL and -errno, drains what is there, and closes nothing but its descriptors. */
struct hf_uevent;
int hfi_uevent_open(size_t receive_buffer, const struct hf_log *log, struct hf_uevent **ret);
int hfi_uevent_fd(const struct hf_uevent *uevent);
void hfi_uevent_drain(struct hf_uevent *uevent, struct hf_watch *watch);
void hfi_uevent_close(struct hf_uevent *uevent);

typedef int (*hf_parse_fn)(const void *message, size_t size, struct hf_hint *ret);

struct hf_netlink_source;
int hfi_netlink_source_open(int bus, const unsigned int *groups, size_t receive_buffer,
			    hf_parse_fn parse, struct hf_netlink_source **ret);
int hfi_netlink_source_fd(const struct hf_netlink_source *source);
void hfi_netlink_source_drain(struct hf_netlink_source *source, struct hf_watch *watch);
void hfi_netlink_source_close(struct hf_netlink_source *source);

/*
 * Is `attr` whole within its message? mnl_attr_for_each() looks beyond the end of a message whose
 * length is no multiple of 4.
 */
static inline bool hf_attr_within(const struct nlattr *attr, const struct nlmsghdr *header)
{
	return mnl_attr_ok(attr,
			   (int)((const char *)header + header->nlmsg_len - (const char *)attr));
}

int hfi_rdma_notify_open(size_t receive_buffer, struct hf_netlink_source **ret);
int hfi_route_open(size_t receive_buffer, struct hf_netlink_source **ret);

/* Asks for a receive buffer of that size, beyond the system's limit where that is permitted. */
void hfi_set_receive_buffer(int fd, size_t size);

struct hf_inotify;
int hfi_inotify_open(const struct hf_watch_options *options, struct hf_watch *watch,
		     struct hf_inotify **ret);
int hfi_inotify_fd(const struct hf_inotify *inotify);
void hfi_inotify_drain(struct hf_inotify *inotify);
void hfi_inotify_close(struct hf_inotify *inotify);
/* Is there something that it could not watch? Then somebody has to look now and then. */
bool hfi_inotify_blind(const struct hf_inotify *inotify);
bool hfi_inotify_readiness_blind(const struct hf_inotify *inotify);

#endif
