/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Short WRITEs on the direct path that were posted one after the other: one call copies all of them. */
#include <string.h>
#include <sys/uio.h>

#include "providers/uroce/request.h"

enum { SHORT = 4096 };

/* What they copy. */
struct writes {
	struct iovec local[UROCE_MAX_SGE], remote[UROCE_MAX_SGE];
	size_t locals, remotes;
};

/* False: the request is executed by itself, which tells what is wrong with it. */
static bool add_write(struct uroce_qp *qp, struct uroce_wqe *wqe, struct uroce_target *target,
		      struct writes *writes)
{
	const struct uroce_key use = {
		.pd = target->pd,
		.qpn = target->number,
		.access = IBV_ACCESS_REMOTE_WRITE,
	};
	struct iovec local[UROCE_MAX_SGE];
	uint64_t address;
	size_t count;

	if (wqe->opcode != IBV_WR_RDMA_WRITE || !wqe->length || wqe->length > SHORT ||
	    writes->remotes == UROCE_MAX_SGE || !(target->access & IBV_ACCESS_REMOTE_WRITE) ||
	    !uroce_gather(qp, wqe, 0, local, &count) || count > UROCE_MAX_SGE - writes->locals ||
	    !uroce_key_check(target->peer->arena, wqe->rkey, wqe->remote_addr, wqe->length, &use,
			     &address))
		return false;
	memcpy(&writes->local[writes->locals], local, count * sizeof(local[0]));
	writes->locals += count;
	writes->remote[writes->remotes++] = (struct iovec){(void *)(uintptr_t)address, wqe->length};
	return true;
}

/* How many requests from the head on were executed by one call; the others are executed one by one. */
uint32_t uroce_execute_writes(struct uroce_qp *qp, struct uroce_target *target)
{
	struct writes writes = {.locals = 0};
	uint32_t position = qp->sq.head, count = 0;
	size_t done = 0;

	while (position != qp->sq.tail && add_write(qp, uroce_sq_at(qp, position), target, &writes))
		position++;
	if (writes.remotes < 2)
		return 0;
	uroce_target_write_some(target, writes.local, writes.locals, writes.remote, writes.remotes,
				&done);
	for (; count < writes.remotes && done >= writes.remote[count].iov_len; count++)
		done -= writes.remote[count].iov_len;
	return count;
}
