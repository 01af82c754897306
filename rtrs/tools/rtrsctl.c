/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rtrsctl: shows the sessions of all processes with librtrs, and changes them. */
#include <errno.h>
#include <getopt.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "rtrs/control/query.h"
#include "rtrs/tools/print.h"
#include "rtrs/tools/tool.h"
#include "rtrs/tools/top.h"
#include "shared/text.h"

enum { EXIT_USAGE = 2, EXIT_NOT_FOUND = 3, EXIT_INCOMPLETE = 4 };
enum { SECONDS_MAX = 86400, DEFAULT_INTERVAL_MS = 2000 };
enum { OPT_DIRECTORY = 256 };

struct tool {
	bool is_json, clients_only, servers_only;
	pid_t pid; /* 0: any */
	int64_t interval_ms;
	uint64_t looks;
	const char *directory;
	int place;
	struct known_sessions sessions;
};

/* --- which session, which path ------------------------------------------------------------------- */

static bool is_asked_for(const struct tool *tool, const struct known_session *session)
{
	return !(tool->clients_only && session->is_server) &&
	       !(tool->servers_only && !session->is_server) &&
	       (!tool->pid || tool->pid == session->pid);
}

/* The next one of that name from *at on; NULL: there is none. */
static const struct known_session *next_session(const struct tool *tool, const char *name,
						size_t *at)
{
	while (*at < tool->sessions.count) {
		const struct known_session *session = &tool->sessions.list[(*at)++];

		if (is_asked_for(tool, session) && (!name || !strcmp(session->name, name)))
			return session;
	}
	return NULL;
}

/* An exit status. */
static int find_known_session(const struct tool *tool, const char *name,
			      const struct known_session **ret)
{
	size_t at = 0;

	*ret = next_session(tool, name, &at);
	if (!*ret) {
		rtrsi_complain("there is no %ssession \"%s\"%s",
			       tool->clients_only   ? "client's "
			       : tool->servers_only ? "server's "
						    : "",
			       name, tool->sessions.silent ? " in the processes that answer" : "");
		return EXIT_NOT_FOUND;
	}
	if (next_session(tool, name, &at)) {
		rtrsi_complain("there is more than one session \"%s\": choose one with --client, "
			       "--server or --pid",
			       name);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/* Its directory's name, both addresses with "," or "@" between them, or where it leads to. */
static bool is_path_named(const struct known_path *path, const char *name)
{
	const char *destination = strchr(path->name, '@');
	char text[RTRS_CONTROL_PATH_MAX];

	if (hfi_copy(text, sizeof(text), name))
		return false;
	for (char *at = text; *at; at++) {
		if (*at == '/')
			*at = '!';
		else if (*at == ',')
			*at = '@';
	}
	return !strcmp(path->name, text) || (destination && !strcmp(destination + 1, text));
}

static int find_known_path(const struct known_session *session, const char *name,
			   const struct known_path **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < session->path_count; i++) {
		if (!is_path_named(&session->paths[i], name))
			continue;
		if (*ret) {
			rtrsi_complain("session \"%s\" has more than one path to \"%s\": give "
				       "SOURCE,DESTINATION",
				       session->name, name);
			return EXIT_FAILURE;
		}
		*ret = &session->paths[i];
	}
	if (*ret)
		return EXIT_SUCCESS;
	rtrsi_complain("session \"%s\" has no path \"%s\"", session->name, name);
	return EXIT_NOT_FOUND;
}

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

		if (!is_asked_for(tool, &session))
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

	while ((shown[count] = next_session(tool, arguments[0], &at)))
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
	int status = find_known_session(tool, arguments[0], &session);

	return status ? status : write_file(tool, session, NULL, "add_path", arguments[1]);
}

static int write_to_path(const struct tool *tool, char **arguments, const char *file)
{
	const struct known_session *session;
	const struct known_path *path;
	int status = find_known_session(tool, arguments[0], &session);

	if (!status)
		status = find_known_path(session, arguments[1], &path);
	return status ? status : write_file(tool, session, path, file, "1");
}

