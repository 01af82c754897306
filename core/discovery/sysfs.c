/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens the class directories of a root, and reads attributes with few system calls. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>
#include <linux/magic.h>
#include <sys/vfs.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/sysfs.h"

bool hfi_error_is_gone(int err)
{
	/*
	 * When a device is gone, its held sysfs directory returns ENOENT, an open attribute ENODEV.
	 */
	return err == -ENOENT || err == -ENODEV || err == -ENOTDIR || err == -ENXIO;
}

static int open_class_dir(const struct hf_search_root *root, const char *name)
{
	char path[HF_PATH_SIZE + 32];
	int fd = hfi_print(path, sizeof(path), "%s/class/%s", root->sysfs, name);

	if (!fd)
		fd = hfi_open_dir(AT_FDCWD, path);
	return fd;
}

int hfi_classes_open(const struct hf_search_root *root, struct hf_classes *ret)
{
	struct hf_classes here = {.kind = root->kind, .verbs = -1, .ib = -1};

	here.verbs = open_class_dir(root, "infiniband_verbs");
	if (here.verbs < 0 && here.verbs != -ENOENT)
		return here.verbs;
	/*
	 * Without class/infiniband, every device of class/infiniband_verbs is listed as half made.
	 */
	if (here.verbs >= 0) {
		here.ib = open_class_dir(root, "infiniband");
		if (hfi_error_is_shortage(here.ib)) {
			hfi_close(&here.verbs);
			return here.ib;
		}
	}
	ret->kind = here.kind;
	ret->verbs = here.verbs < 0 ? -1 : here.verbs;
	ret->ib = here.ib < 0 ? -1 : here.ib;
	ret->error = here.verbs < 0 ? here.verbs : here.ib;
	return 0;
}

int hfi_open_ib_dir(const struct hf_classes *classes, const char *name)
{
	if (classes->ib < 0 || !hfi_is_component(name, HF_NAME_SIZE - 1))
		return -ENOENT;
	return hfi_open_dir(classes->ib, name);
}

void hfi_classes_close(struct hf_classes *classes)
{
	hfi_close(&classes->verbs);
	hfi_close(&classes->ib);
}

/* Reads the text as it is, with its newline. */
static ssize_t read_text(int fd, char *value, size_t size)
{
	size_t length = 0;

	/*
	 * pread() at 0 makes the kernel produce the text anew; a second part must follow the first.
	 */
	while (length < size) {
		ssize_t got = pread(fd, value + length, size - length, (off_t)length);

		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		length += (size_t)got;
		if (got == 0 || value[length - 1] == '\n')
			break;
	}
	return (ssize_t)length;
}

ssize_t hfi_attr_again(int fd, char *value, size_t size)
{
	return hfi_end_text(value, size, read_text(fd, value, size));
}

static bool is_on_sysfs(int fd)
{
	struct statfs fs;

	return fstatfs(fd, &fs) == 0 && fs.f_type == SYSFS_MAGIC;
}

/*
 * The kernel adds one newline; another one is part of the name. In a tree that user space writes, a shorter name is
 * padded with newlines until the file is cut, so none is part of a name.
 */
static size_t without_newlines(int fd, const char *text, size_t length)
{
	if (length > 0 && text[length - 1] == '\n')
		length--;
	if (length == 0 || text[length - 1] != '\n' || is_on_sysfs(fd))
		return length;
	while (length > 0 && text[length - 1] == '\n')
		length--;
	return length;
}

int hfi_attr_name_again(int fd, char name[HF_NAME_SIZE])
{
	char text[HF_NAME_SIZE + 1];
	ssize_t length = read_text(fd, text, sizeof(text));

	if (length < 0)
		return (int)length;
	length = (ssize_t)without_newlines(fd, text, (size_t)length);
	if (length == 0 || memchr(text, '\0', (size_t)length))
		return -EINVAL;
	if (length >= HF_NAME_SIZE)
		return -ERANGE;
	memcpy(name, text, (size_t)length);
	name[length] = '\0';
	return 0;
}

static int open_attr(int dirfd, const char *path)
{
	int fd;

	/* O_NONBLOCK: a made-up tree may hold a FIFO, and opening one must not wait for a writer. */
	do
		fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	return fd < 0 ? -errno : fd;
}

int hfi_attr_read_name(int dirfd, const char *path, char name[HF_NAME_SIZE], int *keep)
{
	int fd = open_attr(dirfd, path);
	int err;

	if (fd < 0)
		return fd;
	err = hfi_attr_name_again(fd, name);
	if (err)
		hfi_close(&fd);
	else
		*keep = fd;
	return err;
}

ssize_t hfi_attr_read(int dirfd, const char *path, char *value, size_t size, int *keep)
{
	ssize_t length;
	int fd = open_attr(dirfd, path);

	if (fd < 0)
		return fd;
	length = hfi_attr_again(fd, value, size);
	if (length >= 0 && keep)
		*keep = fd;
	else
		hfi_close(&fd);
	return length;
}
