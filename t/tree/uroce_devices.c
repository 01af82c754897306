/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The direct path of the provider uroce between two devices of one user. */
#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "t/tree/uroce_bed.h"

enum { LENGTH = 100, AT = 4096 };

/* One that is this machine's, and no other test's. */
static void set_address(const struct uroce_bed *bed, unsigned int device)
{
	char gid[64];

	snprintf(gid, sizeof(gid), "0000:0000:0000:0000:0000:ffff:7f%02x:%04x", 240 + device,
		 (unsigned int)getpid() % 65536);
	assert_int_equal(tree_set(bed->tree, device, "ports/1/gids/0", gid), 0);
}

static void add_device_with_address(const struct uroce_bed *bed, unsigned int device,
				    const char *name)
{
	assert_int_equal(tree_add(bed->tree, device, name, &bed_device), 0);
	set_address(bed, device);
}

static int setup_two_devices(void **state)
{
	struct uroce_bed *bed;

	uroce_bed_setup_direct(state);
	bed = *state;
	set_address(bed, 0);
	add_device_with_address(bed, 1, "uroce1");
	return 0;
}

static void connect_across(struct uroce_end *end, const struct uroce_end *peer,
			   const struct uroce_options *options)
{
	assert_int_equal(uroce_bed_init(end, options), 0);
	assert_int_equal(uroce_bed_rtr_to(end, peer, options), 0);
	assert_int_equal(uroce_bed_rts(end, options), 0);
}

static void open_end_of(const struct uroce_bed *bed, const char *name, struct uroce_end *end,
			const struct uroce_options *options)
{
	uroce_bed_open_device(bed, name, end);
	uroce_bed_qp(end, options);
}

/* One QP on each device, connected. */
static void open_end_on_each(const struct uroce_bed *bed, struct uroce_end ends[2],
			     const struct uroce_options *options)
{
	open_end_of(bed, "uroce0", &ends[0], options);
	open_end_of(bed, "uroce1", &ends[1], options);
	for (int i = 0; i < 2; i++)
		connect_across(&ends[i], &ends[1 - i], options);
}

static void close_on_each(struct uroce_end ends[2])
{
	for (int i = 0; i < 2; i++)
		assert_int_equal(uroce_bed_close(&ends[i]), 0);
}

static enum ibv_wc_status result(struct uroce_end *end)
{
	return uroce_bed_wait(end).status;
}

static uint64_t address_of(const struct uroce_end *end, size_t offset)
{
	return (uintptr_t)end->memory + offset;
}

static void every_operation(struct uroce_end *from, struct uroce_end *to)
{
	uint64_t *word = (void *)(to->memory + AT);
	struct ibv_send_wr add = {
		.opcode = IBV_WR_ATOMIC_FETCH_AND_ADD,
		.wr.atomic = {.remote_addr = address_of(to, AT),
			      .compare_add = 5,
			      .rkey = to->mr->rkey},
	};

	memset(from->memory, 'a', LENGTH);
	uroce_bed_recv(to, 1, 0, LENGTH);
	assert_int_equal(uroce_bed_send(from, IBV_WR_SEND, 0, LENGTH, 0, 0), 0);
	assert_int_equal(result(from), IBV_WC_SUCCESS);
	assert_int_equal(result(to), IBV_WC_SUCCESS);
	assert_memory_equal(to->memory, from->memory, LENGTH);

	memset(from->memory, 'b', LENGTH);
	assert_int_equal(uroce_bed_send(from, IBV_WR_RDMA_WRITE, 0, LENGTH, address_of(to, 0),
					to->mr->rkey),
			 0);
	assert_int_equal(result(from), IBV_WC_SUCCESS);
	assert_memory_equal(to->memory, from->memory, LENGTH);

	memset(to->memory, 'c', LENGTH);
	assert_int_equal(uroce_bed_send(from, IBV_WR_RDMA_READ, 0, LENGTH, address_of(to, 0),
					to->mr->rkey),
			 0);
	assert_int_equal(result(from), IBV_WC_SUCCESS);
	assert_memory_equal(to->memory, from->memory, LENGTH);

	*word = 37;
	assert_int_equal(uroce_bed_post(from, &add, AT, sizeof(*word)), 0);
	assert_int_equal(result(from), IBV_WC_SUCCESS);
	assert_int_equal(*word, 42);
	assert_int_equal(*(uint64_t *)(void *)(from->memory + AT), 37);
}

