/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The verbs of the provider uroce as other projects' programs call them: limits, states, errors, what there is not. */
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <net/if.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <cmocka.h>

#include "t/tree/uroce_bed.h"

static void close_both_ends(struct uroce_end ends[2])
{
	assert_int_equal(uroce_bed_close(&ends[0]), 0);
	assert_int_equal(uroce_bed_close(&ends[1]), 0);
}

/* ---- The device and its port ---- */

static void what_the_device_says(void **state)
{
	struct ibv_query_device_ex_input input = {.comp_mask = 1};
	struct ibv_device_attr_ex attr;
	struct ibv_device_attr *orig = &attr.orig_attr;
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	assert_int_equal(ibv_query_device_ex(end.context, &input, &attr), EINVAL);
	assert_int_equal(ibv_query_device_ex(end.context, NULL, &attr), 0);
	assert_int_equal(attr.phys_port_cnt_ex, 1);
	assert_int_equal(orig->phys_port_cnt, 1);
	assert_int_equal(orig->atomic_cap, IBV_ATOMIC_HCA);
	assert_int_equal(orig->max_pkeys, 1);
	assert_true(orig->max_mr > 1000 && orig->max_pd > 1000 && orig->max_ah > 1000);
	assert_int_equal(orig->node_guid, ibv_get_device_guid(end.context->device));
	assert_int_equal(orig->max_qp_rd_atom, orig->max_qp_init_rd_atom);
	assert_true(orig->max_mcast_grp > 0 && orig->max_mcast_qp_attach > 0 &&
		    orig->max_total_mcast_qp_attach > 0);
	/* What it has not, it does not say to have. */
	assert_int_equal(attr.odp_caps.general_caps, 0);
	assert_int_equal(attr.max_dm_size, 0);
	assert_int_equal(attr.tso_caps.max_tso, 0);
	assert_int_equal(attr.raw_packet_caps, 0);
	assert_int_equal(orig->device_cap_flags & (IBV_DEVICE_XRC | IBV_DEVICE_RAW_MULTI), 0);
	assert_int_equal(uroce_bed_close(&end), 0);
}

