/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sysfs helpers that old programs import: ibv_get_sysfs_path(), ibv_read_sysfs_file(). */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/attr.h"
#include "shared/file.h"
#include "core/compat.h"
#include "core/device/attributes.h"
#include "core/verbs/sysfs_compat.h"

enum { ROOT_SIZE = 256 };

/* Static: the string is handed out for good, and the call is given no context. */
static struct {
	pthread_once_t once;
	char path[ROOT_SIZE];
} root = {.once = PTHREAD_ONCE_INIT, .path = "/sys"};

static void read_root(void)
{
	const char *given = secure_getenv("SYSFS_PATH");
	size_t length;

	if (!given)
		return;
	/* libibverbs cuts off a longer value and looks elsewhere; here it counts as unset. */
	length = strlen(given);
	while (length && given[length - 1] == '/')
		length--;
	if (length >= sizeof(root.path))
		return;
	memcpy(root.path, given, length);
	root.path[length] = '\0';
}

HF_EXPORT const char *ibv_get_sysfs_path(void)
{
	pthread_once(&root.once, read_root);
	return root.path;
}

static ssize_t read_once(int dirfd, const char *file, char *buf, size_t size)
{
	int fd = openat(dirfd, file, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -1;
	do
		length = read(fd, buf, size);
	while (length < 0 && errno == EINTR);
	hfi_close(&fd);
	return length;
}

HF_EXPORT int ibv_read_sysfs_file(const char *dir, const char *file, char *buf, size_t size)
{
	int dirfd = open(dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	ssize_t length;

	if (dirfd < 0)
		return -1;
	length = read_once(dirfd, file, buf, size);
	hfi_close(&dirfd);
	if (length <= 0)
		return (int)length;
	if (buf[length - 1] == '\n') {
		buf[--length] = '\0';
	} else if ((size_t)length < size) {
		buf[length] = '\0';
	} else {
		/* The buffer is full: the value may have been cut off. */
		errno = EOVERFLOW;
		length = -1;
	}
	return (int)length;
}

struct file_read {
	const char *path;
	char *value;
	size_t size;
};

static int read_device_file(int dir, const struct hf_entry *entry, void *arg)
{
	const struct file_read *file = arg;

	(void)entry;
	return (int)hfi_read_file(dir, file->path, file->value, file->size, NULL);
}

ssize_t hfi_compat_read_device_file(struct verbs_sysfs_dev *sysfs, const char *path, char *value,
				    size_t size)
{
	/* A provider is given the first member of the device (core/device/device.h). */
	struct hf_device *device = (struct hf_device *)(void *)sysfs;
	struct file_read file = {path, value, size};

	/*
	 * The made-up device with which a library is tried (core/compat_scan.c) has no directory.
	 */
	if (!device->hf)
		return -ENOENT;
	return hfi_with_dir(device, read_device_file, &file);
}
