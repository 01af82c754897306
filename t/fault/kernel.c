/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A fake kernel that keeps track of the objects and descriptors that a program has. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/epoll.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <rdma/ib_user_verbs.h>
#include <rdma/rdma_user_ioctl.h>
#include <rdma/rdma_user_ioctl_cmds.h>
#include <rdma/rdma_user_rxe.h>
#include <rdma/siw-abi.h>

#include "shared/attr.h"
#include "t/fault/kernel.h"
#include "t/lib/fake_kernel.h"

enum { OBJECTS = 64, CHANNELS = 8, ELEMENT_SHIFT = 10, SLOTS = 32 };

/* The mapping of a ring, and the distance to the next one. */
enum { RING_SIZE = (SLOTS << ELEMENT_SHIFT) + 4096, RING_STEP = 1 << 16 };

static struct {
	int fd;
	struct kernel_plan plan;
	bool counting, gone, siw;
	size_t commands, calls, hits, mappings, rings;
	struct {
		bool used;
		uint16_t type;
		uint32_t handle;
	} objects[OBJECTS];
	size_t num_objects;
	uint32_t last_handle;
	int writers[CHANNELS]; /* the kernel's ends of channels */
	size_t num_writers;
	int completions, events; /* the last object of each kind; -1: none */
	uint32_t completed, reported;
	uint32_t refused; /* the command that write() was just refused; 0: none */
	int refusal;
	const char *complaint;
} kernel = {.fd = -1, .completions = -1, .events = -1};

void (*kernel_noise)(void *data, size_t size);

static void kernel_complain(const char *what)
{
	if (!kernel.complaint)
		kernel.complaint = what;
}

static uint32_t add_object(uint16_t type)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (!kernel.objects[i].used) {
			kernel.objects[i].used = true;
			kernel.objects[i].type = type;
			kernel.objects[i].handle = ++kernel.last_handle;
			kernel.num_objects++;
			return kernel.last_handle;
		}
	kernel_complain("more objects than this kernel has");
	return 0;
}

static int remove_object(uint16_t type, uint32_t handle)
{
	for (size_t i = 0; i < OBJECTS; i++)
		if (kernel.objects[i].used && kernel.objects[i].handle == handle &&
		    kernel.objects[i].type == type) {
			kernel.objects[i].used = false;
			kernel.num_objects--;
			return 0;
		}
	if (kernel.plan.lenient)
		return 0;
	kernel_complain("a destroy of an object that does not exist");
	return ENOENT;
}

static void remove_all_objects(void)
{
	memset(kernel.objects, 0, sizeof(kernel.objects));
	kernel.num_objects = 0;
}

static int add_descriptor(int *ret_writer)
{
	int ends[2];

	if (kernel.num_writers == CHANNELS || pipe2(ends, O_CLOEXEC) < 0)
		return -1;
	kernel.writers[kernel.num_writers++] = ends[1];
	*ret_writer = ends[1];
	return ends[0];
}

