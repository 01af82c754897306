/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* A netlink socket that joins groups and parses each message. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <sys/socket.h>

#include "core/notify/netlink.h"

/* The kernel's notifications fit into NLMSG_GOODSIZE, a page or 8 KiB; a link's may be longer. */
enum { BUFFER_SIZE = 32768 };

struct hf_netlink_source {
	struct mnl_socket *socket;
	hf_parse_fn parse;
	char buffer[BUFFER_SIZE] __attribute__((aligned(8)));
};

void hfi_set_receive_buffer(int fd, size_t size)
{
	int value = size > INT32_MAX / 2 ? INT32_MAX / 2 : (int)size;

	if (setsockopt(fd, SOL_SOCKET, SO_RCVBUFFORCE, &value, sizeof(value)) < 0)
		(void)setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &value, sizeof(value));
}

int hfi_netlink_source_open(int bus, const unsigned int *groups, size_t receive_buffer,
			    hf_parse_fn parse, struct hf_netlink_source **ret)
{
	struct hf_netlink_source *source = malloc(sizeof(*source));
	int err;

	if (!source)
		return -ENOMEM;
	source->parse = parse;
	source->socket = mnl_socket_open2(bus, SOCK_CLOEXEC | SOCK_NONBLOCK);
	if (!source->socket) {
		err = -errno;
		free(source);
		return err;
	}
	if (mnl_socket_bind(source->socket, 0, MNL_SOCKET_AUTOPID) < 0)
		goto failed;
	for (; *groups; groups++) {
		unsigned int group = *groups;

		if (mnl_socket_setsockopt(source->socket, NETLINK_ADD_MEMBERSHIP, &group,
					  sizeof(group)) < 0)
			goto failed;
	}
	hfi_set_receive_buffer(mnl_socket_get_fd(source->socket), receive_buffer);
	*ret = source;
	return 0;

failed:
	err = -errno;
	hfi_netlink_source_close(source);
	return err;
}

int hfi_netlink_source_fd(const struct hf_netlink_source *source)
{
	return mnl_socket_get_fd(source->socket);
}

static void handle_netlink_datagram(struct hf_netlink_source *source,
				    const struct hf_hint_sink *sink, int length)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)source->buffer;
	struct hf_hint hint;

	/* libmnl compares lengths as signed integers: from 2^31 on they would pass. */
	for (; mnl_nlmsg_ok(header, length) && header->nlmsg_len <= (uint32_t)length;
	     header = mnl_nlmsg_next(header, &length))
		if (source->parse(header, header->nlmsg_len, &hint) > 0)
			sink->take(sink->arg, &hint);
}

void hfi_netlink_source_drain(struct hf_netlink_source *source, const struct hf_hint_sink *sink)
{
	int fd = mnl_socket_get_fd(source->socket);

	for (int i = 0; i < HF_DRAIN_MAX; i++) {
		struct sockaddr_nl from = {0};
		struct iovec iov = {.iov_base = source->buffer, .iov_len = sizeof(source->buffer)};
		struct msghdr message = {
			.msg_name = &from,
			.msg_namelen = sizeof(from),
			.msg_iov = &iov,
			.msg_iovlen = 1,
		};
		ssize_t length = recvmsg(fd, &message, MSG_DONTWAIT);

		if (length < 0 && (errno == EAGAIN || errno == EWOULDBLOCK))
			return;
		if (length < 0 && errno == EINTR)
			continue;
		if (length < 0) {
			/* ENOBUFS or a worse error: in either case messages were lost. */
			hfi_hint_send(sink, HF_HINT_LOST, HF_ROOT_KERNEL, NULL);
			if (errno != ENOBUFS)
				return;
			continue;
		}
		/* A process may send to this address as well; only the kernel has port 0. */
		if (from.nl_family != AF_NETLINK || from.nl_pid != 0)
			continue;
		if (message.msg_flags & MSG_TRUNC)
			hfi_hint_send(sink, HF_HINT_LOST, HF_ROOT_KERNEL, NULL);
		else
			handle_netlink_datagram(source, sink, (int)length);
	}
}

void hfi_netlink_source_lost(struct hf_netlink_source *source)
{
	free(source);
}

void hfi_netlink_source_close(struct hf_netlink_source *source)
{
	mnl_socket_close(source->socket);
	free(source);
}
