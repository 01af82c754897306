/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RDMA netlink: sends requests and reads their answers, within bounds of time and size. */
#include <assert.h>
#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>

#include "shared/clock.h"
#include "shared/nldev.h"

enum {
	REPLY_SECONDS = 5,
	TRIES = 5,
	MISSES = 3,
	REQUEST_SIZE = 256,
	BATCH_REQUEST = 64, /* the most that one request of a batch takes */
	REPLY_SIZE = 32768, /* the most that the kernel puts in one part of a dump */
	LAST_ERRNO = 4095,
};

static_assert(HF_NLDEV_BATCH <= 32, "a bit of 32 for each request of a batch");

struct hf_nldev_socket {
	struct mnl_socket *socket;
	uint32_t seq;
	int failed; /* the first error of the list that is being read to its end */
	unsigned int batch_count;
	size_t batch_size;
	char batch[HF_NLDEV_BATCH * BATCH_REQUEST] __attribute__((aligned(8)));
	char request[REQUEST_SIZE] __attribute__((aligned(8)));
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
	/* A sandbox that denies the socket is treated like a kernel without RDMA netlink. */
	if (err == -EAFNOSUPPORT || err == -EPERM || err == -EACCES || err == -EINVAL)
		err = -EPROTONOSUPPORT;
	if (err)
		hfi_nldev_close(nl);
	else
		*ret = nl;
	return err;
}

void hfi_nldev_close(struct hf_nldev_socket *nl)
{
	if (nl && nl->socket)
		mnl_socket_close(nl->socket);
	free(nl);
}

int hfi_nldev_fd(const struct hf_nldev_socket *nl)
{
	return mnl_socket_get_fd(nl->socket);
}

static struct nlmsghdr *request_of(struct hf_nldev_socket *nl)
{
	return (struct nlmsghdr *)(void *)nl->request;
}

struct nlmsghdr *hfi_nldev_request(struct hf_nldev_socket *nl, unsigned int command, uint16_t flags)
{
	struct nlmsghdr *header = mnl_nlmsg_put_header(nl->request);

	header->nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command);
	header->nlmsg_flags = NLM_F_REQUEST | flags;
	return header;
}

static int send_request(struct hf_nldev_socket *nl)
{
	struct nlmsghdr *header = request_of(nl);

	/* Every attempt has its own number, so that the rest of an earlier answer is ignored. */
	header->nlmsg_seq = ++nl->seq;
	while (mnl_socket_sendto(nl->socket, header, header->nlmsg_len) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* Reads one datagram from the kernel; other processes can send to the socket, too. */
static ssize_t receive_reply(struct hf_nldev_socket *nl, int64_t end)
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
	} while (hfi_now_ms() < end);
	return -ETIMEDOUT;
}

/* How a message that ends the answer says it went: 1, or -errno. */
static int end_of_answer(const struct hf_nldev_socket *nl, const struct nlmsghdr *header,
			 uint16_t flags)
{
	int error = 0;

	if (nl->failed && header->nlmsg_type == NLMSG_DONE)
		return nl->failed;
	/* DONE carries a number or nothing; ERROR begins with a number. */
	if (header->nlmsg_len >= mnl_nlmsg_size(sizeof(error)))
		memcpy(&error, mnl_nlmsg_get_payload(header), sizeof(error));
	else if (header->nlmsg_type == NLMSG_ERROR)
		return -EBADMSG;
	if (error > 0 || error < -LAST_ERRNO)
		return -EBADMSG;
	if (error)
		return error;
	/* DONE only ends lists, and error 0 only confirms requests with NLM_F_ACK. */
	return flags & (header->nlmsg_type == NLMSG_DONE ? NLM_F_DUMP : NLM_F_ACK) ? 1 : -EBADMSG;
}

static bool is_ours(const struct hf_nldev_socket *nl, const struct nlmsghdr *header)
{
	return header->nlmsg_seq == nl->seq &&
	       mnl_nlmsg_portid_ok(header, mnl_socket_get_portid(nl->socket));
}

typedef int each_fn(void *arg, const void *message, size_t size);

/*
 * Handles the messages of one datagram. 1: the answer is complete, 0: more has to come, -EAGAIN: the list
 * changed while it was read, which is known only at its end.
 */
