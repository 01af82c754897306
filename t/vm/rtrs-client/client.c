/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens a path, and carries out one request after the other on it, always in the first chunk. */
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

enum { QUEUE_DEPTH = 2 * CLIENT_RECEIVES, INFO_ID = CLIENT_RECEIVES };

void client_die(const char *format, ...)
{
	va_list arguments;

	va_start(arguments, format);
	vfprintf(stderr, format, arguments);
	va_end(arguments);
	fputc('\n', stderr);
	exit(1);
}

static struct rtrs_segment segment_of(const struct client *client, const void *at, uint32_t length)
{
	return (struct rtrs_segment){at, length, client->granted->local_key};
}

static struct rtrs_link_event wait_link_event(struct client *client)
{
	struct pollfd poll_fd = {.fd = client->link->ops->fd(client->link), .events = POLLIN};
	struct rtrs_link_event event;
	int count;

	while ((count = client->link->ops->next(client->link, &event)) == 0) {
		if (poll(&poll_fd, 1, HF_TEST_HANG_MS) != 1)
			client_die("no event of the link");
	}
	if (count < 0)
		client_die("next event: %s", strerror(-count));
	return event;
}

static void post_receive(struct client *client, unsigned int connection, uint64_t id)
{
	struct client_memory *memory = client->memory;
	struct rtrs_segment segment = segment_of(client, memory->receives[connection][id],
						 sizeof(memory->receives[0][0]));
	int err = client->link->ops->receive(client->connections[connection], id, &segment);

	if (err)
		client_die("receive: %s", strerror(-err));
}

static void post(struct client *client, unsigned int connection, const struct rtrs_post *posts)
{
	int err = client->link->ops->post(client->connections[connection], posts, 1);

	if (err)
		client_die("post: %s", strerror(-err));
}

static void connect_one(struct client *client, const struct sockaddr *address,
			unsigned int connection)
{
	const struct rtrs_link_connect how = {
		.destination = address,
		.private_data = client->handshake.private_data,
		.private_size = RTRS_CONNECT_SIZE,
		.send_depth = QUEUE_DEPTH,
		.receive_depth = QUEUE_DEPTH,
		.user = (void *)(uintptr_t)connection,
	};
	int err = client->link->ops->connect(client->link, &how, &client->connections[connection]);

	if (err)
		client_die("connect: %s", strerror(-err));
}

static void exchange_info(struct client *client)
{
	struct client_memory *memory = client->memory;
	struct rtrs_post send = {.type = RTRS_POST_SEND, .segment_count = 1, .id = INFO_ID};
	struct rtrs_segment answer;
	int err = client->link->ops->grant(client->connections[0], memory, sizeof(*memory),
					   &client->granted);

	if (err)
		client_die("grant: %s", strerror(-err));
	client->chunks = calloc(client->handshake.geometry.depth, sizeof(*client->chunks));
	if (!client->chunks)
		client_die("no memory");
	answer = segment_of(client, memory->info_answer, sizeof(memory->info_answer));
	err = client->link->ops->receive(client->connections[0], INFO_ID, &answer);
	if (err)
		client_die("receive: %s", strerror(-err));
	memcpy(memory->info, client->handshake.info, sizeof(memory->info));
	send.segments[0] = segment_of(client, memory->info, sizeof(memory->info));
	post(client, 0, &send);
}

static struct rtrs_step handshake_event(struct client *client, const struct rtrs_link_event *event)
{
	struct rtrs_handshake *handshake = &client->handshake;

	switch (event->type) {
	case RTRS_LINK_CONNECTED:
		return rtrsi_handshake_accepted(handshake, event->private_data, event->private_size,
						hfi_now_ms());
	case RTRS_LINK_REFUSED:
		return rtrsi_handshake_refused(handshake, event->private_data, event->private_size,
					       event->error);
	case RTRS_LINK_LOST:
	case RTRS_LINK_GONE:
		return rtrsi_handshake_lost(handshake, event->error);
	case RTRS_LINK_RECEIVED:
		if (event->error)
			return rtrsi_handshake_lost(handshake, event->error);
		return rtrsi_handshake_answered(handshake, client->memory->info_answer,
						event->length, client->chunks);
	default:
		return (struct rtrs_step){.type = RTRS_STEP_WAIT};
	}
}

static void begin_handshake(struct client *client, const char *session)
{
	struct rtrs_connect connect = {
		.connections = CLIENT_CONNECTIONS, .attempt = 1, .first = true};
	int err;

	if (getrandom(connect.path, RTRS_UUID_SIZE, 0) < 0 ||
	    getrandom(connect.session, RTRS_UUID_SIZE, 0) < 0)
		client_die("getrandom");
	err = rtrsi_handshake_begin(&client->handshake, &connect, session, 0, hfi_now_ms());
	if (err)
		client_die("session %s: %s", session, strerror(-err));
}

