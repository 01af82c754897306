/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The responder's answers. */
#ifndef UROCE_WIRE_ANSWER_H
#define UROCE_WIRE_ANSWER_H

#include "providers/uroce/wire/transport.h"

void uroce_answer(struct uroce_wire_qp *qp, uint8_t syndrome, uint32_t psn);
void uroce_answer_fatal(struct uroce_wire_qp *qp, uint8_t syndrome, enum uroce_wire_fault fault);
/* A job for a READ or atomic request; NULL: more than were agreed on are being answered. */
struct uroce_job *uroce_job_new(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
				uint32_t packets);
void uroce_job_again(struct uroce_wire_qp *qp, const struct uroce_packet *packet);
/* Sends answers. False: some remain, for want of frames. */
bool uroce_responder_run(struct uroce_wire_qp *qp);

#endif
