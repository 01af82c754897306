/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Memory that a program takes back while messages for it are under way, on both paths of the provider uroce. Functions
 * of this program stand in for system calls of the provider: what happens at the same time happens there.
 */
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <cmocka.h>

#include "providers/uroce/segment.h"
#include "t/tree/uroce_bed.h"

enum { MTU = 4096, MAPPED_SLOTS = 8, UNUSED_ACCESS = UROCE_ACCESSES - 1 };

/* ---- System calls ---- */

static atomic_bool holds_packets; /* sockets have none, except for the thread that has: */
static __thread bool may_receive;
static __thread unsigned int looks;
static atomic_bool takes_address; /* of the first range of the next copy to another process */

/* What the CQ has when this memory is written was there before that. */
static const char *_Atomic watched;
static struct ibv_cq *watched_cq;
static struct ibv_wc seen;
static atomic_int seen_count;

__attribute__((visibility("default"))) int
recvmmsg(int fd, struct mmsghdr *messages, unsigned int count, int flags, struct timespec *timeout)
{
	looks++;
	if (!may_receive && atomic_load(&holds_packets)) {
		errno = EAGAIN;
		return -1;
	}
	return (int)syscall(SYS_recvmmsg, fd, messages, count, flags, timeout);
}

static bool is_watched_memory(const struct iovec *remote)
{
	const char *memory = atomic_load(&watched);

	return memory && (uintptr_t)remote->iov_base - (uintptr_t)memory < BED_SIZE;
}

__attribute__((visibility("default"))) ssize_t
process_vm_writev(pid_t pid, const struct iovec *local, unsigned long locals,
		  const struct iovec *remote, unsigned long remotes, unsigned long flags)
{
	if (is_watched_memory(remote) && ibv_poll_cq(watched_cq, 1, &seen) == 1)
		atomic_fetch_add(&seen_count, 1);
	/* As one does who is slow, and meant the request before this one: the segment is writable for everyone. */
	if (remotes == 2 && atomic_exchange(&takes_address, false))
		((struct iovec *)(uintptr_t)remote)[0].iov_base = NULL;
	return syscall(SYS_process_vm_writev, pid, local, locals, remote, remotes, flags);
}

/* ---- On the wire: the data of several packets is copied by one call ---- */

static void connect_with_large_packets(struct uroce_end *end, uint32_t number)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_4096,
		.dest_qp_num = number,
		.rq_psn = 7,
		.max_dest_rd_atomic = 4,
		.min_rnr_timer = 1,
		.ah_attr = {.is_global = 1, .port_num = 1, .grh = {.hop_limit = 1}},
	};

	assert_int_equal(uroce_bed_init(end, &bed_options), 0);
	assert_int_equal(ibv_query_gid(end->context, 1, 0, &attr.ah_attr.grh.dgid), 0);
	assert_int_equal(ibv_modify_qp(end->qp, &attr,
				       IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
					       IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
					       IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER),
			 0);
	assert_int_equal(uroce_bed_rts(end, &bed_options), 0);
}

/* The last packet of a message does not fit. When the error is told, nobody writes to the memory any more. */
static void nothing_is_written_after_an_error(void **state)
{
	struct uroce_end ends[2];
	struct ibv_wc wc;

	for (int i = 0; i < 2; i++) {
		uroce_bed_open(*state, &ends[i]);
		uroce_bed_qp(&ends[i], &bed_options);
	}
	for (int i = 0; i < 2; i++)
		connect_with_large_packets(&ends[i], ends[1 - i].qp->qp_num);
	uroce_bed_recv(&ends[1], 1, 0, MTU + 100);
	atomic_store(&seen_count, 0);
	watched_cq = ends[1].cq;
	atomic_store(&watched, ends[1].memory);
	/* All packets come at once, also those that the kernel gives to the sender, which hands them over. */
	may_receive = true;
	atomic_store(&holds_packets, true);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 2 * MTU, 0, 0), 0);
	for (looks = 0; !looks;)
		assert_int_equal(ibv_poll_cq(ends[0].cq, 1, &wc), 0);
	atomic_store(&holds_packets, false);
	assert_int_not_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	atomic_store(&watched, NULL);
	assert_int_equal(atomic_load(&seen_count), 0);
	assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_LOC_LEN_ERR);
	for (int i = 0; i < 2; i++)
		assert_int_equal(uroce_bed_close(&ends[i]), 0);
}

/* ---- On the direct path ---- */

