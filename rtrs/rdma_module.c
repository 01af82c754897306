/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The functions that librtrs loads from the library with the link of verbs: for both connection managers. */
#include "rtrs/link/rdma/rdma.h"

/* For dlsym() alone, so no header declares them. */
HF_EXPORT int rtrsi_rdma_module(struct rtrs_link **ret);
HF_EXPORT int rtrsi_soft_module(struct rtrs_link **ret);

int rtrsi_rdma_module(struct rtrs_link **ret)
{
	return rtrsi_rdma_open(ret);
}

int rtrsi_soft_module(struct rtrs_link **ret)
{
	return rtrsi_rdma_open_over_tcp(ret);
}
