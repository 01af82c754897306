// SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only
/*
 * RDMA devices for tests whose driver supports disassociation: they can be unplugged while programs have
 * them open. They implement rdma_rxe's user ABI for objects, queues and mappings, so every provider for
 * rxe works on them. Nothing is sent, so nothing completes.
 *
 * Commands, written to /dev/hfplug: "add N" adds N devices; "del NAME" and "del all" remove them.
 */
#include <linux/miscdevice.h>
#include <linux/module.h>
#include <linux/version.h>
#include <rdma/ib_verbs.h>
#include <rdma/rdma_user_rxe.h>
#include <rdma/uverbs_ioctl.h>

#include "common.h"

#define NAME	    "hfplug"
#define ABI_VERSION 2 /* RXE_UVERBS_ABI_VERSION */
#define MAX_ENTRIES 4096
#define MAX_INLINE  256
#define MAX_SGE	    8

struct plug {
	struct ib_device ib;
	struct list_head list;
	atomic_t last_qpn;
	atomic_t last_key;
};

/* Mapped memory. It outlives its object if a program still has the mapping. */
struct queue {
	struct rdma_user_mmap_entry entry;
	void *memory;
	size_t size;
};

struct context {
	struct ib_ucontext ib;
};

struct pd {
	struct ib_pd ib;
};

struct cq {
	struct ib_cq ib;
	struct queue *queue;
};

struct qp {
	struct ib_qp ib;
	struct ib_qp_attr attr;
	struct queue *rq;
	struct queue *sq;
};

static LIST_HEAD(plugs);
static DEFINE_MUTEX(plugs_lock);
static atomic64_t last_guid = ATOMIC64_INIT(0x0200000000000000ULL);

static struct context *context_of(struct ib_udata *udata)
{
	return rdma_udata_to_drv_context(udata, struct context, ib);
}

/* --- queues ----------------------------------------------------------------------------------- */

static struct queue *queue_create(struct context *context, u32 entries, size_t element,
				  struct mminfo *info)
{
	struct rxe_queue_buf *head;
	struct queue *queue;
	int err;

	if (entries > MAX_ENTRIES)
		return ERR_PTR(-EINVAL);
	queue = kzalloc(sizeof(*queue), GFP_KERNEL);
	if (!queue)
		return ERR_PTR(-ENOMEM);
	entries = roundup_pow_of_two(entries + 1);
	element = roundup_pow_of_two(element);
	queue->size = PAGE_ALIGN(sizeof(*head) + entries * element);
	queue->memory = alloc_pages_exact(queue->size, GFP_KERNEL | __GFP_ZERO);
	if (!queue->memory) {
		kfree(queue);
		return ERR_PTR(-ENOMEM);
	}
	head = queue->memory;
	head->log2_elem_size = ilog2(element);
	head->index_mask = entries - 1;
	err = rdma_user_mmap_entry_insert(&context->ib, &queue->entry, queue->size);
	if (err) {
		free_pages_exact(queue->memory, queue->size);
		kfree(queue);
		return ERR_PTR(err);
	}
	info->offset = rdma_user_mmap_get_offset(&queue->entry);
	info->size = queue->size;
	return queue;
}

static void queue_remove(struct queue *queue)
{
	if (queue)
		rdma_user_mmap_entry_remove(&queue->entry);
}

static void plug_mmap_free(struct rdma_user_mmap_entry *entry)
{
	struct queue *queue = container_of(entry, struct queue, entry);

	free_pages_exact(queue->memory, queue->size);
	kfree(queue);
}

static int plug_mmap(struct ib_ucontext *ib, struct vm_area_struct *vma)
{
	struct rdma_user_mmap_entry *entry = rdma_user_mmap_entry_get(ib, vma);
	struct queue *queue;
	int err;

	if (!entry)
		return -EINVAL;
	queue = container_of(entry, struct queue, entry);
	err = rdma_user_mmap_io(ib, vma, virt_to_phys(queue->memory) >> PAGE_SHIFT, queue->size,
				vma->vm_page_prot, entry);
	rdma_user_mmap_entry_put(entry);
	return err;
}

/* --- objects ---------------------------------------------------------------------------------- */

static struct ib_mr *plug_reg_user_mr(struct ib_pd *pd, u64 start, u64 length, u64 virt_addr,
				      int access, struct ib_udata *udata)
{
	struct plug *plug = container_of(pd->device, struct plug, ib);
	struct ib_mr *mr = kzalloc(sizeof(*mr), GFP_KERNEL);

	if (!mr)
		return ERR_PTR(-ENOMEM);
	mr->lkey = atomic_inc_return(&plug->last_key);
	mr->rkey = mr->lkey;
	return mr;
}

static int plug_dereg_mr(struct ib_mr *mr, struct ib_udata *udata)
{
	kfree(mr);
	return 0;
}

