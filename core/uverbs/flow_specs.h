/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Converts what a flow matches and does from the program's form to the kernel's. */
#ifndef HF_UVERBS_FLOW_SPECS_H
#define HF_UVERBS_FLOW_SPECS_H

#include <infiniband/verbs.h>
#include <rdma/ib_user_verbs.h>

/* Any of the kernel's specifications. */
union hf_flow_spec {
	struct ib_uverbs_flow_spec_hdr hdr;
	struct ib_uverbs_flow_spec_eth eth;
	struct ib_uverbs_flow_spec_ipv4 ipv4;
	struct ib_uverbs_flow_spec_ipv6 ipv6;
	struct ib_uverbs_flow_spec_esp esp;
	struct ib_uverbs_flow_spec_tcp_udp tcp_udp;
	struct ib_uverbs_flow_spec_tunnel tunnel;
	struct ib_uverbs_flow_spec_gre gre;
	struct ib_uverbs_flow_spec_mpls mpls;
	struct ib_uverbs_flow_spec_action_tag tag;
	struct ib_uverbs_flow_spec_action_drop drop;
	struct ib_uverbs_flow_spec_action_handle handle;
	struct ib_uverbs_flow_spec_action_count count;
};

/*
 * 0, and *to with as many bytes in use as its header says. EINVAL for a type that is unknown or a
 * size that is not the type's own; then *to is unchanged.
 */
int hfi_flow_spec(const struct ibv_flow_spec *from, union hf_flow_spec *to);

#endif
