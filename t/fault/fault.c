/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The fault tier's program: every operation, with every kind of fault at every point. Most of the
 * time is spent waiting for the kernel to release inotify watches, so several processes share the
 * work.
 */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "t/fault/drive.h"
#include "t/fault/ops.h"

static const struct op *const all_ops[] = {ops_stream, ops_list, ops_device, ops_open, ops_events};

enum { MAX_TASKS = 2048, PARTS = 4, MAX_JOBS = 64 };

/* A part of the points of one operation and kind. */
struct task {
	const struct op *op;
	enum run_kind kind;
	size_t part;
	struct tally tally;
	int ret;
	int out; /* file for its output */
	atomic_bool done;
};

/* Shared by all processes. */
static struct board {
	struct task tasks[MAX_TASKS];
	size_t num_tasks;
	atomic_size_t next;
} * board;

struct choice {
	const char *kind;
	const char *op;
	const char *library;
	size_t only_at;
	size_t reports;
	size_t jobs;
	bool show;
	bool thin;
};

static bool chosen(const char *wanted, const char *name)
{
	char list[256];
	char *next = list;

	if (!wanted)
		return true;
	snprintf(list, sizeof(list), "%s", wanted);
	while (next)
		if (!strcmp(strsep(&next, ","), name))
			return true;
	return false;
}

/* Each task writes to its own file, which together exceed the usual limit of 1,024 descriptors. */
static void allow_descriptors(void)
{
	const rlim_t enough = (rlim_t)MAX_TASKS + 1024;
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur >= enough)
		return;
	limit.rlim_cur = limit.rlim_max < enough ? limit.rlim_max : enough;
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int plan_op(const struct op *op, enum run_kind kind)
{
	for (size_t part = 0; part < PARTS; part++) {
		struct task *task = &board->tasks[board->num_tasks];

		if (board->num_tasks == MAX_TASKS)
			return -E2BIG;
		task->op = op;
		task->kind = kind;
		task->part = part;
		task->out = memfd_create("out", 0);
		if (task->out < 0)
			return -errno;
		board->num_tasks++;
	}
	return 0;
}

static int plan(const struct choice *choice)
{
	int ret = 0;

	for (enum run_kind kind = RUN_SWAP; kind < RUN_KINDS; kind++) {
		if (!chosen(choice->kind, run_kind_names[kind]))
			continue;
		if (kind == RUN_ALLOC && !alloc_available()) {
			printf("alloc: left out: the allocator is a sanitizer's\n");
			continue;
		}
		for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++)
			for (const struct op *op = all_ops[i]; op->name && ret == 0; op++)
				/*
				 * Most system calls of a netlink reply are made by the fake, not by
				 * the library.
				 */
				if (chosen(choice->op, op->name) &&
				    (!op->netlink || kind < RUN_FAIL))
					ret = plan_op(op, kind);
	}
	return ret;
}

static int init_fault_drive(struct drive *drive, const struct choice *choice)
{
	int ret = drive_init(drive, choice->library);

	if (ret < 0)
		fprintf(stderr, "cannot begin: %s\n", strerror(-ret));
	drive->reports = choice->reports;
	drive->only_at = choice->only_at;
	drive->show_calls = choice->show;
	drive->parts = PARTS;
	drive->thin = choice->thin;
	return ret;
}

static void run_part(const struct choice *choice)
{
	struct drive drive;
	size_t i;

	/* End with the parent: then the worlds' servers end too, and remove their trees. */
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (init_fault_drive(&drive, choice) < 0)
		_exit(99);
	while ((i = atomic_fetch_add(&board->next, 1)) < board->num_tasks) {
		struct task *task = &board->tasks[i];

		if (dup2(task->out, STDOUT_FILENO) < 0)
			_exit(99);
		drive.part = task->part;
		task->ret = drive_op(&drive, task->op, task->kind, &task->tally);
		fflush(stdout);
		atomic_store(&task->done, true);
	}
	drive_end(&drive);
	_exit(0);
}

static void copy_out(int fd)
{
	char text[4096];
	ssize_t got;
	off_t at = 0;

	while ((got = pread(fd, text, sizeof(text), at)) > 0) {
		fwrite(text, 1, (size_t)got, stdout);
		at += got;
	}
	close(fd);
}

/* Prints the findings of all parts of one operation and kind; 1 if there are faults. */
static int gather(struct task *parts, struct tally *total)
{
	struct tally tally = {0};
	int bad = 0;

	for (size_t i = 0; i < PARTS; i++) {
		const struct task *task = &parts[i];

		copy_out(task->out);
		tally_add(&tally, &task->tally);
		if (!task->done)
			printf("    part %zu of %s was not finished\n", i, task->op->name);
		else if (task->ret)
			printf("    %s was not tried to the end: %s\n", task->op->name,
			       strerror(-task->ret));
		bad |= !task->done || task->ret;
	}
	tally_print(run_kind_names[parts->kind], parts->op->name, &tally);
	tally_add(total, &tally);
	return bad | !tally_is_clean(&tally);
}

