/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-instructions LIBRARY DEVICE: counts the user-space instructions of each verb by single-stepping a
 * child that uses the library (libibverbs.so.1 or libholdfast.so). Prints lines "NAME COUNT". A system
 * call counts as one instruction.
 */
#include <dlfcn.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/wait.h>
#include <unistd.h>
#include <infiniband/verbs.h>

enum { ROUNDS = 2, SIZE = 64 };

enum what {
	NOTHING,
	POST_SEND,
	POST_RECV,
	POLL_CQ,
	POLL_EMPTY,
	WR_SEND,
	POLL_EX,
	ALLOC_PD,
	REG_MR,
	CREATE_CQ,
	CREATE_QP,
	DESTROY_QP,
	DESTROY_CQ,
	DEREG_MR,
	DEALLOC_PD,
	WHATS
};

static const char *const names[WHATS] = {
	[NOTHING] = "nothing",	     [POST_SEND] = "post_send",	  [POST_RECV] = "post_recv",
	[POLL_CQ] = "poll_cq",	     [POLL_EMPTY] = "poll_empty", [WR_SEND] = "wr_send",
	[POLL_EX] = "poll_ex",	     [ALLOC_PD] = "alloc_pd",	  [REG_MR] = "reg_mr",
	[CREATE_CQ] = "create_cq",   [CREATE_QP] = "create_qp",	  [DESTROY_QP] = "destroy_qp",
	[DESTROY_CQ] = "destroy_cq", [DEREG_MR] = "dereg_mr",	  [DEALLOC_PD] = "dealloc_pd",
};

/* Not that of vm.c, which needs libholdfast. */
__attribute__((format(printf, 1, 2), noreturn)) static void die(const char *format, ...)
{
	va_list args;

	va_start(args, format);
	fputs("error: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	exit(1);
}

/* ---- The child: the instructions between two marks are counted ---- */

static struct {
	struct ibv_device **(*get_device_list)(int *);
	struct ibv_context *(*open_device)(struct ibv_device *);
	const char *(*get_device_name)(struct ibv_device *);
	struct ibv_pd *(*alloc_pd)(struct ibv_context *);
	int (*dealloc_pd)(struct ibv_pd *);
	struct ibv_mr *(*reg_mr)(struct ibv_pd *, void *, size_t, int);
	int (*dereg_mr)(struct ibv_mr *);
	struct ibv_cq *(*create_cq)(struct ibv_context *, int, void *, struct ibv_comp_channel *,
				    int);
	int (*destroy_cq)(struct ibv_cq *);
	struct ibv_qp *(*create_qp)(struct ibv_pd *, struct ibv_qp_init_attr *);
	int (*modify_qp)(struct ibv_qp *, struct ibv_qp_attr *, int);
	int (*destroy_qp)(struct ibv_qp *);
	int (*query_gid)(struct ibv_context *, uint8_t, int, union ibv_gid *);
	struct ibv_qp_ex *(*qp_to_qp_ex)(struct ibv_qp *);
} lib;

static void load_measured_library(const char *path)
{
	static const char *const symbols[] = {
		"ibv_get_device_list", "ibv_open_device", "ibv_get_device_name", "ibv_alloc_pd",
		"ibv_dealloc_pd",      "ibv_reg_mr",	  "ibv_dereg_mr",	 "ibv_create_cq",
		"ibv_destroy_cq",      "ibv_create_qp",	  "ibv_modify_qp",	 "ibv_destroy_qp",
		"ibv_query_gid",       "ibv_qp_to_qp_ex",
	};
	void *handle = dlopen(path, RTLD_NOW | RTLD_GLOBAL);

	if (!handle)
		die("%s", dlerror());
	_Static_assert(sizeof(lib) == sizeof(symbols), "one pointer each");
	for (size_t i = 0; i < sizeof(symbols) / sizeof(symbols[0]); i++) {
		void *address = dlsym(handle, symbols[i]);

		if (!address)
			die("%s", dlerror());
		memcpy((char *)&lib + i * sizeof(address), &address, sizeof(address));
	}
}

/* Marks the begin or end of a count with SIGUSR1, which the parent intercepts. */
static void mark(enum what what)
{
	const union sigval value = {.sival_int = what};

	sigqueue(getpid(), SIGUSR1, value);
}

#define COUNT(what, statement) \
	do {                   \
		mark(what);    \
		statement;     \
		mark(what);    \
	} while (0)

static void need(int good, const char *what)
{
	if (!good)
		die("%s: %s", what, strerror(errno));
}

static void connect_to_itself(struct ibv_qp *qp, const union ibv_gid *gid, uint8_t index)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = qp->qp_num,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.min_rnr_timer = 12,
		.timeout = 14,
		.retry_cnt = 7,
		.rnr_retry = 7,
		.ah_attr = {.is_global = 1,
			    .port_num = 1,
			    .grh = {.dgid = *gid, .sgid_index = index, .hop_limit = 64}},
	};

	need(!lib.modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT | IBV_QP_ACCESS_FLAGS),
	     "INIT");
	attr.qp_state = IBV_QPS_RTR;
	need(!lib.modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
				    IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
				    IBV_QP_MIN_RNR_TIMER),
	     "RTR");
	attr.qp_state = IBV_QPS_RTS;
	need(!lib.modify_qp(qp, &attr,
			    IBV_QP_STATE | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT | IBV_QP_RNR_RETRY |
				    IBV_QP_SQ_PSN | IBV_QP_MAX_QP_RD_ATOMIC),
	     "RTS");
}

