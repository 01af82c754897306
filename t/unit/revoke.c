/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Letting go of a device that was removed: of a file's descriptors and mappings, with a memfd in the
 * place of the kernel's node, and of a context whose queues are lists in this test.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "core/base/attr.h"
#include "core/device/hf.h"
#include "core/device/turn.h"
#include "core/verbs/context.h"
#include "core/verbs/detach.h"
#include "core/verbs/operations.h"
#include "core/verbs/revoke.h"
#include "core/verbs/track.h"
#include "t/lib/tree.h"

enum { SOON_MS = 20000 };

/* --- The file ----------------------------------------------------------------------------------- */

static int dead_fd(void)
{
	int fds[2];

	assert_int_equal(pipe2(fds, O_CLOEXEC), 0);
	close(fds[1]);
	return fds[0];
}

static int new_file(size_t size)
{
	int fd = memfd_create("uverbs0", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(ftruncate(fd, (off_t)size), 0);
	return fd;
}

static bool is_end_of_file(int fd)
{
	char byte;

	return read(fd, &byte, 1) == 0;
}

static void a_file_is_let_go(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int fd = new_file(4 * page), other = new_file(4 * page);
	int twin = fcntl(fd, F_DUPFD_CLOEXEC, 0), heir = dup(fd), dead = dead_fd();
	struct stat file, kept, now;
	char *shared, *reading, *doorbell, *foreign;

	(void)state;
	shared = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	reading = mmap(NULL, page, PROT_READ, MAP_SHARED, fd, (off_t)page);
	doorbell = mmap(NULL, page, PROT_WRITE, MAP_SHARED, fd, 0);
	foreign = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, other, 0);
	assert_true(shared != MAP_FAILED && reading != MAP_FAILED && doorbell != MAP_FAILED &&
		    foreign != MAP_FAILED);
	strcpy(shared, "a queue");
	strcpy(shared + page, "its other page");
	strcpy(foreign, "another's");
	assert_int_equal(fstat(fd, &file), 0);
	assert_int_equal(fstat(other, &kept), 0);

	assert_int_equal(hf_detach_file(&file, dead), 3 + 3);
	assert_true(is_end_of_file(fd) && is_end_of_file(twin) && is_end_of_file(heir));
	assert_int_equal(fcntl(twin, F_GETFD), FD_CLOEXEC);
	assert_int_equal(fcntl(heir, F_GETFD), 0);
	/* What was there is there, and no longer shared with anybody. */
	assert_string_equal(shared, "a queue");
	assert_string_equal(shared + page, "its other page");
	assert_string_equal(reading, "its other page");
	strcpy(shared + page, "mine now");
	assert_string_equal(reading, "its other page");
	doorbell[8] = 1;

	assert_int_equal(fstat(other, &now), 0);
	assert_int_equal(now.st_ino, kept.st_ino);
	strcpy(foreign, "still shared");
	char *again = mmap(NULL, page, PROT_READ, MAP_SHARED, other, 0);

	assert_string_equal(again, "still shared");
	/* Nothing of it is left in this process. */
	assert_int_equal(hf_detach_file(&file, dead), 0);
	munmap(shared, 2 * page);
	munmap(reading, page);
	munmap(doorbell, page);
	munmap(foreign, page);
	munmap(again, page);
	close(fd);
	close(twin);
	close(heir);
	close(other);
	close(dead);
}

struct spinner {
	const volatile unsigned char *at;
	atomic_bool stop;
	atomic_ulong rounds;
	unsigned long wrong;
};

static void *spin(void *arg)
{
	struct spinner *spinner = arg;

	while (!atomic_load(&spinner->stop)) {
		spinner->wrong += *spinner->at != 0x5a;
		atomic_fetch_add(&spinner->rounds, 1);
	}
	return NULL;
}

/* The thread is at work, also on a busy machine. */
static void wait_for_rounds(struct spinner *spinner)
{
	unsigned long before = atomic_load(&spinner->rounds);

	while (atomic_load(&spinner->rounds) < before + 100)
		usleep(100);
}

