/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The one thread of a context. It holds the slot, waits for the doorbell, for the removal of the
 * device and for time, reports the events that peers left, and tries requests that wait.
 */
#include <errno.h>
#include <poll.h>
#include <sched.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "providers/uroce/qp.h"
#include "providers/uroce/wire.h"
#include "providers/uroce/wire_receive.h"
#include "shared/clock.h"
#include "shared/thread.h"

enum {
	RINGS = 64, /* that are read at once */
	PEER_YIELDS = 20,
	LOOK_NS = 1000000, /* how often a peer that has not done what it rang for is looked at */
};

uint64_t uroce_now(void)
{
	return (uint64_t)hfi_now_ns();
}

void uroce_random(void *bytes, size_t size)
{
	char *at = bytes;

	while (size) {
		const ssize_t got = getrandom(at, size, 0);

		if (got > 0) {
			at += got;
			size -= (size_t)got;
		}
	}
}

static void report_all(struct uroce_context *context)
{
	bool again = false;

	pthread_mutex_lock(&context->lock);
	for (uint32_t i = 0; i < context->cqs_end; i++)
		if (context->cqs[i])
			again |= uroce_cq_report(context->cqs[i]);
	for (uint32_t i = 0; i < context->srqs_end; i++)
		if (context->srqs[i])
			uroce_srq_report(context->srqs[i]);
	pthread_mutex_unlock(&context->lock);
	context->looks_again = again;
}

/* A peer rings first and then acts, so it will soon be done. */
static bool peers_are_done(struct uroce_context *context)
{
	for (int i = 0; i < PEER_YIELDS && uroce_watches(context); i++) {
		if (uroce_watch_ended(context))
			return true;
		sched_yield();
	}
	return false;
}

/* Why the thread looks at the requests, and which ones it looks at again. */
static uint32_t read_doorbell(struct uroce_context *context, bool has_rung)
{
	uint32_t why;
	uint16_t from;

	/*
	 * Read a limited number: everybody can ring, faster than we read, and the rest wakes us
	 * again.
	 */
	for (int i = 0; has_rung && i < RINGS; i++) {
		const ssize_t got =
			recv(context->doorbell, &from, sizeof(from), MSG_DONTWAIT | MSG_TRUNC);

		if (got < 0)
			break;
		if (got == (ssize_t)sizeof(from))
			uroce_watch_slot(context, from);
	}
	why = atomic_exchange(&context->slot->rung, 0);
	if (why & UROCE_RING_MANY)
		uroce_watch_all(context);
	return why;
}

static struct timespec until(uint64_t deadline)
{
	const uint64_t now = uroce_now(), left = deadline > now ? deadline - now : 0;

	return (struct timespec){.tv_sec = (time_t)(left / 1000000000),
				 .tv_nsec = (long)(left % 1000000000)};
}

/* The device is gone: complete every request with an error, so that programs that poll see it. */
static void note_removal(struct uroce_context *context)
{
	atomic_store(&context->gone, true);
	uroce_progress_all(context, true);
	uroce_wire_removed(context);
}

static bool any_is_ready(const struct pollfd *fds, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++) {
		if (fds[i].revents)
			return true;
	}
	return false;
}

