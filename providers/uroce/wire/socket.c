/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UDP sockets: bound, never connected, and with do-not-fragment, so that every packet has identification 0. */
#include "providers/uroce/wire/socket.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <string.h>
#include <unistd.h>

#ifndef UDP_SEGMENT
#define UDP_SEGMENT 103
#endif
#ifndef UDP_GRO
#define UDP_GRO 104
#endif
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
	/* Several datagrams by one call, where the kernel can. */
	set_option(fd, IPPROTO_UDP, UDP_GRO, 1);
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

enum { GSO_TRIES = 8 };

/* Frames of one size, of which the last may be shorter, are one buffer that the kernel splits. */
struct sending {
	struct mmsghdr messages[UROCE_BATCH];
	struct iovec parts[UROCE_BATCH];
	unsigned int frames[UROCE_BATCH]; /* of each message */
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(sizeof(uint16_t))];
	} control[UROCE_BATCH];
};

/* The kernel counts the identifications of the datagrams of one buffer, from 0. */
static void seal(struct uroce_frame *frame, uint16_t identification)
{
	struct uroce_flow flow;

	uroce_flow_of(&frame->from->address, &frame->to, &flow);
	uroce_icrc_put(uroce_icrc_sum(&flow, identification, frame->bytes, frame->size),
		       frame->bytes + frame->size);
}

static bool is_same_way(const struct uroce_frame *a, const struct uroce_frame *b)
{
	if (a->from != b->from)
		return false;
	if (a->to.any.sa_family == AF_INET6)
		return IN6_ARE_ADDR_EQUAL(&a->to.ipv6.sin6_addr, &b->to.ipv6.sin6_addr) &&
		       a->to.ipv6.sin6_scope_id == b->to.ipv6.sin6_scope_id;
	return a->to.ipv4.sin_addr.s_addr == b->to.ipv4.sin_addr.s_addr;
}

/* How many of `count` frames can be one buffer. */
static unsigned int split_of(const struct uroce_batch *batch, unsigned int first,
			     unsigned int count)
{
	const struct uroce_frame *frame = &batch->frames[first];
	const size_t size = frame->size;
	unsigned int end = 1;

	if (batch->gso_refusals >= GSO_TRIES)
		return 1;
	while (end < count && (end + 1) * (size + UROCE_ICRC_SIZE) <= UROCE_GSO_MAX &&
	       frame[end].size <= size && is_same_way(frame, &frame[end])) {
		if (frame[end++].size < size)
			break;
	}
	return end;
}

static void add_message(struct sending *sending, unsigned int index, unsigned int part,
			struct uroce_frame *frame, unsigned int count)
{
	const uint16_t size = (uint16_t)(frame->size + UROCE_ICRC_SIZE);
	struct cmsghdr *head = &sending->control[index].head;
	struct msghdr *message = &sending->messages[index].msg_hdr;

	for (unsigned int i = 0; i < count; i++) {
		seal(&frame[i], (uint16_t)i);
		sending->parts[part + i] =
			(struct iovec){frame[i].bytes, frame[i].size + UROCE_ICRC_SIZE};
	}
	*message = (struct msghdr){.msg_name = &frame->to,
				   .msg_namelen = address_size(&frame->to),
				   .msg_iov = &sending->parts[part],
				   .msg_iovlen = count};
	sending->frames[index] = count;
	if (count == 1)
		return;
	memset(&sending->control[index], 0, sizeof(sending->control[index]));
	message->msg_control = head;
	message->msg_controllen = sizeof(sending->control[index].bytes);
	*head = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(size)),
				 .cmsg_level = IPPROTO_UDP,
				 .cmsg_type = UDP_SEGMENT};
	memcpy(CMSG_DATA(head), &size, sizeof(size));
}

static bool is_busy(int err)
{
	return err == EAGAIN || err == EWOULDBLOCK || err == ENOBUFS || err == EINTR;
}

/*
 * Frames from `first` on that one socket sends in one call; how many are done with, -1: it takes no more now. With
 * `plain` each is a buffer of its own.
 */
static int send_run(struct uroce_batch *batch, unsigned int first, unsigned int end, bool *plain)
{
	const struct uroce_socket *from = batch->frames[first].from;
	struct sending sending;
	unsigned int at = first, messages = 0;
	int sent, done = 0;

	while (at < end && batch->frames[at].from == from) {
		const unsigned int count = *plain ? 1 : split_of(batch, at, end - at);

		add_message(&sending, messages++, at - first, &batch->frames[at], count);
		at += count;
	}
	batch->calls++;
	sent = sendmmsg(from->fd, sending.messages, messages, MSG_DONTWAIT | MSG_NOSIGNAL);
	for (int i = 0; i < sent; i++) {
		done += (int)sending.frames[i];
		if (sending.frames[i] > 1)
			batch->gso_refusals = 0;
	}
	if (sent > 0)
		return done;
	if (is_busy(errno))
		return -1;
	/* An old kernel, or an interface that cannot: the frames go one by one. */
	if (sending.frames[0] > 1) {
		batch->gso_refusals++;
		*plain = true;
		return 0;
	}
	/* Treat the first one as lost: it can never be sent. */
	batch->refused++;
	return 1;
}

/* Sends the frames from `first` on, and takes them out. False: some remain. */
static bool flush_from(struct uroce_batch *batch, unsigned int first)
{
	unsigned int at = first;
	bool plain = false;

	while (at < batch->count) {
		const int done = send_run(batch, at, batch->count, &plain);

		if (done < 0)
			break;
		at += (unsigned int)done;
	}
	batch->count -= at - first;
	if (at > first && batch->count > first)
		memmove(batch->frames + first, batch->frames + at,
			(batch->count - first) * sizeof(batch->frames[0]));
	return batch->count == first;
}

bool uroce_batch_flush(struct uroce_batch *batch)
{
	const unsigned int held = batch->held;

	batch->held = 0;
	return flush_from(batch, held) && flush_from(batch, 0);
}

struct uroce_frame *uroce_batch_next(struct uroce_batch *batch)
{
	if (batch->count == UROCE_BATCH && !uroce_batch_flush(batch))
		return NULL;
	return &batch->frames[batch->count];
}