static void a_thread_that_polls_sees_nothing_change(void **state)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	int dead = dead_fd();

	(void)state;
	for (int round = 0; round < 20; round++) {
		int fd = new_file(page);
		struct spinner spinner = {0};
		struct stat file;
		pthread_t thread;
		unsigned char *map;

		map = mmap(NULL, page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert_true(map != MAP_FAILED);
		memset(map, 0x5a, page);
		assert_int_equal(fstat(fd, &file), 0);
		spinner.at = map + page / 2;
		assert_int_equal(pthread_create(&thread, NULL, spin, &spinner), 0);
		wait_for_rounds(&spinner);
		assert_int_equal(hf_detach_file(&file, dead), 2);
		wait_for_rounds(&spinner);
		atomic_store(&spinner.stop, true);
		pthread_join(thread, NULL);
		assert_int_equal(spinner.wrong, 0);
		munmap(map, page);
		close(fd);
	}
	close(dead);
}

/* --- The context -------------------------------------------------------------------------------- */

struct bed {
	struct tree *tree;
	struct hf *hf;
	struct ibv_context *context;
	struct ibv_cq send_cq, recv_cq;
	struct ibv_qp qp;
	struct ibv_srq srq;
	struct ibv_wc done[16]; /* what the provider will say is complete */
	int first, count, posted, destroyed;
	int kernel[2];
	atomic_bool stop, in_turn;
};

static struct bed *bed_now;

static int real_post_send(struct ibv_qp *qp, struct ibv_send_wr *wr, struct ibv_send_wr **bad)
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

static int real_poll_cq(struct ibv_cq *cq, int want, struct ibv_wc *wc)
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

/* Objects with single calls: one QP, one CQ, and the list above for what is complete. */
static struct verbs_qp ex_qp;
static struct verbs_cq ex_cq;
static int wr_depth, poll_depth;

static void real_wr_start(struct ibv_qp_ex *qp)
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

static void real_wr_send(struct ibv_qp_ex *qp)
{
	(void)qp;
	bed_now->posted++;
}

enum { AT_43 = offsetof(struct ibv_qp_ex, wr_atomic_write) };

static void real_wr_atomic_write(struct ibv_qp_ex *qp, uint32_t rkey, uint64_t addr,
				 const void *value)
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
	/* An object of an older provider has its mask there. */
	if (hf_uverbs_of(context)->qp_mask_offset == AT_43)
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

static int real_start_poll(struct ibv_cq_ex *cq, struct ibv_poll_cq_attr *attr)
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

static void free_context(struct ibv_context *context)
{
	hf_provider_context_uninit(hf_context_of(context));
	free(hf_context_of(context));
}

/* The way ibv_open_device() goes, with this test as the provider. */
static struct ibv_context *open_context(struct bed *bed)
{
	const struct verbs_context_ops free_only = {.free_context = free_context};
	struct verbs_context *context;
	struct ibv_device *device;

	assert_int_equal(hf_device_by_name(bed->hf, "fake0", &device), 0);
	context = hf_provider_context_alloc(device, open("/dev/null", O_RDWR | O_CLOEXEC),
					    sizeof(*context), 0, 0);
	assert_non_null(context);
	hf_operations_set(context, &free_only);
	hf_provider_set_ops(context, &real);
	context->context.async_fd = fcntl(bed->kernel[1], F_DUPFD_CLOEXEC, 0);
	assert_int_equal(hf_context_prepare(context), 0);
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
	root = (struct hf_root){tree_sysfs(bed->tree), tree_dev(bed->tree)};
	assert_int_equal(tree_add(bed->tree, 0, "fake0", NULL), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, bed->kernel), 0);
	setenv("HOLDFAST_REVOKE", revoke, 1);
	assert_int_equal(hf_new(&options, &bed->hf), 0);
	unsetenv("HOLDFAST_REVOKE");
	bed->context = open_context(bed);
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

static int setup(void **state)
{
	return setup_with(state, "1");
}

static int setup_off(void **state)
{
	return setup_with(state, "0");
}

static int teardown(void **state)
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

