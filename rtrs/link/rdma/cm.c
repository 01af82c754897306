/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Commands and events of /dev/infiniband/rdma_cm, ABI version 4. */
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <string.h>
#include <unistd.h>
#include <rdma/rdma_user_cm.h>

#include "rtrs/link/rdma/cm.h"

enum { RESOLVE_TIMEOUT_MS = 30000, RETRY_COUNT = 7, BACKLOG = 64 };

static int cm_command(int fd, uint32_t number, const void *in, size_t in_size, size_t out_size)
{
	char message[sizeof(struct rdma_ucm_cmd_hdr) + sizeof(struct rdma_ucm_accept)] = {0};
	const struct rdma_ucm_cmd_hdr header = {
		.cmd = number, .in = (uint16_t)in_size, .out = (uint16_t)out_size};

	if (sizeof(header) + in_size > sizeof(message))
		return -EINVAL;
	memcpy(message, &header, sizeof(header));
	memcpy(message + sizeof(header), in, in_size);
	return write(fd, message, sizeof(header) + in_size) < 0 ? -errno : 0;
}

int rtrsi_cm_open(void)
{
	int fd = open("/dev/infiniband/rdma_cm", O_RDWR | O_CLOEXEC | O_NONBLOCK);

	return fd < 0 ? -errno : fd;
}

/* Several paths of one host may have the same source address. */
static int share_address(int fd, uint32_t id)
{
	int on = 1;
	const struct rdma_ucm_set_option in = {.optval = (uintptr_t)&on,
					       .id = id,
					       .level = RDMA_OPTION_ID,
					       .optname = RDMA_OPTION_ID_REUSEADDR,
					       .optlen = sizeof(on)};

	return cm_command(fd, RDMA_USER_CM_CMD_SET_OPTION, &in, sizeof(in), 0);
}

int rtrsi_cm_create(int fd, uint64_t uid, uint32_t *id)
{
	struct rdma_ucm_create_id_resp response = {0};
	const struct rdma_ucm_create_id in = {.uid = uid,
					      .response = (uintptr_t)&response,
					      .ps = RDMA_PS_TCP,
					      .qp_type = IBV_QPT_RC};
	int err = cm_command(fd, RDMA_USER_CM_CMD_CREATE_ID, &in, sizeof(in), sizeof(response));

	if (err)
		return err;
	err = share_address(fd, response.id);
	if (err)
		rtrsi_cm_destroy(fd, response.id);
	else
		*id = response.id;
	return err;
}

