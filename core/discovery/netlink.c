/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* What RDMA netlink reports of devices, their char devices and ports, in the terms of discovery. */
#include <assert.h>
#include <endian.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <libmnl/libmnl.h>
#include <rdma/rdma_netlink.h>

#include "shared/error.h"
#include "shared/nldev.h"
#include "shared/text.h"
#include "core/discovery/names.h"
#include "core/discovery/netlink.h"
#include "core/discovery/netlink_guess.h"
#include "core/discovery/parse.h"

static_assert((int)HF_NAME_SIZE == (int)HF_NLDEV_NAME, "names are copied whole");

enum { DUMP_DEVICES = 1 << 20 }; /* more cannot be right */

struct hf_nl {
	struct hf_nldev_socket *socket;
	struct hf_nl_guesses *guesses;
};

int hfi_nl_open(struct hf_nl **ret)
{
	struct hf_nl *nl = calloc(1, sizeof(*nl));
	int err;

	if (!nl)
		return -ENOMEM;
	nl->guesses = hfi_nl_guesses_new();
	err = nl->guesses ? hfi_nldev_open(&nl->socket) : -ENOMEM;
	if (err)
		hfi_nl_close(nl);
	else
		*ret = nl;
	return err;
}

struct hf_nl *hfi_nl_close(struct hf_nl *nl)
{
	if (nl) {
		hfi_nldev_close(nl->socket);
		hfi_nl_guesses_free(nl->guesses);
	}
	free(nl);
	return NULL;
}

int hfi_nl_fd(const struct hf_nl *nl)
{
	return hfi_nldev_fd(nl->socket);
}

struct hf_nl_guesses *hfi_nl_guesses(struct hf_nl *nl)
{
	return nl->guesses;
}

static enum hf_protocol protocol_of(const char *text)
{
	static const struct {
		const char *text;
		enum hf_protocol protocol;
	} known[] = {
		{"ib", HF_PROTOCOL_IB},	  {"roce", HF_PROTOCOL_ROCE},	{"iw", HF_PROTOCOL_IWARP},
		{"opa", HF_PROTOCOL_OPA}, {"usnic", HF_PROTOCOL_USNIC},
	};

	for (size_t i = 0; i < HF_ARRAY_SIZE(known); i++)
		if (!strcmp(text, known[i].text))
			return known[i].protocol;
	return HF_PROTOCOL_UNKNOWN;
}

int hfi_nl_parse_device(const void *message, size_t size, struct hf_nl_device *ret)
{
	struct hf_nldev device;
	int err = hfi_nldev_parse(message, size, &device);

	if (err)
		return err;
	/* Entries store the index with a sign. */
	if (device.index > INT32_MAX)
		return -EBADMSG;
	ret->index = device.index;
	memcpy(ret->name, device.name, sizeof(ret->name));
	ret->node_guid = htobe64(device.node_guid);
	ret->num_ports = device.num_ports;
	ret->node_type = hfi_node_type(device.node_type);
	ret->protocol = protocol_of(device.protocol);
	return 0;
}

static int append_device(void *arg, const void *message, size_t size)
{
	struct hf_nl_table *table = arg;
	struct hf_nl_device device;
	int err = hfi_nl_parse_device(message, size, &device);

	if (err)
		return err;
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
	hfi_nldev_request(nl->socket, RDMA_NLDEV_CMD_GET, NLM_F_DUMP);
	return hfi_nldev_ask(nl->socket, append_device, forget_devices, table);
}

int hfi_nl_dump(struct hf_nl *nl, int (*each)(void *arg, const struct hf_nl_device *device),
		void *arg)
{
	struct hf_nl_table table = {.v = NULL};
	int err = dump_devices(nl, &table);

	/* Not during the dump: it may start over, and `each` may send requests of its own. */
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
	struct nlmsghdr *header = hfi_nldev_request(nl->socket, RDMA_NLDEV_CMD_GET, 0);
	struct hf_nl_device device;
	int err;

	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	err = hfi_nldev_ask(nl->socket, pass_device, NULL, &device);
	if (!err && device.index != index)
		err = -EBADMSG;
	if (!err)
		*ret = device;
	/*
	 * The kernel answers EINVAL for an index that it does not have in this network namespace.
	 */
	return err == -EINVAL ? -ENODEV : err;
}

static int pass_chardev(void *arg, const void *message, size_t size)
{
	return hfi_nldev_parse_chardev(message, size, arg);
}

