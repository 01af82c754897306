/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * A service and a session of librtrs on the simulated link: the whole library but for its descriptors and its clock.
 * The service's program takes its time; the session's knows what is in each block. Each request is answered once,
 * none is carried out after its answer, no chunk has two: where that does not hold the test ends.
 */
#ifndef HF_TEST_RTRS_SIM_BED_H
#define HF_TEST_RTRS_SIM_BED_H

#include <rtrs/rtrs.h>
#include <stdbool.h>
#include <stdint.h>

#include "rtrs/link/sim/sim.h"

enum { BED_PATHS = 4, BED_BLOCKS = 64, BED_WORDS = 256, BED_REQUESTS = 64, BED_JOBS = 256 };

struct bed_options {
	uint64_t seed;
	uint32_t depth, connections;
	bool invalidate, has_slow_jobs;
	bool cannot_watch; /* devices */
	uint32_t reconnect_delay_ms;
};

struct bed_request {
	bool is_begun, is_done, is_read;
	int error;
	uint32_t block, serial;
	uint32_t header[4];
	uint32_t data[BED_WORDS];
	struct iovec part;
};

struct bed_job {
	struct rtrs_job *job; /* NULL: none */
	int64_t due_ns;
	uint32_t header[4];
};

struct bed {
	struct rtrs_sim *sim;
	struct rtrs_service *service;
	struct rtrs_session *session;
	uint64_t random;
	struct bed_options options;
	struct bed_request requests[BED_REQUESTS];
	unsigned int begun, done, aborted, failed_by_server;
	struct bed_job jobs[BED_JOBS];
	unsigned long executions;
	uint32_t disk[BED_BLOCKS];  /* the serial that was written last */
	uint32_t known[BED_BLOCKS]; /* the same, as the client knows it */
	bool is_busy[BED_BLOCKS];
	bool is_unknown[BED_BLOCKS]; /* a write failed: it may be carried out yet */
	unsigned int chunk_jobs[16];
	uint64_t service_session;
	unsigned int ups, downs, paths_up, paths_down, failures;
	int64_t last_down_ns, last_up_ns;
	bool has_device_come;
};

extern struct bed bed;

/* Its paths are connected. */
void bed_open(const struct bed_options *options);
void bed_close(void);
uint32_t bed_random(uint32_t below);
/* Also its device. */
void bed_revive(unsigned int wire);
/* What happens next has happened; false: nothing will. */
bool bed_step(void);
/* -errno of the library. */
int bed_begin(void);
unsigned int bed_connected(void);
int bed_add_path(unsigned int wire);
/* All wires are good, all requests done, and all paths connected. */
void bed_settle(void);
/* Runs until then at least. */
void bed_run_until(int64_t now_ns);

#endif
