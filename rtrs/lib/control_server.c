/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The files of a service's sessions, as those of the kernel's rtrs_server. */
#include <errno.h>
#include <string.h>

#include "rtrs/lib/control_tree.h"
#include "rtrs/lib/ends.h"
#include "rtrs/lib/server_internal.h"
#include "shared/text.h"

static struct rtrs_service *viewed_service(const struct control_view *view)
{
	return view->user;
}

static struct rtrs_server_path *viewed_server_path(const struct control_view *view)
{
	return view->path;
}

static void ends_of(const struct rtrs_service *service, const struct rtrs_server_path *path,
		    struct path_ends *ends)
{
	const struct rtrs_connection *connection = rtrsi_server_driver_connection(path);
	enum rtrs_link_type link = RTRS_LINK_TYPES - 1;

	while (link != RTRS_LINK_STREAM &&
	       (!connection || connection->link != service->links.open[link]))
		link--;

	/* The names of its client, which is the source. */
	rtrsi_path_ends(ends, link, NULL, &path->addresses.peer, &path->addresses.own,
			(unsigned int)path->number);
	if (connection && connection->link->ops->device)
		connection->link->ops->device(connection, ends->device, sizeof(ends->device),
					      &ends->port);
}

/* --- files --------------------------------------------------------------------------------------- */

static void show_server_disconnect(const struct control_view *view, struct control_text *text)
{
	(void)view;
	rtrsi_control_show_usage("disconnect", text);
}

static int store_server_disconnect(const struct control_view *view, const char *value,
				   uint64_t *number)
{
	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	rtrsi_server_driver_close_path(viewed_service(view)->driver, viewed_server_path(view));
	viewed_service(view)->has_new_deadline = true;
	return 0;
}

static void show_server_hca_name(const struct control_view *view, struct control_text *text)
{
	struct path_ends ends;

	ends_of(viewed_service(view), viewed_server_path(view), &ends);
	rtrsi_control_print(text, "%s\n", ends.device);
}

static void show_server_hca_port(const struct control_view *view, struct control_text *text)
{
	struct path_ends ends;

	ends_of(viewed_service(view), viewed_server_path(view), &ends);
	rtrsi_control_print(text, "%u\n", ends.port);
}

static void show_server_source(const struct control_view *view, struct control_text *text)
{
	struct path_ends ends;

	ends_of(viewed_service(view), viewed_server_path(view), &ends);
	rtrsi_control_print(text, "%s\n", ends.source);
}

static void show_server_destination(const struct control_view *view, struct control_text *text)
{
	struct path_ends ends;

	ends_of(viewed_service(view), viewed_server_path(view), &ends);
	rtrsi_control_print(text, "%s\n", ends.destination);
}

/* The kernel's server does not say how many are in flight. */
static void show_server_rdma(const struct control_view *view, struct control_text *text)
{
	const struct rtrs_server_path *path = viewed_server_path(view);

	rtrsi_control_print(text, "%llu %llu %llu %llu\n", (unsigned long long)path->reads,
			    (unsigned long long)path->read_bytes, (unsigned long long)path->writes,
			    (unsigned long long)path->written_bytes);
}

static int reset_server_rdma(const struct control_view *view, const char *value, uint64_t *number)
{
	struct rtrs_server_path *path = viewed_server_path(view);

	(void)number;
	if (!rtrsi_control_is_one(value))
		return -EINVAL;
	path->reads = path->read_bytes = path->writes = path->written_bytes = 0;
	return 0;
}

/* Of the description: the kernel's server has no such file. */
static void show_server_reset_all(const struct control_view *view, struct control_text *text)
{
	(void)view;
	rtrsi_control_print(text, "echo 1 to reset all statistics\n");
}

static int store_server_reset_all(const struct control_view *view, const char *value,
				  uint64_t *number)
{
	return reset_server_rdma(view, !strcmp(value, "0") ? "1" : value, number);
}

static const struct control_file server_session_files[] = {{0}};

static const struct control_file server_path_files[] = {
	{"disconnect", false, show_server_disconnect, store_server_disconnect},
	{"dst_addr", false, show_server_destination, NULL},
	{"hca_name", false, show_server_hca_name, NULL},
	{"hca_port", false, show_server_hca_port, NULL},
	{"src_addr", false, show_server_source, NULL},
	{0},
};

static const struct control_file server_stats_files[] = {
	{"rdma", false, show_server_rdma, reset_server_rdma},
	{"reset_all", true, show_server_reset_all, store_server_reset_all},
	{0},
};

/* --- the tree ------------------------------------------------------------------------------------ */

static bool view_server_session(struct control_view *view, uint64_t from)
{
	const struct rtrs_server *engine = rtrsi_server_driver_engine(viewed_service(view)->driver);
	struct rtrs_server_session *known;

	view->session = NULL;
	for (known = engine->sessions; known; known = known->next) {
		const struct service_session *session = known->user;

		if (!session || session->is_refused || session->number < from ||
		    (view->session && session->number > view->session_number))
			continue;
		view->session = known;
		view->session_number = session->number;
		view->session_name = session->name;
	}
	return view->session;
}

static bool view_server_path(struct control_view *view, uint64_t from)
{
	const struct rtrs_server_session *session = view->session;
	struct rtrs_server_path *path, *first = NULL;
	struct path_ends ends;

	for (path = session->paths; path; path = path->next) {
		if (path->state == RTRS_SERVER_CONNECTED && path->number >= from &&
		    (!first || path->number < first->number))
			first = path;
	}
	view->path = first;
	if (!first)
		return false;
	view->path_number = first->number;
	ends_of(viewed_service(view), first, &ends);
	rtrsi_control_path_name(view, ends.source, ends.destination);
	return true;
}

static const struct control_tree server_tree = {
	.root = "rtrs-server",
	.session_files = server_session_files,
	.path_files = server_path_files,
	.stats_files = server_stats_files,
	.session = view_server_session,
	.path = view_server_path,
};

static void list_server(void *user, struct rtrs_control_cursor *cursor, bool with_values,
			struct rtrs_control_page *page)
{
	rtrsi_control_list(&server_tree, user, cursor, with_values, page);
}

static int read_server(void *user, const char *path, char *to, size_t size)
{
	return rtrsi_control_read(&server_tree, user, path, to, size);
}

static int write_server(void *user, const char *path, const char *value, size_t length,
			uint64_t *number)
{
	(void)length;
	return rtrsi_control_write(&server_tree, user, path, value, number);
}

const struct rtrs_control_ops rtrsi_service_control = {
	.list = list_server,
	.read = read_server,
	.write = write_server,
};
