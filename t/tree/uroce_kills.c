/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Many processes on one device of the provider uroce, each connected to every other, that are killed at random:
 * some while they are stopped, some with a forked child that lives on. The data that arrives is right, those that
 * live reach each other in the end, and nothing is left behind.
 *
 * With two arguments it is a program: the number of processes, and of kills.
 */
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <cmocka.h>

#include "t/lib/hang.h"
#include "t/tree/uroce_bed.h"

enum { MOST = 200, MESSAGE = 512, RECEIVES = 4, ROUNDS_AFTER = 5, PAIR_US = 5 };

/* What the processes tell each other; shared. */
struct board {
	atomic_uint epoch[MOST];     /* of the process with that number; 0: not there yet */
	atomic_uint qpn[MOST][MOST]; /* of its QP towards each other one */
	/* Of the process whose requests that QP takes: its epoch. */
	atomic_uint takes[MOST][MOST];
	atomic_uint received[MOST][MOST];
	atomic_uint wrong; /* messages with wrong data, and calls that failed */
	atomic_bool stop;
	pid_t tester;
};

static struct board *board;
static unsigned int processes = 5, kills = 25;

struct link {
	struct ibv_qp *qp;
	unsigned int epoch; /* of the peer that it is connected to; 0: not connected */
	bool sends;	    /* a request is on its way */
	bool is_reached;    /* a request to the peer succeeded */
	char *memory;	    /* RECEIVES buffers to receive, and one to send */
};

struct worker {
	struct uroce_end end;
	unsigned int self, epoch;
	struct link links[MOST];
	uint32_t sequence;
};

