/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Replies of RDMA netlink: well formed, cut at every byte, and with each length wrong. */
#include <endian.h>
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>
#include <cmocka.h>

#include "core/discovery/netlink.h"

struct message {
	unsigned char bytes[1024];
	uint32_t size;
};

static void begin_message(struct message *m)
{
	memset(m, 0, sizeof(*m));
	m->size = NLMSG_HDRLEN;
	memcpy(m->bytes, &m->size, sizeof(m->size));
}

static void put_nlattr(struct message *m, uint16_t type, const void *data, size_t size)
{
	const struct nlattr header = {(uint16_t)(NLA_HDRLEN + size), type};

	memcpy(m->bytes + m->size, &header, sizeof(header));
	if (size)
		memcpy(m->bytes + m->size + NLA_HDRLEN, data, size);
	m->size += (uint32_t)NLA_ALIGN(NLA_HDRLEN + size);
	memcpy(m->bytes, &m->size, sizeof(m->size));
}

static void put_nlattr_text(struct message *m, uint16_t type, const char *text)
{
	put_nlattr(m, type, text, strlen(text) + 1);
}

static void put_nlattr_u8(struct message *m, uint16_t type, uint8_t value)
{
	put_nlattr(m, type, &value, sizeof(value));
}

static void put_nlattr_u32(struct message *m, uint16_t type, uint32_t value)
{
	put_nlattr(m, type, &value, sizeof(value));
}

static void put_nlattr_u64(struct message *m, uint16_t type, uint64_t value)
{
	put_nlattr(m, type, &value, sizeof(value));
}

static void make_device(struct message *m)
{
	begin_message(m);
	put_nlattr_u32(m, RDMA_NLDEV_ATTR_DEV_INDEX, 3);
	put_nlattr_text(m, RDMA_NLDEV_ATTR_DEV_NAME, "mlx5_0");
	put_nlattr_u32(m, RDMA_NLDEV_ATTR_PORT_INDEX, 2);
	put_nlattr_u64(m, RDMA_NLDEV_ATTR_NODE_GUID, 0x0002c90300000001);
	put_nlattr_u8(m, RDMA_NLDEV_ATTR_DEV_NODE_TYPE, 1);
	put_nlattr_text(m, RDMA_NLDEV_ATTR_DEV_PROTOCOL, "ib");
}

static void make_chardev(struct message *m)
{
	begin_message(m);
	put_nlattr_u32(m, RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID, 1);
	put_nlattr_u64(m, RDMA_NLDEV_ATTR_CHARDEV, makedev(231, 192));
	put_nlattr_u64(m, RDMA_NLDEV_ATTR_CHARDEV_ABI, 1);
	put_nlattr_text(m, RDMA_NLDEV_ATTR_CHARDEV_NAME, "uverbs0");
}

static void make_port(struct message *m)
{
	begin_message(m);
	put_nlattr_u8(m, RDMA_NLDEV_ATTR_PORT_STATE, 4);
	put_nlattr_u8(m, RDMA_NLDEV_ATTR_PORT_PHYS_STATE, 5);
	put_nlattr_u32(m, RDMA_NLDEV_ATTR_NDEV_INDEX, 7);
	put_nlattr_text(m, RDMA_NLDEV_ATTR_NDEV_NAME, "eth0");
}

static void well_formed(void **state)
{
	struct hf_nldev_chardev chardev;
	struct hf_nl_device device;
	struct hf_nldev_port port;
	struct message m;

	(void)state;
	make_device(&m);
	put_nlattr_u32(&m, 9999, 1);
	assert_int_equal(hfi_nl_parse_device(m.bytes, m.size, &device), 0);
	assert_int_equal(device.index, 3);
	assert_string_equal(device.name, "mlx5_0");
	assert_int_equal(device.num_ports, 2);
	assert_int_equal(be64toh(device.node_guid), 0x0002c90300000001);
	assert_int_equal(device.node_type, IBV_NODE_CA);
	assert_int_equal(device.protocol, HF_PROTOCOL_IB);
	make_chardev(&m);
	assert_int_equal(hfi_nldev_parse_chardev(m.bytes, m.size, &chardev), 0);
	assert_string_equal(chardev.name, "uverbs0");
	assert_int_equal(chardev.number, makedev(231, 192));
	assert_int_equal(chardev.abi, 1);
	assert_int_equal(chardev.driver_id, 1);
	make_port(&m);
	assert_int_equal(hfi_nldev_parse_port(m.bytes, m.size, &port), 0);
	assert_int_equal(port.state, 4);
	assert_int_equal(port.phys_state, 5);
	assert_int_equal(port.netdev_index, 7);
	assert_string_equal(port.netdev, "eth0");
	begin_message(&m);
	assert_int_equal(hfi_nldev_parse_exclusive(m.bytes, m.size), 0);
	put_nlattr_u8(&m, RDMA_NLDEV_SYS_ATTR_NETNS_MODE, 0);
	assert_int_equal(hfi_nldev_parse_exclusive(m.bytes, m.size), 1);
}

