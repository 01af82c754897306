/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Opens all sources of notifications of some roots and polls them as one descriptor. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/timerfd.h>

#include "shared/attr.h"
#include "shared/error.h"
#include "shared/fd_mark.h"
#include "shared/file.h"
#include "shared/userns.h"
#include "core/notify/hint_queue.h"
#include "core/notify/inotify.h"
#include "core/notify/netlink.h"
#include "core/notify/rdma_netlink.h"
#include "core/notify/route_netlink.h"
#include "core/notify/uevent.h"
#include "core/notify/watch.h"

enum {
	RECEIVE_BUFFER = 8 << 20,
	ROUNDS_MAX = 16,
	POLL_SECONDS = 1,
};

enum {
	TAG_OWNER,
	TAG_UEVENT,
	TAG_RDMA,
	TAG_ROUTE,
	TAG_INOTIFY,
	TAG_MOUNTS,
	TAG_POLL,
	TAG_TIMER,
	NUM_TAGS
};

struct hf_watch {
	struct hf_watch_options options;
	struct hf_hint_sink sink; /* of the sources: `hints` */
	struct hf_fd_mark epoll;
	/*
	 * The members of the epoll set by tag, except the owner's. TAG_POLL is the polling timer,
	 * which exists only if changes can be missed; TAG_TIMER is the owner's timer.
	 */
	struct hf_fd_mark kept[NUM_TAGS];
	uint64_t timer_at;
	struct hf_uevent *uevent;
	struct hf_netlink_source *rdma;
	struct hf_netlink_source *route;
	struct hf_inotify *inotify;
	uint32_t reports; /* enum hf_root_reports of all roots together */
	bool blind;	  /* uevents are missing or unreliable */
	bool timer_due;
	struct hf_hint_queue hints;
};

static int add_fd_for(struct hf_watch *watch, int fd, uint32_t tag, uint32_t events)
{
	struct epoll_event event = {.events = events, .data.u32 = tag};

	if (epoll_ctl(watch->epoll.fd, EPOLL_CTL_ADD, fd, &event) < 0)
		return -errno;
	if (tag != TAG_OWNER)
		hfi_fd_mark(&watch->kept[tag], fd);
	return 0;
}

static int add_fd(struct hf_watch *watch, int fd, uint32_t tag)
{
	return add_fd_for(watch, fd, tag, EPOLLIN);
}

uint64_t hfi_now(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

static int new_timer(struct hf_watch *watch, uint32_t tag)
{
	int fd = timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC | TFD_NONBLOCK);
	int err;

	if (fd < 0)
		return -errno;
	err = add_fd(watch, fd, tag);
	if (err)
		hfi_close(&fd);
	return err;
}

/* A shortage in this process is an error for the caller; a missing source is not. */
static int source_missing(struct hf_watch *watch, const char *what, int err)
{
	if (hfi_error_is_shortage(err))
		return err;
	hf_debug(watch->options.log, "no notifications from %s: %s", what, strerrordesc_np(-err));
	return 0;
}

static int open_uevents(struct hf_watch *watch)
{
	int err = -EPERM;

	if (hfi_uevents_are_heard())
		err = hfi_uevent_open(watch->options.receive_buffer, watch->options.log,
				      &watch->uevent);
	if (err) {
		watch->blind = true;
		return source_missing(watch, "the kernel's uevents", err);
	}
	return add_fd(watch, hfi_uevent_fd(watch->uevent), TAG_UEVENT);
}

static int open_rdma(struct hf_watch *watch)
{
	int err = hfi_rdma_notify_open(watch->options.receive_buffer, &watch->rdma);

	if (err)
		return source_missing(watch, "RDMA netlink", err);
	return add_fd(watch, hfi_netlink_source_fd(watch->rdma), TAG_RDMA);
}

static int open_route(struct hf_watch *watch)
{
	int err = hfi_route_open(watch->options.receive_buffer, &watch->route);

	if (err)
		return source_missing(watch, "route netlink", err);
	return add_fd(watch, hfi_netlink_source_fd(watch->route), TAG_ROUTE);
}

static int open_inotify(struct hf_watch *watch)
{
	int err = hfi_inotify_open(&watch->options, &watch->sink, &watch->inotify);

	if (err) {
		watch->blind = true;
		return source_missing(watch, "inotify", err);
	}
	return add_fd(watch, hfi_inotify_fd(watch->inotify), TAG_INOTIFY);
}

/*
 * inotify reports neither a mount over a directory nor that a mount permits device nodes now. mountinfo is
 * always readable, so it is edge-triggered; adding it counts as the first edge, so call this before another
 * source is added.
 */
