/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Finds out whether the UDP port that a port of a tree needs is somebody else's. */
#include <string.h>
#include <sys/stat.h>

#include "shared/error.h"
#include "shared/text.h"
#include "shared/udp_port.h"
#include "core/discovery/port_udp.h"
#include "core/discovery/sysfs.h"

int hfi_port_udp_is_taken(int port_dir, const struct hf_entry *entry, const struct hf_gid *gids,
			  uint32_t count)
{
	struct hf_udp_holder holder;
	struct in6_addr address;
	struct stat st;
	char text[16];
	uint64_t port;
	ssize_t length;
	int taken;

	if (!entry->life.of_tree || !count || gids[0].index != 0)
		return 0;
	length = hfi_attr_read(port_dir, "udp_port", text, sizeof(text), NULL);
	if (length < 0)
		return hfi_error_is_shortage((int)length) ? (int)length : 0;
	if (hfi_parse_number(text, 10, UINT16_MAX, &port) || fstat(port_dir, &st) < 0)
		return 0;
	memcpy(&address, gids[0].gid.raw, sizeof(address));
	/* The device is its owner's, who shares the port with himself. */
	taken = hfi_udp_port_taken(&address, (uint16_t)port, st.st_uid, &holder);
	/* Where the table cannot be read, the provider finds out when it needs the port. */
	return taken < 0 && !hfi_error_is_shortage(taken) ? 0 : taken;
}