static void what_the_port_says(void **state)
{
	struct ibv_gid_entry entries[64], entry;
	struct ibv_port_attr port;
	struct uroce_end end;
	union ibv_gid gid;
	__be16 pkey;

	uroce_bed_open(*state, &end);
	assert_int_equal(ibv_query_port(end.context, 0, &port), EINVAL);
	assert_int_equal(ibv_query_port(end.context, 2, &port), EINVAL);
	assert_int_equal(ibv_query_port(end.context, 1, &port), 0);
	assert_int_equal(port.link_layer, IBV_LINK_LAYER_ETHERNET);
	assert_int_equal(port.max_mtu, IBV_MTU_4096);
	assert_int_equal(port.max_msg_sz, 1 << 30);
	assert_int_equal(port.pkey_tbl_len, 1);
	assert_int_equal(port.lid, 0);
	assert_true(port.port_cap_flags & IBV_PORT_IP_BASED_GIDS);

	assert_int_equal(ibv_query_pkey(end.context, 1, 0, &pkey), 0);
	assert_int_equal(pkey, 0xffff);
	assert_int_equal(ibv_get_pkey_index(end.context, 1, 0xffff), 0);
	assert_int_not_equal(ibv_query_pkey(end.context, 1, 1, &pkey), 0);
	assert_int_not_equal(ibv_query_pkey(end.context, 2, 0, &pkey), 0);
	assert_int_equal(ibv_query_gid(end.context, 1, 0, &gid), 0);
	assert_int_equal(ibv_query_gid_ex(end.context, 1, 0, &entry, 0), 0);
	assert_int_equal(entry.gid_type, IBV_GID_TYPE_ROCE_V2);
	assert_int_equal(entry.port_num, 1);
	assert_memory_equal(&entry.gid, &gid, sizeof(gid));
	assert_int_equal(ibv_query_gid_ex(end.context, 1, 0, &entry, 1), EINVAL);
	assert_int_equal(ibv_query_gid_ex(end.context, 2, 0, &entry, 0), EINVAL);
	assert_int_not_equal(ibv_query_gid(end.context, 1, port.gid_tbl_len, &gid), 0);
	assert_true(ibv_query_gid_table(end.context, entries, 64, 0) >= 1);
	assert_memory_equal(&entries[0].gid, &entry.gid, sizeof(gid));
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* ---- Limits ---- */

static int try_qp(struct uroce_end *end, struct ibv_qp_init_attr_ex *init)
{
	struct ibv_qp *qp;

	init->pd = end->pd;
	init->send_cq = init->recv_cq = end->cq;
	init->comp_mask |= IBV_QP_INIT_ATTR_PD;
	errno = 0;
	qp = ibv_create_qp_ex(end->context, init);
	if (qp)
		assert_int_equal(ibv_destroy_qp(qp), 0);
	return qp ? 0 : errno;
}

static int try_cq(struct uroce_end *end, int cqe, int vector)
{
	struct ibv_cq *cq;
	int err;

	errno = 0;
	cq = ibv_create_cq(end->context, cqe, NULL, NULL, vector);
	err = cq ? 0 : errno;
	if (cq) {
		assert_true(cq->cqe >= cqe);
		assert_int_equal(ibv_resize_cq(cq, cqe), 0);
		assert_int_equal(ibv_resize_cq(cq, 0), EINVAL);
		assert_int_equal(ibv_destroy_cq(cq), 0);
	}
	return err;
}

static void limits_of_cqs_and_srqs(void **state)
{
	struct ibv_srq_init_attr init = {.attr = {.max_wr = 1, .max_sge = 1}};
	struct ibv_device_attr device;
	struct ibv_srq_attr attr;
	struct uroce_end end;
	struct ibv_srq *srq;

	uroce_bed_open(*state, &end);
	assert_int_equal(ibv_query_device(end.context, &device), 0);
	assert_int_equal(try_cq(&end, 0, 0), EINVAL);
	assert_int_equal(try_cq(&end, -1, 0), EINVAL);
	assert_int_equal(try_cq(&end, 1, 0), 0);
	assert_int_equal(try_cq(&end, device.max_cqe, 0), 0);
	assert_int_equal(try_cq(&end, device.max_cqe + 1, 0), EINVAL);
	assert_int_equal(try_cq(&end, 1, end.context->num_comp_vectors), EINVAL);
	assert_int_equal(try_cq(&end, 1, -1), EINVAL);

	init.attr.max_wr = (uint32_t)device.max_srq_wr + 1;
	assert_null(ibv_create_srq(end.pd, &init));
	assert_int_equal(errno, EINVAL);
	init.attr.max_wr = 8;
	init.attr.max_sge = (uint32_t)device.max_srq_sge + 1;
	assert_null(ibv_create_srq(end.pd, &init));
	assert_int_equal(errno, EINVAL);
	init.attr.max_sge = (uint32_t)device.max_srq_sge;
	srq = ibv_create_srq(end.pd, &init);
	assert_non_null(srq);
	assert_int_equal(ibv_query_srq(srq, &attr), 0);
	assert_true(attr.max_wr >= 8 && attr.max_sge >= init.attr.max_sge && !attr.srq_limit);
	attr.srq_limit = attr.max_wr + 1;
	assert_int_equal(ibv_modify_srq(srq, &attr, IBV_SRQ_LIMIT), EINVAL);
	assert_int_equal(ibv_destroy_srq(srq), 0);
	assert_int_equal(uroce_bed_close(&end), 0);
}

static void limits_of_qps(void **state)
{
	const struct ibv_qp_init_attr_ex good = {
		.cap = {8, 8, 2, 2, 64}, .qp_type = IBV_QPT_RC, .sq_sig_all = 1};
	struct ibv_qp_init_attr_ex init = good;
	struct ibv_device_attr device;
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	assert_int_equal(ibv_query_device(end.context, &device), 0);
	end.cq = ibv_create_cq(end.context, 1, NULL, NULL, 0);
	assert_int_equal(try_qp(&end, &init), 0);
	assert_true(init.cap.max_send_wr >= 8 && init.cap.max_recv_wr >= 8 &&
		    init.cap.max_send_sge >= 2 && init.cap.max_recv_sge >= 2 &&
		    init.cap.max_inline_data >= 64);
	for (int i = 0; i < 5; i++) {
		const uint32_t over[] = {(uint32_t)device.max_qp_wr + 1,
					 (uint32_t)device.max_qp_wr + 1,
					 (uint32_t)device.max_sge + 1, (uint32_t)device.max_sge + 1,
					 1U << 20};

		init = good;
		((uint32_t *)&init.cap)[i] = over[i];
		assert_int_equal(try_qp(&end, &init), EINVAL);
		if (i == 4)
			break;
		init = good;
		((uint32_t *)&init.cap)[i] = over[i] - 1;
		assert_int_equal(try_qp(&end, &init), 0);
	}
	/* Nothing at all is allowed as well, and an SRQ takes the receive queue's place. */
	init = good;
	memset(&init.cap, 0, sizeof(init.cap));
	assert_int_equal(try_qp(&end, &init), 0);
	/* Flags that are given, but none of them set, are those of programs that always give them. */
	init = good;
	init.comp_mask = IBV_QP_INIT_ATTR_CREATE_FLAGS;
	assert_int_equal(try_qp(&end, &init), 0);
	init.create_flags = IBV_QP_CREATE_SOURCE_QPN;
	assert_int_equal(try_qp(&end, &init), EOPNOTSUPP);
	init.create_flags = IBV_QP_CREATE_BLOCK_SELF_MCAST_LB;
	assert_int_equal(try_qp(&end, &init), EOPNOTSUPP);
	init.qp_type = IBV_QPT_UD;
	assert_int_equal(try_qp(&end, &init), 0);
	for (int type = IBV_QPT_RAW_PACKET; type <= IBV_QPT_DRIVER; type++) {
		init = good;
		init.qp_type = (enum ibv_qp_type)type;
		assert_int_equal(try_qp(&end, &init), EOPNOTSUPP);
	}
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* ---- States ---- */

enum {
	RTR_MASK = IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN | IBV_QP_RQ_PSN |
		   IBV_QP_MAX_DEST_RD_ATOMIC | IBV_QP_MIN_RNR_TIMER,
};

static const struct ibv_qp_attr rtr_values = {
	.qp_state = IBV_QPS_RTR,
	.path_mtu = IBV_MTU_512,
	.rq_psn = 0xfedcba,
	.max_dest_rd_atomic = 3,
	.min_rnr_timer = 12,
	.ah_attr = {.is_global = 1,
		    .port_num = 1,
		    .sl = 3,
		    .grh = {.hop_limit = 7, .traffic_class = 8, .flow_label = 9}},
};

static const struct ibv_qp_attr rts_values = {
	.qp_state = IBV_QPS_RTS,
	.sq_psn = 0x123456,
	.timeout = 14,
	.retry_cnt = 5,
	.rnr_retry = 6,
	.max_rd_atomic = 2,
};

static struct ibv_qp_attr qp_as_asked(struct uroce_end *end)
{
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;

	assert_int_equal(ibv_query_qp(end->qp, &attr, IBV_QP_STATE | IBV_QP_CAP, &init), 0);
	assert_int_equal(attr.cur_qp_state, attr.qp_state);
	assert_int_equal(attr.cap.max_send_wr, init.cap.max_send_wr);
	assert_ptr_equal(init.send_cq, end->cq);
	assert_int_equal(init.qp_type, end->qp->qp_type);
	assert_int_equal(end->qp->state, attr.qp_state);
	return attr;
}

/* What was set is what is read, from the state on in which it was set, until RESET. */
static void attributes_by_state(void **state)
{
	const int rts = IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
			IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC;
	struct ibv_qp_attr to = rtr_values, is;
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	uroce_bed_qp(&end, &bed_options);
	assert_int_equal(qp_as_asked(&end).qp_state, IBV_QPS_RESET);
	assert_int_equal(uroce_bed_init(&end, &bed_options), 0);
	is = qp_as_asked(&end);
	assert_int_equal(is.qp_state, IBV_QPS_INIT);
	assert_int_equal(is.qp_access_flags, bed_options.access);
	assert_int_equal(is.port_num, 1);
	to.dest_qp_num = end.qp->qp_num;
	assert_int_equal(ibv_query_gid(end.context, 1, 0, &to.ah_attr.grh.dgid), 0);
	assert_int_equal(ibv_modify_qp(end.qp, &to, RTR_MASK), 0);
	is = qp_as_asked(&end);
	assert_int_equal(is.qp_state, IBV_QPS_RTR);
	assert_int_equal(is.path_mtu, to.path_mtu);
	assert_int_equal(is.rq_psn, to.rq_psn);
	assert_int_equal(is.dest_qp_num, to.dest_qp_num);
	assert_int_equal(is.max_dest_rd_atomic, to.max_dest_rd_atomic);
	assert_int_equal(is.min_rnr_timer, to.min_rnr_timer);
	assert_memory_equal(&is.ah_attr.grh, &to.ah_attr.grh, sizeof(to.ah_attr.grh));
	assert_int_equal(is.ah_attr.sl, 3);
	to = rts_values;
	assert_int_equal(ibv_modify_qp(end.qp, &to, rts), 0);
	is = qp_as_asked(&end);
	assert_int_equal(is.qp_state, IBV_QPS_RTS);
	assert_int_equal(is.sq_psn, to.sq_psn);
	assert_int_equal(is.timeout, to.timeout);
	assert_int_equal(is.retry_cnt, to.retry_cnt);
	assert_int_equal(is.rnr_retry, to.rnr_retry);
	assert_int_equal(is.max_rd_atomic, to.max_rd_atomic);
	assert_int_equal(is.sq_draining, 0);
	to = (struct ibv_qp_attr){.qp_state = IBV_QPS_ERR};
	assert_int_equal(ibv_modify_qp(end.qp, &to, IBV_QP_STATE), 0);
	assert_int_equal(qp_as_asked(&end).timeout, 14);
	to.qp_state = IBV_QPS_RESET;
	assert_int_equal(ibv_modify_qp(end.qp, &to, IBV_QP_STATE), 0);
	is = qp_as_asked(&end);
	assert_int_equal(is.timeout + is.dest_qp_num + is.path_mtu + is.port_num, 0);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* To a state that a QP of the type may be in; what is between is passed. */
static void bring_to(struct uroce_end *end, enum ibv_qp_state to,
		     const struct uroce_options *options)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};

	assert_int_equal(ibv_modify_qp(end->qp, &attr, IBV_QP_STATE), 0);
	if (to == IBV_QPS_RESET)
		return;
	assert_int_equal(uroce_bed_init(end, options), 0);
	if (to == IBV_QPS_INIT)
		return;
	assert_int_equal(uroce_bed_rtr(end, end->qp->qp_num, options), 0);
	if (to == IBV_QPS_RTR)
		return;
	assert_int_equal(uroce_bed_rts(end, options), 0);
	attr.qp_state = to;
	if (to != IBV_QPS_RTS)
		assert_int_equal(ibv_modify_qp(end->qp, &attr, IBV_QP_STATE), 0);
}

static int go_to(struct uroce_end *end, enum ibv_qp_state from, enum ibv_qp_state to,
		 const struct uroce_options *options)
{
	struct ibv_qp_attr attr = {.qp_state = to, .cur_qp_state = from};

	if (to == IBV_QPS_INIT)
		return uroce_bed_init(end, options);
	if (to == IBV_QPS_RTR)
		return uroce_bed_rtr(end, end->qp->qp_num, options);
	if (to == IBV_QPS_RTS && from != IBV_QPS_SQD && from != IBV_QPS_RTS)
		return uroce_bed_rts(end, options);
	return ibv_modify_qp(end->qp, &attr,
			     IBV_QP_STATE | (to == IBV_QPS_RTS ? IBV_QP_CUR_STATE : 0));
}

/* IBA figure 124, and table 91: each pair of states that a program can bring about. */
static void every_transition(void **state)
{
	/* By the state before: a digit for each state after it, RESET INIT RTR RTS SQD SQE ERR. */
	static const char *const allowed[] = {"1100001", "1110001", "1001001", "1001101",
					      "1001101", NULL,	    "1000001"};
	static const enum ibv_qp_type types[] = {IBV_QPT_RC, IBV_QPT_UC, IBV_QPT_UD};
	struct uroce_options options = bed_options;
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	for (int type = 0; type < 3; type++) {
		options.type = types[type];
		uroce_bed_qp(&end, &options);
		for (int i = 0; i < 7 * 7; i++) {
			const enum ibv_qp_state from = i / 7, to = i % 7;

			if (!allowed[from])
				continue;
			bring_to(&end, from, &options);
			assert_int_equal(go_to(&end, from, to, &options),
					 allowed[from][to] == '1' ? 0 : EINVAL);
			assert_int_equal(uroce_bed_state(&end),
					 allowed[from][to] == '1' ? to : from);
		}
		assert_int_equal(ibv_destroy_qp(end.qp), 0);
		end.qp = NULL;
	}
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* A path's MTU that the port has not, a port that is not there, a key that is not there. */
static void values_out_of_range(void **state)
{
	struct ibv_qp_attr attr = rtr_values;
	struct ibv_port_attr port;
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	uroce_bed_qp(&end, &bed_options);
	assert_int_equal(uroce_bed_init(&end, &bed_options), 0);
	assert_int_equal(ibv_query_port(end.context, 1, &port), 0);
	assert_int_equal(ibv_query_gid(end.context, 1, 0, &attr.ah_attr.grh.dgid), 0);
	attr.path_mtu = (enum ibv_mtu)(port.active_mtu + 1);
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), EINVAL);
	attr.path_mtu = port.active_mtu;
	attr.ah_attr.port_num = 2;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), EINVAL);
	attr.ah_attr.port_num = 1;
	attr.ah_attr.grh.sgid_index = 200;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), EINVAL);
	attr.ah_attr.grh.sgid_index = 0;
	attr.ah_attr.is_global = 0;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), EINVAL);
	attr.ah_attr.is_global = 1;
	attr.max_dest_rd_atomic = 129;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), EINVAL);
	attr.max_dest_rd_atomic = 128;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK | IBV_QP_ALT_PATH), EINVAL);
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK | IBV_QP_CAP), EINVAL);
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), 0);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* In a network namespace of its own, where it sets the MTU of the loopback interface. */
static void a_path_mtu_that_the_interface_has_not(void **state)
{
	struct uroce_bed *bed = *state;
	struct ifreq request = {.ifr_name = "lo", .ifr_mtu = 1500};
	struct ibv_port_attr port;
	struct tree_options follower = bed_device;
	struct ibv_qp_attr attr = rtr_values;
	struct uroce_end end;
	int fd;

	if (unshare(CLONE_NEWNET) && unshare(CLONE_NEWUSER | CLONE_NEWNET)) {
		print_message("no network namespace: %s\n", strerror(errno));
		skip();
	}
	fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	assert_int_equal(ioctl(fd, SIOCSIFMTU, &request), 0);
	request.ifr_flags = IFF_UP;
	assert_int_equal(ioctl(fd, SIOCSIFFLAGS, &request), 0);
	close(fd);
	follower.follow = "lo";
	assert_int_equal(tree_add(bed->tree, 1, "uroce1", &follower), 0);
	uroce_bed_open_device(bed, "uroce1", &end);
	uroce_bed_qp(&end, &bed_options);
	assert_int_equal(uroce_bed_init(&end, &bed_options), 0);
	assert_int_equal(ibv_query_port(end.context, 1, &port), 0);
	assert_int_equal(port.active_mtu, IBV_MTU_1024);
	assert_int_equal(ibv_query_gid(end.context, 1, 0, &attr.ah_attr.grh.dgid), 0);
	attr.path_mtu = IBV_MTU_2048;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), EINVAL);
	attr.path_mtu = IBV_MTU_1024;
	assert_int_equal(ibv_modify_qp(end.qp, &attr, RTR_MASK), 0);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* ---- Events, and completions of what was not executed ---- */

