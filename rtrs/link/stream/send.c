/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The send queue. What is posted is sent from the poster's memory: at once, or, while the caller still takes
 * events, together with what else it posts until there is none.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>

#include "rtrs/link/stream/private.h"

/* One call of the kernel's takes so many; a frame has up to three. */
enum { VECTORS = 96, VECTORS_OF_FRAME = 1 + RTRS_SEGMENTS_MAX };

/* From this size on, posts are not held back. */
enum { FLUSH_SIZE = 65536, FLUSH_FRAMES = VECTORS / VECTORS_OF_FRAME };

int rtrsi_stream_sends_init(struct rtrs_stream_sends *sends, uint32_t depth)
{
	*sends = (struct rtrs_stream_sends){.size = depth + STREAM_POSTS_OF_LINK};
	sends->places = calloc(sends->size, sizeof(*sends->places));
	return sends->places ? 0 : -ENOMEM;
}

static struct rtrs_stream_send *place_at(const struct rtrs_stream_sends *sends, uint32_t at)
{
	return &sends->places[at % sends->size];
}

/* An empty queue begins with its first place again, so that a little-used one needs little memory. */
static void restart_if_empty(struct rtrs_stream_sends *sends)
{
	if (sends->done == sends->end)
		sends->done = sends->sent = sends->end = 0;
}

static bool sends_are_full(const struct rtrs_stream_sends *sends, size_t more)
{
	return sends->end - sends->done + more > sends->size;
}

/* Half of the numbers are never reached: the difference of any two says how many places lie between. */
static void keep_numbers_small(struct rtrs_stream_sends *sends)
{
	uint32_t whole = sends->done / sends->size * sends->size;

	if (sends->done < UINT32_MAX / 2)
		return;
	sends->done -= whole;
	sends->sent -= whole;
	sends->end -= whole;
}

/* Their number; -1: its memory was withdrawn. */
static int frame_vectors(struct rtrs_stream_connection *connection,
			 const struct rtrs_stream_send *send, struct iovec *vectors)
{
	const struct rtrs_stream_keys *keys = &connection->domain->keys;
	int count = 1;

	if (!send->size)
		return 0;
	vectors[0] = (struct iovec){(void *)send->header, RTRS_FRAME_SIZE};
	for (unsigned int i = 0; i < send->segment_count; i++) {
		const struct rtrs_stream_segment *segment = &send->segments[i];

		if (!segment->length)
			continue;
		if (!send->is_greeting &&
		    !rtrsi_stream_key_check(keys, segment->key, false, (uintptr_t)segment->address,
					    segment->length))
			return -1;
		vectors[count++] = (struct iovec){(void *)segment->address, segment->length};
	}
	return count;
}

static void skip_bytes(struct iovec **vectors, unsigned int *count, size_t bytes)
{
	while (*count && bytes >= (*vectors)->iov_len) {
		bytes -= (*vectors)->iov_len;
		(*vectors)++;
		(*count)--;
	}
	if (bytes && *count) {
		(*vectors)->iov_base = (char *)(*vectors)->iov_base + bytes;
		(*vectors)->iov_len -= bytes;
	}
}

