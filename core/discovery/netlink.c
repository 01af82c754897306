/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA netlink: one request at a time, its answer waited for within bounds. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <time.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>

#include "core/discovery/netlink.h"
#include "core/discovery/netlink_guess.h"
#include "core/discovery/netlink_parse.h"

enum {
	REPLY_SECONDS = 5,
	REQUEST_TRIES = 5,
	REQUEST_SIZE = 256,
	REPLY_SIZE = 32768,    /* the most that the kernel puts in one part of a dump */
	DUMP_DEVICES = 1 << 20 /* more is nonsense */
};

struct hf_nl {
	struct mnl_socket *socket;
	uint32_t seq;
	int failed; /* what is wrong with the dump that is being read to its end */
	struct hf_nl_guesses *guesses;
	char request[REQUEST_SIZE] __attribute__((aligned(8)));
	char reply[REPLY_SIZE] __attribute__((aligned(8)));
};

int hfi_nl_open(struct hf_nl **ret)
{
	const struct timeval patience = {.tv_sec = REPLY_SECONDS};
	struct hf_nl *nl = calloc(1, sizeof(*nl));
	int err = 0;

	if (!nl)
		return -ENOMEM;
	nl->guesses = hfi_nl_guesses_new();
	if (!nl->guesses) {
		free(nl);
		return -ENOMEM;
	}
	nl->socket = mnl_socket_open2(NETLINK_RDMA, SOCK_CLOEXEC);
	if (!nl->socket || mnl_socket_bind(nl->socket, 0, MNL_SOCKET_AUTOPID) < 0 ||
	    setsockopt(mnl_socket_get_fd(nl->socket), SOL_SOCKET, SO_RCVTIMEO, &patience,
		       sizeof(patience)) < 0)
		err = -errno;
	/* A sandbox that denies the socket is as good as a kernel without it. */
	if (err == -EAFNOSUPPORT || err == -EPERM || err == -EACCES || err == -EINVAL)
		err = -EPROTONOSUPPORT;
	if (err)
		hfi_nl_close(nl);
	else
		*ret = nl;
	return err;
}

struct hf_nl *hfi_nl_close(struct hf_nl *nl)
{
	if (nl && nl->socket)
		mnl_socket_close(nl->socket);
	if (nl)
		hfi_nl_guesses_free(nl->guesses);
	free(nl);
	return NULL;
}

int hfi_nl_fd(const struct hf_nl *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

struct hf_nl_guesses *hfi_nl_guesses(struct hf_nl *nl)
{
	return nl->guesses;
}

static struct nlmsghdr *begin_nl_request(struct hf_nl *nl, unsigned int command, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(nl->request);

	header->nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command);
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	return header;
}

static int send_request(struct hf_nl *nl)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)nl->request;

	/* A number of its own for every attempt: what is left of an older one is then ignored. */
	header->nlmsg_seq = ++nl->seq;
	while (mnl_socket_sendto(nl->socket, header, header->nlmsg_len) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

static time_t now_s(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return ts.tv_sec;
}

/* One datagram of the kernel's; others may write to the socket too. */
static ssize_t receive_reply(struct hf_nl *nl, time_t end)
{
	struct sockaddr_nl from;
	socklen_t length;
	ssize_t got;

	do {
		memset(&from, 0, sizeof(from));
		length = sizeof(from);
		got = recvfrom(mnl_socket_get_fd(nl->socket), nl->reply, sizeof(nl->reply),
			       MSG_TRUNC, (struct sockaddr *)(void *)&from, &length);
		if (got >= 0 && from.nl_pid == 0)
			return (size_t)got > sizeof(nl->reply) ? -EBADMSG : got;
		if (got < 0 && errno == EAGAIN)
			return -ETIMEDOUT;
		if (got < 0 && errno != EINTR)
			return -errno;
	} while (now_s() < end);
	return -ETIMEDOUT;
}

typedef int take_fn(void *arg, const void *message, size_t size);

static int error_of(const struct nlmsghdr *header)
{
	const struct nlmsgerr *error = mnl_nlmsg_get_payload(header);

	if (header->nlmsg_len < mnl_nlmsg_size(sizeof(*error)))
		return -EBADMSG;
	/* 0 acknowledges, which was not asked for; a positive one is nonsense. */
	return error->error < 0 && error->error > -4096 ? error->error : -EBADMSG;
}

static int end_of_dump(const struct hf_nl *nl, const struct nlmsghdr *header)
{
	int error = 0;

	if (nl->failed)
		return nl->failed;
	if (header->nlmsg_len >= mnl_nlmsg_size(sizeof(error)))
		memcpy(&error, mnl_nlmsg_get_payload(header), sizeof(error));
	if (error > 0 || error <= -4096)
		return -EBADMSG;
	return error ? error : 1;
}

static bool is_ours(struct hf_nl *nl, const struct nlmsghdr *header)
{
	return header->nlmsg_seq == nl->seq &&
	       mnl_nlmsg_portid_ok(header, mnl_socket_get_portid(nl->socket));
}

/*
 * The messages of one datagram. 1 when the answer is complete, 0 when more has to come, -EAGAIN
 * when a dump was disturbed, as one learns at its end.
 */
static int handle_reply(struct hf_nl *nl, size_t size, bool dump, take_fn *take, void *arg)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)nl->reply;
	int left = (int)size;
	int err;

	/* libmnl compares lengths with a sign: from 2^31 on they seem to fit. */
	for (; mnl_nlmsg_ok(header, left) && header->nlmsg_len <= (uint32_t)left;
	     header = mnl_nlmsg_next(header, &left)) {
		if (!is_ours(nl, header))
			continue;
		if ((header->nlmsg_flags & NLM_F_DUMP_INTR) && !nl->failed)
			nl->failed = -EAGAIN;
		if (header->nlmsg_type == NLMSG_DONE)
			return end_of_dump(nl, header);
		if (header->nlmsg_type == NLMSG_ERROR)
			return error_of(header);
		/* PORT_GET is answered as GET, by 6.1 and 6.12 at least: the number tells enough. */
		if (RDMA_NL_GET_CLIENT(header->nlmsg_type) != RDMA_NL_NLDEV)
			continue;
		err = take(arg, header, header->nlmsg_len);
		if (!dump)
			return err ? err : 1;
		/* Read on: with a dump left in the middle the kernel refuses the next one. */
		if (err && !nl->failed)
			nl->failed = err;
	}
	return left > 0 ? -EBADMSG : 0;
}

