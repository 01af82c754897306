/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* RTRS, the stream link and neighbours that mean harm: endless work, others' keys, others' sockets. */
#include <errno.h>
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>
#include <cmocka.h>

#include "rtrs/link/stream/frame.h"
#include "rtrs/link/stream/stream.h"
#include "t/lib/process.h"

enum { DEPTH = 8, MEMORY = 1 << 20, CALLS_MAX = 100000 };

static struct rtrs_link *client, *server;
static struct rtrs_listener *listener;
static struct sockaddr_un address;
static char directory[] = "/tmp/hf-rtrs-hostile-XXXXXX";
static char memory_of_server[MEMORY], memory_of_client[MEMORY];

/* --- what the library calls ---------------------------------------------------------------------- */

static struct {
	struct rtrs_frame frame;
	size_t at;
	bool is_on;
	int fd; /* of the first one that is read */
} flood;
static unsigned long calls;
static size_t random_bytes;
static void (*before_unlink)(void);

/* More calls in one round than anybody waits for. */
static void one_more_call(void)
{
	if (++calls > CALLS_MAX) {
		fputs("the link never returns\n", stderr);
		_exit(99);
	}
}

static void fill_with_flood(char *to, size_t size)
{
	uint8_t header[RTRS_FRAME_SIZE];
	size_t period = RTRS_FRAME_SIZE + flood.frame.length;

	rtrsi_frame_encode(&flood.frame, header);
	for (size_t i = 0; i < size; i++, flood.at++) {
		size_t at = flood.at % period;

		to[i] = at < RTRS_FRAME_SIZE ? (char)header[at] : 'x';
	}
}

/* A peer that sends as fast as it is read, for ever. */
ssize_t readv(int fd, const struct iovec *vectors, int count)
{
	size_t size = 0;

	if (flood.is_on && flood.fd < 0)
		flood.fd = fd;
	if (!flood.is_on || fd != flood.fd)
		return syscall(SYS_readv, fd, vectors, count);
	one_more_call();
	for (int i = 0; i < count; i++) {
		fill_with_flood(vectors[i].iov_base, vectors[i].iov_len);
		size += vectors[i].iov_len;
	}
	return (ssize_t)size;
}

static bool are_strangers_endless;

/* Each of them says what no peer says. */
int accept4(int fd, struct sockaddr *restrict peer, socklen_t *restrict size, int flags)
{
	int pair[2];

	if (!are_strangers_endless)
		return (int)syscall(SYS_accept4, fd, peer, size, flags);
	one_more_call();
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, pair))
		return -1;
	(void)!write(pair[1], "GET / HTTP/1.1\r\nHost: localhost\r\n\r\n", 35);
	close(pair[1]);
	return pair[0];
}

ssize_t getrandom(void *to, size_t size, unsigned int flags)
{
	random_bytes += size;
	return syscall(SYS_getrandom, to, size, flags);
}

int unlink(const char *path)
{
	void (*before)(void) = before_unlink;

	before_unlink = NULL;
	if (before)
		before();
	return (int)syscall(SYS_unlinkat, -100, path, 0);
}

/* --- a bed --------------------------------------------------------------------------------------- */

static int open_links(void **state)
{
	(void)state;
	assert_int_equal(rtrsi_stream_open(&client), 0);
	assert_int_equal(rtrsi_stream_open(&server), 0);
	assert_int_equal(
		server->ops->listen(server, (const struct sockaddr *)&address, NULL, &listener), 0);
	return 0;
}

static int close_links(void **state)
{
	(void)state;
	client->ops->close(client);
	server->ops->close(server);
	return 0;
}

static struct rtrs_link_event event_at(struct rtrs_link *link)
{
	struct rtrs_link_event event;
	int count = 0;

	for (int i = 0; i < 8 && !count; i++)
		count = link->ops->next(link, &event);
	assert_int_equal(count, 1);
	return event;
}

/* What it has to send is sent. */
static void no_event_at(struct rtrs_link *link)
{
	struct rtrs_link_event event;

	assert_int_equal(link->ops->next(link, &event), 0);
}

struct pair {
	struct rtrs_connection *client, *server;
};

static struct pair connect_in(const void *domain)
{
	const struct rtrs_link_connect how = {.destination = (const struct sockaddr *)&address,
					      .send_depth = DEPTH,
					      .receive_depth = DEPTH};
	const struct rtrs_link_queues queues = {DEPTH, DEPTH, NULL, domain};
	struct rtrs_link_event event;
	struct pair pair;

