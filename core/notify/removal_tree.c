/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * How the removal of a device is heard in a tree that user space writes.
 *
 * Its writer puts a FIFO into the device's directory, and opens it for writing before it takes the
 * directory away and closes it after that. A reader that had it open then sees the end of the file,
 * for ever, since the kernel compares a counter of writers with the one at the time of its open
 * (fs/pipe.c, pipe_poll()). The kernel also closes the FIFO for a writer that is killed. This costs a
 * descriptor, which any number of processes may have; inotify allows a user 128 in all.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/inotify.h>
#include <sys/stat.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/notify/inotify_fd.h"
#include "core/notify/removal_tree.h"

static const char fifo_name[] = "removal";

/* To open something else may block or do something: look before, and prove it after. */
static int open_fifo(int dir)
{
	struct stat st;
	int err, fd;

	if (fstatat(dir, fifo_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
		return -errno;
	if (!S_ISFIFO(st.st_mode))
		return -EINVAL;
	fd = openat(dir, fifo_name, O_RDONLY | O_NONBLOCK | O_NOFOLLOW | O_NOCTTY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else
		err = S_ISFIFO(st.st_mode) ? 0 : -EINVAL;
	if (err)
		hfi_close(&fd);
	return err ? err : fd;
}

/* A tree without a FIFO: inotify tells when the directory is moved away or removed. */
static int watch_dir(const char *path)
{
	int fd = hfi_inotify_fd_new();
	int err;

	if (fd < 0)
		return fd;
	if (inotify_add_watch(fd, path, IN_DELETE_SELF | IN_MOVE_SELF | IN_ONLYDIR) < 0) {
		err = errno == ENOENT ? -ENODEV : -errno;
		hfi_close(&fd);
		return err;
	}
	return fd;
}

int hfi_removal_tree_open(const char *sysfs, const char *uverbs)
{
	char path[512];
	int dir, fd;

	fd = hfi_print(path, sizeof(path), "%s/class/infiniband_verbs/%s", sysfs, uverbs);
	if (fd)
		return fd;
	dir = hfi_open_dir(AT_FDCWD, path);
	if (dir < 0)
		return dir == -ENOENT ? -ENODEV : dir;
	fd = open_fifo(dir);
	hfi_close(&dir);
	return fd >= 0 || hfi_error_is_shortage(fd) ? fd : watch_dir(path);
}
