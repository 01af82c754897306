/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-rtrs-client ADDRESS[,ADDRESS...] SESSION DEVICE read|write FIRST COUNT [FILE]: copies blocks of 4 KiB
 * between a device of an RNBD server and standard output or input, several at a time, on a path to each address;
 * again and again until FILE exists; ends when all paths are connected, or a device was removed. vm-rtrs-client ADDRESS SESSION hold: opens a path, and closes it when the device is
 * removed. What it met goes to standard error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/rnbd/message.h"
#include "t/vm/rtrs-client/client.h"

enum { PORT = 1234, BLOCK = CLIENT_DATA, CONTROL = 0, IO = 1 };

/* The copy: in memory, for answers come in any order. */
static uint8_t *blocks;
static int last_error;

static void one_done(struct client *client, struct client_slot *slot, int error)
{
	(void)client;
	(void)slot;
	last_error = error;
}

static void must_be_done(int err, const char *what)
{
	if (err)
		client_die("%s: %s", what, strerror(-err));
}

static struct sockaddr_storage parse_ip(const char *text)
{
	struct sockaddr_storage address = {0};
	struct sockaddr_in *v4 = (void *)&address;
	struct sockaddr_in6 *v6 = (void *)&address;

	if (inet_pton(AF_INET, text, &v4->sin_addr) == 1) {
		v4->sin_family = AF_INET;
		v4->sin_port = htons(PORT);
	} else if (inet_pton(AF_INET6, text, &v6->sin6_addr) == 1) {
		v6->sin6_family = AF_INET6;
		v6->sin6_port = htons(PORT);
	} else {
		client_die("%s: no address", text);
	}
	return address;
}

/* Waits for the answer. */
static int ask_server(struct client *client, struct client_slot *slot, unsigned int connection,
		      bool is_read, uint16_t header_length, uint32_t data_length)
{
	slot->connection = (uint8_t)connection;
	slot->is_read = is_read;
	slot->header_length = header_length;
	slot->data_length = data_length;
	client->done = one_done;
	client_submit(client, slot);
	while (slot->is_busy)
		client_wait(client);
	return last_error;
}

static void exchange_versions(struct client *client)
{
	struct client_slot *slot = client_slot(client);
	uint8_t version;

	rtrsi_rnbd_session_info_encode(RNBD_VERSION, slot->header);
	must_be_done(ask_server(client, slot, CONTROL, true, RNBD_SESSION_INFO_SIZE,
				RNBD_SESSION_INFO_SIZE),
		     "session info");
	must_be_done(rtrsi_rnbd_session_answer_decode(slot->data, RNBD_SESSION_INFO_SIZE, &version),
		     "answer to session info");
	fprintf(stderr, "version %u\n", version);
}

static struct rtrs_rnbd_device open_rnbd_device(struct client *client, const char *path)
{
	struct client_slot *slot = client_slot(client);
	struct rtrs_rnbd_device device;

	must_be_done(rtrsi_rnbd_open_encode(RNBD_READ_WRITE, path, slot->header), path);
	must_be_done(ask_server(client, slot, CONTROL, true, RNBD_OPEN_SIZE, RNBD_OPEN_ANSWER_SIZE),
		     path);
	must_be_done(rtrsi_rnbd_open_answer_decode(slot->data, RNBD_OPEN_ANSWER_SIZE, &device),
		     "answer to open");
	fprintf(stderr, "sectors %llu blocks %u/%u\n", (unsigned long long)device.sectors,
		device.logical_block_size, device.physical_block_size);
	return device;
}

static void block_done(struct client *client, struct client_slot *slot, int error)
{
	(void)client;
	must_be_done(error, "block");
	if (slot->is_read)
		memcpy(blocks + slot->number * BLOCK, slot->data, BLOCK);
}

static void submit_block(struct client *client, struct client_slot *slot, uint32_t device,
			 bool is_read, unsigned long first)
{
	const struct rtrs_rnbd_io io = {
		.device = device,
		.sector = (first + slot->number) * (BLOCK / RNBD_SECTOR_SIZE),
		.op = is_read ? RNBD_OP_READ : RNBD_OP_WRITE,
		.size = BLOCK,
	};

	slot->connection = IO;
	slot->is_read = is_read;
	slot->header_length = RNBD_IO_SIZE;
	slot->data_length = BLOCK;
	rtrsi_rnbd_io_encode(&io, slot->header);
	if (!is_read)
		memcpy(slot->data, blocks + slot->number * BLOCK, BLOCK);
	client_submit(client, slot);
}

