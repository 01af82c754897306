/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * Resolves the route to a GID: parses answers of route netlink that are generated, truncated or
 * scrambled; then resolves with this machine's kernel, through two interfaces connected to another
 * network namespace. The latter needs root and iproute2.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <cmocka.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "core/uverbs/gid_commands.h"
#include "core/neighbour/neighbour_ask.h"
#include "t/lib/fake_uverbs.h"

static char buffer[1024] __attribute__((aligned(8)));

static struct nlmsghdr *message(uint16_t type, const void *fixed, size_t size)
{
	struct nlmsghdr *header;

	memset(buffer, 0, sizeof(buffer));
	header = mnl_nlmsg_put_header(buffer);
	header->nlmsg_type = type;
	memcpy(mnl_nlmsg_put_extra_header(header, size), fixed, size);
	return header;
}

static const uint8_t mac1[] = {2, 3, 4, 5, 6, 7};

static struct nlmsghdr *link_message(void)
{
	const struct ifinfomsg info = {.ifi_index = 3, .ifi_flags = IFF_UP};
	struct nlmsghdr *header = message(RTM_NEWLINK, &info, sizeof(info));
	struct nlattr *about, *data;

	mnl_attr_put_strz(header, IFLA_IFNAME, "eth0.7");
	mnl_attr_put(header, IFLA_ADDRESS, 6, mac1);
	about = mnl_attr_nest_start(header, IFLA_LINKINFO);
	mnl_attr_put_strz(header, IFLA_INFO_KIND, "vlan");
	data = mnl_attr_nest_start(header, IFLA_INFO_DATA);
	mnl_attr_put_u16(header, IFLA_VLAN_PROTOCOL, 0x0081);
	mnl_attr_put_u16(header, IFLA_VLAN_ID, 7);
	mnl_attr_nest_end(header, data);
	mnl_attr_nest_end(header, about);
	return header;
}

static void parses_link(void **state)
{
	const struct ifinfomsg info = {.ifi_index = 3};
	struct nlmsghdr *header = link_message();
	struct hf_link link;

	(void)state;
	assert_int_equal(hfi_parse_link(header, header->nlmsg_len, &link), 0);
	assert_int_equal(link.vlan, 7);
	assert_int_equal(link.flags, IFF_UP);
	assert_true(link.has_mac);
	assert_memory_equal(link.mac, mac1, 6);
	header = message(RTM_NEWLINK, &info, sizeof(info));
	mnl_attr_put(header, IFLA_ADDRESS, 20, buffer);
	assert_int_equal(hfi_parse_link(header, header->nlmsg_len, &link), 0);
	assert_int_equal(link.vlan, HF_NO_VLAN);
	assert_false(link.has_mac);
	header = message(RTM_NEWADDR, &info, sizeof(info));
	assert_int_equal(hfi_parse_link(header, header->nlmsg_len, &link), -EINVAL);
}

static void parse_path(void **state)
{
	const struct rtmsg route = {.rtm_family = AF_INET, .rtm_type = RTN_UNICAST};
	const uint8_t router[4] = {10, 0, 0, 1};
	const uint8_t via[18] = {AF_INET6, 0, 0xfe, 0x80, [17] = 1};
	struct nlmsghdr *header = message(RTM_NEWROUTE, &route, sizeof(route));
	struct hf_path path;

	(void)state;
	assert_int_equal(hfi_parse_path(header, header->nlmsg_len, &path), -EINVAL);
	mnl_attr_put_u32(header, RTA_OIF, 9);
	assert_int_equal(hfi_parse_path(header, header->nlmsg_len, &path), 0);
	assert_int_equal(path.interface, 9);
	assert_int_equal(path.type, RTN_UNICAST);
	assert_int_equal(path.via.family, 0);
	mnl_attr_put(header, RTA_GATEWAY, 4, router);
	assert_int_equal(hfi_parse_path(header, header->nlmsg_len, &path), 0);
	assert_int_equal(path.via.family, AF_INET);
	assert_memory_equal(path.via.bytes, router, 4);
	header = message(RTM_NEWROUTE, &route, sizeof(route));
	mnl_attr_put_u32(header, RTA_OIF, 9);
	mnl_attr_put(header, RTA_VIA, sizeof(via), via);
	assert_int_equal(hfi_parse_path(header, header->nlmsg_len, &path), 0);
	assert_int_equal(path.via.family, AF_INET6);
	assert_memory_equal(path.via.bytes, via + 2, 16);
	mnl_attr_put(header, RTA_GATEWAY, 16, via);
	assert_int_equal(hfi_parse_path(header, header->nlmsg_len, &path), -EINVAL);
}

