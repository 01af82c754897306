/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asks the processes for their trees and merges them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtrs/control/query.h"
#include "rtrs/tools/tool.h"
#include "rtrs/tools/tree.h"
#include "shared/clock.h"
#include "shared/text.h"

enum {
	FRESH_MS = 20,	   /* a directory that is read asks many times */
	SILENT_MS = 20000, /* so long one that does not answer is left alone */
	NODES_MAX = 1 << 20,
};

static const char *const roots[] = {"rtrs-client", "rtrs-server"};

void rtrsi_tree_init(struct tree *tree, const char *directory)
{
	*tree = (struct tree){.directory = directory, .lock = PTHREAD_MUTEX_INITIALIZER};
}

static int open_place(const struct tree *tree)
{
	return tree->directory ? rtrsi_control_place_at(tree->directory)
			       : rtrsi_control_place(false);
}

/* --- processes ----------------------------------------------------------------------------------- */

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

static void add_tree_node(struct tree_process *process, const struct rtrs_control_entry *entry)
{
	struct tree_node *node;

	if (process->count >= NODES_MAX || *entry->path == '/' || !*entry->path)
		return;
	process->nodes = rtrsi_grow(process->nodes, process->count + 1, sizeof(*process->nodes));
	node = &process->nodes[process->count++];
	*node = (struct tree_node){
		.mode = entry->mode, .is_hidden = entry->is_hidden, .process = process};
	node->own_path = rtrsi_copy_text(entry->path, strlen(entry->path));
	if (S_ISLNK(entry->mode))
		node->target = rtrsi_copy_text(entry->value, strlen(entry->value));
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
		*process = (struct tree_process){.since = st.st_ctim};
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
		free(process);
	}
}

