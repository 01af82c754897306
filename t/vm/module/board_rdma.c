// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/* RDMA devices of any protocol that transfer no data. */
#include <linux/module.h>
#include <linux/netdevice.h>
#include <net/net_namespace.h>
#include <rdma/ib_mad.h>
#include <rdma/ib_verbs.h>
#include <rdma/uverbs_ioctl.h>

#include "board.h"
#include "common.h"

struct ucontext {
	struct ib_ucontext ib;
};

struct pd {
	struct ib_pd ib;
};

struct cq {
	struct ib_cq ib;
};

struct qp {
	struct ib_qp ib;
};

static atomic_t last_qpn = ATOMIC_INIT(1);

static const struct {
	const char *name;
	u32 caps;
	u8 node_type;
} protocols[] = {
	{"ib", RDMA_CORE_CAP_PROT_IB, RDMA_NODE_IB_CA},
	{"opa", RDMA_CORE_CAP_PROT_IB | RDMA_CORE_CAP_OPA_MAD, RDMA_NODE_IB_CA},
	{"roce", RDMA_CORE_CAP_PROT_ROCE | RDMA_CORE_CAP_PROT_ROCE_UDP_ENCAP, RDMA_NODE_IB_CA},
	{"iw", RDMA_CORE_CAP_PROT_IWARP, RDMA_NODE_RNIC},
	{"usnic", RDMA_CORE_PORT_USNIC, RDMA_NODE_USNIC_UDP},
	{"none", RDMA_CORE_PORT_RAW_PACKET, RDMA_NODE_UNSPECIFIED},
};

static struct board *board_of(struct ib_device *ib)
{
	return container_of(ib, struct board, ib);
}

static int board_query_device(struct ib_device *ib, struct ib_device_attr *attr,
			      struct ib_udata *udata)
{
	memset(attr, 0, sizeof(*attr));
	attr->kernel_cap_flags = IBK_LOCAL_DMA_LKEY;
	attr->max_qp = 64;
	attr->max_qp_wr = 1024;
	attr->max_send_sge = 4;
	attr->max_recv_sge = 4;
	attr->max_cq = 64;
	attr->max_cqe = 4096;
	attr->max_pd = 64;
	attr->max_pkeys = 1;
	/* The same for all functions of a card, as for real cards. */
	attr->sys_image_guid = cpu_to_be64(0x5254000000000001ULL);
	return 0;
}

static int board_port_immutable(struct ib_device *ib, u32 port, struct ib_port_immutable *immutable)
{
	immutable->gid_tbl_len = 1;
	immutable->pkey_tbl_len = 1;
	immutable->core_cap_flags = board_of(ib)->caps[port - 1];
	if (immutable->core_cap_flags & RDMA_CORE_CAP_IB_MAD)
		immutable->max_mad_size = immutable->core_cap_flags & RDMA_CORE_CAP_OPA_MAD
						  ? OPA_MGMT_MAD_SIZE
						  : IB_MGMT_MAD_SIZE;
	return 0;
}

static enum rdma_link_layer board_link_layer(struct ib_device *ib, u32 port)
{
	return board_of(ib)->caps[port - 1] & RDMA_CORE_CAP_PROT_IB ? IB_LINK_LAYER_INFINIBAND
								    : IB_LINK_LAYER_ETHERNET;
}

static int board_add_gid(const struct ib_gid_attr *attr, void **context)
{
	return 0;
}

static int board_create_cq(struct ib_cq *cq, const struct ib_cq_init_attr *attr,
			   struct ib_udata *udata)
{
	cq->cqe = attr->cqe;
	return 0;
}

static int board_destroy_cq(struct ib_cq *cq, struct ib_udata *udata)
{
	return 0;
}

static int board_poll_cq(struct ib_cq *cq, int count, struct ib_wc *wc)
{
	return 0;
}

static int board_req_notify_cq(struct ib_cq *cq, enum ib_cq_notify_flags flags)
{
	return 0;
}

static int board_create_qp(struct ib_qp *qp, struct ib_qp_init_attr *init, struct ib_udata *udata)
{
	qp->qp_num = init->qp_type <= IB_QPT_GSI ? init->qp_type : atomic_inc_return(&last_qpn);
	return 0;
}

static int board_modify_qp(struct ib_qp *qp, struct ib_qp_attr *attr, int mask,
			   struct ib_udata *udata)
{
	return 0;
}

static int board_destroy_qp(struct ib_qp *qp, struct ib_udata *udata)
{
	return 0;
}

/* Refuses requests at once: a client that waited for a completion would block the removal. */
static int board_post_send(struct ib_qp *qp, const struct ib_send_wr *wr,
			   const struct ib_send_wr **bad)
{
	*bad = wr;
	return -EIO;
}

static int board_post_recv(struct ib_qp *qp, const struct ib_recv_wr *wr,
			   const struct ib_recv_wr **bad)
{
	return 0;
}

static struct ib_mr *board_get_dma_mr(struct ib_pd *pd, int access)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static struct ib_mr *board_reg_user_mr(struct ib_pd *pd, u64 start, u64 length, u64 virt_addr,
				       int access, struct ib_udata *udata)
{
	return ERR_PTR(-EOPNOTSUPP);
}

