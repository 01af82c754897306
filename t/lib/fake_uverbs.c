/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Answers the commands of a uverbs context in tests, and checks what was sent. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>
#include <rdma/rdma_user_ioctl.h>

#include "shared/attr.h"
#include "core/verbs/operations.h"
#include "t/lib/fake_kernel.h"
#include "t/lib/fake_uverbs.h"

enum { COMMANDS = 64, ATTRS = 32, REPLIES = 8, DATA = 2048 };

struct taken_attr {
	struct ib_uverbs_attr attr;
	uint8_t data[DATA]; /* a copy of the bytes that a pointer pointed to */
	bool looked_at;
};

struct command {
	struct ib_uverbs_ioctl_hdr header;
	struct taken_attr attrs[ATTRS];
};

struct reply {
	uint16_t attr;
	size_t size;
	uint8_t data[DATA];
};

struct answer {
	int err;
	unsigned int num_replies;
	struct reply replies[REPLIES];
};

static struct {
	int fd;
	int gone;
	uint32_t next_handle;
	unsigned int num_commands, num_answers, looked_at;
	struct command commands[COMMANDS];
	struct answer answers[COMMANDS];
	const char *complaint; /* why the real kernel would refuse; NULL: it would not */
	struct verbs_context context;
	struct verbs_ex_private private;
	struct verbs_device device;
	struct hf_device behind;
} fake = {.fd = -1};

static void fake_complain(const char *what)
{
	if (!fake.complaint)
		fake.complaint = what;
}

/* Whether the attribute is an object or a descriptor, not bytes. */
static bool is_object(const struct ib_uverbs_attr *attr)
{
	return !attr->len;
}

/* Whether it asks for a new object: handles of existing objects begin at 1. */
static bool is_new_object(const struct ib_uverbs_attr *attr)
{
	return is_object(attr) && !attr->data;
}

static void take_attr(struct taken_attr *taken, const struct ib_uverbs_attr *attr)
{
	taken->attr = *attr;
	taken->looked_at = false;
	if (attr->flags & ~UVERBS_ATTR_F_MANDATORY)
		fake_complain("a flag that is not for user space");
	if (attr->attr_data.enum_data.reserved)
		fake_complain("a reserved byte that is not 0");
	if (attr->len > DATA)
		fake_complain("more bytes than this kernel supports");
	else if (attr->len > sizeof(attr->data))
		memcpy(taken->data, (const void *)(uintptr_t)attr->data, attr->len);
}

static void write_reply(struct ib_uverbs_attr *attr, const void *data, size_t size)
{
	if (is_object(attr)) {
		memcpy(&attr->data, data, sizeof(attr->data));
		return;
	}
	memcpy((void *)(uintptr_t)attr->data, data, size < attr->len ? size : attr->len);
	attr->flags |= UVERBS_ATTR_F_VALID_OUTPUT;
}

static void give_reply(struct ib_uverbs_attr *attrs, size_t count, const struct reply *reply)
{
	for (size_t i = 0; i < count; i++)
		if (attrs[i].attr_id == reply->attr) {
			write_reply(&attrs[i], reply->data, reply->size);
			return;
		}
	fake_complain("an answer to an attribute that was not sent");
}

static int answer_fake_command(int fd, struct ib_uverbs_ioctl_hdr *header)
{
	const struct answer *answer = &fake.answers[fake.num_commands];
	struct command *command = &fake.commands[fake.num_commands];

	(void)fd;
	if (fake.num_commands == COMMANDS) {
		fake_complain("more commands than this kernel supports");
		return EIO;
	}
	fake.looked_at = fake.num_commands++;
	memcpy(&command->header, header, sizeof(*header));
	if (header->length != sizeof(*header) + header->num_attrs * sizeof(header->attrs[0]))
		fake_complain("a length that does not fit the attributes");
	if (header->reserved1 || header->reserved2)
		fake_complain("a reserved member that is not 0");
	if (header->driver_id != FAKE_DRIVER_ID)
		fake_complain("another driver's number");
	if (header->num_attrs > ATTRS) {
		fake_complain("more attributes than this kernel supports");
		return EINVAL;
	}
	for (size_t i = 0; i < header->num_attrs; i++) {
		take_attr(&command->attrs[i], &header->attrs[i]);
		for (size_t j = 0; j < i; j++)
			if (header->attrs[i].attr_id == header->attrs[j].attr_id)
				fake_complain("an attribute twice");
	}
	if (fake.gone)
		return fake.gone;
	for (size_t i = 0; i < header->num_attrs; i++)
		if (is_new_object(&header->attrs[i]))
			header->attrs[i].data = ++fake.next_handle;
	if (fake.num_commands > fake.num_answers)
		return 0;
	if (answer->err)
		return answer->err;
	for (unsigned int i = 0; i < answer->num_replies; i++)
		give_reply(header->attrs, header->num_attrs, &answer->replies[i]);
	return 0;
}

struct ibv_context *fake_context(void)
{
	fake_context_end();
	memset(&fake, 0, sizeof(fake));
	/* Read-only, so that write() fails and every command is finally sent by ioctl(). */
	fake.fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
	assert_true(fake.fd >= 0);
	fake_kernel_answer(fake.fd, answer_fake_command);
	hfi_delivered_init(&fake.private.uverbs.delivered);
	fake.private.uverbs.driver_id = FAKE_DRIVER_ID;
	fake.private.uverbs.event_fd = -1;
	fake.private.uverbs.qp_mask_offset = offsetof(struct verbs_qp, comp_mask);
	fake.private.calls = &hfi_kernel_calls;
	fake.private.device = &fake.behind;
	fake.device.sysfs = &fake.behind.sysfs;
	fake.context.priv = &fake.private;
	fake.context.sz = sizeof(fake.context);
	fake.context.context.device = &fake.device.device;
	fake.context.context.cmd_fd = fake.fd;
	fake.context.context.async_fd = -1;
	fake.context.context.num_comp_vectors = 1;
	fake.context.context.abi_compat = __VERBS_ABI_IS_EXTENDED;
	pthread_mutex_init(&fake.context.context.mutex, NULL);
	hfi_operations_default(&fake.context);
	assert_true(hfi_live_add(&fake.context.context));
	return &fake.context.context;
}

