/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The device without a kernel of examples/provider, in one program: messages with completion
 * events, a killed peer, an unplug while threads wait, a fork.
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
#include <unistd.h>
#include <sys/wait.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "t/lib/one_device.h"

enum { MESSAGES = 200, SIZE = 4000, DEPTH = 4 };

struct end {
	struct ibv_context *context;
	struct ibv_comp_channel *channel;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cq;
	struct ibv_qp *qp;
	char memory[SIZE];
};

static int setup_no_kernel(void **state)
{
	static struct one_device bed;
	const struct tree_options device = {
		.modalias = "holdfast:loop",
		.node = TREE_NODE_FILE,
		.abi = 1,
	};

	one_device_make(&bed, "t/example.d", "loop0", &device);
	*state = &bed;
	return 0;
}

static int teardown_no_kernel(void **state)
{
	one_device_free(*state);
	return 0;
}

static void post_recv(struct end *end)
{
	struct ibv_sge sge = {(uintptr_t)end->memory, SIZE, end->mr->lkey};
	struct ibv_recv_wr wr = {.wr_id = 1, .sg_list = &sge, .num_sge = 1}, *bad;

	assert_int_equal(ibv_post_recv(end->qp, &wr, &bad), 0);
}

static int post_send(struct end *end)
{
	struct ibv_sge sge = {(uintptr_t)end->memory, SIZE, end->mr->lkey};
	struct ibv_send_wr wr = {
		.wr_id = 2,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND,
		.send_flags = IBV_SEND_SIGNALED,
	};
	struct ibv_send_wr *bad;

	return ibv_post_send(end->qp, &wr, &bad);
}

static void open_end(const struct one_device *bed, struct end *end)
{
	struct ibv_qp_init_attr init = {
		.cap = {DEPTH, DEPTH, 1, 1, 0},
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_device *device;

	memset(end, 0, sizeof(*end));
	assert_int_equal(hf_device_by_name(bed->hf, "loop0", &device), 0);
	assert_int_equal(hf_device_open(device, &end->context), 0);
	hf_device_unref(device);
	end->channel = ibv_create_comp_channel(end->context);
	assert_non_null(end->channel);
	end->pd = ibv_alloc_pd(end->context);
	end->mr = ibv_reg_mr(end->pd, end->memory, SIZE, IBV_ACCESS_LOCAL_WRITE);
	assert_non_null(end->mr);
	end->cq = ibv_create_cq(end->context, 2 * DEPTH, end, end->channel, 0);
	assert_non_null(end->cq);
	init.send_cq = init.recv_cq = end->cq;
	end->qp = ibv_create_qp(end->pd, &init);
	assert_non_null(end->qp);
}

static void connect_end(struct end *end, uint32_t number)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT};

	assert_int_equal(ibv_modify_qp(end->qp, &attr, IBV_QP_STATE), 0);
	attr = (struct ibv_qp_attr){.qp_state = IBV_QPS_RTR, .dest_qp_num = number};
	assert_int_equal(ibv_modify_qp(end->qp, &attr, IBV_QP_STATE | IBV_QP_DEST_QPN), 0);
	attr = (struct ibv_qp_attr){.qp_state = IBV_QPS_RTS};
	assert_int_equal(ibv_modify_qp(end->qp, &attr, IBV_QP_STATE), 0);
}

static void open_pair(const struct one_device *bed, struct end ends[2])
{
	open_end(bed, &ends[0]);
	open_end(bed, &ends[1]);
	connect_end(&ends[0], ends[1].qp->qp_num);
	connect_end(&ends[1], ends[0].qp->qp_num);
}

/* 0, or the number of calls that failed. */
static int close_end(struct end *end)
{
	int failed = 0;

	failed += ibv_destroy_qp(end->qp) != 0;
	failed += ibv_destroy_cq(end->cq) != 0;
	failed += ibv_dereg_mr(end->mr) != 0;
	failed += ibv_dealloc_pd(end->pd) != 0;
	failed += ibv_destroy_comp_channel(end->channel) != 0;
	failed += ibv_close_device(end->context) != 0;
	return failed;
}

