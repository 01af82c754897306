/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The messages of requests and of their answers: WRITE and READ in a chunk, RKEY_RSP beside an answer. */
#ifndef RTRS_PROTOCOL_REQUEST_H
#define RTRS_PROTOCOL_REQUEST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/protocol/fault.h"
#include "rtrs/protocol/geometry.h"
#include "shared/attr.h"

enum {
	RTRS_WRITE_SIZE = 4,
	RTRS_READ_SIZE = 8, /* and a descriptor, where there is data */
	RTRS_DESCRIPTOR_SIZE = 16,
	RTRS_REQUEST_MAX = RTRS_READ_SIZE + RTRS_DESCRIPTOR_SIZE,
	RTRS_NEW_KEY_SIZE = 8,
};

/* Memory of the sender that the receiver may write. */
struct rtrs_descriptor {
	uint64_t address;
	uint32_t key;
	uint32_t length;
};

void rtrsi_descriptor_encode(const struct rtrs_descriptor *descriptor,
			     uint8_t bytes[RTRS_DESCRIPTOR_SIZE]) HF_NONNULL;
void rtrsi_descriptor_decode(const uint8_t bytes[RTRS_DESCRIPTOR_SIZE],
			     struct rtrs_descriptor *ret) HF_NONNULL;

void rtrsi_write_encode(uint16_t user_length, uint8_t bytes[RTRS_WRITE_SIZE]) HF_NONNULL;
/* Returns the length. `to`, unless NULL, is where the data is to go; `inval` asks that its key be invalidated. */
size_t rtrsi_read_encode(uint16_t user_length, const struct rtrs_descriptor *to, bool inval,
			 uint8_t bytes[RTRS_REQUEST_MAX]) HF_NONNULL_OF(4);

/* A request as the server sees it. */
struct rtrs_request {
	bool is_read;
	bool inval;  /* invalidate the key in `to` with the answer */
	bool has_to; /* of a read: there is a descriptor */
	uint16_t user_length;
	uint32_t data_length; /* the user header begins here */
	struct rtrs_descriptor to;
};

/*
 * How many bytes a server copies out of the chunk, from `offset` on, before it reads any of them.
 */
size_t rtrsi_request_size(const struct rtrs_geometry *geometry, uint32_t offset) HF_NONNULL;
/* `offset` has been checked by rtrsi_imm_at_server(); `bytes` are the copy. */
enum rtrs_fault rtrsi_request_decode(uint32_t offset, const void *bytes, size_t size,
				     struct rtrs_request *ret) HF_MUST_CHECK HF_NONNULL;
/*
 * Checked before data is sent, as by the kernel: a read that fails is answered even if its
 * descriptor is wrong. RTRS_FAULT_READ_LENGTH: no byte, or more than a chunk has.
 */
enum rtrs_fault rtrsi_read_data_fault(const struct rtrs_geometry *geometry,
				      const struct rtrs_request *request) HF_MUST_CHECK HF_NONNULL;

void rtrsi_new_key_encode(uint16_t chunk, uint32_t key,
			  uint8_t bytes[RTRS_NEW_KEY_SIZE]) HF_NONNULL;
/* `chunk` is what the immediate of the same message says. */
enum rtrs_fault rtrsi_new_key_decode(const struct rtrs_geometry *geometry, uint16_t chunk,
				     const void *bytes, size_t size,
				     uint32_t *ret) HF_MUST_CHECK HF_NONNULL;

#endif
