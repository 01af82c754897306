/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>

#include "shared/nldev.h"

enum {
	REPLY_SECONDS = 5,
	TRIES = 8,
	MISSES = 3,
	REPLY_SIZE = 32768,	/* the most that the kernel puts in one part of a dump */
	ATTR_NAME_ASSIGN = 101, /* RDMA_NLDEV_ATTR_NAME_ASSIGN_TYPE of Linux 6.11 */
	LAST_ERRNO = 4095,
	RENAME_SIZE = 256,
};

struct hf_nldev_socket {
	struct mnl_socket *socket;
	uint32_t seq;
	char reply[REPLY_SIZE] __attribute__((aligned(8)));
};

int hfi_nldev_open(struct hf_nldev_socket **ret)
{
	const struct timeval patience = {.tv_sec = REPLY_SECONDS};
	struct hf_nldev_socket *nl = calloc(1, sizeof(*nl));
	int err = 0;

	if (!nl)
		return -ENOMEM;
	nl->socket = mnl_socket_open2(NETLINK_RDMA, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		err = -errno;
	if (err) {
		hfi_nldev_close(nl);
		return err == -EAFNOSUPPORT ? -EPROTONOSUPPORT : err;
	}
	*ret = nl;
	return 0;
}

void hfi_nldev_close(struct hf_nldev_socket *nl)
{
	if (nl && nl->socket)
		mnl_socket_close(nl->socket);
	free(nl);
}

static int get_text(const struct nlattr *attr, char *to, size_t size)
{
	const char *text = mnl_attr_get_payload(attr);
	size_t length = strnlen(text, mnl_attr_get_payload_len(attr));

	if (length == mnl_attr_get_payload_len(attr) || length >= size)
		return -EBADMSG;
	memcpy(to, text, length + 1);
	return 0;
}

static int get_number(const struct nlattr *attr, void *to, size_t size)
{
	if (mnl_attr_get_payload_len(attr) != size)
		return -EBADMSG;
	memcpy(to, mnl_attr_get_payload(attr), size);
	return 0;
}

int hfi_nldev_parse(const void *message, size_t size, struct hf_nldev *ret)
{
	const struct nlmsghdr *header = message;
	struct hf_nldev device = {.index = 0};
	const struct nlattr *attr;
	bool indexed = false;
	int err = 0;

	/* The kernel pads: libmnl looks as far as it would have. */
	if (size < sizeof(*header) || header->nlmsg_len < sizeof(*header) ||
	    header->nlmsg_len > size || header->nlmsg_len % MNL_ALIGNTO)
		return -EBADMSG;
	mnl_attr_for_each (attr, header, 0) {
		switch (mnl_attr_get_type(attr)) {
		case RDMA_NLDEV_ATTR_DEV_INDEX:
			err = get_number(attr, &device.index, sizeof(device.index));
			indexed = true;
			break;
		case RDMA_NLDEV_ATTR_DEV_NAME:
			err = get_text(attr, device.name, sizeof(device.name));
			break;
		case RDMA_NLDEV_ATTR_NODE_GUID:
			err = get_number(attr, &device.node_guid, sizeof(device.node_guid));
			break;
		case RDMA_NLDEV_ATTR_DEV_PROTOCOL:
			err = get_text(attr, device.protocol, sizeof(device.protocol));
			device.tells_protocol = true;
			break;
		case RDMA_NLDEV_ATTR_DEV_DIM:
			/* Younger than the protocol: who sends this would have sent that. */
			device.tells_protocol = true;
			break;
		case ATTR_NAME_ASSIGN:
			err = get_number(attr, &device.name_assign, sizeof(device.name_assign));
			break;
		default:
			break;
		}
		if (err)
			return err;
	}
	/* The walk ends at what does not fit, too. */
	if ((const char *)attr < (const char *)mnl_nlmsg_get_payload_tail(header) || !indexed ||
	    !device.name[0])
		return -EBADMSG;
	*ret = device;
	return 0;
}

/* One datagram of the kernel's; others may write to the socket too. */
static ssize_t receive(struct hf_nldev_socket *nl)
{
	struct sockaddr_nl from;
	socklen_t length;
	ssize_t got;

	do {
		memset(&from, 0, sizeof(from));
		length = sizeof(from);
		got = recvfrom(mnl_socket_get_fd(nl->socket), nl->reply, sizeof(nl->reply),
			       MSG_TRUNC, (struct sockaddr *)(void *)&from, &length);
	} while ((got < 0 && errno == EINTR) || (got >= 0 && from.nl_pid));
	if (got < 0)
		return errno == EAGAIN ? -ETIMEDOUT : -errno;
	return (size_t)got > sizeof(nl->reply) ? -EBADMSG : got;
}

/* What a message that ends the answer says: 0 or -errno. */
static int ending(const struct nlmsghdr *header)
{
	int error = 0;

	/* DONE carries a number, or nothing; ERROR begins with one. */
	if (header->nlmsg_len >= mnl_nlmsg_size(sizeof(error)))
		memcpy(&error, mnl_nlmsg_get_payload(header), sizeof(error));
	else if (header->nlmsg_type == NLMSG_ERROR)
		return -EBADMSG;
	return error > 0 || error < -LAST_ERRNO ? -EBADMSG : error;
}

struct search {
	const char *name;
	struct hf_nldev device;
	bool found;
	bool disturbed;
};

/* The messages of one datagram: 1 when the answer is at its end, 0 when more has to come. */
static int take_datagram(struct hf_nldev_socket *nl, size_t size, struct search *search)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)nl->reply;
	struct hf_nldev device;
	int left = (int)size;
	int err;

	/* libmnl compares lengths with a sign: from 2^31 on they seem to fit. */
	for (; mnl_nlmsg_ok(header, left) && header->nlmsg_len <= (uint32_t)left;
	     header = mnl_nlmsg_next(header, &left)) {
		if (header->nlmsg_seq != nl->seq ||
		    !mnl_nlmsg_portid_ok(header, mnl_socket_get_portid(nl->socket)))
			continue;
		if (search && (header->nlmsg_flags & NLM_F_DUMP_INTR))
			search->disturbed = true;
		if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR) {
			err = ending(header);
			return err ? err : 1;
		}
		/* One device that makes no sense hides no other. */
		if (!search || RDMA_NL_GET_CLIENT(header->nlmsg_type) != RDMA_NL_NLDEV ||
		    hfi_nldev_parse(header, header->nlmsg_len, &device) ||
		    strcmp(device.name, search->name) != 0)
			continue;
		search->device = device;
		search->found = true;
	}
	return left > 0 ? -EBADMSG : 0;
}

