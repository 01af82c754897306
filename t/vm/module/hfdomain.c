// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * Additional PCI domains for tests (QEMU has one): a root bus in each domain that the parameter `domains`
 * lists, with a device of one function and a device of two. The functions consist of a header only. The
 * first device is in a hot-plug slot.
 */
#include <linux/module.h>
#include <linux/pci.h>

#define MAX_DOMAINS 4
#define BUS	    0xe1
#define SLOT_NAME   "21"
/* QEMU's device for tests, for which there is no driver. */
#define ID (PCI_VENDOR_ID_REDHAT | 0x0005 << 16)

static int domains[MAX_DOMAINS];
static int domain_count;
module_param_array(domains, int, &domain_count, 0444);

static struct domain {
	struct pci_sysdata sysdata;
	struct pci_bus *bus;
	struct pci_slot *slot;
} all[MAX_DOMAINS];

static int config_read(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 *value)
{
	u32 word = 0;

	if (PCI_SLOT(devfn) > 1 || PCI_FUNC(devfn) > PCI_SLOT(devfn)) {
		*value = ~0;
		return PCIBIOS_DEVICE_NOT_FOUND;
	}
	switch (where & ~3) {
	case PCI_VENDOR_ID:
		word = ID;
		break;
	case PCI_CLASS_REVISION:
		word = PCI_CLASS_NETWORK_OTHER << 16;
		break;
	case PCI_CACHE_LINE_SIZE:
		word = PCI_SLOT(devfn) ? 0x80 << 16 : 0;
		break;
	}
	*value = word >> 8 * (where & 3) & (u32)(~0ULL >> (64 - 8 * size));
	return PCIBIOS_SUCCESSFUL;
}

static int config_write(struct pci_bus *bus, unsigned int devfn, int where, int size, u32 value)
{
	return PCIBIOS_SUCCESSFUL;
}

static struct pci_ops config_ops = {
	.read = config_read,
	.write = config_write,
};

static int domain_add(struct domain *domain, int number)
{
	LIST_HEAD(resources);

	domain->sysdata.domain = number;
	domain->sysdata.node = NUMA_NO_NODE;
	domain->bus = pci_scan_root_bus(NULL, BUS, &config_ops, &domain->sysdata, &resources);
	if (!domain->bus)
		return -ENODEV;
	domain->slot = pci_create_slot(domain->bus, 0, SLOT_NAME, NULL);
	pci_bus_add_devices(domain->bus);
	return PTR_ERR_OR_ZERO(domain->slot);
}

static void domain_remove(struct domain *domain)
{
	if (!domain->bus)
		return;
	if (!IS_ERR(domain->slot))
		pci_destroy_slot(domain->slot);
	pci_lock_rescan_remove();
	pci_stop_root_bus(domain->bus);
	pci_remove_root_bus(domain->bus);
	pci_unlock_rescan_remove();
}

static void domain_exit(void)
{
	int i;

	for (i = domain_count; i-- > 0;)
		domain_remove(&all[i]);
}

static int __init domain_init(void)
{
	int err = 0;
	int i;

	for (i = 0; !err && i < domain_count; i++)
		err = domain_add(&all[i], domains[i]);
	if (err)
		domain_exit();
	return err;
}

module_init(domain_init);
module_exit(domain_exit);
MODULE_DESCRIPTION("PCI domains with nothing in them, for tests");
MODULE_LICENSE("Dual BSD/GPL");
