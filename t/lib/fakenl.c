/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * RDMA netlink without a kernel: answers NETLINK_RDMA sockets of the process from the test tree
 * (t/lib/tree.h) in the environment variable HF_FAKE_RDMA_TREE. Preload t/lib/.libs/fakenl.so, or link
 * this file into the test. Other sockets are not affected. A dump continues at a count, like the
 * kernel's: it can miss a device if another one is removed between two parts.
 */
#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/sysmacros.h>
#include <unistd.h>
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>

#define EXPORT	 __attribute__((visibility("default")))
#define REAL(fn) ((__typeof__(&(fn)))dlsym(RTLD_NEXT, #fn))

enum { SOCKETS = 64, PART_SIZE = 16384, PORT_ID = 4711 };

struct fake {
	int fd, peer; /* a socket pair: we send to `peer`, the program receives from `fd` */
	int tree;
	bool dumping;
	struct nlmsghdr request;
	size_t position;
};

static struct fake fakes[SOCKETS];
static size_t fake_count;
static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;

/* Linked into a program, close() below hides the one by which a thread sanitiser follows files. */
int __interceptor_close(int fd) __attribute__((weak));

static int real_close(int fd)
{
	return __interceptor_close ? __interceptor_close(fd) : REAL(close)(fd);
}

static struct fake *find_fake_socket(int fd)
{
	for (size_t i = 0; i < fake_count; i++)
		if (fakes[i].fd == fd)
			return &fakes[i];
	return NULL;
}

static ssize_t read_tree_text(int tree, const char *path, char *text, size_t size)
{
	int fd = openat(tree, path, O_RDONLY | O_CLOEXEC);
	ssize_t length;

	if (fd < 0)
		return -1;
	length = read(fd, text, size - 1);
	real_close(fd);
	if (length < 0)
		return -1;
	text[length] = '\0';
	text[strcspn(text, "\n")] = '\0';
	return length;
}

/* Whether to apply a fault (see tree_fault()) now. Counts down. */
static bool is_due(int tree, const char *fault)
{
	char path[64], text[32];
	unsigned long count;
	int fd;

	snprintf(path, sizeof(path), "fake/%s", fault);
	if (read_tree_text(tree, path, text, sizeof(text)) < 0)
		return false;
	count = strtoul(text, NULL, 10);
	if (count == 0 || count == UINT_MAX)
		return count > 0;
	fd = openat(tree, path, O_WRONLY | O_TRUNC | O_CLOEXEC);
	if (fd < 0 || dprintf(fd, "%lu\n", count - 1) < 0)
		abort();
	real_close(fd);
	return true;
}

struct device {
	unsigned int index, ports, type, driver, abi, major, minor;
	unsigned long long guid;
	char uverbs[64], name[64], protocol[16];
};

/* False also for a hidden device. */
static bool read_tree_device(int tree, unsigned int index, struct device *device)
{
	char path[128], text[512];
	int hidden = 0;

	memset(device, 0, sizeof(*device));
	snprintf(path, sizeof(path), "by_index/%u", index);
	if (read_tree_text(tree, path, device->uverbs, sizeof(device->uverbs)) < 0)
		return false;
	snprintf(path, sizeof(path), "index/%s", device->uverbs);
	if (read_tree_text(tree, path, text, sizeof(text)) < 0)
		return false;
	if (sscanf(text, "%u %63s %u %u %llx %u %u %u:%u %d %15s", &device->index, device->name,
		   &device->ports, &device->type, &device->guid, &device->driver, &device->abi,
		   &device->major, &device->minor, &hidden, device->protocol) < 10)
		return false;
	return !hidden && device->index == index;
}

struct part {
	char bytes[PART_SIZE] __attribute__((aligned(8)));
	size_t size;
	struct nlmsghdr *last;
	struct nlattr *attribute; /* the last one */
};

static struct nlmsghdr *put_header(struct part *part, const struct nlmsghdr *request,
				   unsigned int type, unsigned int flags)
{
	struct nlmsghdr *header = (struct nlmsghdr *)(void *)(part->bytes + part->size);

	memset(header, 0, sizeof(*header));
	header->nlmsg_len = sizeof(*header);
	header->nlmsg_type = (uint16_t)type;
	header->nlmsg_flags = (uint16_t)flags;
	header->nlmsg_seq = request->nlmsg_seq;
	header->nlmsg_pid = PORT_ID;
	part->size += sizeof(*header);
	part->last = header;
	return header;
}

