/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * No wake-up is lost: completion queues of the provider uroce that are armed, or looked at by the engine thread, while
 * a thread is about to add a completion. A queue with timestamps reads the clock at that point, and this program's
 * clock_gettime() stops the thread there.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <semaphore.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "providers/uroce/segment.h"
#include "t/tree/uroce_bed.h"

enum { AT = 1024 };

/* ---- A thread that stops while it adds a completion ---- */

struct adder {
	struct uroce_end *end;
	unsigned int flags;
	struct uroce_shared_cq *cq; /* that it adds to */
	pthread_t thread;
	sem_t stopped;
	bool (*may_go)(void);
};

static __thread struct adder *adder_here;
static atomic_bool may_go;

static bool when_told(void)
{
	return atomic_load(&may_go);
}

__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *time)
{
	struct adder *adder = adder_here;

	if (adder && atomic_load(&adder->cq->lock.holder)) {
		adder_here = NULL;
		sem_post(&adder->stopped);
		while (!adder->may_go())
			sched_yield();
	}
	/* A system call: programs may be linked so that there is no other function of that name. */
	return (int)syscall(SYS_clock_gettime, clock, time);
}

static void *add(void *arg)
{
	struct adder *adder = arg;
	const struct ibv_send_wr wr = {.opcode = IBV_WR_SEND, .send_flags = adder->flags};

	adder_here = adder;
	assert_int_equal(uroce_bed_post(adder->end, &wr, 0, 8), 0);
	adder_here = NULL;
	return NULL;
}

static void start_adding(struct adder *adder)
{
	atomic_store(&may_go, false);
	assert_int_equal(sem_init(&adder->stopped, 0, 0), 0);
	assert_int_equal(pthread_create(&adder->thread, NULL, add, adder), 0);
	while (sem_wait(&adder->stopped))
		;
}

static void end_adder(struct adder *adder)
{
	atomic_store(&may_go, true);
	assert_int_equal(pthread_join(adder->thread, NULL), 0);
	sem_destroy(&adder->stopped);
}

/* ---- The receiver, and its part of the segment ---- */

struct receiver {
	struct uroce_end end; /* its CQ has timestamps */
	/* Two QPs in the same context, for the engine thread to have something to report. */
	struct uroce_end loop[2];
	struct uroce_shared_cq *shared;
	struct uroce_header *segment;
};

static struct ibv_cq *stamped_cq(struct uroce_end *end)
{
	struct ibv_cq_init_attr_ex init = {
		.cqe = BED_DEPTH,
		.channel = end->channel,
		.wc_flags = IBV_WC_STANDARD_FLAGS | IBV_WC_EX_WITH_COMPLETION_TIMESTAMP,
	};
	struct ibv_cq_ex *cq = ibv_create_cq_ex(end->context, &init);

	assert_non_null(cq);
	return ibv_cq_ex_to_cq(cq);
}

static struct uroce_shared_cq *find_cq(struct uroce_header *segment, uint32_t number)
{
	for (uint32_t slot = 0; slot < UROCE_SLOTS; slot++) {
		struct uroce_arena *arena =
			(void *)((char *)segment + UROCE_ARENA_FIRST + slot * UROCE_ARENA_SIZE);

		if (!atomic_load(&segment->slots[slot].life))
			continue;
		for (uint32_t i = 0; i < 4; i++)
			if (atomic_load(&arena->qps[i].number) == number)
				return &arena->cqs[atomic_load(&arena->qps[i].recv_cq)];
	}
	fail();
	return NULL;
}

/* With memory, and QPs whose CQ comes after that of the receiver. */
static void open_loop(struct receiver *receiver)
{
	for (int i = 0; i < 2; i++) {
		struct uroce_end *end = &receiver->loop[i];

		*end = receiver->end;
		end->cq = NULL;
		end->qp = NULL;
		end->channel = ibv_create_comp_channel(end->context);
		assert_non_null(end->channel);
		uroce_bed_qp(end, &bed_options);
	}
	for (int i = 0; i < 2; i++)
		uroce_bed_connect(&receiver->loop[i], receiver->loop[1 - i].qp->qp_num,
				  &bed_options);
}

