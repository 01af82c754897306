/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the files of rtrsctl share. */
#ifndef RTRS_TOOLS_CTL_H
#define RTRS_TOOLS_CTL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "rtrs/tools/sessions.h"
#include "shared/attr.h"

enum { EXIT_USAGE = 2, EXIT_NOT_FOUND = 3, EXIT_INCOMPLETE = 4 };

struct tool {
	bool is_json, clients_only, servers_only;
	pid_t pid; /* 0: any */
	int64_t interval_ms;
	uint64_t looks;
	const char *directory;
	int place;
	struct known_sessions sessions;
};

struct ctl_command {
	const char *name, *arguments, *about;
	int least, most; /* arguments */
	bool is_of_client, is_endless;
	bool needs_all; /* it is incomplete if a process does not answer */
	int (*run)(struct tool *tool, char **arguments);
};

/* --- ctl_commands.c */
extern const struct ctl_command rtrsi_ctl_commands[];
extern const size_t rtrsi_ctl_command_count;

/* --- ctl_find.c */
bool rtrsi_ctl_wants(const struct tool *tool,
		     const struct known_session *session) HF_MUST_CHECK HF_NONNULL;
/* The next one of that name, or of any, from *at on; NULL: there is none. */
const struct known_session *rtrsi_ctl_next_session(const struct tool *tool, const char *name,
						   size_t *at) HF_MUST_CHECK HF_NONNULL_OF(1, 3);
/* An exit status, after a complaint. */
int rtrsi_ctl_find_session(const struct tool *tool, const char *name,
			   const struct known_session **ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_ctl_find_path(const struct known_session *session, const char *name,
			const struct known_path **ret) HF_MUST_CHECK HF_NONNULL;

#endif
