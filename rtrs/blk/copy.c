/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rtrs-blk read and write: a device copied in order, with some requests at a time. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "rtrs/blk/blk.h"

enum { COPY_DEPTH = 8, COPY_DEPTH_MAX = 1024 };

struct copy;

struct copy_slot {
	struct rtrs_volume_request request;
	struct copy *copy;
	bool is_busy;
	int error;
};

struct copy {
	const struct blk_options *options;
	struct rtrs_volume *volume;
	struct rtrs_volume_info info;
	struct blk_progress progress;
	int fd;
	uint64_t at, end;
	uint32_t block; /* of one request */
	unsigned int depth;
	struct copy_slot *slots;
	uint8_t *memory;
	pthread_mutex_t lock;
	pthread_cond_t ended;
};

static void slot_done(struct rtrs_volume_request *request, int error)
{
	struct copy_slot *slot = hf_container_of(request, struct copy_slot, request);
	struct copy *copy = slot->copy;

	pthread_mutex_lock(&copy->lock);
	slot->error = error;
	slot->is_busy = false;
	pthread_cond_signal(&copy->ended);
	pthread_mutex_unlock(&copy->lock);
}

static int wait_for_slot(struct copy_slot *slot)
{
	struct copy *copy = slot->copy;
	int error;

	pthread_mutex_lock(&copy->lock);
	while (slot->is_busy)
		pthread_cond_wait(&copy->ended, &copy->lock);
	error = slot->error;
	slot->error = 0;
	pthread_mutex_unlock(&copy->lock);
	return error;
}

static void submit_slot(struct copy_slot *slot, enum rtrs_rnbd_op op, uint64_t offset,
			uint32_t length)
{
	struct copy *copy = slot->copy;

	slot->is_busy = true;
	slot->request.op = op;
	slot->request.offset = offset;
	slot->request.length = length;
	rtrsi_volume_submit(copy->volume, &slot->request);
}

static struct copy_slot *slot_of(struct copy *copy, uint64_t number)
{
	return &copy->slots[number % copy->depth];
}

static int complain_of_copy(const struct copy *copy, const char *what, uint64_t offset, int error)
{
	rtrsi_blk_complain("%s: %s at %" PRIu64 ": %s", copy->options->target, what, offset,
			   strerrordesc_np(-error));
	return BLK_FAILED;
}

/* --- read ---------------------------------------------------------------------------------------- */

static int put_out(const struct copy *copy, const uint8_t *data, uint64_t length)
{
	while (length) {
		ssize_t count = write(copy->fd, data, length);

		if (count < 0 && errno == EINTR)
			continue;
		if (count <= 0) {
			rtrsi_blk_complain("%s: %s",
					   copy->options->file ? copy->options->file
							       : "standard output",
					   strerrordesc_np(count ? errno : ENOSPC));
			return BLK_FAILED;
		}
		data += count;
		length -= (uint64_t)count;
	}
	return BLK_OK;
}

static uint32_t part_at(const struct copy *copy, uint64_t offset)
{
	return copy->end - offset < copy->block ? (uint32_t)(copy->end - offset) : copy->block;
}

/* Whole blocks are read; of the last one only what is wanted is written. */
static int read_volume(struct copy *copy)
{
	const uint64_t first = copy->at, logical = copy->info.device.logical_block_size;
	uint64_t asked = first, number = 0, done = 0;

	while (copy->at < copy->end) {
		struct copy_slot *slot = slot_of(copy, done);
		int err;

		while (asked < copy->end && number - done < copy->depth) {
			uint64_t length = part_at(copy, asked);

			submit_slot(slot_of(copy, number++), RNBD_OP_READ, asked,
				    (uint32_t)((length + logical - 1) / logical * logical));
			asked += length;
		}
		err = wait_for_slot(slot);
		if (err)
			return complain_of_copy(copy, "reading", copy->at, err);
		if (put_out(copy, slot->request.data, part_at(copy, copy->at)))
			return BLK_FAILED;
		copy->at += part_at(copy, copy->at);
		done++;
		rtrsi_blk_progress(&copy->progress, copy->at - first);
	}
	return BLK_OK;
}

