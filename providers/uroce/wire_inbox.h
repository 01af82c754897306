/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Where packets are received, and how their data gets from there into the memory of the program. */
#ifndef PROVIDERS_UROCE_WIRE_INBOX_H
#define PROVIDERS_UROCE_WIRE_INBOX_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/uio.h>

#include "providers/uroce/wire/socket.h"

enum {
	UROCE_INBOX_MESSAGES = 16,
	UROCE_INBOX_SIZE = 65536, /* of a message, which may be several packets */
	UROCE_INBOX_CONTROL = 128,
	UROCE_INBOX_COPIES = 64,
};

/* Data of the packets of one message that is copied by one call. */
struct uroce_copies {
	unsigned int count, targets;
	struct iovec from[UROCE_INBOX_COPIES], to[UROCE_INBOX_COPIES];
	bool is_answer;	    /* to a request of ours: the data of a READ */
	bool has_failed[2]; /* by is_answer: something before could not be copied */
};

struct uroce_inbox {
	/* A file in memory, which is mapped at `bytes`: reading from it costs less than process_vm_writev() to oneself. */
	int fd;
	uint8_t *bytes;
	struct mmsghdr headers[UROCE_INBOX_MESSAGES];
	struct iovec parts[UROCE_INBOX_MESSAGES];
	union uroce_address from[UROCE_INBOX_MESSAGES];
	_Alignas(struct cmsghdr) uint8_t control[UROCE_INBOX_MESSAGES][UROCE_INBOX_CONTROL];
	struct uroce_copies copies;
};

struct uroce_inbox *uroce_inbox_new(void);
void uroce_inbox_free(struct uroce_inbox *inbox);
/* Before a message is received into it again. */
void uroce_inbox_reset(struct uroce_inbox *inbox, unsigned int index);

/*
 * Copies `size` bytes at `from`, which may be in the inbox, to memory of this process: small ones now, others when the
 * next ones are settled. False: what could be seen so far cannot be accessed.
 */
bool uroce_inbox_copy(struct uroce_inbox *inbox, bool is_answer, const void *from, uint32_t size,
		      const struct iovec *to, size_t count);
/* Copies what waits; what failed is told when it is settled. */
void uroce_inbox_finish(struct uroce_inbox *inbox);
/* The same. False: something of that kind could not be copied since the last time. */
bool uroce_inbox_settle(struct uroce_inbox *inbox, bool is_answer);

static inline bool uroce_inbox_waits(const struct uroce_inbox *inbox)
{
	const struct uroce_copies *copies = &inbox->copies;

	return copies->count || copies->has_failed[0] || copies->has_failed[1];
}

#endif
