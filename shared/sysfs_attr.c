/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the attributes, links and entries of a directory of sysfs. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "shared/file.h"
#include "shared/sysfs_attr.h"
#include "shared/text.h"

enum { LINK_SIZE = 4096 };

int hfi_attr_text(int dir, const char *path, char *value, size_t size)
{
	/* The files of a device directory are plain; its links lead to other devices. */
	ssize_t length = hfi_read_bytes(dir, path, O_NOFOLLOW, value, size, NULL);

	if (length < 0)
		return (int)length;
	return hfi_end_text(value, size, length) < 0 ? -EBADMSG : 0;
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
	base = hfi_last_component(target);
	if (!*base || strlen(base) >= size)
		return -EBADMSG;
	strcpy(name, base);
	return 0;
}

int hfi_attr_entries(int dir, int (*each)(void *arg, int dir, const char *name), void *arg)
{
	int fd = hfi_open_dir_to_read(dir, "."), ret = 0;
	struct dirent *entry;
	DIR *list;

	if (fd < 0)
		return fd;
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