static int ask_once(struct hf_nl *nl, bool dump, take_fn *take, void *arg)
{
	time_t end = now_s() + REPLY_SECONDS;
	int err = send_request(nl);

	nl->failed = 0;
	while (!err) {
		ssize_t got = receive_reply(nl, end);

		if (got < 0)
			return (int)got;
		err = handle_reply(nl, (size_t)got, dump, take, arg);
		if (!err && now_s() > end)
			err = -ETIMEDOUT;
	}
	return err < 0 ? err : 0;
}

/* Asks again where an answer was lost or disturbed; `restart` forgets what came so far. */
static int ask_until_undisturbed(struct hf_nl *nl, bool dump, take_fn *take,
				 void (*restart)(void *), void *arg)
{
	int err = -EAGAIN;

	for (int i = 0; i < REQUEST_TRIES && (err == -EAGAIN || err == -ENOBUFS || err == -EBUSY);
	     i++) {
		if (restart)
			restart(arg);
		err = ask_once(nl, dump, take, arg);
	}
	return err == -EAGAIN || err == -EBUSY ? -EIO : err;
}

static int append_device(void *arg, const void *message, size_t size)
{
	struct hf_nl_table *table = arg;
	struct hf_nl_device device;
	int err = hfi_nl_parse_device(message, size, &device);

	/* A name that cannot be (Linux 6.1 takes "a/b" for one) hides no other device. */
	if (err)
		return err == -EILSEQ ? 0 : err;
	if (table->count == table->size) {
		size_t wanted = table->size ? table->size * 2 : 16;
		struct hf_nl_device *v;

		if (wanted > DUMP_DEVICES)
			return -EBADMSG;
		v = realloc(table->v, wanted * sizeof(*v));
		if (!v)
			return -ENOMEM;
		table->v = v;
		table->size = wanted;
	}
	table->v[table->count++] = device;
	return 0;
}

static void forget_devices(void *arg)
{
	struct hf_nl_table *table = arg;

	table->count = 0;
}

static int dump_devices(struct hf_nl *nl, struct hf_nl_table *table)
{
	begin_nl_request(nl, RDMA_NLDEV_CMD_GET, NLM_F_DUMP);
	return ask_until_undisturbed(nl, true, append_device, forget_devices, table);
}

int hfi_nl_dump(struct hf_nl *nl, int (*each)(void *arg, const struct hf_nl_device *device),
		void *arg)
{
	struct hf_nl_table table = {.v = NULL};
	int err = dump_devices(nl, &table);

	/* Only now: a dump may start over, and `each` may have requests of its own. */
	for (size_t i = 0; i < table.count && !err; i++)
		err = each(arg, &table.v[i]);
	hfi_nl_table_free(&table);
	return err;
}

