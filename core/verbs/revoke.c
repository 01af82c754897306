/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Revocation: releases a removed device in place of the program. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdlib.h>
#include <unistd.h>
#include <sys/eventfd.h>
#include <sys/stat.h>
#include <utlist.h>

#include "shared/clock.h"
#include "shared/fd_mark.h"
#include "shared/file.h"
#include "shared/thread.h"
#include "core/base/process.h"
#include "core/device/hf.h"
#include "core/verbs/context.h"
#include "core/verbs/release_file.h"
#include "core/verbs/revoke.h"
#include "core/verbs/track.h"

/* Guarded by hf->revoke_lock, except `hf`. */
struct hf_revoker {
	struct hf *hf;
	struct hf_revocable *contexts; /* utlist */
	size_t count;
	struct hf_fd_mark wake; /* eventfd: wakes the thread */
	struct hf_fd_mark
		dead; /* a pipe without writer, made now since descriptors may run out later */
	bool running, stop;
	pthread_t thread;
	unsigned int turn;	 /* of the thread that runs: an earlier one ends */
	unsigned int fork_count; /* of the process that the thread runs in */
};

/* The program may have closed it with everything else. -errno when there is no other. */
HF_REQUIRES(hfi_revoke_kind)
static int dead_file(struct hf_revoker *revoker)
{
	int fds[2];

	if (revoker->dead.fd >= 0 && hfi_fd_is_still(&revoker->dead))
		return revoker->dead.fd;
	hfi_fd_forget(&revoker->dead);
	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	hfi_close(&fds[1]);
	hfi_fd_mark(&revoker->dead, fds[0]);
	return fds[0];
}

HF_REQUIRES(hfi_revoke_kind)
static void revoke_wait(struct hf_revoker *revoker, struct hf_wait *wait)
{
	const int dead = dead_file(revoker);

	atomic_store(&wait->revoked, true);
	if (dead >= 0 && hfi_wait_owns(wait))
		(void)dup3(dead, wait->kernel_fd, O_CLOEXEC);
}

/* Does nothing if the program closed the descriptor and has another file under its number. */
HF_REQUIRES(hfi_revoke_kind)
static int replace_node(int dead, const struct hf_revocable *revocable)
{
	const struct hf_fd_mark *node = &revocable->context->priv->node;

	if (node->fd < 0 || !hfi_fd_is_still(node))
		return 0;
	return dup3(dead, node->fd, O_CLOEXEC) < 0 ? -errno : 0;
}

/* A node that outlives its device, as in a container, may be open again for the next instance. */
HF_REQUIRES(hfi_revoke_kind)
static bool node_is_in_use(const struct hf_revoker *revoker, const struct hf_revocable *revocable)
{
	const struct hf_revocable *r;

	DL_FOREACH (revoker->contexts, r)
		if (r->state == HF_REVOKE_LIVE && !hfi_removal_happened(r->removal) &&
		    hfi_release_is_same(&r->node, &revocable->node))
			return true;
	return false;
}

/*
 * In this order: stop sending commands, stop the provider's posting and polling, wake the threads that
 * sleep. Then nothing needs the kernel's file any more, and it is released.
 */
HF_REQUIRES(hfi_revoke_kind)
static void revoke_context(struct hf_revoker *revoker, struct hf_revocable *revocable)
{
	struct verbs_context *context = revocable->context;
	struct hf_device *device = context->priv->device;
	const int dead = dead_file(revoker);
	struct hf_wait *channel;
	int err = dead < 0 ? dead : 0;

	atomic_store(&context->priv->uverbs.dead, true);
	hfi_track_end(revocable->track);
	if (context->priv->async.used)
		revoke_wait(revoker, &context->priv->async);
	DL_FOREACH (revocable->channels, channel)
		revoke_wait(revoker, channel);
	if (!err)
		err = replace_node(dead, revocable);
	/* In a tree that user space writes the node may be any file, such as /dev/null. */
	if (!err && revoker->hf->roots[device->key.root].kind->kernel_nodes &&
	    !node_is_in_use(revoker, revocable))
		err = hfi_release_file(&revocable->node, dead);
	revocable->state = HF_REVOKE_DONE;
	if (err < 0)
		hf_error(&revoker->hf->log, "%s: revoke failed: %s", device->key.uverbs,
			 strerrordesc_np(-err));
	else
		hf_info(&revoker->hf->log, "%s: device removed, resources revoked",
			device->key.uverbs);
}

