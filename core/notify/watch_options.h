/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a watch is to listen to. */
#ifndef HF_NOTIFY_WATCH_OPTIONS_H
#define HF_NOTIFY_WATCH_OPTIONS_H

#include <stddef.h>
#include <stdint.h>

#include "core/base/log.h"
#include "core/base/root.h"

enum hf_watch_flags {
	HF_WATCH_ATTRIBUTES = 1 << 0, /* also ports, GIDs and network interfaces */
	HF_WATCH_READINESS = 1 << 1,  /* also device nodes and provider directories */
	HF_WATCH_NO_SOCKETS = 1 << 2, /* poll once per second, open no notification sockets */
	HF_WATCH_NO_RDMA = 1 << 3,    /* no RDMA netlink */
	HF_WATCH_NO_TIMER = 1 << 4,   /* no timers: never poll, see hfi_watch_blind() */
	HF_WATCH_NO_INOTIFY = 1 << 5, /* the kernel's notifications only */
};

struct hf_watch_options {
	const struct hf_search_root *roots; /* must outlive the watch */
	unsigned int num_roots;
	const char *const *provider_dirs; /* NULL-terminated, or NULL; must outlive the watch */
	uint32_t flags;			  /* enum hf_watch_flags */
	size_t receive_buffer;		  /* bytes; 0: default */
	const struct hf_log *log;
};

#endif