static void operations_in_both_directions(void **state)
{
	struct uroce_end ends[2];

	open_end_on_each(*state, ends, &bed_options);
	every_operation(&ends[0], &ends[1]);
	every_operation(&ends[1], &ends[0]);
	close_on_each(ends);
}

/* The receiver's engine wakes the sender, whose slot in that node has no engine of its own. */
static void a_send_waits_for_a_receive(void **state)
{
	struct uroce_end ends[2];

	open_end_on_each(*state, ends, &bed_options);
	for (int round = 0; round < 20; round++) {
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, LENGTH, 0, 0), 0);
		uroce_bed_recv(&ends[1], 1, 0, LENGTH);
		assert_int_equal(uroce_bed_sleep(&ends[0]).status, IBV_WC_SUCCESS);
		assert_int_equal(uroce_bed_sleep(&ends[1]).status, IBV_WC_SUCCESS);
	}
	close_on_each(ends);
}

/* The first QPs of two devices have the same number. */
static void a_qp_of_the_same_number_on_another_device(void **state)
{
	struct uroce_options options = bed_options;
	struct uroce_end ends[2], stranger;

	open_end_on_each(*state, ends, &options);
	assert_int_equal(ends[0].qp->qp_num, ends[1].qp->qp_num);
	open_end_of(*state, "uroce1", &stranger, &options);
	/* It claims to be the peer of a QP that is connected to the same number on the other device. */
	assert_int_equal(uroce_bed_init(&stranger, &options), 0);
	assert_int_equal(uroce_bed_rtr_to(&stranger, &ends[1], &options), 0);
	assert_int_equal(uroce_bed_rts(&stranger, &options), 0);
	uroce_bed_recv(&ends[1], 1, 0, LENGTH);
	assert_int_equal(uroce_bed_send(&stranger, IBV_WR_SEND, 0, LENGTH, 0, 0), 0);
	assert_int_equal(result(&stranger), IBV_WC_RETRY_EXC_ERR);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, LENGTH, 0, 0), 0);
	assert_int_equal(result(&ends[0]), IBV_WC_SUCCESS);
	assert_int_equal(result(&ends[1]), IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_close(&stranger), 0);
	close_on_each(ends);
}

static void the_other_device_is_removed(void **state)
{
	const struct uroce_bed *bed = *state;
	struct uroce_end ends[2];

	for (int round = 0; round < 3; round++) {
		open_end_on_each(bed, ends, &bed_options);
		every_operation(&ends[0], &ends[1]);
		assert_int_equal(tree_remove(bed->tree, 1), 0);
		assert_int_equal(uroce_bed_event(&ends[1]), IBV_EVENT_DEVICE_FATAL);
		assert_int_equal(uroce_bed_close(&ends[1]), 0);
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, LENGTH, 0, 0), 0);
		assert_int_equal(result(&ends[0]), IBV_WC_RETRY_EXC_ERR);
		/* The same name, and another device. */
		add_device_with_address(bed, 1, "uroce1");
		assert_int_equal(uroce_bed_close(&ends[0]), 0);
	}
}

/* One context, and a device that comes and goes: it visits each life of it. */
static void one_context_and_many_lives(void **state)
{
	const struct uroce_bed *bed = *state;
	struct uroce_end ends[2];
	struct ibv_qp *first;

	open_end_of(bed, "uroce0", &ends[0], &bed_options);
	first = ends[0].qp;
	for (int round = 0; round < 80; round++) {
		open_end_of(bed, "uroce1", &ends[1], &bed_options);
		uroce_bed_qp(&ends[0], &bed_options);
		connect_across(&ends[0], &ends[1], &bed_options);
		connect_across(&ends[1], &ends[0], &bed_options);
		every_operation(&ends[0], &ends[1]);
		assert_int_equal(uroce_bed_close(&ends[1]), 0);
		assert_int_equal(ibv_destroy_qp(ends[0].qp), 0);
		assert_int_equal(tree_remove(bed->tree, 1), 0);
		add_device_with_address(bed, 1, "uroce1");
	}
	ends[0].qp = first;
	assert_int_equal(uroce_bed_close(&ends[0]), 0);
}

