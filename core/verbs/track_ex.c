/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Tracks requests that ibv_wr_*() builds, and completions that ibv_start_poll() and so on read. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "core/verbs/context.h"
#include "core/verbs/track_internal.h"

struct hf_tracked_post {
	const struct ibv_qp *qp;
	struct ibv_qp_ex real; /* the provider's calls */
	struct hf_ring staged;
	UT_hash_handle hh;
};

struct hf_tracked_poll {
	const struct ibv_cq *cq;
	struct ibv_cq_ex real; /* the provider's calls */
	bool started;	       /* by the provider, whose end_poll must be called */
	bool flushing;	       /* the program reads `wc` */
	struct ibv_wc wc;
	UT_hash_handle hh;
};

/* --- Posting ------------------------------------------------------------------------------------ */

static struct hf_tracked_post *post_of(struct ibv_qp_ex *qp)
{
	struct hf_track *track = hfi_track_of(qp->qp_base.context);
	const struct ibv_qp *key = &qp->qp_base;
	struct hf_tracked_post *post;

	hfi_track_lock(track);
	HASH_FIND_PTR(track->posts, &key, post);
	hfi_track_unlock(track);
	return post;
}

static void wr_start(struct ibv_qp_ex *qp)
{
	struct hf_tracked_post *post = post_of(qp);

	hfi_track_lock(hfi_track_of(qp->qp_base.context));
	hfi_ring_clear(&post->staged);
	post->real.wr_start(qp);
}

static void wr_abort(struct ibv_qp_ex *qp)
{
	post_of(qp)->real.wr_abort(qp);
	hfi_track_unlock(hfi_track_of(qp->qp_base.context));
}

static int wr_complete(struct ibv_qp_ex *qp)
{
	struct hf_track *track = hfi_track_of(qp->qp_base.context);
	struct hf_tracked_post *post = post_of(qp);
	int err = EIO;

	if (atomic_load(&track->ended))
		post->real.wr_abort(qp);
	else
		err = post->real.wr_complete(qp);
	for (size_t i = 0; !err && i < post->staged.count; i++)
		hfi_track_sent(track, &qp->qp_base, post->staged.ids[i]);
	hfi_track_unlock(track);
	return err;
}

/* Wraps each call that begins a request. Calls that add to a request stay the provider's. */
#define BUILD(name, parameters, ...)                        \
	static void name parameters                         \
	{                                                   \
		struct hf_tracked_post *post = post_of(qp); \
                                                            \
		hfi_ring_push(&post->staged, qp->wr_id);    \
		post->real.name(__VA_ARGS__);               \
	}

BUILD(wr_atomic_cmp_swp,
      (struct ibv_qp_ex * qp, uint32_t rkey, uint64_t addr, uint64_t compare, uint64_t swap), qp,
      rkey, addr, compare, swap)
BUILD(wr_atomic_fetch_add, (struct ibv_qp_ex * qp, uint32_t rkey, uint64_t addr, uint64_t add), qp,
      rkey, addr, add)
BUILD(wr_bind_mw,
      (struct ibv_qp_ex * qp, struct ibv_mw *mw, uint32_t rkey,
       const struct ibv_mw_bind_info *info),
      qp, mw, rkey, info)
BUILD(wr_local_inv, (struct ibv_qp_ex * qp, uint32_t rkey), qp, rkey)
BUILD(wr_rdma_read, (struct ibv_qp_ex * qp, uint32_t rkey, uint64_t addr), qp, rkey, addr)
BUILD(wr_rdma_write, (struct ibv_qp_ex * qp, uint32_t rkey, uint64_t addr), qp, rkey, addr)
BUILD(wr_rdma_write_imm, (struct ibv_qp_ex * qp, uint32_t rkey, uint64_t addr, __be32 imm), qp,
      rkey, addr, imm)
BUILD(wr_send, (struct ibv_qp_ex * qp), qp)
BUILD(wr_send_imm, (struct ibv_qp_ex * qp, __be32 imm), qp, imm)
BUILD(wr_send_inv, (struct ibv_qp_ex * qp, uint32_t rkey), qp, rkey)
BUILD(wr_send_tso, (struct ibv_qp_ex * qp, void *header, uint16_t size, uint16_t mss), qp, header,
      size, mss)

BUILD(wr_atomic_write, (struct ibv_qp_ex * qp, uint32_t rkey, uint64_t addr, const void *value), qp,
      rkey, addr, value)

