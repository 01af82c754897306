/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Software devices on the wire: at full speed no packet is dropped because a socket's default buffer is full. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <netinet/in.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <linux/sock_diag.h>

#include "t/tree/uroce_bed.h"

#ifndef SO_MEMINFO
#define SO_MEMINFO 55
#endif

enum {
	QPS = 64,
	DEPTH = 16,
	MEMORY = 1 << 20,
	DESCRIPTORS = 1024,
	WIRE_PORT = 4791,
	DEFAULT_BUFFER = 2 * 212992, /* as the kernel counts net.core.rmem_max */
};

/* One device's QPs; the memory is for all of them. */
struct buffers_end {
	struct uroce_end bed;
	struct ibv_mr *mr;
	struct ibv_qp *qps[QPS];
	char *bytes;
};

/* Of all sockets of the wire; *count is how many there are. */
static uint32_t packets_dropped(unsigned int *count)
{
	uint32_t drops = 0;

	*count = 0;
	for (int fd = 0; fd < DESCRIPTORS; fd++) {
		struct sockaddr_in address = {0};
		socklen_t length = sizeof(address);
		uint32_t memory[SK_MEMINFO_VARS] = {0};

		if (getsockname(fd, (struct sockaddr *)&address, &length) ||
		    address.sin_family != AF_INET || address.sin_port != htons(WIRE_PORT))
			continue;
		length = sizeof(memory);
		assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_MEMINFO, memory, &length), 0);
		assert_in_range(memory[SK_MEMINFO_RCVBUF], 1, DEFAULT_BUFFER);
		drops += memory[SK_MEMINFO_DROPS];
		++*count;
	}
	return drops;
}

static void open_buffers_end(const struct uroce_bed *bed, const char *name, struct buffers_end *end,
			     unsigned int count)
{
	memset(end, 0, sizeof(*end));
	uroce_bed_open_device(bed, name, &end->bed);
	end->bytes = mmap(NULL, MEMORY, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	assert_ptr_not_equal(end->bytes, MAP_FAILED);
	end->mr = ibv_reg_mr(end->bed.pd, end->bytes, MEMORY,
			     IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE |
				     IBV_ACCESS_REMOTE_READ);
	end->bed.cq = ibv_create_cq(end->bed.context, QPS * DEPTH, NULL, NULL, 0);
	assert_true(end->mr && end->bed.cq);
	for (unsigned int i = 0; i < count; i++) {
		struct ibv_qp_init_attr init = {.send_cq = end->bed.cq,
						.recv_cq = end->bed.cq,
						.cap = {DEPTH, 1, 1, 1, 0},
						.qp_type = IBV_QPT_RC,
						.sq_sig_all = 1};

		end->qps[i] = ibv_create_qp(end->bed.pd, &init);
		assert_non_null(end->qps[i]);
	}
}

static void join_qp(struct ibv_qp *qp, const union ibv_gid *gid, uint32_t number)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_INIT,
				   .port_num = 1,
				   .qp_access_flags = IBV_ACCESS_REMOTE_WRITE |
						      IBV_ACCESS_REMOTE_READ};

	assert_int_equal(ibv_modify_qp(qp, &attr,
				       IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
					       IBV_QP_ACCESS_FLAGS),
			 0);
	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTR,
		.path_mtu = IBV_MTU_4096,
		.dest_qp_num = number,
		.max_dest_rd_atomic = 16,
		.ah_attr = {.is_global = 1, .port_num = 1, .grh = {.dgid = *gid, .hop_limit = 1}}};
	assert_int_equal(ibv_modify_qp(qp, &attr,
				       IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU |
					       IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
					       IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER),
			 0);
	attr = (struct ibv_qp_attr){
		.qp_state = IBV_QPS_RTS, .timeout = 20, .retry_cnt = 7, .max_rd_atomic = 16};
	assert_int_equal(ibv_modify_qp(qp, &attr,
				       IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT |
					       IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
					       IBV_QP_MAX_QP_RD_ATOMIC),
			 0);
}

