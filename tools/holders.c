/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast holders: shows the processes that hold a device's nodes open. */
#include <dirent.h>
#include <errno.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/capability.h>

#include "tools/common.h"
#include "shared/json.h"
#include "tools/names.h"
#include "tools/output.h"
#include "tools/processes.h"
#include "tools/roots.h"

struct nodes {
	struct hf_node v[HF_MAX_NODES];
	size_t count;
	int error; /* errno: some nodes of the device are unknown */
};

/* The path of a node: all of a device's nodes are in the directory of its uverbs node. */
static void format_node_path(const struct hf_device_info *info, const char *name, char *path,
			     size_t size)
{
	const char *slash = strrchr(info->node, '/');
	int length = slash ? (int)(slash - info->node) : 0;

	snprintf(path, size, "%.*s/%s", length, info->node, name);
}

static void add_node(struct nodes *nodes, const struct hf_device_info *info, const char *name,
		     dev_t number)
{
	struct hf_node *node = &nodes->v[nodes->count];
	struct stat st;

	if (nodes->count == HF_MAX_NODES) {
		nodes->error = E2BIG;
		return;
	}
	memset(node, 0, sizeof(*node));
	snprintf(node->name, sizeof(node->name), "%s", name);
	node->number = number;
	format_node_path(info, name, node->path, sizeof(node->path));
	if (stat(node->path, &st)) {
		node->path[0] = '\0';
	} else if (!S_ISCHR(st.st_mode) || !number || st.st_rdev == number) {
		node->file_device = st.st_dev;
		node->file_inode = st.st_ino;
		if (!number && S_ISCHR(st.st_mode))
			node->number = st.st_rdev;
	}
	if (node->number || node->file_device)
		nodes->count++;
}

/* Whether a umadN or issmN entry is the device's: its attribute "ibdev" has the device's name. */
static bool is_mad_node_of(const char *class, const char *entry, const char *device, int *error)
{
	char *path = hfi_tool_print("%s/ibdev", entry), value[64];
	int err = hfi_tool_try_read(class, path, value, sizeof(value));

	free(path);
	/* An entry that is being removed has no attributes any more. */
	if (err && err != -ENOENT && err != -ENODEV)
		*error = -err;
	return !err && !strcmp(value, device);
}

static void add_mad_nodes(struct nodes *nodes, const struct hf_device_info *info)
{
	char *class = hfi_tool_print("%s/class/infiniband_mad", info->root);
	DIR *dir = opendir(class);
	struct dirent *entry;

	if (!dir && errno != ENOENT)
		nodes->error = errno;
	errno = 0;
	while (dir && (entry = readdir(dir))) {
		char *path, value[64];
		unsigned int number_major, number_minor;

		if ((strncmp(entry->d_name, "umad", 4) && strncmp(entry->d_name, "issm", 4)) ||
		    !is_mad_node_of(class, entry->d_name, info->name, &nodes->error)) {
			errno = 0;
			continue;
		}
		path = hfi_tool_print("%s/dev", entry->d_name);
		if (hfi_tool_read(class, path, value, sizeof(value)) &&
		    sscanf(value, "%u:%u", &number_major, &number_minor) == 2)
			add_node(nodes, info, entry->d_name, makedev(number_major, number_minor));
		else
			add_node(nodes, info, entry->d_name, 0);
		free(path);
		errno = 0;
	}
	if (errno && dir)
		nodes->error = errno;
	if (dir)
		closedir(dir);
	free(class);
}

static char *user_name(uid_t uid)
{
	struct passwd *user = getpwuid(uid);

	return user ? hfi_tool_print("%s", user->pw_name) : hfi_tool_print("%u", uid);
}

static bool holds(const struct hf_holder *holder)
{
	return holder->num_fds || holder->mappings;
}

static char *fds_text(const struct nodes *nodes, const struct hf_holder *holder)
{
	char *text = hfi_tool_print("%s", "");

	for (size_t i = 0; i < holder->num_fds; i++) {
		char *longer = hfi_tool_print("%s%s%s:%d", text, i ? "\n" : "",
					      nodes->v[holder->fds[i].node].name,
					      holder->fds[i].fd);

		free(text);
		text = longer;
	}
	return text;
}

