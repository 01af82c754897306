/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Injects faults at every point of an operation, and counts the findings. */
#ifndef HF_FAULT_DRIVE_H
#define HF_FAULT_DRIVE_H

#include "t/fault/inject.h"
#include "t/fault/run.h"

struct tally {
	size_t points;
	size_t faults[FAULTS];
	size_t unreached;
	size_t missing; /* points at which an existing device was not listed */
};

struct drive {
	struct world *world;
	struct run_result *result;
	const char *provider_dir;
	size_t reports; /* how many faults of one operation and kind are reported in full */
	size_t part,
		parts;	 /* only every parts-th point, so that several processes share the work */
	bool show_calls; /* of each run with a fault */
	/* Of the changes of the device, and of the errors of a call, a third at each point, in turns. */
	bool thin;
	size_t only_at; /* only this call or allocation; 0: all */
};

/* 0, or -errno if memory cannot be shared. `library` is the test provider's. */
int drive_init(struct drive *drive, const char *library);
void drive_end(struct drive *drive);

/* Adds to *tally. 0, or -errno if the operation does not even work without a fault. */
int drive_op(struct drive *drive, const struct op *op, enum run_kind kind, struct tally *tally);

/* Prints the system calls of an operation. */
int drive_show(struct drive *drive, const struct op *op);

bool tally_is_clean(const struct tally *tally);
void tally_add(struct tally *to, const struct tally *from);
/* "swap list: 184 points, 0 wrong, 0 leaks" */
void tally_print(const char *kind, const char *name, const struct tally *tally);

#endif
