/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * For programs whose dlopen() is the linker's: the modules of librtrs are those of the build, which are not installed.
 * Only where there are devices to test with.
 */
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* NOLINTBEGIN(bugprone-reserved-identifier,cert-*) the linker's names */
void *__real_dlopen(const char *path, int mode);
void *__wrap_dlopen(const char *path, int mode);

void *__wrap_dlopen(const char *path, int mode)
{
	const char *name = path ? strrchr(path, '/') : NULL;
	char built[4096];

	if (!getenv("HF_RTRS_DEVICES") || !name || strncmp(name, "/rtrs-", strlen("/rtrs-")) != 0)
		return __real_dlopen(path, mode);
	snprintf(built, sizeof(built), "%s/.libs%s", getenv("top_builddir"), name);
	return __real_dlopen(built, mode);
}
/* NOLINTEND(bugprone-reserved-identifier,cert-*) */
