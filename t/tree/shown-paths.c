/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * shown-paths NAME N ROOT: by every function of libc, the node /dev/infiniband/uverbsN is a character device and
 * /sys/class/infiniband/NAME is there; and paths beside them are as they are without the preloaded library.
 */
#undef _FORTIFY_SOURCE

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

static char node[128], device[128], attribute[256], in_root[4096];
static int failed, checked;

static void check_path(bool good, const char *what, const char *path)
{
	checked++;
	if (good)
		return;
	failed++;
	printf("FAILED: %s %s: %s\n", what, path, strerror(errno));
}

/* Old names, which headers do not declare any more. */
static void *named(const char *name)
{
	void *ret = dlsym(RTLD_DEFAULT, name);

	if (!ret)
		printf("FAILED: no %s\n", name), failed++;
	return ret;
}

static void check_shown_open(const char *path, bool there)
{
	int (*const open_2)(const char *, int) = (int (*)(const char *, int))named("__open_2");
	int (*const open64_2)(const char *, int) = (int (*)(const char *, int))named("__open64_2");
	int (*const openat_2)(int, const char *, int) =
		(int (*)(int, const char *, int))named("__openat_2");
	int (*const openat64_2)(int, const char *, int) =
		(int (*)(int, const char *, int))named("__openat64_2");
	const int fds[] = {
		open(path, O_RDONLY),
		open64(path, O_RDONLY),
		openat(AT_FDCWD, path, O_RDONLY),
		openat64(-1, path, O_RDONLY),
		open_2(path, O_RDONLY),
		open64_2(path, O_RDONLY),
		openat_2(-1, path, O_RDONLY),
		openat64_2(-1, path, O_RDONLY),
	};
	FILE *const files[] = {fopen(path, "r"), fopen64(path, "r")};

	for (size_t i = 0; i < sizeof(fds) / sizeof(fds[0]); i++) {
		check_path((fds[i] >= 0) == there, "open", path);
		close(fds[i]);
	}
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		check_path(!files[i] == !there, "fopen", path);
		if (files[i])
			fclose(files[i]);
	}
}

static void check_shown_access(const char *path, bool there)
{
	const int rets[] = {
		access(path, R_OK),	      eaccess(path, R_OK),
		euidaccess(path, R_OK),	      faccessat(AT_FDCWD, path, R_OK, 0),
		faccessat(-1, path, R_OK, 0), faccessat(-1, path, R_OK, AT_EACCESS),
	};

	for (size_t i = 0; i < sizeof(rets) / sizeof(rets[0]); i++)
		check_path((rets[i] == 0) == there, "access", path);
}

/* By which type each function sees the path; 0: not at all. */
static void check_stat(const char *path, mode_t type)
{
	int (*const xstat)(int, const char *, struct stat *) =
		(int (*)(int, const char *, struct stat *))named("__xstat");
	int (*const lxstat)(int, const char *, struct stat *) =
		(int (*)(int, const char *, struct stat *))named("__lxstat");
	int (*const fxstatat)(int, int, const char *, struct stat *, int) =
		(int (*)(int, int, const char *, struct stat *, int))named("__fxstatat");
	int (*const xstat64)(int, const char *, struct stat64 *) =
		(int (*)(int, const char *, struct stat64 *))named("__xstat64");
	int (*const lxstat64)(int, const char *, struct stat64 *) =
		(int (*)(int, const char *, struct stat64 *))named("__lxstat64");
	int (*const fxstatat64)(int, int, const char *, struct stat64 *, int) =
		(int (*)(int, int, const char *, struct stat64 *, int))named("__fxstatat64");
#ifdef __x86_64__
	const int version = 1;
#else
	const int version = 0;
#endif
	struct stat st[6] = {{0}};
	struct stat64 st64[6] = {{0}};
	struct statx sx = {0};

	(void)!stat(path, &st[0]);
	(void)!lstat(path, &st[1]);
	(void)!fstatat(-1, path, &st[2], 0);
	(void)!xstat(version, path, &st[3]);
	(void)!lxstat(version, path, &st[4]);
	(void)!fxstatat(version, -1, path, &st[5], 0);
	(void)!stat64(path, &st64[0]);
	(void)!lstat64(path, &st64[1]);
	(void)!fstatat64(-1, path, &st64[2], 0);
	(void)!xstat64(version, path, &st64[3]);
	(void)!lxstat64(version, path, &st64[4]);
	(void)!fxstatat64(version, -1, path, &st64[5], 0);
	(void)!statx(-1, path, 0, STATX_TYPE, &sx);
	for (size_t i = 0; i < 6; i++) {
		check_path((st[i].st_mode & S_IFMT) == type, "stat", path);
		check_path((st64[i].st_mode & S_IFMT) == type, "stat64", path);
	}
	check_path((sx.stx_mode & S_IFMT) == type, "statx", path);
}