/* The first message in RTR is an event, and so is the last request of an SRQ's QP that failed. */
static void events_of_a_qp(void **state)
{
	struct uroce_end ends[2];
	struct ibv_wc wc;

	for (int i = 0; i < 2; i++) {
		uroce_bed_open(*state, &ends[i]);
		uroce_bed_qp(&ends[i], &bed_options);
	}
	assert_int_equal(uroce_bed_init(&ends[1], &bed_options), 0);
	assert_int_equal(uroce_bed_rtr(&ends[1], ends[0].qp->qp_num, &bed_options), 0);
	uroce_bed_connect(&ends[0], ends[1].qp->qp_num, &bed_options);
	uroce_bed_recv(&ends[1], 1, 0, 8);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 8, 0, 0), 0);
	assert_int_equal(uroce_bed_sleep(&ends[1]).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_event(&ends[1]), IBV_EVENT_COMM_EST);
	assert_int_equal(uroce_bed_rts(&ends[1], &bed_options), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	/* A WRITE without access: the peer's QP fails with its event, and all of its requests. */
	uroce_bed_recv(&ends[1], 2, 0, 8);
	uroce_bed_recv(&ends[0], 3, 0, 8);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 8, 0, ends[1].mr->rkey), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_ACCESS_ERR);
	assert_int_equal(uroce_bed_event(&ends[1]), IBV_EVENT_QP_ACCESS_ERR);
	for (int i = 0; i < 2; i++) {
		wc = uroce_bed_sleep(&ends[i]);
		assert_int_equal(wc.status, IBV_WC_WR_FLUSH_ERR);
		assert_int_equal(wc.wr_id, 3 - i);
		assert_int_equal(wc.qp_num, ends[i].qp->qp_num);
		assert_int_equal(wc.vendor_err, 0);
		assert_int_equal(uroce_bed_state(&ends[i]), IBV_QPS_ERR);
	}
	close_both_ends(ends);
}