static void put_bytes(struct part *part, const void *bytes, size_t size)
{
	size_t aligned = NLA_ALIGN(size);

	memset(part->bytes + part->size, 0, aligned);
	memcpy(part->bytes + part->size, bytes, size);
	part->size += aligned;
	part->last->nlmsg_len += (uint32_t)aligned;
}

static void put_attribute(struct part *part, unsigned int type, const void *bytes, size_t size)
{
	const struct nlattr attribute = {(uint16_t)(sizeof(attribute) + size), (uint16_t)type};

	part->attribute = (struct nlattr *)(void *)(part->bytes + part->size);
	put_bytes(part, &attribute, sizeof(attribute));
	put_bytes(part, bytes, size);
}

static void put_attr_u8(struct part *part, unsigned int type, uint8_t value)
{
	put_attribute(part, type, &value, sizeof(value));
}

static void put_attr_u32(struct part *part, unsigned int type, uint32_t value)
{
	put_attribute(part, type, &value, sizeof(value));
}

static void put_attr_u64(struct part *part, unsigned int type, uint64_t value)
{
	put_attribute(part, type, &value, sizeof(value));
}

static void put_attr_text(struct part *part, unsigned int type, const char *text)
{
	put_attribute(part, type, text, strlen(text) + 1);
}

static void put_error(struct part *part, const struct nlmsghdr *request, int error)
{
	struct nlmsgerr body = {.error = error, .msg = *request};

	put_header(part, request, NLMSG_ERROR, 0);
	put_bytes(part, &body, sizeof(body));
}

static void send_part(const struct fake *fake, struct part *part)
{
	if (part->attribute && is_due(fake->tree, "cut"))
		part->attribute->nla_len = UINT16_MAX;
	if (part->size && REAL(send)(fake->peer, part->bytes, part->size, 0) < 0)
		abort();
	part->size = 0;
	part->attribute = NULL;
}

static void put_device(const struct fake *fake, struct part *part, const struct device *device,
		       unsigned int flags)
{
	put_header(part, &fake->request, fake->request.nlmsg_type, flags);
	put_attr_u32(part, RDMA_NLDEV_ATTR_DEV_INDEX, device->index);
	put_attr_text(part, RDMA_NLDEV_ATTR_DEV_NAME,
		      strcmp(device->name, "odd") ? device->name : "a/b");
	put_attr_u32(part, RDMA_NLDEV_ATTR_PORT_INDEX, device->ports);
	put_attr_u64(part, RDMA_NLDEV_ATTR_NODE_GUID, device->guid);
	put_attr_u8(part, RDMA_NLDEV_ATTR_DEV_NODE_TYPE, (uint8_t)device->type);
	/* "-": a device without a protocol, on a kernel that reports protocols. */
	if (!strcmp(device->protocol, "-"))
		put_attr_u8(part, RDMA_NLDEV_ATTR_DEV_DIM, 0);
	else if (device->protocol[0] && !is_due(fake->tree, "old"))
		put_attr_text(part, RDMA_NLDEV_ATTR_DEV_PROTOCOL, device->protocol);
}