int hfi_nl_chardev(struct hf_nl *nl, uint32_t index, struct hf_nldev_chardev *ret)
{
	struct nlmsghdr *header = hfi_nldev_request(nl->socket, RDMA_NLDEV_CMD_GET_CHARDEV, 0);
	struct hf_nldev_chardev chardev;
	struct hf_nl_device device;
	int err;

	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_CHARDEV_TYPE, "uverbs");
	err = hfi_nldev_ask(nl->socket, pass_chardev, NULL, &chardev);
	/* EINVAL means: no such device, or the kernel does not know the command. */
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

struct seeing {
	const uint32_t *indices;
	struct hf_nl_seen *seen;
	int chardev_errors[HF_NL_SEEN_MAX];
};

/* Requests 2 * i and 2 * i + 1 are those about indices[i]. */
static int take_seen(void *arg, unsigned int number, int error, const void *message, size_t size)
{
	struct seeing *seeing = arg;
	struct hf_nl_seen *seen = &seeing->seen[number / 2];

	if (hfi_error_is_shortage(error) || error == -EBADMSG)
		return error;
	if (number % 2) {
		if (!error)
			error = hfi_nldev_parse_chardev(message, size, &seen->chardev);
		seeing->chardev_errors[number / 2] = error;
		return error == -EBADMSG ? error : 0;
	}
	if (!error)
		error = hfi_nl_parse_device(message, size, &seen->device);
	if (!error && seen->device.index != seeing->indices[number / 2])
		error = -EBADMSG;
	/* The kernel answers EINVAL for an index that it does not have in this network namespace. */
	seen->err = error == -EINVAL ? -ENODEV : error;
	return error == -EBADMSG ? error : 0;
}

int hfi_nl_see(struct hf_nl *nl, const uint32_t *indices, unsigned int count,
	       struct hf_nl_seen *ret)
{
	struct seeing seeing = {.indices = indices, .seen = ret};
	int err;

	assert(count <= HF_NL_SEEN_MAX);
	for (unsigned int i = 0; i < count; i++) {
		struct nlmsghdr *header = hfi_nldev_batch_add(nl->socket, RDMA_NLDEV_CMD_GET);

		mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, indices[i]);
		header = hfi_nldev_batch_add(nl->socket, RDMA_NLDEV_CMD_GET_CHARDEV);
		mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, indices[i]);
		mnl_attr_put_strz(header, RDMA_NLDEV_ATTR_CHARDEV_TYPE, "uverbs");
	}
	err = hfi_nldev_batch_run(nl->socket, take_seen, &seeing);
	for (unsigned int i = 0; i < count && !err; i++) {
		if (!ret[i].err)
			ret[i].err = seeing.chardev_errors[i];
		if (!ret[i].err)
			ret[i].number = hfi_uverbs_number(ret[i].chardev.name);
	}
	return err;
}

static int take_lowest(void *arg, const void *message, size_t size)
{
	struct hf_nldev device;
	int64_t *lowest = arg;
	int err = hfi_nldev_parse(message, size, &device);

	if (!err && *lowest < 0)
		*lowest = device.index;
	return err;
}

int hfi_nl_lowest(uint32_t *ret)
{
	int64_t lowest = -1;
	int err = hfi_nldev_first(take_lowest, &lowest);

	if (!err && lowest < 0)
		err = -ENODEV;
	if (!err)
		*ret = (uint32_t)lowest;
	return err;
}

static int pass_port(void *arg, const void *message, size_t size)
{
	return hfi_nldev_parse_port(message, size, arg);
}

int hfi_nl_port(struct hf_nl *nl, uint32_t index, uint32_t port, struct hf_nldev_port *ret)
{
	struct nlmsghdr *header = hfi_nldev_request(nl->socket, RDMA_NLDEV_CMD_PORT_GET, 0);
	struct hf_nldev_port here;
	int err;

	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_DEV_INDEX, index);
	mnl_attr_put_u32(header, RDMA_NLDEV_ATTR_PORT_INDEX, port);
	err = hfi_nldev_ask(nl->socket, pass_port, NULL, &here);
	if (!err)
		*ret = here;
	return err == -EINVAL ? -ENODEV : err;
}

static int pass_exclusive(void *arg, const void *message, size_t size)
{
	int *exclusive = arg;
	int answer = hfi_nldev_parse_exclusive(message, size);

	if (answer < 0)
		return answer;
	*exclusive = answer;
	return 0;
}

int hfi_nl_exclusive(struct hf_nl *nl)
{
	int exclusive = 0;
	int err;

	hfi_nldev_request(nl->socket, RDMA_NLDEV_CMD_SYS_GET, 0);
	err = hfi_nldev_ask(nl->socket, pass_exclusive, NULL, &exclusive);
	return err ? err : exclusive;
}