/* The methods that create or destroy an object. */
static const struct method {
	uint16_t object, method, attr;
	bool destroys, newer; /* newer than Linux 5.8 */
} methods[] = {
	{UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE, UVERBS_ATTR_CREATE_CQ_HANDLE, 0, 0},
	{UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_DESTROY, UVERBS_ATTR_DESTROY_CQ_HANDLE, 1, 0},
	{UVERBS_OBJECT_QP, UVERBS_METHOD_QP_CREATE, UVERBS_ATTR_CREATE_QP_HANDLE, 0, 1},
	{UVERBS_OBJECT_QP, UVERBS_METHOD_QP_DESTROY, UVERBS_ATTR_DESTROY_QP_HANDLE, 1, 1},
	{UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_CREATE, UVERBS_ATTR_CREATE_SRQ_HANDLE, 0, 1},
	{UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_DESTROY, UVERBS_ATTR_DESTROY_SRQ_HANDLE, 1, 1},
	{UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_CREATE, UVERBS_ATTR_CREATE_WQ_HANDLE, 0, 1},
	{UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_DESTROY, UVERBS_ATTR_DESTROY_WQ_HANDLE, 1, 1},
	{UVERBS_OBJECT_DM, UVERBS_METHOD_DM_ALLOC, UVERBS_ATTR_ALLOC_DM_HANDLE, 0, 0},
	{UVERBS_OBJECT_DM, UVERBS_METHOD_DM_FREE, UVERBS_ATTR_FREE_DM_HANDLE, 1, 0},
	{UVERBS_OBJECT_MR, UVERBS_METHOD_DM_MR_REG, UVERBS_ATTR_REG_DM_MR_HANDLE, 0, 0},
	{UVERBS_OBJECT_MR, UVERBS_METHOD_REG_DMABUF_MR, UVERBS_ATTR_REG_DMABUF_MR_HANDLE, 0, 0},
	{UVERBS_OBJECT_MR, UVERBS_METHOD_MR_DESTROY, UVERBS_ATTR_DESTROY_MR_HANDLE, 1, 0},
	{UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_CREATE, UVERBS_ATTR_CREATE_COUNTERS_HANDLE,
	 0, 0},
	{UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_DESTROY,
	 UVERBS_ATTR_DESTROY_COUNTERS_HANDLE, 1, 0},
	{UVERBS_OBJECT_FLOW_ACTION, UVERBS_METHOD_FLOW_ACTION_ESP_CREATE,
	 UVERBS_ATTR_CREATE_FLOW_ACTION_ESP_HANDLE, 0, 0},
	{UVERBS_OBJECT_FLOW_ACTION, UVERBS_METHOD_FLOW_ACTION_DESTROY,
	 UVERBS_ATTR_DESTROY_FLOW_ACTION_HANDLE, 1, 0},
	{UVERBS_OBJECT_PD, UVERBS_METHOD_PD_DESTROY, UVERBS_ATTR_DESTROY_PD_HANDLE, 1, 0},
	{UVERBS_OBJECT_MW, UVERBS_METHOD_MW_DESTROY, UVERBS_ATTR_DESTROY_MW_HANDLE, 1, 0},
	{UVERBS_OBJECT_XRCD, UVERBS_METHOD_XRCD_DESTROY, UVERBS_ATTR_DESTROY_XRCD_HANDLE, 1, 0},
	{UVERBS_OBJECT_AH, UVERBS_METHOD_AH_DESTROY, UVERBS_ATTR_DESTROY_AH_HANDLE, 1, 0},
	{UVERBS_OBJECT_FLOW, UVERBS_METHOD_FLOW_DESTROY, UVERBS_ATTR_DESTROY_FLOW_HANDLE, 1, 0},
	{UVERBS_OBJECT_RWQ_IND_TBL, UVERBS_METHOD_RWQ_IND_TBL_DESTROY,
	 UVERBS_ATTR_DESTROY_RWQ_IND_TBL_HANDLE, 1, 0},
};

#define EX(name)	 (IB_USER_VERBS_EX_CMD_##name | IB_USER_VERBS_CMD_FLAG_EXTENDED)
#define AT(type, member) offsetof(struct ib_uverbs_##type, member)

/* The same for the older commands, with the offset of the handle in the response or the request. */
static const struct command {
	uint32_t cmd;
	uint16_t object;
	bool destroys;
	size_t offset;
} commands[] = {
	{IB_USER_VERBS_CMD_ALLOC_PD, UVERBS_OBJECT_PD, 0, AT(alloc_pd_resp, pd_handle)},
	{IB_USER_VERBS_CMD_REG_MR, UVERBS_OBJECT_MR, 0, AT(reg_mr_resp, mr_handle)},
	{IB_USER_VERBS_CMD_ALLOC_MW, UVERBS_OBJECT_MW, 0, AT(alloc_mw_resp, mw_handle)},
	{IB_USER_VERBS_CMD_OPEN_XRCD, UVERBS_OBJECT_XRCD, 0, AT(open_xrcd_resp, xrcd_handle)},
	{IB_USER_VERBS_CMD_CREATE_AH, UVERBS_OBJECT_AH, 0, AT(create_ah_resp, ah_handle)},
	{IB_USER_VERBS_CMD_CREATE_SRQ, UVERBS_OBJECT_SRQ, 0, AT(create_srq_resp, srq_handle)},
	{IB_USER_VERBS_CMD_CREATE_XSRQ, UVERBS_OBJECT_SRQ, 0, AT(create_srq_resp, srq_handle)},
	{IB_USER_VERBS_CMD_DESTROY_SRQ, UVERBS_OBJECT_SRQ, 1, AT(destroy_srq, srq_handle)},
	{IB_USER_VERBS_CMD_CREATE_QP, UVERBS_OBJECT_QP, 0, AT(create_qp_resp, qp_handle)},
	{IB_USER_VERBS_CMD_OPEN_QP, UVERBS_OBJECT_QP, 0, AT(create_qp_resp, qp_handle)},
	{EX(CREATE_QP), UVERBS_OBJECT_QP, 0, AT(ex_create_qp_resp, base.qp_handle)},
	{IB_USER_VERBS_CMD_DESTROY_QP, UVERBS_OBJECT_QP, 1, AT(destroy_qp, qp_handle)},
	{EX(CREATE_FLOW), UVERBS_OBJECT_FLOW, 0, AT(create_flow_resp, flow_handle)},
	{EX(CREATE_WQ), UVERBS_OBJECT_WQ, 0, AT(ex_create_wq_resp, wq_handle)},
	{EX(DESTROY_WQ), UVERBS_OBJECT_WQ, 1, AT(ex_destroy_wq, wq_handle)},
	{EX(CREATE_RWQ_IND_TBL), UVERBS_OBJECT_RWQ_IND_TBL, 0,
	 AT(ex_create_rwq_ind_table_resp, ind_tbl_handle)},
};

