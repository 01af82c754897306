/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parsers of route netlink's answers about one destination. */
#ifndef HF_NEIGHBOUR_NEIGHBOUR_PARSE_H
#define HF_NEIGHBOUR_NEIGHBOUR_PARSE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { HF_MAC_SIZE = 6, HF_NO_VLAN = 0xffff };

struct hf_ip {
	int family; /* AF_INET, AF_INET6; 0 for none */
	uint8_t bytes[16];
};

size_t hfi_ip_size(const struct hf_ip *ip);

struct hf_path {
	uint8_t type;	    /* RTN_* */
	uint32_t interface; /* the outgoing one */
	struct hf_ip via;   /* none when the destination is on the link */
};

struct hf_neighbour {
	uint16_t state; /* NUD_* */
	bool has_mac;
	uint8_t mac[HF_MAC_SIZE];
};

struct hf_link {
	uint32_t flags; /* IFF_* */
	uint16_t vlan;	/* HF_NO_VLAN for none */
	bool has_mac;
	uint8_t mac[HF_MAC_SIZE];
};

/* Parse messages from an untrusted source: -EINVAL if a message is not a valid answer. */
int hfi_parse_path(const void *message, size_t size, struct hf_path *ret);
int hfi_parse_neighbour(const void *message, size_t size, struct hf_neighbour *ret);
int hfi_parse_link(const void *message, size_t size, struct hf_link *ret);
/* -ENOENT for another address than `ip`. */
int hfi_parse_owner(const void *message, size_t size, const struct hf_ip *ip, uint32_t *ret);

#endif
