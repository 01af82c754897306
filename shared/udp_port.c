/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Searches the kernel's tables of UDP sockets. Nothing is bound, which would disturb who uses the port. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "shared/file.h"
#include "shared/udp_port.h"

/* A line is shorter than 200 bytes, and a longer one is passed over. */
enum { CHUNK = 4096, WORDS_IPV6 = 4 };

struct udp_search {
	uint32_t address[WORDS_IPV6]; /* in the order of the table */
	bool mapped;
	uint16_t port;
	uid_t uid;
	struct hf_udp_holder *ret;
};

/* The kernel prints an address as words of the machine, the first first. */
static bool parse_table_address(const char *hex, unsigned int words, uint32_t address[WORDS_IPV6])
{
	for (unsigned int i = 0; i < words; i++)
		if (sscanf(hex + (size_t)8 * i, "%8" SCNx32, &address[i]) != 1)
			return false;
	return true;
}

/* "  12: 0100007F:12B7 00000000:0000 07 00000000:00000000 00:00000000 00000000  1000  0 4711 ..." */
static bool line_is_holder(const struct udp_search *search, const char *line)
{
	static const uint32_t any[WORDS_IPV6];
	uint32_t address[WORDS_IPV6] = {0};
	char hex[33];
	unsigned int port, uid;
	bool ipv4, same;

	if (sscanf(line, " %*u: %32[0-9A-Fa-f]:%x %*s %*s %*s %*s %*s %u", hex, &port, &uid) != 3 ||
	    port != search->port)
		return false;
	ipv4 = strlen(hex) == 8;
	if (ipv4 ? !search->mapped : strlen(hex) != (size_t)8 * WORDS_IPV6)
		return false;
	if (!parse_table_address(hex, ipv4 ? 1 : WORDS_IPV6, address))
		return false;
	search->ret->wildcard = !memcmp(address, any, sizeof(any));
	search->ret->uid = uid;
	if (search->ret->wildcard)
		return true;
	same = ipv4 ? address[0] == search->address[WORDS_IPV6 - 1]
		    : !memcmp(address, search->address, sizeof(address));
	return same && uid != search->uid;
}

static bool lines_have_holder(const struct udp_search *search, char *text, size_t *length)
{
	char *line = text, *end;

	text[*length] = '\0';
	while ((end = strchr(line, '\n'))) {
		*end = '\0';
		if (line_is_holder(search, line))
			return true;
		line = end + 1;
	}
	/* The begin of a line stays for the next time. */
	*length -= (size_t)(line - text);
	memmove(text, line, *length);
	return false;
}

int hfi_udp_table_search(int fd, const struct in6_addr *address, uint16_t port, uid_t uid,
			 struct hf_udp_holder *ret)
{
	struct hf_udp_holder holder = {.wildcard = false};
	struct udp_search search = {
		.mapped = IN6_IS_ADDR_V4MAPPED(address), .port = port, .uid = uid, .ret = &holder};
	char text[CHUNK + 1];
	size_t length = 0;
	ssize_t got;

	memcpy(search.address, address, sizeof(search.address));
	while ((got = hfi_read_uncancelled(fd, text + length, CHUNK - length)) > 0) {
		length += (size_t)got;
		if (lines_have_holder(&search, text, &length)) {
			*ret = holder;
			return 1;
		}
		if (length == CHUNK)
			length = 0;
	}
	return got < 0 ? -errno : 0;
}

static int search_table_file(const char *table, const struct in6_addr *address, uint16_t port,
			     uid_t uid, struct hf_udp_holder *ret)
{
	int fd = open(table, O_RDONLY | O_CLOEXEC);
	int taken;

	if (fd < 0)
		return -errno;
	taken = hfi_udp_table_search(fd, address, port, uid, ret);
	hfi_close(&fd);
	return taken;
}

int hfi_udp_port_taken(const struct in6_addr *address, uint16_t port, uid_t uid,
		       struct hf_udp_holder *ret)
{
	bool mapped = IN6_IS_ADDR_V4MAPPED(address);
	int taken = mapped ? search_table_file("/proc/net/udp", address, port, uid, ret) : 0;

	if (taken)
		return taken;
	/* A socket of IPv6 can have the port for IPv4 as well. A kernel without IPv6 has no such table. */
	taken = search_table_file("/proc/net/udp6", address, port, uid, ret);
	return mapped && taken == -ENOENT ? 0 : taken;
}