/* The last member of rdma-core 44; objects of an older provider hold something else there. */
static bool knows_atomic_write(struct ibv_context *context)
{
	return hfi_uverbs_of(context)->qp_mask_offset > offsetof(struct ibv_qp_ex, wr_atomic_write);
}

struct ibv_qp *hfi_tracked_create_qp_ex(struct ibv_context *context,
					struct ibv_qp_init_attr_ex *attr)
{
	struct hf_track *track = hfi_track_of(context);
	struct hf_tracked_post *post;
	struct ibv_qp *qp = track->real.create_qp_ex(context, attr);
	struct ibv_qp_ex *ex = qp ? ibv_qp_to_qp_ex(qp) : NULL;

	if (!ex || !ex->wr_start)
		return qp;
	post = calloc(1, sizeof(*post));
	if (!post)
		return qp;
	post->qp = qp;
	post->real = *ex;
	hfi_track_lock(track);
	HASH_ADD_PTR(track->posts, qp, post);
	hfi_track_unlock(track);
	if (!hf_hash_added(post)) {
		free(post);
		return qp;
	}
	ex->wr_start = wr_start;
	ex->wr_complete = wr_complete;
	ex->wr_abort = wr_abort;
#define TAKE(name) ex->name = ex->name ? (name) : NULL
	TAKE(wr_atomic_cmp_swp);
	TAKE(wr_atomic_fetch_add);
	TAKE(wr_bind_mw);
	TAKE(wr_local_inv);
	TAKE(wr_rdma_read);
	TAKE(wr_rdma_write);
	TAKE(wr_rdma_write_imm);
	TAKE(wr_send);
	TAKE(wr_send_imm);
	TAKE(wr_send_inv);
	TAKE(wr_send_tso);
	if (knows_atomic_write(context))
		TAKE(wr_atomic_write);
#undef TAKE
	return qp;
}

static void drop_post(struct hf_track *track, struct hf_tracked_post *post)
{
	HASH_DEL(track->posts, post);
	hfi_ring_clear(&post->staged);
	free(post);
}

void hfi_track_release_post(struct hf_track *track, struct ibv_qp *qp)
{
	const struct ibv_qp *key = qp;
	struct hf_tracked_post *post;
	const size_t first = offsetof(struct ibv_qp_ex, wr_atomic_cmp_swp);
	const size_t end = offsetof(struct ibv_qp_ex, wr_abort) + sizeof(post->real.wr_abort);

	HASH_FIND_PTR(track->posts, &key, post);
	if (!post)
		return;
	memcpy((char *)qp + first, (const char *)&post->real + first, end - first);
	if (knows_atomic_write(qp->context))
		((struct ibv_qp_ex *)(void *)qp)->wr_atomic_write = post->real.wr_atomic_write;
	drop_post(track, post);
}

/* --- Polling ------------------------------------------------------------------------------------ */

static struct hf_tracked_poll *poll_of(struct ibv_cq_ex *cq)
{
	struct hf_track *track = hfi_track_of(cq->context);
	const struct ibv_cq *key = ibv_cq_ex_to_cq(cq);
	struct hf_tracked_poll *poll;

	hfi_track_lock(track);
	HASH_FIND_PTR(track->polls, &key, poll);
	hfi_track_unlock(track);
	return poll;
}

/* Retires the completion that the provider returned; if it has none, returns one to flush. */
static int track_polled(struct hf_tracked_poll *poll, struct ibv_cq_ex *cq, int err)
{
	struct hf_track *track = hfi_track_of(cq->context);

	if (!err) {
		struct ibv_wc wc = {.wr_id = cq->wr_id, .status = cq->status};

		if (wc.status == IBV_WC_SUCCESS)
			wc.opcode = poll->real.read_opcode(cq);
		wc.qp_num = poll->real.read_qp_num(cq);
		hfi_track_retire(track, &wc);
		return 0;
	}
	if (!atomic_load(&track->ended) ||
	    hfi_track_flush(track, ibv_cq_ex_to_cq(cq), 1, &poll->wc) == 0)
		return err;
	poll->flushing = true;
	cq->wr_id = poll->wc.wr_id;
	cq->status = poll->wc.status;
	return 0;
}

static int tracked_start_poll(struct ibv_cq_ex *cq, struct ibv_poll_cq_attr *attr)
{
	struct hf_track *track = hfi_track_of(cq->context);
	struct hf_tracked_poll *poll = poll_of(cq);
	int err;

	hfi_track_lock(track);
	poll->flushing = false;
	err = poll->real.start_poll(cq, attr);
	poll->started = !err;
	err = track_polled(poll, cq, err);
	if (err)
		hfi_track_unlock(track);
	return err;
}

