/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* ibv_resolve_eth_l2_from_gid(): the Ethernet address that leads to an address handle's GID. */
#include <assert.h>
#include <errno.h>
#include <string.h>

#include "shared/attr.h"
#include "core/neighbour/neighbour.h"
#include "core/verbs/context.h"

static_assert(HF_MAC_SIZE == ETHERNET_LL_SIZE, "a MAC address of another size");

/*
 * No manual page states its return values: 0, or a positive errno value that is in errno as well.
 */
HF_EXPORT int ibv_resolve_eth_l2_from_gid(struct ibv_context *context, struct ibv_ah_attr *attr,
					  uint8_t eth_mac[ETHERNET_LL_SIZE], uint16_t *vid)
{
	uint8_t mac[HF_MAC_SIZE];
	struct ibv_gid_entry own;
	uint16_t vlan = HF_NO_VLAN;
	int err = EINVAL;

	if (attr->is_global)
		err = _ibv_query_gid_ex(context, attr->port_num, attr->grh.sgid_index, &own, 0,
					sizeof(own));
	if (!err)
		err = -hfi_resolve_gid(&own, &attr->grh.dgid, mac, &vlan);
	if (err) {
		errno = err;
		return err;
	}
	memcpy(eth_mac, mac, sizeof(mac));
	if (vid)
		*vid = vlan;
	return 0;
}
