/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Private ABI 34 passes a kernel command as two buffers, each a core part that the kernel's
 * <rdma/ib_user_verbs.h> describes, and after it the driver's own. Here they are taken apart; what
 * the command does is hf_provider_*.
 */
#ifndef HF_COMPAT_PRIVATE34_H
#define HF_COMPAT_PRIVATE34_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "core/compat_calls.h"

/* A function of node IBVERBS_PRIVATE_34, which has one version of each name: no symver is needed. */
#define HF_PRIVATE34 __attribute__((visibility("default")))

/* Sizes of the core part of a request: header and payload. */
#define HF_FRAME(type)	  (sizeof(struct ib_uverbs_cmd_hdr) + sizeof(type))
#define HF_FRAME_EX(type) (HF_FRAME(type) + sizeof(struct ib_uverbs_ex_cmd_hdr))

struct hf_frame {
	const void *request; /* NULL: the command has none */
	size_t request_size;
	size_t request_core; /* HF_FRAME(), HF_FRAME_EX(), or 0 */
	void *response;	     /* NULL: the command has none */
	size_t response_size;
	size_t response_core;
};

/*
 * Finds the driver's part of each buffer; a part of no bytes is NULL. No buffer has no
 * driver's part. 0, or EINVAL where a buffer is shorter than its core part, which the provider then
 * was not built for.
 */
static inline int hf_frame_split(const struct hf_frame *frame, struct hf_driver_data *ret_data)
{
	struct hf_driver_data data = {0};
	const bool no_request = !frame->request && !frame->request_size;

	/* Some pass no request where they have nothing to add (rxe for a CQ): the core makes its own. */
	if ((!no_request && frame->request_size < frame->request_core) ||
	    frame->response_size < frame->response_core)
		return EINVAL;
	if ((!frame->request && frame->request_size) || (!frame->response && frame->response_size))
		return EINVAL;
	if (!no_request)
		data.in_size = frame->request_size - frame->request_core;
	if (data.in_size)
		data.in = (const char *)frame->request + frame->request_core;
	data.out_size = frame->response_size - frame->response_core;
	if (data.out_size)
		data.out = (char *)frame->response + frame->response_core;
	*ret_data = data;
	return 0;
}

/* For what providers hand on as they got it: some return NULL then, and leave errno as it is. */
static inline int hf_answer(int err)
{
	if (err)
		errno = err;
	return err;
}

#endif
