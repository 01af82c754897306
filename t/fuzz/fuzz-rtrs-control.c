/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a control program may send to a client's session with three paths, of which none can connect. The input is a
 * row of packets: a byte that says what, and then a whole packet, or the file and the value of a good one; or the
 * session is dispatched.
 */
#include <errno.h>
#include <rtrs/rtrs.h>
#include <sys/socket.h>

#include "rtrs/control/endpoint.h"
#include "rtrs/lib/client_internal.h"
#include "t/fuzz/fuzz.h"

const char fuzz_name[] = "rtrs-control";

enum { PATHS = 3, VALUE_MAX = 255 };

static const uint8_t *input, *input_end;

/* No input reaches anybody. */
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t size);
int __wrap_connect(int fd, const struct sockaddr *to, socklen_t size)
{
	(void)fd;
	(void)to;
	(void)size;
	errno = ECONNREFUSED;
	return -1;
}

static uint8_t take_control_byte(void)
{
	return input < input_end ? *input++ : 0;
}

static const char *const files[] = {
	"add_path",
	"max_reconnect_attempts",
	"mpath_policy",
	"mp_policy",
	"paths/PATH/state",
	"paths/PATH/reconnect",
	"paths/PATH/disconnect",
	"paths/PATH/remove_path",
	"paths/PATH/src_addr",
	"paths/PATH/dst_addr",
	"paths/PATH/hca_name",
	"paths/PATH/cur_latency",
	"paths/PATH/stats/rdma",
	"paths/PATH/stats/reconnects",
	"paths/PATH/stats/cpu_migration",
	"paths/PATH/stats/reset_all",
};

/* Of the path with that number, as it is named. */
static void name_control_file(const char *file, unsigned int path, char to[RTRS_CONTROL_PATH_MAX])
{
	const char *at = strstr(file, "PATH");

	if (at)
		snprintf(to, RTRS_CONTROL_PATH_MAX,
			 "rtrs-client/fuzz/%.*sunix:#%u@unix:!nowhere!%u%s", (int)(at - file), file,
			 path, path, at + strlen("PATH"));
	else
		snprintf(to, RTRS_CONTROL_PATH_MAX, "rtrs-client/fuzz/%s", file);
}

static void take_control_packet(struct rtrs_control *control, const uint8_t *bytes, size_t size)
{
	uint8_t *copy = fuzz_copy(bytes, size);
	struct rtrs_control_answer answer;
	struct rtrs_control_entry entry;
	struct rtrs_control_page page;
	size_t length, offset = 0;
	uint64_t number = 0;
	int result;

	length = rtrsi_control_take(control, copy, size, &number);
	free(copy);
	fuzz_check(length || number);
	if (!length)
		return;
	fuzz_check(!rtrsi_control_answer_decode(control->answer, length, &answer));
	page = (struct rtrs_control_page){.bytes = (char *)control->answer + sizeof(answer),
					  .length = answer.length};
	/* Where it is no list it is a text. */
	if (size < 6 || bytes[4] > RTRS_CONTROL_LIST_VALUES || answer.error)
		return;
	while ((result = rtrsi_control_page_next(&page, &offset, &entry)) > 0)
		fuzz_check(strlen(entry.path) < RTRS_CONTROL_PATH_MAX);
	fuzz_check(!result);
}

/* What a program gets may be anything as well: nothing beyond it is read. */
static void read_page(const uint8_t *bytes, size_t size)
{
	uint8_t *copy = fuzz_copy(bytes, size);
	struct rtrs_control_page page = {.bytes = (char *)copy, .length = size};
	struct rtrs_control_answer answer;
	struct rtrs_control_entry entry;
	size_t offset = 0;

	(void)!rtrsi_control_answer_decode(copy, size, &answer);
	while (rtrsi_control_page_next(&page, &offset, &entry) > 0)
		fuzz_check(strlen(entry.path) < RTRS_CONTROL_PATH_MAX &&
			   entry.value[entry.value_length] == '\0');
	free(copy);
}

static void take_good_request(struct rtrs_control *control, uint8_t what)
{
	uint8_t bytes[RTRS_CONTROL_REQUEST_SIZE], size = take_control_byte();
	char path[RTRS_CONTROL_PATH_MAX], value[VALUE_MAX + 1] = "";
	struct rtrs_control_request request = {
		.type = 1 + (what & 3), .path = path, .value = value, .value_length = size};
	int length;

	name_control_file(files[take_control_byte() % HF_ARRAY_SIZE(files)], what >> 2 & 3, path);
	for (uint8_t i = 0; i < size; i++)
		value[i] = (char)take_control_byte();
	request.cursor = (struct rtrs_control_cursor){what >> 4 & 3, what >> 6};
	length = rtrsi_control_encode(&request, bytes);
	fuzz_check(length > 0);
	take_control_packet(control, bytes, (size_t)length);
}

static void take_control_step(struct rtrs_session *session, struct rtrs_control *control)
{
	uint8_t what = take_control_byte();
	size_t left, size;

	if (what < 0xf0) {
		pthread_mutex_lock(&session->lock);
		take_good_request(control, what);
		pthread_mutex_unlock(&session->lock);
		return;
	}
	if (what == 0xff) {
		fuzz_check(!rtrs_session_dispatch(session));
		return;
	}
	size = (size_t)take_control_byte() << 4 | (what & 15);
	left = (size_t)(input_end - input);
	if (size > left)
		size = left;
	read_page(input, size);
	pthread_mutex_lock(&session->lock);
	take_control_packet(control, input, size);
	pthread_mutex_unlock(&session->lock);
	input += size;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static uint8_t answer[sizeof(struct rtrs_control_answer) + RTRS_CONTROL_PAGE];
	const struct rtrs_session_options options = {.size = sizeof(options), .name = "fuzz"};
	struct rtrs_control control = {.ops = &rtrsi_session_control, .answer = answer};
	struct rtrs_session *session;
	char address[32];

	setenv("HOLDFAST_RTRS_CONTROL", "off", 1);
	input = data;
	input_end = data + size;
	fuzz_check(!rtrs_session_open(&options, &session));
	control.user = session;
	for (unsigned int i = 0; i < PATHS; i++) {
		snprintf(address, sizeof(address), "unix:/nowhere/%u", i);
		fuzz_check(rtrs_session_add_path(session, address) == (int)i);
	}
	while (input < input_end)
		take_control_step(session, &control);
	rtrs_session_close(session);
	return 0;
}