static int open_mounts(struct hf_watch *watch)
{
	struct epoll_event event;
	int fd = open("/proc/self/mountinfo", O_RDONLY | O_CLOEXEC);
	int err;

	if (fd < 0)
		return source_missing(watch, "mountinfo", -errno);
	err = add_fd_for(watch, fd, TAG_MOUNTS, EPOLLIN | EPOLLET);
	if (err)
		hfi_close(&fd);
	else
		(void)epoll_wait(watch->epoll.fd, &event, 1, 0);
	return err;
}

static int open_sources(struct hf_watch *watch)
{
	uint32_t flags = watch->options.flags;
	int err = 0;

	for (unsigned int i = 0; i < watch->options.num_roots; i++)
		watch->reports |= watch->options.roots[i].kind->reports;
	if (flags & HF_WATCH_NO_SOCKETS) {
		watch->blind = true;
		return 0;
	}
	if (((watch->reports & HF_REPORTS_INOTIFY) || (flags & HF_WATCH_READINESS)) &&
	    !(flags & HF_WATCH_NO_INOTIFY))
		err = open_mounts(watch);
	if (!err && (watch->reports & HF_REPORTS_UEVENT))
		err = open_uevents(watch);
	if (!err && (watch->reports & HF_REPORTS_RDMA) && !(flags & HF_WATCH_NO_RDMA))
		err = open_rdma(watch);
	if (!err && (watch->reports & HF_REPORTS_ROUTE) && (flags & HF_WATCH_ATTRIBUTES))
		err = open_route(watch);
	if (!err && !(flags & HF_WATCH_NO_INOTIFY))
		err = open_inotify(watch);
	return err;
}

bool hfi_watch_blind(const struct hf_watch *watch)
{
	return watch->blind || (watch->inotify && hfi_inotify_blind(watch->inotify));
}

bool hfi_watch_readiness_blind(const struct hf_watch *watch)
{
	return !watch->inotify || hfi_inotify_readiness_blind(watch->inotify);
}

/* Starts the polling timer if a change can be missed: once per second. */
static int start_polling(struct hf_watch *watch)
{
	static const struct itimerspec every = {{POLL_SECONDS, 0}, {POLL_SECONDS, 0}};
	int err;

	if (watch->kept[TAG_POLL].fd >= 0 || !hfi_watch_blind(watch) ||
	    (watch->options.flags & HF_WATCH_NO_TIMER))
		return 0;
	err = new_timer(watch, TAG_POLL);
	if (!err)
		timerfd_settime(watch->kept[TAG_POLL].fd, 0, &every, NULL);
	return err;
}

static void push_kind(struct hf_watch *watch, enum hf_hint_kind kind)
{
	hfi_hint_send(&watch->sink, kind, HF_ROOT_ANY, NULL);
}

int hfi_watch_new(const struct hf_watch_options *options, struct hf_watch **ret)
{
	struct hf_watch *watch = calloc(1, sizeof(*watch));
	int epoll, err;

	if (!watch)
		return -ENOMEM;
	watch->options = *options;
	watch->sink = (struct hf_hint_sink){hfi_hint_queue_put, &watch->hints};
	if (!watch->options.receive_buffer)
		watch->options.receive_buffer = RECEIVE_BUFFER;
	for (size_t i = 0; i < NUM_TAGS; i++)
		watch->kept[i] = HF_FD_NONE;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	err = epoll < 0 ? -errno : 0;
	hfi_fd_mark(&watch->epoll, epoll);
	if (!err)
		err = open_sources(watch);
	/* Create it now, so that setting it cannot fail. */
	if (!err && !(options->flags & HF_WATCH_NO_TIMER))
		err = new_timer(watch, TAG_TIMER);
	if (!err)
		err = start_polling(watch);
	if (err) {
		hfi_watch_free(watch);
		return err;
	}
	*ret = watch;
	return 0;
}

/* Sources are closed by number: if the program closed one, its number may be another file's now. */
static bool is_kept(const struct hf_watch *watch, uint32_t tag)
{
	return hfi_fd_is_still(&watch->kept[tag]);
}

static void free_netlink_source(const struct hf_watch *watch, uint32_t tag,
				struct hf_netlink_source *source)
{
	if (source && is_kept(watch, tag))
		hfi_netlink_source_close(source);
	else if (source)
		hfi_netlink_source_lost(source);
}

struct hf_watch *hfi_watch_free(struct hf_watch *watch)
{
	if (!watch)
		return NULL;
	hfi_hint_queue_clear(&watch->hints);
	if (watch->uevent && is_kept(watch, TAG_UEVENT))
		hfi_uevent_close(watch->uevent);
	free_netlink_source(watch, TAG_RDMA, watch->rdma);
	free_netlink_source(watch, TAG_ROUTE, watch->route);
	if (watch->inotify && is_kept(watch, TAG_INOTIFY))
		hfi_inotify_close(watch->inotify);
	else if (watch->inotify)
		hfi_inotify_lost(watch->inotify);
	hfi_fd_close(&watch->kept[TAG_MOUNTS]);
	hfi_fd_close(&watch->kept[TAG_POLL]);
	hfi_fd_close(&watch->kept[TAG_TIMER]);
	hfi_fd_close(&watch->epoll);
	free(watch);
	return NULL;
}

