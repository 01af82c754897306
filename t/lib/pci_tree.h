/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * PCI functions and RDMA devices below them in a tree like /sys, for tests of naming. A root R has
 *
 *	R/devices/pciDDDD:BB/ADDRESS/{config,subsystem,ari_enabled,acpi_index,index,physfn,virtfnN}
 *	R/devices/pciDDDD:BB/ADDRESS/mlx5_core.sf.N/{sfnum,subsystem}
 *	.../infiniband/NAME/{node_guid,device}, R/devices/virtual/infiniband/NAME/node_guid
 *	R/class/infiniband/NAME		a link to one of these
 *	R/bus/pci/slots/N/address
 *
 * `root` is a descriptor of R. Every function returns 0 or -errno.
 */
#ifndef HF_TEST_PCI_TREE_H
#define HF_TEST_PCI_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "naming/naming.h"

enum { PCI_TREE_PATH = 256, PCI_TREE_NONE = -1 };

struct pci_tree_function {
	struct hf_pci_address at;
	bool multi_function;
	int ari;	    /* the value of ari_enabled; PCI_TREE_NONE: no such file */
	int64_t acpi_index; /* PCI_TREE_NONE: no such file; also for smbios_index */
	int64_t smbios_index;
};

void pci_tree_name(const struct hf_pci_address *at, char name[32]);
/* The directory of a function, below R. */
void pci_tree_path(const struct hf_pci_address *at, char path[PCI_TREE_PATH]);

int pci_tree_add(int root, const struct pci_tree_function *function);
/* Makes an existing function a virtual function (VF) of another one. */
int pci_tree_make_vf(int root, const struct hf_pci_address *vf, const struct hf_pci_address *pf,
		     uint32_t number);
/* Removes a function with everything below it. */
int pci_tree_remove(int root, const struct hf_pci_address *at);
int pci_tree_remove_vf(int root, const struct hf_pci_address *vf, const struct hf_pci_address *pf,
		       uint32_t number);

/* `path`: the directory of the new device, below R. */
int pci_tree_add_sf(int root, const struct hf_pci_address *at, uint32_t id, uint32_t sfnum,
		    char path[PCI_TREE_PATH]);
int pci_tree_remove_sf(int root, const struct hf_pci_address *at, uint32_t id);

/* An RDMA device below `parent`; NULL: a virtual one. */
int pci_tree_add_ib(int root, const char *parent, const char *name, uint64_t guid);
int pci_tree_remove_ib(int root, const char *parent, const char *name);

int pci_tree_slot(int root, const char *slot, const char *address);

#endif
