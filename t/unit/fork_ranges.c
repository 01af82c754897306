/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Protection from fork: the counts compared with a plain array, and the kernel's view of the pages.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/forksafe/fork_pages.h"
#include "core/forksafe/fork_ranges.h"

enum { PAGES = 96, LIVE = 40, STEPS = 60000, PAGE = 4096, BASE = 0x100000 };

struct model {
	long count[PAGES];
	bool is_protected[PAGES];
	int until_failure; /* negative: never */
	unsigned int told;
};

static int tell_model(void *arg, uintptr_t start, size_t size, int protect)
{
	struct model *model = arg;
	size_t first = (start - BASE) / PAGE, count = size / PAGE;

	assert_true(count > 0 && first + count <= PAGES);
	if (model->until_failure >= 0 && protect && model->until_failure-- == 0)
		return -ENOMEM;
	model->told++;
	for (size_t i = first; i < first + count; i++) {
		assert_int_equal(model->is_protected[i], !protect);
		model->is_protected[i] = protect;
	}
	return 0;
}

static void compare_with_model(const struct model *model, const struct hf_fork_ranges *ranges)
{
	for (size_t i = 0; i < PAGES; i++) {
		assert_int_equal(hfi_fork_ranges_count(ranges, BASE + i * PAGE), model->count[i]);
		assert_int_equal(hfi_fork_ranges_count(ranges, BASE + i * PAGE + PAGE - 1),
				 model->count[i]);
		assert_int_equal(model->is_protected[i], model->count[i] > 0);
	}
}

static void counts_are_those_of_a_plain_array(void **state)
{
	struct model model = {.until_failure = -1};
	struct hf_fork_ranges ranges = {.apply = tell_model, .arg = &model};
	struct {
		size_t first, end;
	} live[LIVE] = {0};
	unsigned int added = 0, refused = 0, removed = 0;

	(void)state;
	srandom(20);
	for (int step = 0; step < STEPS; step++) {
		size_t slot = (size_t)random() % LIVE;
		size_t first = (size_t)random() % PAGES;
		size_t end = first + 1 + (size_t)random() % (PAGES - first);
		int err;

		if (live[slot].end) {
			first = live[slot].first;
			end = live[slot].end;
			err = hfi_fork_ranges_remove(&ranges, BASE + first * PAGE,
						     BASE + end * PAGE);
			assert_int_equal(err, 0);
			for (size_t i = first; i < end; i++)
				model.count[i]--;
			live[slot].end = 0;
			removed++;
		} else {
			model.until_failure = step % 7 ? -1 : (int)(random() % 3);
			err = hfi_fork_ranges_add(&ranges, BASE + first * PAGE, BASE + end * PAGE);
			model.until_failure = -1;
			assert_true(err == 0 || err == -ENOMEM);
			for (size_t i = first; !err && i < end; i++)
				model.count[i]++;
			if (!err) {
				live[slot].first = first;
				live[slot].end = end;
			}
			added += !err;
			refused += !!err;
		}
		if (step % 16 == 0)
			compare_with_model(&model, &ranges);
	}
	compare_with_model(&model, &ranges);
	assert_true(refused > 100);
	printf("%u added, %u refused and taken back, %u removed, %u stretches told\n", added,
	       refused, removed, model.told);
	hfi_fork_ranges_clear(&ranges);
	assert_null(ranges.root);
}

static void what_was_never_added_is_refused(void **state)
{
	struct model model = {.until_failure = -1};
	struct hf_fork_ranges ranges = {.apply = tell_model, .arg = &model};

	(void)state;
	assert_int_equal(hfi_fork_ranges_add(&ranges, BASE + PAGE, BASE + 3 * PAGE), 0);
	assert_int_equal(hfi_fork_ranges_remove(&ranges, BASE, BASE + 3 * PAGE), -EINVAL);
	assert_int_equal(hfi_fork_ranges_remove(&ranges, BASE + PAGE, BASE + 4 * PAGE), -EINVAL);
	assert_int_equal(hfi_fork_ranges_count(&ranges, BASE + PAGE), 1);
	assert_int_equal(model.told, 1);
	assert_int_equal(hfi_fork_ranges_remove(&ranges, BASE + PAGE, BASE + 3 * PAGE), 0);
	assert_null(ranges.root);
}

