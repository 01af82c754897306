/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Converts flow specifications to the kernel's form. */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/flow_specs.h"

/*
 * The plain IPv4 specification lacks the members that the extended one adds; the kernel takes both
 * as one type (Linux, ib_uverbs_kern_spec_to_ib_spec_filter()).
 */
struct plain_ipv4 {
	struct ib_uverbs_flow_spec_hdr hdr;
	struct {
		__be32 src_ip;
		__be32 dst_ip;
	} val, mask;
};

#define COPY(to, from, member) ((to)->member = (from)->member)

static void take_eth(struct ib_uverbs_flow_eth_filter *to, const struct ibv_flow_eth_filter *from)
{
	memcpy(to->dst_mac, from->dst_mac, sizeof(to->dst_mac));
	memcpy(to->src_mac, from->src_mac, sizeof(to->src_mac));
	COPY(to, from, ether_type);
	COPY(to, from, vlan_tag);
}

static void take_ipv4(struct ib_uverbs_flow_ipv4_filter *to,
		      const struct ibv_flow_ipv4_ext_filter *from)
{
	COPY(to, from, src_ip);
	COPY(to, from, dst_ip);
	COPY(to, from, proto);
	COPY(to, from, tos);
	COPY(to, from, ttl);
	COPY(to, from, flags);
}

static void take_ipv6(struct ib_uverbs_flow_ipv6_filter *to,
		      const struct ibv_flow_ipv6_filter *from)
{
	memcpy(to->src_ip, from->src_ip, sizeof(to->src_ip));
	memcpy(to->dst_ip, from->dst_ip, sizeof(to->dst_ip));
	COPY(to, from, flow_label);
	COPY(to, from, next_hdr);
	COPY(to, from, traffic_class);
	COPY(to, from, hop_limit);
}

static void take_plain_ipv4(union hf_flow_spec *to, const struct ibv_flow_spec_ipv4 *from)
{
	struct plain_ipv4 plain = {
		.val = {from->val.src_ip, from->val.dst_ip},
		.mask = {from->mask.src_ip, from->mask.dst_ip},
	};

	memcpy(to, &plain, sizeof(plain));
}

static void take_gre(union hf_flow_spec *to, const struct ibv_flow_spec_gre *from)
{
	COPY(&to->gre.val, &from->val, c_ks_res0_ver);
	COPY(&to->gre.val, &from->val, protocol);
	COPY(&to->gre.val, &from->val, key);
	COPY(&to->gre.mask, &from->mask, c_ks_res0_ver);
	COPY(&to->gre.mask, &from->mask, protocol);
	COPY(&to->gre.mask, &from->mask, key);
}

static void take_esp(union hf_flow_spec *to, const struct ibv_flow_spec_esp *from)
{
	COPY(&to->esp.val, &from->val, spi);
	COPY(&to->esp.val, &from->val, seq);
	COPY(&to->esp.mask, &from->mask, spi);
	COPY(&to->esp.mask, &from->mask, seq);
}

static void take_ports(union hf_flow_spec *to, const struct ibv_flow_spec_tcp_udp *from)
{
	COPY(&to->tcp_udp.val, &from->val, dst_port);
	COPY(&to->tcp_udp.val, &from->val, src_port);
	COPY(&to->tcp_udp.mask, &from->mask, dst_port);
	COPY(&to->tcp_udp.mask, &from->mask, src_port);
}

static uint32_t action_handle(const struct ibv_flow_action *action)
{
	return ((const struct verbs_flow_action *)(const void *)action)->handle;
}

static uint32_t counters_handle(const struct ibv_counters *counters)
{
	return ((const struct verbs_counters *)(const void *)counters)->handle;
}

