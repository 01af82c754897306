/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A mount namespace in which both libraries find the same made-up devices. */
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <link.h>
#include <sched.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "t/bench/place.h"

static void skip(const char *format, ...) __attribute__((format(printf, 1, 2), noreturn));
static void skip(const char *format, ...)
{
	va_list args;

	printf("skipped: ");
	va_start(args, format);
	vprintf(format, args);
	va_end(args);
	printf("\n");
	exit(PLACE_EXIT_SKIP);
}

static void fail_place(const char *what, int err) __attribute__((noreturn));
static void fail_place(const char *what, int err)
{
	fprintf(stderr, "%s: %s\n", what, strerror(err));
	exit(1);
}

static void write_setting(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		skip("%s: %s", path, strerror(errno));
	close(fd);
}

/* As "unshare -m", or for an ordinary user as "unshare -Urm". */
static void new_namespace(void)
{
	unsigned int uid = geteuid(), gid = getegid();
	char map[64];

	if (unshare(CLONE_NEWNS) < 0) {
		if (unshare(CLONE_NEWUSER | CLONE_NEWNS) < 0)
			skip("no mount namespace: %s", strerror(errno));
		write_setting("/proc/self/setgroups", "deny");
		snprintf(map, sizeof(map), "0 %u 1", uid);
		write_setting("/proc/self/uid_map", map);
		snprintf(map, sizeof(map), "0 %u 1", gid);
		write_setting("/proc/self/gid_map", map);
	}
	if (mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0)
		skip("mounts cannot be made private: %s", strerror(errno));
}

/* Mounts a private /dev: /dev/infiniband may not exist, and an ordinary user could not create it. */
static void new_dev(void)
{
	static const char *const nodes[] = {"null", "zero", "full", "random", "urandom", "tty"};
	char base[] = "/tmp/hf-bench-dev-XXXXXX";
	char path[64], from[64];

	if (!mkdtemp(base))
		fail_place(base, errno);
	if (mount("none", base, "tmpfs", MS_NOSUID, "mode=755") < 0) {
		int err = errno;

		rmdir(base);
		skip("no tmpfs: %s", strerror(err));
	}
	for (size_t i = 0; i < sizeof(nodes) / sizeof(nodes[0]); i++) {
		int fd;

		snprintf(path, sizeof(path), "%s/%s", base, nodes[i]);
		snprintf(from, sizeof(from), "/dev/%s", nodes[i]);
		fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
		if (fd < 0)
			fail_place(path, errno);
		close(fd);
		if (mount(from, path, NULL, MS_BIND, NULL) < 0 && errno != ENOENT)
			skip("%s cannot be bound: %s", from, strerror(errno));
	}
	snprintf(path, sizeof(path), "%s/infiniband", base);
	if (mkdir(path, 0755) < 0)
		fail_place(path, errno);
	snprintf(path, sizeof(path), "%s/shm", base);
	if (mkdir(path, 01777) < 0)
		fail_place(path, errno);
	if (mount("none", path, "tmpfs", MS_NOSUID, "mode=1777") < 0)
		skip("no tmpfs: %s", strerror(errno));
	if (mount(base, "/dev", NULL, MS_BIND | MS_REC, NULL) < 0)
		skip("/dev cannot be replaced: %s", strerror(errno));
	/* From now on it is visible as /dev only. */
	umount2(base, MNT_DETACH);
	rmdir(base);
}

void place_enter(void)
{
	new_namespace();
	new_dev();
}

struct tree *place_tree(unsigned int count)
{
	const struct timespec settling = {.tv_nsec = 100000000};
	struct tree_options options = {.gids = 4, .node = TREE_NODE_FILE};
	struct tree *tree;
	char name[32], node[4096];
	int err = tree_new(&tree, "/dev/shm");

	for (unsigned int n = 0; !err && n < count; n++) {
		snprintf(name, sizeof(name), "rxe%u", n);
		err = tree_add(tree, n, name, &options);
		snprintf(node, sizeof(node), "%s/infiniband/uverbs%u", tree_dev(tree), n);
		/* The mode that udev gives nodes. */
		if (!err && chmod(node, 0666) < 0)
			err = -errno;
	}
	if (err)
		fail_place("made-up tree", -err);
	/* Holdfast does not rely on a stamp that is younger than a tick of the clock: let it get older. */
	nanosleep(&settling, NULL);
	return tree;
}

void place_use(const struct tree *tree)
{
	char nodes[4096];

	/* Fails while nothing is mounted there. */
	umount2("/dev/infiniband", MNT_DETACH);
	snprintf(nodes, sizeof(nodes), "%s/infiniband", tree_dev(tree));
	if (mount(nodes, "/dev/infiniband", NULL, MS_BIND, NULL) < 0)
		fail_place("/dev/infiniband", errno);
	setenv("SYSFS_PATH", tree_sysfs(tree), 1);
}

static const char *build_dir(void)
{
	static char path[3072];
	const char *top = getenv("top_builddir");
	ssize_t length;

	if (top)
		return top;
	length = readlink("/proc/self/exe", path, sizeof(path) - 1);
	if (length < 0)
		fail_place("/proc/self/exe", errno);
	path[length] = '\0';
	/* TOP/t/bench/PROGRAM */
	for (int i = 0; i < 3; i++) {
		char *slash = strrchr(path, '/');

		if (!slash)
			fail_place("$top_builddir", ENOENT);
		*slash = '\0';
	}
	return path;
}

