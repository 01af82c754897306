/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waits for events from the kernel or for the device's removal. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/single_threaded.h>

#include "shared/file.h"
#include "core/base/process.h"
#include "core/device/hf.h"
#include "core/device/instance.h"
#include "core/device/open.h"
#include "core/device/scan.h"
#include "core/device/scan_lock.h"
#include "core/verbs/event_fd.h"

enum {
	LOOK_AGAIN_MS = 1000, /* without notifications of removals */
	PATIENCE = 16,
};

static int add_to_epoll(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
	/* The limit of /proc/sys/fs/epoll/max_user_watches. */
	if (errno == ENOSPC)
		return -ENOMEM;
	return errno == EPERM ? -EINVAL : -errno;
}

int hfi_wait_init(struct hf_wait *wait, struct hf_device *device, int kernel_fd)
{
	int flags = fcntl(kernel_fd, F_GETFL);
	int err, fd;

	if (device && !device->hf)
		device = NULL;
	if (flags < 0 || fcntl(kernel_fd, F_SETFL, flags | O_NONBLOCK) < 0)
		return -errno;
	memset(wait, 0, sizeof(*wait));
	err = device ? hfi_removal_get(device, &wait->removal) : -EOPNOTSUPP;
	if (err && err != -EOPNOTSUPP)
		return err;
	fd = epoll_create1(EPOLL_CLOEXEC);
	if (fd < 0) {
		err = -errno;
		goto put_removal;
	}
	err = add_to_epoll(fd, kernel_fd);
	if (!err && wait->removal)
		err = add_to_epoll(fd, hfi_removal_fd(wait->removal));
	if (err)
		goto close_fd;
	wait->fd = fd;
	wait->kernel_fd = kernel_fd;
	hfi_fd_mark(&wait->program, fd);
	hfi_fd_mark(&wait->kernel, kernel_fd);
	wait->device = device;
	wait->forks = hfi_fork_count();
	wait->used = true;
	return 0;

close_fd:
	hfi_close(&fd);
put_removal:
	if (device && wait->removal)
		hfi_removal_put(device, wait->removal);
	wait->removal = NULL;
	return err;
}

bool hfi_wait_owns(const struct hf_wait *wait)
{
	return hfi_fd_is_still(&wait->kernel);
}

/* Is it still our epoll set, but with a signal that the program set? Only our set holds our file. */
static bool has_own_signal(const struct hf_wait *wait)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = wait->kernel_fd};

	return hfi_fd_is_claimed(&wait->program) && hfi_wait_owns(wait) &&
	       epoll_ctl(wait->fd, EPOLL_CTL_MOD, wait->kernel_fd, &event) == 0;
}

/* Is `fd` still our epoll set? */
static bool owns_epoll(const struct hf_wait *wait)
{
	return hfi_fd_is_still(&wait->program) || has_own_signal(wait);
}

/*
 * An epoll set accepts O_ASYNC and ignores it. Of a program that asked for signals only the owner
 * that it set can be seen (Linux, setfl() and __f_setown()).
 */
static void tell_no_signals(struct hf_wait *wait)
{
	struct f_owner_ex owner = {0};

	if (wait->owner_told || !wait->device || fcntl(wait->fd, F_GETOWN_EX, &owner) < 0 ||
	    !owner.pid || atomic_exchange(&wait->owner_told, true))
		return;
	hf_warn(&wait->device->hf->log,
		"%s: the program set an owner (F_SETOWN) of descriptor %d, but no signal comes "
		"from it: see libholdfast-compat(7)",
		wait->device->key.uverbs, wait->fd);
}

void hfi_wait_fini(struct hf_wait *wait)
{
	if (!wait->used)
		return;
	if (!hfi_fd_is_still(&wait->program)) {
		if (has_own_signal(wait)) {
			tell_no_signals(wait);
			wait->program.signal = false;
		} else {
			hfi_fd_forget(&wait->program);
		}
	}
	hfi_fd_close(&wait->program);
	hfi_fd_close(&wait->kernel);
	wait->fd = wait->kernel_fd = -1;
	if (wait->removal)
		hfi_removal_put(wait->device, wait->removal);
	wait->removal = NULL;
	wait->used = false;
}

void hfi_wait_use_queue(struct hf_wait *wait, struct hfi_event_queue *queue)
{
	/* One claim for both. */
	queue->fd = wait->kernel;
	wait->queue = queue;
}

static void make_quiet(struct hf_wait *wait)
{
	struct epoll_event unused = {0};

	if (wait->removal && wait->forks == hfi_fork_count() && owns_epoll(wait))
		(void)epoll_ctl(wait->fd, EPOLL_CTL_DEL, hfi_removal_fd(wait->removal), &unused);
}

/*
 * If the set became unreadable now, other threads would stay asleep: the last one to leave does it.
 */
