/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Output for people: tables, colour and wrapped text. */
#ifndef HF_TOOLS_OUTPUT_H
#define HF_TOOLS_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>
#include <libsmartcols.h>

#include "shared/printed.h"
#include "tools/common.h"

/* Whether to use colour. -1: yes if standard output is a terminal that supports it. */
bool hfi_color_wanted(int choice);

/* The escape sequence for "red", "green", "yellow", "bold" or "reset"; empty without colour. */
const char *hfi_color(const struct hf_tool *tool, const char *name);

/* The number of columns if standard output is a terminal, otherwise 0: no limit. */
size_t hfi_terminal_width(void);

/*
 * Prints text from outside and a newline, wrapped at the terminal's width. `at` is the cursor's
 * column, `indent` the column where further lines begin.
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
/* Prints and frees the table. A table without lines prints nothing, not even its header. */
void hfi_table_finish(struct libscols_table *table);

/* Closes standard output. Returns 0 if all was written, or an exit status after printing an error. */
int hfi_close_output(void);

#endif