const char *place_library(void)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/.libs/libholdfast.so.0", build_dir());
	if (access(path, R_OK) < 0)
		fail_place(path, errno);
	return path;
}

const char *place_providers(void)
{
	static char path[4096];

	snprintf(path, sizeof(path), "%s/providers.d", build_dir());
	if (access(path, R_OK) < 0)
		fail_place(path, errno);
	return path;
}

/* In the private /dev, so these files vanish at the end. */
static const char cache[] = "/dev/hf-ld.so.cache", configuration[] = "/dev/hf-ld.so.conf";
static const char installed[] = "/dev/hf-installed";

/* Runs a program with standard output to `output` and its error messages discarded. */
static bool succeeds(char *const argv[], char *const environment[], const char *output)
{
	posix_spawn_file_actions_t actions;
	int status = -1;
	pid_t pid;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, output,
					 O_WRONLY | O_CREAT | O_TRUNC, 0600);
	posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
	if (posix_spawn(&pid, argv[0], &actions, NULL, argv, environment) == 0)
		waitpid(pid, &status, 0);
	posix_spawn_file_actions_destroy(&actions);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

/* Removes the run path to the build tree from a library: an installed library has none. */
static void remove_run_path(char *image, size_t size)
{
	const ElfW(Ehdr) *header = (const ElfW(Ehdr) *)(const void *)image;
	const ElfW(Phdr) *segments = (const ElfW(Phdr) *)(const void *)(image + header->e_phoff);

	for (unsigned int i = 0; i < header->e_phnum; i++) {
		size_t offset = segments[i].p_offset, end = offset + segments[i].p_filesz;

		if (segments[i].p_type != PT_DYNAMIC || end > size)
			continue;
		for (; offset + sizeof(ElfW(Dyn)) <= end; offset += sizeof(ElfW(Dyn))) {
			ElfW(Dyn) *entry = (ElfW(Dyn) *)(void *)(image + offset);

			if (entry->d_tag == DT_RUNPATH || entry->d_tag == DT_RPATH)
				entry->d_tag = DT_DEBUG; /* ignored in a library */
		}
	}
}

/* Copies a library as it would be installed. */
static bool install(const char *from, const char *name)
{
	char path[4096], *image;
	struct stat st;
	bool good;
	int fd;

	snprintf(path, sizeof(path), "%s/%s/%s", build_dir(), from, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 || fstat(fd, &st) < 0)
		fail_place(path, errno);
	image = malloc((size_t)st.st_size);
	if (!image || read(fd, image, (size_t)st.st_size) != st.st_size)
		fail_place(path, EIO);
	close(fd);
	remove_run_path(image, (size_t)st.st_size);
	snprintf(path, sizeof(path), "%s/%s", installed, name);
	fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0755);
	good = fd >= 0 && write(fd, image, (size_t)st.st_size) == st.st_size;
	if (fd >= 0)
		close(fd);
	free(image);
	return good;
}

static bool takes_holdfast(const char *program)
{
	static const char list[] = "/dev/hf-libraries";
	char *argv[] = {(char *)program, NULL};
	char *environment[] = {(char *)"LD_TRACE_LOADED_OBJECTS=1", NULL};
	char line[4096];
	bool found = false;
	FILE *file;

	place_use_default(true);
	if (succeeds(argv, environment, list)) {
		file = fopen(list, "re");
		while (file && fgets(line, sizeof(line), file))
			found |= strstr(line, "libholdfast.so") != NULL;
		if (file)
			fclose(file);
	}
	place_use_default(false);
	return found;
}

bool place_make_default(const char *program)
{
	char *argv[] = {
		(char *)"/sbin/ldconfig", (char *)"-X", (char *)"-C", (char *)cache, (char *)"-f",
		(char *)configuration,	  NULL};
	char *environment[] = {NULL};
	FILE *file = fopen(configuration, "we");

	if (!file)
		return false;
	fprintf(file, "%s\ninclude /etc/ld.so.conf\n", installed);
	if (fclose(file) || mkdir(installed, 0755) < 0)
		return false;
	return install("compat/.libs", "libibverbs.so.1") && install(".libs", "libholdfast.so.0") &&
	       succeeds(argv, environment, "/dev/null") && takes_holdfast(program);
}

void place_use_default(bool holdfast)
{
	static const char used[] = "/etc/ld.so.cache";

	if (holdfast ? mount(cache, used, NULL, MS_BIND, NULL) : umount2(used, MNT_DETACH))
		fail_place(used, errno);
}

void place_evict(const char *pattern)
{
	glob_t found;

	if (glob(pattern, 0, NULL, &found) != 0)
		return;
	for (size_t i = 0; i < found.gl_pathc; i++) {
		int fd = open(found.gl_pathv[i], O_RDONLY | O_CLOEXEC);

		if (fd < 0)
			continue;
		/* Dirty pages would stay in memory. */
		fsync(fd);
		posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED);
		close(fd);
	}
	globfree(&found);
}

void place_evict_providers(void)
{
	char pattern[4200];

	snprintf(pattern, sizeof(pattern), "%s/*", place_providers());
	place_evict(pattern);
}
