/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The kernel's connection manager: commands and events of /dev/infiniband/rdma_cm, ABI version 4. Not by librdmacm,
 * which keeps every device it has seen open until the process ends, so that soft-RoCE could not be unplugged.
 */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <rdma/rdma_user_cm.h>

#include "rtrs/link/rdma/cm.h"

enum { RESOLVE_TIMEOUT_MS = 30000, RETRY_COUNT = 7, BACKLOG = 64 };

struct kernel_cm {
	struct rtrs_cm base;
	int fd;
};

static int kernel_fd(const struct rtrs_cm *cm)
{
	return hf_container_of(cm, const struct kernel_cm, base)->fd;
}

static int cm_command(const struct rtrs_cm *cm, uint32_t number, const void *in, size_t in_size,
		      size_t out_size)
{
	char message[sizeof(struct rdma_ucm_cmd_hdr) + sizeof(struct rdma_ucm_accept)] = {0};
	const struct rdma_ucm_cmd_hdr header = {
		.cmd = number, .in = (uint16_t)in_size, .out = (uint16_t)out_size};

	if (sizeof(header) + in_size > sizeof(message))
		return -EINVAL;
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), in, in_size);
	return write(kernel_fd(cm), message, sizeof(header) + in_size) < 0 ? -errno : 0;
}

static void kernel_destroy(struct rtrs_cm *cm, uint32_t id)
{
	struct rdma_ucm_destroy_id_resp response = {0};
	const struct rdma_ucm_destroy_id in = {.response = (uintptr_t)&response, .id = id};

	(void)cm_command(cm, RDMA_USER_CM_CMD_DESTROY_ID, &in, sizeof(in), sizeof(response));
}

/* Several paths of one host may have the same source address. */
static int share_address(struct rtrs_cm *cm, uint32_t id)
{
	int on = 1;
	const struct rdma_ucm_set_option in = {.optval = (uintptr_t)&on,
					       .id = id,
					       .level = RDMA_OPTION_ID,
					       .optname = RDMA_OPTION_ID_REUSEADDR,
					       .optlen = sizeof(on)};

	return cm_command(cm, RDMA_USER_CM_CMD_SET_OPTION, &in, sizeof(in), 0);
}

static int kernel_create(struct rtrs_cm *cm, uint64_t uid, uint32_t *id)
{
	struct rdma_ucm_create_id_resp response = {0};
	const struct rdma_ucm_create_id in = {.uid = uid,
					      .response = (uintptr_t)&response,
					      .ps = RDMA_PS_TCP,
					      .qp_type = IBV_QPT_RC};
	int err = cm_command(cm, RDMA_USER_CM_CMD_CREATE_ID, &in, sizeof(in), sizeof(response));

	if (err)
		return err;
	err = share_address(cm, response.id);
	if (err)
		kernel_destroy(cm, response.id);
	else
		*id = response.id;
	return err;
}

static int put_cm_address(const struct sockaddr *from, struct __kernel_sockaddr_storage *to,
			  uint16_t *size)
{
	switch (from->sa_family) {
	case AF_INET:
		*size = sizeof(struct sockaddr_in);
		break;
	case AF_INET6:
		*size = sizeof(struct sockaddr_in6);
		break;
	default:
		return -EAFNOSUPPORT;
	}
	memcpy(to, from, *size);
	return 0;
}

static int kernel_resolve_address(struct rtrs_cm *cm, uint32_t id, const struct sockaddr *source,
				  const struct sockaddr *destination)
{
	struct rdma_ucm_resolve_addr in = {.id = id, .timeout_ms = RESOLVE_TIMEOUT_MS};
	int err = put_cm_address(destination, &in.dst_addr, &in.dst_size);

	if (!err && source)
		err = put_cm_address(source, &in.src_addr, &in.src_size);
	if (err)
		return err;
	return cm_command(cm, RDMA_USER_CM_CMD_RESOLVE_ADDR, &in, sizeof(in), 0);
}

static int kernel_resolve_route(struct rtrs_cm *cm, uint32_t id)
{
	const struct rdma_ucm_resolve_route in = {.id = id, .timeout_ms = RESOLVE_TIMEOUT_MS};

	return cm_command(cm, RDMA_USER_CM_CMD_RESOLVE_ROUTE, &in, sizeof(in), 0);
}

