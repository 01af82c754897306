/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The commands of rtrsctl. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/control/query.h"
#include "rtrs/tools/ctl.h"
#include "rtrs/tools/print.h"
#include "rtrs/tools/tool.h"
#include "rtrs/tools/top.h"
#include "shared/text.h"

/* --- what is written ----------------------------------------------------------------------------- */

/* What the errors of the kernel's files mean. */
static const char *words_of_error(int err)
{
	switch (err) {
	case -ENXIO:
	case -ENODEV:
		return "it is no longer there";
	case -ENOTCONN:
		return "it cannot be connected";
	case -EBUSY:
		return "it is being connected, closed or removed, or too many programs ask for it";
	case -EEXIST:
		return "there is a path between these addresses already";
	case -EINVAL:
		return "that is not valid";
	default:
		return strerror(-err);
	}
}

/* FILE of the session, or of its path unless that is NULL. */
static int write_file(const struct tool *tool, const struct known_session *session,
		      const struct known_path *path, const char *file, const char *value)
{
	struct rtrs_control_request request = {
		.type = RTRS_CONTROL_WRITE, .value = value, .value_length = strlen(value)};
	char name[RTRS_CONTROL_PATH_MAX];
	int err = hfi_print(name, sizeof(name), "%s/%s%s%s/%s",
			    session->is_server ? "rtrs-server" : "rtrs-client", session->name,
			    path ? "/paths/" : "", path ? path->name : "", file);

	request.path = name;
	if (!err)
		err = rtrsi_query(tool->place, session->socket, &request, NULL, NULL, NULL);
	if (!err)
		return EXIT_SUCCESS;
	rtrsi_complain("%s%s%s: %s: %s", session->name, path ? " " : "", path ? path->name : "",
		       file, words_of_error(err));
	return EXIT_FAILURE;
}

/* --- commands ------------------------------------------------------------------------------------ */

static int ctl_list(struct tool *tool, char **arguments)
{
	size_t count = 0;

	(void)arguments;
	for (size_t i = 0; i < tool->sessions.count; i++) {
		struct known_session session = tool->sessions.list[i];

		if (!rtrsi_ctl_wants(tool, &session))
			continue;
		/* Those that are not asked for stay, behind the others, to be freed. */
		tool->sessions.list[i] = tool->sessions.list[count];
		tool->sessions.list[count++] = session;
	}
	rtrsi_print_list(&(const struct known_sessions){.count = count,
							.list = tool->sessions.list},
			 tool->is_json);
	return EXIT_SUCCESS;
}

static int ctl_show(struct tool *tool, char **arguments)
{
	const struct known_session **shown =
		rtrsi_grow(NULL, tool->sessions.count + 1, sizeof(*shown));
	size_t at = 0, count = 0;

	while ((shown[count] = rtrsi_ctl_next_session(tool, arguments[0], &at)))
		count++;
	if (count || !arguments[0])
		rtrsi_print_sessions(shown, count, tool->is_json);
	free(shown);
	if (count || !arguments[0])
		return EXIT_SUCCESS;
	rtrsi_complain("there is no session \"%s\"", arguments[0]);
	return EXIT_NOT_FOUND;
}

static int ctl_add(struct tool *tool, char **arguments)
{
	const struct known_session *session;
	int status = rtrsi_ctl_find_session(tool, arguments[0], &session);

	return status ? status : write_file(tool, session, NULL, "add_path", arguments[1]);
}

static int write_to_path(const struct tool *tool, char **arguments, const char *file)
{
	const struct known_session *session;
	const struct known_path *path;
	int status = rtrsi_ctl_find_session(tool, arguments[0], &session);

	if (!status)
		status = rtrsi_ctl_find_path(session, arguments[1], &path);
	return status ? status : write_file(tool, session, path, file, "1");
}

/* The same, or to all its paths where none is given. */
static int write_to_paths(const struct tool *tool, char **arguments, const char *file)
{
	const struct known_session *session;
	int status;

	if (arguments[1])
		return write_to_path(tool, arguments, file);
	status = rtrsi_ctl_find_session(tool, arguments[0], &session);
	if (status)
		return status;
	for (size_t i = 0; i < session->path_count; i++) {
		if (write_file(tool, session, &session->paths[i], file, "1"))
			status = EXIT_FAILURE;
	}
	return status;
}

static int ctl_remove(struct tool *tool, char **arguments)
{
	return write_to_path(tool, arguments, "remove_path");
}

static int ctl_disconnect(struct tool *tool, char **arguments)
{
	return write_to_paths(tool, arguments, "disconnect");
}

static int ctl_reconnect(struct tool *tool, char **arguments)
{
	return write_to_paths(tool, arguments, "reconnect");
}

static int ctl_policy(struct tool *tool, char **arguments)
{
	const struct known_session *session;
	int status = rtrsi_ctl_find_session(tool, arguments[0], &session);

	if (status)
		return status;
	if (arguments[1])
		return write_file(tool, session, NULL, "mpath_policy", arguments[1]);
	puts(session->policy ? session->policy : "");
	return EXIT_SUCCESS;
}

static int ctl_attempts(struct tool *tool, char **arguments)
{
	const struct known_session *session;
	int status = rtrsi_ctl_find_session(tool, arguments[0], &session);

	return status ? status
		      : write_file(tool, session, NULL, "max_reconnect_attempts", arguments[1]);
}

/* The server's files have one that resets. */
static int ctl_reset(struct tool *tool, char **arguments)
{
	const struct known_session *session;
	int status = rtrsi_ctl_find_session(tool, arguments[0], &session);

	return status ? status
		      : write_to_paths(tool, arguments,
				       session->is_server ? "stats/rdma" : "stats/reset_all");
}

static int ctl_top(struct tool *tool, char **arguments)
{
	int err = rtrsi_top(tool->place, tool->interval_ms, tool->looks, tool->is_json);

	(void)arguments;
	if (err)
		rtrsi_complain("the sockets of control: %s", strerror(-err));
	return err ? EXIT_FAILURE : EXIT_SUCCESS;
}

const struct ctl_command rtrsi_ctl_commands[] = {
	{"list", "", "the sessions of all processes", 0, 0, false, false, true, ctl_list},
	{"show", "[SESSION]", "a session, or all, with paths and statistics", 0, 1, false, false,
	 true, ctl_show},
	{"top", "", "what goes over each path, again and again", 0, 0, false, true, false, ctl_top},
	{"add", "SESSION [SOURCE,]DESTINATION", "connect another path", 2, 2, true, false, false,
	 ctl_add},
	{"remove", "SESSION PATH", "disconnect a path and forget it", 2, 2, true, false, false,
	 ctl_remove},
	{"disconnect", "SESSION [PATH]", "disconnect a path, or all", 1, 2, false, false, false,
	 ctl_disconnect},
	{"reconnect", "SESSION [PATH]", "connect a path, or all, anew", 1, 2, true, false, false,
	 ctl_reconnect},
	{"policy", "SESSION [POLICY]", "show or set how a path is chosen", 1, 2, true, false, false,
	 ctl_policy},
	{"attempts", "SESSION NUMBER", "set how often a path is reconnected; -1: no limit", 2, 2,
	 true, false, false, ctl_attempts},
	{"reset", "SESSION [PATH]", "set statistics to 0", 1, 2, false, false, false, ctl_reset},
};

const size_t rtrsi_ctl_command_count = HF_ARRAY_SIZE(rtrsi_ctl_commands);
