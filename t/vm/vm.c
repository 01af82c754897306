/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Shared by the test programs of the guest: errors, contexts, opening a device. */
#include <dirent.h>
#include <endian.h>
#include <errno.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "t/vm/vm.h"

static atomic_uint errors;

__attribute__((format(printf, 1, 0))) static void print_error(const char *format, va_list args)
{
	char text[512];

	vsnprintf(text, sizeof(text), format, args);
	/* One call, so that lines of different threads are not mixed. */
	printf("error: %s\n", text);
	fflush(stdout);
	atomic_fetch_add(&errors, 1);
}

void vm_error(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_error(format, args);
	va_end(args);
}

void vm_die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	print_error(format, args);
	va_end(args);
	exit(1);
}

unsigned int vm_errors(void)
{
	return atomic_load(&errors);
}

uint64_t vm_now_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

unsigned int vm_open_fds(void)
{
	unsigned int count = 0;
	DIR *dir = opendir("/proc/self/fd");

	if (!dir)
		vm_die("/proc/self/fd: %s", strerror(errno));
	while (readdir(dir))
		count++;
	closedir(dir);
	return count - 3; /* ".", ".." and the directory itself */
}

static void log_line(void *arg, enum hf_log_level level, const char *message)
{
	(void)arg;
	fprintf(stderr, "log %d: %s\n", (int)level, message);
}

struct hf *vm_context(uint32_t flags)
{
	struct hf_options options = {.size = sizeof(options), .flags = flags, .log = log_line};
	struct hf *hf;
	int ret;

	options.log_level = getenv("VM_DEBUG") ? HF_LOG_DEBUG : HF_LOG_WARNING;
	ret = hf_new(&options, &hf);
	if (ret)
		vm_die("hf_new: %s", strerror(-ret));
	return hf;
}

void vm_info(struct ibv_device *device, struct hf_device_info *info)
{
	int ret;

	memset(info, 0, sizeof(*info));
	info->size = sizeof(*info);
	ret = hf_device_get_info(device, info);
	if (ret)
		vm_die("hf_device_get_info: %s", strerror(-ret));
}

int vm_try_open(struct ibv_device *device, uint64_t want_guid, struct vm_open_times *times)
{
	struct hf_device_info before, after;
	struct ibv_device_attr attr;
	struct ibv_context *context;
	uint64_t start, opened;
	int ret, query;

	vm_info(device, &before);
	start = vm_now_us();
	ret = hf_device_open(device, &context);
	opened = vm_now_us();
	if (ret)
		return ret;
	/* From the kernel through the node, not from the library's memory. */
	query = ibv_query_device(context, &attr);
	if (context->device != device) {
		vm_error("the context is of another handle than was opened");
		ret = 1;
	}
	if (!query && want_guid && be64toh(attr.node_guid) != want_guid) {
		vm_error("%s: wrong device: opened GUID %016" PRIx64 ", asked for %016" PRIx64,
			 before.name, (uint64_t)be64toh(attr.node_guid), want_guid);
		ret = 1;
	}
	vm_info(device, &after);
	if (after.generation != before.generation || after.index != before.index ||
	    after.inode != before.inode) {
		vm_error("%s: generation, index or inode of a handle changed", before.name);
		ret = 1;
	}
	if (times) {
		times->open = opened - start;
		usleep((useconds_t)times->hold);
	}
	start = vm_now_us();
	if (hf_device_close(context)) {
		vm_error("%s: close failed", before.name);
		ret = 1;
	}
	if (times)
		times->close = vm_now_us() - start;
	if (!ret && query)
		ret = query < 0 ? query : -query;
	return ret;
}
