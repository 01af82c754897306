/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Addresses and GUIDs of soft devices, and who has a UDP port according to the kernel's tables. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <sys/mman.h>

#include "shared/udp_port.h"
#include "soft/address.h"

enum { NAMES = 2000 };

static void addresses_are_of_their_own(void **state)
{
	static uint32_t seen[NAMES];
	size_t same = 0;

	(void)state;
	for (size_t i = 0; i < NAMES; i++) {
		char name[16];
		const struct hf_soft_identity who = {
			.uid = 1000 + (uid_t)(i % 4), .name = name, .root = "/r", .machine = "m"};
		struct in6_addr address;

		snprintf(name, sizeof(name), "u%zu", i / 4);
		address = hfi_soft_loopback(&who);
		assert_true(IN6_IS_ADDR_V4MAPPED(&address));
		assert_int_equal(address.s6_addr[12], 127);
		assert_int_not_equal(address.s6_addr[13], 0);
		assert_int_not_equal(address.s6_addr[15], 0);
		assert_int_not_equal(address.s6_addr[15], 255);
		memcpy(&seen[i], &address.s6_addr[12], sizeof(seen[i]));
		for (size_t k = 0; k < i; k++)
			same += seen[k] == seen[i];
		address = hfi_soft_loopback(&who);
		assert_memory_equal(&seen[i], &address.s6_addr[12], sizeof(seen[i]));
	}
	/* By chance 0.12 of two million pairs. */
	assert_true(same < 4);
}

static void identities_differ_by_user_name_root_and_machine(void **state)
{
	const struct hf_soft_identity who = {
		.uid = 1000, .name = "u0", .root = "/r", .machine = "m"};
	struct hf_soft_identity other[5] = {who, who, who, who, who};
	struct in6_addr address = hfi_soft_loopback(&who), elsewhere;

	(void)state;
	other[0].uid = 1001;
	other[1].name = "u1";
	other[2].machine = "n";
	other[3].attempt = 1;
	other[4].root = "/s";
	elsewhere = hfi_soft_loopback(&other[4]);
	assert_memory_not_equal(&address, &elsewhere, sizeof(address));
	for (size_t i = 0; i < 5; i++)
		assert_int_not_equal(hfi_soft_guid(&who), hfi_soft_guid(&other[i]));
	assert_int_equal(hfi_soft_guid(&who), hfi_soft_guid(&who));
	assert_int_equal(hfi_soft_guid(&who) >> 56 & 3, 2);
}

static void addresses_are_read_whole(void **state)
{
	static const struct {
		const char *text;
		int err;
	} cases[] = {
		{"127.1.2.3", 0},
		{"192.0.2.1", 0},
		{"2001:db8::1", 0},
		{"::1", 0},
		{"::ffff:192.0.2.1", 0},
		{"", -EINVAL},
		{"127.1", -EINVAL},
		{"1.2.3.4 ", -EINVAL},
		{"1.2.3.4/8", -EINVAL},
		{"2001:db8::1%lo", -EINVAL},
		{"0.0.0.0", -EADDRNOTAVAIL},
		{"0.1.2.3", -EADDRNOTAVAIL},
		{"224.0.0.1", -EADDRNOTAVAIL},
		{"255.255.255.255", -EADDRNOTAVAIL},
		{"::", -EADDRNOTAVAIL},
		{"ff02::1", -EADDRNOTAVAIL},
		{"::ffff:0.0.0.0", -EADDRNOTAVAIL},
		{"fe80::1", -EDESTADDRREQ},
	};

	(void)state;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct in6_addr address = IN6ADDR_LOOPBACK_INIT;

		assert_int_equal(hfi_soft_parse(cases[i].text, &address), cases[i].err);
		if (cases[i].err)
			assert_true(IN6_IS_ADDR_LOOPBACK(&address));
	}
}

/* Searches a table that has this text, for port 4791 of ::ffff:127.1.2.3 or of 2001:db8::1. */
static int search(const char *text, int ipv6, struct hf_udp_holder *holder)
{
	struct in6_addr address;
	int fd = memfd_create("table", 0), ret;

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	assert_int_equal(lseek(fd, 0, SEEK_SET), 0);
	assert_int_equal(hfi_soft_parse(ipv6 ? "2001:db8::1" : "127.1.2.3", &address), 0);
	ret = hfi_udp_table_search(fd, &address, 4791, 1000, holder);
	close(fd);
	return ret;
}

