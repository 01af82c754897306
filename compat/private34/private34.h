/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A private ABI passes a kernel command as a request and a response buffer. Each has a core part,
 * defined in <rdma/ib_user_verbs.h>, followed by the driver's part. The functions of this directory
 * separate the parts and call the hf_provider_* function of the command.
 */
#ifndef HF_COMPAT_PRIVATE34_H
#define HF_COMPAT_PRIVATE34_H

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <rdma/ib_user_verbs.h>

#include <holdfast-provider/provider.h>

#include "compat/private34/nodes.h"
#include "core/compat_calls.h"

/* The size of a request's core part: header and payload. */
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
 * Finds the driver's part of each buffer; NULL if it is empty or there is no buffer. Returns 0, or
 * EINVAL if a buffer is shorter than its core part: the provider was built for another ABI.
 */
static inline int hf_frame_split(const struct hf_frame *frame, struct hf_driver_data *ret_data)
{
	struct hf_driver_data data = {0};
	const bool no_request = !frame->request && !frame->request_size;

	/* A provider without driver data may pass no request (rxe for a CQ): the core makes its own. */
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

/* Returns `err` and sets errno as well: some providers return NULL on failure without setting it. */
static inline int hf_answer(int err)
{
	if (err)
		errno = err;
	return err;
}

#endif
