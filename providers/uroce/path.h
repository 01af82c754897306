/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A path: how the requests of a QP get to its peer. A QP gets one when it goes to RTR, for its life
 * (UD: one for each request, by the address handle). The send queue itself (qp.h) belongs to the
 * QP: post_send adds requests to it, and the path executes them in order and completes them.
 */
#ifndef PROVIDERS_UROCE_PATH_H
#define PROVIDERS_UROCE_PATH_H

#include <stdbool.h>
#include <stdint.h>

struct uroce_context;
struct uroce_qp;
union ibv_gid;

/* Time without end, for progress(). */
#define UROCE_NEVER UINT64_MAX

struct uroce_path_ops {
	const char *name; /* "direct", "wire" */
	/* Messages come through it: progress() is called from RTR on, also when the send queue is empty. */
	bool receives;

	/* All calls below are made with qp->lock held, and no other lock. */

	/*
	 * The QP goes to RTR with the attributes in qp->attr. 0, or a positive errno value with a log
	 * line: then ibv_modify_qp() fails with it. The path's own data is qp->path_data.
	 */
	int (*start)(struct uroce_qp *qp);

	/*
	 * Attributes were changed: `mask` is of ibv_modify_qp(), the values are in qp->attr. RTR ->
	 * RTS comes with IBV_QP_STATE (requests can be executed from then on).
	 */
	void (*modified)(struct uroce_qp *qp, int mask);

	/*
	 * Executes what it can of the send queue, from qp->sq.next (the first request that the path has
	 * not seen) on. `now` is CLOCK_MONOTONIC in ns, or 0 if the path does not receive. Returns when to call again at the latest,
	 * UROCE_NEVER if nothing waits for time. Called by post_send, by poll_cq and by the engine
	 * thread; never blocks.
	 */
	uint64_t (*progress)(struct uroce_qp *qp, uint64_t now);

	/* The QP goes to ERR or RESET: no request may be executed or completed by the path after it. */
	void (*stop)(struct uroce_qp *qp);

	/* The QP is destroyed: frees path_data. */
	void (*destroy)(struct uroce_qp *qp);
};

extern const struct uroce_path_ops uroce_direct_path;
/* NULL until the wire is built in. Set in wire_path.c; see uroce_choose_path(). */
extern const struct uroce_path_ops *const uroce_wire_path;

/* path.c: the path that the user wants, or an empty string: of this process, or for the device. */
int uroce_forced_path(struct uroce_context *context, char forced[16]);
/* Whether that is the wire. */
bool uroce_wants_wire(struct uroce_context *context);
/* path.c: sets qp->path for the address in qp->attr.ah_attr, or returns an errno value. */
int uroce_choose_path(struct uroce_qp *qp);

/* uroce_header.device of the peer of a connected QP that has a path; 0: it is not known. */
uint32_t uroce_dest_device(struct uroce_qp *qp);

/* Whether a GID is one of this device's. */
int uroce_gid_is_ours(struct uroce_context *context, const union ibv_gid *gid);

#endif