/* Whether the doorbell has to be read. */
static bool wait_for_work(struct uroce_context *context)
{
	const int removal = atomic_load(&context->gone) ? -1
							: hf_provider_removal_fd(&context->verbs);
	struct pollfd fds[2 + UROCE_WIRE_FDS] = {
		{.fd = context->doorbell, .events = POLLIN},
		{.fd = removal, .events = POLLIN},
	};
	uint64_t deadline = uroce_next_deadline(context);
	const uint64_t write_at = uroce_counters_deadline(context, uroce_now());
	const unsigned int sockets = uroce_wire_fds(context, fds + 2, &deadline);
	struct timespec left;

	if (context->looks_again || uroce_watches(context))
		deadline = deadline < uroce_now() + LOOK_NS ? deadline : uroce_now() + LOOK_NS;
	deadline = deadline < write_at ? deadline : write_at;
	/* Whoever sets a deadline after this sees when we wake; we see one that was set before. */
	atomic_store(&context->wakes_at, deadline);
	if (uroce_next_deadline(context) < deadline)
		deadline = uroce_next_deadline(context);
	left = until(deadline);
	if (ppoll(fds, 2 + sockets, deadline == UROCE_NEVER ? NULL : &left, NULL) <= 0)
		return false;
	if (fds[1].revents)
		note_removal(context);
	if (any_is_ready(fds + 2, sockets))
		uroce_wire_poll(context, true);
	return fds[0].revents;
}

int uroce_thread_begin(struct uroce_context *context)
{
	const int err = uroce_membership_begin(context);

	pthread_mutex_lock(&context->start_lock);
	context->is_started = true;
	context->start_err = err;
	pthread_cond_signal(&context->started);
	pthread_mutex_unlock(&context->start_lock);
	return err;
}

/* This thread does everything that has to be undone when the process is killed. */
static void *run_context(void *arg)
{
	struct uroce_context *context = arg;

	if (uroce_thread_begin(context))
		return NULL;
	while (!atomic_load(&context->stop)) {
		bool all = peers_are_done(context), has_rung = true;
		uint32_t why;

		if (!all) {
			has_rung = wait_for_work(context);
			all = uroce_watch_ended(context);
		}
		why = read_doorbell(context, has_rung);
		if (all || context->looks_again || why & (UROCE_RING_CQ | UROCE_RING_SRQ))
			report_all(context);
		uroce_progress_all(context, all || why & UROCE_RING_QP);
		if (context->write_at <= uroce_now())
			uroce_counters_write(context);
	}
	uroce_wire_end(context);
	uroce_counters_write(context);
	uroce_membership_end(context);
	return NULL;
}

static int open_doorbell(struct uroce_context *context)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	socklen_t length = sizeof(address);
	uint64_t name = 0;

	context->doorbell = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	/* An address without a name: the kernel chooses one, a NUL and five characters. */
	if (context->doorbell < 0 ||
	    bind(context->doorbell, (struct sockaddr *)&address, sizeof(sa_family_t)) ||
	    getsockname(context->doorbell, (struct sockaddr *)&address, &length))
		return errno;
	memcpy(&name, address.sun_path, UROCE_DOORBELL_NAME);
	context->own.doorbell = name;
	return 0;
}

int uroce_thread_start(struct uroce_context *context, void *(*run)(void *))
{
	const int err = -hfi_thread_start(&context->thread, run, context);

	if (err)
		return err;
	context->has_thread = true;
	pthread_mutex_lock(&context->start_lock);
	while (!context->is_started)
		pthread_cond_wait(&context->started, &context->start_lock);
	pthread_mutex_unlock(&context->start_lock);
	return context->start_err;
}

int uroce_engine_start(struct uroce_context *context)
{
	const int err = open_doorbell(context);

	if (err)
		return err;
	uroce_random(&context->probe, sizeof(context->probe));
	return uroce_thread_start(context, run_context);
}

/* A forked child has no such thread. */
void uroce_engine_stop(struct uroce_context *context)
{
	if (context->has_thread && context->pid == getpid()) {
		struct sockaddr_un address = {.sun_family = AF_UNIX};
		const uint64_t name = context->own.doorbell;

		atomic_store(&context->stop, true);
		memcpy(address.sun_path, &name, UROCE_DOORBELL_NAME);
		sendto(context->doorbell, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL,
		       (const struct sockaddr *)&address,
		       sizeof(sa_family_t) + UROCE_DOORBELL_NAME);
		pthread_join(context->thread, NULL);
	}
	if (context->doorbell >= 0)
		close(context->doorbell);
}
