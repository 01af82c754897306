/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reports the removal of a device from a tree that user space writes.
 *
 * The tree's writer puts a FIFO into the device's directory. It opens the FIFO for writing, removes
 * the directory, and closes the FIFO. A reader that opened it before then sees the end of the file,
 * permanently, since the kernel compares the counter of writers with its value at the reader's open
 * (fs/pipe.c, pipe_poll()). If the writer is killed, the kernel closes the FIFO. This costs one
 * descriptor in each process, without a limit for the user; inotify allows a user 128 instances in
 * total.
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

/*
 * Opening another kind of file may block or have side effects: check its type before and its
 * identity after.
 */
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

/* In a tree without a FIFO inotify reports that the directory is moved or removed. */
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
