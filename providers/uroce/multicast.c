/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Multicast groups (IBA 10.5): the UD QPs of the device that are attached to them, in a table that its processes
 * share. A datagram to a group is delivered to each of them directly.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "providers/uroce/qp.h"

/* A QP of ours in a group. */
struct uroce_membership {
	struct uroce_membership *next;
	union ibv_gid gid;
	struct uroce_shared_member *shared;
};

/* On RoCE v2 the group of IPv4 is one of IPv6 with that address (annex A17.4.2). */
bool uroce_gid_is_group(const union ibv_gid *gid)
{
	static const unsigned char ipv4[12] = {[10] = 0xff, [11] = 0xff};

	return gid->raw[0] == 0xff ||
	       (!memcmp(gid->raw, ipv4, sizeof(ipv4)) && gid->raw[12] >> 4 == 0xe);
}

static uint64_t own_mark(const struct uroce_context *context)
{
	return (uint64_t)(context->slot_index + 1) << 32 | context->generation;
}

/* What ended contexts left is free. */
static bool member_lives(struct uroce_context *context, uint64_t owner)
{
	const uint64_t slot = (owner >> 32) - 1;

	return slot < UROCE_SLOTS && uroce_slot_alive(&context->segment->slots[slot]) &&
	       atomic_load(&context->segment->slots[slot].generation) == (uint32_t)owner;
}

static void note_end(struct uroce_header *header, uint32_t end)
{
	uint32_t before = atomic_load(&header->members_end);

	while (before < end && !atomic_compare_exchange_weak(&header->members_end, &before, end))
		;
}

/* A place in the table; NULL if there is none. */
static struct uroce_shared_member *take_member(struct uroce_context *context)
{
	struct uroce_header *header = context->segment;

	for (uint32_t i = 0; i < UROCE_MEMBERS; i++) {
		struct uroce_shared_member *member = &header->members[i];
		uint64_t owner = atomic_load(&member->owner);

		if (owner && member_lives(context, owner))
			continue;
		if (!atomic_compare_exchange_strong(&member->owner, &owner, own_mark(context)))
			continue;
		atomic_store(&member->qpn, 0);
		note_end(header, i + 1);
		return member;
	}
	return NULL;
}

/* With context->lock. */
static struct uroce_membership **find_membership(struct uroce_qp *qp, const union ibv_gid *gid)
{
	struct uroce_membership **at = &qp->memberships;

	while (*at && memcmp(&(*at)->gid, gid, sizeof(*gid)))
		at = &(*at)->next;
	return at;
}

static int join_group(struct uroce_qp *qp, const union ibv_gid *gid)
{
	struct uroce_membership *membership = calloc(1, sizeof(*membership));
	uint64_t words[2];

	if (!membership)
		return ENOMEM;
	membership->shared = take_member(qp->context);
	if (!membership->shared) {
		free(membership);
		return ENOMEM;
	}
	memcpy(words, gid, sizeof(words));
	atomic_store(&membership->shared->gid[0], words[0]);
	atomic_store(&membership->shared->gid[1], words[1]);
	atomic_store(&membership->shared->qpn, qp->verbs.qp.qp_num);
	membership->gid = *gid;
	membership->next = qp->memberships;
	qp->memberships = membership;
	return 0;
}

static int check_group(const struct ibv_qp *qp, const union ibv_gid *gid)
{
	return qp->qp_type == IBV_QPT_UD && gid && uroce_gid_is_group(gid) ? 0 : EINVAL;
}

/* There are no LIDs on Ethernet, so the given one means nothing. */
int uroce_attach_mcast(struct ibv_qp *ibv, const union ibv_gid *gid, uint16_t lid)
{
	struct uroce_qp *qp = uroce_qp_of(ibv);
	struct uroce_context *context = qp->context;
	int err = check_group(ibv, gid);

	(void)lid;
	if (!err && atomic_load(&context->gone))
		err = EIO;
	if (err)
		return err;
	pthread_mutex_lock(&context->lock);
	if (!*find_membership(qp, gid))
		err = join_group(qp, gid);
	pthread_mutex_unlock(&context->lock);
	return err;
}

/* The owner's word is the last that is cleared: from then on another one has the place. */
static void leave_group(struct uroce_qp *qp, struct uroce_membership **at)
{
	struct uroce_membership *membership = *at;

	*at = membership->next;
	if (qp->context->pid == getpid()) {
		atomic_store(&membership->shared->qpn, 0);
		atomic_store(&membership->shared->owner, 0);
	}
	free(membership);
}

int uroce_detach_mcast(struct ibv_qp *ibv, const union ibv_gid *gid, uint16_t lid)
{
	struct uroce_qp *qp = uroce_qp_of(ibv);
	struct uroce_membership **at;
	int err = check_group(ibv, gid);

	(void)lid;
	if (err)
		return err;
	pthread_mutex_lock(&qp->context->lock);
	at = find_membership(qp, gid);
	if (*at)
		leave_group(qp, at);
	else
		err = EINVAL;
	pthread_mutex_unlock(&qp->context->lock);
	return err;
}

void uroce_leave_groups(struct uroce_qp *qp)
{
	while (qp->memberships)
		leave_group(qp, &qp->memberships);
}

uint32_t uroce_next_member(struct uroce_context *context, const union ibv_gid *gid, uint32_t *at)
{
	struct uroce_header *header = context->segment;
	uint32_t end = atomic_load(&header->members_end);
	uint64_t words[2];

	memcpy(words, gid, sizeof(words));
	for (end = end < UROCE_MEMBERS ? end : UROCE_MEMBERS; *at < end;) {
		const struct uroce_shared_member *member = &header->members[(*at)++];
		const uint64_t owner = atomic_load(&member->owner);
		const uint32_t qpn = atomic_load(&member->qpn);

		if (owner && qpn && atomic_load(&member->gid[0]) == words[0] &&
		    atomic_load(&member->gid[1]) == words[1] && member_lives(context, owner) &&
		    atomic_load(&member->qpn) == qpn)
			return qpn;
	}
	return 0;
}
