/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The commands to the kernel for contexts, counters, flow actions, work queues and GID tables. */
#include <errno.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <sys/syscall.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "core/device/hf.h"
#include "core/uverbs/command.h"
#include "t/lib/asleep.h"
#include "t/lib/fake_uverbs.h"

/* A buffer like a provider's: the header, followed by room for attributes. */
struct buffer {
	struct ibv_command_buffer head;
	struct ib_uverbs_attr attrs[8];
};

static void buffer_init(struct buffer *buffer, uint16_t object, uint16_t method,
			struct buffer *next)
{
	*buffer = (struct buffer){
		.head =
			{
				.next = next ? &next->head : NULL,
				.next_attr = buffer->attrs,
				.last_attr = buffer->attrs + HF_ARRAY_SIZE(buffer->attrs),
				.uhw_in_idx = HF_UHW_NO_INDEX,
				.uhw_out_idx = HF_UHW_NO_INDEX,
				.hdr = {.object_id = object, .method_id = method},
			},
	};
}

static struct ib_uverbs_attr *buffer_add(struct buffer *buffer, uint16_t id, uint16_t size,
					 uint64_t data)
{
	*buffer->head.next_attr = (struct ib_uverbs_attr){
		.attr_id = id, .len = size, .flags = UVERBS_ATTR_F_MANDATORY, .data = data};
	return buffer->head.next_attr++;
}

enum { OWN_OBJECT = 0x1003, OWN_METHOD = 0x1004, FIRST = 0x1100, SECOND, THIRD, FOURTH };

static void a_chain_of_buffers(void **state)
{
	struct ibv_context *context = fake_context();
	const uint32_t answered = 0xabcdef;
	const uint16_t request = 0x1234;
	struct buffer own, link, last;
	uint32_t result = 0;
	const struct ib_uverbs_attr *handle;

	(void)state;
	buffer_init(&last, 0, 0, NULL);
	buffer_init(&link, 0, 0, &last);
	buffer_init(&own, OWN_OBJECT, OWN_METHOD, &link);
	own.head.uhw_in_idx = 1;
	buffer_add(&own, FIRST, 8, 77);
	buffer_add(&own, UVERBS_ATTR_UHW_IN, sizeof(request), (uintptr_t)&request);
	handle = buffer_add(&link, SECOND, 0, 0);
	buffer_add(&link, THIRD, 0, 9);
	buffer_add(&last, FOURTH, sizeof(result), (uintptr_t)&result);
	assert_int_equal(hf_provider_ioctl_attrs(3, &own.head), 8);
	assert_int_equal(hf_provider_ioctl_attrs(3, NULL), 3);

	/* Twice: the provider's buffer can be reused. */
	for (uint32_t made = 4; made < 6; made++) {
		fake_succeed();
		fake_reply_handle(SECOND, made);
		fake_reply(FOURTH, &answered, sizeof(answered));
		link.attrs[0].data = 0;
		assert_int_equal(hf_provider_ioctl(context, &own.head), 0);
		fake_sent(OWN_OBJECT, OWN_METHOD);
		fake_in_const(FIRST, 77);
		fake_in(UVERBS_ATTR_UHW_IN, &request, sizeof(request));
		fake_out(SECOND, 0);
		fake_in_handle(THIRD, 9);
		fake_out(FOURTH, sizeof(result));
		fake_no_more();
		assert_int_equal(handle->data, made);
		assert_int_equal(result, answered);
		assert_int_equal(last.attrs[0].flags & UVERBS_ATTR_F_VALID_OUTPUT,
				 UVERBS_ATTR_F_VALID_OUTPUT);
		assert_int_equal(own.attrs[1].data, (uintptr_t)&request);
		last.attrs[0].flags = UVERBS_ATTR_F_MANDATORY;
	}
	fake_fail(EBUSY);
	link.attrs[0].data = 0;
	assert_int_equal(hf_provider_ioctl(context, &own.head), EBUSY);
	assert_int_equal(link.attrs[0].data, 0);

	assert_int_equal(fake_count(), 3);
	last.head.buffer_error = 1;
	assert_int_equal(hf_provider_ioctl(context, &own.head), EINVAL);
	last.head.buffer_error = 0;
	own.head.uhw_in_idx = 2;
	assert_int_equal(hf_provider_ioctl(context, &own.head), EINVAL);
	own.head.uhw_in_idx = 1;
	last.head.next = &own.head;
	assert_int_equal(hf_provider_ioctl(context, &own.head), EINVAL);
	assert_int_equal(fake_count(), 3);
	fake_context_end();
}

