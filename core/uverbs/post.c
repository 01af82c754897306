/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Posts work requests by kernel commands, for drivers whose queues are not mapped. */
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/command.h"
#include "core/uverbs/uverbs.h"

/* An attribute holds less than 64 KiB: a longer list takes several commands. */
enum { BATCH_BYTES_MAX = 32768, STACK_BYTES = 1024 };

/* All three commands begin with these members. */
struct post_head {
	uint64_t response;
	uint32_t handle;
	uint32_t wr_count;
	uint32_t sge_count;
	uint32_t wqe_size;
};

static_assert(sizeof(struct post_head) == sizeof(struct ib_uverbs_post_send), "head of POST_SEND");
static_assert(sizeof(struct post_head) == sizeof(struct ib_uverbs_post_recv), "head of POST_RECV");
static_assert(sizeof(struct post_head) == sizeof(struct ib_uverbs_post_srq_recv),
	      "head of POST_SRQ_RECV");

/* A list of work requests, of whichever kind. */
struct post {
	struct ibv_context *context;
	uint32_t cmd;
	uint32_t handle;
	uint32_t wqe_size;
	const struct ibv_sge *(*sges)(const void *wr, int *count);
	const void *(*next)(const void *wr);
	void (*put)(void *wqe, const void *wr, const void *arg);
	const void *arg; /* of put */
};

/* Returns how many requests fit into one command; 0 when the first one is not acceptable. */
static uint32_t measure_batch(const struct post *post, const void *wr, size_t *bytes,
			      uint32_t *sges)
{
	uint32_t count = 0;

	*bytes = sizeof(struct post_head);
	*sges = 0;
	for (; wr; wr = post->next(wr), count++) {
		size_t size = post->wqe_size;
		int num;

		post->sges(wr, &num);
		if (num < 0 || (size_t)num > BATCH_BYTES_MAX / sizeof(struct ib_uverbs_sge))
			break;
		size += (size_t)num * sizeof(struct ib_uverbs_sge);
		if (*bytes + size > BATCH_BYTES_MAX)
			break;
		*bytes += size;
		*sges += (uint32_t)num;
	}
	return count;
}

static void build_post(const struct post *post, const void *wr, uint32_t count, uint32_t sges,
		       char *to)
{
	const struct post_head head = {
		.handle = post->handle,
		.wr_count = count,
		.sge_count = sges,
		.wqe_size = post->wqe_size,
	};
	char *wqe = to + sizeof(head);
	char *sge = wqe + (size_t)count * post->wqe_size;

	memcpy(to, &head, sizeof(head));
	for (uint32_t i = 0; i < count; i++, wr = post->next(wr)) {
		int num;
		const struct ibv_sge *list = post->sges(wr, &num);

		post->put(wqe, wr, post->arg);
		wqe += post->wqe_size;
		if (num)
			memcpy(sge, list, (size_t)num * sizeof(*list));
		sge += (size_t)num * sizeof(*list);
	}
}

static_assert(sizeof(struct ibv_sge) == sizeof(struct ib_uverbs_sge), "copied as they are");

/* Sends one command. On failure *posted is the number of requests that the kernel accepted. */
static int post_batch(const struct post *post, const void *wr, uint32_t *count, uint32_t *posted)
{
	struct ib_uverbs_post_send_resp response = {0};
	uint64_t small[STACK_BYTES / sizeof(uint64_t)];
	void *buffer = small;
	uint32_t sges;
	size_t bytes;
	int err;

	*posted = 0;
	*count = measure_batch(post, wr, &bytes, &sges);
	if (!*count && wr)
		return EINVAL;
	if (bytes > sizeof(small)) {
		buffer = malloc(bytes);
		if (!buffer)
			return ENOMEM;
	}
	build_post(post, wr, *count, sges, buffer);
	err = hfi_write_command(post->context, post->cmd, buffer, bytes, &response,
				sizeof(response), NULL);
	if (buffer != small)
		free(buffer);
	/* The kernel counts from 1, and leaves 0 if it failed before posting. */
	if (err && response.bad_wr && response.bad_wr <= *count)
		*posted = response.bad_wr - 1;
	return -err;
}

/* Returns the first request that was not posted in *bad. */
static int post_requests(const struct post *post, const void *wr, const void **bad)
{
	int err;

	do {
		uint32_t count;
		uint32_t posted;

		err = post_batch(post, wr, &count, &posted);
		for (uint32_t i = 0; i < (err ? posted : count); i++)
			wr = post->next(wr);
	} while (!err && wr);
	if (err)
		*bad = wr;
	return err;
}

static const struct ibv_sge *send_sges(const void *wr, int *count)
{
	const struct ibv_send_wr *send = wr;

	*count = send->num_sge;
	return send->sg_list;
}

static const void *send_next(const void *wr)
{
	return ((const struct ibv_send_wr *)wr)->next;
}

