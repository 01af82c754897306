/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Goes into the background, for a start without systemd. */
#ifndef NDD_BACKGROUND_H
#define NDD_BACKGROUND_H

/*
 * Forks and returns in the child, with a descriptor for ndd_background_ready(). The parent waits until
 * the child is ready or fails, and exits with a status accordingly. Returns -errno if it cannot fork.
 */
int ndd_background(void);
void ndd_background_ready(int *fd);

#endif
