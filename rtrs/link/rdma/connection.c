/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A connection's life: address, device and queue pair, route, handshake, end. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "rtrs/link/rdma/private.h"

int rtrsi_rdma_connect(struct rtrs_link *base, const struct rtrs_link_connect *how,
		       struct rtrs_connection **ret)
{
	struct rtrs_rdma *link = hf_container_of(base, struct rtrs_rdma, base);
	struct rtrs_rdma_connection *connection;
	int err;

	if (how->private_size >= sizeof(connection->private_data))
		return -EINVAL;
	connection = calloc(1, sizeof(*connection));
	if (!connection)
		return -ENOMEM;
	connection->base = (struct rtrs_connection){.link = base, .user = how->user};
	connection->send_depth = how->send_depth;
	connection->receive_depth = how->receive_depth;
	connection->domain_user = how->domain;
	connection->private_size = how->private_size;
	memcpy(connection->private_data, how->private_data, how->private_size);
	err = link->cm->ops->create(link->cm, (uintptr_t)connection, &connection->cm_id);
	if (err)
		goto no_id;
	err = link->cm->ops->resolve_address(link->cm, connection->cm_id, how->source,
					     how->destination);
	if (err)
		goto not_resolved;
	connection->next = link->connections;
	link->connections = connection;
	*ret = &connection->base;
	return 0;
not_resolved:
	link->cm->ops->destroy(link->cm, connection->cm_id);
no_id:
	free(connection);
	return err;
}

static void use_place(const struct rtrs_rdma_place *place, struct ibv_qp_attr *attr)
{
	attr->port_num = attr->ah_attr.port_num = place->port;
	attr->ah_attr.grh.sgid_index = place->gid_index;
	if (attr->path_mtu > place->mtu)
		attr->path_mtu = place->mtu;
}

struct rtrs_cm_end rtrsi_rdma_end(const struct rtrs_rdma_connection *connection)
{
	return (struct rtrs_cm_end){connection->qp->qp_num, connection->place.mtu};
}

/* Moves the queue pair to that state, with what the connection manager has negotiated. */
int rtrsi_rdma_qp_to(struct rtrs_rdma_connection *connection, enum ibv_qp_state state)
{
	struct ibv_qp_attr attr;
	struct rtrs_cm *cm = connection->device->link->cm;
	int mask, err = cm->ops->qp_attr(cm, connection->cm_id, state, &attr, &mask);

	if (!err && connection->place.has_gid)
		use_place(&connection->place, &attr);
	return err ? err : -ibv_modify_qp(connection->qp, &attr, mask);
}

int rtrsi_rdma_make_queues(struct rtrs_rdma_connection *connection)
{
	struct rtrs_rdma_device *device = connection->device;
	struct ibv_qp_init_attr attr = {
		.cap = {.max_send_wr = connection->send_depth,
			.max_recv_wr = connection->receive_depth,
			.max_send_sge = RTRS_SEGMENTS_MAX,
			.max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
	};
	int err;

	connection->cq = ibv_create_cq(device->context,
				       (int)(connection->send_depth + connection->receive_depth),
				       connection, device->channel, 0);
	if (!connection->cq)
		return -errno;
	err = -ibv_req_notify_cq(connection->cq, 0);
	if (err)
		return err;
	attr.send_cq = attr.recv_cq = connection->cq;
	connection->qp = ibv_create_qp(connection->domain->pd, &attr);
	if (!connection->qp)
		return -errno;
	return rtrsi_rdma_qp_to(connection, IBV_QPS_INIT);
}

/* What it made before a failure, rtrsi_rdma_free() takes down. */
static int address_resolved(struct rtrs_rdma *link, struct rtrs_rdma_connection *connection)
{
	int err = rtrsi_rdma_find_device(connection);

	if (!err)
		err = rtrsi_rdma_make_queues(connection);
	if (!err)
		err = link->cm->ops->resolve_route(link->cm, connection->cm_id);
	return err;
}

static int route_resolved(struct rtrs_rdma *link, struct rtrs_rdma_connection *connection)
{
	const struct rtrs_cm_end end = rtrsi_rdma_end(connection);

	connection->state = RDMA_CONNECTING;
	return link->cm->ops->connect(link->cm, connection->cm_id, &end, connection->private_data,
				      connection->private_size);
}

/* Again from the first state on: before there was a peer, the kernel did not say what that may access. */
static int connect_response(struct rtrs_rdma *link, struct rtrs_rdma_connection *connection)
{
	int err = rtrsi_rdma_qp_to(connection, IBV_QPS_INIT);

	if (!err)
		err = rtrsi_rdma_qp_to(connection, IBV_QPS_RTR);
	if (!err)
		err = rtrsi_rdma_qp_to(connection, IBV_QPS_RTS);
	if (!err)
		err = link->cm->ops->confirm(link->cm, connection->cm_id);
	return err;
}

/* Flushes what was posted. */
static void stop_queues(struct rtrs_rdma_connection *connection)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};

	if (connection->qp)
		(void)ibv_modify_qp(connection->qp, &attr, IBV_QP_STATE);
}

