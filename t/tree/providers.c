/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Providers through the public calls: every refusal, late loading, unloading, an upgraded file. */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/fake/counters.h"
#include "t/lib/hang.h"
#include "t/lib/tree.h"

struct bed {
	struct tree *tree;
	struct hf *hf;
	char dir[64];
	char counters_file[80];
	struct fake_counters *counters;
};

static const char good[] = "name = fake\nfile = fake-hf1.so\nabi = 1\nmatch-name = fake*\n";

static void write_manifest(const char *path, const char *text)
{
	FILE *file = fopen(path, "w");

	assert_non_null(file);
	fputs(text, file);
	assert_int_equal(fclose(file), 0);
	assert_int_equal(chmod(path, 0644), 0);
}

static void manifest(const struct bed *bed, const char *text)
{
	char path[128];

	snprintf(path, sizeof(path), "%s/fake.provider", bed->dir);
	write_manifest(path, text);
}

/* Copies aside and renames, like a package manager: a new inode under the old name. */
static void library(const struct bed *bed, const char *name)
{
	char command[512];

	snprintf(command, sizeof(command),
		 "cp '%s/t/providers.d/fake-hf1.so' '%s/new' && chmod 755 '%s/new' && mv '%s/new' "
		 "'%s/%s'",
		 getenv("top_builddir"), bed->dir, bed->dir, bed->dir, bed->dir, name);
	assert_int_equal(system(command), 0);
}

