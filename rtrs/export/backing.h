/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/*
 * What holds the data of a served device: a file, a block device, memory, or an NBD server
 * elsewhere.
 */
#ifndef RTRS_EXPORT_BACKING_H
#define RTRS_EXPORT_BACKING_H

#include <stdbool.h>
#include <stdint.h>

#include "rtrs/export/pool.h"
#include "rtrs/rnbd/message.h"
#include "shared/attr.h"

struct rtrs_backing;

/* One request, within the device. */
struct rtrs_block_job {
	struct rtrs_task task; /* for whoever carries it out */
	struct rtrs_backing *backing;
	enum rtrs_rnbd_op op;
	uint32_t flags;
	uint64_t offset;
	uint32_t size;
	void *data;
	uint64_t mark; /* for whoever carries it out */
	/* Called once, from any thread. */
	void (*done)(struct rtrs_block_job *job, int error);
};

struct rtrs_backing_ops {
	/* May be NULL. 1: it was carried out without any waiting; 0: it would have to wait; or -errno. */
	int (*try_now)(struct rtrs_block_job *job);
	/* Carries it out, in a thread that may wait. NULL: `start` does. */
	int (*carry_out)(struct rtrs_block_job *job);
	/* Begins it without waiting; job->done() is called later. */
	void (*start)(struct rtrs_block_job *job);
	/* May be NULL: its size never changes. Brings about.sectors up to date, without waiting. */
	void (*measure)(struct rtrs_backing *backing);
	/* May wait. No job is under way. NULL: it outlives its users, and may be opened again meanwhile. */
	void (*close)(struct rtrs_backing *backing);
};

struct rtrs_backing {
	const struct rtrs_backing_ops *ops;
	struct rtrs_task task; /* for closing */
	struct rtrs_rnbd_device about;
	bool is_read_only;
	bool is_block_device;
	char *place; /* of the file, or of the block device in sysfs; NULL: it has none */
};

/* --- file.c: a plain file or block device that is open already, and belongs to the backing on success */
int rtrsi_file_backing_new(int fd, bool is_read_only, uint32_t max_io,
			   struct rtrs_backing **ret) HF_MUST_CHECK HF_NONNULL;

/* --- memory.c: lives as long as the process, whoever opens and closes it */
int rtrsi_memory_backing_new(uint64_t size, uint32_t max_io,
			     struct rtrs_backing **ret) HF_MUST_CHECK HF_NONNULL;
void rtrsi_memory_backing_free(struct rtrs_backing *backing) HF_NONNULL;

/* --- nbd.c. -EOPNOTSUPP: built without libnbd. May wait; *message says what went wrong, and is to be freed. */
int rtrsi_nbd_backing_new(const char *uri, bool is_read_only, uint32_t max_io, char **message,
			  struct rtrs_backing **ret) HF_MUST_CHECK HF_NONNULL;

#endif
