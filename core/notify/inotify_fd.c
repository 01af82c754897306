/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens inotify descriptors and tells the user's limit apart from the process's. */
#include <errno.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/inotify.h>

#include "shared/file.h"
#include "core/notify/inotify_fd.h"

int hfi_inotify_fd_new(void)
{
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);
	int probe;

	if (fd >= 0)
		return fd;
	if (errno != EMFILE)
		return -errno;
	/*
	 * The kernel returns EMFILE for both limits, so test whether another descriptor can be
	 * opened.
	 */
	probe = eventfd(0, EFD_CLOEXEC);
	if (probe < 0)
		return errno == EMFILE ? -EMFILE : -EUSERS;
	hfi_close(&probe);
	return -EUSERS;
}
