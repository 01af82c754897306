/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The tier's program: every operation, disturbed in every way at every point. */
#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "t/fault/drive.h"
#include "t/fault/ops.h"

static const struct op *const all_ops[] = {ops_list, ops_device, ops_open, ops_stream};

struct choice {
	const char *kind;
	const char *op;
	bool show;
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

/* 0: clean, 1: faults. */
static int run_kind(struct drive *drive, const struct choice *choice, enum run_kind kind,
		    struct tally *total)
{
	int bad = 0;

	for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++) {
		for (const struct op *op = all_ops[i]; op->name; op++) {
			struct tally tally = {0};
			int ret;

			if (!chosen(choice->op, op->name))
				continue;
			ret = drive_op(drive, op, kind, &tally);
			if (ret == -EOPNOTSUPP)
				return 0;
			tally_print(run_kind_names[kind], op->name, &tally);
			if (ret)
				printf("    %s was not tried to the end: %s\n", op->name,
				       strerror(-ret));
			bad |= ret || !tally_is_clean(&tally);
			tally_add(total, &tally);
		}
	}
	return bad;
}

static int run_all(struct drive *drive, const struct choice *choice)
{
	struct tally changes = {0}, failures = {0};
	struct timespec begin, end;
	int bad = 0;

	clock_gettime(CLOCK_MONOTONIC, &begin);
	for (enum run_kind kind = RUN_SWAP; kind < RUN_KINDS; kind++) {
		if (!chosen(choice->kind, run_kind_names[kind]))
			continue;
		if (kind == RUN_ALLOC && !alloc_available())
			printf("alloc: left out: the allocator is a sanitizer's\n");
		bad |= run_kind(drive, choice, kind, kind < RUN_FAIL ? &changes : &failures);
	}
	clock_gettime(CLOCK_MONOTONIC, &end);
	tally_print("total", "changes of the device", &changes);
	tally_print("total", "failures", &failures);
	printf("%s, %ld s\n", bad ? "FAULTS FOUND" : "no fault found",
	       (long)(end.tv_sec - begin.tv_sec));
	return bad;
}

static int show_all(struct drive *drive, const struct choice *choice)
{
	for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++)
		for (const struct op *op = all_ops[i]; op->name; op++)
			if (chosen(choice->op, op->name)) {
				printf("%s:\n", op->name);
				drive_show(drive, op);
			}
	return 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: fault [--kind=KIND,...] [--op=OPERATION,...] [--at=N] "
			"[--reports=N] [--show]\n"
			"kinds: swap remove rename caches fail short alloc; operations:");
	for (size_t i = 0; i < sizeof(all_ops) / sizeof(all_ops[0]); i++)
		for (const struct op *op = all_ops[i]; op->name; op++)
			fprintf(stderr, " %s", op->name);
	fprintf(stderr, "\n");
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"kind", required_argument, NULL, 'k'}, {"op", required_argument, NULL, 'o'},
		{"at", required_argument, NULL, 'a'},	{"reports", required_argument, NULL, 'r'},
		{"show", no_argument, NULL, 's'},	{NULL, 0, NULL, 0},
	};
	const char *builddir = getenv("top_builddir");
	struct choice choice = {0};
	struct drive drive;
	char library[512];
	size_t only_at = 0;
	size_t reports = 10;
	int ret, option;

	while ((option = getopt_long(argc, argv, "a:k:o:r:s", options, NULL)) >= 0) {
		if (option == 'k')
			choice.kind = optarg;
		else if (option == 'o')
			choice.op = optarg;
		else if (option == 'r')
			reports = strtoul(optarg, NULL, 10);
		else if (option == 'a')
			only_at = strtoul(optarg, NULL, 10);
		else if (option == 's')
			choice.show = true;
		else
			return usage();
	}
	ret = inject_available();
	if (ret < 0) {
		printf("skipped: cannot trace a child here: %s\n", strerror(-ret));
		return 77;
	}
	snprintf(library, sizeof(library), "%s/t/fault/.libs/probe-hf1.so",
		 builddir ? builddir : ".");
	ret = drive_init(&drive, library);
	if (ret < 0) {
		fprintf(stderr, "cannot begin: %s\n", strerror(-ret));
		return 99;
	}
	drive.reports = reports;
	drive.only_at = only_at;
	drive.show_calls = choice.show;
	ret = choice.show && !only_at ? show_all(&drive, &choice) : run_all(&drive, &choice);
	drive_end(&drive);
	return ret;
}
