/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens an inotify descriptor. A user has 128 by default, in all processes together. */
#ifndef HF_NOTIFY_INOTIFY_FD_H
#define HF_NOTIFY_INOTIFY_FD_H

#include "shared/attr.h"

/*
 * Non-blocking and close-on-exec. -EUSERS if the user has too many of them, which says nothing
 * about this process's descriptors: for these -EMFILE, -ENFILE, -ENOMEM.
 */
int hfi_inotify_fd_new(void) HF_MUST_CHECK;

#endif