#define CHECK(condition)                                                        \
	do {                                                                    \
		if (!(condition)) {                                             \
			fprintf(stderr, "line %d: %s\n", __LINE__, #condition); \
			atomic_fetch_add(&board->wrong, 1);                     \
			_exit(1);                                               \
		}                                                               \
	} while (0)

/* Every byte follows from the sender, the receiver and a number, which is sent as well. */
static void fill_message(char *message, unsigned int from, unsigned int to, uint32_t sequence)
{
	uint32_t *words = (uint32_t *)(void *)message;

	words[0] = sequence;
	for (uint32_t i = 1; i < MESSAGE / 4; i++)
		words[i] = sequence * 2654435761U + from * 97 + to * 131 + i;
}

static void check_message(const char *message, unsigned int from, unsigned int to)
{
	char wanted[MESSAGE] __attribute__((aligned(4)));
	uint32_t sequence;

	memcpy(&sequence, message, sizeof(sequence));
	fill_message(wanted, from, to, sequence);
	CHECK(!memcmp(message, wanted, MESSAGE));
}

static void post_link_receive(struct worker *worker, unsigned int peer, uint64_t index)
{
	struct ibv_sge sge = {
		(uintptr_t)worker->links[peer].memory + index * MESSAGE,
		MESSAGE,
		worker->end.mr->lkey,
	};
	struct ibv_recv_wr wr = {
		.wr_id = (uint64_t)peer << 8 | index,
		.sg_list = &sge,
		.num_sge = 1,
	};
	struct ibv_recv_wr *bad;

	CHECK(!ibv_post_recv(worker->links[peer].qp, &wr, &bad));
}

/* The peer is new, or the connection broke: as new, towards the peer's QP of now. */
static void connect_link(struct worker *worker, unsigned int peer)
{
	struct link *link = &worker->links[peer];
	struct ibv_qp_attr attr = {.qp_state = IBV_QPS_RESET};
	struct uroce_options options = bed_options;
	const unsigned int epoch = atomic_load(&board->epoch[peer]);
	struct uroce_end end = worker->end;

	/* What was sent to a process that ended must fail first. */
	if (!epoch || link->sends)
		return;
	atomic_store(&board->takes[worker->self][peer], 0);
	CHECK(!ibv_modify_qp(link->qp, &attr, IBV_QP_STATE));
	link->is_reached = false;
	options.timeout = 12;
	end.qp = link->qp;
	CHECK(!uroce_bed_init(&end, &options));
	for (uint64_t i = 0; i < RECEIVES; i++)
		post_link_receive(worker, peer, i);
	CHECK(!uroce_bed_rtr(&end, atomic_load(&board->qpn[peer][worker->self]), &options));
	CHECK(!uroce_bed_rts(&end, &options));
	link->epoch = epoch;
	atomic_store(&board->takes[worker->self][peer], epoch);
}

/*
 * Nobody sends to a peer that is not connected yet, as programs do: it may be long before it runs again where
 * there are many. Afterwards a peer that ended is noticed by a request that fails.
 */
static bool may_send_to(const struct worker *worker, unsigned int peer)
{
	const struct link *link = &worker->links[peer];

	return link->epoch && !link->sends &&
	       (link->is_reached ||
		atomic_load(&board->takes[peer][worker->self]) == worker->epoch);
}

static void send_to(struct worker *worker, unsigned int peer)
{
	struct link *link = &worker->links[peer];
	char *message = link->memory + (size_t)RECEIVES * MESSAGE;
	struct ibv_sge sge = {(uintptr_t)message, MESSAGE, worker->end.mr->lkey};
	struct ibv_send_wr wr = {
		.wr_id = (uint64_t)peer << 8 | 0xff,
		.sg_list = &sge,
		.num_sge = 1,
		.opcode = IBV_WR_SEND,
	};
	struct ibv_send_wr *bad;

	fill_message(message, worker->self, peer, ++worker->sequence);
	CHECK(!ibv_post_send(link->qp, &wr, &bad));
	link->sends = true;
}

static void take_completion(struct worker *worker, const struct ibv_wc *wc)
{
	const unsigned int peer = (unsigned int)(wc->wr_id >> 8);
	const uint64_t index = wc->wr_id & 0xff;
	struct link *link = &worker->links[peer];

	if (index == 0xff) {
		link->sends = false;
		link->is_reached = !wc->status;
	}
	if (wc->status) {
		link->epoch = 0;
	} else if (index != 0xff) {
		CHECK(wc->byte_len == MESSAGE);
		check_message(link->memory + index * MESSAGE, peer, worker->self);
		atomic_fetch_add(&board->received[worker->self][peer], 1);
		post_link_receive(worker, peer, index);
	}
}

static void open_worker(const struct uroce_bed *bed, struct worker *worker)
{
	struct uroce_options options = bed_options;
	const size_t size = (size_t)processes * (RECEIVES + 1) * MESSAGE;
	char *memory;

	uroce_bed_open(bed, &worker->end);
	ibv_dereg_mr(worker->end.mr);
	memory = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	CHECK(memory != MAP_FAILED);
	worker->end.mr = ibv_reg_mr(worker->end.pd, memory, size, IBV_ACCESS_LOCAL_WRITE);
	CHECK(worker->end.mr);
	options.cqe = (int)(processes * BED_DEPTH * 2);
	for (unsigned int i = 0; i < processes; i++) {
		uroce_bed_qp(&worker->end, &options);
		worker->links[i].qp = worker->end.qp;
		worker->links[i].memory = memory + (size_t)i * (RECEIVES + 1) * MESSAGE;
		atomic_store(&board->qpn[worker->self][i], worker->end.qp->qp_num);
	}
	atomic_store(&board->epoch[worker->self], worker->epoch);
}

static void be_worker(const struct uroce_bed *bed, unsigned int self, unsigned int epoch)
{
	static struct worker worker;
	struct ibv_wc wc[16];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	worker.self = self;
	worker.epoch = epoch;
	open_worker(bed, &worker);
	/* A child that lives longer, until the test ends. */
	if (epoch % 4 == 3 && !fork()) {
		while (!atomic_load(&board->stop) && !kill(board->tester, 0))
			usleep(10000);
		uroce_bed_leave();
	}
	while (!atomic_load(&board->stop)) {
		for (unsigned int i = 0; i < processes; i++) {
			if (worker.links[i].epoch != atomic_load(&board->epoch[i]))
				connect_link(&worker, i);
			if (may_send_to(&worker, i))
				send_to(&worker, i);
		}
		for (int n = 1; n > 0;) {
			n = ibv_poll_cq(worker.end.cq, 16, wc);
			for (int i = 0; i < n; i++)
				take_completion(&worker, &wc[i]);
		}
		/* Many leave each other processor time: to begin takes as much as thousands of messages. */
		usleep(processes * processes * PAIR_US);
	}
	for (unsigned int i = 0; i < processes; i++)
		CHECK(!ibv_destroy_qp(worker.links[i].qp));
	worker.end.qp = NULL;
	_exit(uroce_bed_close(&worker.end));
}

/* Messages that have yet to come, in all directions. */
static unsigned int count_missing(unsigned int before[MOST][MOST])
{
	unsigned int missing = 0;

	for (unsigned int i = 0; i < processes; i++)
		for (unsigned int j = 0; j < processes; j++) {
			const unsigned int came =
				atomic_load(&board->received[i][j]) - before[i][j];

			missing += came < ROUNDS_AFTER ? ROUNDS_AFTER - came : 0;
		}
	return missing;
}

/* Ends when each process got some from each other; the alarm is for a time in which none came that is still missing. */
static void wait_until_all_reached(void)
{
	static unsigned int before[MOST][MOST];
	unsigned int missing, least = UINT_MAX;

	for (unsigned int i = 0; i < processes; i++)
		for (unsigned int j = 0; j < processes; j++)
			before[i][j] = atomic_load(&board->received[i][j]);
	while (!atomic_load(&board->wrong) && (missing = count_missing(before))) {
		if (missing < least)
			alarm(HF_TEST_HANG_SECONDS);
		least = missing < least ? missing : least;
		usleep(5000);
	}
}

static pid_t start_worker(const struct uroce_bed *bed, unsigned int self, unsigned int epoch)
{
	const pid_t pid = fork();

	if (!pid) {
		/* What fails here must not remove the parent's device. */
		setenv("CMOCKA_TEST_ABORT", "1", 1);
		be_worker(bed, self, epoch);
	}
	assert_true(pid > 0);
	return pid;
}

static void random_kills(void **state)
{
	struct uroce_bed *bed = *state;
	unsigned int epoch = 1, seed = 1;
	pid_t pids[MOST] = {0};
	struct stat st;
	blkcnt_t blocks;
	struct uroce_end end;
	int status;

	board = mmap(NULL, sizeof(*board), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1,
		     0);
	assert_ptr_not_equal(board, MAP_FAILED);
	board->tester = getpid();
	uroce_bed_open(bed, &end);
	assert_int_equal(uroce_bed_close(&end), 0);
	assert_int_equal(stat(bed->node, &st), 0);
	blocks = st.st_blocks;
	for (unsigned int i = 0; i < processes; i++)
		pids[i] = start_worker(bed, i, epoch++);
	for (unsigned int i = 0; i < kills && !atomic_load(&board->wrong); i++) {
		const unsigned int count = processes ? processes : 1;
		const unsigned int victim = (unsigned int)rand_r(&seed) % count;

		alarm(HF_TEST_HANG_SECONDS);
		usleep((useconds_t)rand_r(&seed) % 20000);
		if (i % 3 == 0)
			kill(pids[victim], SIGSTOP);
		if (i % 6 == 0)
			usleep(5000);
		assert_int_equal(kill(pids[victim], SIGKILL), 0);
		assert_int_equal(waitpid(pids[victim], &status, 0), pids[victim]);
		assert_true(WIFSIGNALED(status));
		pids[victim] = start_worker(bed, victim, epoch++);
	}
	wait_until_all_reached();
	atomic_store(&board->stop, true);
	for (unsigned int i = 0; i < processes; i++) {
		alarm(HF_TEST_HANG_SECONDS);
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(status, 0);
	}
	assert_int_equal(atomic_load(&board->wrong), 0);
	assert_int_equal(stat(bed->node, &st), 0);
	assert_int_equal(st.st_blocks, blocks);
	munmap(board, sizeof(*board));
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(random_kills, uroce_bed_setup, uroce_bed_teardown),
	};

	if (argc == 3) {
		processes = (unsigned int)strtoul(argv[1], NULL, 10);
		kills = (unsigned int)strtoul(argv[2], NULL, 10);
	}
	if (processes < 2 || processes > MOST)
		return 2;
	return cmocka_run_group_tests(tests, NULL, NULL);
}
