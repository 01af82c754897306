/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Parses messages of RDMA netlink. Nothing in them is trusted: they come from outside. */
#include <errno.h>
#include <string.h>
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>

#include "shared/nldev_parse.h"
#include "shared/text.h"

enum { ATTR_NAME_ASSIGN = 101 }; /* RDMA_NLDEV_ATTR_NAME_ASSIGN_TYPE of Linux 6.11 */

struct attribute {
	unsigned int type;
	size_t size;
	const unsigned char *data;
};

struct cursor {
	const unsigned char *at;
	size_t left;
};

/* Sets the cursor on the first attribute; nothing has to be aligned. */
static int start_cursor(const void *message, size_t size, struct cursor *cursor)
{
	struct nlmsghdr header;

	if (size < sizeof(header))
		return -EBADMSG;
	memcpy(&header, message, sizeof(header));
	if (header.nlmsg_len < sizeof(header) || header.nlmsg_len > size)
		return -EBADMSG;
	cursor->at = (const unsigned char *)message + NLMSG_HDRLEN;
	cursor->left = header.nlmsg_len - NLMSG_HDRLEN;
	return 0;
}

/* 1 and an attribute, 0 at the end, -EBADMSG when one is cut short. */
static int next_attribute(struct cursor *cursor, struct attribute *ret)
{
	struct nlattr header;
	size_t whole;

	if (!cursor->left)
		return 0;
	if (cursor->left < sizeof(header))
		return -EBADMSG;
	memcpy(&header, cursor->at, sizeof(header));
	if (header.nla_len < sizeof(header) || header.nla_len > cursor->left)
		return -EBADMSG;
	ret->type = header.nla_type & NLA_TYPE_MASK;
	ret->size = header.nla_len - sizeof(header);
	ret->data = cursor->at + sizeof(header);
	whole = NLA_ALIGN(header.nla_len);
	if (whole > cursor->left)
		whole = cursor->left;
	cursor->at += whole;
	cursor->left -= whole;
	return 1;
}

/* Calls `read` for each attribute until it returns an error. */
static int walk(const void *message, size_t size,
		int (*read)(const struct attribute *attribute, void *arg), void *arg)
{
	struct attribute attribute;
	struct cursor cursor;
	int err = start_cursor(message, size, &cursor);
	int more = 1;

	while (!err && (more = next_attribute(&cursor, &attribute)) > 0)
		err = read(&attribute, arg);
	return err ? err : more;
}

static int get_byte(const struct attribute *attribute, uint8_t *ret)
{
	if (attribute->size != 1)
		return -EBADMSG;
	*ret = attribute->data[0];
	return 0;
}

static int get_u8(const struct attribute *attribute, uint32_t *ret)
{
	uint8_t byte;
	int err = get_byte(attribute, &byte);

	if (!err)
		*ret = byte;
	return err;
}

static int get_u32_attr(const struct attribute *attribute, uint32_t *ret)
{
	if (attribute->size != sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, attribute->data, sizeof(*ret));
	return 0;
}

static int get_u64(const struct attribute *attribute, uint64_t *ret)
{
	if (attribute->size != sizeof(*ret))
		return -EBADMSG;
	memcpy(ret, attribute->data, sizeof(*ret));
	return 0;
}

/* The header calls some attributes u64 that the kernel sends as u32 (UVERBS_DRIVER_ID, 5.1..). */
static int get_u32_or_u64(const struct attribute *attribute, uint32_t *ret)
{
	uint64_t value;

	if (attribute->size == sizeof(*ret))
		return get_u32_attr(attribute, ret);
	if (get_u64(attribute, &value) || value > UINT32_MAX)
		return -EBADMSG;
	*ret = (uint32_t)value;
	return 0;
}

static int get_string(const struct attribute *attribute, char *to, size_t size)
{
	size_t length = strnlen((const char *)attribute->data, attribute->size);

	if (length == attribute->size || length >= size)
		return -EBADMSG;
	memcpy(to, attribute->data, length + 1);
	return 0;
}

static int get_name(const struct attribute *attribute, char *to, size_t size)
{
	char text[HF_NLDEV_NAME];

	if (get_string(attribute, text, sizeof(text)) || !hfi_is_component(text, size - 1))
		return -EBADMSG;
	strcpy(to, text);
	return 0;
}

/* An unknown protocol of a later kernel is as good as none. */
static int get_protocol(const struct attribute *attribute, char *to, size_t size)
{
	size_t length = strnlen((const char *)attribute->data, attribute->size);

	if (length == attribute->size)
		return -EBADMSG;
	if (length >= size)
		length = 0;
	memcpy(to, attribute->data, length);
	to[length] = '\0';
	return 0;
}

struct found_device {
	struct hf_nldev device;
	bool indexed;
};

