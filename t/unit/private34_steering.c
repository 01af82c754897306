/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The frames in which providers of private ABI 34 pass commands for contexts, flows and work
 * queues, and where their log messages go.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include <cmocka.h>

#include "compat/private34/context.h"
#include "compat/private34/log.h"
#include "compat/private34/log.h"
#include "compat/private34/steering.h"
#include "compat/private34/strings.h"
#include "shared/attr.h"
#include "t/lib/fake_uverbs.h"

/* Requests have 24 (extended) or 8 bytes of header, then the core's payload, then the driver's. */
enum { GET_CONTEXT = 16, CREATE_WQ = 64, MODIFY_WQ = 48, DRIVER_IN = 12, DRIVER_OUT = 24 };

static const uint8_t said[DRIVER_OUT] = "what the driver said";

static void fill_counting(uint8_t *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i + 1);
}

static void get_context(void **state)
{
	struct verbs_context *context = hfi_context_of(fake_context());
	uint8_t request[GET_CONTEXT + DRIVER_IN];
	struct {
		struct ib_uverbs_get_context_resp core;
		uint8_t driver[DRIVER_OUT];
	} response = {.core = {0}};
	const uint32_t vectors = 6;

	(void)state;
	fill_counting(request, sizeof(request));
	fake_succeed();
	fake_reply(UVERBS_ATTR_GET_CONTEXT_NUM_COMP_VECTORS, &vectors, 4);
	fake_reply(UVERBS_ATTR_UHW_OUT, said, sizeof(said));
	assert_int_equal(ibv_cmd_get_context(context, (void *)request, sizeof(request),
					     &response.core, sizeof(response)),
			 0);
	fake_sent(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT);
	fake_in(UVERBS_ATTR_UHW_IN, request + GET_CONTEXT, DRIVER_IN);
	fake_out(UVERBS_ATTR_UHW_OUT, DRIVER_OUT);
	assert_memory_equal(response.driver, said, sizeof(said));
	assert_int_equal(response.core.num_comp_vectors, 6);
	assert_int_equal(ibv_cmd_get_context(context, (void *)request, GET_CONTEXT - 1,
					     &response.core, sizeof(response)),
			 EINVAL);
	errno = 0;
	fake_fail(EACCES);
	assert_int_equal(ibv_cmd_get_context(context, (void *)request, GET_CONTEXT, &response.core,
					     sizeof(response.core)),
			 EACCES);
	assert_int_equal(errno, EACCES);
	fake_context_end();
}

static void cmd_query_device(void **state)
{
	const struct ib_uverbs_ex_query_device_resp kernel = {
		.base = {.fw_ver = 0x1122334455, .max_qp = 77, .phys_port_cnt = 2},
		.response_length = sizeof(kernel),
		.hca_core_clock = 99,
		.max_dm_size = 1234,
	};
	struct {
		struct ib_uverbs_ex_query_device_resp core;
		uint8_t driver[DRIVER_OUT];
	} response = {.core.comp_mask = 1};
	struct ibv_context *context = fake_context();
	struct ibv_device_attr_ex attr;
	size_t size = sizeof(response);

	(void)state;
	for (size_t room = sizeof(attr.orig_attr); room <= sizeof(attr); room += 8) {
		memset(&attr, 0x5a, sizeof(attr));
		fake_succeed();
		fake_reply(UVERBS_ATTR_CORE_OUT, &kernel, sizeof(kernel));
		fake_reply(UVERBS_ATTR_UHW_OUT, said, sizeof(said));
		assert_int_equal(ibv_cmd_query_device_any(context, NULL, &attr, room,
							  &response.core, &size),
				 0);
		assert_int_equal(attr.orig_attr.max_qp, 77);
		for (size_t i = room; i < sizeof(attr); i++)
			assert_int_equal(((uint8_t *)&attr)[i], 0x5a);
	}
	assert_int_equal(attr.hca_core_clock, 99);
	assert_int_equal(attr.max_dm_size, 1234);
	assert_int_equal(attr.phys_port_cnt_ex, 2);
	fake_sent_write(IB_USER_VERBS_EX_CMD_QUERY_DEVICE | IB_USER_VERBS_CMD_FLAG_EXTENDED);
	fake_out(UVERBS_ATTR_CORE_OUT, sizeof(kernel));
	fake_out(UVERBS_ATTR_UHW_OUT, DRIVER_OUT);
	assert_memory_equal(&response.core, &kernel, sizeof(kernel));
	assert_memory_equal(response.driver, said, sizeof(said));
	assert_int_equal(size, sizeof(response));

	/*
	 * No response requested, a shorter one than ours, and too little room for the attributes.
	 */
	assert_int_equal(ibv_cmd_query_device_any(context, NULL, &attr, sizeof(attr), NULL, NULL),
			 0);
	memset(&response, 0x5a, sizeof(response));
	size = 64;
	assert_int_equal(ibv_cmd_query_device_any(context, NULL, &attr, sizeof(attr),
						  &response.core, &size),
			 0);
	assert_int_equal(((uint8_t *)&response)[63], 0);
	assert_int_equal(((uint8_t *)&response)[64], 0x5a);
	assert_int_equal(ibv_cmd_query_device_any(context, NULL, &attr, sizeof(attr.orig_attr) - 1,
						  NULL, NULL),
			 EOPNOTSUPP);
	assert_int_equal(ibv_cmd_query_device_any(
				 context, &(struct ibv_query_device_ex_input){.comp_mask = 1},
				 &attr, sizeof(attr), NULL, NULL),
			 EINVAL);
	/* Revoked: the descriptor is not used. */
	atomic_store(&hfi_uverbs_of(context)->dead, true);
	assert_int_equal(ibv_cmd_query_device_any(context, NULL, &attr, sizeof(attr), NULL, NULL),
			 EIO);
	fake_context_end();
}

