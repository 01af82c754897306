/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Chooses how the requests of a QP get to its peer. */
#include "providers/uroce/path.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <holdfast/device.h>

#include "providers/uroce/qp.h"

/* The table of GIDs is in files, and may follow a network interface: it is read each time. */
int uroce_gid_is_ours(struct uroce_context *context, const union ibv_gid *gid)
{
	union ibv_gid own;

	for (unsigned int i = 0; i < UROCE_GIDS; i++)
		if (!uroce_gid(context, i, &own) && !memcmp(&own, gid, sizeof(own)))
			return 1;
	return 0;
}

static bool direct_is_possible(struct uroce_qp *qp)
{
	struct uroce_shared_qp *shared;
	struct uroce_peer *peer;

	if (!uroce_gid_is_ours(qp->context, &qp->attr.ah_attr.grh.dgid))
		return false;
	/* The peer may not exist yet; it is found by its number later. */
	peer = uroce_peer_of_qpn(qp->context, qp->attr.dest_qp_num, &shared);
	return !peer || peer->direct;
}

static bool is_path(const char *text)
{
	return !strcmp(text, "direct") || !strcmp(text, "wire");
}

int uroce_forced_path(struct uroce_context *context, char forced[16])
{
	const char *given = secure_getenv("HOLDFAST_UROCE_PATH");
	struct ibv_device *device = context->verbs.context.device;

	forced[0] = '\0';
	if (given && !is_path(given)) {
		hf_provider_log(device, HF_LOG_ERROR,
				"uroce: HOLDFAST_UROCE_PATH is \"%s\", not direct or wire", given);
		return EINVAL;
	}
	if (given)
		strcpy(forced, given);
	else if (hf_device_read_attr(device, "uroce_path", forced, 16) < 0 || !is_path(forced))
		forced[0] = '\0';
	return 0;
}

int uroce_choose_path(struct uroce_qp *qp)
{
	const struct ibv_device *device = qp->context->verbs.context.device;
	char text[16];
	const char *forced = text;
	int err = uroce_forced_path(qp->context, text);

	if (err)
		return err;
	if (!*text)
		forced = NULL;
	/*
	 * The wire handles datagrams: it sends directly to QPs of this device, and receives from
	 * others.
	 */
	if (qp->verbs.qp.qp_type == IBV_QPT_UD && !forced) {
		qp->path = uroce_wire_path;
		return 0;
	}
	if (!(forced && !strcmp(forced, "wire")) &&
	    (qp->verbs.qp.qp_type == IBV_QPT_UD || direct_is_possible(qp))) {
		qp->path = &uroce_direct_path;
		return 0;
	}
	if (uroce_wire_path && !(forced && !strcmp(forced, "direct"))) {
		qp->path = uroce_wire_path;
		return 0;
	}
	hf_provider_log(
		device, HF_LOG_ERROR,
		"uroce: QP 0x%x: its peer is on another device, or its process's memory cannot be "
		"accessed, and there is no wire",
		qp->verbs.qp.qp_num);
	return ENETUNREACH;
}