static void parse_neighbour(void **state)
{
	const struct ndmsg entry = {.ndm_family = AF_INET, .ndm_state = NUD_STALE};
	struct nlmsghdr *header = message(RTM_NEWNEIGH, &entry, sizeof(entry));
	struct hf_neighbour neighbour;

	(void)state;
	assert_int_equal(hfi_parse_neighbour(header, header->nlmsg_len, &neighbour), 0);
	assert_int_equal(neighbour.state, NUD_STALE);
	assert_false(neighbour.has_mac);
	mnl_attr_put(header, NDA_LLADDR, 6, mac1);
	assert_int_equal(hfi_parse_neighbour(header, header->nlmsg_len, &neighbour), 0);
	assert_true(neighbour.has_mac);
	assert_memory_equal(neighbour.mac, mac1, 6);
	header = message(RTM_NEWNEIGH, &entry, sizeof(entry));
	mnl_attr_put(header, NDA_LLADDR, 20, buffer);
	assert_int_equal(hfi_parse_neighbour(header, header->nlmsg_len, &neighbour), -EINVAL);
}

static void parse_owner(void **state)
{
	const struct ifaddrmsg info = {.ifa_family = AF_INET, .ifa_index = 4};
	const struct hf_ip ip = {.family = AF_INET, .bytes = {10, 0, 0, 9}};
	struct nlmsghdr *header = message(RTM_NEWADDR, &info, sizeof(info));
	uint32_t owner = 0;

	(void)state;
	mnl_attr_put(header, IFA_ADDRESS, 4, ip.bytes);
	assert_int_equal(hfi_parse_owner(header, header->nlmsg_len, &ip, &owner), 0);
	assert_int_equal(owner, 4);
	/* The other end of a point-to-point link has this address. */
	mnl_attr_put(header, IFA_LOCAL, 4, mac1);
	assert_int_equal(hfi_parse_owner(header, header->nlmsg_len, &ip, &owner), -ENOENT);
}

/* Every length, and every byte changed: no read may go beyond the message. */
static void broken_messages(void **state)
{
	struct nlmsghdr *header = link_message();
	size_t size = header->nlmsg_len;
	unsigned int refused = 0;

	(void)state;
	for (size_t length = 0; length < size; length++)
		for (int with_length = 0; with_length < 2; with_length++) {
			struct nlmsghdr *copy = malloc(length ? length : 1);
			struct hf_link link;

			assert_non_null(copy);
			memcpy(copy, buffer, length);
			if (with_length && length >= sizeof(*copy))
				copy->nlmsg_len = (uint32_t)length;
			refused += hfi_parse_link(copy, length, &link) != 0;
			free(copy);
		}
	assert_true(refused >= size);
	for (size_t at = 0; at < size; at++)
		for (int value = 0; value < 256; value++) {
			char *copy = malloc(size);
			struct hf_neighbour neighbour;
			struct hf_path path;
			struct hf_link link;

			assert_non_null(copy);
			memcpy(copy, buffer, size);
			copy[at] = (char)value;
			refused += hfi_parse_link(copy, size, &link) != 0;
			refused += hfi_parse_path(copy, size, &path) != 0;
			refused += hfi_parse_neighbour(copy, size, &neighbour) != 0;
			free(copy);
		}
	print_message("%u refused\n", refused);
}

static struct {
	bool ready;
	pid_t other;
	char reason[128];
	uint32_t v0, w0;
} bed;

__attribute__((format(printf, 1, 2))) static bool run(const char *format, ...)
{
	char command[512];
	va_list args;
	int status;

	va_start(args, format);
	vsnprintf(command, sizeof(command), format, args);
	va_end(args);
	status = system(command);
	if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	snprintf(bed.reason, sizeof(bed.reason), "this machine cannot do: %.90s", command);
	return false;
}

/* Starts a process in a network namespace of its own at the other end of the links. */
static pid_t start_other(void)
{
	int ready[2];
	pid_t pid;
	char byte;

	if (pipe(ready))
		return -1;
	pid = fork();
	if (pid == 0) {
		close(ready[0]);
		if (unshare(CLONE_NEWNET) || write(ready[1], "", 1) != 1)
			_exit(1);
		close(ready[1]);
		for (;;)
			pause();
	}
	close(ready[1]);
	if (read(ready[0], &byte, 1) != 1)
		snprintf(bed.reason, sizeof(bed.reason), "no second network namespace");
	close(ready[0]);
	return pid;
}