struct verbs_device *fake_device(void)
{
	return &fake.device;
}

void fake_context_end(void)
{
	if (fake.fd > 0) {
		hfi_live_remove(&fake.context.context);
		hfi_delivered_fini(&fake.private.uverbs.delivered);
		close(fake.fd);
	}
	fake.fd = -1;
}

static struct answer *next_answer(void)
{
	if (fake.num_answers < fake.num_commands)
		fake.num_answers = fake.num_commands;
	assert_true(fake.num_answers < COMMANDS);
	return memset(&fake.answers[fake.num_answers++], 0, sizeof(struct answer));
}

void fake_fail(int err)
{
	next_answer()->err = err;
}

void fake_succeed(void)
{
	next_answer();
}

void fake_reply(uint16_t attr, const void *data, size_t size)
{
	struct answer *answer;
	struct reply *reply;

	assert_true(fake.num_answers > fake.num_commands);
	answer = &fake.answers[fake.num_answers - 1];
	assert_true(answer->num_replies < REPLIES && size <= DATA);
	reply = &answer->replies[answer->num_replies++];
	reply->attr = attr;
	reply->size = size;
	memcpy(reply->data, data, size);
}

void fake_reply_handle(uint16_t attr, uint32_t handle)
{
	const uint64_t wide = handle;

	fake_reply(attr, &wide, sizeof(wide));
}

void fake_gone(int err)
{
	fake.gone = err;
}

unsigned int fake_count(void)
{
	return fake.num_commands;
}

void fake_look_at(unsigned int number)
{
	assert_true(number < fake.num_commands);
	fake.looked_at = number;
}

static struct command *looked_at(void)
{
	if (fake.complaint)
		fail_msg("the kernel would refuse: %s", fake.complaint);
	assert_true(fake.num_commands > 0);
	return &fake.commands[fake.looked_at];
}

void fake_sent(uint16_t object, uint16_t method)
{
	assert_int_equal(looked_at()->header.object_id, object);
	assert_int_equal(looked_at()->header.method_id, method);
}

void fake_sent_write(uint32_t cmd)
{
	fake_sent(UVERBS_OBJECT_DEVICE, UVERBS_METHOD_INVOKE_WRITE);
	fake_in_const(UVERBS_ATTR_WRITE_CMD, cmd);
}

static struct taken_attr *find_taken_attr(uint16_t id)
{
	struct command *command = looked_at();

	for (size_t i = 0; i < command->header.num_attrs; i++)
		if (command->attrs[i].attr.attr_id == id) {
			command->attrs[i].looked_at = true;
			return &command->attrs[i];
		}
	fail_msg("attribute %u was not sent", id);
	return NULL;
}

static void check_bytes(const struct taken_attr *taken, const void *data, size_t size)
{
	assert_int_equal(taken->attr.len, size);
	assert_true(taken->attr.flags & UVERBS_ATTR_F_MANDATORY);
	if (size <= sizeof(taken->attr.data))
		assert_memory_equal(&taken->attr.data, data, size);
	else
		assert_memory_equal(taken->data, data, size);
}

void fake_in(uint16_t id, const void *data, size_t size)
{
	const struct taken_attr *taken = find_taken_attr(id);

	assert_int_equal(taken->attr.attr_data.reserved, 0);
	check_bytes(taken, data, size);
}

void fake_in_const(uint16_t id, uint64_t value)
{
	const struct taken_attr *taken = find_taken_attr(id);

	assert_int_equal(taken->attr.len, sizeof(value));
	assert_true(taken->attr.data == value);
}

void fake_in_handle(uint16_t id, uint32_t handle)
{
	const struct taken_attr *taken = find_taken_attr(id);

	assert_int_equal(taken->attr.len, 0);
	assert_int_equal(taken->attr.data, handle);
}

void fake_in_fd(uint16_t id, int fd)
{
	const struct taken_attr *taken = find_taken_attr(id);

	assert_int_equal(taken->attr.len, 0);
	assert_int_equal(taken->attr.data_s64, fd);
}

void fake_in_handles(uint16_t id, const uint32_t *handles, size_t count)
{
	const struct taken_attr *taken = find_taken_attr(id);
	size_t size = count * sizeof(*handles);

	assert_int_equal(taken->attr.len, size);
	/* Lists are never inline. A short list was not copied and may have been freed. */
	if (size > sizeof(taken->attr.data))
		assert_memory_equal(taken->data, handles, size);
}

void fake_in_enum(uint16_t id, uint8_t elem, const void *data, size_t size)
{
	const struct taken_attr *taken = find_taken_attr(id);

	assert_int_equal(taken->attr.attr_data.enum_data.elem_id, elem);
	check_bytes(taken, data, size);
}

void fake_out(uint16_t id, size_t size)
{
	assert_int_equal(find_taken_attr(id)->attr.len, size);
}

void fake_no_more(void)
{
	const struct command *command = looked_at();

	for (size_t i = 0; i < command->header.num_attrs; i++)
		if (!command->attrs[i].looked_at)
			fail_msg("attribute %u was sent as well", command->attrs[i].attr.attr_id);
}