static int post_send(struct bed *bed, uint64_t id)
{
	struct ibv_send_wr wr = {.wr_id = id}, *bad = NULL;
	int err = ibv_post_send(&bed->qp, &wr, &bad);

	assert_true(!err || bad == &wr);
	return err;
}

static int post_recv(struct bed *bed, uint64_t id)
{
	struct ibv_recv_wr wr = {.wr_id = id}, *bad = NULL;
	int err = ibv_post_recv(&bed->qp, &wr, &bad);

	assert_true(!err || bad == &wr);
	return err;
}

static int post_srq_recv(struct bed *bed, uint64_t id)
{
	struct ibv_recv_wr wr = {.wr_id = id}, *bad = NULL;
	int err = ibv_post_srq_recv(&bed->srq, &wr, &bad);

	assert_true(!err || bad == &wr);
	return err;
}

static void complete(struct bed *bed, uint64_t id, enum ibv_wc_opcode opcode,
		     enum ibv_wc_status status)
{
	bed->done[bed->count++] = (struct ibv_wc){
		.wr_id = id,
		.opcode = opcode,
		.status = status,
		.qp_num = bed->qp.qp_num,
	};
}

static void expect(struct ibv_cq *cq, uint64_t id, enum ibv_wc_status status)
{
	struct ibv_wc wc = {0};

	assert_int_equal(ibv_poll_cq(cq, 1, &wc), 1);
	assert_int_equal(wc.wr_id, id);
	assert_int_equal(wc.status, status);
	assert_int_equal(wc.qp_num, 17);
}

static void expect_nothing(struct ibv_cq *cq)
{
	struct ibv_wc wc;

	assert_int_equal(ibv_poll_cq(cq, 1, &wc), 0);
}

static bool is_revoked(const struct bed *bed)
{
	return atomic_load(&hf_context_of(bed->context)->priv->uverbs.dead);
}

static void unplug(struct bed *bed)
{
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	for (int i = 0; i < SOON_MS && !is_revoked(bed); i++)
		usleep(1000);
	assert_true(is_revoked(bed));
	/* Dead comes first, the rest right after it. */
	pthread_mutex_lock(&bed->hf->revoke_lock);
	assert_int_equal(hf_context_of(bed->context)->priv->revocable->state, HF_REVOKE_DONE);
	pthread_mutex_unlock(&bed->hf->revoke_lock);
}

static void what_is_outstanding_is_flushed(void **state)
{
	struct bed *bed = *state;

	/* 1 asks for no completion and is done with 2; 66666 is refused. */
	for (uint64_t id = 1; id <= 4; id++)
		assert_int_equal(post_send(bed, id), 0);
	assert_int_equal(post_send(bed, 66666), ENOMEM);
	for (uint64_t id = 101; id <= 103; id++)
		assert_int_equal(post_recv(bed, id), 0);
	complete(bed, 2, IBV_WC_SEND, IBV_WC_SUCCESS);
	expect(&bed->send_cq, 2, IBV_WC_SUCCESS);
	complete(bed, 101, IBV_WC_RECV, IBV_WC_SUCCESS);
	expect(&bed->recv_cq, 101, IBV_WC_SUCCESS);
	/* Complete, but not polled yet when the device goes. */
	complete(bed, 3, IBV_WC_SEND, IBV_WC_SUCCESS);
	unplug(bed);
	assert_int_equal(post_send(bed, 5), EIO);
	assert_int_equal(post_recv(bed, 105), EIO);
	assert_int_equal(ibv_req_notify_cq(&bed->send_cq, 0), EIO);
	assert_int_equal(bed->posted, 7);
	expect(&bed->send_cq, 3, IBV_WC_SUCCESS);
	expect(&bed->send_cq, 4, IBV_WC_WR_FLUSH_ERR);
	expect_nothing(&bed->send_cq);
	expect(&bed->recv_cq, 102, IBV_WC_WR_FLUSH_ERR);
	expect(&bed->recv_cq, 103, IBV_WC_WR_FLUSH_ERR);
	expect_nothing(&bed->recv_cq);
}

