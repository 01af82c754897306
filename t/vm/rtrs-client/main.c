/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * vm-rtrs-client ADDRESS SESSION DEVICE read|write FIRST COUNT: copies blocks of 4 KiB between a device of
 * an RNBD server and standard output or input. vm-rtrs-client ADDRESS SESSION hold: opens a path, and closes it
 * when the device is removed. What it met goes to standard error.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/rnbd/message.h"
#include "t/vm/rtrs-client/client.h"

enum { PORT = 1234, BLOCK = 4096, CONTROL = 0, IO = 1 };

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

static void exchange_versions(struct client *client)
{
	uint8_t version;

	rtrsi_rnbd_session_info_encode(RNBD_VERSION, client->memory->header);
	must_be_done(client_request(client, CONTROL, true, RNBD_SESSION_INFO_SIZE,
				    RNBD_SESSION_INFO_SIZE),
		     "session info");
	must_be_done(rtrsi_rnbd_session_answer_decode(client->memory->data, RNBD_SESSION_INFO_SIZE,
						      &version),
		     "answer to session info");
	fprintf(stderr, "version %u\n", version);
}

static struct rtrs_rnbd_device open_rnbd_device(struct client *client, const char *path)
{
	struct rtrs_rnbd_device device;

	must_be_done(rtrsi_rnbd_open_encode(RNBD_READ_WRITE, path, client->memory->header), path);
	must_be_done(client_request(client, CONTROL, true, RNBD_OPEN_SIZE, RNBD_OPEN_ANSWER_SIZE),
		     path);
	must_be_done(rtrsi_rnbd_open_answer_decode(client->memory->data, RNBD_OPEN_ANSWER_SIZE,
						   &device),
		     "answer to open");
	fprintf(stderr, "sectors %llu blocks %u/%u\n", (unsigned long long)device.sectors,
		device.logical_block_size, device.physical_block_size);
	return device;
}

static int block_io(struct client *client, const struct rtrs_rnbd_io *io)
{
	bool is_read = io->op == RNBD_OP_READ || io->op == RNBD_OP_FLUSH;

	rtrsi_rnbd_io_encode(io, client->memory->header);
	return client_request(client, IO, is_read, RNBD_IO_SIZE, io->size);
}

static void copy_blocks(struct client *client, uint32_t device, enum rtrs_rnbd_op op,
			unsigned long first, unsigned long count)
{
	uint8_t *data = client->memory->data;

	for (unsigned long block = first; block < first + count; block++) {
		const struct rtrs_rnbd_io io = {.device = device,
						.sector = block * (BLOCK / RNBD_SECTOR_SIZE),
						.op = op,
						.size = BLOCK};

		if (op == RNBD_OP_WRITE && fread(data, 1, BLOCK, stdin) != BLOCK)
			client_die("standard input ends");
		must_be_done(block_io(client, &io), "block");
		if (op == RNBD_OP_READ && fwrite(data, 1, BLOCK, stdout) != BLOCK)
			client_die("standard output");
	}
}

static void close_rnbd_device(struct client *client, uint32_t device)
{
	const struct rtrs_rnbd_io flush = {.device = device, .op = RNBD_OP_FLUSH};
	const struct rtrs_rnbd_io unknown = {
		.device = device + 1, .op = RNBD_OP_READ, .size = BLOCK};

	must_be_done(block_io(client, &flush), "flush");
	fprintf(stderr, "unknown device: %s\n", strerror(-block_io(client, &unknown)));
	rtrsi_rnbd_close_encode(device, client->memory->header);
	must_be_done(client_request(client, CONTROL, false, RNBD_CLOSE_SIZE, 0), "close");
}

int main(int argc, char **argv)
{
	struct client client = {0};
	struct rtrs_rnbd_device device;
	struct sockaddr_storage address;

	if (argc != 7 && (argc != 4 || strcmp(argv[3], "hold") != 0))
		client_die("usage: ADDRESS SESSION DEVICE read|write FIRST COUNT, or ADDRESS "
			   "SESSION hold");
	address = parse_ip(argv[1]);
	client_open(&client, (const struct sockaddr *)&address, argv[2]);
	fprintf(stderr, "depth %u max_io %u new keys %d\n", client.handshake.geometry.depth,
		client.handshake.geometry.max_io, client.handshake.new_keys);
	if (argc == 4) {
		client_wait_gone(&client);
		client_close(&client);
		return 0;
	}
	exchange_versions(&client);
	device = open_rnbd_device(&client, argv[3]);
	copy_blocks(&client, device.id, strcmp(argv[4], "write") ? RNBD_OP_READ : RNBD_OP_WRITE,
		    strtoul(argv[5], NULL, 10), strtoul(argv[6], NULL, 10));
	close_rnbd_device(&client, device.id);
	fprintf(stderr, "new keys received: %s\n", client.new_keys ? "yes" : "no");
	client_close(&client);
	return fflush(stdout) ? 1 : 0;
}
