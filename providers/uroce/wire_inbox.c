/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The messages that a call of the kernel fills, and copies out of them. Memory that is not mapped any more is an error
 * of the call and not a signal: a copy is always made by the kernel.
 */
#include "providers/uroce/wire_inbox.h"

#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>

enum {
	ALL_BYTES = UROCE_INBOX_MESSAGES * UROCE_INBOX_SIZE,
	SMALL = 1024, /* up to here one call for each is the fastest */
};

void uroce_inbox_reset(struct uroce_inbox *inbox, unsigned int index)
{
	struct msghdr *message = &inbox->headers[index].msg_hdr;

	message->msg_namelen = sizeof(inbox->from[index]);
	message->msg_controllen = UROCE_INBOX_CONTROL;
	message->msg_flags = 0;
}

/* Without such a file there is memory still. */
static bool map_bytes(struct uroce_inbox *inbox)
{
	inbox->fd = memfd_create("uroce", MFD_CLOEXEC);
	if (inbox->fd >= 0 && ftruncate(inbox->fd, ALL_BYTES)) {
		close(inbox->fd);
		inbox->fd = -1;
	}
	inbox->bytes = mmap(NULL, ALL_BYTES, PROT_READ | PROT_WRITE,
			    inbox->fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, inbox->fd, 0);
	return inbox->bytes != MAP_FAILED;
}

struct uroce_inbox *uroce_inbox_new(void)
{
	struct uroce_inbox *inbox = calloc(1, sizeof(*inbox));

	if (!inbox)
		return NULL;
	if (!map_bytes(inbox)) {
		if (inbox->fd >= 0)
			close(inbox->fd);
		free(inbox);
		return NULL;
	}
	for (unsigned int i = 0; i < UROCE_INBOX_MESSAGES; i++) {
		struct msghdr *message = &inbox->headers[i].msg_hdr;

		inbox->parts[i] = (struct iovec){inbox->bytes + (size_t)i * UROCE_INBOX_SIZE,
						 UROCE_INBOX_SIZE};
		message->msg_name = &inbox->from[i];
		message->msg_iov = &inbox->parts[i];
		message->msg_iovlen = 1;
		message->msg_control = inbox->control[i];
		uroce_inbox_reset(inbox, i);
	}
	return inbox;
}

void uroce_inbox_free(struct uroce_inbox *inbox)
{
	if (!inbox)
		return;
	munmap(inbox->bytes, ALL_BYTES);
	if (inbox->fd >= 0)
		close(inbox->fd);
	free(inbox);
}

static size_t length_of_parts(const struct iovec *parts, size_t count)
{
	size_t length = 0;

	for (size_t i = 0; i < count; i++)
		length += parts[i].iov_len;
	return length;
}

static bool copy_now(struct uroce_inbox *inbox, const void *from, uint32_t size,
		     const struct iovec *to, size_t count)
{
	const uintptr_t offset = (uintptr_t)from - (uintptr_t)inbox->bytes;
	const struct iovec source = {(void *)(uintptr_t)from, size};

	if (inbox->fd >= 0 && offset < ALL_BYTES)
		return preadv(inbox->fd, to, (int)count, (off_t)offset) == (ssize_t)size;
	return process_vm_writev(gettid(), &source, 1, to, count, 0) == (ssize_t)size;
}

void uroce_inbox_finish(struct uroce_inbox *inbox)
{
	struct uroce_copies *copies = &inbox->copies;
	size_t length;

	if (!copies->count)
		return;
	length = length_of_parts(copies->from, copies->count);
	if (process_vm_writev(gettid(), copies->from, copies->count, copies->to, copies->targets,
			      0) != (ssize_t)length)
		copies->has_failed[copies->is_answer] = true;
	copies->count = copies->targets = 0;
}

bool uroce_inbox_settle(struct uroce_inbox *inbox, bool is_answer)
{
	struct uroce_copies *copies = &inbox->copies;
	bool has_failed;

	uroce_inbox_finish(inbox);
	has_failed = copies->has_failed[is_answer];
	copies->has_failed[is_answer] = false;
	return !has_failed;
}

/* The data of one packet after the other goes to memory that is one range, mostly. */
static void add_target(struct uroce_copies *copies, const struct iovec *to)
{
	struct iovec *last = copies->targets ? &copies->to[copies->targets - 1] : NULL;

	if (last && (char *)last->iov_base + last->iov_len == to->iov_base)
		last->iov_len += to->iov_len;
	else
		copies->to[copies->targets++] = *to;
}

bool uroce_inbox_copy(struct uroce_inbox *inbox, bool is_answer, const void *from, uint32_t size,
		      const struct iovec *to, size_t count)
{
	struct uroce_copies *copies = &inbox->copies;

	if (!count)
		return false;
	if (copies->count &&
	    (copies->is_answer != is_answer || size <= SMALL ||
	     copies->count == UROCE_INBOX_COPIES || copies->targets + count > UROCE_INBOX_COPIES))
		uroce_inbox_finish(inbox);
	if (size <= SMALL)
		return copy_now(inbox, from, size, to, count);
	copies->is_answer = is_answer;
	copies->from[copies->count++] = (struct iovec){(void *)(uintptr_t)from, size};
	for (size_t i = 0; i < count; i++)
		add_target(copies, &to[i]);
	return true;
}
