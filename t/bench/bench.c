/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Compares Holdfast with the distribution's libibverbs on the same made-up devices in one run. Each
 * measurement is a process of its own; the two libraries take turns. The result is the ratio of the
 * medians, or of the lower quartiles for whole processes. The times themselves depend on the machine.
 *
 *	bench [-r ROUNDS] [-o FILE.json] [-i LIBIBVERBS] [-l LIBHOLDFAST]
 */
#include <dirent.h>
#include <dlfcn.h>
#include <link.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>
#include <linux/netlink.h>

#include "t/bench/figures.h"
#include "t/bench/growth.h"
#include "t/bench/place.h"
#include "t/bench/report.h"
#include "t/bench/starts.h"
#include "t/bench/trace.h"

enum { ROUNDS_MAX = 101 };

static const unsigned int sizes[] = {1, 256, 1024, 4096};

enum { SIZES = sizeof(sizes) / sizeof(sizes[0]) };

_Static_assert(SIZES == 1 + GROWTH_SIZES, "one device, and what growth is measured on");

enum library { INCUMBENT, HOLDFAST, LIBRARIES };

static const char *paths[LIBRARIES];
static struct tree *trees[SIZES];
static int rounds = 7;

static struct figures lists[LIBRARIES][SIZES][ROUNDS_MAX];

static double median(enum library library, int size, const char *name)
{
	return figures_median(lists[library][size], rounds, name);
}

static void measure(void)
{
	for (int round = 0; round < rounds; round++) {
		for (int size = 0; size < (int)SIZES; size++) {
			place_use(trees[size]);
			for (int i = 0; i < LIBRARIES; i++) {
				/* The library that comes first alternates. */
				enum library library = (i + round) % LIBRARIES;

				figures_run(paths[library], "list", &lists[library][size][round]);
			}
		}
		starts_measure();
		growth_measure();
	}
}

static void check_devices(void)
{
	for (int library = 0; library < LIBRARIES; library++) {
		for (int size = 0; size < (int)SIZES; size++) {
			if (median(library, size, "devices") == sizes[size])
				continue;
			fprintf(stderr, "bench: %s lists %g of %u devices\n", paths[library],
				median(library, size, "devices"), sizes[size]);
			exit(1);
		}
	}
}

static void report_bench_growth(const char *what, const char *figure, const char *expected)
{
	double growth[LIBRARIES];
	char name[64];

	for (int i = 0; i < LIBRARIES; i++)
		growth[i] =
			median(i, 3, figure) / median(i, 1, figure) / ((double)sizes[3] / sizes[1]);
	snprintf(name, sizeof(name), "%s, per device: 4096 to 256", what);
	report_row(&(struct report_row){
		.name = name,
		.unit = "times",
		.incumbent = growth[INCUMBENT],
		.holdfast = growth[HOLDFAST],
		.expected = expected,
	});
}

static void report_lists(void)
{
	/* Each library starts with the caches that the other one left. growth.c measures this apart. */
	static const char as_left[] = "mixed: see cold and warm caches";
	static const struct {
		const char *figure, *what, *unit;
		double scale;
		double target_1024;
		const char *growth;
	} kinds[] = {
		{"first_ns", "first list", "ms", 1e-6, 4, as_left},
		{"first_cpu_ns", "first list, CPU time", "ms", 1e-6, 0, as_left},
		{"again_ns", "unchanged list again", "us", 1e-3, 200, "about 1: no growth"},
	};
	char name[64];

	for (size_t kind = 0; kind < sizeof(kinds) / sizeof(kinds[0]); kind++) {
		for (int size = 0; size < (int)SIZES; size++) {
			snprintf(name, sizeof(name), "%s, %u device%s", kinds[kind].what,
				 sizes[size], size ? "s" : "");
			report_pair(name, kinds[kind].unit, kinds[kind].scale,
				    median(INCUMBENT, size, kinds[kind].figure),
				    median(HOLDFAST, size, kinds[kind].figure),
				    sizes[size] == 1024 ? kinds[kind].target_1024 : 0);
		}
		for (int size = 1; size < (int)SIZES; size++) {
			snprintf(name, sizeof(name), "%s, per device of %u", kinds[kind].what,
				 sizes[size]);
			report_pair(name, "us", 1e-3 / sizes[size],
				    median(INCUMBENT, size, kinds[kind].figure),
				    median(HOLDFAST, size, kinds[kind].figure), 0);
		}
		report_bench_growth(kinds[kind].what, kinds[kind].figure, kinds[kind].growth);
	}
}

static void report_memory(void)
{
	double bytes[LIBRARIES], idle[LIBRARIES], files[LIBRARIES];

	for (int i = 0; i < LIBRARIES; i++) {
		unsigned int more = sizes[3] - sizes[2];

		bytes[i] = (median(i, 3, "heap_listed") - median(i, 2, "heap_listed")) / more;
		idle[i] = (median(i, 3, "heap_idle") - median(i, 2, "heap_idle")) / more;
		files[i] = (median(i, 3, "files_idle") - median(i, 0, "files_idle")) /
			   (sizes[3] - sizes[0]);
	}
	report_pair("heap per listed device", "bytes", 1, bytes[INCUMBENT], bytes[HOLDFAST], 0);
	report_pair("heap per device, list freed", "bytes", 1, idle[INCUMBENT], idle[HOLDFAST], 0);
	report_pair("descriptors per idle device", "fds", 1, files[INCUMBENT], files[HOLDFAST], 0);
	report_pair("descriptors of the library", "fds", 1,
		    median(INCUMBENT, 0, "files_idle") - median(INCUMBENT, 0, "files_before"),
		    median(HOLDFAST, 0, "files_idle") - median(HOLDFAST, 0, "files_before"), 0);
}

