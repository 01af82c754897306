/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Merges what the processes show, and what is there whatever they show. */
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

enum { FRESH_MS = 20 }; /* a directory that is read asks many times */

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
	{"rnbd-server", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-server/ctl", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-server/ctl/devices", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rnbd-server/ctl/subsystem", S_IFLNK | 0777, TREE_SHOWN, "../../rnbd-server"},
	{"rtrs-client", S_IFDIR | 0755, TREE_SHOWN, NULL},
	{"rtrs-server", S_IFDIR | 0755, TREE_SHOWN, NULL},
};

/* Devices of their classes. */
static const char *const own_devices[] = {"rnbd-client/ctl", "rnbd-server/ctl"};

void rtrsi_tree_init(struct tree *tree, const char *directory)
{
	*tree = (struct tree){.directory = directory, .lock = PTHREAD_MUTEX_INITIALIZER};
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

static struct tree_node *new_own_node(struct tree *tree, const char *path, mode_t mode,
				      enum tree_kind kind)
{
	struct tree_node *node;

	tree->own = rtrsi_grow(tree->own, tree->own_count + 1, sizeof(*tree->own));
	node = &tree->own[tree->own_count++];
	*node = (struct tree_node){
		.path = rtrsi_copy_text(path, strlen(path)), .mode = mode, .kind = kind};
	return node;
}

struct adding_own {
	struct tree *tree;
	const char *directory;
};

static void add_own_device_file(void *arg, const char *name, mode_t mode)
{
	const struct adding_own *adding = arg;
	char text[RTRS_CONTROL_PATH_MAX];
	struct tree_node *node;

	if (hfi_join(text, sizeof(text), adding->directory, "/", name))
		return;
	node = new_own_node(adding->tree, text, mode, TREE_DEVICE_FILE);
	node->own_path = rtrsi_copy_text(text, strlen(text));
}

static void make_own_nodes(struct tree *tree)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(fixed); i++) {
		struct tree_node *node =
			new_own_node(tree, fixed[i].path, fixed[i].mode, fixed[i].kind);

		if (fixed[i].target)
			node->target = rtrsi_copy_text(fixed[i].target, strlen(fixed[i].target));
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(own_devices); i++) {
		struct adding_own adding = {tree, own_devices[i]};

		rtrsi_device_files_each(add_own_device_file, &adding);
	}
}

static void lock_fresh_tree(struct tree *tree)
{
	pthread_mutex_lock(&tree->lock);
	if (hfi_now_ms() < tree->fresh_until_ms)
		return;
	if (!tree->own)
		make_own_nodes(tree);
	rtrsi_tree_ask_processes(tree);
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
	int place = rtrsi_tree_open_place(tree), err;

	if (place < 0)
		return -ENODEV;
	request->path = file->own_path;
	err = rtrsi_query(place, file->socket, request, NULL, page, NULL);
	close(place);
	return err == -ENXIO ? -ENODEV : err;
}

/* With the lock. NULL: the process has ended. */
static struct device_power **power_of(struct tree *tree, const struct tree_file *file)
{
	struct tree_process *process = tree->processes;

	if (!*file->socket)
		return &tree->power;
	while (process && strcmp(process->socket, file->socket) != 0)
		process = process->next;
	return process ? &process->power : NULL;
}

static int show_device_file(struct tree *tree, const struct tree_file *file, char *to)
{
	struct device_power **power;
	int result = -ENODEV;

	pthread_mutex_lock(&tree->lock);
	power = power_of(tree, file);
	if (power)
		result = rtrsi_device_file_read(*power, file->own_path, to, RTRS_CONTROL_PAGE);
	pthread_mutex_unlock(&tree->lock);
	return result;
}

static int store_device_file(struct tree *tree, const struct tree_file *file, const char *value,
			     size_t length)
{
	struct device_power **power;
	int err = -ENODEV;

	pthread_mutex_lock(&tree->lock);
	power = power_of(tree, file);
	if (power)
		err = rtrsi_device_file_write(power, file->own_path, value, length);
	pthread_mutex_unlock(&tree->lock);
	return err;
}

int rtrsi_tree_read(struct tree *tree, const struct tree_file *file, char *to)
{
	struct rtrs_control_request request = {.type = RTRS_CONTROL_READ};
	struct rtrs_control_page page = {.bytes = to};
	int err;

	if (file->kind == TREE_DEVICE_FILE)
		return show_device_file(tree, file, to);
	if (file->kind == TREE_MAP_DEVICE) {
		(void)hfi_copy(to, RTRS_CONTROL_PAGE, RTRS_MAP_USAGE);
		return (int)strlen(RTRS_MAP_USAGE);
	}
	err = ask_for_file(tree, file, &request, &page);
	return err ? err : (int)page.length;
}

static int write_tree_file(struct tree *tree, const struct tree_file *file, const char *value,
			   size_t length, bool (*is_known)(const char *name))
{
	struct rtrs_control_request request = {
		.type = RTRS_CONTROL_WRITE, .value = value, .value_length = length};
	int err;

	if (file->kind == TREE_DEVICE_FILE)
		return store_device_file(tree, file, value, length);
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