static void store_u32(void *to, uint32_t value)
{
	memcpy(to, &value, sizeof(value));
}

static uint32_t load_u32(const void *from)
{
	uint32_t value;

	memcpy(&value, from, sizeof(value));
	return value;
}

static struct mminfo new_ring(void)
{
	const struct rxe_queue_buf head = {.log2_elem_size = ELEMENT_SHIFT,
					   .index_mask = SLOTS - 1};
	struct mminfo info = {.offset = RING_STEP * kernel.rings, .size = RING_SIZE};

	if (ftruncate(kernel.fd, (off_t)(info.offset + RING_STEP)) < 0 ||
	    pwrite(kernel.fd, &head, sizeof(head), (off_t)info.offset) != sizeof(head))
		kernel_complain("no memory for a ring");
	kernel.rings++;
	return info;
}

/* The same for siw, whose queues are simply zeroed memory. */
static uint64_t new_array(void)
{
	const uint64_t key = RING_STEP * kernel.rings;

	if (ftruncate(kernel.fd, (off_t)(key + RING_STEP)) < 0)
		kernel_complain("no memory for a queue");
	kernel.rings++;
	return key;
}

/* What siw adds. The number of elements of a CQ and an SRQ is at different offsets: set both. */
static void answer_siw(struct ib_uverbs_attr *out)
{
	const struct siw_uresp_create_srq queue = {
		.num_rqe = SLOTS, .pad = SLOTS, .srq_key = new_array()};
	const struct siw_uresp_create_qp qp = {
		.num_sqe = SLOTS, .num_rqe = SLOTS, .sq_key = queue.srq_key, .rq_key = new_array()};
	void *bytes = fake_kernel_bytes(out);

	switch (out->len) {
	case sizeof(struct siw_uresp_alloc_ctx): /* or struct siw_uresp_reg_mr */
		store_u32(bytes, 1);
		break;
	case sizeof(queue):
		memcpy(bytes, &queue, sizeof(queue));
		break;
	case sizeof(qp):
		memcpy(bytes, &qp, sizeof(qp));
		break;
	default:
		kernel_complain("driver data of no driver");
	}
}

/* What rdma_rxe adds: the offset of each ring. The size of the response tells them apart. */
static void answer_rxe(struct ib_uverbs_attr *in, struct ib_uverbs_attr *out)
{
	const struct mminfo first = new_ring(), second = new_ring();

	if (in && in->len == sizeof(struct rxe_modify_srq_cmd))
		memcpy(fake_kernel_bytes(in), &first, sizeof(first));
	if (!out)
		return;
	switch (out->len) {
	case sizeof(struct rxe_create_ah_resp):
		store_u32(fake_kernel_bytes(out), 1);
		break;
	case sizeof(struct rxe_create_cq_resp):
	case sizeof(struct rxe_create_srq_resp):
		memcpy(fake_kernel_bytes(out), &first, sizeof(first));
		break;
	case sizeof(struct rxe_create_qp_resp):
		memcpy(fake_kernel_bytes(out), &first, sizeof(first));
		memcpy((char *)fake_kernel_bytes(out) + sizeof(first), &second, sizeof(second));
		break;
	default:
		kernel_complain("driver data of no driver");
	}
}

