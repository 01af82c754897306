/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A made-up provider of each private ABI, all in one process: what it passes arrives at the kernel, what programs
 * call arrives at it. Started by t/tree/foreign-abis, which builds the providers and names their directory.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <rdma/ib_user_ioctl_cmds.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "shared/attr.h"
#include "t/lib/fake_kernel.h"
#include "t/lib/tree.h"
#include "t/tree/made_up_abi.h"

typedef void (*any_fn)(void);

/* Half of the rounds open a context, the others close one; each thread does as many. */
enum { OFFSETS = 3, OPEN_MAX_AT_ONCE = 16, ROUNDS_SHORT = 300, ROUNDS_LONG = 10000 };

static const struct abi {
	unsigned int release, abi;
} abis[] = {{44, 34}, {57, 57}, {59, 59}, {62, 59}, {64, 64}, {65, 65}};
enum { NUM = HF_ARRAY_SIZE(abis) };

static const char *directory;
static struct tree *tree;
static struct hf *hf;
static struct ibv_device *devices[NUM][OFFSETS];

/* What the provider that is in use passes, by its ABI; and what the kernel got. */
static _Thread_local unsigned int using;
static _Thread_local unsigned int contexts, queues, pairs;

static void see_context(struct ib_uverbs_ioctl_hdr *command)
{
	struct ib_uverbs_attr *in = fake_kernel_attr(command, UVERBS_ATTR_UHW_IN);
	struct ib_uverbs_attr *out = fake_kernel_attr(command, UVERBS_ATTR_UHW_OUT);
	struct ib_uverbs_attr *fds = fake_kernel_attr(command, 2);

	assert_non_null(in);
	assert_non_null(out);
	assert_int_equal(in->len, MADE_UP_REQUEST);
	assert_int_equal(out->len, MADE_UP_RESPONSE);
	assert_string_equal(fake_kernel_bytes(in), "request");
	if (using < 57) {
		assert_null(fds);
	} else {
		const int *numbers;

		assert_non_null(fds);
		assert_int_equal(fds->len, 3 * sizeof(*numbers));
		numbers = fake_kernel_bytes(fds);
		for (int i = 0; i < 3; i++)
			assert_int_equal(numbers[i], MADE_UP_FD + i);
	}
	contexts++;
}

static void see_cq(struct ib_uverbs_ioctl_hdr *command)
{
	struct ib_uverbs_attr *address = fake_kernel_attr(command, 8);
	struct ib_uverbs_attr *length = fake_kernel_attr(command, 9);
	struct ib_uverbs_attr *fd = fake_kernel_attr(command, 10);
	struct ib_uverbs_attr *offset = fake_kernel_attr(command, 11);
	const bool in_dmabuf = fake_kernel_attr(command, UVERBS_ATTR_CREATE_CQ_CQE)->data ==
			       MADE_UP_IN_DMABUF;

	assert_int_equal(address != NULL, using >= 59 && !in_dmabuf);
	assert_int_equal(length != NULL, using >= 59);
	assert_int_equal(fd != NULL, using >= 59 && in_dmabuf);
	assert_int_equal(offset != NULL, using >= 59 && in_dmabuf);
	if (length)
		assert_int_equal(length->data, MADE_UP_LENGTH);
	if (address)
		assert_int_equal(address->data, MADE_UP_ADDRESS);
	if (fd && offset) {
		assert_int_equal(fd->data_s64, MADE_UP_FD);
		assert_int_equal(fd->len, 0);
		assert_int_equal(offset->data, MADE_UP_OFFSET);
	}
	queues++;
}

static void see_qp(struct ib_uverbs_ioctl_hdr *command)
{
	struct ib_uverbs_attr *attr = fake_kernel_attr(command, MADE_UP_QP_ATTR);

	if (using < 64) {
		assert_null(attr);
	} else {
		assert_non_null(attr);
		assert_int_equal(attr->data, MADE_UP_ADDRESS);
	}
	pairs++;
}

/* Objects and methods of later kernels: what arrives of each call, counted. */
enum { DMAH = 17, DMABUF, COMP_CNTR };
enum { QUERY_PORT_SPEED = 7, QUERY_CAPS, REG_MR = 5, QP_ATTACH = 2 };

static _Thread_local unsigned int later_commands;
static _Thread_local bool older_kernel;

static uint64_t data_of(struct ib_uverbs_ioctl_hdr *command, uint16_t attr)
{
	struct ib_uverbs_attr *found = fake_kernel_attr(command, attr);

	assert_non_null(found);
	return found->data;
}

