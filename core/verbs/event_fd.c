/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
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
	LOOK_AGAIN_MS = 1000, /* where nothing is heard */
	PATIENCE = 16,
};

static int add(int epoll, int fd)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = fd};

	if (epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0)
		return 0;
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
	err = add(fd, kernel_fd);
	if (!err && wait->removal)
		err = add(fd, hfi_removal_fd(wait->removal));
	if (err)
		goto close_fd;
	wait->fd = fd;
	wait->kernel_fd = kernel_fd;
	wait->device = device;
	wait->forks = hfi_fork_count();
	wait->used = true;
	return 0;

close_fd:
	hfi_close(&fd);
put_removal:
	hfi_removal_put(device, wait->removal);
	wait->removal = NULL;
	return err;
}

void hfi_wait_fini(struct hf_wait *wait)
{
	if (!wait->used)
		return;
	hfi_close(&wait->kernel_fd);
	hfi_close(&wait->fd);
	hfi_removal_put(wait->device, wait->removal);
	wait->removal = NULL;
	wait->used = false;
}

bool hfi_wait_owns(const struct hf_wait *wait)
{
	struct epoll_event event = {.events = EPOLLIN, .data.fd = wait->kernel_fd};

	/* An epoll set knows files, not numbers: under another file the number is not in it. */
	return epoll_ctl(wait->fd, EPOLL_CTL_MOD, wait->kernel_fd, &event) == 0;
}

static void make_quiet(struct hf_wait *wait)
{
	struct epoll_event unused = {0};

	if (wait->removal && wait->forks == hfi_fork_count())
		(void)epoll_ctl(wait->fd, EPOLL_CTL_DEL, hfi_removal_fd(wait->removal), &unused);
}

/* Threads that sleep on it would then sleep for ever: the last one that leaves does it. */
void hfi_wait_told(struct hf_wait *wait)
{
	if (!atomic_exchange(&wait->over, true) && !atomic_load(&wait->waiting))
		make_quiet(wait);
}

/*
 * Looks at the device, unless another thread of this scan does. Where that has to wait for a
 * provider's code, the device alone is asked about, and the table learns of it later.
 */
