/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>

#include "compat/private34/private34.h"

int hf_frame_split(const struct hf_frame *frame, struct hf_driver_data *ret_data)
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
