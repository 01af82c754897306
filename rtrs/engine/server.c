/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sessions and paths of a server: made, connected, closed and forgotten. */
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/engine/policy.h"
#include "rtrs/engine/server_internal.h"

enum { NS_PER_MS = 1000000 };

int rtrsi_server_init(struct rtrs_server *server, const struct rtrs_server_options *options)
{
	const struct rtrs_accept *accept = &options->accept;

	memset(server, 0, sizeof(*server));
	server->options = *options;
	server->last_path = &server->first_path;
	server->last = &server->first;
	if (rtrsi_geometry_init(accept->depth, accept->max_io, accept->max_header,
				&server->geometry))
		return -EINVAL;
	return 0;
}

/* The memory to which the last order points. */
static void free_gone_path(struct rtrs_server *server)
{
	struct rtrs_server_path *path = server->forgotten;

	if (!path)
		return;
	server->forgotten = NULL;
	if (path->is_last)
		free(path->session);
	free(path->requests);
	free(path->has);
	free(path);
}

void rtrsi_server_free(struct rtrs_server *server)
{
	free_gone_path(server);
}

static void order_server_path(struct rtrs_server *server, struct rtrs_server_path *path,
			      enum rtrs_server_order_type type)
{
	if (!path->orders) {
		path->next_ordered = NULL;
		*server->last_path = path;
		server->last_path = &path->next_ordered;
	}
	path->orders |= 1U << type;
}

static void unlist_path(struct rtrs_server *server, struct rtrs_server_path *path)
{
	struct rtrs_server_path **at = &server->first_path;

	while (*at != path)
		at = &(*at)->next_ordered;
	*at = path->next_ordered;
	if (!*at)
		server->last_path = at;
}

static void drop_path_orders(struct rtrs_server *server, struct rtrs_server_path *path)
{
	if (path->orders)
		unlist_path(server, path);
	path->orders = 0;
}

/* --- a connection is asked for ------------------------------------------------------------------- */

static struct rtrs_server_session *find_session(const struct rtrs_server *server,
						const uint8_t uuid[RTRS_UUID_SIZE])
{
	struct rtrs_server_session *session = server->sessions;

	while (session && memcmp(session->uuid, uuid, RTRS_UUID_SIZE) != 0)
		session = session->next;
	return session;
}

static struct rtrs_server_path *find_server_path(const struct rtrs_server_session *session,
						 const uint8_t uuid[RTRS_UUID_SIZE])
{
	struct rtrs_server_path *path = session->paths;

	while (path && memcmp(path->uuid, uuid, RTRS_UUID_SIZE) != 0)
		path = path->next;
	return path;
}

/* Ignore ports: each connection of a path has another one. */
static bool is_same_host(const struct sockaddr_storage *a, const struct sockaddr_storage *b)
{
	const struct sockaddr_in *a4 = (const void *)a, *b4 = (const void *)b;
	const struct sockaddr_in6 *a6 = (const void *)a, *b6 = (const void *)b;

	if (a->ss_family != b->ss_family)
		return false;
	if (a->ss_family == AF_INET)
		return a4->sin_addr.s_addr == b4->sin_addr.s_addr;
	if (a->ss_family == AF_INET6)
		return !memcmp(&a6->sin6_addr, &b6->sin6_addr, sizeof(a6->sin6_addr));
	/* Connections without addresses are told apart by their creator. */
	return !memcmp(a, b, sizeof(*a));
}

static bool has_addresses(const struct rtrs_server_session *session,
			  const struct rtrs_addresses *addresses)
{
	const struct rtrs_server_path *path = session->paths;

	while (path && (!is_same_host(&path->addresses.own, &addresses->own) ||
			!is_same_host(&path->addresses.peer, &addresses->peer)))
		path = path->next;
	return path;
}

