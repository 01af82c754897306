/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asks the processes for what they show. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtrs/control/query.h"
#include "rtrs/tools/map.h"
#include "rtrs/tools/tool.h"
#include "rtrs/tools/tree_internal.h"
#include "shared/clock.h"
#include "shared/text.h"

enum {
	SILENT_MS = 20000, /* so long one that does not answer is left alone */
	NODES_MAX = 1 << 20,
};

int rtrsi_tree_open_place(const struct tree *tree)
{
	return tree->directory ? rtrsi_control_place_at(tree->directory)
			       : rtrsi_control_place(false);
}

static void free_nodes(struct tree_node *nodes, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		free(nodes[i].path);
		free(nodes[i].own_path);
		free(nodes[i].target);
	}
	free(nodes);
}

static void forget_nodes(struct tree_process *process)
{
	free_nodes(process->nodes, process->count);
	process->nodes = NULL;
	process->count = 0;
}

static struct tree_node *new_node(struct tree_process *process, mode_t mode, const char *path)
{
	struct tree_node *node;

	process->nodes = rtrsi_grow(process->nodes, process->count + 1, sizeof(*process->nodes));
	node = &process->nodes[process->count++];
	*node = (struct tree_node){.mode = mode, .process = process};
	node->own_path = rtrsi_copy_text(path, strlen(path));
	return node;
}

struct adding {
	struct tree_process *process;
	const char *directory;
};

static void add_device_file(void *arg, const char *name, mode_t mode)
{
	const struct adding *adding = arg;
	char text[RTRS_CONTROL_PATH_MAX];

	if (!hfi_join(text, sizeof(text), adding->directory, "/", name))
		new_node(adding->process, mode, text)->kind = TREE_DEVICE_FILE;
}

/* The kernel's sessions are devices of a class, which have these as well. */
static void add_device_nodes(struct tree_process *process, const char *path, size_t root_length)
{
	struct adding adding = {process, path};
	char text[RTRS_CONTROL_PATH_MAX];

	rtrsi_device_files_each(add_device_file, &adding);
	if (!hfi_join(text, sizeof(text), path, "/", "subsystem")) {
		struct tree_node *node = new_node(process, S_IFLNK | 0777, text);

		(void)hfi_print(text, sizeof(text), "../../%.*s", (int)root_length, path);
		node->target = rtrsi_copy_text(text, strlen(text));
	}
}

/* A volume of our own: its blocks can be read and written here. */
static void add_blocks_node(struct tree_process *process)
{
	bool is_read_only = true;

	if (rtrsi_is_mapped(process->socket, &is_read_only))
		new_node(process, S_IFREG | (is_read_only ? 0400 : 0600), "dev/rnbd")->kind =
			TREE_DEVICE;
}

static void add_tree_node(struct tree_process *process, const struct rtrs_control_entry *entry)
{
	const char *slash = strchr(entry->path, '/');
	struct tree_node *node;

	if (process->count >= NODES_MAX || *entry->path == '/' || !*entry->path)
		return;
	node = new_node(process, entry->mode, entry->path);
	node->is_hidden = entry->is_hidden;
	if (S_ISLNK(entry->mode))
		node->target = rtrsi_copy_text(entry->value, strlen(entry->value));
	if (!S_ISDIR(entry->mode) || !slash)
		return;
	if (!strcmp(entry->path, BLOCK_DEVICE))
		add_blocks_node(process);
	else if (!strchr(slash + 1, '/'))
		add_device_nodes(process, entry->path, (size_t)(slash - entry->path));
}

