/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Keeps a thread from being cancelled while it holds a lock, which would stay locked. */
#ifndef HF_SHARED_CANCEL_H
#define HF_SHARED_CANCEL_H

#include <pthread.h>

/* Returns the state before, which hfi_cancel_restore() takes. Pairs in one thread must nest. */
static inline int hfi_cancel_disable(void)
{
	int before;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &before);
	return before;
}

static inline void hfi_cancel_restore(int before)
{
	pthread_setcancelstate(before, NULL);
}

#endif
