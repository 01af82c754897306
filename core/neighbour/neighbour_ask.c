/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Sends one question to route netlink at a time and waits a bounded time for its answer. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <libmnl/libmnl.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/neighbour.h>
#include <linux/rtnetlink.h>

#include "core/neighbour/neighbour_ask.h"

enum {
	REPLY_SECONDS = 2,  /* the kernel answers before send() returns */
	REPLY_SIZE = 32768, /* the most that the kernel puts in one part of a dump */
	REQUEST_SIZE = 256,
	PARTS_MAX = 1 << 16, /* of one answer; more is nonsense */
};

struct hf_inquiry {
	struct mnl_socket *socket;
	uint32_t seq;
	char request[REQUEST_SIZE] __attribute__((aligned(8)));
	char reply[REPLY_SIZE] __attribute__((aligned(8)));
};

/* Handles each message of an answer. 0 or -errno; -ENOENT goes on with a dump. */
struct answer {
	int (*parse)(const void *message, size_t size, const struct answer *answer);
	const struct hf_ip *ip;
	void *ret;
};

int hfi_inquiry_open(struct hf_inquiry **ret)
{
	const struct timeval patience = {.tv_sec = REPLY_SECONDS};
	struct hf_inquiry *inquiry = calloc(1, sizeof(*inquiry));
	int err = 0;

	if (!inquiry)
		return -ENOMEM;
	inquiry->socket = mnl_socket_open2(NETLINK_ROUTE, SOCK_CLOEXEC);
	if (!inquiry->socket || mnl_socket_bind(inquiry->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(inquiry->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		err = -errno;
	if (err)
		hfi_inquiry_close(inquiry);
	else
		*ret = inquiry;
	return err;
}

struct hf_inquiry *hfi_inquiry_close(struct hf_inquiry *inquiry)
{
	if (inquiry && inquiry->socket)
		mnl_socket_close(inquiry->socket);
	free(inquiry);
	return NULL;
}

static struct nlmsghdr *begin_request(struct hf_inquiry *inquiry, uint16_t type, uint16_t flags)
{
	struct nlmsghdr *header;

	memset(inquiry->request, 0, sizeof(inquiry->request));
	header = mnl_nlmsg_put_header(inquiry->request);
	header->nlmsg_type = type;
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++inquiry->seq;
	return header;
}

static int route_error_of(const struct nlmsghdr *header)
{
	struct nlmsgerr error;

	if (mnl_nlmsg_get_payload_len(header) < sizeof(error))
		return -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(header), sizeof(error));
	/* Refuse positive numbers, and 0 where an answer was requested. */
	return error.error < 0 && error.error > -4096 ? error.error : -EBADMSG;
}

/*
 * Handles the messages of one part. 0 or -errno at the end of the answer, 1 while it goes on. *err is
 * the result so far.
 */
static int take_part(struct hf_inquiry *inquiry, size_t size, const struct answer *answer, int *err)
{
	const struct nlmsghdr *header = (const void *)inquiry->reply;
	int rest = (int)size;

	for (; mnl_nlmsg_ok(header, rest); header = mnl_nlmsg_next(header, &rest)) {
		if (header->nlmsg_seq != inquiry->seq)
			continue;
		if (header->nlmsg_type == NLMSG_ERROR)
			return route_error_of(header);
		if (header->nlmsg_type == NLMSG_DONE)
			return *err;
		if (*err == -ENOENT)
			*err = answer->parse(header, header->nlmsg_len, answer);
		if (!(header->nlmsg_flags & NLM_F_MULTI))
			return *err;
	}
	return 1;
}

static int ask_route_netlink(struct hf_inquiry *inquiry, const struct nlmsghdr *request,
			     const struct answer *answer)
{
	int fd = mnl_socket_get_fd(inquiry->socket);
	int ret = 1, err = -ENOENT;

	if (mnl_socket_sendto(inquiry->socket, request, request->nlmsg_len) < 0)
		return -errno;
	for (int parts = 0; ret == 1 && parts < PARTS_MAX; parts++) {
		struct sockaddr_nl from = {0};
		struct iovec vector = {inquiry->reply, sizeof(inquiry->reply)};
		struct msghdr message = {.msg_name = &from,
					 .msg_namelen = sizeof(from),
					 .msg_iov = &vector,
					 .msg_iovlen = 1};
		ssize_t size = recvmsg(fd, &message, 0);

		if (size < 0 && errno == EINTR)
			continue;
		if (size < 0)
			return errno == EAGAIN ? -ETIMEDOUT : -errno;
		if (message.msg_flags & MSG_TRUNC)
			return -EMSGSIZE;
		/* Other processes can send to this socket; the kernel's port is 0. */
		if (from.nl_pid == 0)
			ret = take_part(inquiry, (size_t)size, answer, &err);
	}
	return ret == 1 ? -EBADMSG : ret;
}

static int parse_path_answer(const void *message, size_t size, const struct answer *answer)
{
	return hfi_parse_path(message, size, answer->ret);
}

int hfi_ask_path(struct hf_inquiry *inquiry, const struct hf_ip *destination,
		 const struct hf_ip *source, uint32_t interface, struct hf_path *ret)
{
	struct nlmsghdr *header = begin_request(inquiry, RTM_GETROUTE, 0);
	struct rtmsg *route = mnl_nlmsg_put_extra_header(header, sizeof(*route));
	size_t size = hfi_ip_size(destination);
	struct answer answer = {.parse = parse_path_answer, .ret = ret};

	route->rtm_family = (unsigned char)destination->family;
	route->rtm_dst_len = (unsigned char)(size * 8);
	mnl_attr_put(header, RTA_DST, size, destination->bytes);
	if (source && source->family == destination->family) {
		route->rtm_src_len = (unsigned char)(size * 8);
		mnl_attr_put(header, RTA_SRC, size, source->bytes);
	}
	if (interface)
		mnl_attr_put_u32(header, RTA_OIF, interface);
	return ask_route_netlink(inquiry, header, &answer);
}

static int take_neighbour(const void *message, size_t size, const struct answer *answer)
{
	return hfi_parse_neighbour(message, size, answer->ret);
}

int hfi_ask_neighbour(struct hf_inquiry *inquiry, uint32_t interface, const struct hf_ip *ip,
		      struct hf_neighbour *ret)
{
	struct nlmsghdr *header = begin_request(inquiry, RTM_GETNEIGH, 0);
	struct ndmsg *entry = mnl_nlmsg_put_extra_header(header, sizeof(*entry));
	struct answer answer = {.parse = take_neighbour, .ret = ret};

	entry->ndm_family = (unsigned char)ip->family;
	entry->ndm_ifindex = (int)interface;
	mnl_attr_put(header, NDA_DST, hfi_ip_size(ip), ip->bytes);
	return ask_route_netlink(inquiry, header, &answer);
}

static int parse_link_answer(const void *message, size_t size, const struct answer *answer)
{
	return hfi_parse_link(message, size, answer->ret);
}

int hfi_ask_link(struct hf_inquiry *inquiry, uint32_t interface, struct hf_link *ret)
{
	struct nlmsghdr *header = begin_request(inquiry, RTM_GETLINK, 0);
	struct ifinfomsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	struct answer answer = {.parse = parse_link_answer, .ret = ret};

	info->ifi_index = (int)interface;
	return ask_route_netlink(inquiry, header, &answer);
}

static int take_owner(const void *message, size_t size, const struct answer *answer)
{
	return hfi_parse_owner(message, size, answer->ip, answer->ret);
}

int hfi_ask_owner(struct hf_inquiry *inquiry, const struct hf_ip *ip, uint32_t *ret)
{
	struct nlmsghdr *header = begin_request(inquiry, RTM_GETADDR, NLM_F_DUMP);
	struct ifaddrmsg *info = mnl_nlmsg_put_extra_header(header, sizeof(*info));
	struct answer answer = {.parse = take_owner, .ip = ip, .ret = ret};

	info->ifa_family = (unsigned char)ip->family;
	return ask_route_netlink(inquiry, header, &answer);
}
