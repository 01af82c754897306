/* SPDX-License-Identifier: BSD-2-Clause OR GPL-2.0-only */
/* rtrs-blk info: a device and the paths to it. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "rtrs/blk/blk.h"
#include "shared/json.h"
#include "shared/printed.h"

static void print_bytes_line(const char *name, uint64_t bytes)
{
	char size[BLK_SIZE_TEXT];

	rtrsi_blk_print_size((double)bytes, size);
	if (bytes < 1024)
		printf("%-20s%s\n", name, size);
	else
		printf("%-20s%s (%" PRIu64 " bytes)\n", name, size, bytes);
}

static const char *cache_text(uint8_t policy)
{
	if (policy & RNBD_CACHE_WRITEBACK)
		return policy & RNBD_CACHE_FUA ? "write-back, FUA" : "write-back";
	return "write-through";
}

static void print_volume(const struct blk_options *options, struct rtrs_volume *volume)
{
	const uint64_t sector = RNBD_SECTOR_SIZE;
	struct rtrs_volume_info info;
	struct rtrs_path_info path;

	rtrsi_volume_info(volume, &info);
	printf("%-20s", "device");
	hfi_put_safe(stdout, options->target);
	putchar('\n');
	print_bytes_line("size", info.size);
	print_bytes_line("logical block", info.device.logical_block_size);
	print_bytes_line("physical block", info.device.physical_block_size);
	print_bytes_line("request, at most", info.max_io);
	print_bytes_line("discard, at most", info.device.max_discard_sectors * sector);
	print_bytes_line("discard granularity", info.device.discard_granularity);
	print_bytes_line("zeroes, at most", info.device.max_write_zeroes_sectors * sector);
	printf("%-20s%s\n", "cache", cache_text(info.device.cache_policy));
	printf("%-20s%" PRIu32 "\n", "requests at a time", info.permits);
	for (unsigned int i = 0; i < options->address_count; i++) {
		printf("%-20s", i ? "" : "paths");
		hfi_put_safe(stdout, options->addresses[i]);
		if (!rtrsi_volume_path_info(volume, i, &path) && path.is_connected)
			puts("  connected");
		else
			puts("  not connected");
	}
}

static void print_volume_json(const struct blk_options *options, struct rtrs_volume *volume)
{
	const uint64_t sector = RNBD_SECTOR_SIZE;
	struct rtrs_volume_info info;
	struct rtrs_path_info path;
	struct hf_json json;

	rtrsi_volume_info(volume, &info);
	hfi_json_begin(&json, stdout, false);
	hfi_json_object(&json, NULL);
	hfi_json_string(&json, "device", options->target);
	hfi_json_uint(&json, "size", info.size);
	hfi_json_uint(&json, "logical_block_size", info.device.logical_block_size);
	hfi_json_uint(&json, "physical_block_size", info.device.physical_block_size);
	hfi_json_uint(&json, "max_io", info.max_io);
	hfi_json_uint(&json, "max_discard", info.device.max_discard_sectors * sector);
	hfi_json_uint(&json, "discard_granularity", info.device.discard_granularity);
	hfi_json_uint(&json, "max_write_zeroes", info.device.max_write_zeroes_sectors * sector);
	hfi_json_bool(&json, "write_back", info.device.cache_policy & RNBD_CACHE_WRITEBACK);
	hfi_json_bool(&json, "fua", info.device.cache_policy & RNBD_CACHE_FUA);
	hfi_json_uint(&json, "permits", info.permits);
	hfi_json_array(&json, "paths");
	for (unsigned int i = 0; i < options->address_count; i++) {
		bool is_known = !rtrsi_volume_path_info(volume, i, &path);

		hfi_json_object(&json, NULL);
		hfi_json_string(&json, "address", options->addresses[i]);
		hfi_json_bool(&json, "connected", is_known && path.is_connected);
		hfi_json_close(&json);
	}
	hfi_json_close(&json);
	hfi_json_close(&json);
}

int rtrsi_blk_info(const struct blk_options *options)
{
	struct rtrs_volume *volume;
	int status = rtrsi_blk_open(options, RNBD_READ_ONLY, &volume);

	if (status != BLK_OK)
		return status;
	if (options->json)
		print_volume_json(options, volume);
	else
		print_volume(options, volume);
	rtrsi_volume_close(volume);
	if (fflush(stdout) || ferror(stdout)) {
		rtrsi_blk_complain("standard output: %s", strerrordesc_np(5));
		return BLK_FAILED;
	}
	return BLK_OK;
}
