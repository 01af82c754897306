/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast monitor --exec: runs a shell command for an event. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "tools/monitor.h"

static void export_event(struct hf_event *event)
{
	char number[24], changes[64];

	hfi_event_changes_text(hf_event_changes(event), changes, sizeof(changes));
	setenv("HOLDFAST_EVENT", hf_event_type_name(hf_event_type(event)), 1);
	setenv("HOLDFAST_DEVICE", hf_event_name(event), 1);
	snprintf(number, sizeof(number), "%" PRIu64, hf_event_generation(event));
	setenv("HOLDFAST_GENERATION", number, 1);
	setenv("HOLDFAST_CHANGES", changes, 1);
	snprintf(number, sizeof(number), "%" PRIu64, hf_event_sequence(event));
	setenv("HOLDFAST_SEQUENCE", number, 1);
}

/* Runs the command with no signal blocked and SIGPIPE at its default, unlike in the monitor. */
static int spawn_command(const char *command, pid_t *pid)
{
	char shell[] = "sh", option[] = "-c";
	char *args[] = {shell, option, strdup(command), NULL};
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, defaults;
	int err = ENOMEM;

	if (!args[2])
		return err;
	err = posix_spawn_file_actions_init(&actions);
	if (err)
		goto free_command;
	err = posix_spawnattr_init(&attributes);
	if (err)
		goto destroy_actions;
	sigemptyset(&none);
	sigemptyset(&defaults);
	sigaddset(&defaults, SIGPIPE);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setsigdefault(&attributes, &defaults);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	err = posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	if (!err)
		err = posix_spawn(pid, "/bin/sh", &actions, &attributes, args, environ);
	posix_spawnattr_destroy(&attributes);
destroy_actions:
	posix_spawn_file_actions_destroy(&actions);
free_command:
	free(args[2]);
	return err;
}

/* Waits for the command and returns its wait status. Passes signals that end the monitor on to it. */
static int wait_for_command(pid_t pid, int signals, bool *stop)
{
	struct pollfd fd = {.fd = signals, .events = POLLIN};
	struct signalfd_siginfo info;
	int status = 0;

	while (!waitpid(pid, &status, WNOHANG)) {
		/* No race with waitpid(): a SIGCHLD since then is still pending in the signalfd. */
		if (poll(&fd, 1, -1) < 0)
			continue;
		while (read(signals, &info, sizeof(info)) == (ssize_t)sizeof(info)) {
			if (info.ssi_signo == SIGCHLD)
				continue;
			*stop = true;
			kill(pid, (int)info.ssi_signo);
		}
	}
	return status;
}

int hfi_event_exec(const char *command, struct hf_event *event, int signals, bool *stop)
{
	uint64_t sequence = hf_event_sequence(event);
	int err, status;
	pid_t pid;

	export_event(event);
	err = spawn_command(command, &pid);
	if (err) {
		hfi_complain("event %" PRIu64 ": cannot run the command: %s", sequence,
			     strerror(err));
		return 1;
	}
	status = wait_for_command(pid, signals, stop);
	if (WIFSIGNALED(status)) {
		/* The signal that ended the monitor was passed on: not a failure of the command. */
		if (*stop)
			return 0;
		hfi_complain("event %" PRIu64 ": the command was killed by signal %d (%s)",
			     sequence, WTERMSIG(status), strsignal(WTERMSIG(status)));
		return 1;
	}
	if (WEXITSTATUS(status)) {
		hfi_complain("event %" PRIu64 ": the command failed with exit status %d", sequence,
			     WEXITSTATUS(status));
		return 1;
	}
	return 0;
}
