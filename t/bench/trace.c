/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Counts the system calls of a program between marks, with ptrace. */
#include <errno.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>

#include "t/bench/trace.h"

/* Names of calls that a list may make. Others are printed as numbers. */
static const struct {
	long number;
	const char *name;
} names[] = {
	{SYS_access, "access"},
	{SYS_brk, "brk"},
	{SYS_close, "close"},
	{SYS_epoll_wait, "epoll_wait"},
	{SYS_fcntl, "fcntl"},
	{SYS_fstat, "fstat"},
	{SYS_futex, "futex"},
	{SYS_getdents64, "getdents64"},
	{SYS_getpid, "getpid"},
	{SYS_lseek, "lseek"},
	{SYS_lstat, "lstat"},
	{SYS_mmap, "mmap"},
	{SYS_mprotect, "mprotect"},
	{SYS_munmap, "munmap"},
	{SYS_newfstatat, "fstatat"},
	{SYS_open, "open"},
	{SYS_openat, "openat"},
	{SYS_poll, "poll"},
	{SYS_ppoll, "ppoll"},
	{SYS_pread64, "pread"},
	{SYS_read, "read"},
	{SYS_readlink, "readlink"},
	{SYS_readlinkat, "readlinkat"},
	{SYS_recvmsg, "recvmsg"},
	{SYS_socket, "socket"},
	{SYS_stat, "stat"},
	{SYS_statfs, "statfs"},
	{SYS_statx, "statx"},
	{SYS_write, "write"},
};

static const char *call_name(long number, char text[16])
{
	for (size_t i = 0; i < sizeof(names) / sizeof(names[0]); i++) {
		if (names[i].number == number)
			return names[i].name;
	}
	snprintf(text, 16, "#%ld", number);
	return text;
}

static void run_child(char *const argv[], int output)
{
	if (dup2(output, STDOUT_FILENO) < 0 || ptrace(PTRACE_TRACEME, 0, 0, 0) < 0)
		_exit(errno == EPERM ? 126 : 125);
	execv(argv[0], argv);
	_exit(127);
}

/* Counts the call at which the child stopped, and continues it to its next stop. 1: it ended. */
static int follow_syscalls(pid_t pid, int *status, enum trace_section *section, struct trace *ret)
{
	struct __ptrace_syscall_info info;
	int signal = 0;

	if (WIFEXITED(*status) || WIFSIGNALED(*status))
		return 1;
	if (WSTOPSIG(*status) == (SIGTRAP | 0x80)) {
		if (ptrace(PTRACE_GET_SYSCALL_INFO, pid, sizeof(info), &info) < 0)
			return -errno;
		if (info.op == PTRACE_SYSCALL_INFO_ENTRY) {
			uint64_t number = info.entry.nr, mark = info.entry.args[0];

			if (number == SYS_prctl && (mark & ~0xffull) == TRACE_MAGIC) {
				*section = (mark & 0xff) % TRACE_SECTIONS;
			} else {
				ret->total[*section]++;
				if (number < TRACE_CALLS)
					ret->calls[*section][number]++;
			}
		}
	} else if (WSTOPSIG(*status) != SIGTRAP) {
		signal = WSTOPSIG(*status);
	}
	if (ptrace(PTRACE_SYSCALL, pid, 0, signal) < 0 || waitpid(pid, status, 0) < 0)
		return -errno;
	return 0;
}

int trace_run(char *const argv[], int output, struct trace *ret)
{
	enum trace_section section = TRACE_NONE;
	int status, err;
	pid_t pid;

	memset(ret, 0, sizeof(*ret));
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0)
		run_child(argv, output);
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (WIFEXITED(status))
		return WEXITSTATUS(status) == 126 ? -EPERM : -ECHILD;
	if (ptrace(PTRACE_SETOPTIONS, pid, 0, PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL) < 0) {
		err = -errno;
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return err;
	}
	do {
		err = follow_syscalls(pid, &status, &section, ret);
	} while (err == 0);
	if (err < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, 0);
		return err;
	}
	return WIFEXITED(status) && WEXITSTATUS(status) == 0 ? 0 : -ECHILD;
}

void trace_describe(const struct trace *trace, enum trace_section section, int n, char *text,
		    size_t size)
{
	unsigned long last = ~0ul;
	size_t used = 0;
	int last_call = -1;

	text[0] = '\0';
	/* Pick the calls in order of descending count, then of number. */
	for (int i = 0; i < n; i++) {
		int best = -1;
		char name[16];

		for (int k = 0; k < TRACE_CALLS; k++) {
			unsigned long count = trace->calls[section][k];

			if (!count || count > last || (count == last && k <= last_call))
				continue;
			if (best < 0 || count > trace->calls[section][best])
				best = k;
		}
		if (best < 0 || used >= size)
			return;
		last = trace->calls[section][best];
		last_call = best;
		used += (size_t)snprintf(text + used, size - used, "%s%s %lu", i ? ", " : "",
					 call_name(best, name), last);
	}
}