static int read_device_attribute(const struct attribute *attribute, void *arg)
{
	struct found_device *found = arg;
	struct hf_nldev *device = &found->device;

	switch (attribute->type) {
	case RDMA_NLDEV_ATTR_DEV_INDEX:
		found->indexed = true;
		return get_u32_attr(attribute, &device->index);
	case RDMA_NLDEV_ATTR_DEV_NAME:
		return get_string(attribute, device->name, sizeof(device->name));
	case RDMA_NLDEV_ATTR_PORT_INDEX:
		return get_u32_attr(attribute, &device->num_ports);
	case RDMA_NLDEV_ATTR_NODE_GUID:
		return get_u64(attribute, &device->node_guid);
	case RDMA_NLDEV_ATTR_DEV_NODE_TYPE:
		return get_byte(attribute, &device->node_type);
	case RDMA_NLDEV_ATTR_DEV_PROTOCOL:
		device->tells_protocol = true;
		return get_protocol(attribute, device->protocol, sizeof(device->protocol));
	case RDMA_NLDEV_ATTR_DEV_DIM:
		/* Newer than the protocol: a kernel that sends this would have sent a protocol, too. */
		device->tells_protocol = true;
		return 0;
	case ATTR_NAME_ASSIGN:
		return get_byte(attribute, &device->name_assign);
	default:
		return 0;
	}
}

int hfi_nldev_parse(const void *message, size_t size, struct hf_nldev *ret)
{
	struct found_device found = {.indexed = false};
	int err = walk(message, size, read_device_attribute, &found);

	if (err)
		return err;
	if (!found.indexed || !found.device.name[0])
		return -EBADMSG;
	*ret = found.device;
	return 0;
}

struct found_chardev {
	struct hf_nldev_chardev chardev;
	bool numbered;
};

static int read_chardev_attribute(const struct attribute *attribute, void *arg)
{
	struct found_chardev *found = arg;
	struct hf_nldev_chardev *chardev = &found->chardev;
	uint64_t number;
	int err = 0;

	switch (attribute->type) {
	case RDMA_NLDEV_ATTR_CHARDEV_NAME:
		err = get_name(attribute, chardev->name, sizeof(chardev->name));
		break;
	case RDMA_NLDEV_ATTR_CHARDEV_ABI:
		err = get_u32_or_u64(attribute, &chardev->abi);
		break;
	case RDMA_NLDEV_ATTR_CHARDEV:
		err = get_u64(attribute, &number);
		/* huge_encode_dev(), which within 12 and 20 bits is the C library's dev_t. */
		if (!err && number > UINT32_MAX)
			err = -EBADMSG;
		if (!err)
			chardev->number = (dev_t)number;
		found->numbered = true;
		break;
	case RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID:
		err = get_u32_or_u64(attribute, &chardev->driver_id);
		break;
	default:
		break;
	}
	return err;
}

int hfi_nldev_parse_chardev(const void *message, size_t size, struct hf_nldev_chardev *ret)
{
	struct found_chardev found = {.numbered = false};
	int err = walk(message, size, read_chardev_attribute, &found);

	if (err)
		return err;
	if (!found.numbered || !hfi_is_uverbs_name(found.chardev.name))
		return -EBADMSG;
	*ret = found.chardev;
	return 0;
}

static int read_port_attribute(const struct attribute *attribute, void *arg)
{
	struct hf_nldev_port *port = arg;

	switch (attribute->type) {
	case RDMA_NLDEV_ATTR_PORT_STATE:
		return get_u8(attribute, &port->state);
	case RDMA_NLDEV_ATTR_PORT_PHYS_STATE:
		return get_u8(attribute, &port->phys_state);
	case RDMA_NLDEV_ATTR_NDEV_INDEX:
		return get_u32_attr(attribute, &port->netdev_index);
	case RDMA_NLDEV_ATTR_NDEV_NAME:
		return get_name(attribute, port->netdev, sizeof(port->netdev));
	default:
		return 0;
	}
}

int hfi_nldev_parse_port(const void *message, size_t size, struct hf_nldev_port *ret)
{
	struct hf_nldev_port port = {.state = 0};
	int err = walk(message, size, read_port_attribute, &port);

	if (err)
		return err;
	*ret = port;
	return 0;
}

static int read_netns_attribute(const struct attribute *attribute, void *arg)
{
	return attribute->type == RDMA_NLDEV_SYS_ATTR_NETNS_MODE ? get_u8(attribute, arg) : 0;
}

int hfi_nldev_parse_exclusive(const void *message, size_t size)
{
	uint32_t shared = 1;
	int err = walk(message, size, read_netns_attribute, &shared);

	return err ? err : !shared;
}

static int read_copy_on_fork_attribute(const struct attribute *attribute, void *arg)
{
	return attribute->type == RDMA_NLDEV_SYS_ATTR_COPY_ON_FORK ? get_u8(attribute, arg) : 0;
}

int hfi_nldev_parse_copy_on_fork(const void *message, size_t size)
{
	uint32_t copies = 0;
	int err = walk(message, size, read_copy_on_fork_attribute, &copies);

	return err ? err : copies != 0;
}
