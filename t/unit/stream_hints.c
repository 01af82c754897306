/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The hints made from notifications: tables of good, odd and forged ones. */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if_arp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/rtnetlink.h>
#include <rdma/rdma_netlink.h>

#include "shared/attr.h"
#include "core/notify/hint.h"
#include "core/notify/rdma_netlink.h"
#include "core/notify/route_netlink.h"

#define VIRTUAL "/devices/virtual/infiniband"
#define NAME63	"a23456789012345678901234567890123456789012345678901234567890123"
#define NO_HINT HF_HINT_NONE
#define CHARDEV "/devices/virtual/infiniband_verbs/uverbs0"

static void uevents(void **state)
{
	static const struct {
		const char *action, *subsystem, *devpath, *old, *sysname;
		int result;
		enum hf_hint_kind kind;
		const char *name, *to;
	} rows[] = {
		{"add", "infiniband_verbs", CHARDEV, NULL, "uverbs0", 1, HF_HINT_DEVICE, "uverbs0"},
		{"remove", "infiniband_verbs", CHARDEV, NULL, "uverbs0", 1, HF_HINT_DEVICE,
		 "uverbs0"},
		{"change", "infiniband_verbs", CHARDEV, NULL, "uverbs12", 1, HF_HINT_DEVICE,
		 "uverbs12"},
		{"add", "infiniband_verbs", CHARDEV, NULL, NULL, 1, HF_HINT_DEVICE, "uverbs0"},
		{"add", "infiniband", VIRTUAL "/rxe0", NULL, "rxe0", 1, HF_HINT_IBDEV, "rxe0"},
		{"remove", "infiniband", VIRTUAL "/rxe0", NULL, "rxe0", 1, HF_HINT_IBDEV_WENT,
		 "rxe0"},
		{"move", "infiniband", VIRTUAL "/foo7", VIRTUAL "/rxe0", "foo7", 1, HF_HINT_RENAME,
		 "rxe0", "foo7"},
		{"move", "infiniband", VIRTUAL "/foo7", NULL, "foo7", 1, HF_HINT_IBDEV, "foo7"},
		{"move", "infiniband", VIRTUAL "/foo7", "rxe0", "foo7", 1, HF_HINT_RENAME, "",
		 "foo7"},
		{"move", "infiniband", VIRTUAL "/foo7", "/x/..", "foo7", 1, HF_HINT_RENAME, "",
		 "foo7"},
		{"move", "infiniband", VIRTUAL "/foo7", "/x/", "foo7", 1, HF_HINT_RENAME, "",
		 "foo7"},
		/* Any name that the kernel accepts; the last ones cannot be part of a path. */
		{"move", "infiniband", VIRTUAL "/a b\tc", VIRTUAL "/rxe0", NULL, 1, HF_HINT_RENAME,
		 "rxe0", "a b\tc"},
		{"move", "infiniband", VIRTUAL "/rxe0", VIRTUAL "/\xc3\xa4 %s\"\\'", "rxe0", 1,
		 HF_HINT_RENAME, "\xc3\xa4 %s\"\\'", "rxe0"},
		{"move", "infiniband", VIRTUAL "/a!b", VIRTUAL "/rxe0", "a/b", 1, HF_HINT_RENAME,
		 "rxe0", "a!b"},
		{"move", "infiniband", VIRTUAL "/a/b", VIRTUAL "/rxe0", "b", 1, HF_HINT_RENAME,
		 "rxe0", "b"},
		{"move", "infiniband", VIRTUAL "/..", VIRTUAL "/rxe0", "..", 1, HF_HINT_RENAME,
		 "rxe0"},
		{"add", "infiniband", VIRTUAL "/a!b", NULL, "a/b", 1, HF_HINT_IBDEV, "a!b"},
		{"add", "infiniband", NULL, NULL, "a\nb", 1, HF_HINT_IBDEV, "a\nb"},
		{"add", "infiniband", "/x/" NAME63, NULL, NULL, 1, HF_HINT_IBDEV, NAME63},
		/* Irrelevant. */
		{"bind", "infiniband_verbs", CHARDEV, NULL, "uverbs0", 0, NO_HINT},
		{"unbind", "infiniband", VIRTUAL "/rxe0", NULL, "rxe0", 0, NO_HINT},
		{"add", "infiniband_mad", "/x/umad0", NULL, "umad0", 0, NO_HINT},
		{"add", "net", "/x/eth0", NULL, "eth0", 0, NO_HINT},
		{"add", "", "/x/eth0", NULL, "eth0", 0, NO_HINT},
		/* Forged or broken. */
		{NULL, "infiniband", VIRTUAL "/rxe0", NULL, "rxe0", -EINVAL, NO_HINT},
		{"add", NULL, VIRTUAL "/rxe0", NULL, "rxe0", -EINVAL, NO_HINT},
		{"add", "infiniband", NULL, NULL, NULL, -EINVAL, NO_HINT},
		{"add", "infiniband", "rxe0", NULL, NULL, -EINVAL, NO_HINT},
		{"add", "infiniband", NULL, NULL, "", -EINVAL, NO_HINT},
		{"add", "infiniband", NULL, NULL, "..", -EINVAL, NO_HINT},
		{"add", "infiniband", NULL, NULL, "a/b", -EINVAL, NO_HINT},
		{"add", "infiniband", NULL, NULL, NAME63 "4", -EINVAL, NO_HINT},
		{"add", "infiniband_verbs", NULL, NULL, "uverbs", -EINVAL, NO_HINT},
		{"add", "infiniband_verbs", NULL, NULL, "uverbs0x", -EINVAL, NO_HINT},
		{"add", "infiniband_verbs", NULL, NULL, "uverbs-1", -EINVAL, NO_HINT},
		{"add", "infiniband_verbs", NULL, NULL, "../uverbs0", -EINVAL, NO_HINT},
	};

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++) {
		struct hf_hint hint, untouched;
		int result;

		memset(&untouched, 0x5a, sizeof(untouched));
		hint = untouched;
		result = hfi_uevent_classify(rows[i].action, rows[i].subsystem, rows[i].devpath,
					     rows[i].old, rows[i].sysname, &hint);
		if (result != rows[i].result)
			printf("row %zu: %s %s\n", i, rows[i].action, rows[i].sysname);
		assert_int_equal(result, rows[i].result);
		if (result <= 0) {
			assert_memory_equal(&hint, &untouched, sizeof(hint));
			continue;
		}
		assert_int_equal(hint.kind, rows[i].kind);
		assert_int_equal(hint.root, HF_ROOT_KERNEL);
		assert_string_equal(hint.name, rows[i].name);
		assert_string_equal(hint.to, rows[i].to ? rows[i].to : "");
	}
	printf("%zu uevents\n", HF_ARRAY_SIZE(rows));
}

