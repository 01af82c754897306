/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The link itself: its events, and what a connection is made of. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/link/sim/private.h"

/* Of a connection that its user has freed nothing is said. */
void rtrsi_sim_event(struct sim_connection *connection, const struct rtrs_link_event *from)
{
	struct sim_link *link = rtrsi_sim_link_of(connection);
	struct sim_event *event;

	if (connection->is_freed)
		return;
	event = calloc(1, sizeof(*event));
	if (!event)
		abort();
	event->event = *from;
	event->event.connection = &connection->base;
	event->connection = connection;
	if (from->private_data) {
		memcpy(event->private_data, from->private_data, from->private_size);
		event->event.private_data = event->private_data;
	}
	*link->last_event = event;
	link->last_event = &event->next;
}

bool rtrsi_sim_has_events(const struct rtrs_link *base)
{
	return hf_container_of(base, const struct sim_link, base)->events;
}

static void drop_given(struct sim_link *link)
{
	free(link->given);
	link->given = NULL;
}

static int next_sim_event(struct rtrs_link *base, struct rtrs_link_event *ret)
{
	struct sim_link *link = hf_container_of(base, struct sim_link, base);
	struct sim_event *event;

	drop_given(link);
	while ((event = link->events)) {
		link->events = event->next;
		if (!link->events)
			link->last_event = &link->events;
		link->given = event;
		if (!event->connection->is_freed) {
			*ret = event->event;
			return 1;
		}
		drop_given(link);
	}
	return 0;
}

static void close_sim_link(struct rtrs_link *base)
{
	struct sim_link *link = hf_container_of(base, struct sim_link, base);
	struct sim_connection *at;
	struct rtrs_link_event event;

	/* Those that nobody has accepted yet. */
	for (at = link->sim->connections; at; at = at->next) {
		if (!at->is_freed && at->base.link == base)
			rtrsi_sim_free_connection(&at->base);
	}
	while (next_sim_event(base, &event))
		;
	free(link);
}

static int no_descriptor(const struct rtrs_link *base)
{
	(void)base;
	return -1;
}

static const struct rtrs_link_ops sim_ops = {
	.close = close_sim_link,
	.fd = no_descriptor,
	.next = next_sim_event,
	.connect = rtrsi_sim_connect,
	.listen = rtrsi_sim_listen,
	.unlisten = rtrsi_sim_unlisten,
	.prepare = rtrsi_sim_prepare,
	.accept = rtrsi_sim_accept,
	.reject = rtrsi_sim_reject,
	.addresses = rtrsi_sim_addresses,
	.disconnect = rtrsi_sim_disconnect,
	.free = rtrsi_sim_free_connection,
	.post = rtrsi_sim_post,
	.receive = rtrsi_sim_receive,
	.grant = rtrsi_sim_grant,
	.withdraw = rtrsi_sim_withdraw,
	.open_window = rtrsi_sim_open_window,
	.bind = rtrsi_sim_bind,
	.close_window = rtrsi_sim_close_window,
};

int rtrsi_sim_open(struct rtrs_sim *sim, struct rtrs_link **ret)
{
	struct sim_link *link = calloc(1, sizeof(*link));

	if (!link)
		return -ENOMEM;
	link->base.ops = &sim_ops;
	link->sim = sim;
	link->last_event = &link->events;
	*ret = &link->base;
	return 0;
}

int rtrsi_sim_new_connection(struct sim_link *link, struct sim_connection **ret)
{
	struct sim_connection *connection = calloc(1, sizeof(*connection));

	if (!connection)
		return -ENOMEM;
	connection->base.link = &link->base;
	connection->sim = link->sim;
	connection->next = link->sim->connections;
	link->sim->connections = connection;
	link->sim->objects++;
	*ret = connection;
	return 0;
}

int rtrsi_sim_make_queues(struct sim_connection *connection, const struct rtrs_link_queues *queues)
{
	connection->send_size = queues->send_depth;
	connection->receive_size = queues->receive_depth;
	connection->sends = calloc(queues->send_depth + 1UL, sizeof(*connection->sends));
	connection->receives = calloc(queues->receive_depth + 1UL, sizeof(*connection->receives));
	if (!connection->sends || !connection->receives)
		return -ENOMEM;
	connection->base.user = queues->user;
	connection->domain = queues->domain;
	return 0;
}