/* The number of edges must depend on the live ranges, not on the operations so far. */
static void redundant_edges_are_removed(void **state)
{
	struct model model = {.until_failure = -1};
	struct hf_fork_ranges ranges = {.apply = tell_model, .arg = &model};

	(void)state;
	for (size_t i = 0; i < PAGES; i++)
		assert_int_equal(
			hfi_fork_ranges_add(&ranges, BASE + i * PAGE, BASE + (i + 1) * PAGE), 0);
	for (size_t i = 0; i < PAGES; i++)
		model.count[i] = 1;
	compare_with_model(&model, &ranges);
	assert_int_equal(hfi_fork_ranges_remove(&ranges, BASE, BASE + (uintptr_t)PAGES * PAGE), 0);
	assert_int_equal(model.told, PAGES + 1);
	assert_null(ranges.root);
}

static void huge_pages_are_found(void **state)
{
	static char smaps[] = "00200000-00600000 rw-p 00000000 00:0f 1 /anon_hugepage\n"
			      "Size:               4096 kB\n"
			      "KernelPageSize:     2048 kB\n"
			      "MMUPageSize:        2048 kB\n"
			      "VmFlags: rd wr\n"
			      "00600000-00700000 rw-p 00000000 00:00 0 \n"
			      "KernelPageSize:        4 kB\n"
			      "00700000-00800000 rw-p 00000000 00:00 0 \n"
			      "KernelPageSize:        3 kB\n"
			      "00800000-00900000 rw-p 00000000 00:00 0 \n"
			      "KernelPageSize:        99999999999999999999 kB\n";
	static const struct {
		uintptr_t address;
		size_t page;
	} cases[] = {{0x1fffff, 4096}, {0x200000, 2 << 20}, {0x5fffff, 2 << 20}, {0x600000, 4096},
		     {0x700000, 4096}, {0x800000, 4096},    {0x900000, 4096}};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		FILE *file = fmemopen(smaps, strlen(smaps), "r");

		assert_non_null(file);
		assert_int_equal(hfi_fork_page_size(file, cases[i].address, 4096), cases[i].page);
		fclose(file);
	}
}

