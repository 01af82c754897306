/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Packets from the sockets to the QPs. All processes of a device have a socket at its port, and the kernel gives a
 * packet to any of them: one that is for another process is handed over to that one's relay, a UDP socket at a
 * port that the segment tells, with a token that only users of the segment know.
 */
#include "providers/uroce/wire_receive.h"

#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <sched.h>
#include <string.h>

#ifndef UDP_GRO
#define UDP_GRO 104
#endif

enum {
	ROUNDS = 4, /* of batches in one call: others are to have their turn */
	FEW = 2,    /* packets in one call: what they are answered with can wait a little */
	EMPTY = 64, /* looks one after the other that found nothing, before the processor is given away */
};

/* Before a packet that is handed over. */
struct relay_head {
	uint64_t token;
	union ibv_gid from, to;
	uint16_t identification;
	uint8_t hops, traffic_class;
	uint32_t flow_label;
};

struct uroce_received_packet {
	struct relay_head head;
	const union uroce_address *from;
	uint8_t *bytes;
	size_t size;
};

/* The QP that packets are for, with its lock, as long as they are for the same one. */
struct delivery {
	struct uroce_wire *wire;
	struct uroce_qp *qp;
	uint64_t now;
	unsigned int packets;
	bool may_hold; /* the program polls again soon */
};

/* --- to the QP ------------------------------------------------------------------------------------------ */

/* What was gathered is copied before its bytes are overwritten, or answered. */
static void settle_delivery(struct delivery *delivery)
{
	struct uroce_wire *wire = delivery->wire;
	struct uroce_wire_link *link;

	if (!delivery->qp || delivery->qp->path != uroce_wire_path ||
	    !uroce_inbox_waits(wire->inbox))
		return;
	link = delivery->qp->path_data;
	pthread_mutex_lock(&wire->lock);
	uroce_wire_settle(&link->transport);
	pthread_mutex_unlock(&wire->lock);
}

static void end_delivery(struct delivery *delivery)
{
	struct uroce_wire_link *link;

	if (!delivery->qp)
		return;
	settle_delivery(delivery);
	link = delivery->qp->path == uroce_wire_path ? delivery->qp->path_data : NULL;
	if (link) {
		link->may_hold = delivery->may_hold && delivery->packets <= FEW;
		link->is_delivered_to = true;
	}
	uroce_qp_progress(delivery->qp);
	if (link)
		link->may_hold = link->is_delivered_to = false;
	pthread_mutex_unlock(&delivery->qp->lock);
	delivery->qp = NULL;
}

static bool qpn_is_own(const struct uroce_context *context, uint32_t qpn, uint32_t *index)
{
	for (uint32_t i = 0; i < context->chunk_count; i++) {
		if (context->chunks[i] == qpn / UROCE_CHUNK_QPS) {
			*index = i * UROCE_CHUNK_QPS + qpn % UROCE_CHUNK_QPS;
			return true;
		}
	}
	return false;
}

/* False: it is another process's. Else *ret is the QP with its lock, or NULL. */
static bool find_own_qp(struct uroce_context *context, uint32_t qpn, struct uroce_qp **ret)
{
	uint32_t index;
	bool is_own;

	*ret = NULL;
	pthread_mutex_lock(&context->lock);
	is_own = qpn_is_own(context, qpn, &index);
	if (is_own)
		*ret = context->qps[index];
	if (*ret && (*ret)->verbs.qp.qp_num != qpn)
		*ret = NULL;
	pthread_mutex_unlock(&context->lock);
	/* It is not freed before we give receive_lock back: uroce_wire_wait(). */
	if (*ret)
		pthread_mutex_lock(&(*ret)->lock);
	return is_own;
}

/* IBA 9.6.1.5, annex A17.4.6: a connected QP hears its peer only, at the address it has itself. */
static bool is_of_peer(const struct uroce_wire_link *link, const struct relay_head *head)
{
	return link->transport.service == UROCE_SERVICE_UD ||
	       (!memcmp(&head->from, &link->peer, sizeof(head->from)) &&
		!memcmp(&head->to, &link->from->gid, sizeof(head->to)));
}