/* The same, or to all its paths where none is given. */
static int write_to_paths(const struct tool *tool, char **arguments, const char *file)
{
	const struct known_session *session;
	int status;

	if (arguments[1])
		return write_to_path(tool, arguments, file);
	status = find_known_session(tool, arguments[0], &session);
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
	int status = find_known_session(tool, arguments[0], &session);

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
	int status = find_known_session(tool, arguments[0], &session);

	return status ? status
		      : write_file(tool, session, NULL, "max_reconnect_attempts", arguments[1]);
}

/* The server's files have one that resets. */
static int ctl_reset(struct tool *tool, char **arguments)
{
	const struct known_session *session;
	int status = find_known_session(tool, arguments[0], &session);

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

struct command {
	const char *name, *arguments, *about;
	int least, most; /* arguments */
	bool is_of_client, is_endless;
	int (*run)(struct tool *tool, char **arguments);
};

static const struct command commands[] = {
	{"list", "", "the sessions of all processes", 0, 0, false, false, ctl_list},
	{"show", "[SESSION]", "a session, or all, with paths and statistics", 0, 1, false, false,
	 ctl_show},
	{"top", "", "what goes over each path, again and again", 0, 0, false, true, ctl_top},
	{"add", "SESSION [SOURCE,]DESTINATION", "connect another path", 2, 2, true, false, ctl_add},
	{"remove", "SESSION PATH", "disconnect a path and forget it", 2, 2, true, false,
	 ctl_remove},
	{"disconnect", "SESSION [PATH]", "disconnect a path, or all", 1, 2, false, false,
	 ctl_disconnect},
	{"reconnect", "SESSION [PATH]", "connect a path, or all, anew", 1, 2, true, false,
	 ctl_reconnect},
	{"policy", "SESSION [POLICY]", "show or set how a path is chosen", 1, 2, true, false,
	 ctl_policy},
	{"attempts", "SESSION NUMBER", "set how often a path is reconnected; -1: no limit", 2, 2,
	 true, false, ctl_attempts},
	{"reset", "SESSION [PATH]", "set statistics to 0", 1, 2, false, false, ctl_reset},
};

/* --- the command line ---------------------------------------------------------------------------- */

static void ctl_help(void)
{
	printf("Usage: rtrsctl [OPTION]... COMMAND [ARGUMENT]...\n\n"
	       "Shows and changes the RTRS sessions of processes.\n\nCommands:\n");
	for (size_t i = 0; i < HF_ARRAY_SIZE(commands); i++)
		printf("  %-10s %-28s  %s\n", commands[i].name, commands[i].arguments,
		       commands[i].about);
	printf("\nOptions:\n"
	       "  -c, --client          only sessions of clients\n"
	       "  -s, --server          only sessions of servers\n"
	       "  -p, --pid PID         only sessions of that process\n"
	       "  -j, --json            write JSON for programs: list, show, top\n"
	       "  -i, --interval SECS   top: the time between two looks (default: 2)\n"
	       "  -n, --count N         top: look N times (default: without end)\n"
	       "      --directory DIR   where the sockets are\n"
	       "  -h, --help            show this\n"
	       "  -V, --version         show the version\n"
	       "\nExit status:\n"
	       "  0  success\n"
	       "  1  the operation failed\n"
	       "  2  wrong options or arguments\n"
	       "  3  there is no such session or path\n"
	       "  4  list, show: some processes did not answer\n");
}

static int ctl_usage_hint(void)
{
	fprintf(stderr, "Try \"rtrsctl --help\".\n");
	return EXIT_USAGE;
}

static bool take_number(const char *option, const char *text, uint64_t max, uint64_t *ret)
{
	if (!hfi_parse_number(text, 10, max, ret) && *ret)
		return true;
	rtrsi_complain("%s: expected a number from 1 to %llu, not \"%s\"", option,
		       (unsigned long long)max, text);
	return false;
}

/* Seconds, with a fraction or without. */
static bool take_interval(struct tool *tool, const char *text)
{
	char *end;
	double seconds = strtod(text, &end);

	if (*text && !*end && seconds >= 0.01 && seconds <= SECONDS_MAX) {
		tool->interval_ms = (int64_t)(seconds * 1000);
		return true;
	}
	rtrsi_complain("--interval: expected seconds from 0.01 to %d, not \"%s\"", SECONDS_MAX,
		       text);
	return false;
}

/* -1: go on; or an exit status. */
static int ctl_options(struct tool *tool, int argc, char **argv)
{
	static const struct option options[] = {
		{"client", no_argument, NULL, 'c'},
		{"server", no_argument, NULL, 's'},
		{"pid", required_argument, NULL, 'p'},
		{"json", no_argument, NULL, 'j'},
		{"interval", required_argument, NULL, 'i'},
		{"count", required_argument, NULL, 'n'},
		{"directory", required_argument, NULL, OPT_DIRECTORY},
		{"help", no_argument, NULL, 'h'},
		{"version", no_argument, NULL, 'V'},
		{0},
	};
	uint64_t number;
	int option;

	while ((option = getopt_long(argc, argv, "csp:ji:n:hV", options, NULL)) != -1) {
		switch (option) {
		case 'c':
			tool->clients_only = true;
			break;
		case 's':
			tool->servers_only = true;
			break;
		case 'p':
			if (!take_number("--pid", optarg, INT32_MAX, &number))
				return ctl_usage_hint();
			tool->pid = (pid_t)number;
			break;
		case 'j':
			tool->is_json = true;
			break;
		case 'i':
			if (!take_interval(tool, optarg))
				return ctl_usage_hint();
			break;
		case 'n':
			if (!take_number("--count", optarg, UINT64_MAX, &tool->looks))
				return ctl_usage_hint();
			break;
		case OPT_DIRECTORY:
			tool->directory = optarg;
			break;
		case 'h':
			ctl_help();
			return EXIT_SUCCESS;
		case 'V':
			printf("rtrsctl %s\n", PACKAGE_VERSION);
			return EXIT_SUCCESS;
		default:
			return ctl_usage_hint();
		}
	}
	return -1;
}

static const struct command *command_of(int count, char **arguments)
{
	const struct command *command = commands;

	if (!count) {
		rtrsi_complain("a command is missing");
		return NULL;
	}
	while (strcmp(command->name, arguments[0]) != 0) {
		if (++command == commands + HF_ARRAY_SIZE(commands)) {
			rtrsi_complain("there is no command \"%s\"", arguments[0]);
			return NULL;
		}
	}
	if (count - 1 >= command->least && count - 1 <= command->most)
		return command;
	rtrsi_complain("usage: rtrsctl %s %s", command->name, command->arguments);
	return NULL;
}

static int ctl_run(struct tool *tool, const struct command *command, char **arguments)
{
	int status, err = 0;

	tool->place = tool->directory ? rtrsi_control_place_at(tool->directory)
				      : rtrsi_control_place(false);
	/* Nobody has made the directory yet. */
	if (tool->place < 0 && (tool->place != -ENOENT || tool->directory))
		err = tool->place;
	if (tool->place >= 0 && !command->is_endless)
		err = rtrsi_sessions_get(tool->place, &tool->sessions);
	if (err) {
		rtrsi_complain("%s: %s",
			       tool->directory ? tool->directory
					       : "the directory of control sockets",
			       err == -EACCES ? "other users can enter it, or it is not yours"
					      : strerror(-err));
		return EXIT_FAILURE;
	}
	if (tool->place < 0 && command->is_endless) {
		rtrsi_complain("there is no session");
		return EXIT_NOT_FOUND;
	}
	status = command->run(tool, arguments);
	if (!status && tool->sessions.silent &&
	    (command->run == ctl_list || command->run == ctl_show))
		status = EXIT_INCOMPLETE;
	rtrsi_sessions_free(&tool->sessions);
	if (tool->place >= 0)
		close(tool->place);
	return status;
}

int main(int argc, char **argv)
{
	struct tool tool = {.interval_ms = DEFAULT_INTERVAL_MS};
	const struct command *command;
	int status;

	setlocale(LC_ALL, "");
	status = ctl_options(&tool, argc, argv);
	if (status >= 0)
		return status;
	command = command_of(argc - optind, argv + optind);
	if (!command)
		return ctl_usage_hint();
	if (command->is_of_client && tool.servers_only) {
		rtrsi_complain("%s: only a client's session can do that", command->name);
		return ctl_usage_hint();
	}
	/* So that a server's session of the same name is not meant. */
	tool.clients_only |= command->is_of_client;
	status = ctl_run(&tool, command, argv + optind + 1);
	if (fflush(stdout) || ferror(stdout)) {
		rtrsi_complain("cannot write the output");
		return EXIT_FAILURE;
	}
	return status;
}
