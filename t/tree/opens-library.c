/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens libibverbs by each of the given names, then prints which libibverbs the process has. */
#include <dlfcn.h>
#include <link.h>
#include <stdio.h>
#include <string.h>
#ifdef LINKED
#include <infiniband/verbs.h>
#endif

/* The name to open is an argument: these strings are here to be found by --check. */
#ifdef STRINGS
const char *const opens_library_strings[] = {STRINGS};
#endif

static int tell(struct dl_phdr_info *info, size_t size, void *arg)
{
	const char *name = strrchr(info->dlpi_name, '/');

	(void)size;
	/* Shorter than the complete name, which would itself be one of the strings. */
	if (!name || strncmp(name, "/libibverbs", 11))
		return 0;
	printf("has %s\n", info->dlpi_name);
	++*(int *)arg;
	return 0;
}

int main(int argc, char **argv)
{
	int libraries = 0;

	for (int i = 1; i < argc; i++) {
		void *library = dlopen(argv[i], RTLD_NOW);

		if (!library || !dlsym(library, "ibv_get_device_list")) {
			puts(dlerror());
			return 3;
		}
	}
#ifdef LINKED
	ibv_free_device_list(ibv_get_device_list(NULL));
#endif
	dl_iterate_phdr(tell, &libraries);
	return libraries != 1;
}