static void after_an_error_the_number_decides(void **state)
{
	struct bed *bed = *state;

	for (uint64_t id = 1; id <= 3; id++)
		assert_int_equal(post_send(bed, id), 0);
	assert_int_equal(post_recv(bed, 101), 0);
	assert_int_equal(post_recv(bed, 102), 0);
	/* Of a failed completion the opcode says nothing. */
	complete(bed, 1, IBV_WC_RECV, IBV_WC_RETRY_EXC_ERR);
	complete(bed, 101, IBV_WC_SEND, IBV_WC_WR_FLUSH_ERR);
	expect(&bed->send_cq, 1, IBV_WC_RETRY_EXC_ERR);
	expect(&bed->send_cq, 101, IBV_WC_WR_FLUSH_ERR);
	unplug(bed);
	expect(&bed->send_cq, 2, IBV_WC_WR_FLUSH_ERR);
	expect(&bed->send_cq, 3, IBV_WC_WR_FLUSH_ERR);
	expect_nothing(&bed->send_cq);
	expect(&bed->recv_cq, 102, IBV_WC_WR_FLUSH_ERR);
	expect_nothing(&bed->recv_cq);
}

static void a_shared_queue_is_flushed(void **state)
{
	struct bed *bed = *state;

	bed->qp.srq = &bed->srq;
	assert_int_equal(post_send(bed, 1), 0);
	for (uint64_t id = 201; id <= 204; id++)
		assert_int_equal(post_srq_recv(bed, id), 0);
	/* Such requests complete in any order. */
	complete(bed, 202, IBV_WC_RECV, IBV_WC_SUCCESS);
	expect(&bed->recv_cq, 202, IBV_WC_SUCCESS);
	unplug(bed);
	assert_int_equal(post_srq_recv(bed, 205), EIO);
	expect(&bed->recv_cq, 201, IBV_WC_WR_FLUSH_ERR);
	expect(&bed->recv_cq, 203, IBV_WC_WR_FLUSH_ERR);
	expect(&bed->recv_cq, 204, IBV_WC_WR_FLUSH_ERR);
	expect_nothing(&bed->recv_cq);
	expect(&bed->send_cq, 1, IBV_WC_WR_FLUSH_ERR);
}