static void protocols(void **state)
{
	static const struct {
		const char *text;
		enum hf_protocol protocol;
	} cases[] = {{"ib", HF_PROTOCOL_IB},	   {"roce", HF_PROTOCOL_ROCE},
		     {"iw", HF_PROTOCOL_IWARP},	   {"opa", HF_PROTOCOL_OPA},
		     {"usnic", HF_PROTOCOL_USNIC}, {"tomorrow", HF_PROTOCOL_UNKNOWN}};
	struct hf_nl_device device;
	struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		make_device(&m);
		put_nlattr_text(&m, RDMA_NLDEV_ATTR_DEV_PROTOCOL, cases[i].text);
		assert_int_equal(hfi_nl_parse_device(m.bytes, m.size, &device), 0);
		assert_int_equal(device.protocol, cases[i].protocol);
	}
}

static void bad_values_are_refused(void **state)
{
	static const char long_name[64 + 1] =
		"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa";
	const struct {
		uint16_t type;
		const void *data;
		size_t size;
	} bad[] = {
		{RDMA_NLDEV_ATTR_DEV_INDEX, "\xff\xff\xff\xff", 4},
		{RDMA_NLDEV_ATTR_DEV_INDEX, "\1\0\0", 3},
		{RDMA_NLDEV_ATTR_DEV_INDEX, "\1\0\0\0\0\0\0\0", 8},
		{RDMA_NLDEV_ATTR_DEV_NAME, "", 1},
		{RDMA_NLDEV_ATTR_DEV_NAME, "", 0},
		{RDMA_NLDEV_ATTR_DEV_NAME, "open", 4},
		{RDMA_NLDEV_ATTR_DEV_NAME, long_name, sizeof(long_name)},
		{RDMA_NLDEV_ATTR_NODE_GUID, "\1\2\3\4", 4},
		{RDMA_NLDEV_ATTR_DEV_NODE_TYPE, "\1\0\0\0", 4},
		{RDMA_NLDEV_ATTR_DEV_PROTOCOL, "ib", 2},
	};
	struct hf_nl_device device = {.index = 77};
	struct hf_nldev_chardev chardev = {.abi = 77};
	struct message m;

	(void)state;
	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		make_device(&m);
		put_nlattr(&m, bad[i].type, bad[i].data, bad[i].size);
		assert_int_equal(hfi_nl_parse_device(m.bytes, m.size, &device), -EBADMSG);
		assert_int_equal(device.index, 77);
	}
	make_chardev(&m);
	put_nlattr_text(&m, RDMA_NLDEV_ATTR_CHARDEV_NAME, "umad0");
	assert_int_equal(hfi_nldev_parse_chardev(m.bytes, m.size, &chardev), -EBADMSG);
	make_chardev(&m);
	put_nlattr_u64(&m, RDMA_NLDEV_ATTR_CHARDEV, UINT64_MAX);
	assert_int_equal(hfi_nldev_parse_chardev(m.bytes, m.size, &chardev), -EBADMSG);
	make_chardev(&m);
	put_nlattr_u64(&m, RDMA_NLDEV_ATTR_CHARDEV_ABI, 1ull << 32);
	assert_int_equal(hfi_nldev_parse_chardev(m.bytes, m.size, &chardev), -EBADMSG);
	assert_int_equal(chardev.abi, 77);
}

/* On the heap with the exact size, so that a sanitizer reports a read beyond the end. */
static void parse_all(const unsigned char *bytes, size_t size, bool may_succeed)
{
	unsigned char *copy = malloc(size ? size : 1);
	struct hf_nldev_chardev chardev;
	struct hf_nl_device device;
	struct hf_nldev_port port;

	assert_non_null(copy);
	memcpy(copy, bytes, size);
	for (int i = 0; i < 4; i++) {
		int err;

		if (i == 0)
			err = hfi_nl_parse_device(copy, size, &device);
		else if (i == 1)
			err = hfi_nldev_parse_chardev(copy, size, &chardev);
		else if (i == 2)
			err = hfi_nldev_parse_port(copy, size, &port);
		else
			err = hfi_nldev_parse_exclusive(copy, size);
		if (!may_succeed)
			assert_int_equal(err, -EBADMSG);
		else
			assert_true(err == 0 || err == 1 || err == -EBADMSG);
	}
	free(copy);
}

static void truncated_or_with_wrong_lengths(void **state)
{
	void (*const make[])(struct message *) = {make_device, make_chardev, make_port};
	unsigned int tried = 0;
	struct message m;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		uint32_t whole;

		make[i](&m);
		whole = m.size;
		/* First truncate below the header's length, then also lower the header's length. */
		for (uint32_t size = 0; size < whole; size++, tried++) {
			parse_all(m.bytes, size, false);
			if (size >= NLMSG_HDRLEN) {
				memcpy(m.bytes, &size, sizeof(size));
				parse_all(m.bytes, size, true);
				memcpy(m.bytes, &whole, sizeof(whole));
			}
		}
		for (uint32_t at = 0; at < whole; at++) {
			unsigned char saved = m.bytes[at];

			for (unsigned int value = 0; value < 256; value++, tried++) {
				m.bytes[at] = (unsigned char)value;
				parse_all(m.bytes, whole, true);
			}
			m.bytes[at] = saved;
		}
	}
	print_message("%u messages\n", tried);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(well_formed),
		cmocka_unit_test(protocols),
		cmocka_unit_test(bad_values_are_refused),
		cmocka_unit_test(truncated_or_with_wrong_lengths),
	};

	return cmocka_run_group_tests_name("netlink replies", tests, NULL, NULL);
}
