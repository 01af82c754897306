/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The distribution's providers: all of them on generated devices, and damaged files. */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/magic.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/rdma_user_ioctl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/fake_kernel.h"
#include "t/lib/tree.h"

/* Vendor and device of one adapter each, from the kernel drivers' tables; rdma_driver_id. */
static const struct family {
	const char *file, *driver, *ibdev, *modalias;
	unsigned int driver_id, abi;
} families[] = {
	{"bnxt_re", "bnxt_re", "bnxt_re0", "pci:v000014E4d00001605sv0s", 6, 1},
	{"cxgb4", "cxgb4", "cxgb4_0", "pci:v00001425d00004400sv0s", 4, 3},
	{"efa", "efa", "efa_0", "pci:v00001D0Fd0000EFA0sv0s", 17, 1},
	{"erdma", "erdma", "erdma_0", "pci:v00001DEDd0000107Fsv0s", 19, 1},
	{"hfi1verbs", "hfi1verbs", "hfi1_0", "pci:v00008086d000024F0sv0s", 15, 2},
	{"hns", "hns", "hns_0", "pci:v000019E5d0000A222sv0s", ~0u, 1},
	{"ipathverbs", "ipathverbs", "qib0", "pci:v00001FC1d0000000Dsv0s", 16, 2},
	{"irdma", "irdma", "irdma0", "pci:v00008086d0000124Csv0s", 9, 5},
	{"mlx4", "mlx4", "mlx4_0", "pci:v000015B3d00006340sv0s", 2, 4},
	{"mlx5", "mlx5", "mlx5_0", "pci:v000015B3d00001017sv0s", 1, 1},
	{"mthca", "mthca", "mthca0", "pci:v000015B3d00005A44sv0s", ~0u, 1},
	{"ocrdma", "ocrdma", "ocrdma0", "pci:v000010DFd0000E220sv0s", 7, 2},
	{"qedr", "qedr", "qedr0", "pci:v00001077d00001629sv0s", 11, 8},
	{"rxe", "rxe", "rxe0", NULL, 14, 2},
	{"vmw_pvrdma", "pvrdma", "vmw_pvrdma0", "pci:v000015ADd00000820sv0s", 10, 3},
	/* Matched by the kernel driver's number alone. */
	{"mana", "mana", "mana_0", NULL, 20, 1},
	{"siw", "siw", "siw0", NULL, 18, 1},
};
enum { NUM = sizeof(families) / sizeof(families[0]), NUM_BY_TREE = NUM - 2 };
enum { HEADER = 4096, ALTERED = 120 };

struct bed {
	struct tree *tree;
	char dir[64];	 /* everything except the tree */
	char config[80]; /* of drivers that are copies */
	char cache[80];
};

static const char *const no_providers[] = {NULL};
static bool kernel_tree;

/*
 * Replaces libholdfast's statfs(): while this is set, the tree looks like the kernel's sysfs, so
 * netlink is used.
 */
__attribute__((visibility("default"))) int statfs(const char *path, struct statfs *buf)
{
	memset(buf, 0, sizeof(*buf));
	buf->f_type = kernel_tree && !strstr(path, "/sys/") ? SYSFS_MAGIC : TMPFS_MAGIC;
	return 0;
}

/* How many of the next looks into the distribution's driver directory fail for want of descriptors. */
static unsigned int failing_looks, looks;

/* Replaces libholdfast's, too. */
__attribute__((visibility("default"))) DIR *opendir(const char *path)
{
	int fd;

	if (strlen(path) > 11 && !strcmp(path + strlen(path) - 11, "/libibverbs")) {
		looks++;
		if (failing_looks) {
			failing_looks--;
			errno = EMFILE;
			return NULL;
		}
	}
	fd = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	return fd < 0 ? NULL : fdopendir(fd);
}

/*
 * Two providers of rdma-core 44 never free what alloc_device allocated: bnxt_re has no
 * uninit_device, and ocrdma's leaves a table. Ignore what is allocated for their devices. Weak:
 * defined by a sanitizer.
 */
__attribute__((weak)) void __lsan_disable(void);
__attribute__((weak)) void __lsan_enable(void);

