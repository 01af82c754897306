/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A connection's life: asked for, accepted or not, its end. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/link/sim/private.h"

enum { SILENCE_MS = 3000, NS_PER_MS = 1000000 };

static int set_private(struct sim_connection *connection, const uint8_t *data, size_t size)
{
	if (size > sizeof(connection->private_data))
		return -EINVAL;
	if (size)
		memcpy(connection->private_data, data, size);
	connection->private_size = size;
	return 0;
}

static uint32_t ipv4_of(const struct sockaddr *address)
{
	struct sockaddr_in v4;

	if (!address || address->sa_family != AF_INET)
		return 0;
	memcpy(&v4, address, sizeof(v4));
	return ntohl(v4.sin_addr.s_addr);
}

int rtrsi_sim_connect(struct rtrs_link *base, const struct rtrs_link_connect *how,
		      struct rtrs_connection **ret)
{
	struct sim_link *link = hf_container_of(base, struct sim_link, base);
	const struct rtrs_link_queues queues = {how->send_depth, how->receive_depth, how->user,
						how->domain};
	uint32_t address = ipv4_of(how->destination);
	struct sim_connection *connection;
	int err;

	if (!address || address % 256 >= RTRS_SIM_WIRES)
		return -EAFNOSUPPORT;
	if (link->sim->wires[address % 256] == SIM_WIRE_UNPLUGGED && rtrsi_sim_random(link->sim, 2))
		return -ENODEV;
	err = rtrsi_sim_new_connection(link, &connection);
	if (err)
		return err;
	connection->is_client = true;
	connection->address = address;
	connection->wire = address % 256;
	connection->source = how->source ? ipv4_of(how->source) : address + 1024;
	err = rtrsi_sim_make_queues(connection, &queues);
	if (!err)
		err = set_private(connection, how->private_data, how->private_size);
	if (err) {
		rtrsi_sim_free_connection(&connection->base);
		return err;
	}
	rtrsi_sim_step_in(connection, SIM_REQUEST, rtrsi_sim_delay(link->sim));
	*ret = &connection->base;
	return 0;
}

int rtrsi_sim_listen(struct rtrs_link *base, const struct sockaddr *address, void *user,
		     struct rtrs_listener **ret)
{
	struct sim_link *link = hf_container_of(base, struct sim_link, base);
	struct sim_listener *listener = calloc(1, sizeof(*listener));

	if (!listener)
		return -ENOMEM;
	listener->base = (struct rtrs_listener){.link = base, .user = user};
	listener->address = ipv4_of(address);
	listener->next = link->sim->listeners;
	link->sim->listeners = listener;
	*ret = &listener->base;
	return 0;
}

void rtrsi_sim_unlisten(struct rtrs_listener *base)
{
	const struct sim_link *link = hf_container_of(base->link, const struct sim_link, base);
	struct sim_listener *listener = hf_container_of(base, struct sim_listener, base);
	struct sim_listener **at = &link->sim->listeners;

	while (*at != listener)
		at = &(*at)->next;
	*at = listener->next;
	free(listener);
}

int rtrsi_sim_prepare(struct rtrs_connection *base, const struct rtrs_link_queues *queues)
{
	struct sim_connection *connection = rtrsi_sim_of(base);
	int err;

	if (connection->state != SIM_REQUESTED)
		return -ENOTCONN;
	err = rtrsi_sim_make_queues(connection, queues);
	if (!err)
		connection->state = SIM_PREPARED;
	return err;
}

int rtrsi_sim_accept(struct rtrs_connection *base, const uint8_t *private_data, size_t size)
{
	struct sim_connection *connection = rtrsi_sim_of(base);
	int err;

	if (connection->state != SIM_PREPARED)
		return -ENOTCONN;
	err = set_private(connection, private_data, size);
	if (err)
		return err;
	connection->state = SIM_ACCEPTED;
	rtrsi_sim_step_in(connection, SIM_ACCEPT, rtrsi_sim_delay(connection->sim));
	return 0;
}

