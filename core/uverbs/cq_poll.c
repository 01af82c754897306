/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Polls and arms completion queues by kernel commands, for drivers whose queues are not mapped. */
#include <errno.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "shared/attr.h"
#include "core/uverbs/command.h"
#include "core/uverbs/uverbs.h"

enum { BATCH = 32 };

struct poll_response {
	struct ib_uverbs_poll_cq_resp head;
	struct ib_uverbs_wc wc[BATCH];
};

static void convert_wc(struct ibv_wc *to, const struct ib_uverbs_wc *from)
{
	*to = (struct ibv_wc){
		.wr_id = from->wr_id,
		.status = (enum ibv_wc_status)from->status,
		.opcode = (enum ibv_wc_opcode)from->opcode,
		.vendor_err = from->vendor_err,
		.byte_len = from->byte_len,
		.imm_data = from->ex.imm_data, /* or invalidated_rkey: one union there and here */
		.qp_num = from->qp_num,
		.src_qp = from->src_qp,
		.wc_flags = from->wc_flags,
		.pkey_index = from->pkey_index,
		.slid = from->slid,
		.sl = from->sl,
		.dlid_path_bits = from->dlid_path_bits,
	};
}

/* Returns the number of completions, at most `count` and BATCH, or -errno. */
static int poll_batch(struct ibv_cq *cq, int count, struct ibv_wc *wc)
{
	struct ib_uverbs_poll_cq request = {.cq_handle = cq->handle};
	struct poll_response response;
	int err;

	request.ne = count < BATCH ? (uint32_t)count : BATCH;
	response.head.count = 0;
	err = hfi_write_command(cq->context, IB_USER_VERBS_CMD_POLL_CQ, &request, sizeof(request),
				&response,
				sizeof(response.head) + request.ne * sizeof(response.wc[0]), NULL);
	if (err)
		return err;
	if (response.head.count > request.ne)
		return -EIO;
	for (uint32_t i = 0; i < response.head.count; i++)
		convert_wc(&wc[i], &response.wc[i]);
	return (int)response.head.count;
}

HF_EXPORT int hf_provider_poll_cq(struct ibv_cq *cq, int num_entries, struct ibv_wc *wc)
{
	int polled = 0;

	while (polled < num_entries) {
		const int wanted = num_entries - polled;
		const int got = poll_batch(cq, wanted, wc + polled);

		/* Return the completions that were already taken from the queue, not the error. */
		if (got < 0 && !polled) {
			errno = -got;
			return -1;
		}
		if (got > 0)
			polled += got;
		if (got < wanted && got < BATCH)
			break;
	}
	return polled;
}

HF_EXPORT int hf_provider_req_notify_cq(struct ibv_cq *cq, int solicited_only)
{
	const struct {
		struct ib_uverbs_cmd_hdr hdr;
		struct ib_uverbs_req_notify_cq body;
	} request = {
		.hdr =
			{
				.command = IB_USER_VERBS_CMD_REQ_NOTIFY_CQ,
				.in_words = sizeof(request) / 4,
			},
		.body = {.cq_handle = cq->handle, .solicited_only = solicited_only != 0},
	};

	if (hfi_command_written(cq->context, &request, sizeof(request)))
		return 0;
	return -hfi_write_command(cq->context, IB_USER_VERBS_CMD_REQ_NOTIFY_CQ, &request.body,
				  sizeof(request.body), NULL, 0, NULL);
}