/* The same change must yield the same bytes, whatever was in the memory before. */
static void hints_compare_as_bytes(void **state)
{
	struct hf_hint a, b;

	(void)state;
	memset(&a, 0xff, sizeof(a));
	memset(&b, 0x11, sizeof(b));
	assert_int_equal(hfi_uevent_classify("move", "infiniband", "/x/b", "/x/a", "b", &a), 1);
	assert_int_equal(hfi_uevent_classify("move", "infiniband", "/y/b", "/y/a", "b", &b), 1);
	assert_memory_equal(&a, &b, sizeof(a));
}

static struct nlmsghdr *rdma_message(void *buffer, uint16_t type)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(buffer);

	header->nlmsg_type = type;
	return header;
}

enum { MONITOR = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, 28), EVENT_TYPE = 102 };

static void rdma_notifications(void **state)
{
	static const struct {
		uint16_t message;
		int event;
		const char *name;
		int result;
		enum hf_hint_kind kind;
	} rows[] = {
		{MONITOR, 0, "rxe0", 1, HF_HINT_IBDEV},
		{MONITOR, 1, "rxe0", 1, HF_HINT_IBDEV_WENT},
		{MONITOR, 2, "rxe0", 1, HF_HINT_ATTRIBUTES},
		{MONITOR, 3, "rxe0", 1, HF_HINT_ATTRIBUTES},
		{MONITOR, 4, "rxe1", 1, HF_HINT_IBDEV}, /* a kind that later kernels may send */
		{MONITOR, 0, NULL, 1, HF_HINT_ALL},
		{MONITOR, -1, "rxe0", -EINVAL, NO_HINT},
		{MONITOR, 0, "", -EINVAL, NO_HINT},
		{MONITOR, 0, "a/b", 1, HF_HINT_IBDEV},
		{MONITOR, 0, "a b\t\xc3\xa4", 1, HF_HINT_IBDEV},
		{MONITOR, 0, NAME63 "4", -EINVAL, NO_HINT},
		{RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET), 0, "rxe0", 0, NO_HINT},
		{NLMSG_ERROR, 0, "rxe0", 0, NO_HINT},
	};
	char buffer[1024] __attribute__((aligned(8)));

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++) {
		struct nlmsghdr *header = rdma_message(buffer, rows[i].message);
		struct hf_hint hint;
		int result;

		mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, 3);
		if (rows[i].name)
			mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DEV_NAME, rows[i].name);
		if (rows[i].event >= 0)
			mnl_attr_put_u8(header, EVENT_TYPE, (uint8_t)rows[i].event);
		result = hfi_rdma_notify_parse(buffer, header->nlmsg_len, &hint);
		if (result != rows[i].result)
			printf("row %zu\n", i);
		assert_int_equal(result, rows[i].result);
		if (result <= 0)
			continue;
		assert_int_equal(hint.kind, rows[i].kind);
		assert_string_equal(hint.name, rows[i].name ? rows[i].name : "");
	}
	printf("%zu RDMA notifications\n", HF_ARRAY_SIZE(rows));
}