static void check_resolved(const char *path, const char *wanted)
{
	char *(*const realpath_chk)(const char *, char *, size_t) =
		(char *(*)(const char *, char *, size_t))named("__realpath_chk");
	char buffer[2][4096];
	char *const results[] = {realpath(path, buffer[0]), realpath_chk(path, buffer[1], 4096),
				 canonicalize_file_name(path)};

	for (size_t i = 0; i < 3; i++)
		check_path(!results[i] == !wanted && (!wanted || !strcmp(results[i], wanted)),
			   "realpath", path);
	free(results[2]);
}

static void check_links(const char *path, int error)
{
	ssize_t (*const chk)(const char *, char *, size_t, size_t) =
		(ssize_t(*)(const char *, char *, size_t, size_t))named("__readlink_chk");
	ssize_t (*const at_chk)(int, const char *, char *, size_t, size_t) =
		(ssize_t(*)(int, const char *, char *, size_t, size_t))named("__readlinkat_chk");
	char target[64];

	check_path(readlink(path, target, sizeof(target)) < 0 && errno == error, "readlink", path);
	check_path(readlinkat(-1, path, target, sizeof(target)) < 0 && errno == error, "readlinkat",
		   path);
	check_path(chk(path, target, 8, sizeof(target)) < 0 && errno == error, "__readlink_chk",
		   path);
	check_path(at_chk(-1, path, target, 8, sizeof(target)) < 0 && errno == error,
		   "__readlinkat_chk", path);
}

static void check_shown(const char *root)
{
	DIR *dir;

	check_shown_open(node, true);
	check_shown_access(node, true);
	check_stat(node, S_IFCHR);
	check_links(node, EINVAL);
	snprintf(in_root, sizeof(in_root), "%s%s", root, node);
	check_resolved(node, in_root);
	check_shown_open(attribute, true);
	check_shown_access(attribute, true);
	check_stat(attribute, S_IFREG);
	check_stat(device, S_IFDIR);
	snprintf(in_root, sizeof(in_root), "%s%s", root, attribute + strlen("/sys"));
	check_resolved(attribute, in_root);
	dir = opendir(device);
	check_path(dir, "opendir", device);
	if (dir)
		closedir(dir);
	/* A file can be made only where it is allowed, with the mode that was given. */
	snprintf(in_root, sizeof(in_root), "%s/made", root);
	check_path(close(open(in_root, O_WRONLY | O_CREAT | O_EXCL, 0640)) == 0, "open O_CREAT",
		   in_root);
}

static int is_wanted(const char *name, const char *wanted)
{
	return !strcmp(name, wanted);
}

/* How often each function lists the name: once, and again after rewinddir(). */
static void check_names_listed(const char *path, const char *wanted, unsigned char type)
{
	int found[8] = {0};
	char pattern[128];
	struct dirent **names;
	struct dirent64 **names64;
	struct dirent *entry;
	struct dirent64 *entry64;
	glob_t matches;
	glob64_t matches64;
	struct stat st;
	DIR *dir = opendir(path);
	int count;

	check_path(dir, "opendir", path);
	if (!dir)
		return;
	while ((entry = readdir(dir)))
		found[0] += is_wanted(entry->d_name, wanted) && entry->d_type == type;
	rewinddir(dir);
	while ((entry64 = readdir64(dir)))
		found[1] += is_wanted(entry64->d_name, wanted);
	check_path(closedir(dir) == 0, "closedir", path);
	count = scandir(path, &names, NULL, alphasort);
	for (int i = 0; i < count; free(names[i++]))
		found[2] += is_wanted(names[i]->d_name, wanted) &&
			    (!i || alphasort((const struct dirent **)&names[i - 1],
					     (const struct dirent **)&names[i]) <= 0);
	if (count >= 0)
		free(names);
	count = scandir64(path, &names64, NULL, NULL);
	for (int i = 0; i < count; free(names64[i++]))
		found[3] += is_wanted(names64[i]->d_name, wanted);
	if (count >= 0)
		free(names64);
	snprintf(pattern, sizeof(pattern), "%s/%c*", path, *wanted);
	if (!glob(pattern, 0, NULL, &matches)) {
		for (size_t i = 0; i < matches.gl_pathc; i++)
			found[4] += is_wanted(matches.gl_pathv[i] + strlen(path) + 1, wanted);
		globfree(&matches);
	}
	if (!glob64(pattern, 0, NULL, &matches64)) {
		for (size_t i = 0; i < matches64.gl_pathc; i++)
			found[5] += is_wanted(matches64.gl_pathv[i] + strlen(path) + 1, wanted);
		globfree64(&matches64);
	}
	for (size_t i = 0; i < 6; i++)
		check_path(found[i] == 1, "listed once", path);
	check_path(!stat(path, &st) && S_ISDIR(st.st_mode), "stat", path);
	snprintf(pattern, sizeof(pattern), "%s//./", path);
	dir = opendir(pattern);
	check_path(dir, "opendir", pattern);
	if (dir)
		closedir(dir);
}

