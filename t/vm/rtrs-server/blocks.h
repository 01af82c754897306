/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Files as block devices. */
#ifndef HF_VM_RTRS_SERVER_BLOCKS_H
#define HF_VM_RTRS_SERVER_BLOCKS_H

#include <stdbool.h>
#include <stdint.h>

#include "rtrs/rnbd/server.h"

int blocks_begin(const char *directory, uint32_t max_io, struct rtrs_rnbd_server *server);
void blocks_end(void);
bool blocks_are_slow(void);
int blocks_do(const struct rtrs_rnbd_job *job, uint8_t *data);

#endif
