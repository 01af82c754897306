/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The control socket in the descriptor of a session or service, at next to no cost for its requests. */
#ifndef RTRS_LIB_CONTROL_ATTACH_H
#define RTRS_LIB_CONTROL_ATTACH_H

#include <stdbool.h>
#include <stdint.h>

#include "rtrs/control/endpoint.h"
#include "rtrs/lib/wait.h"
#include "shared/attr.h"

/* NULL: there is no control socket. */
struct rtrs_control *rtrsi_control_attach(const struct rtrs_control_ops *ops, void *user,
					  struct rtrs_wait *wait) HF_MUST_CHECK HF_NONNULL;

/* Looks whether a control program wants something: only now and then while there are other events. */
void rtrsi_control_serve(struct rtrs_control *control, int64_t *last_ns, bool is_busy,
			 int64_t now_ns) HF_NONNULL;

#endif
