/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates PCI functions, and RDMA devices below them, in a sysfs-shaped tree for tests of naming. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "t/lib/pci_tree.h"
#include "soft/files.h"

enum { CONFIG_SIZE = 64, CONFIG_HEADER_TYPE = 14 };

void pci_tree_name(const struct hf_pci_address *at, char name[32])
{
	snprintf(name, 32, "%04x:%02x:%02x.%x", at->domain, at->bus, at->device, at->function);
}

void pci_tree_path(const struct hf_pci_address *at, char path[PCI_TREE_PATH])
{
	char name[32];

	pci_tree_name(at, name);
	snprintf(path, PCI_TREE_PATH, "devices/pci%04x:00/%s", at->domain, name);
}

static int put_number(int root, const char *dir, const char *file, int64_t value)
{
	char path[PCI_TREE_PATH * 3], text[32];

	if (value == PCI_TREE_NONE)
		return 0;
	snprintf(path, sizeof(path), "%s/%s", dir, file);
	snprintf(text, sizeof(text), "%" PRId64, value);
	return hfi_soft_put(root, path, text);
}

static int put_link(int root, const char *dir, const char *file, const char *target)
{
	char path[PCI_TREE_PATH * 3];

	snprintf(path, sizeof(path), "%s/%s", dir, file);
	return symlinkat(target, root, path) ? -errno : 0;
}

static int put_config(int root, const char *dir, bool multi_function)
{
	unsigned char config[CONFIG_SIZE] = {0xb3, 0x15, 0x1b, 0x10};
	char path[PCI_TREE_PATH * 3];
	int fd, err = 0;

	config[CONFIG_HEADER_TYPE] = multi_function ? 0x80 : 0;
	snprintf(path, sizeof(path), "%s/config", dir);
	fd = openat(root, path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		return -errno;
	if (write(fd, config, sizeof(config)) != sizeof(config))
		err = -EIO;
	close(fd);
	return err;
}

int pci_tree_add(int root, const struct pci_tree_function *function)
{
	char path[PCI_TREE_PATH];
	int err;

	pci_tree_path(&function->at, path);
	err = hfi_soft_mkdirs(root, path);
	if (!err)
		err = hfi_soft_mkdirs(root, "bus/pci");
	if (!err)
		err = put_config(root, path, function->multi_function);
	if (!err)
		err = put_link(root, path, "subsystem", "../../../bus/pci");
	if (!err)
		err = put_number(root, path, "ari_enabled", function->ari);
	if (!err)
		err = put_number(root, path, "acpi_index", function->acpi_index);
	if (!err)
		err = put_number(root, path, "index", function->smbios_index);
	return err;
}

static void sibling(const struct hf_pci_address *at, char target[40])
{
	memcpy(target, "../", 4);
	pci_tree_name(at, target + 3);
}

int pci_tree_make_vf(int root, const struct hf_pci_address *vf, const struct hf_pci_address *pf,
		     uint32_t number)
{
	char path[PCI_TREE_PATH], file[32], target[40];
	int err;

	pci_tree_path(vf, path);
	sibling(pf, target);
	err = put_link(root, path, "physfn", target);
	if (err)
		return err;
	pci_tree_path(pf, path);
	sibling(vf, target);
	snprintf(file, sizeof(file), "virtfn%" PRIu32, number);
	return put_link(root, path, file, target);
}

int pci_tree_remove(int root, const struct hf_pci_address *at)
{
	char path[PCI_TREE_PATH];

	pci_tree_path(at, path);
	return hfi_soft_erase(root, path);
}

int pci_tree_remove_vf(int root, const struct hf_pci_address *vf, const struct hf_pci_address *pf,
		       uint32_t number)
{
	char path[PCI_TREE_PATH], link[PCI_TREE_PATH * 2];

	pci_tree_path(pf, path);
	snprintf(link, sizeof(link), "%s/virtfn%" PRIu32, path, number);
	if (unlinkat(root, link, 0))
		return -errno;
	return pci_tree_remove(root, vf);
}

static void sf_path(const struct hf_pci_address *at, uint32_t id, char path[PCI_TREE_PATH])
{
	size_t length;

	pci_tree_path(at, path);
	length = strlen(path);
	snprintf(path + length, PCI_TREE_PATH - length, "/mlx5_core.sf.%" PRIu32, id);
}

int pci_tree_add_sf(int root, const struct hf_pci_address *at, uint32_t id, uint32_t sfnum,
		    char path[PCI_TREE_PATH])
{
	int err;

	sf_path(at, id, path);
	err = hfi_soft_mkdirs(root, path);
	if (!err)
		err = hfi_soft_mkdirs(root, "bus/auxiliary");
	if (!err)
		err = put_link(root, path, "subsystem", "../../../../bus/auxiliary");
	return err ? err : put_number(root, path, "sfnum", sfnum);
}

int pci_tree_remove_sf(int root, const struct hf_pci_address *at, uint32_t id)
{
	char path[PCI_TREE_PATH];

	sf_path(at, id, path);
	return hfi_soft_erase(root, path);
}

static void ib_path(const char *parent, const char *name, char path[PCI_TREE_PATH * 2])
{
	snprintf(path, (size_t)PCI_TREE_PATH * 2, "%s/infiniband/%s",
		 parent ? parent : "devices/virtual", name);
}

int pci_tree_add_ib(int root, const char *parent, const char *name, uint64_t guid)
{
	char path[PCI_TREE_PATH * 2], file[PCI_TREE_PATH * 3], text[32];
	const char *base;
	int err;

	ib_path(parent, name, path);
	err = hfi_soft_mkdirs(root, path);
	if (err)
		return err;
	snprintf(text, sizeof(text), "%04x:%04x:%04x:%04x", (unsigned int)(guid >> 48),
		 (unsigned int)(guid >> 32) & 0xffff, (unsigned int)(guid >> 16) & 0xffff,
		 (unsigned int)guid & 0xffff);
	snprintf(file, sizeof(file), "%s/node_guid", path);
	err = hfi_soft_put(root, file, text);
	if (!err && parent) {
		base = strrchr(parent, '/') + 1;
		snprintf(file, sizeof(file), "../../../%s", base);
		err = put_link(root, path, "device", file);
	}
	if (err)
		return err;
	snprintf(file, sizeof(file), "../../%s", path);
	return put_link(root, "class/infiniband", name, file);
}

int pci_tree_remove_ib(int root, const char *parent, const char *name)
{
	char path[PCI_TREE_PATH * 2], link[PCI_TREE_PATH];

	snprintf(link, sizeof(link), "class/infiniband/%s", name);
	if (unlinkat(root, link, 0))
		return -errno;
	ib_path(parent, name, path);
	return hfi_soft_erase(root, path);
}

int pci_tree_slot(int root, const char *slot, const char *address)
{
	char path[PCI_TREE_PATH];
	int err;

	snprintf(path, sizeof(path), "bus/pci/slots/%s", slot);
	err = hfi_soft_mkdirs(root, path);
	snprintf(path, sizeof(path), "bus/pci/slots/%s/address", slot);
	return err ? err : hfi_soft_put(root, path, address);
}
