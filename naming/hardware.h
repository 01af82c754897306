/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What hfi_name_look() is made from. */
#ifndef HF_NAMING_HARDWARE_H
#define HF_NAMING_HARDWARE_H

#include "naming/naming.h"

/* A plain decimal number; without the file ret->there is false, and 0 is returned. */
int hfi_name_read_number(int dir, const char *path, struct hf_name_number *ret);

/* "0000:c1:00.0", whole. */
int hfi_pci_parse(const char *text, struct hf_pci_address *ret);
/* Which function's directory this is: by its own entry in the directory above. -ENOENT: of none. */
int hfi_pci_self(int dir, struct hf_pci_address *ret);

/* Reads what a name needs of a PCI function. */
void hfi_pci_look(int sysfs, int function, struct hf_name_hardware *hardware);

#endif