static struct rtrs_server_session *make_session(struct rtrs_server *server,
						const uint8_t uuid[RTRS_UUID_SIZE])
{
	struct rtrs_server_session *session =
		calloc(1, sizeof(*session) + server->geometry.depth * sizeof(session->turns[0]));

	if (!session)
		return NULL;
	memcpy(session->uuid, uuid, RTRS_UUID_SIZE);
	session->next = server->sessions;
	server->sessions = session;
	return session;
}

static void drop_session(struct rtrs_server *server, const struct rtrs_server_session *session)
{
	struct rtrs_server_session **at = &server->sessions;

	while (*at != session)
		at = &(*at)->next;
	*at = session->next;
}

static struct rtrs_server_path *make_path(struct rtrs_server *server,
					  struct rtrs_server_session *session,
					  const struct rtrs_connect *connect,
					  const struct rtrs_addresses *addresses)
{
	struct rtrs_server_path *path = calloc(1, sizeof(*path));

	if (!path)
		return NULL;
	path->has = calloc(connect->connections, sizeof(*path->has));
	if (!path->has) {
		free(path);
		return NULL;
	}
	path->session = session;
	path->number = ++server->last_number;
	path->state = RTRS_SERVER_CONNECTING;
	path->connections = connect->connections;
	path->attempt = connect->attempt;
	path->addresses = *addresses;
	memcpy(path->uuid, connect->path, RTRS_UUID_SIZE);
	path->next = session->paths;
	session->paths = path;
	session->path_count++;
	server->path_count++;
	return path;
}

static int new_path(struct rtrs_server *server, const struct rtrs_connect *connect,
		    const struct rtrs_addresses *addresses, struct rtrs_server_path **ret)
{
	struct rtrs_server_session *session = find_session(server, connect->session);
	bool is_new = !session;

	if (is_new && !connect->first)
		return -ENXIO;
	if (server->path_count >= server->options.paths_max ||
	    (session && session->path_count >= RTRS_PATHS_MAX))
		return -ECONNRESET;
	if (session && has_addresses(session, addresses))
		return -EEXIST;
	if (is_new)
		session = make_session(server, connect->session);
	if (!session)
		return -ENOMEM;
	*ret = make_path(server, session, connect, addresses);
	if (*ret)
		return 0;
	if (is_new) {
		drop_session(server, session);
		free(session);
	}
	return -ENOMEM;
}

/* A path that is closing must be gone before it can come back, so that its requests have ended. */
static bool may_have(const struct rtrs_server_path *path, const struct rtrs_connect *connect)
{
	return path->state == RTRS_SERVER_CONNECTING && !path->is_named &&
	       path->connections == connect->connections && !path->has[connect->connection];
}

int rtrsi_server_connect(struct rtrs_server *server, const void *private_data, size_t size,
			 const struct rtrs_addresses *addresses, int64_t now_ns,
			 struct rtrs_server_connection *ret)
{
	const struct rtrs_server_session *session;
	struct rtrs_server_path *path = NULL;
	struct rtrs_connect connect;
	int err;

	free_gone_path(server);
	if (rtrsi_connect_decode(private_data, size, &connect))
		return -ECONNRESET;
	session = find_session(server, connect.session);
	if (session)
		path = find_server_path(session, connect.path);
	if (path && !may_have(path, &connect))
		return -ECONNRESET;
	if (!path) {
		err = new_path(server, &connect, addresses, &path);
		if (err)
			return err;
	}
	path->has[connect.connection] = 1;
	path->accepted++;
	path->deadline_ns = now_ns + (int64_t)RTRS_SERVER_STEP_MS * NS_PER_MS;
	*ret = (struct rtrs_server_connection){.path = path, .number = connect.connection};
	return 0;
}

/* --- the end ------------------------------------------------------------------------------------- */

void rtrsi_server_break(struct rtrs_server *server, struct rtrs_server_path *path, int error,
			enum rtrs_fault fault)
{
	if (!rtrsi_server_state_change(&path->state, RTRS_SERVER_CLOSING))
		return;
	path->error = error;
	path->fault = fault;
	drop_path_orders(server, path);
	rtrsi_server_withdraw(server, path);
	order_server_path(server, path, RTRS_SERVER_ORDER_CLOSE);
}

