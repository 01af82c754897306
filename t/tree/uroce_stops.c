/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A process of the provider uroce that is stopped or killed at one of its system calls, by a tracer: at the copy into
 * its peer's memory, which is withdrawn meanwhile, and where it wakes its peer.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "t/lib/hang.h"
#include "t/tree/uroce_bed.h"

enum { LENGTH = 2048, AT = 1024, RECEIVE_ID = 7, LIST = 12 };

/* Shared by both: what the child sends, where to, and what became of it. */
struct plan {
	uint32_t number, rkey;
	uint64_t remote;
	enum ibv_wr_opcode opcode;
	uint32_t length;
	uint32_t is_list; /* LIST of them, posted by one call */
	uint32_t unused;
};

struct sender {
	pid_t pid;
	int to[2], from[2];
	uint32_t number;
};

static int post_plan(struct uroce_end *end, const struct plan *plan)
{
	struct ibv_sge sge = {(uintptr_t)end->memory, plan->length, end->mr->lkey};
	struct ibv_send_wr wr[LIST], *bad;

	for (int i = 0; i < LIST; i++)
		wr[i] = (struct ibv_send_wr){
			.opcode = plan->opcode,
			.sg_list = &sge,
			.num_sge = 1,
			.next = plan->is_list && i + 1 < LIST ? &wr[i + 1] : NULL,
			.wr.rdma = {plan->remote, plan->rkey},
		};
	return ibv_post_send(end->qp, wr, &bad);
}

/* A process that connects a QP and sends once, with the tracer looking at each system call of this thread. */
static void be_sender(const struct uroce_bed *bed, struct sender *sender)
{
	struct uroce_end end;
	struct plan plan;
	enum ibv_wc_status status = IBV_WC_GENERAL_ERR;

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	/* What fails here must not go on with the parent's next test. */
	setenv("CMOCKA_TEST_ABORT", "1", 1);
	uroce_bed_open(bed, &end);
	uroce_bed_qp(&end, &bed_options);
	assert_int_equal(uroce_bed_init(&end, &bed_options), 0);
	memset(end.memory, 's', BED_SIZE);
	if (write(sender->from[1], &end.qp->qp_num, sizeof(end.qp->qp_num)) < 0 ||
	    read(sender->to[0], &plan, sizeof(plan)) != sizeof(plan))
		_exit(1);
	uroce_bed_connect(&end, plan.number, &bed_options);
	if (ptrace(PTRACE_TRACEME, 0, 0, 0))
		_exit(2);
	raise(SIGSTOP);
	if (post_plan(&end, &plan))
		_exit(1);
	for (int i = 0; i < (plan.is_list ? LIST : 1); i++)
		status = uroce_bed_wait(&end).status;
	if (write(sender->from[1], &status, sizeof(status)) < 0)
		_exit(1);
	for (;;)
		pause();
}

static void start_sender(const struct uroce_bed *bed, struct sender *sender)
{
	assert_int_equal(pipe(sender->to), 0);
	assert_int_equal(pipe(sender->from), 0);
	sender->pid = fork();
	if (!sender->pid)
		be_sender(bed, sender);
	assert_true(sender->pid > 0);
	close(sender->to[0]);
	close(sender->from[1]);
	assert_int_equal(read(sender->from[0], &sender->number, sizeof(sender->number)),
			 sizeof(sender->number));
}

/* Until it stops at its first request; it is traced from then on. */
static void trace_sender(struct sender *sender, const struct plan *plan)
{
	int status;

	assert_int_equal(write(sender->to[1], plan, sizeof(*plan)), sizeof(*plan));
	assert_int_equal(waitpid(sender->pid, &status, 0), sender->pid);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 2)
		skip(); /* no process may be traced here */
	assert_true(WIFSTOPPED(status));
	assert_int_equal(ptrace(PTRACE_SETOPTIONS, sender->pid, 0,
				PTRACE_O_TRACESYSGOOD | PTRACE_O_EXITKILL),
			 0);
}

/* To the beginning or the end of its next system call. */
static void run_to_either(struct sender *sender, struct __ptrace_syscall_info *info)
{
	int status;

	do {
		assert_int_equal(ptrace(PTRACE_SYSCALL, sender->pid, 0, 0), 0);
		assert_int_equal(waitpid(sender->pid, &status, 0), sender->pid);
		assert_true(WIFSTOPPED(status));
	} while (WSTOPSIG(status) != (SIGTRAP | 0x80));
	assert_true(ptrace((enum __ptrace_request)PTRACE_GET_SYSCALL_INFO, sender->pid,
			   sizeof(*info), info) > 0);
}