static void data_path(struct ibv_qp *qp, struct ibv_cq *scq, struct ibv_cq *rcq, struct ibv_mr *mr)
{
	struct ibv_sge sge = {.addr = (uintptr_t)mr->addr, .length = SIZE, .lkey = mr->lkey};
	struct ibv_recv_wr recv = {.sg_list = &sge, .num_sge = 1}, *bad_recv;
	struct ibv_send_wr send = {.sg_list = &sge,
				   .num_sge = 1,
				   .opcode = IBV_WR_SEND,
				   .send_flags = IBV_SEND_SIGNALED},
			   *bad_send;
	struct ibv_wc wc;
	int ret;

	COUNT(POST_RECV, ret = ibv_post_recv(qp, &recv, &bad_recv));
	need(!ret, "ibv_post_recv");
	COUNT(POST_SEND, ret = ibv_post_send(qp, &send, &bad_send));
	need(!ret, "ibv_post_send");
	/* Wait long enough that the counted poll finds its completion at once. */
	usleep(20000);
	COUNT(POLL_CQ, ret = ibv_poll_cq(scq, 1, &wc));
	need(ret == 1 && wc.status == IBV_WC_SUCCESS, "a completion");
	COUNT(POLL_EMPTY, ret = ibv_poll_cq(scq, 1, &wc));
	need(ret == 0, "no completion");
	need(ibv_poll_cq(rcq, 1, &wc) == 1 && wc.status == IBV_WC_SUCCESS, "the message");
}

/* Calls through the context: the header's functions need a linked library. */
static struct ibv_qp *create_extended_qp(struct ibv_pd *pd, struct ibv_qp_init_attr_ex *attr)
{
	struct verbs_context *context = verbs_get_ctx_op(pd->context, create_qp_ex);

	need(context != NULL, "create_qp_ex");
	return context->create_qp_ex(pd->context, attr);
}

static struct ibv_cq_ex *create_extended_cq(struct ibv_context *context)
{
	struct ibv_cq_init_attr_ex attr = {.cqe = 16, .wc_flags = IBV_WC_STANDARD_FLAGS};
	struct verbs_context *verbs = verbs_get_ctx_op(context, create_cq_ex);

	need(verbs != NULL, "create_cq_ex");
	return verbs->create_cq_ex(context, &attr);
}

/* The same message with the ibv_wr_* and extended CQ calls. */
static void data_path_ex(struct ibv_context *context, struct ibv_pd *pd, struct ibv_cq *rcq,
			 struct ibv_mr *mr, const union ibv_gid *gid, uint8_t index)
{
	struct ibv_sge sge = {.addr = (uintptr_t)mr->addr, .length = SIZE, .lkey = mr->lkey};
	struct ibv_recv_wr recv = {.sg_list = &sge, .num_sge = 1}, *bad_recv;
	struct ibv_cq_ex *scq = create_extended_cq(context);
	struct ibv_qp_init_attr_ex attr = {
		.cap = {.max_send_wr = 8, .max_recv_wr = 8, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
		.recv_cq = rcq,
		.pd = pd,
		.comp_mask = IBV_QP_INIT_ATTR_PD | IBV_QP_INIT_ATTR_SEND_OPS_FLAGS,
		.send_ops_flags = IBV_QP_EX_WITH_SEND,
	};
	struct ibv_poll_cq_attr poll = {0};
	struct ibv_qp_ex *ex;
	struct ibv_qp *qp;
	struct ibv_wc wc;
	int ret;

	need(scq != NULL, "ibv_create_cq_ex");
	attr.send_cq = ibv_cq_ex_to_cq(scq);
	qp = create_extended_qp(pd, &attr);
	need(qp != NULL, "ibv_create_qp_ex");
	ex = lib.qp_to_qp_ex(qp);
	connect_to_itself(qp, gid, index);
	need(!ibv_post_recv(qp, &recv, &bad_recv), "ibv_post_recv");
	mark(WR_SEND);
	ibv_wr_start(ex);
	ex->wr_id = 1;
	ex->wr_flags = IBV_SEND_SIGNALED;
	ibv_wr_send(ex);
	ibv_wr_set_sge(ex, mr->lkey, sge.addr, SIZE);
	ret = ibv_wr_complete(ex);
	mark(WR_SEND);
	need(!ret, "ibv_wr_complete");
	usleep(20000);
	mark(POLL_EX);
	ret = ibv_start_poll(scq, &poll);
	if (!ret) {
		ret = scq->status;
		(void)ibv_wc_read_opcode(scq);
		ibv_end_poll(scq);
	}
	mark(POLL_EX);
	need(!ret, "a completion");
	need(ibv_poll_cq(rcq, 1, &wc) == 1 && wc.status == IBV_WC_SUCCESS, "the message");
	need(!lib.destroy_qp(qp) && !lib.destroy_cq(ibv_cq_ex_to_cq(scq)), "ibv_destroy_qp");
}

static struct ibv_context *open_device_by_name(const char *name)
{
	struct ibv_device **list = lib.get_device_list(NULL);