static void uverbs_counters(void **state)
{
	const struct ibv_counters_init_attr attr = {0}, unknown = {.comp_mask = 1};
	struct verbs_counters counters = {0};
	struct ibv_context *context = fake_context();
	const uint64_t said[3] = {10, 20, 30};
	const uint32_t flags = IBV_READ_COUNTERS_ATTR_PREFER_CACHED;
	uint64_t values[3] = {0};
	struct buffer link;
	const struct hf_driver_data data = {.link = &link.head};

	(void)state;
	buffer_init(&link, 0, 0, NULL);
	buffer_add(&link, FIRST, 8, 5);
	assert_int_equal(hf_provider_create_counters(context, &unknown, &counters, NULL),
			 EOPNOTSUPP);
	fake_fail(ENOMEM);
	assert_int_equal(hf_provider_create_counters(context, &attr, &counters, NULL), ENOMEM);
	assert_null(counters.counters.context);
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_COUNTERS_HANDLE, 31);
	assert_int_equal(hf_provider_create_counters(context, &attr, &counters, &data), 0);
	fake_sent(UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_CREATE);
	fake_out(UVERBS_ATTR_CREATE_COUNTERS_HANDLE, 0);
	fake_in_const(FIRST, 5);
	fake_no_more();
	assert_ptr_equal(counters.counters.context, context);
	assert_int_equal(counters.handle, 31);

	fake_succeed();
	fake_reply(UVERBS_ATTR_READ_COUNTERS_BUFF, said, sizeof(said));
	assert_int_equal(hf_provider_read_counters(&counters, values, 3, flags, NULL), 0);
	fake_sent(UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_READ);
	fake_in_handle(UVERBS_ATTR_READ_COUNTERS_HANDLE, 31);
	fake_out(UVERBS_ATTR_READ_COUNTERS_BUFF, sizeof(said));
	fake_in(UVERBS_ATTR_READ_COUNTERS_FLAGS, &flags, sizeof(flags));
	fake_no_more();
	assert_memory_equal(values, said, sizeof(said));
	/* More than the 16-bit length of an attribute can hold. */
	assert_int_equal(hf_provider_read_counters(&counters, values, 8192, 0, NULL), EINVAL);

	assert_int_equal(hf_provider_destroy_counters(&counters), 0);
	fake_sent(UVERBS_OBJECT_COUNTERS, UVERBS_METHOD_COUNTERS_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_COUNTERS_HANDLE, 31);
	fake_no_more();
	fake_gone(ENODEV);
	assert_int_equal(hf_provider_destroy_counters(&counters), 0);
	fake_context_end();
}