	assert_int_equal(client->ops->connect(client, &how, &pair.client), 0);
	no_event_at(client);
	event = event_at(server);
	assert_int_equal(event.type, RTRS_LINK_REQUESTED);
	pair.server = event.connection;
	assert_int_equal(server->ops->prepare(pair.server, &queues), 0);
	assert_int_equal(server->ops->accept(pair.server, NULL, 0), 0);
	assert_int_equal(event_at(server).type, RTRS_LINK_CONNECTED);
	assert_int_equal(event_at(client).type, RTRS_LINK_CONNECTED);
	no_event_at(server);
	no_event_at(client);
	return pair;
}

static void free_pair(const struct pair *pair)
{
	client->ops->free(pair->client);
	server->ops->free(pair->server);
}

static struct rtrs_memory *grant_at_server(const struct pair *pair)
{
	struct rtrs_memory *memory;

	assert_int_equal(server->ops->grant(pair->server, memory_of_server, MEMORY,
					    RTRS_ACCESS_WRITE, &memory),
			 0);
	return memory;
}

/* --- endless work -------------------------------------------------------------------------------- */

/* A peer that writes without end: the caller gets its turn, other connections theirs, and later the peer again. */
static void flood_with(uint32_t length)
{
	struct pair hostile = connect_in("hostile"), other = connect_in("other");
	struct rtrs_memory *memory = grant_at_server(&hostile);
	const struct rtrs_post message = {.type = RTRS_POST_SEND};

	flood.frame = (struct rtrs_frame){.type = RTRS_FRAME_WRITE,
					  .length = length,
					  .address = (uintptr_t)memory_of_server,
					  .key = memory->remote_key};
	flood.at = 0;
	flood.fd = -1;
	/* Awake for a byte, which is replaced. */
	assert_int_equal(client->ops->post(hostile.client, &message, 1), 0);
	flood.is_on = true;
	calls = 0;
	for (int round = 0; round < 5; round++) {
		no_event_at(server);
		assert_memory_equal(memory_of_server, "xxxxxxxxxxxxxxxx", length ? 16 : 0);
	}
	/* What another peer does is seen meanwhile. */
	client->ops->free(other.client);
	other.client = NULL;
	for (int round = 0; round < 3 && other.server; round++) {
		struct rtrs_link_event event;

		if (server->ops->next(server, &event) && event.connection == other.server) {
			assert_int_equal(event.type, RTRS_LINK_LOST);
			server->ops->free(other.server);
			other.server = NULL;
		}
	}
	assert_null(other.server);
	assert_true(calls > 0);
	flood.is_on = false;
	server->ops->withdraw(memory);
	free_pair(&hostile);
}

static void writes_without_end(void **state)
{
	(void)state;
	flood_with(0);
	flood_with(16);
	flood_with(MEMORY);
}

