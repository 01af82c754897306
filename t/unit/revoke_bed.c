/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A revocable context of a generated device, with the test as its provider. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "core/device/hf.h"
#include "core/verbs/operations.h"
#include "t/lib/hang.h"
#include "t/unit/revoke_bed.h"

static struct bed *bed_now;

int real_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
{
	(void)qp;
	for (; wr; wr = wr->next) {
		if (wr->wr_id == 66666) {
			*bad = wr;
			return ENOMEM;
		}
		bed_now->posted++;
	}
	return 0;
}

static int real_post_recv(struct ibv_qp *qp, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	(void)qp;
	(void)bad;
	for (; wr; wr = wr->next)
		bed_now->posted++;
	return 0;
}

static int real_post_srq_recv(struct ibv_srq *srq, struct ibv_recv_wr *wr, struct ibv_recv_wr **bad)
{
	(void)srq;
	(void)bad;
	for (; wr; wr = wr->next)
		bed_now->posted++;
	return 0;
}

int real_poll_cq(struct ibv_cq *cq, int want, struct ibv_wc *wc)
{
	int got = 0;

	(void)cq;
	while (bed_now->first < bed_now->count && got < want)
		wc[got++] = bed_now->done[bed_now->first++];
	return got;
}

static int real_req_notify_cq(struct ibv_cq *cq, int solicited_only)
{
	(void)cq;
	(void)solicited_only;
	return 0;
}

static int real_modify_qp(struct ibv_qp *qp, struct ibv_qp_attr *attr, int mask)
{
	(void)qp;
	(void)attr;
	(void)mask;
	return 0;
}

static int real_destroy_qp(struct ibv_qp *qp)
{
	(void)qp;
	bed_now->destroyed++;
	return 0;
}

static int real_destroy_srq(struct ibv_srq *srq)
{
	(void)srq;
	bed_now->destroyed++;
	return 0;
}

/* Objects with per-call operations: one QP, one CQ, and the list above as its completions. */
struct verbs_qp ex_qp;
static struct verbs_cq ex_cq;
int wr_depth, poll_depth;

void real_wr_start(struct ibv_qp_ex *qp)
{
	(void)qp;
	wr_depth++;
}

static int real_wr_complete(struct ibv_qp_ex *qp)
{
	(void)qp;
	wr_depth--;
	return 0;
}

static void real_wr_abort(struct ibv_qp_ex *qp)
{
	(void)qp;
	wr_depth--;
}

void real_wr_send(struct ibv_qp_ex *qp)
{
	(void)qp;
	bed_now->posted++;
}

void real_wr_atomic_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr, const void *value)
{
	(void)qp;
	(void)rkey;
	(void)addr;
	(void)value;
	bed_now->posted++;
}

static struct ibv_qp *real_create_qp_ex(struct ibv_context *context,
					struct ibv_qp_init_attr_ex *attr)
{
	memset(&ex_qp, 0, sizeof(ex_qp));
	ex_qp.qp.context = context;
	ex_qp.qp.send_cq = attr->send_cq;
	ex_qp.qp.recv_cq = attr->recv_cq;
	ex_qp.qp.qp_num = 17;
	ex_qp.comp_mask = VERBS_QP_EX;
	ex_qp.qp_ex.wr_start = real_wr_start;
	ex_qp.qp_ex.wr_complete = real_wr_complete;
	ex_qp.qp_ex.wr_abort = real_wr_abort;
	ex_qp.qp_ex.wr_send = real_wr_send;
	/* Older providers have the mask there. */
	if (hfi_uverbs_of(context)->qp_mask_offset == AT_43)
		memcpy((char *)&ex_qp + AT_43, &(uint64_t){VERBS_QP_EX}, sizeof(uint64_t));
	else
		ex_qp.qp_ex.wr_atomic_write = real_wr_atomic_write;
	return &ex_qp.qp;
}

