/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Threads of ours within a program: they handle no signals, which are for the program's own threads. */
#ifndef HF_SHARED_THREAD_H
#define HF_SHARED_THREAD_H

#include <pthread.h>
#include <signal.h>

/* Returns 0 or -errno. */
static inline int hfi_thread_start(pthread_t *ret, void *(*run)(void *arg), void *arg)
{
	sigset_t all, before;
	int err;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	err = pthread_create(ret, NULL, run, arg);
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return -err;
}

#endif
