/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs measuring processes and reads what they print; medians and quartiles. */
#include <errno.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "shared/clock.h"
#include "t/bench/figures.h"
#include "t/bench/trace.h"

extern char **environ;

static void fail_figures(const char *what, const char *why) __attribute__((noreturn));
static void fail_figures(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	exit(1);
}

const char *figures_probe(void)
{
	static char path[4096];
	char self[3072];
	ssize_t length = readlink("/proc/self/exe", self, sizeof(self) - 1);

	if (length < 0)
		fail_figures("/proc/self/exe", strerror(errno));
	self[length] = '\0';
	*strrchr(self, '/') = '\0';
	snprintf(path, sizeof(path), "%s/probe", self);
	return path;
}

static double in_ns(const struct timeval *t)
{
	return (double)t->tv_sec * 1e9 + (double)t->tv_usec * 1e3;
}

static void add_figure(struct figures *figures, const char *name, double value)
{
	if (figures->count == FIGURES_MAX)
		fail_figures(name, "too many figures");
	snprintf(figures->v[figures->count].name, sizeof(figures->v[0].name), "%s", name);
	figures->v[figures->count++].value = value;
}

static void parse_figures(FILE *output, struct figures *ret)
{
	char name[24];
	double value;

	memset(ret, 0, sizeof(*ret));
	rewind(output);
	while (fscanf(output, "%23s %lf", name, &value) == 2)
		add_figure(ret, name, value);
}

/* Runs a process until it ends, and adds the times it took. */
static void run_program(char *const argv[], FILE *output, struct figures *ret)
{
	posix_spawn_file_actions_t actions;
	struct rusage usage;
	double begin, end;
	int status, err;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_adddup2(&actions, fileno(output), STDOUT_FILENO);
	begin = (double)hfi_now_ns();
	err = posix_spawn(&pid, argv[0], &actions, NULL, argv, environ);
	if (err)
		fail_figures(argv[0], strerror(err));
	if (wait4(pid, &status, 0, &usage) < 0)
		fail_figures(argv[0], strerror(errno));
	end = (double)hfi_now_ns();
	posix_spawn_file_actions_destroy(&actions);
	if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
		fail_figures(argv[argv[1] ? 1 : 0], "the measured process failed");
	add_figure(ret, "wall_ns", end - begin);
	add_figure(ret, "cpu_ns", in_ns(&usage.ru_utime) + in_ns(&usage.ru_stime));
}

static FILE *new_output(void)
{
	FILE *output = tmpfile();

	if (!output)
		fail_figures("temporary file", strerror(errno));
	return output;
}

void figures_program(char *const argv[], struct figures *ret)
{
	FILE *output = new_output();

	memset(ret, 0, sizeof(*ret));
	run_program(argv, output, ret);
	fclose(output);
}

void figures_run(const char *library, const char *operation, struct figures *ret)
{
	char *argv[] = {(char *)figures_probe(), (char *)library, (char *)operation, NULL};
	struct figures times = {.count = 0};
	FILE *output = new_output();

	run_program(argv, output, &times);
	parse_figures(output, ret);
	for (int i = 0; i < times.count; i++)
		add_figure(ret, times.v[i].name, times.v[i].value);
	fclose(output);
}

double figures_calls(char *const argv[])
{
	FILE *output = new_output();
	struct trace trace;
	int err;

	err = trace_run(argv, fileno(output), &trace);
	fclose(output);
	if (err && err != -EPERM)
		fail_figures(argv[0], "the traced process failed");
	return err ? -1 : (double)trace.total[TRACE_NONE];
}

/* Parses valgrind's line "==PID== I   refs:      640,199". */
static double read_instructions(const char *path)
{
	FILE *file = fopen(path, "re");
	double count = -1;
	char line[256];

	while (file && fgets(line, sizeof(line), file)) {
		const char *at = strstr(line, "refs:");

		if (!at)
			continue;
		count = 0;
		for (at += strlen("refs:"); *at; at++)
			if (*at >= '0' && *at <= '9')
				count = count * 10 + (*at - '0');
	}
	if (file)
		fclose(file);
	return count;
}

double figures_instructions(char *const argv[])
{
	static const char log[] = "/dev/hf-valgrind"; /* in the private /dev */
	char *counted[16] = {(char *)"/usr/bin/valgrind", (char *)"--tool=cachegrind",
			     (char *)"--cache-sim=no", (char *)"--cachegrind-out-file=/dev/null",
			     (char *)"--log-file=/dev/hf-valgrind"};
	struct figures unused = {.count = 0};
	FILE *output;
	int n = 5;

	if (access(counted[0], X_OK) < 0)
		return -1;
	for (int i = 0; argv[i] && n < 15; i++)
		counted[n++] = argv[i];
	output = new_output();
	run_program(counted, output, &unused);
	fclose(output);
	return read_instructions(log);
}

int figures_trace(const char *library, const char *operation, struct figures *ret,
		  struct trace *trace)
{
	char *argv[] = {(char *)figures_probe(), (char *)library, (char *)operation, NULL};
	FILE *output = new_output();
	int err;

	err = trace_run(argv, fileno(output), trace);
	if (!err)
		parse_figures(output, ret);
	fclose(output);
	if (err && err != -EPERM)
		fail_figures(library, "the traced process failed");
	return err;
}

double figure(const struct figures *figures, const char *name)
{
	for (int i = 0; i < figures->count; i++) {
		if (strcmp(figures->v[i].name, name) == 0)
			return figures->v[i].value;
	}
	fail_figures(name, "the measuring process did not print this figure");
}

static int compare_doubles(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

/* Returns the values in ascending order. The caller frees them. */
static double *sorted(const struct figures *runs, int count, const char *name)
{
	double *values = calloc((size_t)count, sizeof(*values));

	if (!values)
		fail_figures(name, strerror(ENOMEM));
	for (int i = 0; i < count; i++)
		values[i] = figure(&runs[i], name);
	qsort(values, (size_t)count, sizeof(*values), compare_doubles);
	return values;
}

double figures_median(const struct figures *runs, int count, const char *name)
{
	double *values = sorted(runs, count, name), median;

	median = count % 2 ? values[count / 2] : (values[count / 2 - 1] + values[count / 2]) / 2;
	free(values);
	return median;
}

double figures_low(const struct figures *runs, int count, const char *name)
{
	double *values = sorted(runs, count, name), low = values[count / 4];

	free(values);
	return low;
}