static uint16_t ip_checksum(const void *header)
{
	uint16_t words[sizeof(struct iphdr) / 2];
	uint32_t sum = 0;

	memcpy(words, header, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

/* What a UD receiver sees before the data: the IP header, an IPv4 one in the second half (annex A17.4.5.2). */
static void make_header(const struct relay_head *head, const union uroce_address *from,
			size_t udp_payload, uint8_t grh[UROCE_GRH_SIZE])
{
	const uint16_t size = (uint16_t)(udp_payload + 8);

	memset(grh, 0, UROCE_GRH_SIZE);
	if (from->any.sa_family == AF_INET6) {
		struct ip6_hdr ip = {
			.ip6_plen = htons(size), .ip6_nxt = IPPROTO_UDP, .ip6_hlim = head->hops};

		ip.ip6_flow = htonl(UINT32_C(6) << 28 | (uint32_t)head->traffic_class << 20);
		memcpy(&ip.ip6_src, head->from.raw, sizeof(ip.ip6_src));
		memcpy(&ip.ip6_dst, head->to.raw, sizeof(ip.ip6_dst));
		memcpy(grh, &ip, sizeof(ip));
	} else {
		struct iphdr ip = {.version = 4,
				   .ihl = 5,
				   .tos = head->traffic_class,
				   .tot_len = htons((uint16_t)(sizeof(ip) + size)),
				   .id = htons(head->identification),
				   .frag_off = htons(IP_DF),
				   .ttl = head->hops,
				   .protocol = IPPROTO_UDP};

		memcpy(&ip.saddr, head->from.raw + 12, sizeof(ip.saddr));
		memcpy(&ip.daddr, head->to.raw + 12, sizeof(ip.daddr));
		ip.check = ip_checksum(&ip);
		memcpy(grh + UROCE_GRH_SIZE - sizeof(ip), &ip, sizeof(ip));
	}
}

static void hand_to_qp(struct delivery *delivery, const struct uroce_received_packet *received,
		       const struct uroce_packet *packet)
{
	struct uroce_wire_link *link = delivery->qp->path_data;
	const bool is_datagram = uroce_service(packet->opcode) == UROCE_SERVICE_UD;
	uint8_t grh[UROCE_GRH_SIZE];

	if (delivery->qp->path != uroce_wire_path || !link) {
		delivery->wire->no_qp++;
	} else if (!is_of_peer(link, &received->head)) {
		delivery->wire->bad_address++;
	} else {
		if (is_datagram)
			make_header(&received->head, received->from, received->size, grh);
		delivery->packets++;
		pthread_mutex_lock(&delivery->wire->lock);
		link->is_from_ipv6 = received->from->any.sa_family == AF_INET6;
		uroce_wire_receive(&link->transport, packet, is_datagram ? grh : NULL,
				   delivery->now);
		pthread_mutex_unlock(&delivery->wire->lock);
	}
}

/* To the process that has the QP. False: none has. */
static bool relay_packet(struct uroce_wire *wire, struct uroce_received_packet *received,
			 uint32_t qpn)
{
	struct uroce_context *context = wire->context;
	struct iovec parts[] = {{&received->head, sizeof(received->head)},
				{received->bytes, received->size}};
	struct sockaddr_in to = {.sin_family = AF_INET};
	struct msghdr message = {
		.msg_name = &to, .msg_namelen = sizeof(to), .msg_iov = parts, .msg_iovlen = 2};
	struct uroce_shared_qp *shared;
	struct uroce_slot *slot;
	struct uroce_peer *peer = uroce_peer_of_qpn(context, qpn, &shared);

	if (!peer || peer->slot == context->slot_index)
		return false;
	slot = &context->segment->slots[peer->slot];
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	to.sin_port = htons((uint16_t)atomic_load(&slot->wire_address));
	received->head.token = atomic_load(&slot->probe_value);
	if (!to.sin_port)
		return false;
	/* What finds no room is lost, as on any link. */
	sendmsg(wire->relay.fd, &message, MSG_DONTWAIT | MSG_NOSIGNAL);
	atomic_fetch_add(&slot->wire_relays, 1);
	wire->relayed++;
	return true;
}

static void deliver_packet(struct delivery *delivery, struct uroce_received_packet *received,
			   bool is_relayed)
{
	struct uroce_wire *wire = delivery->wire;
	struct uroce_packet packet;

	if (uroce_headers_parse(received->bytes, received->size - UROCE_ICRC_SIZE, &packet) !=
	    UROCE_HEADER_OK) {
		wire->bad_header++;
		return;
	}
	if (!delivery->qp || delivery->qp->verbs.qp.qp_num != packet.qpn) {
		end_delivery(delivery);
		if (!find_own_qp(wire->context, packet.qpn, &delivery->qp) && !is_relayed &&
		    relay_packet(wire, received, packet.qpn))
			return;
	}
	if (delivery->qp)
		hand_to_qp(delivery, received, &packet);
	else
		wire->no_qp++;
}

/* --- from the sockets ------------------------------------------------------------------------------------- */

/* *segment gets the size of the packets in a message that has several. */
static void read_control(struct msghdr *message, struct relay_head *head, size_t *segment)
{
	for (struct cmsghdr *c = CMSG_FIRSTHDR(message); c; c = CMSG_NXTHDR(message, c)) {
		int value = 0;

		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TOS) {
			head->traffic_class = *CMSG_DATA(c);
			continue;
		}
		if (c->cmsg_len < CMSG_LEN(sizeof(value)))
			continue;
		memcpy(&value, CMSG_DATA(c), sizeof(value));
		if (c->cmsg_level == IPPROTO_UDP && c->cmsg_type == UDP_GRO && value > 0)
			*segment = (size_t)value;
		if (c->cmsg_level == IPPROTO_IP && c->cmsg_type == IP_TTL)
			head->hops = (uint8_t)value;
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_HOPLIMIT)
			head->hops = (uint8_t)value;
		else if (c->cmsg_level == IPPROTO_IPV6 && c->cmsg_type == IPV6_TCLASS)
			head->traffic_class = (uint8_t)value;
	}
}

