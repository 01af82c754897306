/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Waiting for events: the number of system calls it takes, and what it must never do. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rdma/ib_user_verbs.h>

#include "shared/attr.h"
#include "core/verbs/event_fd.h"

enum { ROUNDS = 320 };

/* A pipe stands for the kernel. A `late` event comes only once a thread sleeps. */
static struct {
	int fds[2];
	uint64_t sent, late;
	unsigned int reads, sleeps;
	uint32_t counter;
	struct hf_wait wait;
	struct hf_delivered delivered;
} bed;

static const uint32_t *counted_by(const void *event)
{
	(void)event;
	return &bed.counter;
}

static const struct hf_wait_account account = {&bed.delivered, counted_by};

static void begin_wait(void)
{
	memset(&bed, 0, sizeof(bed));
	assert_int_equal(pipe(bed.fds), 0);
	assert_int_equal(hfi_wait_init(&bed.wait, NULL, bed.fds[0]), 0);
	hfi_delivered_init(&bed.delivered);
}

static void end_wait(void)
{
	hfi_delivered_fini(&bed.delivered);
	hfi_wait_fini(&bed.wait);
	close(bed.fds[1]);
}

static void send_event(void)
{
	const struct ib_uverbs_comp_event_desc event = {.cq_handle = ++bed.sent};

	assert_int_equal(write(bed.fds[1], &event, sizeof(event)), sizeof(event));
}

ssize_t __real_hfi_read_uncancelled(int fd, void *buffer, size_t size);
ssize_t __wrap_hfi_read_uncancelled(int fd, void *buffer, size_t size);
int __real_poll(struct pollfd *fds, nfds_t count, int timeout);
int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout);

ssize_t __wrap_hfi_read_uncancelled(int fd, void *buffer, size_t size)
{
	bed.reads++;
	return __real_hfi_read_uncancelled(fd, buffer, size);
}

int __wrap_poll(struct pollfd *fds, nfds_t count, int timeout)
{
	bed.sleeps++;
	for (; bed.late; bed.late--)
		send_event();
	return __real_poll(fds, count, timeout);
}

static int read_event_number(uint64_t *number)
{
	struct ib_uverbs_comp_event_desc event = {0};
	int got = hfi_wait_read(&bed.wait, &event, sizeof(event), &account);

	*number = event.cq_handle;
	return got;
}

/* Which events of a round are late, one bit for each. */
static void go_round(unsigned int late, unsigned int length, unsigned int *late_ones)
{
	*late_ones = 0;
	for (unsigned int i = 0; i < ROUNDS * length; i++) {
		uint64_t number;

		if (late >> i % length & 1) {
			bed.late = 1;
			++*late_ones;
		} else {
			send_event();
		}
		assert_int_equal(read_event_number(&number), 1);
		assert_true(number == i + 1);
	}
}

static void calls(void **state)
{
	static const struct {
		const char *name;
		unsigned int late, length;
	} patterns[] = {
		{"always there", 0, 1},	      {"never there", 1, 1},
		{"one there, one not", 2, 2}, {"one not, one there", 1, 2},
		{"a batch of four", 1, 4},    {"two and two", 3, 4},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(patterns); i++) {
		const unsigned int events = ROUNDS * patterns[i].length;
		unsigned int late;

		begin_wait();
		go_round(patterns[i].late, patterns[i].length, &late);
		print_message("%s: %u events, %u late, %u reads, %u sleeps\n", patterns[i].name,
			      events, late, bed.reads, bed.sleeps);
		assert_true(bed.sleeps >= late && bed.reads >= events);
		/* If each event predicts the next one, a thread sleeps only when one is late, and reads only what is there. */
		if (patterns[i].length <= 2) {
			assert_int_equal(bed.sleeps, late);
			assert_true(bed.reads - events <= late / 16 + 1);
		}
		end_wait();
	}
}

/* Set at any time, with any history: a program that asked not to sleep never does. */
static void non_blocking(void **state)
{
	(void)state;
	for (unsigned int late = 0; late < 4; late++)
		for (unsigned int past = 0; past < 40; past++) {
			uint64_t number;

			begin_wait();
			for (unsigned int i = 0; i < past; i++) {
				if (late >> i % 2 & 1)
					bed.late = 1;
				else
					send_event();
				assert_int_equal(read_event_number(&number), 1);
			}
			assert_int_equal(fcntl(bed.wait.fd, F_SETFL, O_NONBLOCK), 0);
			bed.sleeps = 0;
			assert_int_equal(read_event_number(&number), -EAGAIN);
			send_event();
			assert_int_equal(read_event_number(&number), 1);
			assert_int_equal(read_event_number(&number), -EAGAIN);
			assert_int_equal(bed.sleeps, 0);
			assert_int_equal(fcntl(bed.wait.fd, F_SETFL, 0), 0);
			bed.late = 1;
			assert_int_equal(read_event_number(&number), 1);
			assert_int_equal(bed.sleeps, 1);
			end_wait();
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(calls),
		cmocka_unit_test(non_blocking),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
