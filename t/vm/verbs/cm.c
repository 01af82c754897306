/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Makes iWARP connections through the kernel's connection manager (rdma/rdma_user_cm.h). Not through
 * librdmacm, which would load a libibverbs: these tests are for libholdfast.
 */
#include <arpa/inet.h>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <rdma/rdma_user_cm.h>

#include "t/lib/hang.h"
#include "t/vm/verbs/cm.h"
#include "t/vm/verbs/rig.h"

/* From the kernel's internal rdma/rdma_cm.h. */
enum { ADDRESS_RESOLVED = 0, ROUTE_RESOLVED = 2, CONNECT_REQUEST = 4, ESTABLISHED = 9 };

/* The kernel reports no events for an identifier whose `uid` is 0. */
enum { UID = 1 };

static void command(int fd, uint32_t number, const void *in, size_t in_size, size_t out_size)
{
	char message[sizeof(struct rdma_ucm_cmd_hdr) + sizeof(struct rdma_ucm_accept)];
	const struct rdma_ucm_cmd_hdr header = {
		.cmd = number, .in = (uint16_t)in_size, .out = (uint16_t)out_size};

	if (sizeof(header) + in_size > sizeof(message))
		vm_die("rdma_cm: command %u is too long", number);
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), in, in_size);
	if (write(fd, message, sizeof(header) + in_size) < 0)
		vm_die("rdma_cm: command %u: %s", number, strerror(errno));
}

static uint32_t create_cm_id(int fd)
{
	struct rdma_ucm_create_id_resp response = {0};
	const struct rdma_ucm_create_id in = {.uid = UID,
					      .response = (uintptr_t)&response,
					      .ps = RDMA_PS_TCP,
					      .qp_type = IBV_QPT_RC};

	command(fd, RDMA_USER_CM_CMD_CREATE_ID, &in, sizeof(in), sizeof(response));
	return response.id;
}

/* Reads the next event, which must be of this kind. Returns its identifier. */
static uint32_t event(int fd, uint32_t kind)
{
	struct rdma_ucm_event_resp response = {0};
	const struct rdma_ucm_get_event in = {.response = (uintptr_t)&response};
	struct pollfd poll_fd = {.fd = fd, .events = POLLIN};

	if (poll(&poll_fd, 1, HF_TEST_HANG_MS) != 1)
		vm_die("rdma_cm: no event %u", kind);
	command(fd, RDMA_USER_CM_CMD_GET_EVENT, &in, sizeof(in), sizeof(response));
	if (response.event != kind)
		vm_die("rdma_cm: event %u, status %d; expected %u", response.event,
		       (int)response.status, kind);
	return response.id;
}

static struct rdma_ucm_conn_param parameters(const struct end *end)
{
	return (struct rdma_ucm_conn_param){
		.qp_num = end->qp->qp_num,
		.responder_resources = 4,
		.initiator_depth = 4,
		.valid = 1,
	};
}

int cm_connect(const struct sockaddr_in *address, struct end *ends)
{
	static uint16_t port = 20000;
	struct sockaddr_in there = *address;
	struct rdma_ucm_bind bind = {.addr_size = sizeof(there)};
	struct rdma_ucm_listen listen = {.backlog = 1};
	struct rdma_ucm_resolve_addr resolve = {.timeout_ms = 5000, .dst_size = sizeof(there)};
	struct rdma_ucm_resolve_route route = {.timeout_ms = 5000};
	struct rdma_ucm_connect connect = {.conn_param = parameters(&ends[0])};
	struct rdma_ucm_accept accept = {.uid = UID, .conn_param = parameters(&ends[1])};
	int fd = open("/dev/infiniband/rdma_cm", O_RDWR | O_CLOEXEC);

	if (fd < 0)
		vm_die("/dev/infiniband/rdma_cm: %s", strerror(errno));
	there.sin_port = htons(port++);
	memcpy(&bind.addr, &there, sizeof(there));
	memcpy(&resolve.dst_addr, &there, sizeof(there));

	bind.id = listen.id = create_cm_id(fd);
	command(fd, RDMA_USER_CM_CMD_BIND, &bind, sizeof(bind), 0);
	command(fd, RDMA_USER_CM_CMD_LISTEN, &listen, sizeof(listen), 0);
	resolve.id = route.id = connect.id = create_cm_id(fd);
	command(fd, RDMA_USER_CM_CMD_RESOLVE_ADDR, &resolve, sizeof(resolve), 0);
	event(fd, ADDRESS_RESOLVED);
	command(fd, RDMA_USER_CM_CMD_RESOLVE_ROUTE, &route, sizeof(route), 0);
	event(fd, ROUTE_RESOLVED);
	command(fd, RDMA_USER_CM_CMD_CONNECT, &connect, sizeof(connect), 0);
	accept.id = event(fd, CONNECT_REQUEST);
	command(fd, RDMA_USER_CM_CMD_ACCEPT, &accept, sizeof(accept), 0);
	/* Wait for both before sending: siw of 6.1 loses data that arrives while it accepts. */
	event(fd, ESTABLISHED);
	event(fd, ESTABLISHED);
	return fd;
}