static void roundings_are_kept(void **state)
{
	struct hf_fork_rounding *table = NULL;

	(void)state;
	assert_int_equal(hfi_fork_rounding_take(&table, 0x1000, 10), 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_equal(hfi_fork_rounding_keep(&table, 0x1000 * (i / 2), i / 2, 2 << 20),
				 0);
	assert_int_equal(hfi_fork_rounding_keep(&table, 0x1000, 1, 1 << 30), 0);
	assert_int_equal(hfi_fork_rounding_take(&table, 0x1000, 2), 0);
	for (size_t i = 0; i < 100; i++)
		assert_int_not_equal(hfi_fork_rounding_take(&table, 0x1000 * (i / 2), i / 2), 0);
	assert_int_not_equal(hfi_fork_rounding_take(&table, 0x1000, 1), 0);
	assert_null(table);
}

/* A mapping's VmFlags have "dc" if fork does not copy it. */
static bool kept_from_child(const void *address)
{
	char line[512];
	bool inside = false, kept = false;
	FILE *smaps = fopen("/proc/self/smaps", "re");

	assert_non_null(smaps);
	while (fgets(line, sizeof(line), smaps)) {
		unsigned long start, end;

		if (sscanf(line, "%lx-%lx ", &start, &end) == 2)
			inside = start <= (uintptr_t)address && (uintptr_t)address < end;
		if (inside && !strncmp(line, "VmFlags:", 8))
			kept = strstr(line, " dc") != NULL;
	}
	fclose(smaps);
	return kept;
}

static void the_kernel_is_advised(void **state)
{
	size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *memory =
		mmap(NULL, 4 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	(void)state;
	assert_ptr_not_equal(memory, MAP_FAILED);
	if (ibv_is_fork_initialized() == IBV_FORK_UNNEEDED) {
		printf("this kernel copies at fork: nothing to tell it\n");
		assert_int_equal(ibv_fork_init(), 0);
		skip();
	}
	assert_int_equal(ibv_is_fork_initialized(), IBV_FORK_DISABLED);
	assert_int_equal(ibv_fork_init(), 0);
	assert_int_equal(ibv_is_fork_initialized(), IBV_FORK_ENABLED);
	assert_int_equal(ibv_dontfork_range(memory + page + 1, 1), 0);
	assert_int_equal(ibv_dontfork_range(memory + page, 2 * page), 0);
	assert_false(kept_from_child(memory));
	assert_true(kept_from_child(memory + page));
	assert_true(kept_from_child(memory + 2 * page));
	assert_false(kept_from_child(memory + 3 * page));
	assert_int_equal(ibv_dofork_range(memory + page, 2 * page), 0);
	assert_true(kept_from_child(memory + page));
	assert_false(kept_from_child(memory + 2 * page));
	assert_int_equal(ibv_dofork_range(memory + page + 1, 1), 0);
	assert_false(kept_from_child(memory + page));
	errno = 0;
	assert_int_equal(ibv_dofork_range(memory, page), -1);
	assert_int_equal(errno, EINVAL);
	errno = 0;
	assert_int_equal(ibv_dontfork_range(memory, SIZE_MAX), -1);
	assert_int_equal(errno, EINVAL);
	assert_int_equal(ibv_dontfork_range(memory, 0), 0);
	munmap(memory, 4 * page);
	errno = 0;
	assert_int_equal(ibv_dontfork_range(memory, page), -1);
	assert_int_equal(errno, ENOMEM);
}

/* Each in its own process, since the variables are read by the first list only. */
static int list_as(const char *name, const char *value, bool too_late, char *said, size_t size)
{
	int fds[2], status;
	ssize_t length;
	pid_t child;

	assert_int_equal(pipe(fds), 0);
	child = fork();
	if (child == 0) {
		struct ibv_device **list;

		dup2(fds[1], STDERR_FILENO);
		setenv("HOLDFAST_ROOTS", "/nonexistent:/nonexistent", 1);
		setenv(name, value, 1);
		if (too_late)
			ibv_dontfork_range(&list, sizeof(list));
		list = ibv_get_device_list(NULL);
		if (list)
			ibv_free_device_list(list);
		_exit((int)ibv_is_fork_initialized());
	}
	close(fds[1]);
	length = read(fds[0], said, size - 1);
	said[length > 0 ? length : 0] = '\0';
	close(fds[0]);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	return WEXITSTATUS(status);
}

static void switched_on_by_the_environment(void **state)
{
	char said[256];

	(void)state;
	if (ibv_is_fork_initialized() == IBV_FORK_UNNEEDED)
		skip();
	assert_int_equal(list_as("RDMAV_FORK_SAFE", "1", false, said, sizeof(said)),
			 IBV_FORK_ENABLED);
	assert_string_equal(said, "");
	assert_int_equal(list_as("IBV_FORK_SAFE", "", false, said, sizeof(said)), IBV_FORK_ENABLED);
	assert_int_equal(list_as("RDMAV_FORK_SAFE", "0", false, said, sizeof(said)),
			 IBV_FORK_DISABLED);
	assert_int_equal(list_as("RDMAV_FORK_SAFE_NOT", "1", false, said, sizeof(said)),
			 IBV_FORK_DISABLED);
	assert_int_equal(list_as("RDMAV_FORK_SAFE", "1", true, said, sizeof(said)),
			 IBV_FORK_DISABLED);
	assert_string_equal(said, "libibverbs: Warning: fork()-safety requested but init failed\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(counts_are_those_of_a_plain_array),
		cmocka_unit_test(what_was_never_added_is_refused),
		cmocka_unit_test(redundant_edges_are_removed),
		cmocka_unit_test(huge_pages_are_found),
		cmocka_unit_test(roundings_are_kept),
		cmocka_unit_test(switched_on_by_the_environment),
		cmocka_unit_test(the_kernel_is_advised),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
