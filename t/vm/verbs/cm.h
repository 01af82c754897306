/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connects two QPs of an iWARP device. */
#ifndef VM_VERBS_CM_H
#define VM_VERBS_CM_H

#include "t/vm/verbs/rig.h"

/* The descriptor of the connection manager, which keeps the connection. */
int cm_connect(const struct sockaddr_in *address, struct end *ends);

#endif
