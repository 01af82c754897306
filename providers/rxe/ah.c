/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Address handles. Since Linux 5.18 the kernel numbers them, and a request contains the number.
 * Before, every request contains the whole address.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>

#include "providers/rxe/rxe.h"

/* RoCE v2 encodes IPv4 addresses as GIDs of the form ::ffff:a.b.c.d (IBTA Annex A17). */
static uint8_t to_address(const union ibv_gid *gid, struct sockaddr_in *v4, struct sockaddr_in6 *v6)
{
	struct in6_addr address;

	memcpy(&address, gid->raw, sizeof(address));
	if (IN6_IS_ADDR_V4MAPPED(&address)) {
		v4->sin_family = AF_INET;
		memcpy(&v4->sin_addr, &gid->raw[12], sizeof(v4->sin_addr));
		return RXE_NETWORK_TYPE_IPV4;
	}
	v6->sin6_family = AF_INET6;
	v6->sin6_addr = address;
	return RXE_NETWORK_TYPE_IPV6;
}

static int fill_address(struct rxe_av *av, struct ibv_context *context, struct ibv_ah_attr *attr)
{
	union ibv_gid local;
	uint16_t vlan;
	int err;

	if (ibv_query_gid(context, attr->port_num, attr->grh.sgid_index, &local))
		return errno;
	err = ibv_resolve_eth_l2_from_gid(context, attr, av->dmac, &vlan);
	if (err)
		return err > 0 ? err : errno;
	av->port_num = attr->port_num;
	memcpy(&av->grh.dgid, &attr->grh.dgid, sizeof(av->grh.dgid));
	av->grh.flow_label = attr->grh.flow_label;
	av->grh.sgid_index = attr->grh.sgid_index;
	av->grh.hop_limit = attr->grh.hop_limit;
	av->grh.traffic_class = attr->grh.traffic_class;
	av->network_type =
		to_address(&local, &av->sgid_addr._sockaddr_in, &av->sgid_addr._sockaddr_in6);
	to_address(&attr->grh.dgid, &av->dgid_addr._sockaddr_in, &av->dgid_addr._sockaddr_in6);
	return 0;
}

struct ibv_ah *rxe_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	struct rxe_create_ah_resp response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct rxe_ah *ah = calloc(1, sizeof(*ah));
	int err;

	if (!ah)
		return NULL;
	err = hf_provider_create_ah(pd, &ah->ah, attr, &data);
	if (err)
		goto free_ah;
	ah->number = response.ah_num;
	if (!ah->number)
		err = fill_address(&ah->av, pd->context, attr);
	if (err)
		goto destroy_ah;
	return &ah->ah;

destroy_ah:
	hf_provider_destroy_ah(&ah->ah);
free_ah:
	free(ah);
	errno = err;
	return NULL;
}

int rxe_destroy_ah(struct ibv_ah *ah)
{
	int err = hf_provider_destroy_ah(ah);

	if (!err)
		free(container_of(ah, struct rxe_ah, ah));
	return err;
}

void rxe_set_address(struct rxe_send_wqe *wqe, const struct ibv_ah *ibv, uint32_t qpn,
		     uint32_t qkey)
{
	const struct rxe_ah *ah =
		(const struct rxe_ah *)(const void *)((const char *)ibv -
						      offsetof(struct rxe_ah, ah));

	wqe->wr.wr.ud.remote_qpn = qpn;
	wqe->wr.wr.ud.remote_qkey = qkey;
	wqe->wr.wr.ud.ah_num = ah->number;
	if (!ah->number)
		wqe->wr.wr.ud.av = ah->av;
}
