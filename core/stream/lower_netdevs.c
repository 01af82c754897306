/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds the network interfaces below a VLAN, bond, bridge or macvlan. */
#include <dirent.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>

#include "shared/file.h"
#include "shared/text.h"
#include "core/stream/lower_netdevs.h"

struct set {
	uint32_t *v;
	unsigned int count;
};

static void add_netdev(struct set *set, uint32_t ifindex)
{
	if (ifindex == 0 || set->count == HF_LOWER_MAX)
		return;
	for (unsigned int i = 0; i < set->count; i++)
		if (set->v[i] == ifindex)
			return;
	set->v[set->count++] = ifindex;
}

static void add_lower_of(struct set *set, const char *sysfs, uint32_t ifindex)
{
	static const char prefix[] = "lower_";
	char name[IF_NAMESIZE];
	char path[512];
	char value[32];
	uint64_t lower;
	DIR *dir;

	if (!if_indextoname(ifindex, name))
		return;
	if (hfi_print(path, sizeof(path), "%s/class/net/%s", sysfs, name) < 0)
		return;
	dir = opendir(path);
	if (!dir)
		return;
	for (struct dirent *entry = readdir(dir); entry; entry = readdir(dir)) {
		if (strncmp(entry->d_name, prefix, sizeof(prefix) - 1) != 0)
			continue;
		if (hfi_print(path, sizeof(path), "%s/ifindex", entry->d_name) == 0 &&
		    hfi_read_file(dirfd(dir), path, value, sizeof(value), NULL) > 0 &&
		    hfi_parse_number(value, 10, UINT32_MAX, &lower) == 0)
			add_netdev(set, (uint32_t)lower);
	}
	closedir(dir);
}

unsigned int hfi_lower_interfaces(const char *sysfs, uint32_t ifindex, uint32_t lower,
				  uint32_t ret[HF_LOWER_MAX])
{
	struct set set = {.v = ret};
	unsigned int done = 0;

	add_netdev(&set, ifindex);
	add_netdev(&set, lower);
	for (int level = 0; level < HF_LOWER_LEVELS && done < set.count; level++)
		for (unsigned int end = set.count; done < end; done++)
			add_lower_of(&set, sysfs, set.v[done]);
	return set.count;
}