/* ---- What there is not ---- */

#define NOT_THERE(call)                              \
	do {                                         \
		errno = 0;                           \
		assert_null(call);                   \
		assert_int_equal(errno, EOPNOTSUPP); \
	} while (0)

static void what_there_is_not(void **state)
{
	struct ibv_xrcd_init_attr xrcd = {.comp_mask = IBV_XRCD_INIT_ATTR_FD |
						       IBV_XRCD_INIT_ATTR_OFLAGS,
					  .fd = -1,
					  .oflags = 0};
	struct ibv_qp_open_attr open = {.comp_mask = IBV_QP_OPEN_ATTR_NUM | IBV_QP_OPEN_ATTR_TYPE};
	struct ibv_srq_init_attr_ex srq = {.attr = {.max_wr = 1, .max_sge = 1},
					   .comp_mask = IBV_SRQ_INIT_ATTR_TYPE |
							IBV_SRQ_INIT_ATTR_PD,
					   .srq_type = IBV_SRQT_TM};
	struct ibv_wq_init_attr wq = {.wq_type = IBV_WQT_RQ, .max_wr = 1, .max_sge = 1};
	struct ibv_rwq_ind_table_init_attr table = {0};
	struct ibv_counters_init_attr counters = {0};
	struct ibv_parent_domain_init_attr parent = {0};
	struct ibv_flow_attr flow = {.size = sizeof(flow), .port = 1};
	struct ibv_alloc_dm_attr dm = {.length = 64};
	struct ibv_td_init_attr td = {0};
	struct ibv_sge sge;
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	uroce_bed_qp(&end, &bed_options);
	srq.pd = parent.pd = wq.pd = end.pd;
	wq.cq = end.cq;
	sge = (struct ibv_sge){(uintptr_t)end.memory, 8, end.mr->lkey};
	NOT_THERE(ibv_open_xrcd(end.context, &xrcd));
	NOT_THERE(ibv_open_qp(end.context, &open));
	NOT_THERE(ibv_create_srq_ex(end.context, &srq));
	NOT_THERE(ibv_create_wq(end.context, &wq));
	NOT_THERE(ibv_create_rwq_ind_table(end.context, &table));
	NOT_THERE(ibv_create_counters(end.context, &counters));
	NOT_THERE(ibv_alloc_td(end.context, &td));
	NOT_THERE(ibv_alloc_parent_domain(end.context, &parent));
	NOT_THERE(ibv_alloc_dm(end.context, &dm));
	NOT_THERE(ibv_create_flow(end.qp, &flow));
	NOT_THERE(ibv_reg_dmabuf_mr(end.pd, 0, 4096, 0, 0, IBV_ACCESS_LOCAL_WRITE));
	assert_int_equal(ibv_advise_mr(end.pd, IBV_ADVISE_MR_ADVICE_PREFETCH, 0, &sge, 1),
			 EOPNOTSUPP);
	assert_null(ibv_reg_mr(end.pd, end.memory, 4096,
			       IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_ON_DEMAND));
	assert_int_equal(errno, EOPNOTSUPP);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* ---- Memory ---- */

static void regions_are_made(void **state)
{
	const size_t huge = (size_t)1 << 32;
	char *large = mmap(NULL, huge, PROT_READ | PROT_WRITE,
			   MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
	struct uroce_end ends[2];
	struct ibv_mr *mr;

	assert_ptr_not_equal(large, MAP_FAILED);
	uroce_bed_pair(*state, ends, &bed_options);
	/* The far end of a region of 4 GiB. */
	mr = ibv_reg_mr(ends[1].pd, large, huge, IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	assert_non_null(mr);
	assert_int_equal(mr->length, huge);
	strcpy(ends[0].memory, "far");
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 4,
					(uintptr_t)large + huge - 4, mr->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	assert_string_equal(large + huge - 4, "far");
	/* It moves, and its keys stay or are told anew. */
	assert_int_equal(ibv_rereg_mr(mr, IBV_REREG_MR_CHANGE_TRANSLATION, NULL, large, 4096, 0),
			 0);
	assert_int_equal(mr->length, 4096);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 4, (uintptr_t)large + 4092,
					mr->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	assert_string_equal(large + 4092, "far");
	/* Remote writes need local ones; a flag that nobody knows is no region. */
	assert_int_not_equal(ibv_rereg_mr(mr, IBV_REREG_MR_CHANGE_ACCESS, NULL, NULL, 0,
					  IBV_ACCESS_REMOTE_WRITE),
			     0);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	assert_null(ibv_reg_mr(ends[1].pd, large, 4096, IBV_ACCESS_REMOTE_ATOMIC));
	assert_int_equal(errno, EINVAL);
	assert_null(ibv_reg_mr(ends[1].pd, large, SIZE_MAX, IBV_ACCESS_LOCAL_WRITE));
	assert_int_equal(errno, EINVAL);
	mr = ibv_reg_mr(ends[1].pd, large, 4096,
			IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_RELAXED_ORDERING);
	assert_non_null(mr);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	munmap(large, huge);
	close_both_ends(ends);
}

/* A region of nothing: some programs register one, and a message of nothing goes through it. */
static void a_region_of_nothing(void **state)
{
	struct uroce_end ends[2];
	struct ibv_mr *mr;

	uroce_bed_pair(*state, ends, &bed_options);
	mr = ibv_reg_mr(ends[1].pd, ends[1].memory, 0,
			IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE);
	assert_non_null(mr);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 0,
					(uintptr_t)ends[1].memory, mr->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	uroce_bed_recv(&ends[1], 5, 0, 0);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_SEND, 0, 0, 0, 0), 0);
	assert_int_equal(uroce_bed_sleep(&ends[1]).byte_len, 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 1,
					(uintptr_t)ends[1].memory, mr->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_ACCESS_ERR);
	assert_int_equal(ibv_dereg_mr(mr), 0);
	close_both_ends(ends);
}

/* ---- Datagrams ---- */

/* The receiver answers with no more than the completion and the header before the data. */
static void an_answer_to_a_datagram(void **state)
{
	struct uroce_options options = bed_options;
	struct ibv_ah_attr address = {.is_global = 1, .port_num = 1, .grh = {.hop_limit = 9}};
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND};
	struct uroce_end ends[2];
	struct ibv_ah *ah;
	struct ibv_wc wc;

	options.type = IBV_QPT_UD;
	uroce_bed_pair(*state, ends, &options);
	assert_int_equal(ibv_query_gid(ends[0].context, 1, 0, &address.grh.dgid), 0);
	ah = wr.wr.ud.ah = ibv_create_ah(ends[0].pd, &address);
	assert_non_null(ah);
	wr.wr.ud.remote_qpn = ends[1].qp->qp_num;
	wr.wr.ud.remote_qkey = BED_QKEY;
	uroce_bed_recv(&ends[0], 1, 4096, 100);
	uroce_bed_recv(&ends[1], 2, 4096, 100);
	strcpy(ends[0].memory, "who?");
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 5), 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	wc = uroce_bed_sleep(&ends[1]);
	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	assert_string_equal(ends[1].memory + 4096 + 40, "who?");
	wr.wr.ud.ah = ibv_create_ah_from_wc(ends[1].pd, &wc, (void *)(ends[1].memory + 4096), 1);
	assert_non_null(wr.wr.ud.ah);
	wr.wr.ud.remote_qpn = wc.src_qp;
	strcpy(ends[1].memory, "me");
	assert_int_equal(uroce_bed_post(&ends[1], &wr, 0, 3), 0);
	assert_int_equal(uroce_bed_wait(&ends[1]).status, IBV_WC_SUCCESS);
	wc = uroce_bed_sleep(&ends[0]);
	assert_int_equal(wc.status, IBV_WC_SUCCESS);
	assert_int_equal(wc.src_qp, ends[1].qp->qp_num);
	assert_string_equal(ends[0].memory + 4096 + 40, "me");
	assert_int_equal(ibv_destroy_ah(ah), 0);
	assert_int_equal(ibv_destroy_ah(wr.wr.ud.ah), 0);
	close_both_ends(ends);
}

