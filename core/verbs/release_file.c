/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Releases every descriptor and mapping of a file. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/sysmacros.h>
#include <sys/uio.h>

#include "core/verbs/release_file.h"

struct mapping {
	void *start;
	size_t size;
	int prot;
};

struct mappings {
	struct mapping *v;
	size_t count, size;
};

bool hfi_release_is_same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino && a->st_rdev == b->st_rdev &&
	       (a->st_mode & S_IFMT) == (b->st_mode & S_IFMT);
}

static int release_fds(const struct stat *file, int dead)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	int count = 0, err = 0;

	if (!dir)
		return -errno;
	while ((entry = readdir(dir)) != NULL) {
		struct stat st;
		char *end;
		long fd = strtol(entry->d_name, &end, 10);
		int flags;

		if (*end || end == entry->d_name || fd == dirfd(dir) || fd == dead ||
		    fstat((int)fd, &st) < 0 || !hfi_release_is_same(&st, file))
			continue;
		flags = fcntl((int)fd, F_GETFD);
		if (flags < 0)
			continue;
		if (dup3(dead, (int)fd, (flags & FD_CLOEXEC) ? O_CLOEXEC : 0) < 0)
			err = -errno;
		else
			count++;
	}
	closedir(dir);
	return err ? err : count;
}

static int add_mapping(struct mappings *mappings, const struct mapping *mapping)
{
	if (mappings->count == mappings->size) {
		size_t size = mappings->size ? 2 * mappings->size : 64;
		struct mapping *grown = reallocarray(mappings->v, size, sizeof(*grown));

		if (!grown)
			return -ENOMEM;
		mappings->v = grown;
		mappings->size = size;
	}
	mappings->v[mappings->count++] = *mapping;
	return 0;
}

/* A line of /proc/PID/maps: "start-end rwxp offset major:minor inode path", see proc(5). */
static bool parse_mapping(const char *line, const struct stat *file, struct mapping *ret)
{
	unsigned long start, end, inode;
	unsigned int major_number, minor_number;
	char mode[5];

	if (sscanf(line, "%lx-%lx %4s %*x %x:%x %lu", &start, &end, mode, &major_number,
		   &minor_number, &inode) != 6)
		return false;
	if (inode != file->st_ino || makedev(major_number, minor_number) != file->st_dev ||
	    end <= start)
		return false;
	*ret = (struct mapping){
		.start = (void *)(uintptr_t)start,
		.size = end - start,
		.prot = (mode[0] == 'r' ? PROT_READ : 0) | (mode[1] == 'w' ? PROT_WRITE : 0) |
			(mode[2] == 'x' ? PROT_EXEC : 0),
	};
	return true;
}

static int find_mappings(const struct stat *file, struct mappings *ret)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	struct mapping mapping;
	size_t size = 0;
	char *line = NULL;
	int err = 0;

	if (!maps)
		return -errno;
	while (!err && getline(&line, &size, maps) >= 0)
		if (parse_mapping(line, file, &mapping))
			err = add_mapping(ret, &mapping);
	if (!err && ferror(maps))
		err = -EIO;
	free(line);
	fclose(maps);
	return err;
}

/* Replaces the mapping in one step, so that a thread using it never faults. */
static int replace_mapping(const struct mapping *mapping)
{
	struct iovec from = {mapping->start, mapping->size}, to = {NULL, mapping->size};
	void *fresh;
	int err;

	fresh = mmap(NULL, mapping->size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1,
		     0);
	if (fresh == MAP_FAILED)
		return -errno;
	to.iov_base = fresh;
	/* Unlike a plain copy, this cannot fault on device registers or on memory that is gone. */
	if (mapping->prot & PROT_READ)
		(void)process_vm_readv(getpid(), &to, 1, &from, 1, 0);
	if (mprotect(fresh, mapping->size, mapping->prot) < 0 ||
	    mremap(fresh, mapping->size, mapping->size, MREMAP_MAYMOVE | MREMAP_FIXED,
		   mapping->start) == MAP_FAILED) {
		err = -errno;
		munmap(fresh, mapping->size);
		return err;
	}
	return 0;
}

static int is_open_elsewhere(const struct stat *file)
{
	DIR *dir = opendir("/proc/self/fd");
	struct dirent *entry;
	bool found = false;

	if (!dir)
		return -errno;
	while (!found && (entry = readdir(dir)) != NULL) {
		struct stat st;

		found = fstatat(dirfd(dir), entry->d_name, &st, 0) == 0 &&
			hfi_release_is_same(&st, file);
	}
	closedir(dir);
	return found;
}

/*
 * Check before: another thread may be about to unmap and close a listed mapping. Check after: a
 * mapping made meanwhile belongs to a file that is open by then.
 */
int hfi_release_leftovers(const struct stat *file)
{
	struct mappings mappings = {0};
	int open = is_open_elsewhere(file), err;

	if (open)
		return open < 0 ? open : -EBUSY;
	err = find_mappings(file, &mappings);
	open = err || !mappings.count ? 0 : is_open_elsewhere(file);
	if (open)
		err = open < 0 ? open : -EBUSY;
	for (size_t i = 0; !err && i < mappings.count; i++)
		err = replace_mapping(&mappings.v[i]);
	free(mappings.v);
	return err;
}

static int release_mappings(const struct stat *file)
{
	struct mappings mappings = {0};
	int count = 0, err;

	err = find_mappings(file, &mappings);
	for (size_t i = 0; i < mappings.count; i++) {
		int one = replace_mapping(&mappings.v[i]);

		if (one)
			err = one;
		else
			count++;
	}
	free(mappings.v);
	return err ? err : count;
}

int hfi_release_file(const struct stat *file, int dead)
{
	int fds = release_fds(file, dead);
	int mappings = release_mappings(file);

	if (fds < 0)
		return fds;
	return mappings < 0 ? mappings : fds + mappings;
}