static void a_reset_or_destroyed_qp_owes_nothing(void **state)
{
	struct bed *bed = *state;
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};

	assert_int_equal(post_send(bed, 1), 0);
	assert_int_equal(ibv_modify_qp(&bed->qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(post_send(bed, 2), 0);
	assert_int_equal(post_recv(bed, 102), 0);
	unplug(bed);
	expect(&bed->send_cq, 2, IBV_WC_WR_FLUSH_ERR);
	expect_nothing(&bed->send_cq);
	assert_int_equal(ibv_destroy_qp(&bed->qp), 0);
	assert_int_equal(bed->destroyed, 1);
	expect_nothing(&bed->recv_cq);
	assert_int_equal(ibv_destroy_srq(&bed->srq), 0);
	assert_int_equal(bed->destroyed, 2);
}

static void many_requests_are_kept_in_order(void **state)
{
	enum { MANY = 1000 };
	struct bed *bed = *state;
	struct ibv_wc wc[7];
	uint64_t want = MANY / 2 + 1;
	int got;

	for (uint64_t id = 1; id <= MANY / 2; id++)
		assert_int_equal(post_send(bed, id), 0);
	complete(bed, MANY / 2, IBV_WC_SEND, IBV_WC_SUCCESS);
	expect(&bed->send_cq, MANY / 2, IBV_WC_SUCCESS);
	for (uint64_t id = MANY / 2 + 1; id <= MANY; id++)
		assert_int_equal(post_send(bed, id), 0);
	unplug(bed);
	while ((got = ibv_poll_cq(&bed->send_cq, 7, wc)) > 0)
		for (int i = 0; i < got; i++)
			assert_int_equal(wc[i].wr_id, want++);
	assert_int_equal(got, 0);
	assert_int_equal(want, MANY + 1);
}

static int wr_post(struct ibv_qp_ex *qp, uint64_t first, uint64_t last)
{
	ibv_wr_start(qp);
	for (qp->wr_id = first; qp->wr_id <= last; qp->wr_id++)
		ibv_wr_send(qp);
	return ibv_wr_complete(qp);
}

static void single_calls_are_flushed(void **state)
{
	struct bed *bed = *state;
	struct ibv_cq_init_attr_ex cq_attr = {.cqe = 5};
	struct ibv_poll_cq_attr poll_attr = {0};
	struct ibv_qp_init_attr_ex qp_attr = {.comp_mask = IBV_QP_INIT_ATTR_SEND_OPS_FLAGS};
	struct ibv_cq_ex *cq = ibv_create_cq_ex(bed->context, &cq_attr);
	struct ibv_qp_ex *qp;
	struct ibv_qp *base;

	assert_non_null(cq);
	assert_int_equal(cq_attr.wc_flags, 0);
	qp_attr.send_cq = ibv_cq_ex_to_cq(cq);
	qp_attr.recv_cq = &bed->recv_cq;
	base = ibv_create_qp_ex(bed->context, &qp_attr);
	assert_non_null(base);
	qp = ibv_qp_to_qp_ex(base);
	assert_int_equal(wr_post(qp, 1, 4), 0);
	ibv_wr_start(qp);
	qp->wr_id = 99;
	ibv_wr_send(qp);
	ibv_wr_abort(qp);
	assert_int_equal(ibv_start_poll(cq, &poll_attr), ENOENT);
	complete(bed, 1, IBV_WC_SEND, IBV_WC_SUCCESS);
	assert_int_equal(ibv_start_poll(cq, &poll_attr), 0);
	assert_int_equal(cq->wr_id, 1);
	assert_int_equal(ibv_next_poll(cq), ENOENT);
	ibv_end_poll(cq);
	complete(bed, 2, IBV_WC_SEND, IBV_WC_SUCCESS);
	unplug(bed);
	assert_int_equal(wr_post(qp, 5, 5), EIO);
	assert_int_equal(wr_depth, 0);
	/* What had completed, and in the same round what is flushed. */
	assert_int_equal(ibv_start_poll(cq, &poll_attr), 0);
	assert_int_equal(cq->wr_id, 2);
	assert_int_equal(cq->status, IBV_WC_SUCCESS);
	assert_int_equal(ibv_next_poll(cq), 0);
	assert_int_equal(cq->wr_id, 3);
	assert_int_equal(cq->status, IBV_WC_WR_FLUSH_ERR);
	assert_int_equal(ibv_wc_read_qp_num(cq), 17);
	ibv_end_poll(cq);
	assert_int_equal(ibv_start_poll(cq, &poll_attr), 0);
	assert_int_equal(cq->wr_id, 4);
	assert_int_equal(cq->status, IBV_WC_WR_FLUSH_ERR);
	assert_int_equal(ibv_wc_read_opcode(cq), IBV_WC_SEND);
	assert_int_equal(ibv_next_poll(cq), ENOENT);
	ibv_end_poll(cq);
	assert_int_equal(poll_depth, 0);
	assert_int_equal(ibv_start_poll(cq, &poll_attr), ENOENT);
	assert_int_equal(ibv_destroy_qp(base), 0);
	assert_int_equal(ibv_destroy_cq(ibv_cq_ex_to_cq(cq)), 0);
	assert_ptr_equal(qp->wr_start, real_wr_start);
	assert_ptr_equal(cq->start_poll, real_start_poll);
}

static void an_atomic_write_is_flushed(void **state)
{
	struct bed *bed = *state;
	struct ibv_qp_init_attr_ex attr = {
		.comp_mask = IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.send_cq = &bed->send_cq,
		.recv_cq = &bed->recv_cq,
	};
	const uint64_t value = 0, mask = VERBS_QP_EX;
	struct ibv_qp_ex *qp;
	struct ibv_qp *base;
	struct ibv_wc wc;

	/* Where the provider's objects have no such call, what lies in its place is left alone. */
	hf_uverbs_of(bed->context)->qp_mask_offset = AT_43;
	base = ibv_create_qp_ex(bed->context, &attr);
	assert_ptr_equal(ibv_qp_to_qp_ex(base), &ex_qp.qp_ex);
	assert_ptr_not_equal(ex_qp.qp_ex.wr_send, real_wr_send);
	assert_memory_equal((char *)&ex_qp + AT_43, &mask, sizeof(mask));
	assert_int_equal(ibv_destroy_qp(base), 0);
	assert_memory_equal((char *)&ex_qp + AT_43, &mask, sizeof(mask));
	hf_uverbs_of(bed->context)->qp_mask_offset = offsetof(struct verbs_qp, comp_mask);

	base = ibv_create_qp_ex(bed->context, &attr);
	assert_non_null(base);
	qp = ibv_qp_to_qp_ex(base);
	ibv_wr_start(qp);
	qp->wr_id = 55;
	ibv_wr_atomic_write(qp, 1, 2, &value);
	assert_int_equal(ibv_wr_complete(qp), 0);
	unplug(bed);
	assert_int_equal(ibv_poll_cq(&bed->send_cq, 1, &wc), 1);
	assert_int_equal(wc.wr_id, 55);
	assert_int_equal(wc.status, IBV_WC_WR_FLUSH_ERR);
	assert_int_equal(ibv_destroy_qp(base), 0);
	assert_ptr_equal(ex_qp.qp_ex.wr_atomic_write, real_wr_atomic_write);
}

static void *wait_blocked(void *arg)
{
	struct ibv_async_event event;

	return ibv_get_async_event(arg, &event) == 0 && event.event_type == IBV_EVENT_DEVICE_FATAL
		       ? arg
		       : NULL;
}

static void nothing_of_the_kernels_is_left(void **state)
{
	struct bed *bed = *state;
	struct verbs_ex_private *private = hf_context_of(bed->context)->priv;
	struct ibv_async_event event;
	void *told = NULL;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wait_blocked, bed->context), 0);
	unplug(bed);
	assert_int_equal(pthread_join(thread, &told), 0);
	assert_ptr_equal(told, bed->context);
	assert_true(is_end_of_file(bed->context->cmd_fd));
	assert_true(is_end_of_file(private->async.kernel_fd));
	/* The last of the kernel's event file is what this test holds itself. */
	close(bed->kernel[1]);
	assert_int_equal(send(bed->kernel[0], "", 1, MSG_NOSIGNAL), -1);
	bed->kernel[1] = -1;
	assert_int_equal(ibv_get_async_event(bed->context, &event), -1);
	assert_int_equal(errno, EIO);
}

