/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The Ethernet address and VLAN that lead to a GID. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "shared/clock.h"
#include "shared/error.h"
#include "core/neighbour/neighbour.h"
#include "core/neighbour/neighbour_ask.h"

enum {
	WAIT_MS = 3500, /* the kernel gives up after three probes, a second each */
	LOOK_MS_MAX = 50,
	DISCARD_PORT = 9,
	USABLE = NUD_PERMANENT | NUD_NOARP | NUD_REACHABLE | NUD_PROBE | NUD_STALE | NUD_DELAY,
};

static bool is_ipv4(const union ibv_gid *gid)
{
	return IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)(const void *)gid);
}

static bool is_link_local(const union ibv_gid *gid)
{
	return gid->raw[0] == 0xfe && (gid->raw[1] & 0xc0) == 0x80;
}

/* A link-local GID made from a MAC address, as the first GID of every RoCE port is. */
static bool is_eui64(const union ibv_gid *gid)
{
	return is_link_local(gid) && gid->raw[11] == 0xff && gid->raw[12] == 0xfe;
}

static bool is_multicast(const union ibv_gid *gid)
{
	return gid->raw[0] == 0xff || (is_ipv4(gid) && (gid->raw[12] & 0xf0) == 0xe0);
}

/* RFC 1112, 6.4 and RFC 2464, 7. */
static void multicast_mac(const union ibv_gid *gid, uint8_t *mac)
{
	if (is_ipv4(gid)) {
		const uint8_t ipv4[] = {0x01, 0x00, 0x5e, gid->raw[13] & 0x7f};

		memcpy(mac, ipv4, 4);
		memcpy(mac + 4, gid->raw + 14, 2);
		return;
	}
	mac[0] = 0x33;
	mac[1] = 0x33;
	memcpy(mac + 2, gid->raw + 12, 4);
}

/* The address within an EUI-64 (RFC 4291, appendix A). */
static void mac_of_eui64(const union ibv_gid *gid, uint8_t *mac)
{
	memcpy(mac, gid->raw + 8, 3);
	memcpy(mac + 3, gid->raw + 13, 3);
	mac[0] ^= 2;
}

static void ip_of(const union ibv_gid *gid, struct hf_ip *ret)
{
	*ret = (struct hf_ip){.family = is_ipv4(gid) ? AF_INET : AF_INET6};
	if (is_ipv4(gid))
		memcpy(ret->bytes, gid->raw + 12, 4);
	else
		memcpy(ret->bytes, gid->raw, 16);
}

/* Makes the kernel resolve a neighbour by sending it an empty datagram, which needs no privilege. */
static int provoke(uint32_t interface, const struct hf_ip *ip)
{
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6,
				  .sin6_port = htons(DISCARD_PORT),
				  .sin6_scope_id = interface};
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(DISCARD_PORT)};
	const uint32_t by = htonl(interface);
	int err = 0, fd;

	fd = socket(ip->family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (fd < 0)
		return -errno;
	memcpy(&v4.sin_addr, ip->bytes, sizeof(v4.sin_addr));
	memcpy(&v6.sin6_addr, ip->bytes, sizeof(v6.sin6_addr));
	if (ip->family == AF_INET) {
		setsockopt(fd, IPPROTO_IP, IP_UNICAST_IF, &by, sizeof(by));
		err = (int)sendto(fd, "", 0, 0, (struct sockaddr *)&v4, sizeof(v4));
	} else {
		setsockopt(fd, IPPROTO_IPV6, IPV6_UNICAST_IF, &by, sizeof(by));
		err = (int)sendto(fd, "", 0, 0, (struct sockaddr *)&v6, sizeof(v6));
	}
	err = err < 0 ? -errno : 0;
	close(fd);
	/* A firewall may refuse the datagram after the kernel has asked for the neighbour. */
	return err == -EPERM || err == -EAGAIN || err == -ENOBUFS ? 0 : err;
}

/* Polls the kernel's neighbour table, less and less often, until it has an answer. */
static int wait_for_neighbour(struct hf_inquiry *inquiry, uint32_t interface,
			      const struct hf_ip *ip, uint8_t *mac)
{
	int64_t end = hfi_now_ms() + WAIT_MS;
	long pause_ms = 1;
	bool provoked = false;

	for (;;) {
		struct timespec pause = {.tv_nsec = pause_ms * 1000000};
		struct hf_neighbour neighbour = {0};
		int err = hfi_ask_neighbour(inquiry, interface, ip, &neighbour);

		if (err && err != -ENOENT)
			return err;
		if (!err && neighbour.state & USABLE && neighbour.has_mac) {
			memcpy(mac, neighbour.mac, HF_MAC_SIZE);
			return 0;
		}
		if ((provoked && neighbour.state & NUD_FAILED) || hfi_now_ms() >= end)
			return -EHOSTUNREACH;
		if (!provoked) {
			err = provoke(interface, ip);
			if (err)
				return err;
			provoked = true;
			continue;
		}
		nanosleep(&pause, NULL);
		pause_ms = pause_ms * 2 < LOOK_MS_MAX ? pause_ms * 2 : LOOK_MS_MAX;
	}
}

