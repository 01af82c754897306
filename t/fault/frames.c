/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A provider that uses private ABI 34: it passes its commands in frames, like the distribution's.
 * It adds nothing to the kernel's objects.
 */
#include <errno.h>
#include <stdlib.h>

#include "compat/private34/context.h"
#include "compat/private34/memory.h"
#include "compat/private34/private34.h"
#include "compat/private34/queues.h"
#include "compat/private34/steering.h"
#include "t/fault/provider.h"

#define FRAME(type) \
	(void *)(char[HF_FRAME(struct ib_uverbs_##type)]){0}, HF_FRAME(struct ib_uverbs_##type)
#define FRAME_EX(type)                                           \
	(void *)(char[HF_FRAME_EX(struct ib_uverbs_##type)]){0}, \
		HF_FRAME_EX(struct ib_uverbs_##type)
#define ANSWER(type) &(struct ib_uverbs_##type){0}, sizeof(struct ib_uverbs_##type)

/* Allocates an object that the command `call` fills; frees it when that fails. */
#define MAKE(type, object, call)                            \
	struct type *object = calloc(1, sizeof(*(object))); \
	int err;                                            \
                                                            \
	if (!(object))                                      \
		return NULL;                                \
	err = call;                                         \
	if (err) {                                          \
		free(object);                               \
		errno = err;                                \
		return NULL;                                \
	}

static int given_back(int err, void *object)
{
	if (!err)
		free(object);
	return err;
}

static struct ibv_pd *frame_alloc_pd(struct ibv_context *context)
{
	MAKE(ibv_pd, pd, ibv_cmd_alloc_pd(context, pd, FRAME(alloc_pd), ANSWER(alloc_pd_resp)))
	return pd;
}

static int frame_dealloc_pd(struct ibv_pd *pd)
{
	return given_back(ibv_cmd_dealloc_pd(pd), pd);
}

static struct ibv_mr *frame_reg_mr(struct ibv_pd *pd, void *addr, size_t length, uint64_t iova,
				   int access)
{
	MAKE(verbs_mr, mr,
	     ibv_cmd_reg_mr(pd, addr, length, iova, access, mr, FRAME(reg_mr), ANSWER(reg_mr_resp)))
	return &mr->ibv_mr;
}

static struct ibv_mr *frame_reg_dmabuf_mr(struct ibv_pd *pd, uint64_t offset, size_t length,
					  uint64_t iova, int fd, int access)
{
	MAKE(verbs_mr, mr, ibv_cmd_reg_dmabuf_mr(pd, offset, length, iova, fd, access, mr, NULL))
	return &mr->ibv_mr;
}

static struct ibv_mr *frame_import_mr(struct ibv_pd *pd, uint32_t handle)
{
	MAKE(verbs_mr, mr, ibv_cmd_query_mr(pd, mr, handle))
	return &mr->ibv_mr;
}

static void frame_unimport_mr(struct ibv_mr *mr)
{
	free(mr);
}

static int frame_rereg_mr(struct verbs_mr *mr, int flags, struct ibv_pd *pd, void *addr,
			  size_t length, int access)
{
	return ibv_cmd_rereg_mr(mr, (uint32_t)flags, addr, length, (uintptr_t)addr, access, pd,
				FRAME(rereg_mr), ANSWER(rereg_mr_resp));
}

static int frame_dereg_mr(struct verbs_mr *mr)
{
	return given_back(ibv_cmd_dereg_mr(mr), mr);
}

static int advise_mr(struct ibv_pd *pd, enum ib_uverbs_advise_mr_advice advice, uint32_t flags,
		     struct ibv_sge *list, uint32_t count)
{
	return ibv_cmd_advise_mr(pd, advice, flags, list, count);
}

static struct ibv_mw *alloc_mw(struct ibv_pd *pd, enum ibv_mw_type type)
{
	MAKE(ibv_mw, mw, ibv_cmd_alloc_mw(pd, type, mw, FRAME(alloc_mw), ANSWER(alloc_mw_resp)))
	return mw;
}

static int dealloc_mw(struct ibv_mw *mw)
{
	return given_back(ibv_cmd_dealloc_mw(mw), mw);
}

static struct ibv_xrcd *open_xrcd(struct ibv_context *context, struct ibv_xrcd_init_attr *attr)
{
	MAKE(verbs_xrcd, xrcd,
	     ibv_cmd_open_xrcd(context, xrcd, sizeof(*xrcd), attr, FRAME(open_xrcd),
			       ANSWER(open_xrcd_resp)))
	return &xrcd->xrcd;
}

static int close_xrcd(struct ibv_xrcd *xrcd)
{
	return given_back(ibv_cmd_close_xrcd((struct verbs_xrcd *)(void *)xrcd), xrcd);
}

static struct ibv_ah *frame_create_ah(struct ibv_pd *pd, struct ibv_ah_attr *attr)
{
	MAKE(ibv_ah, ah, ibv_cmd_create_ah(pd, ah, attr, ANSWER(create_ah_resp)))
	return ah;
}

static int frame_destroy_ah(struct ibv_ah *ah)
{
	return given_back(ibv_cmd_destroy_ah(ah), ah);
}

static struct ibv_dm *alloc_dm(struct ibv_context *context, struct ibv_alloc_dm_attr *attr)
{
	MAKE(verbs_dm, dm, ibv_cmd_alloc_dm(context, attr, dm, NULL))
	return &dm->dm;
}

static int free_dm(struct ibv_dm *dm)
{
	return given_back(ibv_cmd_free_dm((struct verbs_dm *)(void *)dm), dm);
}

static struct ibv_mr *reg_dm_mr(struct ibv_pd *pd, struct ibv_dm *dm, uint64_t offset,
				size_t length, unsigned int access)
{
	MAKE(verbs_mr, mr,
	     ibv_cmd_reg_dm_mr(pd, (struct verbs_dm *)(void *)dm, offset, length, access, mr, NULL))
	return &mr->ibv_mr;
}

static struct ibv_cq *frame_create_cq(struct ibv_context *context, int cqe,
				      struct ibv_comp_channel *channel, int vector)
{
	MAKE(verbs_cq, cq,
	     ibv_cmd_create_cq(context, cqe, channel, vector, &cq->cq, FRAME(create_cq),
			       ANSWER(create_cq_resp)))
	return &cq->cq;
}

static struct ibv_cq_ex *frame_create_cq_ex(struct ibv_context *context,
					    struct ibv_cq_init_attr_ex *attr)
{
	MAKE(verbs_cq, cq,
	     ibv_cmd_create_cq_ex(context, attr, cq, FRAME_EX(ex_create_cq),
				  ANSWER(ex_create_cq_resp), 0))
	return &cq->cq_ex;
}

static int frame_resize_cq(struct ibv_cq *cq, int cqe)
{
	return ibv_cmd_resize_cq(cq, cqe, FRAME(resize_cq), ANSWER(resize_cq_resp));
}

static int frame_modify_cq(struct ibv_cq *cq, struct ibv_modify_cq_attr *attr)
{
	return ibv_cmd_modify_cq(cq, attr, FRAME_EX(ex_modify_cq));
}

static int frame_destroy_cq(struct ibv_cq *cq)
{
	return given_back(ibv_cmd_destroy_cq(cq), cq);
}

static struct ibv_srq *frame_create_srq(struct ibv_pd *pd, struct ibv_srq_init_attr *attr)
{
	MAKE(verbs_srq, srq,
	     ibv_cmd_create_srq(pd, &srq->srq, attr, FRAME(create_srq), ANSWER(create_srq_resp)))
	return &srq->srq;
}

static struct ibv_srq *frame_create_srq_ex(struct ibv_context *context,
					   struct ibv_srq_init_attr_ex *attr)
{
	MAKE(verbs_srq, srq,
	     ibv_cmd_create_srq_ex(context, srq, attr, FRAME(create_xsrq), ANSWER(create_srq_resp)))
	return &srq->srq;
}

static int frame_modify_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr, int mask)
{
	return ibv_cmd_modify_srq(srq, attr, mask, FRAME(modify_srq));
}

static int frame_query_srq(struct ibv_srq *srq, struct ibv_srq_attr *attr)
{
	return ibv_cmd_query_srq(srq, attr, FRAME(query_srq));
}

static int frame_destroy_srq(struct ibv_srq *srq)
{
	return given_back(ibv_cmd_destroy_srq(srq), srq);
}

static struct ibv_qp *frame_create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	MAKE(verbs_qp, qp,
	     ibv_cmd_create_qp(pd, &qp->qp, attr, FRAME(create_qp), ANSWER(create_qp_resp)))
	return &qp->qp;
}

static struct ibv_qp *frame_create_qp_ex(struct ibv_context *context,
					 struct ibv_qp_init_attr_ex *attr)
{
	MAKE(verbs_qp, qp,
	     ibv_cmd_create_qp_ex2(context, qp, attr, FRAME_EX(ex_create_qp),
				   ANSWER(ex_create_qp_resp)))
	return &qp->qp;
}

static struct ibv_qp *frame_open_qp(struct ibv_context *context, struct ibv_qp_open_attr *attr)
{
	MAKE(verbs_qp, qp,
	     ibv_cmd_open_qp(context, qp, sizeof(*qp), attr, FRAME(open_qp),
			     ANSWER(create_qp_resp)))
	return &qp->qp;
}

static int frame_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	return ibv_cmd_modify_qp(qp, attr, mask, FRAME(modify_qp));
}

static int frame_query_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask,
			  struct ibv_qp_init_attr *init_attr)
{
	return ibv_cmd_query_qp(qp, attr, mask, init_attr, FRAME(query_qp));
}

static int frame_destroy_qp(struct ibv_qp *qp)
{
	return given_back(ibv_cmd_destroy_qp(qp), qp);
}

static struct ibv_flow *create_flow(struct ibv_qp *qp, struct ibv_flow_attr *attr)
{
	MAKE(ibv_flow, flow, ibv_cmd_create_flow(qp, flow, attr, NULL, 0))
	return flow;
}

static int destroy_flow(struct ibv_flow *flow)
{
	return given_back(ibv_cmd_destroy_flow(flow), flow);
}

static struct ibv_counters *create_counters(struct ibv_context *context,
					    struct ibv_counters_init_attr *attr)
{
	MAKE(verbs_counters, counters, ibv_cmd_create_counters(context, attr, counters, NULL))
	return &counters->counters;
}

static int read_counters(struct ibv_counters *counters, uint64_t *values, uint32_t count,
			 uint32_t flags)
{
	return ibv_cmd_read_counters((struct verbs_counters *)(void *)counters, values, count,
				     flags, NULL);
}

static int destroy_counters(struct ibv_counters *counters)
{
	return given_back(ibv_cmd_destroy_counters((struct verbs_counters *)(void *)counters),
			  counters);
}

static struct ibv_flow_action *create_flow_action_esp(struct ibv_context *context,
						      struct ibv_flow_action_esp_attr *attr)
{
	MAKE(verbs_flow_action, action, ibv_cmd_create_flow_action_esp(context, attr, action, NULL))
	return &action->action;
}

static int modify_flow_action_esp(struct ibv_flow_action *action,
				  struct ibv_flow_action_esp_attr *attr)
{
	return ibv_cmd_modify_flow_action_esp((struct verbs_flow_action *)(void *)action, attr,
					      NULL);
}

static int destroy_flow_action(struct ibv_flow_action *action)
{
	return given_back(ibv_cmd_destroy_flow_action((struct verbs_flow_action *)(void *)action),
			  action);
}

static struct ibv_wq *create_wq(struct ibv_context *context, struct ibv_wq_init_attr *attr)
{
	MAKE(ibv_wq, wq,
	     ibv_cmd_create_wq(context, attr, wq, FRAME_EX(ex_create_wq),
			       ANSWER(ex_create_wq_resp)))
	return wq;
}

static int modify_wq(struct ibv_wq *wq, struct ibv_wq_attr *attr)
{
	return ibv_cmd_modify_wq(wq, attr, FRAME_EX(ex_modify_wq));
}

static int frame_destroy_wq(struct ibv_wq *wq)
{
	return given_back(ibv_cmd_destroy_wq(wq), wq);
}

static struct ibv_rwq_ind_table *create_rwq_ind_table(struct ibv_context *context,
						      struct ibv_rwq_ind_table_init_attr *attr)
{
	MAKE(ibv_rwq_ind_table, table,
	     ibv_cmd_create_rwq_ind_table(context, attr, table,
					  ANSWER(ex_create_rwq_ind_table_resp)))
	return table;
}

static int destroy_rwq_ind_table(struct ibv_rwq_ind_table *table)
{
	return given_back(ibv_cmd_destroy_rwq_ind_table(table), table);
}

static int frame_query_device(struct ibv_context *context,
			      const struct ibv_query_device_ex_input *input,
			      struct ibv_device_attr_ex *attr, size_t size)
{
	struct ib_uverbs_ex_query_device_resp response;
	size_t length = sizeof(response);

	return ibv_cmd_query_device_any(context, input, attr, size, &response, &length);
}

static int frame_query_port(struct ibv_context *context, uint8_t port, struct ibv_port_attr *attr)
{
	return ibv_cmd_query_port(context, port, attr, NULL, 0);
}

static void frame_free_context(struct ibv_context *context)
{
	struct verbs_context *verbs =
		(struct verbs_context *)(void *)((char *)context -
						 offsetof(struct verbs_context, context));

	verbs_uninit_context(verbs);
	free(verbs);
}

static const struct verbs_context_ops operations = {
	.advise_mr = advise_mr,
	.alloc_dm = alloc_dm,
	.alloc_mw = alloc_mw,
	.alloc_pd = frame_alloc_pd,
	.attach_mcast = ibv_cmd_attach_mcast,
	.close_xrcd = close_xrcd,
	.create_ah = frame_create_ah,
	.create_counters = create_counters,
	.create_cq = frame_create_cq,
	.create_cq_ex = frame_create_cq_ex,
	.create_flow = create_flow,
	.create_flow_action_esp = create_flow_action_esp,
	.create_qp = frame_create_qp,
	.create_qp_ex = frame_create_qp_ex,
	.create_rwq_ind_table = create_rwq_ind_table,
	.create_srq = frame_create_srq,
	.create_srq_ex = frame_create_srq_ex,
	.create_wq = create_wq,
	.dealloc_mw = dealloc_mw,
	.dealloc_pd = frame_dealloc_pd,
	.dereg_mr = frame_dereg_mr,
	.destroy_ah = frame_destroy_ah,
	.destroy_counters = destroy_counters,
	.destroy_cq = frame_destroy_cq,
	.destroy_flow = destroy_flow,
	.destroy_flow_action = destroy_flow_action,
	.destroy_qp = frame_destroy_qp,
	.destroy_rwq_ind_table = destroy_rwq_ind_table,
	.destroy_srq = frame_destroy_srq,
	.destroy_wq = frame_destroy_wq,
	.detach_mcast = ibv_cmd_detach_mcast,
	.free_context = frame_free_context,
	.free_dm = free_dm,
	.import_mr = frame_import_mr,
	.modify_cq = frame_modify_cq,
	.modify_flow_action_esp = modify_flow_action_esp,
	.modify_qp = frame_modify_qp,
	.modify_srq = frame_modify_srq,
	.modify_wq = modify_wq,
	.open_qp = frame_open_qp,
	.open_xrcd = open_xrcd,
	.poll_cq = ibv_cmd_poll_cq,
	.post_recv = ibv_cmd_post_recv,
	.post_send = ibv_cmd_post_send,
	.post_srq_recv = ibv_cmd_post_srq_recv,
	.query_device_ex = frame_query_device,
	.query_port = frame_query_port,
	.query_qp = frame_query_qp,
	.query_srq = frame_query_srq,
	.read_counters = read_counters,
	.reg_dm_mr = reg_dm_mr,
	.reg_dmabuf_mr = frame_reg_dmabuf_mr,
	.reg_mr = frame_reg_mr,
	.req_notify_cq = ibv_cmd_req_notify_cq,
	.rereg_mr = frame_rereg_mr,
	.resize_cq = frame_resize_cq,
	.unimport_mr = frame_unimport_mr,
};

static struct verbs_context *frame_alloc_context(struct ibv_device *device, int cmd_fd,
						 void *private_data)
{
	struct verbs_context *context;

	(void)private_data;
	context = _verbs_init_and_alloc_context(device, cmd_fd, sizeof(*context), NULL, 0);
	if (!context)
		return NULL;
	if (ibv_cmd_get_context(context, FRAME(get_context), ANSWER(get_context_resp))) {
		int err = errno;

		verbs_uninit_context(context);
		free(context);
		errno = err;
		return NULL;
	}
	verbs_set_ops(context, &operations);
	return context;
}

const struct verbs_device_ops frames_provider = {
	.name = "frames",
	.alloc_context = frame_alloc_context,
};
