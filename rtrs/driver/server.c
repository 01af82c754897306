/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Passes events of links to the engine, and the engine's orders to links and user. */
#include <errno.h>
#include <stdlib.h>

#include "rtrs/driver/server_internal.h"

int rtrsi_server_driver_new(const struct rtrs_server_options *options,
			    const struct rtrs_server_calls *calls, void *user,
			    struct rtrs_server_driver **ret)
{
	struct rtrs_server_driver *driver = calloc(1, sizeof(*driver));
	int err;

	if (!driver)
		return -ENOMEM;
	err = rtrsi_server_init(&driver->engine, options);
	if (err) {
		free(driver);
		return err;
	}
	driver->calls = calls;
	driver->user = user;
	*ret = driver;
	return 0;
}

struct rtrs_server *rtrsi_server_driver_engine(struct rtrs_server_driver *driver)
{
	return &driver->engine;
}

static int for_path(struct rtrs_server_driver *driver, const struct rtrs_server_order *order)
{
	struct rtrs_driver_path *path = order->path->user;
	int err;

	switch (order->type) {
	case RTRS_SERVER_ORDER_GRANT:
		err = rtrsi_driver_grant(path);
		if (!err)
			rtrsi_server_granted(&driver->engine, order->path, path->chunks,
					     driver->now_ns);
		return err;
	case RTRS_SERVER_ORDER_UP:
		driver->calls->up(driver->user, order->path->session);
		return 0;
	case RTRS_SERVER_ORDER_INFO:
		err = rtrsi_driver_send_info(path);
		if (!err)
			driver->calls->connected(driver->user, order->path);
		return err;
	case RTRS_SERVER_ORDER_HEARTBEAT:
	case RTRS_SERVER_ORDER_ACK:
		return rtrsi_driver_send_heartbeat(path, order->type == RTRS_SERVER_ORDER_ACK);
	case RTRS_SERVER_ORDER_CLOSE:
		driver->calls->closed(driver->user, order);
		if (path)
			rtrsi_driver_close_path(path);
		rtrsi_server_closed(&driver->engine, order->path);
		return 0;
	case RTRS_SERVER_ORDER_GONE:
		if (path)
			rtrsi_driver_free_path(path);
		return 0;
	case RTRS_SERVER_ORDER_DOWN:
		driver->calls->down(driver->user, order->path->session);
		return 0;
	default:
		return 0;
	}
}

static int carry_out_server_order(struct rtrs_server_driver *driver,
				  const struct rtrs_server_order *order)
{
	switch (order->type) {
	case RTRS_SERVER_ORDER_INVALIDATE:
		return rtrsi_driver_invalidate(order->request);
	case RTRS_SERVER_ORDER_RUN:
		driver->calls->run(driver->user, order->request);
		return 0;
	case RTRS_SERVER_ORDER_ANSWER:
		return rtrsi_driver_answer(order->request);
	default:
		return for_path(driver, order);
	}
}

static void carry_out_server_orders(struct rtrs_server_driver *driver)
{
	struct rtrs_server_order order;

	/*
	 * If the user ends a request or closes a path from within this loop, the loop itself sees
	 * it.
	 */
	if (driver->is_carrying_out)
		return;
	driver->is_carrying_out = true;
	while (rtrsi_server_next(&driver->engine, &order)) {
		int err = carry_out_server_order(driver, &order);

		if (err)
			rtrsi_server_lost(&driver->engine, order.path, err);
	}
	driver->is_carrying_out = false;
}

/* Ignore a message without immediate data, and a failure of a path that is being closed. */
static int received_at_server(struct rtrs_driver_connection *connection,
			      const struct rtrs_link_event *event)
{
	struct rtrs_driver_path *path = connection->path;
	struct rtrs_server_driver *driver = path->driver;
	int err;

	if (event->id % DRIVER_ID_KINDS == DRIVER_ID_INFO) {
		rtrsi_server_info(&driver->engine, path->path, path->control, event->length,
				  driver->now_ns);
		return 0;
	}
	/* Post the receive before the answer: the peer may send as soon as it has the answer. */
	err = event->connection->link->ops->receive(event->connection, DRIVER_ID_OTHER, NULL);
	if (!err && event->has_imm)
		rtrsi_server_received(&driver->engine, path->path, connection->number, event->imm,
				      driver->now_ns);
	return err;
}

