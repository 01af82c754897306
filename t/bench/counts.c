/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Checks speed without a clock, by counting system calls and descriptors. A list of unchanged devices
 * makes at most two calls, whatever their number; an idle device holds no descriptor; the calls of a
 * first list grow linearly; and the "bare" calls of the bench are those of a first list.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "t/bench/figures.h"
#include "t/bench/place.h"
#include "t/bench/trace.h"

/* Three attributes, each opened, read and closed, and a look at the instance. */
enum { AGAIN_CALLS_MAX = 2, FIRST_CALLS_MAX = 10 };

#ifdef __has_feature
#if __has_feature(address_sanitizer) || __has_feature(thread_sanitizer)
#define SANITIZED 1
#endif
#endif
#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
#define SANITIZED 1
#endif

static int failures;

static void check_count(int good, const char *what)
{
	printf("%s: %s\n", good ? "ok" : "FAILED", what);
	failures += !good;
}

/* Compares the number of each call that reads a device. Calls of the heap are left out: they vary. */
static void compare_bare(const char *library, const struct trace *few, const struct trace *many,
			 unsigned int more)
{
	static const long asking[] = {SYS_openat, SYS_newfstatat, SYS_fstat, SYS_pread64,
				      SYS_read,	  SYS_close,	  SYS_statx};
	struct figures figures;
	struct trace bare;

	/* On the tree with many devices, which is still in use. */
	if (figures_trace(library, "count-bare", &figures, &bare)) {
		check_count(0, "the bare calls can be traced");
		return;
	}
	for (size_t i = 0; i < sizeof(asking) / sizeof(asking[0]); i++) {
		long call = asking[i];
		long calls = (long)(many->calls[TRACE_FIRST][call] - few->calls[TRACE_FIRST][call]);
		long of_bare = (long)bare.calls[TRACE_FIRST][call];
		/* The calls that do not depend on the number of devices; few. */
		double extra = (double)of_bare / figure(&figures, "devices") - (double)calls / more;

		printf("call %ld: %.3f per device, %.3f bare\n", call, (double)calls / more,
		       (double)of_bare / figure(&figures, "devices"));
		check_count(extra > -0.05 && extra < 0.05, "a first list makes the bare calls");
	}
}

int main(void)
{
	static const unsigned int sizes[] = {1, 64, 128, 256};
	static struct trace traces[4];
	const char *library = place_library();
	double files[4], low, high;
	char text[256];

	setvbuf(stdout, NULL, _IOLBF, 0);
#ifdef SANITIZED
	printf("skipped: sanitisers make system calls of their own\n");
	return PLACE_EXIT_SKIP;
#endif
	if (getenv("HF_VALGRIND")) {
		printf("skipped: valgrind cannot follow a traced process\n");
		return PLACE_EXIT_SKIP;
	}
	place_enter();
	setenv("HOLDFAST_PROVIDER_PATH", place_providers(), 1);
	for (int i = 0; i < 4; i++) {
		struct figures figures;

		place_use(place_tree(sizes[i]));
		if (figures_trace(library, "count", &figures, &traces[i]) == -EPERM) {
			printf("skipped: tracing is not permitted here\n");
			return PLACE_EXIT_SKIP;
		}
		files[i] = figure(&figures, "files_idle");
		trace_describe(&traces[i], TRACE_FIRST, 8, text, sizeof(text));
		printf("%u devices: first list %lu calls (%s)\n", sizes[i],
		       traces[i].total[TRACE_FIRST], text);
		trace_describe(&traces[i], TRACE_AGAIN, 8, text, sizeof(text));
		printf("%u devices: unchanged list %lu calls (%s), %g files open\n", sizes[i],
		       traces[i].total[TRACE_AGAIN], text, files[i]);
		check_count(figure(&figures, "devices") == sizes[i], "every device is listed");
		check_count(traces[i].total[TRACE_AGAIN] <= AGAIN_CALLS_MAX,
			    "an unchanged list takes at most 2 system calls");
		check_count(files[i] == files[0], "idle devices hold no descriptor");
	}
	low = (double)(traces[2].total[TRACE_FIRST] - traces[1].total[TRACE_FIRST]) / 64;
	high = (double)(traces[3].total[TRACE_FIRST] - traces[2].total[TRACE_FIRST]) / 128;
	printf("first list: %.2f calls per device from 64 to 128, %.2f from 128 to 256\n", low,
	       high);
	/* Allow for directories, which are read in blocks, and for the heap, which grows in steps. */
	check_count(high < low * 1.05 + 0.25, "the calls of a first list grow linearly");
	check_count(high < FIRST_CALLS_MAX + 0.25,
		    "a first list takes at most 10 calls per device");
	compare_bare(library, &traces[1], &traces[3], sizes[3] - sizes[1]);
	return failures ? 1 : 0;
}
