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

/* The index of the node that a /proc/PID/fd link refers to, or -1. */
static int node_of(int dir, const char *link, const struct hf_node *nodes, size_t num_nodes)
{
	struct statx st;
	dev_t number, device;

	/* Do not contact a network file system's server, which may be dead: use cached attributes. */
	if (statx(dir, link, AT_STATX_DONT_SYNC | AT_NO_AUTOMOUNT, STATX_TYPE | STATX_INO, &st))
		return -1;
	number = makedev(st.stx_rdev_major, st.stx_rdev_minor);
	device = makedev(st.stx_dev_major, st.stx_dev_minor);
	for (size_t i = 0; i < num_nodes; i++) {
		if (nodes[i].unlinked && S_ISCHR(st.stx_mode) &&
		    is_unlinked(dir, link, nodes[i].name))
			return (int)i;
		/* A new device may have the number of one that is still being unplugged. */
		if (S_ISCHR(st.stx_mode) && nodes[i].number && number == nodes[i].number)
			return device == nodes[i].file_device &&
					       st.stx_ino != nodes[i].file_inode &&
					       is_unlinked(dir, link, nodes[i].name)
				       ? -1
				       : (int)i;
		if (!S_ISCHR(st.stx_mode) && nodes[i].file_device &&
		    device == nodes[i].file_device && st.stx_ino == nodes[i].file_inode)
			return (int)i;
	}
	return -1;
}

static bool is_event_fd(int dir, const char *link)
{
	static const char wanted[] = "anon_inode:[infinibandevent]";
	char target[sizeof(wanted) + 1];
	ssize_t length = readlinkat(dir, link, target, sizeof(target));

	return length == (ssize_t)sizeof(wanted) - 1 && !memcmp(target, wanted, sizeof(wanted) - 1);
}

static int compare_fds(const void *a, const void *b)
{
	const struct hf_held_fd *left = a, *right = b;

	return left->fd < right->fd ? -1 : left->fd > right->fd;
}

/* Returns 0, -EACCES if this user may not examine the process, -ESRCH if it has ended. */
static int look_at_fds(int process, const struct hf_node *nodes, size_t num_nodes,
		       struct hf_holder *holder)
{
	int fd = openat(process, "fd", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return errno == EACCES || errno == EPERM ? -EACCES : -ESRCH;
	dir = fdopendir(fd);
	if (!dir) {
		/* fdopendir() calls fstat(), which fails if the process has ended since. */
		int err = errno == ENOMEM ? -ENOMEM : -ESRCH;

		close(fd);
		return err;
	}
	errno = 0;
	while ((entry = readdir(dir))) {
		int node;

		if (!is_number(entry->d_name))
			continue;
		node = node_of(fd, entry->d_name, nodes, num_nodes);
		if (node >= 0) {
			holder->fds = hfi_tool_alloc(holder->fds, holder->num_fds + 1,
						     sizeof(*holder->fds));
			holder->fds[holder->num_fds].fd = atoi(entry->d_name);
			holder->fds[holder->num_fds++].node = (unsigned int)node;
		} else if (is_event_fd(fd, entry->d_name)) {
			holder->events++;
		}
		errno = 0;
	}
	closedir(dir);
	if (holder->num_fds)
		qsort(holder->fds, holder->num_fds, sizeof(*holder->fds), compare_fds);
	return 0;
}

/* Whether a line of /proc/PID/maps is a mapping of one of the nodes. */
static bool is_node_mapping(int process, const char *line, const struct hf_node *nodes,
			    size_t num_nodes)
{
	unsigned long long start, end, inode;
	unsigned int dev_major, dev_minor;
	char link[64];
	struct stat st;

	if (sscanf(line, "%llx-%llx %*s %*s %x:%x %llu", &start, &end, &dev_major, &dev_minor,
		   &inode) != 5 ||
	    !inode)
		return false;
	for (size_t i = 0; i < num_nodes; i++)
		if (nodes[i].file_device && nodes[i].file_device == makedev(dev_major, dev_minor) &&
		    nodes[i].file_inode == inode)
			return true;
	/*
	 * The device may be mapped through another node, for example in a container. Only root may
	 * follow map_files, and most mappings are other files, so try only likely names.
	 */
	if (!strstr(line, "/uverbs") && !strstr(line, "/umad") && !strstr(line, "/issm"))
		return false;
	snprintf(link, sizeof(link), "map_files/%llx-%llx", start, end);
	if (fstatat(process, link, &st, 0) || !S_ISCHR(st.st_mode))
		return false;
	for (size_t i = 0; i < num_nodes; i++)
		if (nodes[i].number && nodes[i].number == st.st_rdev)
			return true;
	return false;
}

static void look_at_maps(int process, const struct hf_node *nodes, size_t num_nodes,
			 struct hf_holder *holder)
{
	int fd = openat(process, "maps", O_RDONLY | O_CLOEXEC);
	FILE *file = fd < 0 ? NULL : fdopen(fd, "r");
	size_t size = 0;
	char *line = NULL;

	if (!file) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (getline(&line, &size, file) > 0)
		if (is_node_mapping(process, line, nodes, num_nodes))
			holder->mappings++;
	free(line);
	fclose(file);
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

static void clear(struct hf_holder *holder)
{
	free(holder->fds);
	memset(holder, 0, sizeof(*holder));
}

/* The directory descriptor stays bound to this process even if another one gets its PID. */
static int look_at_process(int proc, const char *pid, const struct hf_node *nodes, size_t num_nodes,
			   struct hf_holders *holders)
{
	struct hf_holder holder = {.pid = atoi(pid)};
	int process = openat(proc, pid, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	int err;

	if (process < 0) {
		if (errno == EMFILE || errno == ENFILE)
			return -errno;
		return 0;
	}
	err = look_at_fds(process, nodes, num_nodes, &holder);
	if (err == -EACCES)
		holders->unreadable++;
	if (err) {
		clear(&holder);
		goto out;
	}
	holders->examined++;
	look_at_maps(process, nodes, num_nodes, &holder);
	if (!holder.num_fds && !holder.mappings && !holder.events)
		goto out;
	read_process_names(process, &holder);
	holders->v = hfi_tool_alloc(holders->v, holders->count + 1, sizeof(*holders->v));
	holders->v[holders->count++] = holder;
out:
	close(process);
	return err == -ENOMEM ? err : 0;
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

int hfi_find_holders(const struct hf_node *nodes, size_t num_nodes, struct hf_holders *ret)
{
	struct hf_holders holders = {0};
	struct dirent *entry;
	DIR *dir = opendir("/proc");
	int err = 0;

	if (!dir)
		return -errno;
	holders.foreign = !in_first_namespace(dirfd(dir));
	while (!err && (entry = readdir(dir)))
		if (is_number(entry->d_name) && atoi(entry->d_name) != getpid())
			err = look_at_process(dirfd(dir), entry->d_name, nodes, num_nodes,
					      &holders);
	closedir(dir);
	if (err) {
		hfi_free_holders(&holders);
		return err;
	}
	if (holders.count)
		qsort(holders.v, holders.count, sizeof(*holders.v), compare_pids);
	*ret = holders;
	return 0;
}

void hfi_free_holders(struct hf_holders *holders)
{
	for (size_t i = 0; i < holders->count; i++)
		free(holders->v[i].fds);
	free(holders->v);
	memset(holders, 0, sizeof(*holders));
}
