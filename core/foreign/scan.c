/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs the helper process that finds out which devices foreign libraries match. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/foreign/scan.h"
#include "core/foreign/tables.h"

enum { OUTPUT_MAX = 4 << 20, LIMIT_MS = 10000, REPORT_FD = 3, FIXED_ARGS = 4 };

/*
 * The environment of the helper: nothing of this process's but the library search path, and not
 * even that in a set-uid program.
 */
static int spawn_scanner(const struct hf_shim_files *files, char **args, int report, pid_t *pid)
{
	char *environment[2] = {NULL, NULL};
	const char *library_path = secure_getenv("LD_LIBRARY_PATH");
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none, usual;
	int err;

	if (library_path && asprintf(&environment[0], "LD_LIBRARY_PATH=%s", library_path) < 0)
		return -ENOMEM;
	err = posix_spawn_file_actions_init(&actions);
	if (err)
		goto free_path;
	err = posix_spawnattr_init(&attributes);
	if (err)
		goto destroy_actions;
	sigemptyset(&none);
	sigfillset(&usual);
	err = posix_spawn_file_actions_adddup2(&actions, report, REPORT_FD);
	for (int fd = 0; fd < REPORT_FD && !err; fd++)
		err = posix_spawn_file_actions_addopen(&actions, fd, "/dev/null", O_RDWR, 0);
	if (!err)
		err = posix_spawn_file_actions_addclosefrom_np(&actions, REPORT_FD + 1);
	if (!err)
		err = posix_spawnattr_setflags(&attributes,
					       POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF);
	if (!err)
		err = posix_spawnattr_setsigmask(&attributes, &none);
	if (!err)
		err = posix_spawnattr_setsigdefault(&attributes, &usual);
	if (!err)
		err = posix_spawn(pid, files->scan, &actions, &attributes, args, environment);
	posix_spawnattr_destroy(&attributes);
destroy_actions:
	posix_spawn_file_actions_destroy(&actions);
free_path:
	free(environment[0]);
	return -err;
}

