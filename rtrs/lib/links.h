/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The links of a session or service, each opened when an address asks for it. */
#ifndef RTRS_LIB_LINKS_H
#define RTRS_LIB_LINKS_H

#include <stdbool.h>

#include "rtrs/lib/address.h"
#include "rtrs/lib/wait.h"
#include "rtrs/link/link.h"
#include "shared/attr.h"

struct rtrs_links {
	struct rtrs_link *open[RTRS_LINK_TYPES];
};

/* -EOPNOTSUPP: support for RDMA is not installed; -ENOENT: the kernel has none; or another -errno. */
int rtrsi_links_get(struct rtrs_links *links, enum rtrs_link_type type, struct rtrs_wait *wait,
		    struct rtrs_link **ret) HF_MUST_CHECK HF_NONNULL;
void rtrsi_links_close(struct rtrs_links *links) HF_NONNULL;
/* As hold() and release() of struct rtrs_link_ops, for all of them. */
void rtrsi_links_hold(const struct rtrs_links *links) HF_NONNULL;
bool rtrsi_links_release(const struct rtrs_links *links) HF_MUST_CHECK HF_NONNULL;
/* 1: *ret is the next event of any of them. */
int rtrsi_links_next(const struct rtrs_links *links,
		     struct rtrs_link_event *ret) HF_MUST_CHECK HF_NONNULL;

#endif
