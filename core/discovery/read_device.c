/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Reads one device as one instance: everything between the first and the last check of the inode of
 * `ibdev` belongs to the instance that has it.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "shared/error.h"
#include "shared/file.h"
#include "shared/text.h"
#include "core/discovery/device_dir.h"
#include "core/discovery/entry.h"
#include "core/discovery/netlink.h"
#include "core/discovery/netlink_guess.h"
#include "core/discovery/parse.h"
#include "core/discovery/read_device.h"
#include "core/discovery/sysfs.h"

struct device_reading {
	const struct hf_classes *classes;
	struct hf_nl *nl;
	struct hf_nl_table *table;
	struct hf_binding binding;
	struct hf_entry *entry;
	enum hf_match match;
	int number_error; /* of the device number; netlink may know it */
};

/* Only the first fault is reported. */
static void half_made(struct hf_entry *entry, int err, bool of_uverbs, const char *attribute)
{
	if (entry->reason.code == HF_REASON_NONE)
		entry->reason =
			(struct hf_entry_reason){HF_REASON_HALF_MADE, -err, attribute, of_uverbs};
}

/* 0: *text is the value; 1: unreadable, recorded in the entry; negative: fatal. */
static int read_device_attr(struct hf_entry *entry, int dirfd, bool of_uverbs,
			    const char *attribute, char *text, size_t size)
{
	ssize_t length = hfi_attr_read(dirfd, attribute, text, size, NULL);

	if (length >= 0)
		return 0;
	if (hfi_error_is_shortage((int)length))
		return (int)length;
	half_made(entry, (int)length, of_uverbs, attribute);
	return 1;
}

static int read_uverbs_number(struct device_reading *s)
{
	char text[32];
	ssize_t length = hfi_attr_read(s->binding.uverbs, "dev", text, sizeof(text), NULL);

	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length >= 0 && !hfi_parse_dev(text, &s->entry->node_number))
		return 0;
	s->number_error = length < 0 ? (int)length : -EINVAL;
	return 0;
}

static int read_abi(struct device_reading *s)
{
	char text[32];
	uint64_t abi;
	int err = read_device_attr(s->entry, s->binding.uverbs, true, "abi_version", text,
				   sizeof(text));

	if (err)
		return err < 0 ? err : 0;
	if (hfi_parse_number(text, 10, UINT32_MAX, &abi))
		half_made(s->entry, -EINVAL, true, "abi_version");
	else
		s->entry->kernel_abi = (uint32_t)abi;
	return 0;
}

/* A device is listed without one of the two, as by libibverbs. Without both it is being made. */
static int read_device_attrs(struct device_reading *s, int dirfd)
{
	struct hf_entry *entry = s->entry;
	char text[64];
	uint32_t type;
	ssize_t length = hfi_attr_read(dirfd, "node_type", text, sizeof(text), NULL);
	int type_error = length < 0 ? (int)length : hfi_parse_state(text, &type);

	if (hfi_error_is_shortage(type_error))
		return type_error;
	if (!type_error)
		entry->node_type = hfi_node_type(type);
	length = hfi_attr_read(dirfd, "node_guid", text, sizeof(text), NULL);
	if (hfi_error_is_shortage((int)length))
		return (int)length;
	if (length >= 0 && !hfi_parse_guid(text, &entry->node_guid))
		return 0;
	entry->brief = true; /* it may be read later */
	if (type_error)
		half_made(entry, type_error, false, "node_type");
	return 0;
}

/* Asks netlink about the index. If it is our device, only the verification is missing. */
static int ask_chardev(struct device_reading *s, const struct hf_nl_device *device,
		       struct hf_nldev_chardev *chardev)
{
	const struct timespec pause = {.tv_nsec = 1000000};
	struct hf_nl_device now;
	int err = 0;

	for (int i = 0; i < HF_READ_TRIES; i++) {
		err = hfi_nl_chardev(s->nl, device->index, chardev);
		/*
		 * uverbsN appears in sysfs a moment before netlink reports it (client_data marks).
		 */
		if ((err != -EOPNOTSUPP && err != -ENOENT) || (s->table && s->table->waited))
			break;
		nanosleep(&pause, NULL);
	}
	if (!err) {
		if (strcmp(chardev->name, s->entry->uverbs) != 0)
			return -ENODEV;
		return chardev->number == s->entry->node_number || !s->entry->node_number ? 0
											  : -ENODEV;
	}
	if (err != -EINVAL && err != -EOPNOTSUPP && err != -ENOENT)
		return err;
	/* Wait at most once per scan, not for each of the next thousand devices. */
	if (s->table)
		s->table->waited |= err != -EINVAL;
	/* Before Linux 5.1: compare the name, while the instance is held. */
	err = hfi_nl_device_get(s->nl, device->index, &now);
	if (!err && strcmp(now.name, s->binding.name) != 0)
		err = -ENODEV;
	return err ? err : 1;
}