static int query_addresses(const struct rtrs_cm *cm, uint32_t id,
			   struct rdma_ucm_query_addr_resp *ret)
{
	const struct rdma_ucm_query in = {
		.response = (uintptr_t)ret, .id = id, .option = RDMA_USER_CM_QUERY_ADDR};

	return cm_command(cm, RDMA_USER_CM_CMD_QUERY, &in, sizeof(in), sizeof(*ret));
}

static int kernel_query_device(struct rtrs_cm *cm, uint32_t id, struct rtrs_cm_device *ret)
{
	struct rdma_ucm_query_addr_resp response = {0};
	int err = query_addresses(cm, id, &response);

	if (err)
		return err;
	*ret = (struct rtrs_cm_device){.guid = response.node_guid,
				       .index = response.ibdev_index,
				       .port = (uint8_t)response.port_num};
	return 0;
}

static int kernel_connect(struct rtrs_cm *cm, uint32_t id, const struct rtrs_cm_end *end,
			  const uint8_t *private_data, size_t private_size)
{
	struct rdma_ucm_connect in = {
		.id = id,
		.conn_param = {.qp_num = end->qp_number,
			       .private_data_len = (uint8_t)private_size,
			       .flow_control = 1,
			       .retry_count = RETRY_COUNT,
			       .rnr_retry_count = RETRY_COUNT,
			       .valid = 1},
	};

	if (private_size >= sizeof(in.conn_param.private_data))
		return -EINVAL;
	memcpy(in.conn_param.private_data, private_data, private_size);
	return cm_command(cm, RDMA_USER_CM_CMD_CONNECT, &in, sizeof(in), 0);
}

static int kernel_listen(struct rtrs_cm *cm, uint32_t id, const struct sockaddr *address)
{
	const struct rdma_ucm_listen listen = {.id = id, .backlog = BACKLOG};
	struct rdma_ucm_bind bind = {.id = id};
	int err = put_cm_address(address, &bind.addr, &bind.addr_size);

	if (!err)
		err = cm_command(cm, RDMA_USER_CM_CMD_BIND, &bind, sizeof(bind), 0);
	if (!err)
		err = cm_command(cm, RDMA_USER_CM_CMD_LISTEN, &listen, sizeof(listen), 0);
	return err;
}

static int kernel_accept(struct rtrs_cm *cm, uint32_t id, uint64_t uid,
			 const struct rtrs_cm_end *end, const uint8_t *private_data,
			 size_t private_size)
{
	struct rdma_ucm_accept in = {
		.uid = uid,
		.id = id,
		.conn_param = {.qp_num = end->qp_number,
			       .private_data_len = (uint8_t)private_size,
			       .flow_control = 1,
			       .rnr_retry_count = RETRY_COUNT,
			       .valid = 1},
	};

	if (private_size >= sizeof(in.conn_param.private_data))
		return -EINVAL;
	memcpy(in.conn_param.private_data, private_data, private_size);
	return cm_command(cm, RDMA_USER_CM_CMD_ACCEPT, &in, sizeof(in), 0);
}

static int kernel_reject(struct rtrs_cm *cm, uint32_t id, const uint8_t *private_data,
			 size_t private_size)
{
	struct rdma_ucm_reject in = {.id = id, .private_data_len = (uint8_t)private_size};

	if (private_size >= sizeof(in.private_data))
		return -EINVAL;
	memcpy(in.private_data, private_data, private_size);
	return cm_command(cm, RDMA_USER_CM_CMD_REJECT, &in, sizeof(in), 0);
}

static void kernel_addresses(struct rtrs_cm *cm, uint32_t id, struct sockaddr_storage *own,
			     struct sockaddr_storage *peer)
{
	struct rdma_ucm_query_addr_resp response = {0};

	memset(own, 0, sizeof(*own));
	memset(peer, 0, sizeof(*peer));
	if (query_addresses(cm, id, &response))
		return;
	memcpy(own, &response.src_addr, sizeof(*own));
	memcpy(peer, &response.dst_addr, sizeof(*peer));
}

static int kernel_confirm(struct rtrs_cm *cm, uint32_t id)
{
	const struct rdma_ucm_accept in = {.id = id};

	return cm_command(cm, RDMA_USER_CM_CMD_ACCEPT, &in, sizeof(in), 0);
}

