/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Little-endian numbers in messages, at any alignment and on any machine. */
#ifndef RTRS_PROTOCOL_LE_H
#define RTRS_PROTOCOL_LE_H

#include <stdint.h>

static inline uint16_t rtrsi_get_le16(const uint8_t *from)
{
	return (uint16_t)(from[0] | from[1] << 8);
}

static inline uint32_t rtrsi_get_le32(const uint8_t *from)
{
	return rtrsi_get_le16(from) | (uint32_t)rtrsi_get_le16(from + 2) << 16;
}

static inline uint64_t rtrsi_get_le64(const uint8_t *from)
{
	return rtrsi_get_le32(from) | (uint64_t)rtrsi_get_le32(from + 4) << 32;
}

static inline void rtrsi_put_le16(uint8_t *to, uint16_t value)
{
	to[0] = (uint8_t)value;
	to[1] = (uint8_t)(value >> 8);
}

static inline void rtrsi_put_le32(uint8_t *to, uint32_t value)
{
	rtrsi_put_le16(to, (uint16_t)value);
	rtrsi_put_le16(to + 2, (uint16_t)(value >> 16));
}

static inline void rtrsi_put_le64(uint8_t *to, uint64_t value)
{
	rtrsi_put_le32(to, (uint32_t)value);
	rtrsi_put_le32(to + 4, (uint32_t)(value >> 32));
}

#endif