static void print_holders_table(const struct hf_tool *tool, const struct nodes *nodes,
				const struct hf_holders *holders)
{
	enum { PID, USER, COUNT, FDS, MAPPINGS, COMMAND, NUM };
	static const struct hf_column columns[NUM] = {
		[PID] = {"PID", SCOLS_FL_RIGHT},	   [USER] = {"USER", 0},
		[COUNT] = {"COUNT", SCOLS_FL_RIGHT},	   [FDS] = {"NODE:FD", SCOLS_FL_WRAP},
		[MAPPINGS] = {"MAPPINGS", SCOLS_FL_RIGHT}, [COMMAND] = {"COMMAND", SCOLS_FL_TRUNC},
	};
	struct libscols_table *table = hfi_table_new(tool, columns, NUM);

	for (size_t i = 0; i < holders->count; i++) {
		const struct hf_holder *holder = &holders->v[i];
		struct libscols_line *line;
		char number[24], *text;

		if (!holds(holder))
			continue;
		line = hfi_table_line(table);
		snprintf(number, sizeof(number), "%d", holder->pid);
		hfi_table_cell(line, PID, number, "bold");
		text = user_name(holder->uid);
		hfi_table_cell(line, USER, text, NULL);
		free(text);
		snprintf(number, sizeof(number), "%zu", holder->num_fds);
		hfi_table_cell(line, COUNT, number, NULL);
		text = fds_text(nodes, holder);
		hfi_table_cell(line, FDS, text, NULL);
		free(text);
		snprintf(number, sizeof(number), "%u", holder->mappings);
		hfi_table_cell(line, MAPPINGS, number, NULL);
		hfi_table_cell(line, COMMAND, holder->command, NULL);
	}
	hfi_table_finish(table);
}

/* Why a process could not be examined, and what to do. */
static const char *why_unreadable(int error)
{
	if (error != EACCES && error != EPERM)
		return strerror(error);
	if (hfi_tool_in_userns())
		return "run this as root outside of this user namespace";
	if (geteuid())
		return "run this as root";
	return hfi_tool_capable(CAP_SYS_PTRACE)
		       ? "a security module protects them"
		       : "this needs CAP_SYS_PTRACE, which this container or service lacks";
}

struct missing {
	char *v[5];
	size_t count;
};

/* What keeps the answer from being complete, as sentences. */
static void collect_missing(const struct nodes *nodes, const struct hf_holders *holders,
			    struct missing *ret)
{
	ret->count = 0;
	if (nodes->error)
		ret->v[ret->count++] = hfi_tool_print("Not all nodes of the device are known: %s.",
						      strerror(nodes->error));
	if (holders->list_error)
		ret->v[ret->count++] = hfi_tool_print("/proc could not be read: %s.",
						      strerror(holders->list_error));
	if (holders->unreadable)
		ret->v[ret->count++] = hfi_tool_print(
			"%zu of %zu processes could not be examined: %s.", holders->unreadable,
			holders->unreadable + holders->examined, why_unreadable(holders->error));
	if (holders->hidden)
		ret->v[ret->count++] = hfi_tool_print(
			"/proc may hide the processes of other users (mount option hidepid): run "
			"this as root.");
	if (holders->foreign)
		ret->v[ret->count++] = hfi_tool_print(
			"Processes outside this container (PID namespace) cannot be seen: run this "
			"on the host.");
}

static void print_holders(const struct hf_tool *tool, const char *name, const struct nodes *nodes,
			  const struct hf_holders *holders, const struct missing *missing)
{
	size_t found = 0;

	for (size_t i = 0; i < holders->count; i++)
		found += holds(&holders->v[i]);
	print_holders_table(tool, nodes, holders);
	if (!found) {
		hfi_put_safe(stdout, name);
		printf(": no process%s holds a node of the device open.\n",
		       missing->count ? " that can be seen" : "");
	}
	for (size_t i = 0; i < holders->count; i++) {
		if (holds(&holders->v[i]))
			continue;
		printf("Process %d holds RDMA event descriptors, perhaps of this device: ",
		       holders->v[i].pid);
		hfi_put_safe(stdout, holders->v[i].command);
		putchar('\n');
	}
	for (size_t i = 0; i < missing->count; i++)
		puts(missing->v[i]);
}

