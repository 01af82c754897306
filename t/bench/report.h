/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The table on the screen, and the same as JSON. */
#ifndef HF_BENCH_REPORT_H
#define HF_BENCH_REPORT_H

struct report_row {
	const char *name;
	const char *unit;
	double incumbent; /* 0: it has no such figure */
	double holdfast;
	double ratio;	    /* 0: says nothing here */
	double target;	    /* ratio to reach, 0: none */
	const char *wanted; /* in words, or NULL */
};

void report_row(const struct report_row *row);

/* The same of both, times `scale`; 0: no target. */
void report_pair(const char *name, const char *unit, double scale, double incumbent,
		 double holdfast, double target);

/* A line below the table. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints everything; writes JSON unless `path` is NULL. Returns an exit status. */
int report_end(const char *path);

#endif