/* Revokes the contexts that are due. Returns the milliseconds until the next one is, or -1. */
HF_REQUIRES(hfi_revoke_kind)
static int revoke_due(struct hf_revoker *revoker)
{
	uint64_t now = (uint64_t)hfi_now_ms();
	struct hf_revocable *r;
	int next = -1;

	DL_FOREACH (revoker->contexts, r) {
		if (r->state == HF_REVOKE_LIVE && hfi_removal_happened(r->removal)) {
			r->state = HF_REVOKE_PENDING;
			r->deadline = now + HF_REVOKE_GRACE_MS;
		}
		if (r->state != HF_REVOKE_PENDING)
			continue;
		if (now >= r->deadline)
			revoke_context(revoker, r);
		else if (next < 0 || (uint64_t)next > r->deadline - now)
			next = (int)(r->deadline - now);
	}
	return next;
}

/*
 * The descriptors that the thread waits for. Its own copy: a cancelled thread must not share them
 * with the next one.
 */
struct gathered {
	struct pollfd *fds;
	size_t size;
};

/* Collects the descriptors that are still ours. If memory runs out, the thread polls instead. */
HF_REQUIRES(hfi_revoke_kind)
static nfds_t gather_pollfds(const struct hf_revoker *revoker, struct gathered *gathered)
{
	const size_t wanted = 2 * revoker->count + 8;
	struct hf_revocable *r;
	nfds_t count = 1;

	if (gathered->size < revoker->count + 1) {
		struct pollfd *grown = reallocarray(gathered->fds, wanted, sizeof(*grown));

		if (!grown)
			return 0;
		gathered->fds = grown;
		gathered->size = wanted;
	}
	gathered->fds[0] = (struct pollfd){.fd = revoker->wake.fd, .events = POLLIN};
	DL_FOREACH (revoker->contexts, r)
		if (r->state == HF_REVOKE_LIVE && hfi_removal_is_heard(r->removal))
			gathered->fds[count++] = (struct pollfd){
				.fd = hfi_removal_fd(r->removal),
				.events = POLLIN,
			};
	return count;
}

/*
 * A thread whose descriptors the program closed cannot be woken: it can be cancelled here, and only
 * here.
 */
static void sleep_until_due(const struct gathered *gathered, nfds_t count, int timeout)
{
	enum { LOOK_AGAIN_MS = 100 };

	pthread_setcancelstate(PTHREAD_CANCEL_ENABLE, NULL);
	(void)poll(gathered->fds, count, count ? timeout : LOOK_AGAIN_MS);
	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
}

static void free_gathered(void *arg)
{
	struct gathered *gathered = arg;

	free(gathered->fds);
}

/* False when another thread has taken over: the program closed the descriptors of this one. */
HF_REQUIRES(hfi_revoke_kind)
static bool has_turn(struct hf_revoker *revoker, unsigned int turn)
{
	uint64_t times;

	if (revoker->stop || revoker->turn != turn)
		return false;
	if (!hfi_fd_is_still(&revoker->wake))
		return false;
	(void)!read(revoker->wake.fd, &times, sizeof(times));
	return true;
}

static void watch_contexts(struct hf_revoker *revoker, struct gathered *gathered)
{
	unsigned int turn;

	hfi_revoke_lock(revoker->hf);
	hfi_log_hold();
	turn = revoker->turn;
	while (has_turn(revoker, turn)) {
		int timeout = revoke_due(revoker);
		nfds_t count = gather_pollfds(revoker, gathered);

		hfi_revoke_unlock(revoker->hf);
		hfi_log_release();
		sleep_until_due(gathered, count, timeout);
		hfi_revoke_lock(revoker->hf);
		hfi_log_hold();
	}
	hfi_revoke_unlock(revoker->hf);
	hfi_log_release();
}

static void *watch_for_removal(void *arg)
{
	struct gathered gathered = {0};

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, NULL);
	pthread_cleanup_push(free_gathered, &gathered);
	watch_contexts(arg, &gathered);
	pthread_cleanup_pop(1);
	return NULL;
}

