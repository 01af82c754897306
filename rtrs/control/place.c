/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds and makes the directory of control sockets. */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtrs/control/place.h"
#include "shared/runtime_dir.h"
#include "shared/text.h"

enum { OTHERS = S_IRWXG | S_IRWXO };

/* Ours, or root's if we are not: then it cannot be anybody else's either. */
static int check_place(int fd)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISDIR(st.st_mode))
		return -ENOTDIR;
	/* Root looks where a user's sockets are only if it was told to. */
	return (st.st_uid == geteuid() || !geteuid()) && !(st.st_mode & OTHERS) ? 0 : -EACCES;
}

int rtrsi_control_place_at(const char *path)
{
	int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC), err;

	if (fd < 0)
		return -errno;
	err = check_place(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

/* Below `base`, which is closed. What others could have put there is not followed. */
static int enter_place(int base, const char *name, mode_t mode, bool make)
{
	int fd, err;

	if (make && mkdirat(base, name, mode) < 0 && errno != EEXIST)
		err = -errno;
	else
		err = 0;
	fd = err ? err : openat(base, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (!err && fd < 0)
		fd = -errno;
	close(base);
	return fd;
}

static bool is_only_ours_to_write(int fd)
{
	struct stat st;

	return !fstat(fd, &st) && st.st_uid == geteuid() && !(st.st_mode & (S_IWGRP | S_IWOTH));
}

static int runtime_base(bool make)
{
	char path[PATH_MAX];
	int err, fd;

	if (!geteuid())
		err = hfi_copy(path, sizeof(path), "/run");
	else if (make)
		err = hfi_runtime_dir_make(path, sizeof(path));
	else
		err = hfi_runtime_dir(path, sizeof(path));
	if (err)
		return err;
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

static int default_place(bool make)
{
	int fd = runtime_base(make), err;

	if (fd >= 0)
		fd = enter_place(fd, "holdfast", S_IRWXU | S_IRGRP | S_IXGRP | S_IROTH | S_IXOTH,
				 make);
	if (fd < 0)
		return fd;
	if (!is_only_ours_to_write(fd)) {
		close(fd);
		return -EACCES;
	}
	fd = enter_place(fd, "rtrs", S_IRWXU, make);
	if (fd < 0)
		return fd;
	err = check_place(fd);
	if (!err)
		return fd;
	close(fd);
	return err;
}

int rtrsi_control_place(bool make)
{
	const char *given = secure_getenv("HOLDFAST_RTRS_CONTROL");

	if (!given || !*given)
		return default_place(make);
	return *given == '/' ? rtrsi_control_place_at(given) : -ENOENT;
}

int rtrsi_control_address(int place, const char *name, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	return hfi_print(ret->sun_path, sizeof(ret->sun_path), "/proc/self/fd/%d/%s", place, name);
}
