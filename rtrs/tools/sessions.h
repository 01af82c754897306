/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The sessions of all processes with librtrs, as they report them. */
#ifndef RTRS_TOOLS_SESSIONS_H
#define RTRS_TOOLS_SESSIONS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rtrs/control/place.h"
#include "shared/attr.h"

/* The most sessions or paths that are taken from one process. */
enum { SESSIONS_MAX = 65536, SESSION_PATHS_MAX = 4096, COMMAND_SIZE = 32 };

struct path_figures {
	uint64_t reads, read_bytes, writes, written_bytes;
	uint64_t inflight, failovers; /* of a client */
	uint64_t reconnects, failures;
	uint64_t latency_ns;
};

struct known_path {
	char *name, *source, *destination, *state, *device;
	uint64_t port;
	struct path_figures figures;
};

struct known_session {
	char socket[RTRS_CONTROL_NAME_SIZE]; /* of its process */
	pid_t pid;
	char command[COMMAND_SIZE]; /* of the process; empty: not known */
	bool is_server;
	char *name;
	char *policy; /* of a client */
	int64_t attempts;
	size_t path_count;
	struct known_path *paths;
};

struct known_sessions {
	size_t count;
	struct known_session *list;
	size_t silent; /* processes that did not answer */
};

/* Complains about processes that do not answer. -errno: of the directory. */
int rtrsi_sessions_get(int place, struct known_sessions *ret) HF_MUST_CHECK HF_NONNULL;
void rtrsi_sessions_free(struct known_sessions *sessions) HF_NONNULL;

#endif
