/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Creates, arms and destroys completion queues. The kernel driver cannot resize them. */
#include <errno.h>
#include <stdlib.h>

#include "providers/siw/siw.h"

static void siw_free_cq(struct siw_cq *cq)
{
	siw_array_unmap(&cq->array);
	free(cq);
}

static int map_array(struct siw_cq *cq, const struct siw_uresp_create_cq *response)
{
	int err = siw_array_map(&cq->array, cq->verbs.cq.context->cmd_fd, response->cq_key,
				response->num_cqe, sizeof(struct siw_cqe), sizeof(*cq->control));

	if (err)
		return err;
	cq->control = (struct siw_cq_ctrl *)((struct siw_cqe *)cq->array.start + response->num_cqe);
	return 0;
}

/* Finishes a creation that the kernel answered with `err`: maps the array, or frees the CQ. */
static struct siw_cq *siw_finish_cq(struct siw_cq *cq, int err,
				    const struct siw_uresp_create_cq *response)
{
	if (err)
		goto free_cq;
	err = map_array(cq, response);
	if (err)
		goto destroy_cq;
	return cq;

destroy_cq:
	hf_provider_destroy_cq(&cq->verbs.cq);
free_cq:
	siw_free_cq(cq);
	errno = err;
	return NULL;
}

struct ibv_cq *siw_create_cq(struct ibv_context *context, int cqe, struct ibv_comp_channel *channel,
			     int comp_vector)
{
	struct siw_uresp_create_cq response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct siw_cq *cq = calloc(1, sizeof(*cq));
	int err;

	if (!cq)
		return NULL;
	err = hf_provider_create_cq(context, cqe, channel, comp_vector, &cq->verbs.cq, &data);
	cq = siw_finish_cq(cq, err, &response);
	return cq ? &cq->verbs.cq : NULL;
}

struct ibv_cq_ex *siw_create_cq_ex(struct ibv_context *context, struct ibv_cq_init_attr_ex *attr)
{
	struct siw_uresp_create_cq response = {0};
	const struct hf_driver_data data = {.out = &response, .out_size = sizeof(response)};
	struct siw_cq *cq;
	int err;

	if (!cq_ex_supported(attr)) {
		errno = EOPNOTSUPP;
		return NULL;
	}
	cq = calloc(1, sizeof(*cq));
	if (!cq)
		return NULL;
	cq->unlocked = cq_ex_single_threaded(attr);
	err = hf_provider_create_cq_ex(context, attr, &cq->verbs, &data, 0);
	cq = siw_finish_cq(cq, err, &response);
	if (!cq)
		return NULL;
	siw_set_cq_calls(&cq->verbs.cq_ex, attr->wc_flags);
	return &cq->verbs.cq_ex;
}

/*
 * Arms the CQ without a system call: the kernel reads the flags after each completion. A full
 * barrier, so that a program that polls once more after this sees every completion that the kernel
 * wrote before it could see the flags. The flag is added: a CQ armed for every completion stays so.
 */
int siw_req_notify_cq(struct ibv_cq *ibv, int solicited_only)
{
	struct siw_cq *cq = container_of(ibv, struct siw_cq, verbs.cq);

	__atomic_fetch_or(&cq->control->flags,
			  solicited_only ? SIW_NOTIFY_SOLICITED : SIW_NOTIFY_ALL, __ATOMIC_SEQ_CST);
	return 0;
}

int siw_destroy_cq(struct ibv_cq *ibv)
{
	int err = hf_provider_destroy_cq(ibv);

	if (!err)
		siw_free_cq(container_of(ibv, struct siw_cq, verbs.cq));
	return err;
}
