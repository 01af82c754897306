/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The files of a client's session, as those of the kernel's rtrs_client. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/lib/client_internal.h"
#include "rtrs/lib/control_tree.h"
#include "shared/clock.h"
#include "shared/text.h"

enum { ATTEMPTS_MAX = 9999, THE_SESSION = 1 };

/* What a control program waits for: the path's number, and one of these. */
static const uint64_t waits_for_add = 1ULL << 32, waits_for_reconnect = 2ULL << 32;

static struct rtrs_session *viewed_session(const struct control_view *view)
{
	return view->user;
}

static struct session_path *viewed_path(const struct control_view *view)
{
	return view->path;
}

static struct rtrs_client_path *viewed_engine_path(const struct control_view *view)
{
	return &viewed_session(view)->engine.paths[viewed_path(view)->number];
}

/* --- files of the session ------------------------------------------------------------------------ */

static void show_add_path(const struct control_view *view, struct control_text *text)
{
	(void)view;
	rtrsi_control_print(text, "Usage: echo [<source addr>@]<destination addr> > add_path\n\n"
				  "*addr ::= [ ip:<ipv4|ipv6> | gid:<gid> ]\n");
}

static int store_add_path(const struct control_view *view, const char *value, uint64_t *number)
{
	struct rtrs_session *session = viewed_session(view);
	char address[RTRS_ADDRESS_SIZE];
	size_t length = strcspn(value, "\n");
	int path;

	if (length >= sizeof(address))
		return -EINVAL;
	memcpy(address, value, length);
	address[length] = '\0';
	path = rtrsi_session_add_path(session, address, true);
	if (path < 0)
		return path;
	/* It may have failed at once. */
	if (!session->paths[path])
		return session->control_error;
	*number = waits_for_add | (uint64_t)path;
	return -EINPROGRESS;
}

static void show_attempts(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "%d\n",
			    viewed_session(view)->engine.options.max_reconnect_attempts);
}

static int store_attempts(const struct control_view *view, const char *value, uint64_t *number)
{
	int attempts, err = rtrsi_control_integer(value, &attempts);

	(void)number;
	if (err)
		return err;
	if (attempts < -1 || attempts > ATTEMPTS_MAX)
		return -EINVAL;
	viewed_session(view)->engine.options.max_reconnect_attempts = attempts;
	return 0;
}

static void show_policy(const struct control_view *view, struct control_text *text)
{
	char policy[32];

	if (!rtrsi_policy_print(viewed_session(view)->engine.policy, policy, sizeof(policy)))
		rtrsi_control_print(text, "%s\n", policy);
}

static int store_policy(const struct control_view *view, const char *value, uint64_t *number)
{
	(void)number;
	return rtrsi_policy_parse(value, &viewed_session(view)->engine.policy);
}

static const struct control_file session_files[] = {
	{"add_path", false, show_add_path, store_add_path},
	{"max_reconnect_attempts", false, show_attempts, store_attempts},
	{"mpath_policy", false, show_policy, store_policy},
	{"mp_policy", true, show_policy, store_policy},
	{0},
};

/* --- files of a path ----------------------------------------------------------------------------- */

static void show_state(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "%s\n",
			    viewed_engine_path(view)->state == RTRS_CLIENT_CONNECTED
				    ? "connected"
				    : "disconnected");
}

static void show_reconnect(const struct control_view *view, struct control_text *text)
{
	(void)view;
	rtrsi_control_show_usage("reconnect", text);
}

static int store_reconnect(const struct control_view *view, const char *value, uint64_t *number)
{
	struct rtrs_session *session = viewed_session(view);
	unsigned int path = viewed_path(view)->number;
	int err;

	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	err = rtrsi_client_reconnect_path(&session->engine, path, hfi_now_ns());
	if (err)
		return err;
	session->has_new_deadline = true;
	rtrsi_session_carry_out(session);
	/* No attempt may be allowed: nothing would be heard of it. */
	if (!session->engine.paths[path].is_wanted)
		return -ENOTCONN;
	*number = waits_for_reconnect | path;
	return -EINPROGRESS;
}

