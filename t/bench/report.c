/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Prints the results as a table, and writes them as JSON. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "t/bench/report.h"

enum { ROWS_MAX = 96, NOTES_MAX = 16 };

static struct report_row rows[ROWS_MAX];
static int num_rows;
static char *notes[NOTES_MAX];
static int num_notes;

void report_row(const struct report_row *row)
{
	if (num_rows == ROWS_MAX)
		abort();
	rows[num_rows] = *row;
	rows[num_rows].name = strdup(row->name);
	if (!rows[num_rows].name)
		abort();
	num_rows++;
}

void report_pair(const char *name, const char *unit, double scale, double incumbent,
		 double holdfast, double target)
{
	report_row(&(struct report_row){
		.name = name,
		.unit = unit,
		.incumbent = incumbent * scale,
		.holdfast = holdfast * scale,
		.ratio = holdfast > 0 ? incumbent / holdfast : 0,
		.target = target,
	});
}

void report_note(const char *format, ...)
{
	va_list args;

	if (num_notes == NOTES_MAX)
		abort();
	va_start(args, format);
	if (vasprintf(&notes[num_notes], format, args) < 0)
		abort();
	va_end(args);
	num_notes++;
}

static void print_value(double value)
{
	if (value == 0)
		printf(" %12s", "0");
	else if (value < 10)
		printf(" %12.3f", value);
	else
		printf(" %12.1f", value);
}

static void print_row(const struct report_row *row)
{
	printf("%-46s %-6s", row->name, row->unit);
	if (row->expected && row->incumbent == 0)
		printf(" %12s", "-");
	else
		print_value(row->incumbent);
	print_value(row->holdfast);
	if (row->ratio > 0)
		printf(" %8.1fx", row->ratio);
	else
		printf(" %9s", "");
	if (row->target > 0)
		printf("  target %gx: %s", row->target,
		       row->ratio >= row->target ? "met" : "MISSED");
	if (row->expected)
		printf("  %s", row->expected);
	printf("\n");
}

static void write_text(FILE *file, const char *text)
{
	fputc('"', file);
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			fputc('\\', file);
		fputc((unsigned char)*text < ' ' ? ' ' : *text, file);
	}
	fputc('"', file);
}

static int write_json(const char *path)
{
	FILE *file = fopen(path, "we");

	if (!file) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	fprintf(file, "{\n\t\"rows\": [");
	for (int i = 0; i < num_rows; i++) {
		const struct report_row *row = &rows[i];

		fprintf(file, "%s\n\t\t{\"name\": ", i ? "," : "");
		write_text(file, row->name);
		fprintf(file, ", \"unit\": ");
		write_text(file, row->unit);
		fprintf(file, ", \"libibverbs\": %.9g, \"holdfast\": %.9g", row->incumbent,
			row->holdfast);
		if (row->ratio > 0)
			fprintf(file, ", \"ratio\": %.6g", row->ratio);
		if (row->target > 0)
			fprintf(file, ", \"target\": %g", row->target);
		fprintf(file, "}");
	}
	fprintf(file, "\n\t],\n\t\"notes\": [");
	for (int i = 0; i < num_notes; i++) {
		fprintf(file, "%s\n\t\t", i ? "," : "");
		write_text(file, notes[i]);
	}
	fprintf(file, "\n\t]\n}\n");
	if (fclose(file)) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	return 0;
}

int report_end(const char *path)
{
	int targets = 0, met = 0;

	printf("%-46s %-6s %12s %12s %9s\n", "", "", "libibverbs", "Holdfast", "ratio");
	for (int i = 0; i < num_rows; i++) {
		print_row(&rows[i]);
		targets += rows[i].target > 0;
		met += rows[i].target > 0 && rows[i].ratio >= rows[i].target;
	}
	printf("\n");
	for (int i = 0; i < num_notes; i++)
		printf("%s\n", notes[i]);
	printf("%d of %d targets met\n", met, targets);
	return path ? write_json(path) : 0;
}
