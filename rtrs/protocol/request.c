/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Encodes and decodes the messages of requests and answers. */
#include "rtrs/protocol/le.h"
#include "rtrs/protocol/message_type.h"
#include "rtrs/protocol/request.h"

enum { NEED_INVAL = 1 << 0 };

void rtrsi_descriptor_encode(const struct rtrs_descriptor *descriptor,
			     uint8_t bytes[RTRS_DESCRIPTOR_SIZE])
{
	rtrsi_put_le64(bytes, descriptor->address);
	rtrsi_put_le32(bytes + 8, descriptor->key);
	rtrsi_put_le32(bytes + 12, descriptor->length);
}

void rtrsi_descriptor_decode(const uint8_t bytes[RTRS_DESCRIPTOR_SIZE], struct rtrs_descriptor *ret)
{
	ret->address = rtrsi_get_le64(bytes);
	ret->key = rtrsi_get_le32(bytes + 8);
	ret->length = rtrsi_get_le32(bytes + 12);
}

void rtrsi_write_encode(uint16_t user_length, uint8_t bytes[RTRS_WRITE_SIZE])
{
	rtrsi_put_le16(bytes, RTRS_MESSAGE_WRITE);
	rtrsi_put_le16(bytes + 2, user_length);
}

size_t rtrsi_read_encode(uint16_t user_length, const struct rtrs_descriptor *to, bool inval,
			 uint8_t bytes[RTRS_REQUEST_MAX])
{
	rtrsi_put_le16(bytes, RTRS_MESSAGE_READ);
	rtrsi_put_le16(bytes + 2, user_length);
	rtrsi_put_le16(bytes + 4, to && inval ? NEED_INVAL : 0);
	rtrsi_put_le16(bytes + 6, to ? 1 : 0);
	if (!to)
		return RTRS_READ_SIZE;
	rtrsi_descriptor_encode(to, bytes + RTRS_READ_SIZE);
	return RTRS_REQUEST_MAX;
}

size_t rtrsi_request_size(const struct rtrs_geometry *geometry, uint32_t offset)
{
	uint32_t rest = geometry->chunk_size - offset;

	return rest < RTRS_REQUEST_MAX ? rest : RTRS_REQUEST_MAX;
}

static enum rtrs_fault decode_read(const uint8_t *from, size_t size, struct rtrs_request *request)
{
	uint16_t descriptors;

	if (size < RTRS_READ_SIZE)
		return RTRS_FAULT_CUT;
	descriptors = rtrsi_get_le16(from + 6);
	if (descriptors > 1)
		return RTRS_FAULT_READ_DESCRIPTORS;
	if (!descriptors)
		return RTRS_FAULT_NONE;
	if (size < RTRS_REQUEST_MAX)
		return RTRS_FAULT_CUT;
	request->has_to = true;
	request->inval = rtrsi_get_le16(from + 4) & NEED_INVAL;
	rtrsi_descriptor_decode(from + RTRS_READ_SIZE, &request->to);
	return RTRS_FAULT_NONE;
}

enum rtrs_fault rtrsi_request_decode(uint32_t offset, const void *bytes, size_t size,
				     struct rtrs_request *ret)
{
	struct rtrs_request request = {0};
	enum rtrs_fault fault;
	uint16_t type;

	if (size < sizeof(type))
		return RTRS_FAULT_CUT;
	type = rtrsi_get_le16(bytes);
	if (type != RTRS_MESSAGE_WRITE && type != RTRS_MESSAGE_READ)
		return RTRS_FAULT_TYPE;
	if (size < RTRS_WRITE_SIZE)
		return RTRS_FAULT_CUT;
	request.user_length = rtrsi_get_le16((const uint8_t *)bytes + 2);
	request.is_read = type == RTRS_MESSAGE_READ;
	if (request.is_read) {
		fault = decode_read(bytes, size, &request);
		if (fault)
			return fault;
	}
	if (request.user_length > offset)
		return RTRS_FAULT_USER_HEADER;
	request.data_length = offset - request.user_length;
	*ret = request;
	return RTRS_FAULT_NONE;
}

enum rtrs_fault rtrsi_read_data_fault(const struct rtrs_geometry *geometry,
				      const struct rtrs_request *request)
{
	if (!request->has_to)
		return RTRS_FAULT_NONE;
	if (!request->to.length || request->to.length > geometry->chunk_size)
		return RTRS_FAULT_READ_LENGTH;
	return RTRS_FAULT_NONE;
}

void rtrsi_new_key_encode(uint16_t chunk, uint32_t key, uint8_t bytes[RTRS_NEW_KEY_SIZE])
{
	rtrsi_put_le16(bytes, RTRS_MESSAGE_NEW_KEY);
	rtrsi_put_le16(bytes + 2, chunk);
	rtrsi_put_le32(bytes + 4, key);
}

enum rtrs_fault rtrsi_new_key_decode(const struct rtrs_geometry *geometry, uint16_t chunk,
				     const void *bytes, size_t size, uint32_t *ret)
{
	const uint8_t *from = bytes;

	if (size < RTRS_NEW_KEY_SIZE)
		return RTRS_FAULT_SHORT;
	if (rtrsi_get_le16(from) != RTRS_MESSAGE_NEW_KEY)
		return RTRS_FAULT_TYPE;
	if (rtrsi_get_le16(from + 2) >= geometry->depth)
		return RTRS_FAULT_CHUNK;
	if (rtrsi_get_le16(from + 2) != chunk)
		return RTRS_FAULT_KEY_CHUNK;
	*ret = rtrsi_get_le32(from + 4);
	return RTRS_FAULT_NONE;
}
