/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Node IBVERBS_1.0: programs built in 2006 or before know other structs. Each object they get is one
 * of these, with the real object behind what they know.
 */
#ifndef HF_COMPAT_IBVERBS_1_0_IBVERBS_1_0_H
#define HF_COMPAT_IBVERBS_1_0_IBVERBS_1_0_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "compat/libibverbs/forward.h"

struct old_context;
struct old_cq;
struct old_qp;
struct old_srq;

struct old_device {
	void *sysfs_dev;   /* a struct sysfs_class_device once; NULL ever since */
	void *sysfs_ibdev; /* likewise */
	struct ibv_device *real;
	void *ops[2];
	atomic_uint references; /* the list's, and one for each open context */
};

struct old_send_wr {
	struct old_send_wr *next;
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
			struct old_ah *ah;
			uint32_t remote_qpn;
			uint32_t remote_qkey;
		} ud;
	} wr;
};

struct old_recv_wr {
	struct old_recv_wr *next;
	uint64_t wr_id;
	struct ibv_sge *sg_list;
	int num_sge;
};

/* Slots that a program's inline functions call; the others are NULL. */
struct old_context_ops {
	void *before_poll_cq[7];
	int (*poll_cq)(struct old_cq *, int, struct ibv_wc *);
	int (*req_notify_cq)(struct old_cq *, int);
	void *before_post_srq_recv[7];
	int (*post_srq_recv)(struct old_srq *, struct old_recv_wr *, struct old_recv_wr **);
	void *before_post_send[4];
	int (*post_send)(struct old_qp *, struct old_send_wr *, struct old_send_wr **);
	int (*post_recv)(struct old_qp *, struct old_recv_wr *, struct old_recv_wr **);
	void *after_post_recv[4];
};

struct old_context {
	struct old_device *device;
	struct old_context_ops ops;
	int cmd_fd;
	int async_fd;
	int num_comp_vectors;
	struct ibv_context *real;
	/* As far as struct ibv_context, because ibv_create_comp_channel is one function for both. */
	char unused[offsetof(struct ibv_context, abi_compat) - 248];
	const void *mark;
};

struct old_pd {
	struct old_context *context;
	uint32_t handle;
	struct ibv_pd *real;
};

struct old_mr {
	struct old_context *context;
	struct old_pd *pd;
	uint32_t handle;
	uint32_t lkey;
	uint32_t rkey;
	struct ibv_mr *real;
};

struct old_ah {
	struct old_context *context;
	struct old_pd *pd;
	uint32_t handle;
	struct ibv_ah *real;
};

struct old_cq {
	struct old_context *context;
	void *cq_context;
	uint32_t handle;
	int cqe;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	uint32_t comp_events_completed;
	uint32_t async_events_completed;
	struct ibv_cq *real;
};

struct old_srq {
	struct old_context *context;
	void *srq_context;
	struct old_pd *pd;
	uint32_t handle;
	pthread_mutex_t mutex;
	pthread_cond_t cond;
	uint32_t events_completed;
	struct ibv_srq *real;
};

struct old_qp_init_attr {
	void *qp_context;
	struct old_cq *send_cq;
	struct old_cq *recv_cq;
	struct old_srq *srq;
	struct ibv_qp_cap cap;
	enum ibv_qp_type qp_type;
	int sq_sig_all;
};

struct old_qp {
	struct old_context *context;
	void *qp_context;
	struct old_pd *pd;
	struct old_cq *send_cq;
	struct old_cq *recv_cq;
	struct old_srq *srq;
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
_Static_assert(offsetof(struct old_device, real) == 16, "1.0: device");
_Static_assert(offsetof(struct old_context, ops.poll_cq) == 0x40, "1.0: poll_cq");
_Static_assert(offsetof(struct old_context, ops.post_srq_recv) == 0x88, "1.0: post_srq_recv");
_Static_assert(offsetof(struct old_context, ops.post_send) == 0xb0, "1.0: post_send");
_Static_assert(offsetof(struct old_context, cmd_fd) == 0xe0, "1.0: cmd_fd");
_Static_assert(offsetof(struct old_context, real) == 0xf0, "1.0: context");
_Static_assert(offsetof(struct old_context, mark) == offsetof(struct ibv_context, abi_compat),
	       "where ibv_create_comp_channel looks");
_Static_assert(sizeof(struct old_pd) == 0x18, "1.0: pd");
_Static_assert(sizeof(struct old_mr) == 0x28 && offsetof(struct old_mr, lkey) == 0x14, "1.0: mr");
_Static_assert(sizeof(struct old_ah) == 0x20, "1.0: ah");
_Static_assert(sizeof(struct old_cq) == 0x80 && offsetof(struct old_cq, cqe) == 0x14, "1.0: cq");
_Static_assert(sizeof(struct old_srq) == 0x88, "1.0: srq");
_Static_assert(sizeof(struct old_qp) == 0xa8 && offsetof(struct old_qp, qp_num) == 0x34, "1.0: qp");
_Static_assert(sizeof(struct old_send_wr) == 0x48 && offsetof(struct old_send_wr, wr) == 0x28,
	       "1.0: send_wr");
_Static_assert(sizeof(struct old_qp_init_attr) == 0x40, "1.0: qp_init_attr");
#endif

/* What `mark` of every struct old_context points to, and abi_compat of no struct ibv_context. */
extern const char old_context_mark __attribute__((visibility("hidden")));

/* Sets the slots of the data path. */
void old_set_ops(struct old_context_ops *ops) __attribute__((visibility("hidden")));

/* A function of node IBVERBS_1.0 beside a newer one of the same name. */
#define HF_OLD(ret, name, parameters)               \
	ret old_##name parameters;                  \
	HF_SYMVER(old_##name, #name "@IBVERBS_1.0") \
	HF_EXPORT ret old_##name parameters

#endif