static bool all_done(const struct task *parts)
{
	for (size_t i = 0; i < PARTS; i++)
		if (!atomic_load(&parts[i].done))
			return false;
	return true;
}

static int run_all(const struct choice *choice)
{
	struct tally changes = {0}, failures = {0};
	struct timespec begin, end;
	size_t running = 0;
	int bad = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	fflush(NULL);
	for (; running < choice->jobs; running++) {
		pid_t pid = fork();

		if (pid == 0)
			run_part(choice);
		if (pid < 0)
			break;
	}
	for (size_t i = 0; i < board->num_tasks; i += PARTS) {
		struct task *parts = &board->tasks[i];

		while (running > 0 && !all_done(parts)) {
			int status;

			if (waitpid(-1, &status, WNOHANG) > 0) {
				bad |= status != 0;
				running--;
			} else {
				usleep(20000);
			}
		}
		bad |= gather(parts, parts->kind < RUN_FAIL ? &changes : &failures);
	}
	for (int status; running > 0 && wait(&status) > 0; running--)
		bad |= status != 0;
	clock_gettime(CLOCK_MONOTONIC, &end);
	tally_print("total", "changes of the device", &changes);
	tally_print("total", "failures", &failures);
	printf("%s, %ld s\n", bad ? "FAULTS FOUND" : "no fault found",
	       (long)(end.tv_sec - begin.tv_sec));
	return bad;
}

static int show_all(const struct choice *choice)
{
	struct drive drive;

	if (init_fault_drive(&drive, choice) < 0)
		return 99;
	for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++)
		for (const struct op *op = all_ops[i]; op->name; op++)
			if (chosen(choice->op, op->name)) {
				printf("%s:\n", op->name);
				drive_show(&drive, op);
			}
	drive_end(&drive);
	return 0;
}

static int print_fault_usage(void)
{
	fprintf(stderr, "usage: fault [--kind=KIND,...] [--op=OPERATION,...] [--at=N] [--jobs=N]\n"
			"             [--reports=N] [--show] [--thin]\n"
			"kinds: swap replug remove rename caches fail short alloc; operations:");
	for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++)
		for (const struct op *op = all_ops[i]; op->name; op++)
			fprintf(stderr, " %s", op->name);
	fprintf(stderr, "\n");
	return 2;
}

static int read_options(int argc, char **argv, struct choice *choice)
{
	static const struct option options[] = {
		{"at", required_argument, NULL, 'a'},	   {"jobs", required_argument, NULL, 'j'},
		{"kind", required_argument, NULL, 'k'},	   {"op", required_argument, NULL, 'o'},
		{"reports", required_argument, NULL, 'r'}, {"show", no_argument, NULL, 's'},
		{"thin", no_argument, NULL, 't'},	   {NULL, 0, NULL, 0},
	};
	int option;

	while ((option = getopt_long(argc, argv, "a:j:k:o:r:st", options, NULL)) >= 0) {
		switch (option) {
		case 'a':
			choice->only_at = strtoul(optarg, NULL, 10);
			break;
		case 'j':
			choice->jobs = strtoul(optarg, NULL, 10);
			break;
		case 'k':
			choice->kind = optarg;
			break;
		case 'o':
			choice->op = optarg;
			break;
		case 'r':
			choice->reports = strtoul(optarg, NULL, 10);
			break;
		case 's':
			choice->show = true;
			break;
		case 't':
			choice->thin = true;
			break;
		default:
			return print_fault_usage();
		}
	}
	return choice->jobs < 1 || choice->jobs > MAX_JOBS ? print_fault_usage() : 0;
}

int main(int argc, char **argv)
{
	const char *builddir = getenv("top_builddir");
	struct choice choice = {.reports = 10, .jobs = 16};
	char library[512];
	int ret;

	ret = read_options(argc, argv, &choice);
	if (ret)
		return ret;
	ret = inject_available();
	if (ret < 0) {
		printf("skipped: cannot trace a child here: %s\n", strerror(-ret));
		return 77;
	}
	snprintf(library, sizeof(library), "%s/t/fault/.libs/probe-hf1.so",
		 builddir ? builddir : ".");
	choice.library = library;
	if (choice.show && !choice.only_at)
		return show_all(&choice);
	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	if (board == MAP_FAILED) {
		perror("shared memory");
		return 99;
	}
	allow_descriptors();
	ret = plan(&choice);
	if (ret < 0) {
		fprintf(stderr, "cannot plan the tasks: %s\n", strerror(-ret));
		return 99;
	}
	return run_all(&choice);
}
