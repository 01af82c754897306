/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the threads of a process are, as /proc shows it: with this a test waits until another thread has
 * arrived somewhere instead of sleeping for a while and hoping so.
 */
#ifndef HF_TEST_ASLEEP_H
#define HF_TEST_ASLEEP_H

#include <sys/syscall.h>
#include <sys/types.h>

/* What poll() calls. */
#ifdef SYS_poll
enum { ASLEEP_POLL = SYS_poll };
#else
enum { ASLEEP_POLL = SYS_ppoll };
#endif

/*
 * How many threads of a process, other than the calling one, are blocked in this system call (a number
 * of <sys/syscall.h>). One that was woken up is not blocked any more, even before it runs. Where /proc
 * does not tell the system call, any sleep counts.
 */
unsigned int asleep_count(pid_t pid, long call);

/* Waits until that many threads of this process are, or of another one; aborts when it takes for ever. */
void asleep_wait(long call, unsigned int threads);
void asleep_wait_process(pid_t pid, long call);

/*
 * How many timers of a process (timerfd) will expire in the future, -1 where /proc does not tell.
 * A process that has none and is not woken from outside stays asleep.
 */
int armed_timers(pid_t pid);
/* The same for those that make this epoll set readable. */
int armed_timers_in(int epoll);

#endif
