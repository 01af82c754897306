/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * The port of a soft device follows a network interface: its state, MTU and GIDs, through attribute
 * reads, an open context and the stream. In a network namespace of its own.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <sched.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <holdfast/holdfast.h>

#include "soft/tree.h"
#include "t/lib/hang.h"
#include "t/tree/stream_bed.h"

enum { GIDS = 4 };

static void ip(const char *arguments)
{
	char command[128];

	snprintf(command, sizeof(command), "ip %s", arguments);
	if (system(command) != 0)
		fail_msg("%s", command);
}

/* A veth is running once both its ends are up. */
static void make_netdev(void)
{
	ip("link add hf0 type veth peer name hf1");
	ip("link set hf0 addrgenmode none");
	ip("link set hf1 addrgenmode none");
}

/* The kernel notices a carrier some time after the interface is up (net/core/link_watch.c). */
static void wait_for_link(void)
{
	while (system("ip -o link show hf0 | grep -q 'state UP'") != 0)
		usleep(10000);
}

static int setup_follower(void **state)
{
	struct bed *bed;

	setenv("HF_FAKE_NO_KERNEL", "1", 1);
	if (bed_setup(state))
		return -1;
	bed = *state;
	assert_int_equal(
		tree_add(bed->tree, 0, "fake0",
			 &(struct tree_options){.gids = GIDS, .netdev = "", .follow = "hf0"}),
		0);
	bed_context(bed, 0);
	return 0;
}

static int teardown_follower(void **state)
{
	/* The next test starts without it. */
	if (system("ip link delete hf0 2>/dev/null") < 0)
		return -1;
	return bed_teardown(state);
}

static void follow(const struct bed *bed, const char *netdev)
{
	const int tree = open(tree_sysfs(bed->tree), O_PATH | O_DIRECTORY | O_CLOEXEC);

	assert_true(tree >= 0);
	assert_int_equal(hfi_soft_port_follow(tree, "fake0", 1, netdev), 0);
	close(tree);
}

static struct ibv_device *find_follower(const struct bed *bed)
{
	struct ibv_device *device;

	assert_int_equal(hf_device_by_name(bed->hf, "fake0", &device), 0);
	return device;
}

static struct hf_port_info port_info(struct ibv_device *device)
{
	struct hf_port_info info = {.size = sizeof(info)};

	assert_int_equal(hf_device_get_port(device, 1, &info), 0);
	assert_string_equal(info.netdev, "hf0");
	return info;
}

/* GIDs as strings of 32 digits. */
static void expect_gids(struct ibv_device *device, const char *const *texts, int count)
{
	struct hf_gid *gids;

	assert_int_equal(hf_device_get_gids(device, 1, sizeof(*gids), &gids), count);
	for (int i = 0; i < count; i++) {
		char text[33];

		for (size_t k = 0; k < 16; k++)
			snprintf(text + 2 * k, 3, "%02x", gids[i].gid.raw[k]);
		assert_string_equal(text, texts[i]);
		assert_int_equal(gids[i].index, i);
		assert_int_equal(gids[i].type, HF_GID_ROCE_V2);
		assert_string_equal(gids[i].netdev, "hf0");
	}
	free(gids);
}

static const char ipv4[] = "00000000000000000000ffffc0000201";
static const char ipv6[] = "20010db8000000000000000000000001";