static int setup_providers(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));
	const char *dirs[2] = {bed->dir, NULL};
	struct hf_root root;
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
	};
	int fd;

	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	root = (struct hf_root){.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	strcpy(bed->dir, "/tmp/hf-providers-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	snprintf(bed->counters_file, sizeof(bed->counters_file), "%s/counters", bed->dir);
	setenv("HF_FAKE_COUNTERS", bed->counters_file, 1);
	fd = open(bed->counters_file, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	assert_int_equal(ftruncate(fd, sizeof(*bed->counters)), 0);
	bed->counters =
		mmap(NULL, sizeof(*bed->counters), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_true(bed->counters != MAP_FAILED);
	close(fd);
	assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	*state = bed;
	return 0;
}

static int teardown_providers(void **state)
{
	struct bed *bed = *state;
	char command[128];

	hf_unref(bed->hf);
	assert_int_equal(bed->counters->devices, 0);
	assert_int_equal(bed->counters->contexts, 0);
	assert_int_equal(bed->counters->loads, bed->counters->unloads);
	munmap(bed->counters, sizeof(*bed->counters));
	tree_free(bed->tree);
	snprintf(command, sizeof(command), "rm -rf '%s'", bed->dir);
	assert_int_equal(system(command), 0);
	free(bed);
	return 0;
}

/* The only device, with its information. */
static struct ibv_device *look_up_fake0(const struct bed *bed, struct hf_device_info *info)
{
	struct ibv_device *device;

	assert_int_equal(hf_device_by_name(bed->hf, "fake0", &device), 0);
	info->size = sizeof(*info);
	assert_int_equal(hf_device_get_info(device, info), 0);
	return device;
}

static void expect_provider_refusal(const struct bed *bed, enum hf_reason_code code, int error)
{
	struct hf_provider_info *providers;
	struct hf_device_info info;
	struct ibv_context *context = NULL;
	struct ibv_device *device = look_up_fake0(bed, &info);

	if (info.reason.code != code)
		fail_msg("wanted %s, got %s: %s", hf_reason_name(code),
			 hf_reason_name(info.reason.code), info.reason.text);
	assert_int_equal(info.state, HF_DEVICE_UNUSABLE);
	assert_int_equal(info.reason.error, error);
	assert_true(info.reason.wanted[0] && info.reason.found[0] && info.reason.text[0]);
	assert_int_equal(hf_device_open(device, &context), -error);
	assert_null(context);
	hf_device_unref(device);
	if (code == HF_REASON_NO_PROVIDER)
		return;
	assert_int_equal(hf_provider_list(bed->hf, sizeof(*providers), &providers), 1);
	assert_int_equal(providers[0].reason.code, code);
	assert_int_equal(providers[0].loaded, 0);
	free(providers);
}

static void refusals_are_kept(void **state)
{
	struct bed *bed = *state;
	char path[128];

	expect_provider_refusal(bed, HF_REASON_NO_PROVIDER, ENOSYS);
	manifest(bed, good);
	expect_provider_refusal(bed, HF_REASON_FILE_MISSING, ENOSYS);

	snprintf(path, sizeof(path), "%s/fake-hf1.so", bed->dir);
	write_manifest(path, "not a library\n");
	expect_provider_refusal(bed, HF_REASON_LOAD, ENOSYS);

	/* A truncated copy: the loader would map it and crash on the missing part. */
	library(bed, "fake-hf1.so");
	assert_int_equal(truncate(path, 3000), 0);
	expect_provider_refusal(bed, HF_REASON_LOAD, ENOSYS);

	library(bed, "fake-hf1.so");
	assert_int_equal(chmod(path, 0777), 0);
	expect_provider_refusal(bed, HF_REASON_UNSAFE, ENOSYS);
	assert_int_equal(chmod(path, 0755), 0);
	assert_int_equal(chmod(bed->dir, 0777), 0);
	manifest(bed, good); /* a changed mode shows with the next change below */
	expect_provider_refusal(bed, HF_REASON_UNSAFE, ENOSYS);
	assert_int_equal(chmod(bed->dir, 0755), 0);

	manifest(bed, good);
	snprintf(path, sizeof(path), "%s/fake.provider", bed->dir);
	assert_int_equal(chmod(path, 0666), 0);
	expect_provider_refusal(bed, HF_REASON_UNSAFE, ENOSYS);

	manifest(bed, "name = fake\nfile = fake-hf1.so\nabi = 7\nmatch-name = fake*\n");
	expect_provider_refusal(bed, HF_REASON_ABI, ENOSYS);
	library(bed, "fake-hf2.so");
	manifest(bed, "name = fake\nfile = fake-hf2.so\nabi = 1\nmatch-name = fake*\n");
	expect_provider_refusal(bed, HF_REASON_ABI, ENOSYS);
	manifest(bed, "name = fake\nfile = fake-hf1.so\nabi = 1\nkernel-abi = 90..99\n"
		      "match-name = fake*\n");
	expect_provider_refusal(bed, HF_REASON_KERNEL_ABI, EPROTO);
	assert_int_equal(bed->counters->devices, 0);
}

static void link_to(const char *to, const char *path)
{
	unlink(path);
	assert_int_equal(symlink(to, path), 0);
}

/* A symbolic link is as safe as the directories on its path. */
static void links_are_followed(void **state)
{
	struct bed *bed = *state;
	struct hf_device_info info;
	char first[128], second[128], dir[128];

	snprintf(dir, sizeof(dir), "%s/elsewhere", bed->dir);
	snprintf(first, sizeof(first), "%s/fake-hf1.so", bed->dir);
	snprintf(second, sizeof(second), "%s/elsewhere/second", bed->dir);
	assert_int_equal(mkdir(dir, 0755), 0);
	manifest(bed, good);
	link_to("elsewhere/second", first);
	link_to("../fake-hf1.so", second);
	expect_provider_refusal(bed, HF_REASON_FILE_MISSING, ENOSYS);
	library(bed, "real");
	link_to("../real", second);
	assert_int_equal(chmod(dir, 0777), 0);
	expect_provider_refusal(bed, HF_REASON_UNSAFE, ENOSYS);
	link_to(second, first); /* the same by its complete path */
	expect_provider_refusal(bed, HF_REASON_UNSAFE, ENOSYS);
	assert_int_equal(chmod(dir, 0755), 0);
	hf_device_unref(look_up_fake0(bed, &info));
	assert_int_equal(info.reason.code, HF_REASON_NONE);
}

/* A manifest that others wrote does not hide one of the same name in a later directory. */
static void an_unsafe_manifest_hides_none(void **state)
{
	struct bed *bed = *state;
	struct hf_provider_info *providers;
	char path[128];

	library(bed, "fake-hf1.so");
	snprintf(path, sizeof(path), "%s/a.provider", bed->dir);
	write_manifest(path, good);
	assert_int_equal(chmod(path, 0666), 0);
	manifest(bed, good);
	assert_int_equal(hf_provider_list(bed->hf, sizeof(*providers), &providers), 2);
	assert_int_equal(providers[0].reason.code, HF_REASON_UNSAFE);
	assert_string_equal(providers[0].manifest, path);
	assert_int_equal(providers[1].reason.code, HF_REASON_NONE);
	free(providers);
}

static void an_invalid_manifest(void **state)
{
	struct bed *bed = *state;
	struct hf_provider_info *providers;

	manifest(bed, "name = fake\nabi = what\n");
	assert_int_equal(hf_provider_list(bed->hf, sizeof(*providers), &providers), 1);
	assert_int_equal(providers[0].reason.code, HF_REASON_BAD_MANIFEST);
	assert_non_null(strstr(providers[0].reason.text, "line 2"));
	free(providers);
}

static void may_come_late(void **state)
{
	struct bed *bed = *state;
	struct hf_device_info before, after;
	struct ibv_device *device;
	struct ibv_context *context;

	device = look_up_fake0(bed, &before);
	assert_int_equal(before.state, HF_DEVICE_UNUSABLE);
	library(bed, "fake-hf1.so");
	manifest(bed, good);
	device = hf_device_unref(device);
	device = look_up_fake0(bed, &after);
	assert_int_equal(after.state, HF_DEVICE_READY);
	assert_int_equal(after.generation, before.generation);
	assert_string_equal(after.provider, "fake");
	assert_int_equal(hf_device_open(device, &context), 0);
	assert_int_equal(hf_device_close(context), 0);
	hf_device_unref(device);
}

static void unloads_and_takes_the_newer_file(void **state)
{
	struct bed *bed = *state;
	struct hf_device_info info;
	struct ibv_context *old_context, *new_context;
	struct ibv_device_attr attr;
	struct ibv_device *old, *fresh;

	library(bed, "fake-hf1.so");
	manifest(bed, good);
	old = look_up_fake0(bed, &info);
	assert_int_equal(hf_device_open(old, &old_context), 0);
	assert_int_equal(bed->counters->loads, 1);

	library(bed, "fake-hf1.so");
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	fresh = look_up_fake0(bed, &info);
	assert_ptr_not_equal(fresh, old);
	assert_int_equal(hf_device_is_gone(old), 1);
	assert_int_equal(bed->counters->loads, 2); /* both are mapped now */
	assert_int_equal(bed->counters->unloads, 0);
	assert_int_equal(hf_device_open(fresh, &new_context), 0);
	/* The context that was open keeps its code. */
	assert_int_equal(ibv_query_device(old_context, &attr), 0);
	assert_int_equal(hf_device_close(new_context), 0);

	hf_device_unref(old);
	assert_int_equal(bed->counters->unloads, 0);
	assert_int_equal(hf_device_close(old_context), 0);
	assert_int_equal(bed->counters->unloads, 1);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(hf_device_by_name(bed->hf, "fake0", &old), -ENODEV);
	assert_int_equal(bed->counters->unloads, 1); /* held by `fresh` */
	hf_device_unref(fresh);
	assert_int_equal(bed->counters->unloads, 2);
}

static void may_fail_itself(void **state)
{
	static const char *const lacking[] = {"uninit_device", "describe"};
	struct bed *bed = *state;
	struct hf_device_info info;
	struct ibv_context *context = NULL;
	struct ibv_device *device;

	library(bed, "fake-hf1.so");
	manifest(bed, good);
	/* The reason must name more than the ABI number, which is correct. */
	for (size_t i = 0; i < sizeof(lacking) / sizeof(lacking[0]); i++) {
		setenv("HF_FAKE_FAIL", lacking[i], 1);
		manifest(bed, good);
		device = look_up_fake0(bed, &info);
		assert_int_equal(info.reason.code, HF_REASON_ABI);
		assert_string_equal(info.reason.wanted, "a complete descriptor");
		assert_string_equal(info.reason.found, i ? "none" : "an incomplete one");
		hf_device_unref(device);
		assert_int_equal(bed->counters->loads, bed->counters->unloads);
	}
	setenv("HF_FAKE_FAIL", "alloc_device", 1);
	manifest(bed, good);
	device = look_up_fake0(bed, &info);
	assert_int_equal(info.reason.code, HF_REASON_PROVIDER_FAILED);
	assert_string_equal(info.reason.text,
			    "provider fake could not make an object for device fake0");
	hf_device_unref(device);
	assert_int_equal(bed->counters->loads, bed->counters->unloads);
	setenv("HF_FAKE_FAIL", "alloc_context", 1);
	manifest(bed, good);
	device = look_up_fake0(bed, &info);
	assert_int_equal(info.state, HF_DEVICE_READY);
	assert_int_equal(hf_device_open(device, &context), -EREMOTEIO);
	assert_null(context);
	hf_device_unref(device);
	unsetenv("HF_FAKE_FAIL");
}

/* The state that hf_provider_list() reports for the only provider. */
static void expect_provider_state(const struct bed *bed, unsigned int devices, const char *text)
{
	struct hf_provider_info *providers;
	struct ibv_device **list;

	assert_in_range(hf_device_list(bed->hf, HF_LIST_ALL, &list), 0, 2);
	hf_device_list_free(list);
	assert_int_equal(hf_provider_list(bed->hf, sizeof(*providers), &providers), 1);
	assert_int_equal(providers[0].devices, devices);
	assert_int_equal(providers[0].loaded, devices > 0);
	assert_int_equal(providers[0].reason.code, *text ? HF_REASON_KERNEL_ABI : HF_REASON_NONE);
	assert_string_equal(providers[0].reason.text, text);
	free(providers);
}

/* A device that it cannot serve is no reason to refuse a provider that serves another. */
static void may_serve_one_of_two(void **state)
{
	static const struct {
		const char *manifest, *text;
	} cases[] = {
		{"name = fake\nfile = fake-hf1.so\nabi = 1\nmatch-name = fake*\n",
		 "provider fake supports the kernel driver's ABI 0 to 100, device fake1 has 200"},
		{"name = fake\nfile = fake-hf1.so\nabi = 1\nkernel-abi = 1..9\nmatch-name = "
		 "fake*\n",
		 "provider fake supports the kernel driver's ABI 1 to 9, device fake1 has 200"},
	};
	const struct tree_options other = {.abi = 200};
	struct bed *bed = *state;
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device *device;

	library(bed, "fake-hf1.so");
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		manifest(bed, cases[i].manifest);
		assert_int_equal(tree_add(bed->tree, 1, "fake1", &other), 0);
		expect_provider_state(bed, 1, "");
		assert_int_equal(hf_device_by_name(bed->hf, "fake1", &device), 0);
		assert_int_equal(hf_device_get_info(device, &info), 0);
		assert_int_equal(info.reason.code, HF_REASON_KERNEL_ABI);
		assert_string_equal(info.reason.text, cases[i].text);
		hf_device_unref(device);
		assert_int_equal(tree_remove(bed->tree, 0), 0);
		expect_provider_state(bed, 0, cases[i].text);
		assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
		expect_provider_state(bed, 1, "");
		assert_int_equal(tree_remove(bed->tree, 0), 0);
		assert_int_equal(tree_remove(bed->tree, 1), 0);
		expect_provider_state(bed, 0, "");
		assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	}
}

/* Counts the descriptors of this process. */
static unsigned int own_descriptors(void)
{
	unsigned int count = 0;

	for (int fd = 0; fd < 1024; fd++)
		count += fcntl(fd, F_GETFD) >= 0;
	return count;
}

/* An incomplete context is refused when it is opened, and nothing of it is left. */
static void may_open_wrongly(void **state)
{
	static const struct {
		const char *fail, *found;
	} cases[] = {
		{"free_context", "has no free_context operation"},
		{"set_ops", "has no free_context operation"},
		{"other", "was not made by hf_provider_context_alloc()"},
	};
	struct bed *bed = *state;
	struct hf_provider_info *providers;
	struct ibv_device **list;
	struct hf_device_info info;
	struct ibv_context *context = NULL;
	struct ibv_device *device;
	unsigned int before;
	char text[128];

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		library(bed, "fake-hf1.so");
		manifest(bed, good);
		device = look_up_fake0(bed, &info);
		assert_int_equal(info.state, HF_DEVICE_READY);
		setenv("HF_FAKE_FAIL", cases[i].fail, 1);
		before = own_descriptors();
		for (int j = 0; j < 3; j++)
			assert_int_equal(hf_device_open(device, &context), -ENOSYS);
		assert_null(context);
		assert_int_equal(own_descriptors(), before);
		unsetenv("HF_FAKE_FAIL");
		assert_int_equal(hf_device_get_info(device, &info), 0);
		assert_int_equal(info.state, HF_DEVICE_UNUSABLE);
		assert_int_equal(info.reason.code, HF_REASON_PROVIDER_FAILED);
		snprintf(text, sizeof(text),
			 "provider fake opened device fake0 as a context that %s", cases[i].found);
		assert_string_equal(info.reason.text, text);
		assert_int_equal(hf_device_list(bed->hf, 0, &list), 0);
		hf_device_list_free(list);
		assert_int_equal(hf_provider_list(bed->hf, sizeof(*providers), &providers), 1);
		assert_int_equal(providers[0].reason.code, HF_REASON_PROVIDER_FAILED);
		free(providers);
		hf_device_unref(device);
		assert_int_equal(tree_remove(bed->tree, 0), 0);
		assert_int_equal(hf_device_by_name(bed->hf, "fake0", &device), -ENODEV);
		assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
		/* These were counted when created, and the provider never freed them. */
		bed->counters->contexts = 0;
	}
}

static void may_give_one_context_twice(void **state)
{
	struct bed *bed = *state;
	struct ibv_context *context, *again = NULL;
	struct ibv_device_attr attr;
	struct hf_device_info info;
	struct ibv_device *device;
	unsigned int before;

	library(bed, "fake-hf1.so");
	manifest(bed, good);
	device = look_up_fake0(bed, &info);
	assert_int_equal(hf_device_open(device, &context), 0);
	setenv("HF_FAKE_FAIL", "same", 1);
	before = own_descriptors();
	assert_int_equal(hf_device_open(device, &again), -ENOSYS);
	unsetenv("HF_FAKE_FAIL");
	assert_null(again);
	assert_int_equal(own_descriptors(), before);
	/* The first one still works. */
	assert_int_equal(ibv_query_device(context, &attr), 0);
	assert_int_equal(hf_device_close(context), 0);
	hf_device_unref(device);
}

/* free_context must leave the core's resources to the core. */
static void may_close_wrongly(void **state)
{
	struct bed *bed = *state;
	struct hf_device_info info;
	struct ibv_context *context;
	struct ibv_device *device;
	unsigned int before;

	library(bed, "fake-hf1.so");
	manifest(bed, good);
	device = look_up_fake0(bed, &info);
	before = own_descriptors();
	setenv("HF_FAKE_FAIL", "uninit", 1);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(hf_device_open(device, &context), 0);
		assert_int_equal(hf_device_close(context), 0);
	}
	unsetenv("HF_FAKE_FAIL");
	assert_int_equal(own_descriptors(), before);
	hf_device_unref(device);
}