static unsigned int count_threads(void)
{
	DIR *tasks = opendir("/proc/self/task");
	unsigned int count = 0;

	assert_non_null(tasks);
	while (readdir(tasks))
		count++;
	closedir(tasks);
	return count;
}

/* A visit that no QP uses any more ends when another device is visited. */
static void devices_one_after_the_other(void **state)
{
	const struct uroce_bed *bed = *state;
	struct uroce_end ends[3];
	unsigned int threads = 0;
	struct ibv_qp *first;

	add_device_with_address(bed, 2, "uroce2");
	open_end_of(bed, "uroce0", &ends[0], &bed_options);
	open_end_of(bed, "uroce1", &ends[1], &bed_options);
	open_end_of(bed, "uroce2", &ends[2], &bed_options);
	first = ends[0].qp;
	for (int round = 0; round < 10; round++) {
		uroce_bed_qp(&ends[0], &bed_options);
		connect_across(&ends[0], &ends[1 + round % 2], &bed_options);
		assert_int_equal(ibv_destroy_qp(ends[0].qp), 0);
		if (!threads)
			threads = count_threads();
		assert_int_equal(count_threads(), threads);
	}
	ends[0].qp = first;
	for (int i = 0; i < 3; i++)
		assert_int_equal(uroce_bed_close(&ends[i]), 0);
}

/* A process whose QPs are on the wire has no peers on the direct path. */
static void a_peer_that_wants_the_wire(void **state)
{
	struct uroce_end ends[2];

	unsetenv("HOLDFAST_UROCE_PATH");
	open_end_of(*state, "uroce0", &ends[0], &bed_options);
	setenv("HOLDFAST_UROCE_PATH", "wire", 1);
	open_end_of(*state, "uroce1", &ends[1], &bed_options);
	setenv("HOLDFAST_UROCE_PATH", "direct", 1);
	assert_int_equal(uroce_bed_init(&ends[0], &bed_options), 0);
	assert_int_equal(uroce_bed_rtr_to(&ends[0], &ends[1], &bed_options), ENETUNREACH);
	close_on_each(ends);
}

static void no_such_value_of_the_variable(void **state)
{
	struct uroce_end ends[2];

	setenv("HOLDFAST_UROCE_PATH", "auto", 1);
	open_end_on_each(*state, ends, &bed_options);
	every_operation(&ends[0], &ends[1]);
	close_on_each(ends);
	setenv("HOLDFAST_UROCE_PATH", "shortest", 1);
	open_end_of(*state, "uroce0", &ends[0], &bed_options);
	assert_int_equal(uroce_bed_init(&ends[0], &bed_options), 0);
	assert_int_equal(uroce_bed_rtr_to(&ends[0], &ends[0], &bed_options), EINVAL);
	assert_int_equal(uroce_bed_close(&ends[0]), 0);
}

/* A child that leaves with the parent's visit takes nothing from it. */
static void a_forked_child_of_a_visitor(void **state)
{
	struct uroce_end ends[2];
	int status;
	pid_t child;

	open_end_on_each(*state, ends, &bed_options);
	child = fork();
	if (!child) {
		(void)uroce_bed_close(&ends[0]);
		uroce_bed_leave();
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	every_operation(&ends[0], &ends[1]);
	close_on_each(ends);
}

#define WITH_DEVICES(test) \
	cmocka_unit_test_setup_teardown(test, setup_two_devices, uroce_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_DEVICES(operations_in_both_directions),
		WITH_DEVICES(a_send_waits_for_a_receive),
		WITH_DEVICES(a_qp_of_the_same_number_on_another_device),
		WITH_DEVICES(the_other_device_is_removed),
		WITH_DEVICES(one_context_and_many_lives),
		WITH_DEVICES(devices_one_after_the_other),
		WITH_DEVICES(a_peer_that_wants_the_wire),
		WITH_DEVICES(no_such_value_of_the_variable),
		WITH_DEVICES(a_forked_child_of_a_visitor),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
