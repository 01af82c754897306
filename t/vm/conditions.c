/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-conditions DEVICE CONDITION [NUMBER]: a program of libibverbs that sends messages under a condition
 * that programs meet but tests rarely create. Prints what it saw. Exits with 0 if everything worked.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "t/vm/loop.h"

enum { NOBODY = 65534, ALL_FDS = 256 };

static const char *device;
static long number; /* the condition's argument, if it has one */

static void traffic(void)
{
	struct loop loop;

	loop_open(&loop, device);
	for (int i = 0; i < 3; i++)
		loop_once(&loop);
	loop_close(&loop);
}

static void *traffic_thread(void *unused)
{
	traffic();
	return unused;
}

static void expect_zero(pid_t child, const char *what)
{
	int status = -1;

	if (child < 0 || waitpid(child, &status, 0) != child)
		die(what);
	if (status) {
		printf("failed: %s: status %#x\n", what, (unsigned int)status);
		exit(1);
	}
}

static void forks(void)
{
	struct loop loop;
	pid_t child;

	if ((errno = ibv_fork_init()))
		die("ibv_fork_init");
	loop_open(&loop, device);
	loop_once(&loop);
	child = fork();
	if (!child) {
		traffic();
		_exit(0);
	}
	expect_zero(child, "a child with a device of its own");
	loop_once(&loop);
	child = fork();
	if (!child) {
		close(loop.context->cmd_fd);
		close(loop.context->async_fd);
		close(loop.channel->fd);
		exit(0);
	}
	expect_zero(child, "a child that closes what it inherited");
	loop_once(&loop);
	errno = 0;
	if (system("true"))
		die("another program");
	loop_once(&loop);
	loop_close(&loop);
}

static void *wait_for_cq(void *arg)
{
	struct loop *loop = arg;
	struct ibv_cq *cq;
	void *context;

	while (!ibv_get_cq_event(loop->channel, &cq, &context))
		ibv_ack_cq_events(cq, 1);
	return NULL;
}

static void *wait_for_async(void *arg)
{
	struct loop *loop = arg;
	struct ibv_async_event event;

	while (!ibv_get_async_event(loop->context, &event))
		ibv_ack_async_event(&event);
	return NULL;
}

static void *cancel_self(void *arg)
{
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cancel(pthread_self());
	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	return wait_for_cq(arg);
}

static void cancelled(void)
{
	void *(*const functions[])(void *) = {wait_for_cq, wait_for_async, cancel_self};
	struct loop loop;

	loop_open(&loop, device);
	loop_once(&loop);
	for (size_t i = 0; i < sizeof(functions) / sizeof(functions[0]); i++) {
		pthread_t thread;
		void *ret;

		pthread_create(&thread, NULL, functions[i], &loop);
		usleep(100000);
		pthread_cancel(thread);
		pthread_join(thread, &ret);
		errno = EBUSY;
		if (ret != PTHREAD_CANCELED)
			die("cancel");
	}
	loop_once(&loop);
	loop_close(&loop);
}

static void stack(void)
{
	pthread_attr_t attr;
	pthread_t thread = 0;

	pthread_attr_init(&attr);
	errno = pthread_attr_setstacksize(&attr, (size_t)number);
	if (errno)
		die("pthread_attr_setstacksize");
	errno = pthread_create(&thread, &attr, traffic_thread, NULL);
	if (errno)
		die("pthread_create");
	pthread_join(thread, NULL);
}

static volatile sig_atomic_t signals;

static void note_signal(int signal)
{
	(void)signal;
	signals++;
}

static void handle(int signal, int flags)
{
	const struct sigaction action = {.sa_handler = note_signal, .sa_flags = flags};

	sigaction(signal, &action, NULL);
}

static atomic_bool ended;

/* Stops the waiting thread for a moment, then signals it. If the wait does not end, a completion ends it. */
static void *disturb_by_signals(void *arg)
{
	const int steps[] = {SIGSTOP, SIGCONT, SIGALRM};
	pid_t self = getpid(), child = fork();

	if (!child) {
		for (size_t i = 0; i < sizeof(steps) / sizeof(steps[0]); i++) {
			usleep(200000);
			kill(self, steps[i]);
		}
		_exit(0);
	}
	waitpid(child, NULL, 0);
	usleep(200000);
	if (number)
		loop_post(arg);
	/* Repeat the signal: the wait may have begun after the first one. */
	while (!number && !atomic_load(&ended)) {
		kill(self, SIGALRM);
		usleep(200000);
	}
	return NULL;
}

static void disturbed(void)
{
	struct loop loop;
	struct ibv_cq *cq;
	pthread_t thread;
	sigset_t alarm;
	void *context;
	int ret;

	handle(SIGALRM, number ? SA_RESTART : 0);
	loop_open(&loop, device);
	/* Only the waiting thread receives the signal. */
	sigemptyset(&alarm);
	sigaddset(&alarm, SIGALRM);
	pthread_sigmask(SIG_BLOCK, &alarm, NULL);
	pthread_create(&thread, NULL, disturb_by_signals, &loop);
	pthread_sigmask(SIG_UNBLOCK, &alarm, NULL);
	ret = ibv_get_cq_event(loop.channel, &cq, &context);
	printf("%d %s%s\n", ret, ret ? strerrorname_np(errno) : "",
	       signals ? "" : ", not signalled");
	atomic_store(&ended, true);
	pthread_join(thread, NULL);
	if (!ret)
		ibv_ack_cq_events(cq, 1);
	loop_close(&loop);
}

