/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The responder. */
#ifndef UROCE_WIRE_RESPONDER_H
#define UROCE_WIRE_RESPONDER_H

#include "providers/uroce/wire/transport.h"

void uroce_responder_request(struct uroce_wire_qp *qp, const struct uroce_packet *packet);
void uroce_responder_datagram(struct uroce_wire_qp *qp, const struct uroce_packet *packet,
			      const uint8_t *grh);
/* Data of the message in progress could not be written. */
void uroce_responder_unsettled(struct uroce_wire_qp *qp);

#endif
