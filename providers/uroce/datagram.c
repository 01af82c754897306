/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UD on the direct path: IBA 9.8.3, and the header that RoCE receivers see (annex A17.4.5). */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/ip.h>
#include <netinet/ip6.h>
#include <string.h>
#include <sys/uio.h>

#include "providers/uroce/qp.h"

enum {
	GRH_SIZE = 40,
	UDP_HEADER = 8,
	BTH_SIZE = 12,
	DETH_SIZE = 8,
	ICRC_SIZE = 4,
	MAX_PAYLOAD = 4096,
	MULTICAST_QPN = 0xffffff,
};

#define OWN_QKEY 0x80000000u /* the program asks for the Q_Key of its own QP */

static bool gid_is_ipv4(const union ibv_gid *gid)
{
	static const unsigned char prefix[12] = {[10] = 0xff, [11] = 0xff};

	return !memcmp(gid->raw, prefix, sizeof(prefix));
}

static uint16_t header_checksum(const void *header)
{
	uint16_t words[sizeof(struct iphdr) / 2];
	uint32_t sum = 0;

	memcpy(words, header, sizeof(words));
	for (size_t i = 0; i < sizeof(words) / 2; i++)
		sum += words[i];
	sum = (sum & 0xffff) + (sum >> 16);
	return (uint16_t) ~(sum + (sum >> 16));
}

void uroce_make_grh(unsigned char grh[GRH_SIZE], const struct uroce_wqe *wqe)
{
	const uint16_t payload = (uint16_t)(UDP_HEADER + BTH_SIZE + DETH_SIZE +
					    ((wqe->length + 3) & ~3U) + ICRC_SIZE);
	const struct ibv_global_route *route = &wqe->address.grh;

	memset(grh, 0, GRH_SIZE);
	if (gid_is_ipv4(&route->dgid)) {
		struct iphdr ip = {
			.version = 4,
			.ihl = 5,
			.tos = route->traffic_class,
			.tot_len = htons((uint16_t)(sizeof(ip) + payload)),
			.frag_off = htons(IP_DF),
			.ttl = route->hop_limit,
			.protocol = IPPROTO_UDP,
		};

		memcpy(&ip.saddr, &wqe->source_gid.raw[12], sizeof(ip.saddr));
		memcpy(&ip.daddr, &route->dgid.raw[12], sizeof(ip.daddr));
		ip.check = header_checksum(&ip);
		memcpy(grh + GRH_SIZE - sizeof(ip), &ip, sizeof(ip));
	} else {
		struct ip6_hdr ip = {
			.ip6_flow = htonl(UINT32_C(6) << 28 | (uint32_t)route->traffic_class << 20 |
					  (route->flow_label & 0xfffff)),
			.ip6_plen = htons(payload),
			.ip6_nxt = IPPROTO_UDP,
			.ip6_hlim = route->hop_limit,
		};

		memcpy(&ip.ip6_src, wqe->source_gid.raw, sizeof(ip.ip6_src));
		memcpy(&ip.ip6_dst, route->dgid.raw, sizeof(ip.ip6_dst));
		memcpy(grh, &ip, sizeof(ip));
	}
}

static bool can_take_datagram(const struct uroce_qp *qp, const struct uroce_wqe *wqe, uint32_t qpn,
			      const struct uroce_shared_qp *shared)
{
	const uint32_t qkey = wqe->qkey & OWN_QKEY ? qp->attr.qkey : wqe->qkey;
	const uint32_t state = atomic_load(&shared->state);

	return atomic_load(&shared->number) == qpn && atomic_load(&shared->type) == IBV_QPT_UD &&
	       !atomic_load(&shared->fault) &&
	       (state == IBV_QPS_RTR || state == IBV_QPS_RTS || state == IBV_QPS_SQD ||
		state == IBV_QPS_SQE) &&
	       atomic_load(&shared->qkey) == qkey;
}

/* With true the caller may access the target until uroce_access_end(). */
static bool enter_receiver(struct uroce_qp *qp, const struct uroce_wqe *wqe, uint32_t qpn,
			   struct uroce_target *target)
{
	target->context = qp->context;
	target->peer = uroce_peer_of_qpn(qp->context, qpn, &target->qp);
	if (!target->peer || !target->peer->direct)
		return false;
	target->at = uroce_access_begin(qp->context, target->peer->slot);
	if (!can_take_datagram(qp, wqe, qpn, target->qp)) {
		uroce_access_end(qp->context, target->at);
		return false;
	}
	target->number = qpn;
	target->pd = atomic_load(&target->qp->pd);
	target->access = 0;
	return true;
}