static void ask_processes(struct tree *tree)
{
	struct rtrs_control_page page = {.size = RTRS_CONTROL_PAGE};
	struct asking asking = {.tree = tree, .place = open_place(tree)};

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

/* --- the tree ------------------------------------------------------------------------------------ */

static int compare_nodes(const void *a, const void *b)
{
	const struct tree_node *const *one = a, *const *other = b;

	return strcmp((*one)->path, (*other)->path);
}

/* The lowest index whose path is not before this one. */
static size_t first_not_before(const struct tree *tree, const char *path)
{
	size_t low = 0, high = tree->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;

		if (strcmp(tree->nodes[middle]->path, path) < 0)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

static const struct tree_node *node_at(const struct tree *tree, const char *path)
{
	size_t at = first_not_before(tree, path);

	return at < tree->count && !strcmp(tree->nodes[at]->path, path) ? tree->nodes[at] : NULL;
}

/* How long "ROOT/SESSION" is at the beginning of a path. */
static size_t session_length(const char *path)
{
	const char *at = strchr(path, '/');

	return at ? (size_t)(at - path) + 1 + strcspn(at + 1, "/") : strlen(path);
}

/* A name that another process has is followed by the number of this one. */
static char *name_of_node(const struct tree_node *node, size_t length, bool is_taken)
{
	char text[2 * RTRS_CONTROL_PATH_MAX];
	const char *socket = is_taken ? node->process->socket : "";

	if (hfi_print(text, sizeof(text), "%.*s%s%s%s", (int)length, node->own_path,
		      is_taken ? "." : "", socket, node->own_path + length))
		text[0] = '\0';
	return rtrsi_copy_text(text, strlen(text));
}

static bool is_session_taken(const struct tree_process *first, const struct tree_process *process,
			     const char *path, size_t length)
{
	for (; first != process; first = first->next) {
		for (size_t i = 0; i < first->count; i++) {
			const char *other = first->nodes[i].own_path;

			if (session_length(other) == length && !strncmp(other, path, length))
				return true;
		}
	}
	return false;
}

/* A session's entries follow each other: it is looked up once. */
static void name_nodes(const struct tree *tree, struct tree_process *process)
{
	const char *last = "";
	size_t last_length = 0;
	bool is_taken = false;

	for (size_t i = 0; i < process->count; i++) {
		struct tree_node *node = &process->nodes[i];
		size_t length = session_length(node->own_path);

		if (length != last_length || strncmp(last, node->own_path, length) != 0) {
			is_taken =
				is_session_taken(tree->processes, process, node->own_path, length);
			last = node->own_path;
			last_length = length;
		}
		free(node->path);
		node->path = name_of_node(node, length, is_taken);
	}
}

static void put_nodes(struct tree *tree)
{
	size_t count = tree->own_count;

	for (struct tree_process *process = tree->processes; process; process = process->next) {
		name_nodes(tree, process);
		count += process->count;
	}
	tree->nodes = rtrsi_grow(tree->nodes, count, sizeof(*tree->nodes));
	tree->count = 0;
	for (size_t i = 0; i < tree->own_count; i++)
		tree->nodes[tree->count++] = &tree->own[i];
	for (const struct tree_process *process = tree->processes; process;
	     process = process->next) {
		for (size_t i = 0; i < process->count; i++)
			tree->nodes[tree->count++] = &process->nodes[i];
	}
	qsort(tree->nodes, tree->count, sizeof(*tree->nodes), compare_nodes);
}

static void make_own_nodes(struct tree *tree)
{
	tree->own_count = HF_ARRAY_SIZE(roots);
	tree->own = rtrsi_grow(NULL, tree->own_count, sizeof(*tree->own));
	for (size_t i = 0; i < tree->own_count; i++)
		tree->own[i] = (struct tree_node){
			.path = rtrsi_copy_text(roots[i], strlen(roots[i])),
			.mode = S_IFDIR | 0755,
		};
}

static void lock_fresh_tree(struct tree *tree)
{
	pthread_mutex_lock(&tree->lock);
	if (hfi_now_ms() < tree->fresh_until_ms)
		return;
	if (!tree->own)
		make_own_nodes(tree);
	ask_processes(tree);
	put_nodes(tree);
	tree->fresh_until_ms = hfi_now_ms() + FRESH_MS;
}

/* --- for the file system ------------------------------------------------------------------------- */

int rtrsi_tree_find(struct tree *tree, const char *path, struct tree_file *ret)
{
	const struct tree_node *node;
	int err = -ENOENT;

	*ret = (struct tree_file){.mode = S_IFDIR | 0755};
	if (!strcmp(path, "/"))
		return 0;
	lock_fresh_tree(tree);
	node = node_at(tree, path + 1);
	if (node) {
		ret->mode = node->mode;
		if (node->process) {
			(void)hfi_copy(ret->socket, sizeof(ret->socket), node->process->socket);
			ret->since = node->process->since;
		}
		err = hfi_copy(ret->own_path, sizeof(ret->own_path),
			       node->own_path ? node->own_path : "");
		if (!err)
			err = hfi_copy(ret->target, sizeof(ret->target),
				       node->target ? node->target : "");
	}
	pthread_mutex_unlock(&tree->lock);
	return err;
}

/* The rest of `name` behind the directory's; NULL: it does not begin with that. */
static const char *name_below(const char *name, const char *directory)
{
	while (*directory && *name == *directory) {
		name++;
		directory++;
	}
	return *directory ? NULL : name;
}

void rtrsi_tree_each(struct tree *tree, const char *path,
		     void (*each)(void *arg, const char *name, mode_t mode), void *arg)
{
	lock_fresh_tree(tree);
	for (size_t i = first_not_before(tree, path + 1); i < tree->count; i++) {
		const struct tree_node *node = tree->nodes[i];
		const char *name = name_below(node->path, path + 1);

		if (!name)
			break;
		if (path[1] && *name++ != '/')
			continue;
		if (*name && !strchr(name, '/') && !node->is_hidden)
			each(arg, name, node->mode);
	}
	pthread_mutex_unlock(&tree->lock);
}

static int ask_for_file(struct tree *tree, const struct tree_file *file,
			struct rtrs_control_request *request, struct rtrs_control_page *page)
{
	int place = open_place(tree), err;

	if (place < 0)
		return -ENODEV;
	request->path = file->own_path;
	err = rtrsi_query(place, file->socket, request, NULL, page, NULL);
	close(place);
	return err == -ENXIO ? -ENODEV : err;
}

int rtrsi_tree_read(struct tree *tree, const struct tree_file *file, char *to)
{
	struct rtrs_control_request request = {.type = RTRS_CONTROL_READ};
	struct rtrs_control_page page = {.bytes = to};
	int err = ask_for_file(tree, file, &request, &page);

	return err ? err : (int)page.length;
}

int rtrsi_tree_write(struct tree *tree, const struct tree_file *file, const char *value,
		     size_t length)
{
	struct rtrs_control_request request = {
		.type = RTRS_CONTROL_WRITE, .value = value, .value_length = length};
	int err = ask_for_file(tree, file, &request, NULL);

	/* It may have made or removed files. */
	pthread_mutex_lock(&tree->lock);
	tree->fresh_until_ms = 0;
	pthread_mutex_unlock(&tree->lock);
	return err;
}
