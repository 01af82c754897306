/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What the core offers providers for queues: completion queues, shared receive queues and queue
 * pairs. Included by provider.h, where struct hf_driver_data and the return convention stand: 0 or a
 * positive errno value; attributes stay as they were on failure, and an object whose creation failed
 * may be freed at once.
 *
 * `data` is what the provider and its kernel driver say to each other beside the command; it may be
 * NULL. The kernel keeps the object's address and returns it with events, so an object must not move.
 *
 * Destroying waits until the program acknowledged every event that it was given about the object, and
 * always succeeds on a device that is gone: the kernel let go of the object already. Calls of which
 * nothing else is said are there since ABI 1.
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
	/* The kernel driver of old did not look at the timestamp flag: of no effect with Linux 5.0. */
	HF_CREATE_CQ_TS_IGNORED = 1 << 0,
};

/*
 * Creates a CQ; fills context, handle and cqe (what the kernel driver made of it). What programs see
 * besides is filled when the create_cq operation has returned. Since ABI 1.
 */
int hf_provider_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
			  int comp_vector, struct ibv_cq *cq, const struct hf_driver_data *data);

/*
 * The same from the extended attributes: completion timestamps and IGNORE_OVERRUN are told the
 * kernel, EOPNOTSUPP for what is unknown. The callbacks of cq->cq_ex are the provider's to fill.
 * Since ABI 1.
 */
int hf_provider_create_cq_ex(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
			     struct verbs_cq *cq, const struct hf_driver_data *data,
			     uint32_t cmd_flags);

/*
 * Fills the part of a CQ that programs see and takes a reference on the channel. The core does it for
 * every CQ that create_cq and create_cq_ex return: only for a CQ that is made otherwise. Since ABI 1.
 */
void hf_provider_init_cq(struct ibv_cq *cq, struct ibv_context *context,
			 struct ibv_comp_channel *channel, void *cq_context);

/* Fills cq->cqe with the new size. Since ABI 1. */
int hf_provider_resize_cq(struct ibv_cq *cq, int cqe, const struct hf_driver_data *data);

/* Moderation. Since ABI 1. */
int hf_provider_modify_cq(struct ibv_cq *cq, const struct ibv_modify_cq_attr *attr,
			  const struct hf_driver_data *data);

/*
 * Polls a CQ which the kernel keeps: the number of completions written to wc, or a negative value.
 * As an operation it serves drivers whose queues are not mapped. Since ABI 1.
 */
int hf_provider_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc);

/* Has the kernel arm the CQ. Since ABI 1. */
int hf_provider_req_notify_cq(struct ibv_cq *cq, int solicited_only);

int hf_provider_destroy_cq(struct ibv_cq *cq);

/*
 * Creates an SRQ; fills context, srq_context, pd, handle and what waits for events, and in *attr the
 * sizes that the kernel driver made of those asked for. Since ABI 1.
 */
int hf_provider_create_srq(struct ibv_pd *pd, struct ibv_srq *srq, struct ibv_srq_init_attr *attr,
			   const struct hf_driver_data *data);

/* The same for every type of SRQ; fills srq_type, srq_num, xrcd and cq as well. Since ABI 1. */
int hf_provider_create_srq_ex(struct ibv_context *context, struct verbs_srq *srq,
			      struct ibv_srq_init_attr_ex *attr, const struct hf_driver_data *data);

int hf_provider_modify_srq(struct ibv_srq *srq, const struct ibv_srq_attr *attr, int attr_mask,
			   const struct hf_driver_data *data);
int hf_provider_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr,
			  const struct hf_driver_data *data);
int hf_provider_destroy_srq(struct ibv_srq *srq);

/* What hf_provider_create_srq() does to an SRQ before the command, for one the kernel does not know. */
void hf_provider_init_srq(struct ibv_srq *srq, struct ibv_context *context, struct ibv_pd *pd,
			  void *srq_context);

/*
 * Creates a QP; fills context, qp_context, pd, send_cq, recv_cq, srq, qp_type, handle, qp_num, state
 * (RESET) and what waits for events, and in attr->cap what the kernel driver made of it. Since ABI 1.
 */
int hf_provider_create_qp(struct ibv_pd *pd, struct ibv_qp *qp, struct ibv_qp_init_attr *attr,
			  const struct hf_driver_data *data);

/*
 * The same from the extended attributes. What only a kernel driver understands (IND_TABLE aside, RX_HASH
 * and MAX_TSO_HEADER) travels in `data`. Fills comp_mask and xrcd for a QP of type XRC_RECV. Since ABI 1.
 */
int hf_provider_create_qp_ex(struct ibv_context *context, struct verbs_qp *qp,
			     struct ibv_qp_init_attr_ex *attr, const struct hf_driver_data *data);

/* Opens the receiving side of an XRC connection that another process created. Since ABI 1. */
int hf_provider_open_qp(struct ibv_context *context, struct verbs_qp *qp,
			struct ibv_qp_open_attr *attr, const struct hf_driver_data *data);

/* Every attribute but RATE_LIMIT, for which EOPNOTSUPP. The core keeps qp->state. Since ABI 1. */
int hf_provider_modify_qp(struct ibv_qp *qp, const struct ibv_qp_attr *attr, int attr_mask,
			  const struct hf_driver_data *data);

/* Every attribute; not every kernel driver has it before Linux 5.12. Since ABI 1. */
int hf_provider_modify_qp_ex(struct ibv_qp *qp, const struct ibv_qp_attr *attr, int attr_mask,
			     const struct hf_driver_data *data);

int hf_provider_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int attr_mask,
			 struct ibv_qp_init_attr *init_attr, const struct hf_driver_data *data);
int hf_provider_destroy_qp(struct ibv_qp *qp);

/* What hf_provider_create_qp() does to a QP before the command, for one the kernel does not know. */
void hf_provider_init_qp(struct ibv_qp *qp, struct ibv_context *context,
			 const struct ibv_qp_init_attr *attr, struct ibv_pd *pd);

/*
 * Post through the kernel, for drivers whose queues are not mapped, or where the kernel has to be
 * told that there is something in them: an empty list (NULL) is posted as such. *bad gets the first
 * request that was not posted. Since ABI 1.
 */
int hf_provider_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int hf_provider_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int hf_provider_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr,
			      struct ibv_recv_wr **bad);

#ifdef __cplusplus
}
#endif

#endif
