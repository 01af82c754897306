/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Output for people: tables, colour and wrapped text. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "tools/output.h"

bool hfi_color_wanted(int choice)
{
	const char *no_color = getenv("NO_COLOR");
	const char *term = getenv("TERM");

	if (choice >= 0)
		return choice;
	if (no_color && *no_color)
		return false;
	return isatty(STDOUT_FILENO) && term && strcmp(term, "dumb") != 0;
}

const char *hfi_color(const struct hf_tool *tool, const char *name)
{
	static const struct {
		const char *name;
		const char *sequence;
	} colors[] = {
		{"red", "\033[31m"}, {"green", "\033[32m"}, {"yellow", "\033[33m"},
		{"bold", "\033[1m"}, {"reset", "\033[0m"},
	};

	if (!tool->color || !name)
		return "";
	for (size_t i = 0; i < sizeof(colors) / sizeof(colors[0]); i++)
		if (!strcmp(colors[i].name, name))
			return colors[i].sequence;
	return "";
}

size_t hfi_terminal_width(void)
{
	struct winsize size;

	if (!isatty(STDOUT_FILENO))
		return 0;
	if (ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) || size.ws_col < 20)
		return 80;
	return size.ws_col;
}

void hfi_put_wrapped(size_t at, size_t indent, const char *text)
{
	size_t width = hfi_terminal_width(), start = at;

	while (*text) {
		size_t blanks = strspn(text, " ");
		size_t length = strcspn(text + blanks, " ");
		char *word = hfi_tool_print("%.*s", (int)length, text + blanks);

		if (width && at > start && at + blanks + length > width) {
			printf("\n%*s", (int)indent, "");
			at = start = indent;
		} else {
			printf("%*s", (int)blanks, "");
			at += blanks;
		}
		hfi_put_safe(stdout, word);
		free(word);
		at += length;
		text += blanks + length;
	}
	putchar('\n');
}

static void *needed(void *object)
{
	if (!object) {
		hfi_complain("out of memory");
		exit(HF_EXIT_FAILED);
	}
	return object;
}

struct libscols_table *hfi_table_new(const struct hf_tool *tool, const struct hf_column *columns,
				     size_t count)
{
	struct libscols_table *table = needed(scols_new_table());

	scols_table_enable_colors(table, tool->color);
	for (size_t i = 0; i < count; i++) {
		struct libscols_column *column =
			needed(scols_table_new_column(table, columns[i].name, 0, columns[i].flags));

		if (!(columns[i].flags & SCOLS_FL_WRAP))
			continue;
		/* Keep the newlines that we put into a cell: each begins another line of the cell. */
		scols_column_set_safechars(column, "\n");
		scols_column_set_wrapfunc(column, scols_wrapnl_chunksize, scols_wrapnl_nextchunk,
					  NULL);
	}
	return table;
}

struct libscols_line *hfi_table_line(struct libscols_table *table)
{
	return needed(scols_table_new_line(table, NULL));
}

void hfi_table_cell(struct libscols_line *line, size_t column, const char *text, const char *color)
{
	if (scols_line_set_data(line, column, text))
		needed(NULL);
	if (color)
		scols_cell_set_color(scols_line_get_cell(line, column), color);
}

void hfi_table_finish(struct libscols_table *table)
{
	if (!scols_table_is_empty(table))
		scols_print_table(table);
	scols_unref_table(table);
}

int hfi_close_output(void)
{
	bool failed = ferror(stdout);

	/* An earlier failure's errno is lost. Writing the rest in fclose() sets it again. */
	errno = 0;
	if (fclose(stdout) == 0 && !failed)
		return HF_EXIT_OK;
	/* Not hfi_complain(): it would flush the closed stdout. */
	fprintf(stderr, "holdfast: cannot write the output%s%s\n", errno ? ": " : "",
		errno ? strerror(errno) : "");
	return HF_EXIT_FAILED;
}