void rtrsi_sim_reject(struct rtrs_connection *base, const uint8_t *private_data, size_t size)
{
	struct sim_connection *connection = rtrsi_sim_of(base);

	if (!set_private(connection, private_data, size))
		rtrsi_sim_step_in(connection, SIM_REJECT, rtrsi_sim_delay(connection->sim));
	rtrsi_sim_free_connection(base);
}

static void put_ipv4(uint32_t address, struct sockaddr_storage *ret)
{
	const struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(address)};

	memset(ret, 0, sizeof(*ret));
	memcpy(ret, &v4, sizeof(v4));
}

void rtrsi_sim_addresses(const struct rtrs_connection *base, struct sockaddr_storage *own,
			 struct sockaddr_storage *peer)
{
	const struct sim_connection *connection =
		hf_container_of(base, const struct sim_connection, base);

	put_ipv4(connection->address, own);
	put_ipv4(connection->source, peer);
}

/* --- the end ------------------------------------------------------------------------------------- */

/* `failed`: the place of the post that is to blame; send_end: none is. */
void rtrsi_sim_break(struct sim_connection *connection, uint32_t failed, int error)
{
	struct rtrs_link_event event = {0};

	if (connection->state == SIM_DOWN)
		return;
	connection->state = SIM_DOWN;
	for (; connection->done != connection->send_end; connection->done++) {
		event = (struct rtrs_link_event){
			.type = RTRS_LINK_SENT,
			.error = connection->done == failed ? error : -ECANCELED,
			.id = connection->sends[connection->done % connection->send_size].post.id};
		rtrsi_sim_event(connection, &event);
	}
	for (; connection->receive_first != connection->receive_end; connection->receive_first++) {
		event = (struct rtrs_link_event){
			.type = RTRS_LINK_RECEIVED,
			.error = -ECANCELED,
			.id = connection
				      ->receives[connection->receive_first %
						 connection->receive_size]
				      .id};
		rtrsi_sim_event(connection, &event);
	}
}

static void say_goodbye(struct sim_connection *connection)
{
	if (connection->peer)
		rtrsi_sim_step_in(connection->peer, SIM_GOODBYE, rtrsi_sim_delay(connection->sim));
}

static void ends_with(struct sim_connection *connection, int error)
{
	bool is_new = connection->state == SIM_CONNECTING || connection->state == SIM_ACCEPTED;
	struct rtrs_link_event event = {.type = is_new ? RTRS_LINK_REFUSED : RTRS_LINK_LOST,
					.error = error};

	/* Its user has not been told of it yet and finds it down. */
	if (connection->state == SIM_REQUESTED || connection->state == SIM_PREPARED) {
		connection->state = SIM_DOWN;
		return;
	}
	if (error == -ENODEV)
		event.type = RTRS_LINK_GONE;
	else if (connection->state == SIM_DOWN)
		return;
	rtrsi_sim_event(connection, &event);
	rtrsi_sim_break(connection, connection->send_end, error);
}

void rtrsi_sim_disconnect(struct rtrs_connection *base)
{
	struct sim_connection *connection = rtrsi_sim_of(base);

	if (connection->state != SIM_UP && connection->state != SIM_ACCEPTED)
		return;
	say_goodbye(connection);
	ends_with(connection, -ECONNRESET);
}

void rtrsi_sim_free_connection(struct rtrs_connection *base)
{
	struct sim_connection *connection = rtrsi_sim_of(base);

	if (connection->state == SIM_UP || connection->state == SIM_ACCEPTED)
		say_goodbye(connection);
	connection->is_freed = true;
	connection->state = SIM_DOWN;
	connection->sim->objects--;
}

/* --- the handshake ------------------------------------------------------------------------------- */

static const struct sim_listener *find_listener(const struct rtrs_sim *sim, uint32_t address)
{
	const struct sim_listener *at = sim->listeners;

	while (at && at->address != address)
		at = at->next;
	return at;
}