static int board_dereg_mr(struct ib_mr *mr, struct ib_udata *udata)
{
	return 0;
}

static const struct ib_device_ops board_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_UNKNOWN,
	.uverbs_abi_ver = 2, /* RXE_UVERBS_ABI_VERSION: see board_mad_ops */
	.add_gid = board_add_gid,
	.alloc_pd = common_alloc_pd,
	.alloc_ucontext = common_alloc_ucontext,
	.dealloc_pd = common_dealloc_pd,
	.dealloc_ucontext = common_dealloc_ucontext,
	.disassociate_ucontext = common_dealloc_ucontext,
	.get_link_layer = board_link_layer,
	.get_port_immutable = board_port_immutable,
	.modify_device = common_modify_device,
	.query_device = board_query_device,
	.query_gid = common_query_gid,
	.query_pkey = common_query_pkey,
	.query_port = common_query_port,
	INIT_RDMA_OBJ_SIZE(ib_pd, pd, ib),
	INIT_RDMA_OBJ_SIZE(ib_ucontext, ucontext, ib),
};

/*
 * The operations that the kernel's own clients need. The driver id is one that libibverbs knows, because
 * the distribution's daemons open the device, too.
 */
static const struct ib_device_ops board_mad_ops = {
	.driver_id = RDMA_DRIVER_RXE,
	.create_cq = board_create_cq,
	.create_qp = board_create_qp,
	.dereg_mr = board_dereg_mr,
	.destroy_cq = board_destroy_cq,
	.destroy_qp = board_destroy_qp,
	.get_dma_mr = board_get_dma_mr,
	.modify_qp = board_modify_qp,
	.poll_cq = board_poll_cq,
	.post_recv = board_post_recv,
	.post_send = board_post_send,
	.reg_user_mr = board_reg_user_mr,
	.req_notify_cq = board_req_notify_cq,
	INIT_RDMA_OBJ_SIZE(ib_cq, cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, qp, ib),
};

static int board_protocols(struct board *board, char *names)
{
	struct ib_device *ib = &board->ib;
	char *name;
	int i;

	ib->phys_port_cnt = 0;
	while ((name = strsep(&names, ","))) {
		for (i = 0; i < ARRAY_SIZE(protocols) && strcmp(protocols[i].name, name); i++)
			;
		if (i == ARRAY_SIZE(protocols) || ib->phys_port_cnt == MAX_PORTS)
			return -EINVAL;
		if (!ib->phys_port_cnt)
			ib->node_type = protocols[i].node_type;
		board->caps[ib->phys_port_cnt++] = protocols[i].caps;
	}
	return 0;
}

static int board_option(struct board *board, char *word)
{
	char *value;
	u64 guid;
	int err;
	int i;

	if ((value = value_of(word, "proto")))
		return board_protocols(board, value);
	if ((value = value_of(word, "guid"))) {
		err = kstrtou64(value, 16, &guid);
		board->ib.node_guid = cpu_to_be64(guid);
		return err;
	}
	if ((value = value_of(word, "desc"))) {
		strscpy(board->ib.node_desc, value, sizeof(board->ib.node_desc));
		return 0;
	}
	if ((value = value_of(word, "parent")) && !board->thing.parent) {
		board->thing.parent = parent_get(value);
		board->ib.dev.parent = board->thing.parent;
		return board->thing.parent ? 0 : -ENODEV;
	}
	if ((value = value_of(word, "mad"))) {
		ib_set_device_ops(&board->ib, &board_mad_ops);
		for (i = 0; i < board->ib.phys_port_cnt; i++)
			/* Without IB_CM the kernel lets no client use the port's QP 1. */
			board->caps[i] |= RDMA_CORE_CAP_IB_MAD | RDMA_CORE_CAP_IB_SMI |
					  RDMA_CORE_CAP_IB_CM;
		return 0;
	}
	return -EINVAL;
}

int board_add(const char *name, char *words)
{
	struct board *board = ib_alloc_device(board, ib);
	char *word;
	u32 port;
	int err = 0;

	if (!board)
		return -ENOMEM;
	board->ib.num_comp_vectors = 1;
	strscpy(board->ib.node_desc, NAME, sizeof(board->ib.node_desc));
	ib_set_device_ops(&board->ib, &board_ops);
	board_protocols(board, (char[]){"ib"});
	while (!err && (word = strsep(&words, " ")))
		err = board_option(board, word);
	/* The kernel requires a netdev for an iWARP port. */
	for (port = 1; !err && port <= board->ib.phys_port_cnt; port++) {
		if (board->caps[port - 1] & RDMA_CORE_CAP_PROT_IWARP)
			err = ib_device_set_netdev(&board->ib, init_net.loopback_dev, port);
	}
	if (!err)
		err = ib_register_device(&board->ib, name, NULL);
	if (err) {
		put_device(board->thing.parent);
		ib_dealloc_device(&board->ib);
		return err;
	}
	thing_add(&board->thing, RDMA);
	return 0;
}
