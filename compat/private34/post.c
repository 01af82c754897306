/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Private ABI 34: posting work requests through the kernel. */
#include "compat/private34/queues.h"

HF_IN_ALL(ibv_cmd_post_send)
int ibv_cmd_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	return hf_answer(hf_compat_calls.hf_provider_post_send(qp, wr, bad));
}

HF_IN_ALL(ibv_cmd_post_recv)
int ibv_cmd_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	return hf_answer(hf_compat_calls.hf_provider_post_recv(qp, wr, bad));
}

HF_IN_ALL(ibv_cmd_post_srq_recv)
int ibv_cmd_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	return hf_answer(hf_compat_calls.hf_provider_post_srq_recv(srq, wr, bad));
}