static union ibv_gid group_ipv4(uint8_t last)
{
	return (union ibv_gid){.raw = {[10] = 0xff, [11] = 0xff, 239, 1, 2, last}};
}

static void what_is_no_group(void **state)
{
	const union ibv_gid group = group_ipv4(1), other = group_ipv4(2),
			    all = {.raw = {0xff, 1, [15] = 7}};
	union ibv_gid unicast = group;
	struct uroce_options options = bed_options;
	struct uroce_end end;

	uroce_bed_open(*state, &end);
	uroce_bed_qp(&end, &options);
	assert_int_equal(ibv_attach_mcast(end.qp, &group, 0), EINVAL); /* of RC */
	assert_int_equal(ibv_destroy_qp(end.qp), 0);
	options.type = IBV_QPT_UD;
	uroce_bed_qp(&end, &options);
	unicast.raw[12] = 0xdf;
	assert_int_equal(ibv_attach_mcast(end.qp, &unicast, 0), EINVAL);
	assert_int_equal(ibv_query_gid(end.context, 1, 0, &unicast), 0);
	assert_int_equal(ibv_attach_mcast(end.qp, &unicast, 0), EINVAL);
	assert_int_equal(ibv_detach_mcast(end.qp, &group, 0), EINVAL);
	assert_int_equal(ibv_attach_mcast(end.qp, &all, 0), 0);
	assert_int_equal(ibv_attach_mcast(end.qp, &group, 0), 0);
	assert_int_equal(ibv_attach_mcast(end.qp, &group, 0xc001), 0); /* it is in it already */
	assert_int_equal(ibv_detach_mcast(end.qp, &other, 0), EINVAL);
	assert_int_equal(ibv_destroy_qp(end.qp), EBUSY);
	assert_int_equal(ibv_detach_mcast(end.qp, &group, 0), 0);
	assert_int_equal(ibv_detach_mcast(end.qp, &group, 0), EINVAL);
	assert_int_equal(ibv_detach_mcast(end.qp, &all, 0), 0);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* A datagram to a group; which of the ends receive it, as bits. */
static unsigned int reached(struct uroce_end *ends, const union ibv_gid *group, uint32_t qkey)
{
	struct ibv_ah_attr address = {
		.is_global = 1, .port_num = 1, .grh = {.hop_limit = 1, .dgid = *group}};
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND};
	unsigned int ret = 0;
	struct ibv_wc wc;

	wr.wr.ud.ah = ibv_create_ah(ends[0].pd, &address);
	assert_non_null(wr.wr.ud.ah);
	wr.wr.ud.remote_qpn = 0xffffff;
	wr.wr.ud.remote_qkey = qkey;
	wr.wr_id = 77;
	assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 6), 0);
	/* It is there when the request to send is complete. */
	while (uroce_bed_wait(&ends[0]).wr_id != 77)
		ret |= 1;
	for (unsigned int i = 1; i < 3; i++) {
		if (!ibv_poll_cq(ends[i].cq, 1, &wc))
			continue;
		assert_int_equal(wc.byte_len, 46);
		assert_int_equal(wc.wc_flags, IBV_WC_GRH);
		assert_int_equal(wc.src_qp, ends[0].qp->qp_num);
		assert_string_equal(ends[i].memory + 4096 + 40, "group");
		/* The address of the group is where a receiver of either kind looks for it. */
		assert_memory_equal(ends[i].memory + 4096 + 36, group->raw + 12, 4);
		uroce_bed_recv(&ends[i], 1, 4096, 100);
		ret |= 1U << i;
	}
	assert_int_equal(ibv_destroy_ah(wr.wr.ud.ah), 0);
	return ret;
}

