/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Where the threads of a process are blocked, from /proc. With this a test waits until another thread is
 * blocked, instead of sleeping for some time.
 */
#ifndef HF_TEST_ASLEEP_H
#define HF_TEST_ASLEEP_H

#include <sys/syscall.h>
#include <sys/types.h>

/* The system call of poll(). */
#ifdef SYS_poll
enum { ASLEEP_POLL = SYS_poll };
#else
enum { ASLEEP_POLL = SYS_ppoll };
#endif

/*
 * The number of threads of a process, without the calling one, that are blocked in this system call (a
 * number of <sys/syscall.h>). A thread that was woken is not blocked, even before it runs. If /proc does
 * not show the system call, any sleeping thread counts.
 */
unsigned int asleep_count(pid_t pid, long call);

/* Wait until that many threads of this process, or one of another process, are blocked; abort if they hang. */
void asleep_wait(long call, unsigned int threads);
void asleep_wait_process(pid_t pid, long call);

/*
 * The number of armed timerfds of a process; -1 if /proc does not show them. A process that has none
 * stays asleep until it is woken from outside.
 */
int armed_timers(pid_t pid);
/* The same for those that make this epoll set readable. */
int armed_timers_in(int epoll);

#endif