static int kernel_disconnect(struct rtrs_cm *cm, uint32_t id)
{
	const struct rdma_ucm_disconnect in = {.id = id};

	return cm_command(cm, RDMA_USER_CM_CMD_DISCONNECT, &in, sizeof(in), 0);
}

static void copy_address_vector(const struct ib_uverbs_ah_attr *from, struct ibv_ah_attr *to)
{
	memcpy(&to->grh.dgid, from->grh.dgid, sizeof(to->grh.dgid));
	to->grh.flow_label = from->grh.flow_label;
	to->grh.sgid_index = from->grh.sgid_index;
	to->grh.hop_limit = from->grh.hop_limit;
	to->grh.traffic_class = from->grh.traffic_class;
	to->dlid = from->dlid;
	to->sl = from->sl;
	to->src_path_bits = from->src_path_bits;
	to->static_rate = from->static_rate;
	to->is_global = from->is_global;
	to->port_num = from->port_num;
}

static int kernel_qp_attr(struct rtrs_cm *cm, uint32_t id, enum ibv_qp_state state,
			  struct ibv_qp_attr *ret, int *mask)
{
	struct ib_uverbs_qp_attr response = {0};
	const struct rdma_ucm_init_qp_attr in = {
		.response = (uintptr_t)&response, .id = id, .qp_state = state};
	int err = cm_command(cm, RDMA_USER_CM_CMD_INIT_QP_ATTR, &in, sizeof(in), sizeof(response));

	if (err)
		return err;
	*ret = (struct ibv_qp_attr){
		.qp_state = state,
		.path_mtu = response.path_mtu,
		.path_mig_state = response.path_mig_state,
		.qkey = response.qkey,
		.rq_psn = response.rq_psn,
		.sq_psn = response.sq_psn,
		.dest_qp_num = response.dest_qp_num,
		.qp_access_flags = response.qp_access_flags,
		.pkey_index = response.pkey_index,
		.max_rd_atomic = response.max_rd_atomic,
		.max_dest_rd_atomic = response.max_dest_rd_atomic,
		.min_rnr_timer = response.min_rnr_timer,
		.port_num = response.port_num,
		.timeout = response.timeout,
		.retry_cnt = response.retry_cnt,
		.rnr_retry = response.rnr_retry,
	};
	copy_address_vector(&response.ah_attr, &ret->ah_attr);
	*mask = (int)response.qp_attr_mask | IBV_QP_STATE;
	return 0;
}

static int kernel_next(struct rtrs_cm *cm, struct rtrs_cm_event *ret)
{
	struct rdma_ucm_event_resp response = {0};
	const struct rdma_ucm_get_event in = {.response = (uintptr_t)&response};
	int err = cm_command(cm, RDMA_USER_CM_CMD_GET_EVENT, &in, sizeof(in), sizeof(response));

	if (err)
		return err;
	ret->uid = response.uid;
	ret->id = response.id;
	ret->type = response.event;
	ret->status = (int)response.status;
	ret->private_size = response.param.conn.private_data_len;
	memcpy(ret->private_data, response.param.conn.private_data, sizeof(ret->private_data));
	return 0;
}

static void kernel_close(struct rtrs_cm *cm)
{
	close(kernel_fd(cm));
	free(hf_container_of(cm, struct kernel_cm, base));
}

static const struct rtrs_cm_ops kernel_ops = {
	.close = kernel_close,
	.fd = kernel_fd,
	.create = kernel_create,
	.destroy = kernel_destroy,
	.resolve_address = kernel_resolve_address,
	.resolve_route = kernel_resolve_route,
	.query_device = kernel_query_device,
	.connect = kernel_connect,
	.listen = kernel_listen,
	.accept = kernel_accept,
	.reject = kernel_reject,
	.addresses = kernel_addresses,
	.confirm = kernel_confirm,
	.disconnect = kernel_disconnect,
	.qp_attr = kernel_qp_attr,
	.next = kernel_next,
};

int rtrsi_kernel_cm_open(struct rtrs_cm **ret)
{
	struct kernel_cm *cm = calloc(1, sizeof(*cm));
	int err;

	if (!cm)
		return -ENOMEM;
	cm->base.ops = &kernel_ops;
	cm->fd = open("/dev/infiniband/rdma_cm", O_RDWR | O_CLOEXEC | O_NONBLOCK);
	if (cm->fd < 0) {
		err = -errno;
		free(cm);
		return err;
	}
	*ret = &cm->base;
	return 0;
}
