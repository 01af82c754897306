/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Going into the background, for a start without systemd. */
#ifndef NDD_BACKGROUND_H
#define NDD_BACKGROUND_H

/*
 * Returns in a child with a descriptor for ndd_background_ready(); the parent waits there until the
 * child is ready, or fails, and ends with the status that says so. -errno, and then there is no child.
 */
int ndd_background(void);
void ndd_background_ready(int *fd);

#endif
