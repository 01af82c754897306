/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads and replaces the file that holds the cache. */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/resource.h>

#include "shared/file.h"
#include "shared/userns.h"
#include "core/foreign/cache.h"
#include "core/foreign/cache_file.h"

static const char name[] = "providers";

/* In a user namespace that does not map root, root's cache still belongs to root. */
static bool is_safe_cache(const char *dir, const struct stat *st)
{
	return hfi_is_trusted(st) ||
	       (!strcmp(dir, HF_CACHE_DIR) && !(st->st_mode & (S_IWGRP | S_IWOTH)) &&
		hfi_uid_is_unmapped(st->st_uid));
}

static int open_dir(const char *dir)
{
	int fd = open(dir, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	struct stat st;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) == 0 && is_safe_cache(dir, &st))
		return fd;
	hfi_close(&fd);
	return -EPERM;
}

static int read_cache_text(const char *path, int dir, char **ret)
{
	int fd = openat(dir, name, O_RDONLY | O_NOFOLLOW | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	char *text = NULL;
	size_t length = 0;
	struct stat st;
	int err = -EINVAL;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode) || !is_safe_cache(path, &st) ||
	    st.st_size > HF_CACHE_MAX)
		goto close_file;
	text = malloc((size_t)st.st_size + 1);
	err = -ENOMEM;
	if (!text)
		goto close_file;
	while (length < (size_t)st.st_size) {
		ssize_t got = read(fd, text + length, (size_t)st.st_size - length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got <= 0)
			break;
		length += (size_t)got;
	}
	text[length] = '\0';
	*ret = text;
	err = 0;
close_file:
	hfi_close(&fd);
	return err;
}

int hfi_cache_load(const char *dir, struct hf_cache *ret)
{
	struct hf_cache cache = {0};
	char *text = NULL;
	int fd = open_dir(dir);
	int err;

	*ret = cache;
	if (fd < 0)
		return 0;
	err = read_cache_text(dir, fd, &text);
	if (!err) {
		err = hfi_cache_parse(text, &cache);
		free(text);
	}
	hfi_close(&fd);
	if (!err)
		*ret = cache;
	return err == -ENOMEM ? err : 0;
}

static int write_all(int fd, const char *text, size_t size)
{
	while (size) {
		ssize_t put = write(fd, text, size);

		if (put < 0 && errno == EINTR)
			continue;
		if (put < 0)
			return -errno;
		text += put;
		size -= (size_t)put;
	}
	return 0;
}

int hfi_cache_save(const char *dir, const struct hf_cache *cache)
{
	struct rlimit limit;
	char new_name[32], *text;
	size_t size;
	int fd, file = -1, err;

	/* Create only the last directory: its parent belongs to the system or the user. */
	if (mkdir(dir, geteuid() == 0 ? 0755 : 0700) < 0 && errno != EEXIST)
		return -errno;
	fd = open_dir(dir);
	if (fd < 0)
		return fd;
	err = hfi_cache_print(cache, &text, &size);
	if (err)
		goto close_dir;
	/* Writing past the process's file size limit would raise SIGXFSZ. */
	if (getrlimit(RLIMIT_FSIZE, &limit) == 0 && limit.rlim_cur < size) {
		err = -EFBIG;
		goto free_text;
	}
	/* A context has one scan at a time, and O_EXCL keeps contexts apart. */
	snprintf(new_name, sizeof(new_name), "new-%ld", (long)getpid());
	file = openat(fd, new_name, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0644);
	if (file < 0) {
		err = -errno;
		/* A process that was killed left it; the next one can create it again. */
		if (err == -EEXIST)
			unlinkat(fd, new_name, 0);
		goto free_text;
	}
	err = write_all(file, text, size);
	if (!err && renameat(fd, new_name, fd, name) < 0)
		err = -errno;
	if (err)
		unlinkat(fd, new_name, 0);
	hfi_close(&file);
free_text:
	free(text);
close_dir:
	hfi_close(&fd);
	return err;
}
