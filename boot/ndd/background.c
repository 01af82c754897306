/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Goes into the background, for a start without systemd. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "boot/ndd/background.h"

/* Waits for a byte from the child, which means that it is ready. End of file: the child failed. */
static _Noreturn void wait_for_child(int fd)
{
	ssize_t got;
	char byte;

	do
		got = read(fd, &byte, 1);
	while (got < 0 && errno == EINTR);
	_exit(got == 1 ? EXIT_SUCCESS : EXIT_FAILURE);
}

int ndd_background(void)
{
	int fds[2];
	pid_t child;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	child = fork();
	if (child < 0) {
		int err = -errno;

		close(fds[0]);
		close(fds[1]);
		return err;
	}
	if (child > 0) {
		close(fds[1]);
		wait_for_child(fds[0]);
	}
	close(fds[0]);
	setsid();
	if (chdir("/") < 0)
		return -errno;
	return fds[1];
}

void ndd_background_ready(int *fd)
{
	int null;

	if (*fd < 0)
		return;
	null = open("/dev/null", O_RDWR | O_CLOEXEC);
	if (null >= 0) {
		for (int i = 0; i < 3; i++)
			dup2(null, i);
		if (null > 2)
			close(null);
	}
	if (write(*fd, "", 1) < 0) {
		/* The parent was killed: nothing to report to. */
	}
	close(*fd);
	*fd = -1;
}