static int tracked_next_poll(struct ibv_cq_ex *cq)
{
	struct hf_tracked_poll *poll = poll_of(cq);

	return track_polled(poll, cq, poll->flushing ? ENOENT : poll->real.next_poll(cq));
}

static void tracked_end_poll(struct ibv_cq_ex *cq)
{
	struct hf_tracked_poll *poll = poll_of(cq);

	if (poll->started)
		poll->real.end_poll(cq);
	poll->flushing = false;
	hfi_track_unlock(hfi_track_of(cq->context));
}

#define READ(type, name, flushed)                                              \
	static type name(struct ibv_cq_ex *cq)                                 \
	{                                                                      \
		const struct hf_tracked_poll *poll = poll_of(cq);              \
                                                                               \
		return poll->flushing ? (type)(flushed) : poll->real.name(cq); \
	}

READ(enum ibv_wc_opcode, read_opcode, poll->wc.opcode)
READ(uint32_t, read_vendor_err, 0)
READ(uint32_t, read_byte_len, 0)
READ(__be32, read_imm_data, 0)
READ(uint32_t, read_qp_num, poll->wc.qp_num)
READ(uint32_t, read_src_qp, 0)
READ(unsigned int, read_wc_flags, 0)
READ(uint32_t, read_slid, 0)
READ(uint8_t, read_sl, 0)
READ(uint8_t, read_dlid_path_bits, 0)
READ(uint64_t, read_completion_ts, 0)
READ(uint16_t, read_cvlan, 0)
READ(uint32_t, read_flow_tag, 0)
READ(uint64_t, read_completion_wallclock_ns, 0)

struct ibv_cq_ex *hfi_tracked_create_cq_ex(struct ibv_context *context,
					   struct ibv_cq_init_attr_ex *attr)
{
	struct hf_track *track = hfi_track_of(context);
	const uint64_t wanted = attr->wc_flags;
	struct hf_tracked_poll *poll;
	struct ibv_cq_ex *cq;

	/* Needed to find the request that is complete. */
	attr->wc_flags |= IBV_WC_EX_WITH_QP_NUM;
	cq = track->real.create_cq_ex(context, attr);
	attr->wc_flags = wanted;
	if (!cq || !cq->start_poll || !cq->read_qp_num)
		return cq;
	poll = calloc(1, sizeof(*poll));
	if (!poll)
		return cq;
	poll->cq = ibv_cq_ex_to_cq(cq);
	poll->real = *cq;
	hfi_track_lock(track);
	HASH_ADD_PTR(track->polls, cq, poll);
	hfi_track_unlock(track);
	if (!hf_hash_added(poll)) {
		free(poll);
		return cq;
	}
	cq->start_poll = tracked_start_poll;
	cq->next_poll = tracked_next_poll;
	cq->end_poll = tracked_end_poll;
#define TAKE(name) cq->name = cq->name ? (name) : NULL
	TAKE(read_opcode);
	TAKE(read_vendor_err);
	TAKE(read_byte_len);
	TAKE(read_imm_data);
	TAKE(read_qp_num);
	TAKE(read_src_qp);
	TAKE(read_wc_flags);
	TAKE(read_slid);
	TAKE(read_sl);
	TAKE(read_dlid_path_bits);
	TAKE(read_completion_ts);
	TAKE(read_cvlan);
	TAKE(read_flow_tag);
	TAKE(read_completion_wallclock_ns);
#undef TAKE
	return cq;
}

static void drop_poll(struct hf_track *track, struct hf_tracked_poll *poll)
{
	HASH_DEL(track->polls, poll);
	free(poll);
}

void hfi_track_release_poll(struct hf_track *track, struct ibv_cq *cq)
{
	const size_t first = offsetof(struct ibv_cq_ex, start_poll);
	const struct ibv_cq *key = cq;
	struct hf_tracked_poll *poll;

	HASH_FIND_PTR(track->polls, &key, poll);
	if (!poll)
		return;
	memcpy((char *)cq + first, (const char *)&poll->real + first, sizeof(poll->real) - first);
	drop_poll(track, poll);
}

void hfi_track_drop_all_ex(struct hf_track *track)
{
	struct hf_tracked_post *post, *next_post;
	struct hf_tracked_poll *poll, *next_poll;

	HASH_ITER (hh, track->posts, post, next_post)
		drop_post(track, post);
	HASH_ITER (hh, track->polls, poll, next_poll)
		drop_poll(track, poll);
}