static int list_process(struct tree_process *process, int place, struct rtrs_control_page *page)
{
	struct rtrs_control_request request = {.type = RTRS_CONTROL_LIST};
	const int64_t until_ms = hfi_now_ms() + RTRS_QUERY_MS;
	struct rtrs_control_entry entry;
	int result;

	do {
		size_t offset = 0;

		/* Its pages may have no end. */
		if (hfi_now_ms() > until_ms)
			return -ETIMEDOUT;
		result = rtrsi_query(place, process->socket, &request, &request.cursor, page, NULL);
		while (!result && (result = rtrsi_control_page_next(page, &offset, &entry)) > 0) {
			add_tree_node(process, &entry);
			result = 0;
		}
	} while (!result && request.cursor.session && process->count < NODES_MAX);
	return result;
}

static bool shows_directory(const void *arg, const char *directory)
{
	const struct tree_process *process = arg;

	for (size_t i = 0; i < process->count; i++) {
		if (S_ISDIR(process->nodes[i].mode) &&
		    !strcmp(process->nodes[i].own_path, directory))
			return true;
	}
	return false;
}

/* If a process does not answer, keep what it showed before. */
static void ask_for_tree(struct tree_process *process, int place, struct rtrs_control_page *page)
{
	const struct tree_process before = *process;
	int err;

	if (hfi_now_ms() < process->silent_until_ms)
		return;
	process->nodes = NULL;
	process->count = 0;
	err = list_process(process, place, page);
	if (err == -ETIMEDOUT || err == -EBUSY) {
		forget_nodes(process);
		process->nodes = before.nodes;
		process->count = before.count;
		process->silent_until_ms = hfi_now_ms() + SILENT_MS;
		return;
	}
	if (err)
		forget_nodes(process);
	free_nodes(before.nodes, before.count);
	rtrsi_device_power_keep(&process->power, shows_directory, process);
}

struct asking {
	struct tree *tree;
	int place;
};

static bool is_older(const struct timespec *a, const struct timespec *b)
{
	return a->tv_sec < b->tv_sec || (a->tv_sec == b->tv_sec && a->tv_nsec < b->tv_nsec);
}

/* The older processes keep their names. */
static void insert_process(struct tree *tree, struct tree_process *process)
{
	struct tree_process **at = &tree->processes;

	while (*at && !is_older(&process->since, &(*at)->since))
		at = &(*at)->next;
	process->next = *at;
	*at = process;
}

static int meet_process(void *arg, const char *socket)
{
	const struct asking *asking = arg;
	struct tree_process *process = asking->tree->processes;
	struct stat st;

	while (process && strcmp(process->socket, socket) != 0)
		process = process->next;
	if (!process) {
		if (fstatat(asking->place, socket, &st, AT_SYMLINK_NOFOLLOW) < 0)
			return 0;
		process = rtrsi_grow(NULL, 1, sizeof(*process));
		*process = (struct tree_process){.since = st.st_ctim, .number = -1};
		(void)hfi_copy(process->socket, sizeof(process->socket), socket);
		insert_process(asking->tree, process);
	}
	process->is_there = true;
	return 0;
}

static void drop_processes_that_ended(struct tree *tree)
{
	struct tree_process **at = &tree->processes, *process;

	while ((process = *at)) {
		if (process->is_there) {
			process->is_there = false;
			at = &process->next;
			continue;
		}
		*at = process->next;
		forget_nodes(process);
		rtrsi_device_power_free(process->power);
		free(process);
	}
}

void rtrsi_tree_ask_processes(struct tree *tree)
{
	struct rtrs_control_page page = {.size = RTRS_CONTROL_PAGE};
	struct asking asking = {.tree = tree, .place = rtrsi_tree_open_place(tree)};

	if (asking.place >= 0 && rtrsi_query_each(asking.place, meet_process, &asking)) {
		/* Without memory or descriptors it stays as it was. */
		close(asking.place);
		return;
	}
	drop_processes_that_ended(tree);
	if (asking.place < 0)
		return;
	page.bytes = rtrsi_grow(NULL, page.size, 1);
	for (struct tree_process *process = tree->processes; process; process = process->next)
		ask_for_tree(process, asking.place, &page);
	free(page.bytes);
	close(asking.place);
}
