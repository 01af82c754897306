/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a peer sends. It is hostile: each frame is checked against the keys and against what was posted before a
 * byte of it is stored, and again whenever it goes on after the user had a chance to withdraw its memory.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "rtrs/link/stream/private.h"

int rtrsi_stream_receives_init(struct rtrs_stream_receives *receives, uint32_t depth)
{
	*receives = (struct rtrs_stream_receives){.size = depth};
	receives->places = calloc(depth ? depth : 1, sizeof(*receives->places));
	return receives->places ? 0 : -ENOMEM;
}

static bool is_empty(const struct rtrs_stream_receives *receives)
{
	return receives->first == receives->end;
}

static struct rtrs_stream_receive *first_receive(const struct rtrs_stream_receives *receives)
{
	return &receives->places[receives->first % receives->size];
}

static struct rtrs_stream_receive take_receive(struct rtrs_stream_receives *receives)
{
	struct rtrs_stream_receive first = *first_receive(receives);

	receives->first++;
	return first;
}

int rtrsi_stream_receive(struct rtrs_connection *base, uint64_t id,
			 const struct rtrs_segment *segment)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);
	struct rtrs_stream_receives *receives = &connection->receives;

	if (connection->state != STREAM_UP && connection->state != STREAM_PREPARED)
		return -ENOTCONN;
	if (receives->end - receives->first == receives->size)
		return -ENOMEM;
	if (segment && segment->length &&
	    !rtrsi_stream_key_check(&connection->domain->keys, segment->key, false,
				    (uintptr_t)segment->address, segment->length))
		return -EACCES;
	if (receives->first > UINT32_MAX / 2) {
		uint32_t whole = receives->first / receives->size * receives->size;

		receives->first -= whole;
		receives->end -= whole;
	}
	receives->places[receives->end++ % receives->size] = (struct rtrs_stream_receive){
		.id = id,
		.address = segment ? (char *)segment->address : NULL,
		.length = segment ? segment->length : 0,
		.key = segment ? segment->key : 0,
	};
	if (connection->is_stalled) {
		connection->is_stalled = false;
		rtrsi_stream_ready(connection);
	}
	return 0;
}

/* --- bytes ------------------------------------------------------------------------------------- */

/*
 * Into `to`, and what comes beyond that into the buffer, which is empty. The count of bytes for `to`; -EAGAIN; or
 * another -errno.
 */
static ssize_t read_bytes(struct rtrs_stream_connection *connection, char *to, size_t size)
{
	struct iovec vectors[] = {{to, size}, {connection->buffer, STREAM_BUFFER_SIZE}};
	ssize_t count;

	if (!connection->is_readable)
		return -EAGAIN;
	do
		count = readv(connection->fd, vectors, 2);
	while (count < 0 && errno == EINTR);
	if (count < 0) {
		if (errno != EAGAIN)
			return -errno;
		connection->is_readable = false;
		return -EAGAIN;
	}
	if (!count)
		return -ECONNRESET;
	/* Less than there was room for: there is no more now. */
	if ((size_t)count < size + STREAM_BUFFER_SIZE && !connection->is_ended)
		connection->is_readable = false;
	connection->start = 0;
	connection->end = (size_t)count > size ? (size_t)count - size : 0;
	return (size_t)count < size ? count : (ssize_t)size;
}

/* The header may have come in part. */
static int read_header(struct rtrs_stream_connection *connection)
{
	uint8_t header[RTRS_FRAME_SIZE];
	size_t have = connection->end - connection->start;
	ssize_t count;
	int err;

	if (have < RTRS_FRAME_SIZE) {
		memcpy(header, connection->buffer + connection->start, have);
		count = read_bytes(connection, (char *)header + have, RTRS_FRAME_SIZE - have);
		if (count < 0)
			return (int)count;
		have += (size_t)count;
		if (have < RTRS_FRAME_SIZE) {
			memcpy(connection->buffer, header, have);
			connection->start = 0;
			connection->end = have;
			return -EAGAIN;
		}
	} else {
		memcpy(header, connection->buffer + connection->start, RTRS_FRAME_SIZE);
		connection->start += RTRS_FRAME_SIZE;
	}
	err = rtrsi_frame_decode(header, &connection->frame);
	if (err)
		return err;
	connection->has_frame = true;
	connection->got = 0;
	return 0;
}

static int read_payload(struct rtrs_stream_connection *connection, char *to)
{
	uint32_t length = connection->frame.length;

	while (connection->got < length) {
		size_t left = length - connection->got;
		size_t have = connection->end - connection->start;
		ssize_t count;

		if (have) {
			count = (ssize_t)(have < left ? have : left);
			memcpy(to + connection->got, connection->buffer + connection->start,
			       (size_t)count);
			connection->start += (size_t)count;
		} else {
			count = read_bytes(connection, to + connection->got, left);
		}
		if (count < 0)
			return (int)count;
		connection->got += (uint32_t)count;
		if (count >= STREAM_BUFFER_SIZE &&
		    !rtrsi_stream_may_go_on(rtrsi_stream_of(connection), (size_t)count) &&
		    connection->got < length)
			return -EAGAIN;
	}
	return 0;
}

/* --- frames ------------------------------------------------------------------------------------ */

static bool is_write(enum rtrs_frame_type type)
{
	return type == RTRS_FRAME_WRITE || type == RTRS_FRAME_WRITE_IMM;
}