void rtrsi_server_lost(struct rtrs_server *server, struct rtrs_server_path *path, int error)
{
	rtrsi_server_break(server, path, error, RTRS_FAULT_NONE);
}

void rtrsi_server_forget(struct rtrs_server *server, struct rtrs_server_path *path)
{
	struct rtrs_server_session *session = path->session;
	struct rtrs_server_path **at = &session->paths;

	if (path->state != RTRS_SERVER_CLOSED || path->runs || path->is_forgotten)
		return;
	path->is_forgotten = true;
	while (*at != path)
		at = &(*at)->next;
	*at = path->next;
	server->path_count--;
	order_server_path(server, path, RTRS_SERVER_ORDER_GONE);
	if (--session->path_count)
		return;
	path->is_last = true;
	drop_session(server, session);
	if (session->is_up)
		order_server_path(server, path, RTRS_SERVER_ORDER_DOWN);
}

void rtrsi_server_closed(struct rtrs_server *server, struct rtrs_server_path *path)
{
	if (rtrsi_server_state_change(&path->state, RTRS_SERVER_CLOSED))
		rtrsi_server_forget(server, path);
}

/* --- the exchange of name and chunks --------------------------------------------------------------- */

static bool is_name_taken(const struct rtrs_server *server,
			  const struct rtrs_server_session *session, const char *name)
{
	const struct rtrs_server_session *other = server->sessions;

	while (other && (other == session || strcmp(other->name, name) != 0))
		other = other->next;
	return other;
}

static enum rtrs_fault take_info(struct rtrs_server_path *path, const void *bytes, size_t size,
				 char name[RTRS_NAME_SIZE])
{
	enum rtrs_fault fault = rtrsi_info_request_decode(bytes, size, name);

	if (!fault && path->accepted < path->connections)
		fault = RTRS_FAULT_CONNECTION;
	if (!fault && path->session->name[0] && strcmp(path->session->name, name) != 0)
		fault = RTRS_FAULT_NAME;
	return fault;
}

void rtrsi_server_info(struct rtrs_server *server, struct rtrs_server_path *path, const void *bytes,
		       size_t size, int64_t now_ns)
{
	char name[RTRS_NAME_SIZE];
	enum rtrs_fault fault;

	if (path->state != RTRS_SERVER_CONNECTING)
		return;
	fault = path->is_named ? RTRS_FAULT_TYPE : take_info(path, bytes, size, name);
	if (fault) {
		rtrsi_server_break(server, path, -ECONNRESET, fault);
	} else if (is_name_taken(server, path->session, name)) {
		rtrsi_server_break(server, path, -EPERM, RTRS_FAULT_NONE);
	} else if (rtrsi_server_make_requests(server, path)) {
		rtrsi_server_break(server, path, -ENOMEM, RTRS_FAULT_NONE);
	} else {
		path->is_named = true;
		path->deadline_ns = now_ns + (int64_t)RTRS_SERVER_STEP_MS * NS_PER_MS;
		memcpy(path->session->name, name, sizeof(name));
		order_server_path(server, path, RTRS_SERVER_ORDER_GRANT);
	}
}

void rtrsi_server_granted(struct rtrs_server *server, struct rtrs_server_path *path,
			  uint8_t *memory, int64_t now_ns)
{
	if (!path->is_named || !rtrsi_server_state_change(&path->state, RTRS_SERVER_CONNECTED))
		return;
	path->memory = memory;
	rtrsi_heartbeat_start(&path->heartbeat, now_ns);
	order_server_path(server, path, RTRS_SERVER_ORDER_UP);
	order_server_path(server, path, RTRS_SERVER_ORDER_INFO);
}

/* --- a path that is up ----------------------------------------------------------------------------- */