static void strangers_without_end(void **state)
{
	struct rtrs_link_event event;
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int before;

	(void)state;
	assert_int_equal(connect(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	before = count_open_fds();
	are_strangers_endless = true;
	for (int round = 0; round < 10; round++) {
		calls = 0;
		assert_int_equal(server->ops->next(server, &event), 0);
		assert_true(calls > 0);
		/* And it will be called again. */
		assert_in_range(count_open_fds() - before, 0, 300);
	}
	are_strangers_endless = false;
	close(fd);
}

/* --- keys ---------------------------------------------------------------------------------------- */

/* The key of one is nothing for another, not even when it is known. */
static void a_key_of_another_domain_is_none(void **state)
{
	static const char *const domains[] = {"a", "b", NULL};
	struct pair owner, other;
	struct rtrs_memory *memory, *own;
	struct rtrs_post write;

	(void)state;
	for (size_t i = 0; i < 3; i++) {
		for (size_t k = 0; k < 3; k++) {
			owner = connect_in(domains[i]);
			other = connect_in(domains[k]);
			memory = grant_at_server(&owner);
			assert_int_equal(client->ops->grant(other.client, memory_of_client, MEMORY,
							    RTRS_ACCESS_NONE, &own),
					 0);
			memset(memory_of_server, 0, 16);
			memset(memory_of_client, 'w', 16);
			write = (struct rtrs_post){
				.type = RTRS_POST_WRITE,
				.segment_count = 1,
				.segments = {{memory_of_client, 16, own->local_key}},
				.address = (uintptr_t)memory_of_server,
				.key = memory->remote_key,
			};
			assert_int_equal(client->ops->post(other.client, &write, 1), 0);
			if (i != k) {
				assert_int_equal(event_at(server).error, -EACCES);
				assert_int_equal(memory_of_server[0], 0);
			} else {
				no_event_at(server);
				assert_int_equal(memory_of_server[15], 'w');
			}
			client->ops->withdraw(own);
			server->ops->withdraw(memory);
			free_pair(&owner);
			free_pair(&other);
		}
	}
}

/* Those that one has seen say nothing of the next. */
static void each_key_is_random(void **state)
{
	enum { KEYS = 1000 };
	struct pair pair = connect_in("keys");
	struct rtrs_memory *memory;
	size_t before = random_bytes;
	uint32_t bits_set = 0, bits_clear = 0;

	(void)state;
	for (int i = 0; i < KEYS; i++) {
		memory = grant_at_server(&pair);
		bits_set |= memory->remote_key;
		bits_clear |= ~memory->remote_key;
		server->ops->withdraw(memory);
	}
	assert_true(random_bytes - before >= KEYS * sizeof(uint32_t));
	assert_true(__builtin_popcount(bits_set & bits_clear) >= 16);
	free_pair(&pair);
}

/* --- sockets ------------------------------------------------------------------------------------- */

static void leave_socket_behind(void)
{
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_int_equal(bind(fd, (const struct sockaddr *)&address, sizeof(address)), 0);
	close(fd);
}

static int other_result;
static struct rtrs_listener *other_listener;

static void another_listens(void)
{
	other_result = client->ops->listen(client, (const struct sockaddr *)&address, NULL,
					   &other_listener);
}

/* Two find what a third left behind: the second must not take it from the first. */
static void two_cannot_take_one_socket(void **state)
{
	struct rtrs_listener *first;

	(void)state;
	server->ops->unlisten(listener);
	leave_socket_behind();
	other_result = -1;
	before_unlink = another_listens;
	assert_int_equal(
		server->ops->listen(server, (const struct sockaddr *)&address, NULL, &first), 0);
	assert_int_equal(other_result, -EADDRINUSE);
	/* Nor later, and the first one can be reached. */
	another_listens();
	assert_int_equal(other_result, -EADDRINUSE);
	listener = first;
	{
		struct pair pair = connect_in(NULL);

		free_pair(&pair);
	}
}

/* Somebody removed the file, and another listens there: its file stays when the first one ends. */
static void a_listener_removes_its_own_file_alone(void **state)
{
	(void)state;
	assert_int_equal(unlink(address.sun_path), 0);
	another_listens();
	assert_int_equal(other_result, 0);
	server->ops->unlisten(listener);
	assert_int_equal(access(address.sun_path, F_OK), 0);
	client->ops->unlisten(other_listener);
	assert_int_equal(access(address.sun_path, F_OK), -1);
}

/* A file of that name that is none of ours is not touched. */
static void a_lock_file_of_another_kind_is_left_alone(void **state)
{
	char name[sizeof(address.sun_path) + 16];
	FILE *file;

	(void)state;
	server->ops->unlisten(listener);
	snprintf(name, sizeof(name), "%s.rtrs-lock", address.sun_path);
	file = fopen(name, "w");
	assert_non_null(file);
	fputs("needed", file);
	fclose(file);
	another_listens();
	assert_int_equal(other_result, -EADDRINUSE);
	assert_int_equal(access(name, F_OK), 0);
	assert_int_equal(unlink(name), 0);
	another_listens();
	assert_int_equal(other_result, 0);
	assert_int_equal(access(name, F_OK), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(writes_without_end, open_links, close_links),
		cmocka_unit_test_setup_teardown(strangers_without_end, open_links, close_links),
		cmocka_unit_test_setup_teardown(a_key_of_another_domain_is_none, open_links,
						close_links),
		cmocka_unit_test_setup_teardown(each_key_is_random, open_links, close_links),
		cmocka_unit_test_setup_teardown(two_cannot_take_one_socket, open_links,
						close_links),
		cmocka_unit_test_setup_teardown(a_listener_removes_its_own_file_alone, open_links,
						close_links),
		cmocka_unit_test_setup_teardown(a_lock_file_of_another_kind_is_left_alone,
						open_links, close_links),
	};
	int failures;

	if (!mkdtemp(directory))
		return 1;
	address.sun_family = AF_UNIX;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s/s", directory);
	failures = cmocka_run_group_tests(tests, NULL, NULL);
	/* Nothing is left there. */
	if (rmdir(directory))
		failures++;
	return failures;
}