static int sent_by_server(struct rtrs_driver_connection *connection,
			  const struct rtrs_link_event *event)
{
	struct rtrs_driver_path *path = connection->path;

	if (event->id % DRIVER_ID_KINDS == DRIVER_ID_INVALIDATED)
		rtrsi_server_invalidated(
			&path->driver->engine,
			&path->path->requests[event->id / DRIVER_ID_KINDS & UINT16_MAX]);
	return rtrsi_driver_sent(connection, event->id);
}

static int connection_event(struct rtrs_driver_connection *connection,
			    const struct rtrs_link_event *event)
{
	switch (event->type) {
	case RTRS_LINK_SENT:
		return event->error ? event->error : sent_by_server(connection, event);
	case RTRS_LINK_RECEIVED:
		return event->error ? event->error : received_at_server(connection, event);
	case RTRS_LINK_GONE:
		return -ENODEV;
	case RTRS_LINK_LOST:
	case RTRS_LINK_REFUSED:
		return event->error ? event->error : -ECONNRESET;
	default:
		return 0;
	}
}

void rtrsi_server_driver_event(struct rtrs_server_driver *driver,
			       const struct rtrs_link_event *event, int64_t now_ns)
{
	struct rtrs_driver_connection *connection;
	int err;

	driver->now_ns = now_ns;
	if (event->type == RTRS_LINK_REQUESTED) {
		rtrsi_driver_connect(driver, event);
	} else if (!event->connection) {
		driver->calls->deaf(driver->user, event->listener);
	} else {
		connection = event->connection->user;
		err = connection_event(connection, event);
		if (err)
			rtrsi_server_lost(&driver->engine, connection->path->path, err);
	}
	carry_out_server_orders(driver);
}

void rtrsi_server_driver_tick(struct rtrs_server_driver *driver, int64_t now_ns)
{
	driver->now_ns = now_ns;
	rtrsi_server_tick(&driver->engine, now_ns);
	carry_out_server_orders(driver);
}

int64_t rtrsi_server_driver_deadline_ns(const struct rtrs_server_driver *driver)
{
	return rtrsi_server_deadline_ns(&driver->engine);
}

void rtrsi_server_driver_done(struct rtrs_server_driver *driver,
			      struct rtrs_server_request *request, int error)
{
	rtrsi_server_done(&driver->engine, request, error);
	carry_out_server_orders(driver);
}

void rtrsi_server_driver_close_path(struct rtrs_server_driver *driver,
				    struct rtrs_server_path *path)
{
	rtrsi_server_lost(&driver->engine, path, -ECONNABORTED);
	carry_out_server_orders(driver);
}

void rtrsi_server_driver_close_paths(struct rtrs_server_driver *driver,
				     const struct rtrs_server_session *session)
{
	struct rtrs_server_session *one;
	struct rtrs_server_path *path;

	for (one = driver->engine.sessions; one; one = one->next) {
		if (session && one != session)
			continue;
		for (path = one->paths; path; path = path->next)
			rtrsi_server_lost(&driver->engine, path, -ECONNABORTED);
	}
	carry_out_server_orders(driver);
}

const struct rtrs_connection *rtrsi_server_driver_connection(const struct rtrs_server_path *path)
{
	const struct rtrs_driver_path *made = path->user;

	return made ? made->connections[0].connection : NULL;
}

/* The user holds no request any more. */
static void end_requests(struct rtrs_server_driver *driver, struct rtrs_server_path *path)
{
	if (!path->requests)
		return;
	for (uint16_t i = 0; i < driver->engine.geometry.depth && path->runs; i++)
		rtrsi_server_done(&driver->engine, &path->requests[i], -ECONNABORTED);
}

void rtrsi_server_driver_free(struct rtrs_server_driver *driver)
{
	struct rtrs_server_session *session;

	if (!driver)
		return;
	rtrsi_server_driver_close_paths(driver, NULL);
	while ((session = driver->engine.sessions)) {
		end_requests(driver, session->paths);
		carry_out_server_orders(driver);
	}
	rtrsi_server_free(&driver->engine);
	free(driver);
}
