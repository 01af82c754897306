/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asks every process for its tree, and makes sessions and paths of the files. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "rtrs/control/query.h"
#include "rtrs/tools/sessions.h"
#include "rtrs/tools/tool.h"
#include "shared/clock.h"
#include "shared/file.h"
#include "shared/text.h"

/* ROOT/SESSION/FILE, or ROOT/SESSION/paths/PATH/FILE, where FILE may have one more level. */
struct file_name {
	bool is_server;
	char session[RTRS_CONTROL_PATH_MAX];
	char path[RTRS_CONTROL_PATH_MAX]; /* empty: the session's */
	const char *file;
};

static bool cut_component(const char **at, char *to)
{
	size_t length = strcspn(*at, "/");

	if (!length)
		return false;
	memcpy(to, *at, length);
	to[length] = '\0';
	*at += length + ((*at)[length] == '/');
	return true;
}

static bool split_name(const char *text, struct file_name *ret)
{
	char root[RTRS_CONTROL_PATH_MAX], paths[RTRS_CONTROL_PATH_MAX];

	if (!cut_component(&text, root) || !cut_component(&text, ret->session))
		return false;
	ret->is_server = !strcmp(root, "rtrs-server");
	if (!ret->is_server && strcmp(root, "rtrs-client") != 0)
		return false;
	ret->path[0] = '\0';
	if (!strncmp(text, "paths/", strlen("paths/")) &&
	    (!cut_component(&text, paths) || !cut_component(&text, ret->path)))
		return false;
	ret->file = text;
	return true;
}

/* --- values -------------------------------------------------------------------------------------- */

/* The number at *at, and what follows it; 0 where there is none. */
static uint64_t next_number(const char **at)
{
	char *end;
	uint64_t number;

	*at += strspn(*at, " ");
	if (**at < '0' || **at > '9')
		return 0;
	number = strtoull(*at, &end, 10);
	*at = end;
	return number;
}

static void keep_text(char **to, const char *value, const char *end_at)
{
	free(*to);
	*to = rtrsi_copy_text(value, strcspn(value, end_at));
}

static void set_session_file(struct known_session *session, const char *file, const char *value)
{
	if (!strcmp(file, "mpath_policy"))
		keep_text(&session->policy, value, " \n");
	else if (!strcmp(file, "max_reconnect_attempts"))
		session->attempts = strtoll(value, NULL, 10);
}

static void set_traffic(struct path_figures *figures, const char *value)
{
	figures->reads = next_number(&value);
	figures->read_bytes = next_number(&value);
	figures->writes = next_number(&value);
	figures->written_bytes = next_number(&value);
	figures->inflight = next_number(&value);
	figures->failovers = next_number(&value);
}

static void set_path_file(struct known_path *path, const char *file, const char *value)
{
	const struct {
		const char *file;
		char **text;
	} texts[] = {
		{"src_addr", &path->source},
		{"dst_addr", &path->destination},
		{"state", &path->state},
		{"hca_name", &path->device},
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(texts); i++) {
		if (!strcmp(file, texts[i].file))
			keep_text(texts[i].text, value, "\n");
	}
	if (!strcmp(file, "hca_port")) {
		path->port = next_number(&value);
	} else if (!strcmp(file, "cur_latency")) {
		path->figures.latency_ns = next_number(&value);
	} else if (!strcmp(file, "stats/rdma")) {
		set_traffic(&path->figures, value);
	} else if (!strcmp(file, "stats/reconnects")) {
		path->figures.reconnects = next_number(&value);
		path->figures.failures = next_number(&value);
	}
}

/* --- sessions ------------------------------------------------------------------------------------ */

struct gathering {
	int place;
	struct known_sessions *sessions;
	size_t first; /* of the process that is being asked */
	const char *socket;
	pid_t pid;
};

static void name_command(struct known_session *session)
{
	char path[64];

	if (hfi_print(path, sizeof(path), "/proc/%d/comm", (int)session->pid) ||
	    hfi_read_file(AT_FDCWD, path, session->command, sizeof(session->command), NULL) < 0)
		session->command[0] = '\0';
}

