/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Node IBVERBS_1.0, for programs built in 2006 or earlier: they use other struct layouts. Each object
 * that they get is one of the structs below, whose last member points to the present object.
 */
#ifndef HF_COMPAT_IBVERBS_1_0_IBVERBS_1_0_H
#define HF_COMPAT_IBVERBS_1_0_IBVERBS_1_0_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "compat/libibverbs/forward.h"

struct v1_0_context;
struct v1_0_cq;
struct v1_0_qp;
struct v1_0_srq;

struct v1_0_device {
	void *sysfs_dev;   /* was a struct sysfs_class_device *; always NULL */
	void *sysfs_ibdev; /* likewise */
	struct ibv_device *real;
	void *ops[2];
	atomic_uint references; /* one for the list, one for each open context */
};

struct v1_0_send_wr {
	struct v1_0_send_wr *next;
	uint64_t wr_id;
	struct ibv_sge *sg_list;
	int num_sge;
	enum ibv_wr_opcode opcode;
	unsigned int send_flags;
	__be32 imm_data;
	union {
		struct {
			uint64_t remote_addr;
			uint32_t rkey;
		} rdma;
		struct {
			uint64_t remote_addr;
			uint64_t compare_add;
			uint64_t swap;
			uint32_t rkey;
		} atomic;
		struct {
			struct v1_0_ah *ah;
			uint32_t remote_qpn;
			uint32_t remote_qkey;
		} ud;
	} wr;
};

struct v1_0_recv_wr {
	struct v1_0_recv_wr *next;
	uint64_t wr_id;
	struct ibv_sge *sg_list;
	int num_sge;
};

/* The slots that inline functions of programs call. All others are NULL. */
struct v1_0_context_ops {
	void *before_poll_cq[7];
	int (*poll_cq)(struct v1_0_cq *, int, struct ibv_wc *);
	int (*req_notify_cq)(struct v1_0_cq *, int);
	void *before_post_srq_recv[7];
	int (*post_srq_recv)(struct v1_0_srq *, struct v1_0_recv_wr *, struct v1_0_recv_wr **);
	void *before_post_send[4];
	int (*post_send)(struct v1_0_qp *, struct v1_0_send_wr *, struct v1_0_send_wr **);
	int (*post_recv)(struct v1_0_qp *, struct v1_0_recv_wr *, struct v1_0_recv_wr **);
	void *after_post_recv[4];
};

struct v1_0_context {
	struct v1_0_device *device;
	struct v1_0_context_ops ops;
	int cmd_fd;
	int async_fd;
	int num_comp_vectors;
	struct ibv_context *real;
	/* Puts `mark` at the offset of abi_compat, where ibv_create_comp_channel() looks for it. */
	char unused[offsetof(struct ibv_context, abi_compat) - 248];
	const void *mark;
};

struct v1_0_pd {
	struct v1_0_context *context;
	uint32_t handle;
	struct ibv_pd *real;
};

struct v1_0_mr {
	struct v1_0_context *context;
	struct v1_0_pd *pd;
	uint32_t handle;
	uint32_t lkey;
	uint32_t rkey;
	struct ibv_mr *real;
};

struct v1_0_ah {
	struct v1_0_context *context;
	struct v1_0_pd *pd;
	uint32_t handle;
	struct ibv_ah *real;
};

struct v1_0_cq {
	struct v1_0_context *context;
	void *cq_context;
	uint32_t handle;
	int cqe;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	uint32_t comp_events_completed;
	uint32_t async_events_completed;
	struct ibv_cq *real;
};

struct v1_0_srq {
	struct v1_0_context *context;
	void *srq_context;
	struct v1_0_pd *pd;
	uint32_t handle;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	uint32_t events_completed;
	struct ibv_srq *real;
};

struct v1_0_qp_init_attr {
	void *qp_context;
	struct v1_0_cq *send_cq;
	struct v1_0_cq *recv_cq;
	struct v1_0_srq *srq;
	struct ibv_qp_cap cap;
	enum ibv_qp_type qp_type;
	int sq_sig_all;
};

struct v1_0_qp {
	struct v1_0_context *context;
	void *qp_context;
	struct v1_0_pd *pd;
	struct v1_0_cq *send_cq;
	struct v1_0_cq *recv_cq;
	struct v1_0_srq *srq;
	uint32_t handle;
	uint32_t qp_num;
	enum ibv_qp_state state;
	enum ibv_qp_type qp_type;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	uint32_t events_completed;
	struct ibv_qp *real;
};

#if defined(__x86_64__)
_Static_assert(offsetof(struct v1_0_device, real) == 16, "1.0: device");
_Static_assert(offsetof(struct v1_0_context, ops.poll_cq) == 0x40, "1.0: poll_cq");
_Static_assert(offsetof(struct v1_0_context, ops.post_srq_recv) == 0x88, "1.0: post_srq_recv");
_Static_assert(offsetof(struct v1_0_context, ops.post_send) == 0xb0, "1.0: post_send");
_Static_assert(offsetof(struct v1_0_context, cmd_fd) == 0xe0, "1.0: cmd_fd");
_Static_assert(offsetof(struct v1_0_context, real) == 0xf0, "1.0: context");
_Static_assert(offsetof(struct v1_0_context, mark) == offsetof(struct ibv_context, abi_compat),
	       "where ibv_create_comp_channel looks");
_Static_assert(sizeof(struct v1_0_pd) == 0x18, "1.0: pd");
_Static_assert(sizeof(struct v1_0_mr) == 0x28 && offsetof(struct v1_0_mr, lkey) == 0x14, "1.0: mr");
_Static_assert(sizeof(struct v1_0_ah) == 0x20, "1.0: ah");
_Static_assert(sizeof(struct v1_0_cq) == 0x80 && offsetof(struct v1_0_cq, cqe) == 0x14, "1.0: cq");
_Static_assert(sizeof(struct v1_0_srq) == 0x88, "1.0: srq");
_Static_assert(sizeof(struct v1_0_qp) == 0xa8 && offsetof(struct v1_0_qp, qp_num) == 0x34,
	       "1.0: qp");
_Static_assert(sizeof(struct v1_0_send_wr) == 0x48 && offsetof(struct v1_0_send_wr, wr) == 0x28,
	       "1.0: send_wr");
_Static_assert(sizeof(struct v1_0_qp_init_attr) == 0x40, "1.0: qp_init_attr");
#endif

/* Identifies a struct v1_0_context: its `mark` points here. */
extern const char v1_0_context_mark __attribute__((visibility("hidden")));

/* Fills the slots of the data path. */
void v1_0_set_ops(struct v1_0_context_ops *ops) __attribute__((visibility("hidden")));

/* Defines a function of node IBVERBS_1.0 whose name also exists in a newer node. */
#define HF_IBVERBS_1_0(ret, name, parameters)        \
	ret v1_0_##name parameters;                  \
	HF_SYMVER(v1_0_##name, #name "@IBVERBS_1.0") \
	HF_EXPORT ret v1_0_##name parameters

#endif
