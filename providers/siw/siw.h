/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The objects of the provider for siw, and its operations by file.
 *
 * Queues are arrays that are shared with the kernel (rdma/siw-abi.h), their sizes powers of two. Each
 * element has flags: its writer sets SIW_WQE_VALID last, its reader clears them when it is done. Each
 * side counts for itself, so there are no shared indices to mistrust.
 */
#ifndef PROVIDERS_SIW_SIW_H
#define PROVIDERS_SIW_SIW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <rdma/siw-abi.h>

#include "providers/common/lock.h"
#include "providers/common/plain.h"

struct siw_context {
	struct verbs_context verbs;
	uint32_t device_id; /* the kernel's own number of the device */
	atomic_uchar next_key;
};

/* An array shared with the kernel. */
struct siw_array {
	void *start;
	size_t size;   /* of the mapping */
	uint32_t mask; /* its number of elements less one */
	uint32_t next; /* free-running */
};

struct siw_cq {
	struct verbs_cq verbs;
	struct lock lock;
	bool unlocked; /* the program promised to use it from one thread at a time */
	struct siw_array array;
	struct siw_cq_ctrl *control; /* behind the last element */
	struct ibv_wc current;	     /* what the extended calls read */
};

/* Receive requests: of a QP or an SRQ. */
struct siw_rq {
	struct lock lock;
	struct siw_array array;
	uint32_t max_sge;
};

struct siw_srq {
	struct verbs_srq verbs;
	struct siw_rq rq;
};

struct siw_qp {
	struct verbs_qp verbs;
	struct lock lock; /* of the send queue */
	struct siw_array sq;
	uint32_t max_sge;
	uint16_t flags; /* SIW_WQE_SIGNALLED, where every request is */
	struct siw_rq rq;

	/* Between ibv_wr_start() and ibv_wr_complete(): */
	struct siw_sqe *sqe;	  /* the request that the setters work on */
	uint16_t *sqe_flags;	  /* where its flags are */
	uint16_t first_sqe_flags; /* those of the first one, kept back from the kernel */
	uint32_t next;		  /* the place of the next one */
	int err;
};

/* array.c. `extra`: what follows the elements. A positive errno value, as everywhere below. */
int siw_array_map(struct siw_array *array, int cmd_fd, uint64_t key, uint32_t elements,
		  size_t element_size, size_t extra);
void siw_array_unmap(struct siw_array *array);

/* cq.c */
struct ibv_cq *siw_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
			     int comp_vector);
struct ibv_cq_ex *siw_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr);
int siw_req_notify_cq(struct ibv_cq *cq, int solicited_only);
int siw_destroy_cq(struct ibv_cq *cq);

/* poll.c */
int siw_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc);
void siw_set_cq_calls(struct ibv_cq_ex *cq, uint64_t wc_flags);

/* rq.c */
int siw_rq_map(struct siw_rq *rq, int cmd_fd, uint64_t key, uint32_t elements, uint32_t max_sge);
void siw_rq_unmap(struct siw_rq *rq);
int siw_rq_post(struct siw_rq *rq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
struct ibv_srq *siw_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr);
int siw_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask);
int siw_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int siw_destroy_srq(struct ibv_srq *srq);

/* qp.c */
struct ibv_qp *siw_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
struct ibv_qp *siw_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr);
int siw_destroy_qp(struct ibv_qp *qp);

/* send.c */
int siw_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int siw_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int siw_ring(struct ibv_qp *qp);

/* wr.c */
void siw_set_qp_calls(struct ibv_qp_ex *qp);

static inline void *siw_array_at(const struct siw_array *array, uint32_t index, size_t size)
{
	return (char *)array->start + (size_t)(index & array->mask) * size;
}

/* Reads are not fenced: they are answered in order as they are, and the kernel refuses it. */
static inline uint16_t siw_sqe_flags(const struct siw_qp *qp, unsigned int flags, uint8_t opcode)
{
	uint16_t sqe_flags = SIW_WQE_VALID | qp->flags;

	if (flags & IBV_SEND_SIGNALED)
		sqe_flags |= SIW_WQE_SIGNALLED;
	if (flags & IBV_SEND_SOLICITED)
		sqe_flags |= SIW_WQE_SOLICITED;
	if (flags & IBV_SEND_FENCE && opcode != SIW_OP_READ)
		sqe_flags |= SIW_WQE_READ_FENCE;
	return sqe_flags;
}

/* The kernel closes the connection over any other that is inline. */
static inline bool siw_sqe_can_inline(const struct siw_sqe *sqe)
{
	return sqe->opcode == SIW_OP_SEND || sqe->opcode == SIW_OP_WRITE;
}

/* Inline data lie where the second and further entries would; the kernel finds them there. */
static inline char *siw_sqe_inline(struct siw_sqe *sqe)
{
	return (char *)&sqe->sge[1];
}

static inline void siw_sqe_set_inline(struct siw_sqe *sqe, uint32_t length)
{
	sqe->sge[0] = (struct siw_sge){.laddr = (uintptr_t)siw_sqe_inline(sqe), .length = length};
	sqe->num_sge = 1;
}

/* The same layout on both sides: entries are copied as they are. */
_Static_assert(sizeof(struct ibv_sge) == sizeof(struct siw_sge), "scatter/gather entries");
_Static_assert(offsetof(struct ibv_sge, length) == offsetof(struct siw_sge, length), "length");
_Static_assert(offsetof(struct ibv_sge, lkey) == offsetof(struct siw_sge, lkey), "lkey");

#endif
