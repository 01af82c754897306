/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the PCI attributes that a name can need. */
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <linux/pci_regs.h>

#include "shared/file.h"
#include "shared/sysfs_attr.h"
#include "naming/hardware.h"
#include "naming/pci.h"

enum {
	HEADER_SIZE = 64, /* bytes of the configuration space that every user may read */
	MULTI_FUNCTION = 0x80
};

/* Parses exactly `length` hexadecimal digits. */
static int take_hex(const char **at, size_t length, uint32_t *ret)
{
	uint32_t value = 0;

	for (size_t i = 0; i < length; i++) {
		char c = (*at)[i];

		if (c >= '0' && c <= '9')
			value = value << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			value = value << 4 | (uint32_t)(c - 'a' + 10);
		else
			return -EBADMSG;
	}
	*at += length;
	*ret = value;
	return 0;
}

int hfi_pci_parse(const char *text, struct hf_pci_address *ret)
{
	struct hf_pci_address address;
	const char *at = text, *colon = strchr(text, ':');
	size_t domain = colon ? (size_t)(colon - text) : 0;

	/* Domains of more than 16 bits have more than four digits: 10000:e1:00.0. */
	if (domain < 4 || domain > 8 || take_hex(&at, domain, &address.domain) || *at++ != ':' ||
	    take_hex(&at, 2, &address.bus) || *at++ != ':' || take_hex(&at, 2, &address.device) ||
	    *at++ != '.' || take_hex(&at, 1, &address.function) || *at)
		return -EBADMSG;
	if (address.device > 0x1f || address.function > 7)
		return -EBADMSG;
	*ret = address;
	return 0;
}

static bool is_same(const struct hf_pci_address *a, const struct hf_pci_address *b)
{
	return a->domain == b->domain && a->bus == b->bus && a->device == b->device &&
	       a->function == b->function;
}

struct self {
	struct stat st;
	struct hf_pci_address address;
};

static int is_self(void *arg, int dir, const char *name)
{
	struct self *self = arg;
	struct hf_pci_address address;
	struct stat st;

	if (hfi_pci_parse(name, &address) || fstatat(dir, name, &st, AT_SYMLINK_NOFOLLOW) < 0 ||
	    st.st_dev != self->st.st_dev || st.st_ino != self->st.st_ino)
		return 0;
	self->address = address;
	return 1;
}

int hfi_pci_self(int dir, struct hf_pci_address *ret)
{
	struct self self;
	int above, found;

	if (fstat(dir, &self.st) < 0)
		return -errno;
	above = hfi_open_dir(dir, "..");
	if (above < 0)
		return above;
	found = hfi_attr_entries(above, is_self, &self);
	close(above);
	if (found <= 0)
		return found ? found : -ENOENT;
	*ret = self.address;
	return 0;
}

struct vf {
	struct hf_pci_address address;
	uint32_t number;
};

static int is_vf(void *arg, int dir, const char *name)
{
	static const char prefix[] = "virtfn";
	struct hf_pci_address address;
	char target[HF_NAME_SIZE];
	struct vf *vf = arg;
	uint32_t number;

	/* Compare whole addresses: the VFs of one PF may be on several buses. */
	if (strncmp(name, prefix, sizeof(prefix) - 1) ||
	    hfi_decimal(name + sizeof(prefix) - 1, &number) ||
	    hfi_attr_link(dir, name, target, sizeof(target)) || hfi_pci_parse(target, &address) ||
	    !is_same(&address, &vf->address))
		return 0;
	vf->number = number;
	return 1;
}

struct slot {
	char address[32];
	struct hf_name_number number;
};

static int is_slot(void *arg, int dir, const char *name)
{
	char path[HF_NAME_SIZE + 16], address[32];
	struct slot *slot = arg;
	uint32_t number;
	int err;

	/*
	 * The kernel appends "-1", "-2", ... in discovery order to slot numbers that firmware gave
	 * twice.
	 */
	if (hfi_decimal(name, &number) || !number)
		return 0;
	snprintf(path, sizeof(path), "%s/address", name);
	err = hfi_attr_text(dir, path, address, sizeof(address));
	if (err == -ENOENT)
		return 0;
	if (err || strcmp(address, slot->address) != 0)
		return err;
	if (slot->number.there)
		return -ENOTUNIQ;
	slot->number = (struct hf_name_number){.there = true, .value = number, .from = "address"};
	return 0;
}