/* -EACCES: the memory of a post was withdrawn; -EAGAIN. */
static ssize_t send_some(struct rtrs_stream_connection *connection)
{
	const struct rtrs_stream_sends *sends = &connection->sends;
	struct iovec vectors[VECTORS], *first = vectors;
	struct msghdr message = {0};
	unsigned int count = 0;
	ssize_t sent;

	for (uint32_t at = sends->sent; at != sends->end && count + VECTORS_OF_FRAME <= VECTORS;
	     at++) {
		int more = frame_vectors(connection, place_at(sends, at), &vectors[count]);

		if (more < 0)
			return -EACCES;
		count += (unsigned int)more;
	}
	if (!count)
		return 0;
	skip_bytes(&first, &count, sends->offset);
	message.msg_iov = first;
	message.msg_iovlen = count;
	do
		sent = sendmsg(connection->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
	while (sent < 0 && errno == EINTR);
	return sent < 0 ? -errno : sent;
}

static void drop_unreported(struct rtrs_stream_sends *sends)
{
	while (sends->done != sends->sent && !place_at(sends, sends->done)->is_reported)
		sends->done++;
}

static void bytes_sent(struct rtrs_stream_connection *connection, size_t bytes)
{
	struct rtrs_stream_sends *sends = &connection->sends;
	bool is_reported = false;

	bytes += sends->offset;
	while (sends->sent != sends->end && bytes >= place_at(sends, sends->sent)->size) {
		bytes -= place_at(sends, sends->sent)->size;
		is_reported |= place_at(sends, sends->sent)->is_reported;
		sends->sent++;
	}
	sends->offset = (uint32_t)bytes;
	drop_unreported(sends);
	if (is_reported)
		rtrsi_stream_ready(connection);
}

void rtrsi_stream_flush(struct rtrs_stream_connection *connection)
{
	struct rtrs_stream_sends *sends = &connection->sends;

	while (connection->is_writable && connection->state != STREAM_DOWN &&
	       sends->sent != sends->end) {
		ssize_t sent = send_some(connection);

		if (sent == -EAGAIN) {
			connection->is_writable = false;
		} else if (sent < 0) {
			rtrsi_stream_break(connection, RTRS_LINK_LOST, (int)sent);
			return;
		} else {
			bytes_sent(connection, (size_t)sent);
		}
	}
	restart_if_empty(sends);
}

static void flush_later(struct rtrs_stream_connection *connection)
{
	struct rtrs_stream *link = rtrsi_stream_of(connection);

	if (connection->is_to_flush)
		return;
	connection->is_to_flush = true;
	connection->next_flush = link->first_flush;
	link->first_flush = connection;
}

void rtrsi_stream_greet(struct rtrs_stream_connection *connection, enum rtrs_frame_type type)
{
	struct rtrs_stream_sends *sends = &connection->sends;
	struct rtrs_stream_send *send = place_at(sends, sends->end++);
	const struct rtrs_frame frame = {.type = type,
					 .length = (uint32_t)connection->private_size,
					 .address = RTRS_FRAME_MAGIC};

	*send = (struct rtrs_stream_send){
		.segments = {{(const char *)connection->private_data, frame.length, 0}},
		.size = RTRS_FRAME_SIZE + frame.length,
		.segment_count = 1,
		.is_greeting = true,
	};
	rtrsi_frame_encode(&frame, send->header);
	rtrsi_stream_flush(connection);
}

static int check_post(const struct rtrs_stream_keys *keys, const struct rtrs_post *post)
{
	uint64_t length = 0;

	if (post->segment_count > RTRS_SEGMENTS_MAX)
		return -EINVAL;
	for (unsigned int i = 0; i < post->segment_count; i++) {
		const struct rtrs_segment *segment = &post->segments[i];

		length += segment->length;
		if (segment->length &&
		    !rtrsi_stream_key_check(keys, segment->key, false, (uintptr_t)segment->address,
					    segment->length))
			return -EACCES;
	}
	return length > UINT32_MAX - RTRS_FRAME_SIZE ? -EMSGSIZE : 0;
}

static void put_in_place(const struct rtrs_post *post, struct rtrs_stream_send *to)
{
	static const enum rtrs_frame_type types[] = {
		[RTRS_POST_WRITE] = RTRS_FRAME_WRITE,
		[RTRS_POST_WRITE_IMM] = RTRS_FRAME_WRITE_IMM,
		[RTRS_POST_SEND] = RTRS_FRAME_SEND,
		[RTRS_POST_SEND_IMM] = RTRS_FRAME_SEND_IMM,
		[RTRS_POST_SEND_INVAL] = RTRS_FRAME_SEND_INVAL,
	};
	struct rtrs_frame frame = {.type = types[post->type],
				   .address = post->address,
				   .key = post->key,
				   .imm = post->imm};

	for (unsigned int i = 0; i < post->segment_count; i++) {
		const struct rtrs_segment *segment = &post->segments[i];

		to->segments[i] = (struct rtrs_stream_segment){segment->address, segment->length,
							       segment->key};
		frame.length += segment->length;
	}
	to->id = post->id;
	to->size = RTRS_FRAME_SIZE + frame.length;
	to->segment_count = post->segment_count;
	to->is_reported = post->reported;
	to->is_greeting = false;
	rtrsi_frame_encode(&frame, to->header);
}

/* Another thread does not wait for what the one that holds the link does next. */
static bool is_more_expected(const struct rtrs_stream *link)
{
	return link->is_awake && (!link->is_held || pthread_equal(link->holder, pthread_self()));
}

static void begin_to_send(struct rtrs_stream_connection *connection, uint32_t size)
{
	const struct rtrs_stream_sends *sends = &connection->sends;

	if (is_more_expected(rtrsi_stream_of(connection)) && size < FLUSH_SIZE &&
	    sends->end - sends->sent < FLUSH_FRAMES)
		flush_later(connection);
	else
		rtrsi_stream_flush(connection);
}

int rtrsi_stream_post_nothing(struct rtrs_stream_connection *connection, bool is_reported,
			      uint64_t id)
{
	struct rtrs_stream_sends *sends = &connection->sends;

	if (connection->state != STREAM_UP && connection->state != STREAM_PREPARED)
		return -ENOTCONN;
	if (sends_are_full(sends, 1))
		return -ENOMEM;
	*place_at(sends, sends->end++) =
		(struct rtrs_stream_send){.id = id, .is_reported = is_reported};
	if (connection->state == STREAM_UP)
		begin_to_send(connection, 0);
	return 0;
}

int rtrsi_stream_post(struct rtrs_connection *base, const struct rtrs_post *posts, size_t count)
{
	struct rtrs_stream_connection *connection =
		hf_container_of(base, struct rtrs_stream_connection, base);
	struct rtrs_stream_sends *sends = &connection->sends;
	uint32_t size = 0;
	int err;

	if (connection->state != STREAM_UP)
		return -ENOTCONN;
	if (!count || count > RTRS_POSTS_MAX)
		return -EINVAL;
	if (sends_are_full(sends, count))
		return -ENOMEM;
	for (size_t i = 0; i < count; i++) {
		err = check_post(&connection->domain->keys, &posts[i]);
		if (err)
			return err;
	}
	keep_numbers_small(sends);
	for (size_t i = 0; i < count; i++) {
		struct rtrs_stream_send *send = place_at(sends, sends->end++);

		put_in_place(&posts[i], send);
		size += send->size;
	}
	begin_to_send(connection, size);
	return 0;
}

int rtrsi_stream_sent(struct rtrs_stream_connection *connection, struct rtrs_link_event *ret)
{
	struct rtrs_stream_sends *sends = &connection->sends;
	uint32_t end = connection->state == STREAM_DOWN ? sends->end : sends->sent;

	while (sends->done != end) {
		const struct rtrs_stream_send *send = place_at(sends, sends->done);
		bool is_flushed = sends->done++ >= sends->sent;

		if (send->is_greeting || (!is_flushed && !send->is_reported))
			continue;
		*ret = (struct rtrs_link_event){
			.type = RTRS_LINK_SENT,
			.connection = &connection->base,
			.error = is_flushed ? -ECANCELED : 0,
			.id = send->id,
		};
		restart_if_empty(sends);
		return 1;
	}
	restart_if_empty(sends);
	return 0;
}
