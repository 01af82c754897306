/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Revoking a context whose device was removed. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "core/device/hf.h"
#include "core/verbs/context.h"
#include "core/verbs/operations.h"
#include "core/verbs/revoke.h"
#include "core/verbs/track.h"
#include "core/verbs/track_internal.h"
#include "t/lib/asleep.h"
#include "t/lib/hang.h"
#include "t/unit/revoke_bed.h"

static void outstanding_requests_are_flushed(void **state)
{
	struct bed *bed = *state;

	/* Request 1 is unsignaled and completes with 2; 66666 is refused. */
	for (uint64_t id = 1; id <= 4; id++)
		assert_int_equal(bed_post_send(bed, id), 0);
	assert_int_equal(bed_post_send(bed, 66666), ENOMEM);
	for (uint64_t id = 101; id <= 103; id++)
		assert_int_equal(bed_post_recv(bed, id), 0);
	bed_complete(bed, 2, IBV_WC_SEND, IBV_WC_SUCCESS);
	bed_expect(&bed->send_cq, 2, IBV_WC_SUCCESS);
	bed_complete(bed, 101, IBV_WC_RECV, IBV_WC_SUCCESS);
	bed_expect(&bed->recv_cq, 101, IBV_WC_SUCCESS);
	/* Complete, but not yet polled when the device is removed. */
	bed_complete(bed, 3, IBV_WC_SEND, IBV_WC_SUCCESS);
	bed_unplug(bed);
	assert_int_equal(bed_post_send(bed, 5), EIO);
	assert_int_equal(bed_post_recv(bed, 105), EIO);
	assert_int_equal(ibv_req_notify_cq(&bed->send_cq, 0), EIO);
	assert_int_equal(bed->posted, 7);
	bed_expect(&bed->send_cq, 3, IBV_WC_SUCCESS);
	bed_expect(&bed->send_cq, 4, IBV_WC_WR_FLUSH_ERR);
	bed_expect_nothing(&bed->send_cq);
	bed_expect(&bed->recv_cq, 102, IBV_WC_WR_FLUSH_ERR);
	bed_expect(&bed->recv_cq, 103, IBV_WC_WR_FLUSH_ERR);
	bed_expect_nothing(&bed->recv_cq);
}

static void a_failed_completion_is_matched_by_its_id(void **state)
{
	struct bed *bed = *state;

	for (uint64_t id = 1; id <= 3; id++)
		assert_int_equal(bed_post_send(bed, id), 0);
	assert_int_equal(bed_post_recv(bed, 101), 0);
	assert_int_equal(bed_post_recv(bed, 102), 0);
	/* A failed completion has no valid opcode. */
	bed_complete(bed, 1, IBV_WC_RECV, IBV_WC_RETRY_EXC_ERR);
	bed_complete(bed, 101, IBV_WC_SEND, IBV_WC_WR_FLUSH_ERR);
	bed_expect(&bed->send_cq, 1, IBV_WC_RETRY_EXC_ERR);
	bed_expect(&bed->send_cq, 101, IBV_WC_WR_FLUSH_ERR);
	bed_unplug(bed);
	bed_expect(&bed->send_cq, 2, IBV_WC_WR_FLUSH_ERR);
	bed_expect(&bed->send_cq, 3, IBV_WC_WR_FLUSH_ERR);
	bed_expect_nothing(&bed->send_cq);
	bed_expect(&bed->recv_cq, 102, IBV_WC_WR_FLUSH_ERR);
	bed_expect_nothing(&bed->recv_cq);
}

static void a_shared_queue_is_flushed(void **state)
{
	struct bed *bed = *state;

	bed->qp.srq = &bed->srq;
	assert_int_equal(bed_post_send(bed, 1), 0);
	for (uint64_t id = 201; id <= 204; id++)
		assert_int_equal(bed_post_srq_recv(bed, id), 0);
	/* These requests complete in any order. */
	bed_complete(bed, 202, IBV_WC_RECV, IBV_WC_SUCCESS);
	bed_expect(&bed->recv_cq, 202, IBV_WC_SUCCESS);
	bed_unplug(bed);
	assert_int_equal(bed_post_srq_recv(bed, 205), EIO);
	bed_expect(&bed->recv_cq, 201, IBV_WC_WR_FLUSH_ERR);
	bed_expect(&bed->recv_cq, 203, IBV_WC_WR_FLUSH_ERR);
	bed_expect(&bed->recv_cq, 204, IBV_WC_WR_FLUSH_ERR);
	bed_expect_nothing(&bed->recv_cq);
	bed_expect(&bed->send_cq, 1, IBV_WC_WR_FLUSH_ERR);
}

