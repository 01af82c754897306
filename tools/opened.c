/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds names of libibverbs among the strings of a file. */
#include <ctype.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "tools/common.h"
#include "tools/opened.h"
#include "tools/program.h"

/* No real program has more of them: this limits the work that a hostile file can cause. */
enum { NAMES_MAX = 64, MATCHES_MAX = 4096 };

static const char base[] = "libibverbs.so";
enum { BASE = sizeof(base) - 1 };

struct search {
	struct hf_opened_list *list;
	const char *file;
	size_t found, matches;
};

static bool is_known(const struct search *search, const char *name)
{
	const struct hf_opened_list *list = search->list;

	for (size_t i = list->count - search->found; i < list->count; i++)
		if (!strcmp(list->v[i].name, name))
			return true;
	return false;
}

static void add_opened(struct search *search, enum hf_opened_kind kind, const char *name,
		       size_t length)
{
	struct hf_opened_list *list = search->list;
	char *copy = hfi_tool_print("%.*s", (int)length, name);

	if (search->found == NAMES_MAX || is_known(search, copy)) {
		free(copy);
		return;
	}
	list->v = hfi_tool_alloc(list->v, list->count + 1, sizeof(*list->v));
	list->v[list->count++] = (struct hf_opened){kind, copy, hfi_tool_print("%s", search->file)};
	search->found++;
}

static bool is_path_character(char c)
{
	return isalnum((unsigned char)c) || (c && strchr("/._+-", c));
}

/*
 * The length of the name at `at`, including the numbers after ".so". Strings of Go and Rust have no
 * NUL.
 */
static size_t name_length(const char *at, const char *end)
{
	const char *next = at + BASE;

	while (end - next >= 2 && next[0] == '.' && isdigit((unsigned char)next[1]))
		for (next++; next < end && isdigit((unsigned char)*next);)
			next++;
	return (size_t)(next - at);
}

/*
 * A linker may store a shorter string as the end of a longer one, so the bytes before the name are
 * not reliable.
 */
static void take_name(struct search *search, const char *bytes, const char *at, const char *end)
{
	size_t length = name_length(at, end);
	const char *begin = at;

	if (at == bytes || at[-1] != '/') {
		add_opened(search, HF_OPENED_NAME, at, length);
		return;
	}
	while (begin > bytes && at - begin < PATH_MAX && is_path_character(begin[-1]))
		begin--;
	/*
	 * "/libibverbs.so" follows a directory; so does a string with another character in front,
	 * such as "%s/lib/".
	 */
	if (*begin == '/' && at - begin > 1 &&
	    (begin == bytes || !isgraph((unsigned char)begin[-1])))
		add_opened(search, HF_OPENED_PATH, begin, (size_t)(at - begin) + length);
	else
		add_opened(search, HF_OPENED_COMPOSED, at, length);
}

static void search_data(void *arg, const char *bytes, size_t size)
{
	const char *at = bytes, *end = bytes + size;
	struct search *search = arg;

	while (search->matches < MATCHES_MAX && (at = memmem(at, (size_t)(end - at), base, BASE))) {
		search->matches++;
		take_name(search, bytes, at, end);
		at += BASE;
	}
}

int hfi_opened_add(struct hf_opened_list *list, const char *file)
{
	struct search search = {.list = list, .file = file};

	return hfi_program_data(file, search_data, &search);
}

void hfi_opened_free(struct hf_opened_list *list)
{
	for (size_t i = 0; i < list->count; i++) {
		free(list->v[i].name);
		free(list->v[i].file);
	}
	free(list->v);
}
