/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The messages of RNBD, blocks over RTRS: they are user headers of RTRS requests, and data of the answers to
 * reads. What is malformed is -EINVAL, and the output unchanged: a server answers the request with that.
 */
#ifndef RTRS_RNBD_MESSAGE_H
#define RTRS_RNBD_MESSAGE_H

#include <stdint.h>
#include <stddef.h>

#include "shared/attr.h"

enum rtrs_rnbd_type {
	RNBD_SESSION_INFO = 0,
	RNBD_SESSION_INFO_ANSWER = 1,
	RNBD_OPEN = 2,
	RNBD_OPEN_ANSWER = 3,
	RNBD_IO = 4,
	RNBD_CLOSE = 5,
};

enum {
	RNBD_SESSION_INFO_SIZE = 36, /* of request and answer */
	RNBD_OPEN_SIZE = 264,
	RNBD_OPEN_ANSWER_SIZE = 56,
	RNBD_IO_SIZE = 32,
	RNBD_IO_SIZE_MIN = 24, /* without a priority */
	RNBD_CLOSE_SIZE = 8,
	RNBD_PATH_SIZE = 255, /* with the NUL */
	RNBD_VERSION = 2,
	RNBD_SECTOR_SIZE = 512,
};

enum rtrs_rnbd_access { RNBD_READ_ONLY = 0, RNBD_READ_WRITE = 1, RNBD_MIGRATION = 2 };

enum rtrs_rnbd_op {
	RNBD_OP_READ = 0,
	RNBD_OP_WRITE = 1,
	RNBD_OP_FLUSH = 2,
	RNBD_OP_DISCARD = 3,
	RNBD_OP_SECURE_ERASE = 4,
	RNBD_OP_WRITE_ZEROES = 5, /* Linux 6.12; 6.1 takes it for a read */
};

/* Beside the operation, in the same word. */
enum { RNBD_SYNC = 1 << 8, RNBD_FUA = 1 << 9, RNBD_PREFLUSH = 1 << 10, RNBD_NO_UNMAP = 1 << 11 };

/* Of an open answer's cache policy. */
enum { RNBD_CACHE_FUA = 1 << 0, RNBD_CACHE_WRITEBACK = 1 << 1 };

/* "ro", "rw" and "migration", as the kernel's files have it. */
const char *rtrsi_rnbd_access_name(enum rtrs_rnbd_access access);
/* -EINVAL: it is none of them. */
int rtrsi_rnbd_access_parse(const char *text, enum rtrs_rnbd_access *ret) HF_MUST_CHECK HF_NONNULL;

struct rtrs_rnbd_open {
	enum rtrs_rnbd_access access;
	char path[RNBD_PATH_SIZE];
};

struct rtrs_rnbd_device {
	uint32_t id;
	uint64_t sectors; /* of RNBD_SECTOR_SIZE, as all sectors here */
	uint32_t max_hw_sectors;
	uint32_t max_write_zeroes_sectors; /* 0 of Linux 6.1 */
	uint32_t max_discard_sectors;
	uint32_t discard_granularity;
	uint32_t discard_alignment;
	uint16_t physical_block_size;
	uint16_t logical_block_size;
	uint16_t max_segments;
	uint16_t secure_discard;
	uint8_t cache_policy;
};

struct rtrs_rnbd_io {
	uint32_t device;
	uint64_t sector;
	enum rtrs_rnbd_op op;
	uint32_t flags;
	uint32_t size; /* in bytes */
	uint16_t priority;
};

/* The type that a message begins with. */
int rtrsi_rnbd_type(const void *bytes, size_t size,
		    enum rtrs_rnbd_type *ret) HF_MUST_CHECK HF_NONNULL;

void rtrsi_rnbd_session_info_encode(uint8_t version,
				    uint8_t bytes[RNBD_SESSION_INFO_SIZE]) HF_NONNULL;
int rtrsi_rnbd_session_info_decode(const void *bytes, size_t size,
				   uint8_t *version) HF_MUST_CHECK HF_NONNULL;
void rtrsi_rnbd_session_answer_encode(uint8_t version,
				      uint8_t bytes[RNBD_SESSION_INFO_SIZE]) HF_NONNULL;
int rtrsi_rnbd_session_answer_decode(const void *bytes, size_t size,
				     uint8_t *version) HF_MUST_CHECK HF_NONNULL;

/* -ENAMETOOLONG; -EINVAL: an empty path. */
int rtrsi_rnbd_open_encode(enum rtrs_rnbd_access access, const char *path,
			   uint8_t bytes[RNBD_OPEN_SIZE]) HF_MUST_CHECK HF_NONNULL;
/* The path may lead anywhere: the caller has to check it. */
int rtrsi_rnbd_open_decode(const void *bytes, size_t size,
			   struct rtrs_rnbd_open *ret) HF_MUST_CHECK HF_NONNULL;
void rtrsi_rnbd_open_answer_encode(const struct rtrs_rnbd_device *device,
				   uint8_t bytes[RNBD_OPEN_ANSWER_SIZE]) HF_NONNULL;
/* Block sizes are powers of two, the logical one at least a sector. */
int rtrsi_rnbd_open_answer_decode(const void *bytes, size_t size,
				  struct rtrs_rnbd_device *ret) HF_MUST_CHECK HF_NONNULL;

void rtrsi_rnbd_io_encode(const struct rtrs_rnbd_io *io, uint8_t bytes[RNBD_IO_SIZE]) HF_NONNULL;
/* An unknown operation is -EINVAL as well. `size` and `sector` are as the client says: not checked here. */
int rtrsi_rnbd_io_decode(const void *bytes, size_t size,
			 struct rtrs_rnbd_io *ret) HF_MUST_CHECK HF_NONNULL;

void rtrsi_rnbd_close_encode(uint32_t device, uint8_t bytes[RNBD_CLOSE_SIZE]) HF_NONNULL;
int rtrsi_rnbd_close_decode(const void *bytes, size_t size,
			    uint32_t *device) HF_MUST_CHECK HF_NONNULL;

#endif