static void a_multicast_group(void **state)
{
	const union ibv_gid group = group_ipv4(1), other = group_ipv4(2);
	struct uroce_options options = bed_options;
	struct uroce_end ends[3];

	options.type = IBV_QPT_UD;
	for (int i = 0; i < 3; i++) {
		uroce_bed_open(*state, &ends[i]);
		uroce_bed_qp(&ends[i], &options);
		uroce_bed_connect(&ends[i], 0, &options);
		uroce_bed_recv(&ends[i], 1, 4096, 100);
	}
	strcpy(ends[0].memory, "group");
	assert_int_equal(reached(ends, &group, BED_QKEY), 0);
	assert_int_equal(ibv_attach_mcast(ends[1].qp, &group, 0), 0);
	assert_int_equal(reached(ends, &group, BED_QKEY), 2);
	assert_int_equal(ibv_attach_mcast(ends[2].qp, &group, 0), 0);
	assert_int_equal(ibv_attach_mcast(ends[2].qp, &other, 0), 0);
	assert_int_equal(reached(ends, &group, BED_QKEY), 6);
	assert_int_equal(reached(ends, &other, BED_QKEY), 4);
	assert_int_equal(reached(ends, &group, BED_QKEY + 1), 0);
	assert_int_equal(ibv_detach_mcast(ends[2].qp, &group, 0), 0);
	assert_int_equal(ibv_detach_mcast(ends[2].qp, &other, 0), 0);
	assert_int_equal(ibv_attach_mcast(ends[0].qp, &group, 0), 0);
	assert_int_equal(reached(ends, &group, BED_QKEY), 3);
	assert_int_equal(ibv_detach_mcast(ends[0].qp, &group, 0), 0);
	assert_int_equal(ibv_detach_mcast(ends[1].qp, &group, 0), 0);
	assert_int_equal(reached(ends, &group, BED_QKEY), 0);
	for (int i = 0; i < 3; i++)
		assert_int_equal(uroce_bed_close(&ends[i]), 0);
}