static int by_name(const void *a, const void *b)
{
	const struct hf_nl_device *one = a, *other = b;

	return strcmp(one->name, other->name);
}

int hfi_nl_table_fill(struct hf_nl *nl, struct hf_nl_table *table)
{
	int err;

	err = dump_devices(nl, table);
	if (err)
		table->count = 0;
	hfi_nl_guesses_clear(nl->guesses);
	for (size_t i = 0; i < table->count; i++)
		hfi_nl_guess_learn(nl->guesses, table->v[i].name, table->v[i].index);
	if (table->count)
		qsort(table->v, table->count, sizeof(*table->v), by_name);
	return err;
}

const struct hf_nl_device *hfi_nl_table_find(const struct hf_nl_table *table, const char *name)
{
	size_t low = 0, high = table->count;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		int order = strcmp(name, table->v[middle].name);

		if (!order)
			return &table->v[middle];
		if (order < 0)
			high = middle;
		else
			low = middle + 1;
	}
	return NULL;
}

void hfi_nl_table_free(struct hf_nl_table *table)
{
	free(table->v);
	memset(table, 0, sizeof(*table));
}

static int pass_device(void *arg, const void *message, size_t size)
{
	return hfi_nl_parse_device(message, size, arg);
}

int hfi_nl_device_get(struct hf_nl *nl, uint32_t index, struct hf_nl_device *ret)
{
	struct nlmsghdr *header = begin_nl_request(nl, RDMA_NLDEV_CMD_GET, 0);
	struct hf_nl_device device;
	int err;

	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	err = ask_until_undisturbed(nl, false, pass_device, NULL, &device);
	if (!err && device.index != index)
		err = -EBADMSG;
	if (!err)
		*ret = device;
	/* The kernel's word for an index that it does not have, or not in this namespace. */
	return err == -EINVAL ? -ENODEV : err;
}

static int pass_chardev(void *arg, const void *message, size_t size)
{
	return hfi_nl_parse_chardev(message, size, arg);
}

int hfi_nl_chardev(struct hf_nl *nl, uint32_t index, struct hf_nl_chardev *ret)
{
	struct nlmsghdr *header = begin_nl_request(nl, RDMA_NLDEV_CMD_GET_CHARDEV, 0);
	struct hf_nl_chardev chardev;
	struct hf_nl_device device;
	int err;

	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_CHARDEV_TYPE, "uverbs");
	err = ask_until_undisturbed(nl, false, pass_chardev, NULL, &chardev);
	/* EINVAL is both: no such device, and a kernel that does not know the command. */
	if (err == -EINVAL) {
		err = hfi_nl_device_get(nl, index, &device);
		return err ? err : -EINVAL;
	}
	if (!err) {
		hfi_nl_guess_learn(nl->guesses, chardev.name, index);
		*ret = chardev;
	}
	return err;
}

static int pass_port(void *arg, const void *message, size_t size)
{
	return hfi_nl_parse_port(message, size, arg);
}

int hfi_nl_port(struct hf_nl *nl, uint32_t index, uint32_t port, struct hf_nl_port *ret)
{
	struct nlmsghdr *header = begin_nl_request(nl, RDMA_NLDEV_CMD_PORT_GET, 0);
	struct hf_nl_port here;
	int err;

	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_PORT_INDEX, port);
	err = ask_until_undisturbed(nl, false, pass_port, NULL, &here);
	if (!err)
		*ret = here;
	return err == -EINVAL ? -ENODEV : err;
}

static int pass_exclusive(void *arg, const void *message, size_t size)
{
	int *exclusive = arg;
	int answer = hfi_nl_parse_exclusive(message, size);

	if (answer < 0)
		return answer;
	*exclusive = answer;
	return 0;
}

int hfi_nl_exclusive(struct hf_nl *nl)
{
	int exclusive = 0;
	int err;

	begin_nl_request(nl, RDMA_NLDEV_CMD_SYS_GET, 0);
	err = ask_until_undisturbed(nl, false, pass_exclusive, NULL, &exclusive);
	return err ? err : exclusive;
}

static int pass_copy_on_fork(void *arg, const void *message, size_t size)
{
	int *copies = arg;
	int answer = hfi_nl_parse_copy_on_fork(message, size);

	if (answer < 0)
		return answer;
	*copies = answer;
	return 0;
}

int hfi_nl_copy_on_fork(struct hf_nl *nl)
{
	int copies = 0;
	int err;

	begin_nl_request(nl, RDMA_NLDEV_CMD_SYS_GET, 0);
	err = ask_until_undisturbed(nl, false, pass_copy_on_fork, NULL, &copies);
	return err ? err : copies;
}