void hfi_watch_abandon(struct hf_watch *watch)
{
	for (size_t i = 0; i < NUM_TAGS; i++)
		hfi_fd_close(&watch->kept[i]);
	hfi_fd_close(&watch->epoll);
}

int hfi_watch_fd(const struct hf_watch *watch)
{
	return watch->epoll.fd;
}

bool hfi_watch_is_open(const struct hf_watch *watch)
{
	return hfi_fd_is_still(&watch->epoll);
}

int hfi_watch_add_fd(struct hf_watch *watch, int fd)
{
	return add_fd(watch, fd, TAG_OWNER);
}

void hfi_watch_set_timer(struct hf_watch *watch, uint64_t at)
{
	struct itimerspec when = {
		.it_value = {(time_t)(at / 1000000000u), (long)(at % 1000000000u)},
	};

	if (at == watch->timer_at)
		return;
	if (is_kept(watch, TAG_TIMER))
		timerfd_settime(watch->kept[TAG_TIMER].fd, TFD_TIMER_ABSTIME, &when, NULL);
	watch->timer_at = at;
}

bool hfi_watch_pending(const struct hf_watch *watch)
{
	return !hfi_hint_queue_is_empty(&watch->hints) || watch->timer_due;
}

static bool pop_pending(struct hf_watch *watch, struct hf_hint *ret)
{
	if (!watch->hints.lost && watch->timer_due) {
		hfi_hint_set(ret, HF_HINT_TIMER, HF_ROOT_KERNEL, NULL);
		watch->timer_due = false;
		return true;
	}
	return hfi_hint_queue_pop(&watch->hints, ret);
}

static bool expired(int timer)
{
	uint64_t times;

	return read(timer, &times, sizeof(times)) == sizeof(times);
}

static void drain_source(struct hf_watch *watch, uint32_t tag)
{
	if (tag != TAG_OWNER && !is_kept(watch, tag)) {
		hfi_hint_queue_lose(&watch->hints);
		return;
	}
	switch (tag) {
	case TAG_UEVENT:
		hfi_uevent_drain(watch->uevent, &watch->sink);
		break;
	case TAG_RDMA:
		hfi_netlink_source_drain(watch->rdma, &watch->sink);
		break;
	case TAG_ROUTE:
		hfi_netlink_source_drain(watch->route, &watch->sink);
		break;
	case TAG_INOTIFY:
		hfi_inotify_drain(watch->inotify);
		break;
	case TAG_MOUNTS:
		if (watch->inotify)
			hfi_inotify_mounts_changed(watch->inotify);
		if (watch->options.flags & HF_WATCH_READINESS)
			push_kind(watch, HF_HINT_MOUNTS);
		break;
	case TAG_POLL:
		if (!expired(watch->kept[TAG_POLL].fd))
			break;
		push_kind(watch, HF_HINT_ALL);
		if ((watch->options.flags & HF_WATCH_ATTRIBUTES) &&
		    (!watch->inotify || hfi_inotify_blind(watch->inotify) ||
		     ((watch->reports & HF_REPORTS_ROUTE) && !watch->route)))
			push_kind(watch, HF_HINT_ATTRIBUTES);
		break;
	case TAG_TIMER:
		if (expired(watch->kept[TAG_TIMER].fd)) {
			watch->timer_at = 0;
			watch->timer_due = true;
		}
		break;
	default:
		break;
	}
}

/* Reads the sources that are readable: 1 if there was one, 0, -errno. */
static int read_sources(struct hf_watch *watch)
{
	struct epoll_event events[8];
	bool ours = false;
	int count, err;

	do
		count = epoll_wait(watch->epoll.fd, events, HF_ARRAY_SIZE(events), 0);
	while (count < 0 && errno == EINTR);
	if (count < 0)
		return -errno;
	for (int i = 0; i < count; i++) {
		ours |= events[i].data.u32 != TAG_OWNER;
		drain_source(watch, events[i].data.u32);
	}
	/* A directory may have become unwatchable. */
	err = start_polling(watch);
	return err ? err : ours;
}

int hfi_watch_gather(struct hf_watch *watch)
{
	int got = 1;

	for (int round = 0; round < ROUNDS_MAX && got > 0; round++)
		got = read_sources(watch);
	return got < 0 ? got : 0;
}

int hfi_watch_next(struct hf_watch *watch, struct hf_hint *ret)
{
	int got = 1;

	/*
	 * The sources may deliver irrelevant messages only; a flood of them must not hold the
	 * caller.
	 */
	for (int round = 0; round < ROUNDS_MAX && got > 0; round++) {
		if (pop_pending(watch, ret))
			return 1;
		got = read_sources(watch);
	}
	return got < 0 ? got : pop_pending(watch, ret);
}
