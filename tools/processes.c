/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the processes that have given device nodes open or mapped, from /proc. */
#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <linux/capability.h>

#include "tools/common.h"
#include "tools/processes.h"

static bool is_number(const char *name)
{
	if (!*name || strlen(name) > 9)
		return false;
	return strspn(name, "0123456789") == strlen(name);
}

/* The kernel deletes a device's node (devtmpfs) when an unplug begins. */
static bool is_unlinked(int dir, const char *link, const char *prefix)
{
	static const char suffix[] = " (deleted)";
	char target[512];
	ssize_t length = readlinkat(dir, link, target, sizeof(target) - 1);
	const char *base;

	if (length < (ssize_t)sizeof(suffix))
		return false;
	target[length] = '\0';
	base = strrchr(target, '/');
	return !strcmp(target + length - (sizeof(suffix) - 1), suffix) && base &&
	       !strncmp(base + 1, prefix, strlen(prefix));
}

/*
 * A link of /proc that cannot be followed. Only a descriptor that was closed, or a process that ended,
 * holds nothing: any other error means that this user or process was not allowed to look.
 */
static bool has_ended(int error)
{
	return error == ENOENT || error == ESRCH;
}

/* The name of a file whose attributes cannot be read: may it be one of the nodes? */
static bool may_be_node(const char *target)
{
	const char *base = strrchr(target, '/');

	return base && (!strncmp(base, "/uverbs", 7) || !strncmp(base, "/umad", 5) ||
			!strncmp(base, "/issm", 5));
}

enum { NOT_A_NODE = -1, EVENT_FD = -2 };

static int match_node(int dir, const char *link, const struct statx *st,
		      const struct hf_node *nodes, size_t num_nodes)
{
	dev_t number = makedev(st->stx_rdev_major, st->stx_rdev_minor);
	dev_t device = makedev(st->stx_dev_major, st->stx_dev_minor);

	for (size_t i = 0; i < num_nodes; i++) {
		if (nodes[i].unlinked && S_ISCHR(st->stx_mode) &&
		    is_unlinked(dir, link, nodes[i].name))
			return (int)i;
		/* A new device may have the number of one that is still being unplugged. */
		if (S_ISCHR(st->stx_mode) && nodes[i].number && number == nodes[i].number)
			return device == nodes[i].file_device &&
					       st->stx_ino != nodes[i].file_inode &&
					       is_unlinked(dir, link, nodes[i].name)
				       ? NOT_A_NODE
				       : (int)i;
		if (!S_ISCHR(st->stx_mode) && nodes[i].file_device &&
		    device == nodes[i].file_device && st->stx_ino == nodes[i].file_inode)
			return (int)i;
	}
	return NOT_A_NODE;
}

/*
 * What a /proc/PID/fd link refers to: *ret is the index of a node, NOT_A_NODE or EVENT_FD. Returns 0 or
 * -errno. Opening the directory of the links proves nothing: the kernel checks each link again.
 */
static int look_at_fd(int dir, const char *link, const struct hf_node *nodes, size_t num_nodes,
		      int *ret)
{
	static const char event_fd[] = "anon_inode:[infinibandevent]";
	char target[512];
	struct statx st;
	ssize_t length;
	int err = 0;

	*ret = NOT_A_NODE;
	/* Do not contact a network file system's server, which may be dead: use cached attributes. */
	if (statx(dir, link, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &st))
		err = -errno;
	else
		*ret = match_node(dir, link, &st, nodes, num_nodes);
	if (*ret >= 0 || has_ended(-err))
		return 0;
	length = readlinkat(dir, link, target, sizeof(target) - 1);
	if (length < 0)
		return has_ended(errno) ? 0 : -errno;
	target[length] = '\0';
	if (!strcmp(target, event_fd))
		*ret = EVENT_FD;
	/* The link can be read, so the file system refused, as FUSE refuses other users. */
	return err && may_be_node(target) ? err : 0;
}

static int compare_fds(const void *a, const void *b)
{
	const struct hf_held_fd *left = a, *right = b;

	return left->fd < right->fd ? -1 : left->fd > right->fd;
}

static void add_held_fd(struct hf_holder *holder, int fd, int node)
{
	holder->fds = hfi_tool_alloc(holder->fds, holder->num_fds + 1, sizeof(*holder->fds));
	holder->fds[holder->num_fds].fd = fd;
	holder->fds[holder->num_fds++].node = (unsigned int)node;
}

/*
 * Returns 0, -ESRCH if the process has ended, or another -errno if some of its descriptors could not be
 * examined. *ret_seen: how many descriptors it has.
 */