static int cq_create(struct ib_cq *ib, const struct ib_cq_init_attr *attr, struct ib_udata *udata)
{
	struct cq *cq = container_of(ib, struct cq, ib);
	struct rxe_create_cq_resp resp = {};
	int err;

	if (!udata || udata->outlen < sizeof(resp) || attr->cqe < 1)
		return -EINVAL;
	cq->queue =
		queue_create(context_of(udata), attr->cqe, sizeof(struct ib_uverbs_wc), &resp.mi);
	if (IS_ERR(cq->queue))
		return PTR_ERR(cq->queue);
	err = ib_copy_to_udata(udata, &resp, sizeof(resp));
	if (err) {
		queue_remove(cq->queue);
		return err;
	}
	ib->cqe = attr->cqe;
	return 0;
}

#if LINUX_VERSION_CODE >= KERNEL_VERSION(6, 11, 0)
static int plug_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr,
			  struct uverbs_attr_bundle *attrs)
{
	return cq_create(ib, attr, &attrs->driver_udata);
}
#else
static int plug_create_cq(struct ib_cq *ib, const struct ib_cq_init_attr *attr,
			  struct ib_udata *udata)
{
	return cq_create(ib, attr, udata);
}
#endif

static int plug_destroy_cq(struct ib_cq *ib, struct ib_udata *udata)
{
	queue_remove(container_of(ib, struct cq, ib)->queue);
	return 0;
}

static int plug_req_notify_cq(struct ib_cq *ib, enum ib_cq_notify_flags flags)
{
	return 0;
}

static int plug_create_qp(struct ib_qp *ib, struct ib_qp_init_attr *init, struct ib_udata *udata)
{
	struct plug *plug = container_of(ib->device, struct plug, ib);
	struct qp *qp = container_of(ib, struct qp, ib);
	struct rxe_create_qp_resp resp = {};
	int err;

	if (!udata || udata->outlen < sizeof(resp) || init->srq ||
	    init->cap.max_inline_data > MAX_INLINE || init->cap.max_send_sge > MAX_SGE ||
	    init->cap.max_recv_sge > MAX_SGE)
		return -EINVAL;
	init->cap.max_inline_data = MAX_INLINE;
	qp->sq = queue_create(context_of(udata), init->cap.max_send_wr,
			      sizeof(struct rxe_send_wqe) + MAX_INLINE, &resp.sq_mi);
	if (IS_ERR(qp->sq))
		return PTR_ERR(qp->sq);
	qp->rq = queue_create(context_of(udata), init->cap.max_recv_wr,
			      sizeof(struct rxe_recv_wqe) + MAX_SGE * sizeof(struct rxe_sge),
			      &resp.rq_mi);
	if (IS_ERR(qp->rq)) {
		err = PTR_ERR(qp->rq);
		goto err_sq;
	}
	err = ib_copy_to_udata(udata, &resp, sizeof(resp));
	if (err)
		goto err_rq;
	ib->qp_num = 16 + atomic_inc_return(&plug->last_qpn);
	qp->attr.cap = init->cap;
	return 0;

err_rq:
	queue_remove(qp->rq);
err_sq:
	queue_remove(qp->sq);
	return err;
}

static int plug_modify_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
			  struct ib_udata *udata)
{
	struct qp *qp = container_of(ib, struct qp, ib);

	if (mask & IB_QP_STATE)
		qp->attr.qp_state = attr->qp_state;
	return 0;
}

static int plug_query_qp(struct ib_qp *ib, struct ib_qp_attr *attr, int mask,
			 struct ib_qp_init_attr *init)
{
	struct qp *qp = container_of(ib, struct qp, ib);

	*attr = qp->attr;
	attr->cur_qp_state = attr->qp_state;
	attr->port_num = 1;
	init->cap = qp->attr.cap;
	return 0;
}

static int plug_destroy_qp(struct ib_qp *ib, struct ib_udata *udata)
{
	struct qp *qp = container_of(ib, struct qp, ib);

	queue_remove(qp->rq);
	queue_remove(qp->sq);
	return 0;
}

/* rxe's doorbell: nothing to do. */
static int plug_post_send(struct ib_qp *ib, const struct ib_send_wr *wr,
			  const struct ib_send_wr **bad)
{
	return 0;
}

/* --- the device ------------------------------------------------------------------------------- */

static int plug_query_device(struct ib_device *ib, struct ib_device_attr *attr,
			     struct ib_udata *udata)
{
	memset(attr, 0, sizeof(*attr));
	attr->max_mr_size = ~0ULL;
	attr->page_size_cap = PAGE_SIZE;
	attr->max_qp = 1024;
	attr->max_qp_wr = MAX_ENTRIES / 4;
	attr->max_send_sge = MAX_SGE;
	attr->max_recv_sge = MAX_SGE;
	attr->max_cq = 1024;
	attr->max_cqe = MAX_ENTRIES;
	attr->max_mr = 1024;
	attr->max_pd = 1024;
	attr->max_pkeys = 1;
	attr->sys_image_guid = ib->node_guid;
	return 0;
}

