/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * ibv_query_port(): the different sizes of struct ibv_port_attr of programs and providers of
 * different rdma-core releases.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include <holdfast-provider/provider.h>

#include "core/verbs/operations.h"
#include "t/lib/fake_uverbs.h"

/* Sizes of struct ibv_port_attr: rdma-core 19, 20 to 48, 49 and later, and a future one. */
enum { SHORT = 48, OLDER = 52, NEWER = 56, LATER = 96, UNTOUCHED = 0x5a };
enum { SPEED_AT = 52, RESPONSE = 48, NDR = 128, XDR = 256 };

static struct ibv_context *context;
static union {
	struct ibv_port_attr attr;
	unsigned char bytes[128];
} port;

/* Sets the kernel's answer: active_speed_ex is 0 before Linux 6.10. */
static void kernel_states_speed(uint8_t active_speed, uint32_t active_speed_ex)
{
	struct ib_uverbs_query_port_resp_ex response = {
		.legacy_resp = {.state = IBV_PORT_ACTIVE, .lid = 7, .active_speed = active_speed},
		.port_cap_flags2 = 0x1234,
	};

	memcpy((char *)&response + 44, &active_speed_ex, sizeof(active_speed_ex));
	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_PORT_RESP, &response, sizeof(response));
}

/* Calls like a program whose header has a struct of `size` bytes. Returns active_speed_ex. */
static uint32_t ask_with(size_t size)
{
	struct verbs_context *verbs = verbs_get_ctx_op(context, query_port);
	uint32_t speed;

	assert_non_null(verbs);
	memset(&port, UNTOUCHED, sizeof(port));
	assert_int_equal(verbs->query_port(context, 1, &port.attr, size), 0);
	for (size_t i = size; i < sizeof(port); i++)
		assert_int_equal(port.bytes[i], UNTOUCHED);
	assert_int_equal(port.attr.lid, 7);
	memcpy(&speed, port.bytes + SPEED_AT, sizeof(speed));
	return speed;
}

static void set_query_port(int (*query_port)(struct ibv_context *, uint8_t, struct ibv_port_attr *))
{
	const struct verbs_context_ops ops = {.query_port = query_port};

	context = fake_context();
	hfi_operations_set(hfi_context_of(context), &ops);
}

static void the_kernels_value(void **state)
{
	const uint32_t untouched = UNTOUCHED * 0x01010101u;

	(void)state;
	set_query_port(hf_provider_query_port);
	kernel_states_speed(NDR, XDR);
	assert_int_equal(ask_with(NEWER), XDR);
	fake_sent(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_QUERY_PORT);
	fake_in_const(UVERBS_ATTR_QUERY_PORT_PORT_NUM, 1);
	fake_out(UVERBS_ATTR_QUERY_PORT_RESP, RESPONSE);
	fake_no_more();
	assert_int_equal(port.attr.active_speed, NDR);
	assert_int_equal(port.attr.port_cap_flags2, 0x1234);
	kernel_states_speed(NDR, XDR);
	assert_int_equal(ask_with(LATER), XDR);
	for (size_t i = NEWER; i < LATER; i++)
		assert_int_equal(port.bytes[i], 0);
	kernel_states_speed(NDR, XDR);
	assert_int_equal(ask_with(OLDER), untouched);
	kernel_states_speed(NDR, XDR);
	assert_int_equal(ask_with(SHORT), untouched);
}

static void an_older_kernel(void **state)
{
	(void)state;
	set_query_port(hf_provider_query_port);
	kernel_states_speed(32, 0);
	assert_int_equal(ask_with(NEWER), 32);
}

