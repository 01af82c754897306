/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UDP sockets: bound, never connected, and with do-not-fragment, so that every packet has identification 0. */
#include "providers/uroce/wire/socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_NO_CHECK6_RX
#define UDP_NO_CHECK6_RX 102
#endif

/* The kernel doubles it; more than net.core.rmem_max allows by default is not asked for. */
enum { RECEIVE_BUFFER = 212992 };

static bool gid_has_ipv4(const union ibv_gid *gid)
{
	static const uint8_t prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(gid->raw, prefix, sizeof(prefix));
}

/* The interface that has this link-local address of ours; 0: none has it. */
static uint32_t scope_of(const union ibv_gid *gid)
{
	struct ifaddrs *all, *one;
	uint32_t scope = 0;

	if (getifaddrs(&all))
		return 0;
	for (one = all; one && !scope; one = one->ifa_next) {
		const struct sockaddr_in6 *address = (const void *)one->ifa_addr;

		if (address && address->sin6_family == AF_INET6 &&
		    !memcmp(&address->sin6_addr, gid->raw, sizeof(gid->raw)))
			scope = if_nametoindex(one->ifa_name);
	}
	freeifaddrs(all);
	return scope;
}

void uroce_gid_address(const union ibv_gid *gid, const union ibv_gid *near,
		       union uroce_address *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (gid_has_ipv4(gid)) {
		ret->ipv4.sin_family = AF_INET;
		ret->ipv4.sin_port = htons(UROCE_UDP_PORT);
		memcpy(&ret->ipv4.sin_addr, gid->raw + 12, sizeof(ret->ipv4.sin_addr));
		return;
	}
	ret->ipv6.sin6_family = AF_INET6;
	ret->ipv6.sin6_port = htons(UROCE_UDP_PORT);
	memcpy(&ret->ipv6.sin6_addr, gid->raw, sizeof(ret->ipv6.sin6_addr));
	if (IN6_IS_ADDR_LINKLOCAL(&ret->ipv6.sin6_addr))
		ret->ipv6.sin6_scope_id = scope_of(near);
}

void uroce_address_gid(const union uroce_address *address, union ibv_gid *ret)
{
	memset(ret, 0, sizeof(*ret));
	if (address->any.sa_family == AF_INET6) {
		memcpy(ret->raw, &address->ipv6.sin6_addr, sizeof(ret->raw));
		return;
	}
	ret->raw[10] = ret->raw[11] = 0xff;
	memcpy(ret->raw + 12, &address->ipv4.sin_addr, sizeof(address->ipv4.sin_addr));
}

static int set_option(int fd, int level, int name, int value)
{
	return setsockopt(fd, level, name, &value, sizeof(value)) ? errno : 0;
}

static int set_wire_options(int fd, bool is_ipv6)
{
	int err = set_option(fd, SOL_SOCKET, SO_REUSEPORT, 1);

	if (!err)
		err = set_option(fd, SOL_SOCKET, SO_RCVBUF, RECEIVE_BUFFER);
	if (!is_ipv6) {
		if (!err)
			err = set_option(fd, IPPROTO_IP, IP_MTU_DISCOVER, IP_PMTUDISC_DO);
		if (!err)
			err = set_option(fd, IPPROTO_IP, IP_RECVTTL, 1);
		return err ? err : set_option(fd, IPPROTO_IP, IP_RECVTOS, 1);
	}
	if (!err)
		err = set_option(fd, IPPROTO_IPV6, IPV6_V6ONLY, 1);
	if (!err)
		err = set_option(fd, IPPROTO_IPV6, IPV6_MTU_DISCOVER, IPV6_PMTUDISC_DO);
	/* Peers may send without a UDP checksum: the ICRC covers more. */
	if (!err)
		err = set_option(fd, IPPROTO_UDP, UDP_NO_CHECK6_RX, 1);
	if (!err)
		err = set_option(fd, IPPROTO_IPV6, IPV6_RECVHOPLIMIT, 1);
	return err ? err : set_option(fd, IPPROTO_IPV6, IPV6_RECVTCLASS, 1);
}