static void show_disconnect(const struct control_view *view, struct control_text *text)
{
	(void)view;
	rtrsi_control_show_usage("disconnect", text);
}

static int store_disconnect(const struct control_view *view, const char *value, uint64_t *number)
{
	struct rtrs_session *session = viewed_session(view);

	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	rtrsi_client_disconnect_path(&session->engine, viewed_path(view)->number);
	session->has_new_deadline = true;
	rtrsi_session_carry_out(session);
	return 0;
}

static void show_remove(const struct control_view *view, struct control_text *text)
{
	(void)view;
	rtrsi_control_show_usage("remove_path", text);
}

static int store_remove(const struct control_view *view, const char *value, uint64_t *number)
{
	struct rtrs_session *session = viewed_session(view);

	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	rtrsi_client_remove_path(&session->engine, viewed_path(view)->number);
	session->has_new_deadline = true;
	rtrsi_session_carry_out(session);
	return 0;
}

static void show_hca_name(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "%s\n", viewed_path(view)->ends.device);
}

static void show_hca_port(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "%u\n", viewed_path(view)->ends.port);
}

static void show_source(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "%s\n", viewed_path(view)->ends.source);
}

static void show_destination(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "%s\n", viewed_path(view)->ends.destination);
}

static void show_latency(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "%lld ns\n",
			    (long long)viewed_engine_path(view)->heartbeat.latency_ns);
}

static const struct control_file path_files[] = {
	{"cur_latency", false, show_latency, NULL},
	{"disconnect", false, show_disconnect, store_disconnect},
	{"dst_addr", false, show_destination, NULL},
	{"hca_name", false, show_hca_name, NULL},
	{"hca_port", false, show_hca_port, NULL},
	{"reconnect", false, show_reconnect, store_reconnect},
	{"remove_path", false, show_remove, store_remove},
	{"src_addr", false, show_source, NULL},
	{"state", false, show_state, NULL},
	{0},
};

/* --- statistics ---------------------------------------------------------------------------------- */

/* A number for each processor; none yet: nothing has moved. */
static void show_migrations(const uint32_t *counts, struct control_text *text)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	for (long i = 0; i < processors; i++)
		rtrsi_control_print(text, "%u ", counts ? counts[i] : 0);
	rtrsi_control_print(text, "\n");
}

static void show_migrated_from(const struct control_view *view, struct control_text *text)
{
	show_migrations(viewed_path(view)->moved.from, text);
}

static void show_migrated_to(const struct control_view *view, struct control_text *text)
{
	show_migrations(viewed_path(view)->moved.to, text);
}

static void show_both_migrations(const struct control_view *view, struct control_text *text)
{
	rtrsi_control_print(text, "from ");
	show_migrated_from(view, text);
	rtrsi_control_print(text, "to ");
	show_migrated_to(view, text);
}

static int reset_migrations(const struct control_view *view, const char *value, uint64_t *number)
{
	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	rtrsi_moved_reset(&viewed_path(view)->moved);
	return 0;
}

static void show_rdma(const struct control_view *view, struct control_text *text)
{
	const struct rtrs_client_path *path = viewed_engine_path(view);

	rtrsi_control_print(text, "%llu %llu %llu %llu %u %llu\n", (unsigned long long)path->reads,
			    (unsigned long long)path->read_bytes, (unsigned long long)path->writes,
			    (unsigned long long)path->written_bytes, path->inflight,
			    (unsigned long long)path->failovers);
}

/* What is in flight stays what it is. */
static int reset_rdma(const struct control_view *view, const char *value, uint64_t *number)
{
	struct rtrs_client_path *path = viewed_engine_path(view);

	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	path->reads = path->read_bytes = path->writes = path->written_bytes = path->failovers = 0;
	return 0;
}

static void show_reconnects(const struct control_view *view, struct control_text *text)
{
	const struct rtrs_client_path *path = viewed_engine_path(view);

	rtrsi_control_print(text, "%llu %llu\n", (unsigned long long)path->reconnects,
			    (unsigned long long)path->failures);
}

static int reset_reconnects(const struct control_view *view, const char *value, uint64_t *number)
{
	struct rtrs_client_path *path = viewed_engine_path(view);

	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	path->reconnects = path->failures = 0;
	return 0;
}

