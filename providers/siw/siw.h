/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The objects of the provider for siw, and its functions by file.
 *
 * Queues are arrays that are shared with the kernel (rdma/siw-abi.h). Their sizes are powers of two.
 * Each element has flags: the writer sets SIW_WQE_VALID last, the reader clears them when it is done.
 * Each side keeps its own index, so no index from the kernel needs to be checked.
 */
#ifndef PROVIDERS_SIW_SIW_H
#define PROVIDERS_SIW_SIW_H

#include <stdatomic.h>
#include <stdbool.h>
#include <rdma/siw-abi.h>

#include "providers/common/cq_ex.h"
#include "providers/common/default_ops.h"
#include "providers/common/lock.h"
#include "providers/common/util.h"

struct siw_context {
	struct verbs_context verbs; /* first: see default_alloc_context() */
	atomic_uchar next_key;
};

/* An array shared with the kernel. */
struct siw_array {
	void *start;
	size_t size;   /* of the mapping */
	uint32_t mask; /* number of elements - 1 */
	uint32_t next; /* index of the next element; not masked */
};

struct siw_cq {
	struct verbs_cq verbs;
	struct lock lock;
	bool unlocked; /* the program promised to use it from one thread at a time */
	struct siw_array array;
	struct siw_cq_ctrl *control; /* after the last element */
	struct ibv_wc current;	     /* for the ibv_wc_read_* calls */
};

/* The receive queue of a QP or an SRQ. */
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
	uint16_t flags; /* SIW_WQE_SIGNALLED if every request is signalled */
	struct siw_rq rq;

	/* Between ibv_wr_start() and ibv_wr_complete(): */
	struct siw_sqe *sqe;	  /* the request that the setters fill */
	uint16_t *sqe_flags;	  /* its flags: in the element, or first_sqe_flags */
	uint16_t first_sqe_flags; /* the first request's flags, stored in ibv_wr_complete() */
	uint32_t next;		  /* the index of the next request */
	int err;
};

/*
 * array.c. `extra`: bytes after the elements. Functions below that return int return 0 or a positive
 * errno value.
 */
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

/* wr.c */
void siw_set_qp_calls(struct ibv_qp_ex *qp);

static inline void *siw_array_at(const struct siw_array *array, uint32_t index, size_t size)
{
	return (char *)array->start + (size_t)(index & array->mask) * size;
}

/* Reads get no fence flag: they complete in order anyway, and the kernel refuses the flag. */
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

/* The kernel closes the connection if any other operation is inline. */
static inline bool siw_sqe_can_inline(const struct siw_sqe *sqe)
{
	return sqe->opcode == SIW_OP_SEND || sqe->opcode == SIW_OP_WRITE;
}

/* Inline data is stored in place of the second and further entries. */
static inline char *siw_sqe_inline(struct siw_sqe *sqe)
{
	return (char *)&sqe->sge[1];
}

static inline void siw_sqe_set_inline(struct siw_sqe *sqe, uint32_t length)
{
	sqe->sge[0] = (struct siw_sge){.laddr = (uintptr_t)siw_sqe_inline(sqe), .length = length};
	sqe->num_sge = 1;
}

/* Both structs have the same layout, so entries are copied as they are. */
_Static_assert(sizeof(struct ibv_sge) == sizeof(struct siw_sge), "scatter/gather entries");
_Static_assert(offsetof(struct ibv_sge, length) == offsetof(struct siw_sge, length), "length");
_Static_assert(offsetof(struct ibv_sge, lkey) == offsetof(struct siw_sge, lkey), "lkey");

#endif