/* Sends a request and reads what comes until the kernel has said how it ended. */
static int ask(struct hf_nldev_socket *nl, struct nlmsghdr *header, unsigned int command,
	       uint16_t flags, struct search *search)
{
	int done = 0;

	header->nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command);
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	header->nlmsg_seq = ++nl->seq;
	if (mnl_socket_sendto(nl->socket, header, header->nlmsg_len) < 0)
		return -errno;
	while (!done) {
		ssize_t got = receive(nl);

		done = got < 0 ? (int)got : take_datagram(nl, (size_t)got, search);
	}
	return done < 0 ? done : 0;
}

static int dump(struct hf_nldev_socket *nl, struct search *search)
{
	char request[MNL_NLMSG_HDRLEN] __attribute__((aligned(8)));

	return ask(nl, mnl_nlmsg_put_header(request), RDMA_NLDEV_CMD_GET, NLM_F_DUMP, search);
}

int hfi_nldev_find(struct hf_nldev_socket *nl, const char *name, struct hf_nldev *ret)
{
	int misses = 0;

	for (int i = 0; i < TRIES; i++) {
		struct search search = {.name = name};
		int err = dump(nl, &search);

		/* Another dump of this socket, left over; a list that changed, or was lost. */
		if (err == -EBUSY || err == -ENOBUFS || (!err && search.disturbed))
			continue;
		if (err)
			return err;
		/*
		 * The kernel counts devices to know where a long list goes on: when one that it has
		 * listed is unplugged, it passes over another, and marks nothing as disturbed.
		 */
		if (!search.found && ++misses < MISSES)
			continue;
		if (!search.found)
			return -ENODEV;
		*ret = search.device;
		return 0;
	}
	return -EIO;
}

int hfi_nldev_rename(struct hf_nldev_socket *nl, uint32_t index, const char *name)
{
	char request[RENAME_SIZE] __attribute__((aligned(8)));
	struct nlmsghdr *header = mnl_nlmsg_put_header(request);
	int err;

	if (strlen(name) >= HF_NLDEV_NAME)
		return -ENAMETOOLONG;
	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DEV_NAME, name);
	err = ask(nl, header, RDMA_NLDEV_CMD_SET, NLM_F_ACK, NULL);
	/* The kernel's word for an index that it does not have, or not in this namespace. */
	return err == -EINVAL ? -ENODEV : err;
}
