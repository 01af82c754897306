/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the PCI attributes that a name can need. */
#ifndef HF_NAMING_PCI_H
#define HF_NAMING_PCI_H

#include "naming/naming.h"

/* Parses a complete address such as "0000:c1:00.0". */
int hfi_pci_parse(const char *text, struct hf_pci_address *ret);
/*
 * Finds the function that the directory belongs to, by its entry in the parent directory. -ENOENT:
 * it is not in a function's directory.
 */
int hfi_pci_self(int dir, struct hf_pci_address *ret);

/* Reads the attributes of a PCI function that a name can need. */
void hfi_pci_look(int sysfs, int function, struct hf_name_hardware *hardware);

#endif
