/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Binds class/infiniband/NAME to an instance. sysfs has no link from uverbsN to NAME; only `ibdev`
 * names it, and names change. The binding is safe because NAME exists from before uverbsN appears
 * until after it is gone, no two devices have one name at the same time, and what identifies the
 * instance (life.h) is never used again: an inode is not reused while its file is held open. So if
 * uverbsN is the same instance before and after NAME was opened, and `ibdev` read NAME both times,
 * then that was this device's directory.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/entry.h"
#include "core/discovery/read_device.h"
#include "core/discovery/sysfs.h"

void hfi_binding_close(struct hf_binding *binding)
{
	hfi_close(&binding->ibdev);
	hfi_close(&binding->uverbs);
}

int hfi_binding_open(const struct hf_classes *classes, const char *uverbs,
		     struct hf_binding *binding)
{
	int err;

	memset(binding, 0, sizeof(*binding));
	binding->ibdev = -1;
	binding->wrong = "ibdev";
	binding->uverbs = hfi_open_dir(classes->verbs, uverbs);
	if (binding->uverbs < 0)
		return binding->uverbs;
	err = hfi_attr_read_name(binding->uverbs, "ibdev", binding->name, &binding->ibdev);
	if (err)
		return err;
	err = classes->kind->read_life(binding->uverbs, NULL, binding->ibdev, &binding->life,
				       &binding->stamp);
	if (err)
		binding->wrong = "instance";
	return err;
}

/* The inode that a path leads to now; 0: none. */
static uint64_t inode_at(int dirfd, const char *path)
{
	struct stat st;

	return fstatat(dirfd, path, &st, 0) < 0 ? 0 : st.st_ino;
}

/*
 * True if the path leads to the file that is held open. Its inode cannot be reused meanwhile, so on one
 * file system the number is proof, and the instance id need not be read again.
 */
static bool leads_to_held(const struct hf_classes *classes, const char *uverbs,
			  const struct hf_binding *binding)
{
	char path[HF_PATH_SIZE + HF_NAME_SIZE];
	struct stat now, held;

	if (hfi_print(path, sizeof(path), "%s/ibdev", uverbs) ||
	    fstatat(classes->verbs, path, &now, 0) < 0 || now.st_ino != binding->life.inode)
		return false;
	return classes->kind->unique_inodes ||
	       (fstat(binding->ibdev, &held) == 0 && held.st_dev == now.st_dev);
}

int hfi_binding_holds(const struct hf_classes *classes, const char *uverbs,
		      const struct hf_binding *binding, uint64_t device_inode)
{
	char name[HF_NAME_SIZE];

	if (hfi_attr_name_again(binding->ibdev, name) < 0 || strcmp(name, binding->name) != 0)
		return 0;
	if (device_inode && inode_at(classes->ib, binding->name) != device_inode)
		return 0;
	/* By path, and last: in a tree that is not sysfs, a held directory outlives its device. */
	return leads_to_held(classes, uverbs, binding);
}

/* Makes one attempt. -EAGAIN: the device changed meanwhile. */
static int open_bound(const struct hf_classes *classes, const struct hf_entry *entry,
		      char name[HF_NAME_SIZE])
{
	struct hf_binding binding;
	struct stat st;
	int err = hfi_binding_open(classes, entry->uverbs, &binding);
	int fd = -1;

	if (!err)
		err = hfi_life_check(binding.uverbs, NULL, &entry->life, &binding.life);
	if (!err && !hfi_is_component(binding.name, HF_NAME_SIZE - 1))
		err = -EOPNOTSUPP; /* no path leads to it */
	if (err)
		goto close_binding;
	hfi_close(&binding.uverbs);
	fd = hfi_open_ib_dir(classes, binding.name);
	if (fd < 0)
		err = fd;
	else if (fstat(fd, &st) < 0)
		err = -errno;
	if (hfi_error_is_shortage(err))
		goto close_binding;
	if (!hfi_binding_holds(classes, entry->uverbs, &binding, err ? 0 : st.st_ino))
		err = -EAGAIN;
close_binding:
	if (!err)
		memcpy(name, binding.name, HF_NAME_SIZE);
	else
		hfi_close(&fd);
	hfi_binding_close(&binding);
	return err ? err : fd;
}

/* Verifies the directory by its inode alone, in 2 system calls. -EAGAIN: use open_bound(). */
static int open_known(const struct hf_classes *classes, const struct hf_entry *entry)
{
	struct stat st;
	int fd;

	if (!classes->kind->unique_inodes || !entry->device_inode)
		return -EAGAIN;
	fd = hfi_open_ib_dir(classes, entry->name);
	if (fd < 0)
		return hfi_error_is_shortage(fd) ? fd : -EAGAIN;
	if (fstat(fd, &st) < 0 || st.st_ino != entry->device_inode) {
		hfi_close(&fd);
		return -EAGAIN;
	}
	return fd;
}

static int check_entry_complete(const struct hf_entry *entry)
{
	if (entry->life.inode)
		return hfi_is_uverbs_name(entry->uverbs) ? 0 : -EINVAL;
	return entry->index >= 0 ? -EOPNOTSUPP : -EIO;
}

int hfi_entry_open_dir(const struct hf_search_root *root, const struct hf_entry *entry,
		       char name[HF_NAME_SIZE])
{
	struct hf_classes classes;
	char now[HF_NAME_SIZE];
	int fd = check_entry_complete(entry);

	if (fd)
		return fd;
	fd = hfi_classes_open(root, &classes);
	if (fd)
		return fd;
	if (classes.verbs < 0 || classes.ib < 0) {
		fd = hfi_error_is_gone(classes.error) ? -ENODEV : classes.error;
		goto close_classes;
	}
	memcpy(now, entry->name, sizeof(now));
	fd = open_known(&classes, entry);
	for (int i = 0; i < HF_READ_TRIES && fd == -EAGAIN; i++)
		fd = open_bound(&classes, entry, now);
	if (fd == -EAGAIN)
		fd = -EIO;
	/* ELOOP: in a tree of links the name is being moved to another directory. */
	if (fd == -ENOENT || fd == -ENXIO || fd == -ENOTDIR || fd == -ELOOP)
		fd = -ENODEV;
	if (fd >= 0 && name)
		memcpy(name, now, sizeof(now));
close_classes:
	hfi_classes_close(&classes);
	return fd;
}

int hfi_entry_open_uverbs(const struct hf_search_root *root, const struct hf_entry *entry)
{
	char path[HF_UVERBS_PATH_SIZE];
	struct timespec stamp;
	struct hf_life life;
	int err = check_entry_complete(entry);
	int fd;

	if (!err)
		err = hfi_entry_uverbs_path(root, entry, path);
	if (err)
		return err;
	fd = hfi_open_dir(AT_FDCWD, path);
	if (fd < 0)
		return hfi_error_is_gone(fd) ? -ENODEV : fd;
	err = root->kind->read_life(fd, NULL, -1, &life, &stamp);
	if (!err)
		err = hfi_life_check(fd, NULL, &entry->life, &life);
	if (err == -EAGAIN || hfi_error_is_gone(err))
		err = -ENODEV;
	if (err)
		hfi_close(&fd);
	return err ? err : fd;
}
