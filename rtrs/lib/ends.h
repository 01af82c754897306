/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the kernel's files say of a path: its addresses, its device, and where its answers were taken. */
#ifndef RTRS_LIB_ENDS_H
#define RTRS_LIB_ENDS_H

#include <stdint.h>
#include <sys/socket.h>

#include "rtrs/lib/address.h"
#include "rtrs/link/link.h"
#include "shared/attr.h"

enum { PATH_DEVICE_SIZE = 64 };

struct path_ends {
	char source[RTRS_ADDRESS_SIZE], destination[RTRS_ADDRESS_SIZE]; /* as a client sees them */
	char device[PATH_DEVICE_SIZE];
	unsigned int port;
};

/*
 * Of a client's path: its source, unless the connection says it; the number tells apart those without address. The
 * connection may be NULL, and so may the source.
 */
void rtrsi_path_ends(struct path_ends *ends, enum rtrs_link_type link,
		     const struct rtrs_connection *connection,
		     const struct sockaddr_storage *source,
		     const struct sockaddr_storage *destination, unsigned int number)
	HF_NONNULL_OF(1, 5);

/* Of requests that ended on another processor than the one they were sent on: how many, by processor. */
struct moved_counts {
	uint32_t *from, *to; /* NULL: none yet */
	int processors;
};

void rtrsi_moved_count(struct moved_counts *moved, int from, int to) HF_NONNULL;
void rtrsi_moved_reset(struct moved_counts *moved) HF_NONNULL;
void rtrsi_moved_free(struct moved_counts *moved) HF_NONNULL;

#endif
