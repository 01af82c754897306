/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Packets from the sockets to the QPs. */
#ifndef PROVIDERS_UROCE_WIRE_RECEIVE_H
#define PROVIDERS_UROCE_WIRE_RECEIVE_H

#include "providers/uroce/wire.h"

/* Sends what was held back. */
void uroce_wire_flush(struct uroce_wire *wire);

/* Takes what the sockets have and runs the QPs concerned. By a program that polls, or by the engine thread. */
void uroce_wire_poll(struct uroce_context *context, bool is_engine);

/* What was taken is in memory when this returns; packets from then on see what was withdrawn before it. */
void uroce_wire_finish_copies(struct uroce_context *context);

/* Waits until no packet is being handed to a QP that was just taken out of context->qps. */
void uroce_wire_wait(struct uroce_context *context);

#endif
