/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Forwards the calls for address handles. */
#include "compat/libibverbs/forward.h"

HF_FORWARD(1.1, struct ibv_ah *, ibv_create_ah, (struct ibv_pd * pd, struct ibv_ah_attr *attr),
	   (pd, attr))
HF_FORWARD(1.1, struct ibv_ah *, ibv_create_ah_from_wc,
	   (struct ibv_pd * pd, struct ibv_wc *wc, struct ibv_grh *grh, uint8_t port),
	   (pd, wc, grh, port))
HF_FORWARD(1.1, int, ibv_init_ah_from_wc,
	   (struct ibv_context * context, uint8_t port, struct ibv_wc *wc, struct ibv_grh *grh,
	    struct ibv_ah_attr *attr),
	   (context, port, wc, grh, attr))
HF_FORWARD(1.1, int, ibv_destroy_ah, (struct ibv_ah * ah), (ah))

HF_FORWARD(1.1, int, ibv_resolve_eth_l2_from_gid,
	   (struct ibv_context * context, struct ibv_ah_attr *attr, uint8_t mac[ETHERNET_LL_SIZE],
	    uint16_t *vid),
	   (context, attr, mac, vid))