static void answer_driver(struct ib_uverbs_ioctl_hdr *header)
{
	struct ib_uverbs_attr *out = fake_kernel_attr(header, UVERBS_ATTR_UHW_OUT);

	if (!kernel.siw)
		answer_rxe(fake_kernel_attr(header, UVERBS_ATTR_UHW_IN), out);
	else if (out)
		answer_siw(out);
}

/* Outputs are zero except those set here; the attributes' names tell their direction. */
static int answer_method(struct ib_uverbs_ioctl_hdr *header)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(methods); i++) {
		const struct method *method = &methods[i];
		struct ib_uverbs_attr *attr;

		if (header->object_id != method->object || header->method_id != method->method)
			continue;
		attr = fake_kernel_attr(header, method->attr);
		if (!attr) {
			kernel_complain("an object without its handle");
			return EINVAL;
		}
		if (method->destroys)
			return remove_object(method->object, (uint32_t)attr->data);
		attr->data = add_object(method->object);
	}
	return 0;
}

static int answer_write_command(struct ib_uverbs_ioctl_hdr *header)
{
	struct ib_uverbs_attr *in = fake_kernel_attr(header, UVERBS_ATTR_CORE_IN);
	struct ib_uverbs_attr *out = fake_kernel_attr(header, UVERBS_ATTR_CORE_OUT);
	struct ib_uverbs_attr *cmd = fake_kernel_attr(header, UVERBS_ATTR_WRITE_CMD);
	char *response = out ? fake_kernel_bytes(out) : NULL;

	if (!cmd || !in)
		return EINVAL;
	if (response)
		memset(response, 0, out->len);
	for (size_t i = 0; i < HF_ARRAY_SIZE(commands); i++) {
		const char *request = in->len > sizeof(in->data) ? fake_kernel_bytes(in)
								 : (char *)&in->data;

		if (commands[i].cmd != cmd->data)
			continue;
		if (commands[i].destroys)
			return remove_object(commands[i].object,
					     load_u32(request + commands[i].offset));
		if (!response || out->len < commands[i].offset + sizeof(uint32_t))
			return EINVAL;
		store_u32(response + commands[i].offset, add_object(commands[i].object));
	}
	if (cmd->data == IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL && response)
		store_u32(response, (uint32_t)add_descriptor(&kernel.completions));
	if (cmd->data == IB_USER_VERBS_CMD_GET_CONTEXT && response)
		store_u32(response + AT(get_context_resp, async_fd),
			  (uint32_t)add_descriptor(&kernel.events));
	if (cmd->data == IB_USER_VERBS_CMD_DESTROY_QP && response)
		store_u32(response, kernel.reported);
	return 0;
}

static void tell_events(struct ib_uverbs_ioctl_hdr *header)
{
	struct ib_uverbs_attr *attr = NULL;

	if (header->object_id == UVERBS_OBJECT_CQ && header->method_id == UVERBS_METHOD_CQ_DESTROY)
		attr = fake_kernel_attr(header, UVERBS_ATTR_DESTROY_CQ_RESP);
	if (attr)
		store_u32(fake_kernel_bytes(attr), kernel.completed);
	attr = NULL;
	if (header->object_id == UVERBS_OBJECT_QP && header->method_id == UVERBS_METHOD_QP_DESTROY)
		attr = fake_kernel_attr(header, UVERBS_ATTR_DESTROY_QP_RESP);
	if (attr)
		store_u32(fake_kernel_bytes(attr), kernel.reported);
}

static int answer_ioctl(struct ib_uverbs_ioctl_hdr *header)
{
	struct ib_uverbs_attr *attr;
	int err;

	if (fake_kernel_is(header, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE))
		err = answer_write_command(header);
	else
		err = answer_method(header);
	if (err)
		return err;
	if (fake_kernel_is(header, UVERBS_OBJECT_ASYNC_EVENT, UVERBS_METHOD_ASYNC_EVENT_ALLOC)) {
		attr = fake_kernel_attr(header, UVERBS_ATTR_ASYNC_EVENT_ALLOC_FD_HANDLE);
		attr->data_s64 = add_descriptor(&kernel.events);
	}
	tell_events(header);
	answer_driver(header);
	return 0;
}

