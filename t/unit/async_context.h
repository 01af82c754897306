/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A context whose asynchronous events the test writes into a pipe. Included once by each. */
#ifndef HF_TEST_ASYNC_CONTEXT_H
#define HF_TEST_ASYNC_CONTEXT_H

#include <unistd.h>

#include "t/unit/queues.h"

static int async_pipe[2];

static inline struct ibv_context *async_context(void)
{
	struct ibv_context *context = fake_context();
	struct verbs_ex_private *private = hfi_context_of(context)->priv;

	assert_int_equal(pipe(async_pipe), 0);
	assert_int_equal(hfi_wait_init(&private->async, NULL, async_pipe[0]), 0);
	context->async_fd = private->async.fd;
	return context;
}

static inline void async_context_end(struct ibv_context *context)
{
	struct verbs_ex_private *private = hfi_context_of(context)->priv;

	hfi_delivered_fini(&private->uverbs.delivered);
	hfi_wait_fini(&private->async);
	close(async_pipe[1]);
	fake_context_end();
}

#endif