/* For an address of this machine: the MAC address of the interface that has it. */
static int own_mac(struct hf_inquiry *inquiry, const struct hf_ip *ip, uint32_t interface,
		   uint8_t *mac)
{
	struct hf_link link = {0};
	uint32_t owner;
	int err;

	err = hfi_ask_owner(inquiry, ip, &owner);
	if (!err)
		err = hfi_ask_link(inquiry, owner, &link);
	/* For an address of the loopback interface take the MAC address of the GID's own interface. */
	if ((err || link.flags & IFF_LOOPBACK || !link.has_mac) && interface)
		err = hfi_ask_link(inquiry, interface, &link);
	if (!err && !link.has_mac)
		err = -EHOSTUNREACH;
	if (!err)
		memcpy(mac, link.mac, HF_MAC_SIZE);
	return err;
}

static int ask_path(struct hf_inquiry *inquiry, const struct hf_ip *destination,
		    const struct hf_ip *source, uint32_t interface, struct hf_path *ret)
{
	/* Policy routing looks at the source; the kernel refuses one that is not an address of ours. */
	int err = hfi_ask_path(inquiry, destination, source, interface, ret);

	if (err)
		err = hfi_ask_path(inquiry, destination, NULL, interface, ret);
	return err;
}

static int find_path(struct hf_inquiry *inquiry, const struct ibv_gid_entry *own,
		     const union ibv_gid *gid, struct hf_path *ret)
{
	uint32_t scope = is_link_local(gid) ? own->ndev_ifindex : 0;
	struct hf_ip destination, source;
	struct hf_path other;
	int err;

	ip_of(gid, &destination);
	ip_of(&own->gid, &source);
	err = ask_path(inquiry, &destination, &source, scope, ret);
	if (err || ret->type != RTN_UNICAST || ret->interface == own->ndev_ifindex)
		return err;
	/* With several interfaces in one subnet, use the GID's own. */
	if (own->ndev_ifindex &&
	    !ask_path(inquiry, &destination, &source, own->ndev_ifindex, &other) &&
	    other.type == RTN_UNICAST)
		*ret = other;
	return 0;
}

/* Sets *interface, for looking up the VLAN, if the GID names none. */
static int find_mac(struct hf_inquiry *inquiry, const struct ibv_gid_entry *own,
		    const union ibv_gid *gid, uint8_t *mac, uint32_t *interface)
{
	struct hf_ip ip;
	struct hf_path path;
	int err;

	err = find_path(inquiry, own, gid, &path);
	if (err)
		return err;
	ip_of(gid, &ip);
	switch (path.type) {
	case RTN_LOCAL:
		return own_mac(inquiry, &ip, own->ndev_ifindex, mac);
	case RTN_BROADCAST:
		memset(mac, 0xff, HF_MAC_SIZE);
		break;
	case RTN_UNICAST:
		if (path.via.family)
			ip = path.via;
		err = wait_for_neighbour(inquiry, path.interface, &ip, mac);
		break;
	default:
		return -ENETUNREACH;
	}
	if (!err && !*interface)
		*interface = path.interface;
	return err;
}

int hfi_resolve_gid(const struct ibv_gid_entry *own, const union ibv_gid *gid, uint8_t *mac,
		    uint16_t *vlan)
{
	bool has_rule = is_multicast(gid) ||
			(own->gid_type == IBV_GID_TYPE_ROCE_V1 && is_link_local(gid));
	struct hf_link link = {.vlan = HF_NO_VLAN};
	uint32_t interface = own->ndev_ifindex;
	struct hf_inquiry *inquiry;
	int err;

	err = hfi_inquiry_open(&inquiry);
	if (err)
		return err;
	if (is_multicast(gid))
		multicast_mac(gid, mac);
	else if (has_rule)
		mac_of_eui64(gid, mac); /* RoCE v1 has no IP address to resolve */
	else
		err = find_mac(inquiry, own, gid, mac, &interface);
	/* An interface with IPv6 switched off has such a GID but does not answer neighbour requests. */
	if (err && !hfi_error_is_shortage(err) && is_eui64(gid)) {
		mac_of_eui64(gid, mac);
		err = 0;
	}
	if (!err && interface)
		err = hfi_ask_link(inquiry, interface, &link);
	*vlan = link.vlan;
	hfi_inquiry_close(inquiry);
	return err;
}
