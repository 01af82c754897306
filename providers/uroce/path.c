/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Chooses how the requests of a QP get to its peer. */
#include "providers/uroce/path.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <unistd.h>

#include <holdfast/device.h>

#include "providers/uroce/qp.h"
#include "providers/uroce/wire/socket.h"

/* The table of GIDs is in files, and may follow a network interface: it is read each time. */
int uroce_gid_is_ours(struct uroce_context *context, const union ibv_gid *gid)
{
	union ibv_gid own;

	for (unsigned int i = 0; i < UROCE_GIDS; i++)
		if (!uroce_gid(context, i, &own) && !memcmp(&own, gid, sizeof(own)))
			return 1;
	return 0;
}

/* Whether a peer whose QP has chosen already, or can choose nothing else, is on the wire. */
static bool peer_is_on_wire(const struct uroce_qp *qp, const struct uroce_context *through,
			    const struct uroce_peer *peer, const struct uroce_shared_qp *shared)
{
	const uint32_t state = atomic_load(&shared->state);

	if (atomic_load(&through->segment->slots[peer->slot].wire_only))
		return true;
	return (state == IBV_QPS_RTR || state == IBV_QPS_RTS) &&
	       atomic_load(&shared->dest) == qp->verbs.qp.qp_num &&
	       !atomic_load(&shared->dest_device);
}

/* `through`: where the peer's QP is. */
static bool direct_is_possible(const struct uroce_qp *qp, struct uroce_context *through)
{
	struct uroce_shared_qp *shared;
	struct uroce_peer *peer;

	peer = uroce_peer_of_qpn(through, qp->attr.dest_qp_num, &shared);
	/*
	 * It may not exist yet, and is found by its number later. Of another device it must exist: that was found by a GID
	 * that may be another host's by now.
	 */
	if (!peer)
		return through == qp->context;
	return peer->direct && !peer_is_on_wire(qp, through, peer, shared);
}

/* Whether it is not so that one process may access the memory of another one, and that one not its. */
static bool access_is_mutual(void)
{
	const int fd = open("/proc/sys/kernel/yama/ptrace_scope", O_RDONLY | O_CLOEXEC);
	char scope = '0';

	if (fd >= 0 && read(fd, &scope, 1) != 1)
		scope = '1';
	if (fd >= 0)
		close(fd);
	return scope == '0' && prctl(PR_GET_DUMPABLE) == 1;
}

/* The table of the node that has the GID may be old, and the address another host's by now. */
static bool address_is_here(const union ibv_gid *gid, const union ibv_gid *near)
{
	union uroce_address address;
	bool is_here;
	int fd;

	uroce_gid_address(gid, near, &address);
	if (address.any.sa_family == AF_INET)
		address.ipv4.sin_port = 0;
	else
		address.ipv6.sin6_port = 0;
	fd = socket(address.any.sa_family, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return false;
	is_here = !bind(fd, &address.any, sizeof(address));
	close(fd);
	return is_here;
}

/*
 * The context through which the peer is reached directly; NULL: it is not. Both ends have to come to the same answer.
 */
static struct uroce_context *find_direct(struct uroce_qp *qp, const char *forced)
{
	const union ibv_gid *gid = &qp->attr.ah_attr.grh.dgid;
	struct uroce_context *through = qp->context;

	if (!uroce_gid_is_ours(qp->context, gid)) {
		if (strcmp(forced, "direct") != 0 &&
		    !(access_is_mutual() && address_is_here(gid, &qp->source_gid)))
			return NULL;
		through = uroce_visit_begin(qp->context, gid);
	}
	if (!through || direct_is_possible(qp, through))
		return through;
	uroce_visit_end(qp->context, through);
	return NULL;
}

static bool is_path(const char *text)
{
	return !strcmp(text, "direct") || !strcmp(text, "wire") || !strcmp(text, "auto");
}

int uroce_forced_path(struct uroce_context *context, char forced[16])
{
	const char *given = secure_getenv("HOLDFAST_UROCE_PATH");
	struct ibv_device *device = context->verbs.context.device;

	forced[0] = '\0';
	if (given && !is_path(given)) {
		hf_provider_log(device, HF_LOG_ERROR,
				"uroce: HOLDFAST_UROCE_PATH is \"%s\", not direct, wire or auto",
				given);
		return EINVAL;
	}
	if (given)
		strcpy(forced, given);
	else if (hf_device_read_attr(device, "uroce_path", forced, 16) < 0 || !is_path(forced))
		forced[0] = '\0';
	if (!strcmp(forced, "auto"))
		forced[0] = '\0';
	return 0;
}

bool uroce_wants_wire(struct uroce_context *context)
{
	char forced[16];

	return !uroce_forced_path(context, forced) && !strcmp(forced, "wire");
}

/* Datagrams: the wire sends directly to QPs of this device, and receives from others. */
static void choose_datagram_path(struct uroce_qp *qp, const char *forced)
{
	const bool direct = !uroce_wire_path || !strcmp(forced, "direct");

	qp->path = direct ? &uroce_direct_path : uroce_wire_path;
}

static int choose_connected_path(struct uroce_qp *qp, const char *forced)
{
	if (strcmp(forced, "wire") != 0) {
		qp->through = find_direct(qp, forced);
		if (qp->through) {
			qp->path = &uroce_direct_path;
			return 0;
		}
	}
	if (uroce_wire_path && strcmp(forced, "direct") != 0) {
		qp->path = uroce_wire_path;
		return 0;
	}
	hf_provider_log(qp->context->verbs.context.device, HF_LOG_ERROR,
			"uroce: QP 0x%x: its peer is on a device that is not this user's, or its "
			"process's memory cannot be accessed, and there is no wire",
			qp->verbs.qp.qp_num);
	return ENETUNREACH;
}

int uroce_choose_path(struct uroce_qp *qp)
{
	char forced[16];
	int err = uroce_forced_path(qp->context, forced);

	if (!err && qp->verbs.qp.qp_type == IBV_QPT_UD)
		choose_datagram_path(qp, forced);
	else if (!err)
		err = choose_connected_path(qp, forced);
	return err;
}

uint32_t uroce_dest_device(struct uroce_qp *qp)
{
	if (qp->path == &uroce_direct_path)
		return qp->through ? qp->through->device : 0;
	return uroce_gid_is_ours(qp->context, &qp->attr.ah_attr.grh.dgid) ? qp->context->device : 0;
}
