/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Makes and removes the file of a listening Unix socket, with a lock file beside it held: a socket that is bound
 * and does not listen yet looks like one that was left behind.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "rtrs/link/stream/private.h"
#include "shared/text.h"

#define LOCK_SUFFIX ".rtrs-lock"

enum {
	LOCK_NAME_SIZE = sizeof(((struct sockaddr_un *)NULL)->sun_path) + sizeof(LOCK_SUFFIX),
	LOCK_TRIES = 64,
};

struct socket_lock {
	char name[LOCK_NAME_SIZE];
	int fd;
};

/* It was not removed by whoever had it before; and it is nothing that somebody may need. */
static bool is_lock_file(int fd, const char *name)
{
	struct stat mine, named;

	return !fstat(fd, &mine) && S_ISREG(mine.st_mode) && !mine.st_size &&
	       !lstat(name, &named) && mine.st_dev == named.st_dev && mine.st_ino == named.st_ino;
}

static int try_to_lock(struct socket_lock *lock)
{
	int err = -EAGAIN;

	lock->fd = open(lock->name, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
	if (lock->fd < 0)
		return -errno;
	if (flock(lock->fd, LOCK_EX | LOCK_NB))
		err = errno == EWOULDBLOCK ? -EADDRINUSE : -errno;
	else if (is_lock_file(lock->fd, lock->name))
		return 0;
	close(lock->fd);
	return err;
}

/* -EADDRINUSE: another has it, who is about to listen there or to end. */
static int lock_socket_file(const char *path, struct socket_lock *lock)
{
	int err = hfi_print(lock->name, sizeof(lock->name), "%s" LOCK_SUFFIX, path);

	if (err)
		return err;
	err = -EAGAIN;
	for (int i = 0; i < LOCK_TRIES && err == -EAGAIN; i++)
		err = try_to_lock(lock);
	return err == -EAGAIN ? -EADDRINUSE : err;
}

static void unlock_socket_file(const struct socket_lock *lock)
{
	unlink(lock->name);
	close(lock->fd);
}

static void name_address(const char *path, struct sockaddr_un *ret)
{
	*ret = (struct sockaddr_un){.sun_family = AF_UNIX};
	(void)!hfi_copy(ret->sun_path, sizeof(ret->sun_path), path);
}

/* Removes a socket to which nobody listens any more. */
static bool is_left_behind(const struct sockaddr_un *address)
{
	struct stat st;
	bool is_refused;
	int fd;

	if (lstat(address->sun_path, &st) || !S_ISSOCK(st.st_mode))
		return false;
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return false;
	is_refused = connect(fd, (const struct sockaddr *)address, sizeof(*address)) &&
		     errno == ECONNREFUSED;
	close(fd);
	return is_refused;
}

static int bind_locked(int fd, const struct sockaddr_un *address)
{
	if (!bind(fd, (const struct sockaddr *)address, sizeof(*address)))
		return 0;
	if (errno != EADDRINUSE)
		return -errno;
	if (!is_left_behind(address))
		return -EADDRINUSE;
	if (unlink(address->sun_path) && errno != ENOENT)
		return -errno;
	return bind(fd, (const struct sockaddr *)address, sizeof(*address)) ? -errno : 0;
}

int rtrsi_stream_bind_file(int fd, const char *path, struct rtrs_stream_file *ret)
{
	struct sockaddr_un address;
	struct socket_lock lock;
	struct stat st;
	int err = lock_socket_file(path, &lock);

	if (err)
		return err;
	name_address(path, &address);
	err = bind_locked(fd, &address);
	if (err)
		goto not_bound;
	if (lstat(path, &st) || listen(fd, SOMAXCONN)) {
		err = -errno;
		unlink(path);
		goto not_bound;
	}
	*ret = (struct rtrs_stream_file){st.st_dev, st.st_ino};
not_bound:
	unlock_socket_file(&lock);
	return err;
}

/* While another has the lock it is left behind: the next one to listen there replaces it. */
void rtrsi_stream_remove_file(const char *path, const struct rtrs_stream_file *file)
{
	struct socket_lock lock;
	struct stat st;
	int err = lock_socket_file(path, &lock);

	if (err == -EADDRINUSE)
		return;
	if (!lstat(path, &st) && st.st_dev == file->device && st.st_ino == file->inode)
		unlink(path);
	if (!err)
		unlock_socket_file(&lock);
}