static void run_to_next_call(struct sender *sender, struct __ptrace_syscall_info *info)
{
	do {
		run_to_either(sender, info);
	} while (info->op != PTRACE_SYSCALL_INFO_ENTRY);
}

/* To the beginning of that system call, or to its end. */
static void run_to(struct sender *sender, long number, uint8_t op)
{
	struct __ptrace_syscall_info info = {0};

	do {
		run_to_next_call(sender, &info);
	} while ((long)info.entry.nr != number);
	if (op == PTRACE_SYSCALL_INFO_EXIT)
		run_to_either(sender, &info);
}

static void kill_sender(struct sender *sender)
{
	kill(sender->pid, SIGKILL);
	while (waitpid(sender->pid, NULL, 0) < 0 && errno == EINTR)
		;
	close(sender->to[1]);
	close(sender->from[0]);
}

static void release_sender(struct sender *sender)
{
	assert_int_equal(ptrace(PTRACE_DETACH, sender->pid, 0, 0), 0);
}

static void open_receiver(const struct uroce_bed *bed, struct sender *sender, struct uroce_end *end)
{
	uroce_bed_open(bed, end);
	uroce_bed_qp(end, &bed_options);
	uroce_bed_connect(end, sender->number, &bed_options);
	memset(end->memory, 'r', BED_SIZE);
}

/* ---- Memory that is withdrawn while a peer is about to write to it ---- */

static void deregister(struct uroce_end *end)
{
	assert_int_equal(ibv_dereg_mr(end->mr), 0);
	end->mr = NULL;
}

static void register_elsewhere(struct uroce_end *end)
{
	assert_int_equal(ibv_rereg_mr(end->mr, IBV_REREG_MR_CHANGE_TRANSLATION, NULL, end->memory,
				      64, 0),
			 0);
}

static void reset_qp(struct uroce_end *end)
{
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};

	assert_int_equal(ibv_modify_qp(end->qp, &attr, IBV_QP_STATE), 0);
}

static void end_qp(struct uroce_end *end)
{
	assert_int_equal(ibv_destroy_qp(end->qp), 0);
	end->qp = NULL;
}

static void withdraw_before_copy(const struct uroce_bed *bed, enum ibv_wr_opcode opcode,
				 void (*how)(struct uroce_end *end))
{
	struct sender sender;
	struct uroce_end end;
	struct plan plan;
	enum ibv_wc_status status;

	start_sender(bed, &sender);
	open_receiver(bed, &sender, &end);
	plan = (struct plan){
		.number = end.qp->qp_num,
		.rkey = end.mr->rkey,
		.remote = (uintptr_t)end.memory + AT,
		.opcode = opcode,
		.length = LENGTH,
	};
	uroce_bed_recv(&end, RECEIVE_ID, AT, LENGTH);
	trace_sender(&sender, &plan);
	run_to(&sender, SYS_process_vm_writev, PTRACE_SYSCALL_INFO_ENTRY);
	how(&end);
	/* From here on the memory is the program's. */
	release_sender(&sender);
	assert_int_equal(read(sender.from[0], &status, sizeof(status)), sizeof(status));
	assert_int_not_equal(status, IBV_WC_SUCCESS);
	for (size_t i = 0; i < BED_SIZE; i++)
		assert_int_equal(end.memory[i], 'r');
	kill_sender(&sender);
	assert_int_equal(uroce_bed_close(&end), 0);
}

static void a_region_ends_before_the_copy(void **state)
{
	withdraw_before_copy(*state, IBV_WR_RDMA_WRITE, deregister);
}

static void a_region_moves_before_the_copy(void **state)
{
	withdraw_before_copy(*state, IBV_WR_RDMA_WRITE, register_elsewhere);
}

static void a_reset_before_the_copy(void **state)
{
	withdraw_before_copy(*state, IBV_WR_SEND, reset_qp);
}

static void a_qp_ends_before_the_copy(void **state)
{
	withdraw_before_copy(*state, IBV_WR_SEND, end_qp);
}

/* ---- Waking a peer ---- */

static void arm(struct uroce_end *end)
{
	struct ibv_wc wc;

	assert_int_equal(ibv_req_notify_cq(end->cq, 0), 0);
	assert_int_equal(ibv_poll_cq(end->cq, 1, &wc), 0);
}