static struct known_session *session_of_file(struct gathering *gathering,
					     const struct file_name *name)
{
	struct known_sessions *all = gathering->sessions;
	struct known_session *session;

	/* What belongs together comes together, but for a second page. */
	for (size_t i = all->count; i-- > gathering->first;) {
		session = &all->list[i];
		if (session->is_server == name->is_server && !strcmp(session->name, name->session))
			return session;
	}
	if (all->count - gathering->first >= SESSIONS_MAX)
		return NULL;
	all->list = rtrsi_grow(all->list, all->count + 1, sizeof(*all->list));
	session = &all->list[all->count++];
	*session = (struct known_session){.pid = gathering->pid, .is_server = name->is_server};
	session->name = rtrsi_copy_text(name->session, strlen(name->session));
	(void)hfi_copy(session->socket, sizeof(session->socket), gathering->socket);
	name_command(session);
	return session;
}

static struct known_path *path_of_file(struct known_session *session, const char *name)
{
	struct known_path *path;

	for (size_t i = session->path_count; i-- > 0;) {
		if (!strcmp(session->paths[i].name, name))
			return &session->paths[i];
	}
	if (session->path_count >= SESSION_PATHS_MAX)
		return NULL;
	session->paths =
		rtrsi_grow(session->paths, session->path_count + 1, sizeof(*session->paths));
	path = &session->paths[session->path_count++];
	*path = (struct known_path){.name = rtrsi_copy_text(name, strlen(name))};
	return path;
}

static void take_shown_file(struct gathering *gathering, const struct rtrs_control_entry *entry)
{
	struct known_session *session;
	struct known_path *path;
	struct file_name name;

	if (entry->is_hidden || !split_name(entry->path, &name))
		return;
	session = session_of_file(gathering, &name);
	if (!session || !S_ISREG(entry->mode))
		return;
	if (!name.path[0]) {
		set_session_file(session, name.file, entry->value);
		return;
	}
	path = path_of_file(session, name.path);
	if (path)
		set_path_file(path, name.file, entry->value);
}

static int take_pages(struct gathering *gathering, struct rtrs_control_page *page)
{
	struct rtrs_control_request request = {.type = RTRS_CONTROL_LIST_VALUES};
	const int64_t until_ms = hfi_now_ms() + RTRS_QUERY_MS;
	struct rtrs_control_entry entry;
	int result;

	do {
		size_t offset = 0;

		/* Its pages may have no end. */
		if (hfi_now_ms() > until_ms)
			return -ETIMEDOUT;
		result = rtrsi_query(gathering->place, gathering->socket, &request, &request.cursor,
				     page, &gathering->pid);
		while (!result && (result = rtrsi_control_page_next(page, &offset, &entry)) > 0) {
			take_shown_file(gathering, &entry);
			result = 0;
		}
	} while (!result && request.cursor.session);
	return result;
}

static int ask_process(void *arg, const char *name)
{
	struct gathering *gathering = arg;
	struct rtrs_control_page page = {.size = RTRS_CONTROL_PAGE};
	int err;

	page.bytes = rtrsi_grow(NULL, page.size, 1);
	gathering->socket = name;
	gathering->first = gathering->sessions->count;
	gathering->pid = 0;
	err = take_pages(gathering, &page);
	free(page.bytes);
	/* One that ended meanwhile is no news. */
	if (err && err != -ENXIO) {
		gathering->sessions->silent++;
		rtrsi_complain("process %.*s: %s", (int)strcspn(name, "."), name,
			       err == -ETIMEDOUT ? "it does not answer" : strerror(-err));
	}
	return 0;
}

static int compare_sessions(const void *a, const void *b)
{
	const struct known_session *one = a, *other = b;
	int order = one->is_server - other->is_server;

	if (!order)
		order = strcmp(one->name, other->name);
	return order ? order : strcmp(one->socket, other->socket);
}

int rtrsi_sessions_get(int place, struct known_sessions *ret)
{
	struct gathering gathering = {.place = place, .sessions = ret};
	int err;

	*ret = (struct known_sessions){0};
	err = rtrsi_query_each(place, ask_process, &gathering);
	if (!err && ret->count)
		qsort(ret->list, ret->count, sizeof(*ret->list), compare_sessions);
	return err;
}

void rtrsi_sessions_free(struct known_sessions *sessions)
{
	for (size_t i = 0; i < sessions->count; i++) {
		struct known_session *session = &sessions->list[i];

		for (size_t j = 0; j < session->path_count; j++) {
			struct known_path *path = &session->paths[j];

			free(path->name);
			free(path->source);
			free(path->destination);
			free(path->state);
			free(path->device);
		}
		free(session->paths);
		free(session->name);
		free(session->policy);
	}
	free(sessions->list);
}