static void a_reset_or_destroyed_qp_is_not_flushed(void **state)
{
	struct bed *bed = *state;
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};

	assert_int_equal(bed_post_send(bed, 1), 0);
	assert_int_equal(ibv_modify_qp(&bed->qp, &attr, IBV_QP_STATE), 0);
	assert_int_equal(bed_post_send(bed, 2), 0);
	assert_int_equal(bed_post_recv(bed, 102), 0);
	bed_unplug(bed);
	bed_expect(&bed->send_cq, 2, IBV_WC_WR_FLUSH_ERR);
	bed_expect_nothing(&bed->send_cq);
	assert_int_equal(ibv_destroy_qp(&bed->qp), 0);
	assert_int_equal(bed->destroyed, 1);
	bed_expect_nothing(&bed->recv_cq);
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
		assert_int_equal(bed_post_send(bed, id), 0);
	bed_complete(bed, MANY / 2, IBV_WC_SEND, IBV_WC_SUCCESS);
	bed_expect(&bed->send_cq, MANY / 2, IBV_WC_SUCCESS);
	for (uint64_t id = MANY / 2 + 1; id <= MANY; id++)
		assert_int_equal(bed_post_send(bed, id), 0);
	bed_unplug(bed);
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
	bed_complete(bed, 1, IBV_WC_SEND, IBV_WC_SUCCESS);
	assert_int_equal(ibv_start_poll(cq, &poll_attr), 0);
	assert_int_equal(cq->wr_id, 1);
	assert_int_equal(ibv_next_poll(cq), ENOENT);
	ibv_end_poll(cq);
	bed_complete(bed, 2, IBV_WC_SEND, IBV_WC_SUCCESS);
	bed_unplug(bed);
	assert_int_equal(wr_post(qp, 5, 5), EIO);
	assert_int_equal(wr_depth, 0);
	/* First what had completed, then in the same round what is flushed. */
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

	/* Where the provider's objects lack this call, other data in its place is left alone. */
	hfi_uverbs_of(bed->context)->qp_mask_offset = AT_43;
	base = ibv_create_qp_ex(bed->context, &attr);
	assert_ptr_equal(ibv_qp_to_qp_ex(base), &ex_qp.qp_ex);
	assert_ptr_not_equal(ex_qp.qp_ex.wr_send, real_wr_send);
	assert_memory_equal((char *)&ex_qp + AT_43, &mask, sizeof(mask));
	assert_int_equal(ibv_destroy_qp(base), 0);
	assert_memory_equal((char *)&ex_qp + AT_43, &mask, sizeof(mask));
	hfi_uverbs_of(bed->context)->qp_mask_offset = offsetof(struct verbs_qp, comp_mask);

	base = ibv_create_qp_ex(bed->context, &attr);
	assert_non_null(base);
	qp = ibv_qp_to_qp_ex(base);
	ibv_wr_start(qp);
	qp->wr_id = 55;
	ibv_wr_atomic_write(qp, 1, 2, &value);
	assert_int_equal(ibv_wr_complete(qp), 0);
	bed_unplug(bed);
	assert_int_equal(ibv_poll_cq(&bed->send_cq, 1, &wc), 1);
	assert_int_equal(wc.wr_id, 55);
	assert_int_equal(wc.status, IBV_WC_WR_FLUSH_ERR);
	assert_int_equal(ibv_destroy_qp(base), 0);
	assert_ptr_equal(ex_qp.qp_ex.wr_atomic_write, real_wr_atomic_write);
}

static void no_descriptor_of_the_kernel_is_left(void **state)
{
	struct bed *bed = *state;
	struct verbs_ex_private *private = hfi_context_of(bed->context)->priv;
	struct ibv_async_event event;
	void *told = NULL;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, wait_for_fatal, bed->context), 0);
	bed_unplug(bed);
	assert_int_equal(pthread_join(thread, &told), 0);
	assert_ptr_equal(told, bed->context);
	assert_true(is_end_of_file(bed->context->cmd_fd));
	assert_true(is_end_of_file(private->async.kernel_fd));
	/* The test itself holds the last reference to the kernel's event file. */
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

/* Like a daemon that closes every descriptor it does not know and opens its own. */
static void a_reused_descriptor_is_left_alone(void **state)
{
	struct bed *bed = *state;
	const int numbers[] = {
		bed->context->cmd_fd,
		hfi_context_of(bed->context)->priv->async.kernel_fd,
	};
	int files[HF_ARRAY_SIZE(numbers)];
	struct stat file, now;

	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++)
		files[i] = put_under(numbers[i], "a file of the program's");
	bed_unplug(bed);
	for (size_t i = 0; i < HF_ARRAY_SIZE(numbers); i++) {
		assert_int_equal(fstat(files[i], &file), 0);
		assert_int_equal(fstat(numbers[i], &now), 0);
		print_message("descriptor %d: inode %lu, wanted %lu\n", numbers[i],
			      (unsigned long)now.st_ino, (unsigned long)file.st_ino);
		assert_int_equal(now.st_ino, file.st_ino);
		close(files[i]);
	}
}

/* The library's clock: stopped while this is not 0. The reads are counted. */
static _Atomic int64_t stands_at_ns;
static atomic_uint clock_reads;

int __real_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now);
int __wrap_clock_gettime(clockid_t clock, struct timespec *now)
{
	const int64_t ns = atomic_load(&stands_at_ns);
	const int ret = __real_clock_gettime(clock, now);

	atomic_fetch_add(&clock_reads, 1);
	if (ns && clock == CLOCK_MONOTONIC)
		*now = (struct timespec){ns / 1000000000, ns % 1000000000};
	return ret;
}