static void attributes_follow(void **state)
{
	const struct bed *bed = *state;
	struct ibv_device *device = find_follower(bed);
	struct hf_port_info info = port_info(device);

	assert_int_equal(info.state, IBV_PORT_DOWN);
	assert_int_equal(info.netdev_index, 0);
	expect_gids(device, NULL, 0);
	make_netdev();
	info = port_info(device);
	assert_int_equal(info.state, IBV_PORT_DOWN);
	assert_int_not_equal(info.netdev_index, 0);
	assert_int_equal(info.netdev_mtu, 1500);
	ip("link set hf0 up");
	assert_int_equal(port_info(device).state, IBV_PORT_DOWN);
	ip("link set hf1 up");
	wait_for_link();
	assert_int_equal(port_info(device).state, IBV_PORT_ACTIVE);
	ip("link set hf0 mtu 4300");
	assert_int_equal(port_info(device).netdev_mtu, 4300);
	ip("address add 2001:db8::1/64 dev hf0 nodad");
	expect_gids(device, (const char *const[]){ipv6}, 1);
	ip("address add 192.0.2.1/24 dev hf0");
	expect_gids(device, (const char *const[]){ipv4, ipv6}, 2);
	assert_int_equal(port_info(device).num_gids, 2);
	ip("address add 192.0.2.2/24 dev hf0 label hf0:label");
	assert_int_equal(port_info(device).num_gids, 3);
	/* No more than the table has entries for. */
	ip("address add 192.0.2.3/24 dev hf0");
	ip("address add 192.0.2.4/24 dev hf0");
	assert_int_equal(port_info(device).num_gids, GIDS);
	ip("link delete hf0");
	assert_int_equal(port_info(device).state, IBV_PORT_DOWN);
	expect_gids(device, NULL, 0);
	hf_device_unref(device);
}

/* A port may have one address of the interface, and needs it. */
static void one_address_follows(void **state)
{
	static const char other[] = "00000000000000000000ffffc0000202";
	const struct bed *bed = *state;
	struct ibv_device *device = find_follower(bed);
	struct hf_port_info info = {.size = sizeof(info)};
	struct hf_gid *gids;

	assert_int_equal(tree_set(bed->tree, 0, "ports/1/follow_address",
				  "0000:0000:0000:0000:0000:ffff:c000:0202"),
			 0);
	make_netdev();
	ip("link set hf0 up");
	ip("link set hf1 up");
	wait_for_link();
	ip("address add 192.0.2.1/24 dev hf0");
	assert_int_equal(port_info(device).state, IBV_PORT_DOWN);
	expect_gids(device, NULL, 0);
	ip("address add 192.0.2.2/24 dev hf0");
	assert_int_equal(port_info(device).state, IBV_PORT_ACTIVE);
	expect_gids(device, (const char *const[]){other}, 1);
	ip("address delete 192.0.2.2/24 dev hf0");
	assert_int_equal(port_info(device).state, IBV_PORT_DOWN);
	/* Of a loopback interface every address of the network. */
	follow(bed, "lo");
	assert_int_equal(tree_set(bed->tree, 0, "ports/1/follow_address",
				  "0000:0000:0000:0000:0000:ffff:7f01:0203"),
			 0);
	ip("link set lo up");
	assert_int_equal(hf_device_get_gids(device, 1, sizeof(*gids), &gids), 1);
	assert_memory_equal(&gids[0].gid.raw[12], "\x7f\1\2\3", 4);
	free(gids);
	assert_int_equal(tree_set(bed->tree, 0, "ports/1/follow_address",
				  "0000:0000:0000:0000:0000:ffff:8001:0203"),
			 0);
	assert_int_equal(hf_device_get_gids(device, 1, sizeof(*gids), &gids), 0);
	free(gids);
	ip("link set lo down");
	assert_int_equal(tree_set(bed->tree, 0, "ports/1/follow_address", "x"), 0);
	assert_int_equal(hf_device_get_port(device, 1, &info), -EIO);
	hf_device_unref(device);
}

static void expect_mtu(struct ibv_context *context, const char *netdev_mtu, enum ibv_mtu mtu)
{
	struct ibv_port_attr attr;
	char command[64];

	snprintf(command, sizeof(command), "link set hf0 mtu %s", netdev_mtu);
	ip(command);
	assert_int_equal(ibv_query_port(context, 1, &attr), 0);
	assert_int_equal(attr.active_mtu, mtu);
}

static void expect_rate(const struct bed *bed, struct ibv_context *context, const char *rate,
			uint8_t width, uint8_t speed)
{
	struct ibv_port_attr attr;

	assert_int_equal(tree_set(bed->tree, 0, "ports/1/rate", rate), 0);
	assert_int_equal(ibv_query_port(context, 1, &attr), 0);
	assert_int_equal(attr.active_width, width);
	assert_int_equal(attr.active_speed, speed);
}

