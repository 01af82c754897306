/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Completion queues, as the other files of this directory use them. */
#ifndef HF_VERBS_CQ_H
#define HF_VERBS_CQ_H

#include <infiniband/verbs.h>

/* What programs call through verbs_context.create_cq_ex, around the provider's operation. */
struct ibv_cq_ex *hfi_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr);

#endif
