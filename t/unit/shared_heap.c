/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The heap of shared memory: each system call and allocation failing once, and no descriptor left. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/dma-heap.h>
#include <cmocka.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"

/* The linker wraps these. */
int __wrap_open(const char *path, int flags, ...);
void *__wrap_malloc(size_t size);
void *__real_malloc(size_t size);

enum { SIZE = 8192 };

static int fail_open, fail_ioctl;
static bool fail_malloc, on_malloc, no_memory;

int __wrap_open(const char *path, int flags, ...)
{
	if (strcmp(path, "/dev/dma_heap/system_cc_shared") != 0)
		return (int)syscall(SYS_openat, AT_FDCWD, path, flags, 0);
	assert_int_equal(flags, O_RDWR | O_CLOEXEC);
	errno = fail_open;
	return fail_open ? -1 : memfd_create("heap", MFD_CLOEXEC);
}

void *__wrap_malloc(size_t size)
{
	if (on_malloc && fail_malloc) {
		errno = ENOMEM;
		return NULL;
	}
	return __real_malloc(size);
}

/* A program's own ioctl() is found before the C library's. */
HF_EXPORT int ioctl(int fd, unsigned long request, ...)
{
	struct dma_heap_allocation_data *data;
	va_list args;
	int made;

	va_start(args, request);
	data = va_arg(args, struct dma_heap_allocation_data *);
	va_end(args);
	if (request != DMA_HEAP_IOCTL_ALLOC)
		return (int)syscall(SYS_ioctl, fd, request, data);
	assert_int_equal(data->len, SIZE);
	assert_int_equal(data->fd_flags, O_RDWR | O_CLOEXEC);
	assert_int_equal(data->heap_flags, 0);
	errno = fail_ioctl;
	if (fail_ioctl)
		return -1;
	/* What cannot be mapped: a file that is only written. */
	made = no_memory ? open("/dev/null", O_WRONLY | O_CLOEXEC)
			 : memfd_create("memory", MFD_CLOEXEC);
	assert_true(made >= 0);
	if (!no_memory)
		assert_int_equal(ftruncate(made, SIZE), 0);
	data->fd = (uint32_t)made;
	return 0;
}

/* The number that the next descriptor gets: the same again where none was left open. */
static int next_descriptor(void)
{
	const int fd = dup(STDERR_FILENO);

	assert_true(fd >= 0);
	close(fd);
	return fd;
}

static void shared_memory(void **state)
{
	const int before = next_descriptor();
	struct hf_shared_heap *heap;
	char *memory;
	int fd = -5;

	(void)state;
	heap = hf_provider_shared_heap_open();
	assert_non_null(heap);
	memory = hf_provider_shared_heap_alloc(heap, SIZE, &fd);
	assert_non_null(memory);
	assert_true(fd >= 0);
	memory[SIZE - 1] = 7;
	assert_int_equal(pread(fd, memory, 1, SIZE - 1), 1);
	assert_int_equal(memory[0], 7);
	hf_provider_shared_heap_free(memory, SIZE, fd);
	hf_provider_shared_heap_close(heap);
	assert_int_equal(next_descriptor(), before);
}

static void each_failure(void **state)
{
	const int before = next_descriptor();
	struct hf_shared_heap *heap;
	int fd = -5;

	(void)state;
	fail_open = ENOENT;
	assert_null(hf_provider_shared_heap_open());
	assert_int_equal(errno, ENOENT);
	fail_open = 0;
	on_malloc = fail_malloc = true;
	heap = hf_provider_shared_heap_open();
	on_malloc = fail_malloc = false;
	assert_null(heap);
	assert_int_equal(errno, ENOMEM);
	assert_int_equal(next_descriptor(), before);
	heap = hf_provider_shared_heap_open();
	assert_non_null(heap);
	fail_ioctl = EPERM;
	assert_null(hf_provider_shared_heap_alloc(heap, SIZE, &fd));
	assert_int_equal(errno, EPERM);
	fail_ioctl = 0;
	no_memory = true;
	assert_null(hf_provider_shared_heap_alloc(heap, SIZE, &fd));
	assert_true(errno == EACCES || errno == ENODEV);
	assert_int_equal(fd, -5);
	hf_provider_shared_heap_close(heap);
	assert_int_equal(next_descriptor(), before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(shared_memory),
		cmocka_unit_test(each_failure),
	};

	return cmocka_run_group_tests_name("shared_heap", tests, NULL, NULL);
}
