/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What is posted to a connection, and its completions. */
#include <endian.h>
#include <errno.h>
#include <stdint.h>
#include <stdlib.h>

#include "rtrs/link/rdma/private.h"

/* The lowest bit of a work request's number: a failed completion does not say what it was. */
enum { IS_RECEIVE = 1 };

static void put_segments(const struct rtrs_segment *segments, unsigned int count,
			 struct ibv_sge *to)
{
	for (unsigned int i = 0; i < count; i++)
		to[i] = (struct ibv_sge){.addr = (uintptr_t)segments[i].address,
					 .length = segments[i].length,
					 .lkey = segments[i].key};
}

static void put_post(const struct rtrs_post *post, struct ibv_sge *segments, struct ibv_send_wr *to)
{
	static const enum ibv_wr_opcode opcodes[] = {
		[RTRS_POST_WRITE] = IBV_WR_RDMA_WRITE,
		[RTRS_POST_WRITE_IMM] = IBV_WR_RDMA_WRITE_WITH_IMM,
		[RTRS_POST_SEND] = IBV_WR_SEND,
		[RTRS_POST_SEND_IMM] = IBV_WR_SEND_WITH_IMM,
		[RTRS_POST_SEND_INVAL] = IBV_WR_SEND_WITH_INV,
	};

	put_segments(post->segments, post->segment_count, segments);
	*to = (struct ibv_send_wr){
		.wr_id = post->id << 1,
		.sg_list = segments,
		.num_sge = post->segment_count,
		.opcode = opcodes[post->type],
		.send_flags = post->reported ? IBV_SEND_SIGNALED : 0,
	};
	if (post->type == RTRS_POST_SEND_INVAL)
		to->invalidate_rkey = post->key;
	else
		to->imm_data = htobe32(post->imm);
	if (post->type == RTRS_POST_WRITE || post->type == RTRS_POST_WRITE_IMM) {
		to->wr.rdma.remote_addr = post->address;
		to->wr.rdma.rkey = post->key;
	}
}

static bool can_post(const struct rtrs_rdma_connection *connection)
{
	return connection->state == RDMA_UP || connection->state == RDMA_ACCEPTED;
}

int rtrsi_rdma_post(struct rtrs_connection *base, const struct rtrs_post *posts, size_t count)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct ibv_sge segments[RTRS_POSTS_MAX][RTRS_SEGMENTS_MAX];
	struct ibv_send_wr requests[RTRS_POSTS_MAX], *bad;

	if (!can_post(connection))
		return -ENOTCONN;
	if (!count || count > RTRS_POSTS_MAX)
		return -EINVAL;
	for (size_t i = 0; i < count; i++) {
		if (posts[i].segment_count > RTRS_SEGMENTS_MAX)
			return -EINVAL;
		put_post(&posts[i], segments[i], &requests[i]);
		if (i)
			requests[i - 1].next = &requests[i];
	}
	return -ibv_post_send(connection->qp, requests, &bad);
}

int rtrsi_rdma_receive(struct rtrs_connection *base, uint64_t id,
		       const struct rtrs_segment *segment)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct ibv_recv_wr request = {.wr_id = id << 1 | IS_RECEIVE}, *bad;
	struct ibv_sge sge;

	if (!can_post(connection) && connection->state != RDMA_PREPARED)
		return -ENOTCONN;
	if (segment) {
		put_segments(segment, 1, &sge);
		request.sg_list = &sge;
		request.num_sge = 1;
	}
	return -ibv_post_recv(connection->qp, &request, &bad);
}

int rtrsi_rdma_open_window(struct rtrs_memory *base, struct rtrs_window **ret)
{
	struct rtrs_rdma_memory *memory = hf_container_of(base, struct rtrs_rdma_memory, base);
	struct rtrs_rdma_window *window = calloc(1, sizeof(*window));
	int err;

	if (!window)
		return -ENOMEM;
	window->mw = ibv_alloc_mw(memory->domain->pd, memory->access == RTRS_ACCESS_INVALIDATED
							      ? IBV_MW_TYPE_2
							      : IBV_MW_TYPE_1);
	if (!window->mw) {
		err = -errno;
		free(window);
		return err;
	}
	window->memory = memory;
	window->base = (struct rtrs_window){&memory->domain->device->link->base, window->mw->rkey};
	*ret = &window->base;
	return 0;
}