/*
 * Whoever sends from an address of this host by our protocol is bound to our port, which no other user can be. From
 * other hosts the source port may be any.
 */
static bool is_forged(const union uroce_address *from, const union uroce_address *to)
{
	if (from->any.sa_family == AF_INET6)
		return from->ipv6.sin6_port != htons(UROCE_UDP_PORT) &&
		       (IN6_IS_ADDR_LOOPBACK(&from->ipv6.sin6_addr) ||
			IN6_ARE_ADDR_EQUAL(&from->ipv6.sin6_addr, &to->ipv6.sin6_addr));
	return from->ipv4.sin_port != htons(UROCE_UDP_PORT) &&
	       (ntohl(from->ipv4.sin_addr.s_addr) >> 24 == IN_LOOPBACKNET ||
		from->ipv4.sin_addr.s_addr == to->ipv4.sin_addr.s_addr);
}

/* The ICRC is checked where a packet arrives, before anything else of it. */
static void take_packet(struct delivery *delivery, const struct uroce_socket *socket,
			struct uroce_received_packet *received)
{
	struct uroce_wire *wire = delivery->wire;
	struct uroce_flow flow;

	if (received->size < UROCE_BTH_SIZE + UROCE_ICRC_SIZE || received->size > UROCE_FRAME_MAX) {
		wire->bad_size++;
		return;
	}
	uroce_flow_of(received->from, &socket->address, &flow);
	if (!uroce_icrc_check(&wire->icrc, &flow, received->bytes, received->size,
			      &received->head.identification)) {
		wire->bad_icrc++;
		return;
	}
	deliver_packet(delivery, received, false);
}

/* A message is one packet, or several that the kernel did not split. */
static void take_from_socket(struct delivery *delivery, const struct uroce_socket *socket,
			     struct msghdr *message, size_t size)
{
	struct uroce_wire *wire = delivery->wire;
	const union uroce_address *from = message->msg_name;
	struct relay_head head = {.to = socket->gid, .hops = 64};
	size_t segment = size;

	if (!size || message->msg_flags & MSG_TRUNC) {
		wire->bad_size++;
		return;
	}
	if (is_forged(from, &socket->address)) {
		wire->bad_address++;
		return;
	}
	uroce_address_gid(from, &head.from);
	read_control(message, &head, &segment);
	for (size_t at = 0; at < size; at += segment) {
		struct uroce_received_packet received = {
			.head = head,
			.from = from,
			.bytes = (uint8_t *)message->msg_iov->iov_base + at,
			.size = size - at < segment ? size - at : segment};

		received.head.identification = (uint16_t)(at / segment);
		take_packet(delivery, socket, &received);
	}
}

/* A packet that another process of the device took from its socket, and checked. */
static void take_relayed(struct delivery *delivery, const struct msghdr *message, size_t size)
{
	struct uroce_wire *wire = delivery->wire;
	uint8_t *bytes = message->msg_iov->iov_base;
	struct uroce_received_packet received;
	union uroce_address from;

	if (size < sizeof(received.head) + UROCE_BTH_SIZE + UROCE_ICRC_SIZE ||
	    size > sizeof(received.head) + UROCE_FRAME_MAX) {
		wire->bad_size++;
		return;
	}
	memcpy(&received.head, bytes, sizeof(received.head));
	if (received.head.token != wire->context->probe) {
		wire->bad_size++;
		return;
	}
	uroce_gid_address(&received.head.from, &received.head.to, &from);
	received.from = &from;
	received.bytes = bytes + sizeof(received.head);
	received.size = size - sizeof(received.head);
	deliver_packet(delivery, &received, true);
}

