/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prints the results as a table, and writes them as JSON. */
#ifndef HF_BENCH_REPORT_H
#define HF_BENCH_REPORT_H

struct report_row {
	const char *name;
	const char *unit;
	double incumbent; /* 0: no such figure */
	double holdfast;
	double ratio;	      /* 0: not meaningful */
	double target;	      /* the ratio to reach; 0: none */
	const char *expected; /* in words; NULL: none */
};

void report_row(const struct report_row *row);

/* A row with both figures, multiplied by `scale`. `target` 0: none. */
void report_pair(const char *name, const char *unit, double scale, double incumbent,
		 double holdfast, double target);

/* A line below the table. */
void report_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Prints everything; writes JSON unless `path` is NULL. Returns an exit status. */
int report_end(const char *path);

#endif
