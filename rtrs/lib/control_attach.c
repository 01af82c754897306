/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Decides when to look at the control socket. */
#include "rtrs/lib/control_attach.h"

/*
 * The descriptor stays readable until the socket was looked at, so whoever waits comes back at once. Each look is a
 * system call, which one who polls without waiting must not pay each time.
 */
enum { IDLE_NS = 100000, BUSY_NS = 10000000 };

struct rtrs_control *rtrsi_control_attach(const struct rtrs_control_ops *ops, void *user,
					  struct rtrs_wait *wait)
{
	struct rtrs_control *control = rtrsi_control_open(ops, user);

	if (!control || !rtrsi_wait_add(wait, control->epoll))
		return control;
	rtrsi_control_close(control);
	return NULL;
}

void rtrsi_control_serve(struct rtrs_control *control, int64_t *last_ns, bool is_busy,
			 int64_t now_ns)
{
	if (now_ns - *last_ns < (is_busy ? BUSY_NS : IDLE_NS))
		return;
	*last_ns = now_ns;
	rtrsi_control_dispatch(control);
}