/* All QPs of the first end have their queues full of requests until all are done. */
static void run_requests(struct buffers_end ends[2], unsigned int count, enum ibv_wr_opcode opcode,
			 uint32_t size)
{
	const unsigned int all = size > 4096 ? 128 : 1024;
	unsigned int posted = 0, done = 0;
	struct ibv_wc wc[16];

	while (done < all) {
		int got;

		for (; posted < all && posted - done < DEPTH * count; posted++) {
			struct ibv_sge sge = {(uintptr_t)ends[0].bytes, size, ends[0].mr->lkey};
			struct ibv_send_wr wr = {.sg_list = &sge,
						 .num_sge = 1,
						 .opcode = opcode,
						 .wr.rdma = {(uintptr_t)ends[1].bytes,
							     ends[1].mr->rkey}};
			struct ibv_send_wr *bad;

			/* The completions of some may be late. */
			if (ibv_post_send(ends[0].qps[posted % count], &wr, &bad))
				break;
		}
		got = ibv_poll_cq(ends[0].bed.cq, 16, wc);
		assert_true(got >= 0);
		for (int i = 0; i < got; i++)
			assert_int_equal(wc[i].status, IBV_WC_SUCCESS);
		done += (unsigned int)got;
	}
}

static void close_buffers_end(struct buffers_end *end, unsigned int count)
{
	for (unsigned int i = 0; i < count; i++)
		assert_int_equal(ibv_destroy_qp(end->qps[i]), 0);
	assert_int_equal(ibv_dereg_mr(end->mr), 0);
	munmap(end->bytes, MEMORY);
	assert_int_equal(uroce_bed_close(&end->bed), 0);
}

static void nothing_dropped_with(const struct uroce_bed *bed, unsigned int count)
{
	static const uint32_t sizes[] = {8, 1000, 12288, 65536};
	struct buffers_end ends[2];
	union ibv_gid gids[2];
	unsigned int sockets;

	for (int i = 0; i < 2; i++) {
		open_buffers_end(bed, i ? "uroce1" : "uroce0", &ends[i], count);
		assert_int_equal(ibv_query_gid(ends[i].bed.context, 1, 0, &gids[i]), 0);
	}
	for (unsigned int i = 0; i < count; i++) {
		join_qp(ends[0].qps[i], &gids[1], ends[1].qps[i]->qp_num);
		join_qp(ends[1].qps[i], &gids[0], ends[0].qps[i]->qp_num);
	}
	for (size_t i = 0; i < sizeof(sizes) / sizeof(sizes[0]); i++) {
		run_requests(ends, count, IBV_WR_RDMA_WRITE, sizes[i]);
		assert_int_equal(packets_dropped(&sockets), 0);
		run_requests(ends, count, IBV_WR_RDMA_READ, sizes[i]);
		assert_int_equal(packets_dropped(&sockets), 0);
		assert_int_equal(sockets, 2);
	}
	for (int i = 0; i < 2; i++)
		close_buffers_end(&ends[i], count);
}

static void nothing_is_dropped(void **state)
{
	const int pid = getpid();
	struct uroce_bed *bed = *state;
	char gid[64];

	/* An address beside that of the first device. */
	assert_int_equal(tree_add(bed->tree, 1, "uroce1", &bed_device), 0);
	snprintf(gid, sizeof(gid), "0000:0000:0000:0000:0000:ffff:7f%02x:%04x",
		 (unsigned int)(201 + pid / 65536 % 50), (unsigned int)(pid % 65536));
	assert_int_equal(tree_set(bed->tree, 1, "ports/1/gids/0", gid), 0);
	nothing_dropped_with(bed, 1);
	nothing_dropped_with(bed, QPS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(nothing_is_dropped, uroce_bed_setup_wire,
						uroce_bed_teardown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