void hfi_wait_reported(struct hf_wait *wait)
{
	if (!atomic_exchange(&wait->over, true) && !atomic_load(&wait->waiting))
		make_quiet(wait);
}

/*
 * Scans the device, unless this thread is in a scan. If the scan lock is held around provider code,
 * only verifies the instance; the table is updated later.
 */
static bool check_removal(struct hf_device *device)
{
	struct hf *hf = device->hf;
	struct hf_entry entry;

	if (atomic_load(&device->gone))
		return true;
	if (hfi_scan_try_begin(hf)) {
		/* A scan that fails leaves the device's state as it was. */
		if (!atomic_load(&device->gone))
			(void)!hfi_table_scan_one(hf, device->key.root, device->key.uverbs);
		hfi_scan_end(hf);
		return atomic_load(&device->gone);
	}
	entry = hfi_instance_entry(device);
	return hfi_verify(device, &entry) == -ENODEV;
}

bool hfi_wait_is_over(struct hf_wait *wait)
{
	if (atomic_load(&wait->revoked) || atomic_load(&wait->over))
		return true;
	if (!wait->removal)
		return wait->device && check_removal(wait->device);
	if (!hfi_removal_happened(wait->removal))
		return wait->device && atomic_load(&wait->device->gone);
	/* Update the table too. It may still find the device for a moment; that does no harm. */
	check_removal(wait->device);
	return true;
}

/* Reads an event, without blocking, and counts it. */
static ssize_t read_and_count(const struct hf_wait *wait, void *buffer, size_t size,
			      const struct hf_wait_account *account)
{
	/* With a single thread the lock would cost more than the counting. */
	const bool alone = __libc_single_threaded;
	const uint32_t *counter = NULL;
	bool passed_over;
	ssize_t got;

	if (wait->queue)
		return hfi_event_queue_read(wait->queue, buffer, size);
	if (!alone)
		pthread_mutex_lock(&account->delivered->lock);
	do {
		got = hfi_read_uncancelled(wait->kernel_fd, buffer, size);
		if (got == (ssize_t)size)
			counter = account->counter(buffer);
		passed_over = got == (ssize_t)size && counter &&
			      !hfi_delivered_count(account->delivered, counter);
	} while (passed_over);
	if (!alone)
		pthread_mutex_unlock(&account->delivered->lock);
	return got;
}

static void leave_wait(void *arg)
{
	struct hf_wait *wait = arg;

	if (atomic_fetch_sub(&wait->waiting, 1) == 1 && atomic_load(&wait->over))
		make_quiet(wait);
}

/* Signals that a thread's own instructions raise. They do not interrupt a wait. */
static bool is_fault(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
	       number == SIGTRAP || number == SIGSYS;
}

/* True if any handler of this process lacks SA_RESTART. Which handler ran cannot be known. */
static bool handlers_interrupt(void)
{
	struct sigaction action;

	for (int number = 1; number < NSIG; number++)
		if (!is_fault(number) && !sigaction(number, NULL, &action) &&
		    action.sa_handler != SIG_DFL && action.sa_handler != SIG_IGN &&
		    !(action.sa_flags & SA_RESTART))
			return true;
	return false;
}

/* poll() as a cancellation point, if the thread had cancellation enabled: 0 or -errno. */
static int poll_cancellable(struct pollfd *pollfds, nfds_t count, int timeout,
			    const int *cancel_state)
{
	int ret;

	if (cancel_state)
		pthread_setcancelstate(*cancel_state, NULL);
	ret = poll(pollfds, count, timeout) < 0 ? -errno : 0;
	if (cancel_state)
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return ret;
}

static bool removal_is_reported(const struct hf_wait *wait)
{
	return atomic_load(&wait->over) || atomic_load(&wait->revoked);
}

/*
 * Sleeps until there may be an event. 0 or -errno; -EAGAIN if the program made the descriptor
 * non-blocking.
 *
 * Programs expect read()'s behaviour: it continues after a handler with SA_RESTART and after SIGSTOP.
 * poll() continues only after SIGSTOP, epoll_wait() never.
 *
 * Everything whose address is taken lives in this frame: a cancellation ends the frames below, and
 * AddressSanitizer does not learn of that.
 */
