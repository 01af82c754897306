/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* An inotify descriptor, of which a user may have few: 128 by default in all processes together. */
#ifndef HF_NOTIFY_INOTIFY_FD_H
#define HF_NOTIFY_INOTIFY_FD_H

#include "shared/attr.h"

/*
 * A new one, non-blocking and close-on-exec. -EUSERS when the user has too many of them, which says
 * nothing of the descriptors of this process: -EMFILE, -ENFILE, -ENOMEM.
 */
int hfi_inotify_fd_new(void) HF_MUST_CHECK;

#endif
