/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Processes of the provider uroce that end, stop or are damaged: one-sided requests to a stopped process, errors
 * of the peers of a killed one, what is left behind, and a segment that somebody overwrote.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "providers/uroce/segment.h"
#include "t/tree/uroce_bed.h"

/* What a child tells of itself. */
struct facts {
	uint32_t qpn, rkey;
	uint64_t address;
};

struct child {
	pid_t pid;
	int to[2], from[2];
	struct facts facts;
};

/* A process with a QP that is connected to `number`, which then does nothing. */
static void be_uroce_child(const struct uroce_bed *bed, struct child *child, bool forks)
{
	struct uroce_end end;
	struct facts facts;
	uint32_t number;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	uroce_bed_open(bed, &end);
	uroce_bed_qp(&end, &bed_options);
	assert_int_equal(uroce_bed_init(&end, &bed_options), 0);
	for (int i = 0; i < BED_DEPTH; i++)
		uroce_bed_recv(&end, (uint64_t)i, 0, 64);
	facts = (struct facts){end.qp->qp_num, end.mr->rkey, (uintptr_t)end.memory};
	if (write(child->from[1], &facts, sizeof(facts)) < 0 ||
	    read(child->to[0], &number, sizeof(number)) != sizeof(number))
		_exit(1);
	uroce_bed_connect(&end, number, &bed_options);
	/* A child that outlives it, with copies of all its descriptors. */
	if (forks && !fork()) {
		if (!read(child->to[0], &number, 1))
			uroce_bed_leave();
		_exit(1);
	}
	if (write(child->from[1], "", 1) != 1)
		_exit(1);
	for (;;)
		pause();
}

static void start_child(const struct uroce_bed *bed, struct child *child, bool forks)
{
	assert_int_equal(pipe(child->to), 0);
	assert_int_equal(pipe(child->from), 0);
	child->pid = fork();
	if (!child->pid) {
		close(child->to[1]);
		be_uroce_child(bed, child, forks);
	}
	assert_true(child->pid > 0);
	close(child->to[0]);
	close(child->from[1]);
	assert_int_equal(read(child->from[0], &child->facts, sizeof(child->facts)),
			 sizeof(child->facts));
}

static void connect_child(struct child *child, struct uroce_end *end)
{
	char byte;

	assert_int_equal(write(child->to[1], &end->qp->qp_num, sizeof(end->qp->qp_num)),
			 sizeof(end->qp->qp_num));
	assert_int_equal(read(child->from[0], &byte, 1), 1);
	uroce_bed_connect(end, child->facts.qpn, &bed_options);
}

static void kill_uroce_child(struct child *child)
{
	assert_int_equal(kill(child->pid, SIGKILL), 0);
	assert_int_equal(waitpid(child->pid, NULL, 0), child->pid);
}

static void end_pipes(struct child *child)
{
	close(child->to[1]);
	close(child->from[0]);
}

static void open_with_qp(const struct uroce_bed *bed, struct uroce_end *end)
{
	uroce_bed_open(bed, end);
	uroce_bed_qp(end, &bed_options);
}

/* Blocks of the device's file: what is left behind. */
static blkcnt_t blocks(const struct uroce_bed *bed)
{
	struct stat st;

	assert_int_equal(stat(bed->node, &st), 0);
	return st.st_blocks;
}