static void flow_action(void **state)
{
	struct ib_uverbs_flow_action_esp esp = {.spi = 1, .seq = 2, .hard_limit_pkts = 3};
	struct ib_uverbs_flow_action_esp_keymat_aes_gcm keymat = {.iv = 4, .key_len = 32};
	struct ib_uverbs_flow_action_esp_replay_bmp replay = {.size = 64};
	struct ib_uverbs_flow_action_esp_encap encap = {.len = 5, .type = 6};
	struct ibv_flow_action_esp_attr attr = {
		.esp_attr = &esp,
		.keymat_proto = IB_UVERBS_FLOW_ACTION_ESP_KEYMAT_AES_GCM,
		.keymat_len = sizeof(keymat),
		.keymat_ptr = &keymat,
		.replay_proto = IB_UVERBS_FLOW_ACTION_ESP_REPLAY_BMP,
		.replay_len = sizeof(replay),
		.replay_ptr = &replay,
		.esp_encap = &encap,
		.comp_mask = IBV_FLOW_ACTION_ESP_MASK_ESN,
		.esn = 7,
	};
	const struct ibv_flow_action_esp_attr esn_only = {.comp_mask = IBV_FLOW_ACTION_ESP_MASK_ESN,
							  .esn = 8};
	struct ibv_context *context = fake_context();
	struct verbs_flow_action action = {0};

	(void)state;
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_FLOW_ACTION_ESP_HANDLE, 41);
	assert_int_equal(hf_provider_create_flow_action_esp(context, &attr, &action, NULL), 0);
	fake_sent(UVERBS_OBJECT_FLOW_ACTION, UVERBS_METHOD_FLOW_ACTION_ESP_CREATE);
	fake_out(UVERBS_ATTR_CREATE_FLOW_ACTION_ESP_HANDLE, 0);
	fake_in(UVERBS_ATTR_FLOW_ACTION_ESP_ATTRS, &esp, sizeof(esp));
	fake_in(UVERBS_ATTR_FLOW_ACTION_ESP_ESN, &attr.esn, sizeof(attr.esn));
	fake_in_enum(UVERBS_ATTR_FLOW_ACTION_ESP_KEYMAT, 0, &keymat, sizeof(keymat));
	fake_in_enum(UVERBS_ATTR_FLOW_ACTION_ESP_REPLAY, 1, &replay, sizeof(replay));
	fake_in(UVERBS_ATTR_FLOW_ACTION_ESP_ENCAP, &encap, sizeof(encap));
	fake_no_more();
	assert_ptr_equal(action.action.context, context);
	assert_int_equal(action.handle, 41);
	assert_int_equal(action.type, IBV_FLOW_ACTION_ESP);

	assert_int_equal(hf_provider_modify_flow_action_esp(&action, &esn_only, NULL), 0);
	fake_sent(UVERBS_OBJECT_FLOW_ACTION, UVERBS_METHOD_FLOW_ACTION_ESP_MODIFY);
	fake_in_handle(UVERBS_ATTR_MODIFY_FLOW_ACTION_ESP_HANDLE, 41);
	fake_in(UVERBS_ATTR_FLOW_ACTION_ESP_ESN, &esn_only.esn, sizeof(esn_only.esn));
	fake_no_more();
	attr.comp_mask = 2;
	assert_int_equal(hf_provider_modify_flow_action_esp(&action, &attr, NULL), EOPNOTSUPP);
	assert_int_equal(hf_provider_create_flow_action_esp(context, &attr, &action, NULL),
			 EOPNOTSUPP);

	fake_fail(EBUSY);
	assert_int_equal(hf_provider_destroy_flow_action(&action), EBUSY);
	assert_int_equal(hf_provider_destroy_flow_action(&action), 0);
	fake_sent(UVERBS_OBJECT_FLOW_ACTION, UVERBS_METHOD_FLOW_ACTION_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_FLOW_ACTION_HANDLE, 41);
	fake_no_more();
	fake_context_end();
}

static void expect_wq(const struct ibv_wq *wq, struct ibv_context *context, uint32_t handle,
		      const struct ibv_wq_init_attr *attr)
{
	assert_ptr_equal(wq->context, context);
	assert_ptr_equal(wq->pd, attr->pd);
	assert_ptr_equal(wq->cq, attr->cq);
	assert_int_equal(wq->handle, handle);
	assert_int_equal(wq->wq_num, 63);
	assert_int_equal(wq->state, IBV_WQS_RESET);
	assert_int_equal(attr->max_wr, 128);
	assert_int_equal(attr->max_sge, 4);
}

static void *acknowledge_steering(void *arg)
{
	struct ibv_wq *wq = arg;
	struct ibv_async_event event = {.element.wq = wq, .event_type = IBV_EVENT_WQ_FATAL};

	/* Wait until the main thread waits for this. */
	asleep_wait(SYS_futex, 1);
	ibv_ack_async_event(&event);
	ibv_ack_async_event(&event);
	return NULL;
}

