/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rtrsfs: the sessions of all processes with librtrs as the kernel's modules show theirs in /sys/class. */
#define FUSE_USE_VERSION 31
#include <errno.h>
#include <fcntl.h>
#include <fuse.h>
#include <linux/falloc.h>
#include <signal.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "rtrs/tools/map.h"
#include "rtrs/tools/tree.h"
#include "shared/text.h"

/* As sysfs says of every file. */
enum { FILE_SIZE = 4096 };

static struct tree tree;

/* An open file: what it holds is from the last read at its beginning. */
struct open_file {
	struct tree_file file;
	struct rtrs_mapped *mapped; /* of a block device; NULL: it is another file */
	pthread_mutex_t lock;
	size_t length;
	char text[RTRS_CONTROL_PAGE];
};

static struct open_file *open_file_of(const struct fuse_file_info *info)
{
	return (struct open_file *)(uintptr_t)info->fh;
}

static int64_t size_of_device(const char *socket)
{
	struct rtrs_mapped *mapped;
	int64_t size;

	if (rtrsi_mapped_get(socket, &mapped))
		return 0;
	size = rtrsi_mapped_size(mapped);
	rtrsi_mapped_put(mapped);
	return size > 0 ? size : 0;
}

static int fs_getattr(const char *path, struct stat *st, struct fuse_file_info *info)
{
	struct tree_file file;
	int err = 0;

	if (info && info->fh)
		file = open_file_of(info)->file;
	else
		err = rtrsi_tree_find(&tree, path, &file);
	if (err)
		return err;
	*st = (struct stat){
		.st_mode = file.mode,
		.st_nlink = S_ISDIR(file.mode) ? 2 : 1,
		.st_uid = geteuid(),
		.st_gid = getegid(),
		.st_size = S_ISREG(file.mode)	? FILE_SIZE
			   : S_ISLNK(file.mode) ? (off_t)strlen(file.target)
						: 0,
		.st_atim = file.since,
		.st_mtim = file.since,
		.st_ctim = file.since,
	};
	if (file.kind == TREE_DEVICE)
		st->st_size = size_of_device(file.socket);
	return 0;
}

static int fs_readlink(const char *path, char *to, size_t size)
{
	struct tree_file file;
	int err = rtrsi_tree_find(&tree, path, &file);

	if (err)
		return err;
	if (!S_ISLNK(file.mode))
		return -EINVAL;
	/* What does not fit is cut off. */
	snprintf(to, size, "%s", file.target);
	return 0;
}

struct filling {
	void *buffer;
	fuse_fill_dir_t fill;
};

static void fill_entry(void *arg, const char *name, mode_t mode)
{
	const struct filling *filling = arg;
	const struct stat st = {.st_mode = mode};

	(void)filling->fill(filling->buffer, name, &st, 0, 0);
}

static int fs_readdir(const char *path, void *buffer, fuse_fill_dir_t fill, off_t offset,
		      struct fuse_file_info *info, enum fuse_readdir_flags flags)
{
	struct filling filling = {buffer, fill};

	(void)offset;
	(void)info;
	(void)flags;
	fill_entry(&filling, ".", S_IFDIR);
	fill_entry(&filling, "..", S_IFDIR);
	rtrsi_tree_each(&tree, path, fill_entry, &filling);
	return 0;
}

static int fs_open(const char *path, struct fuse_file_info *info)
{
	struct open_file *opened;
	struct tree_file file;
	int err = rtrsi_tree_find(&tree, path, &file);

	if (err)
		return err;
	if (!S_ISREG(file.mode))
		return -EISDIR;
	/* Also for root, as in sysfs. */
	if ((info->flags & O_ACCMODE) != O_RDONLY && !(file.mode & (S_IWUSR | S_IWGRP | S_IWOTH)))
		return -EACCES;
	opened = calloc(1, sizeof(*opened));
	if (!opened)
		return -ENOMEM;
	if (file.kind == TREE_DEVICE)
		err = rtrsi_mapped_get(file.socket, &opened->mapped);
	if (err) {
		free(opened);
		return err;
	}
	if (opened->mapped)
		rtrsi_mapped_opened(opened->mapped, true);
	opened->file = file;
	pthread_mutex_init(&opened->lock, NULL);
	info->fh = (uintptr_t)opened;
	/* The size of the others is not what they say. */
	info->direct_io = !opened->mapped;
	return 0;
}

static int fs_release(const char *path, struct fuse_file_info *info)
{
	struct open_file *opened = open_file_of(info);

	(void)path;
	if (opened->mapped) {
		rtrsi_mapped_opened(opened->mapped, false);
		rtrsi_mapped_put(opened->mapped);
	}
	pthread_mutex_destroy(&opened->lock);
	free(opened);
	return 0;
}

static int fs_read(const char *path, char *to, size_t size, off_t offset,
		   struct fuse_file_info *info)
{
	struct open_file *opened = open_file_of(info);
	int result = 0;

	(void)path;
	if (opened->mapped)
		return rtrsi_mapped_read(opened->mapped, to, size, (uint64_t)offset);
	pthread_mutex_lock(&opened->lock);
	if (!offset) {
		result = rtrsi_tree_read(&tree, &opened->file, opened->text);
		opened->length = result < 0 ? 0 : (size_t)result;
	}
	if (result >= 0) {
		size_t left = offset < (off_t)opened->length ? opened->length - (size_t)offset : 0;

		result = (int)(size < left ? size : left);
		memcpy(to, opened->text + (left ? offset : 0), (size_t)result);
	}
	pthread_mutex_unlock(&opened->lock);
	return result;
}

