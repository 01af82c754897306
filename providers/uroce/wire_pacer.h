/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Holds UC and UD back while the receiver's buffer is full, where the receiver is on this machine. */
#ifndef PROVIDERS_UROCE_WIRE_PACER_H
#define PROVIDERS_UROCE_WIRE_PACER_H

#include <stdbool.h>
#include <stdint.h>

#include "providers/uroce/wire/socket.h"

struct uroce_pacer;

enum { UROCE_PACER_MAX = 1024 }; /* destinations that it knows of */

/* How much of its buffer the socket uses that gets packets of this flow. False: it is not on this machine. */
typedef bool uroce_pacer_ask(int fd, const union uroce_address *from, const union uroce_address *to,
			     uint32_t *used);
bool uroce_pacer_ask_kernel(int fd, const union uroce_address *from, const union uroce_address *to,
			    uint32_t *used);

struct uroce_pacer *uroce_pacer_new(uroce_pacer_ask *ask);
void uroce_pacer_free(struct uroce_pacer *pacer);
/* Whether the kernel is asked about the next packet: then what counts as sent has to be. */
bool uroce_pacer_asks(struct uroce_pacer *pacer, const union uroce_address *to, uint32_t cost);
/* Whether a packet that costs so much of the buffer may be sent now; it counts as sent then. */
bool uroce_pacer_allows(struct uroce_pacer *pacer, const union uroce_address *from,
			const union uroce_address *to, uint32_t cost, uint64_t now);

#endif
