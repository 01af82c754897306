/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs a function in a traced child and changes a chosen one of its system calls. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/wait.h>

#include "t/fault/calls.h"
#include "t/fault/inject.h"

int inject_run_alone(void (*child)(void *arg), void *arg)
{
	int status = 0;
	pid_t pid = fork();

	if (pid == 0) {
		child(arg);
		_exit(0);
	}
	while (pid > 0 && waitpid(pid, &status, 0) < 0 && errno == EINTR)
		;
	return pid < 0 ? -errno : status;
}

void inject_run_clear(struct inject_run *run)
{
	free(run->calls);
	memset(run, 0, sizeof(*run));
}

#ifdef __x86_64__

#include <signal.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>

/* An option that no kernel has: prctl() returns -EINVAL. */
#define END_MARKER 0x48464e44

enum { MAX_TASKS = 16, MAX_CALLS = 1 << 20 };

static bool traced;

struct task {
	pid_t tid;
	bool inside; /* between entry and exit of a system call */
	bool counted;
	bool failing;
	int error;
	bool shortened;
	unsigned long short_saved;
	size_t call; /* index of the record */
};

struct tracer {
	const struct inject_step *steps;
	size_t num_steps;
	struct inject_run *run;
	struct task tasks[MAX_TASKS];
	bool on; /* between the markers */
};

void inject_begin(void)
{
	if (traced)
		syscall(SYS_tgkill, getpid(), gettid(), SIGTRAP);
}

void inject_end(void)
{
	int saved = errno;

	if (traced)
		syscall(SYS_prctl, END_MARKER, 0, 0, 0, 0);
	traced = false;
	errno = saved;
}

static unsigned long long *argument(struct user_regs_struct *regs, int i)
{
	unsigned long long *const all[] = {&regs->rdi, &regs->rsi, &regs->rdx,
					   &regs->r10, &regs->r8,  &regs->r9};

	return all[i];
}

/* The argument that is the size of the buffer that the kernel fills; -1 for none. */
static int size_argument(long nr)
{
	switch (nr) {
	case SYS_read:
	case SYS_pread64:
	case SYS_getdents64:
	case SYS_readlink:
	case SYS_recvfrom:
		return 2;
	case SYS_readlinkat:
		return 3;
	default:
		return -1;
	}
}

bool inject_can_shorten(const struct inject_call *call, size_t length)
{
	if (call->ret <= 1 || length >= (size_t)call->ret)
		return false;
	return call->nr == SYS_recvmsg || size_argument(call->nr) >= 0;
}

/* The address of the first buffer's length of a recvmsg in the child. */
static unsigned long message_length_at(pid_t tid, unsigned long header)
{
	struct msghdr msg;
	struct iovec here = {&msg, sizeof(msg)};
	struct iovec there = {(void *)header, sizeof(msg)};

	if (process_vm_readv(tid, &here, 1, &there, 1, 0) != (ssize_t)sizeof(msg))
		return 0;
	return (unsigned long)&msg.msg_iov[0].iov_len;
}

static void shorten(struct task *task, struct user_regs_struct *regs, size_t length)
{
	int i = size_argument((long)regs->orig_rax);

	if (i >= 0) {
		task->short_saved = *argument(regs, i);
		*argument(regs, i) = length;
		ptrace(PTRACE_SETREGS, task->tid, NULL, regs);
		task->shortened = true;
	} else if (regs->orig_rax == SYS_recvmsg) {
		unsigned long at = message_length_at(task->tid, regs->rsi);

		if (!at)
			return;
		task->short_saved =
			(unsigned long)ptrace(PTRACE_PEEKDATA, task->tid, (void *)at, NULL);
		ptrace(PTRACE_POKEDATA, task->tid, (void *)at, (void *)length);
		task->shortened = true;
	}
}

/* A system call preserves every register but rax, so restore what was changed. */
static void unshorten(struct task *task, struct user_regs_struct *regs)
{
	int i = size_argument((long)regs->orig_rax);

	if (i >= 0) {
		*argument(regs, i) = task->short_saved;
		ptrace(PTRACE_SETREGS, task->tid, NULL, regs);
	} else {
		unsigned long at = message_length_at(task->tid, regs->rsi);

		ptrace(PTRACE_POKEDATA, task->tid, (void *)at, (void *)task->short_saved);
	}
	task->shortened = false;
}

/* The argument that is a path; -1 for none. */
static int path_argument(long nr)
{
	switch (nr) {
	case SYS_open:
	case SYS_stat:
	case SYS_lstat:
	case SYS_access:
	case SYS_readlink:
	case SYS_statfs:
		return 0;
	case SYS_openat:
	case SYS_newfstatat:
	case SYS_statx:
	case SYS_faccessat:
	case SYS_faccessat2:
	case SYS_readlinkat:
	case SYS_inotify_add_watch:
		return 1;
	default:
		return -1;
	}
}