static void see_registration(struct ib_uverbs_ioctl_hdr *command)
{
	assert_int_equal(data_of(command, 3), MADE_UP_ADDRESS);
	assert_int_equal(data_of(command, 4), MADE_UP_ADDRESS);
	assert_int_equal(data_of(command, 5), MADE_UP_LENGTH);
	assert_int_equal(data_of(command, 6), IBV_ACCESS_ON_DEMAND);
}

static void see_counter(struct ib_uverbs_ioctl_hdr *command)
{
	if (command->method_id == 2) {
		/* The value says which call it was: 10 * entry + operation. */
		assert_int_equal(data_of(command, 3),
				 10 * data_of(command, 1) + data_of(command, 2));
	} else if (command->method_id == 3) {
		const uint64_t value = 100 + data_of(command, 1);

		memcpy(fake_kernel_bytes(fake_kernel_attr(command, 2)), &value, sizeof(value));
	}
}

static void see_later(struct ib_uverbs_ioctl_hdr *command)
{
	const uint64_t speed = MADE_UP_SPEED;

	if (fake_kernel_is(command, DMAH, 0)) {
		assert_int_equal(data_of(command, 1), MADE_UP_CPU);
		assert_int_equal(data_of(command, 3), MADE_UP_PH);
	} else if (fake_kernel_is(command, UVERBS_OBJECT_MR, REG_MR)) {
		see_registration(command);
	} else if (fake_kernel_is(command, DMABUF, 0)) {
		assert_int_equal(data_of(command, 1), MADE_UP_OFFSET);
		fake_kernel_attr(command, 0)->data_s64 = MADE_UP_FD;
	} else if (fake_kernel_is(command, UVERBS_OBJECT_DEVICE, QUERY_PORT_SPEED)) {
		assert_int_equal(data_of(command, 0), MADE_UP_PORT);
		memcpy(fake_kernel_bytes(fake_kernel_attr(command, 1)), &speed, sizeof(speed));
	} else if (fake_kernel_is(command, UVERBS_OBJECT_QP, QP_ATTACH)) {
		assert_int_equal(data_of(command, 2), MADE_UP_OPS);
	} else if (command->object_id == COMP_CNTR) {
		see_counter(command);
	} else if (!fake_kernel_is(command, UVERBS_OBJECT_DEVICE, QUERY_CAPS) &&
		   !fake_kernel_is(command, DMAH, 1)) {
		return;
	}
	later_commands++;
}

static bool is_later(const struct ib_uverbs_ioctl_hdr *command)
{
	return (command->object_id >= DMAH && command->object_id <= COMP_CNTR) ||
	       fake_kernel_is(command, UVERBS_OBJECT_MR, REG_MR) ||
	       fake_kernel_is(command, UVERBS_OBJECT_DEVICE, QUERY_PORT_SPEED) ||
	       fake_kernel_is(command, UVERBS_OBJECT_DEVICE, QUERY_CAPS) ||
	       fake_kernel_is(command, UVERBS_OBJECT_QP, QP_ATTACH);
}

static int answer_and_see(int fd, struct ib_uverbs_ioctl_hdr *command)
{
	struct ib_uverbs_attr *events;

	(void)fd;
	if (older_kernel && is_later(command))
		return EPROTONOSUPPORT;
	see_later(command);
	if (fake_kernel_is(command, UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT))
		see_context(command);
	else if (fake_kernel_is(command, UVERBS_OBJECT_CQ, UVERBS_METHOD_CQ_CREATE))
		see_cq(command);
	else if (fake_kernel_is(command, UVERBS_OBJECT_QP, UVERBS_METHOD_QP_CREATE))
		see_qp(command);
	if (command->object_id != UVERBS_OBJECT_ASYNC_EVENT)
		return 0;
	events = fake_kernel_attr(command, UVERBS_ATTR_ASYNC_EVENT_ALLOC_FD_HANDLE);
	events->data_s64 = eventfd(0, EFD_CLOEXEC);
	return events->data_s64 < 0 ? errno : 0;
}

static unsigned int count_descriptors_open(void)
{
	DIR *stream = opendir("/proc/self/fd");
	unsigned int count = 0;

	assert_non_null(stream);
	while (readdir(stream))
		count++;
	closedir(stream);
	return count;
}

