/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What a peer of the stream link sends. The first byte says which end is tested and how much is sent at a time;
 * then come frames, in which a small key stands for one of the memory that is granted, and the address is counted
 * from that.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "rtrs/link/stream/frame.h"
#include "rtrs/link/stream/stream.h"
#include "t/fuzz/fuzz.h"

enum { MEMORY = 96, RECEIVE = 40, DEPTH = 4, EVENTS_MAX = 10000 };

const char fuzz_name[] = "rtrs-stream";

static struct rtrs_link *link_of_test;
static struct rtrs_connection *connection;
static struct rtrs_memory *memory, *window_memory, *receive_memory;
static struct rtrs_window *window;
static uint8_t *granted, *received;
static bool is_up;
static unsigned int posted;

static void fuzz_receive(void)
{
	const struct rtrs_segment segment = {received, RECEIVE, receive_memory->local_key};

	if (!link_of_test->ops->receive(connection, 1, posted % 3 ? &segment : NULL))
		posted++;
}

static void grant_memory(void)
{
	const struct rtrs_link_ops *ops = link_of_test->ops;

	if (ops->grant(connection, granted, MEMORY, RTRS_ACCESS_WRITE, &memory) ||
	    ops->grant(connection, granted, MEMORY, RTRS_ACCESS_WINDOWS, &window_memory) ||
	    ops->grant(connection, received, RECEIVE, RTRS_ACCESS_NONE, &receive_memory) ||
	    ops->open_window(window_memory, &window) ||
	    ops->bind(connection, window, granted + 8, 16, false, 1))
		abort();
	for (int i = 0; i < DEPTH; i++)
		fuzz_receive();
}

static void fuzz_accept(const struct rtrs_link_event *event)
{
	const struct rtrs_link_queues queues = {DEPTH, DEPTH, NULL};

	fuzz_check(event->private_size <= RTRS_FRAME_PRIVATE_MAX);
	connection = event->connection;
	if (link_of_test->ops->prepare(connection, &queues))
		abort();
	grant_memory();
	if (link_of_test->ops->accept(connection, event->private_data, event->private_size))
		abort();
}

static void event_arrives(const struct rtrs_link_event *event)
{
	switch (event->type) {
	case RTRS_LINK_REQUESTED:
		fuzz_accept(event);
		break;
	case RTRS_LINK_CONNECTED:
		fuzz_check(!is_up);
		is_up = true;
		if (!memory)
			grant_memory();
		break;
	case RTRS_LINK_RECEIVED:
		fuzz_check(event->length <= RECEIVE);
		if (!event->error && posted % 5)
			fuzz_receive();
		break;
	case RTRS_LINK_LOST:
	case RTRS_LINK_REFUSED:
		fuzz_check(event->error < 0);
		break;
	default:
		fuzz_check(event->type == RTRS_LINK_SENT);
		break;
	}
}

static void fuzz_serve(void)
{
	struct rtrs_link_event event;
	unsigned int count = 0;

	while (link_of_test->ops->next(link_of_test, &event) > 0) {
		fuzz_check(++count < EVENTS_MAX);
		event_arrives(&event);
	}
}

static void put_frame(uint8_t bytes[RTRS_FRAME_SIZE])
{
	struct rtrs_frame frame;

	if (rtrsi_frame_decode(bytes, &frame) || frame.type <= RTRS_FRAME_REJECT || !memory)
		return;
	if (frame.key < 4)
		frame.address += (uintptr_t)granted;
	if (frame.key == 1)
		frame.key = memory->remote_key;
	else if (frame.key == 2)
		frame.key = window->remote_key;
	else if (frame.key == 3)
		frame.key = memory->local_key;
	rtrsi_frame_encode(&frame, bytes);
}

static void fuzz_say(int fd, const uint8_t *bytes, size_t size, size_t at_a_time)
{
	while (size) {
		size_t now = size < at_a_time ? size : at_a_time;
		ssize_t sent = send(fd, bytes, now, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (sent <= 0)
			return;
		fuzz_serve();
		bytes += sent;
		size -= (size_t)sent;
	}
}

static void say_frames(int fd, const uint8_t *data, size_t size, size_t at_a_time)
{
	uint8_t header[RTRS_FRAME_SIZE];
	uint32_t length;

	while (size >= RTRS_FRAME_SIZE) {
		memcpy(header, data, RTRS_FRAME_SIZE);
		memcpy(&length, data + 4, sizeof(length));
		put_frame(header);
		data += RTRS_FRAME_SIZE;
		size -= RTRS_FRAME_SIZE;
		if (length > size)
			length = (uint32_t)size;
		fuzz_say(fd, header, RTRS_FRAME_SIZE, at_a_time);
		fuzz_say(fd, data, length, at_a_time);
		data += length;
		size -= length;
	}
	fuzz_say(fd, data, size, at_a_time);
}

/* The peer is a listener that the target does not have: it answers what this end has asked for. */
static int peer_that_listens(void)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	const struct rtrs_link_connect how = {.destination = (struct sockaddr *)&address,
					      .send_depth = DEPTH,
					      .receive_depth = DEPTH,
					      .private_data = (const uint8_t *)"x",
					      .private_size = 1};
	int listener = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0), fd;

	snprintf(address.sun_path, sizeof(address.sun_path), "%s/hf-fuzz-%d",
		 getenv("TMPDIR") ? getenv("TMPDIR") : "/tmp", (int)getpid());
	unlink(address.sun_path);
	if (listener < 0 || bind(listener, (struct sockaddr *)&address, sizeof(address)) ||
	    listen(listener, 1) || link_of_test->ops->connect(link_of_test, &how, &connection))
		abort();
	fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	close(listener);
	unlink(address.sun_path);
	return fd;
}

static int peer_that_connects(void)
{
	int fds[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) ||
	    fcntl(fds[1], F_SETFL, O_NONBLOCK) || rtrsi_stream_adopt(link_of_test, fds[1]))
		abort();
	return fds[0];
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	int fd;

	if (!size)
		return 0;
	granted = malloc(MEMORY);
	received = malloc(RECEIVE);
	if (!granted || !received || rtrsi_stream_open(&link_of_test))
		abort();
	connection = NULL;
	memory = window_memory = receive_memory = NULL;
	window = NULL;
	is_up = false;
	posted = 0;
	fd = data[0] & 1 ? peer_that_listens() : peer_that_connects();
	fuzz_serve();
	say_frames(fd, data + 1, size - 1, 1 + (data[0] >> 1) * 4U);
	close(fd);
	fuzz_serve();
	if (connection)
		link_of_test->ops->free(connection);
	if (window)
		link_of_test->ops->close_window(window);
	if (window_memory)
		link_of_test->ops->withdraw(window_memory);
	if (receive_memory)
		link_of_test->ops->withdraw(receive_memory);
	if (memory)
		link_of_test->ops->withdraw(memory);
	link_of_test->ops->close(link_of_test);
	free(granted);
	free(received);
	return 0;
}
