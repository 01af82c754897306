/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Makes addresses and GUIDs of soft devices, and reads and prints addresses. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <arpa/inet.h>

#include "soft/address.h"

/* FNV-1a, and the finish of splitmix64, which spreads a difference of the last byte over all bits. */
static uint64_t add_to_hash(uint64_t hash, const void *bytes, size_t size)
{
	const unsigned char *at = bytes;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ at[i]) * UINT64_C(0x100000001b3);
	return hash;
}

static uint64_t hash_identity(const struct hf_soft_identity *identity, const char *machine)
{
	uint64_t hash = UINT64_C(0xcbf29ce484222325);

	hash = add_to_hash(hash, &identity->uid, sizeof(identity->uid));
	hash = add_to_hash(hash, &identity->attempt, sizeof(identity->attempt));
	hash = add_to_hash(hash, identity->name, strlen(identity->name) + 1);
	hash = add_to_hash(hash, identity->root, strlen(identity->root) + 1);
	hash = add_to_hash(hash, machine, strlen(machine));
	hash = (hash ^ hash >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
	hash = (hash ^ hash >> 27) * UINT64_C(0x94d049bb133111eb);
	return hash ^ hash >> 31;
}

static struct in6_addr map_soft_ipv4(const uint8_t bytes[4])
{
	struct in6_addr ret = {.s6_addr = {[10] = 0xff, [11] = 0xff}};

	memcpy(&ret.s6_addr[12], bytes, 4);
	return ret;
}

struct in6_addr hfi_soft_loopback(const struct hf_soft_identity *identity)
{
	uint64_t hash = hash_identity(identity, "");
	const uint8_t bytes[4] = {127, (uint8_t)(1 + hash % 254), (uint8_t)(hash >> 16),
				  (uint8_t)(1 + (hash >> 32) % 254)};

	return map_soft_ipv4(bytes);
}

uint64_t hfi_soft_guid(const struct hf_soft_identity *identity)
{
	uint64_t hash = hash_identity(identity, identity->machine);

	/* The first octet: locally administered, of one device. */
	return (hash & ~(UINT64_C(3) << 56)) | UINT64_C(2) << 56;
}

void hfi_soft_format(const struct in6_addr *address, char text[INET6_ADDRSTRLEN])
{
	if (IN6_IS_ADDR_V4MAPPED(address))
		inet_ntop(AF_INET, &address->s6_addr[12], text, INET6_ADDRSTRLEN);
	else
		inet_ntop(AF_INET6, address, text, INET6_ADDRSTRLEN);
}

static int check_ipv4(const uint8_t bytes[4])
{
	/* "This network", multicast, reserved and broadcast. */
	return bytes[0] == 0 || bytes[0] >= 224 ? -EADDRNOTAVAIL : 0;
}

int hfi_soft_parse(const char *text, struct in6_addr *ret)
{
	struct in6_addr address;
	uint8_t bytes[4];

	if (inet_pton(AF_INET, text, bytes) == 1)
		address = map_soft_ipv4(bytes);
	else if (inet_pton(AF_INET6, text, &address) != 1)
		return -EINVAL;
	if (IN6_IS_ADDR_UNSPECIFIED(&address) || IN6_IS_ADDR_MULTICAST(&address) ||
	    (IN6_IS_ADDR_V4MAPPED(&address) && check_ipv4(&address.s6_addr[12])))
		return -EADDRNOTAVAIL;
	if (IN6_IS_ADDR_LINKLOCAL(&address))
		return -EDESTADDRREQ;
	*ret = address;
	return 0;
}
