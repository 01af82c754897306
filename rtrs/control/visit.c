/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists a small tree from any entry on, or finds one file in it. */
#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "rtrs/control/visit.h"
#include "shared/text.h"

enum {
	DIRECTORY_MODE = S_IFDIR | 0755,
	LINK_MODE = S_IFLNK | 0777,
	WRITABLE_MODE = S_IFREG | 0644,
	READ_ONLY_MODE = S_IFREG | 0444,
};

struct rtrs_visit {
	/* Of a list; NULL: one file is looked for. */
	struct rtrs_control_page *page;
	bool with_values;
	uint64_t next, from; /* entries are counted */
	/* Of one file. */
	const char *wanted;
	const struct rtrs_visit_file *found;
	void *object;
	char path[RTRS_CONTROL_PATH_MAX];
	char value[RTRS_CONTROL_VALUE_MAX];
};

static bool print_path(struct rtrs_visit *visit, const char *format, va_list args)
	__attribute__((format(printf, 2, 0)));

static bool print_path(struct rtrs_visit *visit, const char *format, va_list args)
{
	int length = vsnprintf(visit->path, sizeof(visit->path), format, args);

	return length > 0 && length < (int)sizeof(visit->path);
}

/* Whether it is one of those that are listed now. */
static bool is_on_page(struct rtrs_visit *visit)
{
	return visit->page && !visit->page->is_full && visit->next >= visit->from;
}

static void add_entry(struct rtrs_visit *visit, uint16_t mode, const char *value, size_t length)
{
	const struct rtrs_control_entry entry = {
		.mode = mode, .path = visit->path, .value = value, .value_length = length};

	if (is_on_page(visit))
		rtrsi_control_page_add(visit->page, &entry);
	if (!visit->page || !visit->page->is_full)
		visit->next++;
}

void rtrsi_visit_directory(struct rtrs_visit *visit, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (print_path(visit, format, args))
		add_entry(visit, DIRECTORY_MODE, "", 0);
	va_end(args);
}

void rtrsi_visit_link(struct rtrs_visit *visit, const char *target, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	if (print_path(visit, format, args) && strlen(target) < RTRS_CONTROL_PATH_MAX)
		add_entry(visit, LINK_MODE, target, strlen(target));
	va_end(args);
}

static void visit_file(struct rtrs_visit *visit, const struct rtrs_visit_file *file, void *object)
{
	struct control_text text = {.to = visit->value, .size = sizeof(visit->value)};

	if (!visit->page) {
		if (!visit->found && !strcmp(visit->path, visit->wanted)) {
			visit->found = file;
			visit->object = object;
		}
		return;
	}
	text.to[0] = '\0';
	if (visit->with_values && is_on_page(visit))
		file->show(object, &text);
	add_entry(visit, file->store ? WRITABLE_MODE : READ_ONLY_MODE, text.to, text.length);
}

void rtrsi_visit_files(struct rtrs_visit *visit, const struct rtrs_visit_file *files, void *object,
		       const char *format, ...)
{
	size_t length;
	va_list args;
	bool fits;

	va_start(args, format);
	fits = print_path(visit, format, args);
	va_end(args);
	if (!fits)
		return;
	add_entry(visit, DIRECTORY_MODE, "", 0);
	length = strlen(visit->path);
	for (; files->name; files++) {
		if (!hfi_join(visit->path + length, sizeof(visit->path) - length, "/", files->name,
			      ""))
			visit_file(visit, files, object);
	}
}

void rtrsi_visit_list(rtrs_visit_fn visit_all, void *user, struct rtrs_control_cursor *cursor,
		      bool with_values, struct rtrs_control_page *page)
{
	struct rtrs_visit visit = {
		.page = page, .with_values = with_values, .from = cursor->session};

	page->is_full = false;
	visit_all(user, &visit);
	*cursor = (struct rtrs_control_cursor){.session = page->is_full ? visit.next : 0};
}

static int find_file(rtrs_visit_fn visit_all, void *user, struct rtrs_visit *visit)
{
	visit_all(user, visit);
	return visit->found ? 0 : -ENODEV;
}

int rtrsi_visit_read(rtrs_visit_fn visit_all, void *user, const char *path, char *to, size_t size)
{
	struct control_text text = {.to = to, .size = size};
	struct rtrs_visit visit = {.wanted = path};
	int err = find_file(visit_all, user, &visit);

	if (err)
		return err;
	visit.found->show(visit.object, &text);
	return (int)text.length;
}

/* It is stored when all was visited: that may change the tree. */
int rtrsi_visit_write(rtrs_visit_fn visit_all, void *user, const char *path, const char *value,
		      uint64_t *number)
{
	struct rtrs_visit visit = {.wanted = path};
	char line[RTRS_CONTROL_VALUE_MAX + 1];
	int err = find_file(visit_all, user, &visit);

	if (err)
		return err;
	if (!visit.found->store)
		return -EACCES;
	err = rtrsi_control_line(value, line);
	return err ? err : visit.found->store(visit.object, line, number);
}