/* When a destroy returns EIO or ENODEV, the kernel has released the object. */
static void let_go(struct ib_uverbs_ioctl_hdr *header, int err)
{
	struct ib_uverbs_attr *cmd = fake_kernel_attr(header, UVERBS_ATTR_WRITE_CMD);
	bool destroys = false;

	if (err != EIO && err != ENODEV)
		return;
	for (size_t i = 0; i < HF_ARRAY_SIZE(methods); i++)
		destroys |= methods[i].destroys &&
			    fake_kernel_is(header, methods[i].object, methods[i].method);
	for (size_t i = 0; i < HF_ARRAY_SIZE(commands) && cmd; i++)
		destroys |= commands[i].destroys && commands[i].cmd == cmd->data;
	if (destroys)
		answer_ioctl(header);
}

static bool is_newer(const struct ib_uverbs_ioctl_hdr *header)
{
	for (size_t i = 0; i < HF_ARRAY_SIZE(methods); i++)
		if (methods[i].newer &&
		    fake_kernel_is(header, methods[i].object, methods[i].method))
			return true;
	return fake_kernel_is(header, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT) ||
	       fake_kernel_is(header, UVERBS_OBJECT_ASYNC_EVENT, UVERBS_METHOD_ASYNC_EVENT_ALLOC);
}

/* A command that write() was refused is refused by ioctl() too: one command, one failure. */
static bool is_refused_again(struct ib_uverbs_ioctl_hdr *header)
{
	struct ib_uverbs_attr *cmd = fake_kernel_attr(header, UVERBS_ATTR_WRITE_CMD);
	const uint32_t refused = kernel.refused;

	kernel.refused = 0;
	return refused && cmd && cmd->data == refused;
}

static int take_command(struct ib_uverbs_ioctl_hdr *header)
{
	const struct kernel_plan *plan = &kernel.plan;
	bool here;

	if (!kernel.counting)
		return answer_ioctl(header);
	if (is_refused_again(header))
		return kernel.refusal;
	here = ++kernel.commands == plan->at && !plan->call;
	if (here && plan->notice)
		plan->notice();
	if (plan->dead && kernel.gone)
		kernel_complain("a command on a context that is known to be dead");
	if (kernel.gone || (here && plan->err)) {
		kernel.hits++;
		if (plan->gone || plan->dead) {
			kernel.gone = true;
			remove_all_objects();
		} else {
			let_go(header, plan->err);
		}
		if (plan->dead)
			atomic_store(plan->dead, true);
		return plan->err;
	}
	if (plan->old && is_newer(header))
		return EPROTONOSUPPORT;
	return answer_ioctl(header);
}

/* The attributes of methods that are outputs. */
static const struct output {
	uint16_t object, method, attr;
} outputs[] = {
	{UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT, UVERBS_ATTR_GET_CONTEXT_NUM_COMP_VECTORS},
	{UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT, UVERBS_ATTR_GET_CONTEXT_CORE_SUPPORT},
	{UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_PORT, UVERBS_ATTR_QUERY_PORT_RESP},
	{UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_ENTRY,
	 UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY},
	{UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_TABLE,
	 UVERBS_ATTR_QUERY_GID_TABLE_RESP_ENTRIES},
	{UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_TABLE,
	 UVERBS_ATTR_QUERY_GID_TABLE_RESP_NUM_ENTRIES},
	{UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE, UVERBS_ATTR_CREATE_CQ_RESP_CQE},
	{UVERBS_OBJECT_QP, UVERBS_METHOD_QP_CREATE, UVERBS_ATTR_CREATE_QP_RESP_CAP},
	{UVERBS_OBJECT_QP, UVERBS_METHOD_QP_CREATE, UVERBS_ATTR_CREATE_QP_RESP_QP_NUM},
	{UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_CREATE, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_WR},
	{UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_CREATE, UVERBS_ATTR_CREATE_SRQ_RESP_MAX_SGE},
	{UVERBS_OBJECT_SRQ, UVERBS_METHOD_SRQ_CREATE, UVERBS_ATTR_CREATE_SRQ_RESP_SRQ_NUM},
	{UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_CREATE, UVERBS_ATTR_CREATE_WQ_RESP_MAX_WR},
	{UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_CREATE, UVERBS_ATTR_CREATE_WQ_RESP_WQ_NUM},
	{UVERBS_OBJECT_MR, UVERBS_METHOD_QUERY_MR, UVERBS_ATTR_QUERY_MR_RESP_LENGTH},
	{UVERBS_OBJECT_MR, UVERBS_METHOD_DM_MR_REG, UVERBS_ATTR_REG_DM_MR_RESP_LKEY},
};

