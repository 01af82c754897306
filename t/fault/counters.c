/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counters of the test provider, in memory that the test shares with its children. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/sendfile.h>
#include <sys/stat.h>

#include "t/fault/counters.h"

static struct counters *shared;

int counters_init(void)
{
	char text[32];

	shared = mmap(NULL, sizeof(*shared), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		      0);
	if (shared == MAP_FAILED)
		return -errno;
	snprintf(text, sizeof(text), "%lx", (unsigned long)shared);
	return setenv(COUNTERS_VARIABLE, text, 1) < 0 ? -errno : 0;
}

struct counters counters_read(void)
{
	return *shared;
}

static int write_probe_file(const char *path, const char *text, int from)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	struct stat st;
	int ret = 0;

	if (fd < 0)
		return -errno;
	if (text && write(fd, text, strlen(text)) != (ssize_t)strlen(text))
		ret = -EIO;
	if (!text &&
	    (fstat(from, &st) < 0 || sendfile(fd, from, NULL, (size_t)st.st_size) != st.st_size))
		ret = -EIO;
	close(fd);
	return ret;
}

int provider_install(const char *dir, const char *library)
{
	static const char manifest[] = "name = probe\n"
				       "file = probe-hf1.so\n"
				       "abi = 1\n"
				       "version = 1\n"
				       "match-name = hf[abc]*\n"
				       "match-name = renamed*\n";
	char path[320];
	int from, ret;

	if (mkdir(dir, 0755) < 0)
		return -errno;
	from = open(library, O_RDONLY | O_CLOEXEC);
	if (from < 0)
		return -errno;
	snprintf(path, sizeof(path), "%s/probe-hf1.so", dir);
	ret = write_probe_file(path, NULL, from);
	close(from);
	snprintf(path, sizeof(path), "%s/probe.provider", dir);
	return ret ? ret : write_probe_file(path, manifest, -1);
}
