/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes the system calls of Holdfast's first list without any library. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/bench/bare.h"

enum { NAME_SIZE = 64, DEVICES_MAX = 4096 };

static char names[DEVICES_MAX][NAME_SIZE];

static void fail_bare(const char *what) __attribute__((noreturn));
static void fail_bare(const char *what)
{
	fprintf(stderr, "bare: %s: %s\n", what, strerror(errno));
	exit(1);
}

static int open_class(const char *name)
{
	const char *sysfs = getenv("SYSFS_PATH");
	char path[512];
	int fd;

	snprintf(path, sizeof(path), "%s/class/%s", sysfs ? sysfs : "/sys", name);
	fd = open(path, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		fail_bare(path);
	return fd;
}

static int read_names(int verbs)
{
	int count = 0, fd = openat(verbs, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	struct dirent *entry;

	if (!dir)
		fail_bare("class/infiniband_verbs");
	while ((entry = readdir(dir))) {
		if (strncmp(entry->d_name, "uverbs", 6) != 0)
			continue;
		if (count == DEVICES_MAX)
			exit(1);
		snprintf(names[count++], NAME_SIZE, "%.63s", entry->d_name);
	}
	closedir(dir);
	return count;
}

static int open_below(int class, const char *device, const char *attribute)
{
	char path[2 * NAME_SIZE];
	int fd;

	snprintf(path, sizeof(path), "%.63s/%s", device, attribute);
	fd = openat(class, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		fail_bare(path);
	return fd;
}

static void read_fd_text(int fd, char text[NAME_SIZE])
{
	ssize_t length = pread(fd, text, NAME_SIZE - 1, 0);

	if (length < 0)
		fail_bare("an attribute");
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
}

static void read_below(int class, const char *device, const char *attribute)
{
	int fd = open_below(class, device, attribute);
	char text[NAME_SIZE];

	read_fd_text(fd, text);
	close(fd);
}

static void read_bare_device(int verbs, int ib, const char *uverbs)
{
	int ibdev = open_below(verbs, uverbs, "ibdev");
	char name[NAME_SIZE];
	struct statx st;

	if (statx(ibdev, "", AT_EMPTY_PATH, STATX_INO | STATX_MTIME | STATX_CTIME | STATX_BTIME,
		  &st) < 0)
		fail_bare("ibdev");
	read_fd_text(ibdev, name);
	read_below(verbs, uverbs, "abi_version");
	read_below(ib, name, "node_type");
	close(ibdev);
}

static void read_node_names(void)
{
	int fd = open("/dev/infiniband", O_PATH | O_DIRECTORY | O_CLOEXEC);
	int nodes = openat(fd, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = nodes < 0 ? NULL : fdopendir(nodes);

	if (!dir)
		fail_bare("/dev/infiniband");
	while (readdir(dir))
		continue;
	closedir(dir);
	close(fd);
}

int bare_list(void)
{
	int verbs = open_class("infiniband_verbs"), ib = open_class("infiniband");
	int count = read_names(verbs);

	for (int i = 0; i < count; i++)
		read_bare_device(verbs, ib, names[i]);
	read_node_names();
	close(ib);
	close(verbs);
	return count;
}

void bare_fill_caches(void)
{
	/* Larger than a processor's own caches. A cache that processors share may be larger. */
	enum { SIZE = 64 << 20, LINE = 64 };
	volatile char *memory =
		mmap(NULL, SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (memory == MAP_FAILED)
		fail_bare("memory");
	/* Keep the memory: freed pages would be used again while they are still in a cache. */
	for (size_t i = 0; i < SIZE; i += LINE)
		memory[i] = 1;
}
