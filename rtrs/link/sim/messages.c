/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The life of a post: it leaves some time later, and its memory is read then; it arrives, whether
 * or not its sender still exists; and it completes when the peer's acknowledgement comes back. On a
 * silent wire each of these steps is tried again.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/link/sim/private.h"

enum { RETRY_MS = 500, TRIES_MAX = 8, NS_PER_MS = 1000000, NOT_READY_US = 1000, NS_PER_US = 1000 };

static struct sim_message *message_at(const struct sim_connection *connection, uint32_t at)
{
	return &connection->sends[at % connection->send_size];
}

static void transmit_later(struct sim_connection *connection)
{
	if (connection->is_transmitting || connection->sent == connection->send_end)
		return;
	connection->is_transmitting = true;
	rtrsi_sim_step_in(connection, SIM_TRANSMIT,
			  (int64_t)rtrsi_sim_random(connection->sim, 20) * NS_PER_US);
}

/* -ENOMEM: the queue is full. */
static int queue_message(struct sim_connection *connection, const struct sim_message *message)
{
	struct sim_message *place;

	if (connection->send_end - connection->done >= connection->send_size)
		return -ENOMEM;
	place = message_at(connection, connection->send_end++);
	free(place->data);
	*place = *message;
	transmit_later(connection);
	return 0;
}

static bool can_post_to(const struct sim_connection *connection)
{
	return connection->state == SIM_UP || connection->state == SIM_ACCEPTED;
}

int rtrsi_sim_post(struct rtrs_connection *base, const struct rtrs_post *posts, size_t count)
{
	struct sim_connection *connection = rtrsi_sim_of(base);
	int err = 0;

	if (!can_post_to(connection))
		return -ENOTCONN;
	if (!count || count > RTRS_POSTS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count && !err; i++)
		err = queue_message(connection, &(struct sim_message){.post = posts[i]});
	return err;
}

int rtrsi_sim_bind(struct rtrs_connection *base, struct rtrs_window *to, void *address,
		   size_t length, bool reported, uint64_t id)
{
	struct sim_connection *connection = rtrsi_sim_of(base);
	struct sim_message message = {.post = {.reported = reported, .id = id},
				      .is_bind = true,
				      .window_key = to->remote_key,
				      .bound = address,
				      .bound_length = length};
	int err;

	if (!can_post_to(connection))
		return -ENOTCONN;
	message.bound_key = rtrsi_sim_next_key(connection->sim, to->remote_key);
	err = queue_message(connection, &message);
	if (!err)
		to->remote_key = message.bound_key;
	return err;
}

int rtrsi_sim_receive(struct rtrs_connection *base, uint64_t id, const struct rtrs_segment *segment)
{
	struct sim_connection *connection = rtrsi_sim_of(base);

	if (!can_post_to(connection) && connection->state != SIM_PREPARED)
		return -ENOTCONN;
	if (connection->receive_end - connection->receive_first == connection->receive_size)
		return -ENOMEM;
	connection->receives[connection->receive_end++ % connection->receive_size] =
		(struct sim_receive){.id = id,
				     .address = segment ? (char *)segment->address : NULL,
				     .length = segment ? segment->length : 0,
				     .key = segment ? segment->key : 0};
	return 0;
}

/* --- it leaves ----------------------------------------------------------------------------------- */

static int read_memory(const struct sim_connection *connection, struct sim_message *message)
{
	size_t at = 0;

	message->length = 0;
	for (unsigned int i = 0; i < message->post.segment_count; i++)
		message->length += message->post.segments[i].length;
	message->data = malloc(message->length + 1UL);
	if (!message->data)
		abort();
	for (unsigned int i = 0; i < message->post.segment_count; i++) {
		const struct rtrs_segment *segment = &message->post.segments[i];

		if (!segment->length)
			continue;
		if (!rtrsi_sim_check_key(connection, segment->key, false,
					 (uintptr_t)segment->address, segment->length))
			return -EACCES;
		memcpy(message->data + at, segment->address, segment->length);
		at += segment->length;
	}
	return 0;
}

static int64_t later(const struct sim_connection *connection, const struct sim_message *message)
{
	return message->at_ns > connection->sim->now_ns ? message->at_ns : connection->sim->now_ns;
}

/* In order: a post that is tried again delays those behind it. */
static void plan_arrival(struct sim_connection *connection)
{
	if (connection->is_arriving || connection->arrived == connection->sent)
		return;
	connection->is_arriving = true;
	rtrsi_sim_step_at(connection, SIM_ARRIVE,
			  later(connection, message_at(connection, connection->arrived)), 0);
}

static void plan_completion(struct sim_connection *connection)
{
	if (connection->is_completing || connection->done == connection->arrived)
		return;
	connection->is_completing = true;
	rtrsi_sim_step_at(connection, SIM_COMPLETE,
			  later(connection, message_at(connection, connection->done)), 0);
}

void rtrsi_sim_transmit(struct sim_connection *connection)
{
	struct sim_message *message;

	connection->is_transmitting = false;
	if (!can_post_to(connection) || connection->sent == connection->send_end)
		return;
	message = message_at(connection, connection->sent);
	if (message->is_bind) {
		rtrsi_sim_bind_key(connection->sim, message->bound_key, message->bound,
				   message->bound_length);
	} else if (read_memory(connection, message)) {
		rtrsi_sim_break(connection, connection->sent, -EACCES);
		return;
	}
	connection->sent++;
	message->acknowledged = connection->peer->arrived;
	message->at_ns = connection->sim->now_ns + rtrsi_sim_delay(connection->sim);
	plan_arrival(connection);
	transmit_later(connection);
}

/* --- it arrives ---------------------------------------------------------------------------------- */

