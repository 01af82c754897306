/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's connection manager, used by its character device. Not by librdmacm, which keeps each
 * device that it has seen open until the process ends, so that soft-RoCE could not be unplugged.
 */
#ifndef RTRS_LINK_RDMA_CM_H
#define RTRS_LINK_RDMA_CM_H

#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <infiniband/verbs.h>

#include "shared/attr.h"

/* The kernel's numbers. */
enum rtrs_cm_event_type {
	RTRS_CM_ADDRESS_RESOLVED = 0,
	RTRS_CM_ROUTE_RESOLVED = 2,
	RTRS_CM_CONNECT_REQUEST = 4,
	RTRS_CM_CONNECT_RESPONSE = 5,
	RTRS_CM_REJECTED = 8,
	RTRS_CM_ESTABLISHED = 9,
	RTRS_CM_DISCONNECTED = 10,
	RTRS_CM_DEVICE_REMOVAL = 11,
	RTRS_CM_ADDRESS_CHANGE = 14,
	RTRS_CM_TIMEWAIT_EXIT = 15,
};

enum { RTRS_CM_PRIVATE_MAX = 256 };

struct rtrs_cm_event {
	uint64_t uid;  /* as given to rtrsi_cm_create() or rtrsi_cm_accept() */
	uint32_t id;   /* of a connect request: the new one, not yet accepted */
	uint32_t type; /* one of the above, or another */
	int status;
	size_t private_size;
	uint8_t private_data[RTRS_CM_PRIVATE_MAX];
};

struct rtrs_cm_device {
	uint64_t guid; /* network byte order */
	uint32_t index;
	uint8_t port;
};

/* A descriptor that does not block. All other calls: 0 or -errno of the kernel. */
int rtrsi_cm_open(void) HF_MUST_CHECK;
int rtrsi_cm_create(int fd, uint64_t uid, uint32_t *id) HF_MUST_CHECK HF_NONNULL;
/* No event of it comes afterwards. */
void rtrsi_cm_destroy(int fd, uint32_t id);
int rtrsi_cm_resolve_address(int fd, uint32_t id, const struct sockaddr *source,
			     const struct sockaddr *destination) HF_MUST_CHECK HF_NONNULL_OF(4);
int rtrsi_cm_resolve_route(int fd, uint32_t id) HF_MUST_CHECK;
int rtrsi_cm_query_device(int fd, uint32_t id, struct rtrs_cm_device *ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_cm_connect(int fd, uint32_t id, uint32_t qp_number, const uint8_t *private_data,
		     size_t private_size) HF_MUST_CHECK HF_NONNULL;
int rtrsi_cm_listen(int fd, uint32_t id, const struct sockaddr *address) HF_MUST_CHECK HF_NONNULL;
/* Its events have that uid from now on. */
int rtrsi_cm_accept(int fd, uint32_t id, uint64_t uid, uint32_t qp_number,
		    const uint8_t *private_data, size_t private_size) HF_MUST_CHECK HF_NONNULL;
int rtrsi_cm_reject(int fd, uint32_t id, const uint8_t *private_data,
		    size_t private_size) HF_NONNULL;
/* Zero where the kernel says none. */
void rtrsi_cm_addresses(int fd, uint32_t id, struct sockaddr_storage *own,
			struct sockaddr_storage *peer) HF_NONNULL;
/* The queue pair is ready: the kernel answers the peer's response. */
int rtrsi_cm_confirm(int fd, uint32_t id) HF_MUST_CHECK;
int rtrsi_cm_disconnect(int fd, uint32_t id);
/* What brings the queue pair to that state. */
int rtrsi_cm_qp_attr(int fd, uint32_t id, enum ibv_qp_state state, struct ibv_qp_attr *ret,
		     int *mask) HF_MUST_CHECK HF_NONNULL;
/* -EAGAIN: no event now. */
int rtrsi_cm_next(int fd, struct rtrs_cm_event *ret) HF_MUST_CHECK HF_NONNULL;

#endif
