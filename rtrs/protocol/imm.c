/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Encodes and decodes immediate data. */
#include <errno.h>

#include "rtrs/protocol/imm.h"

enum { ANSWER_ID_BITS = 19 };

static uint32_t put_together(enum rtrs_imm_type type, uint32_t payload)
{
	return (uint32_t)type << RTRS_PAYLOAD_BITS | payload;
}

static uint32_t payload_of(uint32_t imm)
{
	return imm & ((UINT32_C(1) << RTRS_PAYLOAD_BITS) - 1);
}

uint32_t rtrsi_imm_request(const struct rtrs_geometry *geometry, uint16_t chunk, uint32_t offset)
{
	return put_together(RTRS_IMM_REQUEST, (uint32_t)chunk << geometry->offset_bits | offset);
}

uint32_t rtrsi_imm_answer(uint16_t chunk, int error, bool invalidated)
{
	uint32_t positive = error < 0 ? 0U - (uint32_t)error : (uint32_t)error;

	if (positive > RTRS_ANSWER_ERRNO_MAX)
		positive = EIO;
	return put_together(invalidated ? RTRS_IMM_ANSWER_INVAL : RTRS_IMM_ANSWER,
			    positive << ANSWER_ID_BITS | chunk);
}

uint32_t rtrsi_imm_heartbeat(bool ack)
{
	return put_together(ack ? RTRS_IMM_HEARTBEAT_ACK : RTRS_IMM_HEARTBEAT, 0);
}

static enum rtrs_fault heartbeat_or_unknown(uint32_t type, struct rtrs_imm *ret)
{
	if (type != RTRS_IMM_HEARTBEAT && type != RTRS_IMM_HEARTBEAT_ACK)
		return RTRS_FAULT_IMM_TYPE;
	*ret = (struct rtrs_imm){.type = type};
	return RTRS_FAULT_NONE;
}

enum rtrs_fault rtrsi_imm_at_server(const struct rtrs_geometry *geometry, uint32_t imm,
				    struct rtrs_imm *ret)
{
	uint32_t payload = payload_of(imm), type = imm >> RTRS_PAYLOAD_BITS;
	uint32_t chunk = payload >> geometry->offset_bits;
	uint32_t offset = payload & ((UINT32_C(1) << geometry->offset_bits) - 1);

	if (type != RTRS_IMM_REQUEST)
		return heartbeat_or_unknown(type, ret);
	if (chunk >= geometry->depth)
		return RTRS_FAULT_CHUNK;
	if (offset >= geometry->chunk_size)
		return RTRS_FAULT_OFFSET;
	*ret = (struct rtrs_imm){
		.type = RTRS_IMM_REQUEST, .chunk = (uint16_t)chunk, .offset = offset};
	return RTRS_FAULT_NONE;
}

enum rtrs_fault rtrsi_imm_at_client(const struct rtrs_geometry *geometry, uint32_t imm,
				    struct rtrs_imm *ret)
{
	uint32_t payload = payload_of(imm), type = imm >> RTRS_PAYLOAD_BITS;
	uint32_t chunk = payload & RTRS_ANSWER_ID_MAX;

	if (type != RTRS_IMM_ANSWER && type != RTRS_IMM_ANSWER_INVAL)
		return heartbeat_or_unknown(type, ret);
	if (chunk >= geometry->depth)
		return RTRS_FAULT_CHUNK;
	*ret = (struct rtrs_imm){
		.type = type, .chunk = (uint16_t)chunk, .error = -(int)(payload >> ANSWER_ID_BITS)};
	return RTRS_FAULT_NONE;
}
