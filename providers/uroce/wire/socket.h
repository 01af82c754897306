/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* UDP sockets of a device's addresses, and batches of frames to send through them. */
#ifndef UROCE_WIRE_SOCKET_H
#define UROCE_WIRE_SOCKET_H

#include <netinet/in.h>
#include <sys/socket.h>
#include <infiniband/verbs.h>

#include "providers/uroce/wire/headers.h"
#include "providers/uroce/wire/icrc.h"
#include "shared/attr.h"

enum {
	UROCE_BATCH = 64, /* frames; the kernel splits one buffer into at most so many datagrams */
	UROCE_GSO_MAX = 65000,
};

union uroce_address {
	struct sockaddr any;
	struct sockaddr_in ipv4;
	struct sockaddr_in6 ipv6;
};

struct uroce_socket {
	int fd;
	union ibv_gid gid;
	union uroce_address address;
};

/* A frame and where it goes. */
struct uroce_frame {
	size_t size; /* without the ICRC */
	const struct uroce_socket *from;
	union uroce_address to;
	uint8_t bytes[UROCE_FRAME_MAX];
};

struct uroce_batch {
	struct uroce_frame frames[UROCE_BATCH];
	unsigned int count;
	unsigned int held; /* of them, the first ones, are answers that what follows may overtake */
	unsigned int gso_refusals; /* one after the other: then it is not asked for any more */
	uint64_t refused; /* frames that no socket took: no route, too long for the interface */
	uint64_t calls;	  /* of the kernel */
};

/* The address of a GID, with UDP port 4791. Link-local ones get the interface that has `near`. */
void uroce_gid_address(const union ibv_gid *gid, const union ibv_gid *near,
		       union uroce_address *ret) HF_NONNULL;
/* The GID of an address. */
void uroce_address_gid(const union uroce_address *address, union ibv_gid *ret) HF_NONNULL;

/*
 * A socket bound to the GID's address and port 4791. 0 or an errno value: EADDRINUSE where another user, or the
 * kernel's rxe, has it.
 */
int uroce_socket_open(const union ibv_gid *gid, struct uroce_socket *ret) HF_MUST_CHECK HF_NONNULL;
void uroce_socket_close(struct uroce_socket *socket) HF_NONNULL;

/* What the ICRC of a packet covers of its addresses. */
void uroce_flow_of(const union uroce_address *source, const union uroce_address *destination,
		   struct uroce_flow *ret) HF_NONNULL;

/* Memory for the next frame; NULL while the kernel takes no more. */
struct uroce_frame *uroce_batch_next(struct uroce_batch *batch) HF_NONNULL;
/* Sends all frames, as far as the kernel takes them now. True: none remains. */
bool uroce_batch_flush(struct uroce_batch *batch) HF_NONNULL;

#endif
