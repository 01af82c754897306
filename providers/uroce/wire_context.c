/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The wire of a context: made with the first QP that needs it, with a socket for each of its addresses. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "providers/uroce/wire.h"
#include "providers/uroce/wire_receive.h"

enum {
	SPINS = 16,		 /* of a program that polls by itself, since the last look */
	LOOK_AGAIN_NS = 1000000, /* whether it still does */
	ACTIVE_NS = 20000000,
};

/* Any port of the loopback address: the token in each packet says that it comes from this device. */
static int open_relay(struct uroce_wire *wire)
{
	struct uroce_socket *relay = &wire->relay;
	struct sockaddr_in *address = &relay->address.ipv4;
	socklen_t length = sizeof(*address);
	int size = 1 << 20;

	address->sin_family = AF_INET;
	address->sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	relay->fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (relay->fd < 0 || bind(relay->fd, &relay->address.any, length) ||
	    getsockname(relay->fd, &relay->address.any, &length))
		return errno;
	setsockopt(relay->fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	atomic_store(&wire->context->slot->wire_address, ntohs(address->sin_port));
	return 0;
}

/*
 * All wires of the process: a forked child closes its copies of their sockets. The kernel would go on giving
 * packets to a socket that nobody reads, after the parent has ended. There is no other place that the handlers
 * of pthread_atfork() could find them in.
 */
static struct uroce_wire *wires;
static pthread_mutex_t wires_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_once_t wires_once = PTHREAD_ONCE_INIT;

static void wires_before_fork(void)
{
	pthread_mutex_lock(&wires_lock);
}

static void wires_after_fork(void)
{
	pthread_mutex_unlock(&wires_lock);
}

static void close_all_sockets(struct uroce_wire *wire)
{
	for (unsigned int i = 0; i < atomic_load(&wire->socket_count); i++)
		uroce_socket_close(&wire->sockets[i]);
	uroce_socket_close(&wire->relay);
}

static void wires_in_child(void)
{
	for (struct uroce_wire *wire = wires; wire; wire = wire->next)
		close_all_sockets(wire);
	pthread_mutex_unlock(&wires_lock);
}

static void watch_forks(void)
{
	pthread_atfork(wires_before_fork, wires_after_fork, wires_in_child);
}

static void add_wire(struct uroce_wire *wire)
{
	pthread_once(&wires_once, watch_forks);
	pthread_mutex_lock(&wires_lock);
	wire->next = wires;
	wires = wire;
	pthread_mutex_unlock(&wires_lock);
}

static void remove_wire(struct uroce_wire *wire)
{
	struct uroce_wire **at = &wires;

	pthread_mutex_lock(&wires_lock);
	while (*at && *at != wire)
		at = &(*at)->next;
	if (*at)
		*at = wire->next;
	/* Before a fork whose child does not find it any more. */
	close_all_sockets(wire);
	pthread_mutex_unlock(&wires_lock);
}

static void free_wire(struct uroce_wire *wire)
{
	remove_wire(wire);
	pthread_mutex_destroy(&wire->receive_lock);
	pthread_mutex_destroy(&wire->lock);
	uroce_inbox_free(wire->inbox);
	uroce_pacer_free(wire->pacer);
	free(wire);
}

static int make_wire(struct uroce_context *context, struct uroce_wire **ret)
{
	struct uroce_wire *wire = calloc(1, sizeof(*wire));
	pthread_mutexattr_t recursive;
	int err;

	if (!wire)
		return ENOMEM;
	wire->context = context;
	wire->relay.fd = -1;
	/* A completion may end in the QP's stop, which gives back what is in the windows. */
	pthread_mutexattr_init(&recursive);
	pthread_mutexattr_settype(&recursive, PTHREAD_MUTEX_RECURSIVE);
	pthread_mutex_init(&wire->lock, &recursive);
	pthread_mutexattr_destroy(&recursive);
	pthread_mutex_init(&wire->receive_lock, NULL);
	for (unsigned int i = 0; i < UROCE_WIRE_WINDOWS; i++)
		wire->tx[i].limit = UROCE_WINDOW_LIMIT;
	wire->rx.limit = UROCE_WINDOW_LIMIT;
	uroce_icrc_init(&wire->icrc);
	wire->inbox = uroce_inbox_new();
	add_wire(wire);
	pthread_mutex_lock(&wires_lock);
	err = wire->inbox ? open_relay(wire) : ENOMEM;
	pthread_mutex_unlock(&wires_lock);
	if (err)
		free_wire(wire);
	else
		*ret = wire;
	return err;
}

int uroce_wire_get(struct uroce_context *context, struct uroce_wire **ret)
{
	int err = 0;

	pthread_mutex_lock(&context->lock);
	*ret = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);
	if (!*ret) {
		err = make_wire(context, ret);
		if (!err)
			__atomic_store_n(&context->wire, *ret, __ATOMIC_RELEASE);
	}
	pthread_mutex_unlock(&context->lock);
	if (err)
		hf_provider_log(context->verbs.context.device, HF_LOG_ERROR, "uroce: no wire: %s",
				strerror(err));
	return err;
}

