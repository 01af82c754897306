/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What the machine can do without a device: sockets, process_vm_writev() and memcpy(). */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <netinet/udp.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "t/bench/uroce_bench.h"
#include "t/bench/uroce_plain.h"

enum {
	PACKET = 4136,	/* as a frame of the device's greatest MTU */
	PACKETS = 15,	/* of one call: 64 KiB at most */
	IN_FLIGHT = 45, /* that a receive buffer of the default size takes */
	WARM_PAGES = 4 << 20,
};

/* Over the loopback, connected to each other; the listener's side is 1. */
static int join_sockets(struct bench_pair *pair, int side, bool is_tcp)
{
	struct sockaddr_in address = {.sin_family = AF_INET};
	socklen_t length = sizeof(address);
	int one = 1, fd = socket(AF_INET, is_tcp ? SOCK_STREAM : SOCK_DGRAM, 0), accepted;

	address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	if (fd < 0 || bind(fd, (struct sockaddr *)&address, length) ||
	    getsockname(fd, (struct sockaddr *)&address, &length))
		bench_fail(pair, "socket");
	if (is_tcp && side == 1 && listen(fd, 1))
		bench_fail(pair, "listen");
	memcpy(pair->told[side], &address, sizeof(address));
	bench_meet(pair, side);
	memcpy(&address, pair->told[1 - side], sizeof(address));
	if (is_tcp && side == 1) {
		accepted = accept(fd, NULL, NULL);
		close(fd);
		fd = accepted;
	} else if (connect(fd, (struct sockaddr *)&address, length)) {
		bench_fail(pair, "connect");
	}
	if (is_tcp)
		setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof(one));
	bench_meet(pair, side);
	return fd;
}

static void take_stream(struct bench_pair *pair, int fd, void *to, size_t size, bool spins)
{
	char *at = to;

	while (size) {
		const ssize_t got = recv(fd, at, size, spins ? MSG_DONTWAIT : 0);

		if (got > 0) {
			at += got;
			size -= (size_t)got;
		} else if (!got || (errno != EAGAIN && errno != EINTR)) {
			bench_fail(pair, "recv");
		}
		if (got < 0 && atomic_load(&pair->has_failed))
			_exit(1);
	}
}

void bench_socket_trip(struct bench_pair *pair, int side, const struct bench_row *row)
{
	const uint64_t began = bench_now();
	char message[8] = "message";
	const int fd = join_sockets(pair, side, row->kind == BENCH_TCP);
	bool more = true;

	while (more) {
		const uint64_t since = bench_now();

		for (int i = 0; i < BENCH_BATCH && message[0]; i++) {
			if (side == 1)
				take_stream(pair, fd, message, sizeof(message), !row->sleeps);
			if (send(fd, message, sizeof(message), 0) != sizeof(message))
				bench_fail(pair, "send");
			if (side == 0)
				take_stream(pair, fd, message, sizeof(message), !row->sleeps);
		}
		more = side == 0 ? bench_goes_on(pair, began, since, 2 * BENCH_BATCH) : message[0];
	}
	message[0] = 0;
	if (side == 0)
		send(fd, message, sizeof(message), 0);
	close(fd);
}

/* A stream of TCP: messages of a size. The other side ends with it. */
static void stream_rate(struct bench_pair *pair, int side, const struct bench_row *row, int fd)
{
	const uint64_t began = bench_now();
	char *buffer = calloc(1, row->size);
	bool more = true;

	while (buffer && more) {
		const uint64_t since = bench_now();
		const int count = row->size > 100000 ? 8 : 64;

		for (int i = 0; i < count && side == 0; i++) {
			for (size_t at = 0; at < row->size;) {
				const ssize_t sent = send(fd, buffer + at, row->size - at, 0);

				if (sent <= 0)
					bench_fail(pair, "send");
				at += (size_t)sent;
			}
		}
		more = side == 0 ? bench_goes_on(pair, began, since, count * (double)row->size)
				 : recv(fd, buffer, row->size, 0) > 0;
	}
	free(buffer);
}

/* Datagrams in a window; each receive call is acknowledged, with how many have arrived. */
static void send_window(struct bench_pair *pair, int fd, char *buffer)
{
	const uint64_t began = bench_now();
	uint32_t sent = 0, arrived = 0;
	const int segment = PACKET;

	if (setsockopt(fd, IPPROTO_UDP, UDP_SEGMENT, &segment, sizeof(segment)))
		bench_fail(pair, "UDP_SEGMENT");
	for (bool more = true; more;) {
		const uint64_t since = bench_now();
		const uint32_t end = sent + 100 * PACKETS;

		while (sent != end) {
			if (sent + PACKETS - arrived > IN_FLIGHT) {
				recv(fd, &arrived, sizeof(arrived), MSG_DONTWAIT);
				continue;
			}
			if (send(fd, buffer, (size_t)PACKETS * PACKET, 0) < 0)
				bench_fail(pair, "send");
			sent += PACKETS;
		}
		more = bench_goes_on(pair, began, since, 100.0 * PACKETS * PACKET);
	}
}

