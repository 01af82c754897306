/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A server's path on its link: connections, memory, receives. */
#include <errno.h>
#include <stdlib.h>
#include <sys/mman.h>

#include "rtrs/driver/server_internal.h"

/* More receives than a client has requests: heartbeats and their acknowledgements come as well. */
enum { CONTROL_RECEIVES = 512, SPARE_RECEIVES = 16, SEND_DEPTH_MIN = 64, SEND_DEPTH_MAX = 1024 };

static uint16_t depth_of(const struct rtrs_driver_path *path)
{
	return path->driver->engine.geometry.depth;
}

static uint8_t *map_pages(size_t size)
{
	void *memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return memory == MAP_FAILED ? NULL : memory;
}

static void set_queue_sizes(struct rtrs_driver_connection *connection)
{
	uint32_t depth = depth_of(connection->path);

	connection->send_depth = 3 * depth + SEND_DEPTH_MIN;
	if (connection->send_depth > SEND_DEPTH_MAX)
		connection->send_depth = SEND_DEPTH_MAX;
	/*
	 * Room for invalidating the key of each chunk, and at first for making all of them valid at
	 * once.
	 */
	if (connection->path->driver->engine.options.accept.new_keys)
		connection->reserve = depth;
	connection->send_depth += connection->reserve;
	connection->receive_depth = depth + SPARE_RECEIVES;
	if (connection->number)
		return;
	if (connection->receive_depth < CONTROL_RECEIVES)
		connection->receive_depth = CONTROL_RECEIVES;
}

static struct rtrs_driver_path *make_driver_path(struct rtrs_server_driver *driver,
						 struct rtrs_server_path *engine_path,
						 const struct rtrs_link *link)
{
	uint16_t depth = driver->engine.geometry.depth;
	struct rtrs_driver_path *path =
		calloc(1, sizeof(*path) + engine_path->connections * sizeof(path->connections[0]));

	if (!path)
		return NULL;
	path->driver = driver;
	path->ops = link->ops;
	path->path = engine_path;
	path->control_size = RTRS_INFO_REQUEST_SIZE + rtrsi_info_answer_size(depth) +
			     (size_t)depth * RTRS_NEW_KEY_SIZE;
	path->control = map_pages(path->control_size);
	if (!path->control) {
		free(path);
		return NULL;
	}
	for (uint16_t i = 0; i < engine_path->connections; i++) {
		path->connections[i].path = path;
		path->connections[i].number = i;
		path->connections[i].last = &path->connections[i].first;
		set_queue_sizes(&path->connections[i]);
	}
	engine_path->user = path;
	return path;
}

static int receive_info(struct rtrs_driver_path *path, struct rtrs_connection *connection)
{
	const struct rtrs_link_ops *ops = connection->link->ops;
	struct rtrs_segment segment = {.address = path->control, .length = RTRS_INFO_REQUEST_SIZE};
	int err = ops->grant(connection, path->control, path->control_size, RTRS_ACCESS_NONE,
			     &path->control_memory);

	if (err)
		return err;
	segment.key = path->control_memory->local_key;
	return ops->receive(connection, DRIVER_ID_INFO, &segment);
}

/* Post the receive for the peer's first message before the peer can send it. */
static int accept_connection(struct rtrs_driver_connection *made,
			     struct rtrs_connection *connection)
{
	const struct rtrs_link_ops *ops = connection->link->ops;
	const struct rtrs_link_queues queues = {.send_depth = made->send_depth,
						.receive_depth = made->receive_depth,
						.user = made,
						.domain = made->path};
	uint8_t answer[RTRS_CONNECT_SIZE];
	int err = ops->prepare(connection, &queues);

	if (!err && !made->number)
		err = receive_info(made->path, connection);
	rtrsi_accept_encode(&made->path->driver->engine.options.accept, answer);
	if (!err)
		err = ops->accept(connection, answer, sizeof(answer));
	return err;
}

static void reject_connection(struct rtrs_connection *connection, int error)
{
	uint8_t answer[RTRS_CONNECT_SIZE];

	rtrsi_reject_encode(error, answer);
	connection->link->ops->reject(connection, answer, sizeof(answer));
}

