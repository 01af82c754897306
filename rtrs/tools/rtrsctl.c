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
#include "rtrs/control/place.h"
#include "rtrs/tools/ctl.h"
#include "rtrs/tools/tool.h"
#include "shared/text.h"

enum { SECONDS_MAX = 86400, DEFAULT_INTERVAL_MS = 2000 };
enum { OPT_DIRECTORY = 256 };

static void ctl_help(void)
{
	printf("Usage: rtrsctl [OPTION]... COMMAND [ARGUMENT]...\n\n"
	       "Shows and changes the RTRS sessions of processes.\n\nCommands:\n");
	for (size_t i = 0; i < rtrsi_ctl_command_count; i++)
		printf("  %-10s %-28s  %s\n", rtrsi_ctl_commands[i].name,
		       rtrsi_ctl_commands[i].arguments, rtrsi_ctl_commands[i].about);
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

static const struct ctl_command *command_of(int count, char **arguments)
{
	const struct ctl_command *command = rtrsi_ctl_commands;

	if (!count) {
		rtrsi_complain("a command is missing");
		return NULL;
	}
	while (strcmp(command->name, arguments[0]) != 0) {
		if (++command == rtrsi_ctl_commands + rtrsi_ctl_command_count) {
			rtrsi_complain("there is no command \"%s\"", arguments[0]);
			return NULL;
		}
	}
	if (count - 1 >= command->least && count - 1 <= command->most)
		return command;
	rtrsi_complain("usage: rtrsctl %s %s", command->name, command->arguments);
	return NULL;
}

static int ctl_run(struct tool *tool, const struct ctl_command *command, char **arguments)
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
	if (!status && tool->sessions.silent && command->needs_all)
		status = EXIT_INCOMPLETE;
	rtrsi_sessions_free(&tool->sessions);
	if (tool->place >= 0)
		close(tool->place);
	return status;
}

int main(int argc, char **argv)
{
	struct tool tool = {.interval_ms = DEFAULT_INTERVAL_MS};
	const struct ctl_command *command;
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