static bool leaks(const char *driver)
{
	return (!strcmp(driver, "bnxt_re") || !strcmp(driver, "ocrdma")) && __lsan_disable &&
	       __lsan_enable;
}

/* A kernel on which each command succeeds and no event arrives. */
static int answer_alloc_async(int fd, struct ib_uverbs_ioctl_hdr *command)
{
	struct ib_uverbs_attr *events;
	int ends[2];

	(void)fd;
	events = command->object_id == UVERBS_OBJECT_ASYNC_EVENT
			 ? fake_kernel_attr(command, UVERBS_ATTR_ASYNC_EVENT_ALLOC_FD_HANDLE)
			 : NULL;
	if (events) {
		if (pipe2(ends, O_CLOEXEC) < 0)
			return errno;
		/*
		 * Keep the other end open until this process ends, or the first one would be
		 * readable.
		 */
		events->data_s64 = ends[0];
	}
	return 0;
}

static void run_shell_command(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void run_shell_command(const char *format, ...)
{
	char command[1024];
	va_list args;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	assert_int_equal(system(command), 0);
}

static int setup_foreign(void **state)
{
	struct bed *bed = calloc(1, sizeof(*bed));

	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	setenv("HF_FAKE_RDMA_TREE", tree_sysfs(bed->tree), 1);
	strcpy(bed->dir, "/tmp/hf-foreign-XXXXXX");
	assert_non_null(mkdtemp(bed->dir));
	snprintf(bed->config, sizeof(bed->config), "%s/config", bed->dir);
	snprintf(bed->cache, sizeof(bed->cache), "%s/cache", bed->dir);
	run_shell_command("mkdir -m 755 %s/config && umask 022 && ln -s %s/libibverbs.so.1.14.44.0 "
			  "%s/libibverbs.so.1 && cp /usr/lib/*/libibverbs.so.1.*.* "
			  "%s/libibverbs.so.1.14.44.0",
			  bed->dir, bed->dir, bed->dir, bed->dir);
	setenv("HOLDFAST_CACHE", bed->cache, 1);
	*state = bed;
	return 0;
}

static int teardown_foreign(void **state)
{
	struct bed *bed = *state;

	tree_free(bed->tree);
	run_shell_command("rm -rf '%s'", bed->dir);
	free(bed);
	return 0;
}

static struct hf *new_foreign_context(const struct bed *bed, const char *config, uint32_t flags,
				      const char *const *providers)
{
	struct hf_root root = {.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = providers,
		.driver_config_dir = config,
		.flags = flags,
	};
	struct hf *hf;

	assert_int_equal(hf_new(&options, &hf), 0);
	return hf;
}

static void add_family(const struct bed *bed, unsigned int n)
{
	struct tree_options options = {
		.modalias = families[n].modalias,
		.driver_id = families[n].driver_id,
		.abi = families[n].abi,
	};

	assert_int_equal(tree_add(bed->tree, n, families[n].ibdev, &options), 0);
}

static void check_family_device(struct hf *hf, unsigned int n)
{
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device *device;
	char file[64];

	assert_int_equal(hf_device_by_name(hf, families[n].ibdev, &device), 0);
	assert_int_equal(hf_device_get_info(device, &info), 0);
	if (info.state != HF_DEVICE_READY)
		fail_msg("%s: %s", families[n].ibdev, info.reason.text);
	assert_string_equal(info.provider, families[n].driver);
	snprintf(file, sizeof(file), "/lib%s-rdmav34.so", families[n].file);
	assert_non_null(strstr(info.provider_file, file));
	hf_device_unref(device);
}

/* How many are mapped, by what the context says and by what the process has. */
static void check_loaded(struct hf *hf, size_t wanted)
{
	struct hf_provider_info *list;
	size_t loaded = 0, mapped = 0;
	char line[512], last[512] = "";
	int count;
	FILE *maps = fopen("/proc/self/maps", "r");

	count = hf_provider_list(hf, sizeof(*list), &list);
	assert_int_equal(count, NUM);
	for (int i = 0; i < count; i++) {
		assert_string_equal(list[i].family, "rdmav34");
		assert_string_equal(list[i].layout, "rdma-core 44 to 44");
		loaded += list[i].loaded;
	}
	free(list);
	assert_non_null(maps);
	while (fgets(line, sizeof(line), maps)) {
		char *path = strchr(line, '/');

		if (!path || !strcmp(path, last) ||
		    (!strstr(path, "-rdmav34.so") && !strstr(path, "libmlx") &&
		     !strstr(path, "libefa.so") && !strstr(path, "libmana.so")))
			continue;
		strcpy(last, path);
		mapped++;
	}
	fclose(maps);
	assert_int_equal(loaded, wanted);
	assert_int_equal(mapped, wanted);
}

static void serve_all(struct bed *bed, uint32_t flags, unsigned int count)
{
	struct hf *hf = new_foreign_context(bed, "/etc/libibverbs.d", flags, no_providers);
	struct ibv_device **list;

	for (unsigned int n = 0; n < count; n++) {
		const bool leaking = leaks(families[n].driver);

		add_family(bed, n);
		if (leaking)
			__lsan_disable();
		check_family_device(hf, n);
		if (leaking)
			__lsan_enable();
		check_loaded(hf, n + 1);
	}
	assert_int_equal(hf_device_list(hf, 0, &list), count);
	for (unsigned int n = 0; n < count; n++)
		assert_int_equal(tree_remove(bed->tree, n), 0);
	hf_device_list_free(list);
	assert_int_equal(hf_device_list(hf, 0, &list), 0);
	hf_device_list_free(list);
	check_loaded(hf, 0);
	hf_unref(hf);
	printf("%u providers served a device each and were unloaded\n", count);
}

static void by_identity(void **state)
{
	serve_all(*state, HF_NO_NETLINK, NUM_BY_TREE);
}

static void by_driver_id(void **state)
{
	kernel_tree = true;
	serve_all(*state, HF_NO_NOTIFY, NUM);
	kernel_tree = false;
}

/* Copies rxe's library and names the copy in the configuration. */
static void copy_rxe(const struct bed *bed)
{
	run_shell_command("umask 022; cp /usr/lib/*/libibverbs/librxe-rdmav34.so %s/new && "
			  "mv %s/new %s/librxe-rdmav34.so && echo driver %s/librxe >%s/rxe.driver",
			  bed->dir, bed->dir, bed->dir, bed->dir, bed->config);
}

/* Whose code is at that address: the inode of a file that is mapped, and how many of rxe's there are. */
static unsigned long code_of(const void *address, unsigned int *count)
{
	FILE *maps = fopen("/proc/self/maps", "r");
	unsigned long start, end, inode, last = 0, found = 0;
	char line[512];

	assert_non_null(maps);
	*count = 0;
	while (fgets(line, sizeof(line), maps)) {
		if (!strstr(line, "librxe-rdmav34.so") ||
		    sscanf(line, "%lx-%lx %*s %*x %*s %lu", &start, &end, &inode) != 3)
			continue;
		*count += inode != last;
		last = inode;
		if ((uintptr_t)address >= start && (uintptr_t)address < end)
			found = inode;
	}
	fclose(maps);
	return found;
}

/*
 * An upgrade while a program runs: open devices keep the old code, the next instance gets the new.
 */
static void a_replaced_file_serves_the_next_device(void **state)
{
	struct bed *bed = *state;
	struct hf *hf;
	struct ibv_context *old_context, *new_context;
	struct ibv_device *old, *same, *fresh;
	struct stat before, after;
	unsigned int mapped;
	char path[128];
	struct ibv_pd *pd;

	add_family(bed, 13);
	copy_rxe(bed);
	snprintf(path, sizeof(path), "%s/librxe-rdmav34.so", bed->dir);
	assert_int_equal(stat(path, &before), 0);
	hf = new_foreign_context(bed, bed->config, HF_NO_NETLINK, no_providers);
	fake_kernel_answer(FAKE_KERNEL_EVERY_FD, answer_alloc_async);
	assert_int_equal(hf_device_by_name(hf, "rxe0", &old), 0);
	assert_int_equal(hf_device_open(old, &old_context), 0);
	assert_int_equal(code_of((void *)old_context->ops.poll_cq, &mapped), before.st_ino);
	assert_int_equal(mapped, 1);

	copy_rxe(bed);
	assert_int_equal(stat(path, &after), 0);
	assert_int_not_equal(after.st_ino, before.st_ino);
	/* The same instance keeps its provider. */
	assert_int_equal(hf_device_by_name(hf, "rxe0", &same), 0);
	assert_ptr_equal(same, old);
	hf_device_unref(same);
	assert_int_equal(tree_remove(bed->tree, 13), 0);
	add_family(bed, 13);
	assert_int_equal(hf_device_by_name(hf, "rxe0", &fresh), 0);
	assert_ptr_not_equal(fresh, old);
	assert_int_equal(hf_device_open(fresh, &new_context), 0);
	assert_int_equal(code_of((void *)new_context->ops.poll_cq, &mapped), after.st_ino);
	assert_int_equal(code_of((void *)old_context->ops.poll_cq, &mapped), before.st_ino);
	assert_int_equal(mapped, 2);

	/* Both work, and the old code is unloaded with the last device that uses it. */
	pd = ibv_alloc_pd(old_context);
	assert_non_null(pd);
	assert_int_equal(ibv_dealloc_pd(pd), 0);
	assert_int_equal(hf_device_close(old_context), 0);
	hf_device_unref(old);
	code_of(NULL, &mapped);
	assert_int_equal(mapped, 1);
	pd = ibv_alloc_pd(new_context);
	assert_non_null(pd);
	assert_int_equal(ibv_dealloc_pd(pd), 0);
	assert_int_equal(hf_device_close(new_context), 0);
	hf_device_unref(fresh);
	fake_kernel_answer(-1, NULL);
	hf_unref(hf);
}

static struct hf_device_info look_at_device(const struct bed *bed)
{
	struct hf *hf = new_foreign_context(bed, bed->config, HF_NO_NETLINK, no_providers);
	struct hf_device_info info = {.size = sizeof(info)};
	struct ibv_device *device;

	assert_int_equal(hf_device_by_name(hf, "rxe0", &device), 0);
	assert_int_equal(hf_device_get_info(device, &info), 0);
	hf_device_unref(device);
	hf_unref(hf);
	return info;
}

static void expect_reason(const struct bed *bed, enum hf_reason_code code, const char *text)
{
	struct hf_device_info info = look_at_device(bed);

	if (info.reason.code != code || (text && !strstr(info.reason.text, text)))
		fail_msg("wanted %s (%s), got %s: %s", hf_reason_name(code), text ? text : "",
			 hf_reason_name(info.reason.code), info.reason.text);
}

/* Checks the reason that hf_provider_list() reports. */
static void expect_foreign_refusal(const struct bed *bed, enum hf_reason_code code,
				   const char *found)
{
	struct hf *hf = new_foreign_context(bed, bed->config, HF_NO_NETLINK, no_providers);
	struct hf_provider_info *list;

	assert_int_equal(hf_provider_list(hf, sizeof(*list), &list), 1);
	assert_int_equal(list[0].reason.code, code);
	assert_non_null(strstr(list[0].reason.found, found));
	free(list);
	hf_unref(hf);
}

static void the_layout_is_passed(void **state)
{
	struct bed *bed = *state;

	add_family(bed, 13);
	copy_rxe(bed);
	expect_reason(bed, HF_REASON_NONE, NULL);
	/* Its name says that it is newer than the symbols it exports. */
	run_shell_command("cd %s && mv libibverbs.so.1.14.44.0 libibverbs.so.1.14.53.0 && "
			  "ln -sf libibverbs.so.1.14.53.0 libibverbs.so.1",
			  bed->dir);
	expect_foreign_refusal(bed, HF_REASON_ABI, "ibv_cmd_create_cq_ex2");
	run_shell_command("cd %s && mv libibverbs.so.1.14.53.0 libibverbs.so.1.15.57.0 && "
			  "ln -sf libibverbs.so.1.15.57.0 libibverbs.so.1",
			  bed->dir);
	expect_foreign_refusal(bed, HF_REASON_ABI, "rdma-core 57");
	run_shell_command("rm %s/libibverbs.so.1*", bed->dir);
	expect_foreign_refusal(bed, HF_REASON_ABI, "no libibverbs.so.1");
	expect_reason(bed, HF_REASON_NO_PROVIDER, NULL);
	setenv("HOLDFAST_DRIVER_LAYOUT", "44", 1);
	expect_reason(bed, HF_REASON_NONE, NULL);
	unsetenv("HOLDFAST_DRIVER_LAYOUT");
}

static void damaged_files_are_refused(void **state)
{
	struct bed *bed = *state;
	unsigned int truncated = 0, refused = 0, taken = 0;
	char path[128];
	struct stat st;

	add_family(bed, 13);
	snprintf(path, sizeof(path), "%s/librxe-rdmav34.so", bed->dir);
	copy_rxe(bed);
	assert_int_equal(stat(path, &st), 0);
	for (off_t length = 0; length < st.st_size; length += 1 + st.st_size / 40) {
		copy_rxe(bed);
		assert_int_equal(truncate(path, length), 0);
		assert_int_not_equal(look_at_device(bed).reason.code, HF_REASON_NONE);
		truncated++;
	}
	srandom(1);
	/* Valgrind itself crashes on such debug information (3.19). */
	for (int i = 0; i < (getenv("HF_VALGRIND") ? 0 : ALTERED); i++) {
		unsigned char noise[8];
		FILE *file;

		copy_rxe(bed);
		file = fopen(path, "r+");
		assert_non_null(file);
		/* Half of the changes are in the headers and tables. */
		fseek(file, random() % (i % 2 ? st.st_size : HEADER), SEEK_SET);
		for (size_t j = 0; j < sizeof(noise); j++)
			noise[j] = (unsigned char)random();
		fwrite(noise, sizeof(noise), 1, file);
		assert_int_equal(fclose(file), 0);
		if (look_at_device(bed).reason.code)
			refused++;
		else
			taken++;
	}
	assert_true(refused > 20 || getenv("HF_VALGRIND"));
	printf("%u cut files refused; of %u altered ones %u refused, %u harmless so far\n",
	       truncated, refused + taken, refused, taken);
}

static void cache_is_only_a_cache(void **state)
{
	struct bed *bed = *state;
	char path[128];
	struct stat st;

	add_family(bed, 13);
	copy_rxe(bed);
	snprintf(path, sizeof(path), "%s/providers", bed->cache);
	expect_reason(bed, HF_REASON_NONE, NULL);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0644);
	/* Also that the exports of libibverbs.so.1 agree with its name. */
	run_shell_command("grep -q '^driver libibverbs ' %s/providers", bed->cache);
	/* The cache is believed: with another name in it, the device has no provider. */
	run_shell_command("cd %s && sed -i 's/Nrxe/Nxyz/; /^sum/d' providers && python3 -c '\n"
			  "t = open(\"providers\", \"rb\").read(); s = 0xcbf29ce484222325\n"
			  "for b in t: s = (s ^ b) * 0x100000001b3 & (1 << 64) - 1\n"
			  "open(\"providers\", \"ab\").write(b\"sum %%x\\n\" %% s)'",
			  bed->cache);
	expect_reason(bed, HF_REASON_NO_PROVIDER, NULL);
	/* Unless its checksum is wrong, others may write to it, or the library has changed. */
	run_shell_command("sed -i 's/Nxyz/Nabc/' %s/providers", bed->cache);
	expect_reason(bed, HF_REASON_NONE, NULL);
	run_shell_command("sed -i 's/^id/di/' %s/providers && chmod 777 %s", bed->cache,
			  bed->cache);
	expect_reason(bed, HF_REASON_NONE, NULL);
	run_shell_command(
		"chmod 755 %s; echo >%s/providers; chmod 444 %s/providers; touch %s/librxe*.so",
		bed->cache, bed->cache, bed->cache, bed->dir);
	expect_reason(bed, HF_REASON_NONE, NULL);
	setenv("HOLDFAST_CACHE", "/nonexistent/cache", 1);
	expect_reason(bed, HF_REASON_NONE, NULL);
}