/* Programs built with rdma-core 19 or older call the symbol, whatever their headers. */
static void the_symbol(void **state)
{
	(void)state;
	set_query_port(hf_provider_query_port);
	kernel_states_speed(NDR, XDR);
	memset(&port, UNTOUCHED, sizeof(port));
	assert_int_equal(
		(ibv_query_port)(context, 1, (struct _compat_ibv_port_attr *)(void *)&port), 0);
	assert_int_equal(port.attr.active_speed, NDR);
	for (size_t i = SHORT; i < sizeof(port); i++)
		assert_int_equal(port.bytes[i], UNTOUCHED);
}

/* A provider of rdma-core 48 or older queries into a struct on its stack. */
static int query_into_own_struct(struct ibv_context *ctx, uint8_t number,
				 struct ibv_port_attr *attr)
{
	union {
		struct ibv_port_attr attr;
		unsigned char bytes[128];
	} own;
	int err;

	memset(&own, UNTOUCHED, sizeof(own));
	err = hf_provider_query_port(ctx, number, &own.attr);
	for (size_t i = OLDER; i < sizeof(own); i++)
		assert_int_equal(own.bytes[i], UNTOUCHED);
	memcpy(attr, &own, OLDER);
	return err;
}

static void a_struct_of_the_provider(void **state)
{
	(void)state;
	set_query_port(query_into_own_struct);
	kernel_states_speed(NDR, XDR);
	assert_int_equal(ask_with(NEWER), NDR);
	/* Outside of a program's query. */
	kernel_states_speed(NDR, XDR);
	assert_int_equal(query_into_own_struct(context, 1, &port.attr), 0);
}

/* A provider may query another port before it answers. */
static int query_within_query(struct ibv_context *ctx, uint8_t number, struct ibv_port_attr *attr)
{
	struct verbs_context *verbs = verbs_get_ctx_op(ctx, query_port);
	union hf_port_attr other = {0};
	int err;

	if (number == 2)
		return hf_provider_query_port(ctx, number, attr);
	err = verbs->query_port(ctx, 2, &other.attr, NEWER);
	assert_int_equal(other.active_speed_ex, 64);
	return err ? err : hf_provider_query_port(ctx, number, attr);
}

static void a_question_within_another(void **state)
{
	(void)state;
	set_query_port(query_within_query);
	kernel_states_speed(64, 64);
	kernel_states_speed(NDR, XDR);
	assert_int_equal(ask_with(NEWER), XDR);
}

/* A provider without a kernel, or with newer headers, sets the speed itself. */
static int query_of_newer_headers(struct ibv_context *ctx, uint8_t number,
				  struct ibv_port_attr *attr)
{
	const uint32_t speed = 512;

	(void)ctx;
	(void)number;
	*attr = (struct ibv_port_attr){.lid = 7, .active_speed = NDR};
	memcpy((char *)attr + SPEED_AT, &speed, sizeof(speed));
	return 0;
}

static int query_fails(struct ibv_context *ctx, uint8_t number, struct ibv_port_attr *attr)
{
	(void)ctx;
	(void)number;
	memset(attr, 1, OLDER);
	return EINVAL;
}

static void the_providers_value(void **state)
{
	(void)state;
	set_query_port(query_of_newer_headers);
	assert_int_equal(ask_with(NEWER), 512);
	set_query_port(query_fails);
	memset(&port, UNTOUCHED, sizeof(port));
	assert_int_equal(hfi_context_of(context)->query_port(context, 1, &port.attr, NEWER),
			 EINVAL);
	for (size_t i = 0; i < sizeof(port); i++)
		assert_int_equal(port.bytes[i], UNTOUCHED);
}

static int end_context(void **state)
{
	(void)state;
	fake_context_end();
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_teardown(the_kernels_value, end_context),
		cmocka_unit_test_teardown(an_older_kernel, end_context),
		cmocka_unit_test_teardown(the_symbol, end_context),
		cmocka_unit_test_teardown(a_struct_of_the_provider, end_context),
		cmocka_unit_test_teardown(a_question_within_another, end_context),
		cmocka_unit_test_teardown(the_providers_value, end_context),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