static int by_number(const void *a, const void *b)
{
	const unsigned int *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

static size_t list_indexes(int tree, unsigned int **ret)
{
	int fd = openat(tree, "by_index", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	size_t count = 0, size = 0;
	struct dirent *entry;

	*ret = NULL;
	while (dir && (entry = readdir(dir))) {
		if (entry->d_name[0] == '.')
			continue;
		if (count == size) {
			size = size ? size * 2 : 64;
			*ret = realloc(*ret, size * sizeof(**ret));
			if (!*ret)
				abort();
		}
		(*ret)[count++] = (unsigned int)strtoul(entry->d_name, NULL, 10);
	}
	if (dir)
		closedir(dir);
	if (count)
		qsort(*ret, count, sizeof(**ret), by_number);
	return count;
}

static void send_dump_part(struct fake *fake)
{
	unsigned int flags = NLM_F_MULTI;
	unsigned int *indexes;
	struct part part = {.size = 0};
	struct device device;
	size_t count = list_indexes(fake->tree, &indexes);
	size_t seen = 0, i;

	if (is_due(fake->tree, "interrupt"))
		flags |= NLM_F_DUMP_INTR;
	if (fake->position && is_due(fake->tree, "slip"))
		fake->position = count;
	for (i = 0; i < count && part.size < sizeof(part.bytes) - 1024; i++) {
		if (!read_tree_device(fake->tree, indexes[i], &device) || seen++ < fake->position)
			continue;
		if (flags & NLM_F_DUMP_INTR)
			device.index += 1000000;
		put_device(fake, &part, &device, flags);
		fake->position++;
	}
	if (i == count) {
		const int done = 0;

		put_header(&part, &fake->request, NLMSG_DONE, flags);
		put_bytes(&part, &done, sizeof(done));
		fake->dumping = false;
	}
	free(indexes);
	send_part(fake, &part);
}

static void send_strays(const struct fake *fake)
{
	const struct device nonsense = {.index = 99, .name = "stray", .type = 1};
	struct part part = {.size = 0};

	put_device(fake, &part, &nonsense, 0);
	part.last->nlmsg_seq--;
	put_device(fake, &part, &nonsense, 0);
	part.last->nlmsg_pid++;
	put_device(fake, &part, &nonsense, 0);
	part.last->nlmsg_type += 1 << 10; /* another client's */
	send_part(fake, &part);
}

static void put_chardev(const struct fake *fake, struct part *part, const struct device *device)
{
	put_header(part, &fake->request, fake->request.nlmsg_type, 0);
	if (device->driver != ~0u)
		put_attr_u32(part, RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID, device->driver);
	put_attr_u64(part, RDMA_NLDEV_ATTR_CHARDEV, makedev(device->major, device->minor));
	put_attr_u64(part, RDMA_NLDEV_ATTR_CHARDEV_ABI, device->abi);
	put_attr_text(part, RDMA_NLDEV_ATTR_CHARDEV_NAME, device->uverbs);
}

/* Answers with the port's attributes in the tree. */
static void put_port(const struct fake *fake, struct part *part, const struct device *device,
		     unsigned int port)
{
	static const struct {
		const char *path;
		unsigned int type;
	} numbers[] = {{"state", RDMA_NLDEV_ATTR_PORT_STATE},
		       {"phys_state", RDMA_NLDEV_ATTR_PORT_PHYS_STATE}};
	char path[256], text[64];

	/* Not the request's type: nldev_port_get_doit, Linux 6.1 and 6.12. */
	put_header(part, &fake->request, RDMA_NL_GET_TYPE(RDMA_NL_NLDEV, RDMA_NLDEV_CMD_GET), 0);
	put_attr_u32(part, RDMA_NLDEV_ATTR_DEV_INDEX, device->index);
	put_attr_u32(part, RDMA_NLDEV_ATTR_PORT_INDEX, port);
	for (size_t i = 0; i < sizeof(numbers) / sizeof(numbers[0]); i++) {
		snprintf(path, sizeof(path), "class/infiniband/%s/ports/%u/%s", device->name, port,
			 numbers[i].path);
		if (read_tree_text(fake->tree, path, text, sizeof(text)) > 0)
			put_attr_u8(part, numbers[i].type, (uint8_t)atoi(text));
	}
	snprintf(path, sizeof(path), "class/infiniband/%s/ports/%u/gid_attrs/ndevs/0", device->name,
		 port);
	if (read_tree_text(fake->tree, path, text, 16) > 0) {
		put_attr_u32(part, RDMA_NLDEV_ATTR_NDEV_INDEX, 2);
		put_attr_text(part, RDMA_NLDEV_ATTR_NDEV_NAME, text);
	}
}

/* Parses the attributes of a request. 0: absent (port numbers begin at 1). */
static bool read_request(const struct nlmsghdr *header, unsigned int *index, unsigned int *port,
			 bool *uverbs)
{
	const char *at = (const char *)header + NLMSG_HDRLEN;
	size_t left = header->nlmsg_len - NLMSG_HDRLEN;
	bool has_index = false;

	while (left >= sizeof(struct nlattr)) {
		const struct nlattr *attribute = (const void *)at;
		const char *data = at + NLA_HDRLEN;
		size_t step = NLA_ALIGN(attribute->nla_len);

		if (attribute->nla_len < sizeof(*attribute) || step > left)
			return false;
		if (attribute->nla_type == RDMA_NLDEV_ATTR_DEV_INDEX) {
			memcpy(index, data, sizeof(*index));
			has_index = true;
		} else if (attribute->nla_type == RDMA_NLDEV_ATTR_PORT_INDEX) {
			memcpy(port, data, sizeof(*port));
		} else if (attribute->nla_type == RDMA_NLDEV_ATTR_CHARDEV_TYPE) {
			*uverbs = !strcmp(data, "uverbs");
		}
		at += step;
		left -= step;
	}
	return has_index;
}

static void answer_one(const struct fake *fake, const struct nlmsghdr *header, struct part *part)
{
	unsigned int command = RDMA_NL_GET_OP(header->nlmsg_type);
	unsigned int index = 0, port = 0;
	struct device device;
	bool uverbs = false;

	if (command == RDMA_NLDEV_CMD_SYS_GET) {
		put_header(part, header, header->nlmsg_type, 0);
		put_attr_u8(part, RDMA_NLDEV_SYS_ATTR_NETNS_MODE, !is_due(fake->tree, "exclusive"));
		return;
	}
	if (!read_request(header, &index, &port, &uverbs) ||
	    !read_tree_device(fake->tree, index, &device)) {
		put_error(part, header, -EINVAL);
		return;
	}
	if (command == RDMA_NLDEV_CMD_GET)
		put_device(fake, part, &device, 0);
	else if (command == RDMA_NLDEV_CMD_GET_CHARDEV && uverbs && is_due(fake->tree, "late"))
		put_error(part, header, -EOPNOTSUPP);
	else if (command == RDMA_NLDEV_CMD_GET_CHARDEV && uverbs && !is_due(fake->tree, "old"))
		put_chardev(fake, part, &device);
	else if (command == RDMA_NLDEV_CMD_PORT_GET && port >= 1 && port <= device.ports)
		put_port(fake, part, &device, port);
	else
		put_error(part, header, -EINVAL);
}

static void answer_request(struct fake *fake, const void *bytes, size_t size)
{
	const struct nlmsghdr *header = bytes;
	struct part part = {.size = 0};
	bool refused;

	if (size < sizeof(*header) || header->nlmsg_len > size ||
	    header->nlmsg_len < sizeof(*header) ||
	    RDMA_NL_GET_CLIENT(header->nlmsg_type) != RDMA_NL_NLDEV)
		return;
	if (is_due(fake->tree, "mute"))
		return;
	if (fake->dumping && (header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
		put_error(&part, header, -EBUSY);
		send_part(fake, &part);
		return;
	}
	if (is_due(fake->tree, "refuse")) {
		put_error(&part, header, -EPERM);
		send_part(fake, &part);
		return;
	}
	if ((header->nlmsg_flags & NLM_F_DUMP) == NLM_F_DUMP) {
		fake->request = *header;
		fake->dumping = true;
		fake->position = 0;
		if (is_due(fake->tree, "stray"))
			send_strays(fake);
		send_dump_part(fake);
		return;
	}
	if (!fake->dumping)
		fake->request = *header;
	if (is_due(fake->tree, "stray"))
		send_strays(fake);
	answer_one(fake, header, &part);
	refused = part.last->nlmsg_type == NLMSG_ERROR;
	send_part(fake, &part);
	if ((header->nlmsg_flags & NLM_F_ACK) && !refused) {
		put_error(&part, header, 0);
		send_part(fake, &part);
	}
}

static int add_fake(const char *path, int type)
{
	struct fake fake = {.dumping = false};
	int pair[2];

	if (fake_count == SOCKETS) {
		errno = EMFILE;
		return -1;
	}
	fake.tree = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fake.tree < 0)
		return -1;
	if (is_due(fake.tree, "nosocket")) {
		real_close(fake.tree);
		errno = EPROTONOSUPPORT;
		return -1;
	}
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | (type & (SOCK_CLOEXEC | SOCK_NONBLOCK)), 0, pair) <
	    0) {
		real_close(fake.tree);
		return -1;
	}
	fake.fd = pair[0];
	fake.peer = pair[1];
	fakes[fake_count++] = fake;
	return fake.fd;
}

