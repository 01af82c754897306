/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Lists of sessions, and sessions with their paths. */
#include <libsmartcols.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/tools/print.h"
#include "rtrs/tools/tool.h"

/* --- tables -------------------------------------------------------------------------------------- */

static void *or_out_of_memory(void *object)
{
	if (object)
		return object;
	rtrsi_complain("out of memory");
	exit(EXIT_FAILURE);
}

struct libscols_table *rtrsi_table(const struct column *columns, size_t count)
{
	struct libscols_table *table = or_out_of_memory(scols_new_table());

	for (size_t i = 0; i < count; i++)
		or_out_of_memory(scols_table_new_column(table, columns[i].name, 0,
							columns[i].is_number ? SCOLS_FL_RIGHT : 0));
	return table;
}

struct libscols_line *rtrsi_line(struct libscols_table *table)
{
	return or_out_of_memory(scols_table_new_line(table, NULL));
}

void rtrsi_cell(struct libscols_line *line, size_t column, const char *format, ...)
{
	va_list args;
	char *text;
	int length;

	va_start(args, format);
	length = vasprintf(&text, format, args);
	va_end(args);
	if (length < 0 || scols_line_refer_data(line, column, text))
		or_out_of_memory(NULL);
}

void rtrsi_finish_table(struct libscols_table *table)
{
	if (!scols_table_is_empty(table))
		scols_print_table(table);
	scols_unref_table(table);
}

/* --- words --------------------------------------------------------------------------------------- */

static const char *role_of(const struct known_session *session)
{
	return session->is_server ? "server" : "client";
}

static const char *state_of(const struct known_session *session, const struct known_path *path)
{
	if (path->state)
		return path->state;
	return session->is_server ? "connected" : "unknown";
}

static const char *or_dash(const char *text)
{
	return text && *text ? text : "-";
}

size_t rtrsi_connected_paths(const struct known_session *session)
{
	size_t count = 0;

	for (size_t i = 0; i < session->path_count; i++)
		count += !strcmp(state_of(session, &session->paths[i]), "connected");
	return count;
}

static const char *latency_text(const struct known_path *path, char text[32])
{
	if (path->figures.latency_ns)
		snprintf(text, 32, "%.1f us", (double)path->figures.latency_ns / 1000);
	else
		strcpy(text, "-");
	return text;
}

/* --- JSON ---------------------------------------------------------------------------------------- */

static void json_text(struct hf_json *json, const char *key, const char *value)
{
	hfi_json_optional(json, key, value ? value : "");
}

void rtrsi_json_session(struct hf_json *json, const struct known_session *session)
{
	hfi_json_string(json, "name", session->name);
	hfi_json_string(json, "role", role_of(session));
	hfi_json_int(json, "pid", session->pid);
	json_text(json, "command", session->command);
	json_text(json, "policy", session->policy);
	if (session->is_server)
		hfi_json_null(json, "max_reconnect_attempts");
	else
		hfi_json_int(json, "max_reconnect_attempts", session->attempts);
}

/* A server does not know what only its client counts. */
static void json_of_client(struct hf_json *json, const struct known_session *session,
			   const char *key, uint64_t value)
{
	if (session->is_server)
		hfi_json_null(json, key);
	else
		hfi_json_uint(json, key, value);
}

void rtrsi_json_path(struct hf_json *json, const struct known_session *session,
		     const struct known_path *path)
{
	const struct path_figures *figures = &path->figures;

	hfi_json_string(json, "name", path->name);
	json_text(json, "source", path->source);
	json_text(json, "destination", path->destination);
	hfi_json_string(json, "state", state_of(session, path));
	json_text(json, "device", path->device);
	hfi_json_uint(json, "port", path->port);
	hfi_json_uint(json, "reads", figures->reads);
	hfi_json_uint(json, "read_bytes", figures->read_bytes);
	hfi_json_uint(json, "writes", figures->writes);
	hfi_json_uint(json, "written_bytes", figures->written_bytes);
	json_of_client(json, session, "inflight", figures->inflight);
	json_of_client(json, session, "failovers", figures->failovers);
	json_of_client(json, session, "reconnects", figures->reconnects);
	json_of_client(json, session, "failed_reconnects", figures->failures);
	json_of_client(json, session, "latency_ns", figures->latency_ns);
}