static int take_connection(struct rtrs_server_driver *driver,
			   const struct rtrs_server_connection *wanted,
			   struct rtrs_connection *connection)
{
	struct rtrs_driver_path *path = wanted->path->user;
	struct rtrs_driver_connection *made;
	int err;

	if (!path)
		path = make_driver_path(driver, wanted->path, connection->link);
	if (!path)
		return -ENOMEM;
	/* All connections of a path must be of the same link: its functions only take their own. */
	if (path->ops != connection->link->ops)
		return -EINVAL;
	made = &path->connections[wanted->number];
	err = accept_connection(made, connection);
	if (!err)
		made->connection = connection;
	return err;
}

void rtrsi_driver_connect(struct rtrs_server_driver *driver, const struct rtrs_link_event *event)
{
	struct rtrs_server_connection wanted;
	struct rtrs_addresses addresses;
	int err;

	event->connection->link->ops->addresses(event->connection, &addresses.own, &addresses.peer);
	err = rtrsi_server_connect(&driver->engine, event->private_data, event->private_size,
				   &addresses, driver->now_ns, &wanted);
	if (err) {
		reject_connection(event->connection, err);
		return;
	}
	err = take_connection(driver, &wanted, event->connection);
	if (!err)
		return;
	reject_connection(event->connection, err);
	rtrsi_server_lost(&driver->engine, wanted.path, err);
}

static int open_windows(struct rtrs_driver_path *path, const struct rtrs_link_ops *ops)
{
	int err = 0;

	path->windows = calloc(depth_of(path), sizeof(struct rtrs_window *));
	if (!path->windows)
		return -ENOMEM;
	for (uint16_t i = 0; i < depth_of(path) && !err; i++)
		err = ops->open_window(path->chunk_memory, &path->windows[i]);
	return err;
}

static int fill_connection(const struct rtrs_driver_connection *made)
{
	struct rtrs_connection *connection = made->connection;
	int err = 0;

	if (!connection)
		return -ENOTCONN;
	for (uint32_t i = 0; i < made->receive_depth && !err; i++)
		err = connection->link->ops->receive(connection, DRIVER_ID_OTHER, NULL);
	return err;
}

int rtrsi_driver_grant(struct rtrs_driver_path *path)
{
	const struct rtrs_geometry *geometry = &path->driver->engine.geometry;
	bool new_keys = path->driver->engine.options.accept.new_keys;
	struct rtrs_connection *control = path->connections[0].connection;
	const struct rtrs_link_ops *ops = path->ops;
	int err;

	path->chunks_size = (size_t)geometry->depth * geometry->chunk_size;
	path->chunks = map_pages(path->chunks_size);
	if (!path->chunks)
		return -ENOMEM;
	err = ops->grant(control, path->chunks, path->chunks_size,
			 new_keys ? RTRS_ACCESS_WINDOWS : RTRS_ACCESS_WRITE, &path->chunk_memory);
	if (!err && new_keys)
		err = open_windows(path, ops);
	for (uint16_t i = 0; i < path->path->connections && !err; i++)
		err = fill_connection(&path->connections[i]);
	return err;
}

static void close_windows(struct rtrs_driver_path *path, const struct rtrs_link_ops *ops)
{
	for (uint16_t i = 0; path->windows && i < depth_of(path); i++) {
		if (path->windows[i])
			ops->close_window(path->windows[i]);
	}
	free(path->windows);
	path->windows = NULL;
}

void rtrsi_driver_close_path(struct rtrs_driver_path *path)
{
	const struct rtrs_link_ops *ops = path->ops;

	for (uint16_t i = 0; i < path->path->connections; i++) {
		struct rtrs_connection *connection = path->connections[i].connection;

		if (!connection)
			continue;
		ops->disconnect(connection);
		ops->free(connection);
		path->connections[i].connection = NULL;
	}
	close_windows(path, ops);
	if (path->chunk_memory)
		ops->withdraw(path->chunk_memory);
	if (path->control_memory)
		ops->withdraw(path->control_memory);
	path->chunk_memory = path->control_memory = NULL;
}

void rtrsi_driver_free_path(struct rtrs_driver_path *path)
{
	if (path->chunks)
		munmap(path->chunks, path->chunks_size);
	munmap(path->control, path->control_size);
	free(path);
}