static unsigned int take_batch(struct delivery *delivery, const struct uroce_socket *socket)
{
	struct uroce_wire *wire = delivery->wire;
	struct uroce_inbox *inbox = wire->inbox;
	const int count =
		recvmmsg(socket->fd, inbox->headers, UROCE_INBOX_MESSAGES, MSG_DONTWAIT, NULL);

	if (count > 0)
		delivery->now = uroce_now();
	for (int i = 0; i < count; i++) {
		struct msghdr *message = &inbox->headers[i].msg_hdr;

		if (socket == &wire->relay)
			take_relayed(delivery, message, inbox->headers[i].msg_len);
		else
			take_from_socket(delivery, socket, message, inbox->headers[i].msg_len);
		uroce_inbox_reset(inbox, (unsigned int)i);
	}
	settle_delivery(delivery);
	return count > 0 ? (unsigned int)count : 0;
}

static unsigned int empty_socket(struct delivery *delivery, const struct uroce_socket *socket)
{
	unsigned int all = 0, count;

	for (unsigned int i = 0; i < ROUNDS; i++) {
		count = take_batch(delivery, socket);
		all += count;
		if (count < UROCE_INBOX_MESSAGES)
			break;
	}
	return all;
}

void uroce_wire_flush(struct uroce_wire *wire)
{
	atomic_store(&wire->holds, false);
	pthread_mutex_lock(&wire->lock);
	wire->urgent = 0;
	/* What the kernel does not take now is tried again with the next look. */
	if (wire->batch.count && !uroce_batch_flush(&wire->batch))
		atomic_store(&wire->holds, true);
	pthread_mutex_unlock(&wire->lock);
}

/* Packets that others handed over are told by a number in our slot: a program that spins need not look for them. */
static bool has_relayed(struct uroce_wire *wire)
{
	const uint32_t relays = atomic_load(&wire->context->slot->wire_relays);
	const bool is_new = relays != wire->relays_seen;

	wire->relays_seen = relays;
	return is_new;
}

void uroce_wire_poll(struct uroce_context *context, bool is_engine)
{
	struct uroce_wire *wire = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);
	struct delivery delivery = {.wire = wire};
	unsigned int count, got = 0;
	bool gives_way = false;

	if (!wire)
		return;
	if (!is_engine)
		atomic_fetch_add_explicit(&wire->spins, 1, memory_order_relaxed);
	/* Who holds it takes the packets. The engine thread would only come back at once. */
	if (is_engine)
		pthread_mutex_lock(&wire->receive_lock);
	else if (pthread_mutex_trylock(&wire->receive_lock))
		return;
	delivery.may_hold = !is_engine &&
			    atomic_load_explicit(&wire->is_left_alone, memory_order_relaxed);
	count = atomic_load_explicit(&wire->socket_count, memory_order_acquire);
	for (unsigned int i = 0; i < count; i++)
		got += empty_socket(&delivery, &wire->sockets[i]);
	if (has_relayed(wire) || is_engine)
		got += empty_socket(&delivery, &wire->relay);
	end_delivery(&delivery);
	if (is_engine || wire->has_answers ||
	    (!got && atomic_load_explicit(&wire->holds, memory_order_relaxed)))
		uroce_wire_flush(wire);
	wire->has_answers = false;
	if (!is_engine) {
		wire->empty_looks = got ? 0 : wire->empty_looks + 1;
		gives_way = wire->empty_looks && wire->empty_looks % EMPTY == 0;
	}
	pthread_mutex_unlock(&wire->receive_lock);
	/* On a busy machine the kernel's thread that delivers packets, or the peer, waits for this processor. */
	if (gives_way)
		sched_yield();
}

void uroce_wire_finish_copies(struct uroce_context *context)
{
	struct uroce_wire *wire = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);

	if (!wire)
		return;
	/* A key is checked, and its copy made or noted, with this lock. */
	pthread_mutex_lock(&wire->lock);
	uroce_inbox_finish(wire->inbox);
	pthread_mutex_unlock(&wire->lock);
}

void uroce_wire_wait(struct uroce_context *context)
{
	struct uroce_wire *wire = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);

	if (!wire)
		return;
	pthread_mutex_lock(&wire->receive_lock);
	pthread_mutex_unlock(&wire->receive_lock);
}
