/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads the facts of a device through one open directory, so that all are of the same instance. */
#include <limits.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "shared/file.h"
#include "shared/sysfs_attr.h"
#include "boot/describe/describe.h"

enum { VALUE_SIZE = 64, LEVELS_MAX = 32 };

/* Reads an attribute; empty if it cannot be read. */
static void read_value(int dir, const char *path, char value[VALUE_SIZE])
{
	if (hfi_attr_text(dir, path, value, VALUE_SIZE))
		value[0] = '\0';
}

static int read_port_layer(void *arg, int dir, const char *name)
{
	char path[NAME_MAX + sizeof("/link_layer")], layer[VALUE_SIZE];
	struct hf_tree_facts *facts = arg;

	if (name[0] < '1' || name[0] > '9')
		return 0;
	stpcpy(stpcpy(path, name), "/link_layer");
	read_value(dir, path, layer);
	facts->infiniband_ports |= !strcmp(layer, "InfiniBand");
	facts->ethernet_ports |= !strcmp(layer, "Ethernet");
	return facts->infiniband_ports && facts->ethernet_ports;
}

static void read_sysfs_ports(int dir, struct hf_tree_facts *facts)
{
	int ports = hfi_open_dir(dir, "ports");

	if (ports < 0)
		return;
	hfi_attr_entries(ports, read_port_layer, facts);
	close(ports);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void read_driver(int dir, struct hf_tree_facts *facts)
{
	if (facts->num_drivers < HF_DRIVERS &&
	    !hfi_attr_link(dir, "driver", facts->drivers[facts->num_drivers], HF_DRIVER_NAME))
		facts->num_drivers++;
}

/*
 * Reads the drivers of this directory and of all above it. ".." of an open directory is its real
 * parent, even if it was opened through a symbolic link.
 */
static void read_parent_drivers(int dir, struct hf_tree_facts *facts)
{
	int fd = hfi_open_dir(dir, ".");
	struct stat here, above;

	for (int i = 0; i < LEVELS_MAX && fd >= 0; i++) {
		int up;

		read_driver(fd, facts);
		up = hfi_open_dir(fd, "..");
		if (up >= 0 && (fstat(fd, &here) || fstat(up, &above) || same(&here, &above))) {
			close(up);
			up = -1;
		}
		close(fd);
		fd = up;
	}
	if (fd >= 0)
		close(fd);
}

void hfi_tree_read(int dir, struct hf_tree_facts *ret)
{
	struct hf_tree_facts facts = {.node_type = 0};
	char value[VALUE_SIZE];

	read_value(dir, "node_type", value);
	if (value[0] >= '1' && value[0] <= '9' && value[1] == ':')
		facts.node_type = value[0] - '0';
	read_sysfs_ports(dir, &facts);
	read_parent_drivers(dir, &facts);
	facts.has_parent = !faccessat(dir, "parent", F_OK, 0);
	*ret = facts;
}
