/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Fork safety of registered memory: pages that a device uses must not move in the parent because a
 * fork made them copy-on-write, so the child does not get them. Not needed from Linux 5.12 on, which
 * copies such pages at the fork.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "shared/cancel.h"
#include "shared/nldev.h"
#include "core/forksafe/fork.h"
#include "core/forksafe/fork_pages.h"
#include "core/forksafe/fork_ranges.h"

static int set_dontfork(void *arg, uintptr_t start, size_t size, int protect)
{
	(void)arg;
	return madvise((void *)start, size, protect ? MADV_DONTFORK : MADV_DOFORK) ? -errno : 0;
}

/* Static: the ibv_* calls are given no context, and memory belongs to the process. */
static struct {
	pthread_mutex_t lock;
	atomic_bool enabled;
	atomic_bool too_late; /* something was registered without protection */
	bool huge_pages;
	size_t page_size;
	struct hf_fork_ranges ranges;
	struct hf_fork_rounding *rounding;
	atomic_int kernel_copies; /* 0: not asked, 1: no, 2: yes */
	pthread_once_t handlers, environment;
} protection = {
	.lock = PTHREAD_MUTEX_INITIALIZER,
	.ranges = {.apply = set_dontfork},
	.handlers = PTHREAD_ONCE_INIT,
	.environment = PTHREAD_ONCE_INIT,
};

static bool kernel_copies(void)
{
	int known = atomic_load(&protection.kernel_copies);
	struct hf_nldev_socket *nl;

	if (!known) {
		known = 1;
		if (hfi_nldev_open(&nl) == 0) {
			known += hfi_nldev_copy_on_fork(nl) == 1;
			hfi_nldev_close(nl);
		}
		atomic_store(&protection.kernel_copies, known);
	}
	return known == 2;
}

static void take_lock(void)
{
	hfi_cancel_block();
	pthread_mutex_lock(&protection.lock);
}

static void release_lock(void)
{
	pthread_mutex_unlock(&protection.lock);
	hfi_cancel_unblock();
}

/* The child may deregister what it inherited, so it must not inherit a taken lock. */
static void add_handlers(void)
{
	pthread_atfork(take_lock, release_lock, release_lock);
}

static size_t page_size_at(uintptr_t address)
{
	size_t page = protection.page_size;
	FILE *smaps;

	if (!protection.huge_pages)
		return page;
	smaps = fopen("/proc/self/smaps", "re");
	if (!smaps)
		return page;
	page = hfi_fork_page_size(smaps, address, page);
	fclose(smaps);
	return page;
}

/* Tests whether the kernel has MADV_DONTFORK. */
static int try_advice(size_t page)
{
	void *trial = mmap(NULL, page, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	int err = 0;

	if (trial == MAP_FAILED)
		return ENOMEM;
	if (madvise(trial, page, MADV_DONTFORK) || madvise(trial, page, MADV_DOFORK))
		err = ENOSYS;
	munmap(trial, page);
	return err;
}

static int enable(void)
{
	long page = sysconf(_SC_PAGESIZE);
	int err;

	if (atomic_load(&protection.enabled))
		return 0;
	if (page <= 0)
		return ENOSYS;
	err = try_advice((size_t)page);
	if (err)
		return err;
	protection.page_size = (size_t)page;
	protection.huge_pages = getenv("RDMAV_HUGEPAGES_SAFE") != NULL;
	/* Registration stores too_late, then loads enabled; we do the reverse, so at least one side sees both. */
	atomic_store(&protection.enabled, true);
	if (!atomic_load(&protection.too_late))
		return 0;
	atomic_store(&protection.enabled, false);
	return EINVAL;
}

HF_EXPORT int ibv_fork_init(void)
{
	int err;

	if (kernel_copies())
		return 0;
	pthread_once(&protection.handlers, add_handlers);
	take_lock();
	err = enable();
	release_lock();
	return err;
}

HF_EXPORT enum ibv_fork_status ibv_is_fork_initialized(void)
{
	if (kernel_copies())
		return IBV_FORK_UNNEEDED;
	return atomic_load(&protection.enabled) ? IBV_FORK_ENABLED : IBV_FORK_DISABLED;
}

/* Without protection, registering memory takes no lock. */
static bool unprotected(void)
{
	if (atomic_load(&protection.enabled))
		return false;
	if (!atomic_load(&protection.too_late))
		atomic_store(&protection.too_late, true);
	return !atomic_load(&protection.enabled);
}

/* To whole pages; -EINVAL beyond the end of memory. */
static int round_out(uintptr_t *start, uintptr_t *end, size_t size, size_t page)
{
	if (__builtin_add_overflow(*start, size, end) || *end > UINTPTR_MAX - (page - 1))
		return -EINVAL;
	*start &= ~(page - 1);
	*end = (*end + page - 1) & ~(page - 1);
	return 0;
}

static int protect(uintptr_t base, size_t size)
{
	uintptr_t start = base, end;
	size_t page = page_size_at(base);
	int err = round_out(&start, &end, size, page);

	if (!err && page != protection.page_size)
		err = hfi_fork_rounding_keep(&protection.rounding, base, size, page);
	if (err)
		return err;
	err = hfi_fork_ranges_add(&protection.ranges, start, end);
	if (err && page != protection.page_size)
		hfi_fork_rounding_take(&protection.rounding, base, size);
	return err;
}

static int unprotect(uintptr_t base, size_t size)
{
	size_t page = hfi_fork_rounding_take(&protection.rounding, base, size);
	uintptr_t start = base, end;
	int err = round_out(&start, &end, size, page ? page : protection.page_size);

	return err ? err : hfi_fork_ranges_remove(&protection.ranges, start, end);
}

static int change_range(void *base, size_t size, int (*change)(uintptr_t base, size_t size))
{
	int err;

	if (unprotected() || !size)
		return 0;
	take_lock();
	err = change((uintptr_t)base, size);
	release_lock();
	if (!err)
		return 0;
	errno = -err;
	return -1;
}

HF_EXPORT int ibv_dontfork_range(void *base, size_t size)
{
	return change_range(base, size, protect);
}

HF_EXPORT int ibv_dofork_range(void *base, size_t size)
{
	return change_range(base, size, unprotect);
}

static bool is_fork_wanted(const char *name)
{
	const char *value = getenv(name);

	return value && strcmp(value, "0") != 0;
}

static void read_fork_environment(void)
{
	if (!is_fork_wanted("RDMAV_FORK_SAFE") && !is_fork_wanted("IBV_FORK_SAFE"))
		return;
	if (ibv_fork_init())
		fprintf(stderr, "libibverbs: Warning: fork()-safety requested but init failed\n");
}

void hfi_fork_from_environment(void)
{
	pthread_once(&protection.environment, read_fork_environment);
}