static const struct uroce_socket *find_wire_socket(struct uroce_wire *wire,
						   const union ibv_gid *gid)
{
	unsigned int count = atomic_load_explicit(&wire->socket_count, memory_order_acquire);

	for (unsigned int i = 0; i < count; i++) {
		if (!memcmp(&wire->sockets[i].gid, gid, sizeof(*gid)))
			return &wire->sockets[i];
	}
	return NULL;
}

/* A child that is forked meanwhile would have a copy that it does not know of. */
static int add_socket(struct uroce_wire *wire, const union ibv_gid *gid, unsigned int count)
{
	int err;

	pthread_mutex_lock(&wires_lock);
	err = uroce_socket_open(gid, &wire->sockets[count]);
	if (!err)
		atomic_store_explicit(&wire->socket_count, count + 1, memory_order_release);
	pthread_mutex_unlock(&wires_lock);
	return err;
}

int uroce_wire_socket(struct uroce_wire *wire, const union ibv_gid *gid,
		      const struct uroce_socket **ret)
{
	unsigned int count;
	int err;

	*ret = find_wire_socket(wire, gid);
	if (*ret)
		return 0;
	pthread_mutex_lock(&wire->lock);
	*ret = find_wire_socket(wire, gid);
	count = atomic_load(&wire->socket_count);
	err = *ret ? 0 : ENOSPC;
	if (!*ret && atomic_load(&wire->context->gone)) {
		err = EIO;
	} else if (!*ret && count < UROCE_GIDS) {
		err = add_socket(wire, gid, count);
		if (!err)
			*ret = &wire->sockets[count];
	}
	pthread_mutex_unlock(&wire->lock);
	/* The engine thread waits for it from now on. */
	if (!err)
		uroce_peer_ring(wire->context, &wire->context->own, UROCE_RING_PROGRESS);
	return err;
}

/* With the locks of all who use a socket. Without one they send and receive nothing. */
void uroce_wire_removed(struct uroce_context *context)
{
	struct uroce_wire *wire = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);

	if (!wire)
		return;
	atomic_store(&context->slot->wire_address, 0);
	pthread_mutex_lock(&wire->receive_lock);
	pthread_mutex_lock(&wire->lock);
	pthread_mutex_lock(&wires_lock);
	close_all_sockets(wire);
	pthread_mutex_unlock(&wires_lock);
	pthread_mutex_unlock(&wire->lock);
	pthread_mutex_unlock(&wire->receive_lock);
}

void uroce_wire_end(struct uroce_context *context)
{
	if (!__atomic_load_n(&context->wire, __ATOMIC_ACQUIRE))
		return;
	/* What came to our sockets for other processes is theirs. */
	uroce_wire_poll(context, true);
	atomic_store(&context->slot->wire_address, 0);
}

void uroce_wire_close(struct uroce_context *context)
{
	struct uroce_wire *wire = context->wire;

	if (!wire)
		return;
	context->wire = NULL;
	free_wire(wire);
}

/* --- for the engine thread -------------------------------------------------------------------------------- */

static void wake_at(uint64_t *deadline, uint64_t at)
{
	if (at < *deadline)
		*deadline = at;
}

unsigned int uroce_wire_fds(struct uroce_context *context, struct pollfd *fds, uint64_t *deadline)
{
	struct uroce_wire *wire = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);
	const uint64_t now = uroce_now();
	unsigned int count, spins;
	bool is_left_alone;

	if (!wire)
		return 0;
	/* While packets are sent, and a while after, their timeouts need not wake the thread each time. */
	if (atomic_exchange(&wire->is_active, false))
		wire->active_until = now + ACTIVE_NS;
	if (now < wire->active_until)
		wake_at(deadline, wire->active_until);
	spins = atomic_load(&wire->spins);
	is_left_alone = spins >= SPINS && spins != wire->spins_seen;
	/* First, so that whoever holds frames after this look knows whether there is another one. */
	atomic_store(&wire->is_left_alone, is_left_alone);
	if (atomic_load(&wire->holds))
		uroce_wire_flush(wire);
	if (atomic_load(&wire->holds))
		wake_at(deadline, now + LOOK_AGAIN_NS);
	if (is_left_alone) {
		wire->spins_seen = spins;
		wake_at(deadline, now + LOOK_AGAIN_NS);
		return 0;
	}
	/* It stopped polling, or polls now and then. */
	if (spins == wire->spins_seen)
		atomic_store(&wire->spins, 0);
	wire->spins_seen = 0;
	count = atomic_load_explicit(&wire->socket_count, memory_order_acquire);
	for (unsigned int i = 0; i < count; i++)
		fds[i] = (struct pollfd){.fd = wire->sockets[i].fd, .events = POLLIN};
	fds[count] = (struct pollfd){.fd = wire->relay.fd, .events = POLLIN};
	return count + 1;
}

void uroce_wire_armed(struct uroce_context *context)
{
	struct uroce_wire *wire = __atomic_load_n(&context->wire, __ATOMIC_ACQUIRE);

	if (!wire)
		return;
	if (atomic_load(&wire->holds))
		uroce_wire_flush(wire);
	atomic_store(&wire->spins, 0);
	if (atomic_load(&wire->is_left_alone))
		uroce_peer_ring(context, &context->own, UROCE_RING_PROGRESS);
}