static int real_next_poll(struct ibv_cq_ex *cq)
{
	if (bed_now->first == bed_now->count)
		return ENOENT;
	cq->wr_id = bed_now->done[bed_now->first].wr_id;
	cq->status = bed_now->done[bed_now->first++].status;
	return 0;
}

int real_start_poll(struct ibv_cq_ex *cq, struct ibv_poll_cq_attr *attr)
{
	int err = real_next_poll(cq);

	(void)attr;
	poll_depth += !err;
	return err;
}

static void real_end_poll(struct ibv_cq_ex *cq)
{
	(void)cq;
	poll_depth--;
}

static enum ibv_wc_opcode real_read_opcode(struct ibv_cq_ex *cq)
{
	(void)cq;
	return bed_now->done[bed_now->first - 1].opcode;
}

static uint32_t real_read_qp_num(struct ibv_cq_ex *cq)
{
	(void)cq;
	return 17;
}

static struct ibv_cq_ex *real_create_cq_ex(struct ibv_context *context,
					   struct ibv_cq_init_attr_ex *attr)
{
	memset(&ex_cq, 0, sizeof(ex_cq));
	ex_cq.cq_ex.context = context;
	ex_cq.cq_ex.start_poll = real_start_poll;
	ex_cq.cq_ex.next_poll = real_next_poll;
	ex_cq.cq_ex.end_poll = real_end_poll;
	ex_cq.cq_ex.read_opcode = real_read_opcode;
	ex_cq.cq_ex.read_qp_num = attr->wc_flags & IBV_WC_EX_WITH_QP_NUM ? real_read_qp_num : NULL;
	return &ex_cq.cq_ex;
}

static int real_destroy_cq(struct ibv_cq *cq)
{
	(void)cq;
	bed_now->destroyed++;
	return 0;
}

static const struct verbs_context_ops real = {
	.create_qp_ex = real_create_qp_ex,
	.create_cq_ex = real_create_cq_ex,
	.destroy_cq = real_destroy_cq,
	.post_send = real_post_send,
	.post_recv = real_post_recv,
	.post_srq_recv = real_post_srq_recv,
	.poll_cq = real_poll_cq,
	.req_notify_cq = real_req_notify_cq,
	.modify_qp = real_modify_qp,
	.destroy_qp = real_destroy_qp,
	.destroy_srq = real_destroy_srq,
};

static void bed_free_context(struct ibv_context *context)
{
	hf_provider_context_uninit(hfi_context_of(context));
	free(hfi_context_of(context));
}

/* Opens like ibv_open_device(), with this test as the provider. */
struct ibv_context *bed_open_context(struct bed *bed)
{
	const struct verbs_context_ops free_only = {.free_context = bed_free_context};
	struct verbs_context *context;
	struct ibv_device *device;

	assert_int_equal(hf_device_by_name(bed->hf, "fake0", &device), 0);
	context = hf_provider_context_alloc(device, open("/dev/null", O_RDWR | O_CLOEXEC),
					    sizeof(*context), 0, 0);
	assert_non_null(context);
	hfi_operations_set(context, &free_only);
	hf_provider_set_ops(context, &real);
	context->context.async_fd = fcntl(bed->kernel[1], F_DUPFD_CLOEXEC, 0);
	assert_int_equal(hfi_context_prepare(context), 0);
	hf_device_unref(device);
	return &context->context;
}

static int setup_with(void **state, const char *revoke)
{
	static const char *const no_dirs[1] = {NULL};
	struct bed *bed = calloc(1, sizeof(*bed));
	struct hf_root root;
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = no_dirs,
	};

	bed_now = bed;
	assert_int_equal(tree_new(&bed->tree, NULL), 0);
	root = (struct hf_root){.sysfs = tree_sysfs(bed->tree), .dev = tree_dev(bed->tree)};
	assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, bed->kernel), 0);
	setenv("HOLDFAST_REVOKE", revoke, 1);
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	unsetenv("HOLDFAST_REVOKE");
	bed->context = bed_open_context(bed);
	bed->send_cq.context = bed->context;
	bed->recv_cq.context = bed->context;
	bed->srq.context = bed->context;
	bed->qp = (struct ibv_qp){
		.context = bed->context,
		.send_cq = &bed->send_cq,
		.recv_cq = &bed->recv_cq,
		.qp_num = 17,
	};
	*state = bed;
	return 0;
}