/* ---- Counters ---- */

static uint64_t counted(const struct uroce_bed *bed, const char *name)
{
	struct ibv_device *device;
	char path[80], text[32];

	snprintf(path, sizeof(path), "ports/1/hw_counters/%s", name);
	assert_int_equal(hf_device_by_name(bed->hf, "uroce0", &device), 0);
	assert_true(hf_device_read_attr(device, path, text, sizeof(text)) > 0);
	hf_device_unref(device);
	return strtoull(text, NULL, 10);
}

/* A connected pair with a READ, a request that is refused and its flush; then datagrams of which one has a wrong Q_Key. */
static void send_what_is_counted(const struct uroce_bed *bed)
{
	struct ibv_ah_attr address = {.is_global = 1, .port_num = 1, .grh = {.hop_limit = 9}};
	struct ibv_send_wr wr = {.opcode = IBV_WR_SEND};
	struct uroce_options options = bed_options;
	struct uroce_end ends[2];
	const uint64_t there = 0;

	uroce_bed_pair(bed, ends, &options);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_READ, 0, 1000,
					(uintptr_t)ends[1].memory, ends[1].mr->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	assert_int_equal(uroce_bed_send(&ends[0], IBV_WR_RDMA_WRITE, 0, 8, there, ends[1].mr->rkey),
			 0);
	assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_REM_ACCESS_ERR);
	close_both_ends(ends);
	options.type = IBV_QPT_UD;
	uroce_bed_pair(bed, ends, &options);
	assert_int_equal(ibv_query_gid(ends[0].context, 1, 0, &address.grh.dgid), 0);
	wr.wr.ud.ah = ibv_create_ah(ends[0].pd, &address);
	wr.wr.ud.remote_qpn = ends[1].qp->qp_num;
	uroce_bed_recv(&ends[1], 2, 4096, 100);
	for (int i = 0; i < 2; i++) {
		wr.wr.ud.remote_qkey = (uint32_t)BED_QKEY + (i == 0);
		assert_int_equal(uroce_bed_post(&ends[0], &wr, 0, 20), 0);
		assert_int_equal(uroce_bed_wait(&ends[0]).status, IBV_WC_SUCCESS);
	}
	assert_int_equal(uroce_bed_sleep(&ends[1]).status, IBV_WC_SUCCESS);
	assert_int_equal(ibv_destroy_ah(wr.wr.ud.ah), 0);
	close_both_ends(ends);
}