static void add_noise_to_write(struct ib_uverbs_ioctl_hdr *header)
{
	struct ib_uverbs_attr *cmd = fake_kernel_attr(header, UVERBS_ATTR_WRITE_CMD);
	struct ib_uverbs_attr *out = fake_kernel_attr(header, UVERBS_ATTR_CORE_OUT);
	char *bytes = out ? fake_kernel_bytes(out) : NULL;
	size_t size = out ? out->len : 0;

	for (size_t i = 0; i < HF_ARRAY_SIZE(commands) && cmd; i++)
		if (commands[i].destroys && commands[i].cmd == cmd->data)
			return;
	if (!bytes || !cmd || cmd->data == IB_USER_VERBS_CMD_CREATE_COMP_CHANNEL)
		return;
	/* The response's first member is a descriptor. */
	if (cmd->data == IB_USER_VERBS_CMD_GET_CONTEXT && size > sizeof(uint32_t)) {
		bytes += sizeof(uint32_t);
		size -= sizeof(uint32_t);
	}
	kernel_noise(bytes, size);
}

static void add_noise(struct ib_uverbs_ioctl_hdr *header)
{
	struct ib_uverbs_attr *attr = fake_kernel_attr(header, UVERBS_ATTR_UHW_OUT);

	if (attr)
		kernel_noise(fake_kernel_bytes(attr), attr->len);
	if (fake_kernel_is(header, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE)) {
		add_noise_to_write(header);
		return;
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(outputs); i++) {
		if (!fake_kernel_is(header, outputs[i].object, outputs[i].method))
			continue;
		attr = fake_kernel_attr(header, outputs[i].attr);
		if (attr)
			kernel_noise(fake_kernel_bytes(attr), attr->len);
	}
	for (size_t i = 0; i < HF_ARRAY_SIZE(methods); i++) {
		if (!fake_kernel_is(header, methods[i].object, methods[i].method) ||
		    methods[i].destroys)
			continue;
		attr = fake_kernel_attr(header, methods[i].attr);
		if (attr)
			kernel_noise(&attr->data, sizeof(attr->data));
	}
}

static int answer_command(int fd, struct ib_uverbs_ioctl_hdr *command)
{
	int err = take_command(command);

	(void)fd;
	if (!err && kernel_noise)
		add_noise(command);
	return err;
}

struct written {
	struct ib_uverbs_ioctl_hdr header;
	struct ib_uverbs_attr attrs[3];
};

/*
 * Turns a written command into the form of an ioctl. The response's address is at the start of what
 * follows `hdr`.
 */
static struct written read_written(const struct ib_uverbs_cmd_hdr *hdr, uint16_t size)
{
	struct written to = {.header = {.object_id = UVERBS_OBJECT_DEVICE,
					.method_id = UVERBS_METHOD_INVOKE_WRITE,
					.num_attrs = hdr->out_words ? 3 : 2}};
	struct ib_uverbs_attr *in = &to.attrs[1], *out = &to.attrs[2];

	to.attrs[0] = (struct ib_uverbs_attr){
		.attr_id = UVERBS_ATTR_WRITE_CMD, .len = 8, .data = hdr->command};
	*in = (struct ib_uverbs_attr){.attr_id = UVERBS_ATTR_CORE_IN, .len = size};
	if (size > sizeof(in->data))
		in->data = (uintptr_t)(hdr + 1);
	else
		memcpy(&in->data, hdr + 1, size);
	*out = (struct ib_uverbs_attr){.attr_id = UVERBS_ATTR_CORE_OUT,
				       .len = (uint16_t)(hdr->out_words * 4)};
	if (hdr->out_words)
		memcpy(&out->data, hdr + 1, sizeof(out->data));
	return to;
}

static ssize_t answer_written(int fd, const void *buffer, size_t size)
{
	const struct ib_uverbs_cmd_hdr *hdr = buffer;
	struct written command;
	int err;

	if (kernel.fd < 0 || fd != kernel.fd)
		return fake_kernel_write(fd, buffer, size);
	if (size < sizeof(*hdr) || (size_t)hdr->in_words * 4 != size) {
		kernel_complain("a written command of another length than it says");
		errno = EINVAL;
		return -1;
	}
	command = read_written(hdr, (uint16_t)(size - sizeof(*hdr)));
	kernel.refused = 0;
	err = take_command(&command.header);
	if (err) {
		kernel.refused = kernel.counting ? hdr->command : 0;
		kernel.refusal = err;
		errno = err;
		return -1;
	}
	if (kernel_noise)
		add_noise(&command.header);
	return (ssize_t)size;
}