static int setup(void **state)
{
	static char config[4096], cache[4096];
	static const char *const none[] = {NULL};
	struct hf_root root = {0};
	struct hf_options options = {
		.size = sizeof(options),
		.roots = &root,
		.num_roots = 1,
		.provider_dirs = none,
		.driver_config_dir = config,
		.flags = HF_NO_NETLINK,
	};

	(void)state;
	snprintf(config, sizeof(config), "%s/config", directory);
	snprintf(cache, sizeof(cache), "%s/cache", directory);
	setenv("HOLDFAST_CACHE", cache, 1);
	assert_int_equal(tree_new(&tree, NULL), 0);
	root.sysfs = tree_sysfs(tree);
	root.dev = tree_dev(tree);
	for (unsigned int i = 0; i < NUM * OFFSETS; i++) {
		struct tree_options device = {.abi = 1, .driver_id = ~0u};
		char name[32];

		snprintf(name, sizeof(name), "made%u_%u", abis[i / OFFSETS].release, i % OFFSETS);
		assert_int_equal(tree_add(tree, i, name, &device), 0);
	}
	assert_int_equal(hf_new(&options, &hf), 0);
	fake_kernel_answer(FAKE_KERNEL_EVERY_FD, answer_and_see);
	for (unsigned int i = 0; i < NUM * OFFSETS; i++) {
		struct hf_device_info info = {.size = sizeof(info)};
		struct ibv_device **device = &devices[i / OFFSETS][i % OFFSETS];
		char name[32];

		snprintf(name, sizeof(name), "made%u_%u", abis[i / OFFSETS].release, i % OFFSETS);
		assert_int_equal(hf_device_by_name(hf, name, device), 0);
		assert_int_equal(hf_device_get_info(*device, &info), 0);
		if (info.state != HF_DEVICE_READY)
			fail_msg("%s: %s", name, info.reason.text);
	}
	return 0;
}

static int teardown(void **state)
{
	(void)state;
	for (unsigned int i = 0; i < NUM * OFFSETS; i++)
		hf_device_unref(devices[i / OFFSETS][i % OFFSETS]);
	hf_unref(hf);
	tree_free(tree);
	return 0;
}

static struct ibv_context *open_context_of(unsigned int n, unsigned int offset)
{
	struct ibv_context *context;
	int err;

	using = abis[n].abi;
	err = hf_device_open(devices[n][offset], &context);
	if (err)
		fail_msg("rdma-core %u, context %u: %s", abis[n].release, offset, strerror(-err));
	return context;
}

/* The provider's own note of what was called. */
static const char **called_of(unsigned int n)
{
	char path[4096];
	const char **called;
	void *library;

	snprintf(path, sizeof(path), "%s/%u/libmade%u-rdmav%u.so", directory, abis[n].release,
		 abis[n].release, abis[n].abi);
	library = dlopen(path, RTLD_LAZY | RTLD_NOLOAD);
	assert_non_null(library);
	called = dlsym(library, "made_up_called");
	assert_non_null(called);
	dlclose(library);
	return called;
}

static const char **called_of_release(unsigned int release)
{
	unsigned int n = 0;

	while (abis[n].release != release)
		n++;
	return called_of(n);
}