/* A protocol without MADs, address resolution or connections, so that no kernel client uses the device. */
static int plug_get_port_immutable(struct ib_device *ib, u32 port,
				   struct ib_port_immutable *immutable)
{
	immutable->gid_tbl_len = 1;
	immutable->pkey_tbl_len = 1;
	immutable->core_cap_flags = RDMA_CORE_PORT_RAW_PACKET;
	return 0;
}

static enum rdma_link_layer plug_get_link_layer(struct ib_device *ib, u32 port)
{
	return IB_LINK_LAYER_INFINIBAND;
}

static const struct ib_device_ops plug_ops = {
	.owner = THIS_MODULE,
	.driver_id = RDMA_DRIVER_RXE,
	.uverbs_abi_ver = ABI_VERSION,
	.alloc_pd = common_alloc_pd,
	.alloc_ucontext = common_alloc_ucontext,
	.create_cq = plug_create_cq,
	.create_qp = plug_create_qp,
	.dealloc_pd = common_dealloc_pd,
	.dealloc_ucontext = common_dealloc_ucontext,
	.dereg_mr = plug_dereg_mr,
	.destroy_cq = plug_destroy_cq,
	.destroy_qp = plug_destroy_qp,
	.disassociate_ucontext = common_dealloc_ucontext,
	.get_link_layer = plug_get_link_layer,
	.get_port_immutable = plug_get_port_immutable,
	.mmap = plug_mmap,
	.mmap_free = plug_mmap_free,
	.modify_device = common_modify_device,
	.modify_qp = plug_modify_qp,
	.post_send = plug_post_send,
	.query_device = plug_query_device,
	.query_gid = common_query_gid,
	.query_pkey = common_query_pkey,
	.query_port = common_query_port,
	.query_qp = plug_query_qp,
	.reg_user_mr = plug_reg_user_mr,
	.req_notify_cq = plug_req_notify_cq,
	INIT_RDMA_OBJ_SIZE(ib_cq, cq, ib),
	INIT_RDMA_OBJ_SIZE(ib_pd, pd, ib),
	INIT_RDMA_OBJ_SIZE(ib_qp, qp, ib),
	INIT_RDMA_OBJ_SIZE(ib_ucontext, context, ib),
};

static int plug_add(void)
{
	struct plug *plug = ib_alloc_device(plug, ib);
	int err;

	if (!plug)
		return -ENOMEM;
	plug->ib.node_type = RDMA_NODE_IB_CA;
	plug->ib.phys_port_cnt = 1;
	plug->ib.num_comp_vectors = 1;
	plug->ib.node_guid = cpu_to_be64(atomic64_inc_return(&last_guid));
	strscpy(plug->ib.node_desc, NAME, sizeof(plug->ib.node_desc));
	ib_set_device_ops(&plug->ib, &plug_ops);
	err = ib_register_device(&plug->ib, NAME "%d", NULL);
	if (err) {
		ib_dealloc_device(&plug->ib);
		return err;
	}
	list_add_tail(&plug->list, &plugs);
	return 0;
}

/* NULL removes all, the newest first, so that the others keep their names. */
static int plug_remove(const char *name)
{
	struct plug *plug;
	struct plug *next;
	int err = name ? -ENODEV : 0;

	list_for_each_entry_safe_reverse(plug, next, &plugs, list)
	{
		if (name && strcmp(dev_name(&plug->ib.dev), name))
			continue;
		list_del(&plug->list);
		ib_unregister_device(&plug->ib);
		ib_dealloc_device(&plug->ib);
		err = 0;
	}
	return err;
}

/* --- control ---------------------------------------------------------------------------------- */

static ssize_t hfplug_control_write(struct file *file, const char __user *from, size_t length,
				    loff_t *pos)
{
	char text[IB_DEVICE_NAME_MAX + 8] = {};
	unsigned int count;
	char *word;
	int err = 0;

	if (length >= sizeof(text))
		return -EINVAL;
	if (copy_from_user(text, from, length))
		return -EFAULT;
	word = strim(text);
	mutex_lock(&plugs_lock);
	if (sscanf(word, "add %u", &count) == 1) {
		while (!err && count--)
			err = plug_add();
	} else if (!strncmp(word, "del ", 4)) {
		err = plug_remove(strcmp(word + 4, "all") ? word + 4 : NULL);
	} else {
		err = -EINVAL;
	}
	mutex_unlock(&plugs_lock);
	return err ? err : length;
}

static const struct file_operations control_ops = {
	.owner = THIS_MODULE,
	.write = hfplug_control_write,
};

static struct miscdevice control = {
	.minor = MISC_DYNAMIC_MINOR,
	.name = NAME,
	.fops = &control_ops,
};

static int __init plug_init(void)
{
	return misc_register(&control);
}

static void __exit plug_exit(void)
{
	misc_deregister(&control);
	plug_remove(NULL);
}

module_init(plug_init);
module_exit(plug_exit);
MODULE_DESCRIPTION("RDMA devices that are unplugged while in use, for tests");
MODULE_LICENSE("Dual BSD/GPL");