/* By type without INNER: the program's size and the kernel's. */
static const struct {
	uint32_t type;
	uint16_t from;
	uint16_t to;
} sizes[] = {
	{IBV_FLOW_SPEC_ETH, sizeof(struct ibv_flow_spec_eth),
	 sizeof(struct ib_uverbs_flow_spec_eth)},
	{IBV_FLOW_SPEC_IPV4, sizeof(struct ibv_flow_spec_ipv4), sizeof(struct plain_ipv4)},
	{IBV_FLOW_SPEC_IPV6, sizeof(struct ibv_flow_spec_ipv6),
	 sizeof(struct ib_uverbs_flow_spec_ipv6)},
	{IBV_FLOW_SPEC_IPV4_EXT, sizeof(struct ibv_flow_spec_ipv4_ext),
	 sizeof(struct ib_uverbs_flow_spec_ipv4)},
	{IBV_FLOW_SPEC_ESP, sizeof(struct ibv_flow_spec_esp),
	 sizeof(struct ib_uverbs_flow_spec_esp)},
	{IBV_FLOW_SPEC_TCP, sizeof(struct ibv_flow_spec_tcp_udp),
	 sizeof(struct ib_uverbs_flow_spec_tcp_udp)},
	{IBV_FLOW_SPEC_UDP, sizeof(struct ibv_flow_spec_tcp_udp),
	 sizeof(struct ib_uverbs_flow_spec_tcp_udp)},
	{IBV_FLOW_SPEC_VXLAN_TUNNEL, sizeof(struct ibv_flow_spec_tunnel),
	 sizeof(struct ib_uverbs_flow_spec_tunnel)},
	{IBV_FLOW_SPEC_GRE, sizeof(struct ibv_flow_spec_gre),
	 sizeof(struct ib_uverbs_flow_spec_gre)},
	{IBV_FLOW_SPEC_MPLS, sizeof(struct ibv_flow_spec_mpls),
	 sizeof(struct ib_uverbs_flow_spec_mpls)},
	{IBV_FLOW_SPEC_ACTION_TAG, sizeof(struct ibv_flow_spec_action_tag),
	 sizeof(struct ib_uverbs_flow_spec_action_tag)},
	{IBV_FLOW_SPEC_ACTION_DROP, sizeof(struct ibv_flow_spec_action_drop),
	 sizeof(struct ib_uverbs_flow_spec_action_drop)},
	{IBV_FLOW_SPEC_ACTION_HANDLE, sizeof(struct ibv_flow_spec_action_handle),
	 sizeof(struct ib_uverbs_flow_spec_action_handle)},
	{IBV_FLOW_SPEC_ACTION_COUNT, sizeof(struct ibv_flow_spec_counter_action),
	 sizeof(struct ib_uverbs_flow_spec_action_count)},
};

static int kernel_spec_size(const struct ibv_flow_spec *from, uint32_t type)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(sizes); i++)
		if (sizes[i].type == type)
			return from->hdr.size == sizes[i].from ? sizes[i].to : -EINVAL;
	return -EINVAL;
}

static void take_body(union hf_flow_spec *to, const struct ibv_flow_spec *from, uint32_t type)
{
	switch (type) {
	case IBV_FLOW_SPEC_ETH:
		take_eth(&to->eth.val, &from->eth.val);
		take_eth(&to->eth.mask, &from->eth.mask);
		break;
	case IBV_FLOW_SPEC_IPV4:
		take_plain_ipv4(to, &from->ipv4);
		break;
	case IBV_FLOW_SPEC_IPV4_EXT:
		take_ipv4(&to->ipv4.val, &from->ipv4_ext.val);
		take_ipv4(&to->ipv4.mask, &from->ipv4_ext.mask);
		break;
	case IBV_FLOW_SPEC_IPV6:
		take_ipv6(&to->ipv6.val, &from->ipv6.val);
		take_ipv6(&to->ipv6.mask, &from->ipv6.mask);
		break;
	case IBV_FLOW_SPEC_ESP:
		take_esp(to, &from->esp);
		break;
	case IBV_FLOW_SPEC_TCP:
	case IBV_FLOW_SPEC_UDP:
		take_ports(to, &from->tcp_udp);
		break;
	case IBV_FLOW_SPEC_VXLAN_TUNNEL:
		to->tunnel.val.tunnel_id = from->tunnel.val.tunnel_id;
		to->tunnel.mask.tunnel_id = from->tunnel.mask.tunnel_id;
		break;
	case IBV_FLOW_SPEC_GRE:
		take_gre(to, &from->gre);
		break;
	case IBV_FLOW_SPEC_MPLS:
		to->mpls.val.label = from->mpls.val.label;
		to->mpls.mask.label = from->mpls.mask.label;
		break;
	case IBV_FLOW_SPEC_ACTION_TAG:
		to->tag.tag_id = from->flow_tag.tag_id;
		break;
	case IBV_FLOW_SPEC_ACTION_HANDLE:
		to->handle.handle = action_handle(from->handle.action);
		break;
	case IBV_FLOW_SPEC_ACTION_COUNT:
		to->count.handle = counters_handle(from->flow_count.counters);
		break;
	default: /* a drop has no body */
		break;
	}
}

int hfi_flow_spec(const struct ibv_flow_spec *from, union hf_flow_spec *to)
{
	const uint32_t inner = (uint32_t)from->hdr.type & IBV_FLOW_SPEC_INNER;
	const uint32_t type = (uint32_t)from->hdr.type & ~(uint32_t)IBV_FLOW_SPEC_INNER;
	int size = kernel_spec_size(from, type);

	if (size < 0)
		return EINVAL;
	memset(to, 0, sizeof(*to));
	take_body(to, from, type);
	to->hdr.type = inner | (type == IBV_FLOW_SPEC_IPV4_EXT ? IBV_FLOW_SPEC_IPV4 : type);
	to->hdr.size = (uint16_t)size;
	return 0;
}