static void *list_all(void *arg)
{
	const struct bed *bed = arg;
	struct ibv_device **list;
	int count = hf_device_list(bed->hf, 0, &list);

	if (count >= 0)
		hf_device_list_free(list);
	return (void *)(intptr_t)count;
}

/*
 * A provider that does not return from a call blocks those who wait for its device, and no others.
 */
static void may_take_its_time(void **state)
{
	struct bed *bed = *state;
	struct ibv_async_event event;
	struct hf_device_info info;
	struct ibv_context *context, *again;
	struct ibv_device *device;
	pthread_t lister;
	void *count;
	char number[16];
	int status, ends[2];
	pid_t child;

	library(bed, "fake-hf1.so");
	manifest(bed, good);
	assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
	snprintf(number, sizeof(number), "%d", ends[0]);
	setenv("HF_FAKE_ASYNC_FD", number, 1);
	device = look_up_fake0(bed, &info);
	assert_int_equal(hf_device_open(device, &context), 0);

	__atomic_store_n(&bed->counters->hold, 1, __ATOMIC_RELAXED);
	assert_int_equal(tree_add(bed->tree, 1, "fake1", NULL), 0);
	assert_int_equal(pthread_create(&lister, NULL, list_all, bed), 0);
	while (!__atomic_load_n(&bed->counters->held, __ATOMIC_RELAXED))
		usleep(1000);

	assert_int_equal(hf_device_open(device, &again), 0);
	assert_int_equal(hf_device_close(again), 0);
	child = fork();
	if (child == 0) {
		execl("/bin/true", "true", (char *)NULL);
		_exit(1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	/*
	 * A thread that waits for an event notices the removal, though the table is not up to date.
	 */
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_int_equal(ibv_get_async_event(context, &event), 0);
	assert_int_equal(event.event_type, IBV_EVENT_DEVICE_FATAL);
	assert_int_equal(hf_device_open(device, &again), -ENODEV);
	assert_int_equal(hf_device_close(context), 0);

	__atomic_store_n(&bed->counters->hold, 0, __ATOMIC_RELAXED);
	assert_int_equal(pthread_join(lister, &count), 0);
	/* The other device was removed meanwhile, or had been found before that. */
	assert_in_range((intptr_t)count, 1, 2);
	assert_int_equal((intptr_t)list_all(bed), 1);
	assert_int_equal(hf_device_is_gone(device), 1);
	hf_device_unref(device);
	unsetenv("HF_FAKE_ASYNC_FD");
	close(ends[0]);
	close(ends[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(refusals_are_kept, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(links_are_followed, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(an_unsafe_manifest_hides_none, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(an_invalid_manifest, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(may_come_late, setup_providers, teardown_providers),
		cmocka_unit_test_setup_teardown(unloads_and_takes_the_newer_file, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(may_fail_itself, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(may_serve_one_of_two, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(may_open_wrongly, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(may_give_one_context_twice, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(may_close_wrongly, setup_providers,
						teardown_providers),
		cmocka_unit_test_setup_teardown(may_take_its_time, setup_providers,
						teardown_providers),
	};

	/* A wait for a provider would never end. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