/* One of two ranges of a message has lost its address, though nobody took the memory away. */
static void an_address_goes_for_another_request(void **state)
{
	struct uroce_end ends[2];
	struct ibv_sge sge[2];
	struct ibv_recv_wr wr = {.wr_id = 5, .sg_list = sge, .num_sge = 2}, *bad;
	struct ibv_wc wc;

	uroce_bed_pair(*state, ends, &bed_options);
	sge[0] = (struct ibv_sge){(uintptr_t)ends[1].memory, 8, ends[1].mr->lkey};
	sge[1] = (struct ibv_sge){(uintptr_t)ends[1].memory + 100, 8, ends[1].mr->lkey};
	assert_int_equal(ibv_post_recv(ends[1].qp, &wr, &bad), 0);
	memcpy(ends[0].memory, "firstlysecondly", 16);
	atomic_store(&takes_address, true);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 16, 0, 0), 0);
	assert_false(atomic_load(&takes_address));
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	wc = uroce_bed_wait(&ends[1]);
	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	assert_memory_equal(ends[1].memory, "firstlys", 8);
	assert_memory_equal(ends[1].memory + 100, "econdly", 8);
	for (int i = 0; i < 2; i++)
		assert_int_equal(uroce_bed_close(&ends[i]), 0);
}

static struct uroce_header *map_segment(const struct uroce_bed *bed)
{
	const int fd = open(bed->node, O_RDWR | O_CLOEXEC);
	struct uroce_header *segment;

	assert_true(fd >= 0);
	segment = mmap(NULL, UROCE_ARENA_FIRST + MAPPED_SLOTS * UROCE_ARENA_SIZE,
		       PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	assert_ptr_not_equal(segment, MAP_FAILED);
	close(fd);
	return segment;
}

static struct uroce_arena *arena_at(struct uroce_header *segment, uint32_t slot)
{
	return (void *)((char *)segment + UROCE_ARENA_FIRST + slot * UROCE_ARENA_SIZE);
}

static uint32_t slot_of_end(struct uroce_header *segment, const struct uroce_end *end)
{
	for (uint32_t slot = 0; slot < MAPPED_SLOTS; slot++)
		if (atomic_load(&segment->slots[slot].life) &&
		    atomic_load(&arena_at(segment, slot)->qps[0].number) == end->qp->qp_num)
			return slot;
	fail();
	return 0;
}

static void *end_region(void *arg)
{
	struct uroce_end *end = arg;

	assert_int_equal(ibv_dereg_mr(end->mr), 0);
	return NULL;
}

static void *move_region(void *arg)
{
	struct uroce_end *end = arg;

	assert_int_equal(ibv_rereg_mr(end->mr, IBV_REREG_MR_CHANGE_TRANSLATION, NULL, end->memory,
				      16, 0),
			 0);
	return NULL;
}

/* A peer's request is under way all the time, so the region waits for it, without its key. */
static void polled_while_its_region_goes(const struct uroce_bed *bed, void *(*how)(void *))
{
	const struct ibv_send_wr send = {.opcode = IBV_WR_SEND, .send_flags = IBV_SEND_INLINE};
	struct uroce_options options = bed_options;
	struct uroce_header *segment;
	struct uroce_end ends[2];
	_Atomic uint32_t *access, *key;
	pthread_t thread;
	struct ibv_wc wc;

	options.access = 0;
	uroce_bed_pair(bed, ends, &options);
	uroce_bed_recv(&ends[1], 1, 64, 8);
	memset(ends[0].memory, 'd', 8);
	assert_int_equal(uroce_bed_post(&ends[0], &send, 0, 8), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	segment = map_segment(bed);
	access = &segment->accesses[slot_of_end(segment, &ends[0])][UNUSED_ACCESS];
	key = &arena_at(segment, slot_of_end(segment, &ends[1]))->mrs[ends[1].mr->lkey >> 16].key;
	atomic_store(access, UINT32_C(1) << 16 | (slot_of_end(segment, &ends[1]) + 1));
	assert_int_equal(pthread_create(&thread, NULL, how, &ends[1]), 0);
	while (atomic_load(key))
		sched_yield();
	wc = uroce_bed_wait(&ends[1]);
	atomic_store(access, 0);
	assert_int_equal(pthread_join(thread, NULL), 0);
	if (how == end_region)
		ends[1].mr = NULL;
	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	assert_memory_equal(ends[1].memory + 64, "dddddddd", 8);
	assert_int_equal(uroce_bed_state(&ends[1]), IBV_QPS_RTS);
	munmap(segment, UROCE_ARENA_FIRST + MAPPED_SLOTS * UROCE_ARENA_SIZE);
	for (int i = 0; i < 2; i++)
		assert_int_equal(uroce_bed_close(&ends[i]), 0);
}

static void polled_while_its_region_ends(void **state)
{
	polled_while_its_region_goes(*state, end_region);
}

static void polled_while_its_region_moves(void **state)
{
	polled_while_its_region_goes(*state, move_region);
}

#define ON_WIRE(test) \
	cmocka_unit_test_setup_teardown(test, uroce_bed_setup_wire, uroce_bed_teardown)
#define DIRECT(test) \
	cmocka_unit_test_setup_teardown(test, uroce_bed_setup_direct, uroce_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_WIRE(nothing_is_written_after_an_error),
		DIRECT(an_address_goes_for_another_request),
		DIRECT(polled_while_its_region_ends),
		DIRECT(polled_while_its_region_moves),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
