/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The texts of faults, and the reaction to each. */
#include <stddef.h>

#include "rtrs/protocol/fault.h"

static const struct {
	const char *text;
	enum rtrs_reaction reaction;
} faults[RTRS_FAULT_END] = {
	[RTRS_FAULT_NONE] = {"no fault", RTRS_REACT_NONE},
	[RTRS_FAULT_SHORT] = {"message shorter than its type", RTRS_REACT_CLOSE},
	[RTRS_FAULT_MAGIC] = {"not the protocol's magic number", RTRS_REACT_CLOSE},
	[RTRS_FAULT_VERSION] = {"another major version of the protocol", RTRS_REACT_CLOSE},
	[RTRS_FAULT_CONNECTION] = {"impossible number of connections, or connection number",
				   RTRS_REACT_CLOSE},
	[RTRS_FAULT_ERROR] = {"accepted with an error", RTRS_REACT_CLOSE},
	[RTRS_FAULT_DEPTH] = {"impossible queue depth", RTRS_REACT_CLOSE},
	[RTRS_FAULT_CHUNK_SIZE] = {"impossible chunk size", RTRS_REACT_CLOSE},
	[RTRS_FAULT_TYPE] = {"unexpected message type", RTRS_REACT_CLOSE},
	[RTRS_FAULT_NAME] = {"invalid session name", RTRS_REACT_CLOSE},
	[RTRS_FAULT_DESCRIPTOR_COUNT] = {"number of descriptors does not divide the queue depth",
					 RTRS_REACT_CLOSE},
	[RTRS_FAULT_DESCRIPTOR] = {"descriptors do not cover the chunks", RTRS_REACT_CLOSE},
	[RTRS_FAULT_IMM_TYPE] = {"unknown type of immediate data", RTRS_REACT_IGNORE},
	[RTRS_FAULT_CHUNK] = {"chunk number beyond the queue depth", RTRS_REACT_CLOSE},
	[RTRS_FAULT_OFFSET] = {"offset beyond the chunk", RTRS_REACT_CLOSE},
	[RTRS_FAULT_CUT] = {"message reaches beyond its chunk", RTRS_REACT_CLOSE},
	[RTRS_FAULT_USER_HEADER] = {"user header begins before its chunk", RTRS_REACT_DROP},
	[RTRS_FAULT_READ_DESCRIPTORS] = {"read with more than one descriptor", RTRS_REACT_DROP},
	[RTRS_FAULT_READ_LENGTH] = {"read of no byte, or of more than a chunk", RTRS_REACT_CLOSE},
	[RTRS_FAULT_KEY_CHUNK] = {"new key for another chunk than the answer's", RTRS_REACT_CLOSE},
	[RTRS_FAULT_BUSY] = {"request in a chunk whose last one is not answered", RTRS_REACT_CLOSE},
};

const char *rtrsi_fault_text(enum rtrs_fault fault)
{
	return (unsigned int)fault < RTRS_FAULT_END ? faults[fault].text : "unknown fault";
}

enum rtrs_reaction rtrsi_fault_reaction(enum rtrs_fault fault)
{
	return (unsigned int)fault < RTRS_FAULT_END ? faults[fault].reaction : RTRS_REACT_CLOSE;
}