int rtrsi_rdma_ends(struct rtrs_rdma_connection *connection, int error, struct rtrs_link_event *ret)
{
	bool was_up = connection->state == RDMA_UP;

	if (connection->state == RDMA_DOWN)
		return 0;
	connection->state = RDMA_DOWN;
	stop_queues(connection);
	if (was_up)
		rtrsi_rdma_ready(connection);
	*ret = (struct rtrs_link_event){.type = was_up ? RTRS_LINK_LOST : RTRS_LINK_REFUSED,
					.connection = &connection->base,
					.error = error};
	return 1;
}

static int step_done(struct rtrs_rdma_connection *connection, int err, struct rtrs_link_event *ret)
{
	return err ? rtrsi_rdma_ends(connection, err, ret) : 0;
}

static int connection_is_up(struct rtrs_rdma_connection *connection, int err,
			    const struct rtrs_cm_event *event, struct rtrs_link_event *ret)
{
	if (err)
		return rtrsi_rdma_ends(connection, err, ret);
	connection->state = RDMA_UP;
	*ret = (struct rtrs_link_event){.type = RTRS_LINK_CONNECTED,
					.connection = &connection->base,
					.private_data = event->private_data,
					.private_size = event->private_size};
	return 1;
}

/* Completions from before the end may be waiting. */
static int accepted_is_up(struct rtrs_rdma_connection *connection, struct rtrs_link_event *ret)
{
	connection->state = RDMA_UP;
	*ret = (struct rtrs_link_event){.type = RTRS_LINK_CONNECTED,
					.connection = &connection->base};
	return 1;
}

/* The connection manager gives the negative errno of what it failed in; a rejection has the peer's reason. */
static int connection_error(const struct rtrs_cm_event *event)
{
	if (event->type == RTRS_CM_REJECTED)
		return -ECONNREFUSED;
	return event->status < 0 ? event->status : -ECONNRESET;
}

int rtrsi_rdma_gone(struct rtrs_rdma_connection *connection, struct rtrs_link_event *ret)
{
	connection->state = RDMA_DOWN;
	connection->is_told_gone = true;
	stop_queues(connection);
	*ret = (struct rtrs_link_event){
		.type = RTRS_LINK_GONE, .connection = &connection->base, .error = -ENODEV};
	return 1;
}

/* A peer on the same device may see its removal first. */
static int peer_has_left(struct rtrs_rdma_connection *connection, int error,
			 struct rtrs_link_event *ret)
{
	if (connection->device)
		rtrsi_rdma_look_for_removal(connection->device);
	if (connection->device && connection->device->is_gone)
		return connection->is_told_gone ? 0 : rtrsi_rdma_gone(connection, ret);
	return rtrsi_rdma_ends(connection, error, ret);
}

int rtrsi_rdma_cm_event(struct rtrs_rdma_connection *connection, const struct rtrs_cm_event *event,
			struct rtrs_link_event *ret)
{
	struct rtrs_rdma *link = hf_container_of(connection->base.link, struct rtrs_rdma, base);

	switch (event->type) {
	case RTRS_CM_ADDRESS_RESOLVED:
		return step_done(connection, address_resolved(link, connection), ret);
	case RTRS_CM_ROUTE_RESOLVED:
		return step_done(connection, route_resolved(link, connection), ret);
	case RTRS_CM_CONNECT_RESPONSE:
		return connection_is_up(connection, connect_response(link, connection), event, ret);
	case RTRS_CM_ESTABLISHED:
		return connection->state == RDMA_ACCEPTED ? accepted_is_up(connection, ret) : 0;
	case RTRS_CM_TIMEWAIT_EXIT:
		return 0;
	case RTRS_CM_DEVICE_REMOVAL:
		return rtrsi_rdma_gone(connection, ret);
	case RTRS_CM_REJECTED:
		if (!rtrsi_rdma_ends(connection, connection_error(event), ret))
			return 0;
		ret->private_data = event->private_data;
		ret->private_size = event->private_size;
		return 1;
	case RTRS_CM_DISCONNECTED:
		(void)link->cm->ops->disconnect(link->cm, connection->cm_id);
		return peer_has_left(connection, connection_error(event), ret);
	default:
		return peer_has_left(connection, connection_error(event), ret);
	}
}

/* The kernel reports the end when the peer has answered or does not answer in time. */
void rtrsi_rdma_disconnect(struct rtrs_connection *base)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct rtrs_rdma *link = hf_container_of(base->link, struct rtrs_rdma, base);

	if (connection->state != RDMA_UP && connection->state != RDMA_ACCEPTED)
		return;
	stop_queues(connection);
	(void)link->cm->ops->disconnect(link->cm, connection->cm_id);
}

void rtrsi_rdma_free(struct rtrs_connection *base)
{
	struct rtrs_rdma_connection *connection =
		hf_container_of(base, struct rtrs_rdma_connection, base);
	struct rtrs_rdma *link = hf_container_of(base->link, struct rtrs_rdma, base);
	struct rtrs_rdma_connection **at = &link->connections;

	while (*at != connection)
		at = &(*at)->next;
	*at = connection->next;
	rtrsi_rdma_not_ready(connection);
	if (connection->qp)
		ibv_destroy_qp(connection->qp);
	if (connection->cq) {
		/* Destroying it waits for this. */
		ibv_ack_cq_events(connection->cq, connection->cq_events);
		ibv_destroy_cq(connection->cq);
	}
	link->cm->ops->destroy(link->cm, connection->cm_id);
	if (connection->domain)
		rtrsi_rdma_domain_put(connection->domain);
	free(connection);
}