static void stop_clock(void)
{
	struct timespec now;

	__real_clock_gettime(CLOCK_MONOTONIC, &now);
	atomic_store(&stands_at_ns, (int64_t)now.tv_sec * 1000000000 + now.tv_nsec);
}

static void a_context_closed_in_time_is_not_revoked(void **state)
{
	struct bed *bed = *state;
	unsigned int reads;

	stop_clock();
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	while (bed_revoke_state(bed) == HF_REVOKE_LIVE)
		usleep(1000);
	assert_int_equal(bed_revoke_state(bed), HF_REVOKE_PENDING);
	assert_false(bed_is_revoked(bed));
	assert_int_equal(hf_device_close(bed->context), 0);
	bed->context = NULL;
	/* The revoker checks once more when the time is over. */
	atomic_fetch_add(&stands_at_ns, HF_REVOKE_GRACE_MS * INT64_C(2000000));
	reads = atomic_load(&clock_reads);
	while (atomic_load(&clock_reads) == reads)
		usleep(1000);
	atomic_store(&stands_at_ns, 0);
}

static void nothing_is_revoked_when_switched_off(void **state)
{
	struct bed *bed = *state;

	assert_null(bed->hf->revoker);
	/* The program still calls the provider directly. */
	assert_ptr_equal(bed->context->ops.poll_cq, real_poll_cq);
	assert_ptr_equal(bed->context->ops.post_send, real_post_send);
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	assert_ptr_equal(wait_for_fatal(bed->context), bed->context);
	/* There is no thread that could revoke later. */
	assert_int_equal(asleep_count(getpid(), ASLEEP_POLL), 0);
	assert_false(bed_is_revoked(bed));
	assert_int_equal(bed_post_send(bed, 1), 0);
}

static void *post_and_poll(void *arg)
{
	struct bed *bed = arg;
	struct ibv_wc wc[4];
	int got = 0, flushed = 0;

	while (!bed_post_send(bed, 9) && got >= 0) {
		got = ibv_poll_cq(&bed->send_cq, 4, wc);
		flushed += got;
	}
	while ((got = ibv_poll_cq(&bed->send_cq, 4, wc)) > 0)
		flushed += got;
	return flushed == bed->posted ? arg : NULL;
}

static void revoked_while_a_thread_posts_and_polls(void **state)
{
	struct bed *bed = *state;
	void *done = NULL;
	pthread_t thread;

	assert_int_equal(pthread_create(&thread, NULL, post_and_poll, bed), 0);
	bed_unplug(bed);
	assert_int_equal(pthread_join(thread, &done), 0);
	assert_ptr_equal(done, bed);
}

static int cancel_state(void)
{
	int state;

	pthread_setcancelstate(PTHREAD_CANCEL_DISABLE, &state);
	pthread_setcancelstate(state, NULL);
	return state;
}

/* A program may complete what it began with two QPs in the order in which it began. */
static void locks_of_two_contexts_are_given_back_in_any_order(void **state)
{
	struct bed *bed = *state;
	struct hf_track *one, *other;

	assert_int_equal(hfi_track_new(hfi_context_of(bed->context), &one), 0);
	assert_int_equal(hfi_track_new(hfi_context_of(bed->context), &other), 0);
	hfi_track_lock(one);
	hfi_track_lock(other);
	hfi_track_unlock(one);
	assert_int_equal(cancel_state(), PTHREAD_CANCEL_DISABLE);
	hfi_track_unlock(other);
	assert_int_equal(cancel_state(), PTHREAD_CANCEL_ENABLE);
	/* As in a forked child, whose thread gives back what it took before the fork. */
	hfi_track_lock(one);
	hfi_track_renew_lock(one);
	hfi_track_lock(one);
	hfi_track_unlock(one);
	hfi_track_unlock(one);
	assert_int_equal(cancel_state(), PTHREAD_CANCEL_ENABLE);
	hfi_track_free(one);
	hfi_track_free(other);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, bed_setup, bed_teardown)
	const struct CMUnitTest tests[] = {
		TEST(outstanding_requests_are_flushed),
		TEST(a_failed_completion_is_matched_by_its_id),
		TEST(a_shared_queue_is_flushed),
		TEST(a_reset_or_destroyed_qp_is_not_flushed),
		TEST(many_requests_are_kept_in_order),
		TEST(single_calls_are_flushed),
		TEST(an_atomic_write_is_flushed),
		TEST(locks_of_two_contexts_are_given_back_in_any_order),
		TEST(no_descriptor_of_the_kernel_is_left),
		TEST(a_reused_descriptor_is_left_alone),
		TEST(a_context_closed_in_time_is_not_revoked),
		cmocka_unit_test_setup_teardown(nothing_is_revoked_when_switched_off, bed_setup_off,
						bed_teardown),
		TEST(revoked_while_a_thread_posts_and_polls),
	};

	/* A thread that does not wake up must not block the test run. */
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
