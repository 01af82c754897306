/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The errors that each system call can return. */
#include <errno.h>
#include <stddef.h>
#include <sys/syscall.h>

#include "t/fault/calls.h"

#define ERRORS(...) ((const int[]){__VA_ARGS__, 0})

#define FILE_ERRORS ERRORS(ENOENT, EACCES, EIO, ENODEV, ENOMEM, EINTR, ELOOP)
#define OPEN_ERRORS ERRORS(EMFILE, ENFILE, ENOMEM, EINTR, EIO, ENODEV, ENXIO, ENOENT, EACCES, EPERM)
#define READ_ERRORS ERRORS(EINTR, EIO, ENODEV, ENOMEM, EACCES)
#define SEND_ERRORS ERRORS(ENOBUFS, ENOMEM, EINTR, EAGAIN, EPERM, ECONNREFUSED)
#define RECV_ERRORS ERRORS(EINTR, EAGAIN, ENOBUFS, ENOMEM)
#define FD_ERRORS   ERRORS(EMFILE, ENFILE, ENOMEM)
#define WAIT_ERRORS ERRORS(EINTR, ENOMEM)

static const struct row {
	long nr;
	const char *name;
	const int *errors;
} rows[] = {
	/* Files. */
	{SYS_openat, "openat", OPEN_ERRORS},
#ifdef SYS_open
	{SYS_open, "open", OPEN_ERRORS},
	{SYS_stat, "stat", FILE_ERRORS},
	{SYS_lstat, "lstat", FILE_ERRORS},
	{SYS_access, "access", FILE_ERRORS},
	{SYS_readlink, "readlink", FILE_ERRORS},
	{SYS_poll, "poll", WAIT_ERRORS},
	{SYS_select, "select", WAIT_ERRORS},
	{SYS_epoll_wait, "epoll_wait", ERRORS(EINTR)},
	{SYS_pipe, "pipe", FD_ERRORS},
	{SYS_dup2, "dup2", ERRORS(EMFILE, EINTR)},
#endif
	{SYS_read, "read", READ_ERRORS},
	{SYS_pread64, "pread64", READ_ERRORS},
	{SYS_write, "write", ERRORS(EINTR, EIO, EAGAIN, ENOSPC)},
	{SYS_getdents64, "getdents64", ERRORS(EIO, ENOENT, ENOMEM)},
	{SYS_fstat, "fstat", ERRORS(EIO, ENOMEM)},
	{SYS_newfstatat, "newfstatat", FILE_ERRORS},
	{SYS_statx, "statx", FILE_ERRORS},
	{SYS_statfs, "statfs", FILE_ERRORS},
	{SYS_fstatfs, "fstatfs", ERRORS(EIO, EINTR, ENOMEM)},
	{SYS_faccessat, "faccessat", FILE_ERRORS},
	{SYS_faccessat2, "faccessat2", FILE_ERRORS},
	{SYS_readlinkat, "readlinkat", FILE_ERRORS},
	{SYS_ioctl, "ioctl", ERRORS(EIO, ENODEV, ENOMEM, EINTR, EPERM)},
	{SYS_dup, "dup", FD_ERRORS},
	{SYS_dup3, "dup3", ERRORS(EMFILE, EINTR)},
	{SYS_pipe2, "pipe2", FD_ERRORS},
	/* Waiting. */
	{SYS_ppoll, "ppoll", WAIT_ERRORS},
	{SYS_pselect6, "pselect6", WAIT_ERRORS},
	{SYS_epoll_create1, "epoll_create1", FD_ERRORS},
	{SYS_epoll_ctl, "epoll_ctl", ERRORS(ENOMEM, ENOSPC)},
	{SYS_epoll_pwait, "epoll_pwait", ERRORS(EINTR)},
	{SYS_eventfd2, "eventfd2", FD_ERRORS},
	{SYS_timerfd_create, "timerfd_create", FD_ERRORS},
	{SYS_signalfd4, "signalfd4", FD_ERRORS},
	{SYS_inotify_init1, "inotify_init1", FD_ERRORS},
	{SYS_inotify_add_watch, "inotify_add_watch", ERRORS(ENOSPC, ENOMEM, ENOENT, EACCES)},
	{SYS_clock_nanosleep, "clock_nanosleep", ERRORS(EINTR)},
	{SYS_nanosleep, "nanosleep", ERRORS(EINTR)},
	/* Sockets. */
	{SYS_socket, "socket",
	 ERRORS(EMFILE, ENFILE, ENOBUFS, ENOMEM, EACCES, EPROTONOSUPPORT, EAFNOSUPPORT)},
	{SYS_socketpair, "socketpair", FD_ERRORS},
	{SYS_bind, "bind", ERRORS(ENOMEM, EADDRINUSE, EPERM)},
	{SYS_connect, "connect", ERRORS(ENOMEM, ECONNREFUSED, EINTR)},
	{SYS_getsockname, "getsockname", ERRORS(ENOBUFS)},
	{SYS_setsockopt, "setsockopt", ERRORS(ENOMEM, EPERM, ENOPROTOOPT)},
	{SYS_getsockopt, "getsockopt", ERRORS(ENOPROTOOPT)},
	{SYS_sendto, "sendto", SEND_ERRORS},
	{SYS_sendmsg, "sendmsg", SEND_ERRORS},
	{SYS_recvfrom, "recvfrom", RECV_ERRORS},
	{SYS_recvmsg, "recvmsg", RECV_ERRORS},
	/* Memory. Callers of malloc cannot see a failing munmap, mprotect or brk. */
	{SYS_mmap, "mmap", ERRORS(ENOMEM)},
	{SYS_mremap, "mremap", ERRORS(ENOMEM)},
	{SYS_munmap, "munmap", NULL},
	{SYS_mprotect, "mprotect", NULL},
	{SYS_madvise, "madvise", NULL},
	{SYS_brk, "brk", NULL},
	/* Calls that end something, and calls that cannot fail. */
	{SYS_close, "close", NULL},
	{SYS_inotify_rm_watch, "inotify_rm_watch", NULL},
	{SYS_timerfd_settime, "timerfd_settime", NULL},
	{SYS_lseek, "lseek", NULL},
	{SYS_fcntl, "fcntl", NULL},
	{SYS_futex, "futex", NULL},
	{SYS_getpid, "getpid", NULL},
	{SYS_gettid, "gettid", NULL},
	{SYS_getuid, "getuid", NULL},
	{SYS_geteuid, "geteuid", NULL},
	{SYS_getgid, "getgid", NULL},
	{SYS_getegid, "getegid", NULL},
	{SYS_clock_gettime, "clock_gettime", NULL},
	{SYS_rt_sigprocmask, "rt_sigprocmask", NULL},
	{SYS_rt_sigaction, "rt_sigaction", NULL},
	{SYS_sched_yield, "sched_yield", NULL},
	{SYS_prlimit64, "prlimit64", NULL},
	{SYS_getrandom, "getrandom", ERRORS(EINTR, ENOSYS)},
	{SYS_uname, "uname", NULL},
};

static bool spare_mappings;

void calls_spare_mappings(void)
{
	spare_mappings = true;
}

static const struct row *find_call_row(long nr)
{
	for (size_t i = 0; i < sizeof(rows) / sizeof(rows[0]); i++)
		if (rows[i].nr == nr)
			return &rows[i];
	return NULL;
}

const char *call_name(long nr)
{
	const struct row *row = find_call_row(nr);

	return row ? row->name : NULL;
}

const int *call_errors(long nr)
{
	const struct row *row = find_call_row(nr);

	if (spare_mappings && (nr == SYS_mmap || nr == SYS_mremap))
		return NULL;
	return row ? row->errors : NULL;
}

bool call_can_fail_with(long nr, int error)
{
	const int *errors = call_errors(nr);

	for (; errors && *errors; errors++)
		if (*errors == error)
			return true;
	return false;
}