void client_open(struct client *client, const struct sockaddr *address, const char *session)
{
	struct rtrs_step step = {.type = RTRS_STEP_CONNECT};
	int err = rtrsi_rdma_open(&client->link);

	if (err)
		client_die("rdma link: %s", strerror(-err));
	client->memory = calloc(1, sizeof(*client->memory));
	if (!client->memory)
		client_die("no memory");
	begin_handshake(client, session);
	while (step.type != RTRS_STEP_READY) {
		struct rtrs_link_event event;

		if (step.type == RTRS_STEP_CONNECT)
			connect_one(client, address, step.connection);
		else if (step.type == RTRS_STEP_INFO)
			exchange_info(client);
		else if (step.type == RTRS_STEP_FAIL)
			client_die("open: %s: %s", strerror(-step.error),
				   rtrsi_fault_text(step.fault));
		event = wait_link_event(client);
		step = handshake_event(client, &event);
	}
	for (unsigned int i = 0; i < CLIENT_CONNECTIONS; i++) {
		for (unsigned int id = 0; id < CLIENT_RECEIVES; id++)
			post_receive(client, i, id);
	}
}

static void take_new_key(struct client *client, const struct rtrs_imm *imm, const uint8_t *bytes,
			 size_t size)
{
	enum rtrs_fault fault = rtrsi_new_key_decode(&client->handshake.geometry, imm->chunk, bytes,
						     size, &client->chunks[imm->chunk].key);

	if (fault)
		client_die("new key: %s", rtrsi_fault_text(fault));
	client->new_keys++;
}

static void received(struct client *client, const struct rtrs_link_event *event)
{
	unsigned int connection = (uintptr_t)event->connection->user;
	struct rtrs_post ack = {.type = RTRS_POST_WRITE_IMM, .imm = rtrsi_imm_heartbeat(true)};
	enum rtrs_fault fault;
	struct rtrs_imm imm;

	if (!event->has_imm)
		client_die("received without immediate data");
	fault = rtrsi_imm_at_client(&client->handshake.geometry, event->imm, &imm);
	if (fault)
		client_die("immediate %#x: %s", event->imm, rtrsi_fault_text(fault));
	switch (imm.type) {
	case RTRS_IMM_HEARTBEAT:
		client->heartbeats++;
		post(client, 0, &ack);
		break;
	case RTRS_IMM_ANSWER:
		if (client->handshake.new_keys)
			take_new_key(client, &imm, client->memory->receives[connection][event->id],
				     event->length);
		client->answered = true;
		client->answer = imm.error;
		break;
	default:
		break;
	}
	post_receive(client, connection, event->id);
}

static void wait_answer(struct client *client)
{
	while (!client->answered) {
		struct rtrs_link_event event = wait_link_event(client);

		if (event.error)
			client_die("event %d of the link: %s", event.type, strerror(-event.error));
		if (event.type == RTRS_LINK_RECEIVED)
			received(client, &event);
		else if (event.type != RTRS_LINK_SENT)
			client_die("event %d of the link", event.type);
	}
}

/* Puts the message behind the user header; the layout says what is written where. */
static struct rtrs_layout encode_request(struct client *client, bool is_read,
					 uint16_t header_length, uint32_t data_length)
{
	const struct rtrs_geometry *geometry = &client->handshake.geometry;
	struct client_memory *memory = client->memory;
	uint8_t *message = memory->header + header_length;
	const struct rtrs_descriptor to = {(uintptr_t)memory->data, client->granted->remote_key,
					   data_length};
	struct rtrs_layout layout;
	int err = is_read ? rtrsi_layout_read(geometry, data_length, header_length, &layout)
			  : rtrsi_layout_write(geometry, data_length, header_length, &layout);

	if (err)
		client_die("request: %s", strerror(-err));
	if (is_read)
		rtrsi_read_encode(header_length, data_length ? &to : NULL, false, message);
	else
		rtrsi_write_encode(header_length, message);
	return layout;
}

int client_request(struct client *client, unsigned int connection, bool is_read,
		   uint16_t header_length, uint32_t data_length)
{
	struct rtrs_layout layout = encode_request(client, is_read, header_length, data_length);
	struct rtrs_post write = {
		.type = RTRS_POST_WRITE_IMM,
		.reported = true,
		.address = client->chunks[0].address + layout.write_offset,
		.key = client->chunks[0].key,
		.imm = rtrsi_imm_request(&client->handshake.geometry, 0, layout.message_offset),
	};

	if (!is_read && data_length)
		write.segments[write.segment_count++] =
			segment_of(client, client->memory->data, data_length);
	write.segments[write.segment_count++] = segment_of(
		client, client->memory->header, header_length + (uint32_t)layout.message_length);
	client->answered = false;
	post(client, connection, &write);
	wait_answer(client);
	return client->answer;
}

void client_wait_gone(struct client *client)
{
	for (unsigned int gone = 0; gone < CLIENT_CONNECTIONS;) {
		struct rtrs_link_event event = wait_link_event(client);

		if (event.type == RTRS_LINK_GONE)
			gone++;
		else if (event.type == RTRS_LINK_RECEIVED && !event.error)
			received(client, &event);
	}
}

void client_close(struct client *client)
{
	const struct rtrs_link_ops *ops = client->link->ops;

	for (unsigned int i = 0; i < CLIENT_CONNECTIONS; i++)
		ops->disconnect(client->connections[i]);
	for (unsigned int i = 0; i < CLIENT_CONNECTIONS; i++)
		ops->free(client->connections[i]);
	ops->withdraw(client->granted);
	ops->close(client->link);
	free(client->chunks);
	free(client->memory);
}