static int sleep_on(struct hf_wait *wait, const int *cancel_state)
{
	/* Ask each time: the program may change the flag at any time. */
	const int flags = fcntl(wait->fd, F_GETFL);
	const bool reported = wait->removal && !hfi_removal_needs_checks(wait->removal);
	const int timeout = reported ? -1 : LOOK_AGAIN_MS;
	struct pollfd pollfds[2] = {{.fd = wait->fd, .events = POLLIN},
				    {.fd = -1, .events = POLLIN}};
	int ret = 0;

	if (flags < 0)
		return -errno;
	if (flags & O_NONBLOCK) {
		/* At the first such call only, and once more when the descriptor is closed. */
		if (!atomic_load_explicit(&wait->owner_asked, memory_order_relaxed)) {
			atomic_store(&wait->owner_asked, true);
			tell_no_signals(wait);
		}
		return -EAGAIN;
	}
	if (wait->forks != hfi_fork_count()) {
		/* In a forked child, the parent may quiet the shared set without knowing of this process. */
		if (wait->removal)
			pollfds[1].fd = hfi_removal_fd(wait->removal);
		ret = poll_cancellable(pollfds, 2, timeout, cancel_state);
	} else if (!cancel_state) {
		/* Nothing quiets the set meanwhile. */
		ret = removal_is_reported(wait) ? 0 : poll_cancellable(pollfds, 1, timeout, NULL);
	} else {
		atomic_fetch_add(&wait->waiting, 1);
		/* Programs cancel the threads that wait for events. */
		pthread_cleanup_push(leave_wait, wait);
		if (!removal_is_reported(wait))
			ret = poll_cancellable(pollfds, 1, timeout, cancel_state);
		pthread_cleanup_pop(1);
	}
	if (!ret && !pollfds[0].revents && !pollfds[1].revents) {
		/*
		 * The program may have closed these descriptors meanwhile and opened its own files
		 * under the same numbers.
		 */
		if (!hfi_wait_owns(wait))
			return -EBADF;
		/* Nothing came in time: a scan finds out whether the device is there. */
		if (wait->removal && !reported)
			(void)!check_removal(wait->device);
	}
	if (pollfds[0].revents & POLLNVAL)
		return -EBADF;
	return ret == -EINTR && !handlers_interrupt() ? 0 : ret;
}

/*
 * Predicts from earlier calls whether this read will block; a right guess saves one system call. A
 * program that sends and then waits for the answer alternates between the two, so the prediction goes
 * by what followed a call that went like the previous one.
 */
static bool expects_to_wait(struct hf_wait *wait)
{
	const bool slept = atomic_load_explicit(&wait->slept, memory_order_relaxed);
	const unsigned int patience =
		atomic_load_explicit(&wait->patience[slept], memory_order_relaxed);

	if (patience == 0)
		return false;
	atomic_store_explicit(&wait->patience[slept], patience - 1, memory_order_relaxed);
	/* Looking into a queue takes no system call, so always look first. */
	return !wait->queue;
}

static void remember_outcome(struct hf_wait *wait, bool slept, bool read_for_nothing)
{
	const bool before = atomic_load_explicit(&wait->slept, memory_order_relaxed);

	if (read_for_nothing)
		atomic_store_explicit(&wait->patience[before], PATIENCE, memory_order_relaxed);
	atomic_store_explicit(&wait->slept, slept, memory_order_relaxed);
}

/* 1: an event was read; 0: there is none; -errno. */
static int try_read(struct hf_wait *wait, void *buffer, size_t size,
		    const struct hf_wait_account *account)
{
	ssize_t got = read_and_count(wait, buffer, size, account);

	if (got == (ssize_t)size)
		return 1;
	if (atomic_load(&wait->revoked))
		return 0;
	if (got >= 0)
		return -EIO;
	return errno == EAGAIN || errno == EWOULDBLOCK ? 0 : -errno;
}

static int read_or_sleep(struct hf_wait *wait, void *buffer, size_t size,
			 const struct hf_wait_account *account, const int *cancel_state)
{
	const bool waits_first = expects_to_wait(wait);
	int err = waits_first ? sleep_on(wait, cancel_state) : 0;
	bool slept = waits_first && !err, asks;
	int got;

	if (err && err != -EAGAIN)
		return err;
	for (;;) {
		got = try_read(wait, buffer, size, account);
		if (got)
			break;
		/* A removal wakes a sleeping thread, so check the device only after sleeping. */
		asks = slept || err || !wait->removal;
		if (asks && hfi_wait_is_over(wait))
			return 0;
		if (!err)
			err = sleep_on(wait, cancel_state);
		if (err)
			return err == -EAGAIN && !asks && hfi_wait_is_over(wait) ? 0 : err;
		slept = true;
	}
	remember_outcome(wait, slept, slept && !waits_first);
	return got;
}

int hfi_wait_read(struct hf_wait *wait, void *buffer, size_t size,
		  const struct hf_wait_account *account)
{
	int cancel_state, got;

	/* A cancellation point only here and while asleep: elsewhere a lock may be held. */
	pthread_testcancel();
	/* A single thread cannot be cancelled by another one. */
	if (__libc_single_threaded)
		return read_or_sleep(wait, buffer, size, account, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancel_state);
	got = read_or_sleep(wait, buffer, size, account, &cancel_state);
	pthread_setcancelstate(cancel_state, NULL);
	return got;
}