void rtrsi_cm_destroy(int fd, uint32_t id)
{
	struct rdma_ucm_destroy_id_resp response = {0};
	const struct rdma_ucm_destroy_id in = {.response = (uintptr_t)&response, .id = id};

	(void)cm_command(fd, RDMA_USER_CM_CMD_DESTROY_ID, &in, sizeof(in), sizeof(response));
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

int rtrsi_cm_resolve_address(int fd, uint32_t id, const struct sockaddr *source,
			     const struct sockaddr *destination)
{
	struct rdma_ucm_resolve_addr in = {.id = id, .timeout_ms = RESOLVE_TIMEOUT_MS};
	int err = put_cm_address(destination, &in.dst_addr, &in.dst_size);

	if (!err && source)
		err = put_cm_address(source, &in.src_addr, &in.src_size);
	if (err)
		return err;
	return cm_command(fd, RDMA_USER_CM_CMD_RESOLVE_ADDR, &in, sizeof(in), 0);
}

int rtrsi_cm_resolve_route(int fd, uint32_t id)
{
	const struct rdma_ucm_resolve_route in = {.id = id, .timeout_ms = RESOLVE_TIMEOUT_MS};

	return cm_command(fd, RDMA_USER_CM_CMD_RESOLVE_ROUTE, &in, sizeof(in), 0);
}

static int query_addresses(int fd, uint32_t id, struct rdma_ucm_query_addr_resp *ret)
{
	const struct rdma_ucm_query in = {
		.response = (uintptr_t)ret, .id = id, .option = RDMA_USER_CM_QUERY_ADDR};

	return cm_command(fd, RDMA_USER_CM_CMD_QUERY, &in, sizeof(in), sizeof(*ret));
}

int rtrsi_cm_query_device(int fd, uint32_t id, struct rtrs_cm_device *ret)
{
	struct rdma_ucm_query_addr_resp response = {0};
	int err = query_addresses(fd, id, &response);

	if (err)
		return err;
	ret->guid = response.node_guid;
	ret->index = response.ibdev_index;
	ret->port = response.port_num;
	return 0;
}

int rtrsi_cm_connect(int fd, uint32_t id, uint32_t qp_number, const uint8_t *private_data,
		     size_t private_size)
{
	struct rdma_ucm_connect in = {
		.id = id,
		.conn_param = {.qp_num = qp_number,
			       .private_data_len = (uint8_t)private_size,
			       .flow_control = 1,
			       .retry_count = RETRY_COUNT,
			       .rnr_retry_count = RETRY_COUNT,
			       .valid = 1},
	};

	if (private_size >= sizeof(in.conn_param.private_data))
		return -EINVAL;
	memcpy(in.conn_param.private_data, private_data, private_size);
	return cm_command(fd, RDMA_USER_CM_CMD_CONNECT, &in, sizeof(in), 0);
}

int rtrsi_cm_listen(int fd, uint32_t id, const struct sockaddr *address)
{
	const struct rdma_ucm_listen listen = {.id = id, .backlog = BACKLOG};
	struct rdma_ucm_bind bind = {.id = id};
	int err = put_cm_address(address, &bind.addr, &bind.addr_size);

	if (!err)
		err = cm_command(fd, RDMA_USER_CM_CMD_BIND, &bind, sizeof(bind), 0);
	if (!err)
		err = cm_command(fd, RDMA_USER_CM_CMD_LISTEN, &listen, sizeof(listen), 0);
	return err;
}

int rtrsi_cm_accept(int fd, uint32_t id, uint64_t uid, uint32_t qp_number,
		    const uint8_t *private_data, size_t private_size)
{
	struct rdma_ucm_accept in = {
		.uid = uid,
		.id = id,
		.conn_param = {.qp_num = qp_number,
			       .private_data_len = (uint8_t)private_size,
			       .flow_control = 1,
			       .rnr_retry_count = RETRY_COUNT,
			       .valid = 1},
	};

	if (private_size >= sizeof(in.conn_param.private_data))
		return -EINVAL;
	memcpy(in.conn_param.private_data, private_data, private_size);
	return cm_command(fd, RDMA_USER_CM_CMD_ACCEPT, &in, sizeof(in), 0);
}

int rtrsi_cm_reject(int fd, uint32_t id, const uint8_t *private_data, size_t private_size)
{
	struct rdma_ucm_reject in = {.id = id, .private_data_len = (uint8_t)private_size};

	if (private_size >= sizeof(in.private_data))
		return -EINVAL;
	memcpy(in.private_data, private_data, private_size);
	return cm_command(fd, RDMA_USER_CM_CMD_REJECT, &in, sizeof(in), 0);
}

void rtrsi_cm_addresses(int fd, uint32_t id, struct sockaddr_storage *own,
			struct sockaddr_storage *peer)
{
	struct rdma_ucm_query_addr_resp response = {0};

	memset(own, 0, sizeof(*own));
	memset(peer, 0, sizeof(*peer));
	if (query_addresses(fd, id, &response))
		return;
	memcpy(own, &response.src_addr, sizeof(*own));
	memcpy(peer, &response.dst_addr, sizeof(*peer));
}

int rtrsi_cm_confirm(int fd, uint32_t id)
{
	const struct rdma_ucm_accept in = {.id = id};

	return cm_command(fd, RDMA_USER_CM_CMD_ACCEPT, &in, sizeof(in), 0);
}

int rtrsi_cm_disconnect(int fd, uint32_t id)
{
	const struct rdma_ucm_disconnect in = {.id = id};

	return cm_command(fd, RDMA_USER_CM_CMD_DISCONNECT, &in, sizeof(in), 0);
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

int rtrsi_cm_qp_attr(int fd, uint32_t id, enum ibv_qp_state state, struct ibv_qp_attr *ret,
		     int *mask)
{
	struct ib_uverbs_qp_attr response = {0};
	const struct rdma_ucm_init_qp_attr in = {
		.response = (uintptr_t)&response, .id = id, .qp_state = state};
	int err = cm_command(fd, RDMA_USER_CM_CMD_INIT_QP_ATTR, &in, sizeof(in), sizeof(response));

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

int rtrsi_cm_next(int fd, struct rtrs_cm_event *ret)
{
	struct rdma_ucm_event_resp response = {0};
	const struct rdma_ucm_get_event in = {.response = (uintptr_t)&response};
	int err = cm_command(fd, RDMA_USER_CM_CMD_GET_EVENT, &in, sizeof(in), sizeof(response));

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
