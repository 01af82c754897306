/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Waiting for what the kernel reports on a descriptor, or for the device's removal.
 *
 * A program gets an epoll descriptor in place of the kernel's: one that becomes readable with the
 * kernel's and on removal. It may set O_NONBLOCK on it and poll it as it would the kernel's. And no
 * thread ever sleeps in a read of the kernel's, which would keep the kernel's file, so that neither
 * closing nor an unplug would end (rdma_rxe, Linux 6.1 and 6.12).
 */
#ifndef HF_VERBS_EVENT_FD_H
#define HF_VERBS_EVENT_FD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "core/device/removal.h"
#include "core/uverbs/event_counts.h"
#include "core/verbs/event_queue.h"

struct hf_wait {
	bool used;
	struct hf_device *device;   /* the context holds a reference; NULL in tests */
	struct hf_removal *removal; /* NULL where nothing is heard */
	struct hfi_event_queue
		*queue;		     /* what events are read from in place of kernel_fd, or NULL */
	int fd;			     /* the program's */
	int kernel_fd;		     /* what the kernel commands want; non-blocking */
	unsigned int forks;	     /* hfi_fork_count() of the process that made `fd` */
	atomic_bool over;	     /* the removal was told, and `fd` is quiet about it */
	atomic_bool revoked;	     /* kernel_fd leads nowhere any more */
	atomic_uint waiting;	     /* threads that may sleep on `fd` */
	atomic_bool slept;	     /* the last call did */
	atomic_uint patience[2];     /* so many calls after one that did not, or did, wait first */
	struct hf_wait *prev, *next; /* of a context, see revoke.h */
};

/*
 * Takes `kernel_fd` over, unless it fails: -EMFILE, -ENFILE, -ENOMEM, -ENODEV, and -EINVAL for a
 * descriptor that cannot be polled. `wait->fd` then goes to the program.
 */
int hfi_wait_init(struct hf_wait *wait, struct hf_device *device, int kernel_fd);
/* Closes both descriptors. Nothing happens where hfi_wait_init() was not called, or failed. */
void hfi_wait_fini(struct hf_wait *wait);

/* Which counter of acknowledged events an event is for; NULL for none. */
struct hf_wait_account {
	struct hf_delivered *delivered;
	const uint32_t *(*counter)(const void *event);
};

/*
 * Reads exactly `size` bytes: 1 when it did; 0 when there are none because the device is gone; or
 * -errno. Waits, unless the program has made its descriptor non-blocking: -EAGAIN then.
 * The event is counted, and passed over when it is about an object that is no more.
 */
int hfi_wait_read(struct hf_wait *wait, void *buffer, size_t size,
		  const struct hf_wait_account *account);

/* Is the device gone, as far as can be told without a command to it? */
bool hfi_wait_is_over(struct hf_wait *wait);

/* Is kernel_fd still what was taken over? A program that closes what it does not know may reuse it. */
bool hfi_wait_owns(const struct hf_wait *wait);

/*
 * The program knows: what makes `fd` readable from now on is the kernel alone. A forked child shares
 * the set behind `fd` with its parent, who may not know yet, and leaves it as it is.
 */
void hfi_wait_told(struct hf_wait *wait);

#endif
