/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Asks processes by their control sockets. What they answer is not trusted. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "rtrs/control/query.h"
#include "shared/clock.h"
#include "shared/file.h"
#include "shared/text.h"

/* --- sockets of the dead ------------------------------------------------------------------------- */

/* "1234.89abcdef", or with a dot before it while it does not listen yet. 0: no socket of ours. */
static pid_t pid_of_name(const char *name)
{
	char text[RTRS_CONTROL_NAME_SIZE];
	uint64_t pid;
	char *dot;

	if (*name == '.')
		name++;
	if (hfi_copy(text, sizeof(text), name))
		return 0;
	dot = strchr(text, '.');
	if (!dot)
		return 0;
	*dot = '\0';
	return hfi_parse_number(text, 10, INT32_MAX, &pid) ? 0 : (pid_t)pid;
}

static bool has_process_ended(pid_t pid)
{
	return kill(pid, 0) < 0 && errno == ESRCH;
}

static int connect_socket(int place, const char *name)
{
	struct sockaddr_un address;
	int err = rtrsi_control_address(place, name, &address), fd;

	if (err)
		return err;
	/* It never waits: where the queue is full the answer is -EAGAIN. */
	fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	if (!connect(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	err = -errno;
	close(fd);
	return err;
}

/* Only the owner of the directory and root can create a socket there: see place.h. */
static int peer_of(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t size = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) < 0)
		return -errno;
	if (pid)
		*pid = peer.pid;
	return 0;
}

/*
 * A number means nothing here if it is of another name space, where that process may be alive. So a socket is dead
 * if it refuses; or if the kernel, too, says that it was of this process: its child may have the descriptor still.
 */
static void remove_if_dead(int place, const char *name, pid_t pid)
{
	struct stat st;
	pid_t owner = 0;
	bool is_dead;
	int fd;

	if (fstatat(place, name, &st, AT_SYMLINK_NOFOLLOW) < 0 || !S_ISSOCK(st.st_mode))
		return;
	fd = connect_socket(place, name);
	if (fd >= 0) {
		is_dead = !peer_of(fd, &owner) && owner == pid;
		close(fd);
	} else {
		is_dead = fd == -ECONNREFUSED;
	}
	if (is_dead)
		unlinkat(place, name, 0);
}

int rtrsi_query_each(int place, int (*each)(void *arg, const char *name), void *arg)
{
	int fd = openat(place, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC), result = 0;
	const struct dirent *entry;
	DIR *dir;

	if (fd < 0)
		return -errno;
	dir = fdopendir(fd);
	if (!dir) {
		close(fd);
		return -ENOMEM;
	}
	while (!result && (entry = readdir(dir))) {
		pid_t pid = pid_of_name(entry->d_name);

		if (!pid)
			continue;
		if (has_process_ended(pid))
			remove_if_dead(place, entry->d_name, pid);
		if (*entry->d_name != '.' &&
		    !faccessat(place, entry->d_name, F_OK, AT_SYMLINK_NOFOLLOW))
			result = each(arg, entry->d_name);
	}
	closedir(dir);
	return result;
}

/* --- requests ------------------------------------------------------------------------------------ */

/*
 * Waits until the deadline; with INT64_MAX without end, but a signal that the program handles ends
 * it.
 */
static int wait_for_answer(int fd, int64_t deadline_ms)
{
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};
	bool is_endless = deadline_ms == INT64_MAX;
	int64_t left_ms;
	int count;

	do {
		left_ms = is_endless ? -1 : deadline_ms - hfi_now_ms();
		if (!is_endless && left_ms < 0)
			left_ms = 0;
		count = poll(&poll_fd, 1, (int)left_ms);
	} while (count < 0 && errno == EINTR && !is_endless);
	if (count < 0)
		return -errno;
	return count ? 0 : -ETIMEDOUT;
}

static int receive_answer(int fd, struct rtrs_control_cursor *next, struct rtrs_control_page *page)
{
	struct rtrs_control_answer answer = {0};
	uint8_t *bytes = malloc(sizeof(answer) + RTRS_CONTROL_PAGE);
	ssize_t size;
	int err;

	if (!bytes)
		return -ENOMEM;
	size = recv(fd, bytes, sizeof(answer) + RTRS_CONTROL_PAGE, MSG_DONTWAIT | MSG_TRUNC);
	if (size < 0)
		err = errno == ECONNRESET ? -ENXIO : -errno;
	else if (!size)
		err = -ENXIO;
	else if (size > (ssize_t)(sizeof(answer) + RTRS_CONTROL_PAGE))
		err = -EBADMSG;
	else
		err = rtrsi_control_answer_decode(bytes, (size_t)size, &answer);
	if (!err && page) {
		memcpy(page->bytes, bytes + sizeof(answer), answer.length);
		page->length = answer.length;
	}
	if (!err && next)
		*next = answer.next;
	if (!err)
		err = answer.error;
	free(bytes);
	return err;
}

static int send_query(int fd, const struct rtrs_control_request *request)
{
	uint8_t bytes[RTRS_CONTROL_REQUEST_SIZE];
	int size = rtrsi_control_encode(request, bytes);

	if (size < 0)
		return size;
	if (send(fd, bytes, (size_t)size, MSG_NOSIGNAL) == size)
		return 0;
	return errno == EPIPE || errno == ECONNRESET ? -ENXIO : -errno;
}

int rtrsi_query(int place, const char *name, const struct rtrs_control_request *request,
		struct rtrs_control_cursor *next, struct rtrs_control_page *page, pid_t *pid)
{
	int fd = connect_socket(place, name), err;

	if (fd == -ECONNREFUSED || fd == -ENOENT)
		return -ENXIO;
	if (fd < 0)
		return fd == -EAGAIN ? -EBUSY : fd;
	err = peer_of(fd, pid);
	if (!err)
		err = send_query(fd, request);
	if (!err)
		err = wait_for_answer(fd, request->type == RTRS_CONTROL_WRITE
						  ? INT64_MAX
						  : hfi_now_ms() + RTRS_QUERY_MS);
	if (!err)
		err = receive_answer(fd, next, page);
	close(fd);
	return err;
}
