/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A provider of a private ABI, compiled once for each layout by t/tree/foreign-abis: with ABI, RELEASE (of rdma-core),
 * LAYOUT (the release of abi/private-next-layout.def that has it so), FRONT (bytes of struct verbs_context in front
 * of what is common) and TABLE (bytes of the table of operations). It passes what no other ABI passes.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_ioctl_cmds.h>

#include <holdfast-provider/provider.h>

#include "t/tree/made_up_abi.h"

/* What reads this file without those definitions has the last layout. */
#ifndef ABI
#define ABI	65
#define RELEASE 65
#define LAYOUT	65
#define FRONT	48
#define TABLE	744
#endif

typedef void (*any_fn)(void);

struct their_context {
	void *front[FRONT / sizeof(void *)];
	struct verbs_context common;
};

#define CAT2(a, b) a##b
#define CAT(a, b)  CAT2(a, b)
#define STR2(a)	   #a
#define STR(a)	   STR2(a)

struct fds {
	int *arr;
	uint32_t count;
};

struct memory {
	uint64_t length;
	void *ptr;
	uint64_t fd;
};

void CAT(verbs_register_driver_, ABI)(const struct verbs_device_ops *ops);
/* A library of two private ABIs, which is refused. */
#ifdef ALSO
void CAT(verbs_register_driver_, ALSO)(const struct verbs_device_ops *ops);
#endif
void *_verbs_init_and_alloc_context(struct ibv_device *device, int fd, size_t size, void *offset,
				    uint32_t driver_id);
void verbs_set_ops(struct their_context *context, const void *ops);
void verbs_uninit_context(struct their_context *context);
int ibv_cmd_get_context(struct their_context *context, void *cmd, size_t cmd_size,
#if ABI >= 57
			struct fds *fds,
#endif
			void *resp, size_t resp_size);
int ibv_cmd_alloc_pd(struct ibv_context *context, struct ibv_pd *pd, void *cmd, size_t cmd_size,
		     void *resp, size_t resp_size);
int ibv_cmd_dealloc_pd(struct ibv_pd *pd);
int ibv_cmd_create_cq_ex(struct ibv_context *context, const struct ibv_cq_init_attr_ex *attr,
#if ABI >= 59
			 struct memory *memory,
#endif
			 struct verbs_cq *cq, void *cmd, size_t cmd_size, void *resp,
			 size_t resp_size, uint32_t flags);
int ibv_cmd_destroy_cq(struct ibv_cq *cq);
int ibv_cmd_create_qp_ex2(struct ibv_context *context, struct verbs_qp *qp,
			  struct ibv_qp_init_attr_ex *attr, void *cmd, size_t cmd_size, void *resp,
			  size_t resp_size
#if ABI >= 64
			  ,
			  struct ibv_command_buffer *link
#endif
);
int ibv_cmd_destroy_qp(struct ibv_qp *qp);
#if ABI >= 59
int ibv_cmd_alloc_dmah(struct ibv_context *context, struct verbs_dmah *dmah,
		       struct ibv_dmah_init_attr *attr);
int ibv_cmd_free_dmah(struct verbs_dmah *dmah);
int ibv_cmd_reg_mr_ex(struct ibv_pd *pd, struct verbs_mr *mr, struct ibv_mr_init_attr *attr);
int ibv_cmd_dereg_mr(struct verbs_mr *mr);
#endif
#if LAYOUT >= 62
int ibv_cmd_export_dmabuf_fd(struct ibv_context *context, off_t offset);
int ibv_cmd_query_port_speed(struct ibv_context *context, uint32_t port, uint64_t *speed);
#endif
#if ABI >= 64
struct ibv_dmabuf_heap;
struct ibv_dmabuf_heap *ibv_dmabuf_heap_cc_shared_init(void);
#endif
#if ABI >= 65
int ibv_cmd_create_comp_cntr(struct ibv_context *context, struct ibv_comp_cntr *counter,
			     struct ibv_command_buffer *link);
int ibv_cmd_destroy_comp_cntr(struct ibv_comp_cntr *counter);
int ibv_cmd_set_comp_cntr(struct ibv_comp_cntr *counter, uint64_t value);
int ibv_cmd_set_err_comp_cntr(struct ibv_comp_cntr *counter, uint64_t value);
int ibv_cmd_inc_comp_cntr(struct ibv_comp_cntr *counter, uint64_t amount);
int ibv_cmd_inc_err_comp_cntr(struct ibv_comp_cntr *counter, uint64_t amount);
int ibv_cmd_read_comp_cntr(struct ibv_comp_cntr *counter, uint64_t *value);
int ibv_cmd_read_err_comp_cntr(struct ibv_comp_cntr *counter, uint64_t *value);
int ibv_cmd_qp_attach_comp_cntr(struct ibv_qp *qp, struct ibv_comp_cntr *counter,
				struct ibv_qp_attach_comp_cntr_attr *attr);
