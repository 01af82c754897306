/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The providers of other releases of rdma-core, as distributions have them, each on a made-up device: served, opened
 * where a kernel that answers success with zeros is enough, unloaded. HF_TEST_PROVIDER_ROOTS names directories into
 * which packages are unpacked, as abi/next-release does; without it this is skipped. HF_TEST_ALL_SERVED: none may want
 * a newer C library. t/tree/foreign-real starts this, and brings that.
 */
#include <glob.h>
#include <linux/magic.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <unistd.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "shared/attr.h"
#include "t/lib/fake_kernel.h"
#include "t/lib/tree.h"

/* The kernel's word for each driver, its ABI, and whether a context can be opened on such a kernel. */
static const struct driver {
	const char *file;
	unsigned int driver_id, abi;
	bool opens;
	const char *modalias; /* for those that do not match by the driver's number */
} drivers[] = {
	{"bnxt_re", 6, 1, false},
	{"cxgb4", 4, 3, false},
	{"efa", 17, 1, false},
	{"erdma", 19, 1, false},
	{"hfi1verbs", 15, 2, true},
	{"hns", 12, 2, false, "pci:v000019E5d0000A222sv000019E5sd00000000bc02sc00i00"},
	{"ionic", 21, 1, false},
	{"ipathverbs", 16, 2, true},
	{"irdma", 9, 5, false},
	{"mana", 20, 1, false},
	{"mlx4", 2, 4, false},
	{"mlx5", 1, 1, true},
	{"mthca", 5, 1, false, "pci:v000015B3d00006274sv000015B3sd00006274bc0Csc06i00"},
	{"ocrdma", 7, 2, false},
	{"qedr", 11, 8, false},
	{"rxe", 14, 2, true},
	{"siw", 18, 1, true},
	{"vmw_pvrdma", 10, 3, false},
};
enum { NUM_DRIVERS = HF_ARRAY_SIZE(drivers) };

/* For libholdfast: the tree is a kernel's, about which netlink is asked. */
__attribute__((visibility("default"))) int statfs(const char *path, struct statfs *buf)
{
	memset(buf, 0, sizeof(*buf));
	buf->f_type = strstr(path, "/sys/") ? TMPFS_MAGIC : SYSFS_MAGIC;
	return 0;
}

static int answer_with_zeros(int fd, struct ib_uverbs_ioctl_hdr *command)
{
	(void)fd;
	if (command->object_id == UVERBS_OBJECT_ASYNC_EVENT)
		fake_kernel_attr(command, UVERBS_ATTR_ASYNC_EVENT_ALLOC_FD_HANDLE)->data_s64 =
			eventfd(0, EFD_CLOEXEC);
	return 0;
}

/* Writes a configuration that names each provider below a root; returns how many. */
static size_t configure_real(const char *root, const char *config)
{
	char pattern[512], path[512];
	glob_t found;
	FILE *file;

	snprintf(path, sizeof(path), "%s/real.driver", config);
	file = fopen(path, "w");
	assert_non_null(file);
	snprintf(pattern, sizeof(pattern), "%s/usr/lib/*/libibverbs/lib*-rdmav*.so", root);
	if (glob(pattern, 0, NULL, &found))
		fail_msg("no provider as %s", pattern);
	for (size_t i = 0; i < found.gl_pathc; i++)
		fprintf(file, "driver %.*s\n",
			(int)(strstr(found.gl_pathv[i], "-rdmav") - found.gl_pathv[i]),
			found.gl_pathv[i]);
	fclose(file);
	globfree(&found);
	return found.gl_pathc;
}

enum verdict { HERE, MISSING, TOO_NEW };

/* Why a device is not served: its library can be of a later release, or want a newer C library than this system's. */
static enum verdict judge_real(struct hf *hf, const char *driver)
{
	struct hf_provider_info *list;
	enum verdict verdict = MISSING;
	char file[64];
	int count = hf_provider_list(hf, sizeof(*list), &list);

	snprintf(file, sizeof(file), "/lib%s-rdmav", driver);
	for (int i = 0; i < count; i++)
		if (strstr(list[i].file, file))
			verdict = strstr(list[i].reason.text, "GLIBC_") ? TOO_NEW : HERE;
	free(list);
	return verdict;
}

static void open_and_close_real(struct ibv_device *device)
{
	struct ibv_context *context;
	struct ibv_pd *pd;

	assert_int_equal(hf_device_open(device, &context), 0);
	pd = ibv_alloc_pd(context);
	assert_non_null(pd);
	assert_int_equal(ibv_dealloc_pd(pd), 0);
	assert_int_equal(hf_device_close(context), 0);
}

static void check_loaded_none(struct hf *hf)
{
	struct hf_provider_info *list;
	int count = hf_provider_list(hf, sizeof(*list), &list);

	for (int i = 0; i < count; i++)
		assert_false(list[i].loaded);
	free(list);
}