static int handle_reply(struct hf_nldev_socket *nl, size_t size, each_fn *each, void *arg)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)nl->reply;
	const uint16_t flags = request_of(nl)->nlmsg_flags;
	int left = (int)size;
	int err;

	/* libmnl compares lengths as signed numbers: from 2^31 on they seem to fit. */
	for (; mnl_nlmsg_ok(header, left) && header->nlmsg_len <= (uint32_t)left;
	     header = mnl_nlmsg_next(header, &left)) {
		if (!is_ours(nl, header))
			continue;
		if ((header->nlmsg_flags & NLM_F_DUMP_INTR) && !nl->failed)
			nl->failed = -EAGAIN;
		if (header->nlmsg_type == NLMSG_DONE || header->nlmsg_type == NLMSG_ERROR)
			return end_of_answer(nl, header, flags);
		/* Linux 6.1 and 6.12 at least answer PORT_GET as GET: the sequence number suffices. */
		if (!each || RDMA_NL_GET_CLIENT(header->nlmsg_type) != RDMA_NL_NLDEV)
			continue;
		err = each(arg, header, header->nlmsg_len);
		if (!(flags & NLM_F_DUMP))
			return err ? err : 1;
		/* Read on: while a dump is unfinished the kernel refuses the next one. */
		if (err && !nl->failed)
			nl->failed = err;
	}
	return left > 0 ? -EBADMSG : 0;
}

static int ask_once(struct hf_nldev_socket *nl, each_fn *each, void *arg)
{
	int64_t end = hfi_now_ms() + REPLY_SECONDS * INT64_C(1000);
	int err = send_request(nl);

	nl->failed = 0;
	while (!err) {
		ssize_t got = receive_reply(nl, end);

		if (got < 0)
			return (int)got;
		err = handle_reply(nl, (size_t)got, each, arg);
		if (!err && hfi_now_ms() > end)
			err = -ETIMEDOUT;
	}
	return err < 0 ? err : 0;
}

int hfi_nldev_ask(struct hf_nldev_socket *nl, each_fn *each, void (*restart)(void *), void *arg)
{
	int err = -EAGAIN;

	for (int i = 0; i < TRIES && (err == -EAGAIN || err == -ENOBUFS || err == -EBUSY); i++) {
		if (restart)
			restart(arg);
		err = ask_once(nl, each, arg);
	}
	return err == -EAGAIN || err == -EBUSY ? -EIO : err;
}

struct nlmsghdr *hfi_nldev_batch_add(struct hf_nldev_socket *nl, unsigned int command)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)(nl->batch + nl->batch_size);

	/* The one that was added last is complete now. */
	if (nl->batch_count) {
		struct nlmsghdr *last = header;

		nl->batch_size += MNL_ALIGN(last->nlmsg_len);
		header = (struct nlmsghdr *)(void *)(nl->batch + nl->batch_size);
	}
	header = mnl_nlmsg_put_header(header);
	header->nlmsg_type = RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, command);
	header->nlmsg_flags = NLM_F_REQUEST;
	header->nlmsg_seq = nl->seq + ++nl->batch_count;
	return header;
}

static int send_batch(struct hf_nldev_socket *nl)
{
	const struct nlmsghdr *last = (const struct nlmsghdr *)(void *)(nl->batch + nl->batch_size);
	size_t size = nl->batch_size + last->nlmsg_len;

	while (mnl_socket_sendto(nl->socket, nl->batch, size) < 0)
		if (errno != EINTR)
			return -errno;
	return 0;
}

/* One reading of a batch's answers. */
struct answers {
	uint32_t first_seq;
	unsigned int count;
	uint32_t missing; /* a bit for each request without an answer */
	int err;	  /* the first of `each` */
	hfi_nldev_answer_fn *each;
	void *arg;
};

static int error_of(const struct nlmsghdr *header)
{
	int error;

	if (header->nlmsg_type != NLMSG_ERROR || header->nlmsg_len < mnl_nlmsg_size(sizeof(error)))
		return -EBADMSG;
	memcpy(&error, mnl_nlmsg_get_payload(header), sizeof(error));
	return error >= 0 || error < -LAST_ERRNO ? -EBADMSG : error;
}

static void take_answer(struct answers *answers, unsigned int number, const struct nlmsghdr *header)
{
	bool is_control = header->nlmsg_type < NLMSG_MIN_TYPE;
	int error = is_control ? error_of(header) : 0;
	int err;

	answers->missing &= ~(UINT32_C(1) << number);
	err = answers->each(answers->arg, number, error, header,
			    is_control ? 0 : header->nlmsg_len);
	if (err && !answers->err)
		answers->err = err;
}

