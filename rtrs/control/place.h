/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The directory of control sockets, which only its owner can enter: $HOLDFAST_RTRS_CONTROL if that is an absolute
 * path, and none at all if it is "off"; /run/holdfast/rtrs for root; holdfast/rtrs in the runtime directory of
 * another user (shared/runtime_dir.h).
 */
#ifndef RTRS_CONTROL_PLACE_H
#define RTRS_CONTROL_PLACE_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "shared/attr.h"

/* A descriptor of it, which is made if need be. -ENOENT: there is none; -EACCES: others can enter it. */
int rtrsi_control_place(bool make) HF_MUST_CHECK;
/* The same for a directory that the user gave. */
int rtrsi_control_place_at(const char *path) HF_MUST_CHECK HF_NONNULL;

/* A socket's name begins with the number of its process, and a dot. */
enum { RTRS_CONTROL_NAME_SIZE = 32 };

/* The address of a socket in it, however long the directory's path is. -ENAMETOOLONG. */
int rtrsi_control_address(int place, const char *name,
			  struct sockaddr_un *ret) HF_MUST_CHECK HF_NONNULL;

#endif
