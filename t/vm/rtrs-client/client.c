/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Carries out the engine's orders on the link, and reports the link's events to the engine. */
#include <errno.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>

#include "rtrs/link/rdma/rdma.h"
#include "rtrs/protocol/imm.h"
#include "rtrs/protocol/request.h"
#include "shared/clock.h"
#include "t/lib/hang.h"
#include "t/vm/rtrs-client/client.h"

enum { QUEUE_DEPTH = 2 * CLIENT_RECEIVES, INFO_ID = CLIENT_RECEIVES, RECONNECT_MS = 1000 };

void client_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static void *zeroed_memory(size_t size)
{
	void *memory = calloc(1, size);

	if (!memory)
		client_die("no memory");
	return memory;
}

/* --- orders ------------------------------------------------------------------------------------ */

static int post_receive(struct client *client, unsigned int path_number, unsigned int connection,
			uint64_t id)
{
	struct client_path *path = &client->paths[path_number];
	const struct rtrs_segment segment = {path->receives->bytes[connection][id],
					     sizeof(path->receives->bytes[0][0]),
					     path->receive_memory->local_key};

	return client->link->ops->receive(path->connections[connection], id, &segment);
}

static int connect_one(struct client *client, unsigned int path_number, uint16_t connection)
{
	struct client_path *path = &client->paths[path_number];
	const struct rtrs_link_connect how = {
		.destination = path->address,
		.private_data = client->engine.paths[path_number].handshake.private_data,
		.private_size = RTRS_CONNECT_SIZE,
		.send_depth = QUEUE_DEPTH,
		.receive_depth = QUEUE_DEPTH,
		.user = (void *)(uintptr_t)(path_number * CLIENT_CONNECTIONS + connection),
	};

	return client->link->ops->connect(client->link, &how, &path->connections[connection]);
}

static int exchange_info(struct client *client, unsigned int path_number)
{
	const struct rtrs_link_ops *ops = client->link->ops;
	struct client_path *path = &client->paths[path_number];
	struct client_receives *receives = path->receives;
	struct rtrs_post send = {.type = RTRS_POST_SEND, .segment_count = 1, .id = INFO_ID};
	struct rtrs_segment answer;
	int err = ops->grant(path->connections[0], receives, sizeof(*receives), RTRS_ACCESS_NONE,
			     &path->receive_memory);

	if (!err)
		err = ops->grant(path->connections[0], client->slots,
				 CLIENT_SLOTS * sizeof(*client->slots), RTRS_ACCESS_WRITE,
				 &path->slot_memory);
	if (err)
		return err;
	answer = (struct rtrs_segment){receives->info_answer, sizeof(receives->info_answer),
				       path->receive_memory->local_key};
	err = ops->receive(path->connections[0], INFO_ID, &answer);
	if (err)
		return err;
	memcpy(receives->info, client->engine.paths[path_number].handshake.info,
	       sizeof(receives->info));
	send.segments[0] = (struct rtrs_segment){receives->info, sizeof(receives->info),
						 path->receive_memory->local_key};
	return ops->post(path->connections[0], &send, 1);
}

static int fill_receives(struct client *client, unsigned int path)
{
	int err = 0;

	for (unsigned int i = 0; i < CLIENT_CONNECTIONS; i++) {
		for (unsigned int id = 0; id < CLIENT_RECEIVES && !err; id++)
			err = post_receive(client, path, i, id);
	}
	return err;
}

static void withdraw(struct client *client, struct rtrs_memory **memory)
{
	if (*memory)
		client->link->ops->withdraw(*memory);
	*memory = NULL;
}

static void close_path(struct client *client, unsigned int number)
{
	struct client_path *path = &client->paths[number];

	for (unsigned int i = 0; i < CLIENT_CONNECTIONS; i++) {
		if (!path->connections[i])
			continue;
		client->link->ops->disconnect(path->connections[i]);
		client->link->ops->free(path->connections[i]);
		path->connections[i] = NULL;
	}
	withdraw(client, &path->receive_memory);
	withdraw(client, &path->slot_memory);
	rtrsi_client_closed(&client->engine, number, hfi_now_ns());
}

static int post_heartbeat(struct client *client, unsigned int path, bool is_ack)
{
	const struct rtrs_post post = {
		.type = RTRS_POST_WRITE_IMM, .reported = true, .imm = rtrsi_imm_heartbeat(is_ack)};

	return client->link->ops->post(client->paths[path].connections[0], &post, 1);
}