static void uverbs_work_queues(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 3};
	struct ibv_cq cq = {.context = context, .handle = 4};
	struct ibv_wq_init_attr attr = {
		.max_wr = 100,
		.max_sge = 3,
		.pd = &pd,
		.cq = &cq,
		.comp_mask = IBV_WQ_INIT_ATTR_FLAGS,
		.create_flags = IBV_WQ_FLAGS_SCATTER_FCS,
	};
	const struct ibv_wq_attr ready = {
		.attr_mask = IBV_WQ_ATTR_STATE | IBV_WQ_ATTR_FLAGS,
		.wq_state = IBV_WQS_RDY,
		.curr_wq_state = IBV_WQS_ERR,
		.flags = IBV_WQ_FLAGS_CVLAN_STRIPPING,
		.flags_mask = IBV_WQ_FLAGS_CVLAN_STRIPPING,
	};
	const struct ib_uverbs_ex_modify_wq modify = {
		.attr_mask = 5, .wq_handle = 61, .wq_state = 1, .flags = 1, .flags_mask = 1};
	const uint32_t max_wr = 128, max_sge = 4, number = 63, asked_wr = 100, asked_sge = 3,
		       flags = 2, reported = 2;
	struct ibv_wq wq = {0};
	const uint64_t user_handle = (uintptr_t)&wq;
	pthread_t thread;

	(void)state;
	fake_succeed();
	fake_reply_handle(UVERBS_ATTR_CREATE_WQ_HANDLE, 61);
	fake_reply(UVERBS_ATTR_CREATE_WQ_RESP_MAX_WR, &max_wr, 4);
	fake_reply(UVERBS_ATTR_CREATE_WQ_RESP_MAX_SGE, &max_sge, 4);
	fake_reply(UVERBS_ATTR_CREATE_WQ_RESP_WQ_NUM, &number, 4);
	assert_int_equal(hf_provider_create_wq(context, &attr, &wq, NULL), 0);
	fake_sent(UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_CREATE);
	fake_out(UVERBS_ATTR_CREATE_WQ_HANDLE, 0);
	fake_in_handle(UVERBS_ATTR_CREATE_WQ_PD_HANDLE, 3);
	fake_in_handle(UVERBS_ATTR_CREATE_WQ_CQ_HANDLE, 4);
	fake_in(UVERBS_ATTR_CREATE_WQ_USER_HANDLE, &user_handle, 8);
	fake_in_const(UVERBS_ATTR_CREATE_WQ_TYPE, 0);
	fake_in(UVERBS_ATTR_CREATE_WQ_MAX_WR, &asked_wr, 4);
	fake_in(UVERBS_ATTR_CREATE_WQ_MAX_SGE, &asked_sge, 4);
	fake_in(UVERBS_ATTR_CREATE_WQ_FLAGS, &flags, 4);
	fake_out(UVERBS_ATTR_CREATE_WQ_RESP_MAX_WR, 4);
	fake_out(UVERBS_ATTR_CREATE_WQ_RESP_MAX_SGE, 4);
	fake_out(UVERBS_ATTR_CREATE_WQ_RESP_WQ_NUM, 4);
	fake_no_more();
	expect_wq(&wq, context, 61, &attr);

	fake_fail(EINVAL);
	assert_int_equal(hf_provider_modify_wq(&wq, &ready, NULL), EINVAL);
	assert_int_equal(wq.state, IBV_WQS_RESET);
	assert_int_equal(hf_provider_modify_wq(&wq, &ready, NULL), 0);
	fake_sent_write(IB_USER_VERBS_EX_CMD_MODIFY_WQ | IB_USER_VERBS_CMD_FLAG_EXTENDED);
	fake_in(UVERBS_ATTR_CORE_IN, &modify, sizeof(modify));
	fake_no_more();
	assert_int_equal(wq.state, IBV_WQS_RDY);

	/* Two events were reported: the destroy ends when both were acknowledged. */
	fake_succeed();
	fake_reply(UVERBS_ATTR_DESTROY_WQ_RESP, &reported, 4);
	assert_int_equal(pthread_create(&thread, NULL, acknowledge_steering, &wq), 0);
	assert_int_equal(hf_provider_destroy_wq(&wq), 0);
	assert_int_equal(wq.events_completed, 2);
	pthread_join(thread, NULL);
	fake_sent(UVERBS_OBJECT_WQ, UVERBS_METHOD_WQ_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_WQ_HANDLE, 61);
	fake_out(UVERBS_ATTR_DESTROY_WQ_RESP, 4);
	fake_no_more();

	fake_fail(EBUSY);
	assert_int_equal(hf_provider_destroy_wq(&wq), EBUSY);
	attr.comp_mask = IBV_WQ_INIT_ATTR_RESERVED;
	assert_int_equal(hf_provider_create_wq(context, &attr, &wq, NULL), EINVAL);
	attr.comp_mask = IBV_WQ_INIT_ATTR_FLAGS;
	attr.create_flags = IBV_WQ_FLAGS_RESERVED;
	assert_int_equal(hf_provider_create_wq(context, &attr, &wq, NULL), EOPNOTSUPP);
	fake_gone(EIO);
	wq.events_completed = 0;
	assert_int_equal(hf_provider_destroy_wq(&wq), 0);
	fake_context_end();
}