static void a_stopped_peer(void **state)
{
	struct child child;
	struct uroce_end end;
	int status;

	start_child(*state, &child, false);
	open_with_qp(*state, &end);
	connect_child(&child, &end);
	assert_int_equal(kill(child.pid, SIGSTOP), 0);
	assert_int_equal(waitpid(child.pid, &status, WUNTRACED), child.pid);
	for (int i = 0; i < BED_DEPTH; i++) {
		assert_int_equal(uroce_bed_send(&end, IBV_WR_SEND, 0, 8, 0, 0), 0);
		assert_int_equal(uroce_bed_wait(&end).status, IBV_WC_SUCCESS);
	}
	strcpy(end.memory, "one-sided");
	assert_int_equal(uroce_bed_send(&end, IBV_WR_RDMA_WRITE, 0, 10, child.facts.address + 100,
					child.facts.rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&end).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_send(&end, IBV_WR_RDMA_READ, 50, 10, child.facts.address + 100,
					child.facts.rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&end).status, IBV_WC_SUCCESS);
	assert_string_equal(end.memory + 50, "one-sided");
	/* No receive request is left; the request waits, until the peer is killed as it is. */
	assert_int_equal(uroce_bed_send(&end, IBV_WR_SEND, 0, 8, 0, 0), 0);
	kill_uroce_child(&child);
	assert_int_equal(uroce_bed_sleep(&end).status, IBV_WC_RETRY_EXC_ERR);
	end_pipes(&child);
	assert_int_equal(uroce_bed_close(&end), 0);
}

static void a_killed_peer(void **state)
{
	for (int forks = 0; forks < 2; forks++) {
		struct child child;
		struct uroce_end end;

		start_child(*state, &child, forks);
		open_with_qp(*state, &end);
		connect_child(&child, &end);
		kill_uroce_child(&child);
		assert_int_equal(uroce_bed_send(&end, IBV_WR_RDMA_WRITE, 0, 8, child.facts.address,
						child.facts.rkey),
				 0);
		assert_int_equal(uroce_bed_wait(&end).status, IBV_WC_RETRY_EXC_ERR);
		assert_int_equal(uroce_bed_state(&end), IBV_QPS_ERR);
		end_pipes(&child);
		assert_int_equal(uroce_bed_close(&end), 0);
	}
}

static void nothing_is_left_behind(void **state)
{
	struct uroce_bed *bed = *state;
	struct uroce_end end;
	blkcnt_t before;

	open_with_qp(bed, &end);
	assert_int_equal(uroce_bed_close(&end), 0);
	before = blocks(bed);
	for (int i = 0; i < 10; i++) {
		struct child child;

		start_child(bed, &child, i % 2);
		open_with_qp(bed, &end);
		connect_child(&child, &end);
		kill_uroce_child(&child);
		end_pipes(&child);
		assert_int_equal(uroce_bed_close(&end), 0);
	}
	/* The next one that opens the device cleans up after the last one. */
	open_with_qp(bed, &end);
	assert_int_equal(uroce_bed_close(&end), 0);
	assert_int_equal(blocks(bed), before);
}

static void everybody_could_write(void **state)
{
	struct uroce_bed *bed = *state;
	struct ibv_context *context;
	struct ibv_device *device;

	assert_int_equal(chmod(bed->node, 0666), 0);
	assert_int_equal(hf_device_by_name(bed->hf, "uroce0", &device), 0);
	assert_int_equal(hf_device_open(device, &context), -EACCES);
	hf_device_unref(device);
}

/* Random bytes over everything that is shared: errors, and no end of the process. */
static void a_damaged_segment(void **state)
{
	struct uroce_bed *bed = *state;
	uint32_t random = 12345;
	size_t size;
	char *node;
	int fd;

	for (int round = 0; round < 40; round++) {
		struct uroce_end ends[2];
		struct ibv_wc wc;
		struct stat st;

		uroce_bed_pair(bed, ends, &bed_options);
		fd = open(bed->node, O_RDWR | O_CLOEXEC);
		assert_int_equal(fstat(fd, &st), 0);
		size = (size_t)st.st_size;
		node = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
		assert_ptr_not_equal(node, MAP_FAILED);
		for (off_t at = lseek(fd, 0, SEEK_DATA); at >= 0 && (size_t)at < size;) {
			const off_t end = lseek(fd, at, SEEK_HOLE);

			for (size_t i = (size_t)at; i < (size_t)end; i += 4) {
				random = random * 1664525 + 1013904223;
				if (random >> 24 < (unsigned int)round)
					memcpy(node + i, &random, 4);
			}
			at = lseek(fd, end, SEEK_DATA);
		}
		for (int i = 0; i < 4; i++) {
			uroce_bed_send(&ends[i % 2], i < 2 ? IBV_WR_SEND : IBV_WR_RDMA_WRITE, 0, 8,
				       (uintptr_t)ends[1 - i % 2].memory, ends[1 - i % 2].mr->rkey);
			ibv_poll_cq(ends[i % 2].cq, 1, &wc);
			uroce_bed_state(&ends[i % 2]);
		}
		munmap(node, size);
		close(fd);
		uroce_bed_close(&ends[0]);
		uroce_bed_close(&ends[1]);
		assert_int_equal(truncate(bed->node, 0), 0);
	}
}

