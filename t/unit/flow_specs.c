/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Each kind of flow specification: the exact bytes that the kernel gets. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "shared/attr.h"
#include "core/uverbs/flow_specs.h"
#include "t/lib/fake_uverbs.h"

static struct verbs_flow_action action = {.handle = 0x01020304};
static struct verbs_counters counters = {.handle = 0x05060708};

#define SPEC(kind, number, ...)                                        \
	.from = {.kind = {.type = (number),                            \
			  .size = sizeof(struct ibv_flow_spec_##kind), \
			  __VA_ARGS__}}

/* Spelled out as bytes and not with the kernel's structures, since the code uses those. */
static const struct {
	struct ibv_flow_spec from;
	size_t size;
	uint8_t bytes[88];
} cases[] = {
	{
		SPEC(eth, IBV_FLOW_SPEC_ETH,
		     .val = {{1, 2, 3, 4, 5, 6}, {7, 8, 9, 10, 11, 12}, 0x0e0d, 0x100f},
		     .mask = {{17, 18, 19, 20, 21, 22}, {23, 24, 25, 26, 27, 28}, 0x1e1d, 0x201f}),
		40,
		{0x20, 0,  0,  0,  40, 0,  0,  0,  1,  2,  3,  4,  5,  6,  7,  8,  9,  10, 11, 12,
		 13,   14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24, 25, 26, 27, 28, 29, 30, 31, 32},
	},
	{
		SPEC(ipv4, IBV_FLOW_SPEC_IPV4, .val = {0x04030201, 0x08070605},
		     .mask = {0x0c0b0a09, 0x100f0e0d}),
		24,
		{0x30, 0, 0, 0, 24, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	},
	{
		SPEC(ipv4_ext, IBV_FLOW_SPEC_IPV4_EXT,
		     .val = {0x04030201, 0x08070605, 9, 10, 11, 12},
		     .mask = {0x100f0e0d, 0x14131211, 21, 22, 23, 24}),
		32,
		{0x30, 0,  0,  0,  32, 0,  0,  0,  1,  2,  3,  4,  5,  6,  7,  8,
		 9,    10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, 21, 22, 23, 24},
	},
	{
		SPEC(ipv6, IBV_FLOW_SPEC_IPV6, .val = {{1}, {[15] = 2}, 0x06050403, 7, 8, 9},
		     .mask = {{[15] = 10}, {11}, 0x0f0e0d0c, 16, 17, 18}),
		88,
		{[0] = 0x31, [4] = 88,	[8] = 1,   [39] = 2,  [40] = 3, 4,  5,	6,  7,	8,  9,
		 0,	     [63] = 10, [64] = 11, [80] = 12, 13,	14, 15, 16, 17, 18, 0},
	},
	{
		SPEC(esp, IBV_FLOW_SPEC_ESP, .val = {0x04030201, 0x08070605},
		     .mask = {0x0c0b0a09, 0x100f0e0d}),
		24,
		{0x34, 0, 0, 0, 24, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	},
	{
		SPEC(tcp_udp, IBV_FLOW_SPEC_TCP, .val = {0x0201, 0x0403}, .mask = {0x0605, 0x0807}),
		16,
		{0x40, 0, 0, 0, 16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
	},
	{
		SPEC(tcp_udp, IBV_FLOW_SPEC_UDP, .val = {0x0201, 0x0403}, .mask = {0x0605, 0x0807}),
		16,
		{0x41, 0, 0, 0, 16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
	},
	{
		SPEC(tunnel, IBV_FLOW_SPEC_VXLAN_TUNNEL, .val = {0x04030201}, .mask = {0x08070605}),
		16,
		{0x50, 0, 0, 0, 16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
	},
	{
		SPEC(gre, IBV_FLOW_SPEC_GRE, .val = {0x0201, 0x0403, 0x08070605},
		     .mask = {0x0a09, 0x0c0b, 0x100f0e0d}),
		24,
		{0x51, 0, 0, 0, 24, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 13, 14, 15, 16},
	},
	{
		SPEC(mpls, IBV_FLOW_SPEC_MPLS, .val = {0x04030201}, .mask = {0x08070605}),
		16,
		{0x60, 0, 0, 0, 16, 0, 0, 0, 1, 2, 3, 4, 5, 6, 7, 8},
	},
	{
		.from = {.flow_tag = {IBV_FLOW_SPEC_ACTION_TAG,
				      sizeof(struct ibv_flow_spec_action_tag), 0x04030201}},
		16,
		{0x00, 0x10, 0, 0, 16, 0, 0, 0, 1, 2, 3, 4},
	},
	{
		.from = {.drop = {IBV_FLOW_SPEC_ACTION_DROP,
				  sizeof(struct ibv_flow_spec_action_drop)}},
		8,
		{0x01, 0x10, 0, 0, 8},
	},
	{
		.from = {.handle = {IBV_FLOW_SPEC_ACTION_HANDLE,
				    sizeof(struct ibv_flow_spec_action_handle), &action.action}},
		16,
		{0x02, 0x10, 0, 0, 16, 0, 0, 0, 4, 3, 2, 1},
	},
	{
		.from = {.flow_count = {IBV_FLOW_SPEC_ACTION_COUNT,
					sizeof(struct ibv_flow_spec_counter_action),
					&counters.counters}},
		16,
		{0x03, 0x10, 0, 0, 16, 0, 0, 0, 8, 7, 6, 5},
	},
};

static void every_kind(void **state)
{
	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		struct ibv_flow_spec inner = cases[i].from;
		uint8_t inner_bytes[88];
		union hf_flow_spec to;

		memset(&to, 0x5a, sizeof(to));
		assert_int_equal(hfi_flow_spec(&cases[i].from, &to), 0);
		assert_int_equal(to.hdr.size, cases[i].size);
		assert_memory_equal(&to, cases[i].bytes, cases[i].size);

		memcpy(inner_bytes, cases[i].bytes, sizeof(inner_bytes));
		inner_bytes[1] |= 1;
		inner.hdr.type = (enum ibv_flow_spec_type)(inner.hdr.type | IBV_FLOW_SPEC_INNER);
		assert_int_equal(hfi_flow_spec(&inner, &to), 0);
		assert_memory_equal(&to, inner_bytes, cases[i].size);
	}
	printf("%zu kinds, each outer and inner\n", HF_ARRAY_SIZE(cases));
}

static void invalid_flow_specs(void **state)
{
	static const int unknown[] = {0, 0x1f, 0x22, 0x33, 0x52, 0x1004, 0x10020, -1};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++)
		for (int wrong = -1; wrong <= 1; wrong += 2) {
			struct ibv_flow_spec from = cases[i].from;
			union hf_flow_spec to = {.hdr.type = 99};

			from.hdr.size = (uint16_t)(from.hdr.size + wrong);
			assert_int_equal(hfi_flow_spec(&from, &to), EINVAL);
			assert_int_equal(to.hdr.type, 99);
		}
	for (size_t i = 0; i < HF_ARRAY_SIZE(unknown); i++) {
		struct ibv_flow_spec from = {.hdr = {(enum ibv_flow_spec_type)unknown[i], 40}};
		union hf_flow_spec to;

		assert_int_equal(hfi_flow_spec(&from, &to), EINVAL);
	}
}

/* All of them in one flow, packed as programs pack them, with driver data behind. */
static void a_flow(void **state)
{
	struct {
		struct ibv_flow_attr attr;
		uint8_t specs[1024];
	} given = {.attr = {.type = IBV_FLOW_ATTR_NORMAL, .priority = 3, .port = 2, .flags = 1}};
	uint8_t expected[1024] = {[0] = 0, [4] = 21, [14] = 3, [19] = 2, [20] = 1};
	const struct ib_uverbs_create_flow_resp response = {.flow_handle = 55};
	const struct hf_driver_data data = {.in = "from the driver", .in_size = 16};
	struct ibv_context *context = fake_context();
	struct ibv_qp qp = {.context = context, .handle = 21};
	struct ibv_flow flow = {.handle = 1};
	size_t used = 0, size = 24;

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(cases); i++) {
		memcpy(given.specs + used, &cases[i].from, cases[i].from.hdr.size);
		used += cases[i].from.hdr.size;
		memcpy(expected + size, cases[i].bytes, cases[i].size);
		size += cases[i].size;
	}
	given.attr.num_of_specs = (uint8_t)HF_ARRAY_SIZE(cases);
	given.attr.size = (uint16_t)(sizeof(given.attr) + used);
	expected[12] = (uint8_t)(size - 24);
	expected[13] = (uint8_t)((size - 24) >> 8);
	expected[16] = (uint8_t)HF_ARRAY_SIZE(cases);

	fake_fail(EPERM);
	assert_int_equal(hf_provider_create_flow(&qp, &flow, &given.attr, &data), EPERM);
	assert_int_equal(flow.handle, 1);
	assert_null(flow.context);
	fake_succeed();
	fake_reply(UVERBS_ATTR_CORE_OUT, &response, sizeof(response));
	assert_int_equal(hf_provider_create_flow(&qp, &flow, &given.attr, &data), 0);
	fake_sent_write(IB_USER_VERBS_EX_CMD_CREATE_FLOW | IB_USER_VERBS_CMD_FLAG_EXTENDED);
	fake_in(UVERBS_ATTR_CORE_IN, expected, size);
	fake_out(UVERBS_ATTR_CORE_OUT, sizeof(response));
	fake_in(UVERBS_ATTR_UHW_IN, data.in, data.in_size);
	fake_no_more();
	assert_ptr_equal(flow.context, context);
	assert_int_equal(flow.handle, 55);

	assert_int_equal(hf_provider_destroy_flow(&flow), 0);
	fake_sent(UVERBS_OBJECT_FLOW, UVERBS_METHOD_FLOW_DESTROY);
	fake_in_handle(UVERBS_ATTR_DESTROY_FLOW_HANDLE, 55);
	fake_no_more();
	fake_fail(EBUSY);
	assert_int_equal(hf_provider_destroy_flow(&flow), EBUSY);
	fake_gone(EIO);
	assert_int_equal(hf_provider_destroy_flow(&flow), 0);
	fake_gone(0);

	/* A length that points to nothing must not be followed. */
	memset(given.specs + 4, 0, 2);
	assert_int_equal(hf_provider_create_flow(&qp, &flow, &given.attr, NULL), EINVAL);
	memset(given.specs + 4, 0xff, 2);
	assert_int_equal(hf_provider_create_flow(&qp, &flow, &given.attr, NULL), EINVAL);
	given.attr.comp_mask = 1;
	assert_int_equal(hf_provider_create_flow(&qp, &flow, &given.attr, NULL), EINVAL);
	fake_context_end();
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_kind),
		cmocka_unit_test(invalid_flow_specs),
		cmocka_unit_test(a_flow),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
