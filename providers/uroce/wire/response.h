/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The requester's receiving side. */
#ifndef UROCE_WIRE_RESPONSE_H
#define UROCE_WIRE_RESPONSE_H

#include "providers/uroce/wire/transport.h"

void uroce_requester_response(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			      uint64_t now);
void uroce_requester_timers(struct uroce_wire_qp *qp, uint64_t now);
/* Data of a READ could not be written. */
void uroce_requester_unsettled(struct uroce_wire_qp *qp);
/* All that is in flight is to be sent again. */
void uroce_requester_go_back(struct uroce_wire_qp *qp);
/* Completes what is done at the head of the queue. False: the QP was stopped. */
bool uroce_requester_complete(struct uroce_wire_qp *qp);

#endif