/* Puts the message behind the user header; the layout says what is written where. */
static struct rtrs_layout put_message(struct client_slot *slot,
				      const struct rtrs_geometry *geometry, uint32_t key)
{
	const struct rtrs_descriptor to = {(uintptr_t)slot->data, key, slot->data_length};
	uint8_t *message = slot->header + slot->header_length;
	struct rtrs_layout layout;
	int err;

	if (slot->is_read) {
		err = rtrsi_layout_read(geometry, slot->data_length, slot->header_length, &layout);
		rtrsi_read_encode(slot->header_length, slot->data_length ? &to : NULL, false,
				  message);
	} else {
		err = rtrsi_layout_write(geometry, slot->data_length, slot->header_length, &layout);
		rtrsi_write_encode(slot->header_length, message);
	}
	if (err)
		client_die("request: %s", strerror(-err));
	return layout;
}

static int post_request(struct client *client, unsigned int number, struct client_slot *slot)
{
	const struct rtrs_client_path *known = &client->engine.paths[number];
	struct client_path *path = &client->paths[number];
	const struct rtrs_chunk *chunk = &known->chunks[slot->request.permit];
	struct rtrs_layout layout =
		put_message(slot, &known->handshake.geometry, path->slot_memory->remote_key);
	uint32_t key = path->slot_memory->local_key;
	struct rtrs_post post = {
		.type = RTRS_POST_WRITE_IMM,
		.reported = true,
		.address = chunk->address + layout.write_offset,
		.key = chunk->key,
		.imm = rtrsi_imm_request(&known->handshake.geometry, slot->request.permit,
					 layout.message_offset),
	};

	if (!slot->is_read && slot->data_length)
		post.segments[post.segment_count++] =
			(struct rtrs_segment){slot->data, slot->data_length, key};
	post.segments[post.segment_count++] = (struct rtrs_segment){
		slot->header, slot->header_length + (uint32_t)layout.message_length, key};
	return client->link->ops->post(path->connections[slot->connection], &post, 1);
}

static void request_done(struct client *client, const struct rtrs_order *order)
{
	struct client_slot *slot = (struct client_slot *)order->request;

	slot->is_busy = false;
	client->done(client, slot, order->error);
}

static int carry_out_one(struct client *client, const struct rtrs_order *order)
{
	switch (order->type) {
	case RTRS_ORDER_CONNECT:
		return connect_one(client, order->path, order->connection);
	case RTRS_ORDER_INFO:
		return exchange_info(client, order->path);
	case RTRS_ORDER_READY:
		return fill_receives(client, order->path);
	case RTRS_ORDER_HEARTBEAT:
	case RTRS_ORDER_ACK:
		return post_heartbeat(client, order->path, order->type == RTRS_ORDER_ACK);
	case RTRS_ORDER_SEND:
		return post_request(client, order->path, (struct client_slot *)order->request);
	case RTRS_ORDER_CLOSE:
		fprintf(stderr, "path %u closed: %s: %s\n", order->path, strerror(-order->error),
			rtrsi_fault_text(order->fault));
		close_path(client, order->path);
		return 0;
	case RTRS_ORDER_FAILED:
		client_die("path %u: %s", order->path, strerror(-order->error));
	case RTRS_ORDER_DONE:
		request_done(client, order);
		return 0;
	default:
		return 0;
	}
}

static void carry_out_orders(struct client *client)
{
	struct rtrs_order order;

	while (rtrsi_client_next(&client->engine, &order)) {
		int err = carry_out_one(client, &order);

		if (err)
			rtrsi_client_lost(&client->engine, order.path, err);
	}
}

/* --- events ------------------------------------------------------------------------------------ */

static void received(struct client *client, const struct rtrs_link_event *event, unsigned int path,
		     unsigned int connection)
{
	struct client_receives *receives = client->paths[path].receives;
	int64_t now_ns = hfi_now_ns();

	if (event->id == INFO_ID) {
		rtrsi_client_info(&client->engine, path, receives->info_answer, event->length,
				  now_ns);
		return;
	}
	if (event->has_imm)
		rtrsi_client_received(&client->engine, path, event->imm,
				      receives->bytes[connection][event->id], event->length,
				      now_ns);
	/* In vain where the path is broken: what is posted is flushed. */
	(void)post_receive(client, path, connection, event->id);
}

