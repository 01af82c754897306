/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The session and the path that the arguments name. */
#include <stdlib.h>
#include <string.h>

#include "rtrs/control/wire.h"
#include "rtrs/tools/ctl.h"
#include "rtrs/tools/tool.h"
#include "shared/text.h"

bool rtrsi_ctl_wants(const struct tool *tool, const struct known_session *session)
{
	return !(tool->clients_only && session->is_server) &&
	       !(tool->servers_only && !session->is_server) &&
	       (!tool->pid || tool->pid == session->pid);
}

/* The next one of that name from *at on; NULL: there is none. */
const struct known_session *rtrsi_ctl_next_session(const struct tool *tool, const char *name,
						   size_t *at)
{
	while (*at < tool->sessions.count) {
		const struct known_session *session = &tool->sessions.list[(*at)++];

		if (rtrsi_ctl_wants(tool, session) && (!name || !strcmp(session->name, name)))
			return session;
	}
	return NULL;
}

/* An exit status. */
int rtrsi_ctl_find_session(const struct tool *tool, const char *name,
			   const struct known_session **ret)
{
	size_t at = 0;

	*ret = rtrsi_ctl_next_session(tool, name, &at);
	if (!*ret) {
		rtrsi_complain("there is no %ssession \"%s\"%s",
			       tool->clients_only   ? "client's "
			       : tool->servers_only ? "server's "
						    : "",
			       name, tool->sessions.silent ? " in the processes that answer" : "");
		return EXIT_NOT_FOUND;
	}
	if (rtrsi_ctl_next_session(tool, name, &at)) {
		rtrsi_complain("there is more than one session \"%s\": choose one with --client, "
			       "--server or --pid",
			       name);
		return EXIT_FAILURE;
	}
	return EXIT_SUCCESS;
}

/* Its directory's name, both addresses with "," or "@" between them, or where it leads to. */
static bool is_path_named(const struct known_path *path, const char *name)
{
	const char *destination = strchr(path->name, '@');
	char text[RTRS_CONTROL_PATH_MAX];

	if (hfi_copy(text, sizeof(text), name))
		return false;
	for (char *at = text; *at; at++) {
		if (*at == '/')
			*at = '!';
		else if (*at == ',')
			*at = '@';
	}
	return !strcmp(path->name, text) || (destination && !strcmp(destination + 1, text));
}

int rtrsi_ctl_find_path(const struct known_session *session, const char *name,
			const struct known_path **ret)
{
	*ret = NULL;
	for (size_t i = 0; i < session->path_count; i++) {
		if (!is_path_named(&session->paths[i], name))
			continue;
		if (*ret) {
			rtrsi_complain("session \"%s\" has more than one path to \"%s\": give "
				       "SOURCE,DESTINATION",
				       session->name, name);
			return EXIT_FAILURE;
		}
		*ret = &session->paths[i];
	}
	if (*ret)
		return EXIT_SUCCESS;
	rtrsi_complain("session \"%s\" has no path \"%s\"", session->name, name);
	return EXIT_NOT_FOUND;
}