static void copy_path(pid_t tid, struct inject_call *call)
{
	char path[256] = "";
	int i = path_argument(call->nr);
	size_t length = 0;

	call->path[0] = '\0';
	/* Word by word: the path may be at the end of a mapping. */
	while (i >= 0 && length < sizeof(path) - 16) {
		struct iovec here = {path + length, 16};
		struct iovec there = {(void *)(call->args[i] + length), 16};

		if (process_vm_readv(tid, &here, 1, &there, 1, 0) <= 0 ||
		    memchr(path + length, '\0', 16))
			break;
		length += 16;
	}
	path[sizeof(path) - 1] = '\0';
	length = strlen(path);
	i = length >= sizeof(call->path) ? (int)(length - sizeof(call->path) + 1) : 0;
	strcpy(call->path, path + i);
}

static int record_call(struct inject_run *run, pid_t tid, struct user_regs_struct *regs)
{
	struct inject_call *call;

	if (run->count == run->size) {
		size_t size = run->size ? 2 * run->size : 256;

		call = size <= MAX_CALLS ? reallocarray(run->calls, size, sizeof(*call)) : NULL;
		if (!call)
			return -ENOMEM;
		run->calls = call;
		run->size = size;
	}
	call = &run->calls[run->count++];
	call->nr = (long)regs->orig_rax;
	for (int i = 0; i < 6; i++)
		call->args[i] = *argument(regs, i);
	call->ret = 0;
	copy_path(tid, call);
	return 0;
}

static bool applies(struct inject_run *run, const struct inject_step *step, size_t n, long nr)
{
	if (n == step->at && step->nr >= 0 && nr != step->nr) {
		run->misses++;
		return false;
	}
	if (step->onward)
		return n >= step->at && run->misses == 0 && call_can_fail_with(nr, step->error);
	return n == step->at;
}

static int at_entry(struct tracer *tracer, struct task *task, bool *ended)
{
	struct user_regs_struct regs;
	int ret;

	if (ptrace(PTRACE_GETREGS, task->tid, NULL, &regs) < 0)
		return -errno;
	task->counted = false;
	*ended = regs.orig_rax == SYS_prctl && regs.rdi == END_MARKER;
	/*
	 * Do not count brk: when the heap grows depends on everything before, not on the operation.
	 */
	if (*ended || regs.orig_rax == SYS_brk)
		return 0;
	ret = record_call(tracer->run, task->tid, &regs);
	if (ret < 0)
		return ret;
	task->counted = true;
	task->call = tracer->run->count - 1;
	for (size_t i = 0; i < tracer->num_steps; i++) {
		const struct inject_step *step = &tracer->steps[i];

		if (!applies(tracer->run, step, task->call + 1, (long)regs.orig_rax))
			continue;
		if (step->kind == INJECT_ACT_BEFORE) {
			step->act(step->arg);
		} else if (step->kind == INJECT_FAIL) {
			regs.orig_rax = (unsigned long long)-1;
			ptrace(PTRACE_SETREGS, task->tid, NULL, &regs);
			task->failing = true;
			task->error = step->error;
		} else if (step->kind == INJECT_SHORT) {
			shorten(task, &regs, step->length);
		} else {
			continue;
		}
		tracer->run->hits++;
	}
	return 0;
}

static int at_exit_of_call(struct tracer *tracer, struct task *task)
{
	struct user_regs_struct regs;

	if (!task->counted)
		return 0;
	if (ptrace(PTRACE_GETREGS, task->tid, NULL, &regs) < 0)
		return -errno;
	if (task->failing) {
		regs.rax = (unsigned long long)-(long long)task->error;
		ptrace(PTRACE_SETREGS, task->tid, NULL, &regs);
		task->failing = false;
	}
	if (task->shortened)
		unshorten(task, &regs);
	tracer->run->calls[task->call].ret = (long)regs.rax;
	for (size_t i = 0; i < tracer->num_steps; i++) {
		const struct inject_step *step = &tracer->steps[i];

		if (step->kind == INJECT_ACT_AFTER && step->at == task->call + 1 &&
		    (step->nr < 0 || step->nr == (long)regs.orig_rax)) {
			step->act(step->arg);
			tracer->run->hits++;
		}
	}
	return 0;
}

static struct task *task_of(struct tracer *tracer, pid_t tid)
{
	struct task *unused = NULL;