static void preference(void **state)
{
	struct bed *bed = *state;
	char own[128], refused[128];
	const char *const dirs[] = {own, NULL}, *const bad[] = {refused, NULL};
	struct {
		const char *const *dirs;
		uint32_t flags;
		const char *file;
	} cases[] = {
		{dirs, 0, "rxe-hf1.so"},
		{dirs, HF_PREFER_DISTRIBUTION, "librxe-rdmav34.so"},
		{bad, 0, "librxe-rdmav34.so"},
	};

	add_family(bed, 13);
	copy_rxe(bed);
	snprintf(own, sizeof(own), "%s/own", bed->dir);
	snprintf(refused, sizeof(refused), "%s/bad", bed->dir);
	run_shell_command("umask 022; cp -r %s/providers.d %s/own && chmod -R go-w %s/own && cp -r "
			  "%s/own %s/bad "
			  "&& "
			  "sed -i 's/^abi = .*/abi = 7/' %s/bad/rxe.provider",
			  getenv("top_builddir"), bed->dir, bed->dir, bed->dir, bed->dir, bed->dir);
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct hf *hf = new_foreign_context(bed, bed->config,
						    HF_NO_NETLINK | cases[i].flags, cases[i].dirs);
		struct hf_device_info info = {.size = sizeof(info)};
		struct ibv_device *device;

		assert_int_equal(hf_device_by_name(hf, "rxe0", &device), 0);
		assert_int_equal(hf_device_get_info(device, &info), 0);
		assert_non_null(strstr(info.provider_file, cases[i].file));
		hf_device_unref(device);
		hf_unref(hf);
	}
}