EXPORT int socket(int domain, int type, int protocol)
{
	const char *path = getenv("HF_FAKE_RDMA_TREE");
	int fd;

	if (domain != AF_NETLINK || protocol != NETLINK_RDMA || !path)
		return REAL(socket)(domain, type, protocol);
	pthread_mutex_lock(&lock);
	fd = add_fake(path, type);
	pthread_mutex_unlock(&lock);
	return fd;
}

EXPORT int close(int fd)
{
	struct fake *fake;

	pthread_mutex_lock(&lock);
	fake = find_fake_socket(fd);
	if (fake) {
		real_close(fake->peer);
		real_close(fake->tree);
		*fake = fakes[--fake_count];
	}
	pthread_mutex_unlock(&lock);
	return real_close(fd);
}

static bool is_fake(int fd)
{
	bool is;

	pthread_mutex_lock(&lock);
	is = find_fake_socket(fd) != NULL;
	pthread_mutex_unlock(&lock);
	return is;
}

EXPORT int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	return is_fake(fd) ? 0 : REAL(bind)(fd, address, length);
}

static void put_address(struct sockaddr *address, socklen_t *length, uint32_t port_id)
{
	const struct sockaddr_nl from = {.nl_family = AF_NETLINK, .nl_pid = port_id};

	if (!address || !length)
		return;
	memcpy(address, &from, *length < sizeof(from) ? *length : sizeof(from));
	*length = sizeof(from);
}

