/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Disturbs an operation at every point there is, and counts what was found. */
#ifndef HF_FAULT_DRIVE_H
#define HF_FAULT_DRIVE_H

#include "t/fault/inject.h"
#include "t/fault/run.h"

struct tally {
	size_t points;
	size_t faults[FAULTS];
	size_t unreached;
	size_t missing; /* points at which a device that was there was not listed */
};

struct drive {
	struct world *world;
	struct run_result *result;
	const char *provider_dir;
	size_t reports;	    /* how many faults of one operation and kind are told in full */
	size_t part, parts; /* every parts-th point, so that several can share the work */
	bool show_calls;    /* of each disturbed run */
	bool thin;	    /* of the changes of the device, a third at each point, in turns */
	size_t only_at;	    /* one call or allocation alone; 0: all */
};

/* 0, or -errno where nothing can be shared. The library is the test provider's. */
int drive_init(struct drive *drive, const char *library);
void drive_end(struct drive *drive);

/* Adds to *tally. 0, or -errno when the operation does not work even undisturbed. */
int drive_op(struct drive *drive, const struct op *op, enum run_kind kind, struct tally *tally);

/* Prints the system calls of an operation. */
int drive_show(struct drive *drive, const struct op *op);

bool tally_is_clean(const struct tally *tally);
void tally_add(struct tally *to, const struct tally *from);
/* "swap list: 184 points, 0 wrong, 0 leaks" */
void tally_print(const char *kind, const char *name, const struct tally *tally);

#endif
