/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens a device node and checks that it has the right device number. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/statvfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "shared/clock.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/base/reason.h"
#include "core/device/node.h"
#include "core/discovery/entry.h"
#include "core/discovery/read_brief.h"

static void char_path(const struct hf_search_root *root, const struct hf_entry *entry,
		      char path[HF_PATH_SIZE])
{
	hfi_print(path, HF_PATH_SIZE, "%s/char/%u:%u", root->dev, major(entry->node_number),
		  minor(entry->node_number));
}

static int open_verified_node(const struct hf_search_root *root, const struct hf_entry *entry,
			      const char *path)
{
	struct stat st;
	int err, fd;

	/*
	 * Opening the wrong node may block or have side effects: check it before, and verify it
	 * after.
	 */
	if (stat(path, &st) < 0)
		return -errno;
	if (!root->kind->right_node(entry->node_number, &st))
		return -ENXIO;
	do
		fd = open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
	while (fd < 0 && errno == EINTR);
	if (fd < 0)
		return -errno;
	if (fstat(fd, &st) < 0)
		err = -errno;
	else
		err = root->kind->right_node(entry->node_number, &st) ? 0 : -ENXIO;
	if (err)
		hfi_close(&fd);
	return err ? err : fd;
}

static int open_once(const struct hf_search_root *root, const struct hf_entry *entry)
{
	char path[HF_PATH_SIZE];
	int err, fd;

	err = hfi_entry_node_path(root, entry, path);
	if (err)
		return err;
	err = open_verified_node(root, entry, path);
	if (err != -ENOENT && err != -ENXIO)
		return err;
	if (!entry->node_number)
		return err;
	/* udev names these links by device number, so they exist for renamed nodes too. */
	char_path(root, entry, path);
	fd = open_verified_node(root, entry, path);
	return fd >= 0 ? fd : err;
}

/*
 * Watches the directories in which the node would appear. If one of them is missing too, the caller
 * polls.
 */
static int watch_dirs(const struct hf_search_root *root)
{
	const uint32_t mask = IN_CREATE | IN_MOVED_TO | IN_ATTRIB;
	char path[HF_PATH_SIZE];
	int fd = inotify_init1(IN_CLOEXEC | IN_NONBLOCK);

	if (fd < 0)
		return fd;
	inotify_add_watch(fd, root->dev, mask);
	if (hfi_print(path, sizeof(path), "%s/infiniband", root->dev) == 0)
		inotify_add_watch(fd, path, mask);
	if (hfi_print(path, sizeof(path), "%s/char", root->dev) == 0)
		inotify_add_watch(fd, path, mask);
	return fd;
}

static void pause_for_change(int watch, int64_t left_ms)
{
	/* At most this long between attempts: the directory itself may have been missing. */
	enum { LOOK_AGAIN_MS = 50 };
	struct pollfd poller = {.fd = watch, .events = POLLIN};
	char events[1024];

	poll(&poller, 1, (int)(left_ms < LOOK_AGAIN_MS ? left_ms : LOOK_AGAIN_MS));
	if (watch >= 0)
		while (read(watch, events, sizeof(events)) > 0)
			continue;
}

int hfi_node_open(const struct hf_search_root *root, const struct hf_entry *entry, uint32_t wait_ms)
{
	int64_t end = hfi_now_ms() + wait_ms;
	int watch = -1;
	int fd = open_once(root, entry);

	if (fd != -ENOENT || wait_ms == 0)
		return fd;
	watch = watch_dirs(root);
	for (;;) {
		int64_t left;
		int err;

		/* The node may have appeared before the watch: try again before waiting. */
		fd = open_once(root, entry);
		left = end - hfi_now_ms();
		if (fd != -ENOENT || left <= 0)
			break;
		err = hfi_entry_verify(root, NULL, entry);
		if (err == -ENODEV) {
			fd = err;
			break;
		}
		pause_for_change(watch, left);
	}
	hfi_close(&watch);
	return fd;
}

/*
 * True if the file system is mounted with nodev. The answer is kept for the next node on the same
 * file system; usually all nodes are on one.
 */
static bool on_nodev_mount(struct hf_node_look *look, const char *path, const struct stat *st)
{
	struct statvfs fs;

	if (!look->mount || look->dev != st->st_dev) {
		bool nodev = statvfs(path, &fs) == 0 && (fs.f_flag & ST_NODEV);

		look->mount = nodev ? HF_MOUNT_NODEV : HF_MOUNT_DEV;
		look->dev = st->st_dev;
	}
	return look->mount == HF_MOUNT_NODEV;
}

