/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-open [ROUNDS]: lists, opens, queries and closes every device through the hf_* and the ibv_* API, and
 * prints what it found and the times.
 */
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "t/vm/vm.h"

static void print_device(struct ibv_device *device)
{
	struct hf_port_info port = {.size = sizeof(port)};
	struct hf_device_info info;
	struct hf_gid *gids = NULL;
	int ret, num_gids;

	vm_info(device, &info);
	ret = hf_device_get_port(device, 1, &port);
	if (ret)
		vm_error("%s: hf_device_get_port: %s", info.name, strerror(-ret));
	num_gids = hf_device_get_gids(device, 1, sizeof(*gids), &gids);
	if (num_gids < 0)
		vm_error("%s: hf_device_get_gids: %s", info.name, strerror(-num_gids));
	printf("device %s %s generation %" PRIu64 " index %d provider %s protocol %d "
	       "guid %016" PRIx64 " netdev %s state %u gids %d\n",
	       info.name, info.uverbs, info.generation, info.index, info.provider,
	       (int)info.protocol, info.node_guid, port.netdev, port.state, num_gids);
	free(gids);
}

/* As a program of rdma-core 49 or later asks. Both members have the speed, unless it is beyond the older one. */
static void check_newer_speed(struct ibv_context *context, const char *name)
{
	struct verbs_context *verbs = verbs_get_ctx_op(context, query_port);
	union {
		struct ibv_port_attr attr;
		unsigned char bytes[64];
	} port;
	uint32_t speed = 0;

	memset(&port, 0x5a, sizeof(port));
	if (!verbs || verbs->query_port(context, 1, &port.attr, 56)) {
		vm_error("%s: query_port for a longer struct", name);
		return;
	}
	memcpy(&speed, port.bytes + 52, sizeof(speed));
	if (speed != port.attr.active_speed || port.bytes[56] != 0x5a)
		vm_error("%s: active_speed_ex %u, active_speed %u", name, speed,
			 port.attr.active_speed);
}

/* Compares the queries of an ibv_* program with the kernel's sysfs. */
static void print_queried_device(struct ibv_device *device)
{
	const char *name = ibv_get_device_name(device);
	struct ibv_context *context = ibv_open_device(device);
	struct ibv_device_attr attr;
	struct ibv_port_attr port;
	struct hf_gid *gids = NULL;
	union ibv_gid gid;
	__be16 pkey;
	int i, num_gids, ret;

	if (!context) {
		vm_error("%s: ibv_open_device: %s", name, strerror(errno));
		return;
	}
	ret = ibv_query_device(context, &attr);
	if (ret)
		vm_error("%s: ibv_query_device: %s", name, strerror(ret));
	else if (attr.node_guid != ibv_get_device_guid(device))
		vm_error("%s: GUID of the list and of the open device differ", name);
	else if (attr.phys_port_cnt != 1 || !attr.max_qp || !attr.max_cq)
		vm_error("%s: strange device attributes", name);
	ret = ibv_query_port(context, 1, &port);
	if (ret)
		vm_error("%s: ibv_query_port: %s", name, strerror(ret));
	else if (port.link_layer != IBV_LINK_LAYER_ETHERNET)
		vm_error("%s: link layer %d", name, port.link_layer);
	check_newer_speed(context, name);
	num_gids = hf_device_get_gids(device, 1, sizeof(*gids), &gids);
	for (i = 0; i < num_gids; i++) {
		if (ibv_query_gid(context, 1, (int)gids[i].index, &gid))
			vm_error("%s: ibv_query_gid %u: %s", name, gids[i].index, strerror(errno));
		else if (memcmp(&gid, &gids[i].gid, sizeof(gid)) != 0)
			vm_error("%s: GID %u differs", name, gids[i].index);
	}
	free(gids);
	/* iWARP has no table of P_Keys. */
	if (device->transport_type == IBV_TRANSPORT_IB && ibv_query_pkey(context, 1, 0, &pkey))
		vm_error("%s: ibv_query_pkey: %s", name, strerror(errno));
	if (ibv_close_device(context))
		vm_error("%s: ibv_close_device", name);
}

static void standard_shim(void)
{
	struct ibv_device **list;
	int i, num;

	list = ibv_get_device_list(&num);
	if (!list)
		vm_die("ibv_get_device_list: %s", strerror(errno));
	for (i = 0; i < num; i++)
		print_queried_device(list[i]);
	ibv_free_device_list(list);
	printf("%d devices queried through ibv_*\n", num);
}

int main(int argc, char **argv)
{
	unsigned int round, rounds = argc > 1 ? (unsigned int)atoi(argv[1]) : 1;
	unsigned int fds = vm_open_fds(), opens = 0;
	uint64_t start, first = 0, further = 0, open = 0, close = 0, most = 0;
	struct vm_open_times times = {0};
	struct ibv_device **list;
	struct hf_device_info info;
	struct hf *hf = vm_context(0);
	int i, num = 0, ret;

	for (round = 0; round < rounds; round++) {
		start = vm_now_us();
		num = hf_device_list(hf, 0, &list);
		if (num < 0)
			vm_die("hf_device_list: %s", strerror(-num));
		*(round ? &further : &first) += vm_now_us() - start;
		for (i = 0; i < num; i++) {
			if (!round)
				print_device(list[i]);
			vm_info(list[i], &info);
			ret = vm_try_open(list[i], info.node_guid, &times);
			if (ret) {
				vm_error("%s: open: %s", info.name, ret < 0 ? strerror(-ret) : "");
				continue;
			}
			opens++;
			open += times.open;
			close += times.close;
			if (times.open > most)
				most = times.open;
		}
		hf_device_list_free(list);
	}
	hf_unref(hf);
	if (vm_open_fds() != fds)
		vm_error("%u descriptors at the end, %u at the start", vm_open_fds(), fds);
	standard_shim();
	printf("figure: %d devices, first list %" PRIu64 " us, further ones %" PRIu64
	       " us, open %" PRIu64 " us (at most %" PRIu64 "), close %" PRIu64 " us\n",
	       num, first, rounds > 1 ? further / (rounds - 1) : 0, opens ? open / opens : 0, most,
	       opens ? close / opens : 0);
	return vm_errors() != 0;
}
