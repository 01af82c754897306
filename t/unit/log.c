/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The program's log function may wait: the library must not hold a lock when it calls it. */
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "core/base/log.h"
#include "t/lib/hang.h"
#include "t/lib/tree.h"

static struct hf *hf;
static atomic_bool listed;
static atomic_uint said, in_time;

static void *list_in_thread(void *arg)
{
	struct ibv_device **devices;

	(void)arg;
	assert_int_equal(hf_device_list(hf, 0, &devices), 0);
	hf_device_list_free(devices);
	atomic_store(&listed, true);
	return NULL;
}

/* Waits for a lock, which is held by a thread that is about to scan the devices. */
static void wait_for_other(void *arg, enum hf_log_level level, const char *message)
{
	pthread_t thread;

	(void)arg;
	(void)level;
	if (atomic_fetch_add(&said, 1))
		return;
	print_message("told: %s\n", message);
	assert_int_equal(pthread_create(&thread, NULL, list_in_thread, NULL), 0);
	for (int i = 0; i < HF_TEST_HANG_MS && !atomic_load(&listed); i++)
		usleep(1000);
	atomic_store(&in_time, atomic_load(&listed));
	pthread_detach(thread);
}

static void no_scan_lock_is_held(void **state)
{
	static const char *const no_such_dir[] = {"/nonexistent/providers", NULL};
	struct hf_options options = {
		.size = sizeof(options),
		.num_roots = 1,
		.provider_dirs = no_such_dir,
		.log_level = HF_LOG_DEBUG,
		.log = wait_for_other,
	};
	struct ibv_device **devices;
	struct hf_root root;
	struct tree *tree;

	(void)state;
	assert_int_equal(tree_new(&tree, NULL), 0);
	root = (struct hf_root){.sysfs = tree_sysfs(tree), .dev = tree_dev(tree)};
	options.roots = &root;
	assert_int_equal(hf_new(&options, &hf), 0);
	assert_int_equal(hf_device_list(hf, 0, &devices), 0);
	hf_device_list_free(devices);
	assert_true(atomic_load(&said) > 0);
	assert_true(atomic_load(&in_time));
	hf = hf_unref(hf);
	tree_free(tree);
}

static char heard[64];

static void append_message(void *arg, enum hf_log_level level, const char *message)
{
	(void)level;
	strcat(heard, arg);
	strcat(heard, message);
}

static void order_is_kept(void **state)
{
	const struct hf_log one = {
		.fn = append_message, .arg = (char[]){"1"}, .level = HF_LOG_DEBUG};
	const struct hf_log other = {
		.fn = append_message, .arg = (char[]){"2"}, .level = HF_LOG_DEBUG};

	(void)state;
	hf_info(&one, "a");
	hfi_log_hold();
	hf_info(&one, "b");
	hfi_log_hold();
	hf_info(&other, "c");
	hfi_log_release();
	hf_info(&one, "d");
	assert_string_equal(heard, "1a");
	hfi_log_release();
	hf_info(&other, "e");
	assert_string_equal(heard, "1a1b2c1d2e");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(no_scan_lock_is_held),
		cmocka_unit_test(order_is_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
