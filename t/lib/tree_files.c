/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "t/lib/tree_files.h"

int tree_put(int dirfd, const char *path, const char *value)
{
	char text[512];
	struct stat st;
	size_t length = strlen(value) + 1;
	size_t padded;
	int fd;
	int err = 0;

	if (length > sizeof(text))
		return -E2BIG;
	fd = openat(dirfd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	memset(text, '\n', sizeof(text));
	memcpy(text, value, length - 1);
	if (fstat(fd, &st) < 0) {
		err = -errno;
		goto close_file;
	}
	/* A shorter text is padded with newlines, which readers strip, before the file is cut. */
	padded = (size_t)st.st_size > length ? (size_t)st.st_size : length;
	if (padded > sizeof(text))
		err = -E2BIG;
	else if (pwrite(fd, text, padded, 0) != (ssize_t)padded)
		err = -EIO;
	else if (padded > length && ftruncate(fd, (off_t)length) < 0)
		err = -errno;
close_file:
	close(fd);
	return err;
}

int tree_mkdirs(int dirfd, const char *path)
{
	char part[512];
	size_t length = strlen(path);

	if (length >= sizeof(part))
		return -ENAMETOOLONG;
	for (size_t i = 1; i <= length; i++) {
		if (path[i] != '/' && path[i] != '\0')
			continue;
		memcpy(part, path, i);
		part[i] = '\0';
		if (mkdirat(dirfd, part, 0755) < 0 && errno != EEXIST)
			return -errno;
	}
	return 0;
}

static int erase_below(int fd)
{
	struct dirent *entry;
	DIR *dir = fdopendir(fd);
	int err = 0;

	if (!dir) {
		err = -errno;
		close(fd);
		return err;
	}
	while (!err && (entry = readdir(dir)))
		if (strcmp(entry->d_name, ".") != 0 && strcmp(entry->d_name, "..") != 0)
			err = tree_erase(dirfd(dir), entry->d_name);
	closedir(dir);
	return err;
}

int tree_erase(int dirfd, const char *path)
{
	int err;
	int fd;

	if (unlinkat(dirfd, path, 0) == 0 || errno == ENOENT)
		return 0;
	if (errno != EISDIR && errno != EPERM)
		return -errno;
	/* A test may have taken the permissions away. */
	fchmodat(dirfd, path, 0700, 0);
	fd = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	err = erase_below(fd);
	if (!err && unlinkat(dirfd, path, AT_REMOVEDIR) < 0)
		err = -errno;
	return err;
}

static void guid_text(char text[20], uint64_t guid)
{
	snprintf(text, 20, "%04x:%04x:%04x:%04x", (unsigned int)(guid >> 48) & 0xffff,
		 (unsigned int)(guid >> 32) & 0xffff, (unsigned int)(guid >> 16) & 0xffff,
		 (unsigned int)guid & 0xffff);
}

struct attribute {
	const char *path;
	const char *value;
};

static int put_all(int dirfd, const struct attribute *attributes, size_t count)
{
	int err = 0;

	for (size_t i = 0; i < count && !err; i++)
		err = tree_put(dirfd, attributes[i].path, attributes[i].value);
	return err;
}

static int fill_gid(int port, unsigned int n, unsigned int i, uint64_t guid,
		    const struct tree_options *options)
{
	char path[64], value[64], low[20];
	int err;

	guid_text(low, guid);
	if (i == 0)
		snprintf(value, sizeof(value), "fe80:0000:0000:0000:%s", low);
	else if (i == 1)
		snprintf(value, sizeof(value), "0000:0000:0000:0000:0000:ffff:0a00:%04x",
			 n & 0xffff);
	else
		snprintf(value, sizeof(value), "0000:0000:0000:0000:0000:0000:0000:0000");
	snprintf(path, sizeof(path), "gids/%u", i);
	err = tree_put(port, path, value);
	/* In place of an unused entry's type the kernel answers EINVAL; a file cannot. */
	if (err || i > 1)
		return err;
	snprintf(path, sizeof(path), "gid_attrs/types/%u", i);
	err = tree_put(port, path, options->gid_type);
	snprintf(path, sizeof(path), "gid_attrs/ndevs/%u", i);
	if (!err && options->netdev[0])
		err = tree_put(port, path, options->netdev);
	return err;
}

static int fill_port(int dirfd, unsigned int n, unsigned int p, uint64_t guid,
		     const struct tree_options *options)
{
	const struct attribute attributes[] = {
		{"state", "4: ACTIVE"},
		{"phys_state", "5: LinkUp"},
		{"rate", "10 Gb/sec (4X)"},
		{"link_layer", options->link_layer},
		{"lid", "0x0"},
		{"sm_lid", "0x0"},
		{"lid_mask_count", "0"},
		{"sm_sl", "0"},
		{"cap_mask", "0x00890000"},
		{"pkeys/0", "0xffff"},
	};
	char path[64];
	int err;
	int port;

	snprintf(path, sizeof(path), "ports/%u/gid_attrs/types", p);
	err = tree_mkdirs(dirfd, path);
	snprintf(path, sizeof(path), "ports/%u/gid_attrs/ndevs", p);
	if (!err)
		err = tree_mkdirs(dirfd, path);
	snprintf(path, sizeof(path), "ports/%u", p);
	if (err)
		return err;
	port = openat(dirfd, path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (port < 0)
		return -errno;
	err = tree_mkdirs(port, "gids");
	if (!err)
		err = tree_mkdirs(port, "pkeys");
	if (!err)
		err = put_all(port, attributes, sizeof(attributes) / sizeof(attributes[0]));
	for (unsigned int i = 0; i < options->gids && !err; i++)
		err = fill_gid(port, n, i, guid + p - 1, options);
	close(port);
	return err;
}

int tree_fill_device(int dirfd, unsigned int n, uint64_t guid, const struct tree_options *options)
{
	char text[20];
	const struct attribute attributes[] = {
		{"node_type", options->node_type}, {"node_guid", text}, {"sys_image_guid", text},
		{"node_desc", "made up"},	   {"fw_ver", "1.0.0"},
	};
	int err;

	guid_text(text, guid);
	err = put_all(dirfd, attributes, sizeof(attributes) / sizeof(attributes[0]));
	for (unsigned int p = 1; p <= options->ports && !err; p++)
		err = fill_port(dirfd, n, p, guid, options);
	return err;
}

int tree_fill_uverbs(int dirfd, unsigned int n, const char *name,
		     const struct tree_options *options)
{
	char number[32], abi[16];
	const struct attribute attributes[] = {
		{"ibdev", name}, {"dev", number}, {"abi_version", abi}};
	int err;

	if (options->node == TREE_NODE_NULL || options->node == TREE_NODE_NONE)
		snprintf(number, sizeof(number), "1:3");
	else
		snprintf(number, sizeof(number), "231:%u", n);
	snprintf(abi, sizeof(abi), "%u", options->abi);
	err = put_all(dirfd, attributes, sizeof(attributes) / sizeof(attributes[0]));
	if (!err && mkfifoat(dirfd, "removal", 0644) < 0)
		err = -errno;
	if (!err && options->modalias) {
		err = tree_mkdirs(dirfd, "device");
		if (!err)
			err = tree_put(dirfd, "device/modalias", options->modalias);
	}
	return err;
}
