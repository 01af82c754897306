/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <fcntl.h>
#include <stdlib.h>

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
