/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Who has a UDP port of an address, from the tables of the kernel. */
#ifndef HF_SHARED_UDP_PORT_H
#define HF_SHARED_UDP_PORT_H

#include <stdbool.h>
#include <stdint.h>
#include <netinet/in.h>
#include <sys/types.h>

#include "shared/attr.h"

/* A socket that keeps others from the port. */
struct hf_udp_holder {
	bool wildcard; /* it has the port of every address, as the kernel's RoCE has */
	uid_t uid;
};

/*
 * Looks for a socket that keeps `uid` from binding the port of the address, an IPv4 one as ::ffff:A.B.C.D: one
 * of another user, or one of any user that has the port of every address. Several sockets of the same user share
 * the port of an address. Returns 1, 0 if there is none, or -errno; -ENOENT where the kernel shows no table.
 */
int hfi_udp_port_taken(const struct in6_addr *address, uint16_t port, uid_t uid,
		       struct hf_udp_holder *ret) HF_MUST_CHECK HF_NONNULL;

/* The same for a table that is open: "/proc/net/udp", or "udp6". For tests. */
int hfi_udp_table_search(int fd, const struct in6_addr *address, uint16_t port, uid_t uid,
			 struct hf_udp_holder *ret) HF_MUST_CHECK HF_NONNULL;

#endif