static void json_sessions(const struct known_session *const *sessions, size_t count,
			  bool with_paths)
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_array(&json, "sessions");
	for (size_t i = 0; i < count; i++) {
		const struct known_session *session = sessions[i];

		hfi_json_object(&json, NULL);
		rtrsi_json_session(&json, session);
		hfi_json_uint(&json, "path_count", session->path_count);
		hfi_json_uint(&json, "connected_paths", rtrsi_connected_paths(session));
		if (with_paths)
			hfi_json_array(&json, "paths");
		for (size_t j = 0; with_paths && j < session->path_count; j++) {
			hfi_json_object(&json, NULL);
			rtrsi_json_path(&json, session, &session->paths[j]);
			hfi_json_close(&json);
		}
		if (with_paths)
			hfi_json_close(&json);
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

/* --- for people ---------------------------------------------------------------------------------- */

void rtrsi_print_list(const struct known_sessions *sessions, bool is_json)
{
	static const struct column columns[] = {
		{"SESSION", false}, {"ROLE", false}, {"PATHS", true},
		{"POLICY", false},  {"PID", true},   {"COMMAND", false},
	};
	const struct known_session **list = rtrsi_grow(NULL, sessions->count + 1, sizeof(*list));
	struct libscols_table *table;

	for (size_t i = 0; i < sessions->count; i++)
		list[i] = &sessions->list[i];
	if (is_json) {
		json_sessions(list, sessions->count, false);
		free(list);
		return;
	}
	table = rtrsi_table(columns, HF_ARRAY_SIZE(columns));
	for (size_t i = 0; i < sessions->count; i++) {
		struct libscols_line *line = rtrsi_line(table);

		rtrsi_cell(line, 0, "%s", list[i]->name);
		rtrsi_cell(line, 1, "%s", role_of(list[i]));
		rtrsi_cell(line, 2, "%zu/%zu", rtrsi_connected_paths(list[i]), list[i]->path_count);
		rtrsi_cell(line, 3, "%s", or_dash(list[i]->policy));
		rtrsi_cell(line, 4, "%d", (int)list[i]->pid);
		rtrsi_cell(line, 5, "%s", or_dash(list[i]->command));
	}
	rtrsi_finish_table(table);
	free(list);
	if (!sessions->count)
		puts("There is no session.");
}

static void add_path_line(struct libscols_table *table, const struct known_session *session,
			  const struct known_path *path)
{
	struct libscols_line *line = rtrsi_line(table);
	const struct path_figures *figures = &path->figures;
	char latency[32];

	rtrsi_cell(line, 0, "%s", path->name);
	rtrsi_cell(line, 1, "%s", state_of(session, path));
	rtrsi_cell(line, 2, path->port ? "%s/%llu" : "%s", or_dash(path->device),
		   (unsigned long long)path->port);
	rtrsi_cell(line, 3, "%llu", (unsigned long long)figures->reads);
	rtrsi_cell(line, 4, "%llu", (unsigned long long)figures->writes);
	if (session->is_server)
		return;
	rtrsi_cell(line, 5, "%llu", (unsigned long long)figures->inflight);
	rtrsi_cell(line, 6, "%llu", (unsigned long long)figures->failovers);
	rtrsi_cell(line, 7, "%llu/%llu", (unsigned long long)figures->reconnects,
		   (unsigned long long)figures->failures);
	rtrsi_cell(line, 8, "%s", latency_text(path, latency));
}

static void print_session(const struct known_session *session)
{
	static const struct column columns[] = {
		{"PATH", false},     {"STATE", false},	   {"DEVICE", false},
		{"READS", true},     {"WRITES", true},	   {"IN FLIGHT", true},
		{"FAILOVERS", true}, {"RECONNECTS", true}, {"LATENCY", true},
	};
	struct libscols_table *about =
		rtrsi_table((const struct column[]){{"", false}, {"", false}}, 2);
	struct libscols_table *table =
		rtrsi_table(columns, session->is_server ? 5 : HF_ARRAY_SIZE(columns));
	struct libscols_line *line;

	scols_table_enable_noheadings(about, 1);
	line = rtrsi_line(about);
	rtrsi_cell(line, 0, "session:");
	rtrsi_cell(line, 1, "%s", session->name);
	line = rtrsi_line(about);
	rtrsi_cell(line, 0, "role:");
	rtrsi_cell(line, 1, "%s", role_of(session));
	line = rtrsi_line(about);
	rtrsi_cell(line, 0, "process:");
	rtrsi_cell(line, 1, "%d %s", (int)session->pid, session->command);
	if (!session->is_server) {
		line = rtrsi_line(about);
		rtrsi_cell(line, 0, "policy:");
		rtrsi_cell(line, 1, "%s", or_dash(session->policy));
		line = rtrsi_line(about);
		rtrsi_cell(line, 0, "reconnect attempts:");
		if (session->attempts < 0)
			rtrsi_cell(line, 1, "without limit");
		else
			rtrsi_cell(line, 1, "at most %lld", (long long)session->attempts);
	}
	rtrsi_finish_table(about);
	for (size_t i = 0; i < session->path_count; i++)
		add_path_line(table, session, &session->paths[i]);
	rtrsi_finish_table(table);
}

void rtrsi_print_sessions(const struct known_session *const *sessions, size_t count, bool is_json)
{
	if (is_json) {
		json_sessions(sessions, count, true);
		return;
	}
	for (size_t i = 0; i < count; i++) {
		if (i)
			putchar('\n');
		print_session(sessions[i]);
	}
}