void rtrsi_server_received(struct rtrs_server *server, struct rtrs_server_path *path,
			   uint16_t connection, uint32_t bits, int64_t now_ns)
{
	enum rtrs_fault fault;
	struct rtrs_imm imm;

	if (path->state != RTRS_SERVER_CONNECTED)
		return;
	rtrsi_heartbeat_heard(&path->heartbeat);
	fault = rtrsi_imm_at_server(&server->geometry, bits, &imm);
	if (!fault && imm.type == RTRS_IMM_HEARTBEAT)
		order_server_path(server, path, RTRS_SERVER_ORDER_ACK);
	else if (!fault && imm.type == RTRS_IMM_HEARTBEAT_ACK)
		rtrsi_heartbeat_acknowledged(&path->heartbeat, now_ns);
	else if (!fault)
		fault = rtrsi_server_arrives(server, path, connection, &imm);
	if (rtrsi_fault_reaction(fault) == RTRS_REACT_CLOSE)
		rtrsi_server_break(server, path, -ECONNRESET, fault);
}

static void tick_server_path(struct rtrs_server *server, struct rtrs_server_path *path,
			     int64_t now_ns)
{
	if (path->state == RTRS_SERVER_CONNECTING && now_ns >= path->deadline_ns)
		rtrsi_server_break(server, path, -ETIMEDOUT, RTRS_FAULT_NONE);
	if (path->state != RTRS_SERVER_CONNECTED)
		return;
	switch (rtrsi_heartbeat_tick(&path->heartbeat, now_ns)) {
	case RTRS_HEARTBEAT_SEND:
		order_server_path(server, path, RTRS_SERVER_ORDER_HEARTBEAT);
		break;
	case RTRS_HEARTBEAT_DEAD:
		rtrsi_server_break(server, path, -ETIMEDOUT, RTRS_FAULT_NONE);
		break;
	case RTRS_HEARTBEAT_WAIT:
		break;
	}
}

void rtrsi_server_tick(struct rtrs_server *server, int64_t now_ns)
{
	struct rtrs_server_session *session;
	struct rtrs_server_path *path;

	for (session = server->sessions; session; session = session->next) {
		for (path = session->paths; path; path = path->next)
			tick_server_path(server, path, now_ns);
	}
}

static int64_t server_path_deadline(const struct rtrs_server_path *path)
{
	if (path->state == RTRS_SERVER_CONNECTING)
		return path->deadline_ns;
	return path->state == RTRS_SERVER_CONNECTED ? path->heartbeat.next_ns : INT64_MAX;
}

int64_t rtrsi_server_deadline_ns(const struct rtrs_server *server)
{
	const struct rtrs_server_session *session;
	const struct rtrs_server_path *path;
	int64_t deadline = INT64_MAX;

	for (session = server->sessions; session; session = session->next) {
		for (path = session->paths; path; path = path->next) {
			int64_t of_path = server_path_deadline(path);

			if (of_path < deadline)
				deadline = of_path;
		}
	}
	return deadline;
}

/* If two paths came up together, the session is up already. */
static bool is_overtaken(struct rtrs_server_session *session, enum rtrs_server_order_type type)
{
	if (type != RTRS_SERVER_ORDER_UP)
		return false;
	if (session->is_up)
		return true;
	session->is_up = true;
	return false;
}

bool rtrsi_server_path_order(struct rtrs_server *server, struct rtrs_server_order *ret)
{
	struct rtrs_server_path *path;
	enum rtrs_server_order_type type;

	free_gone_path(server);
	while ((path = server->first_path)) {
		type = (enum rtrs_server_order_type)__builtin_ctz(path->orders);
		path->orders &= path->orders - 1;
		if (!path->orders) {
			unlist_path(server, path);
			if (path->is_forgotten)
				server->forgotten = path;
		}
		if (is_overtaken(path->session, type))
			continue;
		*ret = (struct rtrs_server_order){
			.type = type, .path = path, .error = path->error, .fault = path->fault};
		return true;
	}
	return false;
}
