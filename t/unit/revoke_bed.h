/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A revocable context of a generated device, with the test as its provider: its queues are lists.
 */
#ifndef HF_T_UNIT_REVOKE_BED_H
#define HF_T_UNIT_REVOKE_BED_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <holdfast/holdfast.h>

#include "core/verbs/context.h"
#include "core/verbs/revoke.h"
#include "t/lib/tree.h"

/* Where an extended QP has its mask if the provider predates atomic writes. */
enum { AT_43 = offsetof(struct ibv_qp_ex, wr_atomic_write) };

struct bed {
	struct tree *tree;
	struct hf *hf;
	struct ibv_context *context;
	struct ibv_cq send_cq, recv_cq;
	struct ibv_qp qp;
	struct ibv_srq srq;
	struct ibv_wc done[16]; /* completions that the provider will return */
	int first, count, posted, destroyed;
	int kernel[2];
	atomic_bool stop, in_turn;
};

/* The provider's extended QP, the nesting depth of its calls, and its return values. */
extern struct verbs_qp ex_qp;
extern int wr_depth, poll_depth;
int real_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad);
int real_poll_cq(struct ibv_cq *cq, int want, struct ibv_wc *wc);
void real_wr_start(struct ibv_qp_ex *qp);
int real_start_poll(struct ibv_cq_ex *cq, struct ibv_poll_cq_attr *attr);
void real_wr_send(struct ibv_qp_ex *qp);
void real_wr_atomic_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, const void *value);

/* Set-up and tear-down of a test whose state is a bed, with and without revocation. */
int bed_setup(void **state);
int bed_setup_off(void **state);
int bed_teardown(void **state);

struct ibv_context *bed_open_context(struct bed *bed);
int bed_post_send(struct bed *bed, uint64_t id);
int bed_post_recv(struct bed *bed, uint64_t id);
int bed_post_srq_recv(struct bed *bed, uint64_t id);
void bed_complete(struct bed *bed, uint64_t id, enum ibv_wc_opcode opcode,
		  enum ibv_wc_status status);
void bed_expect(struct ibv_cq *cq, uint64_t id, enum ibv_wc_status status);
void bed_expect_nothing(struct ibv_cq *cq);

/* Removes the device and waits until the library has released it. */
void bed_unplug(struct bed *bed);
enum hf_revoke_state bed_revoke_state(struct bed *bed);
/* Waits until this process has released everything of the device. */
void bed_wait_revoked(struct bed *bed);
bool bed_is_revoked(const struct bed *bed);
bool is_end_of_file(int fd);
/* For a thread: returns its argument, a context, once that got the fatal event; otherwise NULL. */
void *wait_for_fatal(void *arg);

#endif