#define HEAD "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid\n"
#define TAIL " 00000000:0000 07 00000000:00000000 00:00000000 00000000 "

static void words_line(char text[200], const uint32_t words[4], unsigned int uid)
{
	snprintf(text, 200, " 7: %08X%08X%08X%08X:12B7" TAIL "%u 0 1\n", words[0], words[1],
		 words[2], words[3], uid);
}

/* The tables have addresses as words of the machine. */
static void table_line(char text[200], const char *address, const char *port, unsigned int uid)
{
	struct in6_addr in6;
	uint32_t words[4];
	bool mapped;

	assert_int_equal(hfi_soft_parse(address, &in6), 0);
	mapped = IN6_IS_ADDR_V4MAPPED(&in6);
	memcpy(words, &in6, sizeof(words));
	if (mapped)
		snprintf(text, 200, " 7: %08X:%s" TAIL "%u 0 1\n", words[3], port, uid);
	else
		snprintf(text, 200, " 7: %08X%08X%08X%08X:%s" TAIL "%u 0 1\n", words[0], words[1],
			 words[2], words[3], port, uid);
}

static void a_table_tells_who_has_the_port(void **state)
{
	struct hf_udp_holder holder = {.uid = 7};
	char line[200], *many = malloc(1 << 20);
	size_t length;

	(void)state;
	assert_int_equal(search("", 0, &holder), 0);
	assert_int_equal(search(HEAD, 0, &holder), 0);
	table_line(line, "127.1.2.3", "12B7", 1000);
	assert_int_equal(search(line, 0, &holder), 0);
	table_line(line, "127.1.2.3", "12B8", 1001);
	assert_int_equal(search(line, 0, &holder), 0);
	table_line(line, "127.1.2.4", "12B7", 1001);
	assert_int_equal(search(line, 0, &holder), 0);
	assert_int_equal(holder.uid, 7);
	table_line(line, "127.1.2.3", "12B7", 1001);
	assert_int_equal(search(line, 0, &holder), 1);
	assert_int_equal(holder.uid, 1001);
	assert_false(holder.wildcard);
	/* Cut off before its end, it says nothing. */
	line[40] = '\0';
	assert_int_equal(search(line, 0, &holder), 0);
	assert_int_equal(search(" 7: 00000000:12B7" TAIL "1000 0 1\n", 0, &holder), 1);
	assert_true(holder.wildcard);
	table_line(line, "2001:db8::1", "12B7", 0);
	assert_int_equal(search(line, 1, &holder), 1);
	assert_int_equal(holder.uid, 0);
	assert_int_equal(search(line, 0, &holder), 0);
	/* A socket of IPv6 that is bound to an IPv4 address, or to every one. */
	words_line(line, (uint32_t[]){0, 0, htonl(0xffff), htonl(0x7f010203)}, 1001);
	assert_int_equal(search(line, 0, &holder), 1);
	assert_false(holder.wildcard);
	assert_int_equal(search(line, 1, &holder), 0);
	words_line(line, (uint32_t[]){0, 0, htonl(0xffff), htonl(0x7f010203)}, 1000);
	assert_int_equal(search(line, 0, &holder), 0);
	words_line(line, (uint32_t[]){0, 0, 0, 0}, 1000);
	assert_int_equal(search(line, 0, &holder), 1);
	assert_true(holder.wildcard);
	assert_int_equal(search(" 7: 00000000:12B7" TAIL "1000 0 1\n", 1, &holder), 0);
	/* Many lines, of which none ends where a read does; and one without an end. */
	assert_non_null(many);
	length = (size_t)sprintf(many, HEAD);
	while (length < 100000) {
		table_line(line, "127.1.2.3", "12B7", 1000);
		length += (size_t)sprintf(many + length, "%s", line);
	}
	table_line(line, "127.1.2.3", "12B7", 5);
	sprintf(many + length, "%s", line);
	assert_int_equal(search(many, 0, &holder), 1);
	assert_int_equal(holder.uid, 5);
	memset(many, 'x', 100000);
	many[100000] = '\0';
	assert_int_equal(search(many, 0, &holder), 0);
	free(many);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(addresses_are_of_their_own),
		cmocka_unit_test(identities_differ_by_user_name_root_and_machine),
		cmocka_unit_test(addresses_are_read_whole),
		cmocka_unit_test(a_table_tells_who_has_the_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