static void open_stamped_receiver(const struct uroce_bed *bed, struct receiver *receiver)
{
	const size_t size = UROCE_ARENA_FIRST + 8 * UROCE_ARENA_SIZE;
	const int fd = open(bed->node, O_RDWR | O_CLOEXEC);

	uroce_bed_open(bed, &receiver->end);
	receiver->end.cq = stamped_cq(&receiver->end);
	uroce_bed_qp(&receiver->end, &bed_options);
	open_loop(receiver);
	assert_true(fd >= 0);
	receiver->segment = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(receiver->segment, MAP_FAILED);
	close(fd);
	receiver->shared = find_cq(receiver->segment, receiver->end.qp->qp_num);
}

static void close_receiver(struct receiver *receiver)
{
	munmap(receiver->segment, UROCE_ARENA_FIRST + 8 * UROCE_ARENA_SIZE);
	for (int i = 0; i < 2; i++) {
		assert_int_equal(ibv_destroy_qp(receiver->loop[i].qp), 0);
		assert_int_equal(ibv_destroy_cq(receiver->loop[i].cq), 0);
		assert_int_equal(ibv_destroy_comp_channel(receiver->loop[i].channel), 0);
	}
	assert_int_equal(uroce_bed_close(&receiver->end), 0);
}

static void take_channel_event(struct uroce_end *end)
{
	struct ibv_cq *cq;
	void *cookie;

	assert_int_equal(ibv_get_cq_event(end->channel, &cq, &cookie), 0);
	assert_ptr_equal(cq, end->cq);
	ibv_ack_cq_events(cq, 1);
}

/* The engine thread looks at one CQ after the other, and tells of the last one here. */
static void let_engine_look(struct receiver *receiver)
{
	struct uroce_end *last = &receiver->loop[1];

	uroce_bed_recv(last, 9, AT, 8);
	assert_int_equal(ibv_req_notify_cq(last->cq, 0), 0);
	assert_int_equal(uroce_bed_send(&receiver->loop[0], IBV_WR_SEND, 0, 8, 0, 0), 0);
	take_channel_event(last);
	assert_int_equal(uroce_bed_wait(last).wr_id, 9);
	assert_int_equal(uroce_bed_wait(&receiver->loop[0]).status, IBV_WC_SUCCESS);
}

static bool has_event(const struct receiver *receiver)
{
	struct pollfd fd = {.fd = receiver->end.channel->fd, .events = POLLIN};

	return poll(&fd, 1, 0) == 1;
}

static void open_sender(const struct uroce_bed *bed, struct receiver *receiver,
			struct uroce_end *sender)
{
	uroce_bed_open(bed, sender);
	uroce_bed_qp(sender, &bed_options);
	uroce_bed_connect(sender, receiver->end.qp->qp_num, &bed_options);
	uroce_bed_connect(&receiver->end, sender->qp->qp_num, &bed_options);
	uroce_bed_recv(&receiver->end, 1, 0, 8);
}

/* ---- Tests ---- */

/* The adder has told of the completion; the engine thread looks before it is there, and once more after it. */
static void looked_at_too_early(void **state)
{
	for (int solicited_only = 0; solicited_only < 2; solicited_only++) {
		struct receiver receiver;
		struct uroce_end sender;
		struct adder adder = {
			.end = &sender, .flags = IBV_SEND_SOLICITED, .may_go = when_told};

		open_stamped_receiver(*state, &receiver);
		open_sender(*state, &receiver, &sender);
		adder.cq = receiver.shared;
		assert_int_equal(ibv_req_notify_cq(receiver.end.cq, solicited_only), 0);
		start_adding(&adder);
		let_engine_look(&receiver);
		assert_false(has_event(&receiver));
		end_adder(&adder);
		let_engine_look(&receiver);
		assert_true(has_event(&receiver));
		take_channel_event(&receiver.end);
		assert_int_equal(uroce_bed_wait(&receiver.end).wr_id, 1);
		assert_int_equal(uroce_bed_close(&sender), 0);
		close_receiver(&receiver);
	}
}