static void work_queue(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 1};
	struct ibv_cq cq = {.context = context, .handle = 2};
	struct ibv_wq_init_attr attr = {.pd = &pd, .cq = &cq};
	struct ibv_wq_attr change = {.attr_mask = IBV_WQ_ATTR_STATE, .wq_state = IBV_WQS_RDY};
	struct ibv_wq wq = {0};
	uint8_t request[CREATE_WQ + DRIVER_IN];
	struct {
		struct ib_uverbs_ex_create_wq_resp core;
		uint8_t driver[DRIVER_OUT];
	} response = {.core = {0}};
	struct {
		struct ib_uverbs_ex_create_rwq_ind_table_resp core;
		uint8_t driver[DRIVER_OUT];
	} table_response = {.core = {0}};
	const struct ib_uverbs_ex_create_rwq_ind_table_resp kernel = {.ind_tbl_handle = 8,
								      .ind_tbl_num = 9};
	struct ibv_wq *list[] = {&wq};
	struct ibv_rwq_ind_table_init_attr table_attr = {.ind_tbl = list};
	struct ibv_rwq_ind_table table;
	const uint32_t max_wr = 512;

	(void)state;
	fill_counting(request, sizeof(request));
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_WQ_HANDLE, 5);
	fake_reply(UVERBS_ATTR_CREATE_WQ_RESP_MAX_WR, &max_wr, 4);
	fake_reply(UVERBS_ATTR_UHW_OUT, said, sizeof(said));
	assert_int_equal(ibv_cmd_create_wq(context, &attr, &wq, (void *)request, sizeof(request),
					   &response.core, sizeof(response)),
			 0);
	fake_in(UVERBS_ATTR_UHW_IN, request + CREATE_WQ, DRIVER_IN);
	assert_int_equal(response.core.wq_handle, 5);
	assert_int_equal(response.core.max_wr, 512);
	assert_memory_equal(response.driver, said, sizeof(said));
	assert_int_equal(ibv_cmd_create_wq(context, &attr, &wq, (void *)request, CREATE_WQ - 1,
					   &response.core, sizeof(response)),
			 EINVAL);

	assert_int_equal(ibv_cmd_modify_wq(&wq, &change, (void *)request, MODIFY_WQ + DRIVER_IN),
			 0);
	fake_in(UVERBS_ATTR_UHW_IN, request + MODIFY_WQ, DRIVER_IN);
	assert_int_equal(ibv_cmd_modify_wq(&wq, &change, (void *)request, MODIFY_WQ - 1), EINVAL);

	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &kernel, sizeof(kernel));
	fake_reply(UVERBS_ATTR_UHW_OUT, said, sizeof(said));
	assert_int_equal(ibv_cmd_create_rwq_ind_table(context, &table_attr, &table,
						      &table_response.core, sizeof(table_response)),
			 0);
	assert_int_equal(table_response.core.ind_tbl_handle, 8);
	assert_int_equal(table_response.core.ind_tbl_num, 9);
	assert_memory_equal(table_response.driver, said, sizeof(said));
	assert_int_equal(ibv_cmd_create_rwq_ind_table(context, &table_attr, &table,
						      &table_response.core, 15),
			 EINVAL);
	assert_int_equal(ibv_cmd_destroy_rwq_ind_table(&table), 0);
	assert_int_equal(ibv_cmd_destroy_wq(&wq), 0);
	fake_context_end();
}

