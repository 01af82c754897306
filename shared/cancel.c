/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts what keeps each thread from being cancelled. */
#include <pthread.h>

#include "shared/cancel.h"

static _Thread_local struct {
	unsigned int blocks;
	int state_before; /* the first of them */
} this_thread;

/* Each call sets the state: a program that holds a lock of ours may have set another one meanwhile. */
void hfi_cancel_block(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	if (this_thread.blocks++ == 0)
		this_thread.state_before = before;
}

/* A program may end what it has not begun, with ibv_wr_complete(). */
void hfi_cancel_unblock(void)
{
	if (this_thread.blocks && --this_thread.blocks == 0)
		pthread_setcancelstate(this_thread.state_before, NULL);
}