/* --- write --------------------------------------------------------------------------------------- */

/* Reads up to `length` bytes; -1 after a complaint. */
static int64_t take_in(const struct copy *copy, uint8_t *data, uint32_t length)
{
	uint32_t taken = 0;

	while (taken < length) {
		ssize_t count = read(copy->fd, data + taken, length - taken);

		if (count < 0 && errno == EINTR)
			continue;
		if (count < 0) {
			rtrsi_blk_complain("%s: %s",
					   copy->options->file ? copy->options->file
							       : "standard input",
					   strerrordesc_np(errno));
			return -1;
		}
		if (!count)
			break;
		taken += (uint32_t)count;
	}
	return taken;
}

/* What the input lacks of the last block stays as it is on the device. */
static int fill_last_block(struct copy *copy, uint8_t *data, uint64_t offset, uint32_t *length)
{
	const uint32_t logical = copy->info.device.logical_block_size;
	const uint32_t rest = *length % logical;
	struct rtrs_volume_request request = {.op = RNBD_OP_READ, .length = logical};
	uint8_t *block;
	int err;

	if (!rest)
		return 0;
	block = malloc(logical);
	if (!block)
		return -ENOMEM;
	request.offset = offset + *length - rest;
	request.data = block;
	err = rtrsi_volume_do(copy->volume, &request);
	if (!err) {
		memcpy(data + *length, block + rest, logical - rest);
		*length += logical - rest;
	}
	free(block);
	return err;
}

static int is_more_input(const struct copy *copy)
{
	uint8_t byte;

	return !copy->options->has_length && take_in(copy, &byte, 1) > 0;
}

static int write_volume(struct copy *copy)
{
	const uint64_t first = copy->at;
	struct rtrs_volume_request flush = {.op = RNBD_OP_FLUSH};
	bool is_end = false;
	int err = 0;

	for (uint64_t number = 0; !is_end && copy->at < copy->end; number++) {
		struct copy_slot *slot = slot_of(copy, number);
		const uint32_t wanted = part_at(copy, copy->at);
		int64_t taken;
		uint32_t length;

		err = wait_for_slot(slot);
		if (err)
			return complain_of_copy(copy, "writing", slot->request.offset, err);
		taken = take_in(copy, slot->request.data, wanted);
		if (taken < 0)
			return BLK_FAILED;
		is_end = taken < wanted;
		length = (uint32_t)taken;
		err = fill_last_block(copy, slot->request.data, copy->at, &length);
		if (err)
			return complain_of_copy(copy, "reading", copy->at, err);
		if (length)
			submit_slot(slot, RNBD_OP_WRITE, copy->at, length);
		copy->at += (uint64_t)taken;
		rtrsi_blk_progress(&copy->progress, copy->at - first);
	}
	for (unsigned int i = 0; i < copy->depth; i++) {
		err = wait_for_slot(&copy->slots[i]);
		if (err)
			return complain_of_copy(copy, "writing", copy->slots[i].request.offset,
						err);
	}
	err = rtrsi_volume_do(copy->volume, &flush);
	if (err)
		return complain_of_copy(copy, "flushing", copy->at, err);
	if (!is_end && is_more_input(copy)) {
		rtrsi_blk_complain("%s: the input is larger than the device",
				   copy->options->target);
		return BLK_FAILED;
	}
	return BLK_OK;
}

/* --- both ---------------------------------------------------------------------------------------- */

static int set_range(struct copy *copy)
{
	const struct blk_options *options = copy->options;
	const uint32_t logical = copy->info.device.logical_block_size;

	copy->at = options->offset;
	copy->end = copy->info.size;
	if (options->offset % logical) {
		rtrsi_blk_complain("--offset: it is no multiple of %" PRIu32, logical);
		return BLK_USAGE;
	}
	if (options->offset > copy->info.size ||
	    (options->has_length && options->length > copy->info.size - options->offset)) {
		rtrsi_blk_complain("%s: it ends at %" PRIu64, options->target, copy->info.size);
		return BLK_FAILED;
	}
	if (options->has_length)
		copy->end = options->offset + options->length;
	copy->block = copy->info.max_io;
	if (options->block_size && options->block_size < copy->block)
		copy->block = (uint32_t)(options->block_size - options->block_size % logical);
	if (!copy->block) {
		rtrsi_blk_complain("--block-size: less than %" PRIu32, logical);
		return BLK_USAGE;
	}
	return BLK_OK;
}

