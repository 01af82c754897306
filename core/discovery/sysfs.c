/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens the class directories of a root, and reads attributes with few system calls. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

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

void hfi_classes_close(struct hf_classes *classes)
{
	hfi_close(&classes->verbs);
	hfi_close(&classes->ib);
}

ssize_t hfi_attr_again(int fd, char *value, size_t size)
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
	return hfi_end_text(value, size, (ssize_t)length);
}

ssize_t hfi_attr_read(int dirfd, const char *path, char *value, size_t size, int *keep)
{
	ssize_t length;
	int fd;

	/* O_NONBLOCK: a made-up tree may hold a FIFO, and opening one must not wait for a writer. */
	do
		fd = openat(dirfd, path, O_RDONLY | O_CLOEXEC | O_NOCTTY | O_NONBLOCK);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	length = hfi_attr_again(fd, value, size);
	if (length >= 0 && keep)
		*keep = fd;
	else
		hfi_close(&fd);
	return length;
}
