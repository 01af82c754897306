/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * probe LIBRARY OPERATION: makes one measurement. LIBRARY is the path of libholdfast.so or
 * libibverbs.so.1; only calls that both have are used. Prints figures as lines "NAME VALUE".
 *
 *	none	does nothing, not even load the library: the cost of starting a process
 *	start	lists the devices and exits, like a small tool
 *	list	times the first list and later ones; counts descriptors and memory
 *	first-S	times the first list alone. S is the state of the processor's caches: "cold" fills them
 *		with other data before, "warm" leaves them as they are
 *	bare-S	times the system calls of Holdfast's first list, made without any library
 *	count	lists between marks, for the tracer in trace.c
 *	count-bare	makes the bare calls between marks
 *	delay-N	measures the delay of Holdfast's events among N devices
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <infiniband/verbs.h>

#include "t/bench/bare.h"
#include "t/bench/delay.h"
#include "t/bench/trace.h"

enum { REPEATS = 201 };
static const uint64_t budget_ns = 400000000;

static struct ibv_device **(*get_list)(int *);
static void (*free_list)(struct ibv_device **);

static uint64_t now(clockid_t clock)
{
	struct timespec t;

	clock_gettime(clock, &t);
	return (uint64_t)t.tv_sec * 1000000000 + (uint64_t)t.tv_nsec;
}

static void *probe_symbol(void *library, const char *name)
{
	void *address = dlsym(library, name);

	if (!address) {
		fprintf(stderr, "probe: %s\n", dlerror());
		exit(1);
	}
	return address;
}

static void *load_library(const char *path)
{
	void *library = dlopen(path, RTLD_NOW);

	if (!library) {
		fprintf(stderr, "probe: %s\n", dlerror());
		exit(1);
	}
	get_list = (struct ibv_device * *(*)(int *)) probe_symbol(library, "ibv_get_device_list");
	free_list = (void (*)(struct ibv_device **))probe_symbol(library, "ibv_free_device_list");
	return library;
}

static struct ibv_device **list_or_exit(int *count)
{
	struct ibv_device **devices = get_list(count);

	if (!devices) {
		fprintf(stderr, "probe: ibv_get_device_list: %s\n", strerror(errno));
		exit(1);
	}
	return devices;
}

static unsigned int count_probe_fds(void)
{
	DIR *dir = opendir("/proc/self/fd");
	unsigned int count = 0;

	if (!dir)
		exit(1);
	while (readdir(dir))
		count++;
	closedir(dir);
	/* Without ".", ".." and the descriptor of the directory. */
	return count - 3;
}

static size_t heap(void)
{
	struct mallinfo2 info = mallinfo2();

	return info.uordblks + info.hblkhd;
}

static int compare_times(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;

	return (x > y) - (x < y);
}

static void measure_list(void)
{
	uint64_t times[REPEATS], first, first_cpu, begin, again_begin, again_cpu;
	struct ibv_device **devices;
	int count, n = 0;

	begin = now(CLOCK_MONOTONIC);
	first_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	devices = list_or_exit(&count);
	first_cpu = now(CLOCK_PROCESS_CPUTIME_ID) - first_cpu;
	first = now(CLOCK_MONOTONIC) - begin;
	printf("devices %d\nfirst_ns %llu\nfirst_cpu_ns %llu\n", count, (unsigned long long)first,
	       (unsigned long long)first_cpu);
	printf("heap_listed %zu\nfiles_listed %u\n", heap(), count_probe_fds());
	free_list(devices);
	printf("heap_idle %zu\nfiles_idle %u\n", heap(), count_probe_fds());

	again_begin = now(CLOCK_MONOTONIC);
	again_cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	while (n < REPEATS && (n < 5 || now(CLOCK_MONOTONIC) - again_begin < budget_ns)) {
		begin = now(CLOCK_MONOTONIC);
		devices = list_or_exit(NULL);
		free_list(devices);
		times[n++] = now(CLOCK_MONOTONIC) - begin;
	}
	again_cpu = (now(CLOCK_PROCESS_CPUTIME_ID) - again_cpu) / (unsigned int)n;
	qsort(times, (size_t)n, sizeof(times[0]), compare_times);
	printf("again_ns %llu\nagain_cpu_ns %llu\nagain_runs %d\n",
	       (unsigned long long)times[n / 2], (unsigned long long)again_cpu, n);
}

static int list_once(void)
{
	int count;

	list_or_exit(&count);
	return count;
}

static void measure_first(int (*list_devices)(void), const char *state)
{
	uint64_t first, cpu;
	int count;

	if (strcmp(state, "cold") == 0)
		bare_fill_caches();
	first = now(CLOCK_MONOTONIC);
	cpu = now(CLOCK_PROCESS_CPUTIME_ID);
	count = list_devices();
	cpu = now(CLOCK_PROCESS_CPUTIME_ID) - cpu;
	first = now(CLOCK_MONOTONIC) - first;
	printf("devices %d\nfirst_ns %llu\nfirst_cpu_ns %llu\n", count, (unsigned long long)first,
	       (unsigned long long)cpu);
}

static void count_bare(void)
{
	int count;

	trace_mark(TRACE_FIRST);
	count = bare_list();
	trace_mark(TRACE_NONE);
	printf("devices %d\n", count);
}

static void count_calls(void)
{
	/* Holdfast reads devices again whose stamp is too young to rule out a later change. */
	const struct timespec pause = {.tv_nsec = 50000000};
	int count;

	trace_mark(TRACE_FIRST);
	free_list(list_or_exit(&count));
	trace_mark(TRACE_NONE);
	nanosleep(&pause, NULL);
	free_list(list_or_exit(NULL));
	trace_mark(TRACE_AGAIN);
	free_list(list_or_exit(NULL));
	trace_mark(TRACE_NONE);
	printf("devices %d\nfiles_idle %u\n", count, count_probe_fds());
}

int main(int argc, char **argv)
{
	const char *operation = argc == 3 ? argv[2] : "";

	if (strcmp(operation, "none") == 0)
		return 0;
	if (strcmp(operation, "start") == 0) {
		load_library(argv[1]);
		free_list(list_or_exit(NULL));
	} else if (strcmp(operation, "list") == 0) {
		load_library(argv[1]);
		printf("heap_before %zu\nfiles_before %u\n", heap(), count_probe_fds());
		measure_list();
	} else if (strncmp(operation, "first-", 6) == 0) {
		load_library(argv[1]);
		measure_first(list_once, operation + 6);
	} else if (strncmp(operation, "bare-", 5) == 0) {
		measure_first(bare_list, operation + 5);
	} else if (strcmp(operation, "count-bare") == 0) {
		count_bare();
	} else if (strcmp(operation, "count") == 0) {
		load_library(argv[1]);
		count_calls();
	} else if (strncmp(operation, "delay-", 6) == 0) {
		delay_measure(load_library(argv[1]), (unsigned int)atoi(operation + 6));
	} else {
		fprintf(stderr, "usage: probe LIBRARY OPERATION\n");
		return 2;
	}
	return fflush(stdout) ? 1 : 0;
}
