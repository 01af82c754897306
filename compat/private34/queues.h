/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: declarations for queues: cq.c, srq.c, qp.c and post.c. */
#ifndef HF_COMPAT_PRIVATE34_QUEUES_H
#define HF_COMPAT_PRIVATE34_QUEUES_H

#include <assert.h>

#include "compat/private34/private34.h"

/* The core parts have the sizes that providers of private ABI 34 were built with. */
static_assert(HF_FRAME(struct ib_uverbs_create_cq) == 40, "struct ibv_create_cq");
static_assert(HF_FRAME_EX(struct ib_uverbs_ex_create_cq) == 56, "struct ibv_create_cq_ex");
static_assert(HF_FRAME(struct ib_uverbs_resize_cq) == 24, "struct ibv_resize_cq");
static_assert(HF_FRAME_EX(struct ib_uverbs_ex_modify_cq) == 40, "struct ibv_modify_cq");
static_assert(HF_FRAME(struct ib_uverbs_create_srq) == 40, "struct ibv_create_srq");
static_assert(HF_FRAME(struct ib_uverbs_create_xsrq) == 56, "struct ibv_create_xsrq");
static_assert(HF_FRAME(struct ib_uverbs_modify_srq) == 24, "struct ibv_modify_srq");
static_assert(HF_FRAME(struct ib_uverbs_query_srq) == 24, "struct ibv_query_srq");
static_assert(HF_FRAME(struct ib_uverbs_create_qp) == 64, "struct ibv_create_qp");
static_assert(HF_FRAME_EX(struct ib_uverbs_ex_create_qp) == 88, "struct ibv_create_qp_ex");
static_assert(HF_FRAME(struct ib_uverbs_open_qp) == 40, "struct ibv_open_qp");
static_assert(HF_FRAME(struct ib_uverbs_modify_qp) == 120, "struct ibv_modify_qp");
static_assert(HF_FRAME_EX(struct ib_uverbs_ex_modify_qp) == 144, "struct ibv_modify_qp_ex");
static_assert(HF_FRAME(struct ib_uverbs_query_qp) == 24, "struct ibv_query_qp");

/* `cmd` is void *: the command structs are in headers of rdma-core that it does not install. */
int ibv_cmd_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
		      int comp_vector, struct ibv_cq *cq, void *cmd, size_t cmd_size,
		      struct ib_uverbs_create_cq_resp *resp, size_t resp_size);
int ibv_cmd_create_cq_ex(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			 struct verbs_cq *cq, void *cmd, size_t cmd_size,
			 struct ib_uverbs_ex_create_cq_resp *resp, size_t resp_size,
			 uint32_t cmd_flags);
int ibv_cmd_create_cq_ex2(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			  struct verbs_cq *cq, void *cmd, size_t cmd_size,
			  struct ib_uverbs_ex_create_cq_resp *resp, size_t resp_size,
			  uint32_t cmd_flags, struct ibv_command_buffer *link);
/* Under all nodes. */
int hfi_create_cq_ex_command(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			     struct verbs_cq *cq, const struct hf_frame *frame, uint32_t cmd_flags,
			     struct ibv_command_buffer *link);
int ibv_cmd_resize_cq(struct ibv_cq *cq, int cqe, void *cmd, size_t cmd_size,
		      struct ib_uverbs_resize_cq_resp *resp, size_t resp_size);
int ibv_cmd_modify_cq(struct ibv_cq *cq, struct ibv_modify_cq_attr *attr, void *cmd,
		      size_t cmd_size);
int ibv_cmd_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc);
int ibv_cmd_req_notify_cq(struct ibv_cq *cq, int solicited_only);
int ibv_cmd_destroy_cq(struct ibv_cq *cq);
void verbs_init_cq(struct ibv_cq *cq, struct ibv_context *context, struct ibv_comp_channel *channel,
		   void *cq_context);

int ibv_cmd_create_srq(struct ibv_pd *pd, struct ibv_srq *srq, struct ibv_srq_init_attr *attr,
		       void *cmd, size_t cmd_size, struct ib_uverbs_create_srq_resp *resp,
		       size_t resp_size);
int ibv_cmd_create_srq_ex(struct ibv_context *context, struct verbs_srq *srq,
			  struct ibv_srq_init_attr_ex *attr, void *cmd, size_t cmd_size,
			  struct ib_uverbs_create_srq_resp *resp, size_t resp_size);
int ibv_cmd_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int attr_mask, void *cmd,
		       size_t cmd_size);
int ibv_cmd_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, void *cmd, size_t cmd_size);
int ibv_cmd_destroy_srq(struct ibv_srq *srq);

int ibv_cmd_create_qp(struct ibv_pd *pd, struct ibv_qp *qp, struct ibv_qp_init_attr *attr,
		      void *cmd, size_t cmd_size, struct ib_uverbs_create_qp_resp *resp,
		      size_t resp_size);
int ibv_cmd_create_qp_ex(struct ibv_context *context, struct verbs_qp *qp,
			 struct ibv_qp_init_attr_ex *attr, void *cmd, size_t cmd_size,
			 struct ib_uverbs_create_qp_resp *resp, size_t resp_size);
int ibv_cmd_create_qp_ex2(struct ibv_context *context, struct verbs_qp *qp,
			  struct ibv_qp_init_attr_ex *attr, void *cmd, size_t cmd_size,
			  struct ib_uverbs_ex_create_qp_resp *resp, size_t resp_size);
/* Under all nodes. */
int hfi_create_qp_ex_command(struct ibv_context *context, struct verbs_qp *qp,
			     struct ibv_qp_init_attr_ex *attr, const struct hf_frame *frame,
			     struct ibv_command_buffer *link);
int ibv_cmd_open_qp(struct ibv_context *context, struct verbs_qp *qp, int qp_size,
		    struct ibv_qp_open_attr *attr, void *cmd, size_t cmd_size,
		    struct ib_uverbs_create_qp_resp *resp, size_t resp_size);
int ibv_cmd_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask, void *cmd,
		      size_t cmd_size);
int ibv_cmd_modify_qp_ex(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask, void *cmd,
			 size_t cmd_size, struct ib_uverbs_ex_modify_qp_resp *resp,
			 size_t resp_size);
int ibv_cmd_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
		     struct ibv_qp_init_attr *init_attr, void *cmd, size_t cmd_size);
int ibv_cmd_destroy_qp(struct ibv_qp *qp);

int ibv_cmd_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int ibv_cmd_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int ibv_cmd_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);

#endif
