/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answers ibv_query_port() from the files of a device that has no kernel. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "shared/attr.h"
#include "core/device/attributes.h"
#include "core/discovery/attrs.h"
#include "core/discovery/port_tables.h"
#include "core/verbs/port_files.h"

/*
 * The headers of IPv6 and UDP, the largest RoCE headers and the checksum: what rxe subtracts from
 * the interface's MTU.
 */
enum { ROCE_HEADERS = 80 };

struct port_query {
	uint32_t port;
	uint32_t gids, pkeys;
	struct hf_port_info info;
};

static int read_port_for_query(int dir, const struct hf_entry *entry, void *arg)
{
	struct port_query *query = arg;
	int err = hfi_read_port(dir, NULL, entry, query->port, &query->info, NULL);

	return err ? err : hfi_read_table_sizes(dir, query->port, &query->gids, &query->pkeys);
}

/* The largest MTU of those defined that fits. */
static enum ibv_mtu mtu_of_netdev(uint32_t mtu)
{
	enum ibv_mtu ret = IBV_MTU_4096;
	uint32_t room = mtu > ROCE_HEADERS ? mtu - ROCE_HEADERS : 0;

	while (ret > IBV_MTU_256 && 128u << ret > room)
		ret--;
	return ret;
}

/* Sets width and speed of a link by what its rate says, such as "10 Gb/sec (4X)" or "100 Gb/sec (4X EDR)". */
static void fill_rate(const char *rate, struct ibv_port_attr *attr)
{
	/* In units of 2.5 Gb/s for each lane, and as the codes of struct ibv_port_attr. */
	static const struct {
		unsigned int units;
		uint8_t code;
	} speeds[] = {{1, 1}, {2, 2}, {4, 4}, {5, 16}, {10, 32}, {20, 64}, {40, 128}};
	static const struct {
		unsigned int lanes;
		uint8_t code;
	} widths[] = {{1, 1}, {2, 16}, {4, 2}, {8, 4}, {12, 8}};
	unsigned int lanes = 0;
	unsigned long halves;
	char *end;

	/* Not by strtod(): the locale's decimal point may be another character. */
	halves = strtoul(rate, &end, 10);
	if (halves > UINT16_MAX)
		return;
	halves = halves * 2 + !strncmp(end, ".5", 2);
	if (sscanf(end + strspn(end, ".0123456789"), " Gb/sec (%uX", &lanes) != 1)
		return;
	for (size_t i = 0; i < HF_ARRAY_SIZE(widths); i++)
		if (widths[i].lanes == lanes)
			attr->active_width = widths[i].code;
	for (size_t i = 0; attr->active_width && i < HF_ARRAY_SIZE(speeds); i++)
		if (halves >= 5UL * speeds[i].units * lanes)
			attr->active_speed = speeds[i].code;
}

int hfi_query_port_files(struct verbs_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	struct port_query query = {.port = port, .info.size = sizeof(query.info)};
	int err = hfi_with_dir(context->priv->device, read_port_for_query, &query);

	if (err < 0)
		return err == -ENOENT ? -EINVAL : err;
	*attr = (struct ibv_port_attr){
		.state = (enum ibv_port_state)query.info.state,
		.max_mtu = IBV_MTU_4096,
		.active_mtu = query.info.netdev_mtu ? mtu_of_netdev(query.info.netdev_mtu)
						    : IBV_MTU_4096,
		.gid_tbl_len = (int)query.gids,
		.pkey_tbl_len = (uint16_t)query.pkeys,
		.max_msg_sz = UINT32_C(1) << 31,
		.phys_state = (uint8_t)query.info.phys_state,
		.link_layer = (uint8_t)query.info.link_layer,
	};
	fill_rate(query.info.rate, attr);
	return 0;
}
