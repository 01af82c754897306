/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answers ibv_query_port() from the files of a device that has no kernel. */
#include <errno.h>
#include <string.h>

#include "core/device/attributes.h"
#include "core/discovery/attrs.h"
#include "core/discovery/port_tables.h"
#include "core/verbs/port_files.h"

/* IPv6 and UDP, and the largest headers and the checksum of a RoCE packet: what rxe leaves for them. */
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

/* The largest packet that fits, of those that there are. */
static enum ibv_mtu mtu_of_netdev(uint32_t mtu)
{
	enum ibv_mtu ret = IBV_MTU_4096;
	uint32_t room = mtu > ROCE_HEADERS ? mtu - ROCE_HEADERS : 0;

	while (ret > IBV_MTU_256 && 128u << ret > room)
		ret--;
	return ret;
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
	return 0;
}
