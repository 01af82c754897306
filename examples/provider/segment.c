/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Maps the shared memory of the loop device, and finds free slots in it. */
#include "segment.h"

#include <errno.h>
#include <unistd.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>

struct segment *example_map_segment(int fd)
{
	struct segment *segment;
	pthread_mutexattr_t attr;

	if (flock(fd, LOCK_EX) < 0 || ftruncate(fd, sizeof(*segment)) < 0)
		return MAP_FAILED;
	segment = mmap(NULL, sizeof(*segment), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (segment != MAP_FAILED && !segment->is_ready) {
		pthread_mutexattr_init(&attr);
		pthread_mutexattr_setpshared(&attr, PTHREAD_PROCESS_SHARED);
		pthread_mutexattr_setrobust(&attr, PTHREAD_MUTEX_ROBUST);
		pthread_mutex_init(&segment->lock, &attr);
		segment->is_ready = 1;
	}
	flock(fd, LOCK_UN);
	return segment;
}

/* A process that dies with the lock leaves each ring as it was before one message, or after it. */
void example_lock_segment(struct segment *segment)
{
	if (pthread_mutex_lock(&segment->lock) == EOWNERDEAD)
		pthread_mutex_consistent(&segment->lock);
}

/* The kernel makes such addresses: a NUL and five characters. */
bool example_wake(int socket, const struct sockaddr_un *address)
{
	return sendto(socket, "", 1, MSG_DONTWAIT | MSG_NOSIGNAL, (const struct sockaddr *)address,
		      sizeof(sa_family_t) + 6) >= 0 ||
	       errno != ECONNREFUSED;
}

struct slot *example_take_slot(struct segment *segment, int socket,
			       const struct sockaddr_un *address)
{
	struct slot *slot = segment->slots;

	while (slot < segment->slots + SLOTS && slot->number &&
	       example_wake(socket, &slot->address))
		slot++;
	if (slot == segment->slots + SLOTS)
		return NULL;
	segment->numbers = segment->numbers % 0xffff + 1;
	slot->address = *address;
	slot->head = slot->tail = 0;
	slot->number = segment->numbers * SLOTS + (uint32_t)(slot - segment->slots);
	return slot;
}