/* More at once than the library counts, each one read to its end. */
static void check_many_lists(void)
{
	DIR *dirs[40];

	for (size_t i = 0; i < 40; i++)
		dirs[i] = opendir("/sys/class/infiniband");
	for (size_t i = 0; i < 40; i++) {
		while (dirs[i] && readdir(dirs[i]))
			;
		check_path(dirs[i] && !closedir(dirs[i]), "many", "/sys/class/infiniband");
	}
}

static void check_listed(const char *name, const char *n)
{
	char wanted[64];
	char path[256];

	snprintf(wanted, sizeof(wanted), "uverbs%s", n);
	check_names_listed("/sys/class/infiniband", name, DT_DIR);
	check_names_listed("/dev/infiniband", wanted, DT_CHR);
	check_many_lists();
	snprintf(path, sizeof(path), "/sys/class/infiniband/%s/ports/../../%s/ports/..", name,
		 name);
	check_stat(path, S_IFDIR);
	errno = 0;
	check_path(getxattr(device, "user.none", NULL, 0) < 0 && errno != ENOENT, "getxattr",
		   device);
	errno = 0;
	check_path(lgetxattr(device, "user.none", NULL, 0) < 0 && errno != ENOENT, "lgetxattr",
		   device);
	check_path(listxattr(device, NULL, 0) >= 0, "listxattr", device);
	check_path(llistxattr(device, NULL, 0) >= 0, "llistxattr", device);
	check_path(chdir(device) == 0 && access("node_guid", R_OK) == 0 && chdir("/") == 0, "chdir",
		   device);
}

/* Beside those: as if the library were not there. */
static void check_others(const char *name, const char *n)
{
	const char *const absent[] = {"/dev/infiniband/uverbs", "/dev/infiniband/uverbs999999",
				      "/sys/class/infiniband/no-such-device/node_guid",
				      "/sys/class/infiniband/./node_guid", ""};
	char other[4][512];

	for (size_t i = 0; i < sizeof(absent) / sizeof(absent[0]); i++) {
		check_shown_open(absent[i], false);
		check_shown_access(absent[i], false);
		check_stat(absent[i], 0);
	}
	snprintf(other[0], sizeof(other[0]), "/sys/class/infiniband/%s/../../../%s/node_guid", name,
		 name);
	snprintf(other[1], sizeof(other[1]), "/dev/infiniband/uverbs%s/x", n);
	snprintf(other[2], sizeof(other[2]), "/sys/class/infiniband/%sx", name);
	snprintf(other[3], sizeof(other[3]), "/dev/infiniband/./uverbs%s", n);
	for (size_t i = 0; i < 4; i++) {
		check_shown_open(other[i], false);
		check_stat(other[i], 0);
	}
	check_stat("/dev/null", S_IFCHR);
	check_stat("/", S_IFDIR);
	check_stat(in_root, S_IFREG);
	errno = ELIBMAX;
	check_path(access(node, R_OK) == 0 && errno == ELIBMAX, "errno kept", node);
	check_path(access("/", R_OK) == 0 && errno == ELIBMAX, "errno kept", "/");
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return 2;
	snprintf(node, sizeof(node), "/dev/infiniband/uverbs%s", argv[2]);
	snprintf(device, sizeof(device), "/sys/class/infiniband/%s", argv[1]);
	snprintf(attribute, sizeof(attribute), "%s/ports/1/gids/0", device);
	check_shown(argv[3]);
	check_listed(argv[1], argv[2]);
	check_others(argv[1], argv[2]);
	printf("%d checks, %d failed\n", checked, failed);
	return failed != 0;
}
