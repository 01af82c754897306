/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a test asks of its own process and of the kernel's limits. */
#ifndef HF_T_PROCESS_H
#define HF_T_PROCESS_H

#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

/* Open descriptors, without opening one to count them. */
static inline int count_open_fds(void)
{
	struct pollfd fds[512];
	struct rlimit limit;
	int count = 0;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur > 65536)
		limit.rlim_cur = 65536;
	/* Many with one call: poll() says which ones are closed. */
	for (int first = 0; first < (int)limit.rlim_cur; first += 512) {
		nfds_t size = limit.rlim_cur - first < 512 ? limit.rlim_cur - first : 512;

		for (nfds_t i = 0; i < size; i++)
			fds[i] = (struct pollfd){.fd = first + (int)i};
		if (poll(fds, size, 0) < 0)
			abort();
		for (nfds_t i = 0; i < size; i++)
			count += !(fds[i].revents & POLLNVAL);
	}
	return count;
}

/* The number in a file of /proc/sys, 0 when there is none. */
static inline unsigned int read_limit(const char *path)
{
	FILE *file = fopen(path, "re");
	unsigned int value = 0;

	if (!file || fscanf(file, "%u", &value) != 1)
		value = 0;
	if (file)
		fclose(file);
	return value;
}

/* The length of inotify's event queue; prints why, and returns 0, if a test cannot fill it. */
static inline unsigned int read_fillable_queue(void)
{
	unsigned int limit = read_limit("/proc/sys/fs/inotify/max_queued_events");

	if (limit > 0 && limit <= 200000)
		return limit;
	printf("max_queued_events is %u: too many to fill\n", limit);
	return 0;
}

#endif
