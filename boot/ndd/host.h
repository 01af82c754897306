/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The host's name, and notification when it changes. */
#ifndef NDD_HOST_H
#define NDD_HOST_H

#include <stddef.h>

/*
 * Returns a descriptor that reports POLLPRI after the name changed since it was opened or last polled.
 * -errno if there is no /proc: then there is no notification.
 */
int ndd_host_watch(void);

/* The name now; empty while the host has none. */
void ndd_host_name(char *ret, size_t size);

#endif
