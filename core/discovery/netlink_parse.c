/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Replies of RDMA netlink, taken apart. They are bytes from outside: nothing in them is trusted. */
#include <endian.h>
#include <errno.h>
#include <string.h>
#include <linux/netlink.h>
#include <rdma/rdma_netlink.h>

#include "shared/attr.h"
#include "shared/text.h"
#include "core/discovery/netlink.h"
#include "core/discovery/netlink_parse.h"
#include "core/discovery/parse.h"

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

/* Hands each attribute to `take` until it answers an error. */
static int walk(const void *message, size_t size,
		int (*take)(const struct attribute *attribute, void *arg), void *arg)
{
	struct attribute attribute;
	struct cursor cursor;
	int err = start_cursor(message, size, &cursor);
	int more = 1;

	while (!err && (more = next_attribute(&cursor, &attribute)) > 0)
		err = take(&attribute, arg);
	return err ? err : more;
}

static int get_u8(const struct attribute *attribute, uint32_t *ret)
{
	if (attribute->size != 1)
		return -EBADMSG;
	*ret = attribute->data[0];
	return 0;
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
	char text[HF_NAME_SIZE];

	if (get_string(attribute, text, sizeof(text)) || !hfi_is_name(text, size - 1))
		return -EBADMSG;
	strcpy(to, text);
	return 0;
}

static int get_protocol(const struct attribute *attribute, enum hf_protocol *ret)
{
	static const struct {
		const char *text;
		enum hf_protocol protocol;
	} known[] = {
		{"ib", HF_PROTOCOL_IB},	  {"roce", HF_PROTOCOL_ROCE},	{"iw", HF_PROTOCOL_IWARP},
		{"opa", HF_PROTOCOL_OPA}, {"usnic", HF_PROTOCOL_USNIC},
	};
	char text[HF_NAME_SIZE];
	int err = get_string(attribute, text, sizeof(text));

	if (err)
		return err;
	*ret = HF_PROTOCOL_UNKNOWN;
	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (!strcmp(text, known[i].text))
			*ret = known[i].protocol;
	return 0;
}

struct taken_device {
	struct hf_nl_device device;
	bool found;
};

static int read_device_attribute(const struct attribute *attribute, void *arg)
{
	struct taken_device *taken = arg;
	struct hf_nl_device *device = &taken->device;
	uint64_t guid;
	uint32_t number;
	int err = 0;

	switch (attribute->type) {
	case RDMA_NLDEV_ATTR_DEV_INDEX:
		err = get_u32_attr(attribute, &device->index);
		taken->found = true;
		break;
	case RDMA_NLDEV_ATTR_DEV_NAME:
		err = get_string(attribute, device->name, sizeof(device->name));
		break;
	case RDMA_NLDEV_ATTR_PORT_INDEX:
		err = get_u32_attr(attribute, &device->num_ports);
		break;
	case RDMA_NLDEV_ATTR_NODE_GUID:
		err = get_u64(attribute, &guid);
		if (!err)
			device->node_guid = htobe64(guid);
		break;
	case RDMA_NLDEV_ATTR_DEV_NODE_TYPE:
		err = get_u8(attribute, &number);
		if (!err)
			device->node_type = hfi_node_type(number);
		break;
	case RDMA_NLDEV_ATTR_DEV_PROTOCOL:
		err = get_protocol(attribute, &device->protocol);
		break;
	default:
		break;
	}
	return err;
}

int hfi_nl_parse_device(const void *message, size_t size, struct hf_nl_device *ret)
{
	struct taken_device taken = {.device.node_type = IBV_NODE_UNKNOWN};
	int err = walk(message, size, read_device_attribute, &taken);

	if (err)
		return err;
	/* Entries hold it with a sign. */
	if (!taken.found || taken.device.index > INT32_MAX || !taken.device.name[0])
		return -EBADMSG;
	if (!hfi_is_name(taken.device.name, sizeof(taken.device.name) - 1))
		return -EILSEQ;
	*ret = taken.device;
	return 0;
}

struct taken_chardev {
	struct hf_nl_chardev chardev;
	bool found;
};

static int read_chardev_attribute(const struct attribute *attribute, void *arg)
{
	struct taken_chardev *taken = arg;
	struct hf_nl_chardev *chardev = &taken->chardev;
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
		taken->found = true;
		break;
	case RDMA_NLDEV_ATTR_UVERBS_DRIVER_ID:
		err = get_u32_or_u64(attribute, &chardev->driver_id);
		break;
	default:
		break;
	}
	return err;
}

int hfi_nl_parse_chardev(const void *message, size_t size, struct hf_nl_chardev *ret)
{
	struct taken_chardev taken = {.found = false};
	int err = walk(message, size, read_chardev_attribute, &taken);

	if (err)
		return err;
	if (!taken.found || !hfi_is_uverbs_name(taken.chardev.name))
		return -EBADMSG;
	*ret = taken.chardev;
	return 0;
}

static int read_port_attribute(const struct attribute *attribute, void *arg)
{
	struct hf_nl_port *port = arg;

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

int hfi_nl_parse_port(const void *message, size_t size, struct hf_nl_port *ret)
{
	struct hf_nl_port port = {.state = 0};
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

int hfi_nl_parse_exclusive(const void *message, size_t size)
{
	uint32_t shared = 1;
	int err = walk(message, size, read_netns_attribute, &shared);

	return err ? err : !shared;
}

static int read_copy_on_fork_attribute(const struct attribute *attribute, void *arg)
{
	return attribute->type == RDMA_NLDEV_SYS_ATTR_COPY_ON_FORK ? get_u8(attribute, arg) : 0;
}

int hfi_nl_parse_copy_on_fork(const void *message, size_t size)
{
	uint32_t copies = 0;
	int err = walk(message, size, read_copy_on_fork_attribute, &copies);

	return err ? err : copies != 0;
}
