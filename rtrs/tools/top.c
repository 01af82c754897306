/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Measures all sessions repeatedly and shows the rates between two measurements. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "rtrs/tools/print.h"
#include "rtrs/tools/top.h"
#include "shared/clock.h"

enum { MS_PER_SECOND = 1000, NS_PER_MS = 1000000 };

struct rates {
	double seconds;
	double reads, writes, read_bytes, written_bytes; /* per second */
	uint64_t failovers;				 /* since the measurement before */
};

static const struct known_path *same_path(const struct known_sessions *before,
					  const struct known_session *session,
					  const struct known_path *path)
{
	for (size_t i = 0; i < before->count; i++) {
		const struct known_session *other = &before->list[i];

		if (other->is_server != session->is_server ||
		    strcmp(other->socket, session->socket) != 0 ||
		    strcmp(other->name, session->name) != 0)
			continue;
		for (size_t j = 0; j < other->path_count; j++) {
			if (!strcmp(other->paths[j].name, path->name))
				return &other->paths[j];
		}
	}
	return NULL;
}

/* Statistics that were reset meanwhile count from 0. */
static uint64_t grown(uint64_t now, uint64_t before)
{
	return now >= before ? now - before : now;
}

static struct rates rates_of(const struct known_path *path, const struct known_path *before,
			     double seconds)
{
	const struct path_figures *now = &path->figures, *then = &before->figures;

	return (struct rates){
		.seconds = seconds,
		.reads = (double)grown(now->reads, then->reads) / seconds,
		.writes = (double)grown(now->writes, then->writes) / seconds,
		.read_bytes = (double)grown(now->read_bytes, then->read_bytes) / seconds,
		.written_bytes = (double)grown(now->written_bytes, then->written_bytes) / seconds,
		.failovers = grown(now->failovers, then->failovers),
	};
}

struct look {
	const struct known_sessions *now, *before;
	double seconds;
};

static void json_rate(struct hf_json *json, const char *key, double value)
{
	hfi_json_uint(json, key, (uint64_t)(value + 0.5));
}

static void print_json(const struct look *look)
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, true);
	hfi_json_object(&json, NULL);
	hfi_json_uint(&json, "interval_ms", (uint64_t)(look->seconds * MS_PER_SECOND + 0.5));
	hfi_json_array(&json, "paths");
	for (size_t i = 0; i < look->now->count; i++) {
		const struct known_session *session = &look->now->list[i];

		for (size_t j = 0; j < session->path_count; j++) {
			const struct known_path *path = &session->paths[j];
			const struct known_path *before = same_path(look->before, session, path);
			struct rates rates = rates_of(path, before ? before : path, look->seconds);

			hfi_json_object(&json, NULL);
			hfi_json_string(&json, "session", session->name);
			hfi_json_string(&json, "role", session->is_server ? "server" : "client");
			hfi_json_int(&json, "pid", session->pid);
			rtrsi_json_path(&json, session, path);
			json_rate(&json, "reads_per_second", rates.reads);
			json_rate(&json, "read_bytes_per_second", rates.read_bytes);
			json_rate(&json, "writes_per_second", rates.writes);
			json_rate(&json, "written_bytes_per_second", rates.written_bytes);
			hfi_json_uint(&json, "new_failovers", rates.failovers);
			hfi_json_close(&json);
		}
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

static void add_top_line(struct libscols_table *table, const struct look *look,
			 const struct known_session *session, const struct known_path *path)
{
	const struct known_path *before = same_path(look->before, session, path);
	struct rates rates = rates_of(path, before ? before : path, look->seconds);
	struct libscols_line *line = rtrsi_line(table);

	rtrsi_cell(line, 0, "%s", session->name);
	rtrsi_cell(line, 1, "%s", session->is_server ? "server" : "client");
	rtrsi_cell(line, 2, "%s", path->name);
	rtrsi_cell(line, 3, "%s", path->state ? path->state : "connected");
	rtrsi_cell(line, 4, "%.0f", rates.reads);
	rtrsi_cell(line, 5, "%.1f", rates.read_bytes / 1e6);
	rtrsi_cell(line, 6, "%.0f", rates.writes);
	rtrsi_cell(line, 7, "%.1f", rates.written_bytes / 1e6);
	if (session->is_server)
		return;
	rtrsi_cell(line, 8, "%llu", (unsigned long long)path->figures.inflight);
	rtrsi_cell(line, 9, "%llu", (unsigned long long)path->figures.failovers);
	if (path->figures.latency_ns)
		rtrsi_cell(line, 10, "%.1f us", (double)path->figures.latency_ns / 1000);
}

static void print_look(const struct look *look)
{
	static const struct column columns[] = {
		{"SESSION", false},  {"ROLE", false},	  {"PATH", false},   {"STATE", false},
		{"READ/S", true},    {"READ MB/S", true}, {"WRITE/S", true}, {"WRITE MB/S", true},
		{"IN FLIGHT", true}, {"FAILOVERS", true}, {"LATENCY", true},
	};
	struct libscols_table *table = rtrsi_table(columns, HF_ARRAY_SIZE(columns));

	if (isatty(STDOUT_FILENO))
		fputs("\033[H\033[J", stdout);
	for (size_t i = 0; i < look->now->count; i++) {
		const struct known_session *session = &look->now->list[i];

		for (size_t j = 0; j < session->path_count; j++)
			add_top_line(table, look, session, &session->paths[j]);
	}
	rtrsi_finish_table(table);
	if (!look->now->count)
		puts("There is no session.");
	else if (!isatty(STDOUT_FILENO))
		putchar('\n');
}

static void sleep_ms(int64_t ms)
{
	const struct timespec time = {.tv_sec = ms / MS_PER_SECOND,
				      .tv_nsec = ms % MS_PER_SECOND * NS_PER_MS};

	nanosleep(&time, NULL);
}

int rtrsi_top(int place, int64_t interval_ms, uint64_t looks, bool is_json)
{
	struct known_sessions before, now;
	int64_t before_ns = hfi_now_ns();
	int err = rtrsi_sessions_get(place, &before);

	if (err)
		return err;
	for (uint64_t i = 0; !err && !ferror(stdout) && (!looks || i < looks); i++) {
		struct look look = {.now = &now, .before = &before};
		int64_t now_ns;

		sleep_ms(interval_ms);
		now_ns = hfi_now_ns();
		look.seconds = (double)(now_ns - before_ns) / MS_PER_SECOND / NS_PER_MS;
		before_ns = now_ns;
		err = rtrsi_sessions_get(place, &now);
		if (!err && is_json)
			print_json(&look);
		else if (!err)
			print_look(&look);
		fflush(stdout);
		rtrsi_sessions_free(&before);
		before = now;
	}
	rtrsi_sessions_free(&before);
	return err;
}
