/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses and devices of paths, and requests that moved between processors. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/lib/ends.h"
#include "shared/text.h"

void rtrsi_path_ends(struct path_ends *ends, enum rtrs_link_type link,
		     const struct rtrs_connection *connection,
		     const struct sockaddr_storage *source,
		     const struct sockaddr_storage *destination, unsigned int number)
{
	struct sockaddr_storage own = {.ss_family = destination->ss_family}, peer;

	ends->port = 0;
	(void)hfi_copy(ends->device, sizeof(ends->device),
		       rtrsi_link_has_devices(link) ? "" : "stream");
	if (source)
		own = *source;
	if (connection) {
		connection->link->ops->addresses(connection, &own, &peer);
		if (connection->link->ops->device)
			connection->link->ops->device(connection, ends->device,
						      sizeof(ends->device), &ends->port);
	}
	rtrsi_address_show(link, &own, true, number, ends->source);
	rtrsi_address_show(link, destination, false, number, ends->destination);
}

static void make_moved(struct moved_counts *moved)
{
	long processors = sysconf(_SC_NPROCESSORS_CONF);

	if (processors < 1)
		return;
	moved->from = calloc(2 * (size_t)processors, sizeof(*moved->from));
	if (!moved->from)
		return;
	moved->to = moved->from + processors;
	moved->processors = (int)processors;
}

void rtrsi_moved_count(struct moved_counts *moved, int from, int to)
{
	if (!moved->from)
		make_moved(moved);
	if (from < 0 || to < 0 || from >= moved->processors || to >= moved->processors)
		return;
	moved->from[from]++;
	moved->to[to]++;
}

void rtrsi_moved_reset(struct moved_counts *moved)
{
	if (moved->from)
		memset(moved->from, 0, 2 * (size_t)moved->processors * sizeof(*moved->from));
}

void rtrsi_moved_free(struct moved_counts *moved)
{
	free(moved->from);
}