static int look_at_fds(int process, const struct hf_node *nodes, size_t num_nodes,
		       struct hf_holder *holder, size_t *ret_seen)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;
	int err = 0;

	*ret_seen = 0;
	if (!dir) {
		err = has_ended(errno) ? -ESRCH : -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	errno = 0;
	while ((entry = readdir(dir))) {
		int node, failed;

		if (is_number(entry->d_name)) {
			++*ret_seen;
			failed = look_at_fd(fd, entry->d_name, nodes, num_nodes, &node);
			if (node >= 0)
				add_held_fd(holder, atoi(entry->d_name), node);
			holder->events += node == EVENT_FD;
			err = err ? err : failed;
		}
		errno = 0;
	}
	if (errno && !has_ended(errno))
		err = -errno;
	closedir(dir);
	if (holder->num_fds)
		qsort(holder->fds, holder->num_fds, sizeof(*holder->fds), compare_fds);
	return err;
}

static bool is_node_file(const struct hf_node *nodes, size_t num_nodes, dev_t device, ino_t inode)
{
	for (size_t i = 0; i < num_nodes; i++)
		if (nodes[i].file_device && nodes[i].file_device == device &&
		    nodes[i].file_inode == inode)
			return true;
	return false;
}

static bool is_node_number(const struct hf_node *nodes, size_t num_nodes, const struct stat *st)
{
	for (size_t i = 0; S_ISCHR(st->st_mode) && i < num_nodes; i++)
		if (nodes[i].number && nodes[i].number == st->st_rdev)
			return true;
	return false;
}

/* Whether a line of /proc/PID/maps is a mapping of one of the nodes: 1, 0, or -errno if unknown. */
static int is_node_mapping(int process, char *line, const struct hf_node *nodes, size_t num_nodes)
{
	unsigned long long start, end, inode;
	unsigned int dev_major, dev_minor;
	const char *path = strchr(line, '/');
	char link[64];
	struct stat st;
	int err;

	if (sscanf(line, "%llx-%llx %*s %*s %x:%x %llu", &start, &end, &dev_major, &dev_minor,
		   &inode) != 5 ||
	    !inode)
		return 0;
	if (is_node_file(nodes, num_nodes, makedev(dev_major, dev_minor), inode))
		return 1;
	/*
	 * The device may be mapped through another node, for example in a container. Only root may
	 * follow map_files, and most mappings are other files, so try only likely names.
	 */
	line[strcspn(line, "\n")] = '\0';
	if (!path || (!strstr(path, "/uverbs") && !strstr(path, "/umad") && !strstr(path, "/issm")))
		return 0;
	snprintf(link, sizeof(link), "map_files/%llx-%llx", start, end);
	if (!fstatat(process, link, &st, 0))
		return is_node_number(nodes, num_nodes, &st);
	err = -errno;
	if (has_ended(-err))
		return 0;
	/* The same file may be visible here under the same name. */
	if (!lstat(path, &st) && st.st_ino == inode &&
	    (st.st_dev == makedev(dev_major, dev_minor) || S_ISREG(st.st_mode)))
		return is_node_number(nodes, num_nodes, &st);
	return err;
}

/* Returns 0, or -errno if the mappings could not be examined. */
static int look_at_maps(int process, const struct hf_node *nodes, size_t num_nodes,
			struct hf_holder *holder)
{
	int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC), err = 0;
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	size_t size = 0;
	char *line = NULL;

	if (!file) {
		err = has_ended(errno) ? 0 : -errno;
		if (fd >= 0)
			close(fd);
		return err;
	}
	while (getline(&line, &size, file) > 0) {
		int mapped = is_node_mapping(process, line, nodes, num_nodes);

		holder->mappings += mapped > 0;
		err = mapped < 0 ? mapped : err;
	}
	if (ferror(file) && !has_ended(errno))
		err = -errno;
	free(line);
	fclose(file);
	return err;
}

/*
 * The directory of a thread that still runs, for a process whose first thread has ended: its own
 * directory then shows no descriptor, although the other threads hold some. -1: there is none.
 */
static int open_other_thread(int process, const char *pid)
{
	int fd = openat(process, "task", O_RDONLY | O_DIRECTORY | O_CLOEXEC), thread = -1;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return -1;
	}
	while (thread < 0 && (entry = readdir(dir)))
		if (is_number(entry->d_name) && strcmp(entry->d_name, pid) != 0)
			thread = openat(fd, entry->d_name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	closedir(dir);
	return thread;
}