/* Each function that a program finds in its context is the provider's of that name. */
static unsigned int check_operations(struct ibv_context *context, const char **called)
{
	struct verbs_context *full = verbs_get_ctx(context);
	unsigned int count = 0;

	assert_non_null(full);
#define CHECK(member, op)                          \
	do {                                       \
		*called = "nothing";               \
		((any_fn)(member))();              \
		assert_string_equal(*called, #op); \
		count++;                           \
	} while (0)
#define FULL(op)   CHECK(full->op, op)
#define OPS(op)	   CHECK(context->ops.op, op)
#define COMPAT(op) CHECK(context->ops._compat_##op, op)
	FULL(advise_mr);
	FULL(alloc_null_mr);
	FULL(read_counters);
	FULL(attach_counters_point_flow);
	FULL(create_counters);
	FULL(destroy_counters);
	FULL(reg_dm_mr);
	FULL(alloc_dm);
	FULL(free_dm);
	FULL(modify_flow_action_esp);
	FULL(destroy_flow_action);
	FULL(create_flow_action_esp);
	FULL(modify_qp_rate_limit);
	FULL(alloc_parent_domain);
	FULL(dealloc_td);
	FULL(alloc_td);
	FULL(modify_cq);
	FULL(post_srq_ops);
	FULL(destroy_rwq_ind_table);
	FULL(create_rwq_ind_table);
	FULL(destroy_wq);
	FULL(modify_wq);
	FULL(create_wq);
	FULL(query_rt_values);
	FULL(query_device_ex);
	CHECK(full->ibv_create_flow, create_flow);
	CHECK(full->ibv_destroy_flow, destroy_flow);
	FULL(open_qp);
	FULL(create_qp_ex);
	FULL(get_srq_num);
	FULL(create_srq_ex);
	FULL(open_xrcd);
	FULL(close_xrcd);
	OPS(alloc_mw);
	OPS(bind_mw);
	OPS(dealloc_mw);
	OPS(poll_cq);
	OPS(req_notify_cq);
	OPS(post_srq_recv);
	OPS(post_send);
	OPS(post_recv);
	COMPAT(reg_mr);
	COMPAT(rereg_mr);
	COMPAT(cq_event);
	COMPAT(resize_cq);
	COMPAT(create_srq);
	COMPAT(modify_srq);
	COMPAT(query_srq);
	COMPAT(destroy_srq);
	COMPAT(query_qp);
	COMPAT(modify_qp);
	COMPAT(create_ah);
	COMPAT(destroy_ah);
	COMPAT(attach_mcast);
	COMPAT(detach_mcast);
	COMPAT(async_event);
	return count;
}

static void check_objects(struct ibv_context *context)
{
	struct ibv_qp_init_attr attr = {.qp_type = IBV_QPT_RC};
	struct ibv_pd *pd;
	struct ibv_cq *cq;
	struct ibv_qp *qp;

	pd = ibv_alloc_pd(context);
	assert_non_null(pd);
	assert_ptr_equal(pd->context, context);
	cq = ibv_create_cq(context, 10, NULL, NULL, 0);
	assert_non_null(cq);
	assert_ptr_equal(cq->context, context);
	attr.send_cq = cq;
	attr.recv_cq = cq;
	qp = ibv_create_qp(pd, &attr);
	assert_non_null(qp);
	assert_ptr_equal(qp->context, context);
	assert_int_equal(ibv_destroy_qp(qp), 0);
	assert_int_equal(ibv_destroy_cq(cq), 0);
	assert_int_equal(ibv_dealloc_pd(pd), 0);
}

/* A completion queue in a dma-buf; in no memory or in two kinds of it, which nobody is asked for. */
static void check_cq_memory(struct ibv_context *context)
{
	struct ibv_cq *cq = ibv_create_cq(context, MADE_UP_IN_DMABUF, NULL, NULL, 0);
	const unsigned int before = queues;

	assert_non_null(cq);
	assert_int_equal(ibv_destroy_cq(cq), 0);
	for (int cqe = MADE_UP_NOWHERE; cqe <= MADE_UP_IN_BOTH && using >= 59; cqe++) {
		errno = 0;
		assert_null(ibv_create_cq(context, cqe, NULL, NULL, 0));
		assert_int_equal(errno, EINVAL);
		assert_int_equal(queues, before);
	}
}

static void check_counters(struct ibv_context *context)
{
	struct ibv_qp_attach_comp_cntr_attr attach = {.op_mask = MADE_UP_OPS};
	struct ibv_comp_cntr_init_attr attr = {0};
	struct ibv_comp_cntr_caps caps;
	struct ibv_comp_cntr *counter;
	struct ibv_qp qp = {.context = context};
	uint64_t value;

	counter = ibv_create_comp_cntr(context, &attr);
	assert_non_null(counter);
	assert_int_equal(ibv_set_comp_cntr(counter, 0), 0);
	assert_int_equal(ibv_inc_comp_cntr(counter, 1), 0);
	assert_int_equal(ibv_set_err_comp_cntr(counter, 10), 0);
	assert_int_equal(ibv_inc_err_comp_cntr(counter, 11), 0);
	assert_int_equal(ibv_read_comp_cntr(counter, &value), 0);
	assert_int_equal(value, 100);
	assert_int_equal(ibv_read_err_comp_cntr(counter, &value), 0);
	assert_int_equal(value, 101);
	assert_int_equal(ibv_qp_attach_comp_cntr(&qp, counter, &attach), 0);
	assert_int_equal(_ibv_query_comp_cntr_caps(context, &caps, sizeof(caps)), 0);
	assert_int_equal(ibv_destroy_comp_cntr(counter), 0);
}

/*
 * The calls since libibverbs 1.15, on a provider of each release: what it has arrives at the kernel, what it has not is
 * served or refused. Returns how many commands are to arrive.
 */
static unsigned int check_later(struct ibv_context *context, unsigned int release)
{
	struct ibv_dmah_init_attr dmah_attr = {
		.comp_mask = IBV_DMAH_INIT_ATTR_MASK_CPU_ID | IBV_DMAH_INIT_ATTR_MASK_PH,
		.cpu_id = MADE_UP_CPU,
		.ph = MADE_UP_PH,
	};
	struct ibv_mr_init_attr mr_attr = {
		.length = MADE_UP_LENGTH,
		.access = IBV_ACCESS_ON_DEMAND,
		.comp_mask = IBV_REG_MR_MASK_ADDR,
		.addr = (void *)MADE_UP_ADDRESS,
	};
	struct ibv_comp_cntr_init_attr counter_attr = {0};
	struct ibv_dm dm = {.context = context};
	unsigned int wanted = 0;
	struct ibv_dmah *dmah;
	struct ibv_buf *buf;
	struct ibv_pd *pd;
	struct ibv_mr *mr;
	uint64_t speed;

	pd = ibv_alloc_pd(context);
	assert_non_null(pd);
	dmah = ibv_alloc_dmah(context, &dmah_attr);
	if (release >= 59) {
		assert_non_null(dmah);
		assert_ptr_equal(dmah->context, context);
		assert_int_equal(ibv_dealloc_dmah(dmah), 0);
		mr = ibv_reg_mr_ex(pd, &mr_attr);
		assert_non_null(mr);
		assert_ptr_equal(mr->addr, mr_attr.addr);
		assert_int_equal(ibv_dereg_mr(mr), 0);
		wanted += 3;
	} else {
		assert_null(dmah);
		assert_int_equal(errno, EOPNOTSUPP);
		/* Its reg_mr answers NULL. */
		*called_of_release(release) = "nothing";
		assert_null(ibv_reg_mr_ex(pd, &mr_attr));
		assert_string_equal(*called_of_release(release), "reg_mr");
	}
	if (release >= 62) {
		assert_int_equal(ibv_dm_export_dmabuf_fd(&dm), MADE_UP_FD);
		assert_int_equal(ibv_query_port_speed(context, MADE_UP_PORT, &speed), 0);
		assert_int_equal(speed, MADE_UP_SPEED);
		wanted += 2;
	} else {
		assert_int_equal(ibv_dm_export_dmabuf_fd(&dm), -1);
		assert_int_equal(errno, EOPNOTSUPP);
		assert_int_equal(ibv_query_port_speed(context, 0, &speed), EINVAL);
	}
	assert_non_null(ibv_alloc_buf(pd, MADE_UP_LENGTH, &buf));
	*called_of_release(release) = "nothing";
	ibv_free_buf(buf);
	assert_string_equal(*called_of_release(release), release >= 64 ? "free_buf" : "nothing");
	if (release >= 65) {
		check_counters(context);
		wanted += 10;
	} else {
		assert_null(ibv_create_comp_cntr(context, &counter_attr));
		assert_int_equal(errno, EOPNOTSUPP);
	}
	assert_int_equal(ibv_dealloc_pd(pd), 0);
	return wanted;
}

/* On a kernel without these commands no provider has an answer but that one. */
static void check_older_kernel(struct ibv_context *context)
{
	struct ibv_qp_attach_comp_cntr_attr attach = {.op_mask = MADE_UP_OPS};
	struct ibv_dmah_init_attr dmah_attr = {0};
	struct ibv_comp_cntr_init_attr counter_attr = {0};
	struct ibv_comp_cntr counter = {.context = context};
	struct ibv_comp_cntr_caps caps;
	struct ibv_qp qp = {.context = context};
	struct ibv_dm dm = {.context = context};
	uint64_t value = 5;

	older_kernel = true;
	errno = 0;
	assert_null(ibv_alloc_dmah(context, &dmah_attr));
	assert_int_equal(errno, EOPNOTSUPP);
	errno = 0;
	assert_null(ibv_create_comp_cntr(context, &counter_attr));
	assert_int_equal(errno, EOPNOTSUPP);
	errno = 0;
	assert_int_equal(ibv_dm_export_dmabuf_fd(&dm), -1);
	assert_int_equal(errno, EOPNOTSUPP);
	assert_int_equal(ibv_set_comp_cntr(&counter, 0), EOPNOTSUPP);
	assert_int_equal(ibv_inc_comp_cntr(&counter, 1), EOPNOTSUPP);
	assert_int_equal(ibv_set_err_comp_cntr(&counter, 10), EOPNOTSUPP);
	assert_int_equal(ibv_inc_err_comp_cntr(&counter, 11), EOPNOTSUPP);
	assert_int_equal(ibv_read_comp_cntr(&counter, &value), EOPNOTSUPP);
	assert_int_equal(ibv_read_err_comp_cntr(&counter, &value), EOPNOTSUPP);
	assert_int_equal(value, 5);
	assert_int_equal(ibv_qp_attach_comp_cntr(&qp, &counter, &attach), EOPNOTSUPP);
	assert_int_equal(_ibv_query_comp_cntr_caps(context, &caps, sizeof(caps)), EOPNOTSUPP);
	assert_int_equal(caps.max_counters, 0);
	older_kernel = false;
}

static void every_abi_at_every_offset(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < NUM; n++) {
		unsigned int checked = 0, wanted = 0;

		later_commands = 0;
		contexts = queues = pairs = 0;
		for (unsigned int offset = 0; offset < OFFSETS; offset++) {
			struct ibv_context *context = open_context_of(n, offset);

			assert_ptr_equal(context->device, devices[n][offset]);
			checked += check_operations(context, called_of(n));
			check_objects(context);
			check_cq_memory(context);
			check_older_kernel(context);
			wanted += check_later(context, abis[n].release);
			assert_int_equal(hf_device_close(context), 0);
		}
		assert_int_equal(later_commands, wanted);
		assert_int_equal(contexts, OFFSETS);
		assert_int_equal(queues, 2 * OFFSETS);
		assert_int_equal(pairs, OFFSETS);
		print_message(
			"rdma-core %u, private ABI %u: %u operations called, %u later commands\n",
			abis[n].release, abis[n].abi, checked, wanted);
	}
}

