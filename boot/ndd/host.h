/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The host's name, and when it changes. */
#ifndef NDD_HOST_H
#define NDD_HOST_H

#include <stddef.h>

/*
 * A descriptor to poll for POLLPRI: it tells of every change since it was opened, or since it was last
 * polled. -errno where there is no /proc, and then nobody tells.
 */
int ndd_host_watch(void);

/* The name now; empty while the host has none. */
void ndd_host_name(char *ret, size_t size);

#endif
