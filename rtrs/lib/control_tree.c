/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists the tree of a session or service, and finds a file in it. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "rtrs/lib/control_tree.h"
#include "shared/text.h"

enum {
	DIRECTORY_MODE = S_IFDIR | 0755,
	WRITABLE_MODE = S_IFREG | 0644,
	READ_ONLY_MODE = S_IFREG | 0444,
};

void rtrsi_control_path_name(struct control_view *view, const char *source, const char *destination)
{
	(void)hfi_join(view->path_name, sizeof(view->path_name), source, "@", destination);
	for (char *at = view->path_name; *at; at++) {
		if (*at == '/')
			*at = '!';
	}
}

/* --- listing ------------------------------------------------------------------------------------- */

struct listing {
	const struct control_tree *tree;
	struct control_view view;
	bool with_values;
	struct rtrs_control_page *page;
	char path[RTRS_CONTROL_PATH_MAX];
	char value[RTRS_CONTROL_VALUE_MAX];
};

/* Of the session or the path, or of its directory `below`. */
static void list_entry(struct listing *listing, const char *below, const char *name, uint16_t mode,
		       const struct control_file *file)
{
	const struct control_view *view = &listing->view;
	struct rtrs_control_entry entry = {.mode = mode, .path = listing->path, .value = ""};
	struct control_text text = {.to = listing->value, .size = sizeof(listing->value)};

	if (hfi_print(listing->path, sizeof(listing->path), "%s/%s%s%s%s%s%s%s",
		      listing->tree->root, view->session_name, view->path ? "/paths/" : "",
		      view->path ? view->path_name : "", *below ? "/" : "", below, *name ? "/" : "",
		      name))
		return;
	if (file) {
		entry.is_hidden = file->is_hidden;
		if (listing->with_values)
			file->show(view, &text);
		entry.value = text.to;
		entry.value_length = text.length;
	}
	rtrsi_control_page_add(listing->page, &entry);
}

static void list_files(struct listing *listing, const char *below, const struct control_file *file)
{
	list_entry(listing, below, "", DIRECTORY_MODE, NULL);
	for (; file->name; file++)
		list_entry(listing, below, file->name, file->store ? WRITABLE_MODE : READ_ONLY_MODE,
			   file);
}

/* Whole or not at all; says whether there was room. One that no page could hold is left out. */
static bool list_session_or_path(struct listing *listing)
{
	struct rtrs_control_page *page = listing->page;
	size_t before = page->length;

	page->is_full = false;
	if (listing->view.path) {
		list_files(listing, "", listing->tree->path_files);
		list_files(listing, "stats", listing->tree->stats_files);
	} else {
		list_files(listing, "", listing->tree->session_files);
		list_entry(listing, "paths", "", DIRECTORY_MODE, NULL);
	}
	if (!page->is_full)
		return true;
	page->length = before;
	return !before;
}

/* The session itself, unless it is listed already, and its paths; false: the page is full. */
static bool list_rest_of_session(struct listing *listing, struct rtrs_control_cursor *cursor)
{
	struct control_view *view = &listing->view;

	view->path = NULL;
	if (!cursor->path) {
		if (!list_session_or_path(listing))
			return false;
		cursor->path = 1;
	}
	while (listing->tree->path(view, cursor->path - 1)) {
		if (!list_session_or_path(listing))
			return false;
		cursor->path = view->path_number + 2;
	}
	return true;
}

void rtrsi_control_list(const struct control_tree *tree, void *user,
			struct rtrs_control_cursor *cursor, bool with_values,
			struct rtrs_control_page *page)
{
	struct listing listing = {
		.tree = tree, .view = {.user = user}, .with_values = with_values, .page = page};
	struct control_view *view = &listing.view;

	while (tree->session(view, cursor->session)) {
		/* The one where the last page ended may have gone meanwhile. */
		if (view->session_number != cursor->session)
			*cursor = (struct rtrs_control_cursor){.session = view->session_number};
		if (!list_rest_of_session(&listing, cursor))
			return;
		*cursor = (struct rtrs_control_cursor){.session = view->session_number + 1};
	}
	*cursor = (struct rtrs_control_cursor){0};
}

/* --- one file ------------------------------------------------------------------------------------ */

/* Cuts `name` and the slash after it from the beginning of *path. */
static bool skip_component(const char **path, const char *name)
{
	size_t length = strlen(name);

	if (strncmp(*path, name, length) != 0 || (*path)[length] != '/')
		return false;
	*path += length + 1;
	return true;
}

static const struct control_file *file_by_name(const struct control_file *file, const char *name)
{
	while (file->name && strcmp(file->name, name) != 0)
		file++;
	return file->name ? file : NULL;
}

static const struct control_file *find_path_file(const struct control_tree *tree,
						 struct control_view *view, const char *path)
{
	uint64_t from = 0;

	for (; tree->path(view, from); from = view->path_number + 1) {
		if (!skip_component(&path, view->path_name))
			continue;
		if (skip_component(&path, "stats"))
			return file_by_name(tree->stats_files, path);
		return file_by_name(tree->path_files, path);
	}
	return NULL;
}

static const struct control_file *find_control_file(const struct control_tree *tree,
						    struct control_view *view, const char *path)
{
	uint64_t from = 0;

	if (!skip_component(&path, tree->root))
		return NULL;
	for (; tree->session(view, from); from = view->session_number + 1) {
		if (!skip_component(&path, view->session_name))
			continue;
		view->path = NULL;
		if (skip_component(&path, "paths"))
			return find_path_file(tree, view, path);
		return file_by_name(tree->session_files, path);
	}
	return NULL;
}

int rtrsi_control_read(const struct control_tree *tree, void *user, const char *path, char *to,
		       size_t size)
{
	struct control_view view = {.user = user};
	struct control_text text = {.to = to, .size = size};
	const struct control_file *file = find_control_file(tree, &view, path);

	if (!file)
		return -ENODEV;
	file->show(&view, &text);
	return (int)text.length;
}

int rtrsi_control_write(const struct control_tree *tree, void *user, const char *path,
			const char *value, uint64_t *number)
{
	struct control_view view = {.user = user};
	const struct control_file *file = find_control_file(tree, &view, path);
	char line[RTRS_CONTROL_VALUE_MAX + 1];
	int err;

	if (!file)
		return -ENODEV;
	if (!file->store)
		return -EACCES;
	err = rtrsi_control_line(value, line);
	return err ? err : file->store(&view, line, number);
}
