/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Whether the core finds the flag of an extended QP where the provider put it, and the speed that
 * only a newer provider sets. `qp-ex OFFSET`: offset of that speed in struct ibv_port_attr, 0 for
 * none.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <infiniband/verbs.h>

static struct ibv_qp *make_qp_with(struct ibv_context *context, struct ibv_pd *pd,
				   struct ibv_cq *cq, uint32_t with)
{
	struct ibv_qp_init_attr_ex attr = {
		.send_cq = cq,
		.recv_cq = cq,
		.cap = {.max_send_wr = 4, .max_recv_wr = 4, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
		.comp_mask = IBV_QP_INIT_ATTR_PD | with,
		.pd = pd,
		.send_ops_flags = IBV_QP_EX_WITH_SEND,
	};

	return ibv_create_qp_ex(context, &attr);
}

static int look_at_qps(struct ibv_context *context)
{
	struct ibv_pd *pd = ibv_alloc_pd(context);
	struct ibv_cq *cq = ibv_create_cq(context, 4, NULL, NULL, 0);
	struct ibv_qp *with, *without;
	int found;

	with = pd && cq ? make_qp_with(context, pd, cq, IBV_QP_INIT_ATTR_SEND_OPS_FLAGS) : NULL;
	without = pd && cq ? make_qp_with(context, pd, cq, 0) : NULL;
	if (!with || !without) {
		printf("no objects: %s\n", strerror(errno));
		return 1;
	}
	found = (ibv_qp_to_qp_ex(with) != NULL) * 2 + (ibv_qp_to_qp_ex(without) != NULL);
	printf("extended: %s, plain: %s\n", found & 2 ? "found" : "NOT FOUND",
	       found & 1 ? "TAKEN FOR EXTENDED" : "plain");
	return found != 2 || ibv_destroy_qp(with) || ibv_destroy_qp(without) ||
	       ibv_destroy_cq(cq) || ibv_dealloc_pd(pd);
}

/* Calls like a program that was built with such headers. */
static int look_at_port(struct ibv_context *context, size_t offset)
{
	union {
		struct ibv_port_attr attr;
		unsigned char bytes[256];
	} port;
	const size_t size = offset + sizeof(uint32_t);
	struct verbs_context *verbs = verbs_get_ctx_op(context, query_port);
	uint32_t speed;

	memset(&port, 0x5a, sizeof(port));
	if (!verbs || size > sizeof(port) || verbs->query_port(context, 1, &port.attr, size))
		return 1;
	memcpy(&speed, port.bytes + offset, sizeof(speed));
	printf("the newer speed: %u\n", speed);
	return speed != 4711 || port.bytes[size] != 0x5a;
}

int main(int argc, char **argv)
{
	const size_t offset = argc > 1 ? strtoul(argv[1], NULL, 10) : 0;
	struct ibv_device **list = ibv_get_device_list(NULL);
	struct ibv_context *context = list && list[0] ? ibv_open_device(list[0]) : NULL;
	int bad;

	if (!context) {
		printf("no device: %s\n", strerror(errno));
		return 1;
	}
	bad = look_at_qps(context);
	if (offset)
		bad |= look_at_port(context, offset);
	bad |= ibv_close_device(context);
	ibv_free_device_list(list);
	return bad;
}
