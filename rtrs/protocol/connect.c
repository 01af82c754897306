/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private data of the connection manager. */
#include <errno.h>
#include <string.h>

#include "rtrs/protocol/connect.h"
#include "rtrs/protocol/le.h"

enum { MAGIC = 0x1bbd, VERSION = 0x0200, MAJOR = VERSION >> 8 };

/* The first two bytes of a request stay 0: the connection manager of Infiniband reads its own header there. */
enum { REQUEST_MAGIC_AT = 2, ANSWER_MAGIC_AT = 0 };

enum { FIRST_CONNECTION = 1 << 0 }; /* of a request's flags */
enum { NEW_KEYS = 1 << 1 };	    /* of an answer's flags */
enum { WIRE_ERRNO_MAX = 4095 };	    /* as the kernel's */

static void put_magic(uint8_t *to)
{
	rtrsi_put_le16(to, MAGIC);
	rtrsi_put_le16(to + 2, VERSION);
}

static enum rtrs_fault magic_fault(const uint8_t *from)
{
	if (rtrsi_get_le16(from) != MAGIC)
		return RTRS_FAULT_MAGIC;
	return rtrsi_get_le16(from + 2) >> 8 == MAJOR ? RTRS_FAULT_NONE : RTRS_FAULT_VERSION;
}

void rtrsi_connect_encode(const struct rtrs_connect *connect, uint8_t bytes[RTRS_CONNECT_SIZE])
{
	memset(bytes, 0, RTRS_CONNECT_SIZE);
	put_magic(bytes + REQUEST_MAGIC_AT);
	rtrsi_put_le16(bytes + 6, connect->connection);
	rtrsi_put_le16(bytes + 8, connect->connections);
	rtrsi_put_le16(bytes + 10, connect->attempt);
	memcpy(bytes + 12, connect->path, RTRS_UUID_SIZE);
	memcpy(bytes + 28, connect->session, RTRS_UUID_SIZE);
	bytes[44] = connect->first ? FIRST_CONNECTION : 0;
}

enum rtrs_fault rtrsi_connect_decode(const void *bytes, size_t size, struct rtrs_connect *ret)
{
	const uint8_t *from = bytes;
	uint16_t connection, connections;
	enum rtrs_fault fault;

	if (size < RTRS_CONNECT_SIZE)
		return RTRS_FAULT_SHORT;
	fault = magic_fault(from + REQUEST_MAGIC_AT);
	if (fault)
		return fault;
	connection = rtrsi_get_le16(from + 6);
	connections = rtrsi_get_le16(from + 8);
	if (connections > RTRS_CONNECTIONS_MAX || connection >= connections)
		return RTRS_FAULT_CONNECTION;
	*ret = (struct rtrs_connect){
		.connection = connection,
		.connections = connections,
		.attempt = rtrsi_get_le16(from + 10),
		.first = from[44] & FIRST_CONNECTION,
	};
	memcpy(ret->path, from + 12, RTRS_UUID_SIZE);
	memcpy(ret->session, from + 28, RTRS_UUID_SIZE);
	return RTRS_FAULT_NONE;
}

void rtrsi_accept_encode(const struct rtrs_accept *accept, uint8_t bytes[RTRS_CONNECT_SIZE])
{
	memset(bytes, 0, RTRS_CONNECT_SIZE);
	put_magic(bytes + ANSWER_MAGIC_AT);
	rtrsi_put_le16(bytes + 6, accept->depth);
	rtrsi_put_le32(bytes + 8, accept->max_io);
	rtrsi_put_le32(bytes + 12, accept->max_header);
	rtrsi_put_le32(bytes + 16, accept->new_keys ? NEW_KEYS : 0);
}

enum rtrs_fault rtrsi_accept_decode(const void *bytes, size_t size, struct rtrs_accept *ret)
{
	const uint8_t *from = bytes;
	enum rtrs_fault fault;

	if (size < RTRS_CONNECT_SIZE)
		return RTRS_FAULT_SHORT;
	fault = magic_fault(from + ANSWER_MAGIC_AT);
	if (fault)
		return fault;
	if (rtrsi_get_le16(from + 4))
		return RTRS_FAULT_ERROR;
	*ret = (struct rtrs_accept){
		.depth = rtrsi_get_le16(from + 6),
		.max_io = rtrsi_get_le32(from + 8),
		.max_header = rtrsi_get_le32(from + 12),
		.new_keys = rtrsi_get_le32(from + 16) & NEW_KEYS,
	};
	return RTRS_FAULT_NONE;
}

void rtrsi_reject_encode(int error, uint8_t bytes[RTRS_CONNECT_SIZE])
{
	memset(bytes, 0, RTRS_CONNECT_SIZE);
	put_magic(bytes + ANSWER_MAGIC_AT);
	rtrsi_put_le16(bytes + 4, (uint16_t)(error > 0 ? -error : error));
}

int rtrsi_reject_decode(const void *bytes, size_t size)
{
	const uint8_t *from = bytes;
	int error;

	if (size < RTRS_CONNECT_SIZE || magic_fault(from + ANSWER_MAGIC_AT))
		return -ECONNRESET;
	error = (int16_t)rtrsi_get_le16(from + 4);
	return error < 0 && error >= -WIRE_ERRNO_MAX ? error : -ECONNRESET;
}
