/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The tree of files that a session or service shows on its control socket, with the names and texts of the kernel's:
 * ROOT/SESSION/FILE, ROOT/SESSION/paths/PATH/FILE and ROOT/SESSION/paths/PATH/stats/FILE. All is called with the
 * lock of the session or service held.
 */
#ifndef RTRS_LIB_CONTROL_TREE_H
#define RTRS_LIB_CONTROL_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/control/endpoint.h"
#include "rtrs/control/text.h"
#include "rtrs/lib/address.h"
#include "shared/attr.h"

enum { CONTROL_PATH_NAME_SIZE = 2 * RTRS_ADDRESS_SIZE };

/* What a file is of. */
struct control_view {
	void *user;
	uint64_t session_number; /* from 1 on */
	const char *session_name;
	void *session; /* the user's */
	uint64_t path_number;
	void *path; /* the user's; NULL: a file of the session */
	char path_name[CONTROL_PATH_NAME_SIZE];
};

struct control_file {
	const char *name;
	bool is_hidden; /* a name of the published description, for a file that the kernel calls otherwise */
	void (*show)(const struct control_view *view, struct control_text *text);
	/* NULL: it is read only. `value` has no newline at its end. As the write of struct rtrs_control_ops. */
	int (*store)(const struct control_view *view, const char *value, uint64_t *number);
};

struct control_tree {
	const char *root;
	const struct control_file *session_files, *path_files,
		*stats_files; /* ended by one without name */
	/* The first session, or path of it, with that number or a larger one; false: there is none. */
	bool (*session)(struct control_view *view, uint64_t from);
	bool (*path)(struct control_view *view, uint64_t from);
};

void rtrsi_control_list(const struct control_tree *tree, void *user,
			struct rtrs_control_cursor *cursor, bool with_values,
			struct rtrs_control_page *page) HF_NONNULL;
int rtrsi_control_read(const struct control_tree *tree, void *user, const char *path, char *to,
		       size_t size) HF_MUST_CHECK HF_NONNULL;
int rtrsi_control_write(const struct control_tree *tree, void *user, const char *path,
			const char *value, uint64_t *number) HF_MUST_CHECK HF_NONNULL;

/* "SRC@DST" as the name of a directory. */
void rtrsi_control_path_name(struct control_view *view, const char *source,
			     const char *destination) HF_NONNULL;

#endif
