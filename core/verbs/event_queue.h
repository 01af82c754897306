/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Events that a provider without a kernel reported and the program has not read yet.
 *
 * Each object that events are about has a record, allocated with the object. A record counts its unread
 * events by type, so that a report needs no memory: it cannot fail, and never waits for the reader. The
 * events of one object are read in the order of the last report of each type, and as many as were
 * reported.
 *
 * After fork() the queue is the parent's. The child has a copy that nobody reports to, and shares the
 * descriptor with the parent: there every call does nothing, and a read answers EIO.
 */
#ifndef HF_VERBS_EVENT_QUEUE_H
#define HF_VERBS_EVENT_QUEUE_H

#include <pthread.h>
#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "shared/fd_mark.h"

/* As many types of asynchronous events as one object has at most: a QP. */
enum { HFI_EVENT_TYPES_MAX = 8 };

/* Guarded by the lock of its queue. */
struct hfi_event_record {
	uint64_t element;   /* what the program is given: the object's address, or the port */
	uint32_t delivered; /* events that were read */
	uint32_t types;	    /* used entries of `unread` */
	bool ended;	    /* the object is being destroyed: reports are dropped */
	struct {
		uint32_t type;
		uint32_t count;
	} unread[HFI_EVENT_TYPES_MAX];	      /* by last report */
	struct hfi_event_record *prev, *next; /* utlist: while something is unread */
};

struct hfi_event_queue {
	pthread_mutex_t lock;
	struct hfi_event_record *records; /* utlist */
	struct hf_fd_mark fd; /* eventfd, readable while something is unread; -1: closed */
	unsigned int forks;   /* hfi_fork_count() of the process that made it */
};

/* Makes ret->fd, whose number is the caller's to close after hfi_event_queue_close(): 0, -EMFILE, -ENFILE, -ENOMEM. */
int hfi_event_queue_init(struct hfi_event_queue *ret) __attribute__((nonnull, warn_unused_result));
/* What is unread is dropped, and what is reported from now on. */
void hfi_event_queue_close(struct hfi_event_queue *queue) __attribute__((nonnull));
/* Call after hfi_event_queue_close(), when no thread reports any more. */
void hfi_event_queue_fini(struct hfi_event_queue *queue) __attribute__((nonnull));

/* One more event of `type` about the record's object. From any thread. */
void hfi_event_queue_report(struct hfi_event_queue *queue, struct hfi_event_record *record,
			    uint32_t type) __attribute__((nonnull));

/*
 * The same as a read() of the kernel's descriptor: `size` bytes of a struct ib_uverbs_async_event_desc,
 * of which struct ib_uverbs_comp_event_desc is the beginning; or -1 with errno EAGAIN or EIO.
 */
ssize_t hfi_event_queue_read(struct hfi_event_queue *queue, void *buffer, size_t size)
	__attribute__((nonnull));

/* Drops what is unread about the object; returns how many events the program was given. */
uint32_t hfi_event_queue_end(struct hfi_event_queue *queue, struct hfi_event_record *record)
	__attribute__((nonnull));

#endif