static void report_event(struct client *client, const struct rtrs_link_event *event)
{
	unsigned int number = (unsigned int)(uintptr_t)event->connection->user;
	unsigned int path = number / CLIENT_CONNECTIONS, connection = number % CLIENT_CONNECTIONS;

	switch (event->type) {
	case RTRS_LINK_CONNECTED:
		rtrsi_client_accepted(&client->engine, path, event->private_data,
				      event->private_size, hfi_now_ns());
		break;
	case RTRS_LINK_REFUSED:
		rtrsi_client_refused(&client->engine, path, event->private_data,
				     event->private_size, event->error);
		break;
	case RTRS_LINK_REQUESTED: /* it does not listen */
		break;
	case RTRS_LINK_GONE:
		client->gone++;
		rtrsi_client_lost(&client->engine, path, -ENODEV);
		break;
	case RTRS_LINK_LOST:
	case RTRS_LINK_SENT:
	case RTRS_LINK_RECEIVED:
		if (event->error)
			rtrsi_client_lost(&client->engine, path, event->error);
		else if (event->type == RTRS_LINK_RECEIVED)
			received(client, event, path, connection);
		break;
	}
}

static int wait_ms(const struct client *client)
{
	int64_t rest = (rtrsi_client_deadline_ns(&client->engine) - hfi_now_ns()) / 1000000 + 1;

	if (rest < 0)
		return 0;
	return rest < HF_TEST_HANG_MS ? (int)rest : HF_TEST_HANG_MS;
}

void client_wait(struct client *client)
{
	struct pollfd poll_fd = {.fd = client->link->ops->fd(client->link), .events = POLLIN};
	struct rtrs_link_event event;
	int count;

	if (poll(&poll_fd, 1, wait_ms(client)) < 0)
		client_die("poll: %s", strerror(errno));
	while ((count = client->link->ops->next(client->link, &event)) > 0) {
		report_event(client, &event);
		carry_out_orders(client);
	}
	if (count < 0)
		client_die("next event: %s", strerror(-count));
	rtrsi_client_tick(&client->engine, hfi_now_ns());
	carry_out_orders(client);
}

/* --- the user's -------------------------------------------------------------------------------- */

void client_begin(struct client *client, const char *session)
{
	struct rtrs_client_options options = {.name = session,
					      .reconnect_delay_ms = RECONNECT_MS,
					      .max_reconnect_attempts = -1,
					      .random = 1};
	int err = rtrsi_rdma_open(&client->link);

	if (err)
		client_die("rdma link: %s", strerror(-err));
	if (getrandom(options.uuid, RTRS_UUID_SIZE, 0) < 0)
		client_die("getrandom");
	err = rtrsi_client_init(&client->engine, &options);
	if (err)
		client_die("session %s: %s", session, strerror(-err));
	client->slots = zeroed_memory(CLIENT_SLOTS * sizeof(*client->slots));
}

void client_add_path(struct client *client, const struct sockaddr *address)
{
	struct client_path *path = &client->paths[client->path_count++];
	uint8_t uuid[RTRS_UUID_SIZE];
	int number;

	if (client->path_count > CLIENT_PATHS || getrandom(uuid, sizeof(uuid), 0) < 0)
		client_die("no path more");
	path->address = address;
	path->receives = zeroed_memory(sizeof(*path->receives));
	number = rtrsi_client_add_path(&client->engine, uuid, CLIENT_CONNECTIONS, hfi_now_ns());
	if (number < 0)
		client_die("path: %s", strerror(-number));
	carry_out_orders(client);
	while (client->engine.paths[number].state != RTRS_CLIENT_CONNECTED)
		client_wait(client);
}

struct client_slot *client_slot(struct client *client)
{
	for (size_t i = 0; i < CLIENT_SLOTS; i++) {
		if (!client->slots[i].is_busy)
			return &client->slots[i];
	}
	return NULL;
}

void client_submit(struct client *client, struct client_slot *slot)
{
	int err;

	/* Until a path is back, or an answer frees a permit. */
	while ((err = rtrsi_client_submit(&client->engine, &slot->request)) == -EAGAIN ||
	       err == -ECONNABORTED)
		client_wait(client);
	if (err)
		client_die("submit: %s", strerror(-err));
	slot->is_busy = true;
	carry_out_orders(client);
}

void client_end(struct client *client)
{
	for (unsigned int i = 0; i < client->path_count; i++)
		rtrsi_client_remove_path(&client->engine, i);
	carry_out_orders(client);
	for (unsigned int i = 0; i < client->path_count; i++)
		free(client->paths[i].receives);
	client->link->ops->close(client->link);
	rtrsi_client_free(&client->engine);
	free(client->slots);
}