static void show_reset_all(const struct control_view *view, struct control_text *text)
{
	(void)view;
	rtrsi_control_print(text, "echo 1 to reset all statistics\n");
}

/* The description says 0, the kernel takes 1. */
static int store_reset_all(const struct control_view *view, const char *value, uint64_t *number)
{
	if (!rtrsi_control_is_one(value) && strcmp(value, "0") != 0)
		return -EINVAL;
	(void)reset_rdma(view, "1", number);
	(void)reset_reconnects(view, "1", number);
	return reset_migrations(view, "1", number);
}

static const struct control_file stats_files[] = {
	{"cpu_migration", true, show_both_migrations, reset_migrations},
	{"cpu_migration_from", false, show_migrated_from, reset_migrations},
	{"cpu_migration_to", false, show_migrated_to, reset_migrations},
	{"rdma", false, show_rdma, reset_rdma},
	{"reconnects", false, show_reconnects, reset_reconnects},
	{"reset_all", false, show_reset_all, store_reset_all},
	{0},
};

/* --- the tree ------------------------------------------------------------------------------------ */

static bool view_session(struct control_view *view, uint64_t from)
{
	if (from > THE_SESSION)
		return false;
	view->session_number = THE_SESSION;
	view->session_name = viewed_session(view)->engine.name;
	return true;
}

/* As with the kernel, a path that is being added is not there yet. */
static bool is_path_shown(const struct rtrs_session *session, unsigned int number)
{
	const struct rtrs_client_path *path = &session->engine.paths[number];

	return session->paths[number] && !path->is_removed &&
	       (path->was_connected || !path->is_wanted);
}

static bool view_path(struct control_view *view, uint64_t from)
{
	const struct rtrs_session *session = viewed_session(view);

	for (; from < RTRS_PATHS_MAX; from++) {
		if (!is_path_shown(session, (unsigned int)from))
			continue;
		view->path_number = from;
		view->path = session->paths[from];
		rtrsi_control_path_name(view, session->paths[from]->ends.source,
					session->paths[from]->ends.destination);
		return true;
	}
	return false;
}

static const struct control_tree client_tree = {
	.root = "rtrs-client",
	.session_files = session_files,
	.path_files = path_files,
	.stats_files = stats_files,
	.session = view_session,
	.path = view_path,
};

static void list_client(void *user, struct rtrs_control_cursor *cursor, bool with_values,
			struct rtrs_control_page *page)
{
	rtrsi_control_list(&client_tree, user, cursor, with_values, page);
}

static int read_client(void *user, const char *path, char *to, size_t size)
{
	return rtrsi_control_read(&client_tree, user, path, to, size);
}

static int write_client(void *user, const char *path, const char *value, size_t length,
			uint64_t *number)
{
	(void)length;
	return rtrsi_control_write(&client_tree, user, path, value, number);
}

const struct rtrs_control_ops rtrsi_session_control = {
	.list = list_client,
	.read = read_client,
	.write = write_client,
};

void rtrsi_session_control_event(struct rtrs_session *session, enum rtrs_session_event_type type,
				 unsigned int number, int error)
{
	struct session_path *path = session->paths[number];

	switch (type) {
	case RTRS_SESSION_PATH_UP:
		path->is_from_control = false;
		rtrsi_control_done(session->control, waits_for_add | number, 0);
		rtrsi_control_done(session->control, waits_for_reconnect | number, 0);
		break;
	case RTRS_SESSION_PATH_FAILED:
		rtrsi_control_done(session->control, waits_for_add | number, error);
		rtrsi_control_done(session->control, waits_for_reconnect | number, -ENOTCONN);
		if (!path->is_from_control)
			break;
		session->control_error = error;
		rtrsi_client_remove_path(&session->engine, number);
		break;
	case RTRS_SESSION_PATH_REMOVED:
		rtrsi_control_done(session->control, waits_for_add | number, -ENODEV);
		rtrsi_control_done(session->control, waits_for_reconnect | number, -ENODEV);
		break;
	default:
		break;
	}
}
