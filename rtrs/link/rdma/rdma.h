/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The link over verbs, with a connection manager. */
#ifndef RTRS_LINK_RDMA_RDMA_H
#define RTRS_LINK_RDMA_RDMA_H

#include "rtrs/link/link.h"
#include "shared/attr.h"

/* With the kernel's. -ENOENT: the kernel has no connection manager here (module rdma_ucm). */
int rtrsi_rdma_open(struct rtrs_link **ret) HF_MUST_CHECK HF_NONNULL;
/* With one over TCP, for devices that the kernel does not know. */
int rtrsi_rdma_open_over_tcp(struct rtrs_link **ret) HF_MUST_CHECK HF_NONNULL;

#endif
