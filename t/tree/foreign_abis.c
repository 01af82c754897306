/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A made-up provider of each private ABI, all in one process: what it passes arrives at the kernel, what programs
 * call arrives at it. Started by t/tree/foreign-abis, which builds the providers and names their directory.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
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

enum { OFFSETS = 3, OPEN_MAX_AT_ONCE = 16, ROUNDS = 3000 };

static const struct abi {
	unsigned int release, abi;
} abis[] = {{44, 34}, {57, 57}, {59, 59}, {62, 59}, {64, 64}, {65, 65}};
enum { NUM = HF_ARRAY_SIZE(abis) };

static const char *directory;
static struct tree *tree;
static struct hf *hf;
static struct ibv_device *devices[NUM][OFFSETS];

/* What the provider that is in use passes, by its ABI; and what the kernel got. */
static unsigned int using;
static unsigned int contexts, queues, pairs;

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

	if (using < 59) {
		assert_null(address);
		assert_null(length);
	} else {
		assert_non_null(address);
		assert_non_null(length);
		assert_int_equal(address->data, MADE_UP_ADDRESS);
		assert_int_equal(length->data, MADE_UP_LENGTH);
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

static int answer_and_see(int fd, struct ib_uverbs_ioctl_hdr *command)
{
	struct ib_uverbs_attr *events;

	(void)fd;
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
	COMPAT(dereg_mr);
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

static void every_abi_at_every_offset(void **state)
{
	(void)state;
	for (unsigned int n = 0; n < NUM; n++) {
		unsigned int checked = 0;

		contexts = queues = pairs = 0;
		for (unsigned int offset = 0; offset < OFFSETS; offset++) {
			struct ibv_context *context = open_context_of(n, offset);

			assert_ptr_equal(context->device, devices[n][offset]);
			checked += check_operations(context, called_of(n));
			check_objects(context);
			assert_int_equal(hf_device_close(context), 0);
		}
		assert_int_equal(contexts, OFFSETS);
		assert_int_equal(queues, OFFSETS);
		assert_int_equal(pairs, OFFSETS);
		print_message("rdma-core %u, private ABI %u: %u operations called\n",
			      abis[n].release, abis[n].abi, checked);
	}
}

/* All of them open at once, in an order that a generator with a fixed seed says. */
static void all_mixed(void **state)
{
	struct {
		struct ibv_context *context;
		unsigned int n;
	} open_now[OPEN_MAX_AT_ONCE] = {0};
	uint32_t random = 1;
	unsigned int before, opened = 0;

	(void)state;
	before = count_descriptors_open();
	for (unsigned int round = 0; round < ROUNDS; round++) {
		unsigned int at;

		random = random * 1664525 + 1013904223;
		at = (random >> 8) % OPEN_MAX_AT_ONCE;
		if (open_now[at].context) {
			using = abis[open_now[at].n].abi;
			check_objects(open_now[at].context);
			assert_int_equal(hf_device_close(open_now[at].context), 0);
			open_now[at].context = NULL;
			continue;
		}
		open_now[at].n = (random >> 16) % NUM;
		open_now[at].context = open_context_of(open_now[at].n, (random >> 24) % OFFSETS);
		opened++;
	}
	for (unsigned int i = 0; i < OPEN_MAX_AT_ONCE; i++)
		if (open_now[i].context)
			assert_int_equal(hf_device_close(open_now[i].context), 0);
	assert_int_equal(count_descriptors_open(), before);
	print_message("%u contexts of six layouts, %u at once\n", opened, OPEN_MAX_AT_ONCE);
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
