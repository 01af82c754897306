/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What a user namespace changes. */
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>

#include "shared/file.h"
#include "shared/userns.h"

bool hfi_uevents_are_heard(void)
{
	char map[256];
	unsigned long inside, outside, count;
	char *end;

	if (hfi_read_file(AT_FDCWD, "/proc/self/uid_map", map, sizeof(map), NULL) < 0)
		return false;
	inside = strtoul(map, &end, 10);
	outside = strtoul(end, &end, 10);
	count = strtoul(end, &end, 10);
	return inside == 0 && outside == 0 && count == 4294967295ul && *end == '\0';
}

bool hfi_uid_is_unmapped_in(uid_t uid, const char *overflow, const char *map)
{
	char *end;

	if (strtoul(overflow, &end, 10) != uid || end == overflow)
		return false;
	while (*map) {
		unsigned long inside, count;

		inside = strtoul(map, &end, 10);
		(void)strtoul(end, &end, 10);
		count = strtoul(end, &end, 10);
		if (end == map || (*end && *end != '\n'))
			return false;
		if (uid >= inside && uid - inside < count)
			return false;
		map = end + strspn(end, "\n");
	}
	return true;
}

bool hfi_uid_is_unmapped(uid_t uid)
{
	/* A line for each of up to 340 ranges. */
	enum { MAP_MAX = 16384 };
	char overflow[16];
	char *map = malloc(MAP_MAX);
	bool unmapped = map &&
			hfi_read_file(AT_FDCWD, "/proc/sys/kernel/overflowuid", overflow,
				      sizeof(overflow), NULL) >= 0 &&
			hfi_read_file(AT_FDCWD, "/proc/self/uid_map", map, MAP_MAX, NULL) >= 0 &&
			hfi_uid_is_unmapped_in(uid, overflow, map);

	free(map);
	return unmapped;
}
