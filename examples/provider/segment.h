/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The memory that all processes with the device open share. It is in the node of the device, an ordinary
 * file. Each queue pair has a slot in it, with a ring for the messages to that queue pair.
 */
#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/un.h>

enum { SLOTS = 64, RING = 8, MESSAGE_MAX = 4096 };

struct slot {
	uint32_t number; /* of the queue pair that it belongs to; 0: free */
	uint32_t head, tail;
	struct sockaddr_un address; /* of its process; the kernel frees it when the process ends */
	struct {
		uint32_t source, length;
		char data[MESSAGE_MAX];
	} ring[RING];
};

struct segment {
	unsigned char link_is_down; /* first: written from outside, see README.md */
	uint32_t is_ready, numbers;
	/* Guards the slots, and the objects of all processes: simple, not fast. */
	pthread_mutex_t lock;
	struct slot slots[SLOTS];
};

/* Maps the node. The first process that opens it initializes it. MAP_FAILED with errno on failure. */
struct segment *example_map_segment(int fd);

void example_lock_segment(struct segment *segment);

/* Wakes the process with that address through our `socket`. False if there is no such process. */
bool example_wake(int socket, const struct sockaddr_un *address);

/* A free slot, or one whose process was killed, for a queue pair of ours. NULL if there is none. */
struct slot *example_take_slot(struct segment *segment, int socket,
			       const struct sockaddr_un *address);
