/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Two queue pairs of one device that are connected to each other, for programs of libibverbs. */
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

/* Each ends the program where it fails: see die(). */
void loop_open(struct loop *loop, const char *device);
/* A message is sent, its completions come by the channel, and what arrived is what was sent. */
void loop_once(struct loop *loop);
/* The first half of that. */
void loop_post(struct loop *loop);
void loop_close(struct loop *loop);

#endif