/* Every shorter part of a valid message, in memory that ends there. */
static void cut(const struct nlmsghdr *good, int (*parse)(const void *, size_t, struct hf_hint *))
{
	unsigned int refused = 0;

	for (size_t size = 0; size < good->nlmsg_len; size++) {
		char *piece = malloc(size ? size : 1);
		struct hf_hint hint;

		assert_non_null(piece);
		memcpy(piece, good, size);
		refused += parse(piece, size, &hint) < 0;
		if (size >= sizeof(*good)) {
			/* The same with a header that contains the shorter length. */
			((struct nlmsghdr *)(void *)piece)->nlmsg_len = (uint32_t)size;
			(void)parse(piece, size, &hint);
		}
		free(piece);
	}
	assert_int_equal(refused, good->nlmsg_len);
	printf("%u pieces refused\n", refused);
}

static void cut_messages_are_refused(void **state)
{
	char buffer[1024] __attribute__((aligned(8)));
	struct nlmsghdr *header = rdma_message(buffer, MONITOR);
	struct ifinfomsg *link;

	(void)state;
	mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DEV_NAME, "rxe0");
	mnl_attr_put_u8(header, EVENT_TYPE, 0);
	cut(header, hfi_rdma_notify_parse);

	header = rdma_message(buffer, RTM_NEWLINK);
	link = mnl_nlmsg_put_extra_header(header, sizeof(*link));
	link->ifi_index = 7;
	mnl_attr_put_u32(header, IFLA_LINK, 3);
	cut(header, hfi_route_parse);
}

static void links(void **state)
{
	static const struct {
		int index;
		uint32_t link;
		int result;
		uint32_t lower;
		uint16_t type;
		bool elsewhere;
	} rows[] = {
		{7, 0, 1, 0, RTM_NEWLINK},	 {7, 0, 1, 0, RTM_DELLINK},
		{7, 3, 1, 3, RTM_NEWLINK},	 {7, 3, 1, 3, RTM_DELLINK},
		{7, 7, 1, 0, RTM_NEWLINK},	 {7, 3, 1, 0, RTM_NEWLINK, true},
		{0, 0, -EINVAL, 0, RTM_NEWLINK}, {-1, 0, -EINVAL, 0, RTM_NEWLINK},
		{7, 0, 0, 0, RTM_NEWROUTE},
	};
	char buffer[1024] __attribute__((aligned(8)));

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(rows); i++) {
		struct nlmsghdr *header = rdma_message(buffer, rows[i].type);
		struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));
		struct hf_hint hint;

		link->ifi_index = rows[i].index;
		if (rows[i].link)
			mnl_attr_put_u32(header, IFLA_LINK, rows[i].link);
		if (rows[i].elsewhere)
			mnl_attr_put_u32(header, IFLA_LINK_NETNSID, 0);
		assert_int_equal(hfi_route_parse(buffer, header->nlmsg_len, &hint), rows[i].result);
		if (rows[i].result <= 0)
			continue;
		assert_int_equal(hint.kind, HF_HINT_NETDEV);
		assert_int_equal(hint.ifindex, rows[i].index);
		assert_int_equal(hint.lower, rows[i].lower);
	}
}

static void parses_address_messages(void **state)
{
	static const uint16_t types[] = {RTM_NEWADDR, RTM_DELADDR};
	char buffer[1024] __attribute__((aligned(8)));

	(void)state;
	for (size_t i = 0; i < HF_ARRAY_SIZE(types); i++) {
		struct nlmsghdr *header = rdma_message(buffer, types[i]);
		struct ifaddrmsg *address = mnl_nlmsg_put_extra_header(header, sizeof(*address));
		struct hf_hint hint;

		assert_int_equal(hfi_route_parse(buffer, header->nlmsg_len, &hint), -EINVAL);
		address->ifa_family = AF_INET6;
		address->ifa_index = 4294967295u;
		assert_int_equal(hfi_route_parse(buffer, header->nlmsg_len, &hint), 1);
		assert_int_equal(hint.kind, HF_HINT_NETDEV);
		assert_int_equal(hint.ifindex, 4294967295u);
	}
}

/* A link attribute of the wrong size. */
static void a_short_attribute_is_refused(void **state)
{
	char buffer[1024] __attribute__((aligned(8)));
	struct nlmsghdr *header = rdma_message(buffer, RTM_NEWLINK);
	struct ifinfomsg *link = mnl_nlmsg_put_extra_header(header, sizeof(*link));
	struct hf_hint hint;

	(void)state;
	link->ifi_index = 7;
	mnl_attr_put_u16(header, IFLA_LINK, 3);
	assert_int_equal(hfi_route_parse(buffer, header->nlmsg_len, &hint), -EINVAL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uevents),
		cmocka_unit_test(hints_compare_as_bytes),
		cmocka_unit_test(rdma_notifications),
		cmocka_unit_test(cut_messages_are_refused),
		cmocka_unit_test(links),
		cmocka_unit_test(parses_address_messages),
		cmocka_unit_test(a_short_attribute_is_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
