/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* Encodes and decodes requests, answers and entries; refuses any that is not whole. */
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "rtrs/control/wire.h"

enum { REQUEST_MAGIC = 0x31515452, ANSWER_MAGIC = 0x31415452 };

struct request_head {
	uint32_t magic;
	uint16_t type;
	uint16_t path_length; /* both with their NUL */
	uint32_t value_length;
	uint32_t reserved;
	struct rtrs_control_cursor cursor;
};

_Static_assert(sizeof(struct request_head) + (int)RTRS_CONTROL_PATH_MAX +
			       (int)RTRS_CONTROL_VALUE_MAX + 1 ==
		       (int)RTRS_CONTROL_REQUEST_SIZE,
	       "the largest request");

int rtrsi_control_encode(const struct rtrs_control_request *request,
			 uint8_t to[RTRS_CONTROL_REQUEST_SIZE])
{
	const char *path = request->path ? request->path : "";
	struct request_head head = {
		.magic = REQUEST_MAGIC,
		.type = (uint16_t)request->type,
		.value_length = (uint32_t)request->value_length + 1,
		.cursor = request->cursor,
	};
	size_t length = strlen(path) + 1;

	if (length > RTRS_CONTROL_PATH_MAX)
		return -ENAMETOOLONG;
	if (request->value_length > RTRS_CONTROL_VALUE_MAX)
		return -EMSGSIZE;
	head.path_length = (uint16_t)length;
	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), path, length);
	if (request->value_length)
		memcpy(to + sizeof(head) + length, request->value, request->value_length);
	to[sizeof(head) + length + request->value_length] = '\0';
	return (int)(sizeof(head) + length + head.value_length);
}

int rtrsi_control_decode(const uint8_t *bytes, size_t size, struct rtrs_control_request *ret)
{
	struct request_head head;
	const char *path, *value;

	if (size < sizeof(head))
		return -EBADMSG;
	memcpy(&head, bytes, sizeof(head));
	if (head.magic != REQUEST_MAGIC || head.type < RTRS_CONTROL_LIST ||
	    head.type > RTRS_CONTROL_WRITE || !head.path_length ||
	    head.path_length > RTRS_CONTROL_PATH_MAX || !head.value_length ||
	    head.value_length > RTRS_CONTROL_VALUE_MAX + 1 ||
	    size != sizeof(head) + head.path_length + head.value_length)
		return -EBADMSG;
	path = (const char *)bytes + sizeof(head);
	value = path + head.path_length;
	if (memchr(path, '\0', head.path_length) != value - 1 || value[head.value_length - 1])
		return -EBADMSG;
	*ret = (struct rtrs_control_request){
		.type = head.type,
		.cursor = head.cursor,
		.path = path,
		.value = value,
		.value_length = head.value_length - 1,
	};
	return 0;
}

int rtrsi_control_answer_decode(const void *bytes, size_t size, struct rtrs_control_answer *ret)
{
	struct rtrs_control_answer answer;

	if (size < sizeof(answer))
		return -EBADMSG;
	memcpy(&answer, bytes, sizeof(answer));
	if (answer.magic != ANSWER_MAGIC || answer.length != size - sizeof(answer) ||
	    answer.error > 0 || answer.error < -4095)
		return -EBADMSG;
	*ret = answer;
	return 0;
}

void rtrsi_control_answer_encode(int error, struct rtrs_control_cursor next, size_t length,
				 void *to)
{
	const struct rtrs_control_answer answer = {
		.magic = ANSWER_MAGIC, .error = error, .next = next, .length = (uint32_t)length};

	memcpy(to, &answer, sizeof(answer));
}

/* --- entries ------------------------------------------------------------------------------------- */

struct entry_head {
	uint16_t mode;
	uint16_t is_hidden;
	uint16_t path_length, value_length; /* both with their NUL */
};

void rtrsi_control_page_add(struct rtrs_control_page *page, const struct rtrs_control_entry *entry)
{
	size_t path_length = strlen(entry->path) + 1;
	const struct entry_head head = {
		.mode = entry->mode,
		.is_hidden = entry->is_hidden,
		.path_length = (uint16_t)path_length,
		.value_length = (uint16_t)(entry->value_length + 1),
	};
	char *to = page->bytes + page->length;

	if (path_length > RTRS_CONTROL_PATH_MAX || entry->value_length > RTRS_CONTROL_VALUE_MAX ||
	    page->size - page->length < sizeof(head) + path_length + head.value_length) {
		page->is_full = true;
		return;
	}
	memcpy(to, &head, sizeof(head));
	memcpy(to + sizeof(head), entry->path, path_length);
	to += sizeof(head) + path_length;
	if (entry->value_length)
		memcpy(to, entry->value, entry->value_length);
	to[entry->value_length] = '\0';
	page->length += sizeof(head) + path_length + head.value_length;
}

static bool is_mode_known(uint16_t mode)
{
	return S_ISDIR(mode) || S_ISREG(mode) || S_ISLNK(mode);
}

int rtrsi_control_page_next(const struct rtrs_control_page *page, size_t *offset,
			    struct rtrs_control_entry *ret)
{
	const char *at = page->bytes + *offset;
	size_t left = page->length - *offset;
	struct entry_head head;

	if (!left)
		return 0;
	if (left < sizeof(head))
		return -EBADMSG;
	memcpy(&head, at, sizeof(head));
	at += sizeof(head);
	if (!head.path_length || head.path_length > RTRS_CONTROL_PATH_MAX || !head.value_length ||
	    head.value_length > RTRS_CONTROL_VALUE_MAX + 1 ||
	    left < sizeof(head) + head.path_length + head.value_length ||
	    memchr(at, '\0', head.path_length) != at + head.path_length - 1 ||
	    at[head.path_length + head.value_length - 1] || !is_mode_known(head.mode))
		return -EBADMSG;
	*ret = (struct rtrs_control_entry){
		.mode = head.mode,
		.is_hidden = head.is_hidden,
		.path = at,
		.value = at + head.path_length,
		.value_length = head.value_length - 1U,
	};
	*offset += sizeof(head) + head.path_length + head.value_length;
	return 1;
}
