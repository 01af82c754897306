/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The faults in what a peer sends, and what happens to the path on each. */
#ifndef RTRS_PROTOCOL_FAULT_H
#define RTRS_PROTOCOL_FAULT_H

#include "shared/attr.h"

enum rtrs_fault {
	RTRS_FAULT_NONE,
	RTRS_FAULT_SHORT,
	RTRS_FAULT_MAGIC,
	RTRS_FAULT_VERSION,
	RTRS_FAULT_CONNECTION,
	RTRS_FAULT_ERROR,
	RTRS_FAULT_DEPTH,
	RTRS_FAULT_CHUNK_SIZE,
	RTRS_FAULT_TYPE,
	RTRS_FAULT_NAME,
	RTRS_FAULT_DESCRIPTOR_COUNT,
	RTRS_FAULT_DESCRIPTOR,
	RTRS_FAULT_IMM_TYPE,
	RTRS_FAULT_CHUNK,
	RTRS_FAULT_OFFSET,
	RTRS_FAULT_CUT,
	RTRS_FAULT_USER_HEADER,
	RTRS_FAULT_READ_DESCRIPTORS,
	RTRS_FAULT_READ_LENGTH,
	RTRS_FAULT_KEY_CHUNK,
	RTRS_FAULT_BUSY,
	RTRS_FAULT_END, /* their number */
};

enum rtrs_reaction {
	RTRS_REACT_NONE,
	RTRS_REACT_IGNORE, /* log it, post the receive again */
	RTRS_REACT_DROP,   /* the same, and the request gets no answer */
	RTRS_REACT_CLOSE,  /* log it, close the path */
};

/* A few words for the log. */
const char *rtrsi_fault_text(enum rtrs_fault fault);

/*
 * What a path does about it, as Linux 6.1 and 6.12 do. This is not for a fault in the private data
 * of a connection request or reply: there is no path yet then, and the connection is refused.
 */
enum rtrs_reaction rtrsi_fault_reaction(enum rtrs_fault fault);

#endif
