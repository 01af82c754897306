/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Address handles, including those that answer a received message. */
#include <endian.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/ip.h>
#include <string.h>

#include "shared/attr.h"
#include "core/verbs/context.h"
#include "core/verbs/operations.h"

HF_EXPORT struct ibv_ah *ibv_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	struct ibv_ah *ah;

	ah = hfi_private_of(pd->context)->ops.create_ah(pd, attr);
	if (ah) {
		ah->context = pd->context;
		ah->pd = pd;
	}
	return ah;
}

HF_EXPORT int ibv_destroy_ah(struct ibv_ah *ah)
{
	return hfi_private_of(ah->context)->ops.destroy_ah(ah);
}

/* IBA next header of a GRH: a transport header follows (IBA 8.3). */
enum { NEXT_HEADER_IBA = 0x1b };

/*
 * The 40 bytes of a received GRH on RoCE v2: an IPv6 header, or 20 unused bytes and an IPv4 header
 * (IBA annex A17).
 */
static_assert(sizeof(struct ibv_grh) == 40, "an IPv6 header");

static bool checksum_is_right(const struct ip *ip)
{
	uint16_t words[sizeof(*ip) / 2];
	uint32_t sum = 0;

	memcpy(words, ip, sizeof(words));
	for (size_t i = 0; i < HF_ARRAY_SIZE(words); i++)
		sum += words[i];
	while (sum >> 16)
		sum = (sum & 0xffff) + (sum >> 16);
	return sum == 0xffff;
}

/* 6 (which is a GRH proper as well), 4, or 0. */
static int header_version(const struct ibv_grh *grh, struct ip *ipv4)
{
	memcpy(ipv4, (const char *)grh + sizeof(*grh) - sizeof(*ipv4), sizeof(*ipv4));
	if (be32toh(grh->version_tclass_flow) >> 28 != 6)
		return ipv4->ip_v == 4 ? 4 : 0;
	/* The bytes before an IPv4 header can be anything; a valid checksum proves the header. */
	if (ipv4->ip_v == 4 && ipv4->ip_hl == 5 && checksum_is_right(ipv4))
		return 4;
	return 6;
}

static void map_ipv4(const struct in_addr *address, union ibv_gid *gid)
{
	memset(gid, 0, sizeof(*gid));
	gid->raw[10] = 0xff;
	gid->raw[11] = 0xff;
	memcpy(&gid->raw[12], address, sizeof(*address));
}

/* Index of the entry of the port's table, or -errno. */
static int find_gid_index(struct ibv_context *context, uint8_t port, const union ibv_gid *gid,
			  bool roce_v2)
{
	union hf_port_attr full;
	int err;

	err = hfi_query_port(context, port, &full);
	if (err)
		return -err;
	for (int i = 0; i < full.attr.gid_tbl_len && i <= UINT8_MAX; i++) {
		struct ibv_gid_entry entry;

		err = _ibv_query_gid_ex(context, port, (uint32_t)i, &entry, 0, sizeof(entry));
		if (err == ENODATA)
			continue;
		if (err)
			return -err;
		if ((entry.gid_type == IBV_GID_TYPE_ROCE_V2) == roce_v2 &&
		    !memcmp(&entry.gid, gid, sizeof(*gid)))
			return i;
	}
	return -ENOENT;
}

static int from_ipv4(struct ibv_context *context, uint8_t port, const struct ip *ip,
		     struct ibv_global_route *route)
{
	union ibv_gid own;
	int index;

	map_ipv4(&ip->ip_dst, &own);
	index = find_gid_index(context, port, &own, true);
	if (index < 0)
		return index;
	map_ipv4(&ip->ip_src, &route->dgid);
	route->sgid_index = (uint8_t)index;
	route->hop_limit = ip->ip_ttl;
	route->traffic_class = ip->ip_tos;
	return 0;
}

static int from_grh(struct ibv_context *context, uint8_t port, const struct ibv_grh *grh,
		    struct ibv_global_route *route)
{
	uint32_t words = be32toh(grh->version_tclass_flow);
	int index;

	if (grh->next_hdr != IPPROTO_UDP && grh->next_hdr != NEXT_HEADER_IBA)
		return -EPROTONOSUPPORT;
	index = find_gid_index(context, port, &grh->dgid, grh->next_hdr == IPPROTO_UDP);
	if (index < 0)
		return index;
	route->dgid = grh->sgid;
	route->flow_label = words & 0xfffff;
	route->sgid_index = (uint8_t)index;
	route->hop_limit = grh->hop_limit;
	route->traffic_class = (uint8_t)(words >> 20);
	return 0;
}

HF_EXPORT int ibv_init_ah_from_wc(struct ibv_context *context, uint8_t port_num, struct ibv_wc *wc,
				  struct ibv_grh *grh, struct ibv_ah_attr *ah_attr)
{
	struct ibv_ah_attr attr = {
		.dlid = wc->slid,
		.sl = wc->sl,
		.src_path_bits = wc->dlid_path_bits,
		.port_num = port_num,
	};
	int err = 0;

	if (wc->wc_flags & IBV_WC_GRH) {
		struct ip ipv4;
		int version = header_version(grh, &ipv4);

		attr.is_global = 1;
		if (version == 4)
			err = from_ipv4(context, port_num, &ipv4, &attr.grh);
		else if (version == 6)
			err = from_grh(context, port_num, grh, &attr.grh);
		else
			err = -EPROTONOSUPPORT;
	}
	if (err) {
		errno = -err;
		return -1;
	}
	*ah_attr = attr;
	return 0;
}

HF_EXPORT struct ibv_ah *ibv_create_ah_from_wc(struct ibv_pd *pd, struct ibv_wc *wc,
					       struct ibv_grh *grh, uint8_t port_num)
{
	struct ibv_ah_attr attr;

	if (ibv_init_ah_from_wc(pd->context, port_num, wc, grh, &attr))
		return NULL;
	/* cppcheck-suppress returnDanglingLifetime ; the provider does not keep it */
	return ibv_create_ah(pd, &attr);
}