static bool build_namespaces(void)
{
	if (unshare(CLONE_NEWNET)) {
		snprintf(bed.reason, sizeof(bed.reason), "no network namespace: %s",
			 strerror(errno));
		return false;
	}
	bed.other = start_other();
	if (bed.reason[0])
		return false;
	return run("ip link set lo up") &&
	       run("ip link add v0 address 02:00:00:00:00:10 type veth peer name v1 address "
		   "02:00:00:00:00:11 netns %d",
		   (int)bed.other) &&
	       run("ip link add w0 address 02:00:00:00:00:20 type veth peer name w1 address "
		   "02:00:00:00:00:21 netns %d",
		   (int)bed.other) &&
	       run("ip addr add 10.1.1.1/24 dev v0 && ip addr add 10.1.1.3/24 dev w0 && "
		   "ip addr add fd00::1/64 dev v0 nodad && ip link set v0 up && ip link set w0 up "
		   "&& ip route add 10.9.0.0/16 via 10.1.1.2 dev v0") &&
	       run("nsenter -t %d -n sh -c 'ip link set lo up; ip addr add 10.1.1.2/24 dev v1; "
		   "ip addr add fd00::2/64 dev v1 nodad; ip addr add fe80::2/64 dev v1 nodad; "
		   "ip addr add 10.1.1.2/32 dev w1; ip link set v1 up; ip link set w1 up'",
		   (int)bed.other);
}

static int set_up_namespaces(void **state)
{
	(void)state;
	bed.ready = build_namespaces();
	bed.v0 = if_nametoindex("v0");
	bed.w0 = if_nametoindex("w0");
	return 0;
}

static int tear_down_namespaces(void **state)
{
	(void)state;
	if (bed.other > 0) {
		kill(bed.other, SIGKILL);
		waitpid(bed.other, NULL, 0);
	}
	fake_context_end();
	return 0;
}

static void gid_of(const char *text, union ibv_gid *ret)
{
	assert_int_equal(inet_pton(AF_INET6, text, ret), 1);
}

struct lookup {
	const char *own, *gid;
	uint32_t interface, type;
	int err;
	uint8_t mac[6];
};

static void check_lookup(const struct lookup *lookup)
{
	struct ibv_ah_attr attr = {.is_global = 1, .port_num = 1, .grh.sgid_index = 2};
	struct ib_uverbs_gid_entry entry = {.gid_index = 2,
					    .port_num = 1,
					    .gid_type = lookup->type,
					    .netdev_ifindex = lookup->interface};
	uint8_t mac[6] = {0xde, 0xad, 0xbe, 0xef, 0, 1}, before[6];
	uint16_t vlan = 0x1234;
	struct ibv_context *context;

	memcpy(before, mac, 6);
	gid_of(lookup->gid, &attr.grh.dgid);
	gid_of(lookup->own, (union ibv_gid *)(void *)entry.gid);
	context = fake_context();
	fake_succeed();
	fake_reply(UVERBS_ATTR_QUERY_GID_ENTRY_RESP_ENTRY, &entry, sizeof(entry));
	assert_int_equal(ibv_resolve_eth_l2_from_gid(context, &attr, mac, &vlan), lookup->err);
	if (lookup->err) {
		assert_int_equal(errno, lookup->err);
		assert_memory_equal(mac, before, 6);
		assert_int_equal(vlan, 0x1234);
		return;
	}
	assert_memory_equal(mac, lookup->mac, 6);
	assert_int_equal(vlan, HF_NO_VLAN);
}

static void need_bed(void)
{
	if (!bed.ready) {
		printf("%s\n", bed.reason);
		skip();
	}
}

static const char own_v4[] = "::ffff:10.1.1.1", own_v6[] = "fd00::1", own_ll[] = "fe80::1";

