/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A disk in memory behind a service of librtrs, and a client that reads and writes it. The user header is a block's
 * number. The client knows what is in each block, and that every request ends once.
 */
#ifndef HF_TEST_RTRS_DISK_H
#define HF_TEST_RTRS_DISK_H

#include <rtrs/rtrs.h>
#include <stdbool.h>
#include <stdint.h>

enum { DISK_BLOCK = 4096, DISK_BLOCKS = 1024, DISK_HELD_MAX = 64, DISK_PATHS_MAX = 128 };

struct disk {
	struct rtrs_service *service;
	uint8_t (*blocks)[DISK_BLOCK];
	unsigned long jobs, ups, downs, paths_up, paths_down;
	uint64_t last_session;
	int refusal;	 /* of all sessions */
	bool is_holding; /* jobs are kept until disk_let_go() */
	struct rtrs_job *held[DISK_HELD_MAX];
	unsigned int held_count;
};

struct disk_client;

struct disk_request {
	struct disk_client *client;
	bool is_busy, is_read;
	uint32_t block;
	uint32_t serial; /* that is written, or has to be read */
	uint8_t data[DISK_BLOCK];
	struct iovec parts[2];
};

struct disk_client {
	struct rtrs_session *session;
	struct disk_request *requests;
	unsigned int depth, busy;
	uint32_t serials[DISK_BLOCKS]; /* of what is in each block; 0: nothing was written */
	bool is_in_use[DISK_BLOCKS];
	uint32_t next_serial;
	uint64_t random;
	bool may_fail; /* requests end with -ECONNABORTED while no path is connected */
	unsigned long done, errors;
	unsigned int path_ups, path_downs, failed, removed, ups, downs;
	/* Plus 1, by the number of a path: each has one of its own. */
	uint8_t device_of[DISK_PATHS_MAX];
	int last_error;
};

/*
 * Where a disk listens: at a Unix socket in the directory; or, where HF_RTRS_DEVICES has the addresses of soft
 * devices, at all of them, and the name chooses the port.
 */
void disk_address(const char *directory, const char *name, char *to, size_t size);
/* The same for a client's path by the device of that number. */
void disk_path_address(const char *address, unsigned int device, char *to, size_t size);

void disk_open(struct disk *disk, const char *address, uint32_t depth, bool invalidate);
void disk_close(struct disk *disk);
/* Carries out a job: what is read or written lies where the header says. */
void disk_do(struct disk *disk, struct rtrs_job *job);
void disk_let_go(struct disk *disk);

extern unsigned int disk_reconnect_ms; /* of clients that are opened from now on */

void disk_client_open(struct disk_client *client, const char *name, unsigned int depth,
		      uint32_t connections);
/* Nothing is under way. */
void disk_client_close(struct disk_client *client);
/* Its number; the path is connected. `disk` may be NULL here and below: it is served elsewhere. */
unsigned int disk_client_add_path(struct disk_client *client, struct disk *disk,
				  const char *address);
/* Waits until one of the two has something to do, and has it done. */
void disk_serve(struct disk_client *client, struct disk *disk);
/* Begins requests as long as there are permits; -errno of the last attempt. */
int disk_client_begin(struct disk_client *client);
void disk_client_work(struct disk_client *client, struct disk *disk, unsigned int count);
void disk_client_settle(struct disk_client *client, struct disk *disk);
/* Reads every block. */
void disk_client_verify(struct disk_client *client, struct disk *disk);

struct CMUnitTest;
/* Runs the tests with `address`, that of a Unix socket in a directory of its own. The exit status. */
int disk_run_tests(const struct CMUnitTest *tests, size_t count, char *address, size_t size);

#endif