static void take_window(struct bench_pair *pair, int fd, char *buffer)
{
	const int one = 1;
	uint32_t arrived = 0;

	if (setsockopt(fd, IPPROTO_UDP, UDP_GRO, &one, sizeof(one)))
		bench_fail(pair, "UDP_GRO");
	bench_meet(pair, 1);
	while (!atomic_load(&pair->is_over)) {
		const ssize_t got = recv(fd, buffer, 65536, MSG_DONTWAIT);

		if (got <= 0)
			continue;
		arrived += (uint32_t)(got / PACKET);
		send(fd, &arrived, sizeof(arrived), 0);
	}
}

void bench_socket_rate(struct bench_pair *pair, int side, const struct bench_row *row)
{
	const int fd = join_sockets(pair, side, row->kind == BENCH_TCP), size = 212992;
	char *buffer = calloc(1, 65536);

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &size, sizeof(size));
	if (row->kind == BENCH_TCP) {
		stream_rate(pair, side, row, fd);
	} else if (buffer && side == 0) {
		bench_meet(pair, 0);
		send_window(pair, fd, buffer);
	} else if (buffer) {
		take_window(pair, fd, buffer);
	}
	free(buffer);
	close(fd);
}

/* An address in the other process, and its number. */
static void tell_memory(struct bench_pair *pair, int side, void *memory, pid_t *pid, char **theirs)
{
	const pid_t own = getpid();

	memcpy(pair->told[side], &own, sizeof(own));
	memcpy(pair->told[side] + sizeof(own), &memory, sizeof(memory));
	bench_meet(pair, side);
	memcpy(pid, pair->told[1 - side], sizeof(*pid));
	memcpy(theirs, pair->told[1 - side] + sizeof(*pid), sizeof(*theirs));
}

/* Each writes a byte into the other's memory, and waits for the change of its own. */
void bench_memory_trip(struct bench_pair *pair, int side, const struct bench_row *row)
{
	const uint64_t began = bench_now();
	_Atomic unsigned char own = 0;
	unsigned char next = 0;
	char *theirs;
	pid_t pid;
	bool more = true;

	(void)row;
	tell_memory(pair, side, (void *)&own, &pid, &theirs);
	while (more) {
		const uint64_t since = bench_now();

		for (int i = 0; i < BENCH_BATCH && !atomic_load(&pair->is_over); i++) {
			const struct iovec from = {&next, 1}, to = {theirs, 1};

			next++;
			while (side == 1 && atomic_load(&own) != next &&
			       !atomic_load(&pair->is_over))
				;
			if (process_vm_writev(pid, &from, 1, &to, 1, 0) != 1)
				bench_fail(pair, "process_vm_writev");
			while (side == 0 && atomic_load(&own) != next)
				;
		}
		more = side == 0 ? bench_goes_on(pair, began, since, 2 * BENCH_BATCH)
				 : !atomic_load(&pair->is_over);
	}
	/* The other may write once more. */
	bench_meet(pair, side);
}

void bench_memory_rate(struct bench_pair *pair, int side, const struct bench_row *row)
{
	const uint64_t began = bench_now();
	char *own =
		mmap(NULL, WARM_PAGES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	char *theirs;
	pid_t pid;
	const int count = row->size > 100000 ? 8 : 64;

	if (own == MAP_FAILED)
		bench_fail(pair, "mmap");
	memset(own, side + 1, WARM_PAGES);
	tell_memory(pair, side, own, &pid, &theirs);
	for (bool more = side == 0; more;) {
		const uint64_t since = bench_now();

		for (int i = 0; i < count; i++) {
			const struct iovec from = {own, row->size}, to = {theirs, row->size};

			if (row->kind == BENCH_MEMCPY)
				memcpy(own + WARM_PAGES / 2, own, row->size);
			else if (process_vm_writev(pid, &from, 1, &to, 1, 0) != (ssize_t)row->size)
				bench_fail(pair, "process_vm_writev");
			__asm__ volatile("" ::: "memory");
		}
		more = bench_goes_on(pair, began, since, count * (double)row->size);
	}
	bench_meet(pair, side);
	munmap(own, WARM_PAGES);
}