static bool look(struct hf_device *device)
{
	struct hf *hf = device->hf;
	struct hf_entry entry;

	if (atomic_load(&device->gone))
		return true;
	if (hfi_scan_try_begin(hf)) {
		/* A look that fails leaves the device as it was known. */
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
		return wait->device && look(wait->device);
	if (!hfi_removal_happened(wait->removal))
		return false;
	/* The table may as well know; that it still finds the device for a moment is no contradiction. */
	look(wait->device);
	return true;
}

/* The same as read(), which does not block here. */
static ssize_t read_and_count(const struct hf_wait *wait, void *buffer, size_t size,
			      const struct hf_wait_account *account)
{
	/* Where there is nobody to be kept out, a lock would take longer than counting. */
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

static void leave(void *arg)
{
	struct hf_wait *wait = arg;

	if (atomic_fetch_sub(&wait->waiting, 1) == 1 && atomic_load(&wait->over))
		make_quiet(wait);
}

/* What a thread's own instructions raise: crash reporters have handlers for it, and no wait is ended. */
static bool is_fault(int number)
{
	return number == SIGSEGV || number == SIGBUS || number == SIGILL || number == SIGFPE ||
	       number == SIGTRAP || number == SIGSYS;
}

/* Does a handler of this process end the calls that it interrupts? Which of them ran cannot be told. */
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

/* poll(), where a thread can be cancelled as it could be before: 0 or -errno. */
static int poll_cancellable(struct pollfd *pollfds, nfds_t count, int timeout,
			    const int *cancelling)
{
	int ret;

	if (cancelling)
		pthread_setcancelstate(*cancelling, NULL);
	ret = poll(pollfds, count, timeout) < 0 ? -errno : 0;
	if (cancelling)
		pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	return ret;
}

static bool is_told(const struct hf_wait *wait)
{
	return atomic_load(&wait->over) || atomic_load(&wait->revoked);
}

/*
 * Sleeps until there may be something, unless the program asked not to: 0, -EAGAIN or -errno.
 *
 * Programs know a read() of the kernel's here: that goes on after a handler with SA_RESTART, and after a
 * stop. poll() goes on only after the latter, and epoll_wait() never.
 *
 * What has an address is in this frame: a cancellation ends those below it, and AddressSanitizer is not
 * told.
 */
static int sleep_on(struct hf_wait *wait, const int *cancelling)
{
	/* Asked each time: the program may change it whenever it likes. */
	const int flags = fcntl(wait->fd, F_GETFL);
	const int timeout = wait->removal ? -1 : LOOK_AGAIN_MS;
	struct pollfd pollfds[2] = {{.fd = wait->fd, .events = POLLIN},
				    {.fd = -1, .events = POLLIN}};
	int ret = 0;

	if (flags < 0)
		return -errno;
	if (flags & O_NONBLOCK)
		return -EAGAIN;
	if (wait->forks != hfi_fork_count()) {
		/* In a forked child: its parent, which cannot know of it, may make the set quiet. */
		if (wait->removal)
			pollfds[1].fd = hfi_removal_fd(wait->removal);
		ret = poll_cancellable(pollfds, 2, timeout, cancelling);
	} else if (!cancelling) {
		/* Nobody would make the set quiet meanwhile. */
		ret = is_told(wait) ? 0 : poll_cancellable(pollfds, 1, timeout, NULL);
	} else {
		atomic_fetch_add(&wait->waiting, 1);
		/* Programs cancel the threads that wait for events. */
		pthread_cleanup_push(leave, wait);
		if (!is_told(wait))
			ret = poll_cancellable(pollfds, 1, timeout, cancelling);
		pthread_cleanup_pop(1);
	}
	return ret == -EINTR && !handlers_interrupt() ? 0 : ret;
}

/*
 * A read that finds nothing is for nothing, and to wait for what is there even more so. Which it will
 * be shows in what it was the last times after a call that went as the one before this one: a program
 * that sends and then waits for the answer finds the one at once and not the other, again and again.
 */
static bool expects_to_wait(struct hf_wait *wait)
{
	const bool slept = atomic_load_explicit(&wait->slept, memory_order_relaxed);
	const unsigned int patience =
		atomic_load_explicit(&wait->patience[slept], memory_order_relaxed);

	if (patience)
		atomic_store_explicit(&wait->patience[slept], patience - 1, memory_order_relaxed);
	return patience > 0;
}

static void remember(struct hf_wait *wait, bool slept, bool read_for_nothing)
{
	const bool before = atomic_load_explicit(&wait->slept, memory_order_relaxed);

	if (read_for_nothing)
		atomic_store_explicit(&wait->patience[before], PATIENCE, memory_order_relaxed);
	atomic_store_explicit(&wait->slept, slept, memory_order_relaxed);
}

/* 1, 0 for nothing there, -errno. */
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
			 const struct hf_wait_account *account, const int *cancelling)
{
	/* To look into a queue takes no system call. */
	const bool waits_first = !wait->queue && expects_to_wait(wait);
	int err = waits_first ? sleep_on(wait, cancelling) : 0;
	bool slept = waits_first && !err, asks;
	int got;

	if (err && err != -EAGAIN)
		return err;
	for (;;) {
		got = try_read(wait, buffer, size, account);
		if (got)
			break;
		/* Who goes to sleep is woken by what tells of the removal, and need not ask before. */
		asks = slept || err || !wait->removal;
		if (asks && hfi_wait_is_over(wait))
			return 0;
		if (!err)
			err = sleep_on(wait, cancelling);
		if (err)
			return err == -EAGAIN && !asks && hfi_wait_is_over(wait) ? 0 : err;
		slept = true;
	}
	remember(wait, slept, slept && !waits_first);
	return got;
}

int hfi_wait_read(struct hf_wait *wait, void *buffer, size_t size,
		  const struct hf_wait_account *account)
{
	int cancelling, got;

	/* Anywhere but at the start and asleep, the thread would take a lock with it. */
	pthread_testcancel();
	/* Who is alone is cancelled by nobody. */
	if (__libc_single_threaded)
		return read_or_sleep(wait, buffer, size, account, NULL);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &cancelling);
	got = read_or_sleep(wait, buffer, size, account, &cancelling);
	pthread_setcancelstate(cancelling, NULL);
	return got;
}