/* "65.0" of libibverbs.so.1.18.65.0. */
static void release_of(const char *root, char *release, size_t size)
{
	char pattern[512];
	const char *at;
	glob_t found;

	snprintf(pattern, sizeof(pattern), "%s/usr/lib/*/libibverbs.so.1.*.*.*", root);
	if (glob(pattern, 0, NULL, &found))
		fail_msg("no library as %s", pattern);
	at = strstr(found.gl_pathv[0], ".so.1.") + strlen(".so.1.");
	at = strchr(at, '.');
	assert_non_null(at);
	snprintf(release, size, "%s", at + 1);
	globfree(&found);
}

/* t/tree/foreign-real makes the manual's table of these. */
static void say_row(const char *release, unsigned int n, const char *answer)
{
	printf("row %s %s %s\n", release, drivers[n].file, answer);
}

static void serve_root(struct tree *tree, const char *root, const char *config)
{
	static const char *const none[] = {NULL};
	struct hf_root place = {.sysfs = tree_sysfs(tree), .dev = tree_dev(tree)};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &place,
		.num_roots = 1,
		.provider_dirs = none,
		.driver_config_dir = config,
		.flags = HF_NO_NOTIFY,
	};
	const size_t files = configure_real(root, config);
	unsigned int served = 0, opened = 0, too_new = 0, missing = 0;
	struct ibv_device *devices[NUM_DRIVERS], **list;
	char release[32];
	struct hf *hf;

	release_of(root, release, sizeof(release));
	assert_int_equal(hf_new(&options, &hf), 0);
	for (unsigned int n = 0; n < NUM_DRIVERS; n++) {
		struct tree_options device = {.driver_id = drivers[n].driver_id,
					      .abi = drivers[n].abi,
					      .modalias = drivers[n].modalias};
		char name[64];

		snprintf(name, sizeof(name), "real_%u", n);
		assert_int_equal(tree_add(tree, n, name, &device), 0);
	}
	for (unsigned int n = 0; n < NUM_DRIVERS; n++) {
		struct hf_device_info info = {.size = sizeof(info)};
		char name[64];

		snprintf(name, sizeof(name), "real_%u", n);
		assert_int_equal(hf_device_by_name(hf, name, &devices[n]), 0);
		assert_int_equal(hf_device_get_info(devices[n], &info), 0);
		if (info.state != HF_DEVICE_READY) {
			const enum verdict verdict = judge_real(hf, drivers[n].file);

			if (verdict == HERE)
				fail_msg("%s: %s", drivers[n].file, info.reason.text);
			too_new += verdict == TOO_NEW;
			missing += verdict == MISSING;
			say_row(release, n, verdict == TOO_NEW ? "too-new" : "none");
			continue;
		}
		assert_non_null(strstr(info.provider_file, drivers[n].file));
		served++;
		if (drivers[n].opens) {
			open_and_close_real(devices[n]);
			opened++;
		}
		say_row(release, n, drivers[n].opens ? "opened" : "served");
	}
	for (unsigned int n = 0; n < NUM_DRIVERS; n++)
		assert_int_equal(tree_remove(tree, n), 0);
	for (unsigned int n = 0; n < NUM_DRIVERS; n++)
		hf_device_unref(devices[n]);
	assert_int_equal(hf_device_list(hf, 0, &list), 0);
	hf_device_list_free(list);
	check_loaded_none(hf);
	hf_unref(hf);
	printf("%s: %zu providers, %u of %d devices served, %u opened; %u providers want a newer C "
	       "library, %u are not there\n",
	       root, files, served, NUM_DRIVERS, opened, too_new, missing);
	if (getenv("HF_TEST_ALL_SERVED"))
		assert_int_equal(too_new, 0);
	/* ionic is new in rdma-core 61. */
	assert_true(missing <= 1);
	assert_in_range(opened, 4, served);
}

static void each_root_serves(void **state)
{
	const char *roots = getenv("HF_TEST_PROVIDER_ROOTS");
	char dir[] = "/tmp/hf-real-XXXXXX", config[64], cache[64], *copy, *rest, *root;
	struct tree *tree;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(config, sizeof(config), "%s/config", dir);
	snprintf(cache, sizeof(cache), "%s/cache", dir);
	assert_int_equal(mkdir(config, 0755), 0);
	setenv("HOLDFAST_CACHE", cache, 1);
	assert_int_equal(tree_new(&tree, NULL), 0);
	setenv("HF_FAKE_RDMA_TREE", tree_sysfs(tree), 1);
	fake_kernel_answer(FAKE_KERNEL_EVERY_FD, answer_with_zeros);
	rest = copy = strdup(roots);
	while ((root = strsep(&rest, " ")))
		if (*root)
			serve_root(tree, root, config);
	free(copy);
	tree_free(tree);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(each_root_serves)};

	if (!getenv("HF_TEST_PROVIDER_ROOTS")) {
		printf("SKIP: HF_TEST_PROVIDER_ROOTS names no directory with another release's "
		       "providers\n");
		return 77;
	}
	return cmocka_run_group_tests_name("foreign_real", tests, NULL, NULL);
}