static void work_queues_before_5_8(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_pd pd = {.context = context, .handle = 3};
	struct ibv_cq cq = {.context = context, .handle = 4};
	struct ibv_wq_init_attr attr = {.max_wr = 100, .max_sge = 3, .pd = &pd, .cq = &cq};
	struct ibv_wq wq = {0};
	const struct ib_uverbs_ex_create_wq request = {
		.user_handle = (uintptr_t)&wq,
		.pd_handle = 3,
		.cq_handle = 4,
		.max_wr = 100,
		.max_sge = 3,
	};
	const struct ib_uverbs_ex_create_wq_resp response = {
		.wq_handle = 62, .max_wr = 128, .max_sge = 4, .wqn = 63};
	const struct ib_uverbs_ex_destroy_wq destroy = {.wq_handle = 62};

	(void)state;
	fake_fail(EPROTONOSUPPORT);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_create_wq(context, &attr, &wq, NULL), 0);
	fake_sent_write(IB_USER_VERBS_EX_CMD_CREATE_WQ | IB_USER_VERBS_CMD_FLAG_EXTENDED);
	fake_in(UVERBS_ATTR_CORE_IN, &request, sizeof(request));
	fake_out(UVERBS_ATTR_CORE_OUT, sizeof(response));
	fake_no_more();
	expect_wq(&wq, context, 62, &attr);
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_destroy_wq(&wq), 0);
	fake_sent_write(IB_USER_VERBS_EX_CMD_DESTROY_WQ | IB_USER_VERBS_CMD_FLAG_EXTENDED);
	fake_in(UVERBS_ATTR_CORE_IN, &destroy, sizeof(destroy));
	fake_out(UVERBS_ATTR_CORE_OUT, 16);
	fake_no_more();
	fake_fail(EPROTONOSUPPORT);
	fake_fail(ENODEV);
	assert_int_equal(hf_provider_destroy_wq(&wq), 0);
	fake_context_end();
}

static void indirection_tables(void **state)
{
	struct ibv_context *context = fake_context();
	const struct ib_uverbs_ex_create_rwq_ind_table_resp response = {.ind_tbl_handle = 71,
									.ind_tbl_num = 72};
	struct ibv_wq wqs[4] = {{.handle = 11}, {.handle = 12}, {.handle = 13}, {.handle = 14}};
	struct ibv_wq *list[4] = {&wqs[0], &wqs[1], &wqs[2], &wqs[3]};
	struct ibv_rwq_ind_table_init_attr attr = {.log_ind_tbl_size = 2, .ind_tbl = list};
	/* comp_mask, log size, handles; a single handle is padded to a multiple of 8 bytes. */
	const uint32_t four[] = {0, 2, 11, 12, 13, 14}, one[] = {0, 0, 11, 0};
	struct ibv_rwq_ind_table table = {0};

	(void)state;
	for (int i = 0; i < 2; i++) {
		attr.log_ind_tbl_size = i ? 0 : 2;
		fake_succeed();
		fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
		assert_int_equal(hf_provider_create_rwq_ind_table(context, &attr, &table, NULL), 0);
		fake_sent_write(IB_USER_VERBS_EX_CMD_CREATE_RWQ_IND_TBL |
				IB_USER_VERBS_CMD_FLAG_EXTENDED);
		fake_in(UVERBS_ATTR_CORE_IN, i ? one : four, i ? sizeof(one) : sizeof(four));
		fake_out(UVERBS_ATTR_CORE_OUT, sizeof(response));
		fake_no_more();
		assert_ptr_equal(table.context, context);
		assert_int_equal(table.ind_tbl_handle, 71);
		assert_int_equal(table.ind_tbl_num, 72);
	}
	assert_int_equal(hf_provider_destroy_rwq_ind_table(&table), 0);
	fake_sent(UVERBS_OBJECT_RWQ_IND_TBL, UVERBS_METHOD_RWQ_IND_TBL_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_RWQ_IND_TBL_HANDLE, 71);
	fake_no_more();
	attr.log_ind_tbl_size = 14;
	assert_int_equal(hf_provider_create_rwq_ind_table(context, &attr, &table, NULL), EINVAL);
	attr = (struct ibv_rwq_ind_table_init_attr){.ind_tbl = list, .comp_mask = 1};
	assert_int_equal(hf_provider_create_rwq_ind_table(context, &attr, &table, NULL), EINVAL);
	fake_context_end();
}

