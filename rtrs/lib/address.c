/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parses and prints addresses. */
#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <string.h>
#include <sys/un.h>

#include "rtrs/lib/address.h"
#include "shared/text.h"

static int parse_unix(const char *path, struct rtrs_address *ret)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};

	if (*path != '/' || hfi_copy(address.sun_path, sizeof(address.sun_path), path))
		return -EINVAL;
	memcpy(&ret->sockaddr, &address, sizeof(address));
	return 0;
}

static int set_host(const char *host, uint16_t port, struct rtrs_address *ret)
{
	struct sockaddr_in v4 = {.sin_family = AF_INET, .sin_port = htons(port)};
	struct sockaddr_in6 v6 = {.sin6_family = AF_INET6, .sin6_port = htons(port)};

	if (inet_pton(AF_INET, host, &v4.sin_addr) == 1)
		memcpy(&ret->sockaddr, &v4, sizeof(v4));
	else if (inet_pton(AF_INET6, host, &v6.sin6_addr) == 1)
		memcpy(&ret->sockaddr, &v6, sizeof(v6));
	else
		return -EINVAL;
	return 0;
}

/* The port's text, or NULL; the host, which may be in brackets, is cut off before it. -EINVAL. */
static int split_port(char *host, char **start, const char **port)
{
	char *end;

	*start = host;
	*port = NULL;
	if (*host == '[') {
		*start = host + 1;
		end = strchr(host, ']');
		if (!end)
			return -EINVAL;
		*end++ = '\0';
		if (!*end)
			return 0;
		if (*end != ':')
			return -EINVAL;
		*port = end + 1;
		return 0;
	}
	end = strchr(host, ':');
	/* More than one: an IPv6 address without a port. */
	if (!end || strchr(end + 1, ':'))
		return 0;
	*end = '\0';
	*port = end + 1;
	return 0;
}

/* `default_port` -1: it has to be given. */
static int parse_host(const char *text, int default_port, struct rtrs_address *ret)
{
	uint64_t number = default_port < 0 ? 0 : (uint64_t)default_port;
	char copy[RTRS_ADDRESS_SIZE], *host;
	const char *port;

	if (hfi_copy(copy, sizeof(copy), text) || split_port(copy, &host, &port))
		return -EINVAL;
	if ((!port && default_port < 0) ||
	    (port && hfi_parse_number(port, 10, UINT16_MAX, &number)))
		return -EINVAL;
	return set_host(host, (uint16_t)number, ret);
}

static const char *after(const char *text, const char *prefix)
{
	size_t length = strlen(prefix);

	return strncmp(text, prefix, length) ? NULL : text + length;
}

/* A source has no port unless it is given: each connection takes one of its own. */
static int parse_one_address(const char *text, bool is_source, struct rtrs_address *ret)
{
	struct rtrs_address address = {.link = RTRS_LINK_STREAM};
	const char *rest;
	int err = -EINVAL;

	if ((rest = after(text, "unix:"))) {
		err = parse_unix(rest, &address);
	} else if ((rest = after(text, "tcp:"))) {
		err = parse_host(rest, is_source ? 0 : -1, &address);
	} else if ((rest = after(text, "ip:")) || (rest = after(text, "soft:"))) {
		address.link = *text == 's' ? RTRS_LINK_SOFT : RTRS_LINK_RDMA;
		err = parse_host(rest, is_source ? 0 : RTRS_PORT_DEFAULT, &address);
	}
	if (!err)
		*ret = address;
	return err;
}

int rtrsi_address_parse(const char *text, struct rtrs_address *ret)
{
	return parse_one_address(text, false, ret);
}

int rtrsi_address_parse_pair(const char *text, struct rtrs_address_pair *ret)
{
	const char *separator = strchr(text, ',');
	struct rtrs_address_pair pair = {0};
	char source[RTRS_ADDRESS_SIZE];
	size_t length;
	int err = 0;

	if (!separator)
		separator = strchr(text, '@');
	if (separator) {
		length = (size_t)(separator - text);
		if (length >= sizeof(source))
			return -EINVAL;
		memcpy(source, text, length);
		source[length] = '\0';
		pair.has_source = true;
		err = parse_one_address(source, true, &pair.source);
	}
	if (!err)
		err = rtrsi_address_parse(separator ? separator + 1 : text, &pair.destination);
	if (err)
		return err;
	if (pair.has_source &&
	    (pair.source.link != pair.destination.link ||
	     pair.source.sockaddr.ss_family != pair.destination.sockaddr.ss_family))
		return -EINVAL;
	*ret = pair;
	return 0;
}

void rtrsi_address_print(const struct sockaddr_storage *address, char *to, size_t size)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;
	char host[INET6_ADDRSTRLEN] = "";

	to[0] = '\0';
	if (address->ss_family == AF_INET && inet_ntop(AF_INET, &v4->sin_addr, host, sizeof(host)))
		(void)hfi_print(to, size, "%s:%u", host, ntohs(v4->sin_port));
	else if (address->ss_family == AF_INET6 &&
		 inet_ntop(AF_INET6, &v6->sin6_addr, host, sizeof(host)))
		(void)hfi_print(to, size, "[%s]:%u", host, ntohs(v6->sin6_port));
}

/* For both families; false: it is of neither. An IPv4 address may be mapped into an IPv6 one. */
static bool print_host(const struct sockaddr_storage *address, char host[INET6_ADDRSTRLEN],
		       uint16_t *port)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->ss_family == AF_INET) {
		*port = ntohs(v4->sin_port);
		return inet_ntop(AF_INET, &v4->sin_addr, host, INET6_ADDRSTRLEN);
	}
	if (address->ss_family != AF_INET6)
		return false;
	*port = ntohs(v6->sin6_port);
	if (IN6_IS_ADDR_V4MAPPED(&v6->sin6_addr))
		return inet_ntop(AF_INET, &v6->sin6_addr.s6_addr[12], host, INET6_ADDRSTRLEN);
	return inet_ntop(AF_INET6, &v6->sin6_addr, host, INET6_ADDRSTRLEN);
}

void rtrsi_address_show(enum rtrs_link_type link, const struct sockaddr_storage *address,
			bool is_source, unsigned int number, char to[RTRS_ADDRESS_SIZE])
{
	const struct sockaddr_un *local = (const void *)address;
	static const char *const prefixes[] = {
		[RTRS_LINK_STREAM] = "tcp", [RTRS_LINK_RDMA] = "ip", [RTRS_LINK_SOFT] = "soft"};
	const char *prefix = prefixes[link];
	char host[INET6_ADDRSTRLEN];
	uint16_t port;
	bool has_port;

	if (address->ss_family == AF_UNIX && local->sun_path[0]) {
		(void)hfi_print(to, RTRS_ADDRESS_SIZE, "unix:%.*s", (int)sizeof(local->sun_path),
				local->sun_path);
	} else if (print_host(address, host, &port)) {
		has_port = !is_source &&
			   (!rtrsi_link_has_devices(link) || port != RTRS_PORT_DEFAULT);
		if (!has_port)
			(void)hfi_print(to, RTRS_ADDRESS_SIZE, "%s:%s", prefix, host);
		else if (strchr(host, ':'))
			(void)hfi_print(to, RTRS_ADDRESS_SIZE, "%s:[%s]:%u", prefix, host, port);
		else
			(void)hfi_print(to, RTRS_ADDRESS_SIZE, "%s:%s:%u", prefix, host, port);
	} else {
		(void)hfi_print(to, RTRS_ADDRESS_SIZE, "%s:#%u",
				address->ss_family == AF_UNIX ? "unix" : prefix, number);
	}
}