static void put_send(void *wqe, const void *wr, const void *arg)
{
	const struct ibv_send_wr *from = wr;
	const struct ibv_qp *qp = arg;
	struct ib_uverbs_send_wr to = {
		.wr_id = from->wr_id,
		.num_sge = (uint32_t)from->num_sge,
		.opcode = from->opcode,
		.send_flags = from->send_flags,
		.ex.imm_data = from->imm_data, /* or invalidate_rkey: one union there and here */
	};

	if (qp->qp_type == IBV_QPT_UD) {
		to.wr.ud.ah = from->wr.ud.ah ? from->wr.ud.ah->handle : 0;
		to.wr.ud.remote_qpn = from->wr.ud.remote_qpn;
		to.wr.ud.remote_qkey = from->wr.ud.remote_qkey;
	} else if (from->opcode == IBV_WR_RDMA_WRITE ||
		   from->opcode == IBV_WR_RDMA_WRITE_WITH_IMM || from->opcode == IBV_WR_RDMA_READ) {
		to.wr.rdma.remote_addr = from->wr.rdma.remote_addr;
		to.wr.rdma.rkey = from->wr.rdma.rkey;
	} else if (from->opcode == IBV_WR_ATOMIC_CMP_AND_SWP ||
		   from->opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
		to.wr.atomic.remote_addr = from->wr.atomic.remote_addr;
		to.wr.atomic.compare_add = from->wr.atomic.compare_add;
		to.wr.atomic.swap = from->wr.atomic.swap;
		to.wr.atomic.rkey = from->wr.atomic.rkey;
	}
	memcpy(wqe, &to, sizeof(to));
}

/*
 * A doorbell: notifies a driver with mapped queues of new requests. True if the kernel accepted it.
 */
static bool ring(const struct ibv_qp *qp)
{
	struct ib_uverbs_post_send_resp response;
	const struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct post_head head;
	} request = {
		.hdr =
			{
				.command = IB_USER_VERBS_CMD_POST_SEND,
				.in_words = sizeof(request) / 4,
				.out_words = sizeof(response) / 4,
			},
		.head =
			{
				.response = (uintptr_t)&response,
				.handle = qp->handle,
				.wqe_size = sizeof(struct ib_uverbs_send_wr),
			},
	};

	return hfi_command_written(qp->context, &request, sizeof(request));
}

/* Not inlined: a doorbell, sent for each message, need not initialise all of this. */
static __attribute__((noinline)) int post_sends(struct ibv_qp *qp, struct ibv_send_wr *wr,
						struct ibv_send_wr **bad)
{
	const struct post post = {
		.context = qp->context,
		.cmd = IB_USER_VERBS_CMD_POST_SEND,
		.handle = qp->handle,
		.wqe_size = sizeof(struct ib_uverbs_send_wr),
		.sges = send_sges,
		.next = send_next,
		.put = put_send,
		.arg = qp,
	};
	const void *left = NULL;
	int err;

	err = post_requests(&post, wr, &left);
	if (err && wr)
		*bad = (struct ibv_send_wr *)left;
	return err;
}

HF_EXPORT int hf_provider_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr,
				    struct ibv_send_wr **bad)
{
	return !wr && ring(qp) ? 0 : post_sends(qp, wr, bad);
}

static const struct ibv_sge *recv_sges(const void *wr, int *count)
{
	const struct ibv_recv_wr *recv = wr;

	*count = recv->num_sge;
	return recv->sg_list;
}

static const void *recv_next(const void *wr)
{
	return ((const struct ibv_recv_wr *)wr)->next;
}

static void put_recv(void *wqe, const void *wr, const void *arg)
{
	const struct ibv_recv_wr *from = wr;
	const struct ib_uverbs_recv_wr to = {
		.wr_id = from->wr_id,
		.num_sge = (uint32_t)from->num_sge,
	};

	(void)arg;
	memcpy(wqe, &to, sizeof(to));
}

static int post_receives(struct ibv_context *context, uint32_t cmd, uint32_t handle,
			 struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	const struct post post = {
		.context = context,
		.cmd = cmd,
		.handle = handle,
		.wqe_size = sizeof(struct ib_uverbs_recv_wr),
		.sges = recv_sges,
		.next = recv_next,
		.put = put_recv,
	};
	const void *left = NULL;
	const int err = post_requests(&post, wr, &left);

	if (err && wr)
		*bad = (struct ibv_recv_wr *)left;
	return err;
}

HF_EXPORT int hf_provider_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr,
				    struct ibv_recv_wr **bad)
{
	return post_receives(qp->context, IB_USER_VERBS_CMD_POST_RECV, qp->handle, wr, bad);
}

HF_EXPORT int hf_provider_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr,
					struct ibv_recv_wr **bad)
{
	return post_receives(srq->context, IB_USER_VERBS_CMD_POST_SRQ_RECV, srq->handle, wr, bad);
}