static void an_open_context_follows(void **state)
{
	const struct bed *bed = *state;
	struct ibv_device *device = find_follower(bed);
	struct ibv_gid_entry entries[GIDS];
	struct ibv_context *context;
	struct ibv_port_attr attr;
	union ibv_gid gid;

	assert_int_equal(hf_device_open(device, &context), 0);
	assert_int_equal(ibv_query_port(context, 1, &attr), 0);
	assert_int_equal(attr.state, IBV_PORT_DOWN);
	assert_int_equal(attr.gid_tbl_len, GIDS);
	assert_int_equal(attr.pkey_tbl_len, 1);
	assert_int_equal(attr.link_layer, IBV_LINK_LAYER_ETHERNET);
	expect_rate(bed, context, "10 Gb/sec (4X)", 2, 1);
	expect_rate(bed, context, "100 Gb/sec (4X EDR)", 2, 32);
	expect_rate(bed, context, "200 Gb/sec (8X EDR)", 4, 32);
	expect_rate(bed, context, "56 Gb/sec (4X FDR)", 2, 16);
	expect_rate(bed, context, "2.5 Gb/sec (1X SDR)", 1, 1);
	expect_rate(bed, context, "100 Gb/sec", 0, 0);
	expect_rate(bed, context, "100 Gb/sec (3X)", 0, 0);
	expect_rate(bed, context, "nan Gb/sec (4X)", 0, 0);
	assert_int_equal(ibv_query_port(context, 2, &attr), EINVAL);
	make_netdev();
	ip("link set hf0 up");
	ip("link set hf1 up");
	wait_for_link();
	ip("address add 192.0.2.1/24 dev hf0");
	assert_int_equal(ibv_query_port(context, 1, &attr), 0);
	assert_int_equal(attr.state, IBV_PORT_ACTIVE);
	expect_mtu(context, "1500", IBV_MTU_1024);
	expect_mtu(context, "4176", IBV_MTU_4096);
	expect_mtu(context, "4175", IBV_MTU_2048);
	expect_mtu(context, "300", IBV_MTU_256);
	assert_int_equal(ibv_query_gid(context, 1, 0, &gid), 0);
	assert_int_equal(gid.raw[12], 192);
	assert_int_equal(ibv_query_gid(context, 1, GIDS - 1, &gid), 0);
	assert_int_equal(gid.global.interface_id, 0);
	assert_int_equal(ibv_query_gid(context, 1, GIDS, &gid), -1);
	assert_int_equal(ibv_query_gid_table(context, entries, GIDS, 0), 1);
	assert_int_equal(entries[0].gid_type, IBV_GID_TYPE_ROCE_V2);
	assert_int_not_equal(entries[0].ndev_ifindex, 0);
	assert_int_equal(ibv_close_device(context), 0);
	hf_device_unref(device);
}

/* Waits until all of these were reported, in any number of events. */
static void expect_changes(struct hf_stream *stream, uint32_t changes)
{
	while (changes) {
		struct hf_event *event = bed_wait(stream);

		assert_non_null(event);

		assert_int_equal(hf_event_type(event), HF_EVENT_CHANGED);
		assert_string_equal(hf_event_name(event), "fake0");
		changes &= ~hf_event_changes(event);
		hf_event_unref(event);
	}
}

static void the_stream_follows(void **state)
{
	struct bed *bed = *state;

	bed_stream(bed, &bed->a);
	bed_expect(bed->a, HF_EVENT_ADDED, "fake0", 0);
	bed_expect(bed->a, HF_EVENT_SYNCED, "", 0);
	make_netdev();
	expect_changes(bed->a, HF_CHANGED_PORT | HF_CHANGED_NETDEV);
	ip("link set hf1 up");
	ip("link set hf0 up");
	expect_changes(bed->a, HF_CHANGED_PORT);
	ip("address add 192.0.2.1/24 dev hf0");
	expect_changes(bed->a, HF_CHANGED_GID);
	ip("link set hf0 mtu 2000");
	expect_changes(bed->a, HF_CHANGED_PORT);
	ip("address delete 192.0.2.1/24 dev hf0");
	expect_changes(bed->a, HF_CHANGED_GID);
	ip("link delete hf0");
	expect_changes(bed->a, HF_CHANGED_PORT | HF_CHANGED_NETDEV);
	/* The file may change as well. */
	make_netdev();
	expect_changes(bed->a, HF_CHANGED_PORT | HF_CHANGED_NETDEV);
	follow(bed, NULL);
	expect_changes(bed->a, HF_CHANGED_PORT | HF_CHANGED_NETDEV);
	follow(bed, "hf0");
	expect_changes(bed->a, HF_CHANGED_PORT | HF_CHANGED_NETDEV);
	/* None once more is no error. */
	follow(bed, NULL);
	follow(bed, NULL);
	expect_changes(bed->a, HF_CHANGED_PORT | HF_CHANGED_NETDEV);
}

