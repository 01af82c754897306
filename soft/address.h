/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses and GUIDs that a soft device gets from who and what it is: pure functions. */
#ifndef HF_SOFT_ADDRESS_H
#define HF_SOFT_ADDRESS_H

#include <stdint.h>
#include <netinet/in.h>
#include <sys/types.h>

#include "shared/attr.h"

/* What makes a device's address and GUID its own. */
struct hf_soft_identity {
	const char *name;
	const char *machine; /* differs between machines, as far as it can be known */
	const char *root;    /* the path of the soft root */
	uid_t uid;
	unsigned int attempt; /* another one gives another result */
};

/*
 * An address of 127.0.0.0/8 as ::ffff:127.B.C.D, the same for the same user, name, root and attempt. Never one of
 * 127.0.0.0/16, which hosts use by habit, nor one that ends in 0 or 255.
 */
struct in6_addr hfi_soft_loopback(const struct hf_soft_identity *identity) HF_NONNULL;

/* A GUID of the locally administered ones, never 0. */
uint64_t hfi_soft_guid(const struct hf_soft_identity *identity) HF_NONNULL;

/* The address as users write it: an IPv4 one with dots. */
void hfi_soft_format(const struct in6_addr *address, char text[INET6_ADDRSTRLEN]) HF_NONNULL;

/*
 * Reads an address as users write it. -EINVAL: it is none; -EADDRNOTAVAIL: no device can have it (0.0.0.0,
 * multicast, broadcast); -EDESTADDRREQ: a link-local one, which says nothing without an interface.
 */
int hfi_soft_parse(const char *text, struct in6_addr *ret) HF_MUST_CHECK HF_NONNULL;

#endif
