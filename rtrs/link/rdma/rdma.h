/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The link over verbs and the kernel's connection manager. */
#ifndef RTRS_LINK_RDMA_RDMA_H
#define RTRS_LINK_RDMA_RDMA_H

#include "rtrs/link/link.h"
#include "shared/attr.h"

/* -ENOENT: the kernel has no connection manager here (module rdma_ucm). */
int rtrsi_rdma_open(struct rtrs_link **ret) HF_MUST_CHECK HF_NONNULL;

#endif
