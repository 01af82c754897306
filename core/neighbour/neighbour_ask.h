/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Questions to route netlink about one destination. Everything returns 0 or -errno. */
#ifndef HF_NEIGHBOUR_NEIGHBOUR_ASK_H
#define HF_NEIGHBOUR_NEIGHBOUR_ASK_H

#include "core/neighbour/neighbour_parse.h"

/* A socket for the questions below. */
struct hf_inquiry;
int hfi_inquiry_open(struct hf_inquiry **ret);
struct hf_inquiry *hfi_inquiry_close(struct hf_inquiry *inquiry); /* returns NULL */

/* `source` and `interface` may be none (NULL and 0). */
int hfi_ask_path(struct hf_inquiry *inquiry, const struct hf_ip *destination,
		 const struct hf_ip *source, uint32_t interface, struct hf_path *ret);
/* -ENOENT where the kernel has no entry. */
int hfi_ask_neighbour(struct hf_inquiry *inquiry, uint32_t interface, const struct hf_ip *ip,
		      struct hf_neighbour *ret);
int hfi_ask_link(struct hf_inquiry *inquiry, uint32_t interface, struct hf_link *ret);
/* The interface that an address of this machine is on; -ENOENT for none. */
int hfi_ask_owner(struct hf_inquiry *inquiry, const struct hf_ip *ip, uint32_t *ret);

#endif