static bool is_silent(const struct sim_connection *connection)
{
	return connection->sim->wires[connection->wire] != SIM_WIRE_UP;
}

/* False: that was the last try. */
static bool is_tried_again(struct sim_connection *connection, struct sim_message *message)
{
	message->at_ns = connection->sim->now_ns + (int64_t)RETRY_MS * NS_PER_MS;
	return ++message->tries < TRIES_MAX;
}

static bool writes_memory(const struct rtrs_post *post)
{
	return post->type == RTRS_POST_WRITE || post->type == RTRS_POST_WRITE_IMM;
}

static int store(const struct sim_connection *to, const struct sim_message *message,
		 const struct sim_receive *receive)
{
	const struct rtrs_post *post = &message->post;
	char *target = NULL;

	if (!message->length)
		return 0;
	if (writes_memory(post))
		target = rtrsi_sim_check_key(to, post->key, true, post->address, message->length);
	else if (message->length <= receive->length)
		target = rtrsi_sim_check_key(to, receive->key, false, (uintptr_t)receive->address,
					     receive->length);
	if (!target)
		return -EACCES;
	memcpy(target, message->data, message->length);
	return 0;
}

static int hand_over(struct sim_connection *to, const struct sim_message *message)
{
	const struct rtrs_post *post = &message->post;
	const struct sim_receive *receive =
		&to->receives[to->receive_first % (to->receive_size ? to->receive_size : 1)];
	int err = store(to, message, receive);
	struct rtrs_link_event event;

	if (err || post->type == RTRS_POST_WRITE)
		return err;
	if (post->type == RTRS_POST_SEND_INVAL && !rtrsi_sim_invalidate_key(to, post->key))
		return -EACCES;
	event = (struct rtrs_link_event){.type = RTRS_LINK_RECEIVED,
					 .id = receive->id,
					 .length = writes_memory(post) ? 0 : message->length,
					 .has_imm = post->type == RTRS_POST_WRITE_IMM ||
						    post->type == RTRS_POST_SEND_IMM,
					 .imm = post->imm};
	to->receive_first++;
	rtrsi_sim_event(to, &event);
	return 0;
}

/* Of one that its sender has given up: it was on its way, and is lost where it cannot be delivered. */
static void straggler_arrives(struct sim_connection *connection, const struct sim_message *message)
{
	struct sim_connection *to = connection->peer;
	int err;

	if (!connection->sim->has_stragglers || message->is_bind || is_silent(connection) ||
	    to->state == SIM_DOWN || to->state == SIM_CONNECTING ||
	    (message->post.type != RTRS_POST_WRITE && to->receive_first == to->receive_end))
		return;
	err = hand_over(to, message);
	if (err)
		rtrsi_sim_break(to, to->send_end, err);
}

static void complete_first(struct sim_connection *connection)
{
	const struct sim_message *message = message_at(connection, connection->done++);
	const struct rtrs_link_event event = {.type = RTRS_LINK_SENT, .id = message->post.id};

	if (message->post.reported)
		rtrsi_sim_event(connection, &event);
}

/*
 * Complete first what the peer had received when it sent this: that acknowledgement left earlier,
 * on the same way.
 */
static void complete_what_had_arrived(struct sim_connection *connection, uint32_t count)
{
	while (can_post_to(connection) && connection->done != connection->arrived &&
	       (int32_t)(count - connection->done) > 0)
		complete_first(connection);
}

/* -EAGAIN: it is tried again. */
static int message_arrives(struct sim_connection *connection, struct sim_message *message)
{
	struct sim_connection *to = connection->peer;
	int err;

	if (message->is_bind)
		return 0;
	if (is_silent(connection) || to->state == SIM_DOWN || to->state == SIM_CONNECTING)
		return is_tried_again(connection, message) ? -EAGAIN : -ETIMEDOUT;
	if (message->post.type != RTRS_POST_WRITE && to->receive_first == to->receive_end) {
		connection->sim->not_ready++;
		message->at_ns = connection->sim->now_ns + (int64_t)NOT_READY_US * NS_PER_US;
		return -EAGAIN;
	}
	complete_what_had_arrived(to, message->acknowledged);
	err = hand_over(to, message);
	if (err)
		rtrsi_sim_break(to, to->send_end, err);
	return err;
}

void rtrsi_sim_arrive(struct sim_connection *connection)
{
	uint32_t at = connection->arrived;
	struct sim_message *message = message_at(connection, at);
	int err;

	connection->is_arriving = false;
	if (!can_post_to(connection)) {
		straggler_arrives(connection, message);
		connection->arrived++;
		plan_arrival(connection);
		return;
	}
	err = message_arrives(connection, message);
	if (!err) {
		connection->arrived++;
		message->tries = 0;
		message->at_ns = connection->sim->now_ns + rtrsi_sim_delay(connection->sim);
		plan_completion(connection);
	} else if (err != -EAGAIN) {
		rtrsi_sim_break(connection, at, err);
		/* Its way has ended, delivered or not. */
		connection->arrived++;
	}
	plan_arrival(connection);
}

/* --- its sender hears of it ---------------------------------------------------------------------- */

void rtrsi_sim_complete(struct sim_connection *connection)
{
	uint32_t at = connection->done;
	struct sim_message *message = message_at(connection, at);

	connection->is_completing = false;
	if (!can_post_to(connection) || at == connection->arrived)
		return;
	if (!message->is_bind && is_silent(connection)) {
		if (!is_tried_again(connection, message)) {
			rtrsi_sim_break(connection, at, -ETIMEDOUT);
			return;
		}
	} else {
		complete_first(connection);
	}
	plan_completion(connection);
}
