/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses of sockets, and the GIDs that they are. */
#include <errno.h>
#include <netinet/in.h>
#include <string.h>

#include "rtrs/link/rdma/tcp_internal.h"

socklen_t rtrsi_tcp_address_size(const struct sockaddr *address)
{
	switch (address->sa_family) {
	case AF_INET:
		return sizeof(struct sockaddr_in);
	case AF_INET6:
		return sizeof(struct sockaddr_in6);
	default:
		return 0;
	}
}

static int gid_of_tcp_address(const struct sockaddr_storage *address, uint8_t to[RTRS_TCP_GID])
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	memset(to, 0, RTRS_TCP_GID);
	if (address->ss_family == AF_INET6) {
		memcpy(to, &v6->sin6_addr, RTRS_TCP_GID);
		return 0;
	}
	if (address->ss_family != AF_INET)
		return -EAFNOSUPPORT;
	to[10] = to[11] = 0xff;
	memcpy(to + 12, &v4->sin_addr, sizeof(v4->sin_addr));
	return 0;
}

int rtrsi_tcp_own_gid(const struct tcp_id *id, uint8_t to[RTRS_TCP_GID])
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);

	if (getsockname(id->fd, (struct sockaddr *)&address, &size))
		return -errno;
	return gid_of_tcp_address(&address, to);
}

int rtrsi_tcp_peer_gid(const struct tcp_id *id, uint8_t to[RTRS_TCP_GID])
{
	struct sockaddr_storage address = {0};
	socklen_t size = sizeof(address);

	if (getpeername(id->fd, (struct sockaddr *)&address, &size))
		return -errno;
	return gid_of_tcp_address(&address, to);
}

void rtrsi_tcp_addresses(struct rtrs_cm *cm, uint32_t number, struct sockaddr_storage *own,
			 struct sockaddr_storage *peer)
{
	const struct tcp_id *id = rtrsi_tcp_find(cm, number);
	socklen_t size = sizeof(*own);

	memset(own, 0, sizeof(*own));
	memset(peer, 0, sizeof(*peer));
	if (!id || id->fd < 0)
		return;
	(void)getsockname(id->fd, (struct sockaddr *)own, &size);
	size = sizeof(*peer);
	(void)getpeername(id->fd, (struct sockaddr *)peer, &size);
}

/* In either family. */
static bool is_tcp_loopback(const struct sockaddr *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->sa_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> IN_CLASSA_NSHIFT == IN_LOOPBACKNET;
	return IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr) && v6->sin6_addr.s6_addr[12] == IN_LOOPBACKNET;
}

int rtrsi_tcp_bind_source(const struct tcp_id *id, const struct sockaddr *source,
			  const struct sockaddr *destination)
{
	struct sockaddr_storage address = {0};
	int on = 1;

	(void)setsockopt(id->fd, IPPROTO_IP, IP_BIND_ADDRESS_NO_PORT, &on, sizeof(on));
	if (source)
		return bind(id->fd, source, rtrsi_tcp_address_size(source)) ? -errno : 0;
	if (!is_tcp_loopback(destination))
		return 0;
	memcpy(&address, destination, rtrsi_tcp_address_size(destination));
	/* The same place in both families. */
	((struct sockaddr_in *)&address)->sin_port = 0;
	return bind(id->fd, (struct sockaddr *)&address, rtrsi_tcp_address_size(destination))
		       ? -errno
		       : 0;
}