int ibv_cmd_query_comp_cntr_caps(struct ibv_context *context, struct ibv_comp_cntr_caps *caps,
				 size_t size);
#endif

/* The operation that was called last. */
__attribute__((visibility("default"))) const char *made_up_called;

#define SIZE_IN(release, type, size)
#define IN_CONTEXT(release, member, offset)
#define SLOT(release, op, offset) SLOT_##release(op)
#define SLOT_57(op)
#define SLOT_59(op)
#define SLOT_62(op)
#define SLOT_64(op)
#define SLOT_65(op)                   \
	static int op_##op(void)      \
	{                             \
		made_up_called = #op; \
		return 0;             \
	}
#include "abi/private-next-layout.def"
#undef SLOT

static char table[TABLE];

static void put(size_t offset, any_fn fn)
{
	memcpy(table + offset, &fn, sizeof(fn));
}

/* The place of an operation in this release's table. */
static size_t place_in_table(const char *name)
{
#define SLOT(release, op, offset)                          \
	if ((release) == LAYOUT && strcmp(name, #op) == 0) \
		return offset;
#include "abi/private-next-layout.def"
#undef SLOT
	abort();
}

static struct their_context *their_context(struct ibv_context *context)
{
	return (struct their_context *)(void *)((char *)context -
						offsetof(struct their_context, common.context));
}

/* Contexts of one provider lie at several places of its objects. */
static size_t before(const struct ibv_device *device)
{
	return (size_t)(device->name[strlen(device->name) - 1] - '0') * 1032;
}

static void free_context(struct ibv_context *context)
{
	struct their_context *theirs = their_context(context);
	char *object = (char *)theirs - before(context->device);

	verbs_uninit_context(theirs);
	free(object);
}

static struct ibv_pd *alloc_pd(struct ibv_context *context)
{
	struct ib_uverbs_alloc_pd_resp resp = {0};
	char cmd[16] = {0};
	struct ibv_pd *pd = calloc(1, sizeof(*pd));

	if (pd && ibv_cmd_alloc_pd(context, pd, cmd, sizeof(cmd), &resp, sizeof(resp))) {
		free(pd);
		return NULL;
	}
	return pd;
}

static int dealloc_pd(struct ibv_pd *pd)
{
	const int err = ibv_cmd_dealloc_pd(pd);

	if (!err)
		free(pd);
	return err;
}

static struct ibv_cq *make_cq(struct ibv_context *context, int cqe,
			      struct ibv_comp_channel *channel, int vector)
{
	const struct ibv_cq_init_attr_ex attr = {
		.cqe = (uint32_t)cqe,
		.channel = channel,
		.comp_vector = (uint32_t)vector,
	};
	struct ib_uverbs_ex_create_cq_resp resp = {0};
	struct verbs_cq *cq = calloc(1, sizeof(*cq));
	int err;
#if ABI >= 59
	struct memory memory = {MADE_UP_LENGTH, (void *)MADE_UP_ADDRESS, 0};
	uint32_t flags = 2; /* an address; 4: a dma-buf */

	if (cqe == MADE_UP_IN_DMABUF) {
		memory = (struct memory){MADE_UP_LENGTH, (void *)MADE_UP_OFFSET, MADE_UP_FD};
		flags = 4;
	} else if (cqe == MADE_UP_IN_BOTH) {
		flags = 6;
	}
	err = ibv_cmd_create_cq_ex(context, &attr, cqe == MADE_UP_NOWHERE ? NULL : &memory, cq,
				   NULL, 0, &resp, sizeof(resp), flags);
#else
	err = ibv_cmd_create_cq_ex(context, &attr, cq, NULL, 0, &resp, sizeof(resp), 0);
#endif
	if (err) {
		free(cq);
		return NULL;
	}
	return &cq->cq;
}

static int destroy_cq(struct ibv_cq *cq)
{
	const int err = ibv_cmd_destroy_cq(cq);

	if (!err)
		free(cq);
	return err;
}

static struct ibv_qp *create_qp(struct ibv_pd *pd, struct ibv_qp_init_attr *attr)
{
	struct ibv_qp_init_attr_ex ex = {
		.qp_type = attr->qp_type,
		.send_cq = attr->send_cq,
		.recv_cq = attr->recv_cq,
		.cap = attr->cap,
		.comp_mask = IBV_QP_INIT_ATTR_PD,
		.pd = pd,
	};
	struct ib_uverbs_ex_create_qp_resp resp = {0};
	struct verbs_qp *qp = calloc(1, 1024);
	int err;
#if ABI >= 64
	struct {
		struct ibv_command_buffer buffer;
		struct ib_uverbs_attr attr;
	} link = {
		.buffer = {.next_attr = &link.attr + 1,
			   .last_attr = &link.attr + 1,
			   .uhw_in_idx = UINT8_MAX,
			   .uhw_out_idx = UINT8_MAX},
		.attr = {.attr_id = MADE_UP_QP_ATTR, .len = 8, .data = MADE_UP_ADDRESS},
	};

	err = ibv_cmd_create_qp_ex2(pd->context, qp, &ex, NULL, 0, &resp, sizeof(resp),
				    &link.buffer);
#else
	err = ibv_cmd_create_qp_ex2(pd->context, qp, &ex, NULL, 0, &resp, sizeof(resp));
#endif
	if (err) {
		free(qp);
		return NULL;
	}
	return &qp->qp;
}

static int destroy_qp(struct ibv_qp *qp)
{
	const int err = ibv_cmd_destroy_qp(qp);

	if (!err)
		free(qp);
	return err;
}

/* The object that a command fills, or NULL where it failed. */
static void *give_object(void *object, int err)
{
	if (!err)
		return object;
	free(object);
	errno = err;
	return NULL;
}

#if ABI >= 59
static struct ibv_dmah *alloc_dmah(struct ibv_context *context, struct ibv_dmah_init_attr *attr)
{
	struct verbs_dmah *dmah = calloc(1, sizeof(*dmah));

	return give_object(dmah, ibv_cmd_alloc_dmah(context, dmah, attr));
}

static int dealloc_dmah(struct ibv_dmah *dmah)
{
	const int err = ibv_cmd_free_dmah((struct verbs_dmah *)dmah);

	if (!err)
		free(dmah);
	return err;
}

static struct ibv_mr *reg_mr_ex(struct ibv_pd *pd, struct ibv_mr_init_attr *attr)
{
	struct verbs_mr *mr = calloc(1, sizeof(*mr));

	return give_object(mr, ibv_cmd_reg_mr_ex(pd, mr, attr));
}

static int dereg_mr(struct verbs_mr *mr)
{
	const int err = ibv_cmd_dereg_mr(mr);

	if (!err)
		free(mr);
	return err;
}
#endif

#if LAYOUT >= 62
static int dm_export_dmabuf_fd(struct ibv_dm *dm)
{
	return ibv_cmd_export_dmabuf_fd(dm->context, MADE_UP_OFFSET);
}
#endif

#if ABI >= 64
static void *alloc_buf(struct ibv_pd *pd, size_t size, struct ibv_buf **buf)
{
	struct ibv_buf *made = calloc(1, sizeof(*made) + size);

	/* Only in a confidential guest. */
	if (!made || ibv_dmabuf_heap_cc_shared_init())
		return NULL;
	*made = (struct ibv_buf){.addr = made + 1, .size = size, .pd = pd, .dmabuf_fd = -1};
	*buf = made;
	return made->addr;
}

static void free_buf(struct ibv_buf *buf)
{
	made_up_called = "free_buf";
	free(buf);
}
#endif

#if ABI >= 65
static struct ibv_comp_cntr *create_comp_cntr(struct ibv_context *context,
					      struct ibv_comp_cntr_init_attr *attr)
{
	struct ibv_comp_cntr *counter = calloc(1, sizeof(*counter));

	(void)attr;
	return give_object(counter, ibv_cmd_create_comp_cntr(context, counter, NULL));
}

static int destroy_comp_cntr(struct ibv_comp_cntr *counter)
{
	const int err = ibv_cmd_destroy_comp_cntr(counter);

	if (!err)
		free(counter);
	return err;
}
#endif

/* What calls the command at once is the command. */
static void fill_later(void)
{
#if ABI >= 59
	put(place_in_table("alloc_dmah"), (any_fn)alloc_dmah);
	put(place_in_table("dealloc_dmah"), (any_fn)dealloc_dmah);
	put(place_in_table("reg_mr_ex"), (any_fn)reg_mr_ex);
	put(place_in_table("dereg_mr"), (any_fn)dereg_mr);
#endif
#if LAYOUT >= 62
	put(place_in_table("dm_export_dmabuf_fd"), (any_fn)dm_export_dmabuf_fd);
	put(place_in_table("query_port_speed"), (any_fn)ibv_cmd_query_port_speed);
#endif
#if ABI >= 64
	put(place_in_table("alloc_buf"), (any_fn)alloc_buf);
	put(place_in_table("free_buf"), (any_fn)free_buf);
#endif
#if ABI >= 65
	put(place_in_table("create_comp_cntr"), (any_fn)create_comp_cntr);
	put(place_in_table("destroy_comp_cntr"), (any_fn)destroy_comp_cntr);
	put(place_in_table("set_comp_cntr"), (any_fn)ibv_cmd_set_comp_cntr);
	put(place_in_table("set_err_comp_cntr"), (any_fn)ibv_cmd_set_err_comp_cntr);
	put(place_in_table("inc_comp_cntr"), (any_fn)ibv_cmd_inc_comp_cntr);
	put(place_in_table("inc_err_comp_cntr"), (any_fn)ibv_cmd_inc_err_comp_cntr);
	put(place_in_table("read_comp_cntr"), (any_fn)ibv_cmd_read_comp_cntr);
	put(place_in_table("read_err_comp_cntr"), (any_fn)ibv_cmd_read_err_comp_cntr);
	put(place_in_table("qp_attach_comp_cntr"), (any_fn)ibv_cmd_qp_attach_comp_cntr);
	put(place_in_table("query_comp_cntr_caps"), (any_fn)ibv_cmd_query_comp_cntr_caps);
#endif
}

static void fill_table(void)
{
#define SLOT(release, op, offset) \
	if ((release) == LAYOUT)  \
		put(offset, (any_fn)op_##op);
#include "abi/private-next-layout.def"
#undef SLOT
	put(place_in_table("free_context"), (any_fn)free_context);
	put(place_in_table("alloc_pd"), (any_fn)alloc_pd);
	put(place_in_table("dealloc_pd"), (any_fn)dealloc_pd);
	put(place_in_table("create_cq"), (any_fn)make_cq);
	put(place_in_table("destroy_cq"), (any_fn)destroy_cq);
	put(place_in_table("create_qp"), (any_fn)create_qp);
	put(place_in_table("destroy_qp"), (any_fn)destroy_qp);
	fill_later();
}

static int get_their_context(struct their_context *theirs)
{
	struct {
		char core[16];
		char driver[MADE_UP_REQUEST];
	} cmd = {.driver = "request"};
	struct {
		struct ib_uverbs_get_context_resp core;
		char driver[MADE_UP_RESPONSE];
	} resp = {0};
#if ABI >= 57
	int numbers[] = {MADE_UP_FD, MADE_UP_FD + 1, MADE_UP_FD + 2};
	struct fds fds = {numbers, 3};

	return ibv_cmd_get_context(theirs, &cmd, sizeof(cmd), &fds, &resp, sizeof(resp));
#else
	return ibv_cmd_get_context(theirs, &cmd, sizeof(cmd), &resp, sizeof(resp));
#endif
}

static struct verbs_context *open_context(struct ibv_device *device, int fd)
{
	const size_t offset = before(device);
	struct their_context *theirs;
	char *object;

	object = _verbs_init_and_alloc_context(device, fd, offset + sizeof(*theirs) + 64,
					       (void *)offset, 0);
	if (!object)
		return NULL;
	theirs = (struct their_context *)(void *)(object + offset);
	if (get_their_context(theirs)) {
		verbs_uninit_context(theirs);
		free(object);
		return NULL;
	}
	verbs_set_ops(theirs, table);
	return (struct verbs_context *)(void *)theirs;
}

static struct verbs_context *alloc_context(struct ibv_device *device, int fd, void *data)
{
	(void)data;
	return open_context(device, fd);
}

static struct verbs_device *alloc_device(struct verbs_sysfs_dev *sysfs)
{
	(void)sysfs;
	return calloc(1, sizeof(struct verbs_device));
}

static void uninit_device(struct verbs_device *device)
{
	free(device);
}

static const struct verbs_match_ent matches[] = {
	{.u.modalias = "rdma_device:Nmade" STR(RELEASE) "_[0-9]*", .kind = HF_MATCH_MODALIAS},
	{0},
};

static const struct verbs_device_ops ops = {
	.name = "made" STR(RELEASE),
	.match_max_abi_version = 9,
	.match_table = matches,
	.alloc_device = alloc_device,
	.uninit_device = uninit_device,
	.alloc_context = alloc_context,
	.import_context = open_context,
};

static __attribute__((constructor)) void register_made_up(void)
{
	fill_table();
	CAT(verbs_register_driver_, ABI)(&ops);
#ifdef ALSO
	CAT(verbs_register_driver_, ALSO)(&ops);
#endif
}
