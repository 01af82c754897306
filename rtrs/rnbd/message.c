/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Encodes and decodes the messages of RNBD. */
#include <errno.h>
#include <stdbool.h>
#include <string.h>

#include "rtrs/protocol/le.h"
#include "rtrs/rnbd/message.h"
#include "shared/attr.h"

enum { OP_MASK = 0xff };

static const char *const access_names[] = {
	[RNBD_READ_ONLY] = "ro", [RNBD_READ_WRITE] = "rw", [RNBD_MIGRATION] = "migration"};

const char *rtrsi_rnbd_access_name(enum rtrs_rnbd_access access)
{
	return access < HF_ARRAY_SIZE(access_names) ? access_names[access] : "unknown";
}

int rtrsi_rnbd_access_parse(const char *text, enum rtrs_rnbd_access *ret)
{
	for (unsigned int i = 0; i < HF_ARRAY_SIZE(access_names); i++) {
		if (!strcmp(access_names[i], text)) {
			*ret = i;
			return 0;
		}
	}
	return -EINVAL;
}

static void begin_rnbd_message(uint8_t *bytes, enum rtrs_rnbd_type type, size_t size)
{
	memset(bytes, 0, size);
	rtrsi_put_le16(bytes, (uint16_t)type);
}

static bool is_message(const void *bytes, size_t size, enum rtrs_rnbd_type type, size_t least)
{
	return size >= least && rtrsi_get_le16(bytes) == type;
}

int rtrsi_rnbd_type(const void *bytes, size_t size, enum rtrs_rnbd_type *ret)
{
	uint16_t type;

	if (size < 4)
		return -EINVAL;
	type = rtrsi_get_le16(bytes);
	if (type > RNBD_CLOSE)
		return -EINVAL;
	*ret = type;
	return 0;
}

void rtrsi_rnbd_session_info_encode(uint8_t version, uint8_t bytes[RNBD_SESSION_INFO_SIZE])
{
	begin_rnbd_message(bytes, RNBD_SESSION_INFO, RNBD_SESSION_INFO_SIZE);
	bytes[4] = version;
}

void rtrsi_rnbd_session_answer_encode(uint8_t version, uint8_t bytes[RNBD_SESSION_INFO_SIZE])
{
	begin_rnbd_message(bytes, RNBD_SESSION_INFO_ANSWER, RNBD_SESSION_INFO_SIZE);
	bytes[4] = version;
}

static int decode_version(const uint8_t *bytes, size_t size, enum rtrs_rnbd_type type,
			  uint8_t *version)
{
	if (!is_message(bytes, size, type, RNBD_SESSION_INFO_SIZE))
		return -EINVAL;
	*version = bytes[4];
	return 0;
}

int rtrsi_rnbd_session_info_decode(const void *bytes, size_t size, uint8_t *version)
{
	return decode_version(bytes, size, RNBD_SESSION_INFO, version);
}

int rtrsi_rnbd_session_answer_decode(const void *bytes, size_t size, uint8_t *version)
{
	return decode_version(bytes, size, RNBD_SESSION_INFO_ANSWER, version);
}

int rtrsi_rnbd_open_encode(enum rtrs_rnbd_access access, const char *path,
			   uint8_t bytes[RNBD_OPEN_SIZE])
{
	size_t length = strnlen(path, RNBD_PATH_SIZE);

	if (length == RNBD_PATH_SIZE)
		return -ENAMETOOLONG;
	if (!length)
		return -EINVAL;
	begin_rnbd_message(bytes, RNBD_OPEN, RNBD_OPEN_SIZE);
	bytes[4] = (uint8_t)access;
	memcpy(bytes + 6, path, length + 1);
	return 0;
}

int rtrsi_rnbd_open_decode(const void *bytes, size_t size, struct rtrs_rnbd_open *ret)
{
	const uint8_t *from = bytes;
	const char *path = (const char *)from + 6;

	if (!is_message(bytes, size, RNBD_OPEN, RNBD_OPEN_SIZE) || from[4] > RNBD_MIGRATION ||
	    !*path || !memchr(path, '\0', RNBD_PATH_SIZE))
		return -EINVAL;
	memset(ret, 0, sizeof(*ret));
	ret->access = from[4];
	/* Ignore what follows the NUL: the kernel's client leaves old memory there. */
	memcpy(ret->path, path, strlen(path) + 1);
	return 0;
}