/*
 * The answer of open() without its side effects in a driver: 0, -EPERM, -EACCES. The mode alone is
 * not enough for a character device: access() also checks the device cgroup (Linux,
 * inode_permission() in fs/namei.c).
 */
static int check_access(struct hf_node_look *look, const struct hf_entry *entry, const char *path,
			bool in_dir, const struct stat *st)
{
	bool anybody = (st->st_mode & (S_IROTH | S_IWOTH)) == (S_IROTH | S_IWOTH);
	int err;

	/* Another user may get another answer: see scan_if_changed() in list.c. */
	look->user_decides |= !anybody;
	if (!S_ISCHR(st->st_mode) && (anybody || (st->st_uid == look->euid &&
						  (st->st_mode & S_IRWXU) >= (S_IRUSR | S_IWUSR))))
		return 0;
	if (in_dir)
		err = faccessat(look->dir, entry->uverbs, R_OK | W_OK, AT_EACCESS);
	else
		err = faccessat(AT_FDCWD, path, R_OK | W_OK, AT_EACCESS);
	return err < 0 ? -errno : 0;
}

static void set_permission_reason(struct hf_reason *reason, const char *path, const struct stat *st,
				  int err)
{
	char found[64];

	if (err == -EPERM) {
		hfi_reason_set(reason, HF_REASON_NODE_PERMISSION, "a device that may be opened",
			       strerrordesc_np(EPERM),
			       "the device cgroup or a security module does not permit opening %s",
			       path);
		return;
	}
	snprintf(found, sizeof(found), "mode %04o, owner %u, group %u",
		 (unsigned)st->st_mode & 07777, (unsigned)st->st_uid, (unsigned)st->st_gid);
	hfi_reason_set(reason, HF_REASON_NODE_PERMISSION, "read and write access", found,
		       "this user may not read and write %s (%s)", path, found);
}

static int stat_node(const struct hf_node_look *look, const struct hf_entry *entry,
		     const char *path, struct stat *st)
{
	int err = look->dir < 0 ? stat(path, st) : fstatat(look->dir, entry->uverbs, st, 0);

	return err < 0 ? -errno : 0;
}

bool hfi_node_exists(const struct hf_search_root *root, const struct hf_node_look *look,
		     const struct hf_entry *entry)
{
	char path[HF_PATH_SIZE];
	struct stat st;

	return hfi_entry_node_path(root, entry, path) == 0 &&
	       stat_node(look, entry, path, &st) == 0;
}

bool hfi_node_ready(const struct hf_search_root *root, struct hf_node_look *look,
		    struct hf_entry *entry, struct hf_reason *reason)
{
	char path[HF_PATH_SIZE], wanted[64], found[64];
	bool in_dir = look->dir >= 0;
	struct stat st;
	int err;

	err = hfi_entry_node_path(root, entry, path);
	if (!err)
		err = stat_node(look, entry, path, &st);
	/* Only a character device has a number to compare; for other nodes do not read it. */
	if ((err || S_ISCHR(st.st_mode)) && !entry->node_number)
		hfi_entry_read_number(root, entry);
	if (err && entry->node_number) {
		char by_number[HF_PATH_SIZE];

		char_path(root, entry, by_number);
		if (stat(by_number, &st) == 0) {
			memcpy(path, by_number, sizeof(path));
			in_dir = false;
			err = 0;
		}
	}
	if (err || !root->kind->right_node(entry->node_number, &st))
		snprintf(wanted, sizeof(wanted), "device %u:%u", major(entry->node_number),
			 minor(entry->node_number));
	if (err) {
		hfi_reason_set(reason, HF_REASON_NO_NODE, wanted, strerrordesc_np(-err),
			       "device node %s: %s", path, strerrordesc_np(-err));
		return false;
	}
	if (!root->kind->right_node(entry->node_number, &st)) {
		if (S_ISCHR(st.st_mode))
			snprintf(found, sizeof(found), "device %u:%u", major(st.st_rdev),
				 minor(st.st_rdev));
		else
			snprintf(found, sizeof(found), "not a character device");
		hfi_reason_set(reason, HF_REASON_NODE_MISMATCH, wanted, found,
			       "%s is not this device's node: it should be %s but is %s", path,
			       wanted, found);
		return false;
	}
	if (S_ISCHR(st.st_mode) && on_nodev_mount(look, path, &st)) {
		hfi_reason_set(reason, HF_REASON_NODE_PERMISSION, "a mount without nodev", "nodev",
			       "%s cannot be opened: its file system is mounted with nodev", path);
		return false;
	}
	err = check_access(look, entry, path, in_dir, &st);
	if (err) {
		set_permission_reason(reason, path, &st, err);
		return false;
	}
	memset(reason, 0, sizeof(*reason));
	return true;
}