/* Reads until the process closes the pipe or the time is over. -ETIME. */
static int read_report(int fd, char **ret)
{
	int64_t limit = hfi_now_ms() + LIMIT_MS;
	size_t length = 0, size = 16384;
	char *text = malloc(size);
	int err = text ? 0 : -ENOMEM;

	while (!err) {
		struct pollfd wait = {.fd = fd, .events = POLLIN};
		int64_t left = limit - hfi_now_ms();
		ssize_t got;

		if (left <= 0 || length == OUTPUT_MAX) {
			err = -ETIME;
			break;
		}
		if (poll(&wait, 1, (int)left) <= 0)
			continue;
		if (length + 1 == size) {
			char *grown = realloc(text, size * 2);

			if (!grown) {
				err = -ENOMEM;
				break;
			}
			text = grown;
			size *= 2;
		}
		got = read(fd, text + length, size - length - 1);
		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	if (err == -ENOMEM) {
		free(text);
		return err;
	}
	/* A NUL ends the text; ignore what follows it. */
	text[length] = '\0';
	*ret = text;
	return err;
}

static void refuse_scan_item(struct hf_scan_item *item, bool permanent, const char *text)
{
	item->tables = (struct hf_tables){0};
	snprintf(item->tables.error, sizeof(item->tables.error), "%s", text);
	item->done = true;
	item->permanent = permanent;
}

int hfi_scan_take(const char *text, struct hf_scan_item *items, size_t count)
{
	size_t done = 0;

	while (done < count) {
		int err = hfi_tables_parse(&text, &items[done].tables);

		if (err == -ENOMEM)
			return err;
		if (err)
			break;
		items[done].done = true;
		/* The loader may have failed because another library is missing. */
		items[done].permanent = !items[done].tables.error[0];
		done++;
	}
	return (int)done;
}

/* Describes how the process ended before the end of its list. */
static void refuse_culprit(struct hf_scan_item *item, int err, bool known, int status)
{
	char text[128];

	if (err == -ETIME)
		snprintf(text, sizeof(text), "loading it did not end within %d s", LIMIT_MS / 1000);
	else if (known && WIFSIGNALED(status))
		snprintf(text, sizeof(text), "loading it crashed with signal %d (%s)",
			 WTERMSIG(status), sigdescr_np(WTERMSIG(status)));
	else
		snprintf(text, sizeof(text), "loading it ended the process");
	refuse_scan_item(item, err != -ETIME, text);
}

static int run_once(const struct hf_shim_files *files, struct hf_scan_item **todo, size_t count,
		    struct hf_scan_item *answers)
{
	char **args = calloc(count + FIXED_ARGS, sizeof(*args));
	int report[2] = {-1, -1};
	int err, done, status = 0;
	char *text = NULL;
	bool known;
	pid_t pid;

	if (!args)
		return -ENOMEM;
	args[0] = strdup(files->scan);
	args[1] = strdup(files->self);
	args[2] = strdup(files->shim);
	for (size_t i = 0; i < count; i++)
		args[i + 3] = strdup(todo[i]->file);
	for (size_t i = 0; i < count + 3; i++)
		if (!args[i]) {
			err = -ENOMEM;
			goto free_args;
		}
	if (pipe2(report, O_CLOEXEC) < 0) {
		err = -errno;
		goto free_args;
	}
	/* dup2() of a descriptor onto itself would keep its close-on-exec flag. */
	if (report[1] == REPORT_FD) {
		int other = fcntl(report[1], F_DUPFD_CLOEXEC, REPORT_FD + 1);

		if (other < 0) {
			err = -errno;
			goto free_args;
		}
		close(report[1]);
		report[1] = other;
	}
	err = spawn_scanner(files, args, report[1], &pid);
	if (err)
		goto free_args;
	hfi_close(&report[1]);
	err = read_report(report[0], &text);
	if (err)
		kill(pid, SIGKILL);
	do
		known = waitpid(pid, &status, 0) == pid;
	while (!known && errno == EINTR);
	if (err == -ENOMEM)
		goto free_args;
	done = hfi_scan_take(text, answers, count);
	if (done < 0) {
		err = done;
		goto free_args;
	}
	/* It ended before the first library, so no library is the cause. */
	if (done == 0 && known && WIFEXITED(status) && WEXITSTATUS(status) == 2)
		err = -ENOEXEC;
	else if ((size_t)done < count)
		refuse_culprit(&answers[done++], err, known, status);
	if (err != -ENOEXEC)
		err = done;
free_args:
	free(text);
	hfi_close(&report[0]);
	hfi_close(&report[1]);
	for (size_t i = 0; i < count + 3; i++)
		free(args[i]);
	free(args);
	return err;
}

int hfi_scan_run(const struct hf_shim_files *files, struct hf_scan_item *items, size_t count)
{
	struct hf_scan_item **todo = calloc(count + 1, sizeof(struct hf_scan_item *));
	struct hf_scan_item *answers = calloc(count + 1, sizeof(*answers));
	size_t left = 0, next = 0;
	int runs = 0, done = 0;

	if (!todo || !answers)
		runs = -ENOMEM;
	for (size_t i = 0; i < count && runs >= 0; i++)
		if (!items[i].done)
			todo[left++] = &items[i];
	if (!files->scan[0])
		runs = -ENOENT;
	while (runs >= 0 && next < left) {
		memset(answers, 0, (count + 1) * sizeof(*answers));
		done = run_once(files, todo + next, left - next, answers);
		if (done <= 0) {
			runs = done ? done : -EIO;
			break;
		}
		for (int i = 0; i < done; i++) {
			answers[i].file = todo[next]->file;
			*todo[next++] = answers[i];
		}
		runs++;
	}
	free(answers);
	free(todo);
	return runs;
}
