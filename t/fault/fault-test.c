/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tests the fault tier: it finds each mistake of ops-broken.c, and nothing in correct code. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/fault/drive.h"
#include "t/fault/ops.h"

static const struct {
	const char *op;
	enum run_kind kind;
	enum fault fault;
} expected[] = {
	{"by-path", RUN_SWAP, FAULT_WRONG_DEVICE},
	{"leaking", RUN_FAIL, FAULT_LEAK},
	{"leaking", RUN_ALLOC, FAULT_LEAK},
	{"touching", RUN_FAIL, FAULT_TOUCHED},
	{"own-error", RUN_FAIL, FAULT_UNDOCUMENTED},
	{"short-reading", RUN_SHORT, FAULT_WRONG_DEVICE},
	{"spoiled", RUN_FAIL, FAULT_POISONED},
	{"crashing", RUN_ALLOC, FAULT_CRASH},
};

static const struct op *find_op(const char *name)
{
	const struct op *op = ops_broken;

	while (strcmp(op->name, name) != 0)
		op++;
	return op;
}

static int test_sound_ops(struct drive *drive)
{
	int bad = 0;

	for (enum run_kind kind = RUN_SWAP; kind < RUN_KINDS; kind++) {
		struct tally tally = {0};

		if (kind == RUN_ALLOC && !alloc_available())
			continue;
		/* It contains the device's name, so it does not survive a rename. */
		if (kind == RUN_RENAME)
			continue;
		if (drive_op(drive, find_op("sound"), kind, &tally) < 0 ||
		    !tally_is_clean(&tally) || tally.points == 0)
			bad = 1;
		tally_print(run_kind_names[kind], "sound", &tally);
	}
	return bad;
}

static int test_broken(struct drive *drive)
{
	int bad = 0;

	for (size_t i = 0; i < sizeof(expected) / sizeof(expected[0]); i++) {
		struct tally tally = {0};
		size_t found;

		if (expected[i].kind == RUN_ALLOC && !alloc_available())
			continue;
		if (drive_op(drive, find_op(expected[i].op), expected[i].kind, &tally) < 0)
			bad = 1;
		found = tally.faults[expected[i].fault];
		printf("%s %s: %zu of %zu points %s%s\n", run_kind_names[expected[i].kind],
		       expected[i].op, found, tally.points, fault_names[expected[i].fault],
		       found ? ", as it should be" : ": NOT FOUND");
		if (!found || found == tally.points)
			bad = 1;
	}
	return bad;
}

int main(void)
{
	const char *builddir = getenv("top_builddir");
	char library[512];
	struct drive drive;
	int ret, bad;

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
	drive.reports = 0;
	bad = test_sound_ops(&drive);
	bad |= test_broken(&drive);
	drive_end(&drive);
	return bad;
}