/* "DEVICE@SESSION": some process has mapped it. */
static bool is_device_known(const char *name)
{
	char path[RTRS_CONTROL_PATH_MAX];
	struct tree_file file;

	return !hfi_join(path, sizeof(path), "/rnbd-client/ctl/devices", "/", name) &&
	       !rtrsi_tree_find(&tree, path, &file);
}

/* Each write is a whole value, wherever it is, and of a long one its beginning. */
static int fs_write(const char *path, const char *value, size_t size, off_t offset,
		    struct fuse_file_info *info)
{
	const struct open_file *opened = open_file_of(info);
	int err;

	(void)path;
	if (opened->mapped)
		return rtrsi_mapped_write(opened->mapped, value, size, (uint64_t)offset);
	if (size > RTRS_CONTROL_VALUE_MAX)
		size = RTRS_CONTROL_VALUE_MAX;
	err = rtrsi_tree_write(&tree, &opened->file, value, size, is_device_known);
	return err ? err : (int)size;
}

/* A shell truncates what it writes to. */
static int fs_truncate(const char *path, off_t size, struct fuse_file_info *info)
{
	struct tree_file file;

	(void)size;
	(void)info;
	return rtrsi_tree_find(&tree, path, &file);
}

static int fs_fsync(const char *path, int only_data, struct fuse_file_info *info)
{
	const struct open_file *opened = open_file_of(info);

	(void)path;
	(void)only_data;
	return opened->mapped ? rtrsi_mapped_flush(opened->mapped) : 0;
}

/* A loop device discards like this. */
static int fs_fallocate(const char *path, int mode, off_t offset, off_t length,
			struct fuse_file_info *info)
{
	const struct open_file *opened = open_file_of(info);

	(void)path;
	if (!opened->mapped || !(mode & (FALLOC_FL_PUNCH_HOLE | FALLOC_FL_ZERO_RANGE)))
		return -EOPNOTSUPP;
	return rtrsi_mapped_punch(opened->mapped, (uint64_t)offset, (uint64_t)length);
}

/* Nobody makes or removes what the processes show; the errors are those of sysfs. */
static int fs_create(const char *path, mode_t mode, struct fuse_file_info *info)
{
	(void)path;
	(void)mode;
	(void)info;
	return -EACCES;
}

static int fs_mkdir(const char *path, mode_t mode)
{
	(void)path;
	(void)mode;
	return -EPERM;
}

static int fs_remove(const char *path)
{
	(void)path;
	return -EPERM;
}

static int fs_rename(const char *from, const char *to, unsigned int flags)
{
	(void)from;
	(void)to;
	(void)flags;
	return -EPERM;
}

static void note_interrupt(int number)
{
	(void)number;
}

static void *fs_init(struct fuse_conn_info *connection, struct fuse_config *config)
{
	/* Without SA_RESTART: it ends a wait. libfuse 3.14 does not handle the signal that it sends us. */
	const struct sigaction action = {.sa_handler = note_interrupt};

	(void)connection;
	/* Files come and go at any time. */
	config->entry_timeout = config->attr_timeout = config->negative_timeout = 0;
	/* Who waits for a process that hangs can be killed. */
	config->intr = !sigaction(SIGUSR1, &action, NULL);
	config->intr_signal = SIGUSR1;
	return NULL;
}

static void fs_destroy(void *data)
{
	(void)data;
	rtrsi_map_end();
}

static const struct fuse_operations operations = {
	.getattr = fs_getattr,
	.readlink = fs_readlink,
	.truncate = fs_truncate,
	.open = fs_open,
	.read = fs_read,
	.write = fs_write,
	.release = fs_release,
	.fsync = fs_fsync,
	.fallocate = fs_fallocate,
	.destroy = fs_destroy,
	.readdir = fs_readdir,
	.create = fs_create,
	.mkdir = fs_mkdir,
	.unlink = fs_remove,
	.rmdir = fs_remove,
	.rename = fs_rename,
	.init = fs_init,
};

/* --- the command line ---------------------------------------------------------------------------- */

struct settings {
	char *directory;
	int is_help, is_version;
};

static const struct fuse_opt options[] = {
	{"--directory=%s", offsetof(struct settings, directory), 0},
	{"-h", offsetof(struct settings, is_help), 1},
	{"--help", offsetof(struct settings, is_help), 1},
	{"-V", offsetof(struct settings, is_version), 1},
	{"--version", offsetof(struct settings, is_version), 1},
	FUSE_OPT_END,
};

static void fs_help(void)
{
	printf("Usage: rtrsfs [OPTION]... DIRECTORY\n\n"
	       "Mounts a tree of the RTRS sessions of all processes.\n\nOptions:\n"
	       "      --directory=DIR  where the control sockets are\n"
	       "  -f                   stay in the foreground\n"
	       "  -o OPTION[,OPTION]   options of mount.fuse(8), as allow_other\n"
	       "  -h, --help           show this\n"
	       "  -V, --version        show the version\n");
}

int main(int argc, char **argv)
{
	struct fuse_args args = FUSE_ARGS_INIT(argc, argv);
	struct settings settings = {0};
	int status = EXIT_FAILURE;

	if (fuse_opt_parse(&args, &settings, options, NULL))
		return EXIT_FAILURE;
	if (settings.is_help) {
		fs_help();
		status = EXIT_SUCCESS;
	} else if (settings.is_version) {
		printf("rtrsfs %s\n", PACKAGE_VERSION);
		status = EXIT_SUCCESS;
	} else if (!fuse_opt_add_arg(&args, "-ofsname=rtrsfs,default_permissions")) {
		rtrsi_tree_init(&tree, settings.directory);
		status = fuse_main(args.argc, args.argv, &operations, NULL);
	}
	fuse_opt_free_args(&args);
	free(settings.directory);
	return status;
}
