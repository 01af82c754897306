/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Runs work in a child process with a time limit, whatever a provider does. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/wait.h>

#include "shared/clock.h"
#include "shared/file.h"
#include "tools/bounded.h"

/*
 * A call that has just begun gets this much more time, and so does the child to report the time-out
 * itself: it knows more than its parent.
 */
enum { PATIENCE_MS = 1000 };

void hfi_progress_enter(struct hf_progress *progress, const char *device)
{
	if (!progress)
		return;
	snprintf(progress->device, sizeof(progress->device), "%s", device);
	atomic_store(&progress->since_ms, hfi_now_ms());
}

void hfi_progress_leave(struct hf_progress *progress)
{
	if (progress)
		atomic_store(&progress->since_ms, 0);
}

void hfi_progress_result(struct hf_progress *progress, int status)
{
	if (!progress)
		return;
	fflush(stdout);
	atomic_store(&progress->status, status);
}

/* When to give up the child. */
static int64_t time_to_give_up(struct hf_progress *progress, int64_t end_ms)
{
	const int64_t since = atomic_load(&progress->since_ms);
	const int64_t patient = (since ? since : end_ms) + PATIENCE_MS;

	return patient > end_ms ? patient : end_ms;
}

/* Ends with the child's status. */
static int take_status(int wait_status)
{
	if (WIFEXITED(wait_status))
		return WEXITSTATUS(wait_status);
	signal(WTERMSIG(wait_status), SIG_DFL);
	raise(WTERMSIG(wait_status));
	return 128 + WTERMSIG(wait_status);
}

/*
 * The pipe was closed, so the child has ended or soon will, unless a provider closed every
 * descriptor. Has the same time limit.
 */
static bool reap_worker(pid_t child, struct hf_progress *progress, int64_t end_ms, int *wait_status)
{
	enum { PAUSE_MS = 10 };
	pid_t ended;

	do {
		ended = waitpid(child, wait_status, WNOHANG);
		if (!ended)
			poll(NULL, 0, PAUSE_MS);
	} while (!ended && hfi_now_ms() < time_to_give_up(progress, end_ms));
	return ended == child;
}

/* `alive` is a pipe that is closed when the child ends. */
static enum hf_bounded wait_for_worker(pid_t child, int alive, struct hf_progress *progress,
				       int64_t end_ms, int *status)
{
	struct pollfd pollfd = {.fd = alive, .events = POLLIN};
	int wait_status;

	for (;;) {
		const int64_t left = time_to_give_up(progress, end_ms) - hfi_now_ms();

		if (left <= 0)
			break;
		if (poll(&pollfd, 1, left > INT32_MAX ? INT32_MAX : (int)left) <= 0)
			continue;
		if (!reap_worker(child, progress, end_ms, &wait_status))
			break;
		*status = take_status(wait_status);
		return HF_BOUNDED_ENDED;
	}
	/* Do not wait: a process can stay in the kernel for ever. */
	kill(child, SIGKILL);
	*status = atomic_load(&progress->status);
	return *status < 0 ? HF_BOUNDED_GIVEN_UP : HF_BOUNDED_ENDED;
}

static struct hf_progress *share_progress(void)
{
	struct hf_progress *progress = mmap(NULL, sizeof(*progress), PROT_READ | PROT_WRITE,
					    MAP_SHARED | MAP_ANONYMOUS, -1, 0);

	if (progress == MAP_FAILED)
		return NULL;
	atomic_init(&progress->status, -1);
	return progress;
}

int hfi_bounded(int64_t end_ms, struct hf_progress **ret, int *status)
{
	const pid_t parent = getpid();
	int result, fds[2];
	pid_t child;

	*ret = share_progress();
	if (!*ret)
		return -ENOMEM;
	if (pipe2(fds, O_CLOEXEC) < 0) {
		result = -errno;
		goto unshare;
	}
	/* If it were ignored, waitpid() could not return the child's status. */
	signal(SIGCHLD, SIG_DFL);
	fflush(NULL);
	child = fork();
	if (child < 0) {
		result = -errno;
		hfi_close(&fds[0]);
		hfi_close(&fds[1]);
		goto unshare;
	}
	if (child == 0) {
		/*
		 * Without its parent nothing would end the child; it keeps the write end of the
		 * pipe until it ends.
		 */
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		if (getppid() != parent)
			_exit(1);
		hfi_close(&fds[0]);
		return HF_BOUNDED_CHILD;
	}
	hfi_close(&fds[1]);
	result = wait_for_worker(child, fds[0], *ret, end_ms, status);
	hfi_close(&fds[0]);
	return result;

unshare:
	munmap(*ret, sizeof(**ret));
	*ret = NULL;
	return result;
}
