/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asks the processes for their trees and merges them. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtrs/control/query.h"
#include "rtrs/tools/map.h"
#include "rtrs/tools/tool.h"
#include "rtrs/tools/tree.h"
#include "shared/clock.h"
#include "shared/text.h"

enum {
	FRESH_MS = 20,	   /* a directory that is read asks many times */
	SILENT_MS = 20000, /* so long one that does not answer is left alone */
	NODES_MAX = 1 << 20,
};

/* What is there whatever the processes show. */
static const struct {
	const char *path;
	mode_t mode;
	enum tree_kind kind;
	const char *target;
} fixed[] = {
	{"dev", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-client", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-client/block", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-client/ctl", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-client/ctl/devices", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-client/ctl/map_device", S_IFREG | 0644, TREE_MAP_DEVICE, NULL},
	{"rnbd-client/ctl/subsystem", S_IFLNK | 0777, TREE_SHOWN, "../../rnbd-client"},
	{"rnbd-client/ctl/uevent", S_IFREG | 0644, TREE_UEVENT, NULL},
	{"rnbd-server", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-server/ctl", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-server/ctl/devices", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-server/ctl/subsystem", S_IFLNK | 0777, TREE_SHOWN, "../../rnbd-server"},
	{"rnbd-server/ctl/uevent", S_IFREG | 0644, TREE_UEVENT, NULL},
	{"rtrs-client", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rtrs-server", S_IFDIR | 0755, TREE_SHOWN, NULL},
};

/* A volume has one, of which only whoever puts the tree together knows the number. */
#define BLOCK_DEVICE "rnbd-client/block/rnbd"

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

static struct tree_node *new_node(struct tree_process *process, mode_t mode, const char *path)
{
	struct tree_node *node;

	process->nodes = rtrsi_grow(process->nodes, process->count + 1, sizeof(*process->nodes));
	node = &process->nodes[process->count++];
	*node = (struct tree_node){.mode = mode, .process = process};
	node->own_path = rtrsi_copy_text(path, strlen(path));
	return node;
}

/* The kernel's sessions are devices of a class, which have these as well. */
static void add_device_nodes(struct tree_process *process, const char *path, size_t root_length)
{
	char text[RTRS_CONTROL_PATH_MAX];

	if (!hfi_join(text, sizeof(text), path, "/", "uevent"))
		new_node(process, S_IFREG | 0644, text)->kind = TREE_UEVENT;
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

static bool is_of_block_device(const char *own_path)
{
	const char *rest = own_path + strlen(BLOCK_DEVICE);

	return !strcmp(own_path, "dev/rnbd") ||
	       (!strncmp(own_path, BLOCK_DEVICE, strlen(BLOCK_DEVICE)) && (!*rest || *rest == '/'));
}

/* How long the name of a session or device is: "ROOT/SESSION", or "ROOT/ctl/devices/DEVICE". */
static size_t session_length(const char *path)
{
	unsigned int components = !strncmp(path, "rnbd-", strlen("rnbd-")) ? 4 : 2;
	const char *at = path;

	if (is_of_block_device(path))
		return *path == 'd' ? strlen(path) : strlen(BLOCK_DEVICE);
	while (components-- && *at)
		at += strcspn(at, "/") + (components && strchr(at, '/') ? 1 : 0);
	return (size_t)(at - path);
}

/* The lowest that no other has, as the kernel gives them. */
static int new_device_number(const struct tree *tree)
{
	const struct tree_process *process;
	int number = 0;

	do {
		process = tree->processes;
		while (process && process->number != number)
			process = process->next;
		number += process ? 1 : 0;
	} while (process);
	return number;
}

static void number_device(struct tree_node *node, size_t length)
{
	char text[2 * RTRS_CONTROL_PATH_MAX];

	if (hfi_print(text, sizeof(text), "%.*s%d%s", (int)length, node->own_path,
		      node->process->number, node->own_path + length))
		text[0] = '\0';
	node->path = rtrsi_copy_text(text, strlen(text));
}

/* Links to the block device were made without its number. */
static void number_link(struct tree_node *node)
{
	char text[RTRS_CONTROL_PATH_MAX + 16];

	if (!S_ISLNK(node->mode) || strcmp(node->target, "../../block/rnbd") != 0 ||
	    hfi_print(text, sizeof(text), "%s%d", node->target, node->process->number))
		return;
	free(node->target);
	node->target = rtrsi_copy_text(text, strlen(text));
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
	bool is_taken = false, has_device = false;

	for (size_t i = 0; i < process->count && !has_device; i++)
		has_device = is_of_block_device(process->nodes[i].own_path);
	if (!has_device)
		process->number = -1;
	else if (process->number < 0)
		process->number = new_device_number(tree);

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
		if (is_of_block_device(node->own_path))
			number_device(node, length);
		else
			node->path = name_of_node(node, length, is_taken);
		number_link(node);
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
	tree->own_count = HF_ARRAY_SIZE(fixed);
	tree->own = rtrsi_grow(NULL, tree->own_count, sizeof(*tree->own));
	for (size_t i = 0; i < tree->own_count; i++) {
		struct tree_node *node = &tree->own[i];

		*node = (struct tree_node){
			.path = rtrsi_copy_text(fixed[i].path, strlen(fixed[i].path)),
			.mode = fixed[i].mode,
			.kind = fixed[i].kind,
		};
		if (fixed[i].target)
			node->target = rtrsi_copy_text(fixed[i].target, strlen(fixed[i].target));
	}
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
		ret->kind = node->kind;
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
		/* While something changes one may be told of twice. */
		if (i && !strcmp(tree->nodes[i - 1]->path, node->path))
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
	int err;

	if (file->kind == TREE_UEVENT)
		return 0;
	if (file->kind == TREE_MAP_DEVICE) {
		(void)hfi_copy(to, RTRS_CONTROL_PAGE, RTRS_MAP_USAGE);
		return (int)strlen(RTRS_MAP_USAGE);
	}
	err = ask_for_file(tree, file, &request, &page);
	return err ? err : (int)page.length;
}

/* Nobody is told; but what the kernel would refuse is refused. */
static int store_uevent(const char *value, size_t length)
{
	static const char *const actions[] = {"add",	"remove",  "change", "move",
					      "online", "offline", "bind",   "unbind"};
	size_t word = 0;

	while (word < length && !strchr(" \n", value[word]))
		word++;
	for (size_t i = 0; i < HF_ARRAY_SIZE(actions); i++) {
		if (strlen(actions[i]) == word && !strncmp(actions[i], value, word))
			return 0;
	}
	return -EINVAL;
}

static int write_tree_file(struct tree *tree, const struct tree_file *file, const char *value,
			   size_t length, bool (*is_known)(const char *name))
{
	struct rtrs_control_request request = {
		.type = RTRS_CONTROL_WRITE, .value = value, .value_length = length};
	int err;

	if (file->kind == TREE_UEVENT)
		return store_uevent(value, length);
	if (file->kind == TREE_MAP_DEVICE)
		return rtrsi_map(value, length, is_known);
	err = ask_for_file(tree, file, &request, NULL);
	if (!err)
		rtrsi_map_wait_for_unmapped();
	return err;
}

int rtrsi_tree_write(struct tree *tree, const struct tree_file *file, const char *value,
		     size_t length, bool (*is_known)(const char *name))
{
	int err = write_tree_file(tree, file, value, length, is_known);

	/* It may have made or removed files. */
	pthread_mutex_lock(&tree->lock);
	tree->fresh_until_ms = 0;
	pthread_mutex_unlock(&tree->lock);
	return err;
}