/* Fills in what netlink knows and sets the match: whether it knows the device. Negative: fatal. */
static int ask_netlink(struct device_reading *s)
{
	struct hf_entry *entry = s->entry;
	const struct hf_nl_device *device = NULL;
	struct hf_nl_device guessed;
	struct hf_nldev_chardev chardev;
	int err;

	if (!s->nl)
		return 0;
	if (s->table) {
		device = hfi_nl_table_find(s->table, s->binding.name);
	} else {
		err = hfi_nl_guess(s->nl, entry->uverbs, s->binding.name, &guessed);
		if (hfi_error_is_shortage(err))
			return err;
		if (!err)
			device = &guessed;
	}
	if (!device) {
		s->match = HF_MATCH_ABSENT;
		return 0;
	}
	err = ask_chardev(s, device, &chardev);
	if (err < 0) {
		s->match = HF_MATCH_STALE;
		return hfi_error_is_shortage(err) ? err : 0;
	}
	s->match = HF_MATCH_FOUND;
	entry->index = (int32_t)device->index;
	entry->node_guid = device->node_guid;
	entry->node_type = device->node_type;
	entry->num_ports = device->num_ports;
	entry->protocol = device->protocol;
	if (!err) {
		entry->kernel_abi = chardev.abi;
		entry->driver_id = chardev.driver_id;
		if (!entry->node_number)
			entry->node_number = chardev.number;
	}
	return err ? read_abi(s) : 0;
}

/* Reads the device's directory; skips what netlink has reported. */
static int read_bound(struct device_reading *s)
{
	bool known = s->match == HF_MATCH_FOUND && s->entry->node_guid &&
		     s->entry->node_type != IBV_NODE_UNKNOWN;
	struct stat st;
	int err = 0;
	int fd;

	/* No path leads to it: what netlink has reported is all there is. */
	if (!hfi_is_component(s->binding.name, HF_NAME_SIZE - 1)) {
		if (s->match != HF_MATCH_FOUND)
			half_made(s->entry, -EINVAL, true, "ibdev");
		return 0;
	}
	if (known) {
		if (fstatat(s->classes->ib, s->binding.name, &st, 0) < 0)
			err = -errno;
		else
			s->entry->device_inode = st.st_ino;
	} else {
		/* Nothing is read there any more: a process may have few descriptors left. */
		hfi_close(&s->binding.uverbs);
		fd = hfi_open_ib_dir(s->classes, s->binding.name);
		if (fd < 0)
			err = fd;
		else if (fstat(fd, &st) < 0)
			err = -errno;
		else
			s->entry->device_inode = st.st_ino;
		if (!err)
			err = read_device_attrs(s, fd);
		if (fd >= 0)
			hfi_close(&fd);
	}
	if (err == -EBADF)
		err = -ENOENT; /* fstatat(): class/infiniband does not exist */
	if (err && !hfi_error_is_shortage(err)) {
		half_made(s->entry, err, false, "");
		err = 0;
	}
	return err;
}

static int read_device_files(struct device_reading *s)
{
	struct hf_entry *entry = s->entry;
	int err;

	memcpy(entry->name, s->binding.name, sizeof(entry->name));
	entry->life = s->binding.life;
	entry->stamp = s->binding.stamp;
	err = read_uverbs_number(s);
	if (!err)
		err = ask_netlink(s);
	if (!err && s->number_error && !entry->node_number)
		half_made(entry, s->number_error, true, "dev");
	if (!err && s->match != HF_MATCH_FOUND)
		err = read_abi(s);
	if (!err)
		err = read_bound(s);
	if (entry->protocol == HF_PROTOCOL_UNKNOWN)
		entry->protocol = hfi_protocol_of_type(entry->node_type);
	return err;
}

/* Makes one attempt. -EAGAIN: the instance or its name changed meanwhile. */
static int read_attempt(struct device_reading *s, const char *uverbs)
{
	struct hf_entry *entry = s->entry;
	int err;

	memset(entry, 0, sizeof(*entry));
	entry->index = -1;
	entry->node_type = IBV_NODE_UNKNOWN;
	s->match = HF_MATCH_NONE;
	s->number_error = 0;
	err = hfi_copy(entry->uverbs, sizeof(entry->uverbs), uverbs);
	if (err)
		return -ENODEV;
	err = hfi_binding_open(s->classes, uverbs, &s->binding);
	if (hfi_error_is_shortage(err))
		goto close_binding;
	if (s->binding.uverbs < 0 && hfi_error_is_gone(err)) {
		err = -ENODEV;
		goto close_binding;
	}
	if (err) {
		/* Without a name: a device that is being removed looks like this, too. */
		half_made(entry, err, true, s->binding.uverbs < 0 ? "" : s->binding.wrong);
		entry->life = s->binding.life;
		err = hfi_error_is_gone(err) ? -EAGAIN : 0;
		goto close_binding;
	}
	err = read_device_files(s);
	if (!err && !hfi_binding_holds(s->classes, uverbs, &s->binding, entry->device_inode))
		err = -EAGAIN;
close_binding:
	hfi_binding_close(&s->binding);
	return err;
}

int hfi_read_device(const struct hf_classes *classes, struct hf_nl *nl, struct hf_nl_table *table,
		    const char *uverbs, struct hf_entry *ret, enum hf_match *match)
{
	struct device_reading s = {.classes = classes, .nl = nl, .table = table, .entry = ret};
	int err = -EAGAIN;

	for (int i = 0; i < HF_READ_TRIES && err == -EAGAIN; i++)
		err = read_attempt(&s, uverbs);
	if (err == -EAGAIN) {
		/*
		 * It neither settles nor disappears. The values may be of several instances: return
		 * none.
		 */
		struct hf_entry_reason reason = ret->reason;

		memset(ret, 0, sizeof(*ret));
		ret->index = -1;
		ret->node_type = IBV_NODE_UNKNOWN;
		s.match = HF_MATCH_NONE;
		ret->reason = reason;
		if (reason.code == HF_REASON_NONE)
			ret->reason.code = HF_REASON_HALF_MADE;
		err = hfi_copy(ret->uverbs, sizeof(ret->uverbs), uverbs);
	}
	*match = s.match;
	return err;
}
