/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/sysfs_attr.h"

enum { LINK_SIZE = 4096 };

int hfi_attr_dir(int dir, const char *path)
{
	int fd = openat(dir, path, O_PATH | O_DIRECTORY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

ssize_t hfi_attr_bytes(int dir, const char *path, void *value, size_t size)
{
	/* Should a FIFO stand there, nobody waits for its writer. */
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
	struct stat st;
	size_t got = 0;
	ssize_t part;
	int err = 0;

	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else if (!S_ISREG(st.st_mode))
		err = -EBADMSG;
	while (!err && got < size) {
		part = read(fd, (char *)value + got, size - got);
		if (part == 0)
			break;
		if (part > 0)
			got += (size_t)part;
		else if (errno != EINTR)
			err = -errno;
	}
	close(fd);
	return err ? err : (ssize_t)got;
}

int hfi_attr_text(int dir, const char *path, char *value, size_t size)
{
	ssize_t length = hfi_attr_bytes(dir, path, value, size);

	if (length < 0)
		return (int)length;
	if (length > 0 && value[length - 1] == '\n')
		length--;
	if ((size_t)length == size || memchr(value, '\0', (size_t)length))
		return -EBADMSG;
	value[length] = '\0';
	return 0;
}

int hfi_decimal(const char *text, uint32_t *ret)
{
	uint64_t value = 0;
	size_t length = strspn(text, "0123456789");

	if (!length || length > 10 || text[length] || (*text == '0' && length > 1))
		return -EBADMSG;
	for (size_t i = 0; i < length; i++)
		value = value * 10 + (uint64_t)(text[i] - '0');
	if (value > UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)value;
	return 0;
}

int hfi_attr_link(int dir, const char *path, char *name, size_t size)
{
	char target[LINK_SIZE];
	ssize_t length = readlinkat(dir, path, target, sizeof(target));
	const char *base;

	if (length < 0)
		return -errno;
	if ((size_t)length == sizeof(target))
		return -EBADMSG;
	target[length] = '\0';
	base = strrchr(target, '/');
	base = base ? base + 1 : target;
	if (!*base || strlen(base) >= size)
		return -EBADMSG;
	strcpy(name, base);
	return 0;
}

int hfi_attr_entries(int dir, int (*each)(void *arg, int dir, const char *name), void *arg)
{
	int fd = openat(dir, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), ret = 0;
	struct dirent *entry;
	DIR *list;

	if (fd < 0)
		return -errno;
	list = fdopendir(fd);
	if (!list) {
		ret = -errno;
		close(fd);
		return ret;
	}
	for (int count = 0; !ret; count++) {
		errno = 0;
		entry = readdir(list);
		if (!entry) {
			ret = -errno;
			break;
		}
		if (count == HF_ATTR_ENTRIES)
			ret = -E2BIG;
		else
			ret = each(arg, dir, entry->d_name);
	}
	closedir(list);
	return ret;
}