static int take_answers(struct hf_nldev_socket *nl, size_t size, struct answers *answers)
{
	const struct nlmsghdr *header = (const struct nlmsghdr *)(const void *)nl->reply;
	int left = (int)size;

	for (; mnl_nlmsg_ok(header, left) && header->nlmsg_len <= (uint32_t)left;
	     header = mnl_nlmsg_next(header, &left)) {
		uint32_t number = header->nlmsg_seq - answers->first_seq;

		if (number < answers->count && (answers->missing & (UINT32_C(1) << number)) &&
		    mnl_nlmsg_portid_ok(header, mnl_socket_get_portid(nl->socket)))
			take_answer(answers, number, header);
	}
	return left > 0 ? -EBADMSG : 0;
}

int hfi_nldev_batch_run(struct hf_nldev_socket *nl, hfi_nldev_answer_fn *each, void *arg)
{
	struct answers answers = {
		.first_seq = nl->seq + 1,
		.count = nl->batch_count,
		.missing = (uint32_t)((UINT64_C(1) << nl->batch_count) - 1),
		.each = each,
		.arg = arg,
	};
	int64_t end = hfi_now_ms() + REPLY_SECONDS * INT64_C(1000);
	int err = nl->batch_count ? send_batch(nl) : 0;

	nl->seq += nl->batch_count;
	nl->batch_count = 0;
	nl->batch_size = 0;
	while (!err && answers.missing) {
		uint32_t before = answers.missing;
		ssize_t got = receive_reply(nl, end);

		err = got < 0 ? (int)got : take_answers(nl, (size_t)got, &answers);
		/* Each answer is waited for; what is no answer must not make the wait longer. */
		if (!err && answers.missing == before && hfi_now_ms() > end)
			err = -ETIMEDOUT;
	}
	return err ? err : answers.err;
}

int hfi_nldev_first(each_fn *each, void *arg)
{
	struct hf_nldev_socket *nl;
	ssize_t got;
	int err = hfi_nldev_open(&nl);

	if (err)
		return err;
	hfi_nldev_request(nl, RDMA_NLDEV_CMD_GET, NLM_F_DUMP);
	err = send_request(nl);
	got = err ? err : receive_reply(nl, hfi_now_ms() + REPLY_SECONDS * INT64_C(1000));
	/* The rest of the list is given up with the socket. */
	if (got >= 0)
		err = handle_reply(nl, (size_t)got, each, arg);
	else
		err = (int)got;
	hfi_nldev_close(nl);
	return err < 0 ? err : 0;
}

struct search {
	const char *name;
	struct hf_nldev device;
	bool found;
};

static int compare_name(void *arg, const void *message, size_t size)
{
	struct search *search = arg;
	struct hf_nldev device;

	/* A malformed device hides no other. */
	if (!hfi_nldev_parse(message, size, &device) && !strcmp(device.name, search->name)) {
		search->device = device;
		search->found = true;
	}
	return 0;
}

static void restart_search(void *arg)
{
	struct search *search = arg;

	search->found = false;
}

int hfi_nldev_find(struct hf_nldev_socket *nl, const char *name, struct hf_nldev *ret)
{
	struct search search = {.name = name};
	int err = 0;

	/*
	 * The kernel finds the next part of a long list by counting devices: when a listed one is unplugged,
	 * it skips another and does not report that the list changed.
	 */
	for (int i = 0; i < MISSES && !err && !search.found; i++) {
		hfi_nldev_request(nl, RDMA_NLDEV_CMD_GET, NLM_F_DUMP);
		err = hfi_nldev_ask(nl, compare_name, restart_search, &search);
	}
	if (err)
		return err == -ENOBUFS ? -EIO : err;
	if (!search.found)
		return -ENODEV;
	*ret = search.device;
	return 0;
}

int hfi_nldev_rename(struct hf_nldev_socket *nl, uint32_t index, const char *name)
{
	struct nlmsghdr *header = hfi_nldev_request(nl, RDMA_NLDEV_CMD_SET, NLM_F_ACK);
	int err;

	if (strlen(name) >= HF_NLDEV_NAME)
		return -ENAMETOOLONG;
	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_DEV_NAME, name);
	err = ask_once(nl, NULL, NULL);
	/* The kernel answers EINVAL for an index that it does not have in this network namespace. */
	return err == -EINVAL ? -ENODEV : err;
}

static int read_copy_on_fork(void *arg, const void *message, size_t size)
{
	int *copies = arg;
	int answer = hfi_nldev_parse_copy_on_fork(message, size);

	if (answer < 0)
		return answer;
	*copies = answer;
	return 0;
}

int hfi_nldev_copy_on_fork(struct hf_nldev_socket *nl)
{
	int copies = 0;
	int err;

	hfi_nldev_request(nl, RDMA_NLDEV_CMD_SYS_GET, 0);
	err = hfi_nldev_ask(nl, read_copy_on_fork, NULL, &copies);
	return err ? err : copies;
}