/* Reaps every child, also one of a library, which then cannot learn its exit status. */
static void reap(int signal)
{
	int saved = errno;

	note_signal(signal);
	while (waitpid(-1, NULL, WNOHANG) > 0)
		continue;
	errno = saved;
}

static void with_children(void)
{
	const struct sigaction action = {.sa_handler = reap};

	sigaction(SIGCHLD, &action, NULL);
	traffic();
}

static void without_children(void)
{
	signal(SIGCHLD, SIG_IGN);
	traffic();
}

static void without_stdio(void)
{
	int output = fcntl(STDOUT_FILENO, F_DUPFD, ALL_FDS);

	for (int fd = 0; fd <= STDERR_FILENO; fd++)
		close(fd);
	traffic();
	dup2(output, STDOUT_FILENO);
}

static void drop(void)
{
	if (setgroups(0, NULL) || setgid(NOBODY) || setuid(NOBODY))
		die("drop privileges");
	/* As for a daemon that dropped root: its files in /proc belong to root. */
	prctl(PR_SET_DUMPABLE, 0);
}

static void dropped(void)
{
	drop();
	traffic();
}

static void limit(int resource, rlim_t value)
{
	const struct rlimit limits = {value, value};

	if (setrlimit(resource, &limits))
		die("setrlimit");
}

static void without_processes(void)
{
	drop();
	limit(RLIMIT_NPROC, 1);
	traffic();
}

static void without_files(void)
{
	limit(RLIMIT_FSIZE, 0);
	traffic();
	/* Messages go to a file. */
	limit(RLIMIT_FSIZE, RLIM_INFINITY);
}

static void unmount(const char *directory)
{
	if (unshare(CLONE_NEWNS) || mount("", "/", NULL, MS_REC | MS_PRIVATE, NULL) ||
	    umount2(directory, MNT_DETACH))
		die(directory);
	traffic();
}

static void without_sys(void)
{
	unmount("/sys");
}

static void without_proc(void)
{
	unmount("/proc");
}

/* Installs a seccomp filter as containers have: refuses this call; of socket() only netlink sockets. */
static void refuse(unsigned int call)
{
	const struct sock_filter code[] = {
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, nr)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, call, 0, 4),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, SYS_socket, 0, 2),
		BPF_STMT(BPF_LD | BPF_W | BPF_ABS, offsetof(struct seccomp_data, args)),
		BPF_JUMP(BPF_JMP | BPF_JEQ | BPF_K, AF_NETLINK, 0, 1),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ERRNO | EPERM),
		BPF_STMT(BPF_RET | BPF_K, SECCOMP_RET_ALLOW),
	};
	const struct sock_fprog program = {sizeof(code) / sizeof(code[0]),
					   (struct sock_filter *)code};

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &program))
		die("seccomp");
	traffic();
}

static void refuse_netlink(void)
{
	refuse(SYS_socket);
}

static void without_faccessat2(void)
{
	refuse(SYS_faccessat2);
}

static void without_clone3(void)
{
	refuse(SYS_clone3);
}

static struct loop last;

static void close_last(void)
{
	loop_once(&last);
	loop_close(&last);
}

static void at_exit(void)
{
	atexit(close_last);
	loop_open(&last, device);
	loop_once(&last);
}

static void several_threads(void)
{
	pthread_t threads[4];

	for (size_t i = 0; i < 4; i++)
		pthread_create(&threads[i], NULL, traffic_thread, NULL);
	for (size_t i = 0; i < 4; i++)
		pthread_join(threads[i], NULL);
}

static const struct condition {
	const char *name;
	void (*run)(void);
} conditions[] = {
	{"plain", traffic},
	{"forks", forks},
	{"threads", several_threads},
	{"cancelled", cancelled},
	{"stack", stack},
	{"disturbed", disturbed},
	{"with-children", with_children},
	{"without-children", without_children},
	{"without-stdio", without_stdio},
	{"dropped", dropped},
	{"without-processes", without_processes},
	{"without-files", without_files},
	{"without-sys", without_sys},
	{"without-proc", without_proc},
	{"without-netlink", refuse_netlink},
	{"without-faccessat2", without_faccessat2},
	{"without-clone3", without_clone3},
	{"at-exit", at_exit},
};

int main(int argc, char **argv)
{
	if (argc < 3) {
		fprintf(stderr, "usage: %s DEVICE CONDITION [NUMBER]\n", argv[0]);
		return 2;
	}
	device = argv[1];
	number = argc > 3 ? strtol(argv[3], NULL, 0) : 0;
	setvbuf(stdout, NULL, _IOLBF, 0);
	for (size_t i = 0; i < sizeof(conditions) / sizeof(conditions[0]); i++) {
		if (strcmp(conditions[i].name, argv[2]) != 0)
			continue;
		conditions[i].run();
		printf("done\n");
		return 0;
	}
	fprintf(stderr, "%s: no such condition\n", argv[2]);
	return 2;
}
