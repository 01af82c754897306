/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A plug-in linked to libibverbs is loaded and unloaded repeatedly while the library stays: after
 * twenty times the process must hold what it held after the first.
 */
#include <dlfcn.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <cmocka.h>

#include "t/lib/process.h"

struct ibv_device;

/* Sanitizers must be first in the search order, which RTLD_DEEPBIND prevents. */
#ifdef __has_feature
#define HAS_FEATURE(feature) __has_feature(feature)
#else
#define HAS_FEATURE(feature) 0
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__) || \
	HAS_FEATURE(address_sanitizer) || HAS_FEATURE(thread_sanitizer)
enum { DEEPBIND = 0 };
#else
enum { DEEPBIND = RTLD_DEEPBIND };
#endif

enum { LIVES = 20, FDS_MAX = 256 };

static int count_mappings(void)
{
	FILE *maps = fopen("/proc/self/maps", "re");
	int c, count = 0;

	assert_non_null(maps);
	while ((c = getc(maps)) != EOF)
		count += c == '\n';
	fclose(maps);
	return count;
}

static void live(const char *face, int flags)
{
	struct ibv_device **(*get_list)(int *);
	struct ibv_device **list;
	void (*free_list)(struct ibv_device **);
	void *library = dlopen(face, flags);

	if (!library)
		fail_msg("%s", dlerror());
	get_list = (struct ibv_device * *(*)(int *)) dlsym(library, "ibv_get_device_list");
	free_list = (void (*)(struct ibv_device **))dlsym(library, "ibv_free_device_list");
	assert_non_null(get_list);
	assert_non_null(free_list);
	list = get_list(NULL);
	if (list)
		free_list(list);
	assert_int_equal(dlclose(library), 0);
}

static void repeated_open_and_close(void **state)
{
	const int flags[] = {RTLD_NOW, RTLD_LAZY, RTLD_NOW | DEEPBIND};
	const char *builddir = getenv("top_builddir");
	char face[4096];
	int fds, mappings;

	(void)state;
	snprintf(face, sizeof(face), "%s/compat/.libs/libibverbs.so.1", builddir ? builddir : ".");
	live(face, RTLD_NOW);
	live(face, RTLD_NOW);
	fds = count_open_fds();
	mappings = count_mappings();
	for (int i = 0; i < LIVES; i++)
		live(face, flags[i % 3]);
	print_message("%d descriptors, %d mappings; after %d lives %d and %d\n", fds, mappings,
		      LIVES, count_open_fds(), count_mappings());
	assert_int_equal(count_open_fds(), fds);
	/* An allocator may create some mappings, that of a sanitizer any number. */
	if (DEEPBIND)
		assert_in_range(count_mappings(), 0, mappings + 4);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(repeated_open_and_close)};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
