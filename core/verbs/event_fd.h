/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Waits for events of a descriptor of the kernel's, or for the device's removal.
 *
 * The program gets an epoll descriptor in place of the kernel's. It becomes readable with the kernel's
 * and on removal; the program may set O_NONBLOCK on it and poll it. No thread ever sleeps in a read of
 * the kernel's descriptor: that would keep the kernel's file open, so that neither a close nor an
 * unplug would finish (rdma_rxe, Linux 6.1 and 6.12).
 */
#ifndef HF_VERBS_EVENT_FD_H
#define HF_VERBS_EVENT_FD_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>

#include "shared/fd_mark.h"
#include "core/device/removal.h"
#include "core/uverbs/event_counts.h"
#include "core/verbs/event_queue.h"

struct hf_wait {
	bool used;
	struct hf_device *device;   /* the context holds a reference; NULL in tests */
	struct hf_removal *removal; /* NULL without notifications of removals */
	struct hfi_event_queue
		*queue; /* what events are read from in place of kernel_fd, or NULL */
	int fd;		/* the program's */
	int kernel_fd;	/* the kernel's, which commands name; non-blocking */
	struct hf_fd_mark program, kernel; /* the same two */
	unsigned int forks;		   /* hfi_fork_count() of the process that made `fd` */
	atomic_bool over;	 /* the removal was reported and no longer makes `fd` readable */
	atomic_bool revoked;	 /* kernel_fd is a duplicate of a dead pipe */
	atomic_bool owner_asked; /* whether the program wants signals of `fd`, which sends none */
	atomic_bool owner_told;	 /* and was warned of it */
	atomic_uint waiting;	 /* threads that may sleep on `fd` */
	atomic_bool slept;	 /* the last call did */
	atomic_uint patience[2]; /* [slept]: how many of the next such calls wait first */
	struct hf_wait *prev, *next; /* of a context, see revoke.h */
};

/*
 * Becomes the owner of `kernel_fd` on success; `wait->fd` is for the program. -EMFILE, -ENFILE,
 * -ENOMEM, -ENODEV; -EINVAL for a descriptor that cannot be polled.
 */
int hfi_wait_init(struct hf_wait *wait, struct hf_device *device, int kernel_fd);
/* Closes both descriptors. Does nothing if hfi_wait_init() was not called or failed. */
void hfi_wait_fini(struct hf_wait *wait);

/* Events are read from `queue` in place of kernel_fd, which is its descriptor. */
void hfi_wait_use_queue(struct hf_wait *wait, struct hfi_event_queue *queue);

/* Which counter of acknowledged events an event is for; NULL for none. */
struct hf_wait_account {
	struct hf_delivered *delivered;
	const uint32_t *(*counter)(const void *event);
};

/*
 * Reads an event of exactly `size` bytes. 1: done; 0: none left and the device is gone; or -errno.
 * Waits, unless the program made its descriptor non-blocking: then -EAGAIN. Counts the event; skips
 * events of objects that are destroyed.
 */
int hfi_wait_read(struct hf_wait *wait, void *buffer, size_t size,
		  const struct hf_wait_account *account);

/* True when the device is known to be gone, without sending it a command. */
bool hfi_wait_is_over(struct hf_wait *wait);

/*
 * True while kernel_fd is still our file: the program may have closed it and opened another one
 * under its number.
 */
bool hfi_wait_owns(const struct hf_wait *wait);

/*
 * The removal was reported to the program: from now on only the kernel makes `fd` readable. A forked
 * child shares the epoll set with its parent, which may not know yet, and leaves it alone.
 */
void hfi_wait_reported(struct hf_wait *wait);

#endif