	for (int i = 0; i < MAX_TASKS; i++) {
		if (tracer->tasks[i].tid == tid)
			return &tracer->tasks[i];
		if (!tracer->tasks[i].tid && !unused)
			unused = &tracer->tasks[i];
	}
	if (unused) {
		memset(unused, 0, sizeof(*unused));
		unused->tid = tid;
	}
	return unused;
}

static unsigned int num_tasks(const struct tracer *tracer)
{
	unsigned int n = 0;

	for (int i = 0; i < MAX_TASKS; i++)
		n += tracer->tasks[i].tid != 0;
	return n;
}

/* Handles one stop of one task; on success the task continues. */
static int handle_stop(struct tracer *tracer, struct task *task, int status)
{
	int sig = WSTOPSIG(status);
	bool ended = false;
	int deliver = 0;
	int ret = 0;

	if (sig == (SIGTRAP | 0x80)) {
		task->inside = !task->inside;
		if (tracer->on && task->inside)
			ret = at_entry(tracer, task, &ended);
		else if (tracer->on)
			ret = at_exit_of_call(tracer, task);
	} else if (sig == SIGTRAP && status >> 16 == 0) {
		tracer->on = true;
		tracer->run->began = true;
	} else if (sig != SIGTRAP && sig != SIGSTOP) {
		deliver = sig;
	}
	if (ret < 0)
		return ret;
	if (ended) {
		tracer->on = false;
		tracer->run->ended = true;
		/* A leak checker traces the process itself, so detach first. */
		if (num_tasks(tracer) == 1) {
			ret = ptrace(PTRACE_DETACH, task->tid, NULL, NULL) < 0 ? -errno : 0;
			task->tid = 0;
			return ret;
		}
	}
	if (ptrace(tracer->on ? PTRACE_SYSCALL : PTRACE_CONT, task->tid, NULL, deliver) < 0 &&
	    errno != ESRCH)
		return -errno;
	return 0;
}

static int follow_tasks(struct tracer *tracer, pid_t pid)
{
	for (;;) {
		struct task *task;
		int status;
		int ret;
		pid_t tid = waitpid(-1, &status, __WALL);

		if (tid < 0 && errno == EINTR)
			continue;
		if (tid < 0)
			return -errno;
		if (WIFEXITED(status) || WIFSIGNALED(status)) {
			task = task_of(tracer, tid);
			if (task)
				task->tid = 0;
			if (tid == pid) {
				tracer->run->status = status;
				return 0;
			}
			continue;
		}
		task = task_of(tracer, tid);
		if (!task)
			return -ENOSPC;
		ret = handle_stop(tracer, task, status);
		if (ret < 0)
			return ret;
	}
}

int inject_run(void (*child)(void *arg), void *arg, const struct inject_step *steps,
	       size_t num_steps, struct inject_run *run)
{
	struct tracer tracer = {.steps = steps, .num_steps = num_steps, .run = run};
	int status;
	pid_t pid;
	int ret;

	memset(run, 0, sizeof(*run));
	pid = fork();
	if (pid < 0)
		return -errno;
	if (pid == 0) {
		if (ptrace(PTRACE_TRACEME, 0, NULL, NULL) < 0)
			_exit(127);
		raise(SIGSTOP);
		traced = true;
		child(arg);
		_exit(0);
	}
	if (waitpid(pid, &status, 0) < 0)
		return -errno;
	if (!WIFSTOPPED(status))
		return -EPERM;
	if (ptrace(PTRACE_SETOPTIONS, pid, NULL,
		   PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL | PTRACE_O_TRACECLONE |
			   PTRACE_O_TRACEFORK | PTRACE_O_TRACEVFORK) < 0 ||
	    ptrace(PTRACE_CONT, pid, NULL, 0) < 0)
		ret = -errno;
	else
		ret = follow_tasks(&tracer, pid);
	if (ret < 0) {
		kill(pid, SIGKILL);
		waitpid(pid, &status, __WALL);
	}
	return ret;
}

static void disturb_nothing(void *arg)
{
	(void)arg;
}

int inject_available(void)
{
	struct inject_run run;
	int ret = inject_run(disturb_nothing, NULL, NULL, 0, &run);

	inject_run_clear(&run);
	return ret;
}

#else

int inject_available(void)
{
	return -EOPNOTSUPP;
}

int inject_run(void (*child)(void *arg), void *arg, const struct inject_step *steps,
	       size_t num_steps, struct inject_run *run)
{
	(void)child, (void)arg, (void)steps, (void)num_steps;
	memset(run, 0, sizeof(*run));
	return -EOPNOTSUPP;
}

void inject_begin(void)
{
}

void inject_end(void)
{
}

bool inject_can_shorten(const struct inject_call *call, size_t length)
{
	(void)call, (void)length;
	return false;
}

#endif