void rtrsi_rnbd_open_answer_encode(const struct rtrs_rnbd_device *device,
				   uint8_t bytes[RNBD_OPEN_ANSWER_SIZE])
{
	begin_rnbd_message(bytes, RNBD_OPEN_ANSWER, RNBD_OPEN_ANSWER_SIZE);
	rtrsi_put_le32(bytes + 4, device->id);
	rtrsi_put_le64(bytes + 8, device->sectors);
	rtrsi_put_le32(bytes + 16, device->max_hw_sectors);
	rtrsi_put_le32(bytes + 20, device->max_write_zeroes_sectors);
	rtrsi_put_le32(bytes + 24, device->max_discard_sectors);
	rtrsi_put_le32(bytes + 28, device->discard_granularity);
	rtrsi_put_le32(bytes + 32, device->discard_alignment);
	rtrsi_put_le16(bytes + 36, device->physical_block_size);
	rtrsi_put_le16(bytes + 38, device->logical_block_size);
	rtrsi_put_le16(bytes + 40, device->max_segments);
	rtrsi_put_le16(bytes + 42, device->secure_discard);
	bytes[45] = device->cache_policy;
}

static bool is_block_size(uint16_t size)
{
	return size >= RNBD_SECTOR_SIZE && !(size & (size - 1));
}

int rtrsi_rnbd_open_answer_decode(const void *bytes, size_t size, struct rtrs_rnbd_device *ret)
{
	const uint8_t *from = bytes;

	if (!is_message(bytes, size, RNBD_OPEN_ANSWER, RNBD_OPEN_ANSWER_SIZE) ||
	    !is_block_size(rtrsi_get_le16(from + 36)) || !is_block_size(rtrsi_get_le16(from + 38)))
		return -EINVAL;
	*ret = (struct rtrs_rnbd_device){
		.id = rtrsi_get_le32(from + 4),
		.sectors = rtrsi_get_le64(from + 8),
		.max_hw_sectors = rtrsi_get_le32(from + 16),
		.max_write_zeroes_sectors = rtrsi_get_le32(from + 20),
		.max_discard_sectors = rtrsi_get_le32(from + 24),
		.discard_granularity = rtrsi_get_le32(from + 28),
		.discard_alignment = rtrsi_get_le32(from + 32),
		.physical_block_size = rtrsi_get_le16(from + 36),
		.logical_block_size = rtrsi_get_le16(from + 38),
		.max_segments = rtrsi_get_le16(from + 40),
		.secure_discard = rtrsi_get_le16(from + 42),
		.cache_policy = from[45],
	};
	return 0;
}

void rtrsi_rnbd_io_encode(const struct rtrs_rnbd_io *io, uint8_t bytes[RNBD_IO_SIZE])
{
	begin_rnbd_message(bytes, RNBD_IO, RNBD_IO_SIZE);
	rtrsi_put_le32(bytes + 4, io->device);
	rtrsi_put_le64(bytes + 8, io->sector);
	rtrsi_put_le32(bytes + 16, (uint32_t)io->op | io->flags);
	rtrsi_put_le32(bytes + 20, io->size);
	rtrsi_put_le16(bytes + 24, io->priority);
}

int rtrsi_rnbd_io_decode(const void *bytes, size_t size, struct rtrs_rnbd_io *ret)
{
	const uint8_t *from = bytes;
	uint32_t word;

	if (!is_message(bytes, size, RNBD_IO, RNBD_IO_SIZE_MIN))
		return -EINVAL;
	word = rtrsi_get_le32(from + 16);
	if ((word & OP_MASK) > RNBD_OP_WRITE_ZEROES)
		return -EINVAL;
	*ret = (struct rtrs_rnbd_io){
		.device = rtrsi_get_le32(from + 4),
		.sector = rtrsi_get_le64(from + 8),
		.op = word & OP_MASK,
		.flags = word & ~(uint32_t)OP_MASK,
		.size = rtrsi_get_le32(from + 20),
		.priority = size < 26 ? 0 : rtrsi_get_le16(from + 24),
	};
	return 0;
}

void rtrsi_rnbd_close_encode(uint32_t device, uint8_t bytes[RNBD_CLOSE_SIZE])
{
	begin_rnbd_message(bytes, RNBD_CLOSE, RNBD_CLOSE_SIZE);
	rtrsi_put_le32(bytes + 4, device);
}

int rtrsi_rnbd_close_decode(const void *bytes, size_t size, uint32_t *device)
{
	if (!is_message(bytes, size, RNBD_CLOSE, RNBD_CLOSE_SIZE))
		return -EINVAL;
	*device = rtrsi_get_le32((const uint8_t *)bytes + 4);
	return 0;
}