static void print_holders_json(const char *name, const struct nodes *nodes,
			       const struct hf_holders *holders, const struct missing *missing)
{
	struct hf_json json;

	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_string(&json, "device", name);
	hfi_json_bool(&json, "complete", !missing->count);
	hfi_json_array(&json, "missing");
	for (size_t i = 0; i < missing->count; i++)
		hfi_json_string(&json, NULL, missing->v[i]);
	hfi_json_close(&json);
	hfi_json_uint(&json, "unreadable", holders->unreadable);
	hfi_json_bool(&json, "other_pid_namespaces", holders->foreign);
	hfi_json_array(&json, "nodes");
	for (size_t i = 0; i < nodes->count; i++) {
		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "name", nodes->v[i].name);
		hfi_json_optional(&json, "path", nodes->v[i].path);
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
	hfi_json_array(&json, "holders");
	for (size_t i = 0; i < holders->count; i++) {
		const struct hf_holder *holder = &holders->v[i];
		char *user = user_name(holder->uid);

		hfi_json_object(&json, NULL);
		hfi_json_int(&json, "pid", holder->pid);
		hfi_json_uint(&json, "uid", holder->uid);
		hfi_json_string(&json, "user", user);
		hfi_json_string(&json, "command", holder->command);
		hfi_json_bool(&json, "certain", holds(holder));
		hfi_json_array(&json, "fds");
		for (size_t j = 0; j < holder->num_fds; j++) {
			hfi_json_object(&json, NULL);
			hfi_json_int(&json, "fd", holder->fds[j].fd);
			hfi_json_string(&json, "node", nodes->v[holder->fds[j].node].name);
			hfi_json_close(&json);
		}
		hfi_json_close(&json);
		hfi_json_uint(&json, "mappings", holder->mappings);
		hfi_json_uint(&json, "event_fds", holder->events);
		hfi_json_close(&json);
		free(user);
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

static int find_and_show(const struct hf_tool *tool, const char *name, const struct nodes *nodes)
{
	struct hf_holders holders;
	struct missing missing;

	hfi_find_holders(nodes->v, nodes->count, &holders);
	collect_missing(nodes, &holders, &missing);
	if (tool->json)
		print_holders_json(name, nodes, &holders, &missing);
	else
		print_holders(tool, name, nodes, &holders, &missing);
	for (size_t i = 0; i < missing.count; i++)
		free(missing.v[i]);
	hfi_free_holders(&holders);
	return missing.count ? HF_EXIT_INCOMPLETE : HF_EXIT_OK;
}

static int show_holders_of(const struct hf_tool *tool, struct ibv_device *device)
{
	struct hf_device_info info;
	struct nodes nodes = {0};
	char label[HF_LABEL_TEXT];
	int err = hfi_tool_info(device, &info);

	if (err < 0) {
		hfi_complain("cannot read the device: %s", strerror(-err));
		return HF_EXIT_FAILED;
	}
	hfi_device_label(&info, label);
	add_node(&nodes, &info, info.uverbs, info.node_number);
	add_mad_nodes(&nodes, &info);
	if (!nodes.count) {
		hfi_complain("%s: the device has no node and no node number", label);
		return HF_EXIT_FAILED;
	}
	return find_and_show(tool, label, &nodes);
}

/*
 * Handles a device that only class/infiniband has. An unplug first removes the verbs device, the
 * node and the netlink entry, then waits for the holders, so the holders have a deleted node open.
 * Without ib_uverbs a device looks the same.
 */
static int show_holders_of_deleted_nodes(const struct hf_tool *tool, const char *name)
{
	const struct nodes nodes = {.v = {{.name = "uverbs", .unlinked = true}}, .count = 1};

	if (!tool->json) {
		hfi_put_safe(stdout, name);
		printf(" has no verbs device. If it is being unplugged, the unplug waits for one "
		       "of the\nholders of the nodes of unplugged devices:\n");
	}
	return find_and_show(tool, name, &nodes);
}

static int run_holders(struct hf_tool *tool, char **args)
{
	struct hf *hf = hfi_tool_context(tool, HF_NO_NOTIFY, 0);
	struct ibv_device *device;
	char text[HF_REASON_TEXT];
	char *hidden = NULL;
	int status, err;

	if (!hf)
		return HF_EXIT_FAILED;
	err = hfi_tool_by_name(hf, args[0], &device);
	if (!err) {
		status = show_holders_of(tool, device);
		hf_device_unref(device);
	} else if (err == -ENODEV && !hfi_tool_has_unreadable_name(hf, text) &&
		   (hidden = hfi_roots_find_hidden(tool, args[0]))) {
		status = show_holders_of_deleted_nodes(tool, args[0]);
	} else {
		/* Prints the error, unless the device was plugged in since the first try. */
		status = hfi_tool_find(tool, hf, args[0], &device);
		if (status == HF_EXIT_OK) {
			status = show_holders_of(tool, device);
			hf_device_unref(device);
		}
	}
	free(hidden);
	hf_unref(hf);
	return status;
}

const struct hf_command hf_command_holders = {
	.name = "holders",
	.args = "DEV",
	.summary = "show the processes that hold a device's nodes open",
	.about = "Shows every process that has the device's uverbs, umad or issm nodes open or "
		 "mapped. An unplug, or unloading a driver, may wait for these processes. NODE:FD "
		 "is the node and the descriptor. A process that only has RDMA event descriptors "
		 "open is shown as a possible holder, since the kernel does not show their device. "
		 "Only root can examine the processes of other users; if some could not be "
		 "examined, the exit status is 4. While an unplug waits, the device's node is "
		 "deleted already: then every process with a deleted uverbs node open is shown.",
	.min_args = 1,
	.max_args = 1,
	.run = run_holders,
};