/* Binding is a work request like others, and so is the end of what was bound. */
static int post_bind(struct rtrs_rdma_connection *connection, struct rtrs_rdma_window *window,
		     const struct ibv_mw_bind *bind)
{
	struct ibv_send_wr request = {.wr_id = bind->wr_id, .send_flags = bind->send_flags}, *bad;
	int err;

	if (bind->bind_info.length) {
		window->base.remote_key = ibv_inc_rkey(window->base.remote_key);
		request.opcode = IBV_WR_BIND_MW;
		request.bind_mw.mw = window->mw;
		request.bind_mw.rkey = window->base.remote_key;
		request.bind_mw.bind_info = bind->bind_info;
	} else {
		request.opcode = IBV_WR_LOCAL_INV;
		request.invalidate_rkey = window->base.remote_key;
	}
	err = -ibv_post_send(connection->qp, &request, &bad);
	/* A provider tells the kernel the former key; with the next one this is it. */
	if (!err && bind->bind_info.length)
		window->mw->rkey = window->base.remote_key;
	return err;
}

int rtrsi_rdma_bind(struct rtrs_connection *base, struct rtrs_window *window_base, void *address,
		    size_t length, bool reported, uint64_t id)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct rtrs_rdma_window *window =
		hf_container_of(window_base, struct rtrs_rdma_window, base);
	struct ibv_mw_bind bind = {
		.wr_id = id << 1,
		.send_flags = reported ? IBV_SEND_SIGNALED : 0,
		.bind_info = {.mr = window->memory->mr,
			      .addr = (uintptr_t)address,
			      .length = length,
			      .mw_access_flags = length ? IBV_ACCESS_REMOTE_WRITE : 0},
	};
	int err;

	if (!can_post(connection))
		return -ENOTCONN;
	if (window->memory->access == RTRS_ACCESS_INVALIDATED)
		return post_bind(connection, window, &bind);
	err = ibv_bind_mw(connection->qp, window->mw, &bind);
	window->base.remote_key = window->mw->rkey;
	return -err;
}

void rtrsi_rdma_close_window(struct rtrs_window *base)
{
	struct rtrs_rdma_window *window = hf_container_of(base, struct rtrs_rdma_window, base);

	ibv_dealloc_mw(window->mw);
	free(window);
}

static int completion_error(enum ibv_wc_status status)
{
	switch (status) {
	case IBV_WC_SUCCESS:
		return 0;
	case IBV_WC_WR_FLUSH_ERR:
		return -ECANCELED;
	case IBV_WC_RETRY_EXC_ERR:
	case IBV_WC_RNR_RETRY_EXC_ERR:
		return -ETIMEDOUT;
	case IBV_WC_REM_ACCESS_ERR:
	case IBV_WC_LOC_PROT_ERR:
		return -EACCES;
	case IBV_WC_LOC_LEN_ERR:
		return -EMSGSIZE;
	default:
		return -EIO;
	}
}

static void completion_event(struct rtrs_rdma_connection *connection, const struct ibv_wc *wc,
			     struct rtrs_link_event *ret)
{
	*ret = (struct rtrs_link_event){
		.type = wc->wr_id & IS_RECEIVE ? RTRS_LINK_RECEIVED : RTRS_LINK_SENT,
		.connection = &connection->base,
		.error = completion_error(wc->status),
		.id = wc->wr_id >> 1,
	};
	if (ret->error || ret->type != RTRS_LINK_RECEIVED)
		return;
	ret->length = wc->opcode == IBV_WC_RECV ? wc->byte_len : 0;
	ret->has_imm = wc->wc_flags & IBV_WC_WITH_IMM;
	if (ret->has_imm)
		ret->imm = be32toh(wc->imm_data);
}

int rtrsi_rdma_completion(struct rtrs_rdma_connection *connection, struct rtrs_link_event *ret)
{
	struct ibv_wc wc;
	int count, err = 0;

	/*
	 * Request a notification before polling once more, so that no completion is missed in
	 * between.
	 */
	for (int armed = 0; armed < 2 && !err; armed++) {
		count = ibv_poll_cq(connection->cq, 1, &wc);
		if (count > 0) {
			completion_event(connection, &wc, ret);
			return 1;
		}
		if (count < 0)
			err = -EIO;
		else if (!armed)
			err = -ibv_req_notify_cq(connection->cq, 0);
	}
	/* Nobody would hear of what completes later. */
	return err ? rtrsi_rdma_ends(connection, err, ret) : 0;
}
