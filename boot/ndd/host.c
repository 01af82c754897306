/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The host's name, and notification when it changes. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "boot/ndd/host.h"

int ndd_host_watch(void)
{
	int fd = open("/proc/sys/kernel/hostname", O_RDONLY | O_CLOEXEC);

	return fd < 0 ? -errno : fd;
}

void ndd_host_name(char *ret, size_t size)
{
	/* The kernel's name is "(none)" until one is set (UTS_NODENAME). */
	if (gethostname(ret, size) < 0 || !strcmp(ret, "(none)"))
		ret[0] = '\0';
	ret[size - 1] = '\0';
}