/* The next completion: polls, and waits if there is none. */
static struct ibv_wc complete(struct end *end)
{
	struct ibv_cq *cq;
	struct ibv_wc wc;
	void *cq_context;

	for (;;) {
		assert_int_equal(ibv_req_notify_cq(end->cq, 0), 0);
		if (ibv_poll_cq(end->cq, 1, &wc) == 1)
			return wc;
		assert_int_equal(ibv_get_cq_event(end->channel, &cq, &cq_context), 0);
		assert_ptr_equal(cq, end->cq);
		assert_ptr_equal(cq_context, end);
		ibv_ack_cq_events(cq, 1);
	}
}

static void exchange_messages(struct end ends[2], int messages)
{
	for (int i = 0; i < messages; i++) {
		struct end *from = &ends[i % 2], *to = &ends[(i + 1) % 2];
		struct ibv_wc wc;

		post_recv(to);
		memset(from->memory, 'a' + i % 26, SIZE);
		assert_int_equal(post_send(from), 0);
		wc = complete(from);
		assert_int_equal(wc.status, IBV_WC_SUCCESS);
		assert_int_equal(wc.wr_id, 2);
		wc = complete(to);
		assert_int_equal(wc.status, IBV_WC_SUCCESS);
		assert_int_equal(wc.wr_id, 1);
		assert_int_equal(wc.byte_len, SIZE);
		assert_int_equal(to->memory[0], 'a' + i % 26);
		assert_int_equal(to->memory[SIZE - 1], 'a' + i % 26);
	}
}

static void messages_complete_with_events(void **state)
{
	struct end ends[2];

	open_pair(*state, ends);
	exchange_messages(ends, MESSAGES);
	assert_int_equal(close_end(&ends[0]), 0);
	assert_int_equal(close_end(&ends[1]), 0);
}

static void message_waits_for_a_request(void **state)
{
	struct end ends[2];

	open_pair(*state, ends);
	strcpy(ends[0].memory, "early");
	assert_int_equal(post_send(&ends[0]), 0);
	assert_int_equal(complete(&ends[0]).status, IBV_WC_SUCCESS);
	post_recv(&ends[1]);
	assert_int_equal(complete(&ends[1]).status, IBV_WC_SUCCESS);
	assert_string_equal(ends[1].memory, "early");
	assert_int_equal(close_end(&ends[0]), 0);
	assert_int_equal(close_end(&ends[1]), 0);
}

/* A child process that inherits no context. */
static void peer_that_is_killed(void **state)
{
	struct one_device *bed = *state;
	struct end end;
	int numbers[2];
	uint32_t number = 0;
	pid_t child;

	assert_int_equal(pipe(numbers), 0);
	child = fork();
	if (!child) {
		struct end peer;

		open_end(bed, &peer);
		number = peer.qp->qp_num;
		_exit(write(numbers[1], &number, sizeof(number)) == sizeof(number) ? pause() : 1);
	}
	assert_int_equal(read(numbers[0], &number, sizeof(number)), sizeof(number));
	close(numbers[0]);
	close(numbers[1]);
	open_end(bed, &end);
	connect_end(&end, number);
	assert_int_equal(post_send(&end), 0);
	assert_int_equal(complete(&end).status, IBV_WC_SUCCESS);
	assert_int_equal(kill(child, SIGKILL), 0);
	assert_int_equal(waitpid(child, NULL, 0), child);
	assert_int_equal(post_send(&end), 0);
	assert_int_equal(complete(&end).status, IBV_WC_RETRY_EXC_ERR);
	assert_int_equal(close_end(&end), 0);
}