EXPORT int getsockname(int fd, struct sockaddr *restrict address, socklen_t *restrict length)
{
	if (!is_fake(fd))
		return REAL(getsockname)(fd, address, length);
	put_address(address, length, PORT_ID);
	return 0;
}

EXPORT int setsockopt(int fd, int level, int name, const void *value, socklen_t length)
{
	return level == SOL_NETLINK && is_fake(fd)
		       ? 0
		       : REAL(setsockopt)(fd, level, name, value, length);
}

/* Each message by itself, like the kernel. */
static void answer_requests(struct fake *fake, const void *bytes, size_t size)
{
	const char *at = bytes;

	while (size >= sizeof(struct nlmsghdr)) {
		const struct nlmsghdr *header = (const void *)at;
		size_t step = NLMSG_ALIGN(header->nlmsg_len);

		answer_request(fake, header, size);
		if (step < sizeof(*header) || step >= size)
			break;
		at += step;
		size -= step;
	}
}

EXPORT ssize_t sendto(int fd, const void *bytes, size_t size, int flags,
		      const struct sockaddr *address, socklen_t length)
{
	struct fake *fake;

	pthread_mutex_lock(&lock);
	fake = find_fake_socket(fd);
	if (fake)
		answer_requests(fake, bytes, size);
	pthread_mutex_unlock(&lock);
	return fake ? (ssize_t)size : REAL(sendto)(fd, bytes, size, flags, address, length);
}

EXPORT ssize_t sendmsg(int fd, const struct msghdr *message, int flags)
{
	if (!is_fake(fd))
		return REAL(sendmsg)(fd, message, flags);
	return sendto(fd, message->msg_iov[0].iov_base, message->msg_iov[0].iov_len, flags, NULL,
		      0);
}

static bool fails(int fd)
{
	struct fake *fake;
	int error = 0;

	pthread_mutex_lock(&lock);
	fake = find_fake_socket(fd);
	if (fake && is_due(fake->tree, "enobufs"))
		error = ENOBUFS;
	else if (fake && is_due(fake->tree, "eintr"))
		error = EINTR;
	pthread_mutex_unlock(&lock);
	errno = error;
	return error != 0;
}

/* Like the kernel, makes the next part of a dump after one was read. */
static void go_on(int fd)
{
	struct fake *fake;

	pthread_mutex_lock(&lock);
	fake = find_fake_socket(fd);
	if (fake && fake->dumping)
		send_dump_part(fake);
	pthread_mutex_unlock(&lock);
}

EXPORT ssize_t recvmsg(int fd, struct msghdr *message, int flags)
{
	ssize_t got;

	if (!is_fake(fd))
		return REAL(recvmsg)(fd, message, flags);
	if (fails(fd))
		return -1;
	got = REAL(recvmsg)(fd, message, flags);
	if (got < 0)
		return got;
	message->msg_namelen = sizeof(struct sockaddr_nl);
	put_address(message->msg_name, &message->msg_namelen, 0);
	if (!(flags & MSG_PEEK))
		go_on(fd);
	return got;
}

EXPORT ssize_t recvfrom(int fd, void *restrict bytes, size_t size, int flags,
			struct sockaddr *restrict address, socklen_t *restrict length)
{
	ssize_t got;

	if (!is_fake(fd))
		return REAL(recvfrom)(fd, bytes, size, flags, address, length);
	if (fails(fd))
		return -1;
	got = REAL(recvfrom)(fd, bytes, size, flags, NULL, NULL);
	if (got < 0)
		return got;
	put_address(address, length, 0);
	if (!(flags & MSG_PEEK))
		go_on(fd);
	return got;
}
