/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* From an RDMA device to the hardware below it. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/file.h"
#include "shared/sysfs_attr.h"
#include "naming/hardware.h"
#include "naming/pci.h"

int hfi_name_read_number(int dir, const char *path, struct hf_name_number *ret)
{
	struct hf_name_number number = {.there = true, .from = path};
	char text[16];
	int err = hfi_attr_text(dir, path, text, sizeof(text));

	if (err == -ENOENT) {
		ret->there = false;
		return 0;
	}
	if (!err)
		err = hfi_decimal(text, &number.value);
	if (!err)
		*ret = number;
	return err;
}

static int open_device_dir(int sysfs, const char *name)
{
	int class, fd;

	/* Check also names that this library would not assign: the kernel accepts more. */
	if (!*name || strchr(name, '/') || !strcmp(name, ".") || !strcmp(name, "..") ||
	    strlen(name) >= HF_NAME_SIZE)
		return -ENODEV;
	class = hfi_open_dir(sysfs, "class/infiniband");
	fd = class < 0 ? class : hfi_open_dir(class, name);
	if (class >= 0)
		close(class);
	return fd == -ENOENT || fd == -ENOTDIR ? -ENODEV : fd;
}

static int subsystem(int dir, char *name, size_t size)
{
	int err = hfi_attr_link(dir, "subsystem", name, size);

	if (err == -ENOENT)
		*name = '\0';
	return err == -ENOENT ? 0 : err;
}

static void look_at_pci(int sysfs, int function, struct hf_name_hardware *hardware)
{
	hardware->bus = HF_NAME_BUS_PCI;
	hardware->pci_error_at = "device";
	hardware->pci_error = hfi_pci_self(function, &hardware->pci_self);
	if (!hardware->pci_error)
		hfi_pci_look(sysfs, function, hardware);
}

/* A sub-function is a device of the auxiliary bus, in the directory of its PCI function. */
static int look_at_auxiliary(int sysfs, int dir, struct hf_name_hardware *hardware)
{
	char bus[HF_NAME_SIZE];
	int function, err;

	err = hfi_name_read_number(dir, "sfnum", &hardware->sf);
	/* Several devices of one function would all get the same name. */
	if (err || !hardware->sf.there)
		return err;
	function = hfi_open_dir(dir, "..");
	if (function < 0)
		return function;
	err = subsystem(function, bus, sizeof(bus));
	if (!err && (!*bus || !strcmp(bus, "pci")))
		look_at_pci(sysfs, function, hardware);
	close(function);
	return err;
}

static int look_at_parent(int sysfs, int device, int parent, struct hf_name_hardware *hardware)
{
	struct hf_pci_address address;
	struct stat st;
	int err;

	/* If it is not a link, the kernel did not make it. */
	err = hfi_attr_link(device, "device", hardware->parent, sizeof(hardware->parent));
	if (err == -EINVAL)
		return 0;
	if (err)
		return err;
	/*
	 * Before Linux 5.11 rxe's parent was the card of its network device; only rxe has this
	 * file.
	 */
	if (!fstatat(device, "parent", &st, AT_SYMLINK_NOFOLLOW))
		return 0;
	err = subsystem(parent, hardware->bus_name, sizeof(hardware->bus_name));
	if (err)
		return err;
	if (!strcmp(hardware->bus_name, "pci") ||
	    (!*hardware->bus_name && !hfi_pci_parse(hardware->parent, &address))) {
		look_at_pci(sysfs, parent, hardware);
		return 0;
	}
	hardware->bus = HF_NAME_BUS_OTHER;
	return strcmp(hardware->bus_name, "auxiliary") ? 0
						       : look_at_auxiliary(sysfs, parent, hardware);
}

int hfi_name_look(int sysfs, const char *name, struct hf_name_hardware *ret)
{
	struct hf_name_hardware hardware = {.bus = HF_NAME_BUS_NONE};
	int device = open_device_dir(sysfs, name), parent, err = 0;
	struct stat st;

	if (device < 0)
		return device;
	if (fstat(device, &st) < 0) {
		err = -errno;
		goto out;
	}
	hardware.dev = st.st_dev;
	hardware.ino = st.st_ino;
	parent = hfi_open_dir(device, "device");
	if (parent >= 0) {
		err = look_at_parent(sysfs, device, parent, &hardware);
		close(parent);
	} else if (parent != -ENOENT) {
		err = parent;
	}
	if (!err)
		*ret = hardware;
out:
	close(device);
	return err;
}

bool hfi_name_is_still(int sysfs, const char *name, const struct hf_name_hardware *hardware)
{
	int device = open_device_dir(sysfs, name);
	struct stat st;
	bool same;

	if (device < 0)
		return false;
	same = !fstat(device, &st) && st.st_dev == hardware->dev && st.st_ino == hardware->ino;
	close(device);
	return same;
}