static void take_cq_event(struct uroce_end *end)
{
	struct ibv_cq *cq;
	void *cookie;

	assert_int_equal(ibv_get_cq_event(end->channel, &cq, &cookie), 0);
	ibv_ack_cq_events(cq, 1);
}

/* A sender at the call that wakes the receiver, whose CQ is armed; it is held at its beginning or its end. */
static void send_to_armed(const struct uroce_bed *bed, struct sender *sender, struct uroce_end *end,
			  uint8_t op)
{
	struct plan plan = {.opcode = IBV_WR_SEND, .length = 8};

	start_sender(bed, sender);
	open_receiver(bed, sender, end);
	plan.number = end->qp->qp_num;
	uroce_bed_recv(end, RECEIVE_ID, 0, 64);
	uroce_bed_recv(end, RECEIVE_ID + 1, 0, 64);
	arm(end);
	trace_sender(sender, &plan);
	run_to(sender, SYS_sendto, op);
}

/* Nothing may be in the CQ that nobody was woken for. */
static void killed_before_it_wakes(void **state)
{
	struct sender sender;
	struct uroce_end end;
	struct ibv_wc wc;

	send_to_armed(*state, &sender, &end, PTRACE_SYSCALL_INFO_ENTRY);
	kill_sender(&sender);
	assert_int_equal(ibv_poll_cq(end.cq, 1, &wc), 0);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* The receiver was woken for nothing; the next one that sends wakes it again. */
static void killed_after_it_woke(void **state)
{
	const struct uroce_bed *bed = *state;
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_ERR};
	struct sender sender;
	struct uroce_end end;

	send_to_armed(bed, &sender, &end, PTRACE_SYSCALL_INFO_EXIT);
	kill_sender(&sender);
	/* The requests are flushed, by ourselves. */
	assert_int_equal(ibv_modify_qp(end.qp, &attr, IBV_QP_STATE), 0);
	take_cq_event(&end);
	assert_int_equal(uroce_bed_wait(&end).status, IBV_WC_WR_FLUSH_ERR);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* The receiver was woken too early, looks for a while, and sees the completion all the same. */
static void stopped_after_it_woke(void **state)
{
	struct sender sender;
	struct uroce_end end;

	send_to_armed(*state, &sender, &end, PTRACE_SYSCALL_INFO_EXIT);
	usleep(20000);
	release_sender(&sender);
	take_cq_event(&end);
	assert_int_equal(uroce_bed_wait(&end).wr_id, RECEIVE_ID);
	kill_sender(&sender);
	assert_int_equal(uroce_bed_close(&end), 0);
}

/* ---- System calls ---- */

static void a_list_of_writes_is_one_call(void **state)
{
	struct __ptrace_syscall_info info = {0};
	unsigned int copies = 0;
	struct sender sender;
	struct uroce_end end;
	struct plan plan;
	int status;

	start_sender(*state, &sender);
	open_receiver(*state, &sender, &end);
	plan = (struct plan){
		.number = end.qp->qp_num,
		.rkey = end.mr->rkey,
		.remote = (uintptr_t)end.memory,
		.opcode = IBV_WR_RDMA_WRITE,
		.length = 64,
		.is_list = 1,
	};
	trace_sender(&sender, &plan);
	/* Until it tells of the last completion. */
	for (info.entry.nr = 0; info.entry.nr != SYS_write;) {
		run_to_next_call(&sender, &info);
		copies += info.entry.nr == SYS_process_vm_writev;
	}
	assert_int_equal(copies, 1);
	release_sender(&sender);
	assert_int_equal(read(sender.from[0], &status, sizeof(status)), sizeof(status));
	assert_int_equal(status, IBV_WC_SUCCESS);
	assert_int_equal(end.memory[63], 's');
	kill_sender(&sender);
	assert_int_equal(uroce_bed_close(&end), 0);
}

#define WITH_BED(test) cmocka_unit_test_setup_teardown(test, uroce_bed_setup, uroce_bed_teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		WITH_BED(a_region_ends_before_the_copy), WITH_BED(a_region_moves_before_the_copy),
		WITH_BED(a_reset_before_the_copy),	 WITH_BED(a_qp_ends_before_the_copy),
		WITH_BED(killed_before_it_wakes),	 WITH_BED(killed_after_it_woke),
		WITH_BED(stopped_after_it_woke),	 WITH_BED(a_list_of_writes_is_one_call),
	};

	alarm(HF_TEST_HANG_SECONDS);
	setenv("HOLDFAST_UROCE_PATH", "direct", 1);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