static int put_under(int fd, const char *name)
{
	int file = memfd_create(name, MFD_CLOEXEC);

	assert_true(file >= 0);
	assert_int_equal(write(file, name, strlen(name)), strlen(name));
	assert_int_equal(dup2(file, fd), fd);
	return file;
}

/* As a daemon that closes every descriptor it does not know, and opens its own. */
static void a_number_that_is_anothers_by_now_is_left_alone(void **state)
{
	struct bed *bed = *state;
	const int numbers[] = {
		bed->context->cmd_fd,
		hf_context_of(bed->context)->priv->async.kernel_fd,
	};
	int files[HF_ARRAY_SIZE(numbers)];
	struct stat file, now;

	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++)
		files[i] = put_under(numbers[i], "a file of the program's");
	unplug(bed);
	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++) {
		assert_int_equal(fstat(files[i], &file), 0);
		assert_int_equal(fstat(numbers[i], &now), 0);
		print_message("descriptor %d: inode %lu, wanted %lu\n", numbers[i],
			      (unsigned long)now.st_ino, (unsigned long)file.st_ino);
		assert_int_equal(now.st_ino, file.st_ino);
		close(files[i]);
	}
}

static int64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

static void who_closes_in_time_is_left_alone(void **state)
{
	struct bed *bed = *state;
	int64_t since = now_ms();

	assert_int_equal(tree_remove(bed->tree, 0), 0);
	usleep(HF_REVOKE_GRACE_MS * 1000 / 4);
	if (is_revoked(bed) && now_ms() - since >= HF_REVOKE_GRACE_MS) {
		print_message("skipped: the machine is too busy to close in time\n");
		skip();
	}
	assert_false(is_revoked(bed));
	assert_int_equal(hf_device_close(bed->context), 0);
	bed->context = NULL;
	usleep(HF_REVOKE_GRACE_MS * 2000);
}

