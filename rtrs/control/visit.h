/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A tree of files that is so small that each request goes through all of it. Its owner has one function that names
 * each entry, always in the same order.
 */
#ifndef RTRS_CONTROL_VISIT_H
#define RTRS_CONTROL_VISIT_H

#include "rtrs/control/text.h"
#include "rtrs/control/wire.h"
#include "shared/attr.h"

struct rtrs_visit;

struct rtrs_visit_file {
	const char *name;
	void (*show)(const void *object, struct control_text *text);
	/* NULL: it is read only. `value` has no newline at its end. As the write of struct rtrs_control_ops. */
	int (*store)(void *object, const char *value, uint64_t *number);
};

typedef void (*rtrs_visit_fn)(void *user, struct rtrs_visit *visit);

/* --- for that function. The path is of printf()'s kind; what is too long for a path is left out. */
void rtrsi_visit_directory(struct rtrs_visit *visit, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
void rtrsi_visit_link(struct rtrs_visit *visit, const char *target, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Files of `object` in a directory, which is named as well; `files` end with one that has no name. */
void rtrsi_visit_files(struct rtrs_visit *visit, const struct rtrs_visit_file *files, void *object,
		       const char *format, ...) __attribute__((format(printf, 4, 5)));

/* --- for struct rtrs_control_ops */
void rtrsi_visit_list(rtrs_visit_fn visit_all, void *user, struct rtrs_control_cursor *cursor,
		      bool with_values, struct rtrs_control_page *page) HF_NONNULL_OF(1, 3, 5);
int rtrsi_visit_read(rtrs_visit_fn visit_all, void *user, const char *path, char *to,
		     size_t size) HF_MUST_CHECK HF_NONNULL_OF(1, 3, 4);
int rtrsi_visit_write(rtrs_visit_fn visit_all, void *user, const char *path, const char *value,
		      uint64_t *number) HF_MUST_CHECK HF_NONNULL_OF(1, 3, 4, 5);

#endif
