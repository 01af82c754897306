/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The objects of the provider for rdma_rxe, and its functions by file. */
#ifndef PROVIDERS_RXE_RXE_H
#define PROVIDERS_RXE_RXE_H

#include <stdbool.h>
#include <rdma/ib_user_verbs.h>

#include "providers/common/cq_ex.h"
#include "providers/common/default_ops.h"
#include "providers/common/lock.h"
#include "providers/common/util.h"
#include "providers/rxe/queue.h"

struct rxe_cq {
	struct verbs_cq verbs;
	struct lock lock;
	bool unlocked; /* the program promised to use it from one thread at a time */
	struct rxe_queue queue;
	const struct ib_uverbs_wc *current; /* for the ibv_wc_read_* calls */
};

/* The receive queue of a QP or an SRQ. */
struct rxe_rq {
	struct lock lock;
	struct rxe_queue queue;
	uint32_t max_sge;
};

struct rxe_srq {
	struct verbs_srq verbs;
	struct rxe_rq rq;
};

struct rxe_qp {
	struct verbs_qp verbs;
	struct lock lock; /* of the send queue */
	struct rxe_queue sq;
	uint32_t opcodes; /* bit n: the kernel driver supports IBV_WR opcode n for this QP type */
	uint32_t max_sge;
	uint32_t max_inline;
	uint32_t ssn; /* send sequence number of the last request */
	struct rxe_rq rq;

	/* Between ibv_wr_start() and ibv_wr_complete(): */
	struct rxe_send_wqe *wqe; /* the request that the setters fill */
	uint32_t next;		  /* the slot of the next request */
	uint32_t room;
	uint32_t first_ssn;
	int err;
};

struct rxe_ah {
	struct ibv_ah ah;
	uint32_t number; /* the kernel's number; 0 before Linux 5.18 */
	struct rxe_av av;
};

/* One more than the largest opcode, IBV_WR_ATOMIC_WRITE. */
enum { RXE_OPCODES = 16 };

/* cq.c */
struct ibv_cq *rxe_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
			     int comp_vector);
struct ibv_cq_ex *rxe_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr);
int rxe_resize_cq(struct ibv_cq *cq, int cqe);
/* Removes all completions of a QP. */
void rxe_cq_discard(struct ibv_cq *cq, uint32_t qp_num);
int rxe_destroy_cq(struct ibv_cq *cq);

/* poll.c */
int rxe_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc);
void rxe_set_cq_calls(struct ibv_cq_ex *cq, uint64_t wc_flags);

/* rq.c */
int rxe_rq_map(struct rxe_rq *rq, int cmd_fd, const struct mminfo *info, uint32_t max_sge);
void rxe_rq_unmap(struct rxe_rq *rq);
int rxe_rq_post(struct rxe_rq *rq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
size_t rxe_rq_element_size(uint32_t max_sge);

/* srq.c */
struct ibv_srq *rxe_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr);
struct ibv_srq *rxe_create_srq_ex(struct ibv_context *context, struct ibv_srq_init_attr_ex *attr);
int rxe_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask);
int rxe_get_srq_num(struct ibv_srq *srq, uint32_t *number);
int rxe_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int rxe_destroy_srq(struct ibv_srq *srq);

/* qp.c */
struct ibv_qp *rxe_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr);
struct ibv_qp *rxe_create_qp_ex(struct ibv_context *context, struct ibv_qp_init_attr_ex *attr);
int rxe_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask);
int rxe_destroy_qp(struct ibv_qp *qp);

/* send.c */
int rxe_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int rxe_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad);
int rxe_bind_mw(struct ibv_qp *qp, struct ibv_mw *mw, struct ibv_mw_bind *bind);

/* wr.c */
void rxe_set_qp_calls(struct ibv_qp_ex *qp);

/* ah.c */
struct ibv_ah *rxe_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr);
int rxe_destroy_ah(struct ibv_ah *ah);
void rxe_set_address(struct rxe_send_wqe *wqe, const struct ibv_ah *ah, uint32_t qpn,
		     uint32_t qkey);

/* Sets the fields that every request needs. A slot still contains an earlier request. */
static inline void rxe_wqe_begin(struct rxe_send_wqe *wqe, uint64_t wr_id, uint32_t opcode,
				 uint32_t flags, uint32_t ssn)
{
	wqe->wr.wr_id = wr_id;
	wqe->wr.opcode = opcode;
	wqe->wr.send_flags = flags;
	wqe->status = IBV_WC_SUCCESS;
	wqe->state = 0; /* posted */
	wqe->has_rd_atomic = 0;
	wqe->ssn = ssn;
}

static inline void rxe_wqe_set_length(struct rxe_dma_info *dma, uint32_t length, uint32_t num_sge)
{
	dma->length = length;
	dma->resid = length;
	dma->cur_sge = 0;
	dma->num_sge = num_sge;
	dma->sge_offset = 0;
}

static inline void rxe_wqe_set_remote(struct rxe_send_wqe *wqe, uint64_t addr, uint32_t rkey)
{
	wqe->wr.wr.rdma.remote_addr = addr;
	wqe->wr.wr.rdma.rkey = rkey;
	wqe->iova = addr;
}

static inline void rxe_wqe_set_atomic(struct rxe_send_wqe *wqe, uint64_t addr, uint32_t rkey,
				      uint64_t compare_add, uint64_t swap)
{
	wqe->wr.wr.atomic.remote_addr = addr;
	wqe->wr.wr.atomic.compare_add = compare_add;
	wqe->wr.wr.atomic.swap = swap;
	wqe->wr.wr.atomic.rkey = rkey;
	wqe->iova = addr;
}

/* Needs the window's present key, mw->rkey, and its new key, `rkey`. */
static inline void rxe_wqe_set_bind(struct rxe_send_wqe *wqe, const struct ibv_mw *mw,
				    uint32_t rkey, const struct ibv_mw_bind_info *info)
{
	wqe->wr.wr.mw.addr = info->addr;
	wqe->wr.wr.mw.length = info->length;
	wqe->wr.wr.mw.mr_lkey = info->mr ? info->mr->lkey : 0;
	wqe->wr.wr.mw.mw_rkey = mw->rkey;
	wqe->wr.wr.mw.rkey = rkey;
	wqe->wr.wr.mw.access = info->mw_access_flags;
}

/* Both structs have the same layout, so entries are copied as they are. */
_Static_assert(sizeof(struct ibv_sge) == sizeof(struct rxe_sge), "scatter/gather entries");
_Static_assert(offsetof(struct ibv_sge, length) == offsetof(struct rxe_sge, length), "length");
_Static_assert(offsetof(struct ibv_sge, lkey) == offsetof(struct rxe_sge, lkey), "lkey");

#endif