/* The adder did not see that the CQ is armed, and the program does not see the completion by polling. */
static void armed_while_another_context_adds(void **state)
{
	for (int solicited_only = 0; solicited_only < 2; solicited_only++) {
		struct receiver receiver;
		struct uroce_end sender;
		struct adder adder = {
			.end = &sender, .flags = IBV_SEND_SOLICITED, .may_go = when_told};
		struct ibv_wc wc;

		open_stamped_receiver(*state, &receiver);
		open_sender(*state, &receiver, &sender);
		adder.cq = receiver.shared;
		start_adding(&adder);
		assert_int_equal(ibv_req_notify_cq(receiver.end.cq, solicited_only), 0);
		assert_int_equal(ibv_poll_cq(receiver.end.cq, 1, &wc), 0);
		end_adder(&adder);
		let_engine_look(&receiver);
		assert_true(has_event(&receiver));
		take_channel_event(&receiver.end);
		assert_int_equal(uroce_bed_wait(&receiver.end).wr_id, 1);
		assert_int_equal(uroce_bed_close(&sender), 0);
		close_receiver(&receiver);
	}
}

static pid_t main_thread;
static atomic_bool has_armed;

/* Until the main thread has armed the CQ, or waits for us in that call. */
static bool when_main_waits(void)
{
	char path[64], text[32] = "";
	int fd;

	if (atomic_load(&has_armed))
		return atomic_load(&may_go);
	snprintf(path, sizeof(path), "/proc/self/task/%d/syscall", main_thread);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd >= 0) {
		if (read(fd, text, sizeof(text) - 1) < 0)
			text[0] = '\0';
		close(fd);
	}
	/* Where the file cannot be read nothing can be seen here. */
	return fd < 0 || strtol(text, NULL, 10) == SYS_futex;
}

/* No event tells of it: when the CQ is armed the completion is there. */
static void armed_while_an_own_thread_adds(void **state)
{
	struct receiver receiver;
	struct uroce_end sender;
	struct adder adder = {.end = &sender, .may_go = when_main_waits};
	struct ibv_wc wc;
	int found;

	main_thread = gettid();
	atomic_store(&has_armed, false);
	open_stamped_receiver(*state, &receiver);
	/* Another QP of the same context sends to the receiver. */
	sender = receiver.end;
	sender.cq = receiver.loop[0].cq;
	sender.qp = NULL;
	uroce_bed_qp(&sender, &bed_options);
	uroce_bed_connect(&sender, receiver.end.qp->qp_num, &bed_options);
	uroce_bed_connect(&receiver.end, sender.qp->qp_num, &bed_options);
	uroce_bed_recv(&receiver.end, 1, 0, 8);
	adder.cq = receiver.shared;
	start_adding(&adder);
	assert_int_equal(ibv_req_notify_cq(receiver.end.cq, 0), 0);
	atomic_store(&has_armed, true);
	found = ibv_poll_cq(receiver.end.cq, 1, &wc);
	end_adder(&adder);
	assert_int_equal(found, 1);
	assert_int_equal(wc.wr_id, 1);
	assert_int_equal(ibv_destroy_qp(sender.qp), 0);
	close_receiver(&receiver);
}

/* The CQ was armed when as many completions had come as come after it is resized. */
static void resized_while_it_is_armed(void **state)
{
	struct receiver receiver;
	struct uroce_end sender;

	open_stamped_receiver(*state, &receiver);
	open_sender(*state, &receiver, &sender);
	assert_int_equal(uroce_bed_send(&sender, IBV_WR_SEND, 0, 8, 0, 0), 0);
	assert_int_equal(uroce_bed_wait(&receiver.end).wr_id, 1);
	assert_int_equal(ibv_req_notify_cq(receiver.end.cq, 0), 0);
	assert_int_equal(ibv_resize_cq(receiver.end.cq, 2 * BED_DEPTH), 0);
	let_engine_look(&receiver);
	assert_false(has_event(&receiver));
	uroce_bed_recv(&receiver.end, 2, 0, 8);
	assert_int_equal(uroce_bed_send(&sender, IBV_WR_SEND, 0, 8, 0, 0), 0);
	take_channel_event(&receiver.end);
	assert_int_equal(uroce_bed_wait(&receiver.end).wr_id, 2);
	assert_int_equal(uroce_bed_close(&sender), 0);
	close_receiver(&receiver);
}

#define WITH_BED(test) \
	cmocka_unit_test_setup_teardown(test, uroce_bed_setup_direct, uroce_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(looked_at_too_early),
		WITH_BED(armed_while_another_context_adds),
		WITH_BED(armed_while_an_own_thread_adds),
		WITH_BED(resized_while_it_is_armed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