	for (; list && *list; list++)
		if (!strcmp(lib.get_device_name(*list), name))
			return lib.open_device(*list);
	return NULL;
}

static void one_round(struct ibv_context *context, const union ibv_gid *gid, uint8_t index)
{
	static char buffer[4096];
	struct ibv_qp_init_attr attr = {
		.cap = {.max_send_wr = 8, .max_recv_wr = 8, .max_send_sge = 1, .max_recv_sge = 1},
		.qp_type = IBV_QPT_RC,
	};
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cqs[2];
	struct ibv_qp *qp;
	int ret;

	COUNT(NOTHING, (void)0);
	COUNT(ALLOC_PD, pd = lib.alloc_pd(context));
	need(pd != NULL, "ibv_alloc_pd");
	COUNT(REG_MR, mr = lib.reg_mr(pd, buffer, sizeof(buffer), IBV_ACCESS_LOCAL_WRITE));
	need(mr != NULL, "ibv_reg_mr");
	cqs[0] = lib.create_cq(context, 16, NULL, NULL, 0);
	COUNT(CREATE_CQ, cqs[1] = lib.create_cq(context, 16, NULL, NULL, 0));
	need(cqs[0] && cqs[1], "ibv_create_cq");
	attr.send_cq = cqs[0];
	attr.recv_cq = cqs[1];
	COUNT(CREATE_QP, qp = lib.create_qp(pd, &attr));
	need(qp != NULL, "ibv_create_qp");
	connect_to_itself(qp, gid, index);
	data_path(qp, cqs[0], cqs[1], mr);
	data_path_ex(context, pd, cqs[1], mr, gid, index);
	COUNT(DESTROY_QP, ret = lib.destroy_qp(qp));
	need(!ret, "ibv_destroy_qp");
	COUNT(DESTROY_CQ, ret = lib.destroy_cq(cqs[0]));
	need(!ret && !lib.destroy_cq(cqs[1]), "ibv_destroy_cq");
	COUNT(DEREG_MR, ret = lib.dereg_mr(mr));
	need(!ret, "ibv_dereg_mr");
	COUNT(DEALLOC_PD, ret = lib.dealloc_pd(pd));
	need(!ret, "ibv_dealloc_pd");
}

static void run_measured_child(const char *library, const char *name)
{
	struct ibv_context *context;
	union ibv_gid gid;
	const uint8_t index = 1;

	load_measured_library(library);
	context = open_device_by_name(name);
	need(context != NULL, "ibv_open_device");
	need(!lib.query_gid(context, 1, index, &gid), "ibv_query_gid");
	ptrace(PTRACE_TRACEME, 0, NULL, NULL);
	for (int i = 0; i < ROUNDS; i++)
		one_round(context, &gid, index);
}

/* ---- The parent ---- */

static uint64_t best[WHATS];

static void keep(enum what what, uint64_t steps)
{
	if (!best[what] || steps < best[what])
		best[what] = steps;
}

static void step_through(pid_t pid)
{
	bool counting = false;
	uint64_t steps = 0;
	int status;

	while (waitpid(pid, &status, 0) == pid && WIFSTOPPED(status)) {
		int signal = WSTOPSIG(status);

		if (signal == SIGUSR1) {
			siginfo_t info;

			if (ptrace(PTRACE_GETSIGINFO, pid, NULL, &info))
				die("PTRACE_GETSIGINFO: %s", strerror(errno));
			if (counting)
				keep((enum what)info.si_value.sival_int, steps);
			counting = !counting;
			steps = 0;
			signal = 0;
		} else if (signal == SIGTRAP) {
			steps++;
			signal = 0;
		}
		if (ptrace(counting ? PTRACE_SINGLESTEP : PTRACE_CONT, pid, NULL, (long)signal))
			die("ptrace: %s", strerror(errno));
	}
	if (!WIFEXITED(status) || WEXITSTATUS(status))
		die("the child failed: %x", (unsigned int)status);
}

int main(int argc, char **argv)
{
	pid_t pid;

	if (argc != 3)
		die("usage: vm-instructions LIBRARY DEVICE");
	pid = fork();
	if (!pid) {
		run_measured_child(argv[1], argv[2]);
		_exit(0);
	}
	step_through(pid);
	for (int i = 1; i < WHATS; i++)
		printf("%s %" PRIu64 "\n", names[i], best[i] - best[NOTHING]);
	return 0;
}
