/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads one device with as few system calls as a list needs: without netlink, the cost of thousands
 * of devices is what is read of each. The rest is read on demand, see hfi_entry_complete().
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>

#include "shared/file.h"
#include "shared/stamp.h"
#include "shared/text.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/entry.h"
#include "core/discovery/parse.h"
#include "core/discovery/read_brief.h"
#include "core/discovery/sysfs.h"

static int read_attr_below(int dirfd, const char *directory, const char *attribute, char *text,
			   size_t size)
{
	char path[2 * HF_NAME_SIZE];
	ssize_t length;

	if (hfi_join(path, sizeof(path), directory, "/", attribute))
		return -EINVAL;
	length = hfi_attr_read(dirfd, path, text, size, NULL);
	return length < 0 ? (int)length : 0;
}

static int read_device_brief(const struct hf_classes *classes, struct hf_entry *entry)
{
	char text[64];
	uint64_t abi;
	uint32_t type;
	int err = read_attr_below(classes->verbs, entry->uverbs, "abi_version", text, sizeof(text));

	if (!err)
		err = hfi_parse_number(text, 10, UINT32_MAX, &abi);
	if (!err)
		err = read_attr_below(classes->ib, entry->name, "node_type", text, sizeof(text));
	if (!err)
		err = hfi_parse_state(text, &type);
	if (err)
		return err;
	entry->kernel_abi = (uint32_t)abi;
	entry->node_type = hfi_node_type(type);
	entry->protocol = hfi_protocol_of_type(entry->node_type);
	return 0;
}

int hfi_read_brief(const struct hf_classes *classes, const char *uverbs, bool unchanged,
		   struct hf_entry *ret)
{
	struct hf_binding binding = {.uverbs = -1, .ibdev = -1};
	struct hf_entry entry = {.index = -1, .brief = true};
	char path[HF_NAME_SIZE + 8];
	int err;

	err = hfi_copy(entry.uverbs, sizeof(entry.uverbs), uverbs);
	if (!err)
		err = hfi_join(path, sizeof(path), uverbs, "/", "ibdev");
	if (!err)
		err = hfi_attr_read_name(classes->verbs, path, binding.name, &binding.ibdev);
	if (err)
		return err;
	err = hfi_is_component(binding.name, HF_NAME_SIZE - 1) ? 0 : -EINVAL;
	if (!err)
		err = classes->kind->read_life(classes->verbs, uverbs, binding.ibdev, &binding.life,
					       &binding.stamp);
	if (err)
		goto close_binding;
	memcpy(entry.name, binding.name, sizeof(entry.name));
	entry.life = binding.life;
	entry.stamp = binding.stamp;
	err = read_device_brief(classes, &entry);
	/*
	 * If the class directories are unchanged, the whole scan is verified at its end. Otherwise
	 * rely on this: no other file has the inode of uverbsN/ibdev while that is held open. If
	 * the inode is there before and after, with the same name, then everything read by path in
	 * between belongs to the instance.
	 */
	if (!err && !unchanged && !hfi_binding_holds(classes, uverbs, &binding, 0))
		err = -EAGAIN;
	if (!err)
		*ret = entry;
close_binding:
	hfi_binding_close(&binding);
	return err;
}

static int stamp(int dirfd, struct hf_class_stamp *ret)
{
	struct stat st;

	if (dirfd < 0 || fstat(dirfd, &st) < 0)
		return -ENOENT;
	*ret = (struct hf_class_stamp){st.st_ino, st.st_mtim};
	return 0;
}

bool hfi_unchanged_begin(const struct hf_search_root *root, const struct hf_classes *classes,
			 struct hf_unchanged_dirs *unchanged)
{
	/*
	 * sysfs does not update a directory's time stamp when an entry comes or goes (kernfs, Linux
	 * 6.1).
	 */
	if (!root->kind->dir_stamps || stamp(classes->verbs, &unchanged->verbs) ||
	    stamp(classes->ib, &unchanged->ib))
		return false;
	return hfi_stamp_is_settled(&unchanged->verbs.mtime) &&
	       hfi_stamp_is_settled(&unchanged->ib.mtime);
}

bool hfi_unchanged_holds(const struct hf_search_root *root,
			 const struct hf_unchanged_dirs *unchanged)
{
	struct hf_class_stamp verbs, ib;
	struct hf_classes classes;
	bool holds;

	/* By path: the directories themselves may have been replaced. */
	if (hfi_classes_open(root, &classes))
		return false;
	holds = stamp(classes.verbs, &verbs) == 0 && stamp(classes.ib, &ib) == 0 &&
		verbs.inode == unchanged->verbs.inode && ib.inode == unchanged->ib.inode &&
		hfi_stamp_same(&verbs.mtime, &unchanged->verbs.mtime) &&
		hfi_stamp_same(&ib.mtime, &unchanged->ib.mtime);
	hfi_classes_close(&classes);
	return holds;
}

int hfi_entry_read_number(const struct hf_search_root *root, struct hf_entry *entry)
{
	char path[HF_PATH_SIZE + 2 * HF_NAME_SIZE];
	char text[32];
	dev_t number;
	ssize_t length;
	int err;

	if (!entry->brief || entry->node_number)
		return 0;
	err = hfi_print(path, sizeof(path), "%s/class/infiniband_verbs/%s/dev", root->sysfs,
			entry->uverbs);
	if (err)
		return err;
	length = hfi_attr_read(AT_FDCWD, path, text, sizeof(text), NULL);
	if (length < 0)
		return (int)length;
	err = hfi_parse_dev(text, &number);
	/* Read by path, so it may belong to another instance by now: verify as above. */
	if (!err)
		err = hfi_entry_verify(root, NULL, entry);
	if (!err)
		entry->node_number = number;
	return err;
}
