/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* The command rtrs-blk: what its parts share. */
#ifndef RTRS_BLK_BLK_H
#define RTRS_BLK_BLK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "rtrs/blocks/volume.h"
#include "rtrs/export/service.h"
#include "shared/attr.h"

enum blk_exit { BLK_OK = 0, BLK_FAILED = 1, BLK_USAGE = 2 };

enum { BLK_NAMED_MAX = 64, BLK_ADDRESSES_MAX = 64 };

/* All options of all subcommands. */
struct blk_options {
	const char *command;
	const char *target; /* the device; of serve: the directory, or NULL */
	const char *addresses[BLK_ADDRESSES_MAX];
	unsigned int address_count;
	bool json, is_quiet;

	/* Of a client. */
	const char *session;
	bool has_access;
	enum rtrs_rnbd_access access;
	uint64_t connections, permits, timeout_s;
	uint64_t offset, length, block_size;
	bool has_length;
	const char *file; /* NULL: a standard stream */
	/* bench */
	const char *workload;
	uint64_t depth, count, seconds, seed;
	bool has_seed, verify;

	/* serve */
	bool read_only, invalidate;
	uint64_t threads, queue_depth, max_io;
	struct rtrs_export_named named[BLK_NAMED_MAX];
	unsigned int named_count;
};

/* --- options.c */
/* An exit status, or -1: go on. */
int rtrsi_blk_parse(int argc, char **argv, struct blk_options *ret) HF_NONNULL;
/* "rtrs-blk: ..." on standard error; control characters are escaped. */
void rtrsi_blk_complain(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* --- size.c */
/* "4096", "4K", "1.5G" is not one: whole numbers alone. -EINVAL. */
int rtrsi_blk_parse_size(const char *text, uint64_t *ret) HF_MUST_CHECK HF_NONNULL;
enum { BLK_SIZE_TEXT = 32 };
/* "1.5 GiB". */
void rtrsi_blk_print_size(double bytes, char to[BLK_SIZE_TEXT]) HF_NONNULL;

/* --- open.c */
/* An exit status, with *ret on BLK_OK. */
int rtrsi_blk_open(const struct blk_options *options, enum rtrs_rnbd_access access,
		   struct rtrs_volume **ret) HF_NONNULL;

/* --- progress.c */
struct blk_progress {
	bool is_shown;
	int64_t begun_ns, shown_ns;
	uint64_t total; /* 0: unknown */
};

void rtrsi_blk_progress_begin(struct blk_progress *progress, const struct blk_options *options,
			      uint64_t total) HF_NONNULL;
void rtrsi_blk_progress(struct blk_progress *progress, uint64_t done) HF_NONNULL;
void rtrsi_blk_progress_end(struct blk_progress *progress) HF_NONNULL;

/* --- the subcommands: each returns an exit status */
int rtrsi_blk_serve(const struct blk_options *options) HF_NONNULL;
int rtrsi_blk_info(const struct blk_options *options) HF_NONNULL;
int rtrsi_blk_read(const struct blk_options *options) HF_NONNULL;
int rtrsi_blk_write(const struct blk_options *options) HF_NONNULL;
int rtrsi_blk_bench(const struct blk_options *options) HF_NONNULL;

#endif