static char logged[256];

static void keep_log(void *arg, enum hf_log_level level, const char *message)
{
	(void)arg;
	(void)level;
	snprintf(logged, sizeof(logged), "%s", message);
}

static void contexts(void **state)
{
	struct ibv_context *context = fake_context();
	struct verbs_context *verbs = hfi_context_of(context);
	const struct ib_uverbs_get_context_resp response = {.async_fd = 12, .num_comp_vectors = 5};
	const struct hf_driver_data data = {.in = "driver", .in_size = 7};
	struct hf hf = {.log = {.fn = keep_log, .level = HF_LOG_ERROR},
			.lock = PTHREAD_MUTEX_INITIALIZER};
	struct hf_device device = {.hf = &hf, .name = "old0"};
	const uint32_t vectors = 8;
	const uint64_t support = 1;

	(void)state;
	fake_device()->sysfs = &device.sysfs;
	verbs->priv->calls = &hfi_default_calls;
	fake_succeed();
	fake_reply(UVERBS_ATTR_GET_CONTEXT_NUM_COMP_VECTORS, &vectors, 4);
	fake_reply(UVERBS_ATTR_GET_CONTEXT_CORE_SUPPORT, &support, 8);
	assert_int_equal(hf_provider_get_context(verbs, &data), 0);
	fake_sent(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_GET_CONTEXT);
	fake_out(UVERBS_ATTR_GET_CONTEXT_NUM_COMP_VECTORS, 4);
	fake_out(UVERBS_ATTR_GET_CONTEXT_CORE_SUPPORT, 8);
	fake_in(UVERBS_ATTR_UHW_IN, data.in, data.in_size);
	fake_no_more();
	assert_int_equal(context->num_comp_vectors, 8);
	assert_int_equal(fake_device()->core_support, 1);
	assert_int_equal(context->async_fd, -1);
	assert_ptr_equal(verbs->priv->calls, &hfi_kernel_calls);

	/* Linux 5.0 to 5.6 */
	verbs->priv->calls = &hfi_default_calls;
	fake_fail(EPROTONOSUPPORT);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_get_context(verbs, &data), 0);
	fake_sent_write(IB_USER_VERBS_CMD_GET_CONTEXT);
	fake_in(UVERBS_ATTR_CORE_IN, &(uint64_t){0}, 8);
	fake_out(UVERBS_ATTR_CORE_OUT, 8);
	fake_in(UVERBS_ATTR_UHW_IN, data.in, data.in_size);
	fake_no_more();
	assert_int_equal(context->num_comp_vectors, 5);
	assert_int_equal(context->async_fd, 12);
	context->async_fd = -1;

	/* before Linux 5.0 */
	verbs->priv->calls = &hfi_default_calls;
	fake_fail(EPROTONOSUPPORT);
	fake_fail(EPROTONOSUPPORT);
	assert_int_equal(hf_provider_get_context(verbs, NULL), ENOSYS);
	assert_ptr_equal(verbs->priv->calls, &hfi_default_calls);
	assert_non_null(strstr(logged, "old0"));
	assert_non_null(strstr(logged, "5.0"));
	printf("%s\n", logged);
	fake_fail(EACCES);
	assert_int_equal(hf_provider_get_context(verbs, NULL), EACCES);

	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_CONTEXT_NUM_COMP_VECTORS, &vectors, 4);
	assert_int_equal(hf_provider_query_context(context, NULL), 0);
	fake_sent(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_CONTEXT);
	fake_out(UVERBS_ATTR_QUERY_CONTEXT_NUM_COMP_VECTORS, 4);
	fake_out(UVERBS_ATTR_QUERY_CONTEXT_CORE_SUPPORT, 8);
	fake_no_more();
	assert_int_equal(context->num_comp_vectors, 8);
	assert_ptr_equal(verbs->priv->calls, &hfi_kernel_calls);
	fake_context_end();
}

