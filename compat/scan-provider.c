/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Looks into provider libraries for libholdfast, which starts it: a library that crashes or hangs
 * takes this process along and not the program. LIBHOLDFAST FACE FILE...; reports on descriptor 3.
 */
#include <dlfcn.h>
#include <unistd.h>

#include "core/compat.h"

int main(int argc, char **argv)
{
	int (*scan)(int fd, const char *shim, char **files);
	void *library;

	if (argc < 3)
		_exit(2);
	library = dlopen(argv[1], RTLD_NOW | RTLD_GLOBAL);
	if (!library)
		_exit(2);
	*(void **)&scan = dlvsym(library, "hf_compat_scan", "HOLDFAST_COMPAT_1");
	/* Without exit handlers: what those of a damaged library do is of no interest. */
	_exit(scan ? scan(3, argv[2], argv + 3) : 2);
}