int bed_setup(void **state)
{
	return setup_with(state, "1");
}

int bed_setup_off(void **state)
{
	return setup_with(state, "0");
}

int bed_teardown(void **state)
{
	struct bed *bed = *state;

	if (bed->context)
		assert_int_equal(hf_device_close(bed->context), 0);
	close(bed->kernel[0]);
	close(bed->kernel[1]);
	hf_unref(bed->hf);
	tree_free(bed->tree);
	free(bed);
	return 0;
}

int bed_post_send(struct bed *bed, uint64_t id)
{
	struct ibv_send_wr wr = {.wr_id = id}, *bad = NULL;
	int err = ibv_post_send(&bed->qp, &wr, &bad);

	assert_true(!err || bad == &wr);
	return err;
}

int bed_post_recv(struct bed *bed, uint64_t id)
{
	struct ibv_recv_wr wr = {.wr_id = id}, *bad = NULL;
	int err = ibv_post_recv(&bed->qp, &wr, &bad);

	assert_true(!err || bad == &wr);
	return err;
}

int bed_post_srq_recv(struct bed *bed, uint64_t id)
{
	struct ibv_recv_wr wr = {.wr_id = id}, *bad = NULL;
	int err = ibv_post_srq_recv(&bed->srq, &wr, &bad);

	assert_true(!err || bad == &wr);
	return err;
}

void bed_complete(struct bed *bed, uint64_t id, enum ibv_wc_opcode opcode,
		  enum ibv_wc_status status)
{
	bed->done[bed->count++] = (struct ibv_wc){
		.wr_id = id,
		.opcode = opcode,
		.status = status,
		.qp_num = bed->qp.qp_num,
	};
}

void bed_expect(struct ibv_cq *cq, uint64_t id, enum ibv_wc_status status)
{
	struct ibv_wc wc = {0};

	assert_int_equal(ibv_poll_cq(cq, 1, &wc), 1);
	assert_int_equal(wc.wr_id, id);
	assert_int_equal(wc.status, status);
	assert_int_equal(wc.qp_num, 17);
}

void bed_expect_nothing(struct ibv_cq *cq)
{
	struct ibv_wc wc;

	assert_int_equal(ibv_poll_cq(cq, 1, &wc), 0);
}

bool bed_is_revoked(const struct bed *bed)
{
	return atomic_load(&hfi_context_of(bed->context)->priv->uverbs.dead);
}

enum hf_revoke_state bed_revoke_state(struct bed *bed)
{
	enum hf_revoke_state state;

	pthread_mutex_lock(&bed->hf->revoke_lock);
	state = hfi_context_of(bed->context)->priv->revocable->state;
	pthread_mutex_unlock(&bed->hf->revoke_lock);
	return state;
}

/* The context is marked dead first; right after that its descriptors are replaced. */
void bed_wait_revoked(struct bed *bed)
{
	for (int i = 0; i < HF_TEST_HANG_MS && bed_revoke_state(bed) != HF_REVOKE_DONE; i++)
		usleep(1000);
}

void bed_unplug(struct bed *bed)
{
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	bed_wait_revoked(bed);
	assert_int_equal(bed_revoke_state(bed), HF_REVOKE_DONE);
	assert_true(bed_is_revoked(bed));
}

bool is_end_of_file(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

void *wait_for_fatal(void *arg)
{
	struct ibv_async_event event;

	return ibv_get_async_event(arg, &event) == 0 && event.event_type == IBV_EVENT_DEVICE_FATAL
		       ? arg
		       : NULL;
}