/* --- Around fork ------------------------------------------------------------------------------- */

HF_REQUIRES(hfi_revoke_kind)
static void revoker_before_fork(struct hf *hf)
{
	struct hf_revocable *r;

	DL_FOREACH (hf->revoker->contexts, r)
		r->track_held = hfi_track_hold(r->track);
}

HF_REQUIRES(hfi_revoke_kind)
static void revoker_after_fork_in_parent(struct hf *hf)
{
	struct hf_revocable *r;

	DL_FOREACH (hf->revoker->contexts, r)
		if (r->track_held)
			hfi_track_release(r->track);
}

HF_REQUIRES(hfi_revoke_kind)
static int start_revoker(struct hf_revoker *revoker);

/* The child's descriptors hold the device as well, so it needs a thread of its own. */
HF_REQUIRES(hfi_revoke_kind)
static void revoker_after_fork_in_child(struct hf *hf)
{
	struct hf_revocable *r;
	int err = 0;

	DL_FOREACH (hf->revoker->contexts, r)
		hfi_track_renew_lock(r->track);
	if (hf->revoker->contexts)
		err = start_revoker(hf->revoker);
	if (err)
		hf_warn(&hf->log, "a forked child cannot revoke removed devices: %s",
			strerrordesc_np(-err));
}

/* Replaces descriptors that the program has closed or reused. */
HF_REQUIRES(hfi_revoke_kind)
static int open_fds(struct hf_revoker *revoker)
{
	int dead, wake;

	if (revoker->wake.fd < 0 || !hfi_fd_is_still(&revoker->wake)) {
		hfi_fd_forget(&revoker->wake);
		wake = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
		if (wake < 0)
			return -errno;
		hfi_fd_mark(&revoker->wake, wake);
	}
	dead = dead_file(revoker);
	return dead < 0 ? dead : 0;
}

/* Starts the thread if it does not run or cannot be woken. A forked child has none before this. */
static int start_revoker(struct hf_revoker *revoker)
{
	int err;

	if (revoker->running && revoker->fork_count == hfi_fork_count() &&
	    hfi_fd_is_still(&revoker->wake))
		return 0;
	if (revoker->running && revoker->fork_count != hfi_fork_count()) {
		/* The eventfd is shared with the parent, whose thread would miss what is read here. */
		hfi_fd_close(&revoker->wake);
		hfi_fd_close(&revoker->dead);
	}
	revoker->running = false;
	revoker->turn++;
	err = open_fds(revoker);
	if (err)
		return err;
	err = hfi_thread_start(&revoker->thread, watch_for_removal, revoker);
	if (err)
		return err;
	revoker->running = true;
	revoker->fork_count = hfi_fork_count();
	return 0;
}

/*
 * The thread that start_revoker() will replace because it cannot be woken. End it without holding
 * the lock.
 */
HF_REQUIRES(hfi_revoke_kind)
static bool has_lost_thread(const struct hf_revoker *revoker, pthread_t *ret)
{
	*ret = revoker->thread;
	return revoker->running && revoker->fork_count == hfi_fork_count() &&
	       !hfi_fd_is_still(&revoker->wake);
}

static void end_lost_thread(pthread_t thread)
{
	pthread_cancel(thread);
	pthread_join(thread, NULL);
}

HF_REQUIRES(hfi_revoke_kind)
static void wake_revoker(const struct hf_revoker *revoker)
{
	const uint64_t one = 1;

	if (hfi_fd_is_still(&revoker->wake))
		(void)!write(revoker->wake.fd, &one, sizeof(one));
}

/* Called when no other thread knows the context any more. In a child there is no thread to join. */
HF_UNCHECKED_LOCKS
static void free_revoker(struct hf *hf)
{
	struct hf_revoker *revoker = hf->revoker;
	pthread_t thread;
	bool mine, lost;

	hfi_revoke_lock(hf);
	mine = revoker->running && revoker->fork_count == hfi_fork_count();
	lost = has_lost_thread(revoker, &thread);
	revoker->stop = true;
	if (mine)
		wake_revoker(revoker);
	hfi_revoke_unlock(hf);
	if (lost)
		end_lost_thread(thread);
	else if (mine)
		pthread_join(thread, NULL);
	hfi_fd_close(&revoker->wake);
	hfi_fd_close(&revoker->dead);
	free(revoker);
	hf->revoker = NULL;
}

