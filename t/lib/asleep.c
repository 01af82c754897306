/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads from /proc where threads are blocked and which timers are armed. */
#include <dirent.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/clock.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"

/* The state letter follows the name, which may contain any character. */
static bool is_asleep(pid_t pid, pid_t tid)
{
	char path[64], line[512] = "";
	const char *state;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/stat", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return false;
	state = fgets(line, sizeof(line), file) ? strrchr(line, ')') : NULL;
	fclose(file);
	return state && !strncmp(state, ") S", 3);
}

/*
 * The line is "running" for a thread that runs or can run, and begins with -1 for one that is blocked
 * outside a system call. A thread that was stopped continues in restart_syscall.
 */
static bool is_blocked_in(pid_t pid, pid_t tid, long call)
{
	char path[64], line[256] = "";
	bool known;
	FILE *file;
	long now;

	snprintf(path, sizeof(path), "/proc/%d/task/%d/syscall", pid, tid);
	file = fopen(path, "re");
	if (!file)
		return is_asleep(pid, tid);
	known = fgets(line, sizeof(line), file) != NULL;
	fclose(file);
	if (!known)
		return is_asleep(pid, tid);
	now = line[0] >= '0' && line[0] <= '9' ? atol(line) : -1;
	return now == call || now == SYS_restart_syscall;
}

unsigned int asleep_count(pid_t pid, long call)
{
	unsigned int count = 0;
	struct dirent *entry;
	char path[64];
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	dir = opendir(path);
	while (dir && (entry = readdir(dir))) {
		const pid_t tid = (pid_t)atoi(entry->d_name);

		count += tid > 0 && tid != gettid() && is_blocked_in(pid, tid, call);
	}
	if (dir)
		closedir(dir);
	return count;
}

static void wait_for(pid_t pid, long call, unsigned int threads)
{
	const int64_t begin = hfi_now_ms();

	while (asleep_count(pid, call) < threads) {
		if (hfi_now_ms() - begin > HF_TEST_HANG_SECONDS * INT64_C(1000)) {
			fprintf(stderr, "no %u threads of %d sleep in system call %ld\n", threads,
				pid, call);
			abort();
		}
		usleep(500);
	}
}

void asleep_wait(long call, unsigned int threads)
{
	wait_for(getpid(), call, threads);
}

void asleep_wait_process(pid_t pid, long call)
{
	wait_for(pid, call, 1);
}

/* -1: not a timer, or it cannot be read any more. */
static int is_armed(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned long seconds, ns;
	int armed = -1;
	char line[256];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "it_value: (%lu, %lu)", &seconds, &ns) == 2)
			armed = seconds || ns;
	if (file)
		fclose(file);
	return armed;
}

int armed_timers(pid_t pid)
{
	struct dirent *entry;
	char path[64];
	int count = 0;
	DIR *dir;

	snprintf(path, sizeof(path), "/proc/%d/fdinfo", pid);
	dir = opendir(path);
	if (!dir)
		return -1;
	while ((entry = readdir(dir))) {
		char file[sizeof(path) + sizeof(entry->d_name)];

		snprintf(file, sizeof(file), "%s/%s", path, entry->d_name);
		count += entry->d_name[0] != '.' && is_armed(file) > 0;
	}
	closedir(dir);
	return count;
}

int armed_timers_in(int epoll)
{
	char path[64], line[256];
	int count = 0, fd;
	FILE *file;

	snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", epoll);
	file = fopen(path, "re");
	if (!file)
		return -1;
	while (fgets(line, sizeof(line), file)) {
		if (sscanf(line, "tfd: %d", &fd) != 1)
			continue;
		snprintf(path, sizeof(path), "/proc/self/fdinfo/%d", fd);
		count += is_armed(path) > 0;
	}
	fclose(file);
	return count;
}
