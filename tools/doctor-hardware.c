/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* holdfast doctor: finds PCI functions that may support RDMA but have no RDMA device. */
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "tools/doctor.h"

/* PCI Code and ID Assignment: base class 02h (network), sub-class 07h (InfiniBand, OPA). */
enum { PCI_CLASS_INFINIBAND = 0x0207 };

/* Network drivers, and the module that adds RDMA to each (kernel 6.12). */
static const struct {
	const char *driver;
	const char *module;
} drivers[] = {
	{"mlx5_core", "mlx5_ib"}, {"mlx4_core", "mlx4_ib"}, {"bnxt_en", "bnxt_re"},
	{"ice", "irdma"},	  {"i40e", "irdma"},	    {"qede", "qedr"},
	{"cxgb4", "iw_cxgb4"},	  {"be2net", "ocrdma"},	    {"hns3", "hns_roce_hw_v2"},
	{"enic", "usnic_verbs"},  {"mana", "mana_ib"},
};

enum { NUM_DRIVERS = sizeof(drivers) / sizeof(drivers[0]) };

/* The functions of one driver that have no RDMA device. */
struct unused_functions {
	size_t count;
	char first[256]; /* PCI address */
};

/* The driver bound to a function; empty when none is. */
static void driver_of(const char *function, char *name, size_t size)
{
	char *link = hfi_tool_print("%s/driver", function);
	char target[256];
	ssize_t length = readlink(link, target, sizeof(target) - 1);
	const char *slash;

	free(link);
	target[length < 0 ? 0 : length] = '\0';
	slash = strrchr(target, '/');
	snprintf(name, size, "%s", slash ? slash + 1 : target);
}

static void examine_function(struct hf_findings *findings, const char *sysfs, const char *function,
			     const char *address, struct unused_functions *unused)
{
	char class[16] = "", driver[256];

	driver_of(function, driver, sizeof(driver));
	hfi_tool_read(function, "class", class, sizeof(class));
	if (!*driver && strtoul(class, NULL, 16) >> 8 == PCI_CLASS_INFINIBAND)
		hfi_found(findings, HF_WARNING, "no-driver", NULL,
			  hfi_tool_print("The InfiniBand controller at PCI %s has no driver.",
					 address),
			  hfi_tool_print(
				  "Load the driver: lspci -k -s %s shows it; dmesg shows whether "
				  "it refused the hardware.",
				  address));
	/* The function has an RDMA device already, whatever its module is called. */
	if (hfi_exists(function, "infiniband"))
		return;
	for (size_t i = 0; i < NUM_DRIVERS; i++) {
		char *module;

		if (strcmp(driver, drivers[i].driver) != 0)
			continue;
		module = hfi_tool_print("module/%s", drivers[i].module);
		if (hfi_absent(sysfs, module) && !unused[i].count++)
			snprintf(unused[i].first, sizeof(unused[i].first), "%s", address);
		free(module);
	}
}

void hfi_doctor_hardware(struct hf_findings *findings, const char *sysfs, size_t devices)
{
	struct unused_functions unused[NUM_DRIVERS] = {0};
	char *dir = hfi_tool_print("%s/bus/pci/devices", sysfs);
	DIR *stream = opendir(dir);
	struct dirent *entry;

	if (!stream && errno != ENOENT)
		hfi_found(findings, HF_WARNING, "pci-unreadable", NULL,
			  hfi_tool_print("%s cannot be read, so no hardware was checked: %s.", dir,
					 strerror(errno)),
			  hfi_tool_print("Run this as a user who may read it."));
	while (stream && (entry = readdir(stream))) {
		char *function;

		if (entry->d_name[0] == '.')
			continue;
		function = hfi_tool_print("%s/%s", dir, entry->d_name);
		examine_function(findings, sysfs, function, entry->d_name, unused);
		free(function);
	}
	if (stream)
		closedir(stream);
	free(dir);
	for (size_t i = 0; i < NUM_DRIVERS; i++) {
		if (!unused[i].count)
			continue;
		/* Only a note if there is a device: this card may not be meant for RDMA. */
		hfi_found(
			findings, devices ? HF_NOTE : HF_WARNING, "module-not-loaded", NULL,
			hfi_tool_print("%zu PCI function%s with driver %s (first: %s) may support "
				       "RDMA, but module %s is not loaded.",
				       unused[i].count, unused[i].count == 1 ? "" : "s",
				       drivers[i].driver, unused[i].first, drivers[i].module),
			hfi_tool_print("Load the module: modprobe %s; at each boot: echo %s > "
				       "/etc/modules-load.d/%s.conf",
				       drivers[i].module, drivers[i].module, drivers[i].module));
	}
}