static const struct hf_revoker_ops revoker_ops = {
	.before_fork = revoker_before_fork,
	.after_fork_in_parent = revoker_after_fork_in_parent,
	.after_fork_in_child = revoker_after_fork_in_child,
	.free = free_revoker,
};

/* At the first open. With the lock held. */
HF_REQUIRES(hfi_revoke_kind)
static int make_revoker(struct hf *hf)
{
	struct hf_revoker *revoker;

	if (hf->revoker)
		return 0;
	revoker = calloc(1, sizeof(*revoker));
	if (!revoker)
		return -ENOMEM;
	revoker->hf = hf;
	revoker->wake = HF_FD_NONE;
	revoker->dead = HF_FD_NONE;
	hf->revoker = revoker;
	hf->revoker_ops = &revoker_ops;
	return 0;
}

int hfi_revoke_watch(struct verbs_context *context)
{
	struct verbs_ex_private *private = context->priv;
	struct hf *hf = private->device->hf;
	struct hf_revocable *revocable;
	pthread_t thread;
	bool lost = false;
	int err;

	if (!hf->revoke_wanted)
		return 0;
	revocable = calloc(1, sizeof(*revocable));
	if (!revocable)
		return -ENOMEM;
	revocable->context = context;
	err = fstat(context->context.cmd_fd, &revocable->node) < 0 ? -errno : 0;
	if (!err)
		err = hfi_track_new(context, &revocable->track);
	if (err)
		goto free_revocable;
	err = hfi_removal_get(private->device, &revocable->removal);
	if (err)
		goto free_track;
	hfi_revoke_lock(hf);
	err = make_revoker(hf);
	if (!err) {
		lost = has_lost_thread(hf->revoker, &thread);
		err = start_revoker(hf->revoker);
	}
	if (!err) {
		private->revocable = revocable;
		hfi_track_refresh(context);
		DL_APPEND(hf->revoker->contexts, revocable);
		hf->revoker->count++;
		revocable->watched = true;
		wake_revoker(hf->revoker);
	}
	hfi_revoke_unlock(hf);
	if (lost)
		end_lost_thread(thread);
	if (!err)
		return 0;
	hfi_removal_put(private->device, revocable->removal);
free_track:
	hfi_track_free(revocable->track);
free_revocable:
	free(revocable);
	if (err == -EOPNOTSUPP) {
		hf_warn(&hf->log, "%s: cannot be revoked: its removal is not reported",
			private->device->key.uverbs);
		err = 0;
	}
	return err;
}

void hfi_revoke_forget(struct verbs_context *context)
{
	struct hf_revocable *revocable = context->priv->revocable;
	struct hf *hf = context->priv->device->hf;

	if (!revocable)
		return;
	hfi_revoke_lock(hf);
	if (revocable->watched) {
		DL_DELETE(hf->revoker->contexts, revocable);
		hf->revoker->count--;
		revocable->watched = false;
	}
	hfi_revoke_unlock(hf);
	hfi_removal_put(context->priv->device, revocable->removal);
	revocable->removal = NULL;
}

void hfi_revoke_free(struct hf_revocable *revocable)
{
	if (!revocable)
		return;
	hfi_track_free(revocable->track);
	free(revocable);
}

void hfi_revoke_add_channel(struct verbs_context *context, struct hf_wait *wait)
{
	struct hf_revocable *revocable = context->priv->revocable;
	struct hf *hf;

	if (!revocable)
		return;
	hf = context->priv->device->hf;
	hfi_revoke_lock(hf);
	DL_APPEND(revocable->channels, wait);
	if (revocable->state == HF_REVOKE_DONE)
		revoke_wait(hf->revoker, wait);
	hfi_revoke_unlock(hf);
}

void hfi_revoke_remove_channel(struct verbs_context *context, struct hf_wait *wait)
{
	struct hf_revocable *revocable = context->priv->revocable;
	struct hf *hf;

	if (!revocable)
		return;
	hf = context->priv->device->hf;
	hfi_revoke_lock(hf);
	DL_DELETE(revocable->channels, wait);
	hfi_revoke_unlock(hf);
}