static bool takes_receive(enum rtrs_frame_type type)
{
	return type > RTRS_FRAME_WRITE;
}

/* Returns whether this frame may come now. */
static int check_frame(const struct rtrs_stream_connection *connection)
{
	enum rtrs_frame_type type = connection->frame.type;

	switch (connection->state) {
	case STREAM_STRANGER:
		return type == RTRS_FRAME_HELLO ? 0 : -EPROTO;
	case STREAM_GREETING:
		return type == RTRS_FRAME_ACCEPT || type == RTRS_FRAME_REJECT ? 0 : -EPROTO;
	case STREAM_UP:
		return type > RTRS_FRAME_REJECT ? 0 : -EPROTO;
	default:
		return -EPROTO;
	}
}

static int write_target(const struct rtrs_stream_connection *connection, char **ret)
{
	const struct rtrs_frame *frame = &connection->frame;

	/* Without data the address says nothing. */
	if (!frame->length)
		return 0;
	*ret = rtrsi_stream_key_check(&connection->domain->keys, frame->key, true, frame->address,
				      frame->length);
	return *ret ? 0 : -EACCES;
}

static int send_target(const struct rtrs_stream_connection *connection, char **ret)
{
	const struct rtrs_stream_receive *receive = first_receive(&connection->receives);

	if (!connection->frame.length)
		return 0;
	if (connection->frame.length > receive->length)
		return -EMSGSIZE;
	*ret = rtrsi_stream_key_check(&connection->domain->keys, receive->key, false,
				      (uintptr_t)receive->address, receive->length);
	return *ret ? 0 : -EACCES;
}

/* Where the payload goes. -EAGAIN: a receive has to be posted first. */
static int find_target(struct rtrs_stream_connection *connection, char **ret)
{
	enum rtrs_frame_type type = connection->frame.type;

	if (type < RTRS_FRAME_WRITE) {
		connection->private_size = connection->frame.length;
		*ret = (char *)connection->private_data;
		return 0;
	}
	if (takes_receive(type) && is_empty(&connection->receives)) {
		connection->is_stalled = true;
		rtrsi_stream_of(connection)->not_ready++;
		return -EAGAIN;
	}
	return is_write(type) ? write_target(connection, ret) : send_target(connection, ret);
}

static int greeted(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	*ret = (struct rtrs_link_event){
		.connection = &connection->base,
		.private_data = connection->private_data,
		.private_size = connection->private_size,
	};
	switch (connection->frame.type) {
	case RTRS_FRAME_HELLO:
		rtrsi_stream_of(connection)->strangers--;
		connection->state = STREAM_REQUESTED;
		ret->type = RTRS_LINK_REQUESTED;
		ret->listener = connection->listener ? &connection->listener->base : NULL;
		break;
	case RTRS_FRAME_ACCEPT:
		connection->state = STREAM_UP;
		ret->type = RTRS_LINK_CONNECTED;
		break;
	default:
		rtrsi_stream_break(connection, RTRS_LINK_REFUSED, -ECONNREFUSED);
		connection->has_end = false;
		ret->type = RTRS_LINK_REFUSED;
		ret->error = -ECONNREFUSED;
		break;
	}
	return 1;
}

static int carry_out_frame(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	const struct rtrs_frame *frame = &connection->frame;
	int err;

	if (frame->type < RTRS_FRAME_WRITE)
		return greeted(connection, ret);
	if (!takes_receive(frame->type))
		return 0;
	if (frame->type == RTRS_FRAME_SEND_INVAL) {
		err = rtrsi_stream_key_invalidate(&connection->domain->keys, frame->key);
		if (err)
			return err;
	}
	*ret = (struct rtrs_link_event){
		.type = RTRS_LINK_RECEIVED,
		.connection = &connection->base,
		.id = take_receive(&connection->receives).id,
		.length = is_write(frame->type) ? 0 : frame->length,
		.has_imm = frame->type == RTRS_FRAME_WRITE_IMM ||
			   frame->type == RTRS_FRAME_SEND_IMM,
		.imm = frame->imm,
	};
	return 1;
}

static int next_frame(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	char *target = NULL;
	int err;

	if (!connection->has_frame) {
		err = read_header(connection);
		if (!err)
			err = check_frame(connection);
		if (err)
			return err;
	}
	err = find_target(connection, &target);
	if (!err)
		err = read_payload(connection, target);
	if (err)
		return err;
	connection->has_frame = false;
	return carry_out_frame(connection, ret);
}

static bool may_read(const struct rtrs_stream_connection *connection)
{
	return (connection->state == STREAM_UP || connection->state == STREAM_GREETING ||
		connection->state == STREAM_STRANGER) &&
	       !connection->is_stalled;
}

int rtrsi_stream_received(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	while (may_read(connection)) {
		int result = next_frame(connection, ret);

		if (result == -EAGAIN)
			return 0;
		if (result)
			return result;
		/* A frame that is no event: there may be more of them than anybody can wait for. */
		if (!rtrsi_stream_may_go_on(rtrsi_stream_of(connection), 0))
			return 0;
	}
	return 0;
}

int rtrsi_stream_unreceived(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	if (is_empty(&connection->receives))
		return 0;
	*ret = (struct rtrs_link_event){
		.type = RTRS_LINK_RECEIVED,
		.connection = &connection->base,
		.error = -ECANCELED,
		.id = take_receive(&connection->receives).id,
	};
	return 1;
}