static void switched_off_nothing_is_revoked(void **state)
{
	struct bed *bed = *state;

	assert_null(bed->hf->revoker);
	/* Nor is there anything between the program and the provider. */
	assert_ptr_equal(bed->context->ops.poll_cq, real_poll_cq);
	assert_ptr_equal(bed->context->ops.post_send, real_post_send);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	usleep(HF_REVOKE_GRACE_MS * 3000);
	assert_false(is_revoked(bed));
	assert_int_equal(post_send(bed, 1), 0);
}

/*
 * In a child, what the watcher held is lost at an exit, which a leak checker would say: so it reports
 * and ends by a signal.
 */
static pid_t start_child(struct bed *bed, int (*run)(struct bed *bed), int *report)
{
	int result[2], answer;
	pid_t child;

	assert_int_equal(pipe(result), 0);
	child = fork();
	assert_true(child >= 0);
	if (child == 0) {
		answer = run(bed);
		if (write(result[1], &answer, sizeof(answer)) == sizeof(answer))
			raise(SIGKILL);
		_exit(1);
	}
	close(result[1]);
	*report = result[0];
	return child;
}

static int end_child(pid_t child, int report)
{
	struct pollfd pollfd = {.fd = report, .events = POLLIN};
	int status, answer = -1;

	if (poll(&pollfd, 1, SOON_MS) != 1) {
		kill(child, SIGKILL);
		print_message("the child hangs\n");
	}
	if (read(report, &answer, sizeof(answer)) != sizeof(answer))
		answer = -1;
	close(report);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
	return answer;
}

#ifdef __SANITIZE_THREAD__
#define NEEDS_THREADS_IN_CHILD()                                                       \
	do {                                                                           \
		print_message("skipped: ThreadSanitizer has no threads in a child\n"); \
		skip();                                                                \
	} while (0)
#else
#define NEEDS_THREADS_IN_CHILD() (void)0
#endif

static int close_and_open(struct bed *bed)
{
	int err = hf_device_close(bed->context);

	bed->context = open_context(bed);
	err |= hf_device_close(bed->context);
	bed->context = NULL;
	hf_unref(bed->hf);
	return err;
}

static void a_child_may_close_and_open(void **state)
{
	struct bed *bed = *state;
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	child = start_child(bed, close_and_open, &report);
	assert_int_equal(end_child(child, report), 0);
	/* And the parent's watcher does its work as ever. */
	unplug(bed);
}

/* It calls nothing of the library: it holds the device because it was forked. */
static int wait_for_revocation(struct bed *bed)
{
	const int64_t until = now_ms() + SOON_MS / 2;
	const struct verbs_ex_private *private = hf_context_of(bed->context)->priv;

	while (!is_revoked(bed) && now_ms() < until)
		usleep(1000);
	return is_end_of_file(bed->context->cmd_fd) && is_end_of_file(private->async.kernel_fd);
}

static void a_child_lets_go_of_what_it_inherited(void **state)
{
	struct bed *bed = *state;
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	child = start_child(bed, wait_for_revocation, &report);
	unplug(bed);
	assert_int_equal(end_child(child, report), 1);
	assert_true(is_end_of_file(bed->context->cmd_fd));
}

static int be_told(struct bed *bed)
{
	return wait_blocked(bed->context) == bed->context;
}

static void what_a_child_is_told_is_news_to_the_parent(void **state)
{
	struct bed *bed = *state;
	struct pollfd pollfd = {.fd = bed->context->async_fd, .events = POLLIN};
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	child = start_child(bed, be_told, &report);
	unplug(bed);
	assert_int_equal(end_child(child, report), 1);
	assert_int_equal(poll(&pollfd, 1, 0), 1);
	assert_ptr_equal(wait_blocked(bed->context), bed->context);
	assert_int_equal(poll(&pollfd, 1, 0), 0);
}

static void *poll_for_ever(void *arg)
{
	struct bed *bed = arg;
	struct ibv_wc wc;

	while (!atomic_load(&bed->stop))
		(void)ibv_poll_cq(&bed->send_cq, 1, &wc);
	return NULL;
}

