/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the core offers providers for queues: completion queues, shared receive queues and queue
 * pairs. Included by provider.h, which declares struct hf_driver_data and the return convention: 0
 * or a positive errno value; attributes stay unchanged on failure, and an object whose creation
 * failed may be freed at once.
 *
 * `data` is what the provider and its kernel driver exchange in addition to the command; it may be
 * NULL. The kernel stores the object's address and returns it with events, so an object must not
 * move.
 *
 * Destroying waits until the program has acknowledged every event that it read about the object,
 * and always succeeds on a device that is gone: the kernel has already released the object. Calls
 * exist since ABI 1 unless their comment says otherwise.
 */
#ifndef HOLDFAST_PROVIDER_QUEUES_H
#define HOLDFAST_PROVIDER_QUEUES_H

#include <holdfast-provider/objects.h>

#ifdef __cplusplus
extern "C" {
#endif

struct hf_driver_data;

/* Flags of hf_provider_create_cq_ex(). */
enum {
	/* Older kernel drivers ignored the timestamp flag. No effect since Linux 5.0. */
	HF_CREATE_CQ_TS_IGNORED = 1 << 0,
};

/*
 * Creates a CQ; fills context, handle and cqe (the size that the kernel driver chose). The core
 * fills the other public members after the create_cq operation. Since ABI 1.
 */
int hf_provider_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
			  int comp_vector, struct ibv_cq *cq, const struct hf_driver_data *data);

/*
 * The same with the extended attributes: completion timestamps and IGNORE_OVERRUN are passed to the
 * kernel, EOPNOTSUPP for unknown ones. The provider fills the callbacks of cq->cq_ex. Since ABI 1.
 */
int hf_provider_create_cq_ex(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			     struct verbs_cq *cq, const struct hf_driver_data *data,
			     uint32_t cmd_flags);

/*
 * Fills the public members of a CQ and takes a reference on the channel. The core does this for
 * every CQ that create_cq and create_cq_ex return; call it only for a CQ that is created in another
 * way. Since ABI 1.
 */
void hf_provider_init_cq(struct ibv_cq *cq, struct ibv_context *context,
			 struct ibv_comp_channel *channel, void *cq_context);

/* Fills cq->cqe with the new size. Since ABI 1. */
int hf_provider_resize_cq(struct ibv_cq *cq, int cqe, const struct hf_driver_data *data);

/* Sets completion moderation. Since ABI 1. */
int hf_provider_modify_cq(struct ibv_cq *cq, const struct ibv_modify_cq_attr *attr,
			  const struct hf_driver_data *data);

/*
 * Polls a CQ that the kernel keeps: returns the number of completions written to wc, or a negative
 * value. Can be the operation of drivers whose queues are not mapped. Since ABI 1.
 */
int hf_provider_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc);

/* Makes the kernel arm the CQ. Since ABI 1. */
int hf_provider_req_notify_cq(struct ibv_cq *cq, int solicited_only);

int hf_provider_destroy_cq(struct ibv_cq *cq);

/*
 * Creates an SRQ; fills context, srq_context, pd, handle and the event counts with their lock, and
 * sets *attr to the sizes that the kernel driver chose. Since ABI 1.
 */
int hf_provider_create_srq(struct ibv_pd *pd, struct ibv_srq *srq, struct ibv_srq_init_attr *attr,
			   const struct hf_driver_data *data);

/* The same for every type of SRQ; also fills srq_type, srq_num, xrcd and cq. Since ABI 1. */
int hf_provider_create_srq_ex(struct ibv_context *context, struct verbs_srq *srq,
			      struct ibv_srq_init_attr_ex *attr, const struct hf_driver_data *data);

int hf_provider_modify_srq(struct ibv_srq *srq, const struct ibv_srq_attr *attr, int attr_mask,
			   const struct hf_driver_data *data);
int hf_provider_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr,
			  const struct hf_driver_data *data);
int hf_provider_destroy_srq(struct ibv_srq *srq);

/*
 * Prepares an SRQ that the kernel does not know, like hf_provider_create_srq() before its command.
 */
void hf_provider_init_srq(struct ibv_srq *srq, struct ibv_context *context, struct ibv_pd *pd,
			  void *srq_context);

/*
 * Creates a QP; fills context, qp_context, pd, send_cq, recv_cq, srq, qp_type, handle, qp_num,
 * state (RESET) and the event counts with their lock, and sets attr->cap to the sizes that the
 * kernel driver chose. Since ABI 1.
 */
int hf_provider_create_qp(struct ibv_pd *pd, struct ibv_qp *qp, struct ibv_qp_init_attr *attr,
			  const struct hf_driver_data *data);

/*
 * The same with the extended attributes. Attributes that only a kernel driver understands (RX_HASH
 * and MAX_TSO_HEADER, but not IND_TABLE) are passed in `data`. Fills comp_mask, and xrcd for a QP
 * of type XRC_RECV. Since ABI 1.
 */
int hf_provider_create_qp_ex(struct ibv_context *context, struct verbs_qp *qp,
			     struct ibv_qp_init_attr_ex *attr, const struct hf_driver_data *data);

/* Opens the receiving side of an XRC connection that another process created. Since ABI 1. */
int hf_provider_open_qp(struct ibv_context *context, struct verbs_qp *qp,
			struct ibv_qp_open_attr *attr, const struct hf_driver_data *data);

/*
 * Supports every attribute except RATE_LIMIT, for which it returns EOPNOTSUPP. The core keeps
 * qp->state. Since ABI 1.
 */
int hf_provider_modify_qp(struct ibv_qp *qp, const struct ibv_qp_attr *attr, int attr_mask,
			  const struct hf_driver_data *data);

/* Supports every attribute; before Linux 5.12 some kernel drivers lack it. Since ABI 1. */
int hf_provider_modify_qp_ex(struct ibv_qp *qp, const struct ibv_qp_attr *attr, int attr_mask,
			     const struct hf_driver_data *data);

int hf_provider_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
			 struct ibv_qp_init_attr *init_attr, const struct hf_driver_data *data);
int hf_provider_destroy_qp(struct ibv_qp *qp);

/* Prepares a QP that the kernel does not know, like hf_provider_create_qp() before its command. */
void hf_provider_init_qp(struct ibv_qp *qp, struct ibv_context *context,
			 const struct ibv_qp_init_attr *attr, struct ibv_pd *pd);

/*
 * Post through the kernel, for drivers whose queues are not mapped, or to notify the kernel of
 * requests in the queue: an empty list (NULL) is sent as such. *bad gets the first request that was
 * not posted. Since ABI 1.
 */
int hf_provider_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int hf_provider_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int hf_provider_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr,
			      struct ibv_recv_wr **bad);

#ifdef __cplusplus
}
#endif

#endif