/* One thread's contexts, opened and closed in an order that a generator with this seed says. */
struct opener {
	uint32_t random;
	unsigned int rounds, opened;
};

static void *open_and_close_mixed(void *arg)
{
	struct {
		struct ibv_context *context;
		unsigned int n;
	} open_now[OPEN_MAX_AT_ONCE] = {0};
	struct opener *opener = arg;

	for (unsigned int round = 0; round < opener->rounds; round++) {
		unsigned int at;

		opener->random = opener->random * 1664525 + 1013904223;
		at = (opener->random >> 8) % OPEN_MAX_AT_ONCE;
		if (open_now[at].context) {
			using = abis[open_now[at].n].abi;
			check_objects(open_now[at].context);
			assert_int_equal(hf_device_close(open_now[at].context), 0);
			open_now[at].context = NULL;
			continue;
		}
		open_now[at].n = (opener->random >> 16) % NUM;
		open_now[at].context =
			open_context_of(open_now[at].n, (opener->random >> 24) % OFFSETS);
		opener->opened++;
	}
	for (unsigned int i = 0; i < OPEN_MAX_AT_ONCE; i++) {
		using = abis[open_now[i].n].abi;
		if (open_now[i].context)
			assert_int_equal(hf_device_close(open_now[i].context), 0);
	}
	return NULL;
}