static int look_for_slot(int sysfs, const struct hf_name_hardware *hardware,
			 struct hf_name_number *ret)
{
	const struct hf_pci_address *pci = &hardware->pci;
	struct slot slot = {.number.there = false};
	int slots, err;

	/* With ARI a bus has one device, and the device number is part of the function number. */
	snprintf(slot.address, sizeof(slot.address), "%04x:%02x:%02x", pci->domain, pci->bus,
		 hardware->ari ? 0 : pci->device);
	slots = hfi_open_dir(sysfs, "bus/pci/slots");
	if (slots < 0)
		return slots == -ENOENT ? 0 : slots;
	err = hfi_attr_entries(slots, is_slot, &slot);
	close(slots);
	if (!err)
		*ret = slot.number;
	return err;
}

static int look_at_config(int function, bool *multi_function)
{
	unsigned char header[HEADER_SIZE];
	ssize_t got = hfi_read_bytes(function, "config", O_NOFOLLOW, header, sizeof(header), NULL);

	if (got == -ENOENT) {
		*multi_function = false;
		return 0;
	}
	if (got < 0)
		return (int)got;
	if (got <= PCI_HEADER_TYPE)
		return -EBADMSG;
	/* A function that does not respond reads as all ones, which has this bit set. */
	if (header[PCI_VENDOR_ID] == 0xff && header[PCI_VENDOR_ID + 1] == 0xff)
		return -EIO;
	*multi_function = header[PCI_HEADER_TYPE] & MULTI_FUNCTION;
	return 0;
}

/* Reads the attributes of the function that the name is made from. */
static int look_at_named(int function, struct hf_name_hardware *hardware)
{
	struct hf_name_number ari = {.there = false};
	int err;

	hardware->pci_error_at = "config";
	err = look_at_config(function, &hardware->multi_function);
	if (err)
		return err;
	hardware->pci_error_at = "ari_enabled";
	err = hfi_name_read_number(function, "ari_enabled", &ari);
	if (!err)
		hardware->ari = ari.there && ari.value == 1;
	return err;
}

static int look_at_pf(int physfn, struct hf_name_hardware *hardware)
{
	struct vf vf = {.address = hardware->pci_self};
	int found;

	hardware->pci_error_at = "physfn";
	found = hfi_pci_self(physfn, &hardware->pci);
	if (found)
		return found == -ENOENT ? -EBADMSG : found;
	hardware->pci_error_at = "physfn/virtfn*";
	found = hfi_attr_entries(physfn, is_vf, &vf);
	/* Without its number a VF would get the PF's name. */
	if (found <= 0)
		return found ? found : -ENODEV;
	hardware->vf = (struct hf_name_number){.there = true, .value = vf.number, .from = "virtfn"};
	return look_at_named(physfn, hardware);
}

static void look_for_onboard(int function, struct hf_name_hardware *hardware)
{
	static const char *const files[] = {"acpi_index", "index"};
	int err = 0;

	for (size_t i = 0; i < 2 && !err && !hardware->onboard.there; i++) {
		hardware->onboard_error_at = files[i];
		err = hfi_name_read_number(function, files[i], &hardware->onboard);
	}
	hardware->onboard_error = err;
}

void hfi_pci_look(int sysfs, int function, struct hf_name_hardware *hardware)
{
	int physfn, err;

	/* The function's index does not identify the devices below it. */
	if (!hardware->sf.there)
		look_for_onboard(function, hardware);
	hardware->pci_error_at = "physfn";
	physfn = hfi_open_dir(function, "physfn");
	if (physfn >= 0) {
		err = look_at_pf(physfn, hardware);
		close(physfn);
	} else if (physfn == -ENOENT) {
		hardware->pci = hardware->pci_self;
		err = look_at_named(function, hardware);
	} else {
		err = physfn;
	}
	hardware->pci_error = err;
	if (!err) {
		hardware->slot_error_at = "bus/pci/slots";
		hardware->slot_error = look_for_slot(sysfs, hardware, &hardware->slot);
	}
}
