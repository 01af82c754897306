/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sessions and paths as tables for people and JSON for programs. */
#ifndef RTRS_TOOLS_PRINT_H
#define RTRS_TOOLS_PRINT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/tools/sessions.h"
#include "shared/attr.h"
#include "shared/json.h"

void rtrsi_print_list(const struct known_sessions *sessions, bool is_json) HF_NONNULL;
void rtrsi_print_sessions(const struct known_session *const *sessions, size_t count,
			  bool is_json) HF_NONNULL;

/* How many paths are up: the kernel's server shows but those. */
size_t rtrsi_connected_paths(const struct known_session *session) HF_MUST_CHECK HF_NONNULL;
/* Members that a session and a path have in all JSON. */
void rtrsi_json_session(struct hf_json *json, const struct known_session *session) HF_NONNULL;
void rtrsi_json_path(struct hf_json *json, const struct known_session *session,
		     const struct known_path *path) HF_NONNULL;

struct libscols_table;
struct libscols_line;

struct column {
	const char *name;
	bool is_number;
};

/* Or the program ends. */
struct libscols_table *rtrsi_table(const struct column *columns,
				   size_t count) HF_MUST_CHECK HF_NONNULL;
struct libscols_line *rtrsi_line(struct libscols_table *table) HF_MUST_CHECK HF_NONNULL;
void rtrsi_cell(struct libscols_line *line, size_t column, const char *format, ...)
	__attribute__((format(printf, 3, 4)));
/* Prints and frees it; nothing where it has no lines. */
void rtrsi_finish_table(struct libscols_table *table) HF_NONNULL;

#endif