/* With the lock of the receive queue. A datagram that does not fit is dropped. */
static int deliver_datagram(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target,
			    struct uroce_shared_rq *rq, const struct iovec *local, size_t locals)
{
	struct uroce_cqe cqe = {
		.opcode = IBV_WC_RECV,
		.byte_len = GRH_SIZE + wqe->length,
		.src_qp = qp->verbs.qp.qp_num,
		.wc_flags = IBV_WC_GRH,
		.solicited = wqe->solicited,
		.sl = gid_is_ipv4(&wqe->address.grh.dgid) ? UROCE_PACKET_IPV4 : UROCE_PACKET_IPV6,
	};
	struct uroce_recv recv;
	enum uroce_copy copied = UROCE_COPY_REMOTE;

	if (uroce_recv_peek(target, rq, &recv) || recv.length < GRH_SIZE + (uint64_t)wqe->length) {
		uroce_qp_count(qp, UROCE_QP_DROPPED, 1);
		return 0;
	}
	if (!recv.bad)
		copied = uroce_recv_write(target, &recv, GRH_SIZE + (uint64_t)wqe->length, local,
					  locals);
	if (copied == UROCE_COPY_LOCAL)
		return IBV_WC_LOC_PROT_ERR;
	if (copied == UROCE_COPY_BUSY)
		return 0;
	cqe.wr_id = recv.wr_id;
	if (wqe->opcode == IBV_WR_SEND_WITH_IMM) {
		cqe.wc_flags |= IBV_WC_WITH_IMM;
		cqe.imm = wqe->imm;
	}
	if (copied != UROCE_COPY_OK)
		cqe.status = IBV_WC_LOC_PROT_ERR;
	/* If the CQ is busy, the datagram is dropped and the receive request stays. */
	if (uroce_recv_done(target, rq, &cqe) == UROCE_CQ_BUSY)
		return 0;
	if (copied != UROCE_COPY_OK)
		uroce_target_fault(target, UROCE_FAULT_LOCAL);
	uroce_qp_count(qp, UROCE_QP_REQUESTS, 1);
	uroce_qp_count(qp, UROCE_QP_BYTES, wqe->length);
	return 0;
}

static int send_to_receiver(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target)
{
	unsigned char grh[GRH_SIZE];
	struct iovec local[UROCE_MAX_SGE + 1] = {{grh, sizeof(grh)}};
	struct uroce_shared_rq *rq;
	size_t locals;
	int status;

	if (!uroce_gather(qp, wqe, 0, &local[1], &locals))
		return IBV_WC_LOC_PROT_ERR;
	uroce_make_grh(grh, wqe);
	rq = uroce_recv_lock(target);
	if (!rq)
		return 0;
	status = deliver_datagram(qp, wqe, target, rq, local, locals + 1);
	uroce_recv_unlock(target, rq);
	return status;
}

/* IBA 10.5.2: to each QP of the group, also to the sender if it is in it. */
static int send_to_group(struct uroce_qp *qp, struct uroce_wqe *wqe)
{
	struct uroce_target target;
	uint32_t at = 0, qpn;
	int status = 0;

	if (wqe->dest_qpn != MULTICAST_QPN)
		return 0;
	while (!status && (qpn = uroce_next_member(qp->context, &wqe->address.grh.dgid, &at))) {
		if ((qp->blocks_own && qpn == qp->verbs.qp.qp_num) ||
		    !enter_receiver(qp, wqe, qpn, &target))
			continue;
		status = send_to_receiver(qp, wqe, &target);
		uroce_access_end(qp->context, target.at);
	}
	return status;
}

/* A datagram that is not received is no error, for the sender or the receiver. */
int uroce_send_datagram(struct uroce_qp *qp, struct uroce_wqe *wqe)
{
	struct iovec local[UROCE_MAX_SGE];
	struct uroce_target target;
	size_t locals;
	int status;

	if (wqe->length > MAX_PAYLOAD)
		return IBV_WC_LOC_LEN_ERR;
	if (wqe->is_group)
		return uroce_gather(qp, wqe, 0, local, &locals) ? send_to_group(qp, wqe)
								: IBV_WC_LOC_PROT_ERR;
	if (!wqe->is_ours || !enter_receiver(qp, wqe, wqe->dest_qpn, &target)) {
		uroce_qp_count(qp, UROCE_QP_DROPPED, 1);
		return uroce_gather(qp, wqe, 0, local, &locals) ? 0 : IBV_WC_LOC_PROT_ERR;
	}
	status = send_to_receiver(qp, wqe, &target);
	uroce_access_end(qp->context, target.at);
	return status;
}