static void asked_listener(struct sim_connection *connection, const struct sim_listener *listener)
{
	struct sim_link *link = hf_container_of(listener->base.link, struct sim_link, base);
	struct rtrs_link_event event = {.type = RTRS_LINK_REQUESTED,
					.listener = (struct rtrs_listener *)&listener->base,
					.private_data = connection->private_data,
					.private_size = connection->private_size};
	struct sim_connection *made;

	if (rtrsi_sim_new_connection(link, &made))
		abort();
	made->state = SIM_REQUESTED;
	made->wire = connection->wire;
	made->address = connection->address;
	made->source = connection->source;
	made->peer = connection;
	connection->peer = made;
	rtrsi_sim_event(made, &event);
}

static void asks_listener(struct sim_connection *connection)
{
	const struct sim_listener *listener = find_listener(connection->sim, connection->address);
	enum sim_wire_state wire = connection->sim->wires[connection->wire];

	if (connection->state != SIM_CONNECTING)
		return;
	if (wire == SIM_WIRE_UNPLUGGED)
		ends_with(connection, -ENODEV);
	else if (wire == SIM_WIRE_CUT)
		ends_with(connection, -ENETUNREACH);
	else if (wire == SIM_WIRE_SILENT && rtrsi_sim_random(connection->sim, 2))
		/* Otherwise no event would ever come. */
		rtrsi_sim_step_at(connection, SIM_END,
				  connection->sim->now_ns + (int64_t)SILENCE_MS * NS_PER_MS,
				  -ETIMEDOUT);
	else if (wire == SIM_WIRE_UP && listener)
		asked_listener(connection, listener);
	else if (wire == SIM_WIRE_UP)
		ends_with(connection, -ECONNREFUSED);
}

static void client_is_accepted(struct sim_connection *server)
{
	struct sim_connection *client = server->peer;
	const struct rtrs_link_event event = {.type = RTRS_LINK_CONNECTED,
					      .private_data = server->private_data,
					      .private_size = server->private_size};

	if (client->state != SIM_CONNECTING) {
		rtrsi_sim_step_in(server, SIM_GOODBYE, rtrsi_sim_delay(server->sim));
		return;
	}
	client->state = SIM_UP;
	rtrsi_sim_event(client, &event);
	rtrsi_sim_step_in(server, SIM_CONFIRM, rtrsi_sim_delay(server->sim));
}

static void client_is_rejected(const struct sim_connection *server)
{
	struct sim_connection *client = server->peer;
	const struct rtrs_link_event event = {.type = RTRS_LINK_REFUSED,
					      .error = -ECONNREFUSED,
					      .private_data = server->private_data,
					      .private_size = server->private_size};

	if (client->state != SIM_CONNECTING)
		return;
	rtrsi_sim_event(client, &event);
	rtrsi_sim_break(client, client->send_end, 0);
}

static void server_is_confirmed(struct sim_connection *server)
{
	const struct rtrs_link_event event = {.type = RTRS_LINK_CONNECTED};

	if (server->state != SIM_ACCEPTED)
		return;
	server->state = SIM_UP;
	rtrsi_sim_event(server, &event);
}

/* Messages of the connection manager have no order relative to others. */
void rtrsi_sim_handshake(struct sim_connection *connection, const struct sim_step *step)
{
	bool gets_through = connection->sim->wires[connection->wire] == SIM_WIRE_UP;

	if (step->type == SIM_REQUEST)
		asks_listener(connection);
	else if (step->type == SIM_END)
		ends_with(connection, step->error);
	else if (!gets_through)
		return;
	else if (step->type == SIM_ACCEPT)
		client_is_accepted(connection);
	else if (step->type == SIM_REJECT)
		client_is_rejected(connection);
	else if (step->type == SIM_CONFIRM)
		server_is_confirmed(connection);
	else
		ends_with(connection, -ECONNRESET);
}
