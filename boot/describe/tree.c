/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Reads through one held directory, so that all of it is of one instance, whatever its name is by now. */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "boot/describe/describe.h"

enum { VALUE_SIZE = 64, PORTS_MAX = 4096, LEVELS_MAX = 32 };

/* Without the newline; empty where it cannot be read. */
static void read_value(int dir, const char *path, char *value)
{
	int fd = openat(dir, path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	ssize_t got = fd < 0 ? -1 : read(fd, value, VALUE_SIZE - 1);

	if (fd >= 0)
		close(fd);
	value[got > 0 ? got : 0] = '\0';
	value[strcspn(value, "\n")] = '\0';
}

static void read_ports(int dir, struct hf_tree_facts *facts)
{
	int fd = openat(dir, "ports", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *ports = fd < 0 ? NULL : fdopendir(fd);
	const struct dirent *entry;
	unsigned int count = 0;

	if (!ports) {
		if (fd >= 0)
			close(fd);
		return;
	}
	while (count++ < PORTS_MAX && !(facts->infiniband_ports && facts->ethernet_ports) &&
	       (entry = readdir(ports))) {
		char path[sizeof(entry->d_name) + sizeof("/link_layer")], layer[VALUE_SIZE];

		if (entry->d_name[0] < '1' || entry->d_name[0] > '9')
			continue;
		stpcpy(stpcpy(path, entry->d_name), "/link_layer");
		read_value(fd, path, layer);
		facts->infiniband_ports |= !strcmp(layer, "InfiniBand");
		facts->ethernet_ports |= !strcmp(layer, "Ethernet");
	}
	closedir(ports);
}

static bool same(const struct stat *a, const struct stat *b)
{
	return a->st_dev == b->st_dev && a->st_ino == b->st_ino;
}

static void read_driver(int dir, struct hf_tree_facts *facts)
{
	char target[PATH_MAX];
	ssize_t length = readlinkat(dir, "driver", target, sizeof(target) - 1);
	const char *name;

	if (length <= 0 || facts->num_drivers == HF_DRIVERS)
		return;
	target[length] = '\0';
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) < HF_DRIVER_NAME)
		strcpy(facts->drivers[facts->num_drivers++], name);
}

/*
 * Upwards as far as directories go. ".." is the real parent: sysfs has no other way up, and a link into
 * a device's directory has been left behind when that was opened.
 */
static void read_drivers(int dir, struct hf_tree_facts *facts)
{
	int fd = openat(dir, ".", O_PATH | O_DIRECTORY | O_CLOEXEC);
	struct stat here, above;

	for (int i = 0; i < LEVELS_MAX && fd >= 0; i++) {
		int up;

		read_driver(fd, facts);
		up = openat(fd, "..", O_PATH | O_DIRECTORY | O_CLOEXEC);
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

void hf_tree_read(int dir, struct hf_tree_facts *ret)
{
	struct hf_tree_facts facts = {.node_type = 0};
	char value[VALUE_SIZE];

	read_value(dir, "node_type", value);
	if (value[0] >= '1' && value[0] <= '9' && value[1] == ':')
		facts.node_type = value[0] - '0';
	read_ports(dir, &facts);
	read_drivers(dir, &facts);
	facts.has_parent = !faccessat(dir, "parent", F_OK, 0);
	*ret = facts;
}