/* Answers that need no request on the network. */
static void by_rule(void **state)
{
	const struct lookup lookups[] = {
		{own_v4,
		 "::ffff:224.1.2.3",
		 bed.v0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {1, 0, 0x5e, 1, 2, 3}},
		{own_v4,
		 "::ffff:239.129.2.3",
		 bed.v0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {1, 0, 0x5e, 1, 2, 3}},
		{own_v6,
		 "ff0e::1234:5678",
		 bed.v0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {0x33, 0x33, 0x12, 0x34, 0x56, 0x78}},
		{own_v4, "::ffff:224.1.2.3", 0, IBV_GID_TYPE_ROCE_V2, 0, {1, 0, 0x5e, 1, 2, 3}},
		{own_ll,
		 "fe80::3:4ff:fe05:607",
		 bed.v0,
		 IBV_GID_TYPE_ROCE_V1,
		 0,
		 {2, 3, 4, 5, 6, 7}},
		{own_v4, "::ffff:10.1.1.1", bed.v0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x10}},
		{own_v4, "::ffff:10.1.1.3", bed.v0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x20}},
		{own_v6, "fd00::1", bed.v0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x10}},
		{own_v4,
		 "::ffff:127.0.0.1",
		 bed.v0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {2, 0, 0, 0, 0, 0x10}},
		{own_v4,
		 "::ffff:10.1.1.255",
		 bed.v0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {0xff, 0xff, 0xff, 0xff, 0xff, 0xff}},
		{own_v4, "::ffff:192.168.7.7", bed.v0, IBV_GID_TYPE_ROCE_V2, ENETUNREACH, {0}},
	};

	(void)state;
	need_bed();
	for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++) {
		print_message("%s\n", lookups[i].gid);
		check_lookup(&lookups[i]);
	}
}

/* No neighbour is known yet: each is requested, and then again once it is known. */
static void by_neighbour_discovery(void **state)
{
	const struct lookup lookups[] = {
		{own_v4, "::ffff:10.1.1.2", bed.v0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x11}},
		{"::ffff:10.1.1.3",
		 "::ffff:10.1.1.2",
		 bed.w0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {2, 0, 0, 0, 0, 0x21}},
		{own_v4, "::ffff:10.9.8.7", bed.v0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x11}},
		{own_v4, "::ffff:10.1.1.2", 0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x11}},
		{own_v6, "fd00::2", bed.v0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x11}},
		{own_ll, "fe80::2", bed.v0, IBV_GID_TYPE_ROCE_V2, 0, {2, 0, 0, 0, 0, 0x11}},
	};

	(void)state;
	need_bed();
	for (size_t i = 0; i < 2 * sizeof(lookups) / sizeof(lookups[0]); i++) {
		print_message("%s\n", lookups[i / 2].gid);
		check_lookup(&lookups[i / 2]);
	}
}

static void no_neighbour_answers(void **state)
{
	const struct lookup lookup = {
		own_v4, "::ffff:10.1.1.77", bed.v0, IBV_GID_TYPE_ROCE_V2, EHOSTUNREACH, {0}};

	(void)state;
	need_bed();
	check_lookup(&lookup);
}

/* The GID that each port derives from its MAC address, with IPv6 off at one end or the other. */
static void no_ipv6(void **state)
{
	const struct lookup lookups[] = {
		{own_ll,
		 "fe80::3:4ff:fe05:607",
		 bed.v0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {2, 3, 4, 5, 6, 7}},
		{own_ll,
		 "fe80::3:4ff:fe05:608",
		 bed.w0,
		 IBV_GID_TYPE_ROCE_V2,
		 0,
		 {2, 3, 4, 5, 6, 8}},
	};

	(void)state;
	need_bed();
	if (!run("ip -6 addr flush dev w0 && ip -6 route flush dev w0"))
		skip();
	for (size_t i = 0; i < sizeof(lookups) / sizeof(lookups[0]); i++)
		check_lookup(&lookups[i]);
}

/* Addresses that cannot be resolved. */
static void refusals(void **state)
{
	struct ibv_context *context = fake_context();
	struct ibv_ah_attr attr = {.port_num = 1};
	uint8_t mac[6] = {0};

	(void)state;
	assert_int_equal(ibv_resolve_eth_l2_from_gid(context, &attr, mac, NULL), EINVAL);
	assert_int_equal(fake_count(), 0);
	attr.is_global = 1;
	fake_fail(ENODATA);
	assert_int_equal(ibv_resolve_eth_l2_from_gid(context, &attr, mac, NULL), ENODATA);
	assert_int_equal(errno, ENODATA);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(parses_link),
		cmocka_unit_test(parse_path),
		cmocka_unit_test(parse_neighbour),
		cmocka_unit_test(parse_owner),
		cmocka_unit_test(broken_messages),
		cmocka_unit_test(refusals),
		cmocka_unit_test(by_rule),
		cmocka_unit_test(by_neighbour_discovery),
		cmocka_unit_test(no_neighbour_answers),
		cmocka_unit_test(no_ipv6),
	};

	return cmocka_run_group_tests(tests, set_up_namespaces, tear_down_namespaces);
}
