/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What other processes of the user may write into the memory that a soft device's processes share: changes of it,
 * and then every call on two QPs that are connected through it. Errors are right; nothing else is asked of the calls.
 */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>

#include <holdfast/holdfast.h>

#include "providers/uroce/segment.h"
#include "shared/attr.h"
#include "t/fuzz/fuzz.h"
#include "t/lib/tree.h"

enum { MEMORY = 4096, CHANGE = 8, CHANGES = 64, RING_BYTES = 512, CALLERS_STACK = 65536 };

const char fuzz_name[] = "uroce-segment";

struct fuzz_end {
	struct ibv_context *context;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	struct ibv_cq *cq;
	struct ibv_srq *srq; /* of the second one */
	struct ibv_qp *qp;
	char *memory;
};

static struct hf *hf;
static char node[4096];
static struct fuzz_end ends[2];
static bool changed;

/*
 * Both ends are this process, so a changed address or key leads copies anywhere in it. The calls that copy
 * are taken in place of libc's: what is neither registered nor the caller's own variable is as if it were
 * not mapped, and the sanitizer does not judge addresses that the kernel judges.
 */
static bool may_be_written(const struct iovec *iov, unsigned long count)
{
	const char *stack = __builtin_frame_address(0);

	for (unsigned long i = 0; i < count && changed; i++) {
		const char *at = iov[i].iov_base;
		const size_t length = iov[i].iov_len;
		bool known = at >= stack && length <= CALLERS_STACK &&
			     at + length <= stack + CALLERS_STACK;

		for (int k = 0; k < 2 && !known; k++)
			known = at >= ends[k].memory && length <= MEMORY &&
				at + length <= ends[k].memory + MEMORY;
		if (!known && length)
			return false;
	}
	return true;
}

HF_EXPORT ssize_t process_vm_readv(pid_t pid, const struct iovec *local, unsigned long locals,
				   const struct iovec *remote, unsigned long remotes,
				   unsigned long flags)
{
	if (!may_be_written(local, locals)) {
		errno = EFAULT;
		return -1;
	}
	return syscall(SYS_process_vm_readv, pid, local, locals, remote, remotes, flags);
}

HF_EXPORT ssize_t process_vm_writev(pid_t pid, const struct iovec *local, unsigned long locals,
				    const struct iovec *remote, unsigned long remotes,
				    unsigned long flags)
{
	if (!may_be_written(remote, remotes)) {
		errno = EFAULT;
		return -1;
	}
	return syscall(SYS_process_vm_writev, pid, local, locals, remote, remotes, flags);
}

static void make_fuzz_device(void)
{
	const char *dirs[] = {FUZZ_PROVIDERS, NULL};
	const struct tree_options device = {
		.modalias = "holdfast:uroce",
		.node = TREE_NODE_FILE,
		.abi = 1,
	};
	static struct tree *tree;
	struct hf_root root;
	const struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = dirs,
	};

	fuzz_check(!tree_new(&tree, NULL));
	root = (struct hf_root){.sysfs = tree_sysfs(tree), .dev = tree_dev(tree)};
	fuzz_check(!tree_add(tree, 0, "uroce0", &device));
	snprintf(node, sizeof(node), "%s/infiniband/uverbs0", tree_dev(tree));
	fuzz_check(!hf_new(&options, &hf));
}