/* What there is no descriptor for is not absent: the list fails, and the next one looks again. */
static void a_driver_directory_that_cannot_be_opened(void **state)
{
	struct bed *bed = *state;
	struct ibv_device **list;
	struct hf *hf;

	add_family(bed, 0);
	hf = new_foreign_context(bed, bed->config, 0, no_providers);
	/* Drivers without a file of the first private ABI: others are looked for. At the first list, and where the files have been read before. */
	for (unsigned int i = 0; i < 2; i++) {
		run_shell_command("echo 'driver nowhere%u' >>%s/nowhere.driver", i, bed->config);
		looks = 0;
		failing_looks = 1;
		assert_int_equal(hf_device_list(hf, 0, &list), -EMFILE);
		assert_int_equal(looks, 1);
		assert_int_equal(hf_device_list(hf, 0, &list), 0);
		assert_true(looks > 1);
		hf_device_list_free(list);
	}
	hf_unref(hf);
}

static void not_beside_another_libibverbs(void **state)
{
	struct bed *bed = *state;
	int status;
	pid_t pid;

	add_family(bed, 13);
	copy_rxe(bed);
	pid = fork();
	if (pid == 0) {
		char path[128];
		struct hf_device_info info;

		snprintf(path, sizeof(path), "%s/libibverbs.so.1", bed->dir);
		if (!dlopen(path, RTLD_NOW))
			_exit(2);
		info = look_at_device(bed);
		_exit(info.reason.code == HF_REASON_LOAD && strstr(info.reason.found, "another")
			      ? 0
			      : 1);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(status, 0);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(by_identity, setup_foreign, teardown_foreign),
		cmocka_unit_test_setup_teardown(by_driver_id, setup_foreign, teardown_foreign),
		cmocka_unit_test_setup_teardown(the_layout_is_passed, setup_foreign,
						teardown_foreign),
		cmocka_unit_test_setup_teardown(damaged_files_are_refused, setup_foreign,
						teardown_foreign),
		cmocka_unit_test_setup_teardown(cache_is_only_a_cache, setup_foreign,
						teardown_foreign),
		cmocka_unit_test_setup_teardown(a_replaced_file_serves_the_next_device,
						setup_foreign, teardown_foreign),
		cmocka_unit_test_setup_teardown(preference, setup_foreign, teardown_foreign),
		cmocka_unit_test_setup_teardown(a_driver_directory_that_cannot_be_opened,
						setup_foreign, teardown_foreign),
		cmocka_unit_test_setup_teardown(not_beside_another_libibverbs, setup_foreign,
						teardown_foreign),
	};

	if (access("/etc/libibverbs.d/rxe.driver", R_OK) < 0) {
		puts("SKIP: the distribution's providers are not installed (ibverbs-providers)");
		return 77;
	}
#if defined(__SANITIZE_THREAD__)
	/*
	 * With ThreadSanitizer's interceptors the fake netlink does not answer; this test has no
	 * threads.
	 */
	puts("SKIP: built with ThreadSanitizer");
	return 77;
#endif
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