/* What the writer of trees refuses leaves the port as it was. */
static void a_wrong_interface_is_not_written(void **state)
{
	const struct bed *bed = *state;
	const int tree = open(tree_sysfs(bed->tree), O_PATH | O_DIRECTORY | O_CLOEXEC);
	char path[PATH_MAX];

	assert_true(tree >= 0);
	assert_int_equal(hfi_soft_port_follow(tree, "fake0", 1, "../hf0"), -EINVAL);
	assert_int_equal(hfi_soft_port_follow(tree, "fake0", 1, ""), -EINVAL);
	assert_int_equal(hfi_soft_port_follow(tree, "fake0", 1, "longer-than-a-name"), -EINVAL);
	assert_int_equal(hfi_soft_port_follow(tree, "../fake0", 1, "hf0"), -EINVAL);
	assert_int_equal(hfi_soft_port_follow(tree, "fake0", 2, "hf0"), -ENOENT);
	assert_int_equal(hfi_soft_port_follow(tree, "fake1", 1, "hf0"), -ENOENT);
	close(tree);
	snprintf(path, sizeof(path), "%s/class/infiniband/fake0/ports/2", tree_sysfs(bed->tree));
	assert_int_equal(access(path, F_OK), -1);
	assert_int_equal(tree_add(bed->tree, 1, "fake1", &(struct tree_options){.follow = "a/b"}),
			 -EINVAL);
	snprintf(path, sizeof(path), "%s/class/infiniband/fake1", tree_sysfs(bed->tree));
	assert_int_equal(access(path, F_OK), -1);
}

/* An invalid name, or a file that cannot be read, is an error and not another interface. */
static void a_wrong_name_is_an_error(void **state)
{
	const struct bed *bed = *state;
	struct ibv_device *device = find_follower(bed);
	struct hf_port_info info = {.size = sizeof(info)};
	struct hf_gid *gids;

	assert_int_equal(tree_set(bed->tree, 0, "ports/1/follow_netdev", "../hf0"), 0);
	assert_int_equal(hf_device_get_port(device, 1, &info), -EIO);
	assert_int_equal(hf_device_get_gids(device, 1, sizeof(*gids), &gids), -EIO);
	assert_int_equal(tree_set(bed->tree, 0, "ports/1/follow_netdev", "longer-than-a-name"), 0);
	assert_int_equal(hf_device_get_port(device, 1, &info), -EIO);
	hf_device_unref(device);
}

static bool has_namespace(void)
{
	if (unshare(CLONE_NEWNET) < 0 && unshare(CLONE_NEWUSER | CLONE_NEWNET) < 0)
		return false;
	return system("ip link add hf0 type veth peer name hf1 2>/dev/null") == 0 &&
	       system("ip link delete hf0") == 0;
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup_follower, teardown_follower)
	const struct CMUnitTest tests[] = {
		TEST(attributes_follow),	TEST(an_open_context_follows),
		TEST(the_stream_follows),	TEST(a_wrong_interface_is_not_written),
		TEST(a_wrong_name_is_an_error), TEST(one_address_follows),
	};

	if (!has_namespace()) {
		printf("no network namespace with a veth can be had here\n");
		return 77;
	}
	alarm(HF_TEST_HANG_SECONDS);
	return cmocka_run_group_tests(tests, NULL, NULL);
}