/*
 * --- Other system calls: the linker wraps these
 * ---------------------------------------------------
 */

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *at, size_t size);
int __wrap_munmap(void *at, size_t size);
int __real_epoll_create1(int flags);
int __wrap_epoll_create1(int flags);
int __real_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);
int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event);

static bool call_fails(void)
{
	if (!kernel.counting || ++kernel.calls != kernel.plan.at || !kernel.plan.call ||
	    !kernel.plan.err)
		return false;
	kernel.hits++;
	errno = kernel.plan.err;
	return true;
}

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *mapped;

	if (fd < 0 || fd != kernel.fd)
		return __real_mmap(at, size, protection, flags, fd, offset);
	if (call_fails())
		return MAP_FAILED;
	/* Like a kernel: only existing rings can be mapped. */
	if (offset < 0 || size > (uint64_t)RING_STEP * kernel.rings ||
	    (uint64_t)offset > (uint64_t)RING_STEP * kernel.rings - size) {
		errno = EINVAL;
		return MAP_FAILED;
	}
	mapped = __real_mmap(at, size, protection, flags, fd, offset);
	if (mapped == MAP_FAILED)
		return mapped;
	kernel.mappings++;
	if (kernel_noise)
		kernel_noise(mapped, size);
	return mapped;
}

int __wrap_munmap(void *at, size_t size)
{
	kernel.mappings--;
	return __real_munmap(at, size);
}

int __wrap_epoll_create1(int flags)
{
	return call_fails() ? -1 : __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int epoll, int op, int fd, struct epoll_event *event)
{
	return call_fails() ? -1 : __real_epoll_ctl(epoll, op, fd, event);
}

/*
 * --- For the test
 * ---------------------------------------------------------------------------------
 */

int kernel_open(void)
{
	kernel_end();
	memset(&kernel, 0, sizeof(kernel));
	kernel.completions = kernel.events = -1;
	kernel.fd = memfd_create("uverbs", MFD_CLOEXEC);
	fake_kernel_answer(kernel.fd, answer_command);
	fake_kernel_answer_write(answer_written);
	return kernel.fd;
}

void kernel_be_siw(bool siw)
{
	kernel.siw = siw;
}

void kernel_end(void)
{
	for (size_t i = 0; i < kernel.num_writers; i++)
		close(kernel.writers[i]);
	kernel.num_writers = 0;
	kernel.fd = -1;
}

void kernel_begin(const struct kernel_plan *plan)
{
	kernel.plan = *plan;
	kernel.counting = true;
	kernel.commands = kernel.calls = kernel.hits = 0;
}

void kernel_stop_failing(void)
{
	kernel.plan.at = 0;
}

void kernel_stop(void)
{
	kernel.counting = false;
}

size_t kernel_commands(void)
{
	return kernel.commands;
}

size_t kernel_calls(void)
{
	return kernel.calls;
}

size_t kernel_hits(void)
{
	return kernel.hits;
}

size_t kernel_objects(void)
{
	return kernel.num_objects;
}

size_t kernel_mappings(void)
{
	return kernel.mappings;
}

bool kernel_is_gone(void)
{
	return kernel.gone;
}

const char *kernel_complaint(void)
{
	return kernel.complaint;
}

void kernel_complete(uint64_t cq)
{
	const struct ib_uverbs_comp_event_desc event = {.cq_handle = cq};

	if (write(kernel.completions, &event, sizeof(event)) == sizeof(event))
		kernel.completed++;
}

void kernel_report(uint32_t type, uint64_t qp)
{
	const struct ib_uverbs_async_event_desc event = {.element = qp, .event_type = type};

	if (write(kernel.events, &event, sizeof(event)) == sizeof(event))
		kernel.reported++;
}

void kernel_write_record(bool completion, const void *record, size_t size, bool counts)
{
	const int fd = completion ? kernel.completions : kernel.events;

	if (write(fd, record, size) < 0)
		kernel_complain("a record that cannot be written");
	if (counts && completion)
		kernel.completed++;
	else if (counts)
		kernel.reported++;
}
