/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connects two queue pairs of one device to each other, for programs that use libibverbs only. */
#ifndef HF_VM_LOOP_H
#define HF_VM_LOOP_H

#include "t/vm/plain.h"

struct loop {
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cq;
	struct ibv_qp *qp[2];
	unsigned char buffer[2][64];
};

/* These functions end the program on failure: see die(). */
void loop_open(struct loop *loop, const char *device);
/* Sends a message, waits for its completions on the channel, and compares the data. */
void loop_once(struct loop *loop);
/* Sends a message without waiting. */
void loop_post(struct loop *loop);
void loop_close(struct loop *loop);

#endif