static void open_fuzz_end(struct fuzz_end *end, bool has_srq)
{
	struct ibv_srq_init_attr srq = {.attr = {.max_wr = 4, .max_sge = 2}};
	struct ibv_qp_init_attr init = {
		.cap = {4, 4, 2, 2, 16}, .qp_type = IBV_QPT_RC, .sq_sig_all = 1};
	struct ibv_device *device;

	memset(end, 0, sizeof(*end));
	fuzz_check(!hf_device_by_name(hf, "uroce0", &device));
	fuzz_check(!hf_device_open(device, &end->context));
	hf_device_unref(device);
	end->memory = aligned_alloc(MEMORY, MEMORY);
	fuzz_check(end->memory);
	memset(end->memory, 0, MEMORY);
	end->pd = ibv_alloc_pd(end->context);
	end->mr = ibv_reg_mr(end->pd, end->memory, MEMORY,
			     IBV_ACCESS_LOCAL_WRITE | IBV_ACCESS_REMOTE_WRITE |
				     IBV_ACCESS_REMOTE_READ | IBV_ACCESS_REMOTE_ATOMIC);
	end->cq = ibv_create_cq(end->context, 16, NULL, NULL, 0);
	if (has_srq)
		init.srq = end->srq = ibv_create_srq(end->pd, &srq);
	init.send_cq = init.recv_cq = end->cq;
	end->qp = ibv_create_qp(end->pd, &init);
	fuzz_check(end->mr && end->cq && end->qp);
}

static void connect_fuzz_end(struct fuzz_end *end, uint32_t number)
{
	struct ibv_qp_attr attr = {
		.qp_state = IBV_QPS_INIT,
		.port_num = 1,
		.qp_access_flags = IBV_ACCESS_REMOTE_WRITE | IBV_ACCESS_REMOTE_READ |
				   IBV_ACCESS_REMOTE_ATOMIC,
		.path_mtu = IBV_MTU_1024,
		.dest_qp_num = number,
		.max_dest_rd_atomic = 1,
		.max_rd_atomic = 1,
		.timeout = 1,
		.ah_attr = {.is_global = 1, .port_num = 1},
	};

	fuzz_check(!ibv_query_gid(end->context, 1, 0, &attr.ah_attr.grh.dgid));
	fuzz_check(!ibv_modify_qp(end->qp, &attr,
				  IBV_QP_STATE | IBV_QP_PKEY_INDEX | IBV_QP_PORT |
					  IBV_QP_ACCESS_FLAGS));
	attr.qp_state = IBV_QPS_RTR;
	fuzz_check(!ibv_modify_qp(end->qp, &attr,
				  IBV_QP_STATE | IBV_QP_AV | IBV_QP_PATH_MTU | IBV_QP_DEST_QPN |
					  IBV_QP_RQ_PSN | IBV_QP_MAX_DEST_RD_ATOMIC |
					  IBV_QP_MIN_RNR_TIMER));
	attr.qp_state = IBV_QPS_RTS;
	fuzz_check(!ibv_modify_qp(end->qp, &attr,
				  IBV_QP_STATE | IBV_QP_SQ_PSN | IBV_QP_TIMEOUT | IBV_QP_RETRY_CNT |
					  IBV_QP_RNR_RETRY | IBV_QP_MAX_QP_RD_ATOMIC));
}

/* The structure that a change is made in, and its size. */
static char *find_place(struct uroce_header *header, uint8_t where, uint32_t *size)
{
	struct uroce_arena *arena = NULL;

	for (uint32_t i = 0, skip = where & 1; i < UROCE_SLOTS && !arena; i++)
		if (atomic_load(&header->slots[i].life) && !skip--)
			arena = (void *)((char *)header + UROCE_ARENA_FIRST + i * UROCE_ARENA_SIZE);
	*size = sizeof(uint64_t);
	if (!arena)
		return (char *)header;
	switch (where >> 1 & 7) {
	case 0:
		*size = sizeof(struct uroce_shared_qp);
		return (char *)&arena->qps[0];
	case 1:
		*size = sizeof(struct uroce_shared_cq);
		return (char *)&arena->cqs[0];
	case 2:
		*size = sizeof(struct uroce_shared_srq);
		return (char *)&arena->srqs[0];
	case 3:
		*size = sizeof(struct uroce_shared_mr);
		return (char *)&arena->mrs[ends[where & 1].mr->lkey >> 16];
	case 4:
		*size = sizeof(struct uroce_slot);
		return (char *)&header->slots[((char *)arena - (char *)header) / UROCE_ARENA_SIZE];
	case 5:
		*size = sizeof(header->chunks[0]);
		return (char *)&header->chunks[ends[where & 1].qp->qp_num / UROCE_CHUNK_QPS];
	default:
		*size = RING_BYTES;
		return (char *)arena + (sizeof(*arena) + 4095) / 4096 * 4096 +
		       (where >> 4 & 3) * (uint64_t)4096;
	}
}