static void gids(void **state)
{
	const struct ib_uverbs_gid_entry said = {
		.gid = {1, 2}, .gid_index = 3, .port_num = 1, .gid_type = 2, .netdev_ifindex = 9};
	struct ibv_context *context = fake_context();
	enum ibv_gid_type_sysfs type = IBV_GID_TYPE_SYSFS_IB_ROCE_V1;
	static struct ibv_gid_entry table[4096];
	struct {
		struct ibv_gid_entry entry;
		uint64_t newer[2];
	} larger;
	const uint32_t flags = 0;
	const uint64_t found = 2, too_many = 3000;

	(void)state;
	for (size_t size = 20; size <= sizeof(larger); size += 4) {
		memset(&larger, 0x5a, sizeof(larger));
		fake_succeed();
		fake_reply(UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY, &said, sizeof(said));
		assert_int_equal(_ibv_query_gid_ex(context, 1, 3, &larger.entry, 0, size), 0);
		assert_memory_equal(&larger, &said, size < sizeof(said) ? size : sizeof(said));
		for (size_t i = sizeof(said); i < sizeof(larger); i++)
			assert_int_equal(((uint8_t *)&larger)[i], i < size ? 0 : 0x5a);
	}
	fake_sent(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_ENTRY);
	fake_in_const(UVERBS_ATTR_QUERY_GID_ENTRY_PORT, 1);
	fake_in_const(UVERBS_ATTR_QUERY_GID_ENTRY_GID_INDEX, 3);
	fake_in(UVERBS_ATTR_QUERY_GID_ENTRY_FLAGS, &flags, 4);
	fake_out(UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY, sizeof(said));
	fake_no_more();
	fake_fail(ENODATA);
	assert_int_equal(_ibv_query_gid_ex(context, 1, 3, &larger.entry, 0, 32), ENODATA);
	assert_int_equal(_ibv_query_gid_ex(context, 1, 3, &larger.entry, 0, 0), EINVAL);

	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY, &said, sizeof(said));
	assert_int_equal(hf_provider_query_gid_type(context, 1, 3, &type), 0);
	assert_int_equal(type, IBV_GID_TYPE_SYSFS_ROCE_V2);
	fake_fail(ENODATA);
	assert_int_equal(hf_provider_query_gid_type(context, 1, 3, &type), 0);
	assert_int_equal(type, IBV_GID_TYPE_SYSFS_IB_ROCE_V1);
	fake_fail(EINVAL);
	assert_int_equal(hf_provider_query_gid_type(context, 1, 3, &type), EINVAL);

	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_GID_TABLE_RESP_NUM_ENTRIES, &found, 8);
	assert_int_equal(_ibv_query_gid_table(context, table, 12, 0, 32), 2);
	fake_sent(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_GID_TABLE);
	fake_in_const(UVERBS_ATTR_QUERY_GID_TABLE_ENTRY_SIZE, 32);
	fake_in(UVERBS_ATTR_QUERY_GID_TABLE_FLAGS, &flags, 4);
	fake_out(UVERBS_ATTR_QUERY_GID_TABLE_RESP_ENTRIES, 384);
	fake_out(UVERBS_ATTR_QUERY_GID_TABLE_RESP_NUM_ENTRIES, 8);
	fake_no_more();
	fake_fail(EINVAL);
	assert_int_equal(_ibv_query_gid_table(context, table, 1, 0, 32), -EINVAL);
	assert_int_equal(_ibv_query_gid_table(context, table, 0, 0, 32), -EINVAL);
	assert_int_equal(_ibv_query_gid_table(context, table, 4, 0, 0), -EINVAL);
	assert_int_equal(_ibv_query_gid_table(context, table, 1, 0, 65536), -EINVAL);
	/* A kernel that returns more than there was room for is not believed. */
	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_GID_TABLE_RESP_NUM_ENTRIES, &too_many, 8);
	assert_int_equal(_ibv_query_gid_table(context, table, 12, 0, 32), -EIO);
	fake_context_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_chain_of_buffers),
		cmocka_unit_test(uverbs_counters),
		cmocka_unit_test(flow_action),
		cmocka_unit_test(uverbs_work_queues),
		cmocka_unit_test(work_queues_before_5_8),
		cmocka_unit_test(indirection_tables),
		cmocka_unit_test(contexts),
		cmocka_unit_test(gids),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