static ssize_t read_some(int process, const char *name, char *text, size_t size)
{
	int fd = openat(process, name, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -1;
	length = read(fd, text, size - 1);
	close(fd);
	text[length < 0 ? 0 : length] = '\0';
	return length;
}

static void read_process_names(int process, struct hf_holder *holder)
{
	char *command = holder->command;
	char name[32];
	struct stat st;
	ssize_t length = read_some(process, "cmdline", command, HF_COMMAND_SIZE);

	for (ssize_t i = 0; i < length; i++)
		if (!command[i])
			command[i] = ' ';
	while (length > 0 && command[length - 1] == ' ')
		command[--length] = '\0';
	if (length <= 0) {
		if (read_some(process, "comm", name, sizeof(name)) < 0)
			*name = '\0';
		name[strcspn(name, "\n")] = '\0';
		snprintf(command, HF_COMMAND_SIZE, "[%s]", name);
	}
	holder->uid = fstat(process, &st) ? (uid_t)-1 : st.st_uid;
}

static void count_unreadable(struct hf_holders *holders, int err)
{
	holders->unreadable++;
	if (!holders->error)
		holders->error = -err;
}

/* Examines descriptors and mappings. Returns 0, -ESRCH if the process has ended, or another -errno. */
static int examine_process(int process, const char *pid, const struct hf_node *nodes,
			   size_t num_nodes, struct hf_holder *holder)
{
	size_t seen;
	int err = look_at_fds(process, nodes, num_nodes, holder, &seen), maps_err;
	int thread = err || seen ? -1 : open_other_thread(process, pid);

	if (thread >= 0)
		err = look_at_fds(thread, nodes, num_nodes, holder, &seen);
	if (err == -ESRCH)
		goto out;
	maps_err = look_at_maps(thread >= 0 ? thread : process, nodes, num_nodes, holder);
	err = err ? err : maps_err;
out:
	if (thread >= 0)
		close(thread);
	return err;
}

/* The directory descriptor stays bound to this process even if another one gets its PID. */
static void look_at_process(int proc, const char *pid, const struct hf_node *nodes,
			    size_t num_nodes, struct hf_holders *holders)
{
	struct hf_holder holder = {.pid = atoi(pid)};
	int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (process < 0) {
		if (!has_ended(errno))
			count_unreadable(holders, -errno);
		return;
	}
	err = examine_process(process, pid, nodes, num_nodes, &holder);
	if (!err)
		holders->examined++;
	else if (err != -ESRCH)
		count_unreadable(holders, err);
	/* What was found counts, even if the rest could not be examined. */
	if (holder.num_fds || holder.mappings || holder.events) {
		read_process_names(process, &holder);
		holders->v = hfi_tool_alloc(holders->v, holders->count + 1, sizeof(*holders->v));
		holders->v[holders->count++] = holder;
	}
	close(process);
}

static int compare_pids(const void *a, const void *b)
{
	const struct hf_holder *left = a, *right = b;

	return left->pid < right->pid ? -1 : left->pid > right->pid;
}

/* The inode of the initial PID namespace (include/linux/proc_ns.h), which shows all processes. */
static bool in_first_namespace(int proc)
{
	static const char first[] = "pid:[4026531836]";
	char target[64];
	ssize_t length = readlinkat(proc, "self/ns/pid", target, sizeof(target));

	return length == (ssize_t)sizeof(first) - 1 && !memcmp(target, first, sizeof(first) - 1);
}

/* Whether /proc is mounted so that it does not list the processes of others (hidepid=2 or 4). */
static bool hides_processes(int proc)
{
	int fd = openat(proc, "self/mountinfo", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	bool hidden = false;
	size_t size = 0;
	char *line = NULL;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return true;
	}
	/* The last mount on /proc is the one that is visible. */
	while (getline(&line, &size, file) > 0)
		if (strstr(line, " /proc ") && strstr(line, " - proc "))
			hidden = strstr(line, "hidepid=2") || strstr(line, "hidepid=4") ||
				 strstr(line, "hidepid=invisible") ||
				 strstr(line, "hidepid=ptraceable");
	free(line);
	fclose(file);
	return hidden;
}

static void list_processes(DIR *dir, const struct hf_node *nodes, size_t num_nodes,
			   struct hf_holders *holders)
{
	char self[16] = "";
	struct dirent *entry;

	/* By the link: this /proc may number processes for another PID namespace. */
	if (readlinkat(dirfd(dir), "self", self, sizeof(self) - 1) < 0)
		holders->list_error = errno;
	errno = 0;
	while ((entry = readdir(dir))) {
		if (is_number(entry->d_name) && strcmp(entry->d_name, self) != 0)
			look_at_process(dirfd(dir), entry->d_name, nodes, num_nodes, holders);
		errno = 0;
	}
	if (errno)
		holders->list_error = errno;
}

void hfi_find_holders(const struct hf_node *nodes, size_t num_nodes, struct hf_holders *ret)
{
	DIR *dir = opendir("/proc");

	*ret = (struct hf_holders){0};
	if (!dir) {
		ret->list_error = errno;
		return;
	}
	ret->foreign = !in_first_namespace(dirfd(dir));
	ret->hidden = hides_processes(dirfd(dir)) && !hfi_tool_capable(CAP_SYS_PTRACE);
	list_processes(dir, nodes, num_nodes, ret);
	closedir(dir);
	if (ret->count)
		qsort(ret->v, ret->count, sizeof(*ret->v), compare_pids);
}

void hfi_free_holders(struct hf_holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		free(holders->v[i].fds);
	free(holders->v);
	memset(holders, 0, sizeof(*holders));
}