/* Each change: where, which 4 bytes there, and the value. */
static void change_segment(const uint8_t *data, size_t size)
{
	const int fd = open(node, O_RDWR | O_CLOEXEC);
	struct uroce_header *header;
	struct stat st;

	fuzz_check(fd >= 0 && !fstat(fd, &st));
	header = mmap(NULL, (size_t)st.st_size, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	fuzz_check(header != MAP_FAILED);
	for (int i = 0; i < CHANGES && size >= CHANGE; i++, data += CHANGE, size -= CHANGE) {
		uint32_t bytes;
		char *place = find_place(header, data[0], &bytes);

		memcpy(place + (size_t)(data[1] % (bytes / 4)) * 4, data + 4, 4);
	}
	changed = true;
	munmap(header, (size_t)st.st_size);
	close(fd);
}

static void use_end(struct fuzz_end *end, const struct fuzz_end *peer, enum ibv_wr_opcode opcode)
{
	struct ibv_sge sge = {(uintptr_t)end->memory, 8, end->mr->lkey};
	struct ibv_recv_wr recv = {.sg_list = &sge, .num_sge = 1}, *bad_recv;
	struct ibv_send_wr send = {.sg_list = &sge, .num_sge = 1, .opcode = opcode}, *bad;
	struct ibv_qp_init_attr init;
	struct ibv_qp_attr attr;
	struct ibv_wc wc[4];

	if (opcode == IBV_WR_ATOMIC_FETCH_AND_ADD) {
		send.wr.atomic.remote_addr = (uintptr_t)peer->memory;
		send.wr.atomic.rkey = peer->mr->rkey;
	} else {
		send.wr.rdma.remote_addr = (uintptr_t)peer->memory;
		send.wr.rdma.rkey = peer->mr->rkey;
	}
	if (end->srq)
		ibv_post_srq_recv(end->srq, &recv, &bad_recv);
	else
		ibv_post_recv(end->qp, &recv, &bad_recv);
	ibv_req_notify_cq(end->cq, 0);
	ibv_post_send(end->qp, &send, &bad);
	ibv_poll_cq(end->cq, 4, wc);
	ibv_query_qp(end->qp, &attr, IBV_QP_STATE, &init);
}

static void close_fuzz_end(struct fuzz_end *end)
{
	fuzz_check(!ibv_destroy_qp(end->qp));
	fuzz_check(!end->srq || !ibv_destroy_srq(end->srq));
	fuzz_check(!ibv_destroy_cq(end->cq));
	fuzz_check(!ibv_dereg_mr(end->mr));
	fuzz_check(!ibv_dealloc_pd(end->pd));
	fuzz_check(!ibv_close_device(end->context));
	free(end->memory);
	end->memory = NULL;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const enum ibv_wr_opcode opcodes[] = {
		IBV_WR_SEND,
		IBV_WR_RDMA_WRITE_WITH_IMM,
		IBV_WR_RDMA_READ,
		IBV_WR_ATOMIC_FETCH_AND_ADD,
	};

	if (!hf)
		make_fuzz_device();
	for (int i = 0; i < 2; i++)
		open_fuzz_end(&ends[i], i);
	for (int i = 0; i < 2; i++)
		connect_fuzz_end(&ends[i], ends[1 - i].qp->qp_num);
	use_end(&ends[1], &ends[0], IBV_WR_RDMA_WRITE);
	change_segment(data, size);
	for (size_t i = 0; i < sizeof(opcodes) / sizeof(opcodes[0]); i++)
		for (int k = 0; k < 2; k++)
			use_end(&ends[k], &ends[1 - k], opcodes[i]);
	for (int i = 0; i < 2; i++)
		close_fuzz_end(&ends[i]);
	changed = false;
	/* As new for the next one. */
	fuzz_check(!truncate(node, 0));
	return 0;
}
