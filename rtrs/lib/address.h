/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses as users write them. */
#ifndef RTRS_LIB_ADDRESS_H
#define RTRS_LIB_ADDRESS_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>

#include "shared/attr.h"

enum { RTRS_PORT_DEFAULT = 1234, RTRS_ADDRESS_SIZE = 256 };

enum rtrs_link_type {
	RTRS_LINK_STREAM,
	RTRS_LINK_RDMA,
	RTRS_LINK_SOFT, /* RDMA on devices that the kernel does not know */
	RTRS_LINK_TYPES,
};

static inline bool rtrsi_link_has_devices(enum rtrs_link_type type)
{
	return type != RTRS_LINK_STREAM;
}

struct rtrs_address {
	enum rtrs_link_type link;
	struct sockaddr_storage sockaddr;
};

/* -EINVAL. Names are not looked up: that would take time. */
int rtrsi_address_parse(const char *text, struct rtrs_address *ret) HF_MUST_CHECK HF_NONNULL;

struct rtrs_address_pair {
	bool has_source;
	struct rtrs_address source, destination;
};

/* "[SOURCE,]DESTINATION"; "@" may stand for ",". Both are of one link and family. -EINVAL. */
int rtrsi_address_parse_pair(const char *text,
			     struct rtrs_address_pair *ret) HF_MUST_CHECK HF_NONNULL;

/* Empty where the other end has none. */
void rtrsi_address_print(const struct sockaddr_storage *address, char *to, size_t size) HF_NONNULL;

/*
 * As the kernel's files show it: with the prefix of its link; an RDMA address without the port that is the default;
 * without any port if it is where a path comes from. What has no address is "unix:#NUMBER" and so on.
 */
void rtrsi_address_show(enum rtrs_link_type link, const struct sockaddr_storage *address,
			bool is_source, unsigned int number, char to[RTRS_ADDRESS_SIZE]) HF_NONNULL;

#endif