static void *wait_for_completion(void *arg)
{
	struct end *end = arg;
	struct ibv_cq *cq;
	void *cq_context;

	/* There may be an event for a completion that was already polled. */
	while (!ibv_get_cq_event(end->channel, &cq, &cq_context))
		ibv_ack_cq_events(cq, 1);
	return errno == EIO ? end : NULL;
}

static void *wait_for_event(void *arg)
{
	struct end *end = arg;
	struct ibv_async_event event;

	if (ibv_get_async_event(end->context, &event))
		return NULL;
	ibv_ack_async_event(&event);
	return event.event_type == IBV_EVENT_DEVICE_FATAL ? end : NULL;
}

static void unplug_ends_every_wait(void **state)
{
	struct one_device *bed = *state;
	struct end ends[2];
	pthread_t threads[4];
	void *ret;

	open_pair(bed, ends);
	exchange_messages(ends, 2);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ibv_req_notify_cq(ends[i].cq, 0), 0);
		pthread_create(&threads[i], NULL, wait_for_completion, &ends[i]);
		pthread_create(&threads[2 + i], NULL, wait_for_event, &ends[i]);
	}
	assert_int_equal(tree_remove(bed->tree, 0), 0);
	for (int i = 0; i < 4; i++) {
		assert_int_equal(pthread_join(threads[i], &ret), 0);
		assert_ptr_equal(ret, &ends[i % 2]);
	}
	for (int i = 0; i < 2; i++) {
		struct ibv_async_event event;

		errno = 0;
		assert_int_equal(ibv_get_async_event(ends[i].context, &event), -1);
		assert_int_equal(errno, EIO);
		/* The provider's thread notices by itself: eventually the result changes. */
		while (post_send(&ends[i]) != EIO)
			sched_yield();
	}
	assert_int_equal(close_end(&ends[0]), 0);
	assert_int_equal(close_end(&ends[1]), 0);
}

static void child_frees_and_parent_continues(void **state)
{
	struct end ends[2];
	pid_t child;
	int status;

	open_pair(*state, ends);
	exchange_messages(ends, 2);
	child = fork();
	if (!child)
		_exit(close_end(&ends[0]) + close_end(&ends[1]));
	assert_true(child > 0);
	exchange_messages(ends, MESSAGES);
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_true(WIFEXITED(status));
	assert_int_equal(WEXITSTATUS(status), 0);
	exchange_messages(ends, MESSAGES);
	assert_int_equal(close_end(&ends[0]), 0);
	assert_int_equal(close_end(&ends[1]), 0);
}

static void waits_can_be_non_blocking(void **state)
{
	struct end ends[2];
	struct ibv_async_event event;
	struct ibv_cq *cq;
	void *cq_context;

	open_pair(*state, ends);
	assert_int_equal(fcntl(ends[0].channel->fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(fcntl(ends[0].context->async_fd, F_SETFL, O_NONBLOCK), 0);
	assert_int_equal(ibv_get_cq_event(ends[0].channel, &cq, &cq_context), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(ibv_get_async_event(ends[0].context, &event), -1);
	assert_int_equal(errno, EAGAIN);
	assert_int_equal(close_end(&ends[0]), 0);
	assert_int_equal(close_end(&ends[1]), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(messages_complete_with_events, setup_no_kernel,
						teardown_no_kernel),
		cmocka_unit_test_setup_teardown(message_waits_for_a_request, setup_no_kernel,
						teardown_no_kernel),
		cmocka_unit_test_setup_teardown(peer_that_is_killed, setup_no_kernel,
						teardown_no_kernel),
		cmocka_unit_test_setup_teardown(unplug_ends_every_wait, setup_no_kernel,
						teardown_no_kernel),
		cmocka_unit_test_setup_teardown(child_frees_and_parent_continues, setup_no_kernel,
						teardown_no_kernel),
		cmocka_unit_test_setup_teardown(waits_can_be_non_blocking, setup_no_kernel,
						teardown_no_kernel),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
