/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Loads provider libraries on behalf of libholdfast and reports what they match. It is a process of
 * its own, so that a library that crashes or hangs does not affect the program.
 * Arguments: LIBHOLDFAST LIBIBVERBS FILE...; the report goes to descriptor 3.
 */
#include <dlfcn.h>
#include <unistd.h>

#include "core/compat.h"

int main(int argc, char **argv)
{
	int (*scan)(int fd, const char *libibverbs, char **files);
	void *library;

	if (argc < 3)
		_exit(2);
	library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	if (!library)
		_exit(2);
	*(void **)&scan = dlvsym(library, "hf_compat_scan", "HOLDFAST_COMPAT_1");
	/* _exit() skips exit handlers: those of a damaged library could crash. */
	_exit(scan ? scan(3, argv[2], argv + 3) : 2);
}
