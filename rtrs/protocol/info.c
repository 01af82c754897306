/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* INFO_REQ and INFO_RSP. */
#include <errno.h>
#include <string.h>

#include "rtrs/protocol/info.h"
#include "rtrs/protocol/le.h"
#include "rtrs/protocol/message_type.h"

enum { NAME_AT = 2 };

bool rtrsi_name_is_valid(const char *name)
{
	size_t length = strnlen(name, RTRS_NAME_SIZE);

	return length && length < RTRS_NAME_SIZE && !strpbrk(name, "/.");
}

int rtrsi_info_request_encode(const char *name, uint8_t bytes[RTRS_INFO_REQUEST_SIZE])
{
	if (!rtrsi_name_is_valid(name))
		return -EINVAL;
	memset(bytes, 0, RTRS_INFO_REQUEST_SIZE);
	rtrsi_put_le16(bytes, RTRS_MESSAGE_INFO_REQUEST);
	memcpy(bytes + NAME_AT, name, strlen(name) + 1);
	return 0;
}

enum rtrs_fault rtrsi_info_request_decode(const void *bytes, size_t size, char name[RTRS_NAME_SIZE])
{
	const char *from = (const char *)bytes + NAME_AT;

	if (size < RTRS_INFO_REQUEST_SIZE)
		return RTRS_FAULT_SHORT;
	if (rtrsi_get_le16(bytes) != RTRS_MESSAGE_INFO_REQUEST)
		return RTRS_FAULT_TYPE;
	if (!memchr(from, '\0', RTRS_NAME_SIZE) || !rtrsi_name_is_valid(from))
		return RTRS_FAULT_NAME;
	memset(name, 0, RTRS_NAME_SIZE);
	memcpy(name, from, strlen(from) + 1);
	return RTRS_FAULT_NONE;
}

void rtrsi_info_answer_begin(uint16_t count, uint8_t bytes[RTRS_INFO_ANSWER_SIZE])
{
	memset(bytes, 0, RTRS_INFO_ANSWER_SIZE);
	rtrsi_put_le16(bytes, RTRS_MESSAGE_INFO_ANSWER);
	rtrsi_put_le16(bytes + 2, count);
}

void rtrsi_info_answer_encode(const struct rtrs_descriptor *descriptors, uint16_t count,
			      uint8_t *bytes)
{
	rtrsi_info_answer_begin(count, bytes);
	for (uint16_t i = 0; i < count; i++)
		rtrsi_descriptor_encode(&descriptors[i], bytes + rtrsi_info_answer_size(i));
}

/* Adds the chunks of one descriptor to the `known` ones. */
static enum rtrs_fault add_chunks(const struct rtrs_geometry *geometry,
				  const struct rtrs_descriptor *descriptor,
				  struct rtrs_chunk *chunks, uint32_t *known)
{
	uint32_t count = descriptor->length / geometry->chunk_size;

	if (!count || descriptor->length % geometry->chunk_size ||
	    count > geometry->depth - *known ||
	    descriptor->address > UINT64_MAX - descriptor->length)
		return RTRS_FAULT_DESCRIPTOR;
	for (uint32_t i = 0; i < count; i++) {
		chunks[*known + i].address =
			descriptor->address + (uint64_t)i * geometry->chunk_size;
		chunks[*known + i].key = descriptor->key;
	}
	*known += count;
	return RTRS_FAULT_NONE;
}

enum rtrs_fault rtrsi_info_answer_decode(const struct rtrs_geometry *geometry, const void *bytes,
					 size_t size, struct rtrs_chunk *chunks)
{
	const uint8_t *from = bytes;
	uint32_t known = 0;
	uint16_t count;

	if (size < RTRS_INFO_ANSWER_SIZE)
		return RTRS_FAULT_SHORT;
	if (rtrsi_get_le16(from) != RTRS_MESSAGE_INFO_ANSWER)
		return RTRS_FAULT_TYPE;
	count = rtrsi_get_le16(from + 2);
	if (!count || geometry->depth % count)
		return RTRS_FAULT_DESCRIPTOR_COUNT;
	if (size < rtrsi_info_answer_size(count))
		return RTRS_FAULT_SHORT;
	for (uint16_t i = 0; i < count; i++) {
		struct rtrs_descriptor descriptor;
		enum rtrs_fault fault;

		rtrsi_descriptor_decode(from + rtrsi_info_answer_size(i), &descriptor);
		fault = add_chunks(geometry, &descriptor, chunks, &known);
		if (fault)
			return fault;
	}
	return known == geometry->depth ? RTRS_FAULT_NONE : RTRS_FAULT_DESCRIPTOR;
}