static void flows(void **state)
{
	const struct ib_uverbs_create_flow_resp kernel = {.flow_handle = 17};
	struct ibv_context *context = fake_context();
	struct ibv_qp qp = {.context = context, .handle = 3};
	struct ibv_flow_attr attr = {.type = IBV_FLOW_ATTR_SNIFFER, .size = sizeof(attr)};
	struct ibv_flow flow = {0};
	uint8_t driver[40];
	enum ibv_gid_type_sysfs type;

	(void)state;
	fill_counting(driver, sizeof(driver));
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &kernel, sizeof(kernel));
	assert_int_equal(ibv_cmd_create_flow(&qp, &flow, &attr, driver, sizeof(driver)), 0);
	fake_in(UVERBS_ATTR_UHW_IN, driver, sizeof(driver));
	assert_int_equal(flow.handle, 17);
	fake_fail(EPERM);
	errno = 0;
	assert_int_equal(ibv_cmd_create_flow(&qp, &flow, &attr, NULL, 0), EPERM);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ibv_cmd_destroy_flow(&flow), 0);

	/* This method keeps the convention from before the node had its own. */
	fake_fail(EINVAL);
	errno = 0;
	assert_int_equal(ibv_query_gid_type(context, 1, 0, &type), -1);
	assert_int_equal(errno, EINVAL);
	fake_context_end();
}

static size_t size_of(const char *path)
{
	char text[256];
	FILE *file = fopen(path, "r");
	size_t size;

	if (!file)
		return 0;
	size = fread(text, 1, sizeof(text), file);
	fclose(file);
	return size;
}

/* Each in its own process: the variables are read once. */
static void log_as(const char *level, const char *path, size_t expected)
{
	pid_t child = fork();
	int status;

	if (child == 0) {
		if (level)
			setenv("VERBS_LOG_LEVEL", level, 1);
		if (path)
			setenv("VERBS_LOG_FILE", path, 1);
		errno = 77;
		__verbs_log(NULL, 1, "error %d\n", 1);
		__verbs_log(NULL, 4, "debug %d\n", 4);
		_exit(errno == 77 ? 0 : 1);
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	assert_int_equal(status, 0);
	assert_int_equal(path ? size_of(path) : 0, expected);
	if (path)
		unlink(path);
}

static void logging(void **state)
{
	char dir[] = "/tmp/hf-log-XXXXXX", path[64];

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	log_as(NULL, path, 0);
	log_as("0", path, 0);
	log_as("none", path, 0);
	log_as("1", path, 8);
	log_as("0x4", path, 16);
	log_as("4", NULL, 0);
	log_as("4", "/nonexistent/log", 0);
	rmdir(dir);
}

/*
 * libibverbs opens the file in the first list: it exists before a provider logs anything, and stays
 * empty.
 */
static void log_before_a_message(void **state)
{
	char dir[] = "/tmp/hf-log-XXXXXX", path[64];
	pid_t child;
	int status;

	(void)state;
	assert_non_null(mkdtemp(dir));
	snprintf(path, sizeof(path), "%s/log", dir);
	for (int level = 0; level < 2; level++) {
		child = fork();
		if (child == 0) {
			setenv("VERBS_LOG_LEVEL", level ? "2" : "0", 1);
			setenv("VERBS_LOG_FILE", path, 1);
			hfi_verbs_log_open();
			_exit(access(path, F_OK) == 0 ? 1 : 0);
		}
		assert_int_equal(waitpid(child, &status, 0), child);
		assert_int_equal(WEXITSTATUS(status), level);
		assert_int_equal(size_of(path), 0);
	}
	unlink(path);
	rmdir(dir);
}

static void opcode_words(void **state)
{
	(void)state;
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_RDMA_WRITE), "rdma-write");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_RDMA_WRITE_WITH_IMM), "rdma-write-with-imm");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_SEND), "send");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_SEND_WITH_IMM), "send-with-imm");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_RDMA_READ), "rdma-read");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_ATOMIC_CMP_AND_SWP), "atomic-cmp-and-swp");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_ATOMIC_FETCH_AND_ADD), "atomic-fetch-and-add");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_LOCAL_INV), "local-inv");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_BIND_MW), "bind-mw");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_SEND_WITH_INV), "send-with-inv");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_TSO), "tso");
	assert_string_equal(ibv_wr_opcode_str(IBV_WR_DRIVER1), "driver1");
	assert_string_equal(ibv_wr_opcode_str(14), "flush");
	assert_string_equal(ibv_wr_opcode_str(15), "atomic-write");
	for (int odd = -1; odd < 20; odd += odd == -1 ? 13 : odd == 13 ? 3 : 1)
		assert_string_equal(ibv_wr_opcode_str(odd), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(get_context),	cmocka_unit_test(cmd_query_device),
		cmocka_unit_test(work_queue),	cmocka_unit_test(flows),
		cmocka_unit_test(logging),	cmocka_unit_test(log_before_a_message),
		cmocka_unit_test(opcode_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
