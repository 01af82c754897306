/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Text for people: tables, colour, and names from outside made harmless. */
#ifndef HF_TOOLS_OUTPUT_H
#define HF_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <libsmartcols.h>

#include "tools/common.h"

/* Prints text from outside: what is not printable in the locale becomes \xNN. */
void hfi_put_safe(FILE *file, const char *text);

/* Decides about colour: -1 asks whether standard output is a terminal that wants it. */
bool hfi_color_wanted(int choice);

/* The escape sequence of "red", "green", "yellow", "bold", "reset"; empty without colour. */
const char *hfi_color(const struct hf_tool *tool, const char *name);

/* Columns of standard output when it is a terminal, else 0: as wide as need be. */
size_t hfi_terminal_width(void);

/*
 * Prints text from outside and a newline, wrapped at the terminal's width. `at` is the column where
 * the cursor is, `indent` the one where further lines begin.
 */
void hfi_put_wrapped(size_t at, size_t indent, const char *text);

struct hf_column {
	const char *name;
	int flags; /* SCOLS_FL_* */
};

struct libscols_table *hfi_table_new(const struct hf_tool *tool, const struct hf_column *columns,
				     size_t count);
struct libscols_line *hfi_table_line(struct libscols_table *table);
/* Copies `text`; `color` may be NULL. */
void hfi_table_cell(struct libscols_line *line, size_t column, const char *text, const char *color);
/* Prints and frees; nothing at all for a table without lines. */
void hfi_table_finish(struct libscols_table *table);

/* Whether standard output took everything: 0, or an exit status after a complaint. */
int hfi_close_output(void);

#endif