static bool is_idle(const struct client *client)
{
	for (size_t i = 0; i < CLIENT_SLOTS; i++) {
		if (client->slots[i].is_busy)
			return false;
	}
	return true;
}

static void copy_blocks(struct client *client, uint32_t device, bool is_read, unsigned long first,
			unsigned long count)
{
	client->done = block_done;
	for (unsigned long number = 0; number < count; number++) {
		struct client_slot *slot;

		while (!(slot = client_slot(client)))
			client_wait(client);
		slot->number = number;
		submit_block(client, slot, device, is_read, first);
	}
	while (!is_idle(client))
		client_wait(client);
}

static void close_rnbd_device(struct client *client, uint32_t device)
{
	const struct rtrs_rnbd_io flush = {.device = device, .op = RNBD_OP_FLUSH};
	const struct rtrs_rnbd_io unknown = {
		.device = device + 1, .op = RNBD_OP_READ, .size = BLOCK};
	struct client_slot *slot = client_slot(client);

	rtrsi_rnbd_io_encode(&flush, slot->header);
	must_be_done(ask_server(client, slot, IO, true, RNBD_IO_SIZE, 0), "flush");
	rtrsi_rnbd_io_encode(&unknown, slot->header);
	fprintf(stderr, "unknown device: %s\n",
		strerror(-ask_server(client, slot, IO, true, RNBD_IO_SIZE, BLOCK)));
	rtrsi_rnbd_close_encode(device, slot->header);
	must_be_done(ask_server(client, slot, CONTROL, false, RNBD_CLOSE_SIZE, 0), "close");
}

/* A path whose device is removed does not come back. */
static void wait_for_all_paths(struct client *client)
{
	while (client->engine.connected < client->path_count && !client->gone)
		client_wait(client);
	for (unsigned int i = 0; i < client->path_count; i++)
		fprintf(stderr, "path %u took over %llu, reconnected %llu times\n", i,
			(unsigned long long)client->engine.paths[i].failovers,
			(unsigned long long)client->engine.paths[i].reconnects);
}

static void open_paths(struct client *client, struct sockaddr_storage *addresses, char *list)
{
	for (char *one = strtok(list, ","); one; one = strtok(NULL, ",")) {
		if (client->path_count == CLIENT_PATHS)
			client_die("too many addresses");
		addresses[client->path_count] = parse_ip(one);
		client_add_path(client, (const struct sockaddr *)&addresses[client->path_count]);
	}
	fprintf(stderr, "depth %u max_io %u new keys %d\n",
		client->engine.paths[0].handshake.geometry.depth,
		client->engine.paths[0].handshake.geometry.max_io,
		client->engine.paths[0].handshake.new_keys);
}

static void copy(struct client *client, char **argv)
{
	bool is_read = !strcmp(argv[1], "read");
	unsigned long first = strtoul(argv[2], NULL, 10), count = strtoul(argv[3], NULL, 10);
	struct rtrs_rnbd_device device;

	blocks = calloc(count, BLOCK);
	if (!blocks || (!is_read && fread(blocks, BLOCK, count, stdin) != count))
		client_die("standard input ends");
	exchange_versions(client);
	device = open_rnbd_device(client, argv[0]);
	copy_blocks(client, device.id, is_read, first, count);
	fprintf(stderr, "copied once\n");
	while (argv[4] && access(argv[4], F_OK))
		copy_blocks(client, device.id, is_read, first, count);
	wait_for_all_paths(client);
	close_rnbd_device(client, device.id);
	if (is_read && fwrite(blocks, BLOCK, count, stdout) != count)
		client_die("standard output");
	free(blocks);
}

int main(int argc, char **argv)
{
	struct sockaddr_storage addresses[CLIENT_PATHS];
	static struct client client;

	if (argc != 7 && argc != 8 && (argc != 4 || strcmp(argv[3], "hold") != 0))
		client_die("usage: ADDRESS,... SESSION DEVICE read|write FIRST COUNT [FILE], or "
			   "ADDRESS "
			   "SESSION hold");
	client_begin(&client, argv[2]);
	open_paths(&client, addresses, argv[1]);
	if (argc > 4)
		copy(&client, argv + 3);
	else
		while (!client.gone)
			client_wait(&client);
	client_end(&client);
	return fflush(stdout) ? 1 : 0;
}
