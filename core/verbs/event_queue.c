/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Events that a provider without a kernel reported and the program has not read yet. */
#include <assert.h>
#include <errno.h>
#include <stddef.h>
#include <string.h>
#include <rdma/ib_user_verbs.h>
#include <sys/eventfd.h>
#include <utlist.h>

#include "shared/file.h"
#include "core/base/process.h"
#include "core/verbs/event_queue.h"

static_assert(offsetof(struct ib_uverbs_async_event_desc, element) ==
			      offsetof(struct ib_uverbs_comp_event_desc, cq_handle) &&
		      sizeof(((struct ib_uverbs_async_event_desc *)NULL)->element) ==
			      sizeof(struct ib_uverbs_comp_event_desc),
	      "both kinds of events are read the same way");

static bool is_forked_child(const struct hfi_event_queue *queue)
{
	return queue->forks != hfi_fork_count();
}

int hfi_event_queue_init(struct hfi_event_queue *ret)
{
	const int fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);

	if (fd < 0)
		return errno == ENODEV ? -ENOMEM : -errno;
	memset(ret, 0, sizeof(*ret));
	pthread_mutex_init(&ret->lock, NULL);
	hfi_fd_mark(&ret->fd, fd);
	ret->forks = hfi_fork_count();
	return 0;
}

void hfi_event_queue_close(struct hfi_event_queue *queue)
{
	if (is_forked_child(queue))
		return;
	pthread_mutex_lock(&queue->lock);
	queue->fd = HF_FD_NONE; /* the claim is the closer's */
	while (queue->records) {
		queue->records->types = 0;
		DL_DELETE(queue->records, queue->records);
	}
	pthread_mutex_unlock(&queue->lock);
}

void hfi_event_queue_fini(struct hfi_event_queue *queue)
{
	/* In a forked child the lock may be held by a thread that does not exist there. */
	if (!is_forked_child(queue))
		pthread_mutex_destroy(&queue->lock);
}

/* The counter is 0 or 1, so neither of these two can block. */
static void make_readable(const struct hfi_event_queue *queue)
{
	const uint64_t one = 1;

	/* Reports come from the provider's threads, at any time after the program closed the number. */
	if (hfi_fd_is_still(&queue->fd))
		(void)!hfi_write_uncancelled(queue->fd.fd, &one, sizeof(one));
}

static void make_unreadable(const struct hfi_event_queue *queue)
{
	uint64_t count;

	if (queue->fd.fd >= 0 && hfi_fd_is_still(&queue->fd))
		(void)!hfi_read_uncancelled(queue->fd.fd, &count, sizeof(count));
}

/* Removes entry `i` of the unread events, and returns its count. */
static uint32_t remove_type(struct hfi_event_record *record, uint32_t i)
{
	const uint32_t count = record->unread[i].count;

	record->types--;
	memmove(&record->unread[i], &record->unread[i + 1],
		(record->types - i) * sizeof(record->unread[0]));
	return count;
}

static void count_event(struct hfi_event_record *record, uint32_t type)
{
	uint32_t count = 0, i = 0;

	while (i < record->types && record->unread[i].type != type)
		i++;
	if (i < record->types)
		count = remove_type(record, i);
	if (count < UINT32_MAX)
		count++;
	record->unread[record->types].type = type;
	record->unread[record->types].count = count;
	record->types++;
}

void hfi_event_queue_report(struct hfi_event_queue *queue, struct hfi_event_record *record,
			    uint32_t type)
{
	if (is_forked_child(queue))
		return;
	pthread_mutex_lock(&queue->lock);
	if (!record->ended && queue->fd.fd >= 0) {
		if (!queue->records)
			make_readable(queue);
		if (record->types)
			DL_DELETE(queue->records, record);
		count_event(record, type);
		DL_APPEND(queue->records, record);
	}
	pthread_mutex_unlock(&queue->lock);
}

static void remove_record(struct hfi_event_queue *queue, struct hfi_event_record *record)
{
	DL_DELETE(queue->records, record);
	if (!queue->records)
		make_unreadable(queue);
}

static bool pop_event(struct hfi_event_queue *queue, struct ib_uverbs_async_event_desc *ret)
{
	struct hfi_event_record *record = queue->records;

	if (!record)
		return false;
	*ret = (struct ib_uverbs_async_event_desc){
		.element = record->element,
		.event_type = record->unread[0].type,
	};
	record->delivered++;
	if (--record->unread[0].count == 0)
		remove_type(record, 0);
	if (!record->types)
		remove_record(queue, record);
	return true;
}

ssize_t hfi_event_queue_read(struct hfi_event_queue *queue, void *buffer, size_t size)
{
	struct ib_uverbs_async_event_desc event;
	bool found;

	if (is_forked_child(queue)) {
		errno = EIO;
		return -1;
	}
	pthread_mutex_lock(&queue->lock);
	found = pop_event(queue, &event);
	pthread_mutex_unlock(&queue->lock);
	if (!found) {
		errno = EAGAIN;
		return -1;
	}
	memcpy(buffer, &event, size < sizeof(event) ? size : sizeof(event));
	return (ssize_t)size;
}

uint32_t hfi_event_queue_end(struct hfi_event_queue *queue, struct hfi_event_record *record)
{
	uint32_t delivered;

	/*
	 * In a forked child the threads that read these events do not exist, so they are never
	 * acknowledged.
	 */
	if (is_forked_child(queue))
		return 0;
	pthread_mutex_lock(&queue->lock);
	record->ended = true;
	if (record->types)
		remove_record(queue, record);
	record->types = 0;
	delivered = record->delivered;
	pthread_mutex_unlock(&queue->lock);
	return delivered;
}