/* The slot of the context that was opened as number `who` of those that are open. */
static void find_slot(const struct uroce_bed *bed, int who, uint32_t *ret, uint32_t *generation)
{
	const int fd = open(bed->node, O_RDWR | O_CLOEXEC);
	struct uroce_header *header =
		mmap(NULL, sizeof(*header), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	assert_ptr_not_equal(header, MAP_FAILED);
	for (uint32_t slot = 0; slot < UROCE_SLOTS; slot++) {
		if (!atomic_load(&header->slots[slot].life) || who--)
			continue;
		*ret = slot;
		*generation = atomic_load(&header->slots[slot].generation);
		break;
	}
	munmap(header, sizeof(*header));
	close(fd);
}

/* Every lock is held by the given context, if one believes the file. */
static void plant_locks(const struct uroce_bed *bed, uint32_t holder)
{
	const int fd = open(bed->node, O_RDWR | O_CLOEXEC);
	struct uroce_header *header;
	struct stat st;

	assert_int_equal(fstat(fd, &st), 0);
	header = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(header, MAP_FAILED);
	/* No thread has this number. */
	atomic_store(&header->table_lock, holder ? 0x3fffffff : 0);
	for (int i = 0; i < UROCE_ATOMIC_LOCKS; i++)
		atomic_store(&header->atomic_locks[i].holder, holder);
	for (uint32_t slot = 0; slot < UROCE_SLOTS; slot++) {
		struct uroce_arena *arena =
			(void *)((char *)header + UROCE_ARENA_FIRST + slot * UROCE_ARENA_SIZE);

		if (!atomic_load(&header->slots[slot].life))
			continue;
		for (int i = 0; i < 8; i++) {
			atomic_store(&arena->qps[i].rq.lock.holder, holder);
			atomic_store(&arena->cqs[i].lock.holder, holder);
		}
	}
	munmap(header, (size_t)st.st_size);
	close(fd);
}

/*
 * A lock whose holder is stopped, or that was overwritten, is nobody's for ever: requests fail by their time-outs,
 * and all can be destroyed. One that names ourselves cannot be right.
 */
static void locks_that_are_never_released(void **state)
{
	struct uroce_bed *bed = *state;

	for (int who = 0; who < 3; who++) {
		struct uroce_end ends[3];
		uint32_t generation = 0, slot = 0;
		enum ibv_wc_status status;

		uroce_bed_pair(bed, ends, &bed_options);
		uroce_bed_open(bed, &ends[2]);
		uroce_bed_recv(&ends[1], 1, 0, 8);
		find_slot(bed, who, &slot, &generation);
		plant_locks(bed, generation << 16 | (slot + 1));
		assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 8, 0, 0), 0);
		/* Its completion cannot be added either, until the lock is released. */
		if (who)
			plant_locks(bed, 0);
		status = uroce_bed_wait(&ends[0]).status;
		assert_true(status == IBV_WC_SUCCESS || status == IBV_WC_RETRY_EXC_ERR);
		plant_locks(bed, 0);
		for (int i = 0; i < 3; i++)
			assert_int_equal(uroce_bed_close(&ends[i]), 0);
	}
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, uroce_bed_setup, uroce_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(a_stopped_peer),	  WITH_BED(a_killed_peer),
		WITH_BED(nothing_is_left_behind), WITH_BED(everybody_could_write),
		WITH_BED(a_damaged_segment),	  WITH_BED(locks_that_are_never_released),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