static void report_calls(void)
{
	static const char *const section_names[] = {"", "first list", "unchanged list again"};
	static struct trace traces[LIBRARIES][SIZES];
	struct figures figures;
	char name[64], text[256];

	for (int size = 0; size < (int)SIZES; size++) {
		place_use(trees[size]);
		for (int i = 0; i < LIBRARIES; i++) {
			if (figures_trace(paths[i], "count", &figures, &traces[i][size])) {
				report_note("system calls: tracing is not permitted here");
				return;
			}
		}
	}
	for (int section = TRACE_FIRST; section <= TRACE_AGAIN; section++) {
		for (int size = 0; size < (int)SIZES; size++) {
			snprintf(name, sizeof(name), "%s, %u device%s: system calls",
				 section_names[section], sizes[size], size ? "s" : "");
			report_pair(name, "calls", 1,
				    (double)traces[INCUMBENT][size].total[section],
				    (double)traces[HOLDFAST][size].total[section], 0);
		}
	}
	for (int section = TRACE_FIRST; section <= TRACE_AGAIN; section++) {
		for (int i = 0; i < LIBRARIES; i++) {
			trace_describe(&traces[i][2], section, 8, text, sizeof(text));
			report_note("%s, 1024 devices, %s: %s", section_names[section],
				    i == HOLDFAST ? "Holdfast" : "libibverbs", text);
		}
	}
}

static void report_delay(void)
{
	static const char *const operations[] = {"delay-16", "delay-1024"};
	char name[64];

	for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++) {
		struct figures figures;

		figures_run(paths[HOLDFAST], operations[i], &figures);
		for (int k = 0; k < 2; k++) {
			const char *what = k ? "removed" : "added";
			char figure_name[24];

			snprintf(figure_name, sizeof(figure_name), "%s_ns", what);
			snprintf(name, sizeof(name), "from change to %s, among %s", what,
				 strchr(operations[i], '-') + 1);
			report_row(&(struct report_row){
				.name = name,
				.unit = "us",
				.holdfast = figure(&figures, figure_name) / 1e3,
				.expected = "libibverbs has no events",
			});
		}
	}
}

/* The file that the loader finds for a library's name. */
static const char *find_library(const char *name)
{
	void *library = dlopen(name, RTLD_LAZY | RTLD_LOCAL);
	struct link_map *map;
	char *path;

	if (!library || dlinfo(library, RTLD_DI_LINKMAP, &map) != 0) {
		printf("skipped: %s\n", dlerror());
		exit(PLACE_EXIT_SKIP);
	}
	path = realpath(map->l_name, NULL);
	dlclose(library);
	return path ? path : name;
}

static int distribution_providers(void)
{
	DIR *dir = opendir("/etc/libibverbs.d");
	struct dirent *entry;
	int count = 0;

	while (dir && (entry = readdir(dir)))
		count += entry->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return count;
}

/* Skips if the kernel has RDMA netlink: libibverbs then lists no device of a made-up tree. */
static void skip_with_netlink(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_RDMA);

	if (fd < 0)
		return;
	close(fd);
	printf("skipped: the kernel has RDMA netlink, so libibverbs would not use a made-up "
	       "tree\n");
	exit(PLACE_EXIT_SKIP);
}

static void print_bench_usage(void)
{
	fprintf(stderr,
		"usage: bench [-r ROUNDS] [-o FILE.json] [-i LIBIBVERBS] [-l LIBHOLDFAST]\n");
	exit(2);
}

int main(int argc, char **argv)
{
	const char *json = NULL;
	int option;

	while ((option = getopt(argc, argv, "r:o:i:l:")) != -1) {
		switch (option) {
		case 'r':
			rounds = atoi(optarg);
			break;
		case 'o':
			json = optarg;
			break;
		case 'i':
			paths[INCUMBENT] = optarg;
			break;
		case 'l':
			paths[HOLDFAST] = optarg;
			break;
		default:
			print_bench_usage();
		}
	}
	if (rounds < 1 || rounds > ROUNDS_MAX || optind != argc)
		print_bench_usage();
	setvbuf(stdout, NULL, _IOLBF, 0);
	skip_with_netlink();
	if (!paths[INCUMBENT])
		paths[INCUMBENT] = find_library("libibverbs.so.1");
	if (!paths[HOLDFAST])
		paths[HOLDFAST] = place_library();
	place_enter();
	setenv("HOLDFAST_PROVIDER_PATH", place_providers(), 1);
	for (int size = 0; size < (int)SIZES; size++)
		trees[size] = place_tree(sizes[size]);

	printf("libibverbs: %s with %d drivers configured\nHoldfast:   %s\n"
	       "Medians of %d rounds in turns\n\n",
	       paths[INCUMBENT], distribution_providers(), paths[HOLDFAST], rounds);
	starts_begin(paths[INCUMBENT], paths[HOLDFAST], trees[0]);
	growth_begin(paths[INCUMBENT], paths[HOLDFAST], trees + 1, sizes + 1);
	measure();
	check_devices();
	report_lists();
	growth_report();
	starts_report();
	report_memory();
	report_calls();
	report_delay();
	return report_end(json);
}
