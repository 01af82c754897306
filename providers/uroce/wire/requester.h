/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The requester's sending side. */
#ifndef UROCE_WIRE_REQUESTER_H
#define UROCE_WIRE_REQUESTER_H

#include "providers/uroce/wire/transport.h"

uint64_t uroce_requester_run(struct uroce_wire_qp *qp, uint64_t now);

#endif
