/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Connections that peers ask for: heard of, prepared, accepted or rejected. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/link/rdma/private.h"

int rtrsi_rdma_listen(struct rtrs_link *base, const struct sockaddr *address, void *user,
		      struct rtrs_listener **ret)
{
	struct rtrs_rdma *link = hf_container_of(base, struct rtrs_rdma, base);
	struct rtrs_rdma_listener *listener = calloc(1, sizeof(*listener));
	int err;

	if (!listener)
		return -ENOMEM;
	listener->base = (struct rtrs_listener){.link = base, .user = user};
	err = link->cm->ops->create(link->cm, (uintptr_t)listener | RDMA_IS_LISTENER,
				    &listener->cm_id);
	if (err)
		goto no_id;
	err = link->cm->ops->listen(link->cm, listener->cm_id, address);
	if (err)
		goto no_listen;
	*ret = &listener->base;
	return 0;
no_listen:
	link->cm->ops->destroy(link->cm, listener->cm_id);
no_id:
	free(listener);
	return err;
}

void rtrsi_rdma_unlisten(struct rtrs_listener *base)
{
	struct rtrs_rdma_listener *listener =
		hf_container_of(base, struct rtrs_rdma_listener, base);
	struct rtrs_rdma *link = hf_container_of(base->link, struct rtrs_rdma, base);

	link->cm->ops->destroy(link->cm, listener->cm_id);
	free(listener);
}

/* Without memory the peer is refused. */
static int connect_requested(struct rtrs_rdma *link, struct rtrs_rdma_listener *listener,
			     const struct rtrs_cm_event *event, struct rtrs_link_event *ret)
{
	struct rtrs_rdma_connection *connection = calloc(1, sizeof(*connection));

	if (!connection) {
		link->cm->ops->destroy(link->cm, event->id);
		return 0;
	}
	connection->base = (struct rtrs_connection){.link = &link->base};
	connection->cm_id = event->id;
	connection->state = RDMA_REQUESTED;
	connection->next = link->connections;
	link->connections = connection;
	*ret = (struct rtrs_link_event){.type = RTRS_LINK_REQUESTED,
					.connection = &connection->base,
					.listener = &listener->base,
					.private_data = event->private_data,
					.private_size = event->private_size};
	return 1;
}

int rtrsi_rdma_listener_event(struct rtrs_rdma_listener *listener,
			      const struct rtrs_cm_event *event, struct rtrs_link_event *ret)
{
	struct rtrs_rdma *link = hf_container_of(listener->base.link, struct rtrs_rdma, base);

	if (event->type == RTRS_CM_CONNECT_REQUEST)
		return connect_requested(link, listener, event, ret);
	if (event->type != RTRS_CM_DEVICE_REMOVAL)
		return 0;
	*ret = (struct rtrs_link_event){
		.type = RTRS_LINK_GONE, .listener = &listener->base, .error = -ENODEV};
	return 1;
}

void rtrsi_rdma_addresses(const struct rtrs_connection *base, struct sockaddr_storage *own,
			  struct sockaddr_storage *peer)
{
	const struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	const struct rtrs_rdma *link = hf_container_of(base->link, struct rtrs_rdma, base);

	link->cm->ops->addresses(link->cm, connection->cm_id, own, peer);
}

/* What it made before a failure, rtrsi_rdma_free() takes down. */
int rtrsi_rdma_prepare(struct rtrs_connection *base, const struct rtrs_link_queues *queues)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	int err;

	if (connection->state != RDMA_REQUESTED)
		return -EINVAL;
	base->user = queues->user;
	connection->send_depth = queues->send_depth;
	connection->receive_depth = queues->receive_depth;
	connection->domain_user = queues->domain;
	err = rtrsi_rdma_find_device(connection);
	if (!err)
		err = rtrsi_rdma_make_queues(connection);
	if (!err)
		connection->state = RDMA_PREPARED;
	return err;
}

int rtrsi_rdma_accept(struct rtrs_connection *base, const uint8_t *private_data,
		      size_t private_size)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct rtrs_rdma *link = hf_container_of(base->link, struct rtrs_rdma, base);
	struct rtrs_cm_end end;
	int err;

	if (connection->state != RDMA_PREPARED)
		return -EINVAL;
	err = rtrsi_rdma_qp_to(connection, IBV_QPS_RTR);
	if (!err)
		err = rtrsi_rdma_qp_to(connection, IBV_QPS_RTS);
	if (err)
		return err;
	end = rtrsi_rdma_end(connection);
	err = link->cm->ops->accept(link->cm, connection->cm_id, (uintptr_t)connection, &end,
				    private_data, private_size);
	if (!err)
		connection->state = RDMA_ACCEPTED;
	return err;
}

void rtrsi_rdma_reject(struct rtrs_connection *base, const uint8_t *private_data,
		       size_t private_size)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct rtrs_rdma *link = hf_container_of(base->link, struct rtrs_rdma, base);

	(void)link->cm->ops->reject(link->cm, connection->cm_id, private_data, private_size);
	rtrsi_rdma_free(base);
}