/* The files are right when the contexts are closed, also those of other contexts before. */
static void what_is_counted_directly(void **state)
{
	for (unsigned int i = 1; i <= 2; i++) {
		send_what_is_counted(*state);
		assert_int_equal(counted(*state, "direct_qps"), 4 * i);
		assert_int_equal(counted(*state, "direct_requests"), 2 * i);
		assert_int_equal(counted(*state, "direct_bytes"), 1020 * i);
		assert_int_equal(counted(*state, "direct_errors"), i);
		assert_int_equal(counted(*state, "direct_dropped"), i);
		assert_int_equal(counted(*state, "sent_pkts"), 0);
		assert_int_equal(counted(*state, "wire_qps"), 0);
	}
}

static void what_is_counted_on_the_wire(void **state)
{
	send_what_is_counted(*state);
	assert_int_equal(counted(*state, "wire_qps"), 4);
	assert_int_equal(counted(*state, "direct_qps") + counted(*state, "direct_requests"), 0);
	/* Two requests and their answers, and two datagrams; some may have been sent again. */
	assert_true(counted(*state, "sent_pkts") >= 6);
	assert_true(counted(*state, "rcvd_pkts") >= 6);
	assert_int_equal(counted(*state, "drop_qkey"), 1);
	assert_true(counted(*state, "remote_access_err") >= 1);
	assert_int_equal(counted(*state, "drop_icrc") + counted(*state, "drop_header"), 0);
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, uroce_bed_setup, uroce_bed_teardown)
#define BY(path, test)                                                                  \
	{                                                                               \
#test " " #path, test, uroce_bed_setup_##path, uroce_bed_teardown, NULL \
	}

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(what_the_device_says),
		WITH_BED(what_the_port_says),
		WITH_BED(limits_of_cqs_and_srqs),
		WITH_BED(limits_of_qps),
		WITH_BED(what_there_is_not),
		WITH_BED(values_out_of_range),
		BY(direct, attributes_by_state),
		BY(wire, attributes_by_state),
		BY(direct, every_transition),
		BY(wire, every_transition),
		BY(direct, events_of_a_qp),
		BY(wire, events_of_a_qp),
		BY(direct, regions_are_made),
		BY(wire, regions_are_made),
		BY(direct, a_region_of_nothing),
		BY(wire, a_region_of_nothing),
		BY(direct, an_answer_to_a_datagram),
		BY(wire, an_answer_to_a_datagram),
		WITH_BED(what_is_no_group),
		BY(direct, a_multicast_group),
		BY(wire, a_multicast_group),
		{"what is counted directly", what_is_counted_directly, uroce_bed_setup_direct,
		 uroce_bed_teardown, NULL},
		{"what is counted on the wire", what_is_counted_on_the_wire, uroce_bed_setup_wire,
		 uroce_bed_teardown, NULL},
		/* The last one: it leaves the namespace. */
		WITH_BED(a_path_mtu_that_the_interface_has_not),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