static int make_slots(struct copy *copy)
{
	copy->depth = COPY_DEPTH;
	if (copy->options->depth)
		copy->depth = copy->options->depth < COPY_DEPTH_MAX
				      ? (unsigned int)copy->options->depth
				      : COPY_DEPTH_MAX;
	copy->slots = calloc(copy->depth, sizeof(*copy->slots));
	copy->memory = malloc((size_t)copy->depth * copy->block);
	if (!copy->slots || !copy->memory) {
		rtrsi_blk_complain("out of memory");
		return BLK_FAILED;
	}
	for (unsigned int i = 0; i < copy->depth; i++) {
		copy->slots[i].copy = copy;
		copy->slots[i].request.done = slot_done;
		copy->slots[i].request.data = copy->memory + (size_t)i * copy->block;
	}
	return BLK_OK;
}

static void end_slots(struct copy *copy)
{
	for (unsigned int i = 0; copy->slots && copy->memory && i < copy->depth; i++)
		(void)wait_for_slot(&copy->slots[i]);
	free(copy->slots);
	free(copy->memory);
}

static int open_copy_file(struct copy *copy, int flags, int standard)
{
	const char *file = copy->options->file;

	copy->fd = file ? open(file, flags | O_CLOEXEC, 0666) : standard;
	if (copy->fd >= 0)
		return BLK_OK;
	rtrsi_blk_complain("%s: %s", file, strerrordesc_np(errno));
	return BLK_FAILED;
}

static int close_copy_file(const struct copy *copy, int status)
{
	/* A network file system reports its write errors at close. */
	if (!close(copy->fd) || status != BLK_OK)
		return status;
	rtrsi_blk_complain("%s: %s", copy->options->file ? copy->options->file : "standard output",
			   strerrordesc_np(errno));
	return BLK_FAILED;
}

static int copy_volume(struct copy *copy, int (*run)(struct copy *copy))
{
	int status;

	rtrsi_volume_info(copy->volume, &copy->info);
	status = set_range(copy);
	if (status != BLK_OK)
		return status;
	status = make_slots(copy);
	if (status == BLK_OK) {
		rtrsi_blk_progress_begin(
			&copy->progress, copy->options,
			run == read_volume || copy->options->has_length ? copy->end - copy->at : 0);
		status = run(copy);
		rtrsi_blk_progress_end(&copy->progress);
	}
	end_slots(copy);
	return status;
}

int rtrsi_blk_read(const struct blk_options *options)
{
	struct copy copy = {.options = options,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .ended = PTHREAD_COND_INITIALIZER};
	int status = rtrsi_blk_open(options, RNBD_READ_ONLY, &copy.volume);

	if (status != BLK_OK)
		return status;
	status = open_copy_file(&copy, O_WRONLY | O_CREAT | O_TRUNC, STDOUT_FILENO);
	if (status == BLK_OK) {
		status = copy_volume(&copy, read_volume);
		status = close_copy_file(&copy, status);
	}
	rtrsi_volume_close(copy.volume);
	return status;
}

int rtrsi_blk_write(const struct blk_options *options)
{
	struct copy copy = {.options = options,
			    .lock = PTHREAD_MUTEX_INITIALIZER,
			    .ended = PTHREAD_COND_INITIALIZER};
	int status = open_copy_file(&copy, O_RDONLY, STDIN_FILENO);

	if (status != BLK_OK)
		return status;
	status = rtrsi_blk_open(options, RNBD_READ_WRITE, &copy.volume);
	if (status == BLK_OK) {
		status = copy_volume(&copy, write_volume);
		rtrsi_volume_close(copy.volume);
	}
	close(copy.fd);
	return status;
}
