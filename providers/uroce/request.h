/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Requests on the direct path, by file. With qp->lock, and a target that may be accessed. */
#ifndef PROVIDERS_UROCE_REQUEST_H
#define PROVIDERS_UROCE_REQUEST_H

#include "providers/uroce/qp.h"

/* The result of a request: an enum ibv_wc_status, or one of these. */
enum {
	UROCE_NOT_READY = 1000, /* no answer: it is tried until the timeout */
	UROCE_NO_RECEIVE,	/* RNR */
	UROCE_PEER_ENDED,
	UROCE_NOT_MAPPED, /* memory of the peer that was registered; for those who know what that comes to */
};

/* direct.c. 0, an error of our own memory, or one of those. */
int uroce_copy_status(struct uroce_target *target, enum uroce_copy copied);

/* message.c. The first two with the lock of the receive queue; `payload` is NULL, or goes with the completion. */
int uroce_take_recv(struct uroce_target *target, struct uroce_shared_rq *rq,
		    struct uroce_recv *recv);
int uroce_finish_receive(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target,
			 struct uroce_shared_rq *rq, const struct uroce_recv *recv,
			 enum ibv_wc_opcode opcode, const void *payload);
int uroce_send_message(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target);

/* writes.c */
uint32_t uroce_execute_writes(struct uroce_qp *qp, struct uroce_target *target);

#endif