/* All of them open at once, by two threads; with long=1 in the environment 10,000 opens and closes, otherwise 300. */
static void all_mixed(void **state)
{
	struct opener openers[] = {{.random = 1}, {.random = 2}};
	const char *text = getenv("long");
	const bool in_full = text && !strcmp(text, "1");
	unsigned int before, opened = 0;
	pthread_t threads[2];

	(void)state;
	before = count_descriptors_open();
	for (unsigned int i = 0; i < HF_ARRAY_SIZE(threads); i++) {
		openers[i].rounds = in_full ? ROUNDS_LONG : ROUNDS_SHORT;
		assert_int_equal(
			pthread_create(&threads[i], NULL, open_and_close_mixed, &openers[i]), 0);
	}
	for (unsigned int i = 0; i < HF_ARRAY_SIZE(threads); i++) {
		assert_int_equal(pthread_join(threads[i], NULL), 0);
		opened += openers[i].opened;
	}
	assert_int_equal(count_descriptors_open(), before);
	print_message("%u contexts of six layouts by two threads, %u at once\n", opened,
		      2 * OPEN_MAX_AT_ONCE);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_abi_at_every_offset),
		cmocka_unit_test(all_mixed),
	};

	if (argc != 2)
		return 2;
	directory = argv[1];
	return cmocka_run_group_tests_name("foreign_abis", tests, setup, teardown);
}