static socklen_t address_size(const union uroce_address *address)
{
	return address->any.sa_family == AF_INET6 ? sizeof(address->ipv6) : sizeof(address->ipv4);
}

int uroce_socket_open(const union ibv_gid *gid, struct uroce_socket *ret)
{
	int err;

	ret->gid = *gid;
	uroce_gid_address(gid, gid, &ret->address);
	ret->fd = socket(ret->address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (ret->fd < 0)
		return errno;
	err = set_wire_options(ret->fd, ret->address.any.sa_family == AF_INET6);
	if (!err && bind(ret->fd, &ret->address.any, address_size(&ret->address)))
		err = errno;
	if (err)
		uroce_socket_close(ret);
	return err;
}

void uroce_socket_close(struct uroce_socket *socket)
{
	if (socket->fd >= 0)
		close(socket->fd);
	socket->fd = -1;
}

static uint16_t copy_address(const union uroce_address *address, uint8_t *to)
{
	if (address->any.sa_family == AF_INET6) {
		memcpy(to, &address->ipv6.sin6_addr, 16);
		return ntohs(address->ipv6.sin6_port);
	}
	memcpy(to, &address->ipv4.sin_addr, 4);
	return ntohs(address->ipv4.sin_port);
}

void uroce_flow_of(const union uroce_address *source, const union uroce_address *destination,
		   struct uroce_flow *ret)
{
	ret->is_ipv6 = destination->any.sa_family == AF_INET6;
	ret->source_port = copy_address(source, ret->source);
	ret->destination_port = copy_address(destination, ret->destination);
}

/* --- batches ----------------------------------------------------------------------------------------- */

static void seal(struct uroce_frame *frame)
{
	struct uroce_flow flow;

	uroce_flow_of(&frame->from->address, &frame->to, &flow);
	uroce_icrc_put(uroce_icrc_sum(&flow, 0, frame->bytes, frame->size),
		       frame->bytes + frame->size);
}

static void keep_from(struct uroce_batch *batch, unsigned int done)
{
	memmove(batch->frames, batch->frames + done,
		(batch->count - done) * sizeof(batch->frames[0]));
	batch->count -= done;
}

/* How many frames from `first` on go through the same socket. */
static unsigned int run_of(const struct uroce_batch *batch, unsigned int first)
{
	unsigned int end = first;

	while (end < batch->count && batch->frames[end].from == batch->frames[first].from)
		end++;
	return end - first;
}

/* Those that one socket sends; how many are done with, -1: it takes no more now. */
static int send_run(struct uroce_batch *batch, unsigned int first, unsigned int count)
{
	struct mmsghdr messages[UROCE_BATCH];
	struct iovec parts[UROCE_BATCH];
	int sent;

	for (unsigned int i = 0; i < count; i++) {
		struct uroce_frame *frame = &batch->frames[first + i];

		seal(frame);
		parts[i] = (struct iovec){frame->bytes, frame->size + UROCE_ICRC_SIZE};
		messages[i] = (struct mmsghdr){.msg_hdr = {.msg_name = &frame->to,
							   .msg_namelen = address_size(&frame->to),
							   .msg_iov = &parts[i],
							   .msg_iovlen = 1}};
	}
	sent = sendmmsg(batch->frames[first].from->fd, messages, count,
			MSG_DONTWAIT | MSG_NOSIGNAL);
	if (sent > 0)
		return sent;
	if (errno == EAGAIN || errno == EWOULDBLOCK || errno == ENOBUFS || errno == EINTR)
		return -1;
	/* Treat the first one as lost: it can never be sent. */
	batch->refused++;
	return 1;
}

bool uroce_batch_flush(struct uroce_batch *batch)
{
	unsigned int first = 0;

	while (first < batch->count) {
		int done = send_run(batch, first, run_of(batch, first));

		if (done < 0) {
			keep_from(batch, first);
			return false;
		}
		first += (unsigned int)done;
	}
	batch->count = 0;
	return true;
}

struct uroce_frame *uroce_batch_next(struct uroce_batch *batch)
{
	if (batch->count == UROCE_BATCH && !uroce_batch_flush(batch))
		return NULL;
	return &batch->frames[batch->count];
}
