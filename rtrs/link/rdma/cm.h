/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A connection manager: it finds a peer's queue pair by an address, with events as the kernel's has them. There are
 * two: the kernel's, and one of our own over TCP sockets, for devices that the kernel does not know.
 */
#ifndef RTRS_LINK_RDMA_CM_H
#define RTRS_LINK_RDMA_CM_H

#include <stdbool.h>
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
	RTRS_CM_CONNECT_ERROR = 6,
	RTRS_CM_REJECTED = 8,
	RTRS_CM_ESTABLISHED = 9,
	RTRS_CM_DISCONNECTED = 10,
	RTRS_CM_DEVICE_REMOVAL = 11,
	RTRS_CM_ADDRESS_CHANGE = 14,
	RTRS_CM_TIMEWAIT_EXIT = 15,
};

enum { RTRS_CM_PRIVATE_MAX = 256 };

struct rtrs_cm_event {
	uint64_t uid;  /* as given when it was created or accepted */
	uint32_t id;   /* of a connect request: the new one, not yet accepted */
	uint32_t type; /* one of the above, or another */
	int status;
	size_t private_size;
	uint8_t private_data[RTRS_CM_PRIVATE_MAX];
};

/* Which device has an address: the kernel says its index, or all that is known is the address. */
struct rtrs_cm_device {
	uint64_t guid; /* network byte order */
	uint32_t index;
	uint8_t port;
	bool is_by_gid;
	union ibv_gid gid;
};

/* A queue pair as its peer has to know it. */
struct rtrs_cm_end {
	uint32_t qp_number;
	enum ibv_mtu mtu; /* of the port: not for the kernel, which knows it */
};

struct rtrs_cm {
	const struct rtrs_cm_ops *ops;
};

/* 0 or -errno where nothing else is said. */
struct rtrs_cm_ops {
	void (*close)(struct rtrs_cm *cm);
	/* Readable when there may be an event. */
	int (*fd)(const struct rtrs_cm *cm);
	int (*create)(struct rtrs_cm *cm, uint64_t uid, uint32_t *id);
	/* No event of it comes afterwards. */
	void (*destroy)(struct rtrs_cm *cm, uint32_t id);
	int (*resolve_address)(struct rtrs_cm *cm, uint32_t id, const struct sockaddr *source,
			       const struct sockaddr *destination);
	int (*resolve_route)(struct rtrs_cm *cm, uint32_t id);
	int (*query_device)(struct rtrs_cm *cm, uint32_t id, struct rtrs_cm_device *ret);
	int (*connect)(struct rtrs_cm *cm, uint32_t id, const struct rtrs_cm_end *end,
		       const uint8_t *private_data, size_t private_size);
	int (*listen)(struct rtrs_cm *cm, uint32_t id, const struct sockaddr *address);
	/* Its events have that uid from now on. */
	int (*accept)(struct rtrs_cm *cm, uint32_t id, uint64_t uid, const struct rtrs_cm_end *end,
		      const uint8_t *private_data, size_t private_size);
	int (*reject)(struct rtrs_cm *cm, uint32_t id, const uint8_t *private_data,
		      size_t private_size);
	/* Zero where none is known. */
	void (*addresses)(struct rtrs_cm *cm, uint32_t id, struct sockaddr_storage *own,
			  struct sockaddr_storage *peer);
	/* The queue pair is ready: the peer's response is answered. */
	int (*confirm)(struct rtrs_cm *cm, uint32_t id);
	int (*disconnect)(struct rtrs_cm *cm, uint32_t id);
	/*
	 * What brings the queue pair to that state. Where the device is known by its GID alone, port and index of
	 * the GID are left out, and the MTU is the peer's.
	 */
	int (*qp_attr)(struct rtrs_cm *cm, uint32_t id, enum ibv_qp_state state,
		       struct ibv_qp_attr *ret, int *mask);
	/* -EAGAIN: no event now. */
	int (*next)(struct rtrs_cm *cm, struct rtrs_cm_event *ret);
};

/* -ENOENT: the kernel has none here (module rdma_ucm). */
int rtrsi_kernel_cm_open(struct rtrs_cm **ret) HF_MUST_CHECK HF_NONNULL;
int rtrsi_tcp_cm_open(struct rtrs_cm **ret) HF_MUST_CHECK HF_NONNULL;

#endif