static int destroy_and_close(struct bed *bed)
{
	int err = bed->context->ops.poll_cq(&bed->recv_cq, 1, &(struct ibv_wc){0}) < 0;

	err |= hf_context_of(bed->context)->priv->ops.destroy_qp(&bed->qp);
	return err | hf_device_close(bed->context);
}

static void a_child_of_a_busy_program_may_destroy(void **state)
{
	enum { CHILDREN = 100 };
	struct bed *bed = *state;
	pthread_t thread;

	NEEDS_THREADS_IN_CHILD();
	assert_int_equal(pthread_create(&thread, NULL, poll_for_ever, bed), 0);
	for (int i = 0; i < CHILDREN; i++) {
		int report;
		pid_t child = start_child(bed, destroy_and_close, &report);

		assert_int_equal(end_child(child, report), 0);
	}
	atomic_store(&bed->stop, true);
	assert_int_equal(pthread_join(thread, NULL), 0);
	unplug(bed);
}

/* A provider's code that runs in the turn to scan and opens a device there, while somebody forks. */
static void *open_in_a_turn(void *arg)
{
	struct bed *bed = arg;
	struct ibv_context *context;

	assert_true(hf_scan_begin(bed->hf));
	atomic_store(&bed->in_turn, true);
	usleep(100000);
	context = open_context(bed);
	hf_scan_end(bed->hf);
	return context;
}

static int nothing(struct bed *bed)
{
	(void)bed;
	return 0;
}

static void forking_waits_for_a_scan_that_opens(void **state)
{
	struct bed *bed = *state;
	void *context = NULL;
	pthread_t thread;
	int report;
	pid_t child;

	NEEDS_THREADS_IN_CHILD();
	assert_int_equal(pthread_create(&thread, NULL, open_in_a_turn, bed), 0);
	while (!atomic_load(&bed->in_turn))
		usleep(100);
	child = start_child(bed, nothing, &report);
	assert_int_equal(end_child(child, report), 0);
	assert_int_equal(pthread_join(thread, &context), 0);
	assert_int_equal(hf_device_close(context), 0);
}

static void *post_and_poll(void *arg)
{
	struct bed *bed = arg;
	struct ibv_wc wc[4];
	int got = 0, flushed = 0;

	while (!post_send(bed, 9) && got >= 0) {
		got = ibv_poll_cq(&bed->send_cq, 4, wc);
		flushed += got;
	}
	while ((got = ibv_poll_cq(&bed->send_cq, 4, wc)) > 0)
		flushed += got;
	return flushed == bed->posted ? arg : NULL;
}

static void a_thread_in_the_midst_of_it(void **state)
{
	struct bed *bed = *state;
	void *done = NULL;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, post_and_poll, bed), 0);
	unplug(bed);
	assert_int_equal(pthread_join(thread, &done), 0);
	assert_ptr_equal(done, bed);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_let_go),
		cmocka_unit_test(a_thread_that_polls_sees_nothing_change),
		TEST(what_is_outstanding_is_flushed),
		TEST(after_an_error_the_number_decides),
		TEST(a_shared_queue_is_flushed),
		TEST(a_reset_or_destroyed_qp_owes_nothing),
		TEST(many_requests_are_kept_in_order),
		TEST(single_calls_are_flushed),
		TEST(an_atomic_write_is_flushed),
		TEST(nothing_of_the_kernels_is_left),
		TEST(a_number_that_is_anothers_by_now_is_left_alone),
		TEST(who_closes_in_time_is_left_alone),
		cmocka_unit_test_setup_teardown(switched_off_nothing_is_revoked, setup_off,
						teardown),
		TEST(a_child_may_close_and_open),
		TEST(a_child_lets_go_of_what_it_inherited),
		TEST(what_a_child_is_told_is_news_to_the_parent),
		TEST(a_child_of_a_busy_program_may_destroy),
		TEST(forking_waits_for_a_scan_that_opens),
		TEST(a_thread_in_the_midst_of_it),
	};

	/* What does not wake up must not hold up whoever runs this. */
	alarm(120);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
